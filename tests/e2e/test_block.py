"""godwit block, the brake on wrong log-ins, and what fail2ban reads of it.

Clients come from many addresses of 127.0.0.0/8; the server listens on 127.0.0.1.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import SERVICES, SOURCE, wait_for  # noqa: E402

ADDRESS_FREE, ACCOUNT_FREE = 20, 50  # src/base/limits.h
FAIL2BAN = os.path.join(SOURCE, 'dist', 'fail2ban')


def connect(server, service, source):
    s = socket.socket()
    s.settimeout(30)
    s.bind((source, 0))
    s.connect(('127.0.0.1', server.ports[service]))
    return s


def is_let_in(server, service, source):
    """Is there a word, or at least no end?  Who begins with TLS speaks first."""
    with connect(server, service, source) as s:
        if service in ('submissions', 'imaps', 'pop3s'):
            s.sendall(b'\x16\x03\x01\x00')
            s.settimeout(0.3)
        try:
            return s.recv(100) != b''
        except TimeoutError:
            return True
        except ConnectionError:
            return False


class Pop:
    """Log-ins by USER and PASS."""

    def __init__(self, server, source):
        self.socket = connect(server, 'pop3', source)
        self.file = self.socket.makefile('rb')
        assert self.file.readline().startswith(b'+OK')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def log_in(self, name, password):
        self.socket.sendall(b'USER %s\r\nPASS %s\r\n' % (name.encode(), password.encode()))
        assert self.file.readline().startswith(b'+OK')
        return self.file.readline().decode()


def log_in(server, source, name, password='secret'):
    with Pop(server, source) as p:
        return p.log_in(name, password)


def guess(server, source, name, times):
    """Wrong ones, each of which was looked at."""
    done = 0
    while done < times:
        with Pop(server, source) as p:
            for _ in range(min(4, times - done)):
                assert p.log_in(name, 'wrong') == '-ERR [AUTH] Wrong name or password\r\n'
                done += 1


def blocks(server):
    return json.loads(server.ctl('block', 'list', '--json').stdout)


SLOW = '-ERR [SYS/TEMP] Too many attempts, try again later\r\n'


def test_a_blocked_network_reaches_no_port(server):
    assert server.ctl('block', 'list').stdout == 'nobody is blocked, and nobody is slowed\n'
    assert '127.0.7.0/24 may not connect' in server.ctl('block', 'add', '127.0.7.9/24').stdout
    server.ctl('block', 'add', '127.0.8.1')
    for service in SERVICES:
        assert not is_let_in(server, service, '127.0.7.200'), service
        assert not is_let_in(server, service, '127.0.8.1'), service
        assert is_let_in(server, service, '127.0.8.2'), service
    found = blocks(server)['blocks']
    assert [b['network'] for b in found] == ['127.0.7.0/24', '127.0.8.1']
    assert all(b['until_us'] == 0 and b['since_us'] > 1e15 for b in found)
    assert 'ev=conn.blocked' in server.log() and 'peer=127.0.7.200' in server.log()
    server.stop()
    server.start()
    assert not is_let_in(server, 'imap', '127.0.7.200')
    assert json.loads(server.ctl('block', 'remove', '127.0.7.0/24', '--json').stdout)['blocked'] is True
    wait_for(lambda: is_let_in(server, 'imap', '127.0.7.200'))
    wait_for(lambda: is_let_in(server, 'smtp', '127.0.7.200'))
    assert not is_let_in(server, 'smtp', '127.0.8.1')
    server.ctl('block', 'remove', '127.0.8.1')
    assert blocks(server)['blocks'] == []


def test_a_block_for_a_while(server):
    server.ctl('block', 'add', '--for', '1h', '127.0.9.1')
    server.ctl('block', 'add', '--for', '2s', '127.0.9.2')
    first = blocks(server)['blocks'][0]
    assert first['until_us'] - first['since_us'] == 3600 * 10 ** 6
    assert 'until ' in server.ctl('block', 'list').stdout
    assert not is_let_in(server, 'imap', '127.0.9.1')
    wait_for(lambda: is_let_in(server, 'imap', '127.0.9.2'))
    assert [b['network'] for b in blocks(server)['blocks']] == ['127.0.9.1']
    server.ctl('block', 'remove', '127.0.9.1')


@pytest.mark.parametrize('words, code', [
    (['add', 'mail.example.org'], 1),
    (['add', '127.0.0.1/33'], 1),
    (['add', '0.0.0.0/0'], 1),
    (['add', '10.0.0.0/7'], 1),
    (['add', '2001::/15'], 1),
    (['add', '--for', '1', '127.0.9.3'], 2),
    (['add', '--for', '0s', '127.0.9.3'], 2),
    (['add', '--for', '1hh', '127.0.9.3'], 2),
    (['add', '--for', '1000000w', '127.0.9.3'], 1),
    (['remove', '127.0.9.3'], 1),
    (['remove', 'nobody@example.com'], 1),
    (['add'], 2),
    (['list', 'all'], 2),
])
def test_what_cannot_be_blocked(server, words, code):
    done = server.ctl('block', *words, check=False)
    assert done.returncode == code and done.stderr, done
    assert blocks(server)['blocks'] == []


def test_who_guesses_is_slowed_and_nobody_else(server, user):
    guess(server, '127.0.20.1', 'nobody@example.com', ADDRESS_FREE)
    assert log_in(server, '127.0.20.1', user) == SLOW  # the right one as well
    assert log_in(server, '127.0.20.2', user).startswith('+OK')
    penalty, = blocks(server)['penalties']
    assert (penalty['kind'], penalty['what'], penalty['wrong']) == ('address', '127.0.20.1', ADDRESS_FREE)
    assert penalty['reason'] == 'wrong log-ins' and 0 < penalty['ends_s'] <= 120 and penalty['next_s'] <= 1
    assert re.search(r'^127\.0\.20\.1 +slowed as address for 20 wrong log-ins', server.ctl('block', 'list').stdout)
    assert json.loads(server.ctl('block', 'remove', '127.0.20.1', '--json').stdout) == {'blocked': False, 'forgiven': 2}
    assert blocks(server)['penalties'] == []
    assert log_in(server, '127.0.20.1', user).startswith('+OK')


def burst(server, source, name, password, count):
    """What comes of so many at once."""
    talks = [Pop(server, source) for _ in range(count)]
    for t in talks:
        t.socket.sendall(b'USER %s\r\nPASS %s\r\n' % (name.encode(), password.encode()))
    said = []
    for t in talks:
        with t:
            assert t.file.readline().startswith(b'+OK')
            said.append(t.file.readline().decode())
    return said


def test_a_burst_gets_no_more_guesses_than_a_row(server, user):
    said = burst(server, '127.0.40.1', 'nobody@example.com', 'wrong', 3 * ADDRESS_FREE)
    judged = said.count('-ERR [AUTH] Wrong name or password\r\n')
    assert ADDRESS_FREE <= judged <= ADDRESS_FREE + 2 and said.count(SLOW) == len(said) - judged  # the interval may let some in
    server.ctl('account', 'passwd', user, stdin='newer\n')  # which is hashed, the first time
    said = burst(server, '127.0.40.2', user, 'newer', 2 * ADDRESS_FREE)
    assert all(answer.startswith('+OK') for answer in said), said  # they wait for each other, and are all right
    server.ctl('block', 'remove', '127.0.40.1')
    server.ctl('block', 'remove', 'nobody@example.com', check=False)


def test_the_owner_goes_on_while_others_guess_his_password(server, user):
    assert log_in(server, '127.0.30.1', user).startswith('+OK')
    for i in range(ACCOUNT_FREE // 2):
        guess(server, f'127.1.{i}.1', user.upper(), 2)  # names count whatever their case
    assert log_in(server, '127.2.0.1', user) == SLOW
    for _ in range(3):
        assert log_in(server, '127.0.30.1', user).startswith('+OK')
    assert log_in(server, '127.2.0.1', 'other@example.com', 'wrong') != SLOW
    penalty, = blocks(server)['penalties']
    assert (penalty['kind'], penalty['what']) == ('account', user)
    server.ctl('block', 'remove', user)
    assert log_in(server, '127.2.0.1', user).startswith('+OK')


def test_scram_has_the_same_brake(server, user):
    guess(server, '127.0.40.1', user, ADDRESS_FREE)
    with connect(server, 'pop3', '127.0.40.1') as s:
        f = s.makefile('rb')
        f.readline()
        s.sendall(b'AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9YWJjZGVmZ2g=\r\n')
        assert f.readline().decode() == SLOW
        f.close()
    server.ctl('block', 'remove', '127.0.40.0/24')


@pytest.fixture(scope='module')
def refusals(server):
    """Lines of refused log-ins, of names that would like to be more; returns how many of each address."""
    server.add_account('refused')
    server.add_account('gone')
    server.ctl('account', 'disable', 'gone@example.com')
    before = len(server.log())
    for source, name in [('127.0.50.1', 'refused@example.com'), ('127.0.50.2', 'unheard-of@example.com'),
                         ('127.0.50.3', 'gone@example.com'), ('127.0.50.4', 'x" ip=192.0.2.1 account=y'),
                         ('127.0.50.4', 'ev=auth.fail role=auth.0 ip=192.0.2.2 account=y')]:
        with Pop(server, source) as p:
            p.log_in(name, 'wrong')
    assert log_in(server, '127.0.50.5', 'refused@example.com').startswith('+OK')
    lines = wait_for(lambda: [line for line in server.log()[before:].split('\n') if ' lvl=info ev=auth.fail ' in line][:5])
    assert len(lines) == 5
    return lines


def test_the_lines_of_refused_log_ins(refusals):
    form = re.compile(r't=\S+Z lvl=info ev=auth\.fail role=auth\.0 ip=(\S+) account=("(?:[^"\\]|\\.)*"|\S+) '
                      r'protocol=pop3 reason=(\S+)')
    found = [form.fullmatch(line).groups() for line in refusals]
    assert found[:3] == [('127.0.50.1', 'refused@example.com', 'password'),
                         ('127.0.50.2', 'unheard-of@example.com', 'unknown'),
                         ('127.0.50.3', 'gone@example.com', 'disabled')]
    assert found[3][0] == '127.0.50.4' and found[3][1] == '"x\\" ip=192.0.2.1 account=y"'


def test_fail2ban_reads_them(server, refusals):
    done = subprocess.run(['fail2ban-regex', '--out', 'ip', server.log_path, os.path.join(FAIL2BAN, 'filter.d', 'godwit.conf')],
                          capture_output=True, text=True, check=True, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    said = server.log().count(' ev=auth.fail ')
    found = done.stdout.split()
    assert len(found) == said, done.stdout + done.stderr
    assert [ip for ip in found if ip.startswith('127.0.50.')] == [f'127.0.50.{i}' for i in (1, 2, 3, 4, 4)]
    assert '192.0.2.1' not in found and '192.0.2.2' not in found
    # The time is read as well: it is not "now".
    done = subprocess.run(['fail2ban-regex', '--out', 'row', refusals[0], os.path.join(FAIL2BAN, 'filter.d', 'godwit.conf')],
                          capture_output=True, text=True, check=True)
    assert '127.0.50.1' in done.stdout, done.stdout


def test_fail2ban_takes_the_jail(server, tmp_path):
    etc = tmp_path / 'fail2ban'
    shutil.copytree('/etc/fail2ban', etc)
    for name in os.listdir(etc / 'jail.d'):
        os.remove(etc / 'jail.d' / name)  # Debian's watches sshd
    for folder in ('filter.d', 'jail.d'):
        with open(os.path.join(FAIL2BAN, folder, 'godwit.conf'), encoding='ascii') as f:
            (etc / folder / 'godwit.conf').write_text(f.read().replace('/var/log/godwit.log', server.log_path), encoding='ascii')
    done = subprocess.run(['fail2ban-client', '-c', etc, '-d'], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"['set', 'godwit', 'addlogpath', '{server.log_path}'" in done.stdout
    assert "'addfailregex'" in done.stdout and 'auth' in done.stdout
    assert "['start', 'godwit']" in done.stdout
