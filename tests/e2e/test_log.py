"""godwit log: filters, following over rotation, and no way from a stranger to the terminal.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import smtplib
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import PROGRAM, Server, wait_for  # noqa: E402

LINES = [
    't=2026-11-22T10:00:00.000000Z lvl=info ev=auth.login role=auth.0 proto=imap peer=192.0.2.1 login=anna@example.com result=ok',
    't=2026-11-22T10:00:01.000000Z lvl=info ev=smtp.rcpt role=mx.0 peer=192.0.2.2 from=<x@y.example> to=ben@example.com code=550',
    't=2026-11-23T10:00:02.000000Z lvl=warn ev=role.end role=boss name=mx.0 reason="say \\"no\\" \\x1b[31m \\xc3\\xa4 \\xff"',
    't=2026-11-23T10:00:03.000000Z lvl=info ev=smtp.message role=mx.0 peer=192.0.2.2 from=anna@example.com rcpts=1 code=250',
    'a line of another form \x1b[2J\x07 \xc2\x9b',
]


@pytest.fixture
def log(tmp_path):
    """A configuration with a log of its own; returns a function that runs godwit log."""
    path = tmp_path / 'godwit.log'
    path.write_bytes('\n'.join(LINES).encode('latin-1') + b'\n')
    config = tmp_path / 'godwit.conf'
    config.write_text(f'host mail.example.com\ndomain example.com\nlisten smtp *:25\nlog {path}\n', encoding='ascii')

    def run(*words, code=0):
        done = subprocess.run([PROGRAM, 'log', '-c', config, *words], capture_output=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout.decode('ascii').splitlines() if code == 0 else done.stderr.decode()
    run.path, run.config = path, config
    return run


def test_all_of_it_is_harmless(log):
    shown = log()
    assert len(shown) == 5
    assert shown[0].startswith('2026-11-22 10:00:00 auth.login')
    assert shown[2].startswith('2026-11-23 10:00:02 warn role.end')
    assert '\\x1b[31m' in shown[2]
    assert shown[4] == 'a line of another form \\x1b[2J\\x07 \\xc2\\x9b'


FILTERS = [
    (['--event', 'smtp.rcpt'], [1]),
    (['--event', 'smtp'], [1, 3]),
    (['--user', 'anna@example.com'], [0, 3]),
    (['--user', 'ANNA'], [0, 3]),
    (['--user', 'x@y.example'], [1]),
    (['--user', 'nobody@example.com'], []),
    (['--since', '2026-11-23'], [2, 3]),
    (['--since', '2026-11-23 10:00:03'], [3]),
    (['--level', 'warn'], [2]),
    (['--level', 'info', '--event', 'smtp'], [1, 3]),
    (['192.0.2.2'], [1, 3]),
    (['192.0.2.2', 'CODE=250'], [3]),
    (['another form'], [4]),
    (['--event', 'smtp', '--user', 'ben', '--since', '2026-11-22', '550'], [1]),
]


@pytest.mark.parametrize('words, wanted', FILTERS, ids=[' '.join(w) for w, _ in FILTERS])
def test_filters(log, words, wanted):
    everything = log()
    assert log(*words) == [everything[i] for i in wanted]


def test_json(log):
    objects = [json.loads(line) for line in log('--json')]
    assert len(objects) == 4
    assert objects[1]['ev'] == 'smtp.rcpt' and objects[1]['from'] == '<x@y.example>' and objects[1]['code'] == '550'
    # Bytes that are no text stay as they stand in the log.
    assert objects[2]['reason'] == 'say \\"no\\" \\x1b[31m \\xc3\\xa4 \\xff'
    log.path.write_bytes(b't=2026-11-23T10:00:02.000000Z lvl=info ev=smtp.rcpt helo="\\x1b[31m \\xc3\\xa4 \\xc2\\x9b"\n')
    line, = log('--json')
    assert json.loads(line)['helo'] == '\x1b[31m \u00e4 \u009b'
    assert all(' ' <= c < '\x7f' for c in line)


WRONG = [
    (['--event', 'smtp.nothing'], 2, 'read --event "smtp.nothing"'),
    (['--since', 'noon'], 2, 'read --since "noon"'),
    (['--level', 'warning'], 2, 'read --level "warning"'),
    (['--wrong'], 2, 'usage: godwit log'),
    (['--event'], 2, 'usage: godwit log'),
]


@pytest.mark.parametrize('words, code, says', WRONG)
def test_wrong_words(log, words, code, says):
    assert says in log(*words, code=code)


def test_where_the_log_is_not(log):
    log.path.unlink()
    assert 'not there yet' in log(code=1)
    log.config.write_text(log.config.read_text().replace(f'log {log.path}', 'log stderr'))
    assert 'journalctl' in log(code=1)
    log.config.write_text('nonsense\n')
    assert 'godwit.conf:1: read "nonsense"' in log(code=1)


def test_long_and_unfinished_lines(log):
    log.path.write_bytes(b'x' * 100000 + b'\nshort\nno end')
    shown = log()
    assert [len(line) for line in shown] == [2048, 5, 6]


@pytest.fixture
def follower(log):
    with subprocess.Popen([PROGRAM, 'log', '-c', log.config, '--follow', 'n='], stdout=subprocess.PIPE) as p:
        os.set_blocking(p.stdout.fileno(), False)
        seen = bytearray()

        def sees(word):
            seen.extend(p.stdout.read() or b'')
            return word in seen
        yield lambda word: wait_for(lambda: sees(word))
        p.kill()


def append(path, text):
    with open(path, 'ab') as f:
        f.write(text)


def test_follows(log, follower):
    append(log.path, b'n=1\n')
    follower(b'n=1\n')
    append(log.path, b'n=')
    append(log.path, b'2\n')
    follower(b'n=2\n')


def test_follows_over_rename(log, follower):
    append(log.path, b'n=1\n')
    follower(b'n=1\n')
    log.path.rename(str(log.path) + '.1')
    append(str(log.path) + '.1', b'n=late\n')
    follower(b'n=late\n')
    append(log.path, b'n=new\n')
    follower(b'n=new\n')


def test_follows_over_truncation(log, follower):
    append(log.path, b'n=1\n')
    follower(b'n=1\n')
    os.truncate(log.path, 0)
    append(log.path, b'n=2\n')
    follower(b'n=2\n')


def test_log_of_a_server():
    s = Server(extra=['outbound none'])
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        with smtplib.SMTP('127.0.0.1', s.ports['smtp']) as c:
            c.sendmail('b@elsewhere.example', ['anna@example.com'], 'Subject: x\r\n\r\n.')
        shown = subprocess.run([PROGRAM, 'log', '-c', s.config, '--user', 'b@elsewhere.example', '--event', 'smtp'],
                               capture_output=True, text=True, check=True).stdout
        assert 'smtp.message' in shown and 'code=250' in shown
    finally:
        s.remove()
