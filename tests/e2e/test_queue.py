"""The queue: damage, restarts, and what an operator sees and does.

SPDX-License-Identifier: Apache-2.0
"""
import glob
import imaplib
import json
import signal
import smtplib
import ssl
import subprocess

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


def qids(server, *words):
    return {m['qid'] for m in json.loads(server.ctl('queue', 'list', '--json', *words).stdout)}


@pytest.fixture
def full(own, sink):
    """Three deferred messages: two of anna to different domains, one of bert."""
    anna, bert = own.add_account('anna'), own.add_account('bert')
    sink.answers.update(x='450 4.2.0 mailbox is busy', y='451 4.3.0 later')
    submit(own, anna, ['x@one.example'])
    submit(own, anna, ['y@two.example', 'x@one.example'])
    submit(own, bert, ['y@two.example'])
    wait_for(lambda: sum(r['tries'] for m in queue(own) for r in m['recipients']) == 4)
    return own


def test_selection(full):
    one, both, bert = (m['qid'] for m in queue(full))
    assert qids(full, '--domain', 'one.example') == {one, both}
    assert qids(full, '--domain', 'ONE.Example', '--sender', 'bert@example.com') == set()
    assert qids(full, '--sender', 'bert@example.com') == {bert}
    assert qids(full, '--recipient', 'y@two.example') == {both, bert}
    assert qids(full, '--account', 'y@two.example', '--sender', 'anna@example.com') == {both}
    assert qids(full, '--older', '1h') == set()
    assert qids(full, '--sender', '<>') == set()
    assert full.ctl('queue', 'hold', '--sender', 'anna@example.com').stdout == '2 messages on hold\n'
    assert {m['qid'] for m in queue(full) if m['held']} == {one, both}
    assert full.ctl('queue', 'release', '--domain', 'two.example').stdout == '2 messages released\n'
    assert {m['qid'] for m in queue(full) if m['held']} == {one}
    assert full.ctl('queue', 'drop', '--domain', 'two.example').stdout == '2 messages dropped\n'
    assert qids(full) == {one}
    assert full.ctl('queue', 'drop', '--all').stdout == '1 message dropped\n'
    assert full.ctl('queue', 'list').stdout == 'the queue is empty\n'
    assert full.ctl('queue', 'list', '--domain', 'x.example').stdout == 'no such message is in the queue\n'


def test_what_is_not_said_is_not_done(full):
    before = qids(full)
    for words in [['drop'], ['drop', '--all', '--domain', 'one.example'], ['hold', 'all', '--all'], ['drop', '--watch']]:
        said = full.ctl('queue', *words, check=False)
        assert said.returncode == 2 and said.stderr == \
            f'godwit queue {words[0]}: which messages? Give one of: a queue id; --domain, --sender, --recipient, --older; --all\n'
    said = full.ctl('queue', 'drop', 'xyz', check=False)
    assert said.returncode == 2 and said.stderr == \
        'godwit queue drop: "xyz" is no queue id; godwit queue list prints them\n'
    said = full.ctl('queue', 'drop', '--older', '5y', check=False)
    assert said.returncode == 2 and '--older: read "5y", expected a duration such as' in said.stderr
    said = full.ctl('account', 'list', '--domain', 'one.example', check=False)
    assert said.returncode == 2
    assert qids(full) == before


def test_pause_outlives_a_restart(full, sink):
    said = full.ctl('queue', 'pause', 'two.example').stdout
    assert said == 'mail to two.example is taken and kept, but not sent\n'
    again = full.ctl('queue', 'pause', 'two.example', check=False)
    assert again.returncode == 1 and again.stderr == 'godwit queue pause: mail to two.example is paused already\n'
    never = full.ctl('queue', 'resume', 'x.example', check=False)
    assert never.returncode == 1 and never.stderr == 'godwit queue resume: mail to x.example is not paused\n'
    sink.answers.clear()
    full.stop()
    full.start()
    assert 'paused: mail to two.example\n' in full.ctl('queue', 'list').stdout
    full.ctl('queue', 'retry', '--all')
    wait_for(lambda: len(sink.to('x@one.example')) == 2)
    wait_for(lambda: len(queue(full)) == 2)
    submit(full, 'bert@example.com', ['new@two.example'])
    waiting = queue(full)
    assert len(waiting) == 3 and all(m['paused'] and not m['held'] for m in waiting)
    assert all(r['paused'] == (r['state'] == 'waiting') for m in waiting for r in m['recipients'])
    assert not sink.to('y@two.example') and not sink.to('new@two.example')
    summary = json.loads(full.ctl('queue', 'summary', '--json').stdout)
    assert summary['paused'] == ['two.example'] and not summary['paused_all']
    assert [(d['domain'], d['messages'], d['paused']) for d in summary['by_destination']] == [('two.example', 3, True)]
    assert full.ctl('queue', 'resume', 'two.example').stdout == 'mail to two.example is sent again\n'
    wait_for(lambda: sink.to('new@two.example'))
    full.ctl('queue', 'retry', 'all')
    wait_for(lambda: queue(full) == [])


def test_pause_of_everything(own, sink):
    anna = own.add_account('anna')
    assert own.ctl('queue', 'pause').stdout == 'mail to all other servers is taken and kept, but not sent\n'
    submit(own, anna, ['x@one.example', anna])  # the mailbox here gets it
    wait_for(lambda: inbox(own, anna))
    assert own.ctl('queue', 'list').stdout.startswith('paused: all mail to other servers\n')
    assert not sink.messages
    own.ctl('queue', 'resume')
    wait_for(lambda: sink.to('x@one.example'))


def test_show_and_summary(full):
    one, both, _ = (m['qid'] for m in queue(full))
    shown = full.ctl('queue', 'show', one).stdout
    for line in [f'queue id    {one}\n', 'sender      <anna@example.com>\n', '<x@one.example>\n',
                 '    state       waiting, 1 try\n', '    last answer 450 4.2.0 mailbox is busy\n', '    given by    127.0.0.1\n']:
        assert line in shown, shown
    detail = json.loads(full.ctl('queue', 'show', both, '--json').stdout)[0]
    assert [(r['address'], r['code'], r['enhanced'], r['tries']) for r in detail['recipients']] == [
        ('y@two.example', 451, '4.3.0', 1), ('x@one.example', 450, '4.2.0', 1)]
    lines = full.ctl('queue', 'summary').stdout.splitlines()
    words = lines[1].split()
    assert words[:3] == ['messages', 'oldest', '5'] and words[-1] == 'destination'
    rows = {line.split()[-1]: line.split()[0] for line in lines[2:]}
    assert rows == {'all': '3', 'one.example': '2', 'two.example': '2'}
    missing = full.ctl('queue', 'show', 'ffff', check=False)
    assert missing.returncode == 1 and missing.stderr.startswith('godwit queue show: ')


def test_watch_in_a_pipe(full):
    """Prints once for each interval, and ends well when it is asked to."""
    p = subprocess.Popen([full.program, 'queue', 'summary', '-c', full.config, '--watch'], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    seen = []
    while sum(line.endswith('  all\n') for line in seen) < 2:
        line = p.stdout.readline()
        assert line, p.stderr.read()
        seen.append(line)
    p.send_signal(signal.SIGINT)
    rest, err = p.communicate(timeout=30)
    assert p.returncode == 0 and err == '' and '\033' not in ''.join(seen) + rest
