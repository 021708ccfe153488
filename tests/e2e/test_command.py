"""The godwit command as a person and as a script meet it: help, mistakes, empty lists, JSON, exit status.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import shutil
import subprocess

import pytest

from godwit import PROGRAM, Server

NOUNS = ('account', 'alias', 'domain', 'queue')


@pytest.fixture(scope='module')
def empty():
    s = Server()
    s.start()
    yield s
    s.remove()


def run(*words, stdin='', **env):
    return subprocess.run([PROGRAM, *words], input=stdin, text=True, capture_output=True, timeout=60,
                          env={**os.environ, **env})


@pytest.mark.parametrize('words', [('--help',), ('-h',), ('help',), ('--version',), *((n, '--help') for n in NOUNS),
                                   *((n, 'help') for n in NOUNS), ('status', '--help'), ('queue', 'list', '-h')])
def test_help_is_an_answer(words):
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, '')
    assert 'godwit' in done.stdout


@pytest.mark.parametrize('words, says', [
    ((), 'usage: godwit VERB'), (('bogus',), 'no verb "bogus"'), (('account',), 'usage: godwit account VERB'),
    (('queue', 'bogus'), 'no verb "bogus"'), (('account', 'add'), 'usage: godwit account add [--quota SIZE] [--generate | --invite] ADDRESS'),
    (('account', 'add', 'a', 'b'), 'usage: godwit account add'), (('account', 'add', '--quota'), '--quota'),
    (('account', 'add', '--quota', '5X', 'a'), '"5X"'), (('account', '--fast', 'list'), '--fast'),
    (('status', 'now'), 'usage: godwit status'), (('serve', 'now'), 'usage: godwit serve'),
])
def test_a_wrong_line_is_two_and_says_what_is_wrong(words, says):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, '')
    assert says in done.stderr


@pytest.mark.parametrize('verb', ['serve', 'status'])
def test_the_configuration_comes_from_the_environment(verb):
    done = run(verb, GODWIT_CONFIG='/nonexistent/godwit.conf')
    assert done.returncode == 1
    assert '/nonexistent/godwit.conf' in done.stderr


def test_the_server_is_the_program_beside(tmp_path):
    """Both may be moved, together; one alone says what it misses."""
    alone = shutil.copy(PROGRAM, tmp_path)
    done = subprocess.run([alone, 'serve'], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (127, '')
    assert 'godwit-server' in done.stderr
    shutil.copy(PROGRAM + '-server', tmp_path)
    done = subprocess.run([alone, 'serve', 'now'], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and 'usage: godwit serve' in done.stderr
    done = subprocess.run([PROGRAM + '-server'], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and 'part of godwit' in done.stderr


def test_the_command_loads_no_library_of_the_server():
    """Each costs every start of it milliseconds."""
    needed = subprocess.run(['ldd', PROGRAM], check=True, capture_output=True, text=True).stdout
    for library in ('rocksdb', 'libcrypto', 'icu', 'unbound', 'stdc++', 'seccomp'):
        assert library not in needed


def test_empty_lists_say_so(empty):
    for noun in NOUNS:
        assert 'there are no' in empty.ctl(noun, 'list').stdout or noun == 'queue'
        assert json.loads(empty.ctl(noun, 'list', '--json').stdout) == []
    assert empty.ctl('queue', 'list').stdout == 'the queue is empty\n'


def test_everything_speaks_json(empty):
    def said(*words, stdin=None):
        return json.loads(empty.ctl(*words, '--json', stdin=stdin).stdout)
    assert said('domain', 'add', 'example.com', 'anna@example.com') == {'result': 'ok'}
    assert said('account', 'add', 'anna@example.com', '--quota', '1G', stdin='secret\n') == {'address': 'anna@example.com'}
    assert said('account', 'list')[0]['quota_bytes'] == 1 << 30
    for words in [('quota', 'anna@example.com', 'none'), ('disable', 'anna@example.com'), ('enable', 'anna@example.com')]:
        assert said('account', *words) == {'result': 'ok'}
    assert said('account', 'show', 'anna@example.com')[0]['quota_bytes'] == 0
    assert said('account', 'password', 'anna@example.com', stdin='other\n') == {'result': 'ok'}
    assert said('alias', 'set', 'info@example.com', 'anna@example.com') == {'result': 'ok'}
    assert {'address': 'info@example.com', 'targets': ['anna@example.com']} in said('alias', 'list')
    assert said('alias', 'remove', 'info@example.com') == {'result': 'ok'}
    for verb in ('retry', 'hold', 'release', 'drop'):
        assert said('queue', verb, 'all') == {'messages': 0}
    assert said('domain', 'show', 'example.com')[0]['accounts'] == 1
    assert all(said('status')['roles'].values())
    assert said('account', 'remove', 'anna@example.com').items() >= {'result': 'ok', 'address': 'anna@example.com'}.items()
    assert said('domain', 'remove', 'example.com') == {'result': 'ok'}


@pytest.mark.parametrize('words, says', [
    (('account', 'show', 'nobody@example.com'), 'nobody@example.com'), (('queue', 'show', 'xyz'), 'not a valid'),
    (('domain', 'add', 'bad domain'), '"bad domain"'), (('account', 'add', 'a@nowhere.example'), 'a@nowhere.example'),
])
def test_what_fails_is_one_and_names_it(empty, words, says):
    done = empty.ctl(*words, stdin='secret\n', check=False)
    assert (done.returncode, done.stdout) == (1, '')
    assert says in done.stderr
    assert done.stderr.startswith(f'godwit {words[0]} {words[1]}: ')
