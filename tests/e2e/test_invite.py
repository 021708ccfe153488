"""Invitations: a password that no administrator knows; what they open, what ends them, races, restarts, the brake.

SPDX-License-Identifier: Apache-2.0
"""
import http.client
import imaplib
import json
import os
import poplib
import re
import smtplib
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, wait_for  # noqa: E402
from scram import Scram, Talk  # noqa: E402

TOKEN = 'a token of more than sixteen bytes'
REFUSALS = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)
FORM = re.compile(r'[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){6}')
LOST = 'the address or the invitation is wrong, or it is not good any more'


@pytest.fixture(scope='module')
def server():
    s = Server(extra=['outbound none'])
    s.ports['api'] = free_port()
    with open(os.path.join(s.dir, 'token'), 'w', encoding='ascii') as f:
        f.write(TOKEN + '\n')
    os.chmod(f.name, 0o600)
    with open(s.config, 'a', encoding='ascii') as f:
        f.write(f'listen api 127.0.0.1:{s.ports["api"]} token-file {s.dir}/token\n')
    s.start()
    s.add_domain()
    yield s
    s.remove()


def invite(server, user, *words):
    word = server.ctl('account', 'passwd', '--invite', *words, user).stdout.strip()
    assert FORM.fullmatch(word)
    return word


def redeem(server, user, word, password):
    """None, or why not."""
    done = server.ctl('account', 'redeem', user, stdin=f'{word}\n{password}\n', check=False)
    assert done.returncode in (0, 1), done
    assert word not in done.stdout + done.stderr and password not in done.stdout + done.stderr
    return None if done.returncode == 0 else done.stderr.strip()


def ask(server, path, body, token=None):
    c = http.client.HTTPConnection('127.0.0.1', server.ports['api'], timeout=60)
    c.request('POST', path, json.dumps(body), {'Content-Type': 'application/json',
                                               **({'Authorization': 'Bearer ' + token} if token else {})})
    r = c.getresponse()
    answer = r.status, json.loads(r.read())
    c.close()
    return answer


def imap(server, user, password):
    c = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    c.login(user, password)
    return c


def pop(server, user, password):
    c = poplib.POP3('127.0.0.1', server.ports['pop3'])
    c.user(user)
    c.pass_(password)
    c.close()


def smtp(server, user, password):
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as c:
        c.login(user, password)


def opens(server, user, password):
    try:
        imap(server, user, password).shutdown()
        return True
    except imaplib.IMAP4.error:
        return False


def account(server, user):
    return json.loads(server.ctl('account', 'show', '--json', user).stdout)[0]


def events(server, name, user):
    return [line for line in server.log().splitlines() if f'ev={name} ' in line and f'account={user}' in line]


def other(word):
    return word[:-1] + ('a' if word[-1] != 'a' else 'b')


def test_it_sets_a_password_once(server, user):
    old = imap(server, user, 'secret')
    word = invite(server, user)
    days = account(server, user)['invited_until_us'] / 1e6 - time.time()
    assert 6.9 * 86400 < days <= 7 * 86400
    assert 'invited until' in server.ctl('account', 'show', user).stdout
    for way in (imap, pop, smtp):
        for written in (word, word.replace('-', '')):
            with pytest.raises(REFUSALS):
                way(server, user, written)
    with Talk(server, 'imaps') as t:
        assert t.log_in(Scram(user, word), 'SCRAM-SHA-256').startswith(b'a NO')
    assert old.select()[0] == 'OK' and opens(server, user, 'secret')  # what was there holds until then
    assert LOST in redeem(server, user, other(word), 'mine alone')
    assert redeem(server, user, word.upper().replace('-', ' '), 'mine alone') is None
    assert opens(server, user, 'mine alone') and not opens(server, user, 'secret')
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        wait_for(lambda: old.select()[0] != 'OK')
    assert 'invited_until_us' not in account(server, user)
    assert LOST in redeem(server, user, word, 'another')
    assert opens(server, user, 'mine alone') and not opens(server, user, 'another')
    assert len(events(server, 'invite.made', user)) == len(events(server, 'invite.used', user)) == 1
    assert [re.search('reason=([a-z]+)', line)[1] for line in events(server, 'invite.refused', user)] == ['wrong', 'none']
    told = wait_for(lambda: (lambda t: t if t.count('invitation') >= 4 else None)(
        server.ctl('trace', user, check=False).stdout))
    assert [w in told for w in ('was made for', 'a password was set for', 'not taken for', 'wrong', 'none')] == [True] * 5
    rows = json.loads(server.ctl('trace', '--json', user).stdout)
    assert [r['ev'] for r in rows] == ['invite.made', 'invite.refused', 'invite.used', 'invite.refused']
    for kept in (word, word.replace('-', '')):  # nowhere, on the disk or in the log
        assert subprocess.run(['grep', '-raqF', kept, server.dir], check=False).returncode == 1


def test_a_new_account_has_no_password(server):
    made = json.loads(server.ctl('account', 'add', '--invite', '--valid', '2h', '--quota', '5M', '--json', 'born@example.com').stdout)
    assert FORM.fullmatch(made['invitation']) and 7100 < made['ends'] / 1e6 - time.time() <= 7200
    for password in ('', made['invitation'], 'secret'):
        for way in (imap, pop, smtp):
            with pytest.raises((*REFUSALS, smtplib.SMTPException)):
                way(server, 'born@example.com', password or ' ')
    assert all('reason=password' in line for line in events(server, 'auth.fail', 'born@example.com'))
    assert account(server, 'born@example.com')['quota_bytes'] == 5 << 20
    assert redeem(server, 'born@example.com', made['invitation'], 'mine') is None
    assert opens(server, 'born@example.com', 'mine')


@pytest.mark.parametrize('how', ('password', 'suspend', 'disable', 'delete', 'invite', 'expiry'))
def test_what_ends_it(server, user, how):
    word = invite(server, user)
    if how == 'password':
        server.ctl('account', 'passwd', user, stdin='newer\n')
    elif how == 'suspend':
        server.ctl('account', 'suspend', user)
        assert 'resume' in server.ctl('account', 'passwd', '--invite', user, check=False).stderr
        assert LOST in redeem(server, user, word, 'mine')
        server.ctl('account', 'resume', user)
    elif how == 'disable':
        server.ctl('account', 'disable', user)
        server.ctl('account', 'enable', user)
    elif how == 'delete':
        server.ctl('account', 'delete', user)
        assert LOST in redeem(server, user, word, 'mine')
        server.ctl('account', 'undelete', user)
    elif how == 'invite':
        newer = invite(server, user)
        assert LOST in redeem(server, user, word, 'mine')
        assert redeem(server, user, newer, 'newer') is None
    else:
        assert server.ctl('account', 'passwd', '--invite', '--valid', '59s', user, check=False).returncode == 2
        assert server.ctl('account', 'passwd', '--invite', '--valid', '91d', user, check=False).returncode == 2
        server.ctl('account', 'passwd', '--valid', '2d', user, stdin='secret\n', check=False)
        assert opens(server, user, 'secret')
        return
    assert LOST in redeem(server, user, word, 'mine')
    assert not opens(server, user, 'mine')
    assert opens(server, user, 'newer' if how in ('password', 'invite') else 'secret')


def test_of_many_at_once_one_wins(server, user):
    word = invite(server, user)
    results = {}

    def one(i):
        results[i] = ask(server, '/v1/invitations/redeem', {'address': user, 'invitation': word, 'password': f'mine {i}'})[0]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(results.values()) == [200] + [403] * 5
    assert [opens(server, user, f'mine {i}') for i in range(6)] == [results[i] == 200 for i in range(6)]


def test_over_a_restart(server, user):
    other_user = server.add_account('late' + user.split('@', maxsplit=1)[0])
    word, late = invite(server, user), invite(server, other_user)
    assert redeem(server, user, word, 'mine') is None
    server.kill()
    server.start()
    assert LOST in redeem(server, user, word, 'another')
    assert redeem(server, other_user, late, 'mine') is None
    assert opens(server, user, 'mine') and opens(server, other_user, 'mine')


def test_the_api(server, user):
    path = f'/v1/accounts/{user}/invitation'
    assert ask(server, path, {})[0] == 401
    status, made = ask(server, path, {'valid_s': 3600}, TOKEN)
    assert status == 201 and made['address'] == user and FORM.fullmatch(made['invitation'])
    assert ask(server, path, {'valid_s': 5}, TOKEN)[0] == 422
    assert ask(server, '/v1/accounts/nobody@example.com/invitation', {}, TOKEN)[0] == 404
    body = {'address': user, 'invitation': made['invitation'], 'password': 'mine'}
    for wrong, status in [({'address': 'nobody@example.com'}, 403), ({'invitation': 'abcd'}, 403), ({'password': ''}, 422),
                          ({'password': 'x' * 513}, 422), ({'ip': '192.0.2.9'}, 403), ({'more': 1}, 422),
                          ({'password': 'x' * 9000}, 413)]:
        assert ask(server, '/v1/invitations/redeem', {**body, **wrong})[0] == status, wrong
    said = {json.dumps(ask(server, '/v1/invitations/redeem', {**body, **w})[1])
            for w in ({'address': 'nobody@example.com'}, {'invitation': other(made['invitation'])}, {'invitation': ''})}
    assert len(said) == 1
    assert ask(server, '/v1/invitations/redeem', {**body, 'ip': 'x'}, TOKEN)[0] == 422
    assert ask(server, '/v1/invitations/redeem', {**body, 'ip': '192.0.2.9'}, TOKEN) == (200, {'address': user})
    assert opens(server, user, 'mine') and 'ip=192.0.2.9' in events(server, 'invite.used', user)[0]
    status, born = ask(server, '/v1/accounts', {'address': 'child@example.com', 'invite': True, 'valid_s': 600}, TOKEN)
    assert status == 201 and born['ends'] > time.time() * 1e6
    assert ask(server, '/v1/accounts', {'address': 'c2@example.com', 'invite': True, 'password': 'x'}, TOKEN)[0] == 422
    assert ask(server, '/v1/accounts', {'address': 'c2@example.com', 'valid_s': 600}, TOKEN)[0] == 422
    body = {'address': 'child@example.com', 'invitation': born['invitation'], 'password': 'mine'}
    assert ask(server, '/v1/invitations/redeem', body)[0] == 200
    assert opens(server, 'child@example.com', 'mine')


def test_guessing_is_braked(server, user):
    word = invite(server, user)
    body = {'address': user, 'invitation': other(word), 'password': 'mine', 'ip': '198.51.100.7'}
    statuses = [ask(server, '/v1/invitations/redeem', body, TOKEN)[0] for _ in range(23)]
    assert statuses[:20] == [403] * 20 and 429 in statuses[20:]
    assert any('reason=slowed' in line for line in events(server, 'invite.refused', user))
    told = wait_for(lambda: (lambda t: t if t.count('invite.refused') >= 20 else None)(
        server.ctl('trace', '--json', user, check=False).stdout))
    assert 'slowed' not in told  # the log alone has them
    server.ctl('block', 'remove', '198.51.100.7')
    server.ctl('block', 'remove', user)
    assert ask(server, '/v1/invitations/redeem', {**body, 'invitation': word}, TOKEN)[0] == 200


def test_a_page_without_an_ip_slows_no_log_in(server, user):
    """Its visitors share one count, which is no log-in's: that of this machine's own address stays as it was."""
    word = invite(server, user)
    body = {'address': user, 'invitation': other(word), 'password': 'mine'}
    assert 429 in (ask(server, '/v1/invitations/redeem', body)[0] for _ in range(300))  # 200 where it was good before
    assert opens(server, user, 'secret')
    server.ctl('block', 'remove', '127.0.0.1')
    server.ctl('block', 'remove', user, check=False)  # not counted where the address was good before
    assert ask(server, '/v1/invitations/redeem', {**body, 'invitation': word})[0] == 200


@pytest.mark.parametrize('words', (['passwd', '--invite', '--generate'], ['add', '--invite', '--generate'],
                                   ['passwd', '--valid', '2d'], ['redeem']))
def test_what_cannot_be_typed(server, words):
    done = server.ctl('account', *words, *(['x@example.com'] if words != ['redeem'] else []), stdin='x\n', check=False)
    assert done.returncode == 2 and done.stderr
