"""Routes: by sender and by time, through SOCKS5 proxies, from addresses of their own; and other ways for mail that waits.

SPDX-License-Identifier: Apache-2.0
"""
import json
import smtplib
import socketserver
import threading

import pytest
from godwit import Server, free_port, wait_for
from socks import Socks


class Peer(socketserver.ThreadingTCPServer):
    """A mail server that notes from where it is called, under which name, and what it gets."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, host='127.0.0.1', port=0):
        self.peers, self.names, self.got, self.later = [], [], [], False
        super().__init__((host, port), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        s = self.server
        s.peers.append(self.client_address[0])
        self.wfile.write(b'220 peer.example\r\n')
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b'EHLO':
                s.names.append(line.split()[1].decode())
            if word == b'RCPT' and s.later:
                self.wfile.write(b'451 4.3.2 later\r\n')
                continue
            if word == b'DATA':
                self.wfile.write(b'354 go\r\n')
                while (part := self.rfile.readline()) not in (b'.\r\n', b''):
                    if part.startswith(b'Subject: '):
                        s.got.append(part[9:].decode().strip())
            self.wfile.write(b'221 bye\r\n' if word == b'QUIT' else b'250 ok\r\n')
            if word == b'QUIT':
                return


# What the proxy does, and what is said of it.
FAILURES = [('method', 'connection lost'), ('request', 'connection lost'), ('connect', 'connection lost'), (5, 'connection refused'),
            (2, 'not allowed by its rules')]


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    """One server with all routes.  Addresses of the domain X are reached by the alias X@example.com."""
    w = type('World', (), {})()
    w.first, w.second = Peer(), Peer()
    w.open, w.closed = Socks(names={'host.inside': ('127.0.0.1', w.first.port)}), Socks('me', 'secret')
    secret = tmp_path_factory.mktemp('socks') / 'password'
    for name, text in (('right', 'secret\n'), ('wrong', 'nonsense\n')):
        secret.with_name(f'password-{name}').write_text(text, encoding='ascii')
    to = f'127.0.0.1:{w.first.port}'
    dead = free_port()
    me = f'socks 127.0.0.1:{w.closed.port} socks-user me password-file {secret}'
    w.server = s = Server(extra=[
        'outbound none', f'route - 127.0.0.1:{w.second.port} name spare ehlo spare.example.com',
        f'route open.example {to} socks 127.0.0.1:{w.open.port}', f'route inside.example host.inside socks 127.0.0.1:{w.open.port} socks-names',
        f'route login.example {to} {me}-right', f'route wrong.example {to} {me.replace(" me ", " you ")}-wrong',
        f'route none.example {to} socks 127.0.0.1:{w.closed.port}', f'route dead.example {to} socks 127.0.0.1:{dead}',
        f'route source.example {to} source ipv4 127.0.0.7 ehlo other.example.com',
        f'route via.example {to} source ipv4 127.0.0.8 socks 127.0.0.1:{w.open.port}',
        f'route turns.example 127.0.0.1:{w.second.port} after 2 tries', f'route turns.example {to}',
        f'route sender.example 127.0.0.1:{w.second.port} from boss@example.com', f'route sender.example {to}',
        f'route waits.example 127.0.0.1:{dead}',
        # Each in a manner of its own, so that none has a connection that another one kept.
        *(f'route fails{i}.example {to} socks 127.0.0.1:{w.open.port} source ipv4 127.0.0.{20 + i}' for i in range(len(FAILURES)))])
    w.dead = dead
    s.start()
    s.add_domain()
    fails = [f'fails{i}' for i in range(len(FAILURES))]
    for domain in ['open', 'inside', 'login', 'wrong', 'none', 'dead', 'source', 'via', 'turns', 'sender', 'waits', *fails]:
        s.ctl('alias', 'set', f'{domain}@example.com', f'x@{domain}.example')
    s.add_account('boss')
    yield w
    s.remove()
    for p in (w.first, w.second):
        p.shutdown()
        p.server_close()
    for p in (w.open, w.closed):
        p.close()


def send(world, domain, subject):
    with smtplib.SMTP('127.0.0.1', world.server.ports['smtp']) as s:
        s.sendmail('a@b.example', [f'{domain}@example.com'], f'Subject: {subject}\r\n\r\nx\r\n')


def queue(world):
    return json.loads(world.server.ctl('queue', 'list', '--json').stdout)


def drop(world):
    world.server.ctl('queue', 'drop', '--all')


def answer(world, words, domain):
    """The text of the last answer, once it has these words."""
    def look():
        for m in queue(world):
            for r in m['recipients']:
                if r['address'] == f'x@{domain}.example' and words in r['text']:
                    return r['text']
        return None
    return wait_for(look)


def test_through_a_proxy(world):
    send(world, 'open', 'by address')
    wait_for(lambda: 'by address' in world.first.got)
    assert ('127.0.0.1', world.first.port) in world.open.asked
    log = wait_for(lambda: [line for line in world.server.log().splitlines() if 'ev=out.attempt' in line and 'open.example' in line])
    assert f'proxy=127.0.0.1:{world.open.port}' in log[-1] and f'route=127.0.0.1:{world.first.port}' in log[-1]


def test_a_proxy_that_looks_names_up(world):
    send(world, 'inside', 'by name')
    wait_for(lambda: 'by name' in world.first.got)
    assert ('host.inside', 25) in world.open.asked


def test_a_proxy_with_a_log_in(world):
    send(world, 'login', 'logged in')
    wait_for(lambda: 'logged in' in world.first.got)
    assert world.closed.logins == ['me']


@pytest.mark.parametrize('domain, words', [('wrong', 'it refuses the log-in'), ('none', 'it wants a log-in')])
def test_a_proxy_that_refuses_us(world, domain, words):
    send(world, domain, domain)
    assert answer(world, words, domain) == f'SOCKS proxy 127.0.0.1:{world.closed.port}: {words}'
    drop(world)
    assert domain not in world.first.got


def test_a_proxy_that_is_not_there(world):
    send(world, 'dead', 'dead')
    assert f'SOCKS proxy 127.0.0.1:{world.dead}: connection refused by the proxy itself' == answer(world, 'proxy', 'dead')
    drop(world)


@pytest.mark.parametrize('i', range(len(FAILURES)))
def test_a_proxy_that_fails(world, i):
    """And is asked again at once when an operator says so."""
    how, words = FAILURES[i]
    world.open.die, world.open.refuse = (how, None) if isinstance(how, str) else (None, how)
    try:
        send(world, f'fails{i}', f'failed {how}')
        said = answer(world, words, f'fails{i}')
        assert how == 'connect' or f'SOCKS proxy 127.0.0.1:{world.open.port}: {words}' in said
    finally:
        world.open.die = world.open.refuse = None
    world.server.ctl('queue', 'retry', '--all')
    wait_for(lambda: f'failed {how}' in world.first.got)
    wait_for(lambda: queue(world) == [])


def test_the_address_and_the_name_of_a_route(world):
    send(world, 'source', 'from elsewhere')
    wait_for(lambda: 'from elsewhere' in world.first.got)
    assert '127.0.0.7' in world.first.peers and 'other.example.com' in world.first.names
    send(world, 'via', 'to the proxy')
    wait_for(lambda: 'to the proxy' in world.first.got)
    assert '127.0.0.8' in world.open.peers and '127.0.0.8' not in world.first.peers


def test_another_route_after_some_tries(world):
    world.first.later = True
    try:
        send(world, 'turns', 'turned')
        answer(world, 'later', 'turns')
        assert world.second.got.count('turned') == 0
        wait_for(lambda: queue(world)[0]['recipients'][0]['tries'] == 1)
        world.server.ctl('queue', 'retry', '--all')
        wait_for(lambda: queue(world)[0]['recipients'][0]['tries'] == 2)
        assert 'turned' not in world.second.got
        world.server.ctl('queue', 'retry', '--all')
        wait_for(lambda: 'turned' in world.second.got)
        wait_for(lambda: queue(world) == [])
    finally:
        world.first.later = False


def test_a_route_by_sender(world):
    for sender, peer in (('a@b.example', world.first), ('Boss@Example.com', world.second)):
        with smtplib.SMTP('127.0.0.1', world.server.ports['submission' if peer is world.second else 'smtp']) as s:
            if peer is world.second:
                s.login('boss', 'secret')
            s.sendmail(sender, ['x@sender.example' if peer is world.second else 'sender@example.com'], f'Subject: {sender}\r\n\r\nx')
        wait_for(lambda peer=peer, sender=sender: sender in peer.got)


def test_another_way_for_mail_that_waits(world):
    """It survives a restart, is shown, and ends with "default"."""
    s = world.server
    for n in range(3):
        send(world, 'waits', f'waits {n}')
    wait_for(lambda: len(queue(world)) == 3 and all(m['recipients'][0]['text'] for m in queue(world)))
    wrong = s.ctl('queue', 'route', '--all', 'via', 'nowhere', check=False)
    assert wrong.returncode == 1 and 'no route has the name "nowhere"' in wrong.stderr
    for words in (['--all'], ['via', 'spare'], ['--all', 'by', 'spare'], ['--all', 'via']):
        assert s.ctl('queue', 'route', *words, check=False).returncode == 2
    assert all(m['route'] is None for m in queue(world))
    one = queue(world)[0]['qid']
    s.ctl('queue', 'hold', '--all')
    done = json.loads(s.ctl('queue', 'route', one, 'via', 'spare', '--json').stdout)
    assert done == {'messages': 1, 'route': 'spare'}
    assert s.ctl('queue', 'route', '--domain', 'waits.example', 'via', 'spare').stdout == '3 messages to be tried now by that route\n'
    assert 'route       spare\n' in s.ctl('queue', 'show', one).stdout
    s.stop()
    s.start()
    assert [m['route'] for m in queue(world)] == ['spare'] * 3 and world.second.got.count('waits 0') == 0
    s.ctl('queue', 'route', one, 'via', 'default')
    assert sorted(m['route'] or '' for m in queue(world)) == ['', 'spare', 'spare']
    s.ctl('queue', 'release', '--all')
    wait_for(lambda: len(queue(world)) == 1)
    assert len([g for g in world.second.got if g.startswith('waits')]) == 2 and 'spare.example.com' in world.second.names
    assert queue(world)[0]['qid'] == one
    s.ctl('queue', 'route', '--sender', 'a@b.example', 'via', 'spare', check=False)
    s.ctl('queue', 'route', '--all', 'via', 'spare')
    wait_for(lambda: queue(world) == [])
    assert sorted(g for g in world.second.got if g.startswith('waits')) == ['waits 0', 'waits 1', 'waits 2']


def test_a_route_that_is_gone_is_waited_for(world):
    """Nothing goes another way than the operator chose."""
    s = world.server
    send(world, 'waits', 'patient')
    wait_for(lambda: len(queue(world)) == 1 and queue(world)[0]['recipients'][0]['text'])
    s.ctl('queue', 'hold', '--all')
    s.ctl('queue', 'route', '--all', 'via', 'spare')
    with open(s.config, encoding='utf-8') as f:
        before = f.read()
    with open(s.config, 'w', encoding='utf-8') as f:
        f.write(before.replace(' name spare ', ' name other '))
    s.ctl('reload')
    s.ctl('queue', 'release', '--all')
    assert 'no route spare, which was chosen' in answer(world, 'no route', 'waits')
    with open(s.config, 'w', encoding='utf-8') as f:
        f.write(before)
    s.ctl('reload')
    s.ctl('queue', 'retry', '--all')
    wait_for(lambda: 'patient' in world.second.got)
