"""godwit upgrade and rollback: another program takes over under load, and no client is refused, no message lost or doubled.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import contextlib
import imaplib
import json
import os
import shutil
import signal
import socket
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import BUILD, Server, text_of, wait_for  # noqa: E402

NEXT, BROKEN = '99.1.0', '99.2.0'
TIMES = 10


class Upgradable(Server):
    """With programs of its own, so that others can be put in their place."""

    def __init__(self):
        super().__init__(extra=['outbound none'])
        self.bin = os.path.join(self.dir, 'bin')
        os.mkdir(self.bin)
        self.program = os.path.join(self.bin, 'godwit')
        shutil.copy(os.path.join(BUILD, 'godwit'), self.program)
        self.install('godwit-server')

    def install(self, name):
        """As a package manager does: the old file is gone, and lives on as long as it runs."""
        fresh = os.path.join(self.bin, 'fresh')
        shutil.copy(name if os.path.isabs(name) else os.path.join(BUILD, name), fresh)
        os.chmod(fresh, 0o755)
        os.replace(fresh, os.path.join(self.bin, 'godwit-server'))

    def version(self):
        return json.loads(self.ctl('status', '--json').stdout)['version']


@pytest.fixture
def server():
    s = Upgradable()
    s.start()
    s.add_domain()
    s.add_account('anna')
    s.before = s.version()
    yield s
    s.remove()


class Talk:
    """One connection; what is said when it has gone is lost, what was said to us before is still read."""

    def __init__(self, port):
        self.sock = socket.create_connection(('127.0.0.1', port), timeout=90)
        self.file = self.sock.makefile('rb')
        self.last = b''

    def hear(self):
        try:
            line = self.file.readline()
        except ConnectionResetError:
            line = b''
        if line:
            self.last = line
        return line

    def ask(self, line):
        with contextlib.suppress(OSError):
            self.sock.sendall(line + b'\r\n')

    def close(self):
        self.file.close()
        self.sock.close()


class Load:
    """Clients of all kinds until stop(); ledger: what was accepted, and how connections ended."""

    def __init__(self, server):
        self.ports = server.ports
        self.ends = collections.Counter()
        self.wrong, self.accepted, self.sent = [], [], 0
        self.over = threading.Event()
        self.lock = threading.Lock()
        kinds = [self.smtp, self.smtp, self.smtp, self.imap, self.idle, self.pop3]
        self.threads = [threading.Thread(target=self.run, args=(k,)) for k in kinds]
        for t in self.threads:
            t.start()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()

    def run(self, kind):
        while not self.over.is_set():
            try:
                talk = Talk(self.ports[kind.__name__ if kind != self.idle else 'imap'])
            except OSError as e:
                self.wrong.append(f'{kind.__name__}: cannot connect: {e}')
                return
            try:
                farewell = kind(talk)
            except Exception as e:  # noqa: BLE001 - a thread that ends must be seen
                self.wrong.append(f'{kind.__name__}: {e!r} after {talk.last!r}')
                return
            finally:
                talk.close()
            if not self.over.is_set() and farewell is not None:
                self.ends[kind.__name__] += 1
                if not talk.last.startswith(farewell):
                    self.wrong.append(f'{kind.__name__} ended after {talk.last!r}')

    def ended(self, talk, farewell):
        """The server said farewell, or nothing more: then nothing may follow."""
        while talk.hear():
            pass
        return farewell

    def smtp(self, talk):
        if not talk.hear().startswith(b'220'):
            return self.ended(talk, b'421')
        for step in [b'HELO here.example'] + 5 * [b'MAIL FROM:<a@here.example>', b'RCPT TO:<anna@example.com>', b'DATA', None]:
            if step is None:
                with self.lock:
                    self.sent += 1
                    number = self.sent
                step = b'Subject: message %d\r\n\r\n%s\r\n.' % (number, b'x' * 2000)  # noqa: PLW2901
            talk.ask(step)
            reply = talk.hear()
            if reply.startswith((b'4', b'5')) or not reply:
                return self.ended(talk, b'421')
            if step.startswith(b'Subject'):
                with self.lock:
                    self.accepted.append(number)
        return None

    def imap_until(self, talk, tag):
        while (line := talk.hear()):
            if line.startswith(tag):
                return line.startswith(tag + b' OK')
        return False

    def imap(self, talk):
        if not talk.hear().startswith(b'* OK'):
            return self.ended(talk, b'* BYE')
        for i, line in enumerate([b'LOGIN anna secret', b'SELECT INBOX'] + 100 * [b'NOOP', b'FETCH 1 FLAGS']):
            tag = b'a%d' % i
            talk.ask(tag + b' ' + line)
            if not self.imap_until(talk, tag) and not line.startswith(b'FETCH'):
                return self.ended(talk, b'* BYE')
            if self.over.wait(0.02):
                break
        return None

    def idle(self, talk):
        if not talk.hear().startswith(b'* OK'):
            return self.ended(talk, b'* BYE')
        for line in [b'LOGIN anna secret', b'SELECT INBOX']:
            talk.ask(b'a ' + line)
            if not self.imap_until(talk, b'a'):
                return self.ended(talk, b'* BYE')
        talk.ask(b'b IDLE')
        while talk.hear() and not self.over.is_set():
            pass
        return b'* BYE'

    def pop3(self, talk):
        if not talk.hear().startswith(b'+OK'):
            return self.ended(talk, b'-ERR')
        for line in [b'USER anna', b'PASS secret'] + 100 * [b'STAT']:
            talk.ask(line)
            if not talk.hear().startswith(b'+OK'):
                return self.ended(talk, b'-ERR')
            if self.over.wait(0.02):
                break
        talk.ask(b'QUIT')
        talk.hear()
        return None


def subjects(server):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        m.select('INBOX')
        found = m.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
    return sorted(int(part[1].split()[-1]) for part in found if isinstance(part, tuple))


def test_ten_times_under_load(server):
    pid, load = server.process.pid, Load(server)
    try:
        for i in range(TIMES):
            server.install('upgrade-next' if i % 2 == 0 else 'godwit-server')
            enough = len(load.accepted) + 20
            wait_for(lambda: len(load.accepted) >= enough or load.wrong, 120)  # noqa: B023
            versions = [server.before, NEXT][::1 if i % 2 == 0 else -1]
            done = server.ctl('upgrade')
            assert done.stdout == f'{versions[1]} runs now, and not {versions[0]} any more\n', done.stderr
            assert server.version() == versions[1]
        enough = len(load.accepted) + 20
        wait_for(lambda: len(load.accepted) >= enough or load.wrong, 120)
    finally:
        load.over.set()
        load.stop()
    assert load.wrong == [], server.stderr() + server.log()[-3000:]
    assert server.process.poll() is None and server.process.pid == pid
    found = subjects(server)
    counts = collections.Counter(found)
    assert [n for n in load.accepted if counts[n] == 0] == [], 'lost'
    assert [n for n, times in counts.items() if times > 1] == [], 'doubled'
    assert all(load.ends[kind] > 0 for kind in ('imap', 'idle', 'pop3')), load.ends
    print(f'{len(load.accepted)} messages accepted, sessions ended by the server: {dict(load.ends)}')


def test_a_program_that_cannot_run_changes_nothing(server):
    roles = server.roles()
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        for broken, why in [('/bin/false', 'did not start'), (os.path.abspath(__file__), 'did not start')]:
            server.install(broken)
            done = server.ctl('upgrade', check=False)
            assert done.returncode == 1 and why in done.stderr and 'nothing was changed' in done.stderr, done
        os.unlink(os.path.join(server.bin, 'godwit-server'))
        done = server.ctl('upgrade', check=False)
        assert done.returncode == 1 and 'No such file' in done.stderr
        assert m.noop()[0] == 'OK'
    assert server.roles() == roles and server.version() == server.before
    assert 'ev=server.upgrade' in server.log() and 'result=refused' in server.log()


def test_a_configuration_that_it_cannot_read_changes_nothing(server):
    roles, text = server.roles(), text_of(server.config)
    server.install('upgrade-next')
    with open(server.config, 'a', encoding='utf-8') as f:
        f.write('nonsense\n')
    os.kill(server.process.pid, signal.SIGUSR2)  # the command would not get so far
    wait_for(lambda: 'result=refused' in server.log())
    assert 'read \\"nonsense\\"' in server.log() or 'nonsense' in server.log()
    assert server.roles() == roles
    with open(server.config, 'w', encoding='utf-8') as f:
        f.write(text)
    assert server.ctl('upgrade').returncode == 0 and server.version() == NEXT


def test_data_of_a_newer_format(server):
    """Neither a program that is installed nor the one before gets data that it could not read."""
    server.install('upgrade-next')
    server.ctl('upgrade')
    roles = server.roles()
    path = os.path.join(server.dir, 'data', 'FORMAT')
    text = text_of(path)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text.replace('version 1', 'version 2'))
    for verb in ('upgrade', 'rollback'):
        done = server.ctl(verb, check=False)
        assert done.returncode == 1, done
        assert 'The data is of format 2, this program knows up to 1' in done.stderr, done
    assert server.roles() == roles and server.version() == NEXT
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    server.ctl('rollback')
    assert server.version() == server.before


def test_one_that_starts_and_then_does_not(server):
    """It passed its trial: the program before takes over again by itself, and connections waited."""
    pid, load = server.process.pid, Load(server)
    try:
        server.install('upgrade-broken')
        wait_for(lambda: len(load.accepted) >= 20 or load.wrong, 120)
        done = server.ctl('upgrade', check=False)
        assert done.returncode == 1, done
        assert f'{BROKEN} did not start, and {server.before} runs again' in done.stderr
        assert 'this program cannot open the data' in done.stderr
        enough = len(load.accepted) + 20
        wait_for(lambda: len(load.accepted) >= enough or load.wrong, 120)
    finally:
        load.stop()
    assert load.wrong == [] and server.version() == server.before and server.process.pid == pid
    counts = collections.Counter(subjects(server))
    assert all(counts[n] == 1 for n in load.accepted) and max(counts.values()) == 1
    assert 'result=fallback' in server.log()


def test_back_and_forth(server):
    done = server.ctl('rollback', check=False)
    assert done.returncode == 1 and 'no other program ran before this one' in done.stderr
    server.install('upgrade-next')
    server.ctl('upgrade')
    sockets = sorted(os.readlink(f'/proc/{server.process.pid}/fd/{fd}') for fd in os.listdir(f'/proc/{server.process.pid}/fd'))
    for version in (server.before, NEXT, server.before):
        assert server.ctl('rollback').stdout.startswith(f'{version} runs now')
        assert server.version() == version
    shown = sorted(os.readlink(f'/proc/{server.process.pid}/fd/{fd}') for fd in os.listdir(f'/proc/{server.process.pid}/fd'))
    assert len(shown) == len(sockets), (sockets, shown)  # nothing gathers
