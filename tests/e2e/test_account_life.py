"""The life of an account: suspended, deleted, brought back; what each protocol says to the sessions that end.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import poplib
import re
import smtplib
import socket
import time

import pytest
from godwit import Server, wait_for
from imapwire import Wire
from scram import Scram, Talk

PASSWORD = re.compile(r'^[a-hjkmnp-z2-9]{5}(-[a-hjkmnp-z2-9]{5}){3}$')


@pytest.fixture(scope='module')
def server():
    s = Server(extra=['outbound none', 'route nowhere.example 127.0.0.1:1'])
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


class Lines:
    """POP3 or SMTP, line by line."""

    def __init__(self, server, service):
        self.sock = socket.create_connection(('127.0.0.1', server.ports[service]), timeout=60)
        self.file = self.sock.makefile('rb')
        self.line()

    def line(self):
        return self.file.readline().decode().rstrip('\r\n')

    def say(self, text):
        self.sock.sendall(text.encode() + b'\r\n')
        return self.line()


def imap(server, name, password='secret'):
    """True when it may log in; the answer otherwise."""
    w = Wire(server.ports['imap'])
    w.line()
    w.send(f'a LOGIN {name}@example.com {password}\r\n'.encode())
    answer = w.until(b'a')[-1].decode()
    w.close()
    return True if answer.startswith('a OK') else answer


def send(server, address, subject):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        return s.sendmail('a@b.example', [address], f'Subject: {subject}\r\n\r\nText\r\n')


def rcpt(server, address):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.ehlo('client.example')
        s.mail('a@b.example')
        return s.rcpt(address)[0]


def subjects(server, name, password='secret'):
    w = Wire(server.ports['imap'])
    w.line()
    w.login(f'{name}@example.com', password)
    w.command(b's', b'EXAMINE INBOX')
    w.send(b'f FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n')
    found = re.findall(rb'Subject: ([^\r\n]*)', b'\n'.join(w.until(b'f')))
    w.close()
    return [f.decode() for f in found]


def show(server, name):
    return json.loads(server.ctl('account', 'show', '--json', f'{name}@example.com').stdout)[0]


def open_sessions(server, name):
    idle = Wire(server.ports['imap'])
    idle.line()
    idle.login(f'{name}@example.com')
    idle.command(b's', b'SELECT INBOX')
    idle.send(b'i IDLE\r\n')
    assert idle.line().startswith(b'+')
    pop = Lines(server, 'pop3')
    assert pop.say(f'USER {name}@example.com').startswith('+OK')
    assert pop.say('PASS secret').startswith('+OK')
    smtp = Lines(server, 'submission')
    assert smtp.say('HELO c.example').startswith('250')
    smtp.sock.sendall(b'AUTH LOGIN\r\n')
    assert smtp.line().startswith('334')
    assert smtp.say(base64.b64encode(f'{name}@example.com'.encode()).decode()).startswith('334')
    assert smtp.say('c2VjcmV0').startswith('235')
    return idle, pop, smtp


def have_ended(idle, pop, smtp):
    assert idle.line().startswith(b'* BYE')
    assert idle.file.read() == b''
    assert pop.line().startswith('-ERR [AUTH]')
    assert pop.file.read() == b''
    assert smtp.line().startswith('421 4.7.0')
    assert smtp.file.read() == b''


def test_suspended(server):
    server.add_account('sue')
    sessions = open_sessions(server, 'sue')
    wrong = imap(server, 'sue', 'wrong')
    server.ctl('account', 'suspend', 'sue@example.com')
    have_ended(*sessions)
    assert imap(server, 'sue') == wrong
    with pytest.raises(poplib.error_proto, match='AUTH'):
        p = poplib.POP3('127.0.0.1', server.ports['pop3'], timeout=20)
        p.user('sue@example.com')
        p.pass_('secret')
    assert send(server, 'sue@example.com', 'meanwhile') == {}
    assert show(server, 'sue')['suspended'] is True and show(server, 'sue')['disabled'] is False
    assert ', suspended' in server.ctl('account', 'list').stdout
    server.ctl('account', 'resume', 'sue@example.com')
    assert imap(server, 'sue') is True
    assert subjects(server, 'sue') == ['meanwhile']
    assert show(server, 'sue')['suspended'] is False
    assert server.ctl('account', 'suspend', 'nobody@example.com', check=False).returncode == 1


def test_suspended_is_as_a_wrong_password_by_scram(server):
    server.add_account('scra')

    def attempt(password):
        scram = Scram('scra@example.com', password)
        with Talk(server, 'imaps') as t:
            return t.log_in(scram, 'SCRAM-SHA-256'), scram.salt

    wrong, salt = attempt('wrong')
    assert attempt('secret') == (b'ok', salt)
    server.ctl('account', 'suspend', 'scra@example.com')
    assert attempt('secret') == (wrong, salt)
    server.ctl('account', 'resume', 'scra@example.com')
    assert attempt('secret') == (b'ok', salt)


def test_generated_passwords(server):
    said = server.ctl('account', 'add', '--generate', 'gina@example.com').stdout
    first = re.search(r'^password: (\S+)$', said, re.M).group(1)
    assert PASSWORD.match(first)
    assert imap(server, 'gina', first) is True
    second = json.loads(server.ctl('account', 'passwd', '--generate', '--json', 'gina@example.com').stdout)['password']
    assert PASSWORD.match(second) and second != first
    assert imap(server, 'gina', second) is True
    assert imap(server, 'gina', first) is not True
    made = json.loads(server.ctl('account', 'add', '--json', '--generate', 'gino@example.com').stdout)
    assert made['address'] == 'gino@example.com' and PASSWORD.match(made['password'])
    server.ctl('account', 'passwd', 'gina@example.com', stdin='third one\n')
    assert imap(server, 'gina', '"third one"') is True
    wait_for(lambda: 'account password' in server.log())
    assert not any(p in server.log() for p in (first, second, made['password']))


def listed_deleted(server):
    return {d['address']: d for d in json.loads(server.ctl('account', 'list', '--deleted', '--json').stdout)}


def test_deleted_and_brought_back(server):
    server.add_account('dora')
    server.ctl('account', 'quota', 'dora@example.com', '5M')
    server.ctl('alias', 'set', 'info@example.com', 'dora@example.com')
    send(server, 'info@example.com', 'before')
    sessions = open_sessions(server, 'dora')
    said = server.ctl('account', 'delete', 'dora@example.com').stdout
    have_ended(*sessions)
    assert 'undelete' in said
    assert rcpt(server, 'dora@example.com') == 550
    assert imap(server, 'dora') is not True
    gone = listed_deleted(server)['dora@example.com']
    assert gone['messages'] == 1 and gone['quota_bytes'] == 5 << 20
    assert abs(gone['ends'] / 1e6 - time.time() - 14 * 86400) < 3600
    day = time.strftime('%Y-%m-%d', time.gmtime(gone['ends'] / 1e6))
    assert day in server.ctl('account', 'list', '--deleted').stdout and day in said
    server.stop()
    server.start()
    assert 'is back with 1 message' in server.ctl('account', 'undelete', 'dora@example.com').stdout
    assert subjects(server, 'dora') == ['before']
    assert show(server, 'dora')['quota_bytes'] == 5 << 20
    assert 'dora@example.com' not in listed_deleted(server)
    send(server, 'info@example.com', 'after')
    assert subjects(server, 'dora') == ['before', 'after']
    again = server.ctl('account', 'undelete', 'dora@example.com', check=False)
    assert again.returncode == 1 and 'no account dora@example.com was deleted' in again.stderr


def test_an_address_that_is_given_anew(server):
    server.add_account('eve')
    send(server, 'eve@example.com', 'of the first')
    server.ctl('account', 'remove', 'eve@example.com')
    server.add_account('eve', 'another')
    refused = server.ctl('account', 'undelete', 'eve@example.com', check=False)
    assert refused.returncode == 1 and 'belongs to another account' in refused.stderr and '--as' in refused.stderr
    away = server.ctl('account', 'undelete', '--as', 'eve@else.example', 'eve@example.com', check=False)
    assert away.returncode == 1 and 'not served here' in away.stderr
    back = json.loads(server.ctl('account', 'undelete', '--json', '--as', 'eva@example.com', 'eve@example.com').stdout)
    assert back['address'] == 'eva@example.com' and back['messages'] == 1
    assert subjects(server, 'eva') == ['of the first']
    assert subjects(server, 'eve', 'another') == []


def test_deleted_now(server):
    for name in ('fred', 'fritz'):
        server.add_account(name)
    for n in range(20):
        send(server, 'fred@example.com', f'message {n}')
    for name in ('fred', 'fritz', 'fred'):
        with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=20) as s:
            s.login(f'{name}@example.com', 'secret')
            s.sendmail(f'{name}@example.com', ['x@nowhere.example'], 'Subject: away\r\n\r\nText\r\n')
    server.ctl('alias', 'set', 'both@example.com', 'fred@example.com', 'fritz@example.com')
    for name in ('fred', 'fritz'):
        with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=20) as s:
            s.login(f'{name}@example.com', 'secret')
            s.sendmail('both@example.com', ['x@nowhere.example'], 'Subject: away\r\n\r\nText\r\n')
    senders = [m['sender'] for m in json.loads(server.ctl('queue', 'list', '--json').stdout)]
    assert sorted(senders) == ['both@example.com'] * 2 + ['fred@example.com'] * 2 + ['fritz@example.com']
    server.ctl('account', 'delete', 'fred@example.com')
    assert len(json.loads(server.ctl('queue', 'list', '--json').stdout)) == 5
    done = server.ctl('account', 'delete', '--now', 'fred@example.com')
    assert 'fred@example.com is gone with 20 messages, and 3 that it had in the queue' in done.stdout
    assert 'backups' in done.stdout
    left = json.loads(server.ctl('queue', 'list', '--json').stdout)
    assert sorted(m['sender'] for m in left) == ['both@example.com', 'fritz@example.com']
    assert 'fred@example.com' not in listed_deleted(server)
    assert server.ctl('account', 'undelete', 'fred@example.com', check=False).returncode == 1
    told = json.loads(server.ctl('account', 'delete', '--now', '--json', 'fritz@example.com').stdout)
    assert told == {'result': 'ok', 'address': 'fritz@example.com', 'messages': 0, 'queued': 2}
    server.add_account('fred')
    assert subjects(server, 'fred') == []
