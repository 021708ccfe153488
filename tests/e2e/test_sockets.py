"""Unix sockets of `listen SERVICE unix PATH`: made as the line says, replaced, kept over a reload, removed.

SPDX-License-Identifier: Apache-2.0
"""
import grp
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for, words_of  # noqa: E402

# Root gives files away; anybody else only to himself.
ROOT = os.geteuid() == 0
OWNER = pwd.getpwnam('mail') if ROOT else pwd.getpwuid(os.geteuid())
GROUP = grp.getgrnam('mail') if ROOT else grp.getgrgid(os.getegid())


def greeting(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        return s.recv(1000)


def words_of_check(server):
    return ' '.join(server.ctl('check', check=False).stdout.split())


@pytest.fixture
def server():
    s = Server()
    s.socket = os.path.join(s.dir, 'run', 'smtp.sock')
    s.other = os.path.join(s.dir, 'imap.sock')
    s.owned = os.path.join(s.dir, 'pop3.sock')
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'listen smtp unix {s.socket} mode 660 group {GROUP.gr_name}\nlisten imap unix "{s.other}"\n'
                f'listen pop3 unix {s.owned} owner {OWNER.pw_name} mode 640\n')
    yield s
    s.remove()


def refusal(server):
    done = subprocess.run(words_of([], server.program, 'serve', '-c', server.config), capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode != 0
    return done.stderr


def test_life_of_a_socket(server):
    server.start()
    st = os.lstat(server.socket)
    assert stat.S_ISSOCK(st.st_mode)
    assert stat.S_IMODE(st.st_mode) == 0o660
    assert (st.st_uid, st.st_gid) == (os.geteuid(), GROUP.gr_gid)
    assert stat.S_IMODE(os.lstat(server.other).st_mode) == 0o600
    owned = os.lstat(server.owned)
    assert (owned.st_uid, stat.S_IMODE(owned.st_mode)) == (OWNER.pw_uid, 0o640)
    assert greeting(server.socket).startswith(b'220 mail.example.com ')
    assert greeting(server.other).startswith(b'* OK ')

    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'ev=server.reload' in server.log())
    assert os.lstat(server.socket).st_ino == st.st_ino
    assert greeting(server.socket).startswith(b'220 ')

    before = server.roles()['mx.0']
    os.kill(before, signal.SIGKILL)  # a new one serves the same socket
    wait_for(lambda: server.roles().get('mx.0', before) != before)
    assert greeting(server.socket).startswith(b'220 ')

    server.stop()
    assert not [p for p in (server.socket, server.other, server.owned) if os.path.lexists(p)]


def test_what_a_killed_server_left_is_replaced(server):
    server.start()
    server.kill()
    assert os.path.lexists(server.socket)
    server.start()
    assert greeting(server.socket).startswith(b'220 ')


def test_what_is_not_ours_stays(server):
    with open(server.socket, 'w', encoding='ascii') as f:
        f.write('precious')
    assert 'not a socket' in refusal(server)
    with open(server.socket, encoding='ascii') as f:
        assert f.read() == 'precious'
    assert 'something that is no socket' in words_of_check(server)
    os.unlink(server.socket)

    with socket.socket(socket.AF_UNIX) as s:
        s.bind(server.socket)
        s.listen(1)
        assert 'another program holds it' in refusal(server)
        assert os.path.lexists(server.socket)
        assert 'is taken by another program' in words_of_check(server)
    os.unlink(server.socket)

    server.start()
    assert 'The running server holds all its ports.' in words_of_check(server)
    os.unlink(server.socket)
    with open(server.socket, 'w', encoding='ascii'):  # what somebody put there since
        pass
    server.stop()
    assert os.path.lexists(server.socket)


def test_owner_and_group_must_exist(server):
    with open(server.config, 'a', encoding='utf-8') as f:
        f.write(f'listen pop3 unix {server.dir}/another.sock owner no-such-user-here\n')
    assert 'owner "no-such-user-here"' in refusal(server)
    assert 'that this machine does not have' in words_of_check(server)
