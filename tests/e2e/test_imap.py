"""IMAP on the wire: pipelining on both ports, and what FETCH says of messages against two other opinions.

SPDX-License-Identifier: Apache-2.0
"""
import email
import email.policy
import email.utils
import glob
import os
import random
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import SOURCE  # noqa: E402
from imapwire import Wire, read_fetch  # noqa: E402

SUITES = os.path.join(SOURCE, '..', 'shared', 'suites', 'mime')
MESSAGE = b'Subject: hello\r\nFrom: a@b.example\r\n\r\nHello!\r\n'


def connect(server, how):
    if how == 'imaps':
        w = Wire(server.ports['imaps'], tls=True)
    else:
        w = Wire(server.ports['imap'])
    greeting = w.line()
    assert greeting.startswith(b'* OK [CAPABILITY IMAP4rev1 '), greeting
    if how == 'starttls':
        assert b' STARTTLS' in greeting
        w.starttls()
    return w


def append(w, tag, message, box=b'INBOX'):
    w.send(b'%s APPEND %s {%d+}\r\n%s\r\n' % (tag, box, len(message), message))
    last = w.until(tag)[-1]
    assert last.startswith(tag + b' OK [APPENDUID '), last


@pytest.mark.parametrize('how', ['imaps', 'starttls'])
def test_everything_in_one_write(server, user, how):
    """A whole session in one segment: literals in the middle, IDLE, DONE, and what comes after."""
    w = connect(server, how)
    words = [b'c CAPABILITY', b'l LOGIN {%d+}\r\n%s {6+}\r\nsecret' % (len(user), user.encode()), b'n NAMESPACE',
             b'p APPEND INBOX (\\Flagged) {%d+}\r\n%s' % (len(MESSAGE), MESSAGE), b's SELECT {5+}\r\ninbox',
             b'i IDLE', b'DONE', b'f FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS ({7+}\r\nSubject)])', b'j IDLE', b'DONE',
             b'q UID SEARCH RETURN (ALL COUNT) SUBJECT {5+}\r\nhello', b't STORE 1 +FLAGS.SILENT (\\Deleted)', b'u CLOSE',
             b'v STATUS INBOX (MESSAGES)', b'z LOGOUT']
    w.send(b'\r\n'.join(words) + b'\r\n')
    replies = []
    while True:
        try:
            replies.append(w.line())
        except EOFError as e:
            assert e.args[0] == b''
            break
    tagged = [r for r in replies if r[1:5] == b' OK ' and not r.startswith(b'*')]
    assert [r[:1] for r in tagged] == [b'c', b'l', b'n', b'p', b's', b'i', b'f', b'j', b'q', b't', b'u', b'v', b'z'], replies
    assert [r for r in replies if r.startswith(b'+')] == [b'+ Idling'] * 2
    before = next(r for r in replies if r.startswith(b'* CAPABILITY '))
    assert b' AUTH=PLAIN' in before and b'STARTTLS' not in before and b'LOGINDISABLED' not in before
    assert b'AUTH=' not in tagged[1] and b'[CAPABILITY IMAP4rev1 ' in tagged[1]
    assert b'* 1 FETCH (FLAGS (\\Flagged) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: hello\r\n\r\n)' in replies
    assert b'* ESEARCH (TAG "q") UID ALL 1 COUNT 1' in replies
    assert b'* STATUS INBOX (MESSAGES 0)' in replies
    w.close()


def test_clear_port_without_tls_takes_no_password(server):
    """Here loopback may; the injection after STARTTLS is what must not work."""
    w = connect(server, 'imap')
    w.send(b's STARTTLS\r\ni NOOP\r\n')
    left = []
    try:
        while True:
            left.append(w.line())
    except (EOFError, OSError):
        pass
    assert not any(r.startswith(b'i ') for r in left), left
    w.close()


# ---- structure ----

def shape_of(s, top=True):
    """R(...) of a message, M(...) of a multipart, L of a leaf, from BODYSTRUCTURE."""
    if isinstance(s[0], list):
        inside = ''.join(shape_of(x, False) for x in s if isinstance(x, list) and is_body(x))
        text = 'M(' + inside + ')'
    elif s[0].lower() == b'message' and s[1].lower() == b'rfc822' and isinstance(s[8], list):
        text = 'R(' + shape_of(s[8], False) + ')'
    else:
        text = 'L'
    return 'R(' + text + ')' if top else text


def is_body(x):
    """The parts of a multipart come first; its parameters are a list of strings with no number in it."""
    return isinstance(x[0], list) or (len(x) > 6 and isinstance(x[6], int))


def leaves(s, path=()):
    """(section, body) of everything that is no multipart, as IMAP numbers it."""
    if isinstance(s[0], list):
        parts = [x for x in s if isinstance(x, list) and is_body(x)]
        for i, x in enumerate(parts, 1):
            yield from leaves(x, path + (i,))
        return
    here = path or (1,)
    yield here, s
    if s[0].lower() == b'message' and s[1].lower() == b'rfc822' and isinstance(s[8], list):
        inner = s[8]
        if isinstance(inner[0], list):
            yield from leaves(inner, here)
        else:
            yield from leaves(inner, here + (1,))


def fetch(w, number):
    found = w.command(b'f', b'FETCH %d (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[])' % number)
    assert len(found) == 1
    return read_fetch(found[0])


def check_sizes(w, number, item):
    """The octets and lines of every part are those of its section; the sections stand in the message."""
    whole = item[b'BODY[]']
    assert item[b'RFC822.SIZE'] == len(whole)
    for path, body in leaves(item[b'BODYSTRUCTURE']):
        name = b'BODY[' + '.'.join(map(str, path)).encode() + b']'
        part = read_fetch(w.command(b'p', b'FETCH %d BODY.PEEK%s' % (number, name[4:]))[0])[name]
        assert len(part) == body[6], (path, body)
        assert part in whole
        if body[0].lower() == b'text':
            assert body[7] == part.count(b'\n'), (path, body)


def shape_of_xml(text):
    """The suite's own description of a message."""
    found = ''
    for tag in re.findall(r'<(/?)(message|multipart|body)>', text):
        slash, name = tag
        if name == 'body':
            found += '' if slash else 'L'
        else:
            found += ')' if slash else {'message': 'R(', 'multipart': 'M('}[name]
    return found


# Where Godwit differs on purpose; src/mail/mime_test.c says why.
DIFFERENT = {'missing-inner-start-boundary', 'missing-inner-boundary', 'multipartnopart', 'missing-boundary', 'badbound',
             'very-very-long-boundary', 'very-long-boundary', 'weird-boundary', 'base64encoded-rfc822message-nested',
             'base64encoded-rfc822message', 'bad-newlines-multiple-parts-base64', 'multi-2gifs-base64'}


def test_suite_messages(server, user):
    files = sorted(glob.glob(os.path.join(SUITES, '*', '*.msg')))
    if not files:
        pytest.skip('the suites are not here')
    w = connect(server, 'imaps')
    w.login(user)
    w.command(b's', b'SELECT INBOX')
    same = number = 0
    for path in files:
        with open(path, 'rb') as f:
            message = f.read()
        if b'\0' in message or not message:
            continue
        append(w, b'a', message)
        number += 1
        item = fetch(w, number)
        check_sizes(w, number, item)
        name = os.path.basename(path)[:-4]
        with open(path[:-4] + '.xml', encoding='utf-8', errors='replace') as f:
            want = shape_of_xml(f.read())
        if name not in DIFFERENT:
            assert shape_of(item[b'BODYSTRUCTURE']) == want, name
            same += 1
    assert same > 50
    w.close()


# ---- against the email package of Python, where it is right: messages that keep the rules ----

WORDS = ['salmon', 'trout', 'grüße', '日本', 'a "quoted" \\ word', 'plain', 'x' * 70]


def random_part(r, depth):
    kind = r.random()
    if depth < 4 and kind < 0.3:
        m = email.message.EmailMessage()
        m['Content-Type'] = 'multipart/' + r.choice(['mixed', 'alternative', 'related'])
        m.set_boundary('b%d' % r.randrange(10 ** 9))
        for _ in range(r.randint(1, 4)):
            m.attach(random_part(r, depth + 1))
        return m
    m = email.message.EmailMessage()
    if depth < 4 and kind < 0.4:
        m.set_content(random_message(r, depth + 1))
    elif kind < 0.7:
        m.set_content('\n'.join(r.choice(WORDS) for _ in range(r.randint(0, 6))) + '\n', subtype=r.choice(['plain', 'html']),
                      cte=r.choice(['quoted-printable', 'base64']))
    else:
        m.set_content(r.randbytes(r.randint(0, 300)), 'application', 'x-data', cte='base64', disposition='attachment',
                      filename=r.choice(['plain.bin', 'a b.bin', 'quo"te.bin']), cid=f'<{r.randrange(999)}@x.example>')
    if r.random() < 0.3:
        m['Content-Description'] = r.choice(['about it', 'more (or less)'])
    return m


def random_message(r, depth=0):
    m = random_part(r, depth)
    m['Subject'] = r.choice(WORDS)
    m['From'] = email.utils.formataddr((r.choice(WORDS[:3]), 'me@a.example'))
    m['To'] = ', '.join(f'u{i}@b.example' for i in range(r.randint(1, 3)))
    m['Date'] = email.utils.format_datetime(email.utils.localtime())
    m['Message-ID'] = f'<{r.randrange(10 ** 9)}@a.example>'
    return m


def lower(b):
    return (b or b'').decode().lower()


def compare(theirs, ours):
    """theirs: a part of the email package; ours: its BODYSTRUCTURE."""
    if theirs.get_content_maintype() == 'multipart':
        assert isinstance(ours[0], list)
        parts = [x for x in ours if isinstance(x, list) and is_body(x)]
        assert len(parts) == len(theirs.get_payload())
        assert lower(ours[len(parts)]) == theirs.get_content_subtype()
        for t, o in zip(theirs.get_payload(), parts):
            compare(t, o)
        return
    assert (lower(ours[0]), lower(ours[1])) == (theirs.get_content_maintype(), theirs.get_content_subtype())
    params = dict(zip([lower(x) for x in (ours[2] or [])[::2]], (ours[2] or [])[1::2]))
    assert (params.get('charset') or b'').decode() == (theirs.get_param('charset') or '')
    assert lower(ours[5]) == (theirs.get('Content-Transfer-Encoding') or '7bit').lower()
    assert (ours[3] or b'').decode() == (theirs.get('Content-ID') or '')
    assert (ours[4] or b'').decode() == (theirs.get('Content-Description') or '')
    extra = 8 if lower(ours[0]) == 'text' else 7
    if theirs.get_content_type() == 'message/rfc822':
        compare(theirs.get_payload(0), ours[8])
        compare_envelope(theirs.get_payload(0), ours[7])
        extra = 10
    where = ours[extra + 1]
    assert (lower(where[0]) if where else None) == theirs.get_content_disposition()
    if where and where[1]:
        assert dict(zip(where[1][::2], where[1][1::2]))[b'filename'].decode() == theirs.get_filename()


def unfolded(text):
    return re.sub(r'\r?\n(?=[ \t])', '', text)


def compare_envelope(theirs, ours):
    raw = {k.lower(): unfolded(str(v)) for k, v in theirs.raw_items()}
    assert ours[1].decode() == raw['subject'].strip()
    assert ours[0].decode() == raw['date'].strip()
    assert ours[9].decode() == raw['message-id'].strip()
    assert [(a[2] + b'@' + a[3]).decode() for a in ours[5]] == [a for _, a in email.utils.getaddresses([raw['to']])]
    assert [(a[2] + b'@' + a[3]).decode() for a in ours[2]] == ['me@a.example']


def test_random_messages(server, user):
    r = random.Random(20261130)
    w = connect(server, 'imaps')
    w.login(user)
    w.command(b's', b'SELECT INBOX')
    for number in range(1, 301):
        message = random_message(r).as_bytes(policy=email.policy.SMTP)
        append(w, b'a', message)
        item = fetch(w, number)
        assert item[b'BODY[]'] == message
        theirs = email.message_from_bytes(message, policy=email.policy.compat32)
        compare(theirs, item[b'BODYSTRUCTURE'])
        compare_envelope(theirs, item[b'ENVELOPE'])
        if number % 5 == 0:
            check_sizes(w, number, item)
    w.close()


# ---- several sessions on one mailbox, each with the client's own picture of it ----

class Picture:
    """What a client knows from the replies alone: the UIDs by number, as far as told."""

    def __init__(self, server, user, tag):
        self.w = connect(server, 'imap')
        self.w.login(user)
        self.tag, self.count, self.uids, self.flags = tag, 0, [], {}
        self.numbered = False
        self.send(b'SELECT INBOX')
        self.receive()

    def send(self, text, numbered=False):
        self.count += 1
        self.now = b'%s%d' % (self.tag, self.count)
        self.numbered = numbered
        self.w.send(self.now + b' ' + text + b'\r\n')

    def receive(self):
        replies = self.w.until(self.now)
        for r in replies[:-1]:
            self.take(r)
        assert re.match(rb'\S+ (OK|NO \[(EXPUNGEISSUED|LIMIT)\])', replies[-1]), replies[-1]
        return replies

    def take(self, r):
        m = re.match(rb'\* (\d+) (EXISTS|EXPUNGE|FETCH)', r)
        if not m:
            return
        n = int(m.group(1))
        if m.group(2) == b'EXISTS':
            assert n >= len(self.uids), (r, len(self.uids))
            self.uids += [None] * (n - len(self.uids))
        elif m.group(2) == b'EXPUNGE':
            assert not self.numbered, r
            assert 1 <= n <= len(self.uids), (r, len(self.uids))
            del self.uids[n - 1]
        else:
            assert 1 <= n <= len(self.uids), (r, len(self.uids))
            item = read_fetch(r)
            uid = item.get(b'UID', self.uids[n - 1])
            assert self.uids[n - 1] in (None, uid), (r, self.uids[n - 1])
            self.uids[n - 1] = uid
            known = [u for u in self.uids if u is not None]
            assert known == sorted(set(known))
            if b'FLAGS' in item:
                self.flags[uid] = sorted(item[b'FLAGS'])

    def act(self, r):
        """Sends a command; what it means depends only on what this client was told."""
        n = len(self.uids)
        some = b'%d:%d' % tuple(sorted((r.randint(1, n), r.randint(1, n)))) if n else None
        flag = r.choice([b'\\Seen', b'\\Flagged', b'\\Deleted', b'$Word'])
        choice = r.randrange(13)
        if choice == 0 or n == 0:
            self.send(b'APPEND INBOX {%d+}\r\n%s' % (len(MESSAGE), MESSAGE))
        elif choice == 1:
            self.send(b'FETCH ' + some + b' (UID FLAGS RFC822.SIZE)', True)
        elif choice == 2:
            self.send(b'FETCH ' + some + b' (UID BODY[TEXT])', True)
        elif choice == 3:
            self.send(b'UID FETCH 1:* (FLAGS ENVELOPE)')
        elif choice == 4:
            self.send(b'STORE ' + some + r.choice([b' +FLAGS (', b' -FLAGS (', b' FLAGS (']) + flag + b')', True)
        elif choice == 5:
            self.send(b'UID STORE 1:* +FLAGS.SILENT (' + flag + b')')
        elif choice == 6:
            self.send(b'SEARCH ' + r.choice([b'ALL', b'DELETED', b'SUBJECT hello']), True)
        elif choice == 7:
            self.send(b'UID SEARCH UNDELETED')
        elif choice == 8:
            self.send(b'EXPUNGE')
        elif choice == 9:
            self.send(b'UID EXPUNGE 1:%d' % r.randint(1, 50))
        elif choice == 10:
            self.send(b'COPY ' + some + b' INBOX')
        elif choice == 11:
            self.send(b'MOVE %d Trash' % r.randint(1, n))
        else:
            self.send(b'NOOP')


def test_sessions_agree(server, user):
    """Numbers mean to every client what the server means by them, whatever the others do; in the end all see the same."""
    r = random.Random(7)
    clients = [Picture(server, user, t) for t in (b'a', b'b', b'c', b'd')]
    for _ in range(300):
        busy = r.sample(clients, r.randint(1, len(clients)))
        for c in busy:
            c.act(r)
        for c in busy:
            c.receive()
        most = max(clients, key=lambda c: len(c.uids))
        if len(most.uids) > 60:
            most.send(b'MOVE 1:40 Trash')
            most.receive()
    views = []
    for c in clients:
        c.send(b'NOOP')
        c.receive()
    for c in clients:
        c.send(b'FETCH 1:* (UID FLAGS)', True)
        c.receive()
        views.append((list(c.uids), [c.flags[u] for u in c.uids]))
    assert views[0][0]
    assert all(v == views[0] for v in views)
    for c in clients:
        told = dict(c.flags)
        c.send(b'UID FETCH 1:* FLAGS')
        c.receive()
        assert {u: told[u] for u in c.uids} == {u: c.flags[u] for u in c.uids}
        c.w.close()
