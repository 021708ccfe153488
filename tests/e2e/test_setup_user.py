"""godwit setup makes the system user it needs: on a copy of /etc, in a mount namespace of its own.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from netns import no_mounts  # noqa: E402
from place import Place, tree  # noqa: E402

NO_MOUNTS = 'mounts need root' if os.geteuid() != 0 else no_mounts()
pytestmark = pytest.mark.skipif(NO_MOUNTS is not None, reason=str(NO_MOUNTS))
FILES = ('passwd', 'group', 'shadow', 'gshadow')


@pytest.fixture
def place():
    """Commands see a copy of /etc without the user, and change only that."""
    p = Place()
    p.etc = os.path.join(p.dir, 'etc')
    subprocess.run(['cp', '-a', '/etc', p.etc], check=True)
    for name in FILES:
        path = os.path.join(p.etc, name)
        with open(path, encoding='utf-8') as f:
            lines = [line for line in f if not line.startswith('godwit:')]
        with open(path, 'w', encoding='utf-8') as f:
            f.writelines(lines)
    p.prefix = in_namespace(p)
    before = databases('/etc')
    yield p
    p.remove()
    assert databases('/etc') == before


def in_namespace(place, more='true'):
    script = f'mount --bind {place.etc} /etc && mount -t tmpfs none /var/log && {more} && exec "$@"'
    return ['unshare', '-m', 'sh', '-c', script, 'sh']


def databases(folder):
    found = {}
    for name in FILES:
        with open(os.path.join(folder, name), 'rb') as f:
            found[name] = f.read()
    return found


def line_of(place, name='passwd'):
    lines = databases(place.etc)[name].decode().splitlines()
    return next((line.split(':') for line in lines if line.startswith('godwit:')), None)


def set_up(place, *more, prefix=None):
    return place.godwit('setup', 'example.org', '--admin', 'anna', '--under', place.root, '--listen', '127.0.0.1',
                        '--port-base', place.base, '--offline', '--password-file', '-', *more, stdin='a good password\n',
                        prefix=prefix)


def test_user_is_made_once(place):
    done = set_up(place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r'^  made +godwit   a system user', done.stdout, re.MULTILINE), done.stdout
    _, password, uid, gid, _, home, shell = line_of(place)
    assert (password, home, shell) == ('x', '/nonexistent', '/usr/sbin/nologin')
    assert 0 < int(uid) < 1000 and line_of(place, 'group')[2] == gid
    assert line_of(place, 'shadow')[1].startswith('!')
    st = os.stat(place.path('data'))
    assert (st.st_uid, st.st_gid) == (int(uid), int(gid))
    before = databases(place.etc), tree(place.etc)
    again = set_up(place)
    assert again.returncode == 0, again.stderr
    assert 'made ' not in again.stdout
    assert (databases(place.etc), tree(place.etc)) == before
    place.start()
    assert place.log_in() == 'OK'


def test_user_of_another_name(place):
    done = set_up(place, '--user', 'post-office')
    assert done.returncode == 0, done.stderr
    assert b'\npost-office:x:' in databases(place.etc)['passwd']


@pytest.mark.parametrize('spoil', ['log', 'useradd'])
def test_half_way_the_user_goes_again(place, spoil):
    more = 'true'
    os.mkdir(place.root)
    if spoil == 'log':
        os.mkdir(place.path('godwit.log'))
    else:  # it makes the user, and fails all the same
        with open(os.path.join(place.dir, 'useradd'), 'w', encoding='ascii') as f:
            f.write(f'#!/bin/sh\n{place.dir}/real "$@"; echo "the disk has a cold"; exit 1\n')
        os.chmod(f.name, 0o755)
        subprocess.run(['cp', '/usr/sbin/useradd', os.path.join(place.dir, 'real')], check=True)
        more = f'mount --bind {place.dir}/useradd /usr/sbin/useradd'
    before, files = databases(place.etc), tree(place.root)
    done = set_up(place, prefix=in_namespace(place, more))
    assert done.returncode == 1
    assert {'log': 'Is a directory', 'useradd': 'cannot make the user "godwit": the disk has a cold'}[spoil] in done.stderr
    assert 'Not all' not in done.stderr
    assert databases(place.etc) == before and tree(place.root) == files
    assert ('made     godwit' in done.stdout) == (spoil == 'log')


def test_words_of_the_tool_are_passed_on(place):
    with open(os.path.join(place.etc, 'group'), 'a', encoding='ascii') as f:
        f.write('godwit:x:900:\n')
    before = databases(place.etc)
    done = set_up(place)
    assert done.returncode == 1
    assert 'cannot make the user "godwit": useradd: group godwit exists' in done.stderr
    assert databases(place.etc) == before and not os.path.exists(place.root)


def test_without_the_tool_a_sentence_stays(place):
    before = databases(place.etc)
    done = set_up(place, prefix=in_namespace(place, 'mount --bind /dev/null /usr/sbin/useradd'))
    assert done.returncode == 1
    assert 'there is no user "godwit" to run as; make it: adduser --system' in done.stderr
    assert databases(place.etc) == before and not os.path.exists(place.root)
