"""SCRAM-SHA-256 and -PLUS: with a client of our own in every way that is wrong, and with those that people use.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess

import pytest
from OpenSSL import SSL

from clients import mbsync, send
from godwit import wait_for
from scram import Scram, Talk

PLAIN, PLUS = 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'
SERVICES = ('imaps', 'pop3s', 'submissions')
LISTS_PLUS = ('imaps', 'pop3s')
REFUSED = {'imaps': b'a NO [AUTHENTICATIONFAILED]', 'pop3s': b'-ERR [AUTH]', 'submissions': b'535 5.7.8'}


def attempt(server, service, name, password='secret', **how):
    """(last word, salt) of one log-in with plain SCRAM-SHA-256."""
    with Talk(server, service) as t:
        s = Scram(name, password, **how)
        return t.log_in(s, PLAIN), s.salt


@pytest.mark.parametrize('service', SERVICES)
@pytest.mark.parametrize('initial', (True, False))
@pytest.mark.parametrize('tls', (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION))
def test_both_mechanisms(server, user, service, initial, tls):
    with Talk(server, service, tls) as t:
        assert t.offer.index(b'SCRAM-SHA-256') < t.offer.index(b'PLAIN')
        assert (b'SCRAM-SHA-256-PLUS' in t.offer) == (service in LISTS_PLUS)
        assert t.log_in(Scram(user, 'secret', binding=t.exporter()), PLUS, initial) == b'ok'
    with Talk(server, service, tls) as t:
        assert t.log_in(Scram(user, 'secret'), PLAIN, initial) == b'ok'
    if service == 'submissions':
        return
    # The session is the account's: the store serves it.
    with Talk(server, service, tls) as t:
        assert t.log_in(Scram(user, 'secret', binding=t.exporter()), PLUS, initial) == b'ok'
        t.say(b'b SELECT INBOX' if service == 'imaps' else b'STAT')
        assert t.until(lambda line: line.startswith((b'b ', b'+OK', b'-ERR'))).split(b'\n')[-1].startswith((b'b OK', b'+OK'))


@pytest.mark.parametrize('service', SERVICES)
def test_what_does_not_fit_is_refused(server, user, service):
    with Talk(server, service) as t:
        assert t.log_in(Scram(user, 'Secret'), PLAIN).startswith(REFUSED[service])
        if service in LISTS_PLUS:  # a downgrade
            assert t.log_in(Scram(user, 'secret', flag='y'), PLAIN).startswith(REFUSED[service])
        assert t.log_in(Scram(user, 'secret', binding=b'x' * 32), PLUS).startswith(REFUSED[service])
        assert t.log_in(Scram(user, 'secret', binding=t.exporter(), flag='p=tls-unique'),
                        PLUS).startswith(REFUSED[service])
    # Somebody between: the other connection's exporter.
    with Talk(server, service) as near, Talk(server, service) as far:
        assert far.log_in(Scram(user, 'secret', binding=near.exporter()), PLUS).startswith(REFUSED[service])
        assert near.log_in(Scram(user, 'secret', binding=near.exporter()), PLUS) == b'ok'


def test_who_is_told_of_no_binding_may_say_so(server, user):
    with Talk(server, 'submissions') as t:
        assert t.log_in(Scram(user, 'secret', flag='y'), PLAIN) == b'ok'


def test_nobody_is_like_a_wrong_password(server, user):
    wrong, salt = attempt(server, 'imaps', user, 'wrong')
    nobody, fake = attempt(server, 'imaps', 'nobody@example.com')
    assert nobody == wrong and len(fake) == len(salt) and fake != salt
    # However the name is written, for those that exist and those that do not.
    assert attempt(server, 'imaps', user.upper(), 'wrong')[1] == salt
    assert attempt(server, 'imaps', user.split('@')[0], 'wrong')[1] == salt
    for name in ('NoBody@Example.COM', 'nobody', 'nobody@example.com'):
        assert attempt(server, 'imaps', name)[1] == fake
    assert attempt(server, 'imaps', 'nobodz@example.com')[1] != fake
    server.stop()
    server.start()
    assert attempt(server, 'imaps', 'nobody@example.com')[1] == fake
    assert attempt(server, 'imaps', user)[0] == b'ok'


def test_a_disabled_account_keeps_its_salt_and_is_refused(server, user):
    salt = attempt(server, 'imaps', user)[1]
    server.ctl('account', 'disable', user)
    last, again = attempt(server, 'imaps', user)
    assert last.startswith(REFUSED['imaps']) and again == salt
    server.ctl('account', 'enable', user)
    assert attempt(server, 'imaps', user)[0] == b'ok'


def test_a_new_password_counts_at_once(server, user):
    with Talk(server, 'imaps') as t:
        assert t.log_in(Scram(user, 'secret'), PLAIN) == b'ok'
        server.ctl('account', 'password', user, stdin='other\n')
        assert t.line().startswith(b'* BYE')
    assert attempt(server, 'imaps', user)[0].startswith(REFUSED['imaps'])
    assert attempt(server, 'imaps', user, 'other')[0] == b'ok'


@pytest.mark.parametrize('service', SERVICES)
def test_cancelled_at_the_end_is_not_logged_in(server, user, service):
    with Talk(server, service) as t:
        assert b'cancelled' in t.log_in(Scram(user, 'secret'), PLAIN, cancel=True)
        t.say({'imaps': b'b SELECT INBOX', 'pop3s': b'STAT', 'submissions': b'MAIL FROM:<>'}[service])
        assert t.line().startswith((b'b BAD', b'b NO', b'-ERR', b'530'))
        assert t.log_in(Scram(user, 'secret'), PLAIN) == b'ok'


def test_passwords_are_prepared(server):
    """Set as a Mac writes it, used as others do (RFC 4013)."""
    user = server.add_account('saslprep', password='a\u0308 \u2168')
    assert attempt(server, 'imaps', user, '\u00e4 IX')[0] == b'ok'
    assert attempt(server, 'imaps', user, 'a\u0308 IX')[0].startswith(REFUSED['imaps'])
    for password in ('a\u0308 \u2168', '\u00e4 IX'):
        r = subprocess.run(['curl', '-s', '--cacert', server.cert, '--user', f'{user}:{password}',
                            f'imaps://localhost:{server.ports["imaps"]}/INBOX', '-X', 'NOOP'], capture_output=True, timeout=120)
        assert r.returncode == 0, (password, r)


def test_the_log_says_who(server, user):
    attempt(server, 'imaps', user)
    attempt(server, 'imaps', user, 'wrong')
    def lines():
        return [line for line in server.log().split('\n') if 'ev=auth.login' in line and f'login={user}' in line]
    wait_for(lambda: len(lines()) == 2)  # a role writes its lines at the end of a turn, maybe after the answer
    assert [line.rsplit('result=', 1)[1] for line in lines()] == ['ok', 'denied']
    assert all('proto=imap' in line and 'tls=yes' in line for line in lines())
def test_mbsync(server, user, tmp_path):
    send(server, user, 3)
    command, box = mbsync(server, user, tmp_path, 'IMAPS')
    rc = tmp_path / 'mbsyncrc'
    rc.write_text(rc.read_text().replace('Pass secret\n', f'Pass secret\nAuthMechs {PLAIN}\n'))
    r = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    assert len(list((box / 'INBOX' / 'new').iterdir()) + list((box / 'INBOX' / 'cur').iterdir())) == 3


def test_neomutt(server, user, tmp_path):
    """Built with GNU SASL it must be told the mechanism: else it takes -PLUS, and then finds that it cannot bind."""
    send(server, user, 1)
    local, domain = user.split('@')
    rc = tmp_path / 'muttrc'
    rc.write_text(f'''set folder="imaps://{local}%40{domain}@localhost:{server.ports['imaps']}/"
set spoolfile="+INBOX"
set imap_pass="secret"
set imap_authenticators="scram-sha-256"
set ssl_force_tls=yes
set certificate_file="{server.cert}"
set header_cache=""
''')
    env = dict(os.environ, HOME=str(tmp_path), TERM='xterm', LANG='C.UTF-8')
    r = subprocess.run(['script', '-qec', f"neomutt -F {rc} -n -e 'exec quit'", '/dev/null'], env=env,
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    assert f'proto=imap peer=127.0.0.1 login={user} tls=yes result=ok' in server.log(), r


@pytest.mark.parametrize('mechanism,binding', ((PLAIN, ['--no-cb']), (PLUS, [])))
def test_gsasl(server, user, mechanism, binding):
    """After STARTTLS, with a channel binding that GnuTLS computed."""
    command = ['gsasl', '--client', '--imap', '--connect', f'localhost:{server.ports["imap"]}', '--mechanism', mechanism,
               '--starttls', '--x509-ca-file', server.cert, *binding, '--authentication-id', user, '--authorization-id',
               user, '--password']
    said = {}
    for password in ('secret', 'wrong'):
        r = subprocess.run([*command, password], input='', capture_output=True, text=True, timeout=300, check=False)
        said[password] = r.stdout + r.stderr
    assert '. OK [CAPABILITY' in said['secret'], said['secret']
    assert '. NO [AUTHENTICATIONFAILED]' in said['wrong'], said['wrong']
