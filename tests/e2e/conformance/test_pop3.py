"""RFC 1939 with 2449, 2595, 3206, 5034 and 6856: every command in every state, octets, dots, and what a session may change.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import itertools
import smtplib

import pytest
from wire import Pop3

_numbers = itertools.count(1)
STATES = ('start', 'named', 'transaction')  # before USER, after it, logged in with one message
ROWS = [row.split('|') for row in '''
USER {user}          |1939 7   |+ + -
USER                 |1939 7   |- - -
PASS wrong           |1939 7   |- - -
APOP u 0123          |1939 7   |- - -
AUTH                 |5034 4   |+ + -
AUTH NOSUCH          |5034 4   |- - -
AUTH PLAIN !         |5034 4   |- - -
CAPA                 |2449 5   |+ + +
STLS                 |2595 4   |+ + -
UTF8                 |6856 2   |+ + +
LANG                 |6856 3   |- - -
STAT                 |1939 5   |- - +
LIST                 |1939 5   |- - +
LIST 1               |1939 5   |- - +
LIST 2               |1939 5   |- - -
LIST 0               |1939 5   |- - -
RETR 1               |1939 5   |- - +
RETR 2               |1939 5   |- - -
RETR                 |1939 5   |- - -
DELE 1               |1939 5   |- - +
DELE 2               |1939 5   |- - -
DELE                 |1939 5   |- - -
NOOP                 |1939 5   |- - +
RSET                 |1939 5   |- - +
TOP 1 0              |1939 7   |- - +
TOP 1                |1939 7   |- - -
TOP 1 -1             |1939 7   |- - -
TOP 2 0              |1939 7   |- - -
UIDL                 |1939 7   |- - +
UIDL 1               |1939 7   |- - +
UIDL 2               |1939 7   |- - -
WHAT                 |1939 3   |- - -
QUIT                 |1939 4, 6|+ + +
'''.strip().splitlines()]


def deliver(server, user, text):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.sendmail('a@b.example', [user], text)


@pytest.fixture
def session(server):
    """Opens another session of POP3; all are closed at the end."""
    opened = []

    def one(user=None):
        opened.append(Pop3(server.ports['pop3']))
        return opened[-1].log_in(user) if user else opened[-1]
    yield one
    for s in opened:
        s.close()


@pytest.fixture(scope='module')
def owner(server):
    user = server.add_account('popper')
    deliver(server, user, b'Subject: x\r\n\r\none\r\n')
    return user


@pytest.mark.parametrize('command, state, good', [
    pytest.param(command.strip(), state, sign == '+', id=f'{command.strip()}-{state}')
    for command, _, signs in ROWS for state, sign in zip(STATES, signs.split(), strict=True)])
def test_every_command_in_every_state(session, owner, command, state, good):
    s = session(owner if state == 'transaction' else None)
    if state == 'named':
        assert s.ask('USER ' + owner)
    assert s.ask(command.format(user=owner)) is good, s.text
    if command == 'DELE 1' and good:
        assert s.ask('RSET')


def test_a_session_that_is_not_closed_deletes_nothing(server, session, user):
    deliver(server, user, b'Subject: x\r\n\r\none\r\n')
    s = session(user)
    assert s.ask('DELE 1') and not s.ask('RETR 1') and not s.ask('DELE 1')
    s.close()
    s = session(user)
    assert s.ask('STAT') and s.text.startswith(b'+OK 1 ')
    assert s.ask('DELE 1') and s.ask('RSET') and s.ask('QUIT') and s.reply() is None
    s = session(user)
    assert s.ask('STAT') and s.text.startswith(b'+OK 1 ')
    assert s.ask('DELE 1') and s.ask('QUIT')
    assert session(user).ask('STAT')


def test_numbers_stay_and_come_anew(server, session, user):
    """RFC 1939 section 5: a deleted message keeps its number in the session; in the next the others move up."""
    for word in ('one', 'two', 'three'):
        deliver(server, user, f'Subject: {word}\r\n\r\n{word}\r\n')
    s = session(user)
    ids = dict(line.split() for line in s.many('UIDL').splitlines())
    assert s.ask('DELE 2') and s.ask('LIST 3') and not s.ask('LIST 2') and not s.ask('UIDL 2')
    assert [line.split()[0] for line in s.many('LIST').splitlines()] == [b'1', b'3']
    deliver(server, user, b'Subject: four\r\n\r\nfour\r\n')
    assert s.ask('STAT') and s.text.split()[1] == b'2'  # what comes meanwhile is for the next session
    assert s.ask('QUIT')
    s = session(user)
    now = dict(line.split() for line in s.many('UIDL').splitlines())
    assert list(now) == [b'1', b'2', b'3'] and now[b'1'] == ids[b'1'] and now[b'2'] == ids[b'3']
    assert now[b'3'] not in ids.values()  # never used again
    assert b'two' not in s.many('RETR 2') and b'three' in s.many('RETR 2')


BODIES = [b'', b'.', b'.\r\n', b'..\r\n', b'.x\r\n..y\r\n', b'\r\n\r\n', b'no end', b'a\r\n.', b'\r\n.\r\n', b'x' * 998 + b'\r\n', b'.' * 998,
          bytes(range(128, 256)) + b'\r\n', b' \r\n\t\r\n', b'QUIT\r\n', b'+OK\r\n-ERR\r\n']


def test_octets_are_exact_and_dots_come_back(server, session, user):
    """RFC 1939 sections 3 and 11: what LIST and STAT count is what RETR sends, the doubled dots aside."""
    for i, body in enumerate(BODIES):
        with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
            s.ehlo('x.example')
            s.mail('a@b.example')
            s.rcpt(user)
            mail = f'Subject: {i}\r\n\r\n'.encode() + body
            s.send(f'BDAT {len(mail)} LAST\r\n'.encode() + mail)
            assert s.getreply()[0] == 250
    p = session(user)
    sizes = [int(line.split()[1]) for line in p.many('LIST').splitlines()]
    assert p.ask('STAT') and p.text == b'+OK %d %d' % (len(BODIES), sum(sizes))
    for i, body in enumerate(BODIES, 1):
        whole = p.many(f'RETR {i}')
        assert len(whole) == sizes[i - 1], body
        want = body if not body or body.endswith(b'\r\n') else body + b'\r\n'
        assert whole.split(b'\r\n\r\n', 1)[1] == want, body
        assert p.ask(f'LIST {i}') and p.text == b'+OK %d %d' % (i, sizes[i - 1])


@pytest.mark.parametrize('lines, want', [(0, 0), (1, 1), (3, 3), (4, 4), (5, 4), (2**63, 4)])
def test_top_counts_lines_of_the_body(server, session, user, lines, want):
    deliver(server, user, b'Subject: x\r\nX: y\r\n\r\n.1\r\n\r\n3\r\n4\r\n')
    s = session(user)
    head, body = s.many(f'TOP 1 {lines}').split(b'\r\n\r\n', 1)
    assert body.splitlines() == [b'.1', b'', b'3', b'4'][:want] and head.endswith(b'Subject: x\r\nX: y')


def test_top_leaves_a_message_unread(server, session, user):
    import imaplib
    deliver(server, user, b'Subject: x\r\n\r\none\r\n')
    s = session(user)
    s.many('TOP 1 5')
    assert s.ask('QUIT')
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(user, 'secret')
        m.select('INBOX', readonly=True)
        assert m.search(None, 'UNSEEN')[1] == [b'1']


def test_uidl_over_sessions_and_a_restart(server, session, user):
    for i in range(3):
        deliver(server, user, f'Subject: {i}\r\n\r\nsame\r\n')
    first = session(user).many('UIDL')
    ids = [line.split()[1] for line in first.splitlines()]
    # RFC 1939 section 7: one to 70 characters, 0x21 to 0x7E, each its own.
    assert len(set(ids)) == 3 and all(1 <= len(i) <= 70 and all(0x21 <= b <= 0x7e for b in i) for i in ids)
    s = session(user)
    assert s.many('UIDL') == first and s.ask('QUIT')
    server.stop()
    server.start()
    assert session(user).many('UIDL') == first


def test_a_whole_session_in_one_piece(server, session, user):
    """PIPELINING, RFC 2449 section 6.6."""
    deliver(server, user, b'Subject: x\r\n\r\none\r\n')
    s = session()
    s.send(f'CAPA\r\nUSER {user}\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nNOPE\r\nDELE 1\r\nQUIT\r\nSTAT\r\n')
    assert s.reply() and b'PIPELINING\r\n' in s.body()
    assert [s.reply() for _ in range(3)] == [True] * 3 and s.reply() and b'one' in s.body()
    assert [s.reply() for _ in range(3)] == [False, True, True]
    assert s.reply() is None


def test_why_a_log_in_fails(session, user):
    """RFC 3206 section 4."""
    s = session()
    assert s.ask('USER ' + user) and not s.ask('PASS wrong') and s.text.startswith(b'-ERR [AUTH] ')
    assert not s.ask('AUTH PLAIN ' + base64.b64encode(f'\0{user}\0wrong'.encode()).decode()) and s.text.startswith(b'-ERR [AUTH] ')
    assert s.ask('USER nobody@example.com') and not s.ask('PASS wrong') and s.text.startswith(b'-ERR [AUTH] ')


def test_auth_in_two_steps_and_cancelled(session, user):
    """RFC 5034 section 4."""
    s = session()
    s.send('AUTH PLAIN\r\n')
    assert s.line() == b'+ '
    assert not s.ask('*')
    s.send('AUTH PLAIN\r\n')
    assert s.line() == b'+ '
    assert s.ask(base64.b64encode(f'\0{user}\0secret'.encode()))
    assert s.ask('STAT')


def test_what_outlook_says(session, user):
    """AUTH with a blank and no mechanism, and UTF8 after the log-in."""
    s = session()
    assert s.ask('AUTH ') and {b'PLAIN', b'LOGIN'} <= set(s.body().split())
    s.log_in(user)
    assert s.ask('UTF8')


def test_the_handshake_forgets(session, user):
    """RFC 2595 section 4; and what is sent ahead of it ends the session."""
    s = session()
    assert s.ask('USER ' + user) and s.ask('STLS')
    s.tls()
    assert not s.ask('PASS secret')
    assert not s.ask('STLS') and b'STLS' not in s.many('CAPA')
    assert s.log_in(user).ask('STAT')
    s = session()
    s.send(f'STLS\r\nUSER {user}\r\n')
    assert s.reply() and s.reply() is None


def test_capabilities_are_those_of_the_rfc(session):
    """RFC 2449 section 6: tags once each; EXPIRE and IMPLEMENTATION with their words."""
    lines = session().many('CAPA').splitlines()
    tags = [line.split()[0] for line in lines]
    assert len(tags) == len(set(tags))
    assert {b'TOP', b'UIDL', b'USER', b'RESP-CODES', b'AUTH-RESP-CODE', b'PIPELINING', b'STLS', b'SASL', b'UTF8'} <= set(tags)
    assert b'EXPIRE NEVER' in lines


@pytest.mark.parametrize('size, good', [(254, True), (255, True), (256, True), (12288, False), (12289, False), (100000, False)])
def test_command_lines(session, size, good):
    """RFC 2449 section 4 wants 255 octets with CRLF; RFC 5034 section 4 wants 12,288 for AUTH, which a name may not fill."""
    s = session()
    assert s.ask('USER ' + 'u' * (size - 7)) is good
    assert s.ask('CAPA') and s.body()


def test_all_of_a_mailbox_one_after_the_other(server, session, user):
    """Messages that a client takes in their order are fetched together: whatever their sizes are, what is deleted or gone meanwhile."""
    sizes = [300, 4000, 90000, 20, 60000, 70000, 65000, 500, 250000, *[3000] * 40, 65536, 10]
    bodies = [f'Subject: {i}\r\n\r\n'.encode() + (f'{i} line of {size}.\r\n.\r\n'.encode() * (1 + size // 20))[:size].rstrip(b'\r\n') + b'\r\n'
              for i, size in enumerate(sizes)]
    for body in bodies:
        deliver(server, user, body)
    p = session(user)
    listed = [int(line.split()[1]) for line in p.many('LIST').splitlines()]
    assert p.ask('DELE 4') and p.ask('DELE 12')
    for i, body in enumerate(bodies, 1):
        if i in (4, 12):
            assert not p.ask(f'RETR {i}')
            continue
        whole = p.many(f'RETR {i}')
        assert len(whole) == listed[i - 1] and whole.endswith(body[body.index(b'\r\n\r\n'):]), i
        if i % 7 == 0:  # out of order, and in it again
            assert p.many('RETR 1').endswith(bodies[0][bodies[0].index(b'\r\n\r\n'):]) and p.many(f'TOP {i} 0')
    assert p.many('RETR 14') == p.many('RETR 14')
    other = session(user)
    assert other.ask('DELE 30') and other.ask('DELE 31') and other.ask('QUIT')
    for i in range(14, 52):  # what another session removed is either the message still, or said to be gone
        if p.ask(f'RETR {i}'):
            assert p.body().endswith(bodies[i - 1][bodies[i - 1].index(b'\r\n\r\n'):]), i
        else:
            assert i in (30, 31) and b'removed' in p.text
