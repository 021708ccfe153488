"""LMTP (RFC 2033), by a Unix socket and from listed networks: an answer for each recipient.

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import json
import os
import signal
import smtplib
import socket
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, wait_for  # noqa: E402

LISTED, STRANGER = '127.0.0.2', '127.0.0.3'


@pytest.fixture(scope='module')
def server():
    port = free_port()
    s = Server(extra=['outbound none', f'listen lmtp 127.0.0.1:{port} from {LISTED} 192.0.2.0/24'])
    s.socket = os.path.join(s.dir, 'lmtp.sock')
    s.lmtp = port
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'listen lmtp unix {s.socket}\n')
    s.start()
    s.add_domain()
    for name in ('anna', 'bert', 'tiny', 'gone'):
        s.add_account(name)
    s.ctl('account', 'quota', 'tiny@example.com', '2000')
    s.ctl('account', 'disable', 'gone@example.com')
    s.ctl('alias', 'set', 'team@example.com', 'anna@example.com', 'bert@example.com')
    yield s
    s.remove()


def letter(subject, size=100):
    return f'From: a@far.example\r\nSubject: {subject}\r\n\r\n{"x" * 60}\r\n' + 'y' * size + '\r\n'


def inbox(server, user, subject):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(user, 'secret')
        m.select('INBOX', readonly=True)
        found = m.search(None, 'SUBJECT', f'"{subject}"')[1][0].split()
        return [email.message_from_bytes(m.fetch(n, '(RFC822)')[1][0][1]) for n in found]


def answers(server, rcpts, text):
    """Of RCPT, and after the message."""
    with smtplib.LMTP(server.socket, local_hostname='filter.example', timeout=60) as c:
        c.ehlo_or_helo_if_needed()
        assert c.mail('a@far.example')[0] == 250
        early = [c.rcpt(r)[0] for r in rcpts]
        assert c.docmd('DATA')[0] == 354
        c.send(text + '.\r\n')
        return early, [c.getreply() for code in early if code == 250]


def test_each_recipient_has_an_answer(server):
    early, late = answers(server, ['anna@example.com', 'nobody@example.com', 'tiny@example.com', 'bert@example.com',
                                   'gone@example.com', 'a@elsewhere.example'], letter('each', 3000))
    assert early == [250, 550, 250, 250, 550, 554]
    assert [code for code, _ in late] == [250, 452, 250]
    assert late[1][1] == b'4.2.2 <tiny@example.com>: The mailbox is full'
    for user in ('anna', 'bert'):  # in the mailbox when it is answered
        message, = inbox(server, user, 'each')
        assert message['Return-Path'] == '<a@far.example>'
        assert ' '.join(message['Received'].split()).startswith('from filter.example by mail.example.com with LMTP id ')
    assert not inbox(server, 'tiny', 'each')


def test_the_trace_tells_each_recipient(server):
    _, late = answers(server, ['anna@example.com', 'tiny@example.com'], 'Message-ID: <traced@far.example>\r\n' + letter('traced', 3000))
    assert [code for code, _ in late] == [250, 452]
    def told():
        found = json.loads(server.ctl('trace', '--json', 'traced@far.example', check=False).stdout or '[]')
        return found if found and len(found[0]['steps']) == 3 else None
    life, = wait_for(told)
    assert sorted(s['ev'] for s in life['steps']) == ['smtp.message', 'smtp.rcpt', 'store.deliver']
    assert life['result'] == 'partly delivered'
    received = ' '.join(inbox(server, 'anna', 'traced')[0]['Received'].split())
    assert f' id {life["id"]};' in received  # one number for the log, the trace and the field


def test_one_copy_for_an_account(server):
    _, late = answers(server, ['anna@example.com', 'team@example.com', 'ANNA@example.com'], letter('copies'))
    assert [code for code, _ in late] == [250, 250, 250]
    wait_for(lambda: inbox(server, 'bert', 'copies'))
    assert len(inbox(server, 'anna', 'copies')) == 1


def test_a_large_message_comes_by_pieces(server):
    _, late = answers(server, ['anna@example.com', 'bert@example.com'], letter('large', 100) + ('z' * 70 + '\r\n') * 20000)
    assert [code for code, _ in late] == [250, 250]
    assert {len(inbox(server, u, 'large')[0].get_payload()) for u in ('anna', 'bert')} == {62 + 102 + 72 * 20000}


def test_only_listed_addresses(server):
    with socket.create_connection(('127.0.0.1', server.lmtp), 20, source_address=(LISTED, 0)) as s:
        assert s.recv(1000).startswith(b'220 mail.example.com LMTP')
    with socket.create_connection(('127.0.0.1', server.lmtp), 20, source_address=(STRANGER, 0)) as s:
        assert s.recv(1000) == b''
    assert f'peer={STRANGER} reason="not of a listed network"' in server.log()


def test_what_is_acknowledged_survives_a_kill(server):
    """The store is killed again and again while mail comes: what had its 250 is there, once."""
    kept, enough = [], threading.Event()

    def load():
        for number in range(10000):
            if enough.is_set():
                return
            try:
                _, late = answers(server, ['anna@example.com', 'bert@example.com'], letter(f'kill-{number}.'))
            except (OSError, smtplib.SMTPException, AssertionError):
                continue
            kept.extend((user, number) for user, (code, _) in zip(('anna', 'bert'), late) if code == 250)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    for _ in range(4):
        before = len(kept)
        wait_for(lambda: len(kept) > before + 6, 60)
        store = server.roles()['store.0']
        os.kill(store, signal.SIGKILL)
        wait_for(lambda: server.roles().get('store.0', store) != store)
    wait_for(lambda: len(kept) > before + 10, 60)
    enough.set()
    thread.join(60)
    for user in ('anna', 'bert'):
        there = [m['Subject'] for m in inbox(server, user, 'kill-')]
        assert len(there) == len(set(there))
        assert {f'kill-{n}.' for u, n in kept if u == user} <= set(there)
