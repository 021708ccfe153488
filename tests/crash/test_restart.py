"""How roles come back and how they end: pauses, no orphans, an orderly stop, a full disk.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import itertools
import os
import re
import signal
import smtplib
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from godwit import Server, wait_for  # noqa: E402
from wire import TLS, Imap, Refused, fetched, nonce_of  # noqa: E402

TROUBLE = (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error, Refused)
USER = 'anna@example.com'


@pytest.fixture
def server():
    s = Server()
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


def deliver(server, nonce, size=100, to=USER):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], local_hostname='c.example', timeout=60) as s:
        s.sendmail('a@b.example', [to], f'Subject: crash {nonce}\r\n\r\n' + ('y' * 70 + '\r\n') * (size // 72))


def delivers(server, nonce):
    try:
        deliver(server, nonce)
        return True
    except TROUBLE:
        return False


def subjects(server):
    m = Imap(server)
    m.login(USER)
    m.select('INBOX')
    _, lines = m.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
    m.close()
    return [nonce_of(line) for line in fetched(lines)]


def events(server, name):
    return [dict(re.findall(r'(\S+?)=("[^"]*"|\S*)', line)) for line in server.log().splitlines() if f' ev={name} ' in line]


def gone(pids):
    return not [p for p in pids.values() if os.path.exists(f'/proc/{p}')]


def test_a_role_that_keeps_dying_is_started_with_growing_pauses(server):
    others = {n: p for n, p in server.roles().items() if n != 'cook.0'}
    before = len(events(server, 'role.start'))
    for n in range(7):
        pid = wait_for(lambda: server.roles().get('cook.0'))
        wait_for(lambda n=n: len(events(server, 'role.start')) == before + n)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda n=n: len(events(server, 'role.end')) == n + 1)
    wait_for(lambda: len(events(server, 'role.start')) == before + 7)
    ends = events(server, 'role.end')
    pauses = [int(e['restart_ms']) for e in ends]
    assert pauses[:3] == [0, 0, 0]
    for pause, wanted in zip(pauses[3:], (100, 200, 400, 800)):
        assert wanted * 0.85 < pause < wanted * 1.15, pauses
    assert {(e['name'], e['signal'], e['exit']) for e in ends} == {('cook.0', '9', '0')}
    assert {n: p for n, p in server.roles().items() if n != 'cook.0'} == others
    deliver(server, 'after')
    assert subjects(server) == ['after']


def test_mail_waits_for_a_role_that_is_away(server):
    """cook is dead more often than not: clients are told to come again, or wait; nobody is told no."""
    answers = []

    def send(n):
        for attempt in range(200):
            try:
                deliver(server, f's{n}')
                answers.append(attempt)
                return
            except smtplib.SMTPDataError as e:
                assert 400 <= e.smtp_code < 500, e
    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for _ in range(5):
        pid = server.roles().get('cook.0')
        if pid:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda p=pid: server.roles().get('cook.0', p) != p)
    for t in threads:
        t.join()
    assert len(answers) == 8
    assert sorted(subjects(server)) == sorted(f's{n}' for n in range(8))


def test_a_session_that_nobody_remembers_is_asked_to_log_in_again(server):
    """auth tells a new store of the live sessions; a new auth knows none."""
    with smtplib.SMTP('127.0.0.1', server.ports['submission'], local_hostname='c.example', timeout=60) as s:
        s.starttls(context=TLS)
        s.login(USER, 'secret')
        for name in ('auth.0', 'store.0'):
            starts = len(events(server, 'role.start'))
            os.kill(server.roles()[name], signal.SIGKILL)
            wait_for(lambda n=starts: len(events(server, 'role.start')) > n)
        code = wait_for(lambda: next(iter({s.docmd(f'MAIL FROM:<{USER}>')[0]} - {451}), None))
        assert code == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            s.noop()


def test_roles_end_with_boss_and_the_next_server_starts_at_once(server):
    for n in range(5):
        deliver(server, f'm{n}')
        pids = server.roles()
        assert len(pids) == 8
        server.process.kill()
        server.process.wait()
        server.start()  # while some of the old ones may still be at work
        wait_for(lambda p=pids: gone(p))
        assert subjects(server) == [f'm{i}' for i in range(n + 1)]
    assert 'store.fail' not in server.log()


def test_a_stop_under_load_is_orderly(server):
    """What was answered is there; what the stop cut short had no answer."""
    taken, refused, ending = [], [], threading.Event()

    def send(n):
        for i in range(100000):
            if ending.is_set():
                return
            try:
                deliver(server, f'n{n}i{i}', 30000)
                taken.append(f'n{n}i{i}')
            except smtplib.SMTPResponseException as e:
                refused.append(e.smtp_code)
            except TROUBLE:
                ending.wait(0.02)
    threads = [threading.Thread(target=send, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for rounds in range(3):
        wait_for(lambda r=rounds: len(taken) > 30 * (r + 1))
        pids = server.roles()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(40) == 0
        assert gone(pids)
        server.start()
    ending.set()
    for t in threads:
        t.join()
    found = subjects(server)
    assert len(found) == len(set(found))
    assert set(taken) <= set(found)
    assert [c for c in refused if c not in (421, 451)] == []
    assert len(events(server, 'server.stop')) == 3
    assert [e for e in events(server, 'role.end') if e['exit'] != '0' or e['signal'] != '0'] == []


# ---- a full disk ----

class SmallDisk(Server):
    """Its data is on a tmpfs whose size can be changed; a large one costs nothing while it is empty."""

    def __enter__(self):
        data = os.path.join(self.dir, 'data')
        owner = os.stat(data)
        self.mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size=8G,uid={owner.st_uid},gid={owner.st_gid}',
                                       'godwit-test', data], check=False).returncode == 0
        return self

    def __exit__(self, *_):
        self.stop()
        if self.mounted:
            subprocess.run(['umount', os.path.join(self.dir, 'data')], check=True)
        self.remove()

    def resize(self, size):
        subprocess.run(['mount', '-o', f'remount,size={size}', os.path.join(self.dir, 'data')], check=True)

    def shrink(self, room):
        """Leaves so many bytes.  Others write meanwhile: what was free a moment ago may be gone."""
        for tries_left in range(99, -1, -1):
            try:
                return self.resize(str(self.used() + room))
            except subprocess.CalledProcessError:
                if tries_left == 0:
                    raise

    def used(self):
        s = os.statvfs(os.path.join(self.dir, 'data'))
        return (s.f_blocks - s.f_bfree) * s.f_frsize


@pytest.fixture
def small_disk():
    if os.geteuid() != 0:
        pytest.skip('only root can mount a small disk')
    with SmallDisk() as s:
        assert s.mounted
        s.start()
        s.add_domain()
        s.add_account('anna')
        yield s


def refusal(server, nonce):
    """The code that refuses a message, or None."""
    try:
        deliver(server, nonce)
        return None
    except smtplib.SMTPRecipientsRefused as e:
        return e.recipients[USER][0]
    except smtplib.SMTPResponseException as e:
        return e.smtp_code
    except OSError:
        return 0


def test_when_the_disk_gets_low_new_mail_is_told_to_wait(small_disk):
    server = small_disk
    deliver(server, 'one')
    server.resize('1800M')  # below 2 GiB of free space, above 1
    assert wait_for(lambda: refusal(server, 'two')) == 452
    m = Imap(server)
    m.login(USER)
    with pytest.raises(Refused, match='NO '):
        m.command('APPEND INBOX', b'Subject: crash three\r\n\r\nx\r\n')
    m.select('INBOX')
    m.command('UID STORE 1 +FLAGS (\\Seen)')
    m.close()
    kept = subjects(server)
    server.resize('8G')
    wait_for(lambda: delivers(server, 'four'))
    assert subjects(server)[:len(kept)] == kept
    assert 'three' not in subjects(server)


@pytest.mark.parametrize('room', [0, 300 << 10, 3 << 20])
def test_a_disk_that_is_full_all_at_once_loses_nothing(small_disk, room):
    """Not a byte is left before anybody could see it come."""
    server = small_disk
    taken, asked, ending = [], set(), threading.Event()

    def send(n):
        for i in range(100000):
            if ending.is_set():
                return
            nonce = f'n{n}i{i}'
            asked.add(nonce)
            try:
                deliver(server, nonce, [500, 60000, 200000][i % 3])
                taken.append(nonce)
            except smtplib.SMTPRecipientsRefused as e:
                assert all(400 <= code < 500 for code, _ in e.recipients.values()), e
                ending.wait(0.2)
            except smtplib.SMTPResponseException as e:
                assert 400 <= e.smtp_code < 500, e
                ending.wait(0.2)
            except OSError:
                ending.wait(0.2)
    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    wait_for(lambda: len(taken) > 20)
    server.shrink(room)
    numbers = itertools.count()
    wait_for(lambda: refusal(server, f'full{next(numbers)}') is not None, 90)
    ending.wait(3)
    count = len(taken)
    server.resize('8G')
    wait_for(lambda: len(taken) > count + 20, 60)
    ending.set()
    for t in threads:
        t.join()
    found = subjects(server)
    assert len(found) == len(set(found))
    assert set(taken) <= set(found)
    assert {nonce for nonce in found if not nonce.startswith('full')} <= asked
