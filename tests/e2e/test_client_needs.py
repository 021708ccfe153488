"""What well-known mail clients rely on beyond the letter of the standards, and sloppiness that servers must bear.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import contextlib
import itertools
import re
import smtplib
import socket
import ssl

import pytest
from godwit import wait_for

TLS = ssl._create_unverified_context()
_numbers = itertools.count(1)
MIXED = (b'From: "A \\"quoted\\" name" <a@b.example>\r\nTo: undisclosed recipients: ;\r\nSubject: =?utf-8?q?=C3=A4?= "x" \\ y\r\n'
         b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\npreamble\r\n--cut\r\n\r\n.first\r\n'
         b'--cut\r\nContent-Type: application/x-y; name="a \\"b\\".bin"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n'
         b'--cut\r\nContent-Type: text/plain\r\n\r\n--cut--\r\n')


class Raw:
    """Lines over a socket."""

    def __init__(self, server, service):
        self.socket = socket.create_connection(('127.0.0.1', server.ports[service]), 30)
        self.file = self.socket.makefile('rb')
        self.greeting = self.line()

    def line(self):
        return self.file.readline()

    def send(self, data):
        self.socket.sendall(data)

    def say(self, data):
        """One line of SMTP or POP3 and its last line of answer."""
        self.send(data + b'\r\n')
        line = self.line()
        while line[3:4] == b'-' and line[:3].isdigit():
            line = self.line()
        return line

    def until_dot(self):
        lines = []
        while True:
            line = self.line()
            if line in (b'.\r\n', b''):
                return lines
            lines.append(line)

    def close(self):
        self.file.close()
        self.socket.close()


class Imap(Raw):
    def __init__(self, server, user=None):
        super().__init__(server, 'imap')
        if user:
            self.logged_in = self.ok(b'LOGIN %s secret' % user.encode())[-1]

    def reply(self, tag):
        """Lines up to the tagged one; literals follow the line that announces them."""
        lines = []
        while True:
            line = self.line()
            assert line, lines
            while True:
                literal = re.search(rb'\{(\d+)\}\r\n$', line)
                if not literal:
                    break
                line += self.file.read(int(literal.group(1)))
                rest = self.line()
                line += rest
                if not re.search(rb'\{(\d+)\}\r\n$', rest):
                    break
            lines.append(line)
            if line.startswith(tag + b' '):
                return lines

    def ask(self, command):
        tag = b't%d' % next(_numbers)
        self.send(tag + b' ' + command + b'\r\n')
        return self.reply(tag)

    def ok(self, command):
        lines = self.ask(command)
        assert b' OK ' in lines[-1], lines
        return lines


@pytest.fixture
def imap(server, user):
    with contextlib.closing(Imap(server, user)) as c:
        c.user = user
        yield c


def deliver(server, user, *messages):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        for m in messages:
            s.sendmail('a@b.example', [user], m)


# ---- IMAP ----

def test_capabilities_stand_in_greeting_and_login_and_are_told_when_asked(server, user):
    with contextlib.closing(Imap(server, user)) as c:
        before = c.greeting
        assert before.startswith(b'* OK [CAPABILITY IMAP4rev1 ')
        for word in (b'IDLE', b'SASL-IR', b'LITERAL+', b'ID', b'ENABLE', b'SPECIAL-USE', b'UIDPLUS', b'MOVE'):
            assert word in before.split(b']')[0].split(), word
        assert re.match(rb't\d+ OK \[CAPABILITY IMAP4rev1 .*\] \S', c.logged_in)
        asked = c.ok(b'CAPABILITY')[0].split()[2:]
        assert asked == c.logged_in.split(b'[CAPABILITY ')[1].split(b']')[0].split()
        assert b'STARTTLS' not in asked


def test_replies_come_in_the_order_of_commands_and_items_in_the_order_asked_but_uid_first(server, imap):
    deliver(server, imap.user, MIXED)
    imap.ok(b'SELECT INBOX')
    imap.send(b'p1 FETCH 1 (RFC822.SIZE FLAGS INTERNALDATE UID)\r\np2 STATUS INBOX (MESSAGES)\r\np3 UID FETCH 1 (FLAGS RFC822.SIZE)'
              b'\r\np4 NOOP\r\np5 UID SEARCH ALL\r\n')
    lines = imap.reply(b'p5')
    assert [x.split()[0] for x in lines if x[:1] == b'p'] == [b'p1', b'p2', b'p3', b'p4', b'p5']
    fetched = [x for x in lines if b' FETCH ' in x]
    assert re.match(rb'\* 1 FETCH \(UID 1 RFC822.SIZE \d+ FLAGS \(.*\) INTERNALDATE ".*"\)\r\n', fetched[0])
    assert re.match(rb'\* 1 FETCH \(UID 1 FLAGS \(.*\) RFC822.SIZE \d+\)\r\n', fetched[1])


def test_done_and_further_commands_in_one_packet(imap):
    imap.ok(b'SELECT INBOX')
    imap.send(b'i1 IDLE\r\n')
    assert imap.line().startswith(b'+ ')
    imap.send(b'DONE\r\ni2 NOOP\r\ni3 STATUS Drafts (UIDNEXT)\r\n')
    assert [x for x in imap.reply(b'i3') if x[:1] == b'i'][0].startswith(b'i1 OK')


def test_news_come_after_the_continuation_of_idle(server, imap):
    imap.ok(b'SELECT INBOX')
    deliver(server, imap.user, b'Subject: before\r\n\r\nx\r\n')
    imap.send(b'i1 IDLE\r\n')
    assert imap.line().startswith(b'+ ')
    assert imap.line() == b'* 1 EXISTS\r\n'


@pytest.mark.parametrize('service,start,answer', [('imap', b'a STARTTLS', b'a OK'), ('pop3', b'STLS', b'+OK')])
def test_commands_before_the_handshake_are_not_obeyed(server, user, service, start, answer):
    """Injection: what stood behind STARTTLS in the same packet may not count as said under TLS."""
    more = b'b CAPABILITY\r\n' if service == 'imap' else b'CAPA\r\n'
    with contextlib.closing(Raw(server, service)) as c:
        c.send(start + b'\r\n' + more)
        got = c.line()
        if got.startswith(answer):
            with pytest.raises((ssl.SSLError, OSError)):
                c.socket.settimeout(5)
                with TLS.wrap_socket(c.socket) as t:
                    t.sendall(b'x\r\n')
                    assert b'CAPABILITY' not in t.recv(4096) and not t.recv(4096)
                    raise OSError('nothing was obeyed')


def test_sizes_and_parts_are_exact_to_the_byte(server, imap):
    big = b'Subject: big\r\n\r\n' + b''.join(b'%d: ' % i + b'\xc3\xa4' * (i % 90) + b'\r\n' for i in range(3000))
    deliver(server, imap.user, MIXED, big)
    imap.ok(b'SELECT INBOX')
    for n in (1, 2):
        line = imap.ok(b'FETCH %d (RFC822.SIZE BODY.PEEK[])' % n)[0]
        size = int(re.search(rb'RFC822.SIZE (\d+)', line).group(1))
        assert int(re.search(rb'BODY\[\] \{(\d+)\}', line).group(1)) == size
        whole = line[line.index(b'}\r\n') + 3:][:size]
        pieces = []
        while len(b''.join(pieces)) < size:
            at = len(b''.join(pieces))
            got = imap.ok(b'FETCH %d (BODY.PEEK[]<%d.16384>)' % (n, at))[0]
            head = re.match(rb'\* %d FETCH \(BODY\[\]<%d> \{(\d+)\}\r\n' % (n, at), got)
            assert int(head.group(1)) == min(16384, size - at)
            pieces.append(got[head.end():][:int(head.group(1))])
        assert b''.join(pieces) == whole
        assert re.search(rb'BODY\[\]<%d> (""|\{0\}\r\n)\)' % size, imap.ok(b'FETCH %d (BODY.PEEK[]<%d.10>)' % (n, size))[0])
        assert b'\\Seen' not in imap.ok(b'FETCH %d FLAGS' % n)[0]


def test_nothing_is_emitted_that_clients_choke_on(server, imap):
    deliver(server, imap.user, MIXED, b'Subject: no body\r\n\r\n', b'Content-Type: text/plain\r\n\r\n')
    lines = imap.ok(b'SELECT INBOX')
    assert int(re.search(rb'UIDVALIDITY (\d+)', b''.join(lines)).group(1)) > 0
    lines += imap.ok(b'FETCH 1:3 (ENVELOPE BODYSTRUCTURE BODY)')
    lines += imap.ok(b'STATUS INBOX (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)')
    for line in lines:
        assert not re.search(rb' -\d', line) and not line.endswith(b' \r\n') and b' )' not in line, line
        assert not re.match(rb'(\*|t\d+) (OK|NO|BAD)( \[[^]]*\])?\s*\r\n', line), line
    first = [x for x in lines if x.startswith(b'* 1 FETCH')][0]
    assert b'"A \\"quoted\\" name"' in first and b'"a \\"b\\".bin"' in first
    for part in re.findall(rb'\("text" "plain" [^()]*(?:\([^()]*\)|NIL) NIL NIL ("[^"]*"|NIL) (\d+|NIL) (\d+|NIL)', first, re.I):
        assert b'NIL' not in part, first


def test_inbox_is_one_name_in_any_case(imap):
    imap.ok(b'CREATE inbox/sub')
    assert any(x.rstrip().endswith(b' INBOX/sub') for x in imap.ok(b'LIST "" *'))
    imap.ok(b'SELECT Inbox/sub')
    imap.ok(b'EXAMINE "inBOX"')


def test_sloppy_commands_are_understood(server, imap):
    deliver(server, imap.user, MIXED, MIXED)
    for command in (b'ID NIL', b'ID ()', b'id ("name" "x" "version" NIL)', b'select "INBOX" (CONDSTORE)',
                    b'SELECT INBOX (CONDSTORE QRESYNC (1 2 1:5))', b'fetch 1 flags', b'FETCH 1:2 (FLAGS) (CHANGEDSINCE 0)',
                    b'UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE 1)', b'uid search *:*', b'UID SEARCH ALL', b'SEARCH CHARSET UTF-8 ALL',
                    b'Status "Drafts" (messages)', b'LIST "" "*" RETURN (SUBSCRIBED CHILDREN)', b'XLIST "" "*"', b'LSUB "" "*"',
                    b'UID FETCH 1 BODY.PEEK[]<0.100>', b'FETCH 1 (BODY.PEEK[HEADER.FIELDS (From To Subject "Date")])',
                    b'STORE 1 +FLAGS \\Flagged', b'STORE 1 FLAGS.SILENT ()', b'ENABLE CONDSTORE', b'CHECK', b'NAMESPACE'):
        imap.ok(command)
    imap.send(b'm1 STATUS {6+}\r\nDrafts (MESSAGES UNSEEN)\r\n')
    assert b'm1 OK' in imap.reply(b'm1')[-1]


def test_empty_lines_are_passed_over(imap):
    imap.send(b'\r\n\r\ne1 NOOP\r\n')
    assert imap.reply(b'e1')[-1].startswith(b'e1 OK')


def test_a_line_with_a_hundred_kilobytes_of_uids(server, imap):
    deliver(server, imap.user, MIXED)
    imap.ok(b'SELECT INBOX')
    scattered = b','.join(b'%d' % n for n in range(1, 36000, 2))
    assert len(scattered) > 100000
    assert b'UID 1 ' in imap.ok(b'UID FETCH ' + scattered + b' (UID FLAGS)')[0]


def test_copies_and_appends_tell_their_uids(server, imap):
    deliver(server, imap.user, MIXED, MIXED)
    imap.ok(b'SELECT INBOX')
    assert re.search(rb'\[COPYUID \d+ 1:2 1:2\]', imap.ok(b'UID COPY 1:2 Archive')[-1])
    assert any(re.search(rb'\[COPYUID \d+ 2 3\]', x) for x in imap.ok(b'UID MOVE 2 Archive'))
    imap.send(b'ap APPEND Drafts (\\Draft) {12+}\r\nSubject: x\r\n\r\n')
    assert re.search(rb'\[APPENDUID \d+ 1\]', imap.reply(b'ap')[-1])


def test_uidvalidity_and_uids_outlive_a_restart(server, user):
    deliver(server, user, MIXED, MIXED)

    def look():
        with contextlib.closing(Imap(server, user)) as c:
            validity = re.findall(rb'UIDVALIDITY \d+', b''.join(c.ok(b'SELECT INBOX')))
            return validity, c.ok(b'UID SEARCH ALL')[0]
    with contextlib.closing(Imap(server, user)) as c:
        c.ok(b'SELECT INBOX')
        c.ok(b'UID STORE 1 +FLAGS \\Deleted')
        c.ok(b'EXPUNGE')
    before = look()
    server.stop()
    server.start()
    assert look() == before and before[1] == b'* SEARCH 2\r\n'


def test_a_wrong_password_is_told_apart(server, user):
    with contextlib.closing(Imap(server)) as c:
        assert b' NO [AUTHENTICATIONFAILED] ' in c.ask(b'LOGIN %s wrong' % user.encode())[-1]
    with contextlib.closing(Raw(server, 'pop3')) as c:
        c.say(b'USER ' + user.encode())
        assert c.say(b'PASS wrong').startswith(b'-ERR [AUTH] ')


def test_standard_folders_exist_subscribed_and_with_their_uses(imap):
    for command in (b'LIST "" *', b'LSUB "" *'):
        lines = imap.ok(command)
        for name in (b'Drafts', b'Sent', b'Junk', b'Trash', b'Archive'):
            line = [x for x in lines if x.rstrip().endswith(b' ' + name)]
            assert line and b'\\' + name in line[0] and b'\\HasNoChildren' in line[0], (command, name)
    assert any(b'\\Inbox' in x for x in imap.ok(b'XLIST "" *'))


def test_parents_are_made_and_a_trailing_separator_is_ignored(imap):
    imap.ok(b'CREATE Clients/2026/June/')
    lines = b''.join(imap.ok(b'LIST "" Clients*'))
    assert b'\\HasChildren' in lines and b'\\Noselect' not in lines
    for name in (b'Clients', b'Clients/2026', b'Clients/2026/June'):
        assert re.search(rb' %s\r\n' % name, lines)
        imap.ok(b'SELECT ' + name)
    for command in (b'SELECT Clients/2026/', b'STATUS Clients/ (MESSAGES)', b'SUBSCRIBE Clients/', b'DELETE Clients/2026/June/'):
        imap.ok(command)


def test_many_commands_may_be_under_way(server, imap):
    """mbsync sends without waiting."""
    imap.ok(b'SELECT INBOX')
    appends = b''.join(b'q%d APPEND INBOX {%d+}\r\nSubject: %03d\r\n\r\nx\r\n\r\n' % (i, 19, i) for i in range(200))
    imap.send(appends + b'q200 UID SEARCH ALL\r\n')
    lines = imap.reply(b'q200')
    assert len([x for x in lines if b'[APPENDUID ' in x]) == 200


# ---- POP3 ----

@contextlib.contextmanager
def pop3(server, user):
    with contextlib.closing(Raw(server, 'pop3')) as c:
        assert c.say(b'USER ' + user.encode()).startswith(b'+OK')
        assert c.say(b'PASS secret').startswith(b'+OK')
        yield c


def uidl(c):
    assert c.say(b'UIDL').startswith(b'+OK')
    return [line.split()[1] for line in c.until_dot()]


def test_unique_ids_stay_and_are_never_used_again(server, user):
    deliver(server, user, MIXED, MIXED, MIXED)
    with pop3(server, user) as c:
        first = uidl(c)
        assert len(set(first)) == 3 and all(0 < len(u) <= 70 for u in first)
        c.say(b'DELE 3')
        c.say(b'QUIT')
    deliver(server, user, MIXED)
    server.stop()
    server.start()
    with pop3(server, user) as c:
        assert uidl(c)[:2] == first[:2] and uidl(c)[2] not in first


@pytest.mark.parametrize('line', [b'AUTH', b'AUTH '])
def test_auth_alone_lists_mechanisms(server, line):
    with contextlib.closing(Raw(server, 'pop3')) as c:
        assert c.say(line).startswith(b'+OK')
        assert {b'PLAIN\r\n', b'LOGIN\r\n'} <= set(c.until_dot())


def test_utf8_after_login_is_taken(server, user):
    with pop3(server, user) as c:
        assert c.say(b'UTF8').startswith(b'+OK')


def test_top_leaves_mail_unread_and_commands_may_be_piped(server, user):
    deliver(server, user, MIXED)
    with pop3(server, user) as c:
        c.send(b'STAT\r\nTOP 1 1\r\nNOOP\r\n')
        assert c.line().startswith(b'+OK 1 ') and c.line().startswith(b'+OK')
        assert c.until_dot()[-1] == b'preamble\r\n' and c.line().startswith(b'+OK')
        c.say(b'QUIT')
    with contextlib.closing(Imap(server, user)) as c:
        c.ok(b'SELECT INBOX')
        assert b'\\Seen' not in c.ok(b'FETCH 1 FLAGS')[0]


# ---- submission ----

@contextlib.contextmanager
def submission(server):
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.ehlo('[192.168.1.2]')
        yield s


def test_auth_login_with_prompts_and_with_initial_response(server, user):
    name, password = (base64.b64encode(x).decode() for x in (user.encode(), b'secret'))
    with submission(server) as s:
        assert {'PLAIN', 'LOGIN'} <= set(s.esmtp_features['auth'].split())
        assert s.docmd('AUTH LOGIN') == (334, b'VXNlcm5hbWU6')
        assert s.docmd(name) == (334, b'UGFzc3dvcmQ6')
        assert s.docmd(password)[0] == 235
    with submission(server) as s:
        assert s.docmd('auth login ' + name) == (334, b'UGFzc3dvcmQ6')
        assert s.docmd(password)[0] == 235


def test_eight_bit_mail_is_taken_without_being_announced(server, user):
    with submission(server) as s:
        s.login(user, 'secret')
        assert s.docmd(f'MAIL FROM:<{user}>')[0] == 250 and s.docmd(f'RCPT TO:<{user}>')[0] == 250
        assert s.docmd('DATA')[0] == 354
        s.send(f'From: Jörg <{user}>\r\nSubject: Grüße\r\n\r\nä ö\r\n.\r\n'.encode())
        assert s.getreply()[0] == 250
    with contextlib.closing(Imap(server, user)) as c:
        wait_for(lambda: b'* 1 EXISTS' in b''.join(c.ok(b'SELECT INBOX')))
        got = c.ok(b'FETCH 1 BODY[]')[0]
        assert '\r\nSubject: Grüße\r\n'.encode() in got and '\r\n\r\nä ö\r\n'.encode() in got


def test_nobody_learns_who_exists(server, user):
    with submission(server) as s:
        s.login(user, 'secret')
        assert s.docmd('VRFY ' + user)[0] in (252, 502)
        assert s.docmd('EXPN ' + user)[0] == 502
