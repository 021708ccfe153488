"""RFC 5321: every command in every state of a session, on port 25 and on port 587.

SPDX-License-Identifier: Apache-2.0
"""
import base64

import pytest
from wire import Smtp

EHLO = 'EHLO c.example'
STATES = ('connected', 'greeted', 'mail', 'rcpt', 'bdat')
# A command, the section that says what happens, and the reply in each state of port 25.
MX = [row.split('|') for row in '''
EHLO c.example            |4.1.4   |250 250 250 250 250
HELO c.example            |4.1.4   |250 250 250 250 250
EHLO                      |4.1.1.1 |501 501 501 501 501
HELO                      |4.1.1.1 |501 501 501 501 501
MAIL FROM:<a@b.example>   |4.1.4   |503 250 503 503 503
MAIL FROM:<>              |4.5.5   |503 250 503 503 503
MAIL FROM:a b             |4.1.1.2 |503 501 503 503 503
MAIL                      |4.1.1.2 |503 501 503 503 503
MAIL FROM:<a@b.example> X |4.1.1.11|503 555 503 503 503
RCPT TO:<{user}>          |4.1.4   |503 503 250 250 503
RCPT TO:<nobody@{domain}> |3.3     |503 503 550 550 503
RCPT TO:<x@else.example>  |3.6.2   |503 503 554 554 503
RCPT TO:<Postmaster>      |4.5.1   |503 503 250 250 503
RCPT TO:<>                |4.1.1.3 |503 503 501 501 503
RCPT TO:<{user}> X=1      |4.1.1.11|503 503 555 555 503
RCPT                      |4.1.1.3 |503 503 501 501 503
DATA                      |4.1.4   |503 503 554 354 503
DATA x                    |4.1.1.4 |503 501 501 501 501
RSET                      |4.1.1.5 |250 250 250 250 250
RSET x                    |4.1.1.5 |501 501 501 501 501
NOOP                      |4.1.1.9 |250 250 250 250 250
NOOP with words           |4.1.1.9 |250 250 250 250 250
VRFY u                    |3.5.3   |503 252 252 252 252
VRFY                      |4.1.1.6 |503 501 501 501 501
EXPN u                    |3.5.2   |503 502 502 502 502
HELP                      |4.1.1.8 |214 214 214 214 214
QUIT                      |4.1.1.10|221 221 221 221 221
WHAT                      |4.2.4   |500 500 500 500 500
TURN                      |F.1     |502 502 502 502 502
BDAT 0 LAST               |3030 2  |503 503 554 250 250
BDAT 0                    |3030 2  |503 503 554 250 250
STARTTLS x                |3207 4  |503 501 501 501 501
STARTTLS                  |3207 4  |503 220 220 220 220
AUTH PLAIN AHUAeA==       |4954 4  |503 503 503 503 503
'''.strip().splitlines()]
# On port 587: before a log-in nothing but what leads to it (RFC 6409 section 4.3, RFC 4954 section 6).
SUBMIT = [row.split('|') for row in '''
EHLO c.example            |4.1.4   |250 250
HELO c.example            |4.1.4   |250 250
MAIL FROM:<{user}>        |4954 6  |503 530
RCPT TO:<{user}>          |4954 6  |503 530
DATA                      |4954 6  |503 530
BDAT 0 LAST               |4954 6  |503 530
VRFY u                    |4954 6  |503 530
RSET                      |4.1.1.5 |250 250
NOOP                      |4.1.1.9 |250 250
QUIT                      |4.1.1.10|221 221
WHAT                      |4.2.4   |500 500
AUTH                      |4954 4  |503 504
AUTH NOSUCH               |4954 4  |503 504
AUTH PLAIN !              |4954 4  |503 501
AUTH PLAIN AHUAeA==       |4954 6  |503 535
STARTTLS                  |3207 4  |503 220
'''.strip().splitlines()]


def rows(table, states):
    return [pytest.param(command.strip(), state, int(code), id=f'{command.strip()}-{state}')
            for command, _, codes in table for state, code in zip(states, codes.split(), strict=True)]


def lead(s, state, user):
    """Into that state of a session that has said nothing yet."""
    steps = [(EHLO, 250), ('MAIL FROM:<first@b.example>', 250), (f'RCPT TO:<{user}>', 250)]
    for command, code in steps[:STATES.index(state)]:
        assert s.ask(command) == code
    if state == 'bdat':
        s.send('BDAT 4\r\nx\r\n.')
        assert s.reply() == 250


@pytest.fixture(scope='module')
def owner(server):
    user = server.add_account('owner')
    server.ctl('alias', 'set', f'postmaster@{server.domain}', user)  # as `domain add NAME ADMINISTRATOR` does
    return user


@pytest.mark.parametrize('command, state, code', rows(MX, STATES))
def test_on_port_25(server, owner, command, state, code):
    with Smtp(server.ports['smtp']) as s:
        lead(s, state, owner)
        assert s.ask(command.format(user=owner, domain=server.domain)) == code, s.text


@pytest.mark.parametrize('command, state, code', rows(SUBMIT, STATES[:2]))
def test_on_port_587_before_the_log_in(server, owner, command, state, code):
    with Smtp(server.ports['submission']) as s:
        lead(s, state, owner)
        assert s.ask(command.format(user=owner)) == code, s.text


def plain(user, password='secret'):
    return 'AUTH PLAIN ' + base64.b64encode(f'\0{user}\0{password}'.encode()).decode()


def test_on_port_587_after_the_log_in(server, owner):
    with Smtp(server.ports['submission']) as s:
        assert s.ask(EHLO) == 250
        assert s.ask(plain(owner)) == 235  # RFC 4954 section 4
        assert s.ask(plain(owner)) == 503  # a second time, section 4
        assert s.ask('MAIL FROM:<somebody@else.example>') == 553  # RFC 6409 section 6.1
        assert s.ask(f'MAIL FROM:<{owner}>') == 250
        assert s.ask(plain(owner)) == 503  # inside a transaction, section 4
        assert s.ask('RCPT TO:<x@elsewhere.example>') == 250  # it may leave


def test_greeting_and_the_word_for_it(server):
    with Smtp(server.ports['smtp'], greet=False) as s:
        assert s.reply() == 220 and s.text[0].split()[1] == server.host.encode()  # section 4.3.1
        assert s.ask(EHLO) == 250 and s.text[0] == b'250-' + server.host.encode()
        words = [t[4:].split()[0] for t in s.text[1:]]
        assert len(words) == len(set(words)) and {b'PIPELINING', b'8BITMIME', b'SIZE', b'ENHANCEDSTATUSCODES'} <= set(words)
        assert s.ask('HELO c.example') == 250 and len(s.text) == 1  # no extensions to HELO
        assert s.ask('EHLO [127.0.0.1]') == 250 and s.ask('EHLO [IPv6:::1]') == 250  # section 4.1.3


@pytest.mark.parametrize('ends', [EHLO, 'HELO c.example', 'RSET'])
def test_what_ends_a_transaction(server, owner, ends):
    """Sections 4.1.4 and 4.1.1.5."""
    with Smtp(server.ports['smtp']) as s:
        lead(s, 'rcpt', owner)
        assert s.ask(ends) == 250
        assert s.ask('DATA') == 503
        assert s.ask('MAIL FROM:<a@b.example>') == 250


def test_what_does_not_end_a_transaction(server, owner):
    with Smtp(server.ports['smtp']) as s:
        lead(s, 'rcpt', owner)
        for command in ('NOOP', 'VRFY x', 'HELP', 'WHAT', 'EXPN x', 'RSET now', 'MAIL FROM:<a@b.example>', 'RCPT TO:<>'):
            s.ask(command)
        assert s.ask('DATA') == 354
        s.send('Subject: x\r\n\r\n.\r\n')
        assert s.reply() == 250


def test_nothing_is_kept_over_the_handshake(server, owner):
    """RFC 3207 section 4.2."""
    with Smtp(server.ports['smtp']) as s:
        lead(s, 'rcpt', owner)
        assert s.ask('STARTTLS') == 220
        s.tls()
        assert s.ask('DATA') == 503
        assert s.ask(EHLO) == 250 and b'STARTTLS' not in b' '.join(s.text)
        assert s.ask('STARTTLS') == 503
        assert s.ask('DATA') == 503


@pytest.mark.parametrize('ahead', ['RSET\r\n', 'EHLO evil.example\r\nMAIL FROM:<evil@b.example>\r\n'])
def test_what_is_sent_ahead_of_the_handshake_ends_the_session(server, owner, ahead):
    with Smtp(server.ports['smtp']) as s:
        lead(s, 'rcpt', owner)
        s.send('STARTTLS\r\n' + ahead)
        assert s.reply() == 220
        assert s.reply() is None


def test_commands_know_no_case(server, owner):
    """Section 2.4; the local part of an address is another matter."""
    with Smtp(server.ports['smtp']) as s:
        assert s.ask('eHLo C.Example') == 250
        assert s.ask('mail From:<a@b.example> size=10 body=8bitmime') == 250
        assert s.ask(f'rcpt tO:<{owner.split("@")[0]}@{server.domain.upper()}>') == 250
        assert s.ask('data') == 354
        s.send('x: y\r\n\r\n.\r\n')
        assert s.reply() == 250
        assert s.ask('quit') == 221 and s.reply() is None


@pytest.mark.parametrize('line', ['NOOP\n', 'NOOP\r', 'NO\0OP\r\n', 'NO\rOP\r\n', 'NO\nOP\r\n'], ids=repr)
def test_only_crlf_ends_a_line(server, line):
    """Section 2.3.8: whatever is made of it, no command is found in it."""
    with Smtp(server.ports['smtp']) as s:
        s.send(line + 'WHAT\r\nQUIT\r\n')
        codes = [s.reply()]
        while codes[-1] == 500:
            codes.append(s.reply())
        assert codes[-1] == 221 and len(codes) > 1
