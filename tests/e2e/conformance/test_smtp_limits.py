"""RFC 5321 section 4.5.3: each limit just below, at, and above; what must be taken is taken, and what is refused is refused in
words of the right class.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib

import pytest
from godwit import Server
from wire import Smtp

LINE = 2050  # with CRLF; Godwit's own limits where they are wider: docs/limits.md
LOCAL = 255
SIZE = 1 << 20


@pytest.fixture(scope='module')
def small():
    s = Server(extra=['outbound none', f'message-size {SIZE}'])
    s.start()
    s.add_domain()
    s.add_account('anna')
    s.ctl('alias', 'set', 'l' * 64 + '@example.com', 'anna@example.com')
    yield s
    s.remove()


@pytest.fixture
def talk(small):
    """A session that said EHLO, on port 25."""
    with Smtp(small.ports['smtp']) as s:
        assert s.ask('EHLO c.example') == 250
        yield s


@pytest.mark.parametrize('size, code', [(511, 250), (512, 250), (513, 250), (LINE - 1, 250), (LINE, 250), (LINE + 1, 500), (LINE * 60, 500)])
def test_command_line(talk, size, code):
    """4.5.3.1.4: 512 with CRLF, and what extensions add."""
    assert talk.ask('NOOP ' + 'x' * (size - 7)) == code
    assert talk.ask('NOOP') == 250


@pytest.mark.parametrize('size, code', [(63, 550), (64, 250), (65, 550), (LOCAL, 550), (LOCAL + 1, 501)])
def test_local_part(talk, size, code):
    """4.5.3.1.1: 64; such an address is a good one here, and others do not exist."""
    assert talk.ask('MAIL FROM:<a@b.example>') == 250
    assert talk.ask(f'RCPT TO:<{"l" * size}@example.com>') == code


@pytest.mark.parametrize('size, code', [(252, 554), (253, 554), (254, 501), (256, 501)])
def test_domain(talk, size, code):
    """4.5.3.1.2: 255, of which DNS needs two for itself (RFC 1035 section 2.3.4); this one is not served here."""
    domain = '.'.join(['d' * 47] * 5) + '.' + 'e' * (size - 240)
    assert len(domain) == size
    assert talk.ask('MAIL FROM:<a@b.example>') == 250
    assert talk.ask(f'RCPT TO:<a@{domain}>') == code


@pytest.mark.parametrize('size', [255, 256])
def test_path(talk, size):
    """4.5.3.1.3: 256 with the brackets."""
    domain = '.'.join(['d' * 40] * 4) + '.' + 'e' * (size - 64 - 164 - 3)
    path = f'<{"l" * 64}@{domain}>'
    assert len(path) == size
    assert talk.ask(f'MAIL FROM:{path}') == 250
    assert talk.ask(f'RCPT TO:{path}') == 554


@pytest.mark.parametrize('label, code', [('d' * 63, 554), ('d' * 64, 501)])
def test_label(talk, label, code):
    """RFC 1035 section 2.3.4."""
    assert talk.ask('MAIL FROM:<a@b.example>') == 250
    assert talk.ask(f'RCPT TO:<a@{label}.example>') == code


def test_recipients(talk):
    """4.5.3.1.8: at least 100; 4.5.3.1.10: 452 for the rest, and those that were taken stay so."""
    assert talk.ask('MAIL FROM:<a@b.example>') == 250
    for _ in range(100):
        assert talk.ask('RCPT TO:<anna@example.com>') == 250
    assert talk.ask('RCPT TO:<anna@example.com>') == 452 and talk.text[0].startswith(b'452 4.5.3 ')
    assert talk.ask('DATA') == 354
    talk.send('Subject: x\r\n\r\n.\r\n')
    assert talk.reply() == 250


@pytest.mark.parametrize('size, code', [(SIZE - 1, 250), (SIZE, 250), (SIZE + 1, 552)])
def test_size_as_promised(talk, size, code):
    """RFC 1870 section 6.1."""
    assert talk.ask(f'MAIL FROM:<a@b.example> SIZE={size}') == code


def lines_of(size):
    """Text of exactly that many octets."""
    whole, rest = divmod(size - 2, 80)
    return (b'x' * 78 + b'\r\n') * whole + b'y' * rest + b'\r\n'


@pytest.mark.parametrize('way', ['DATA', 'BDAT'])
@pytest.mark.parametrize('size, code', [(SIZE - 1, 250), (SIZE, 250), (SIZE + 1, 552), (SIZE * 2, 552)])
def test_size_as_sent(talk, way, size, code):
    """4.5.3.1.7 and 4.5.3.1.9: 552 in the end, and the session goes on."""
    assert talk.ask('MAIL FROM:<a@b.example>') == 250 and talk.ask('RCPT TO:<anna@example.com>') == 250
    text = lines_of(size)
    if way == 'DATA':
        assert talk.ask('DATA') == 354
        talk.send(text + b'.\r\n')
    else:
        talk.send(f'BDAT {size} LAST\r\n'.encode() + text)
    assert talk.reply() == code
    assert talk.ask('NOOP') == 250


@pytest.mark.parametrize('size', [997, 998, 999, 1000, 65536, 200000])
def test_text_line(small, talk, size):
    """4.5.3.1.6: 1000 with CRLF; longer ones are kept as they are."""
    assert talk.ask('MAIL FROM:<a@b.example>') == 250 and talk.ask('RCPT TO:<anna@example.com>') == 250
    assert talk.ask('DATA') == 354
    line = b'.' + b'z' * (size - 1)
    talk.send(f'X-Size: {size}-end\r\n\r\n'.encode() + b'.' + line + b'\r\n.\r\n')
    assert talk.reply() == 250
    with imaplib.IMAP4('127.0.0.1', small.ports['imap']) as m:
        m.login('anna@example.com', 'secret')
        m.select('INBOX', readonly=True)
        number = m.search(None, 'HEADER', 'X-Size', f'{size}-end')[1][0].split()
        assert len(number) == 1
        assert m.fetch(number[0], '(BODY.PEEK[TEXT])')[1][0][1] == line + b'\r\n'


@pytest.mark.parametrize('address', ['l' * 255 + '@example.com', 'a@' + '.'.join(['d' * 49] * 5), '"' + '\\"' * 200 + '"@example.com'])
def test_an_answer_stays_within_its_line(talk, address):
    """4.5.3.1.5: 512; an answer may quote what it is about."""
    assert talk.ask(f'MAIL FROM:<{address}>') in (250, 501, 553)
    talk.ask('RSET')
    assert talk.ask('MAIL FROM:<a@b.example>') == 250
    assert talk.ask(f'RCPT TO:<{address}>') in (550, 554, 501)


def test_errors_end_the_session(talk):
    """Nobody may try for ever: 421, and the connection is closed (3.8)."""
    codes = []
    while codes[-1:] != [421]:
        assert len(codes) < 50
        talk.send('WHAT\r\n')
        codes.append(talk.reply())
    assert set(codes[:-1]) == {500} and talk.reply() is None
