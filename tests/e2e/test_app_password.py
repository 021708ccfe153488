"""godwit account app-password: passwords of programs, what they open, and what ends with them.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import os
import poplib
import re
import smtplib
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import wait_for  # noqa: E402
from scram import Scram, Talk  # noqa: E402


def make(server, user, name, *words):
    return server.ctl('account', 'app-password', 'add', *words, user, name).stdout.strip()


def listed(server, user):
    return {p['name']: p for p in json.loads(server.ctl('account', 'app-password', 'list', '--json', user).stdout)}


def imap(server, user, password):
    c = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    c.login(user, password)
    return c


def imap_plain(server, user, password):
    c = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    c.authenticate('PLAIN', lambda _: f'\0{user}\0{password}'.encode())
    return c


def pop(server, user, password):
    c = poplib.POP3('127.0.0.1', server.ports['pop3'])
    c.user(user)
    c.pass_(password)
    return c


def smtp(server, user, password):
    c = smtplib.SMTP('127.0.0.1', server.ports['submission'])
    c.login(user, password, initial_response_ok=False)
    return c


def smtp_login(server, user, password):
    c = smtplib.SMTP('127.0.0.1', server.ports['submission'])
    c.ehlo()
    c.user, c.password = user, password
    c.auth('LOGIN', c.auth_login)
    return c


def end(client):
    (client.shutdown if isinstance(client, imaplib.IMAP4) else client.close)()


WAYS = {'imap': (imap, imap_plain), 'pop3': (pop,), 'submission': (smtp, smtp_login)}
REFUSALS = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)


@pytest.mark.parametrize('protocols', ('imap', 'pop3', 'submission', 'imap,submission', None))
def test_it_opens_what_it_is_for(server, user, protocols):
    password = make(server, user, 'phone', *(['--for', protocols] if protocols else []))
    assert re.fullmatch(r'[a-z2-9]{4}(-[a-z2-9]{4}){5}', password)
    allowed = protocols.split(',') if protocols else list(WAYS)
    assert listed(server, user)['phone']['protocols'] == allowed
    for protocol, ways in WAYS.items():
        for way in ways:
            if protocol in allowed:
                for written in (password, password.replace('-', ''), password.replace('-', ' ').upper()):
                    end(way(server, user, written))
                continue
            with pytest.raises(REFUSALS):
                way(server, user, password)
            wait_for(lambda: f'account={user} protocol={protocol} reason=protocol' in server.log())
    end(imap(server, user, 'secret'))
    lines = [line for line in server.log().split('\n') if 'ev=auth.login' in line and f'login={user}' in line]
    assert any('result=ok app=phone' in line for line in lines) and 'app=' not in lines[-1]


def test_what_is_wrong(server, user):
    password = make(server, user, 'phone')
    other = server.add_account('other' + user.split('@', maxsplit=1)[0])
    for name, word in [(other, password), (user, password[:-1] + ('a' if password[-1] != 'a' else 'b')),
                       (user, password[:-1]), (user, password + '2')]:
        with pytest.raises(REFUSALS):
            imap(server, name, word)
    with Talk(server, 'imaps') as t:  # SCRAM has keys of the account's password alone
        assert t.log_in(Scram(user, password), 'SCRAM-SHA-256').startswith(b'a NO')
    server.ctl('account', 'disable', user)
    with pytest.raises(REFUSALS):
        imap(server, user, password)
    server.ctl('account', 'enable', user)
    end(imap(server, user, password))
    # It is no way to another password; a new one of the account leaves it alone.
    server.ctl('account', 'password', user, stdin='another\n')
    end(imap(server, user, password))


def test_removal_ends_its_sessions_and_no_others(server, user):
    phone, laptop = make(server, user, 'phone'), make(server, user, 'laptop')
    gone, stays, own = imap(server, user, phone), imap(server, user, laptop), imap(server, user, 'secret')
    gone_too = pop(server, user, phone)
    assert 'its sessions end' in server.ctl('account', 'app-password', 'remove', user, 'phone').stdout
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        wait_for(lambda: gone.select()[0] != 'OK')
    with pytest.raises((poplib.error_proto, OSError, EOFError)):
        wait_for(lambda: gone_too.stat() is None)
    assert stays.select()[0] == 'OK' and own.select()[0] == 'OK'
    with pytest.raises(REFUSALS):
        imap(server, user, phone)
    end(imap(server, user, laptop))
    assert list(listed(server, user)) == ['laptop']


def test_it_is_listed_with_its_last_day(server, user):
    password = make(server, user, 'my phone')
    make(server, user, 'laptop', '--expires', '30', '--for', 'imap')
    found = listed(server, user)
    assert found['my phone']['used_us'] == 0 and found['my phone']['expires_us'] == 0
    assert found['laptop']['expires_us'] - found['laptop']['created_us'] == 30 * 86400 * 10 ** 6
    assert 'not used yet' in server.ctl('account', 'app-password', 'list', user).stdout
    before = time.time() // 86400
    end(imap(server, user, password))
    used = wait_for(lambda: listed(server, user)['my phone']['used_us'])
    assert before <= used / 86400e6 <= time.time() // 86400
    assert 'last used on 20' in server.ctl('account', 'app-password', 'list', user).stdout
    # Kept over a restart, like the password itself, whose text stands nowhere.
    server.stop()
    server.start()
    end(imap(server, user, password))
    assert listed(server, user)['my phone']['used_us'] == used
    word = password.replace('-', '').encode()
    for kept in (password.encode(), word):
        assert subprocess.run(['grep', '-raqF', kept.decode(), server.dir], check=False).returncode == 1


@pytest.mark.parametrize('words, code', [
    (['add', 'nobody@example.com', 'phone'], 1),
    (['add', 'USER', ''], 1),
    (['add', 'USER', 'n' * 65], 1),
    (['add', '--for', 'imap,http', 'USER', 'phone'], 2),
    (['add', '--for', '', 'USER', 'phone'], 2),
    (['add', '--expires', '0', 'USER', 'phone'], 2),
    (['add', '--expires', 'soon', 'USER', 'phone'], 2),
    (['add', '--expires', '36601', 'USER', 'phone'], 2),
    (['add', 'USER'], 2),
    (['remove', 'USER', 'phone'], 1),
    (['list', 'nobody@example.com'], 1),
    (['show', 'USER'], 2),
])
def test_what_cannot_be_done(server, user, words, code):
    done = server.ctl('account', 'app-password', *[user if w == 'USER' else w for w in words], check=False)
    assert done.returncode == code and done.stderr, done
    assert listed(server, user) == {}


def test_names_are_taken_once_and_are_not_too_many(server, user):
    make(server, user, 'p0')
    assert server.ctl('account', 'app-password', 'add', user, 'p0', check=False).returncode == 1
    for i in range(1, 16):
        make(server, user, f'p{i}')
    done = server.ctl('account', 'app-password', 'add', user, 'p16', check=False)
    assert done.returncode == 1 and 'limit' in done.stderr


def test_its_sessions_and_suspension(server, user):
    password = make(server, user, 'phone')
    c, d = imap(server, user, password), imap(server, user, 'secret')
    found = json.loads(server.ctl('who', '--json', user).stdout)
    assert sorted((s['app'] or '', s['protocol'], s['peer']) for s in found) == [('', 'imap', '127.0.0.1'), ('phone', 'imap', '127.0.0.1')]
    assert 'app password phone' in server.ctl('who', user).stdout
    server.ctl('account', 'suspend', user)
    for ways in WAYS.values():
        for way in ways:
            with pytest.raises(REFUSALS):
                way(server, user, password)
    server.ctl('account', 'resume', user)
    end(imap(server, user, password))
    end(c)
    end(d)
