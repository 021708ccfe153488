"""godwit import imap: from a Dovecot and from another Godwit; clients that knew the old server load nothing again.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import imaplib
import json
import os
import poplib
import re
import signal
import socket
import ssl
import subprocess
import threading

import pytest
from dovecot import Dovecot
from godwit import Server, wait_for

COUNTS = ('added', 'flags', 'removed', 'new_uids', 'left_out', 'lost_keywords', 'lost_unique_ids')
PEOPLE = ('anna', 'bert', 'carl', 'dora')
DATE = '"17-Jul-2019 02:44:25 -0700"'


@pytest.fixture(scope='module')
def town():
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        yield server
    finally:
        server.remove()


class OldGodwit(Server):
    separator, root = '/', ''

    def user(self, name):
        return f'{name}@{self.domain}'

    def imap(self, name):
        c = imaplib.IMAP4('127.0.0.1', self.ports['imap'])
        c.login(self.user(name), 'secret')
        return c

    def uidls(self, name):
        return uidls(self, self.user(name))

    def close(self):
        self.remove()


@pytest.fixture(scope='module', params=['godwit', 'dovecot'])
def old(request):
    if request.param == 'dovecot':
        server = Dovecot(*PEOPLE).start()
    else:
        server = OldGodwit(domain='old.example', extra=['outbound none']).start()
        server.add_domain()
        for name in PEOPLE:
            server.add_account(name)
    yield server
    server.close()


def box(old, *levels):
    return f'"{old.root}{old.separator.join(levels)}"' if levels != ('INBOX',) else 'INBOX'


def text(n, size=10):
    return (f'From: a@b.example\r\nSubject: {n}\r\nMessage-ID: <{n}@old.example>\r\n\r\n' + 'x' * size + '\r\n').encode()


def words(old, address, *more, port='imaps', name='localhost'):
    return ['imap', f'127.0.0.1:{old.ports[port]}', '--account', address, '--ca', old.cert, '--tls-name', name, *more]


def run(town, *what, code=0, stdin='secret\n'):
    done = town.ctl('import', *what, '--json', stdin=stdin, check=False)
    assert done.returncode == code, done.stderr + done.stdout + town.log()[-500:]
    return json.loads(done.stdout)


def only(told, **what):
    """These are the counts, and all others are 0."""
    found = {k: told[k] for k in COUNTS}
    assert found == {**dict.fromkeys(COUNTS, 0), **what}, told
    return True


def look(c, name='INBOX'):
    """(UIDVALIDITY, UIDNEXT), {UID: (flags, date)}"""
    status = c.status(name, '(UIDVALIDITY UIDNEXT)')[1][0].decode()
    assert c.select(name, readonly=True)[0] == 'OK'
    found = {}
    for line in c.uid('FETCH', '1:*', '(FLAGS INTERNALDATE)')[1]:
        if line:
            said = line.decode()
            flags = set(re.search(r'FLAGS \(([^)]*)\)', said).group(1).split()) - {'\\Recent'}
            moment = imaplib.Internaldate2tuple(line)
            found[int(re.search(r'UID (\d+)', said).group(1))] = flags, moment
    return tuple(int(re.search(rf'{word} (\d+)', status).group(1)) for word in ('UIDVALIDITY', 'UIDNEXT')), found


def here(town, address):
    c = imaplib.IMAP4('127.0.0.1', town.ports['imap'])
    c.login(address, 'secret')
    return c


def body(c, uid, name='INBOX'):
    c.select(name, readonly=True)
    return c.uid('FETCH', str(uid), '(BODY.PEEK[])')[1][0][1]


def uidls(server, user):
    c = poplib.POP3('127.0.0.1', server.ports['pop3'])
    c.user(user)
    c.pass_('secret')
    found = [line.split()[1].decode() for line in c.uidl()[1]]
    c.quit()
    return found


def fill(old, name):
    """INBOX with gaps among its UIDs, keywords, a large message; folders in levels and beyond ASCII; subscriptions."""
    with old.imap(name) as c:
        for n in range(1, 8):
            c.append('INBOX', {2: '(\\Seen $Forwarded)', 3: '(\\Flagged label)'}.get(n), DATE if n == 2 else None, text(n))
        c.append('INBOX', '(\\Answered \\Draft)', DATE, text('big', 3 << 20))
        c.select('INBOX')
        c.uid('STORE', '1,6', '+FLAGS', '(\\Deleted)')
        c.expunge()
        for levels in (('Work', '2024'), ('Entw&APw-rfe',), ('Sent Messages',)):
            c.create(box(old, *levels))
            c.append(box(old, *levels), '(\\Seen)', DATE, text(levels[-1]))
        c.subscribe(box(old, 'Work', '2024'))


def mbsync(server, user, folder, cert):
    rc, near = folder / 'mbsyncrc', folder / 'mail'
    near.mkdir(exist_ok=True)
    rc.write_text(f'''IMAPAccount t
Host localhost
Port {server.ports["imaps"]}
User {user}
Pass secret
SSLType IMAPS
CertificateFile {cert}

IMAPStore far
Account t

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
''')
    done = subprocess.run(['mbsync', '-c', str(rc), 'c'], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(os.path.join(top, f) for top, _, files in os.walk(near) for f in files if os.path.basename(top) in ('cur', 'new'))


def test_move(town, old, tmp_path):
    """First run, both kinds of clients, deltas, and the source as it was."""
    address = town.add_account(f'anna-{type(old).__name__.lower()}')
    fill(old, 'anna')
    kept = mbsync(old, old.user('anna'), tmp_path, old.cert)
    named = old.uidls('anna')
    assert len(kept) == 9 and len(named) == 6
    with old.imap('anna') as c:
        before = look(c)
    login = ('--user', old.user('anna'))
    told = run(town, *words(old, address, *login))
    assert only(told, added=9) and told['failed'] == 0 and told['messages_left_out'] == []
    with old.imap('anna') as there, here(town, address) as c:
        assert look(there) == before
        for name in (('INBOX',), ('Work', '2024'), ('Entw&APw-rfe',), ('Sent Messages',)):
            assert look(c, '"' + '/'.join(name) + '"') == look(there, box(old, *name)), name
        assert look(c)[1][3][0] == {'\\Flagged', 'label'} and list(look(c)[1]) == [2, 3, 4, 5, 7, 8]
        assert body(c, 8) == text('big', 3 << 20) and body(c, 1, '"Work/2024"') == text('2024')
        assert b'Work/2024' in b'\n'.join(c.lsub()[1]) and b'rfe' not in b'\n'.join(c.lsub()[1])
        sent = [line for line in c.list()[1] if b'\\Sent' in line]
        assert len(sent) == 1 and (b'"Sent Messages"' in sent[0]) == isinstance(old, Dovecot), sent
    assert mbsync(town, address, tmp_path, town.cert) == kept
    assert uidls(town, address) == named

    # Nothing changed: nothing happens.  Then changes there and here.
    assert only(run(town, *words(old, address, *login)))
    with old.imap('anna') as c:
        c.select('INBOX')
        c.uid('STORE', '3', '-FLAGS', '(label)')
        c.uid('STORE', '4', '+FLAGS', '(\\Seen)')
        c.uid('STORE', '5', '+FLAGS', '(\\Deleted)')
        c.expunge()
        c.append('INBOX', None, None, text(9))
    with here(town, address) as c:
        c.select('INBOX')
        c.uid('STORE', '3', '+FLAGS', '(mine)')
    assert only(run(town, *words(old, address, *login)), added=1, flags=2, removed=1)
    with here(town, address) as c:
        found = look(c)
        assert found[0] == (before[0][0], 10) and list(found[1]) == [2, 3, 4, 7, 8, 9]
        assert found[1][3][0] == {'\\Flagged', 'mine'} and found[1][4][0] == {'\\Seen'}
    assert uidls(town, address) == old.uidls('anna')
    with old.imap('anna') as c:
        c.select('INBOX')
        c.uid('STORE', '2', '+FLAGS', '(\\Deleted)')
        c.expunge()
    assert only(run(town, *words(old, address, *login, '--no-delete')))
    assert only(run(town, *words(old, address, *login)), removed=1)


def test_unique_ids_are_asked_by_pop3(town, old):
    address = town.add_account(f'bert-{type(old).__name__.lower()}')
    with old.imap('bert') as c:
        for n in range(5):
            c.append('INBOX', None, None, text(n, n % 2))
    login = ('--user', old.user('bert'), '--uidl', 'none')
    told = run(town, *words(old, address, *login, '--pop3', f'127.0.0.1:{old.ports["pop3s"]}'))
    assert only(told, added=5)
    assert uidls(town, address) == old.uidls('bert')
    done = town.ctl('import', *words(old, address, '--pop3', f'127.0.0.1:{old.ports["pop3s"]}', '--user', 'nobody'),
                    stdin='secret\n', check=False)
    assert done.returncode == 1 and 'POP3 refuses the password' in done.stdout, done.stdout + done.stderr


def test_certificates_and_ways_in(town, old):
    address = town.add_account(f'carl-{type(old).__name__.lower()}')
    with old.imap('carl') as c:
        c.append('INBOX', None, None, text(1))
    login = ('--user', old.user('carl'))
    bare = [w for w in words(old, address, *login) if w not in ('--ca', old.cert)]
    for wrong in (words(old, address, *login, name='elsewhere.example'), bare):
        told = run(town, *wrong, code=1)
        assert 'the certificate does not prove the name' in told['mailboxes'][0]['wrong'] and told['added'] == 0
    told = run(town, *words(old, address, *login), code=1, stdin='wrong\n')
    assert 'the log-in was refused' in told['mailboxes'][0]['wrong']
    # TLS is no option: a port without it is none that greets.
    told = run(town, *words(old, address, *login, '--starttls', port='imap'))
    assert only(told, added=1)
    told = run(town, 'imap', f'127.0.0.1:{old.ports["imap"]}', '--account', address, *login, '--plaintext')
    assert only(told)
    refused = town.ctl('import', 'imap', '192.0.2.1', '--account', address, '--plaintext', stdin='secret\n', check=False)
    assert refused.returncode == 1 and 'for this machine' in refused.stderr
    for bad in (['--parallel', '0'], ['--uidl', '%f'], ['--uidl', 'same'], ['--master-separator', '*'], ['--accounts', 'x']):
        assert town.ctl('import', *words(old, address, *bad), stdin='x\n', check=False).returncode == 2, bad


def test_many(town, old, tmp_path):
    """A file of accounts, and whoever may log in for others."""
    kind = type(old).__name__.lower()
    names = [town.add_account(f'{name}-many-{kind}') for name in ('bert', 'carl', 'dora')]
    with old.imap('dora') as c:
        c.append('INBOX', None, None, text(1))
    mail = {name: len(old.uidls(name)) for name in ('bert', 'carl', 'dora')}
    listed = tmp_path / 'accounts'
    there = [old.user(name) for name in mail]
    listed.write_text('# new, old, password\n' + ''.join(f'{a},{u},secret\n' for a, u in zip(names, there)) +
                      f'nobody@example.com,{there[0]},secret\n{names[0]},{there[0]}\n')
    host = [f'127.0.0.1:{old.ports["imaps"]}', '--ca', old.cert, '--tls-name', 'localhost']
    told = run(town, 'imap', *host, '--accounts', str(listed), '--parallel', '3', code=1)
    wrong = sorted(m['wrong'] for m in told['mailboxes'] if m['wrong'])
    assert len(wrong) == 2 and 'no password' in wrong[0] and 'no such account' in wrong[1]
    assert told['accounts'] == 5 and only(told, added=sum(mail.values()))
    if not isinstance(old, Dovecot):
        return
    listed.write_text(''.join(f'{a}\t{u}\n' for a, u in zip(names, there)))
    secret = tmp_path / 'secret'
    secret.write_text('bosspw\n')
    for way in (['--master', 'boss'], ['--master', 'boss', '--master-separator', '*']):
        told = run(town, 'imap', *host, '--accounts', str(listed), '--password-file', str(secret), *way, stdin='')
        assert told['accounts'] == 3 and only(told), way
    assert run(town, 'imap', *host, '--accounts', str(listed), '--master', 'boss', stdin='no\n', code=1)['failed'] == 3


class Between:
    """A wire between two, for each connection as long as after() says: bytes of the server, and then cut or silent."""

    def __init__(self, port):
        self.port, self.asked, self.limits, self.silent = port, 0, [], False
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.ports = {'imap': self.socket.getsockname()[1]}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            far = socket.create_connection(('127.0.0.1', self.port))
            limit = self.limits.pop(0) if self.limits else None
            threading.Thread(target=self._up, args=(near, far), daemon=True).start()
            threading.Thread(target=self._down, args=(near, far, limit), daemon=True).start()

    def _up(self, near, far):
        try:
            while piece := near.recv(65536):
                self.asked += piece.count(b'BODY.PEEK[]')
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _down(self, near, far, limit):
        seen = 0
        try:
            while piece := far.recv(4096):
                seen += len(piece)
                if limit is not None and seen > limit:
                    if self.silent:
                        threading.Event().wait(120)
                    break
                near.sendall(piece)
            near.shutdown(socket.SHUT_RDWR)
            far.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.socket.close()


def test_breaks(town):
    """The connection is cut in the middle, and the command is killed: what is here is not asked for again."""
    old = OldGodwit(domain='old.example', extra=['outbound none'])
    try:
        old.start().add_domain()
        there = old.add_account('emil')
        cur = os.path.join(old.dir, 'maildir', 'cur')
        os.makedirs(cur)
        for n in range(600):
            with open(os.path.join(cur, f'16.M{n:04}P1.old:2,S'), 'wb') as f:
                f.write(text(n, 1000))
        os.makedirs(os.path.join(old.dir, 'maildir', 'new'))
        old.ctl('import', 'maildir', os.path.join(old.dir, 'maildir'), '--account', there)
        for name, silent in (('cut', False), ('killed', True)):
            address = town.add_account(name)
            wire = Between(old.ports['imap'])
            wire.limits, wire.silent = [400000], silent
            command = ['imap', f'127.0.0.1:{wire.ports["imap"]}', '--account', address, '--user', there, '--plaintext',
                       '--source', 'old']
            done = 0
            if silent:
                with subprocess.Popen([town.program, 'import', *command[:1], '-c', town.config, *command[1:]],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as p:
                    p.stdin.write(b'secret\n')
                    p.stdin.close()
                    with here(town, address) as c:
                        wait_for(lambda: int(c.select('INBOX', readonly=True)[1][0]) > 0, 60)
                    p.send_signal(signal.SIGKILL)
                with here(town, address) as c:
                    done = int(c.select('INBOX', readonly=True)[1][0])
                assert 0 < done < 600
                wire.asked = 0
            told = run(town, *command)
            assert only(told, added=600 - done) and told['failed'] == 0
            assert 600 - done <= wire.asked <= 600 - done + (0 if silent else 32), (wire.asked, done)
            with here(town, address) as c, imaplib.IMAP4('127.0.0.1', old.ports['imap']) as o:
                o.login(there, 'secret')
                assert look(c) == look(o)
            wire.close()
    finally:
        old.close()


def run_said(town, address, said):
    """An import that fails, from a server that says just this."""
    def serve(listening):
        near, _ = listening.accept()
        with contextlib.suppress(OSError):
            near.sendall(said)
            while near.recv(4096):
                pass
        near.close()

    with socket.create_server(('127.0.0.1', 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        return run(town, 'imap', f'127.0.0.1:{listening.getsockname()[1]}', '--account', address, '--plaintext', code=1)


def test_a_list_of_folders_without_an_end(town):
    address = town.add_account('grete')
    told = run_said(town, address, b'* OK [CAPABILITY IMAP4rev1] hi\r\ng1 OK [CAPABILITY IMAP4rev1] in\r\n'
                    + b'* LIST () "." a\r\n' * 50000)
    assert told['failed'] == 1 and [m for m in told['mailboxes'] if 'it lists more folders' in m['wrong']], told


def test_what_cannot_be_taken_is_named(town):
    """Messages that are too large, or that the server does not give; names that can be no mailbox."""
    address = town.add_account('fritz')
    said = (b'* OK [CAPABILITY IMAP4rev1] hi\r\ng1 OK [CAPABILITY IMAP4rev1] in\r\n'
            b'* LIST () "." INBOX\r\n* LIST () "." "a/b"\r\ng2 OK\r\ng3 OK\r\n'
            b'* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9] x\r\ng4 OK\r\n'
            b'* 1 FETCH (UID 2 FLAGS () RFC822.SIZE 52428801)\r\n* 2 FETCH (UID 4 FLAGS () RFC822.SIZE 7)\r\n'
            b'* 3 FETCH (UID 5 FLAGS () RFC822.SIZE 7)\r\ng5 OK\r\ng6 NO it is damaged\r\n'
            b'* 3 FETCH (UID 5 BODY[] {7}\r\na: b\r\n\r)\r\ng7 OK\r\n')

    told = run_said(town, address, said)
    assert only(told, added=1, left_out=2) and told['failed'] == 1
    assert [(m['message'], m['why']) for m in told['messages_left_out']] == [('UID 2', 'it is too large'),
                                                                           ('UID 4', 'it cannot be read')]
    assert [m['mailbox'] for m in told['mailboxes'] if m['wrong']] == ['a/b']
    with here(town, address) as c:
        assert look(c)[0] == (7, 9) and list(look(c)[1]) == [5]
