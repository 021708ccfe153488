"""The unit for systemd: what it leaves open, and a server that works behind its walls.

There is no systemd to start it here; its system-call filter, capabilities and read-only folders are set by hand, as the
unit's text says.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import unit  # noqa: E402
from godwit import PROGRAM, Server, halt, wait_for  # noqa: E402
from netns import no_mounts  # noqa: E402

UNIT = os.path.join(os.path.dirname(PROGRAM), 'godwit.service')
NO_MOUNTS = 'mounts need root' if os.geteuid() != 0 else no_mounts()
# In tenths.  Most of it: it is on the network, and begins as root, who becomes another user for each role.
EXPOSURE_MAX = 20
ANALYZE = shutil.which('systemd-analyze')


def exposure(path):
    return subprocess.run([ANALYZE, 'security', '--offline=true', '--no-pager', f'--threshold={EXPOSURE_MAX}', path],
                          capture_output=True, text=True, check=False)


def test_little_is_exposed(tmp_path):
    done = exposure(UNIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Unknown' not in done.stderr and 'ignoring' not in done.stderr, done.stderr
    # The judge is awake: without a line it says no.
    worse = tmp_path / 'godwit.service'
    with open(UNIT, encoding='utf-8') as f:
        worse.write_text(f.read().replace('ProtectHome=yes', ''), encoding='utf-8')
    assert exposure(str(worse)).returncode != 0


def test_names_the_program():
    assert re.fullmatch(r'/.*/bin/godwit serve', unit.settings(UNIT)['ExecStart'][0])


@pytest.fixture
def walled():
    """The server's folder is what may be written, as /var/lib/godwit and /var/log are."""
    server = Server()
    os.chown(os.path.join(server.dir, 'run'), 0, 0)  # RuntimeDirectory= is root's
    caps = ','.join('+' + c[4:].lower() for c in unit.settings(UNIT)['CapabilityBoundingSet'][0].split())
    script = f'mount --bind {server.dir} {server.dir} && mount -o remount,bind,ro / && exec "$@"'
    server.prefix = ['unshare', '-m', 'sh', '-c', script, 'sh', 'setpriv', '--bounding-set', '-all,' + caps,
                     '--inh-caps', '-all', '--no-new-privs', '/usr/bin/python3', '-B', unit.__file__, UNIT]
    yield server
    server.remove()


def has_ended(server, name):
    """What boss says in each reload is more than the socket of one that does not read can hold."""
    server.process.send_signal(signal.SIGHUP)
    return re.search(rf'ev=role\.end .*name={re.escape(name)} signal=9 ', server.log())


@pytest.mark.skipif(NO_MOUNTS is not None, reason=str(NO_MOUNTS))
def test_server_works_behind_the_walls(walled):
    server = walled.start()
    wait_for(lambda: 'ev=server.ready' in server.log())
    with open(f'/proc/{server.process.pid}/status', encoding='ascii') as f:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in f)
    assert status['Seccomp'] == '2' and status['NoNewPrivs'] == '1'
    assert int(status['CapEff'], 16) == sum(1 << n for n in (6, 7, 10))  # setgid, setuid, net_bind_service
    starts = re.findall(r'ev=role\.start .*', server.log())
    assert len(starts) >= 7 and all(re.search('seccomp=1 landlock=[01] uid=1', s) for s in starts)
    server.add_domain()
    server.add_account('anna')
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=60) as s:
        assert s.sendmail('a@elsewhere.example', ['anna@example.com'], 'Subject: a\r\n\r\n.') == {}
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.starttls()
        m.login('anna', 'secret')
        wait_for(lambda: m.select('INBOX')[1] == [b'1'])
    # Boss can still start a role again, end one that does not hear it, open its log anew and stop.
    os.kill(server.roles()['keys.0'], signal.SIGKILL)
    os.rename(server.log_path, server.log_path + '.1')
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: 'ev=server.reload' in server.log())
    deaf = server.roles()['user.0']
    halt(deaf)
    wait_for(lambda: has_ended(server, 'user.0'))
    wait_for(lambda: server.roles().get('user.0', deaf) != deaf)
    process = server.process
    server.stop()
    assert process.returncode == 0
