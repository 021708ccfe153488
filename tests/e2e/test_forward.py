"""Mail that is sent on: by whom it seems to come, how an answer finds back, and that nobody else can use that way.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import re
import smtplib

import pytest
from godwit import Server, wait_for
from sink import Sink

FAR = 'outside.example'
HERE = 'example.com'


@pytest.fixture(scope='module')
def outside(sink_port):
    s = Sink(sink_port)
    yield s
    s.close()


@pytest.fixture(scope='module')
def town(outside, sink_port):
    server = Server(extra=['outbound none', f'route {FAR} 127.0.0.1:{sink_port}', f'route far.example 127.0.0.1:{sink_port}'])
    try:
        server.start().add_domain()
        for name in ('anna', 'bert'):
            server.add_account(name)
        yield server
    finally:
        server.remove()


def send(server, sender, *rcpts, subject='hello'):
    """Replies to RCPT; the message goes to those that were taken."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.ehlo('client.example')
        s.mail(sender)
        replies = [s.rcpt(r) for r in rcpts]
        if any(code == 250 for code, _ in replies):
            assert s.data(f'Subject: {subject}\r\n\r\nText\r\n')[0] == 250
        return replies


def taken(outside, address, subject):
    return wait_for(lambda: [m for m in outside.to(address) if f'Subject: {subject}'.encode() in m[2]])


def test_a_forward_comes_from_us_and_its_report_goes_back(town, outside):
    town.ctl('alias', 'set', 'away@example.com', f'there@{FAR}')
    send(town, 'carl@far.example', 'away@example.com', subject='one')
    ((sender, _, text),) = taken(outside, f'there@{FAR}', 'one')
    assert re.fullmatch(r'SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=far\.example=carl@example\.com', sender), sender
    assert b'Return-Path' not in text
    assert 'ev=queue.rewrite' in town.log()
    # Some hosts fold the local part.
    for n, to in enumerate((sender, sender.lower())):
        assert send(town, '', to, subject=f'report {n}')[0][0] == 250
        ((back, rcpts, _),) = taken(outside, 'carl@far.example', f'report {n}')
        assert (back, rcpts) == ('', ['carl@far.example'])


def test_only_reports_go_back_and_only_to_what_was_made_here(town, outside):
    town.ctl('alias', 'set', 'away@example.com', f'there@{FAR}')
    send(town, 'dora@far.example', 'away@example.com', subject='two')
    ((sender, _, _),) = taken(outside, f'there@{FAR}', 'two')
    before = len(outside.messages)
    for who, to, code, word in (
            ('x@y.example', sender, 550, b'5.7.1 '),
            ('', sender.replace('dora', 'emil'), 550, b'5.7.1 '),
            ('', sender.replace('far.example', 'faz.example'), 550, b'5.7.1 '),
            ('', sender.replace('=far.example', ''), 550, b'5.7.1 '),
            ('', sender.replace('SRS0', 'SRS1'), 550, b'5.7.1 '),
            ('', sender.replace('SRS0=', 'SRS0x'), 550, b'5.1.1 '),
            ('', 'emil@far.example', 554, b'5.7.1 ')):
        ((got, text),) = send(town, who, to)
        assert (got, word in text) == (code, True), (who, to, got, text)
    assert len(outside.messages) == before


def test_own_senders_keep_their_name(town, outside):
    town.ctl('alias', 'set', 'away@example.com', f'there@{FAR}')
    for n, who in enumerate(('anna@example.com', '')):
        send(town, who, 'away@example.com', subject=f'own {n}')
        assert taken(outside, f'there@{FAR}', f'own {n}')[0][0] == who
    send(town, 'SRS0=abcd=EF=first.example=carl@far.example', 'away@example.com', subject='hop')
    assert re.fullmatch(r'SRS1=[A-Z2-7]{8}=far\.example==abcd=EF=first\.example=carl@example\.com',
                        taken(outside, f'there@{FAR}', 'hop')[0][0])


def test_a_forward_that_fails_is_told_to_who_wrote(town, outside):
    town.ctl('alias', 'set', 'gone@example.com', f'gone@{FAR}')
    outside.answers['gone'] = '550 5.1.1 no such user'
    send(town, 'fred@far.example', 'gone@example.com', subject='three')
    ((sender, _, text),) = taken(outside, 'fred@far.example', 'three')
    assert sender == '' and b'gone@example.com' in text


def test_a_report_survives_a_restart(town, outside):
    town.ctl('alias', 'set', 'away@example.com', f'there@{FAR}')
    send(town, 'gus@far.example', 'away@example.com', subject='four')
    ((sender, _, _),) = taken(outside, f'there@{FAR}', 'four')
    town.stop()
    town.start()
    assert send(town, '', sender, subject='after')[0][0] == 250
    assert taken(outside, 'gus@far.example', 'after')[0][0] == ''


def mailbox(server, user, subject):
    """How many messages of that subject a user has."""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap'], timeout=20) as m:
        m.login(user, 'secret')
        m.select('INBOX', readonly=True)
        return len(m.search(None, 'SUBJECT', f'"{subject}"')[1][0].split())


def shown(server, address):
    (account,) = json.loads(server.ctl('account', 'show', address, '--json').stdout)
    return account['forward'], account['keep']


def test_accounts_are_forwarded(town, outside):
    anna, bert = f'anna@{HERE}', f'bert@{HERE}'
    assert shown(town, anna) == ([], False)
    town.ctl('account', 'forward', anna, f'a@{FAR}', bert)
    assert shown(town, anna) == ([f'a@{FAR}', bert], True)
    assert f'kept and forwarded to a@{FAR} {bert}' in town.ctl('account', 'list').stdout
    send(town, 'carl@far.example', anna, subject='kept')
    ((sender, _, _),) = taken(outside, f'a@{FAR}', 'kept')
    assert sender.startswith('SRS0=') and sender.endswith(f'=carl@{HERE}')
    for user in (anna, bert):
        wait_for(lambda user=user: mailbox(town, user, 'kept') == 1)
    town.ctl('account', 'forward', anna, f'a@{FAR}', '--no-keep')
    assert shown(town, anna) == ([f'a@{FAR}'], False)
    send(town, 'carl@far.example', anna, subject='not kept')
    assert taken(outside, f'a@{FAR}', 'not kept')
    town.ctl('account', 'forward', anna, '--off')
    assert shown(town, anna) == ([], False)
    send(town, 'carl@far.example', anna, subject='no more')
    wait_for(lambda: mailbox(town, anna, 'no more') == 1)
    assert mailbox(town, anna, 'not kept') == 0
    assert not [m for m in outside.messages if b'Subject: no more' in m[2]]


def test_forwards_that_cannot_be(town):
    anna, bert = f'anna@{HERE}', f'bert@{HERE}'
    town.ctl('account', 'forward', bert, anna, '--keep')
    for code, words, said in (
            (1, (anna, bert), f'mail to {anna} would come back to it'),
            (1, (f'nobody@{HERE}', bert), 'no such thing'),
            (2, (anna,), 'expected targets'),
            (2, (anna, bert, '--off'), 'expected targets'),
            (2, (anna, '--off', '--keep'), 'expected targets')):
        done = town.ctl('account', 'forward', *words, check=False)
        assert (done.returncode, done.stdout) == (code, ''), words
        assert said in done.stderr
    assert shown(town, anna) == ([], False)
    town.ctl('account', 'forward', bert, '--off')


@pytest.fixture
def two_towns():
    """Two servers, each of whose accounts is forwarded to that of the other."""
    servers = [Server(domain='left.example'), Server(domain='right.example')]
    try:
        for here, there in (servers, servers[::-1]):
            with open(here.config, 'a', encoding='utf-8') as f:
                f.write(f'outbound none\nroute {there.domain} 127.0.0.1:{there.ports["smtp"]}\n')
        for s in servers:
            s.start().add_domain()
            s.add_account('uma')
        servers[0].add_account('wil')
        yield servers
    finally:
        for s in servers:
            s.remove()


@pytest.mark.parametrize('keep', ['--keep', '--no-keep'])
def test_two_servers_that_forward_to_each_other(two_towns, keep):
    left, right = two_towns
    for here, there in (two_towns, two_towns[::-1]):
        here.ctl('account', 'forward', f'uma@{here.domain}', f'uma@{there.domain}', keep)
    with smtplib.SMTP('127.0.0.1', left.ports['submission'], timeout=20) as s:
        s.login('wil@left.example', 'secret')
        s.sendmail('wil@left.example', ['uma@left.example'], 'From: wil@left.example\r\nSubject: round\r\n\r\nText\r\n')
    wait_for(lambda: mailbox(left, 'wil@left.example', 'round') == 1)  # the report, which names the subject

    def idle(server):
        return json.loads(server.ctl('queue', 'list', '--json').stdout) == []
    wait_for(lambda: idle(left) and idle(right))
    copies = 1 if keep == '--keep' else 0
    assert [mailbox(s, f'uma@{s.domain}', 'round') for s in two_towns] == [copies, copies]
    assert mailbox(left, 'wil@left.example', 'round') == 1
    # It went there and back, and no further.
    assert len(re.findall(r'ev=queue\.add ', left.log())) <= 3, left.log()
    assert len(re.findall(r'ev=out\.attempt ', left.log() + right.log())) <= 4
