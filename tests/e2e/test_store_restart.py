"""What sessions see while role store is restarted: reads are held, writes of unknown outcome end the session, and who was
at rest notices nothing.

A call is surely in flight when the store is stopped before the command and killed after it; the store is surely away when
boss is stopped, which would start the next one.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import re
import signal
import smtplib
import socket
import ssl

import pytest
from godwit import Server, halt, text_of, wait_for
from imapwire import Wire, read_fetch

TLS = ssl._create_unverified_context()
BODY = b'Subject: nr %d\r\n\r\nThe text of %d.\r\n'


@pytest.fixture
def server():
    s = Server()
    s.start()
    s.add_domain()
    s.add_account('anna')
    s.add_account('bert')
    yield s
    s.remove()


class Lines:
    """POP3 or SMTP, line by line."""

    def __init__(self, server, service):
        self.sock = socket.create_connection(('127.0.0.1', server.ports[service]), timeout=60)
        self.file = self.sock.makefile('rb')
        self.line()

    def line(self):
        return self.file.readline().rstrip(b'\r\n').decode()

    def send(self, text):
        self.sock.sendall(text.encode() + b'\r\n')

    def say(self, text):
        self.send(text)
        return self.line()

    def login(self):
        assert self.say('USER anna@example.com').startswith('+OK')
        assert self.say('PASS secret').startswith('+OK')
        return self

    def helo(self):
        assert self.say('HELO c.example').startswith('250')
        return self

    def auth(self):
        assert self.say('AUTH PLAIN AGFubmFAZXhhbXBsZS5jb20Ac2VjcmV0').startswith('235')
        return self

    def text(self):
        """The lines up to the dot."""
        found = []
        while not found or found[-1] != '.':
            found.append(self.line())
        return found[:-1]

    def ended(self):
        return self.file.read() == b''


class Stop:
    """Moments of the store."""

    def __init__(self, server):
        self.server = server
        self.probe = Wire(server.ports['imap'])
        self.probe.line()
        self.stranger = Lines(server, 'smtp')

    def settle(self):
        """What was sent before this has been read by its worker, and its call has gone out."""
        for _ in range(3):
            self.probe.send(b'p CAPABILITY\r\n')
            self.probe.until(b'p')
            assert self.stranger.say('NOOP').startswith('250')

    @contextlib.contextmanager
    def in_flight(self):
        """The calls of this block reach a store that never answers, and is dead at its end."""
        pid = self.server.roles()['store.0']
        halt(pid)
        try:
            yield
            self.settle()
        finally:
            os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def away(self):
        """There is no store during this block."""
        boss = self.server.process.pid
        halt(boss)
        try:
            pid = self.server.roles()['store.0']
            os.kill(pid, signal.SIGKILL)
            # Its channels close with the last of its threads.
            wait_for(lambda: ' Z ' in text_of(f'/proc/{pid}/stat') and len(os.listdir(f'/proc/{pid}/task')) == 1)
            self.settle()
            yield
            self.settle()
        finally:
            os.kill(boss, signal.SIGCONT)


@pytest.fixture
def stop(server):
    return Stop(server)


def fill(server, count):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], local_hostname='c.example', timeout=60) as s:
        for n in range(1, count + 1):
            s.sendmail('a@b.example', ['anna@example.com'], BODY % (n, n))


def imap(server, select=True):
    m = Wire(server.ports['imap'])
    m.line()
    m.login('anna@example.com')
    if select:
        m.command(b'select', b'SELECT INBOX')
    return m


def count(server, mailbox='INBOX'):
    m = imap(server, select=False)
    found = m.command(b'a', b'STATUS %s (MESSAGES)' % mailbox.encode())
    m.close()
    return int(re.search(rb'MESSAGES (\d+)', found[0]).group(1))


def bye(m):
    """The session ends with BYE, and without a word about the command."""
    lines = [m.line()]
    assert lines[-1].startswith(b'* BYE '), lines
    assert m.file.read() == b''


MOMENTS = ('in_flight', 'away')


@pytest.mark.parametrize('moment', MOMENTS)
def test_imap_reads_are_held(server, stop, moment):
    fill(server, 3)
    sessions = [imap(server) for _ in range(5)]
    fetch, search, again, idle, noop = sessions
    fresh = imap(server, select=False)
    idle.send(b'i IDLE\r\n')
    assert idle.line().startswith(b'+')
    with getattr(stop, moment)():
        fetch.send(b'a FETCH 1:2 (UID RFC822.SIZE BODY.PEEK[TEXT] ENVELOPE)\r\n')
        search.send(b'a SEARCH BODY "text of 2"\r\n')
        again.send(b'a FETCH 3 BODY[TEXT]\r\n')  # sets \Seen as well
        noop.send(b'a NOOP\r\n')
        fresh.send(b'a SELECT INBOX\r\n')
    found = fetch.until(b'a')
    assert found[-1].startswith(b'a OK'), found
    fetched = [x for x in map(read_fetch, found[:-1]) if b'BODY[TEXT]' in x]  # flags that others set may come between
    assert [x[b'BODY[TEXT]'] for x in fetched] == [b'The text of 1.\r\n', b'The text of 2.\r\n']
    found = search.until(b'a')
    assert found[-1].startswith(b'a OK') and b'* SEARCH 2' in found, found
    found = again.until(b'a')
    assert found[-1].startswith(b'a OK') and rb'FLAGS (\Seen)' in found[0], found
    assert noop.until(b'a')[-1].startswith(b'a OK')
    found = fresh.until(b'a')
    assert found[-1].startswith(b'a OK') and b'* 3 EXISTS' in found, found
    # All of them live on; who was in IDLE hears of \Seen, and of what comes now.
    fill(server, 1)
    while not idle.line().startswith(b'* 4 EXISTS'):
        pass
    idle.send(b'DONE\r\n')
    assert idle.until(b'i')[-1].startswith(b'i OK')
    for m in [*sessions, fresh]:
        assert len(m.command(b'z', b'FETCH 1:* (FLAGS)')) >= 4


@pytest.mark.parametrize('command', [b'STORE 1:2 +FLAGS (\\Flagged)', b'EXPUNGE', b'UID EXPUNGE 2', b'CLOSE'])
def test_imap_writes_in_flight_end_with_bye(server, stop, command):
    fill(server, 2)
    m, other = imap(server), imap(server)
    m.command(b'a', b'STORE 2 +FLAGS (\\Deleted)')
    other.command(b'a', b'NOOP')
    with stop.in_flight():
        m.send(b'b ' + command + b'\r\n')
    bye(m)
    found = other.command(b'a', b'UID FETCH 1:* (FLAGS)')
    assert [read_fetch(x)[b'FLAGS'] for x in found] == [[], [b'\\Deleted']]  # a store that stands changes nothing


def test_imap_append_in_flight(server, stop):
    m, large = imap(server), imap(server)
    m.send(b'a APPEND INBOX {5}\r\n')
    assert m.line().startswith(b'+')
    large.send(b'a APPEND INBOX {600000}\r\n')
    assert large.line().startswith(b'+')
    large.send(b'x' * 300000)
    with stop.in_flight():
        m.send(b'a: b\n\r\n')
        large.send(b'y' * 299998)
    bye(m)
    large.send(b'\r\n\r\n')  # what came so far is lost for sure, so this is a plain no, and the session goes on
    assert large.until(b'a')[-1].startswith(b'a NO [UNAVAILABLE]')
    assert count(server) == 0
    assert large.command(b'b', b'NOOP') is not None


def test_imap_writes_wait_for_a_store_that_is_away(server, stop):
    """Nothing was sent yet, so nothing is unknown."""
    fill(server, 3)
    sessions = [imap(server) for _ in range(5)]
    store, copy, move, append, create = sessions
    store.command(b'a', b'STORE 1 +FLAGS (\\Deleted)')
    for m in sessions:
        m.command(b'n', b'NOOP')
    append.send(b'a APPEND Drafts {5}\r\n')
    assert append.line().startswith(b'+')
    with stop.away():
        store.send(b'a STORE 3 +FLAGS (\\Flagged)\r\nb EXPUNGE\r\n')
        copy.send(b'a UID COPY 3 Trash\r\n')
        move.send(b'a UID MOVE 2 Archive\r\n')
        append.send(b'a: b\n\r\n')
        create.send(b'a CREATE made\r\n')
    for m in sessions:
        assert m.until(b'a')[-1].startswith(b'a OK')
    assert store.until(b'b')[-1].startswith(b'b OK')
    assert [count(server, x) for x in ('INBOX', 'Trash', 'Archive', 'Drafts', 'made')] == [1, 1, 1, 1, 0]
    found = copy.command(b'z', b'UID FETCH 1:* (FLAGS)')
    assert [read_fetch(x) for x in found if b'FETCH' in x][-1] == {b'UID': 3, b'FLAGS': [b'\\Flagged']}


def test_a_copy_is_whole_or_not_there(server, stop):
    """The store dies somewhere in the middle: OK means all of them, BYE all or none."""
    fill(server, 40)
    for n in range(3):
        m = imap(server)
        m.command(b'a', b'CREATE to%d' % n)
        pid = server.roles()['store.0']
        m.send(b'b COPY 1:* to%d\r\n' % n)
        for _ in range(n):
            stop.settle()
        os.kill(pid, signal.SIGKILL)
        last = m.line()
        assert last.startswith((b'b OK', b'* BYE')), last
        wait_for(lambda p=pid: server.roles().get('store.0', p) != p)
        assert wait_for(lambda n=n: count_or_none(server, f'to{n}'))[0] in ((40,) if b'OK' in last else (0, 40))


def count_or_none(server, mailbox):
    """A list, so that 0 is something; None while nobody can log in."""
    try:
        return [count(server, mailbox)]
    except (AssertionError, EOFError):
        return None


@pytest.mark.parametrize('moment', MOMENTS)
def test_pop3_reads_are_held(server, stop, moment):
    fill(server, 2)
    p, top = Lines(server, 'pop3').login(), Lines(server, 'pop3').login()
    size = int(p.say('STAT').split()[2])
    with getattr(stop, moment)():
        p.send('STAT\r\nRETR 1\r\nUIDL 2')
        top.send('TOP 2 0')
    assert p.line() == f'+OK 2 {size}'
    assert p.line().startswith('+OK')
    assert p.text()[-2:] == ['', 'The text of 1.']
    assert p.line().startswith('+OK 2 ')
    assert top.line().startswith('+OK')
    assert top.text()[-2:] == ['Subject: nr 2', '']
    assert top.say('DELE 1').startswith('+OK') and top.say('QUIT').startswith('+OK')
    assert count(server) == 1


def test_pop3_quit_with_deletions(server, stop):
    fill(server, 4)
    p = Lines(server, 'pop3').login()
    assert p.say('DELE 2').startswith('+OK')
    with stop.in_flight():
        p.send('QUIT')
    assert p.line().startswith('-ERR [SYS/TEMP]') and p.ended()
    p = wait_for(lambda: pop3_or_none(server))
    assert p.say('STAT').startswith('+OK 4 ') and p.say('DELE 2').startswith('+OK') and p.say('DELE 3').startswith('+OK')
    with stop.away():
        p.send('QUIT')
    assert p.line().startswith('+OK') and p.ended()
    assert count(server) == 2


def pop3_or_none(server):
    try:
        return Lines(server, 'pop3').login()
    except AssertionError:
        return None


@pytest.mark.parametrize('moment', MOMENTS)
def test_smtp_recipients_are_held(server, stop, moment):
    s, u = Lines(server, 'smtp').helo(), Lines(server, 'submission').helo().auth()
    assert s.say('MAIL FROM:<a@b.example>').startswith('250')
    with getattr(stop, moment)():
        s.send('RCPT TO:<anna@example.com>')
        u.send('MAIL FROM:<anna@example.com>')
    assert s.line().startswith('250')
    assert s.say('RCPT TO:<nobody@example.com>').startswith('550')
    assert u.line().startswith('250')
    assert u.say('RCPT TO:<bert@example.com>').startswith('250')
    for one in (s, u):
        assert one.say('DATA').startswith('354')
        assert one.say('Subject: x\r\n\r\nx\r\n.').startswith('250')
    assert count(server) == 1


@pytest.mark.parametrize('service', ['smtp', 'submission'])
def test_the_end_of_data_in_flight(server, stop, service):
    sessions = []
    for _ in range(2):
        s = Lines(server, service).helo()
        if service == 'submission':
            s.auth()
        assert s.say('MAIL FROM:<anna@example.com>').startswith('250')
        assert s.say('RCPT TO:<anna@example.com>').startswith('250')
        assert s.say('DATA').startswith('354')
        sessions.append(s)
    small, large = sessions
    large.send('Subject: large\r\n\r\n' + ('x' * 70 + '\r\n') * 6000)
    with stop.in_flight():
        small.send('Subject: x\r\n\r\nx\r\n.')
        large.send(('y' * 70 + '\r\n') * 6000)
    assert small.line().startswith('421 ') and small.ended()
    assert large.say('.').startswith('451 ')  # it was not even asked for
    assert large.say('NOOP').startswith('250')
    assert wait_for(lambda: count_or_none(server, 'INBOX')) == [0]


def test_data_waits_for_a_store_that_is_away(server, stop):
    s = Lines(server, 'smtp').helo()
    assert s.say('MAIL FROM:<a@b.example>').startswith('250')
    assert s.say('RCPT TO:<anna@example.com>').startswith('250')
    with stop.away():
        s.send('DATA')
    assert s.line().startswith('354')
    assert s.say('Subject: x\r\n\r\nx\r\n.').startswith('250')
    assert count(server) == 1


def test_a_store_that_stays_away(server, stop):
    """After ten seconds the answer is no, for now; and every session works when the store does."""
    fill(server, 2)
    m, p, s, u = imap(server), Lines(server, 'pop3').login(), Lines(server, 'smtp').helo(), Lines(server, 'submission')
    u.helo().auth()
    assert s.say('MAIL FROM:<a@b.example>').startswith('250')
    with stop.away():
        m.send(b'a FETCH 1 BODY.PEEK[TEXT]\r\nb STORE 1 +FLAGS (\\Seen)\r\nc NOOP\r\n')
        p.send('RETR 1')
        s.send('RCPT TO:<anna@example.com>\r\nRCPT TO:<anna@example.com>')
        u.send('MAIL FROM:<anna@example.com>')
        assert m.until(b'a') == [b'a NO [UNAVAILABLE] The mail store cannot answer now, try again']
        assert m.until(b'b')[-1].startswith(b'b NO [UNAVAILABLE]')
        assert m.until(b'c')[-1].startswith(b'c OK')
        assert p.line().startswith('-ERR [SYS/TEMP]')
        assert s.line().startswith('451 4.3.0') and s.line().startswith('451 4.3.0')
        assert u.line().startswith('451 4.3.0')
    # Who waited so long does not wait again before the store has answered once.
    assert wait_for(lambda: count_or_none(server, 'INBOX')) == [2]
    assert m.command(b'd', b'FETCH 1 BODY.PEEK[TEXT]') == [b'* 1 FETCH (BODY[TEXT] {16}\r\nThe text of 1.\r\n)']
    assert p.say('RETR 1').startswith('+OK')
    assert s.say('RCPT TO:<anna@example.com>').startswith('250')
    assert u.say('MAIL FROM:<anna@example.com>').startswith('250')
