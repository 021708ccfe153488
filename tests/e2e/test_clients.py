"""Real mail clients against the real server.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import poplib
import shutil
import ssl
import subprocess

import pytest
from clients import mbsync, send

TLS = ssl._create_unverified_context()


def run(words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_mbsync_twice(server, user, tmp_path):
    """The second run moves nothing."""
    send(server, user, 20)
    command, box = mbsync(server, user, tmp_path, 'IMAPS')
    home = dict(os.environ, HOME=str(tmp_path))
    run(command, env=home)
    first = sorted(p.name.split(',')[0] for p in (box / 'INBOX').rglob('*') if p.is_file() and p.parent.name in ('new', 'cur'))
    assert len(first) == 20
    again = run([command[0], '-V', *command[1:]], env=home)
    second = sorted(p.name.split(',')[0] for p in (box / 'INBOX').rglob('*') if p.is_file() and p.parent.name in ('new', 'cur'))
    assert first == second
    assert 'Trashing' not in again and 'Pulling' not in again
    # Back: a message put into the near side appears in the account.
    (box / 'Archive' / 'new' / '1.local').write_bytes(b'From: me@example.com\nSubject: from here\n\nx\n')
    run(command, env=home)
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('Archive')
    assert m.search(None, 'SUBJECT', '"from here"')[1] == [b'1']
    m.logout()


def test_fetchmail(server, user, tmp_path):
    send(server, user, 5)
    rc = tmp_path / 'fetchmailrc'
    rc.write_text(f'poll 127.0.0.1 service {server.ports["pop3s"]} protocol pop3 uidl user "{user}" password "secret" '
                  f'keep ssl no sslcertck mda "cat >> {tmp_path}/mbox"\n')
    rc.chmod(0o600)
    env = dict(os.environ, HOME=str(tmp_path), FETCHMAILHOME=str(tmp_path))
    run(['fetchmail', '-f', str(rc), '--pidfile', str(tmp_path / 'pid')], env=env)
    assert (tmp_path / 'mbox').read_text().count('Subject: mail ') == 5
    done = subprocess.run(['fetchmail', '-f', str(rc), '--pidfile', str(tmp_path / 'pid')], env=env, capture_output=True,
                          timeout=60)
    assert done.returncode == 1  # nothing new
    assert (tmp_path / 'mbox').read_text().count('Subject: mail ') == 5


def test_neomutt_reads(server, user, tmp_path):
    if not shutil.which('neomutt'):
        pytest.fail('neomutt is missing: tools/install.sh test')
    send(server, user, 3)
    rc = tmp_path / 'muttrc'
    rc.write_text(f'''set folder="imaps://127.0.0.1:{server.ports["imaps"]}/"
set imap_user="{user}"
set imap_pass="secret"
set spoolfile="+INBOX"
set ssl_verify_host=no
set ssl_verify_dates=no
set certificate_file="{server.cert}"
set header_cache=""
''')
    env = dict(os.environ, HOME=str(tmp_path), TERM='xterm')
    # exec, whatever shell script(1) takes: a program that another one puts into the background may not touch the terminal.
    done = subprocess.run(['script', '-qec', f'exec neomutt -F {rc} -n -f =INBOX -e "push <quit>"', '/dev/null'],
                          env=env, capture_output=True, timeout=90)
    assert done.returncode == 0, done.stdout
    assert b'mail 2' in done.stdout


def test_curl_reads_imap_and_pop3(server, user):
    send(server, user, 1)
    assert 'Subject: mail 0' in run(['curl', '-sS', '-k', '-u', f'{user}:secret',
                                     f'imaps://127.0.0.1:{server.ports["imaps"]}/INBOX;MAILINDEX=1'])
    assert 'Subject: mail 0' in run(['curl', '-sS', '-k', '--ssl-reqd', '-u', f'{user}:secret',
                                     f'imap://127.0.0.1:{server.ports["imap"]}/INBOX;MAILINDEX=1'])
    assert 'Subject: mail 0' in run(['curl', '-sS', '-k', '-u', f'{user}:secret', f'pop3s://127.0.0.1:{server.ports["pop3s"]}/1'])


def test_poplib(server, user):
    send(server, user, 3)
    p = poplib.POP3('127.0.0.1', server.ports['pop3'])
    p.stls(TLS)
    p.user(user)
    p.pass_('secret')
    count, size = p.stat()
    assert count == 3
    sizes = [int(line.split()[1]) for line in p.list()[1]]
    assert sum(sizes) == size
    for n, want in enumerate(sizes, 1):
        lines, octets = p.retr(n)[1:]
        assert octets == want == sum(len(line) + 2 for line in lines)
    ids = p.uidl()[1]
    assert p.top(1, 0)[1][-1] == b''
    p.dele(2)
    p.quit()
    p = poplib.POP3_SSL('127.0.0.1', server.ports['pop3s'], context=TLS)
    p.user(user)
    p.pass_('secret')
    assert [i.split()[1] for i in p.uidl()[1]] == [ids[0].split()[1], ids[2].split()[1]]
    p.quit()


def test_deleted_stays_when_the_connection_is_lost(server, user):
    send(server, user, 2)
    p = poplib.POP3('127.0.0.1', server.ports['pop3'])
    p.user(user)
    p.pass_('secret')
    p.dele(1)
    p.close()
    p = poplib.POP3('127.0.0.1', server.ports['pop3'])
    p.user(user)
    p.pass_('secret')
    assert p.stat()[0] == 2
    p.quit()


def test_imaplib_whole_life(server, user):
    send(server, user, 4)
    m = imaplib.IMAP4_SSL('127.0.0.1', server.ports['imaps'], ssl_context=TLS)
    m.login(user, 'secret')
    names = {line.split(b' "/" ')[1]: line for line in m.list()[1]}
    for name, special in ((b'Drafts', b'\\Drafts'), (b'Sent', b'\\Sent'), (b'Junk', b'\\Junk'), (b'Trash', b'\\Trash'),
                          (b'Archive', b'\\Archive')):
        assert special in names[name]
    assert m.select()[1] == [b'4']
    assert m.uid('STORE', '2', '+FLAGS', '(\\Flagged $Label1)')[0] == 'OK'
    assert m.search(None, 'KEYWORD', '$Label1')[1] == [b'2']
    assert m.create('a/b/c')[0] == 'OK'
    assert m.uid('COPY', '1:2', 'a/b/c')[0] == 'OK'
    assert m.uid('MOVE', '3', 'a/b/c')[0] == 'OK'
    assert m.rename('a', 'z')[0] == 'OK'
    assert m.select('z/b/c')[1] == [b'3']
    assert m.search(None, 'FLAGGED')[1] == [b'2']
    m.store('1', '+FLAGS', '\\Deleted')
    assert m.expunge()[1] == [b'1']
    assert m.append('Drafts', '\\Draft', None, b'Subject: d\r\n\r\nx\r\n')[0] == 'OK'
    status = m.status('Drafts', '(MESSAGES UNSEEN UIDNEXT)')[1][0]
    assert all(part in status for part in (b'MESSAGES 1', b'UNSEEN 1', b'UIDNEXT 2'))
    assert m.delete('z/b/c')[0] == 'OK'
    assert m.logout()[0] == 'BYE'


def test_login_by_alias_and_without_domain(server, user):
    server.ctl('alias', 'set', f'nick-{user}', user)
    for name in (f'nick-{user}', user.split('@')[0], user.upper()):
        m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
        assert m.login(name, 'secret')[0] == 'OK'
        m.logout()


def test_plaintext_login_is_refused_by_default(tmp_path):
    from godwit import Server
    s = Server(plaintext=False)
    try:
        s.start()
        s.add_domain()
        u = s.add_account('anna')
        m = imaplib.IMAP4('127.0.0.1', s.ports['imap'])
        assert 'LOGINDISABLED' in m.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            m.login(u, 'secret')
        m.starttls(TLS)
        assert m.login(u, 'secret')[0] == 'OK'
        m.logout()
        p = poplib.POP3('127.0.0.1', s.ports['pop3'])
        with pytest.raises(poplib.error_proto):
            p.user(u)
        p.quit()
    finally:
        s.remove()
