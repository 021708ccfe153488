"""Strangers' mail is judged by SPF, DKIM, ARC and DMARC: what is taken, what goes to Junk, what is refused, and the field
that says so.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import imaplib
import itertools
import os
import poplib
import signal
import subprocess
import sys
import threading

import dkim
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, halt, wait_for  # noqa: E402
from knot import Knot  # noqa: E402
from wire import Smtp  # noqa: E402

GOOD, EVIL = '192.0.2.1', '192.0.2.66'
numbers = itertools.count(1)


def policies():
    """From each of these domains 192.0.2.1 may send; what they ask for in DMARC is their name, but for "plain"."""
    lines = []
    for name, policy in (('reject', 'reject'), ('quarantine', 'quarantine'), ('none', 'none'), ('plain', None),
                         *((f'slow{n}', 'none') for n in range(1, 3))):
        lines += [f'{name}.example. 60 IN A {GOOD}', f'{name}.example. 60 IN TXT "v=spf1 ip4:{GOOD} -all"']
        if policy:
            lines.append(f'_dmarc.{name}.example. 60 IN TXT "v=DMARC1; p={policy}"')
    return [*lines, f'evil.example. 60 IN TXT "v=spf1 ip4:{EVIL} -all"', f'list.example. 60 IN TXT "v=spf1 ip4:{EVIL} -all"',
            f'mx.reject.example. 60 IN A {GOOD}']


@pytest.fixture(scope='module')
def pem():
    return subprocess.run(['openssl', 'genrsa', '-traditional', '2048'], capture_output=True, check=True).stdout


@pytest.fixture(scope='module')
def knot(pem):
    der = subprocess.run(['openssl', 'rsa', '-pubout', '-outform', 'DER'], input=pem, capture_output=True, check=True).stdout
    record = 'v=DKIM1; k=rsa; p=' + base64.b64encode(der).decode()
    parts = ' '.join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
    k = Knot([*policies(), *(f's._domainkey.{d}.example. 60 IN TXT {parts}' for d in ('reject', 'list'))]).start()
    yield k
    k.remove()


@pytest.fixture(scope='module')
def server(knot):
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'outbound none'])
    s.start()
    s.add_domain()
    yield s
    s.remove()


def message(author, more=''):
    return (f'{more}From: a@{author}\r\nTo: x@example.com\r\nSubject: hello\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n'
            f'Message-ID: <{next(numbers)}@{author}>\r\n\r\nText.\r\n').encode()


def begin(server, client, sender, rcpts):
    s = Smtp(server.ports['smtp'])
    assert s.ask(f'XCLIENT ADDR={client} NAME=[UNAVAILABLE]') == 220
    assert s.ask('EHLO mx.reject.example') == 250 and s.ask(f'MAIL FROM:<{sender}>') == 250
    for rcpt in rcpts:
        assert s.ask(f'RCPT TO:<{rcpt}>') == 250
    assert s.ask('DATA') == 354
    return s


def send(server, client, sender, rcpts, data):
    """The code and the text of the reply to the message."""
    with begin(server, client, sender, [rcpts] if isinstance(rcpts, str) else rcpts) as s:
        s.send(data + b'.\r\n')
        code = s.reply()
        return code, b' '.join(s.text).decode()


def texts(server, user, box='INBOX'):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(user, 'secret')
        m.select(box, readonly=True)
        found = []
        for n in m.search(None, 'ALL')[1][0].split():
            size, raw = m.fetch(n, '(FLAGS RFC822.SIZE BODY.PEEK[])')[1][0]
            assert f'RFC822.SIZE {len(raw)} '.encode() in size and b'\\Seen' not in size, size
            found.append(raw)
        return found


def results(raw):
    """The field on top, unfolded."""
    head, _ = raw.split(b'\r\nReturn-Path:', 1)
    assert head.startswith(b'Authentication-Results: mail.example.com;'), raw[:300]
    return ' '.join(head.decode().split())


def test_what_passes(server, user, pem):
    assert send(server, GOOD, 'a@reject.example', user, message('reject.example'))[0] == 250
    by_spf = results(texts(server, user)[0])
    assert 'dmarc=pass (p=reject dis=none) header.from=reject.example' in by_spf
    assert 'spf=pass smtp.mailfrom=a@reject.example' in by_spf and 'dkim=none' in by_spf
    assert f'policy.iprev={GOOD}' in by_spf  # no name: the resolver itself answers for addresses of documentation
    text = message('reject.example')
    signed = dkim.sign(text, b's', b'reject.example', pem) + text
    assert send(server, EVIL, 'a@evil.example', user, signed)[0] == 250
    by_dkim = results(texts(server, user)[1])
    assert 'dmarc=pass' in by_dkim and 'dkim=pass header.d=reject.example header.s=s header.a=rsa-sha256 header.b=' in by_dkim
    assert texts(server, user)[1].endswith(signed)
    with poplib_of(server, user) as p:
        raw = b'\r\n'.join(p.retr(2)[1]) + b'\r\n'
        assert results(raw) == by_dkim and int(p.list(2).split()[2]) == len(raw)


class poplib_of(poplib.POP3):
    def __init__(self, server, user):
        super().__init__('127.0.0.1', server.ports['pop3'])
        self.user(user)
        self.pass_('secret')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()


def test_what_is_refused(server, user):
    code, text = send(server, EVIL, 'a@evil.example', user, message('reject.example'))
    assert code == 550 and '5.7.1' in text and 'reject.example, which asks for p=reject' in text
    assert texts(server, user) == [] and texts(server, user, 'Junk') == []
    lines = [line for line in server.log().splitlines() if 'ev=store.verdict' in line and 'author=reject.example' in line]
    assert 'disposition=refuse' in lines[-1] and 'spf=pass' in lines[-1] and 'dmarc=fail' in lines[-1]


@pytest.mark.parametrize('author, client, sender, more', [
    ('reject.example', EVIL, 'l-bounces@list.example', 'List-Id: <l.list.example>\r\n'),
    ('quarantine.example', EVIL, 'a@evil.example', ''),
    ('plain.example', EVIL, 'a@plain.example', '')])
def test_what_goes_to_junk(server, user, author, client, sender, more):
    assert send(server, client, sender, user, message(author, more))[0] == 250
    assert texts(server, user) == []
    raw, = texts(server, user, 'Junk')
    assert ('dis=quarantine' in results(raw)) == (author != 'plain.example')


def test_what_is_taken_all_the_same(server, user):
    for author in ('none.example', 'nowhere.example'):
        assert send(server, EVIL, 'a@evil.example', user, message(author))[0] == 250
    found = [results(raw) for raw in texts(server, user)]
    assert 'dmarc=fail (p=none dis=none)' in found[0] and 'dmarc=none' in found[1], found


def test_a_list_that_seals(server, user, pem):
    """Its footer broke the signature; the chain says that it was good, and that is worth Junk instead of a refusal."""
    text = message('reject.example')
    signed = b'Authentication-Results: list.example; dkim=pass header.d=reject.example\r\n' + dkim.sign(
        text, b's', b'reject.example', pem) + text + b'-- footer\r\n'
    seal = dkim.arc_sign(signed, b's', b'list.example', pem, b'list.example')
    assert send(server, EVIL, 'b@list.example', user, b''.join(seal) + signed)[0] == 250
    said = results(texts(server, user, 'Junk')[0])
    assert f'arc=pass (i=1) header.oldest-pass=0 smtp.remote-ip={EVIL}' in said
    assert 'dkim=fail' in said and 'dmarc=fail (p=reject dis=quarantine)' in said


def test_several_recipients(server):
    users = [server.add_account(f'many{n}') for n in range(3)]
    assert send(server, EVIL, 'a@evil.example', users, message('quarantine.example'))[0] == 250
    assert send(server, GOOD, 'a@reject.example', users, message('reject.example'))[0] == 250
    for user in users:
        wait_for(lambda u=user: texts(server, u) and texts(server, u, 'Junk'))
        assert len(texts(server, user)) == len(texts(server, user, 'Junk')) == 1
        assert 'dmarc=pass' in results(texts(server, user)[0])
    assert send(server, EVIL, 'a@evil.example', users, message('reject.example'))[0] == 550


def test_one_that_streams(server, user, pem):
    text = message('reject.example') + b'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n' * 48000
    signed = dkim.sign(text, b's', b'reject.example', pem) + text
    assert len(signed) > 3000000
    assert send(server, EVIL, 'a@evil.example', user, signed)[0] == 250
    raw, = texts(server, user)
    assert raw.endswith(signed) and 'dkim=pass' in results(raw) and 'dmarc=pass' in results(raw)
    assert send(server, EVIL, 'a@evil.example', user, signed.replace(b'0123', b'0124', 1))[0] == 550
    assert len(texts(server, user)) == 1


@pytest.mark.parametrize('number, size', [(1, 1), (2, 40000)])
def test_a_cook_that_dies_in_between(server, user, knot, number, size):
    """DNS stands still while the message waits for it; its cook ends; another one judges it, once."""
    data = message(f'slow{number}.example') + b'Some text that is long enough.\r\n' * size
    answers = []

    def finish(s):
        s.send(data + b'.\r\n')
        answers.append(s.reply())

    before = server.roles()['cook.0']
    with begin(server, GOOD, 'a@plain.example', [user]) as s:
        halt(knot.process.pid)
        try:
            t = threading.Thread(target=finish, args=(s,))
            t.start()
            threading.Event().wait(1)
            assert not answers  # it waits
            os.kill(before, signal.SIGKILL)
            wait_for(lambda: server.roles().get('cook.0', before) != before)
        finally:
            knot.process.send_signal(signal.SIGCONT)
        t.join(60)
    assert answers[0] in (250, 451), answers
    if answers[0] == 451:
        assert send(server, GOOD, 'a@plain.example', user, data)[0] == 250
    raw, = texts(server, user)
    assert raw.endswith(data) and 'dmarc=' in results(raw)
