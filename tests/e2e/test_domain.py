"""godwit domain show and check: the records can be pasted into a zone, and whatever the world sees of them is told.

SPDX-License-Identifier: Apache-2.0
"""
import ipaddress
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import free_port  # noqa: E402
from knot import Knot  # noqa: E402
from place import Place, zone_lines  # noqa: E402

ADDRESS, OTHER = '198.18.0.5', '2a00:1:2::5'
PTR = [f'{ipaddress.ip_address(a).reverse_pointer}. 60 IN PTR mail.example.org.' for a in (ADDRESS, OTHER)]


@pytest.fixture(scope='module')
def served():
    p = Place()
    try:
        done = p.setup('--offline')
        assert done.returncode == 0, done.stderr
        p.start()
        p.shown = show(p)
        yield p
    finally:
        p.remove()


def show(p, *more):
    done = p.godwit('domain', 'show', '-c', p.config, '--address', f'{ADDRESS},{OTHER}', 'example.org', *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check(p, lines, *more):
    dns = Knot(lines)
    with open(p.config, encoding='utf-8') as f:
        text = f.read()
    try:
        dns.start()
        p.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver {dns.resolver()} no-dnssec')
        return p.godwit('domain', 'check', '-c', p.config, '--address', f'{ADDRESS},{OTHER}', 'example.org', *more)
    finally:
        dns.remove()


def states(done):
    """(type, name) -> what was found; the exit status says the same."""
    found = json.loads(done.stdout)
    assert done.returncode == (1 if any(f['level'] == 'mend' for f in found) else 0), done.stdout
    return {(f['type'], f['name'], f['value']) if f['type'] in ('PTR', 'A', 'AAAA') else (f['type'], f['name']): f for f in found}


def test_every_record_is_shown(served):
    text = served.shown
    lines = zone_lines(text)
    for start in (f'mail.example.org. IN A {ADDRESS}', f'mail.example.org. IN AAAA {OTHER}', 'example.org. IN MX 10 mail.example.org.',
                  'example.org. IN TXT "v=spf1 mx -all"', '_dmarc.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"',
                  '_smtp._tls.example.org. IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@example.org"'):
        assert start in lines, text
    assert any(re.match(r'\S+\._domainkey\.example\.org\. IN TXT "v=DKIM1', line) for line in lines)
    assert any(re.match(r'_imaps\._tcp\.example\.org\. IN SRV 0 1 \d+ mail\.example\.org\.', line) for line in lines)
    key = subprocess.run(f'openssl x509 -in {served.cert} -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum', shell=True,
                         capture_output=True, text=True, check=True).stdout.split()[0]
    assert f'_25._tcp.mail.example.org. IN TLSA 3 1 1 {key}' in lines
    assert re.search(r'^;_mta-sts\.example\.org\. +IN TXT +"v=STSv1; id=1;"$', text, re.MULTILINE)
    assert 'mode: testing\n' in text and ';5.0.18.198.in-addr.arpa.' in text
    # One sentence before each, and the type of all in one column.
    for before, line in zip(text.splitlines(), text.splitlines()[1:]):
        assert ' IN ' not in line or before.startswith('; ') or ' IN ' in before, text
    assert len({line.index(' IN ') for line in text.splitlines() if ' IN ' in line and 'arpa' not in line and '_domainkey' not in line}) <= 2


def test_what_is_shown_can_be_pasted(served):
    found = states(check(served, served.shown.splitlines() + PTR, '--json'))
    assert not [f for f in found.values() if f['state'] not in ('ok', 'later')]
    assert {key[:2] for key, f in found.items() if f['state'] == 'later'} == {
        ('TXT', '_mta-sts.example.org'), ('CNAME', 'autoconfig.example.org'), ('CNAME', 'autodiscover.example.org')}
    shown = json.loads(show(served, '--json'))[0]
    assert shown['name'] == 'example.org' and [r['name'] for r in shown['dns']] == [r['name'] for r in json.loads(
        check(served, served.shown.splitlines() + PTR, '--json').stdout)]
    done = check(served, served.shown.splitlines() + PTR)
    assert done.returncode == 0 and done.stdout.endswith('\nNothing to mend.\n'), done.stdout


def test_nothing_is_there(served):
    found = states(check(served, [], '--json'))
    assert {f['state'] for f in found.values()} == {'missing', 'later'}, found
    mend = {key[0] for key, f in found.items() if f['level'] == 'mend'}
    assert mend == {'A', 'AAAA', 'PTR', 'MX', 'TXT'}, found
    assert all(f['level'] == 'note' for key, f in found.items() if key[0] in ('SRV', 'TLSA') or key[1] == '_smtp._tls.example.org')


def test_everything_is_different(served):
    lines = []
    for line in zone_lines(served.shown) + PTR:
        line = line.replace(ADDRESS, '198.18.0.9').replace(OTHER, '2a00:1:2::9').replace('IN MX 10 mail.', 'IN MX 10 other.')
        line = line.replace('v=spf1 mx', 'v=spf1').replace('p=MII', 'p=MIJ').replace('k=ed25519; p=', 'k=ed25519; p=A').replace('rua=mailto:tls', 'ruf=mailto:tls')
        line = re.sub(r'(SRV 0 1 \d+|SRV \d+ 1 \d+) mail\.', r'\1 other.', line)
        line = re.sub(r'TLSA 3 1 1 .*', 'TLSA 3 1 1 ' + '00' * 32, line).replace('PTR mail.', 'PTR pool.')
        lines.append(line)
    lines += ['_dmarc.example.org. IN TXT "v=DMARC1; p=reject"', '_mta-sts.example.org. IN TXT "v=STSv1; id=1;"']
    found = states(check(served, lines, '--json'))
    assert not [f for f in found.values() if f['state'] not in ('different', 'later')]
    assert all(f['level'] == 'mend' and f['seen'] for f in found.values() if f['state'] == 'different'), found
    assert found[('MX', 'example.org')]['seen'] == '10 other.example.org.'
    assert found[('TXT', 'example.org')]['seen'] == 'v=spf1 -all'
    done = check(served, lines)
    text = re.sub(r'\s+', ' ', done.stdout)
    assert done.returncode == 1 and 'seen: 10 other.example.org. expected: 10 mail.example.org.' in text, done.stdout
    assert 'to mend.' in text


def test_no_resolver_and_no_such_domain(served):
    with open(served.config, encoding='utf-8') as f:
        text = f.read()
    served.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver 127.0.0.1:{free_port()} no-dnssec')
    done = served.godwit('domain', 'check', '-c', served.config, 'example.org')
    assert done.returncode == 1 and 'does not answer' in done.stderr
    assert served.godwit('domain', 'check', '-c', served.config, 'example.net').returncode == 1
    assert served.godwit('domain', 'check', '-c', served.config).returncode == 2
