"""The walls around the roles of a running server, and what stands between its secrets and everybody else.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import pwd
import re
import shutil
import smtplib
import socket
import ssl
import stat
import subprocess

import pytest

from godwit import PROGRAM, Server, wait_for, words_of

ROLES = ('mx', 'user', 'keys', 'auth', 'store', 'cook', 'out', 'api')
NOBODY = pwd.getpwnam('nobody')
AS_NOBODY = ('setpriv', f'--reuid={NOBODY.pw_uid}', f'--regid={NOBODY.pw_gid}', '--clear-groups')
root_only = pytest.mark.skipif(os.geteuid() != 0, reason='needs root to become somebody else')


def status_of(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f if ':\t' in line)


@pytest.fixture(scope='module')
def loud():
    """A server of all roles that logs all it can."""
    s = Server(extra=['log-level debug', 'oauth-issuer https://id.example audience mail'])
    secret = os.path.join(s.dir, 'secret')
    with open(secret, 'w', encoding='ascii') as f:
        f.write('of nobody\n')
    with open(s.config, 'a', encoding='ascii') as f:
        f.write(f'oauth-introspection https://localhost:1/introspect client mail secret {secret}\n')
    s.start()
    s.add_domain()
    yield s
    s.remove()


def test_every_role_is_walled_in(loud):
    found = loud.roles()
    assert {name.split('.')[0] for name in found} == {*ROLES, 'ask'}
    for name, pid in found.items():
        status = status_of(pid)
        assert (status['NoNewPrivs'], status['Seccomp']) == ('1', '2'), name
        assert int(status['CapEff'], 16) == 0 or os.geteuid() != 0, name
        if os.geteuid() == 0:
            assert set(status['Uid'].split()) == {str(NOBODY.pw_uid)}, name
            # Not dumpable: what belongs to the process belongs to root, and no other process of the user may look in.
            assert os.stat(f'/proc/{pid}/environ').st_uid == 0, name
        with open(f'/proc/{pid}/limits', encoding='ascii') as f:
            assert re.search(r'^Max core file size +0 +0 ', f.read(), re.MULTILINE), name


@root_only
def test_another_process_of_the_same_user_cannot_look_in(loud):
    for name, pid in loud.roles().items():
        done = subprocess.run([*AS_NOBODY, 'head', '-c', '1', f'/proc/{pid}/environ'], capture_output=True, check=False)
        assert done.returncode != 0 and b'ermission denied' in done.stderr, name


def test_stored_mail_is_for_nobody_else(loud):
    loud.add_account('anna')
    with smtplib.SMTP('127.0.0.1', loud.ports['smtp']) as s:
        s.sendmail('x@elsewhere.example', ['anna@example.com'], 'Subject: hello\r\n\r\nhello\r\n')
    files = [os.path.join(where, name) for where, _, names in os.walk(os.path.join(loud.dir, 'data')) for name in names]
    assert len(files) > 3
    for path in files:
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path


def test_no_password_in_the_log(loud):
    good, bad = 'correct horse 7 battery', 'wrong mule 8 staple'
    loud.ctl('account', 'add', 'secretive@example.com', stdin=good + '\n')
    for password in (good, bad):
        with imaplib.IMAP4('127.0.0.1', loud.ports['imap']) as c:
            try:
                c.login('secretive@example.com', password)
            except imaplib.IMAP4.error:
                assert password == bad
        with smtplib.SMTP('127.0.0.1', loud.ports['submission']) as s:
            try:
                s.login('secretive@example.com', password)
            except smtplib.SMTPAuthenticationError:
                assert password == bad
    wait_for(lambda: loud.log().count('login=secretive@example.com') >= 4)
    for word in (*good.split(), *bad.split(), 'Y29ycmVjdCBob3JzZSA3'):
        assert len(word) < 4 or word not in loud.log()


def test_a_name_cannot_forge_a_log_line(loud):
    with socket.create_connection(('127.0.0.1', loud.ports['pop3'])) as s:
        f = s.makefile('rwb', buffering=0)
        f.readline()
        f.write(b'USER x\x1b[2J lvl=error ev=forged "\xff\r\n')
        f.readline()
        f.write(b'PASS y\r\n')
        f.readline()
    line = wait_for(lambda: [li for li in loud.log().splitlines() if 'proto=pop3' in li and 'forged' in li])[0]
    assert '\\x1b[2J lvl=error ev=forged \\"\\xff"' in line
    assert re.match(r't=\S+ lvl=\w+ ev=auth\.login ', line)


@root_only
def test_the_control_socket_is_for_root_and_the_server(loud):
    path = os.path.join(loud.dir, 'run', 'admin.sock')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    done = subprocess.run(['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', PROGRAM, 'status', '-c',
                           loud.config], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'does not answer' in done.stderr
    os.chmod(path, 0o666)  # and when the file lets them in, the credentials do not
    done = subprocess.run(['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups', PROGRAM, 'status', '-c',
                           loud.config], capture_output=True, text=True, check=False)
    os.chmod(path, 0o600)
    assert done.returncode == 1 and '"version"' not in done.stdout


def refused(s):
    """What a server says that does not start."""
    done = subprocess.run(words_of(s.prefix, PROGRAM, 'serve', '-c', s.config), capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize('spoil, says', [
    (lambda s: os.chmod(os.path.join(s.dir, 'run'), 0o777), 'can be changed by others'),
    (lambda s: os.chmod(os.path.join(s.dir, 'master.key'), 0o644), 'can be read by others'),
    (lambda s: os.remove(os.path.join(s.dir, 'master.key')), 'master key'),
    (lambda s: os.truncate(os.path.join(s.dir, 'master.key'), 31), '32 bytes'),
])
def test_unsafe_places_are_refused(spoil, says):
    s = Server()
    try:
        spoil(s)
        assert says in refused(s)
    finally:
        s.remove()


@root_only
def test_root_must_name_a_user():
    s = Server(extra=['user nobody-of-that-name'])
    try:
        assert 'does not exist' in refused(s)
        with open(s.config, encoding='utf-8') as f:
            text = f.read().replace('user nobody-of-that-name\n', '')
        with open(s.config, 'w', encoding='utf-8') as f:
            f.write(text)
        assert '"user godwit"' in refused(s)
    finally:
        s.remove()


@pytest.fixture(scope='module')
def unprivileged():
    """A server that nobody in particular started, on high ports."""
    s = Server(extra=['outbound none'], prefix=AS_NOBODY if os.geteuid() == 0 else ())
    if os.geteuid() == 0:
        for where, folders, names in os.walk(s.dir):
            for name in ['.', *folders, *names]:
                os.chown(os.path.join(where, name), NOBODY.pw_uid, NOBODY.pw_gid)
    s.start()
    s.add_domain()
    yield s
    s.remove()


def test_without_root_mail_comes_and_goes(unprivileged):
    """Everything works as one user, and the filter holds all the same."""
    assert unprivileged.ctl('account', 'add', 'anna@example.com', stdin='secret\n').returncode == 0
    with smtplib.SMTP('127.0.0.1', unprivileged.ports['smtp']) as s:
        s.starttls()
        s.sendmail('x@elsewhere.example', ['anna@example.com'], 'Subject: hello\r\n\r\nhello\r\n')
    with imaplib.IMAP4('127.0.0.1', unprivileged.ports['imap']) as c:
        c.login('anna@example.com', 'secret')
        assert c.select('INBOX')[1] == [b'1']
    wait_for(lambda: unprivileged.log().count('ev=role.start ') == len(ROLES))
    starts = re.findall(r'ev=role\.start .*', unprivileged.log())
    for start in starts:
        assert 'seccomp=1' in start and 'uid=0' in start
    for name, pid in unprivileged.roles().items():
        status = status_of(pid)
        assert (status['NoNewPrivs'], status['Seccomp']) == ('1', '2'), name
        if os.geteuid() == 0:
            assert set(status['Uid'].split()) == {str(NOBODY.pw_uid)}, name


def test_without_root_low_ports_are_explained(unprivileged):
    with open('/proc/sys/net/ipv4/ip_unprivileged_port_start', encoding='ascii') as f:
        if int(f.read()) <= 25:
            pytest.skip('this machine gives low ports to everybody')
    config = os.path.join(unprivileged.dir, 'low.conf')
    with open(unprivileged.config, encoding='utf-8') as f:
        text = re.sub(r'listen smtp .*', 'listen smtp 127.0.0.1:25', f.read())
    other = os.path.join(unprivileged.dir, 'run2')
    shutil.rmtree(other, ignore_errors=True)
    with open(config, 'w', encoding='utf-8') as f:
        f.write(text.replace('/run\n', '/run2\n'))
    os.chmod(config, 0o644)
    done = subprocess.run(words_of(unprivileged.prefix, PROGRAM, 'serve', '-c', config), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert 'port 25' in done.stderr and 'need root' in done.stderr


@pytest.mark.parametrize('version', ['TLSv1.2', 'TLSv1.3'])
def test_handshakes_with_an_rsa_certificate(version):
    """PSS blocks pass the only bare operation that keys lets in."""
    s = Server()
    try:
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout',
                        os.path.join(s.dir, 'key.pem'), '-out', s.cert, '-days', '30', '-subj', '/CN=' + s.host,
                        '-addext', 'subjectAltName=DNS:localhost'], check=True, capture_output=True)
        s.start()
        context = ssl.create_default_context(cafile=s.cert)
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version.replace('.', '_'))
        with socket.create_connection(('127.0.0.1', s.ports['imaps'])) as plain:
            with context.wrap_socket(plain, server_hostname='localhost') as c:
                assert c.version() == version
                assert c.recv(100).startswith(b'* OK')
    finally:
        s.remove()
