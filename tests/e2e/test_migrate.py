"""godwit import maildir, import mbox and export: UIDs, unique ids, flags and dates stay; a second look is a delta; new mail is left alone.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import mailbox
import os
import poplib
import re
import shutil
import signal
import subprocess
import time

import pytest
from godwit import Server, halt
from imapwire import Wire

V = 1234567890
BIG = 3 << 20


@pytest.fixture(scope='module')
def town():
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        yield server
    finally:
        server.remove()


class Old:
    """A Maildir as Dovecot leaves it."""

    def __init__(self, server, *names):
        self.path = os.path.join(server.dir, 'old', *names)
        self.lists = {}
        self.folder('')

    def folder(self, name, uidvalidity=V, uidnext=1000):
        path = os.path.join(self.path, name)
        for sub in ('cur', 'new', 'tmp'):
            os.makedirs(os.path.join(path, sub))
        self.lists[name] = [f'3 V{uidvalidity} N{uidnext} G0']
        self.write_list(name)
        return path

    def write_list(self, name):
        with open(os.path.join(self.path, name, 'dovecot-uidlist'), 'w', encoding='ascii') as f:
            f.write('\n'.join(self.lists[name]) + '\n')

    def add(self, uid, flags='', folder='', text=None, when=1600000000, extra=''):
        base = f'{when}.M{uid}P1.old,S=9'
        path = os.path.join(self.path, folder, 'cur', f'{base}:2,{flags}')
        with open(path, 'wb') as f:
            f.write(text or b'Message-ID: <%d@old.example>\nSubject: %d\n\nold %d\n' % (uid, uid, uid))
        os.utime(path, (when, when))
        if uid < 1000:
            self.lists[folder].append(f'{uid} {extra}:{base}')
            self.write_list(folder)
        return path

    def flag(self, path, flags):
        new = path.rsplit(':', 1)[0] + ':2,' + flags
        os.rename(path, new)
        return new


def run(server, *words, code=0, noun='import'):
    done = server.ctl(noun, *words, '--json', check=False)
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def sums(told):
    return {k: told[k] for k in ('added', 'flags', 'removed', 'new_uids', 'left_out')}


def only(**what):
    return {**dict.fromkeys(('added', 'flags', 'removed', 'new_uids', 'left_out'), 0), **what}


def look(server, user, box='INBOX'):
    """(UIDVALIDITY, UIDNEXT), {UID: (flags, date)}"""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as c:
        c.login(user, 'secret')
        status = c.status(f'"{box}"', '(UIDVALIDITY UIDNEXT)')[1][0].decode()
        c.select(f'"{box}"', readonly=True)
        found = {}
        for line in c.uid('FETCH', '1:*', '(FLAGS INTERNALDATE)')[1]:
            if line:
                text = line.decode()
                uid = int(re.search(r'UID (\d+)', text).group(1))
                flags = set(re.search(r'FLAGS \(([^)]*)\)', text).group(1).split())
                found[uid] = flags, re.search(r'INTERNALDATE "([^"]*)"', text).group(1)
    numbers = tuple(int(re.search(rf'{word} (\d+)', status).group(1)) for word in ('UIDVALIDITY', 'UIDNEXT'))
    return numbers, found


def body(server, user, uid, box='INBOX'):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as c:
        c.login(user, 'secret')
        c.select(f'"{box}"', readonly=True)
        return c.uid('FETCH', str(uid), '(BODY.PEEK[])')[1][0][1]


def uidls(server, user):
    c = poplib.POP3('127.0.0.1', server.ports['pop3'])
    c.user(user)
    c.pass_('secret')
    found = [line.split()[1].decode() for line in c.uidl()[1]]
    c.quit()
    return found


def deliver(server, user):
    w = Wire(server.ports['imap'])
    w.line()
    w.login(user)
    w.send(b'a APPEND INBOX {14+}\r\nSubject: n\r\n\r\n\r\n')
    uid = int(re.search(rb'APPENDUID \d+ (\d+)', w.until(b'a')[-1]).group(1))
    w.close()
    return uid


def test_import(town):
    user = town.add_account('anna')
    old = Old(town, 'anna')
    for name in ('.Spam', '.A.B', '.Entw&APw-rfe'):
        old.folder(name, uidvalidity=77)
    first = old.add(3, 'FS')
    old.add(7, 'RTDa', extra='Pold-7 ')
    gone = old.add(8, 'S')
    old.add(70, text=b'Subject: big\r\n\r\n' + b'x' * 70 + b'\r\n' + b'line\r\n' * (BIG // 6))
    old.add(1001)  # not in the list yet
    old.add(5, 'S', '.Spam')
    old.add(2, 'P', '.A.B')
    with open(os.path.join(old.path, 'dovecot-keywords'), 'w', encoding='ascii') as f:
        f.write('0 $label1\n')
    with open(os.path.join(old.path, 'subscriptions'), 'w', encoding='ascii') as f:
        f.write('V\t2\n\nINBOX\nA\tB\nnowhere\n')
    told = run(town, 'maildir', old.path, '--account', user)
    assert sums(told) == only(added=7) and told['found'] == 7 and told['failed'] == 0
    numbers, found = look(town, user)
    assert numbers == (V, 1000) and list(found) == [3, 7, 8, 70, 71]
    assert found[3] == ({'\\Flagged', '\\Seen'}, '13-Sep-2020 12:26:40 +0000')
    assert found[7][0] == {'\\Answered', '\\Deleted', '\\Draft', '$label1'}
    assert look(town, user, 'Spam')[0] == (77, 1000) and look(town, user, 'A/B')[1][2][0] == {'$Forwarded'}
    assert body(town, user, 3) == b'Message-ID: <3@old.example>\r\nSubject: 3\r\n\r\nold 3\r\n'
    assert len(body(town, user, 70)) == 16 + 72 + BIG // 6 * 6
    assert uidls(town, user) == [f'{3:08x}{V:08x}', 'old-7', f'{8:08x}{V:08x}', f'{70:08x}{V:08x}', f'{V:08x}{71:08x}']
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(user, 'secret')
        c.enable('UTF8=ACCEPT') if 'UTF8=ACCEPT' in c.capabilities else None
        listed = b'\n'.join(c.list()[1])
        assert b'\\Junk' in [x for x in listed.split(b'\n') if x.endswith(b'Spam') or x.endswith(b'"Spam"')][0]
        assert b'Entw&APw-rfe' in listed
        names = b'\n'.join(c.lsub()[1])
        assert b'A/B' in names and b'Spam' not in names

    # Nothing changed: nothing happens.  Then new mail here, a flag here, and changes there.
    assert sums(run(town, 'maildir', old.path, '--account', user)) == only()
    assert deliver(town, user) == 1000
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(user, 'secret')
        c.select('INBOX')
        c.uid('STORE', '3,1000', '+FLAGS', '(here)')
        c.uid('STORE', '70', '+FLAGS', '(\\Deleted)')
        c.uid('EXPUNGE', '70')
    old.flag(first, 'S')
    os.unlink(gone)
    old.add(90, 'S')   # its UID is past: 1000 is taken
    told = run(town, 'maildir', old.path, '--account', user)
    assert sums(told) == only(added=1, flags=1, removed=1, new_uids=1)
    numbers, found = look(town, user)
    assert numbers[0] == V and list(found) == [3, 7, 71, 1000, 1001]
    assert found[3][0] == {'\\Seen', 'here'} and found[1000][0] == {'here'} and found[1001][0] == {'\\Seen'}
    assert sums(run(town, 'maildir', old.path, '--account', user)) == only()
    # Another place with the same messages removes nothing of the first.
    other = Old(town, 'anna2')
    told = run(town, 'maildir', other.path, '--account', user)
    assert sums(told) == only() and told['elsewhere'] == 5


# What an mbox has fields and quotes for, in a message.
TRICKY = (b'X-Godwit-Mbox: 3\r\nX-UID: 99\r\nStatus: R\r\nContent-Length: 3\r\n\r\nFrom a@b.example Sun Sep 13 12:26:40 2020\r\n'
          b'>From x\r\n>>From y\r\n\r\n\r\n')


@pytest.mark.parametrize('kind', ('maildir', 'mbox'))
def test_export(town, kind):
    """Out, into another account, out again: the same, to the byte."""
    anna, bert = town.add_account(f'carl-{kind}'), town.add_account(f'bert-{kind}')
    old = Old(town, f'carl-{kind}')
    old.folder('.x', uidvalidity=6, uidnext=3)
    old.folder('.x.y', uidvalidity=5)
    for uid in (2, 4, 9):
        old.add(uid, 'FSa'[:uid % 4])
    old.add(6, 'a', '.x.y', text=b'lone\nline\r\nends\r\r\n')
    with open(os.path.join(old.path, 'dovecot-keywords'), 'w', encoding='ascii') as f:
        f.write('0 word\n')
    run(town, 'maildir', old.path, '--account', anna)
    assert deliver(town, anna) == 1000
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(anna, 'secret')
        c.create('v1.2/&ZeVnLA-')
        c.subscribe('v1.2/&ZeVnLA-')
        c.append('v1.2/&ZeVnLA-', r'\Draft', '"13-Sep-2020 12:26:40 +0000"', TRICKY)
        c.append('v1.2/&ZeVnLA-', '', '"13-Sep-2020 12:26:41 +0000"', b'Subject: no end')
    out = [os.path.join(town.dir, name) for name in (f'{kind}1', f'{kind}2')]
    told = run(town, kind, '--account', anna, '--to', out[0], noun='export')
    assert told['messages'] == 7 and told['lost_keywords'] == told['unreadable'] == 0
    assert town.ctl('export', kind, '--account', anna, '--to', out[0], check=False).returncode == 1
    assert sums(run(town, kind, out[0], '--account', bert)) == only(added=7)
    assert run(town, kind, '--account', bert, '--to', out[1], noun='export')['messages'] == 7
    for box in ('INBOX', 'x', 'x/y', 'v1.2/&ZeVnLA-'):
        assert look(town, bert, box) == look(town, anna, box), box
    assert uidls(town, bert) == uidls(town, anna)
    assert body(town, bert, 6, 'x/y') == body(town, anna, 6, 'x/y')
    assert body(town, bert, 1, 'v1.2/&ZeVnLA-') == TRICKY
    trees = [tree(path) for path in out]
    assert trees[0] == trees[1]
    if kind == 'mbox':  # others find the same messages
        found = mailbox.mbox(os.path.join(out[0], 'INBOX'))
        assert [m['Subject'] for m in found] == ['2', '4', '9', 'n'] and [m.get_flags() for m in found] == ['ROF', 'O', 'OF', 'O'], \
            [m.get_flags() for m in found]
        assert len(mailbox.mbox(os.path.join(out[0], 'v1.2.sbd', '&ZeVnLA-'))) == 2
    assert sums(run(town, kind, out[0], '--account', bert)) == only()


@pytest.mark.parametrize('kind', ('maildir', 'mbox'))
def test_export_long_names(town, kind):
    """A name that no file system takes gets a shorter one; who has that already is named, and hinders no other."""
    user, back = town.add_account(f'long-{kind}'), town.add_account(f'long2-{kind}')
    long = {'a' * 300: 'Subject: long', '/'.join(['b' * 60] * 15): 'Subject: deep', 'd' * 300 + '/e': 'Subject: below'}
    out = [os.path.join(town.dir, f'long-{kind}{i}') for i in (1, 2, 3)]
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(user, 'secret')
        for name, text in [*long.items(), ('last', 'Subject: last')]:
            assert c.create(name)[0] == 'OK'
            c.subscribe(name)
            c.append(name, '', None, (text + '\r\n\r\nx\r\n').encode())
    done = town.ctl('export', kind, '--account', user, '--to', out[0])
    short = {m[1]: os.path.basename(m[2]) for m in re.finditer('^mailbox (.*): .* in (/.*)$', done.stderr, re.M)}
    assert set(short) >= set(long) and 'last' not in short and ' 4 messages' in done.stdout, done
    assert sums(run(town, kind, out[0], '--account', back)) == only(added=4)
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(back, 'secret')
        listed = b'\n'.join(c.lsub()[1]).decode()
        for name, text in long.items():
            found = short[name].lstrip('.')
            assert re.fullmatch('[abd]{1,60}~[0-9a-f]{16}', found) and f' {found}' in listed.replace('"', ''), (found, listed)
            c.select(found)
            assert c.fetch('1', '(BODY[HEADER.FIELDS (SUBJECT)])')[1][0][1].decode().strip() == text
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as c:
        c.login(user, 'secret')
        c.create(short['a' * 300].lstrip('.'))
        c.create('later')
    told = run(town, kind, '--account', user, '--to', out[1], code=1, noun='export')
    assert told['left_out'] == 1 and told['messages'] == 4
    assert os.path.exists(os.path.join(out[1], '.later' if kind == 'maildir' else 'later'))
    deep = os.path.join(town.dir, kind + 'x' * 200, 'y' * 200, 'z' * 200)
    os.makedirs(deep)
    done = town.ctl('export', kind, '--account', user, '--to', os.path.join(deep, 'w' * 200), check=False)
    assert done.returncode == 1 and 'limit' in done.stderr and os.listdir(deep) == [], done


def tree(path):
    """Everything in it, the numbers in the names of messages left out."""
    found = {}
    for top, _, files in os.walk(path):
        for name in files:
            with open(os.path.join(top, name), 'rb') as f:
                text = f.read()
            where = os.path.relpath(os.path.join(top, name), path)
            found[re.sub(r'P\d+\.godwit', '', where)] = re.sub(rb'P\d+\.godwit', b'', text)
    return found


def test_all(town):
    """A tree of domains and users, some of whom are nobody here; and what is no Maildir."""
    for name in ('dora', 'emil'):
        town.add_account(name)
    for user in (('dora',), ('emil', 'Maildir'), ('nobody',)):
        Old(town, 'tree', 'example.com', *user).add(1)
    root = os.path.join(town.dir, 'old', 'tree')
    told = run(town, 'maildir', root, '--all', code=1)
    assert told['accounts'] == 3 and told['failed'] == 1 and sums(told) == only(added=2)
    wrong = [m for m in told['mailboxes'] if m['wrong']]
    assert wrong[0]['account'] == 'nobody@example.com' and 'no such account' in wrong[0]['wrong']
    assert list(look(town, 'emil@example.com')[1]) == [1]
    shutil.rmtree(os.path.join(root, 'example.com', 'nobody'))
    said = town.ctl('import', 'maildir', root, '--all').stdout.splitlines()
    assert len(said) == 3 and said[-1].startswith('2 accounts, 2 mailboxes, 2 messages, 0 bytes: 0 new, 0 with other flags, 0 removed (')
    assert town.ctl('import', 'maildir', town.dir, '--account', 'dora@example.com', check=False).returncode == 1
    assert town.ctl('import', 'maildir', root, check=False).returncode == 2
    fs = os.path.join(town.dir, 'old', 'fs')
    for sub in ('cur', 'a/b/cur', 'a/b/new'):
        os.makedirs(os.path.join(fs, sub))
    with open(os.path.join(fs, 'a', 'b', 'new', '1.x'), 'wb') as f:
        f.write(b'Subject: x\n\n')
    with open(os.path.join(fs, 'a', 'b', 'cur', '2.empty:2,S'), 'wb'):
        pass
    told = run(town, 'maildir', fs, '--account', 'dora@example.com', '--layout', 'fs', code=1)
    assert sums(told) == only(added=1, left_out=1) and list(look(town, 'dora@example.com', 'a/b')[1]) == [1]


def test_cut_off(town):
    """Killed in the middle, and begun again: every message once, with its UID."""
    user = town.add_account('fritz')
    old = Old(town, 'fritz')
    names = [f'{uid} :16.M{uid}P1.old' for uid in range(1, 4001)]
    for uid in range(1, 4001):
        with open(os.path.join(old.path, 'cur', f'16.M{uid}P1.old:2,S'), 'wb') as f:
            f.write(b'Subject: %d\n\nx\n' % uid)
    old.lists[''] = [f'3 V{V} N5000'] + names
    old.write_list('')
    words = [town.program, 'import', 'maildir', '-c', town.config, old.path, '--account', user]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
        end = time.monotonic() + 60
        while not look(town, user)[1] and p.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        p.send_signal(signal.SIGKILL)
    told = run(town, 'maildir', old.path, '--account', user)
    assert told['failed'] == 0 and told['new_uids'] == 0
    numbers, found = look(town, user)
    assert numbers == (V, 5000) and list(found) == list(range(1, 4001))
    assert body(town, user, 4000) == b'Subject: 4000\r\n\r\nx\r\n'
    # On a terminal there is a bar.
    town.add_account('gerd')
    outer, inner = os.openpty()
    with subprocess.Popen([*words[:-1], 'gerd@example.com'], stdin=subprocess.DEVNULL, stdout=inner, stderr=inner) as p:
        os.close(inner)
        said = b''
        while True:
            try:
                piece = os.read(outer, 65536)
            except OSError:  # nobody has the other end any more
                break
            said += piece
            if not piece:
                break
    os.close(outer)
    assert p.returncode == 0 and b'\r[#' in said and b'] 2048 of 4000 messages' in said and b'4000 new' in said, said


def test_renamed(town):
    """A message that the first list lacks is there in the second: it stays.  A folder in parts removes nothing."""
    for attempt in range(5):  # until we are in time
        name = f'hans{attempt}'
        user = town.add_account(name)
        old = Old(town, name)
        kept, gone = old.add(1), old.add(2)
        assert sums(run(town, 'maildir', old.path, '--account', user)) == only(added=2)
        hidden = os.path.join(old.path, 'tmp', 'x')
        os.rename(kept, hidden)  # as if it was renamed while the folder was read
        os.unlink(gone)
        for uid in range(10, 2010):
            with open(os.path.join(old.path, 'cur', f'17.M{uid}P1.old:2,S'), 'wb') as f:
                f.write(b'Subject: %d\n\nx\n' % uid)
        words = [town.program, 'import', 'maildir', '-c', town.config, old.path, '--account', user]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
            while len(look(town, user)[1]) <= 2 and p.poll() is None:
                time.sleep(0.01)
            halt(p.pid)
            in_time = p.poll() is None and len(look(town, user)[1]) < 2002
            os.rename(hidden, kept)
            p.send_signal(signal.SIGCONT)
            said = p.stdout.read()
        assert p.returncode == 0, said
        if in_time:
            break
    assert in_time
    found = look(town, user)[1]
    assert 1 in found and 2 not in found and len(found) == 2001
    os.rename(os.path.join(old.path, 'new'), os.path.join(old.path, 'elsewhere'))
    os.unlink(kept)
    told = run(town, 'maildir', old.path, '--account', user, code=1)
    assert sums(told) == only() and 'not there' in told['mailboxes'][0]['wrong'] and 1 in look(town, user)[1]
    os.rename(os.path.join(old.path, 'elsewhere'), os.path.join(old.path, 'new'))
    assert sums(run(town, 'maildir', old.path, '--account', user)) == only(removed=1)


def test_links(town):
    """A link that an owner put into a Maildir, or in its place, brings nobody else's files."""
    user = town.add_account('ida')
    secret = Old(town, 'secret')
    secret.add(1)
    tree_of = os.path.join(town.dir, 'old', 'linked')
    old = Old(town, 'linked', 'example.com', 'ida')
    old.add(4)
    os.symlink(secret.path, os.path.join(old.path, '.L'))
    old.folder('.X')
    os.rmdir(os.path.join(old.path, '.X', 'cur'))
    os.symlink(os.path.join(secret.path, 'cur'), os.path.join(old.path, '.X', 'cur'))
    os.makedirs(os.path.join(tree_of, 'example.com', 'anna'))
    os.symlink(secret.path, os.path.join(tree_of, 'example.com', 'anna', 'Maildir'))
    done = town.ctl('import', 'maildir', tree_of, '--all', '--json', check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told['accounts'] == 1 and told['failed'] == 1 and sums(told) == only(added=1)
    assert [m['mailbox'] for m in told['mailboxes'] if 'link' in m['wrong']] == ['X']
    assert 'ida/.L: a link is not followed' in done.stderr and 'anna/Maildir: a link is not followed' in done.stderr
    assert list(look(town, user)[1]) == [4]


FROM = 'From a@b.example Sun Sep 13 12:26:40 2020\n'


def test_mbox(town):
    """What Python's mailbox writes, flags and what is gone as in a Maildir; a file that is none; usage."""
    user = town.add_account('jan')
    path = os.path.join(town.dir, 'jan.mbox')
    box = mailbox.mbox(path)
    for i, (status, xstatus) in enumerate((('RO', 'AF'), ('O', 'DT'), ('', ''))):
        m = mailbox.mboxMessage(f'Subject: {i}\n\nFrom {i}\nend\n'.encode())
        m.set_from('a@b.example', time.gmtime(1600000000))
        m['Status'], m['X-Status'] = status, xstatus
        box.add(m)
    box.flush()
    words = ('mbox', path, '--account', user)
    assert sums(run(town, *words)) == only(added=3)
    found = look(town, user)[1]
    date = '13-Sep-2020 12:26:40 +0000'
    assert found == {1: ({'\\Seen', '\\Answered', '\\Flagged'}, date), 2: ({'\\Deleted', '\\Draft'}, date), 3: (set(), date)}
    assert body(town, user, 1) == b'Subject: 0\r\n\r\nFrom 0\r\nend\r\n'
    assert sums(run(town, *words)) == only()
    first = box[0]
    first.set_flags('R')
    box[0] = first
    box.remove(1)
    box.add(b'Subject: new\n\nx\n')
    box.flush()
    assert sums(run(town, *words)) == only(added=1, flags=1, removed=1)
    found = look(town, user)[1]
    assert list(found) == [1, 3, 4] and found[1][0] == {'\\Seen'} and found[3][0] == set()
    with open(path, 'r+b') as f:
        f.write(b'Subject: x')
    told = run(town, *words, code=1)
    assert sums(told) == only() and 'no mbox' in told['mailboxes'][0]['wrong']
    for more in (('--layout', 'fs'), ('--quoting', 'x'), ('--all',)):
        assert town.ctl('import', *words, *more, check=False).returncode == 2
    assert town.ctl('import', 'maildir', path, '--account', user, '--quoting', 'mboxo', check=False).returncode == 2


def test_mbox_tree(town):
    """Folders as Dovecot and Thunderbird keep them, with UIDs; links; DOMAIN/USER."""
    user = town.add_account('karl')
    root = os.path.join(town.dir, 'old', 'mboxes')
    home = os.path.join(root, 'example.com', 'karl', 'mail')

    def put(name, text):
        os.makedirs(os.path.dirname(os.path.join(home, name)), exist_ok=True)
        with open(os.path.join(home, name), 'w', encoding='utf-8') as f:
            f.write(text)
    put('inbox', f'{FROM}X-IMAPbase: {V} 0000000999 $word\nX-UID: 3\nX-Keywords: $word      \nStatus: RO\nSubject: a\n\nb\n\n'
                 f'{FROM}Subject: c\nX-UID: 7\nContent-Length: 45\n\n\n{FROM}X\n\n{FROM}Subject: d\nX-UID: 2000\n\n>From\n')
    put('A.sbd/b', f'{FROM}X-Mozilla-Status: 0001\nSubject: t\n\n>From x\n\n')
    put('A.sbd/b.msf', 'index\n')
    put('Spam', f"{FROM}Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 55 0000000008\n\nx\n")
    put('.subscriptions', 'A/b\n')
    put('notes.txt', 'no mail\n')
    os.symlink(os.path.join(home, 'inbox'), os.path.join(home, 'link'))
    os.makedirs(os.path.join(root, 'example.com', 'x', 'mail'))
    done = town.ctl('import', 'mbox', root, '--all', '--json')
    told = json.loads(done.stdout)
    assert sums(told) == only(added=4) and told['accounts'] == 1 and told['failed'] == 0
    assert 'link: a link is not followed' in done.stderr and '1 files are no mbox' in done.stderr
    numbers, found = look(town, user)
    assert numbers == (V, 1000) and list(found) == [3, 7, 8] and found[3][0] == {'\\Seen', '$word'}
    assert body(town, user, 7) == b'Subject: c\r\n\r\n\r\n' + FROM.encode().replace(b'\n', b'\r\n') + b'X\r\n'
    assert uidls(town, user)[:2] == [f'{3:08x}{V:08x}', f'{7:08x}{V:08x}']
    assert look(town, user, 'Spam')[0] == (55, 9) and look(town, user, 'A/b')[1][1][0] == {'\\Seen'}
    assert body(town, user, 1, 'A/b') == b'Subject: t\r\n\r\nFrom x\r\n'
    assert sums(run(town, 'mbox', root, '--all')) == only()
