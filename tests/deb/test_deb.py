"""The Debian package in a copy of a bare Debian 12: installed, upgraded, removed, purged, by its own scripts.

GODWIT_DEB names the package, GODWIT_DEBIAN_BASE a bare system to copy; without that debootstrap makes one.  Libraries
that it depends on are not fetched: what is tried is what the package does, and the program with this machine's.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

DEB = os.environ.get('GODWIT_DEB')
BASE = os.environ.get('GODWIT_DEBIAN_BASE')
pytestmark = [pytest.mark.skipif(not DEB, reason='no package: tools/deb.sh --try makes it'),
              pytest.mark.skipif(os.geteuid() != 0, reason='a chroot needs root')]


def run(*words, check=True):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=check, stdin=subprocess.DEVNULL)


class Root:
    """A system of its own."""

    def __init__(self, folder):
        self.dir = folder
        shutil.copy(DEB, self.path('/godwit.deb'))

    def path(self, name):
        return self.dir + name

    def here(self, name):
        return os.path.lexists(self.path(name))

    def do(self, *words, check=True):
        return run('chroot', self.dir, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C',
                   'DEBIAN_FRONTEND=noninteractive', *words, check=check)

    def install(self, name='/godwit.deb'):
        return self.do('dpkg', '--force-depends', '-i', name).stdout

    def status(self):
        return self.do('dpkg-query', '-W', '-f', '${db:Status-Status}', 'godwit', check=False).stdout

    def user(self):
        with open(self.path('/etc/passwd'), encoding='utf-8') as f:
            return next((line.rstrip('\n').split(':') for line in f if line.startswith('godwit:')), None)

    def script(self, name, text):
        with open(self.path(name), 'w', encoding='ascii') as f:
            f.write(text)
        os.chmod(self.path(name), 0o755)

    def newer(self, program=None):
        """The same package with a higher version; program: the text of another one."""
        folder = self.path('/newer')
        run('dpkg-deb', '-R', DEB, folder)
        if program:
            self.script('/newer/usr/bin/godwit', program)
        control = os.path.join(folder, 'DEBIAN/control')
        with open(control, encoding='utf-8') as f:
            text = f.read()
        with open(control, 'w', encoding='utf-8') as f:
            f.write(re.sub(r'^Version: .*$', 'Version: 9.9.9', text, flags=re.MULTILINE))
        run('dpkg-deb', '--root-owner-group', '-b', folder, self.path('/newer.deb'))
        return '/newer.deb'


@pytest.fixture
def root():
    folder = tempfile.mkdtemp(prefix='godwit-deb-')
    if BASE:
        run('cp', '-a', BASE + '/.', folder)
    else:
        run('debootstrap', '--variant=minbase', '--include=adduser,init-system-helpers', 'bookworm', folder)
    yield Root(folder)
    shutil.rmtree(folder)


def test_whole_life(root):
    assert root.user() is None
    said = root.install()
    assert 'godwit setup example.org' in said
    _, _, uid, gid, _, home, shell = root.user()
    assert home == '/nonexistent' and shell.endswith('nologin') and 0 < int(uid) < 1000 and int(gid) > 0
    for name in ('/usr/bin/godwit', '/lib/systemd/system/godwit.service', '/etc/logrotate.d/godwit',
                 '/usr/share/man/man1/godwit.1.gz', '/usr/share/man/man5/godwit.conf.5.gz',
                 '/usr/share/man/man1/sendmail.1.gz', '/usr/share/man/man1/mailq.1.gz'):
        assert root.here(name), name
    for name in ('/usr/sbin/sendmail', '/usr/lib/sendmail', '/usr/bin/mailq', '/usr/bin/newaliases'):
        assert os.path.realpath(root.path(name)) == root.path('/usr/bin/godwit'), name
    fields = root.do('dpkg-query', '-W', '-f', '${Provides}|${Conflicts}|${Replaces}', 'godwit').stdout
    assert fields == '|'.join(['mail-transport-agent'] * 3)
    # Neither set up nor on at the next start of the machine.
    assert not root.here('/etc/godwit') and not root.here('/var/lib/godwit')
    assert not root.here('/etc/systemd/system/multi-user.target.wants/godwit.service')
    # A person has set it up and enabled it; mail came.
    for name, text in (('/etc/godwit/godwit.conf', 'host x'), ('/var/lib/godwit/mail', 'dear'),
                       ('/var/log/godwit.log', 'a line')):
        os.makedirs(os.path.dirname(root.path(name)), exist_ok=True)
        with open(root.path(name), 'w', encoding='ascii') as f:
            f.write(text)
    os.chown(root.path('/var/lib/godwit/mail'), int(uid), int(gid))
    wants = root.path('/etc/systemd/system/multi-user.target.wants')
    os.makedirs(wants, exist_ok=True)
    os.symlink('/lib/systemd/system/godwit.service', wants + '/godwit.service')

    said = root.install(root.newer())
    assert root.do('dpkg-query', '-W', '-f', '${Version}', 'godwit').stdout == '9.9.9'
    assert 'godwit setup' not in said and root.user()[2] == uid
    assert os.path.lexists(wants + '/godwit.service')

    root.do('dpkg', '-r', 'godwit')
    assert root.status() == 'config-files'
    assert not root.here('/usr/bin/godwit') and not root.here('/lib/systemd/system/godwit.service')
    assert root.here('/var/log/godwit.log')
    said = root.do('dpkg', '-P', 'godwit').stdout
    assert root.status() in ('', 'not-installed')
    assert 'rm -r /var/lib/godwit' in said and 'rm -r /etc/godwit' in said
    with open(root.path('/var/lib/godwit/mail'), encoding='ascii') as f:
        assert f.read() == 'dear'
    assert root.here('/etc/godwit/godwit.conf') and root.user()[2] == uid
    assert not root.here('/var/log/godwit.log') and not root.here('/etc/logrotate.d/godwit')


ACTIVE = """#!/bin/sh
echo "$*" >>/asked
[ "$*" != "--quiet is-active godwit.service" ] || exit $(cat /active)
"""
# What the running server answers to godwit upgrade; and whether it is started anew then.
UPGRADES = {
    'runs, and takes it': (0, 'echo "9.9.9 runs now, and not 0.1.0 any more"', False),
    'runs, and refuses': (0, 'echo "godwit upgrade: nothing was changed: a line is wrong" >&2; exit 1', False),
    'runs, and goes back': (0, 'echo "godwit upgrade: 9.9.9 did not start, and 0.1.0 runs again: a line is wrong" >&2; exit 1', False),
    'runs, and cannot be asked': (0, 'echo "godwit upgrade: the process of the server cannot be found" >&2; exit 1', True),
    'does not run': (3, 'echo asked >>/wrong', False),
}


@pytest.mark.parametrize('name', UPGRADES)
def test_the_new_program_takes_over(root, name):
    """systemctl and the new godwit are stand-ins that write down what they are asked."""
    active, upgrade, anew = UPGRADES[name]
    root.install()
    root.script('/usr/bin/systemctl', ACTIVE)
    os.makedirs(root.path('/run/systemd/system'))
    with open(root.path('/active'), 'w', encoding='ascii') as f:
        f.write(str(active))
    said = root.install(root.newer(f'#!/bin/sh\n[ "$*" = upgrade ] || exit 9\n{upgrade}\n'))
    with open(root.path('/asked'), encoding='ascii') as f:
        asked = f.read()
    assert '--quiet is-active godwit.service' in asked and not root.here('/wrong')
    assert not re.search(r'^stop|^(try-)?restart(?! godwit)', asked, re.MULTILINE)
    assert (re.search(r'restart godwit\.service', asked) is not None) == anew, asked
    assert ('Godwit: ' in said) == (active == 0)
    assert ('a line is wrong' in said) == ('refuses' in name or 'goes back' in name)


def test_purge_of_what_was_never_set_up_leaves_nothing(root):
    root.install()
    said = root.do('dpkg', '-P', 'godwit').stdout
    assert 'stays' not in said
    found = run('find', root.dir, '-xdev', '-name', '*godwit*', '-not', '-path', root.dir + '/*.deb').stdout.split()
    assert [f for f in found if f != root.dir] == []


def test_program_runs(tmp_path):
    run('dpkg-deb', '-x', DEB, tmp_path)
    assert run(tmp_path / 'usr/bin/godwit', '--version').stdout.startswith('godwit ')
    assert 'godwit alias' in run(tmp_path / 'usr/bin/newaliases').stdout
    assert run(tmp_path / 'usr/sbin/sendmail', '-bd', check=False).returncode == 64
    with open(tmp_path / 'lib/systemd/system/godwit.service', encoding='utf-8') as f:
        assert 'ExecStart=/usr/bin/godwit serve' in f.read()
    rotate = tmp_path / 'etc/logrotate.d/godwit'
    if shutil.which('logrotate'):
        run('logrotate', '--debug', rotate)
