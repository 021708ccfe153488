"""The queue over the life of the server: damage, restarts.

SPDX-License-Identifier: Apache-2.0
"""
import glob
import imaplib
import json
import smtplib
import ssl

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture
def sink():
    s = Sink(free_port())
    yield s
    s.close()


@pytest.fixture
def own(sink):
    """A server whose mail to others goes to the sink."""
    port = sink.server.server_address[1]
    s = Server(extra=[f'route * 127.0.0.1:{port}']).start()
    s.add_domain()
    yield s
    s.remove()


def submit(server, user, to, body='hello\r\n'):
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, to, f'From: {user}\r\nTo: {", ".join(to)}\r\nSubject: out\r\n\r\n{body}')


def inbox(server, user):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('INBOX', readonly=True)
    found = m.search(None, 'ALL')[1][0].split()
    bodies = [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found]
    m.logout()
    return bodies


def queue(server):
    return json.loads(server.ctl('queue', 'list', '--json').stdout)


def damage(server, words):
    """Turns bytes over, wherever the stopped server keeps these words."""
    found = 0
    for path in glob.glob(server.dir + '/data/**', recursive=True):
        try:
            with open(path, 'r+b') as f:
                at = f.read().find(words)
                if at >= 0:
                    found += 1
                    f.seek(at)
                    f.write(bytes(b ^ 255 for b in words))
        except IsADirectoryError:
            continue
    return found


def test_a_report_when_nothing_of_the_message_can_be_read(own, sink):
    """The sender hears of the failure all the same, and the queue is empty then."""
    user = own.add_account('anna')
    sink.answers['gone'] = '450 4.2.0 later'
    submit(own, user, ['gone@elsewhere.example'], 'this-line-will-be-damaged\r\n' * 4000)
    wait_for(lambda: [m for m in queue(own) if m['recipients'][0]['tries'] == 1])
    own.stop()
    assert damage(own, b'this-line-will-be-damaged\r\n' * 4) == 1
    sink.answers['gone'] = '550 5.1.1 nobody of that name'
    own.start()
    own.ctl('queue', 'retry', 'all')
    report = wait_for(lambda: inbox(own, user))[0]
    assert b'Final-Recipient: rfc822; gone@elsewhere.example\r\n' in report and b'Status: 5.1.1\r\n' in report
    assert b'rfc822-headers' not in report
    wait_for(lambda: queue(own) == [])
