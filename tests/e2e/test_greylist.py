"""Strangers at RCPT: doubtful first contacts come again, known ones do not wait, and nobody comes too often.

SPDX-License-Identifier: Apache-2.0
"""
import os
import signal
import smtplib
import ssl
import time

import pytest
from godwit import Server, free_port, wait_for
from knot import Knot
from sink import Sink
from wire import Smtp

TLS = ssl._create_unverified_context()
RECORDS = '''pass.example. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
9.113.0.203.in-addr.arpa. 60 IN PTR mail.named.example.
mail.named.example. 60 IN A 203.0.113.9
2.0.0.127.bad.example. 60 IN A 127.0.0.2
9.113.0.203.bad.example. 60 IN A 127.0.0.2
2.0.0.127.good.example. 60 IN A 127.0.0.2
77.100.51.198.good.example. 60 IN A 127.0.0.2'''.splitlines()
WAIT_S = 2


@pytest.fixture(scope='module')
def town():
    dns = Knot(RECORDS)
    sink = Sink(free_port())
    port = sink.server.server_address[1]
    s = Server(extra=[f'resolver {dns.resolver()} no-dnssec', 'xclient-from 127.0.0.4', 'dnsbl bad.example', 'dnswl good.example',
                      f'greylist doubtful wait {WAIT_S}', 'inbound-limits network 30 domain 25 recipient 20',
                      f'route elsewhere.example 127.0.0.1:{port}'])
    try:
        dns.start()
        s.start()
        s.add_domain()
        for name in ('anna', 'bert', 'carl', 'dora', 'emil'):
            s.add_account(name)
        wait_for(lambda: s.log().count('ev=list.on') >= 2)
        yield s
    finally:
        s.remove()
        dns.remove()
        sink.close()


def send(town, client, sender, to='anna@example.com'):
    """The reply that decides."""
    with Smtp(town.ports['smtp'], source='127.0.0.4') as s:
        assert s.ask('EHLO proxy.example') == 250
        assert s.ask(f'XCLIENT ADDR={"IPV6:" if ":" in client else ""}{client}') == 220
        assert s.ask('EHLO client.example') == 250
        assert s.ask(f'MAIL FROM:<{sender}>') == 250
        code = s.ask(f'RCPT TO:<{to}>')
        if code != 250:
            return code
        assert s.ask('DATA') == 354
        return s.ask('Subject: x\r\n\r\ny\r\n.')


def restart_store(town):
    old = town.roles()['store.0']
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: town.roles().get('store.0') not in (None, old))
    wait_for(lambda: town.ctl('status', check=False).returncode == 0)


def test_a_doubtful_first_contact_comes_again(town):
    assert send(town, '198.51.100.5', 'a@doubt.example') == 451
    assert 'code=451 enhanced=4.7.1' in town.log()
    wait_for(lambda: send(town, '198.51.100.6', 'a@doubt.example') == 250, pause=0.7)  # another host of its network
    assert send(town, '198.51.100.7', 'b@doubt.example', 'bert@example.com') == 250  # known from now on
    assert send(town, '198.51.100.5', 'a@other.example') == 451  # in another name
    assert send(town, '198.51.101.5', 'a@doubt.example') == 451  # of another network
    restart_store(town)
    assert send(town, '198.51.100.8', 'c@doubt.example') == 250


def test_who_does_not_wait(town):
    assert send(town, '192.0.2.5', 'a@pass.example') == 250  # SPF speaks for it
    assert send(town, '198.51.102.5', '') == 250  # a report
    assert send(town, '198.51.100.77', 'a@good.example') == 250  # a list of good senders
    with smtplib.SMTP('127.0.0.1', town.ports['smtp']) as s:  # this machine
        s.sendmail('a@here.example', 'anna@example.com', 'Subject: x\r\n\r\ny\r\n')
    with smtplib.SMTP('127.0.0.1', town.ports['submission'], timeout=30) as s:
        s.starttls(context=TLS)
        s.login('anna@example.com', 'secret')
        s.sendmail('anna@example.com', 'Friend@elsewhere.example', 'From: anna@example.com\r\nSubject: hi\r\n\r\nhi\r\n')
    assert send(town, '198.51.103.5', 'friend@elsewhere.example') == 250  # whom anna wrote to
    assert send(town, '198.51.104.5', 'friend@elsewhere.example', 'bert@example.com') == 451


def test_a_listed_one_waits_even_with_a_name(town):
    assert send(town, '203.0.113.9', 'a@named.example') == 451
    wait_for(lambda: send(town, '203.0.113.9', 'a@named.example') == 250, pause=0.7)


def test_too_often(town):
    wait_for(lambda: time.time() % 3600 < 3500, 200)  # hours of the clock count
    codes = [send(town, '192.0.2.9', 'a@pass.example', 'carl@example.com') for _ in range(11)]
    assert codes == [250] * 10 + [451]  # of one network to one recipient
    assert 'ev=inbound.limit' in town.log() and 'kind=pair name="192.0.2.0/24 carl@example.com"' in town.log()
    codes = [send(town, '192.0.2.11', '', f'{to}@example.com') for to in ['dora'] * 10 + ['emil'] * 9 + ['bert'] * 3]
    assert codes[0] == 250 and codes[-1] == 451  # of one network
    assert 'kind=network name=192.0.2.0/24' in town.log()
    assert send(town, '198.51.100.9', 'd@doubt.example', 'emil@example.com') == 250
