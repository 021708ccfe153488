"""What an account may send within a day: what is beyond it is held, told, and goes later; nothing is lost.

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import json
import os
import re
import signal
import smtplib
import ssl

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()
HEAD = 'outbound-limits '


@pytest.fixture(scope='module')
def sink():
    s = Sink(free_port())
    s.port = s.server.server_address[1]
    yield s
    s.close()


@pytest.fixture(scope='module')
def town(sink):
    s = Server(extra=['outbound none', f'route elsewhere.example 127.0.0.1:{sink.port}', HEAD + 'messages 3 recipients 5'])
    s.start()
    s.add_domain()
    for name in ('anna', 'bert', 'carl', 'dora'):
        s.add_account(name)
    yield s
    s.remove()


def submit(town, name, to, subject='out'):
    user = f'{name}@example.com'
    with smtplib.SMTP('127.0.0.1', town.ports['submission'], timeout=30) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, to, f'From: {user}\r\nSubject: {subject}\r\n\r\nhello\r\n')


def queue(town):
    return json.loads(town.ctl('queue', 'list', '--json').stdout)


def held(town, name):
    return [m for m in queue(town) if m['sender'] == f'{name}@example.com' and m['held']]


def inbox(town, name):
    m = imaplib.IMAP4('127.0.0.1', town.ports['imap'], timeout=30)
    m.login(f'{name}@example.com', 'secret')
    m.select('INBOX', readonly=True)
    found = m.fetch('1:*', '(BODY.PEEK[])')[1]
    m.logout()
    return [email.message_from_bytes(part[1]) for part in found if isinstance(part, tuple)]


def restart_store(town):
    old = town.roles()['store.0']
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: town.roles().get('store.0') not in (None, old))
    wait_for(lambda: town.ctl('status', check=False).returncode == 0)


def set_limits(town, words):
    with open(town.config, encoding='utf-8') as f:
        text = f.read()
    with open(town.config, 'w', encoding='utf-8') as f:
        f.write(re.sub(HEAD + '.*', HEAD + words, text))
    town.ctl('reload')


def test_beyond_the_limit_mail_is_held_and_its_owner_told(town, sink):
    for i in range(3):
        submit(town, 'anna', [f'a{i}@elsewhere.example'])
        wait_for(lambda: sink.to(f'a{i}@elsewhere.example'))
    submit(town, 'anna', ['bert@example.com'])  # here it counts nothing
    submit(town, 'anna', ['a0@elsewhere.example', 'dora@example.com'], 'fourth')
    [m] = held(town, 'anna')
    assert m['over_limit'] and len(m['recipients']) == 2
    assert 'held: its account sent too much' in town.ctl('queue', 'list').stdout
    assert 'over limit' in town.ctl('queue', 'show', m['qid']).stdout
    [notice] = inbox(town, 'anna')
    assert notice['Auto-Submitted'] == 'auto-generated' and notice['From'] == 'Postmaster <postmaster@example.com>'
    assert 'sends 3\r\nmessages for one account' in notice.get_payload()
    assert re.search(rf'ev=outbound\.held .*qid={m["qid"].zfill(16)} .*messages=3 ', town.log())
    submit(town, 'bert', ['a0@elsewhere.example'])  # others are as free as before
    wait_for(lambda: len(sink.to('a0@elsewhere.example')) == 2)
    assert not inbox(town, 'dora')


def test_it_is_remembered_over_a_restart(town):
    restart_store(town)
    submit(town, 'anna', ['a0@elsewhere.example'], 'fifth')
    assert len(held(town, 'anna')) == 2 and len(inbox(town, 'anna')) == 1  # nobody is told twice a day


def test_an_operator_lets_it_go(town, sink):
    before = len(sink.to('a0@elsewhere.example'))
    town.ctl('queue', 'release', held(town, 'anna')[0]['qid'])
    wait_for(lambda: len(sink.to('a0@elsewhere.example')) == before + 1)
    wait_for(lambda: inbox(town, 'dora'))
    assert len(held(town, 'anna')) == 1


def test_first_time_recipients(town, sink):
    five = [f'c{i}@elsewhere.example' for i in range(5)]
    submit(town, 'carl', five)
    submit(town, 'carl', five)  # he knows them by now
    wait_for(lambda: len(sink.to(five[4])) == 2)
    submit(town, 'carl', [*five, 'new@elsewhere.example'])
    assert len(held(town, 'carl')) == 1 and not sink.to('new@elsewhere.example')
    [notice] = inbox(town, 'carl')
    assert 'sends to 5 such addresses' in notice.get_payload()


def test_with_room_again_it_goes_by_itself(town, sink):
    town.ctl('account', 'suspend', 'carl@example.com')
    kept = held(town, 'anna')[0]['qid']
    before = len(sink.to('a0@elsewhere.example'))
    town.ctl('queue', 'hold', kept)  # held by an operator, who alone releases it then
    submit(town, 'anna', ['a0@elsewhere.example'], 'sixth')
    set_limits(town, 'messages 100 recipients 100')
    wait_for(lambda: len(sink.to('a0@elsewhere.example')) == before + 1)
    assert 'ev=outbound.goes' in town.log()
    assert [m['qid'] for m in held(town, 'anna')] == [kept]
    assert len(held(town, 'carl')) == 1  # whoever suspended him knows why he sends so much
    submit(town, 'dora', [f'd{i}@elsewhere.example' for i in range(100)])
    assert not held(town, 'dora')
    set_limits(town, 'none')
    submit(town, 'dora', [f'e{i}@elsewhere.example' for i in range(6)])
    wait_for(lambda: sink.to('e5@elsewhere.example'))
