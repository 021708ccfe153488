"""Every service with STARTTLS and with TLS from the start, the certificate checked by name, as careful clients do.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import itertools
import os
import poplib
import smtplib
import ssl
import subprocess

import pytest
from clients import mbsync, send
from godwit import wait_for

_numbers = itertools.count(1)


@pytest.fixture(scope='module')
def trust(server):
    return ssl.create_default_context(cafile=server.cert)


def run(words, **more):
    done = subprocess.run(words, capture_output=True, timeout=120, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def letter(user):
    mark = f'tls-{next(_numbers)}-end'
    return mark, f'From: {user}\r\nTo: {user}\r\nSubject: {mark}\r\n\r\n.one\r\n'.encode()


def subjects(server, trust, user):
    with imaplib.IMAP4_SSL('localhost', server.ports['imaps'], ssl_context=trust) as m:
        m.login(user, 'secret')
        m.select('INBOX', readonly=True)
        found = m.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
        return b''.join(f[1] for f in found if isinstance(f, tuple))


def arrives(server, trust, user, mark):
    wait_for(lambda: mark.encode() in subjects(server, trust, user))


# ---- Python ----

@pytest.mark.parametrize('service', ['smtp', 'submission', 'submissions'])
def test_smtplib(server, user, trust, service):
    mark, text = letter(user)
    kind = smtplib.SMTP_SSL if service == 'submissions' else smtplib.SMTP
    with kind('localhost', server.ports[service], **({'context': trust} if service == 'submissions' else {})) as s:
        if service != 'submissions':
            assert s.starttls(context=trust)[0] == 220
        assert s.sock.version() == 'TLSv1.3'
        if service != 'smtp':
            s.login(user, 'secret')
        s.sendmail(user, [user], text)
    arrives(server, trust, user, mark)


@pytest.mark.parametrize('service', ['imap', 'imaps'])
def test_imaplib(server, user, trust, service):
    send(server, user, 2)
    if service == 'imaps':
        m = imaplib.IMAP4_SSL('localhost', server.ports['imaps'], ssl_context=trust)
    else:
        m = imaplib.IMAP4('localhost', server.ports['imap'])
        m.starttls(trust)
    assert 'STARTTLS' not in m.capabilities and 'AUTH=PLAIN' in m.capabilities
    m.authenticate('PLAIN', lambda _: f'\0{user}\0secret'.encode())
    assert m.select()[1] == [b'2']
    assert b'body 1' in m.fetch('2', '(RFC822)')[1][0][1]
    assert m.logout()[0] == 'BYE'


@pytest.mark.parametrize('service', ['pop3', 'pop3s'])
def test_poplib(server, user, trust, service):
    send(server, user, 2)
    if service == 'pop3s':
        p = poplib.POP3_SSL('localhost', server.ports['pop3s'], context=trust)
    else:
        p = poplib.POP3('localhost', server.ports['pop3'])
        assert 'STLS' in p.capa()
        p.stls(trust)
    assert 'STLS' not in p.capa() and 'PLAIN' in p.capa()['SASL']
    p.user(user)
    p.pass_('secret')
    assert p.stat()[0] == 2 and b'body 1' in p.retr(2)[1]
    p.quit()


# ---- curl ----

@pytest.mark.parametrize('service,scheme', [('smtp', 'smtp'), ('submission', 'smtp'), ('submissions', 'smtps')])
def test_curl_sends(server, user, trust, service, scheme):
    mark, text = letter(user)
    words = ['curl', '-sS', '--ssl-reqd', '--cacert', server.cert, f'{scheme}://localhost:{server.ports[service]}',
             '--mail-from', user, '--mail-rcpt', user, '-T', '-']
    run(words + ([] if service == 'smtp' else ['--user', f'{user}:secret']), input=text)
    arrives(server, trust, user, mark)


@pytest.mark.parametrize('service,path', [('imap', '/INBOX;MAILINDEX=1'), ('imaps', '/INBOX;MAILINDEX=1'), ('pop3', '/1'),
                                          ('pop3s', '/1')])
def test_curl_reads(server, user, service, path):
    send(server, user, 1)
    assert b'Subject: mail 0' in run(['curl', '-sS', '--ssl-reqd', '--cacert', server.cert, '-u', f'{user}:secret',
                                      f'{service}://localhost:{server.ports[service]}{path}'])


# ---- swaks ----

@pytest.mark.parametrize('service,options', [('smtp', ['--tls']), ('submission', ['--tls', '--auth', 'PLAIN']),
                                             ('submission', ['--tls', '--auth', 'LOGIN']),
                                             ('submissions', ['--tls-on-connect', '--auth', 'PLAIN']),
                                             ('submissions', ['--tls-on-connect', '--auth', 'LOGIN'])])
def test_swaks(server, user, trust, service, options):
    mark, _ = letter(user)
    login = ['--auth-user', user, '--auth-password', 'secret'] if '--auth' in options else []
    run(['swaks', '--server', f'localhost:{server.ports[service]}', '--from', user, '--to', user, '--header', f'Subject: {mark}',
         '--tls-verify', '--tls-ca-path', server.cert, *options, *login])
    arrives(server, trust, user, mark)


# ---- programs that keep mailboxes ----

def test_mbsync_twice_with_starttls(server, user, tmp_path):
    """The second run moves nothing; flags set on either side arrive on the other."""
    send(server, user, 12)
    command, box = mbsync(server, user, tmp_path, 'STARTTLS')

    def files():
        return sorted((str(p), p.stat().st_mtime_ns) for p in box.rglob('*') if p.parent.name in ('new', 'cur'))

    def sync():
        run(command, env=dict(os.environ, HOME=str(tmp_path)))
        return files()
    first = sync()
    assert len(first) == 12
    assert sync() == first
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select()
    m.store('3', '+FLAGS', '\\Flagged')
    os.rename(first[4][0], first[4][0].replace('/new/', '/cur/').split(':')[0] + ':2,S')
    sync()
    assert len([1 for name, _ in files() if name.endswith(':2,F')]) == 1
    assert m.search(None, 'SEEN')[1][0].split() != [] and len(m.search(None, 'SEEN')[1][0].split()) == 1
    m.logout()


def test_fetchmail_over_imaps(server, user, tmp_path):
    send(server, user, 4)
    rc = tmp_path / 'fetchmailrc'
    rc.write_text(f'poll localhost service {server.ports["imaps"]} protocol imap user "{user}" password "secret" keep ssl '
                  f'sslcertck sslcertfile "{server.cert}" mda "cat >> {tmp_path}/mbox"\n')
    rc.chmod(0o600)
    env = dict(os.environ, HOME=str(tmp_path), FETCHMAILHOME=str(tmp_path))
    words = ['fetchmail', '-f', str(rc), '--pidfile', str(tmp_path / 'pid')]
    run(words, env=env)
    assert (tmp_path / 'mbox').read_text().count('Subject: mail ') == 4
    assert subprocess.run(words, env=env, capture_output=True, timeout=60).returncode == 1  # all of them are \Seen
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select()
    assert len(m.search(None, 'SEEN')[1][0].split()) == 4
    m.logout()


@pytest.mark.parametrize('service,scheme', [('submission', 'smtp'), ('submissions', 'smtps')])
def test_neomutt_sends(server, user, trust, tmp_path, service, scheme):
    mark, _ = letter(user)
    local, domain = user.split('@')
    rc = tmp_path / 'muttrc'
    rc.write_text(f'''set from="{user}"
set realname="Änne Öl"
set smtp_url="{scheme}://{local}%40{domain}@localhost:{server.ports[service]}/"
set smtp_pass="secret"
set ssl_force_tls=yes
set certificate_file="{server.cert}"
set record=""
set copy=no
''')
    attached = tmp_path / 'data.bin'
    attached.write_bytes(bytes(range(256)) * 40)
    env = dict(os.environ, HOME=str(tmp_path), TERM='xterm', LANG='C.UTF-8')
    run(['neomutt', '-F', str(rc), '-n', '-s', f'{mark} Grüße', '-a', str(attached), '--', user], input='Hällo\n'.encode(), env=env)
    arrives(server, trust, user, mark)
