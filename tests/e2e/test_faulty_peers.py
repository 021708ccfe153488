"""Servers that misbehave at every step: each message arrives at least once, and twice only where RFC 5321 section
4.5.3.2.6 says that nobody can know.

SPDX-License-Identifier: Apache-2.0
"""
import json
import smtplib

import pytest
from faults import Faulty, Silent
from godwit import Server, free_port, wait_for
from knot import Knot

CHUNKING = ('PIPELINING', '8BITMIME', 'CHUNKING')
PLAIN = ('8BITMIME',)
PIPELINING = ('PIPELINING', '8BITMIME')
LATER, NEVER = '451 4.3.2 later', '550 5.7.1 never'
# What is offered, what goes wrong, in which words.
ROWS = [(offers, step, fault)
        for offers in (PLAIN, PIPELINING, CHUNKING)
        for step in ('greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA' if offers != CHUNKING else None,
                     'body' if offers != CHUNKING else 'BDAT') if step
        for fault in ('drop', 'half', 'slow', 'drop-after', LATER, '421 4.3.2 closing')
        if not (fault == 'half' and step in ('body', 'BDAT'))]


@pytest.fixture(scope='module')
def peers():
    """A server with one faulty peer for each row, reached by a route, and an account."""
    rows = [Faulty(offers=offers, faults={step: [fault]}) for offers, step, fault in ROWS]
    s = Server(extra=['outbound none'] + [f'route d{i}.example 127.0.0.1:{p.port}' for i, p in enumerate(rows)])
    s.start()
    s.add_domain()
    s.user = s.add_account('anna')
    yield s, rows
    s.remove()
    for p in rows:
        p.close()


def queue(server):
    return json.loads(server.ctl('queue', 'list', '--json').stdout)


def submit(server, to, key, lines=1):
    text = f'From: {server.user}\r\nX-Key: {key}\r\nSubject: x\r\n\r\n' + f'{"y" * 70}\r\n' * lines
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:  # an alias leads outside: no log-in is needed
        s.sendmail('a@b.example', to, text)


def drain(server, seconds=60):
    """Tries until nothing waits."""
    def empty():
        if queue(server) == []:
            return True
        server.ctl('queue', 'retry', 'all')
        return False
    wait_for(empty, seconds, 0.3)


def test_once_whatever_goes_wrong(peers):
    server, rows = peers
    for i in range(len(rows)):
        server.ctl('alias', 'set', f'to{i}@example.com', f'x@d{i}.example', f'y@d{i}.example')
        submit(server, [f'to{i}@example.com'], f'k{i}')
    drain(server)
    for i, (p, row) in enumerate(zip(rows, ROWS)):
        assert p.faults[row[1]] == [], row  # it happened
        # The message went to two recipients; a refusal of one of them parts them.
        parts = 2 if row[1] == 'RCPT' and row[2][0] in '45' and p.ledger[f'k{i}'] == 2 else 1
        assert p.ledger[f'k{i}'] == parts, row
        assert p.promised[f'k{i}'] == parts, row


def fresh(faults, offers=PIPELINING, count=1, name='one.example'):
    peers = [Faulty(offers=offers, faults=faults) for _ in range(count)]
    s = Server(extra=['outbound none', f'route {name} 127.0.0.1:{peers[0].port}'])
    s.start()
    s.add_domain()
    s.user = s.add_account('anna')
    s.ctl('alias', 'set', 'to@example.com', f'x@{name}')
    return s, peers[0]


@pytest.mark.parametrize('offers', [PLAIN, PIPELINING, CHUNKING], ids=['plain', 'pipelining', 'chunking'])
def test_the_window_after_the_final_dot(offers):
    """Taken, and the connection lost before the answer: sent again, as it must be."""
    step = 'BDAT' if 'CHUNKING' in offers else 'body'
    server, peer = fresh({step: ['lost']}, offers)
    try:
        submit(server, ['to@example.com'], 'k')
        drain(server)
        assert peer.ledger['k'] == 2 and peer.promised['k'] == 1
    finally:
        server.remove()
        peer.close()


def test_a_large_message_in_chunks():
    server, peer = fresh({}, CHUNKING)
    try:
        submit(server, ['to@example.com'], 'k', 20000)
        drain(server)
        assert peer.ledger['k'] == 1 and peer.steps.count('BDAT') > 3 and 'DATA' not in peer.steps
    finally:
        server.remove()
        peer.close()


def test_one_connection_for_many_messages():
    """And one that the other side closes between two of them costs no message and no attempt."""
    server, peer = fresh({'MAIL': ['kept drop', 'kept 421 4.7.0 enough']})
    try:
        sent = 0
        while sent < 12 or (peer.faults['MAIL'] and sent < 60):
            submit(server, ['to@example.com'], f'k{sent}')
            sent += 1
        wait_for(lambda: queue(server) == [])  # without a retry
        assert peer.faults['MAIL'] == [] and sum(peer.ledger.values()) == sum(peer.promised.values()) == sent
        assert peer.connections < sent and peer.steps.count('RSET') == 0
    finally:
        server.remove()
        peer.close()


@pytest.mark.parametrize('refusal', [LATER, NEVER])
def test_a_refusal_on_a_used_connection_is_asked_anew(refusal):
    """What a server says to MAIL there may be about the messages before: no bounce, and no pause."""
    server, peer = fresh({'MAIL': [f'kept {refusal}']})
    try:
        sent = 0
        while peer.faults['MAIL'] and sent < 20:
            submit(server, ['to@example.com'], f'k{sent}')
            sent += 1
            wait_for(lambda: queue(server) == [])  # without a retry
        assert peer.faults['MAIL'] == [] and sum(peer.ledger.values()) == sent
        assert all(peer.promised[f'k{i}'] == 1 for i in range(sent))
    finally:
        server.remove()
        peer.close()


@pytest.mark.parametrize('fault', ['twice', 'stray'])
def test_an_answer_too_many_does_not_count_for_the_next_message(fault):
    """Else all answers are one late, and what is said to RCPT would pass for that to the message."""
    server, peer = fresh({'BDAT': [fault, LATER]}, CHUNKING)
    try:
        submit(server, ['to@example.com'], 'k0')
        wait_for(lambda: queue(server) == [] and peer.strays == 1)
        submit(server, ['to@example.com'], 'k1')
        drain(server)
        assert peer.ledger == peer.promised == {'k0': 1, 'k1': 1}
        assert peer.faults['BDAT'] == [] and peer.connections > 1
    finally:
        server.remove()
        peer.close()


def test_greylisting():
    """The first try of each recipient is refused for now."""
    server, peer = fresh({'RCPT': [LATER, LATER, LATER]})
    try:
        for i in range(3):
            submit(server, ['to@example.com'], f'k{i}')
        wait_for(lambda: all(m['recipients'][0]['code'] == 451 for m in queue(server)) and len(queue(server)) == 3)
        drain(server)
        assert [peer.promised[f'k{i}'] for i in range(3)] == [1, 1, 1]
    finally:
        server.remove()
        peer.close()


def test_refused_for_good_is_not_tried_again():
    server, peer = fresh({'RCPT': [NEVER]})
    try:
        submit(server, ['to@example.com'], 'k')
        wait_for(lambda: queue(server) == [])
        assert peer.steps.count('RCPT') == 1 and peer.ledger['k'] == 0
    finally:
        server.remove()
        peer.close()


def test_dead_addresses_are_passed_over():
    """One address refuses, one says nothing, one answers."""
    alive = Faulty(('127.0.0.3', 0))
    silent = Silent(('127.0.0.2', alive.port))
    dns = Knot([f'mx.many. 60 IN A 127.0.0.{i}' for i in (1, 2, 3)])
    server = Server(extra=['outbound none', f'resolver {dns.resolver()} no-dnssec',
                           f'route one.example mx.many:{alive.port}'])
    try:
        dns.start()
        server.start()
        server.add_domain()
        server.user = server.add_account('anna')
        server.ctl('alias', 'set', 'to@example.com', 'x@one.example')
        for i in range(5):
            submit(server, ['to@example.com'], f'k{i}')
        wait_for(lambda: queue(server) == [])  # without a retry
        assert [alive.promised[f'k{i}'] for i in range(5)] == [1] * 5
    finally:
        server.remove()
        dns.remove()
        silent.close()
        alive.close()


def test_a_silent_host_is_left_alone():
    """The first message waits for it; the others hear at once that it does not answer."""
    port = free_port()
    silent = Silent(('127.0.0.1', port))
    server = Server(extra=['outbound none', f'route one.example 127.0.0.1:{port}'])
    try:
        server.start()
        server.add_domain()
        server.user = server.add_account('anna')
        server.ctl('alias', 'set', 'to@example.com', 'x@one.example')
        for i in range(30):
            submit(server, ['to@example.com'], f'k{i}')
        wait_for(lambda: len(queue(server)) == 30 and all('timed out' in m['recipients'][0]['text'] for m in queue(server)))
        assert sum(m['recipients'][0]['tries'] for m in queue(server)) <= 3  # not tried is no try
        assert server.log().count('ev=out.attempt') <= 3
        silent.close()
        peer = Faulty(('127.0.0.1', port))
        drain(server)  # an operator's retry asks it all the same
        assert sum(peer.promised.values()) == 30
        peer.close()
    finally:
        server.remove()
        silent.close()
