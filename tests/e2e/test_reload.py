"""SIGHUP: the log is renamed and opened anew under load; every event is in one of its files, once.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import re
import signal
import smtplib
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, text_of, wait_for  # noqa: E402

ROTATIONS = 4


@pytest.fixture
def server():
    s = Server()
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


class Load(threading.Thread):
    """Sends mail until it is told to stop, and counts what was taken."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.taken, self.enough, self.error = server, 0, threading.Event(), None
        self.start()

    def run(self):
        try:
            while not self.enough.is_set():
                with smtplib.SMTP('127.0.0.1', self.server.ports['smtp'], timeout=60) as s:
                    for _ in range(5):
                        s.sendmail('a@elsewhere.example', ['anna@example.com'], f'Subject: {self.taken}\r\n\r\n.')
                        self.taken += 1
        except OSError as e:  # the test asks
            self.error = e


def rotate(server, number):
    """As logrotate does it.  Returns when boss has the new file."""
    os.rename(server.log_path, f'{server.log_path}.{number}')
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'ev=server.reload' in server.log())


def log_in(server):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')


def test_no_line_is_lost_between_the_files(server):
    wait_for(lambda: 'ev=server.ready' in server.log())
    roles = server.roles()
    load = Load(server)
    for number in range(ROTATIONS):
        before = load.taken
        wait_for(lambda: load.taken >= before + 5 or load.error)  # noqa: B023
        rotate(server, number)
    load.enough.set()
    load.join()
    assert load.error is None
    files = [text_of(f'{server.log_path}.{n}') for n in range(ROTATIONS)]
    wait_for(lambda: ''.join([*files, server.log()]).count('ev=store.deliver') >= load.taken)
    files.append(server.log())
    assert ''.join(files).count('ev=smtp.message') == load.taken
    assert ''.join(files).count('ev=store.deliver') == load.taken
    assert all(text.endswith('\n') for text in files)
    for text in files[:-1]:  # each rotation was in the middle of the work
        assert 'ev=smtp.message' in text and 'ev=store.deliver' in text
    assert server.roles() == roles
    # Nobody writes to the old ones any more; the new one hears of every role.
    log_in(server)
    wait_for(lambda: 'ev=auth.login' in server.log())
    assert text_of(f'{server.log_path}.{ROTATIONS - 1}') == files[-2]


def test_role_that_starts_later_writes_to_the_new_file(server):
    wait_for(lambda: 'ev=server.ready' in server.log())
    rotate(server, 0)
    os.kill(server.roles()['user.0'], signal.SIGKILL)
    wait_for(lambda: re.search(r'ev=role\.start role=boss name=user\.0 ', server.log()))
    log_in(server)
    wait_for(lambda: 'ev=auth.login' in server.log())
    assert 'auth.login' not in text_of(server.log_path + '.0')


def test_log_that_cannot_be_opened_stays(server):
    wait_for(lambda: 'ev=server.ready' in server.log())
    moved = server.log_path + '.0'
    os.rename(server.log_path, moved)
    os.mkdir(server.log_path)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'ev=server.reload role=boss log=0' in text_of(moved))
    assert re.search(r'lvl=error ev=reload\.fail role=boss what=log reason=".*Is a directory"', text_of(moved))
    log_in(server)
    wait_for(lambda: 'ev=auth.login' in text_of(moved))
    os.rmdir(server.log_path)
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'ev=server.reload role=boss log=1' in server.log())
