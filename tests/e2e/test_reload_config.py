"""godwit reload and SIGHUP: a new configuration holds at once, and nobody is disconnected for it.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import imaplib
import json
import os
import signal
import smtplib
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port, text_of, wait_for  # noqa: E402
from sink import Sink  # noqa: E402


@pytest.fixture
def server():
    s = Server(extra=['outbound none'])
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


def edit(server, *, without=(), add=()):
    """Lines that begin with one of the words in without go; add comes."""
    lines = [line for line in text_of(server.config).splitlines() if not line.startswith(tuple(without) or ('\0',))]
    with open(server.config, 'w', encoding='utf-8') as f:
        f.write('\n'.join([*lines, *add]) + '\n')


def greeting(port):
    with socket.create_connection(('127.0.0.1', port), timeout=10) as s:
        return s.makefile('rb').readline()


def refuses(port):
    return refuses_at('127.0.0.1', port)


def refuses_at(address, port):
    try:
        socket.create_connection((address, port), timeout=10).close()
        return False
    except ConnectionRefusedError:
        return True


def test_sessions_live_through_a_new_configuration(server):
    roles = server.roles()
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m, smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        m.login('anna', 'secret')
        m.select('INBOX')
        s.ehlo('here.example')
        s.mail('a@elsewhere.example')
        edit(server, without=['host '], add=['host other.example.com', 'message-size 1M'])
        done = server.ctl('reload')
        assert done.stdout == 'the configuration holds from now on\n' and done.stderr == ''
        assert s.rcpt('anna@example.com')[0] == 250 and s.data('Subject: x\r\n\r\nx\r\n')[0] == 250
        assert m.noop()[0] == 'OK' and m.search(None, 'ALL')[1] == [b'1']
        assert greeting(server.ports['smtp']).startswith(b'220 other.example.com ')
        assert s.mail('a@elsewhere.example', ['SIZE=2000000'])[0] == 552  # what was said in EHLO before is another matter
    assert server.roles() == roles, server.stderr()


def test_listeners_come_and_go(server):
    old, fresh = server.ports['smtp'], free_port()
    path = os.path.join(server.dir, 'run', 'smtp.sock')
    with smtplib.SMTP('127.0.0.1', old) as s:
        edit(server, without=['listen smtp '], add=[f'listen smtp 127.0.0.1:{fresh}', f'listen smtp unix {path} mode 666'])
        server.ctl('reload')
        assert refuses(old) and greeting(fresh).startswith(b'220 ')
        with socket.socket(socket.AF_UNIX) as u:
            u.connect(path)
            assert u.recv(100).startswith(b'220 ')
        assert s.noop()[0] == 250  # who was connected stays so
    edit(server, without=['listen smtp '], add=[f'listen smtp 127.0.0.1:{old}'])
    server.ctl('reload')
    assert refuses(fresh) and greeting(old).startswith(b'220 ') and not os.path.exists(path)
    server.roles()
    server.stop()
    server.start()
    assert greeting(old).startswith(b'220 ')


def test_a_port_moves_to_all_addresses_and_back(server):
    """In one step: the old socket serves until the new one does."""
    port = server.ports['smtp']
    with smtplib.SMTP('127.0.0.1', port) as s:
        for address, elsewhere in (('*', True), ('127.0.0.1', False), ('*', True), ('127.0.0.2', True)):
            edit(server, without=['listen smtp '], add=[f'listen smtp {address}:{port}'])
            server.ctl('reload')
            wait_for(lambda: refuses_at('127.0.0.2', port) != elsewhere)
            assert address == '127.0.0.2' or greeting(port).startswith(b'220 ')
        assert s.noop()[0] == 250
    edit(server, without=['listen smtp ', 'listen pop3 '], add=[f'listen pop3 127.0.0.1:{port}'])  # another service
    server.ctl('reload')
    wait_for(lambda: greeting(port).startswith(b'+OK'))


def test_a_move_that_fails_leaves_the_port(server):
    port = server.ports['smtp']
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        edit(server, without=['listen smtp '],
             add=[f'listen smtp *:{port}', f'listen smtp 127.0.0.1:{other.getsockname()[1]}'])
        assert server.ctl('reload', check=False).returncode == 1
    assert greeting(port).startswith(b'220 ') and refuses_at('127.0.0.2', port)
    with socket.socket() as thief, pytest.raises(OSError):  # it is ours alone, as before
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(('127.0.0.1', port))
        thief.listen()


def test_a_wrong_one_changes_nothing(server):
    before = text_of(server.config)
    edit(server, without=['host '], add=['host other.example.com', 'lisen smtp *:25'])
    done = server.ctl('reload', check=False)
    assert done.returncode == 1 and 'read "lisen"' in done.stderr
    server.process.send_signal(signal.SIGHUP)  # without asking the command
    wait_for(lambda: 'ev=reload.fail' in server.log())
    assert 'what=configuration' in server.log() and 'lisen' in server.log()
    assert greeting(server.ports['smtp']).startswith(b'220 mail.example.com ')
    with open(server.config, 'w', encoding='utf-8') as f:
        f.write(before)
    assert server.ctl('reload').returncode == 0


def test_a_port_that_is_taken_changes_nothing(server):
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        fresh = free_port()
        edit(server, without=['listen smtp '], add=[f'listen smtp 127.0.0.1:{fresh}', f'listen smtp 127.0.0.1:{port}'])
        done = server.ctl('reload', check=False)
        assert done.returncode == 1 and f'cannot listen on port {port} (smtp)' in done.stderr
        assert json.loads(server.ctl('reload', '--json', check=False).stdout)['taken'] is False
    assert greeting(server.ports['smtp']).startswith(b'220 ') and refuses(fresh)


def test_what_waits_for_a_start_is_named(server):
    edit(server, without=['data '], add=[f'data {server.dir}/elsewhere', 'workers mx 2'])
    done = server.ctl('reload')
    assert 'waits for the next start: data, workers mx' in done.stdout
    assert not os.path.exists(f'{server.dir}/elsewhere')
    assert 'mx.1' not in server.roles()


def test_the_log_says_as_much_as_is_asked(server):
    for i, level in enumerate(['warn', 'info']):
        edit(server, without=['log-level '], add=[f'log-level {level}'])
        server.ctl('reload')
        with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
            s.sendmail('a@elsewhere.example', ['anna@example.com'], f'Subject: {i}\r\n\r\nx')
    wait_for(lambda: 'ev=smtp.message' in server.log())
    assert server.log().count('ev=smtp.message') == 1


def test_mail_goes_by_the_new_route(server):
    with contextlib.ExitStack() as stack:
        sinks = []
        for port in (free_port(), free_port()):
            sinks.append(sink := Sink(port))
            stack.callback(sink.close)
            edit(server, without=['route '], add=[f'route there.example 127.0.0.1:{port}'])
            server.ctl('reload')
            with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
                s.login('anna', 'secret')
                s.sendmail('anna@example.com', ['x@there.example'], 'Subject: x\r\n\r\nx')
            wait_for(lambda: sink.to('x@there.example'))  # noqa: B023
        assert [len(sink.to('x@there.example')) for sink in sinks] == [1, 1]


def test_again_and_again_under_mail(server):
    """Many reloads while mail comes: every message has its 250 and is there, no process ended."""
    roles = server.roles()
    sent = 0
    for i in range(12):
        with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=60) as s:
            edit(server, without=['resolver '], add=[f'resolver 127.0.0.{i + 2}:9 no-dnssec'])
            server.process.send_signal(signal.SIGHUP)
            for _ in range(10):
                s.sendmail('a@elsewhere.example', ['anna@example.com'], f'Subject: {sent}\r\n\r\n.')
                sent += 1
    wait_for(lambda: server.log().count('ev=server.reload') == 12)
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        assert m.select('INBOX')[1] == [str(sent).encode()]
    assert [x for x in server.log().splitlines() if 'ev=role.end' in x or 'ev=reload.fail' in x] == [], server.stderr()
    assert server.roles() == roles, server.stderr()
