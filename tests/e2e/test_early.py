"""The pause before the greeting of port 25: who speaks first is refused, who brought mail before is not kept waiting.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import smtplib
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import netns  # noqa: E402
from godwit import Server  # noqa: E402

MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


@pytest.fixture(scope='module')
def world():
    with contextlib.ExitStack() as close:
        net = netns.Net()
        close.callback(net.close)
        here, bot, peer = net.add('godwit', 2), net.add('bot', 6), net.add('peer', 7)
        server = Server(prefix=here.prefix, extra=['listen smtp *:25', 'listen submission *:587'])
        close.callback(server.remove)
        server.start()
        server.add_domain()
        server.add_account('anna')
        yield server, bot, peer


def speak_at_once(host, port=25):
    with host.inside(), socket.create_connection(('10.66.0.2', port), 30) as s:
        s.sendall(b'EHLO bot.example\r\n')
        heard = b''
        while not heard.endswith(b'250 ENHANCEDSTATUSCODES\r\n'):
            more = s.recv(4096)
            if not more:
                break
            heard += more
        return heard


def send(host):
    with host.inside(), smtplib.SMTP('10.66.0.2', 25, 'peer.example', timeout=30) as s:
        s.sendmail('a@peer.example', ['anna@example.com'], 'Subject: x\r\n\r\n.\r\n')


def test_who_speaks_first_is_refused(world):
    server, bot, _ = world
    assert speak_at_once(bot) == b'554 5.5.1 You spoke before you were greeted\r\n'
    assert f'peer={bot.v4} reason="spoke before the greeting"' in server.log()
    assert speak_at_once(bot, 587).startswith(b'220 ')  # users log in there


def test_who_brought_mail_does_not_wait(world):
    _, bot, peer = world
    assert speak_at_once(peer).startswith(b'554 ')
    send(peer)  # waits for the greeting
    assert speak_at_once(peer).startswith(b'220 ')
    assert speak_at_once(bot).startswith(b'554 ')
