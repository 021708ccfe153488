"""The tree of the image, run as a container is, without an engine: nobody is root outside, one user is inside, the tree is
read-only but for the volume; set up there, mail in and out by the usual ports, health, stop, start.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import shutil
import signal
import subprocess

import pytest
from godwit import BUILD, SOURCE, START_S, text_of, wait_for

LIB = os.path.join(SOURCE, 'tests', 'lib')
RECIPE = os.path.join(SOURCE, 'dist', 'Containerfile')
NOBODY = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'] if os.geteuid() == 0 else []
SPACES = ['unshare', '--user', '--map-root-user', '--mount', '--net', '--pid', '--fork', '--kill-child']
PASSWORD = 'a good password'
# In the container's network: a server that plays the world, a stranger, and a user.
CLIENT = f'''
import imaplib, smtplib, ssl, sys, time
sys.path.insert(0, {LIB!r})
from sink import Sink
trust = ssl.create_default_context()
trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
with smtplib.SMTP('127.0.0.1', 25, timeout=60) as s:
    s.sendmail('a@elsewhere.example', ['anna@example.org'], 'Subject: in\\r\\n\\r\\n.\\r\\n')
sink = Sink(2525)
with smtplib.SMTP_SSL('127.0.0.1', 465, timeout=60, context=trust) as s:
    s.login('anna@example.org', {PASSWORD!r})
    s.sendmail('anna@example.org', ['b@elsewhere.example'], 'Subject: out\\r\\n\\r\\n.\\r\\n')
while not sink.messages:
    time.sleep(0.05)
assert b'DKIM-Signature' in sink.messages[0][2] and sink.messages[0][1] == ['b@elsewhere.example']
with imaplib.IMAP4_SSL('127.0.0.1', 993, ssl_context=trust) as m:
    m.login('anna@example.org', {PASSWORD!r})
    print(m.select('INBOX')[1][0].decode())
'''


def may_unshare():
    return subprocess.run([*NOBODY, *SPACES, 'true'], capture_output=True, check=False).returncode == 0


class Container:
    def __init__(self, tree, user):
        self.tree, self.user, self.process = tree, user, None
        self.volume = f'{tree}-volume-{user}'
        self.log_path = f'{self.volume}.log'
        os.mkdir(self.volume)
        if NOBODY:
            shutil.chown(self.volume, 'nobody', 'nogroup')

    def words(self, *words):
        return [*NOBODY, *SPACES, '/usr/bin/python3', '-B', self.tree + '.py', self.tree, self.volume,
                str(self.user), '/usr/bin/godwit', *words]

    def run(self, *words, stdin=None):
        """podman run --rm, or podman exec."""
        return subprocess.run(self.words(*words), input=stdin, text=True, capture_output=True, check=False, timeout=200)

    def start(self):
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(self.words('serve'), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.process.poll() is not None or self.run('status').returncode == 0, START_S)
        assert self.process.poll() is None, self.log()

    def first(self):
        """Process 1 of the container; an engine knows it."""
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children', encoding='ascii') as f:
            return int(f.read().split()[0])

    def client(self):
        done = subprocess.run(['nsenter', '--target', str(self.first()), '--user', '--net', '--preserve-credentials', '/usr/bin/python3',
                               '-B', '-c', CLIENT], capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, done.stderr + self.log()
        return int(done.stdout)

    def log(self):
        return text_of(self.log_path)

    def stop(self):
        """As an engine does: the signal of the recipe to process 1, then a wait."""
        os.kill(self.first(), getattr(signal, re.search(r'^STOPSIGNAL (\S+)$', text_of(RECIPE), re.MULTILINE).group(1)))
        assert self.process.wait(60) == 0
        self.process = None


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    if not may_unshare():
        pytest.skip('this kernel lets no user make a namespace')
    root = str(tmp_path_factory.mktemp('image') / 'tree')
    subprocess.run([os.path.join(SOURCE, 'tools', 'rootfs.sh'), BUILD, root], check=True)
    shutil.copy(os.path.join(LIB, 'container.py'), root + '.py')  # where anybody may read it
    os.chmod(root + '.py', 0o644)
    for name in ('null', 'urandom'):
        with open(f'{root}/dev/{name}', 'wb'):
            pass
    path = root
    while path != os.path.dirname(path) and os.stat(path).st_uid == os.geteuid() and path != '/tmp':
        os.chmod(path, 0o755)
        path = os.path.dirname(path)
    return root


@pytest.fixture(scope='module', params=[0, 998], ids=['root', 'user'])
def container(tree, request):
    """Root of a container with one user; or another user there, as by --user."""
    c = Container(tree, request.param)
    done = c.run('setup', 'example.org', '--under', '/var/lib/godwit', '--log', 'stderr', '--admin', 'anna', '--offline', '--address',
                 '198.18.0.5', '--smarthost', '127.0.0.1:2525', '--password-file', '-', stdin=PASSWORD + '\n')
    assert done.returncode == 0, done.stdout + done.stderr
    assert c.run('status').returncode != 0  # nothing runs
    c.start()
    yield c
    if c.process:
        c.stop()


def test_mail_goes_in_and_out_and_stays(container):
    assert container.client() == 1
    if container.user != 0:
        return
    container.stop()
    assert container.run('status').returncode != 0
    container.start()
    assert container.client() == 2


def test_each_wall_stands_or_is_named(container):
    starts = re.findall(r'ev=role\.start .*? seccomp=(\d) landlock=(\d) uid=(\d)', container.log())
    assert len(starts) >= 7 and {s for s, _, _ in starts} == {'1'} and {u for _, _, u in starts} == {'0'}
    missing = dict(re.findall(r'ev=wall\.missing role=boss wall=(\w+) reason="([^"]*)"', container.log()))
    assert ('this container does not have the user' if container.user == 0 else 'not started by root') in missing.pop('uid')
    assert set(missing) == ({'landlock'} if '0' in {x for _, x, _ in starts} else set())


def test_its_processes_have_no_more_than_the_recipe_says(container):
    with open(f'/proc/{container.first()}/status', encoding='ascii') as f:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in f)
    most = sum(1 << n for n in (6, 7, 10))  # setgid, setuid, net_bind_service
    assert int(status['CapBnd'], 16) == most and int(status['CapEff'], 16) == (most if container.user == 0 else 0)
    assert status['NoNewPrivs'] == '1'
    uid = int(status['Uid'].split()[0])
    assert uid != 0 or os.geteuid() != 0  # outside


def recipe(instruction):
    text = text_of(RECIPE).replace('\\\n', ' ')
    return re.findall(rf'^{instruction} (.*)$', text, re.MULTILINE)


def test_the_recipe():
    assert recipe('VOLUME') == ['/var/lib/godwit'] and recipe('ENV') == ['GODWIT_CONFIG=/var/lib/godwit/godwit.conf']
    assert recipe('ENTRYPOINT') == ['["/usr/bin/godwit"]'] and recipe('CMD') == ['["serve"]'] and not recipe('USER')
    assert recipe('HEALTHCHECK')[0].endswith('CMD ["/usr/bin/godwit", "status"]')
    # All that the build reads of the source is copied; tests have their own folders.
    copied = [word for line in recipe('COPY') if not line.startswith('--from') for word in line.split()[:-1]]
    read = re.findall(r"'((?:dist|docs|tools|debian)/[^'@]*)'", text_of(os.path.join(SOURCE, 'meson.build')))
    assert len(read) >= 4 and not [path for path in read if not any(path.startswith(c + '/') for c in copied)]


def packages(run):
    return set(re.search(r'--no-install-recommends\s+([^&]*)', run + '&').group(1).split())


def section(name):
    text = text_of(os.path.join(SOURCE, 'tools', 'packages.txt'))
    return set(re.findall(r'^([a-z]\S*)', text.split(f'[{name}]\n')[1].split('\n[')[0], re.MULTILINE))


def owners(libraries):
    """The packages of these files.  dpkg knows some of them without /usr, as they were before the folders became one."""
    paths = {p for library in libraries for p in (library, os.path.realpath(library), os.path.realpath(library).removeprefix('/usr'))}
    done = subprocess.run(['dpkg', '-S', *sorted(paths)], capture_output=True, text=True, check=False)
    return {line.split(':')[0] for line in done.stdout.splitlines()}


def linkable(names):
    """The libraries that these packages are for."""
    text = subprocess.run(['dpkg', '-L', *sorted(names)], capture_output=True, text=True, check=True).stdout
    return re.findall(r'^/\S+\.so$', text, re.MULTILINE)


@pytest.mark.skipif(shutil.which('dpkg') is None, reason='the lists are of Debian packages')
def test_the_packages_of_the_recipe():
    first, second = [packages(run) for run in recipe('RUN') if 'apt-get' in run]
    assert first == section('build') - {'ccache', 'dns-root-data'}
    needed = set()
    for program in ('godwit', 'godwit-server'):
        path = os.path.join(BUILD, program)
        named = re.findall(r'NEEDED\s+(\S+)', subprocess.run(['objdump', '-p', path], capture_output=True, text=True, check=True).stdout)
        there = dict(re.findall(r'(\S+) => (/\S+)', subprocess.run(['ldd', path], capture_output=True, text=True, check=True).stdout))
        needed |= owners(there[name] for name in named if name in there)
    # What is built with may be in the image before a program needs it.
    ours = {name for name in section('build') if name.startswith(('lib', 'zlib')) and name.endswith('-dev')}
    most = owners(linkable(ours)) | {'ca-certificates', 'dns-root-data'}
    assert needed - {'libc6'} | {'ca-certificates', 'dns-root-data'} <= second <= most, (second - most, needed - second)
