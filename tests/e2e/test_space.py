"""A disk that fills up, and what the server itself may take: room on the disk is a small tmpfs that the test resizes.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import pwd
import signal
import smtplib
import subprocess

import pytest
from godwit import Server, wait_for

MEMORY_MAX_KIB = 96 << 10
PLENTY, LOW, CRITICAL = '4g', '1800m', '900m'  # below 2 GiB no bodies, below 1 GiB only removal


def mount_options(server, size):
    return f'size={size},mode=700,uid={pwd.getpwnam("nobody").pw_uid}'


@pytest.fixture
def small():
    """A server whose data directory is a file system of its own."""
    if os.geteuid() != 0:
        pytest.fail('only root can mount the small disk of this test')
    server = Server()
    data = os.path.join(server.dir, 'data')
    subprocess.run(['mount', '-t', 'tmpfs', '-o', mount_options(server, PLENTY), 'godwit-test', data], check=True)
    try:
        server.start()
        server.add_domain()
        server.add_account('anna')
        yield server
    finally:
        server.stop()
        subprocess.run(['umount', data], check=True)
        server.remove()


def resize(server, size):
    data = os.path.join(server.dir, 'data')
    subprocess.run(['mount', '-o', 'remount,' + mount_options(server, size), data], check=True)


def rcpt(server):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.ehlo('client.example')
        s.mail('a@b.example')
        code, text = s.rcpt('anna@example.com')
        return code, text


def send(server, subject, size=100):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.sendmail('a@b.example', ['anna@example.com'], f'Subject: {subject}\r\n\r\n' + ('x' * 70 + '\r\n') * (size // 72 + 1))


def subjects(m):
    m.select('INBOX')
    found = m.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')[1]
    return [part[1].split(b':')[1].strip().decode() for part in found if isinstance(part, tuple)]


def no(m, command, *args):
    try:
        kind, text = getattr(m, command)(*args)
    except imaplib.IMAP4.error as e:  # select() and others raise instead
        kind, text = 'NO', [str(e).encode()]
    assert kind == 'NO', (command, kind, text)
    return text[0]


def used(server):
    st = os.statvfs(os.path.join(server.dir, 'data'))
    return (st.f_blocks - st.f_bfree) * st.f_frsize


def test_a_disk_that_fills_up(small):
    for n in range(3):
        send(small, f'kept {n}', 3 << 20)
    m = imaplib.IMAP4('127.0.0.1', small.ports['imap'], timeout=20)
    m.login('anna', 'secret')
    assert subjects(m) == ['kept 0', 'kept 1', 'kept 2']

    resize(small, LOW)
    code, text = wait_for(lambda: (lambda r: r if r[0] != 250 else None)(rcpt(small)))
    assert code == 452 and text.startswith(b'4.3.1'), (code, text)
    for size in (100, 200000):
        assert b'[LIMIT]' in no(m, 'append', 'INBOX', None, None, b'Subject: late\r\n\r\n' + b'x' * size + b'\r\n')
    assert m.copy('1', 'Archive')[0] == 'OK' and m.store('1', '+FLAGS', r'(\Flagged)')[0] == 'OK'
    assert m.create('Made')[0] == 'OK'

    before = used(small)
    resize(small, CRITICAL)
    wait_for(lambda: m.copy('1', 'Archive')[0] == 'NO')
    assert b'[LIMIT]' in no(m, 'copy', '1', 'Archive')
    assert b'[LIMIT]' in no(m, 'create', 'More')
    assert m.store('2', '+FLAGS', r'(\Deleted)')[0] == 'OK' and m.expunge()[1] == [b'2']
    assert m.select('Archive')[0] == 'OK' and m.store('1:*', '+FLAGS', r'(\Deleted)')[0] == 'OK' and m.expunge()[0] == 'OK'
    assert subjects(m) == ['kept 0', 'kept 2']
    # The grace period is over when room is short: two thirds must really go, by the reaper and by compaction.
    assert m.store('1', '+FLAGS', r'(\Deleted)')[0] == 'OK' and m.expunge()[0] == 'OK'
    m.logout()
    small.stop()  # the segment that is being filled is sealed by the next start
    small.start()
    wait_for(lambda: used(small) < before - (4 << 20), 60)

    resize(small, PLENTY)
    wait_for(lambda: rcpt(small)[0] == 250)
    send(small, 'free again')
    m = imaplib.IMAP4('127.0.0.1', small.ports['imap'], timeout=20)
    m.login('anna', 'secret')
    assert subjects(m) == ['kept 2', 'free again']
    m.logout()


def test_not_a_single_byte_left(small):
    """Whoever fills the disk from outside stops the mail, and loses none of it."""
    send(small, 'before')
    resize(small, f'{used(small)}')
    m = imaplib.IMAP4('127.0.0.1', small.ports['imap'], timeout=20)
    m.login('anna', 'secret')
    m.select('INBOX')
    assert m.store('1', '+FLAGS', r'(\Seen)')[0] == 'OK'
    os.kill(small.roles()['store.0'], signal.SIGKILL)
    wait_for(lambda: 'No space left' in small.log() or 'no-space' in small.log())  # it cannot even open its data
    assert rcpt(small)[0] == 451
    resize(small, PLENTY)
    wait_for(lambda: rcpt(small)[0] == 250, 60)
    send(small, 'after')
    m = imaplib.IMAP4('127.0.0.1', small.ports['imap'], timeout=20)
    m.login('anna', 'secret')
    assert subjects(m) == ['before', 'after']
    assert b'\\Seen' in m.fetch('1', '(FLAGS)')[1][0]
    m.logout()


def memory(server):
    """KiB of every process, shared pages counted once."""
    total = {}
    for name, pid in [('boss', server.process.pid), *server.roles().items()]:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as f:
            total[name] = int(next(line for line in f if line.startswith('Pss:')).split()[1])
    return total


def test_memory_after_the_start():
    server = Server()
    try:
        server.start()
        server.add_domain()
        server.add_account('anna')
        send(server, 'one')
        m = imaplib.IMAP4('127.0.0.1', server.ports['imap'], timeout=20)
        m.login('anna', 'secret')
        m.logout()
        used_kib = memory(server)
        assert len(used_kib) == 9
        assert sum(used_kib.values()) <= MEMORY_MAX_KIB, used_kib
    finally:
        server.remove()
