"""godwit trace: the life of a message, in words and times, from its connection to its end.

SPDX-License-Identifier: Apache-2.0
"""
import glob
import http.client
import imaplib
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
from urllib.parse import urlencode

import pytest
from godwit import PROGRAM, Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def sink():
    s = Sink(free_port())
    yield s
    s.close()


@pytest.fixture(scope='module')
def world(sink):
    s = Server(extra=[f'route * 127.0.0.1:{sink.server.server_address[1]}', 'log-level warn'])
    try:
        s.start()
        s.add_domain()
        for name in ('anna', 'ben'):
            s.add_account(name)
        s.ctl('alias', 'set', 'all@example.com', 'anna@example.com', 'ben@example.com')
        s.ctl('alias', 'set', 'info@example.com', 'anna@example.com')
        yield s
    finally:
        s.remove()


def trace(server, *words, code=0):
    done = subprocess.run([PROGRAM, 'trace', '-c', server.config, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def lives(server, what):
    """As JSON; empty while nothing is known."""
    done = subprocess.run([PROGRAM, 'trace', '-c', server.config, '--json', what], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def life(server, what, *events):
    """The one life of a message, once it has these events."""
    def complete():
        found = lives(server, what)
        return found if found and set(events) <= {s['ev'] for s in found[0]['steps']} else None
    found, = wait_for(complete)
    return found


def words(found, event):
    return [s['words'] for s in found['steps'] if s['ev'] == event]


def mail(server, sender, to, ident, starttls=False):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], local_hostname='mx.world.example') as s:
        if starttls:
            s.starttls(context=TLS)
        return s.sendmail(sender, to, f'Message-ID: <{ident}>\r\nSubject: secret words\r\n\r\nhello\r\n')


def submit(server, user, to, ident):
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, to, f'From: {user}\r\nMessage-ID: <{ident}>\r\n\r\nhello\r\n')


def test_from_the_connection_to_the_last_mailbox(world):
    mail(world, 'kim@world.example', ['info@example.com'], 'Straight.1@world.example', starttls=True)
    m = imaplib.IMAP4('127.0.0.1', world.ports['imap'])
    m.login('anna', 'secret')
    m.create('Kept/2026')
    m.select('INBOX')
    uid = m.uid('SEARCH', 'HEADER', 'Message-ID', 'Straight.1@world.example')[1][0].decode()
    m.uid('MOVE', uid, 'Kept/2026')
    m.select('Kept/2026')
    m.uid('STORE', '1', '+FLAGS', r'(\Deleted)')
    m.expunge()
    m.logout()
    found = life(world, '<straight.1@WORLD.example>', 'smtp.message', 'store.deliver', 'mail.move', 'mail.expunge')
    assert [s['ev'] for s in found['steps'] if s['ev'] != 'smtp.message'] == ['store.deliver', 'mail.move', 'mail.expunge']
    assert found['result'] == 'delivered' and found['message_id'] == 'Straight.1@world.example'
    came, = words(found, 'smtp.message')
    assert re.fullmatch(r'came from 127\.0\.0\.1 \(calls itself mx\.world\.example\) with TLS: from <kim@world\.example> to '
                        r'<info@example\.com>, 1 recipient, \d+ bytes: accepted, 250', came)
    assert words(found, 'store.deliver') == [f'is in the mailbox of anna@example.com: INBOX, UID {uid}; '
                                             'it was addressed to <info@example.com>']
    assert words(found, 'mail.move') == [f'moved from "INBOX" (UID {uid}) to "Kept/2026" (UID 1)']
    assert words(found, 'mail.expunge') == ['deleted from "Kept/2026" (UID 1)']
    # The id in our Received field leads there too.
    assert life(world, found['id'])['steps'] == found['steps']
    # Nothing from inside the message but its id is kept, and the log of level warn says none of it.
    for path in glob.glob(os.path.join(world.dir, 'data', 'trace', '*')):
        with open(path, 'rb') as f:
            assert b'secret words' not in f.read()
    assert 'ev=smtp' not in world.log()


def test_local_time_and_one_line_a_step(world):
    mail(world, 'kim@world.example', ['anna@example.com'], 'clock@world.example')
    found = life(world, 'clock@world.example', 'smtp.message', 'store.deliver')
    shown = {}
    for zone in ('UTC', 'XXX-5:30'):
        done = subprocess.run([PROGRAM, 'trace', '-c', world.config, 'clock@world.example'], capture_output=True, text=True,
                              check=True, env={**os.environ, 'TZ': zone})
        shown[zone] = done.stdout.splitlines()
    head, *steps = shown['UTC']
    assert head == f'{found["id"]}  <clock@world.example>:  delivered'
    assert len(steps) == len(found['steps'])
    hour, minute = (int(n) for n in re.match(r'\d{4}-\d\d-\d\d (\d\d):(\d\d):\d\d  ', steps[0]).groups())
    there = re.match(r'\d{4}-\d\d-\d\d (\d\d):(\d\d):\d\d  ', shown['XXX-5:30'][1]).groups()
    assert (int(there[0]) * 60 + int(there[1])) == (hour * 60 + minute + 330) % 1440


def test_several_recipients_go_through_the_queue(world):
    mail(world, 'kim@world.example', ['all@example.com', 'anna@example.com'], 'several@world.example')
    found = life(world, 'several@world.example', 'smtp.message', 'queue.done')
    assert sorted(words(found, 'queue.rcpt')) == ['goes to <anna@example.com>; it was addressed to <all@example.com>',
                                                  'goes to <ben@example.com>; it was addressed to <all@example.com>']
    assert len(words(found, 'store.deliver')) == 2 and found['result'] == 'delivered'
    qid = next(s['qid'] for s in found['steps'] if s['ev'] == 'queue.add')
    assert life(world, qid.lstrip('0'))['steps'] == found['steps']


def test_what_was_refused_is_known_too(world):
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail(world, 'eve@bad.example', ['nobody@example.com'], 'never@bad.example')
    row, = wait_for(lambda: lives(world, 'nobody@example.com'))
    assert row['result'] == 'refused' and row['code'] == '550'
    found = life(world, row['id'])
    assert words(found, 'smtp.rcpt') == ['127.0.0.1 (calls itself mx.world.example) offered mail from <eve@bad.example> for '
                                         '<nobody@example.com>: refused, 550 5.1.1']
    assert 'refused 550' in trace(world, 'EVE@bad.example')
    with pytest.raises(smtplib.SMTPSenderRefused):
        with smtplib.SMTP('127.0.0.1', world.ports['submission']) as s:
            s.starttls(context=TLS)
            s.login('ben', 'secret')
            s.sendmail('anna@example.com', ['x@far.example'], 'x')
    found = wait_for(lambda: [s for r in lives(world, 'ben@example.com') for s in life(world, r['id'])['steps']
                              if s['ev'] == 'smtp.sender'])
    assert 'wanted to send as <anna@example.com>: refused, 553 5.7.1' in found[0]['words']


def test_a_message_that_is_refused_at_its_end_has_its_id(world):
    hops = ''.join(f'Received: by h{n}\r\n' for n in range(60))
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s, pytest.raises(smtplib.SMTPDataError):
        s.sendmail('kim@world.example', ['anna@example.com'], f'{hops}Message-ID: <loop@world.example>\r\n\r\nx\r\n')
    found = life(world, 'loop@world.example', 'smtp.message', 'store.refuse')
    assert found['result'] == 'refused' and found['code'] == '554'


def test_out_with_the_other_servers_words(world, sink):
    sink.answers['later'] = '450 4.2.0 not before noon'
    submit(world, 'anna@example.com', ['later@far.example'], 'out.1@example.com')
    found = life(world, 'out.1@example.com', 'submit.message', 'queue.result')
    assert found['result'] == 'waiting'
    assert 'not yet, will be tried again' in words(found, 'queue.result')[0]
    assert '450 not before noon (try 1)' in words(found, 'queue.result')[0]
    assert words(found, 'submit.message')[0].startswith('sent by anna@example.com at 127.0.0.1: from <anna@example.com>')
    del sink.answers['later']
    qid = next(s['qid'] for s in found['steps'] if s['ev'] == 'queue.add')
    world.ctl('queue', 'retry', qid)
    found = life(world, 'out.1@example.com', 'queue.done', 'admin.action')
    assert found['result'] == 'delivered'
    assert words(found, 'admin.action') == [f'the operator: queue retry {qid}: ok']
    assert len(words(found, 'out.attempt')) == 2


def test_a_failure_leads_to_its_report(world, sink):
    sink.answers['gone'] = '550 5.1.1 nobody of that name'
    submit(world, 'ben@example.com', ['gone@far.example'], 'out.2@example.com')
    found = life(world, 'out.2@example.com', 'queue.notice', 'store.deliver', 'queue.done')
    assert 'failed for good; ' in words(found, 'queue.result')[0] and 'nobody of that name' in words(found, 'queue.result')[0]
    assert words(found, 'queue.notice')[0].startswith('a report (failure) goes to <ben@example.com>, queued as ')
    assert words(found, 'store.deliver')[0].startswith('is in the mailbox of ben@example.com: INBOX, UID ')


def test_the_list_of_an_address(world):
    world.add_account('lister')
    for n in range(5):
        mail(world, 'kim@world.example', ['lister@example.com'], f'list.{n}@world.example')
    wait_for(lambda: len(lives(world, 'lister@example.com')) == 5 and all(r['result'] == 'delivered' and r['size']
                                                                         for r in lives(world, 'lister@example.com')))
    rows = trace(world, 'lister@example.com').splitlines()
    assert [r.split()[-1] for r in rows] == [f'list.{n}@world.example' for n in range(5)]
    assert all(re.match(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  [0-9a-f]{16}  delivered  \d+ bytes  ', r) for r in rows)
    assert [r.split()[-1] for r in trace(world, '--limit', '2', 'lister@example.com').splitlines()] == \
        ['list.3@world.example', 'list.4@world.example']
    assert len(trace(world, '--since', '1h', 'lister@example.com').splitlines()) == 5
    assert 'nothing is known' in trace(world, '--since', '2999-01-01', 'lister@example.com', code=1)


class Local(http.client.HTTPConnection):
    """HTTP by the Unix socket of a server."""

    def __init__(self, server):
        super().__init__('localhost', timeout=60)
        self.path = f'{server.dir}/run/api.sock'

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def ask(server, path, **query):
    c = Local(server)
    c.request('GET', path + ('?' + urlencode(query) if query else ''))
    r = c.getresponse()
    answer = r.status, json.loads(r.read())
    c.close()
    return answer


def test_the_api_tells_the_same(world):
    status, found = ask(world, '/v1/trace', what='lister@example.com')
    assert status == 200 and 'next' not in found
    rows = lives(world, 'lister@example.com')
    assert [r for r in rows if 'words' not in r] == found['messages'][::-1] and len(found['messages']) == 5
    paged, after = [], {}
    for _ in range(3):
        status, page = ask(world, '/v1/trace', what='lister@example.com', limit=2, **after)
        assert status == 200
        paged += page['messages']
        after = {'after': page.get('next')}
    assert paged == found['messages'] and 'next' not in page
    ident = found['messages'][0]['message_id']
    whole, = lives(world, ident)
    assert ask(world, '/v1/trace', what=f'<{ident.upper()}>') == (200, {'messages': [whole], 'invitations': []})
    assert ask(world, '/v1/trace', what=whole['id'])[1]['messages'] == [whole]
    assert ask(world, '/v1/trace/' + whole['id'].lstrip('0')) == (200, whole)
    world.ctl('account', 'passwd', '--invite', 'lister@example.com')
    acts = ask(world, '/v1/trace', what='lister@example.com', since='1h')[1]['invitations']
    assert [a['ev'] for a in acts] == ['invite.made'] and acts[0]['words'].startswith('an invitation was made for lister@')
    assert ask(world, '/v1/trace', what='nobody@example.net') == (200, {'messages': [], 'invitations': []})
    assert ask(world, '/v1/trace', what='lister@example.com', since='2999-01-01')[1]['messages'] == []
    assert ask(world, '/v1/trace', what='lister@example.com', after='0123456789abcdef')[1]['messages'] == []


def test_the_api_tells_lives_in_pages(world):
    for _ in range(23):
        mail(world, 'kim@world.example', ['anna@example.com'], 'again@world.example')
    wait_for(lambda: len(lives(world, 'again@world.example')) == 23)
    status, first = ask(world, '/v1/trace', what='again@world.example')
    assert status == 200 and len(first['messages']) == 20
    status, rest = ask(world, '/v1/trace', what='again@world.example', after=first['next'])
    assert status == 200 and len(rest['messages']) == 3 and 'next' not in rest
    ids = [m['id'] for m in first['messages'] + rest['messages']]
    assert ids == [m['id'] for m in lives(world, 'again@world.example')][::-1]


def test_a_long_life_over_the_api(world):
    for n in range(12):
        world.ctl('alias', 'set', f'crowd{n}@example.com', *[f'c{n}.{i}@far.example' for i in range(50)])
    with smtplib.SMTP('127.0.0.1', world.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login('anna@example.com', 'secret')
        s.sendmail('anna@example.com', [f'crowd{n}@example.com' for n in range(12)],
                   'From: anna@example.com\r\nMessage-ID: <crowd@example.com>\r\n\r\nhello\r\n')
    whole = wait_for(lambda: (lambda found: found if found and len(found[0]['steps']) > 1000 and
                              found[0]['result'] == 'delivered' else None)(lives(world, 'crowd@example.com')))[0]
    assert ask(world, '/v1/trace/' + whole['id']) == (200, whole)
    found, = ask(world, '/v1/trace', what='<crowd@example.com>')[1]['messages']
    assert not whole['cut'] and found == {**whole, 'steps': whole['steps'][:200], 'cut': True}


@pytest.mark.parametrize('path, query, status', [
    ('/v1/trace', {}, 422), ('/v1/trace', {'what': 'x' * 1025}, 422), ('/v1/trace', {'what': 'a@b', 'since': 'noon'}, 422),
    ('/v1/trace', {'what': 'a@b', 'after': 'x' * 17}, 422), ('/v1/trace', {'what': 'a@b', 'limit': '1001'}, 422),
    ('/v1/trace', {'what': 'a@b', 'who': 'me'}, 422), ('/v1/trace/ffffffffffffffff', {}, 404), ('/v1/trace/a@b', {}, 404),
    ('/v1/trace/00112233445566778', {}, 404)])
def test_wrong_words_to_the_api(world, path, query, status):
    assert ask(world, path, **query)[0] == status


@pytest.mark.parametrize('args, says', [([], 'usage: godwit trace'), (['a@b', 'c@d'], 'usage'), (['--limit', '0', 'a@b'], 'read --limit "0"'),
                                        (['--since', 'noon', 'a@b'], 'read --since "noon"'), (['--wrong', 'x'], 'usage')])
def test_wrong_words(world, args, says):
    assert says in trace(world, *args, code=2)


def test_no_stranger_reaches_the_terminal(world):
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        s.docmd('EHLO', '\x1b[31mred')
        s.ehlo('x\x1b[31mred')
        s.docmd('MAIL', 'FROM:<"\x1b[2J"@world.example>')
        s.docmd('MAIL', 'FROM:<kim@world.example>')
        s.docmd('RCPT', 'TO:<nobody2@example.com>')
    wait_for(lambda: lives(world, 'nobody2@example.com'))
    text = trace(world, lives(world, 'nobody2@example.com')[0]['id'])
    assert all(c == '\n' or ' ' <= c for c in text)


def test_it_outlives_crashes_and_needs_no_server(world):
    mail(world, 'kim@world.example', ['anna@example.com'], 'before@world.example')
    life(world, 'before@world.example', 'smtp.message', 'store.deliver')
    world.kill()
    path = max(glob.glob(os.path.join(world.dir, 'data', 'trace', '*.log')))
    with open(path, 'ab') as f:
        f.write(b't=2026-11-30T10:00:00.000000Z lvl=info ev=smtp.rcpt to=to')  # torn by the crash
    assert life(world, 'before@world.example')['result'] == 'delivered'
    world.start()
    mail(world, 'kim@world.example', ['anna@example.com'], 'after@world.example')
    life(world, 'after@world.example', 'smtp.message', 'store.deliver')
    assert life(world, 'before@world.example')['result'] == 'delivered'
    world.stop()
    mailed = life(world, 'after@world.example')
    assert mailed['result'] == 'delivered'
    world.start()


def test_an_account_that_is_gone_is_forgotten(world):
    world.add_account('gone')
    for ident, to in (('gone.1@world.example', 'gone@example.com'), ('stays@world.example', 'anna@example.com')):
        mail(world, 'kim@world.example', [to], ident)
        life(world, ident, 'smtp.message', 'store.deliver')
    world.ctl('account', 'delete', 'gone@example.com')
    assert lives(world, 'gone.1@world.example')  # it may come back
    world.ctl('account', 'delete', '--now', 'gone@example.com')
    assert not lives(world, 'gone.1@world.example')
    assert lives(world, 'stays@world.example')


def test_none_is_kept_when_told_so():
    s = Server(extra=['trace-days 0'])
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        mail(s, 'kim@world.example', ['anna@example.com'], 'off@world.example')
        assert not os.path.exists(os.path.join(s.dir, 'data', 'trace'))
        assert 'trace-days is 0' in trace(s, 'off@world.example', code=1)
        status, why = ask(s, '/v1/trace', what='off@world.example')
        assert status == 404 and 'trace-days is 0' in why['detail']
    finally:
        s.remove()


def test_a_trace_that_cannot_be_written_costs_no_mail():
    s = Server()
    try:
        with open(os.path.join(s.dir, 'data', 'trace'), 'w', encoding='ascii'):
            pass  # a file where the folder belongs
        s.start()
        s.add_domain()
        s.add_account('anna')
        mail(s, 'kim@world.example', ['anna@example.com'], 'x@world.example')
        assert 'ev=trace.fail' in s.log()
    finally:
        s.remove()
