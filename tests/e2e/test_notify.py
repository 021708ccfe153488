"""What a service manager hears: ready, reloading, stopping, one line of status, and a watchdog that means something.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import PROGRAM, SERVICES, Server, halt, wait_for, words_of  # noqa: E402

WATCHDOG_US = 400000


class Manager(threading.Thread):
    """The socket of a service manager, read all the time, and what came there."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.heard = []
        self.start()

    def run(self):
        while True:
            text = self.socket.recv(4096).decode()
            if not text:  # nobody but close() says nothing
                return
            self.heard.append(text)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b'', self.path)
        self.join()
        self.socket.close()

    def words(self, watchdog_us):
        """Words before the command, which then is our child with the same number."""
        line = f'NOTIFY_SOCKET={self.path} WATCHDOG_PID=$$ '
        return ['sh', '-c', f'export {line}{f"WATCHDOG_USEC={watchdog_us}" if watchdog_us else ""}; exec "$@"', 'sh']

    def wait(self, word, since=0):
        """The first message that begins so, of those from number `since` on: its number."""
        def found():
            return next((n + 1 for n, text in enumerate(list(self.heard)) if n >= since and text.startswith(word)), None)
        return wait_for(found, 60) - 1


@pytest.fixture
def started():
    made = []

    def start(watchdog_us=WATCHDOG_US, wait=True):
        server = Server()
        manager = Manager(os.path.join(server.dir, 'notify'))
        server.prefix = manager.words(watchdog_us)
        made.append((server, manager))
        if wait:
            server.start()
        return server, manager
    yield start
    for server, manager in made:
        manager.close()
        server.remove()


def is_taken(server):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=60) as s:
        return s.sendmail('a@elsewhere.example', ['anna@example.com'], 'Subject: a\r\n\r\n.') == {}


def test_ready_means_ready(started):
    """Whoever was told may connect everywhere and leave mail at once, on a store that was filled before."""
    server, manager = started(watchdog_us=0)
    server.add_domain()
    server.add_account('anna')
    server.stop()
    seen = len(manager.heard)
    with open(os.path.join(server.dir, 'stderr'), 'ab') as err:
        server.process = server_process(server, err)
    ready = manager.wait('READY=1', seen)
    for service in SERVICES:
        socket.create_connection(('127.0.0.1', server.ports[service]), timeout=60).close()
    assert is_taken(server)
    assert manager.heard[ready - 1] == 'STATUS=serving'
    assert manager.heard[seen].startswith('STATUS=starting: waiting for ') and 'store.0' in manager.heard[seen]
    assert 'WATCHDOG=1' not in manager.heard  # nobody wants it


def server_process(server, err):
    return subprocess.Popen(words_of(server.prefix, PROGRAM, 'serve', '-c', server.config), stdout=err, stderr=err,
                            stdin=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.parametrize('spoil', ['port', 'data'])
def test_never_ready(started, spoil):
    server, manager = started(wait=False)
    taken = None
    if spoil == 'port':
        taken = socket.create_server(('127.0.0.1', server.ports['pop3s']))
    else:
        with open(os.path.join(server.dir, 'data', 'FORMAT'), 'w', encoding='ascii') as f:
            f.write('godwit data\nversion 99\nengine rocks\ncompatible 0\nincompatible 0\n')
    with open(os.path.join(server.dir, 'stderr'), 'ab') as err:
        server.process = server_process(server, err)
    assert server.process.wait(100) == 1
    assert 'READY=1' not in manager.heard
    if taken:
        taken.close()


def test_reload_and_stop(started):
    server, manager = started()
    ready = manager.wait('READY=1')
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.process.send_signal(signal.SIGHUP)
    reloading = manager.wait('RELOADING=1', ready)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    moment = int(re.fullmatch(r'RELOADING=1\nMONOTONIC_USEC=(\d+)', manager.heard[reloading]).group(1))
    assert before <= moment <= after
    manager.wait('READY=1', reloading)
    assert 'STOPPING=1' not in manager.heard
    server.stop()
    stopping = manager.wait('STOPPING=1', reloading)
    assert manager.wait('STATUS=stopping: SIGTERM', stopping)
    assert not [text for text in manager.heard[stopping:] if text.startswith(('READY', 'STATUS=serving'))]


@pytest.mark.parametrize('role', ['store.0', 'mx.0', 'keys.0', 'cook.0'])
def test_watchdog_hears_of_a_role_that_hangs(started, role):
    server, manager = started()
    fed = manager.wait('WATCHDOG=1', manager.wait('READY=1'))
    fed = manager.wait('WATCHDOG=1', fed + 1)
    pid = server.roles()[role]
    halt(pid)
    mute = manager.wait(f'STATUS=no answer from {role}', fed)
    wait_for(lambda: re.search(rf'ev=role\.mute role=boss name={role} pid={pid}\n', server.log()))
    time.sleep(5 * WATCHDOG_US / 1e6)
    assert 'WATCHDOG=1' not in manager.heard[mute:]
    seen = len(manager.heard)
    os.kill(pid, signal.SIGCONT)
    well = manager.wait('STATUS=serving', seen)
    manager.wait('WATCHDOG=1', well)
    assert server.roles()[role] == pid


def test_role_that_is_started_again_is_no_alarm(started):
    server, manager = started(watchdog_us=10 * WATCHDOG_US)  # time enough for an answer on a busy machine
    fed = manager.wait('WATCHDOG=1', manager.wait('READY=1'))
    os.kill(server.roles()['store.0'], signal.SIGKILL)
    waiting = manager.wait('STATUS=serving; waiting for store.0', fed)
    well = manager.wait('STATUS=serving', waiting + 1)
    manager.wait('WATCHDOG=1', well)
    assert 'ev=role.mute' not in server.log()
    assert manager.heard.count('READY=1') == 1


def test_variables_are_not_passed_on(started):
    """A role that was taken over cannot say that all is well."""
    server, manager = started()
    manager.wait('READY=1')
    for pid in server.roles().values():
        with open(f'/proc/{pid}/environ', 'rb') as f:
            assert b'NOTIFY_SOCKET' not in f.read()


def test_an_upgrade_is_a_reload(started):
    """The same process, ready again, and a watchdog that goes on: no service manager would end it or start another."""
    server, manager = started()
    pid, seen = server.process.pid, len(manager.heard)
    assert server.ctl('upgrade').stdout.endswith(' was started anew\n')
    reloading = manager.wait('RELOADING=1', seen)
    ready = manager.wait('READY=1', reloading)
    manager.wait('WATCHDOG=1', ready)
    assert not [text for text in manager.heard[seen:] if text.startswith('STOPPING')]
    assert manager.heard[ready - 1] == 'STATUS=serving'
    assert server.process.poll() is None and server.process.pid == pid and len(server.roles()) == 8
