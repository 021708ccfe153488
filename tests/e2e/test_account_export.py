"""godwit account export: what is kept about a person, and nothing about others.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import mailbox
import os
import re
import shutil
import smtplib
import stat
import subprocess
import urllib.parse

from godwit import wait_for

HOSTILE = b'From: =?utf-8?q?J=C3=B6rg_=3Cb=3E?= <x@b.example>\r\nSubject: <script>alert("1")</script>\r\n\r\ntext\r\n'
FAR = 'x@elsewhere.example'


def test_export(server, user, tmp_path):
    other = server.add_account('other')
    server.ctl('alias', 'set', 'info@example.com', user, other)
    server.ctl('alias', 'set', 'else@example.com', other)
    server.ctl('account', 'forward', user, 'copy@far.example')
    server.ctl('account', 'send-as', user, 'info@example.com')
    server.ctl('account', 'app-password', 'add', '--for', 'imap,pop3', user, 'phone')
    session = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    session.login(user, 'secret')
    for text in (HOSTILE, b'Subject: two\r\n\r\nx\r\n'):
        session.append('INBOX', r'\Seen', '"13-Sep-2020 12:26:40 +0000"', text)
    for name in (user, other):
        with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
            s.login(name, 'secret')
            s.sendmail(name, [FAR], f'Subject: of {name}\r\n\r\nText\r\n')
    folder = str(tmp_path / 'out')

    def export():
        done = json.loads(server.ctl('account', 'export', user, '--to', folder, '--json').stdout)
        assert done == {'result': 'ok', 'folder': folder, 'mailboxes': 6, 'messages': 2, 'bytes': done['bytes']}
        with open(os.path.join(folder, 'account.json'), encoding='utf-8') as f:
            found = json.load(f)
        if found['trace']:
            return found
        shutil.rmtree(folder)
        return None
    found = wait_for(export)  # the trace is written a little later
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(folder, 'account.json')).st_mode) == 0o600
    assert found['address'] == user and found['created_us'] > 0 and not found['suspended']
    assert found['has_password'] and 'invited_until_us' not in found
    assert found['aliases'] == ['info@example.com'] and found['send_as'] == ['info@example.com']
    assert found['forward'] == ['copy@far.example'] and found['keep']
    (app,) = found['app_passwords']
    assert app['name'] == 'phone' and app['protocols'] == ['imap', 'pop3'] and 'password' not in app
    assert [s['protocol'] for s in found['sessions']] == ['imap']
    assert [m['sender'] for m in found['queue_sent']] == [user] and found['queue_received'] == []
    assert all(user in json.dumps(line) for line in found['trace'])
    assert other not in json.dumps(found)
    look(folder)
    again = server.ctl('account', 'export', user, '--to', folder, check=False)
    assert again.returncode == 1 and 'File exists' in again.stderr
    nobody = server.ctl('account', 'export', 'nobody@example.com', '--to', folder + '2', check=False)
    assert nobody.returncode == 1 and not os.path.exists(folder + '2')
    assert server.ctl('account', 'export', user, check=False).returncode == 2
    session.logout()


def look(folder):
    """The page has a link to each message, and nothing of theirs is more than text."""
    with open(os.path.join(folder, 'index.html'), encoding='utf-8') as f:
        page = f.read()
    assert '<script' not in page and 'J\u00f6rg &#60;b&#62; &#60;x@b.example&#62;' in page
    links = [urllib.parse.unquote(x) for x in re.findall('href="([^"]*)"', page)]
    assert len(links) == 2
    with open(os.path.join(folder, links[0]), 'rb') as f:
        assert f.read() == HOSTILE.replace(b'\r\n', b'\n')
    assert len(mailbox.Maildir(os.path.join(folder, 'mail'), create=False)) == 2


def test_deleted(server, user, tmp_path):
    """A deleted account is there as long as it is kept; whoever has the address now is another."""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as c:
        c.login(user, 'secret')
        c.append('INBOX', '', None, HOSTILE)
    server.ctl('account', 'delete', user)
    done = server.ctl('account', 'export', user, '--mail', 'mbox', '--to', str(tmp_path / 'gone')).stdout
    assert 'its mail, 1 messages in 6 mailboxes' in done
    assert len(mailbox.mbox(tmp_path / 'gone' / 'mail' / 'INBOX')) == 1
    found = json.loads((tmp_path / 'gone' / 'account.json').read_text())
    assert found['deleted'] and found['address'] == user and found['messages'] == 1
    server.ctl('account', 'add', '--invite', user)
    words = ('account', 'export', user, '--json', '--to')
    assert json.loads(server.ctl(*words, str(tmp_path / 'new')).stdout)['messages'] == 0
    assert json.loads(server.ctl(*words, str(tmp_path / 'old'), '--deleted').stdout)['messages'] == 1
    assert json.loads(server.ctl(*words, str(tmp_path / 'none'), '--mail', 'none').stdout)['messages'] == 0
    assert os.listdir(tmp_path / 'none') == ['account.json']
    found = json.loads((tmp_path / 'none' / 'account.json').read_text())
    assert not found['has_password'] and found['invited_until_us'] > found['created_us']
    assert server.ctl(*words, str(tmp_path / 'x'), '--mail', 'x', check=False).returncode == 2


def test_no_room(server, user, tmp_path):
    """On a disk that is too small nothing is made, and on one that fills up it is said."""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as c:
        c.login(user, 'secret')
        c.append('INBOX', '', None, b'Subject: large\r\n\r\n' + b'x' * 70 + b'\r\n' + b'line\r\n' * 300000)
    disk = tmp_path / 'disk'
    disk.mkdir()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'godwit-test', disk], check=True)
    try:
        done = server.ctl('account', 'export', user, '--to', str(disk / 'out'), check=False)
        assert done.returncode == 1 and 'its mail takes 1.7M, and there is room for 1.0M' in done.stderr and os.listdir(disk) == [], done
    finally:
        subprocess.run(['umount', disk], check=True)
    # A file that may not grow is as good as a disk that is full.
    words = [server.program, 'account', 'export', '-c', server.config, user, '--to', str(tmp_path / 'out')]
    done = subprocess.run(['sh', '-c', 'ulimit -f 1000; trap "" XFSZ; exec "$@"', 'sh', *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'no room' in done.stderr and 'not all of it' in done.stdout, done
