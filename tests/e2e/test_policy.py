"""Policy servers: a real server asks a real one, over both kinds of socket; every action, and everything that can go wrong.

SPDX-License-Identifier: Apache-2.0
"""
import os
import smtplib
import socket
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, wait_for  # noqa: E402

MESSAGE = b'From: a@far.example\r\nSubject: x\r\n\r\ny\r\n'


class Policy:
    """A policy server.  answers: what to say to a recipient's (or, at the end, the sender's) local part; a function gets the
    socket and does as it likes."""

    def __init__(self, where):
        self.answers, self.asked, self.connections = {}, [], 0
        self.listener = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(where)
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            self.talk(s)
        except OSError:
            pass  # the server hung up

    def talk(self, s):
        with s, s.makefile('rb') as f:
            request = {}
            for line in f:
                line = line.rstrip(b'\n').decode('utf-8', 'replace')
                if line:
                    name, _, value = line.partition('=')
                    request[name] = value
                    continue
                self.asked.append(request)
                key = request['sender' if request['protocol_state'] == 'END-OF-MESSAGE' else 'recipient'].split('@')[0]
                answer = self.answers.get(key, 'DUNNO')
                request = {}
                if not callable(answer):
                    s.sendall(f'action={answer}\n\n'.encode())
                elif answer(s):
                    return

    def close(self):
        self.listener.close()


@pytest.fixture(scope='module')
def world():
    port = free_port()
    dead, lax = free_port(), free_port()
    s = Server(extra=['data /nowhere'])
    with open(s.config, encoding='utf-8') as f:
        text = f.read().replace('data /nowhere', f'data {s.dir}/data')
    # The first is asked at RCPT, the second at the end; then two that are not there, for submission.
    text += (f'policy unix {s.dir}/policy timeout 3 context front\npolicy 127.0.0.1:{port} at data timeout 3 on all\n'
             f'policy 127.0.0.1:{lax} default accept on submission\npolicy 127.0.0.1:{dead} at data on submission\n')
    with open(s.config, 'w', encoding='utf-8') as f:
        f.write(text)
    first, second = Policy(f'{s.dir}/policy'), Policy(('127.0.0.1', port))
    s.start()
    s.add_domain()
    for name in ('anna', 'bert', 'carl'):
        s.add_account(name)
    yield s, first, second
    s.remove()
    first.close()
    second.close()


@pytest.fixture
def smtp(world):
    with smtplib.SMTP('127.0.0.1', world[0].ports['smtp'], 'client.example', timeout=60) as c:
        c.ehlo()
        yield c
    world[1].answers.clear()
    world[2].answers.clear()


def rcpt(c, to='anna', sender='a@far.example'):
    c.rset()
    c.mail(sender)
    return c.rcpt(f'{to}@example.com')


def data(c, *to, sender='a@far.example'):
    rcpt(c, to[0], sender)
    for one in to[1:]:
        c.rcpt(f'{one}@example.com')
    return c.data(MESSAGE)


def body(server, name):
    import imaplib
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(name, 'secret')
        m.select('INBOX')
        found = m.search(None, 'ALL')[1][0].split()
        return (len(found), m.fetch(found[-1], '(BODY.PEEK[])')[1][0][1] if found else b'')


def test_what_is_asked(world, smtp):
    server, first, second = world
    before = len(first.asked), len(second.asked)
    assert data(smtp, 'anna', 'bert')[0] == 250
    one, two = first.asked[before[0]:]
    assert one['request'] == 'smtpd_access_policy' and one['protocol_state'] == 'RCPT' and one['protocol_name'] == 'ESMTP'
    assert one['helo_name'] == 'client.example' and one['sender'] == 'a@far.example'
    assert one['recipient'] == 'anna@example.com' and two['recipient'] == 'bert@example.com'
    assert one['client_address'] == '127.0.0.1' and one['client_port'] == str(smtp.sock.getsockname()[1])
    assert one['server_address'] == '127.0.0.1' and one['server_port'] == str(server.ports['smtp'])
    assert one['policy_context'] == 'front' and one['recipient_count'] == '0' and one['sasl_username'] == ''
    assert one['instance'] == two['instance'] and one['encryption_protocol'] == ''
    end = second.asked[-1]
    assert end['protocol_state'] == 'END-OF-MESSAGE' and end['recipient_count'] == '2' and end['recipient'] == ''
    assert int(end['size']) == len(MESSAGE) and end['instance'] == one['instance']
    assert first.connections == 1  # kept for the next question
    smtp.rset()
    assert smtp.mail('a@far.example')[0] == 250
    assert smtp.rcpt('nobody@example.com')[0] == 550  # nobody is asked about who is not there
    assert first.asked[-1] is two


@pytest.mark.parametrize('action, code, text', [
    ('OK', 250, b''), ('dunno', 250, b''), ('REJECT', 554, b'5.7.1 <anna@example.com>: Access denied'),
    ('REJECT 5.7.23 go away', 554, b'5.7.23 <anna@example.com>: go away'),
    ('DEFER wait', 450, b'4.7.1'), ('DEFER_IF_PERMIT greylisted', 450, b'greylisted'), ('DEFER_IF_REJECT x', 250, b''),
    ('450 4.2.0 wait', 450, b'4.2.0 <anna@example.com>: wait'), ('550 no', 550, b'5.7.1 <anna@example.com>: no'),
    ('WARN look', 250, b''), ('FILTER x:y', 451, b'4.3.5'), ('no such thing', 451, b'4.3.5')])
def test_actions_at_rcpt(world, smtp, action, code, text):
    world[1].answers['anna'] = action
    got = rcpt(smtp)
    assert got[0] == code and text in got[1]
    if action.startswith(('WARN', 'FILTER')):
        assert ('ev=filter.verdict' if code == 250 else 'reason="unknown action: FILTER x:y"') in world[0].log()


def test_actions_for_the_whole_message(world, smtp):
    server, first, second = world
    first.answers['anna'] = 'PREPEND X-Policy: seen'
    first.answers['carl'] = 'PREPEND X-More: too'
    assert data(smtp, 'anna', 'carl')[0] == 250
    n, text = wait_for(lambda: (lambda r: r if b'X-Policy' in r[1] else None)(body(server, 'anna')))
    assert text.index(b'X-Policy: seen\r\nX-More: too\r\n') < text.index(b'Received:')
    first.answers['anna'] = 'DISCARD spam'
    assert data(smtp, 'anna')[0] == 250 and body(server, 'anna')[0] == n
    first.answers['anna'] = 'HOLD look at it'
    answer = data(smtp, 'anna')
    assert answer[0] == 250 and b'queued as ' in answer[1]
    assert 'held' in server.ctl('queue', 'list').stdout
    qid = answer[1].decode().split()[-1]
    assert body(server, 'anna')[0] == n
    server.ctl('queue', 'release', qid)
    wait_for(lambda: body(server, 'anna')[0] == n + 1)


def test_actions_at_the_end(world, smtp):
    server, first, second = world
    second.answers.update(no='REJECT spam', later='DEFER', pre='PREPEND X-A: b', gone='DISCARD', held='HOLD')
    n = body(server, 'bert')[0]
    assert data(smtp, 'bert', sender='no@far.example') == (554, b'5.7.1 spam')
    assert data(smtp, 'bert', sender='later@far.example')[0] == 450
    assert data(smtp, 'bert', sender='gone@far.example')[0] == 250
    assert b'queued as' in data(smtp, 'bert', sender='held@far.example')[1]
    assert body(server, 'bert')[0] == n
    assert data(smtp, 'bert', sender='pre@far.example')[0] == 250
    assert b'X-A' not in body(server, 'bert')[1] and 'too late for PREPEND' in server.log()


def dies(s):
    s.sendall(b'action=DU')
    return True


def over_long(s):
    s.sendall(b'action=' + b'x' * 100000 + b'\n\n')


def never_ends(s):
    s.sendall(b'noise=1\n' * 1000)


@pytest.mark.parametrize('fault, reason', [
    (dies, 'it closed the connection'), (over_long, 'its answer is too long'), (never_ends, 'its answer is too long'),
    (lambda s: s.sendall(b'\n'), 'cannot be understood'), (lambda s: s.sendall(b'ac\0tion=OK\n\n'), 'cannot be understood'),
    (lambda s: None, 'no answer in time')])
def test_faults(world, smtp, fault, reason):
    server, first, _ = world
    assert rcpt(smtp)[0] == 250
    first.answers['bert'] = fault
    server_log = len(server.log())
    assert rcpt(smtp, 'bert') == (451, b'4.3.5 <bert@example.com>: The server cannot judge mail now, try again later')
    wait_for(lambda: reason in server.log()[server_log:])
    assert rcpt(smtp, 'anna')[0] == 250  # a new connection, and all is well


def test_a_kept_connection_that_died_is_replaced(world, smtp):
    server, first, _ = world
    first.answers['carl'] = lambda s: s.sendall(b'action=DUNNO\n\n') or True
    for _ in range(3):
        assert rcpt(smtp, 'carl')[0] == 250


def test_who_is_not_there(world):
    server, _, second = world
    with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=60) as c:
        c.login('anna', 'secret')
        c.mail('anna@example.com')
        assert c.rcpt('bert@example.com')[0] == 250  # default accept
        assert c.data(b'From: anna@example.com\r\n\r\nx\r\n')[0] == 451
    assert second.asked[-1]['sasl_username'] == 'anna@example.com'
    assert 'then=accept' in server.log() and 'reason="nobody answers there" then=tempfail' in server.log()
