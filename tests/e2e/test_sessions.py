"""Who is logged in, and how that ends: godwit who and godwit kick.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import signal
import socket
import time

import pytest
from godwit import Server, halt, wait_for
from imapwire import Wire
from scram import Scram, Talk


@pytest.fixture
def server():
    s = Server(extra=['workers user 2'])
    s.start()
    s.add_domain()
    for name in ('anna', 'bert'):
        s.add_account(name)
    yield s
    s.remove()


class Pop:
    def __init__(self, server):
        self.sock = socket.create_connection(('127.0.0.1', server.ports['pop3']), timeout=60)
        self.file = self.sock.makefile('rb')
        self.file.readline()

    def say(self, text):
        self.sock.sendall(text.encode() + b'\r\n')
        return self.file.readline()

    def login(self, name):
        assert self.say(f'USER {name}@example.com').startswith(b'+OK')
        assert self.say('PASS secret').startswith(b'+OK')
        return self


def imap(server, name):
    w = Wire(server.ports['imap'])
    w.line()
    w.login(f'{name}@example.com')
    return w


def who(server, *words):
    return json.loads(server.ctl('who', '--json', *words).stdout)


def test_who(server):
    assert server.ctl('who').stdout == 'nobody is logged in\n' and who(server) == []
    before = time.time()
    wire, pop = imap(server, 'anna'), Pop(server).login('bert')
    with Talk(server, 'submissions') as talk:
        assert talk.log_in(Scram('anna@example.com', 'secret'), 'SCRAM-SHA-256') == b'ok'
        found = who(server)
        assert len(found) == 3 and len({s['session'] for s in found}) == 3
        by = {(s['account'], s['protocol']): s for s in found}
        assert set(by) == {('anna@example.com', 'imap'), ('bert@example.com', 'pop3'), ('anna@example.com', 'submission')}
        for s in found:
            assert s['peer'] == '127.0.0.1'
            assert before - 1 <= s['since'] / 1e6 <= time.time() + 1
        assert by['anna@example.com', 'submission']['tls'] == 'TLSv1.3'
        assert by['anna@example.com', 'imap']['tls'] is None
        assert {s['protocol'] for s in who(server, 'anna')} == {'imap', 'submission'}
        asked = by['anna@example.com', 'imap']['asked']
        wire.command(b's', b'SELECT INBOX')
        assert next(s for s in who(server, 'anna') if s['protocol'] == 'imap')['asked'] > asked
        text = server.ctl('who', 'bert@example.com').stdout
        assert 'bert@example.com' in text and 'pop3' in text and 'no TLS' in text and 'anna' not in text
    wait_for(lambda: len(who(server)) == 2)
    pop.say('QUIT')
    wire.close()
    wait_for(lambda: who(server) == [])
    assert server.ctl('who', 'nobody@example.com', check=False).returncode == 1


def test_after_a_restart_of_the_store_they_are_known_again(server):
    wire = imap(server, 'anna')
    before = who(server)
    pid = server.roles()['store.0']
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.roles().get('store.0') not in (None, pid) and server.ctl('who', check=False).returncode == 0)
    same = ('session', 'account', 'protocol', 'peer', 'since', 'tls')
    wait_for(lambda: [[s[k] for k in same] for s in who(server)] == [[s[k] for k in same] for s in before])
    wire.close()


def test_kick(server):
    wires, pop = [imap(server, 'anna') for _ in range(3)], Pop(server).login('bert')
    wires[0].command(b's', b'SELECT INBOX')
    wires[0].send(b'i IDLE\r\n')
    assert wires[0].line().startswith(b'+')
    one = who(server, 'anna')[0]['session']
    assert server.ctl('kick', one).stdout == '1 session ended\n'
    wait_for(lambda: len(who(server, 'anna')) == 2)
    assert one not in {s['session'] for s in who(server)}
    assert server.ctl('kick', one, check=False).returncode == 1
    assert server.ctl('kick', '99.1', check=False).returncode == 1
    assert json.loads(server.ctl('kick', '--json', 'anna@example.com').stdout) == {'sessions': 2}
    for w in wires:
        assert w.line().startswith(b'* BYE')
        assert w.file.read() == b''
    assert [s['account'] for s in who(server)] == ['bert@example.com']
    assert server.ctl('kick', 'bert').stdout == '1 session ended\n'
    assert pop.file.readline().startswith(b'-ERR [AUTH]') and pop.file.read() == b''
    assert who(server) == []
    imap(server, 'anna').close()  # and may come again
    assert server.ctl('kick', 'nobody@example.com', check=False).returncode == 1


def test_more_than_a_page(server):
    accounts = [f'u{n}' for n in range(4)]
    for name in accounts:
        server.add_account(name)
    wires = [imap(server, name) for name in accounts for _ in range(70)]
    found = who(server)
    assert len(found) == 280 == len({s['session'] for s in found})
    assert len(server.ctl('who').stdout.splitlines()) == 280
    for w in wires:
        w.close()


def test_a_log_in_that_auth_did_not_survive_leaves_no_session(server):
    """The store hears of the grant; auth is dead before it can answer the worker."""
    imap(server, 'anna').close()  # auth knows the password from now on
    wait_for(lambda: who(server) == [])
    wire = Wire(server.ports['imap'])
    wire.line()
    store, auth = (server.roles()[r] for r in ('store.0', 'auth.0'))
    halt(store)
    try:
        wire.send(b'a LOGIN anna@example.com secret\r\n')
        time.sleep(1)  # the grant waits at the store, or is not sent: both are fine
        os.kill(auth, signal.SIGKILL)
        assert wire.until(b'a')[-1].startswith(b'a NO [UNAVAILABLE]')
    finally:
        os.kill(store, signal.SIGCONT)
    wait_for(lambda: server.roles().get('auth.0') not in (None, auth))

    def logged_in():
        wire.send(b'b LOGIN anna@example.com secret\r\n')
        return wire.until(b'b')[-1].startswith(b'b OK')

    wait_for(logged_in)
    assert len(who(server)) == 1
    wire.close()
    wait_for(lambda: who(server) == [])
