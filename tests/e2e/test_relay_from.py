"""relay-from: the machines of the house send without a log-in, signed and in our name only.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import smtplib
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import netns  # noqa: E402
from godwit import Server, free_port, wait_for  # noqa: E402
from sink import Sink  # noqa: E402

MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


class World:
    """A server, a printer that it lists, and a stranger in the same network."""

    def __init__(self, close):
        self.net = netns.Net()
        close.callback(self.net.close)
        here = self.net.add('godwit', 2)
        self.printer, self.stranger = self.net.add('printer', 7), self.net.add('stranger', 8)
        port = free_port()
        with here.inside():
            self.sink = Sink(port)
        close.callback(self.sink.close)
        self.server = Server(prefix=here.prefix, extra=[
            'listen smtp *:25', 'listen submission *:587', 'outbound none', f'route elsewhere.example 127.0.0.1:{port}',
            f'relay-from {self.printer.v4} {self.printer.v6}'])
        close.callback(self.server.remove)
        self.server.start()
        self.server.add_domain()
        self.server.add_account('anna')

    def send(self, host, sender, rcpts, port=25, address=None):
        with host.inside(), smtplib.SMTP(address or '10.66.0.2', port, 'printer.example', timeout=30) as s:
            return s.sendmail(sender, rcpts, 'From: scan@example.com\r\nSubject: scan\r\n\r\nA page.\r\n')


@pytest.fixture(scope='module')
def world():
    with contextlib.ExitStack() as close:
        yield World(close)


def arrived(world, number):
    wait_for(lambda: len(world.sink.messages) >= number)
    assert len(world.sink.messages) == number
    return world.sink.messages[-1]


def test_a_listed_client_sends_to_anywhere(world):
    number = len(world.sink.messages)
    world.send(world.printer, 'scan@example.com', ['x@elsewhere.example'])
    sender, rcpts, text = arrived(world, number + 1)
    assert (sender, rcpts) == ('scan@example.com', ['x@elsewhere.example'])
    head = text.split(b'\r\n\r\n')[0].replace(b'\r\n', b'')
    assert b'DKIM-Signature: ' in head and b'd=example.com' in head
    assert b'with ESMTP (relayed for a listed network)' in head.replace(b'\t', b' ')
    assert b'Message-ID: ' in head and b'Date: ' in head
    assert 'relay=yes' in world.server.log()
    world.send(world.printer, 'scan@example.com', ['y@elsewhere.example'], address='fd66::2')
    assert arrived(world, number + 2)[1] == ['y@elsewhere.example']
    world.send(world.printer, '', ['z@elsewhere.example'])
    assert arrived(world, number + 3)[0] == ''


def refusals(world, host, sender, port=25):
    with pytest.raises(smtplib.SMTPException) as e:
        world.send(host, sender, ['x@elsewhere.example'], port)
    return e.value


def test_nobody_else_and_in_no_other_name(world):
    number = len(world.sink.messages)
    assert refusals(world, world.stranger, 'scan@example.com').recipients['x@elsewhere.example'][0] == 554
    assert refusals(world, world.printer, 'ceo@bank.example').recipients['x@elsewhere.example'][0] == 553
    assert refusals(world, world.printer, 'scan@example.com', 587).smtp_code == 530
    world.send(world.printer, 'ceo@bank.example', ['anna@example.com'])  # as anybody may
    assert len(world.sink.messages) == number


def test_check_says_what_it_means(world):
    said = ' '.join(world.server.ctl('check', check=False).stdout.split())
    assert 'may send mail to anywhere without a log-in' in said
