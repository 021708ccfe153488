"""Milters: what they hear, what each answer and each change does, and everything that can go wrong.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import smtplib
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, wait_for  # noqa: E402
from milter import Milter, field, packet, z  # noqa: E402

MESSAGE = b'From: a@far.example\r\nSubject: x\r\nX-A: 1\r\nX-A: 2\r\n\r\none\r\ntwo\r\n'
MUTE = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 | 0x80000
NO = 0x7f | 0x200


@pytest.fixture(scope='module')
def world():
    ports = [free_port() for _ in range(4)]
    s = Server(extra=['message-size 20M'])
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'milter unix {s.dir}/first name first timeout 3\nmilter 127.0.0.1:{ports[0]} timeout 3 default accept\n'
                f'milter 127.0.0.1:{ports[1]} on submission timeout 20\n'
                f'milter 127.0.0.1:{ports[2]} on submission default accept\n')
    milters = [Milter(f'{s.dir}/first'), Milter(('127.0.0.1', ports[0]), steps=MUTE | 0x800),
               Milter(('127.0.0.1', ports[1]), version=2)]
    s.start()
    s.add_domain()
    for name in ('anna', 'bert'):
        s.add_account(name)
    s.ctl('domain', 'show', 'example.com')
    yield (s, *milters)
    s.remove()
    for m in milters:
        m.close()


@pytest.fixture
def smtp(world):
    for m in world[1:]:
        m.reset()
    with smtplib.SMTP('127.0.0.1', world[0].ports['smtp'], 'client.example', timeout=60) as c:
        c.ehlo()
        yield c


def send(c, *to, message=MESSAGE, sender='a@far.example'):
    """The first answer that is no 250 or 354, or that to the message."""
    c.rset()
    answer = c.mail(sender)
    for one in to or ('anna',):
        if answer[0] == 250:
            answer = c.rcpt(f'{one}@example.com')
    try:
        return c.data(message) if answer[0] == 250 else answer
    except smtplib.SMTPDataError as e:  # instead of 354
        return e.smtp_code, e.smtp_error


def box(server, name='anna'):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(name, 'secret')
        m.select('INBOX')
        found = m.search(None, 'ALL')[1][0].split()
        return len(found), m.fetch(found[-1], '(BODY.PEEK[])')[1][0][1] if found else b''


def arrives(server, before, name='anna'):
    return wait_for(lambda: (lambda r: r[1] if r[0] > before else None)(box(server, name)))


def test_what_is_heard(world, smtp):
    server, first, second, _ = world
    n = box(server)[0]
    assert send(smtp, 'anna', 'bert')[0] == 250
    wait_for(lambda: first.letters().endswith('K') and second.letters().endswith('K'))
    assert first.letters().lstrip('O') == 'CHMRRTLLLLNBEK'
    assert first.data('C') == [b'[127.0.0.1]\0004' + smtp.sock.getsockname()[1].to_bytes(2, 'big') + b'127.0.0.1\0']
    assert first.data('H') == [b'client.example\0'] and first.data('M')[0].startswith(b'<a@far.example>\0')
    assert first.data('R') == [b'<anna@example.com>\0', b'<bert@example.com>\0']
    assert first.data('L') == [b'From\0a@far.example\0', b'Subject\0x\0', b'X-A\0001\0', b'X-A\0002\0']
    assert first.body() == b'one\r\ntwo\r\n'
    assert first.macros['C'][b'j'] == b'mail.example.com' and first.macros['M'][b'{mail_addr}'] == b'a@far.example'
    assert first.macros['M'][b'i'] == first.macros['E'][b'i'] and first.macros['R'][b'{rcpt_addr}'] == b'bert@example.com'
    assert second.letters() in ('OCHMRRTLLLLNBEK', 'CHMRRTLLLLNBEK')
    assert arrives(server, n).endswith(MESSAGE)
    before = first.connections, second.connections
    assert send(smtp)[0] == 250
    assert (first.connections, second.connections) == before  # kept; nobody negotiates again
    wait_for(lambda: first.letters().endswith('K') and second.letters().endswith('K'))
    first.reset()
    smtp.rset()
    smtp.mail('a@far.example')
    smtp.rset()
    wait_for(lambda: first.letters() == 'CHMAK')
    second.reset()
    smtp.mail('a@far.example')
    assert smtp.rcpt('nobody@example.com')[0] == 550
    wait_for(lambda: second.data('R'))  # asked to hear of those that were refused
    assert second.macros['R'][b'{rcpt_mailer}'] == b'error' and not first.data('R')


@pytest.mark.parametrize('letter', 'CHMRTLNBE')
@pytest.mark.parametrize('answer, code, text', [(packet(b'r'), 550, b'5.7.1'), (packet(b'y', z('452 4.2.2 full up')), 452, b'4.2.2')])
def test_refusals(world, smtp, letter, answer, code, text):
    server, first, _, _ = world
    n = box(server)[0]
    first.say[letter] = answer
    got = send(smtp)
    assert got[0] == code and got[1].startswith(text)
    first.say.clear()
    assert send(smtp)[0] == 250 and box(server)[0] == n + 1


@pytest.fixture
def quick():
    """Another server, whose milter has two seconds for an answer, and a client of it six between commands."""
    s = Server()
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'milter unix {s.dir}/quick timeout 2\n')
    m = Milter(f'{s.dir}/quick')
    s.start()
    s.add_domain()
    for name in ('anna', 'bert'):
        s.add_account(name)
    yield s, m
    s.remove()
    m.close()


def test_who_is_silent_holds_no_connection(quick):
    """It is told that the message is over, and hears all of it again; what it says then holds."""
    server, m = quick
    talks = [smtplib.SMTP('127.0.0.1', server.ports['smtp'], 'client.example', timeout=60) for _ in range(21)]
    for c in talks:
        c.ehlo()
    assert [c.mail('a@far.example')[0] for c in talks] == [250] * 20 + [451]  # those of one address
    first, refused, again = talks[0], talks[1], talks[20]
    assert first.rcpt('anna@example.com')[0] == refused.rcpt('anna@example.com')[0] == 250
    wait_for(lambda: m.letters().count('K') == 20)
    assert m.letters().count('A') == 20
    assert again.mail('a@far.example')[0] == 250  # there is room again
    again.rset()
    wait_for(lambda: m.letters().count('K') == 21)
    opened = m.connections
    m.reset()
    assert first.rcpt('bert@example.com')[0] == 250
    assert first.data(MESSAGE)[0] == 250
    wait_for(lambda: m.letters().endswith('K'))
    assert m.letters() == 'CHMRRTLLLLNBEK' and m.connections == opened
    assert m.data('R') == [b'<anna@example.com>\0', b'<bert@example.com>\0']
    wait_for(lambda: box(server)[0] == box(server, 'bert')[0] == 1)
    m.reset()
    m.say['M'] = packet(b'r')  # it has changed its mind
    for _ in range(2):
        assert refused.rcpt('bert@example.com')[0] == 550 and refused.docmd('DATA')[0] == 550
    m.say.clear()
    assert refused.data(MESSAGE)[0] == 250 and box(server)[0] == 2
    for c in talks:
        c.close()


def test_other_verdicts(world, smtp):
    server, first, second, _ = world
    n = box(server)[0]
    first.say['M'] = packet(b't')
    assert send(smtp)[0] == 451
    first.say = {'R': packet(b'a')}
    first.heard.clear()
    assert send(smtp)[0] == 250 and 'T' not in first.letters() and second.body()  # only it hears no more
    first.say = {'E': packet(b'd')}
    assert send(smtp)[0] == 250 and box(server)[0] == n + 1
    first.say = {'E': packet(b'q', z('look')) + packet(b'c')}
    assert b'queued as' in send(smtp)[1] and box(server)[0] == n + 1
    assert 'action=hold' in server.log()
    first.say = {'E': packet(b'p') * 3 + packet(b'a')}
    assert send(smtp)[0] == 250
    first.say = {'R': lambda s, data: s.sendall(packet(b'r' if b'anna' in data else b'c')) and False}
    smtp.rset()
    smtp.mail('a@far.example')
    assert smtp.rcpt('anna@example.com')[0] == 550 and smtp.rcpt('bert@example.com')[0] == 250
    assert smtp.data(MESSAGE)[0] == 250


def test_changes_of_the_header(world, smtp):
    server, first, second, _ = world
    n = box(server)[0]
    first.say['E'] = (field(b'h', 'X-Last', 'at the end\n\tfolded') + field(b'i', 'X-Top', 'very first', 0) +
                      field(b'i', 'X-Next', 'below ours', 1) + field(b'm', 'X-A', 'changed', 2) + field(b'm', 'Subject', '', 1) +
                      field(b'h', 'X-Evil', 'a\n\nbody?') + packet(b'c'))
    assert send(smtp)[0] == 250
    text = arrives(server, n)
    head, body = text.split(b'\r\n\r\n', 1)
    assert body == b'one\r\ntwo\r\n' and head.startswith(b'Return-Path: <a@far.example>\r\nX-Top: very first\r\nReceived: ')
    assert head.endswith(b'X-Next: below ours\r\nFrom: a@far.example\r\nX-A: 1\r\nX-A: changed\r\n'
                         b'X-Last: at the end\r\n\tfolded\r\nX-Evil: a\r\n\tbody?')
    # The next one sees what the first made of it.
    assert [d.split(b'\0')[0] for d in second.data('L')] == [b'X-Top', b'X-Next', b'From', b'X-A', b'X-A', b'X-Last', b'X-Evil']


def test_changes_of_body_and_envelope(world, smtp):
    server, first, second, _ = world
    n, m = box(server)[0], box(server, 'bert')[0]
    first.say['E'] = packet(b'b', b'new ') + packet(b'b', b'body\r\n') + packet(b'e', z('<b@far.example>')) + packet(b'c')
    assert send(smtp)[0] == 250
    text = arrives(server, n)
    assert text.endswith(b'\r\n\r\nnew body\r\n') and text.startswith(b'Return-Path: <b@far.example>')
    assert second.body() == b'new body\r\n'
    first.say['E'] = packet(b'+', z('<bert@example.com>')) + packet(b'-', z('<ANNA@example.com>')) + packet(b'c')
    assert send(smtp)[0] == 250
    arrives(server, m, 'bert')
    assert box(server)[0] == n + 1
    first.say['E'] = packet(b'+', z('<x@elsewhere.example>')) + packet(b'+', z('no address')) + packet(b'c')
    assert send(smtp)[0] == 250  # no milter makes us a relay
    assert 'change refused' in server.log()
    first.say['E'] = packet(b'-', z('<anna@example.com>')) + packet(b'c')
    k = box(server)[0]
    assert send(smtp)[0] == 250 and box(server)[0] == k


def holds(server, name, subject):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(name, 'secret')
        m.select('INBOX')
        return len(m.search(None, 'SUBJECT', subject)[1][0].split())


def test_a_recipient_that_cannot_be_added_now(world, smtp):
    server, first, _, _ = world
    message = MESSAGE.replace(b'Subject: x', b'Subject: shared')
    assert send(smtp, 'bert', message=MESSAGE + b'full\r\n' * 1000)[0] == 250
    first.say['E'] = packet(b'+', z('<bert@example.com>')) + packet(b'c')
    server.ctl('account', 'quota', 'bert@example.com', '1K')
    assert send(smtp, message=message)[0] == 451
    server.ctl('account', 'quota', 'bert@example.com', 'none')
    assert send(smtp, message=message)[0] == 250
    wait_for(lambda: holds(server, 'anna', 'shared') and holds(server, 'bert', 'shared'))
    assert holds(server, 'anna', 'shared') == holds(server, 'bert', 'shared') == 1
    server.ctl('account', 'disable', 'bert@example.com')  # for good: left out
    assert send(smtp)[0] == 250
    server.ctl('account', 'enable', 'bert@example.com')


def test_lines_of_a_new_body(world, smtp):
    server, first, second, _ = world
    n = box(server)[0]
    # Cut in the middle of a CRLF; dots mean nothing.
    first.say['E'] = b''.join(packet(b'b', x) for x in (b'a\nb\rc\0d\r', b'\n.\r\n..e\n.\n', b'\r\n.', b'\r')) + packet(b'c')
    assert send(smtp)[0] == 250
    body = b'a\r\nb c d\r\n.\r\n..e\r\n.\r\n\r\n. \r\n'
    assert second.body() == body and arrives(server, n).endswith(b'\r\n\r\n' + body)


@pytest.mark.parametrize('chunked', [False, True])
def test_large_messages(world, smtp, chunked):
    server, first, second, _ = world
    n = box(server)[0]
    message = MESSAGE + b''.join(b'%070d\r\n' % i for i in range(40000))
    first.say['E'] = field(b'h', 'X-Last', 'yes') + packet(b'c')
    if chunked:
        smtp.rset()
        smtp.mail('a@far.example')
        smtp.rcpt('anna@example.com')
        smtp.send(b'BDAT %d\r\n' % 1000000 + message[:1000000])
        assert smtp.getreply()[0] == 250
        smtp.send(b'BDAT %d LAST\r\n' % (len(message) - 1000000) + message[1000000:])
        assert smtp.getreply()[0] == 250
    else:
        assert send(smtp, message=message)[0] == 250
    text = arrives(server, n)
    head, body = text.split(b'\r\n\r\n', 1)
    assert head.endswith(b'X-Last: yes') and body == message.split(b'\r\n\r\n', 1)[1]
    assert first.body() == second.body() == body and max(map(len, first.data('B'))) == 65535
    first.say = {'E': packet(b'b', b'x' * 65000 + b'\r\n') * 20 + packet(b'c')}
    assert send(smtp, message=message)[0] == 250
    assert arrives(server, n + 1).split(b'\r\n\r\n', 1)[1] == (b'x' * 65000 + b'\r\n') * 20
    first.say = {'B': packet(b's')}
    first.heard.clear()
    assert send(smtp, message=message)[0] == 250 and len(first.data('B')) == 1
    assert arrives(server, n + 2).endswith(body)


def test_too_much(world, smtp):
    server, first, _, _ = world
    first.say['E'] = packet(b'b', b'x' * 65000 + b'\r\n') * 340 + packet(b'c')
    assert send(smtp)[0] == 552
    first.say['E'] = field(b'h', 'X-More', 'x' * 60000) * 30 + packet(b'c')
    assert send(smtp)[0] == 552


def never(s, data):
    return False


@pytest.mark.parametrize('letter', 'OCRNBE')
@pytest.mark.parametrize('fault', [lambda s, d: True, lambda s, d: s.sendall(b'\0\0\0\5c') or True, lambda s, d: s.sendall(b'GARBAGE!' * 9),
                                   lambda s, d: s.sendall(b'\xff\xff\xff\xff'), lambda s, d: s.sendall(packet(b'Z')),
                                   lambda s, d: s.sendall(packet(b'h', b'half'))],
                         ids=['hangs up', 'in the middle', 'garbage', 'over-long', 'unknown', 'half'])
def test_faults(world, smtp, letter, fault):
    server, first, second, _ = world
    first.say[letter] = fault
    if letter == 'O':
        first.say['C'] = lambda s, d: True  # so that it is asked for terms again
    assert send(smtp) == (451, b'4.3.5 The server cannot judge mail now, try again later') or letter == 'R'
    first.say.clear()
    assert send(smtp)[0] == 250
    second.say[letter] = fault  # default accept
    assert send(smtp)[0] == 250


def test_one_that_dies_after_half_of_its_changes(world, smtp):
    server, first, second, _ = world
    n = box(server)[0]
    second.say['E'] = lambda s, d: s.sendall(packet(b'b', b'half a body')) or True
    assert send(smtp)[0] == 250
    assert arrives(server, n).endswith(b'\r\n\r\none\r\ntwo\r\n')
    k = box(server, 'bert')[0]
    half = (field(b'i', 'X-Top', 'half', 0) + field(b'm', 'Subject', '', 1) + field(b'm', 'X-A', 'half', 1) +
            b''.join(field(b'h', f'X-{i}', 'half') for i in range(100)) + packet(b'e', z('<b@far.example>')) +
            packet(b'+', z('<bert@example.com>')) + packet(b'-', z('<anna@example.com>')) + packet(b'q', z('look')))
    for rest in b'', packet(b'-', z('<bert@example.com>')):  # the second leaves nobody
        n = box(server)[0]
        second.say['E'] = lambda s, d, rest=rest: s.sendall(half + rest) or True
        got = send(smtp)
        assert got[0] == 250 and b'queued as' not in got[1]
        text = arrives(server, n)
        assert text.startswith(b'Return-Path: <a@far.example>\r\nReceived: ') and text.endswith(MESSAGE)
    assert box(server, 'bert')[0] == k


def test_a_slow_one(world, smtp):
    server, first, _, _ = world
    first.say['M'] = never
    assert send(smtp)[0] == 451
    wait_for(lambda: 'reason="no answer in time"' in server.log())


def test_submissions_are_signed_after_the_changes(world):
    server, _, _, third = world
    third.reset()
    third.say['E'] = field(b'm', 'Subject', 'changed', 1) + packet(b'c')
    n = box(server, 'bert')[0]
    with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=60) as c:
        c.login('anna', 'secret')
        c.sendmail('anna@example.com', ['bert@example.com'], b'From: anna@example.com\r\nSubject: x\r\nBcc: z@z.example\r\n\r\ny\r\n')
    text = arrives(server, n, 'bert')
    assert b'\r\nSubject: changed\r\n' in text
    names = [d.split(b'\0')[0] for d in third.data('L')]
    assert b'Bcc' not in names and b'Message-ID' in names and third.macros['M'][b'{auth_authen}'] == b'anna@example.com'
    assert 'then=accept' in server.log()  # the fourth is not there
    wait_for(lambda: third.letters().endswith('Q'))  # of version 2: no QUIT_NC


def test_steps_that_are_not_wanted(tmp_path):
    port = free_port()
    m = Milter(('127.0.0.1', port), steps=NO)
    s = Server(extra=['workers mx 1'])
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'milter 127.0.0.1:{port}\n')
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        with smtplib.SMTP('127.0.0.1', s.ports['smtp'], timeout=60) as c:
            c.ehlo()
            assert send(c)[0] == 250
        wait_for(lambda: m.letters() == 'OEK')
    finally:
        s.remove()
        m.close()
