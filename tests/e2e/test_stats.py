"""godwit stats: what was counted, by all processes together, for people, programs and Prometheus.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import os
import re
import smtplib
import ssl

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def world():
    sink = Sink(free_port())
    s = Server(extra=[f'route * 127.0.0.1:{sink.server.server_address[1]}', 'workers mx 2', 'log-level error'])
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        sink.answers.update(later='450 4.2.0 later', gone='550 5.1.1 gone')
        yield s
    finally:
        s.remove()
        sink.close()


def stats(server):
    return json.loads(server.ctl('stats', '--json').stdout)


def counted(server, before, **wanted):
    """Waits until the totals have grown by so much, and no more."""
    def grown():
        now = stats(server)['totals']
        return {k: now[k] - before[k] for k in now if now[k] != before[k]}
    wait_for(lambda: wanted.items() <= grown().items())
    return grown()


def test_what_happens_is_counted(world):
    before = stats(world)['totals']
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        s.sendmail('kim@world.example', ['anna@example.com'], 'Subject: x\r\n\r\nx\r\n')
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            s.sendmail('kim@world.example', ['nobody@example.com'], 'x')
        with pytest.raises(smtplib.SMTPDataError):
            s.sendmail('kim@world.example', ['anna@example.com'], ''.join(f'Received: {n}\r\n' for n in range(60)) + '\r\nx\r\n')
    for password, good in (('secret', True), ('wrong', False)):
        m = imaplib.IMAP4('127.0.0.1', world.ports['imap'])
        if good:
            m.login('anna', password)
        else:
            with pytest.raises(imaplib.IMAP4.error):
                m.login('anna', password)
        m.logout()
    with smtplib.SMTP('127.0.0.1', world.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login('anna', 'secret')
        s.sendmail('anna@example.com', ['ok@far.example', 'later@far.example', 'gone@far.example'], 'Subject: x\r\n\r\nx\r\n')
    grown = counted(world, before, **{
        'connections_total{service="smtp"}': 1, 'connections_total{service="imap"}': 2, 'connections_total{service="submission"}': 1,
        'logins_total{result="good"}': 2, 'logins_total{result="bad"}': 1,
        'messages_in_total{result="accepted"}': 1, 'messages_in_total{result="refused"}': 1, 'recipients_refused_total': 1,
        'messages_submitted_total{result="accepted"}': 1, 'out_recipients_total{result="delivered"}': 1,
        'out_recipients_total{result="deferred"}': 1, 'out_recipients_total{result="failed"}': 1, 'reports_total': 1,
        'deliveries_total': 2})
    assert len(grown) == 14
    now = stats(world)
    assert all(now['recent'][k] >= v for k, v in grown.items()) and now['recent_s'] < 600
    assert now['queue'] == 1 and now['commits'] > 0 and now['syncs'] > 0


def test_every_process_has_its_memory_and_connections(world):
    wait_for(lambda: len(stats(world)['processes']) == 10)
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']):
        wait_for(lambda: sum(p['connections'] for p in stats(world)['processes'] if p['name'].startswith('mx.')) == 1)
    found = {p['name']: p for p in stats(world)['processes']}
    roles = world.roles()
    assert set(found) == {*roles, 'boss'}
    for name, p in found.items():
        assert p['pid'] == (world.process.pid if name == 'boss' else roles[name])
        with open(f'/proc/{p["pid"]}/statm', encoding='ascii') as f:
            pages = int(f.read().split()[1])
        assert abs(p['memory'] - pages * os.sysconf('SC_PAGE_SIZE')) < 64 << 20 and p['memory'] > 1 << 20
    wait_for(lambda: stats(world)['processes'] and not any(p['connections'] for p in stats(world)['processes']))


def test_figures_outlive_their_process(world):
    before = stats(world)['totals']
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        s.sendmail('kim@world.example', ['anna@example.com'], 'Subject: x\r\n\r\nx\r\n')
    counted(world, before, **{'messages_in_total{result="accepted"}': 1})
    pids = {n: p for n, p in world.roles().items() if n.startswith('mx.')}
    for pid in pids.values():
        os.kill(pid, 9)
    wait_for(lambda: all(p['pid'] not in pids.values() for p in stats(world)['processes']))
    now = stats(world)['totals']
    assert now['messages_in_total{result="accepted"}'] == before['messages_in_total{result="accepted"}'] + 1


SAMPLE = re.compile(r'(godwit_[a-z_]+)(\{[a-z]+="[A-Za-z0-9._-]*"\})? (\d+)')


def test_prometheus_can_read_it(world):
    text = world.ctl('stats', '--prometheus').stdout
    assert text.endswith('\n')
    kinds, seen, current = {}, set(), None
    for line in text.splitlines():
        if line.startswith('# HELP '):
            current = line.split()[2]
            assert current not in kinds, 'all lines of a metric stand together'
            assert len(line.split(' ', 3)[3]) > 5
        elif line.startswith('# TYPE '):
            _, _, name, kind = line.split()
            assert name == current and kind in ('counter', 'gauge') and (kind == 'counter') == name.endswith('_total')
            kinds[name] = kind
        else:
            name, labels, _ = SAMPLE.fullmatch(line).groups()
            assert name == current and name in kinds and (name, labels) not in seen
            seen.add((name, labels))
    assert {'godwit_logins_total', 'godwit_queue_messages', 'godwit_process_resident_memory_bytes', 'godwit_info'} <= set(kinds)
    assert ('godwit_process_resident_memory_bytes', '{process="mx.0"}') in seen


def test_for_people(world):
    text = world.ctl('stats').stdout
    assert re.search(r'^logins good +\d+ +\d+$', text, re.MULTILINE)
    assert re.search(r'^store\.0 +[\d.]+M  0 connections$', text, re.MULTILINE)
    assert 'usage: godwit stats' in world.ctl('stats', '--help').stdout
    assert world.ctl('stats', 'nonsense', check=False).returncode == 2
