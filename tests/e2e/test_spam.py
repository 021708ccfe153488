"""Strangers' mail has a spam score, said word by word in a field; what scores high goes to Junk, but never what comes from
those whom its recipient writes to.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import re
import smtplib
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, wait_for  # noqa: E402
from knot import Knot  # noqa: E402
from wire import Smtp  # noqa: E402

GOOD = '192.0.2.1'
ADVERT = '''From: "Rich Offers" <{author}>\r
Subject: MAKE MONEY FAST!!!     x81\r
Message-ID: <{author}>\r
X-Priority: 1\r
Content-Type: text/html\r
X-Godwit-Spam: score=-99\r
\r
<html><font color=#ff0000>Click here to order now! 100% free, money back guarantee.</font>\r
<a href=http://10.1.2.3/remove>click below to be removed from our mailing list</a>\r
'''
LETTER = '''From: Anna <{author}>\r
Subject: Re: the patch\r
Message-ID: <{author}>\r
In-Reply-To: <1@example.com>\r
\r
On Thu, Bert wrote:\r
> the kernel has a bug\r
I think so, look at the code.\r
'''


@pytest.fixture(scope='module')
def knot():
    lines = []
    for name in ('plain', 'other'):
        lines += [f'{name}.example. 60 IN A {GOOD}', f'{name}.example. 60 IN TXT "v=spf1 ip4:{GOOD} -all"']
    k = Knot(lines).start()
    yield k
    k.remove()


@pytest.fixture(scope='module')
def server(knot):
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'outbound none',
                      f'route plain.example 127.0.0.1:{free_port()}'])
    s.start()
    s.add_domain()
    yield s
    s.remove()


def send(server, rcpts, author, text):
    with Smtp(server.ports['smtp']) as s:
        assert s.ask(f'XCLIENT ADDR={GOOD} NAME=[UNAVAILABLE]') == 220
        assert s.ask('EHLO plain.example') == 250
        assert s.ask(f'MAIL FROM:<bounces@{author.split("@")[1]}>') == 250
        for rcpt in rcpts:
            assert s.ask(f'RCPT TO:<{rcpt}>') == 250
        assert s.ask('DATA') == 354
        s.send(text.format(author=author) + '.\r\n')
        assert s.reply() == 250


class Imap(imaplib.IMAP4):
    def __init__(self, server, user):
        super().__init__('127.0.0.1', server.ports['imap'])
        self.login(user, 'secret')

    def __exit__(self, *_):
        self.logout()


def texts(server, user, box):
    with Imap(server, user) as m:
        m.select(box, readonly=True)
        return [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in m.search(None, 'ALL')[1][0].split()]


def counts(server, user):
    return len(texts(server, user, 'INBOX')), len(texts(server, user, 'Junk'))


def fields(raw):
    head = re.sub(rb'\r\n[ \t]+', b' ', raw.split(b'\r\n\r\n', 1)[0])
    return [line for line in head.split(b'\r\n') if line.lower().startswith(b'x-godwit-spam')]


def write_to(server, user, address):
    """A message of the user, who then corresponds with the address."""
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls()
        s.login(user, 'secret')
        s.sendmail(user, [address], f'From: {user}\r\nSubject: hello\r\n\r\nHello.\r\n')


def test_the_score_decides_and_says_why(server, user):
    send(server, [user], 'win77@plain.example', ADVERT)
    send(server, [user], 'anna@plain.example', LETTER)
    assert counts(server, user) == (1, 1)
    raw, = texts(server, user, 'Junk')
    junk, = fields(raw)
    assert raw.startswith(b'Authentication-Results: ')
    assert re.match(rb'X-Godwit-Spam: score=\d+\.\d\d; threshold=5\.00; author=proven; "', junk), junk
    assert len(re.findall(rb'"[^"]+" [+-]\d+\.\d\d', junk)) == 12, junk
    wanted, = fields(texts(server, user, 'INBOX')[0])
    assert wanted.startswith(b'X-Godwit-Spam: score=-'), wanted


def test_the_trace_says_why(server, user):
    send(server, [user], 'trace@plain.example', ADVERT)
    told = ''

    def is_told():
        nonlocal told
        told = server.ctl('trace', '<trace@plain.example>', check=False).stdout
        return 'is in the mailbox' in told
    wait_for(is_told)
    assert re.search(r'; taken; spam score \d+\.\d\d: "', told), told
    assert re.search(rf'is in the mailbox of {user}: Junk, UID 1; spam score \d+\.\d\d: "', told), told


def test_who_is_written_to_is_never_junk(server, user):
    other = server.add_account('stranger-to-all')
    send(server, [user], 'friend@plain.example', ADVERT)
    assert counts(server, user) == (0, 1)
    write_to(server, user, 'Friend@plain.example')
    send(server, [user], 'friend@plain.example', ADVERT)
    assert counts(server, user) == (1, 1)
    send(server, [user, other], 'friend@plain.example', ADVERT)
    wait_for(lambda: counts(server, user) == (2, 1) and counts(server, other) == (0, 1))
    # nobody forges it: SPF speaks of another domain
    send(server, [user], 'bounces@other.example', ADVERT.replace('<{author}>', '<friend@plain.example>'))
    assert counts(server, user) == (2, 2)


NONSENSE = '''From: Someone <{author}>\r
Subject: zorgle blimpo\r
Message-ID: <{author}>\r
\r
Quabble frimp wozzle snerd plimbo gratch vund skelter mibble.\r
'''


def learned(server):
    return server.log().count('ev=spam.learn')


def move(server, user, box, to, n=1):
    """All of it; returns when that is learned."""
    before = learned(server)
    with Imap(server, user) as m:
        m.select(box)
        assert m.uid('MOVE', '1:*', to)[0] == 'OK'
    wait_for(lambda: learned(server) == before + n)


def why(server):
    return [line.split('why=', 1)[1] if 'why=' in line else '' for line in server.log().splitlines()
            if 'ev=store.deliver' in line][-1]


def test_moves_hold_for_the_author(server, user):
    send(server, [user], 'nag@plain.example', LETTER)
    move(server, user, 'INBOX', 'Junk')
    send(server, [user], 'nag@plain.example', LETTER)
    assert counts(server, user) == (0, 2) and 'mail of its author was moved to Junk' in why(server)
    move(server, user, 'Junk', 'INBOX', n=2)
    send(server, [user], 'nag@plain.example', LETTER)
    assert counts(server, user) == (3, 0)
    send(server, [user], 'nag@plain.example', ADVERT)
    assert counts(server, user) == (4, 0) and 'was moved out of Junk' in why(server)


def test_keywords_say_the_same(server, user):
    send(server, [user], 'key@plain.example', LETTER)
    for keyword, expected in (('$Junk', (1, 1)), ('$NotJunk', (2, 1))):
        before = learned(server)
        with Imap(server, user) as m:
            m.select('INBOX')
            assert m.store('1', '+FLAGS', f'({keyword})')[0] == 'OK'
        wait_for(lambda: learned(server) == before + 1)
        send(server, [user], 'key@plain.example', LETTER)
        assert counts(server, user) == expected


def test_an_account_learns_words(server, user):
    other = server.add_account('learns-nothing')
    for n in range(4):
        send(server, [user], f'w{n}@plain.example', NONSENSE)
    assert counts(server, user) == (4, 0)
    move(server, user, 'INBOX', 'Junk', n=4)
    send(server, [user], 'w9@plain.example', NONSENSE)
    assert counts(server, user) == (0, 5) and 'by what was learned here' in why(server)
    send(server, [other], 'w9@plain.example', NONSENSE)
    assert counts(server, other) == (1, 0)
    move(server, user, 'Junk', 'INBOX', n=5)
    send(server, [user], 'w10@plain.example', NONSENSE)
    assert counts(server, user) == (6, 0)
