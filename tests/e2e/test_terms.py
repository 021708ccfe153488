"""What senders ask of the delivery: FUTURERELEASE (RFC 4865), DELIVERBY (RFC 2852), MT-PRIORITY (RFC
6710).

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import re
import smtplib
import ssl
import time

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def sink():
    s = Sink(free_port())
    yield s
    s.close()


@pytest.fixture(scope='module')
def own(sink):
    """A server whose mail to others goes to the sink."""
    port = sink.server.server_address[1]
    s = Server(extra=[f'route * 127.0.0.1:{port}']).start()
    s.add_domain()
    for name in ('anna', 'bert', 'carl', 'dora', 'emil', 'fritz', 'gerd', 'hans'):
        s.add_account(name)
    yield s
    s.remove()


def submission(server, user='anna@example.com'):
    s = smtplib.SMTP('127.0.0.1', server.ports['submission'])
    s.starttls(context=TLS)
    s.ehlo('client.example')
    s.login(user, 'secret')
    return s


def submit(server, to, *options, user='anna@example.com', rcpt_options=()):
    with submission(server, user) as s:
        s.sendmail(user, to, f'From: {user}\r\nSubject: for later\r\n\r\nhello\r\n', options, rcpt_options)


def inbox(server, user):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('INBOX', readonly=True)
    found = m.search(None, 'ALL')[1][0].split()
    mails = [m.fetch(n, '(INTERNALDATE BODY.PEEK[])')[1][0] for n in found]
    m.logout()
    return mails


def queued(server, *words):
    return json.loads(server.ctl('queue', 'list', '--json', *words).stdout)


def test_what_is_announced(own):
    with submission(own) as s:
        most, until = s.esmtp_features['futurerelease'].split()
        assert most == '31536000' and re.fullmatch(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ', until)
    with smtplib.SMTP('127.0.0.1', own.ports['smtp']) as s:
        s.ehlo('client.example')
        assert not s.has_extn('futurerelease')
        assert s.mail('a@b.example', ['HOLDFOR=60'])[0] == 555


def test_what_is_refused(own):
    with submission(own) as s:
        for options in (['HOLDFOR=31536001'], ['HOLDFOR=0'], ['HOLDFOR=5', 'HOLDUNTIL=2096-01-01T00:00:00Z'],
                        ['HOLDUNTIL=2096-01-01T00:00:00Z'], ['HOLDUNTIL=2020-01-01T00:00:00Z'], ['HOLDFOR=x']):
            code, text = s.mail('anna@example.com', options)
            assert (code, text[:5]) == (501, b'5.5.4'), options


def test_it_waits_also_over_a_restart(own, sink):
    """In the queue, for mailboxes here as well; nobody's hurry sends it; it can be dropped."""
    to = ['bert@example.com', 'x@elsewhere.example']
    submit(own, to, 'HOLDFOR=3600')
    held, = queued(own)
    assert [(r['state'], r['tries']) for r in held['recipients']] == [('waiting', 0)] * 2
    assert 3590 < (held['not_before_us'] - held['arrived_us']) / 1e6 <= 3600
    qid = held['qid']
    line = own.ctl('queue', 'list').stdout.splitlines()[0]
    assert line.startswith(qid) and re.search(r'  waits until 20\d\d-', line)
    shown = own.ctl('queue', 'show', qid).stdout
    assert re.search(r'^not before  20\d\d-.* \(in (59 min|60 min|1 h).*\), as its sender asked$', shown, re.M), shown
    own.stop()
    own.start()
    assert queued(own) == [held]
    own.ctl('queue', 'retry', '--all')
    own.ctl('queue', 'retry', qid)
    own.ctl('queue', 'hold', qid)
    own.ctl('queue', 'release', qid)
    submit(own, to)  # what goes at once is not behind it
    wait_for(lambda: sink.to('x@elsewhere.example') and inbox(own, 'bert@example.com'))
    assert [m['qid'] for m in queued(own)] == [qid] and len(sink.to('x@elsewhere.example')) == 1
    assert len(inbox(own, 'bert@example.com')) == 1
    own.ctl('queue', 'drop', qid)
    assert queued(own) == []


def test_it_goes_when_it_is_time(own, sink):
    began = int(time.time())
    submit(own, ['carl@example.com', 'y@elsewhere.example'], 'HOLDFOR=3')
    mail, = wait_for(lambda: inbox(own, 'carl@example.com'))
    arrived = time.mktime(imaplib.Internaldate2tuple(mail[0]))
    assert arrived >= began + 3
    wait_for(lambda: sink.to('y@elsewhere.example'))
    until = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 4))
    submit(own, ['carl@example.com'], 'HOLDUNTIL=' + until)
    wait_for(lambda: len(inbox(own, 'carl@example.com')) == 2)
    wait_for(lambda: queued(own) == [])


def test_a_report_says_what_was_asked(own, sink):
    sink.answers['gone'] = '550 5.1.1 nobody of that name'
    submit(own, ['gone@elsewhere.example'], 'HOLDFOR=1', user='dora@example.com')
    (_, report), = wait_for(lambda: inbox(own, 'dora@example.com'))
    assert b'\r\nArrival-Date: ' in report and b'\r\nFuture-Release-Request: for;1\r\n' in report
    assert b'Status: 5.1.1\r\n' in report
    wait_for(lambda: queued(own) == [])


OFFERS = ['PIPELINING', '8BITMIME', 'SIZE 10000000']


def said_to(sink, address):
    """The line of MAIL, and that of RCPT, for this recipient."""
    at = max(i for i, line in enumerate(sink.said) if line.startswith(f'RCPT TO:<{address}>'))
    return [line for line in sink.said[:at] if line.startswith('MAIL')][-1], sink.said[at]


def report_to(server, user):
    (_, report), = wait_for(lambda: inbox(server, user))
    return report


def test_deliver_by_is_for_users(own):
    """A stranger's sender may be forged, and what is asked for ends in reports to it: at an alias that leads outside, say."""
    with submission(own) as s:
        assert s.esmtp_features['deliverby'] == '5'
        for value, code in (('4;R', 555), ('0;R', 501), ('-1;R', 501), ('60', 501), ('60;X', 501), ('5;R', 250)):
            assert s.mail('anna@example.com', ['BY=' + value])[0] == code, value
            s.rset()
    with smtplib.SMTP('127.0.0.1', own.ports['smtp']) as s:
        s.ehlo('client.example')
        assert not s.has_extn('deliverby')
        for value in ('60;N', '60;NT', '60;R', '60;X'):
            assert s.mail('a@b.example', ['BY=' + value])[0] == 555, value


def test_what_must_come_back_goes_to_nobody_who_does_not_know(own, sink):
    submit(own, ['z@elsewhere.example'], 'BY=600;R', user='emil@example.com')
    report = report_to(own, 'emil@example.com')
    assert b'\r\nAction: failed\r\nStatus: 5.4.7\r\n' in report and b'DELIVERBY' in report
    assert re.search(rb'\r\nArrival-Date: .*\r\nDeliver-By-Date: ', report)
    assert not sink.to('z@elsewhere.example')


def test_it_comes_back_in_time(own, sink):
    """Before the next try would be; until then the next server hears what is left."""
    sink.answers['busy'] = '450 4.2.0 mailbox is busy'
    sink.offer(*OFFERS, 'DELIVERBY 3')
    submit(own, ['busy@elsewhere.example'], 'BY=8;R', user='fritz@example.com')
    report = report_to(own, 'fritz@example.com')
    assert b'\r\nAction: failed\r\nStatus: 5.4.7\r\n' in report
    assert b'mailbox is busy' in report  # the last answer
    mail, _ = said_to(sink, 'busy@elsewhere.example')
    assert re.search(r' BY=[3-8];R$', mail), mail
    wait_for(lambda: queued(own) == [])
    sink.offer(*OFFERS, 'DELIVERBY 240')
    submit(own, ['busy@elsewhere.example'], 'BY=120;R', user='fritz@example.com')
    reports = wait_for(lambda: len(inbox(own, 'fritz@example.com')) == 2 and inbox(own, 'fritz@example.com'))
    assert b'the server wants 240 seconds' in reports[1][1]


def test_a_delay_is_told_when_it_was_asked_for(own, sink):
    sink.answers['slow'] = '450 4.2.0 later'
    sink.offer(*OFFERS)
    submit(own, ['slow@elsewhere.example'], 'BY=2;N', user='gerd@example.com')
    report = report_to(own, 'gerd@example.com')
    assert b'\r\nAction: delayed\r\nStatus: 4.4.7\r\n' in report
    left, = queued(own)
    assert left['recipients'][0]['state'] == 'waiting' and left['recipients'][0]['reported'] == ['delay']
    own.ctl('queue', 'drop', left['qid'])


def test_a_relay_is_told(own, sink):
    """Where the time is lost on the way, or a trace was asked for; never against NOTIFY=NEVER."""
    sink.offer(*OFFERS, 'DSN')
    submit(own, ['lost@elsewhere.example'], 'BY=600;N', user='hans@example.com')
    report = report_to(own, 'hans@example.com')
    assert b'\r\nAction: relayed\r\nStatus: 2.0.0\r\n' in report
    mail, rcpt = said_to(sink, 'lost@elsewhere.example')
    assert ' BY=' not in mail and rcpt.endswith(' NOTIFY=FAILURE,DELAY')
    sink.offer(*OFFERS, 'DSN', 'DELIVERBY')
    submit(own, ['quiet@elsewhere.example'], 'BY=600;NT', user='hans@example.com', rcpt_options=['NOTIFY=NEVER'])
    submit(own, ['plain@elsewhere.example'], 'BY=600;N', user='hans@example.com')
    submit(own, ['traced@elsewhere.example'], 'BY=600;RT', user='hans@example.com')
    reports = wait_for(lambda: len(inbox(own, 'hans@example.com')) == 2 and inbox(own, 'hans@example.com'))
    assert b'\r\nAction: relayed\r\n' in reports[1][1] and b'traced@elsewhere.example' in reports[1][1]
    mail, rcpt = said_to(sink, 'traced@elsewhere.example')
    assert re.search(r' BY=(600|5[5-9]\d);RT$', mail), mail
    assert rcpt == 'RCPT TO:<traced@elsewhere.example>'
    wait_for(lambda: queued(own) == [])
    assert len(sink.to('quiet@elsewhere.example')) == len(sink.to('plain@elsewhere.example')) == 1
    assert len(inbox(own, 'hans@example.com')) == 2
    sink.offer(*OFFERS)


def test_priority(own, sink):
    """Told on; of strangers it is 0, and they hear so.  The header field is nobody's word."""
    sink.offer(*OFFERS, 'MT-PRIORITY')
    with submission(own) as s:
        assert s.esmtp_features['mt-priority'] == 'MIXER'
        assert s.mail('anna@example.com', ['MT-PRIORITY=10'])[0] == 501
        assert s.mail('anna@example.com', ['MT-PRIORITY=3']) == (250, b'2.1.0 Sender is fine')
        assert s.rcpt('urgent@elsewhere.example')[0] == 250
        assert s.data('From: anna@example.com\r\nMT-Priority: -9\r\n\r\nx\r\n')[0] == 250
    wait_for(lambda: sink.to('urgent@elsewhere.example'))
    assert said_to(sink, 'urgent@elsewhere.example')[0].endswith(' MT-PRIORITY=3')
    text, = (m[2] for m in sink.to('urgent@elsewhere.example'))
    assert re.search(rb'for\s+<urgent@elsewhere.example>\s+PRIORITY\s+3;', text)
    submit(own, ['usual@elsewhere.example'])
    wait_for(lambda: sink.to('usual@elsewhere.example'))
    assert said_to(sink, 'usual@elsewhere.example')[0].endswith(' MT-PRIORITY=0')
    with smtplib.SMTP('127.0.0.1', own.ports['smtp']) as s:
        s.ehlo('client.example')
        code, words = s.mail('a@b.example', ['MT-PRIORITY=9'])
        assert code == 250 and words.startswith(b'2.3.6 0 ')
    sink.offer(*OFFERS)
