"""Authors who look like somebody else: a warning in the message, in the log and in the trace, and the message is taken.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import itertools
import re
import smtplib
import ssl

import pytest
from godwit import Server, wait_for
from knot import Knot
from wire import Smtp

numbers = itertools.count(1)
TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def town():
    knot = Knot(['far.example. 60 IN TXT "v=spf1 -all"']).start()
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'outbound none', 'dmarc off'])
    s.start()
    s.add_domain()
    for name in ('anna', 'bert'):
        s.add_account(name)
    yield s
    s.remove()
    knot.remove()


def arrive(town, author, to, more=''):
    """What is in the mailbox of it."""
    mid = f'{next(numbers)}@far.example'
    with Smtp(town.ports['smtp']) as s:
        assert s.ask('XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]') == 220
        assert s.ask('EHLO far.example') == 250 and s.ask('MAIL FROM:<x@far.example>') == 250
        assert s.ask(f'RCPT TO:<{to}@example.com>') == 250 and s.ask('DATA') == 354
        s.send(f'{more}From: {author}\r\nMessage-ID: <{mid}>\r\n\r\nText.\r\n.\r\n'.encode())
        assert s.reply() == 250
    with imaplib.IMAP4('127.0.0.1', town.ports['imap']) as m:
        m.login(f'{to}@example.com', 'secret')
        m.select('INBOX')
        n = m.search(None, 'HEADER', 'Message-ID', mid)[1][0].split()[0].decode()  # a report may come beside it
        raw = m.fetch(n, '(BODY.PEEK[])')[1][0][1]
    return [line for line in raw.decode().split('\r\n') if line.lower().startswith('x-godwit-warning')]


def test_like_our_domain(town):
    like = 'like=example.com (it looks like a domain of this server)'
    assert arrive(town, 'boss@examp1e.com', 'anna', 'X-Godwit-Warning: none\r\n') == \
        [f'X-Godwit-Warning: imitation from=examp1e.com {like}']
    assert arrive(town, '"boss@examp1e.com" <x@far.example>', 'bert') == [f'X-Godwit-Warning: imitation name=examp1e.com {like}']
    assert arrive(town, '"boss@example.com" <x@far.example>', 'bert', 'X-Godwit-Warning: forged\r\n') == []
    line = next(x for x in town.log().splitlines() if 'ev=store.verdict' in x and 'author=examp1e.com' in x)
    assert 'disposition=take' in line and f'warning="imitation from=examp1e.com {like}"' in line
    tid = re.search(r'tid=(\w+)', line)[1]
    wait_for(lambda: 'warned of: imitation from=examp1e.com' in town.ctl('trace', tid, check=False).stdout)


def test_like_one_that_was_written_to(town):
    with smtplib.SMTP('127.0.0.1', town.ports['submission'], timeout=30) as s:
        s.starttls(context=TLS)
        s.login('anna@example.com', 'secret')
        s.sendmail('anna@example.com', ['sales@bank.example'], 'From: anna@example.com\r\nSubject: hi\r\n\r\nhello\r\n')
    assert arrive(town, 'Bank <sales@xn--bnk-6cd.example>', 'anna')[0] == \
        'X-Godwit-Warning: imitation from=xn--bnk-6cd.example (it looks like a domain that you have written to)'
    assert arrive(town, 'Bank <sales@bank.example>', 'anna') == []
