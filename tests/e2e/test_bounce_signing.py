"""Signed bounce addresses: what leaves, which reports come back, which are refused.

SPDX-License-Identifier: Apache-2.0
"""
import re
import smtplib
import ssl

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def sink():
    s = Sink(free_port())
    s.port = s.server.server_address[1]
    yield s
    s.close()


@pytest.fixture(scope='module')
def town(sink):
    s = Server(extra=['outbound none', f'route elsewhere.example 127.0.0.1:{sink.port}',
                      'bounce-signing require anna@example.com', 'bounce-signing sign bert@example.com'])
    s.start()
    s.add_domain()
    for name in ('anna', 'bert', 'carl'):
        s.add_account(name)
    yield s
    s.remove()


def sender_of(town, sink, name, to):
    with smtplib.SMTP('127.0.0.1', town.ports['submission'], timeout=30) as s:
        s.starttls(context=TLS)
        s.login(name.split('+')[0] + '@example.com', 'secret')
        s.sendmail(f'{name}@example.com', [to], f'From: {name}@example.com\r\nSubject: out\r\n\r\nhello\r\n')
    return wait_for(lambda: sink.to(to))[0][0]


def report(town, to, sender=''):
    with smtplib.SMTP('127.0.0.1', town.ports['smtp'], timeout=30) as s:
        s.ehlo('mx.elsewhere.example')
        s.mail(sender)
        code, text = s.rcpt(to)
        if code == 250:
            code, text = s.data(f'From: postmaster@elsewhere.example\r\nSubject: report to {to}\r\n\r\nno\r\n')
        return code, text.decode()


def delivered(town, to, account):
    return re.search(rf'ev=store\.deliver .*account={account}@example\.com .*asked="{re.escape(to)}"', town.log())


def test_a_signed_sender_gets_its_reports(town, sink):
    signed = sender_of(town, sink, 'anna', 'one@elsewhere.example')
    assert re.fullmatch(r'prvs=0\d{3}[0-9a-f]{6}=anna@example\.com', signed)
    assert re.search(rf'ev=queue\.rewrite .*from=anna@example\.com as="{re.escape(signed)}"', town.log())
    assert report(town, signed)[0] == 250
    assert wait_for(lambda: delivered(town, signed, 'anna'))
    assert report(town, signed.upper().replace('EXAMPLE.COM', 'example.com'))[0] == 250  # some hosts do that
    assert report(town, signed, 'clerk@elsewhere.example')[0] == 250  # an answering machine with a sender
    tagged = sender_of(town, sink, 'anna+shop', 'two@elsewhere.example')
    assert tagged.endswith('=anna+shop@example.com') and report(town, tagged)[0] == 250


def test_others_are_refused(town, sink):
    signed = sender_of(town, sink, 'anna', 'three@elsewhere.example')
    code, text = report(town, 'anna@example.com')
    assert code == 550 and text.startswith('5.7.1 ') and 'No mail with this sender left here' in text
    assert report(town, 'anna+shop@example.com')[0] == 550
    assert report(town, 'anna@example.com', 'friend@elsewhere.example')[0] == 250  # mail is no report
    digit = signed[9]
    forged = signed[:9] + ('0' if digit != '0' else '1') + signed[10:]
    code, text = report(town, forged)
    assert code == 550 and 'was not made here' in text
    assert report(town, signed.replace('=anna@', '=carl@'))[0] == 550


def test_sign_alone_refuses_nothing(town, sink):
    signed = sender_of(town, sink, 'bert', 'four@elsewhere.example')
    assert signed.startswith('prvs=') and report(town, signed)[0] == 250
    assert report(town, 'bert@example.com')[0] == 250
    assert sender_of(town, sink, 'carl', 'five@elsewhere.example') == 'carl@example.com'
    assert report(town, 'carl@example.com')[0] == 250
