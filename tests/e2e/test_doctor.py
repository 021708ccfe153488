"""godwit doctor: faults that only show when the server is met, each named; and all that godwit check names.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import signal
import socketserver
import subprocess
import threading

import pytest
from godwit import PROGRAM, Server, free_port, halt, roles_of
from knot import Knot
from netns import no_mounts
from place import Place, zone_lines

NO_MOUNTS = no_mounts()
ADDRESS = '198.18.0.5'
PTR = '5.0.18.198.in-addr.arpa. 60 IN PTR mail.example.org.'


@pytest.fixture(scope='module')
def served():
    p = Place()
    done = p.setup('--offline', '--address', ADDRESS)
    assert done.returncode == 0, done.stderr
    p.start()
    p.records = zone_lines(done.stdout) + [PTR]
    yield p
    p.remove()


def doctor(place, *more, prefix=None):
    """What is to mend, and everything by topic."""
    done = place.godwit('doctor', '-c', place.config, '--json', *more, prefix=prefix)
    found = json.loads(done.stdout)
    mend = [(f['topic'], f['text']) for f in found if f['level'] == 'mend']
    assert done.returncode == (1 if mend else 0), done.stdout
    return mend, {f['topic']: f for f in found}


def test_nothing_is_wrong(served):
    mend, found = doctor(served, '--offline')
    assert not mend
    assert found['services']['text'] == 'All 9 services answer.'
    assert found['relay']['level'] == 'ok' and 'cannot send' in found['relay']['text']
    assert re.search(r'A sync of the disk takes \d+\.\d ms', found['disk']['text'])
    assert not os.path.exists(served.path('data/doctor.tmp'))


def test_a_domain_whose_postmaster_is_nobody(served):
    mend, found = doctor(served, '--offline')
    assert found['postmaster']['level'] == 'ok'
    alias = json.loads(served.godwit('alias', 'list', '-c', served.config, '--json').stdout)
    reads = next(a['targets'] for a in alias if a['address'] == 'postmaster@example.org')
    served.godwit('alias', 'remove', 'postmaster@example.org', '-c', served.config)
    try:
        mend, _ = doctor(served, '--offline')
        assert [topic for topic, _ in mend] == ['postmaster'] and 'postmaster@example.org is refused' in mend[0][1]
    finally:
        served.godwit('alias', 'set', 'postmaster@example.org', *reads, '-c', served.config)


def test_a_service_that_does_not_answer(served):
    user = next(pid for name, pid in roles(served).items() if name == 'user.0')
    halt(user)
    try:
        mend, _ = doctor(served, '--offline')
    finally:
        os.kill(user, signal.SIGCONT)
    # A stopped process still has its port: those with TLS from the start take the connection.
    assert {t for t, _ in mend} == {'services'}
    assert sorted(m.split()[0] for _, m in mend) == ['imap', 'pop3', 'sendmail', 'submission']


def roles(place):
    return roles_of(place.process.pid)


class Relay(socketserver.StreamRequestHandler):
    """Takes everything from everybody."""

    def handle(self):
        self.wfile.write(b'220 relay\r\n')
        for line in self.rfile:
            self.wfile.write(b'221 bye\r\n' if line.startswith(b'QUIT') else b'250-more\r\n250 ok\r\n')


def test_an_open_relay_at_our_port(served):
    """Another program has the port of smtp, as when an old mail server still runs."""
    port = free_port()
    with socketserver.ThreadingTCPServer(('127.0.0.1', port), Relay) as relay:
        relay.daemon_threads = True
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        served.edit(f'127.0.0.1:{served.base + 25}', f'127.0.0.1:{port}')
        try:
            mend, _ = doctor(served, '--offline')
        finally:
            served.edit(f'127.0.0.1:{port}', f'127.0.0.1:{served.base + 25}')
            relay.shutdown()
    assert [t for t, _ in mend] == ['relay', 'TLS'] and 'open relay' in mend[0][1]


def line(peer):
    return f't=2026-11-30T10:00:00.000000Z lvl=info ev=smtp.message role=mx.0 peer={peer} from=a@b.example code=250\n'


CLIENTS = {
    'one router': ([line('10.0.0.1')] * 60, True),
    'few so far': ([line('10.0.0.1')] * 40, False),
    'one server of the world': ([line('198.18.0.9')] * 60, False),
    'several': ([line('10.0.0.1')] * 60 + [line('192.0.2.7')], False),
    'others speak, too': ([line('10.0.0.1').replace('smtp.message', 'submit.message')] * 60, False),
}


@pytest.mark.parametrize('name', CLIENTS)
def test_all_clients_from_one_gateway(name):
    lines, wrong = CLIENTS[name]
    p = Place()
    try:
        assert p.setup('--offline').returncode == 0
        os.makedirs(p.path('data/trace'), exist_ok=True)
        os.chown(p.path('data/trace'), os.stat(p.path('data')).st_uid, -1)
        with open(p.path('data/trace/29991231-000001.log'), 'w', encoding='ascii') as f:
            f.writelines(lines)
        mend, _ = doctor(p, '--offline')
        assert [t for t, _ in mend] == (['clients'] if wrong else [])
        if wrong:
            assert 'All 60 mails of late came from 10.0.0.1' in mend[0][1]
    finally:
        p.remove()


@pytest.mark.skipif(NO_MOUNTS is not None, reason=str(NO_MOUNTS))
def test_a_disk_that_is_nearly_full():
    p = Place()
    try:
        assert p.setup('--offline').returncode == 0
        full = ('mount -t tmpfs -o size=10m,uid=$(stat -c %u "$0"),mode=700 none "$0" && '
                'head -c 10000000 /dev/zero >"$0/fill" 2>&-; exec "$@"')
        mend, _ = doctor(p, '--offline', prefix=['unshare', '-m', 'sh', '-c', full, p.path('data')])
        assert 'disk' in {t for t, _ in mend} and any('mail is refused when it is full' in m for _, m in mend)
    finally:
        p.remove()


STS = '_mta-sts.example.org. 60 IN TXT '
HOST = 'mta-sts.example.org. 60 IN A 198.18.0.5'
RECORDS = {
    'none': ([], None),
    'right': ([STS + '"v=STSv1; id=1;"', HOST], None),
    'another text there': ([STS + '"something"'], None),
    'no policy host': ([STS + '"v=STSv1; id=1;"'], 'has no address'),
    'no id': ([STS + '"v=STSv1;"', HOST], 'has no id'),
    'two': ([STS + '"v=STSv1; id=1;"', STS + '"v=STSv1; id=2;"', HOST], 'has 2 MTA-STS records'),
}


@pytest.mark.parametrize('name', RECORDS)
def test_mta_sts(served, name):
    more, says = RECORDS[name]
    dns = Knot(served.records + more)
    with open(served.config, encoding='utf-8') as f:
        text = f.read()
    try:
        dns.start()
        served.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver {dns.resolver()} no-dnssec')
        mend, _ = doctor(served, '--address', ADDRESS)
    finally:
        dns.remove()
    assert [t for t, _ in mend] == (['MTA-STS'] if says else []), mend
    assert not says or says in mend[0][1]


def test_what_check_names_is_named_too(served):
    os.chmod(served.path('master.key'), 0o644)
    try:
        assert [t for t, _ in doctor(served, '--offline')[0]] == ['master key']
    finally:
        os.chmod(served.path('master.key'), 0o600)
    assert served.godwit('doctor', '--wrong').returncode == 2
    assert 'usage: godwit doctor' in served.godwit('doctor', '--help').stdout
