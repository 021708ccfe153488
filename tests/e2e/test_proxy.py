"""The PROXY protocol on every service, and XCLIENT: the client is who the listed proxy names.

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import os
import socket
import ssl
import struct
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402

PROXY, SPEAKER, OTHER = '127.0.0.2', '127.0.0.4', '127.0.0.3'
TLS = ssl._create_unverified_context()
V1 = b'PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n'


def v2(client, tlvs=b'', command=0x21):
    body = socket.inet_aton(client) + socket.inet_aton('192.0.2.1') + struct.pack('>HH', 4711, 25) + tlvs
    return b'\r\n\r\n\0\r\nQUIT\n' + struct.pack('>BBH', command, 0x11, len(body)) + body


@pytest.fixture(scope='module')
def server():
    s = Server(extra=[f'proxy-from {PROXY}', f'xclient-from {SPEAKER}'])
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


def connect(server, service, first=b'', source=PROXY):
    s = socket.create_connection(('127.0.0.1', server.ports[service]), 30, source_address=(source, 0))
    s.sendall(first)
    return s


def inbox(server):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        m.select('INBOX', readonly=True)
        found = m.search(None, 'ALL')[1][0].split()
        return email.message_from_bytes(m.fetch(found[-1], '(RFC822)')[1][0][1])


def say(f, s, line):
    s.sendall(line + b'\r\n')
    while True:
        answer = f.readline()
        if answer[3:4] != b'-':
            return answer


@pytest.mark.parametrize('header, client', [(V1, '192.0.2.7'), (v2('192.0.2.8'), '192.0.2.8'),
                                            (v2('192.0.2.9', b'\x04\0\x03xyz'), '192.0.2.9'),
                                            (b'PROXY UNKNOWN\r\n', PROXY), (v2('192.0.2.10', b'', 0x20), PROXY)])
def test_the_client_of_smtp(server, header, client):
    with connect(server, 'smtp', header) as s, s.makefile('rb') as f:
        assert f.readline().startswith(b'220 ')
        for line in (b'EHLO c.example', b'MAIL FROM:<a@far.example>', b'RCPT TO:<anna@example.com>'):
            assert say(f, s, line).startswith(b'250 ')
        assert say(f, s, b'DATA').startswith(b'354 ')
        assert say(f, s, b'Subject: x\r\n\r\ny\r\n.').startswith(b'250 ')
    assert f'from c.example ([{client}]) by' in ' '.join(inbox(server)['Received'].split())
    assert 'ev=smtp.message' in server.log() and f'peer={client} helo=c.example' in server.log()


def test_it_stands_before_tls_and_in_every_protocol(server):
    for service, first in (('imaps', b'* OK'), ('pop3s', b'+OK'), ('submissions', b'220 ')):
        with connect(server, service, v2('192.0.2.20')) as s, TLS.wrap_socket(s) as t:
            assert t.recv(1000).startswith(first)
    for service, first in (('imap', b'* OK'), ('pop3', b'+OK'), ('submission', b'220 ')):
        with connect(server, service, V1) as s:
            assert s.recv(1000).startswith(first)


def test_log_ins_are_of_the_client(server):
    with connect(server, 'imaps', v2('192.0.2.30')) as s, TLS.wrap_socket(s) as t, t.makefile('rb') as f:
        f.readline()
        t.sendall(b'a LOGIN anna wrong\r\n')
        assert f.readline().startswith(b'a NO')
    wait_for(lambda: 'peer=192.0.2.30 login=anna' in server.log())
    with connect(server, 'imap', b'PROXY TCP4 127.0.0.1 127.0.0.1 1 143\r\n') as s, s.makefile('rb') as f:
        assert b'LOGINDISABLED' in f.readline()  # the proxy's loopback is not ours


def test_a_proxy_must_say_it_and_nobody_else_may(server):
    with connect(server, 'smtp', b'EHLO c.example\r\n') as s:
        assert s.recv(1000) == b''
    assert f'peer={PROXY} reason="no header of the PROXY protocol"' in server.log()
    with connect(server, 'smtp', V1, OTHER) as s, s.makefile('rb') as f:
        assert f.readline().startswith(b'220 ')
        assert f.readline().startswith(b'500 5.5.2 ')
    with connect(server, 'pop3', V1, OTHER) as s, s.makefile('rb') as f:
        assert f.readline().startswith(b'+OK')
        assert f.readline().startswith(b'-ERR')


def test_xclient(server):
    with connect(server, 'smtp', source=SPEAKER) as s, s.makefile('rb') as f:
        f.readline()
        s.sendall(b'EHLO filter.example\r\n')
        lines = [f.readline()]
        while lines[-1][3:4] == b'-':
            lines.append(f.readline())
        assert b'250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT\r\n' in lines
        assert say(f, s, b'XCLIENT ADDR=198.51.100.7 NAME=c.example').startswith(b'220 ')
        for line in (b'EHLO c.example', b'MAIL FROM:<a@far.example>', b'RCPT TO:<anna@example.com>'):
            assert say(f, s, line).startswith(b'250 ')
        assert say(f, s, b'DATA').startswith(b'354 ')
        assert say(f, s, b'Subject: x\r\n\r\ny\r\n.').startswith(b'250 ')
    assert 'from c.example ([198.51.100.7]) by' in ' '.join(inbox(server)['Received'].split())
    assert 'ev=smtp.xclient' in server.log() and f'via={SPEAKER} peer=198.51.100.7' in server.log()
    with connect(server, 'smtp', source=OTHER) as s, s.makefile('rb') as f:
        f.readline()
        assert say(f, s, b'XCLIENT ADDR=198.51.100.7').startswith(b'550 5.7.0')


def test_who_is_blocked_is_so_behind_a_proxy(server):
    server.ctl('block', 'add', '192.0.2.66')

    def word(service, client):
        with connect(server, service, v2(client)) as s:
            return s.recv(1000)
    for service in ('smtp', 'imap', 'pop3'):
        wait_for(lambda s=service: word(s, '192.0.2.66') == b'')
        assert word(service, '192.0.2.67') != b''
    assert 'ev=conn.blocked' in server.log() and 'peer=192.0.2.66' in server.log()
    with connect(server, 'smtp', source=SPEAKER) as s, s.makefile('rb') as f:
        f.readline()
        assert say(f, s, b'XCLIENT ADDR=192.0.2.66').startswith(b'554 5.7.1 ')
        assert f.readline() == b''
    server.ctl('block', 'remove', '192.0.2.66')
    wait_for(lambda: word('smtp', '192.0.2.66').startswith(b'220 '))
