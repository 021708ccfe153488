"""godwit check: planted faults, each named in a sentence of its own, and nothing named that is right.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import free_port  # noqa: E402
from knot import Knot  # noqa: E402
from netns import no_mounts  # noqa: E402
from place import Place, zone_lines  # noqa: E402

NO_MOUNTS = no_mounts()
ADDRESS = '198.18.0.5'
PTR = '5.0.18.198.in-addr.arpa. 60 IN PTR mail.example.org.'


@pytest.fixture(scope='module')
def made():
    """A server that was just set up, and a copy of it."""
    p = Place()
    done = p.setup('--offline')
    assert done.returncode == 0, done.stderr
    subprocess.run(['cp', '-a', p.root, p.root + '.copy'], check=True)
    yield p
    p.remove()


@pytest.fixture
def place(made):
    yield made
    shutil.rmtree(made.root)
    subprocess.run(['cp', '-a', made.root + '.copy', made.root], check=True)


def check(place, *more):
    done = place.check('--json', *more)
    found = json.loads(done.stdout)
    mend = [(f['topic'], f['text']) for f in found if f['level'] == 'mend']
    assert done.returncode == (1 if mend else 0), done.stdout
    return mend


def certificate(place, host='mail.example.org', start=None, end=None):
    """Takes the place of the self-signed one; start and end: YYMMDDHHMMSSZ."""
    folder = os.path.join(place.dir, 'ca')
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    key = os.path.join(place.root, 'key.pem')
    with open(os.path.join(folder, 'ca.conf'), 'w', encoding='ascii') as f:
        f.write(f'[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n'
                'default_md=sha256\npolicy=p\nx509_extensions=e\ndefault_days=100\n[p]\ncommonName=supplied\n'
                f'[e]\nsubjectAltName=DNS:{host}\n')
    with open(os.path.join(folder, 'index'), 'w', encoding='ascii'):
        pass
    with open(os.path.join(folder, 'serial'), 'w', encoding='ascii') as f:
        f.write('01\n')
    subprocess.run(['openssl', 'req', '-new', '-key', key, '-subj', '/CN=' + host, '-out', folder + '/csr'], check=True,
                   capture_output=True)
    dates = (['-startdate', start] if start else []) + (['-enddate', end] if end else [])
    subprocess.run(['openssl', 'ca', '-batch', '-config', folder + '/ca.conf', '-selfsign', '-keyfile', key, '-in',
                    folder + '/csr', '-out', place.cert, '-notext', *dates], check=True, capture_output=True)


def days_ahead(days):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime('%y%m%d%H%M%SZ')


def write(path, text, mode=0o600):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    os.chmod(path, mode)


# ---- on this machine ----

def other_key(p):
    subprocess.run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out',
                    p.path('key.pem')], check=True, capture_output=True)
    os.chmod(p.path('key.pem'), 0o600)


def smarthost(p, mode):
    write(p.path('secret'), 'x\n', mode)
    p.edit('resolver recursive', f'smarthost relay.example:587 user me password-file {p.path("secret")}\nresolver recursive')


FAULTS = {
    'syntax': (lambda p: p.edit('listen imaps', 'listen imapz'), 'configuration',
               r'godwit\.conf:\d+: read "imapz", expected one of smtp'),
    'setting missing': (lambda p: p.edit('host     mail.example.org\n', ''), 'configuration', 'expected something like "host'),
    'no configuration': (lambda p: os.unlink(p.config), 'configuration', r'There is no \S+godwit\.conf: godwit setup'),
    'no master key': (lambda p: os.unlink(p.path('master.key')), 'master key', 'is missing, so stored passwords'),
    'open master key': (lambda p: os.chmod(p.path('master.key'), 0o644), 'master key', 'chmod 600'),
    'short master key': (lambda p: os.truncate(p.path('master.key'), 31), 'master key', 'has 31 bytes and not 32'),
    'no certificate': (lambda p: os.unlink(p.cert), 'certificate', r'The certificate \S+ is missing'),
    'no key': (lambda p: os.unlink(p.path('key.pem')), 'certificate', r'The key \S+ is missing'),
    'no PEM': (lambda p: write(p.cert, 'nothing'), 'certificate', 'holds no certificate'),
    'key of another': (other_key, 'certificate', 'is not the key of this certificate'),
    'open key': (lambda p: os.chmod(p.path('key.pem'), 0o640), 'certificate', r'The key \S+ can be read by others'),
    'expired': (lambda p: certificate(p, start='200101000000Z', end=days_ahead(-2.5)), 'certificate', 'expired 3 days ago'),
    'expires soon': (lambda p: certificate(p, end=days_ahead(13.5)), 'certificate', 'valid for 13 more days only'),
    'not valid yet': (lambda p: certificate(p, start=days_ahead(2), end=days_ahead(99)), 'certificate', 'not valid yet'),
    'other name': (lambda p: certificate(p, 'other.example.org'), 'certificate', 'No certificate names mail.example.org'),
    'newer data': (lambda p: write(p.path('data/FORMAT'), 'godwit data\nversion 99\nengine rocks\n'), 'data',
                   'format 99, this program knows up to 1'),
    'damaged data': (lambda p: write(p.path('data/FORMAT'), 'junk'), 'data', 'FORMAT is damaged'),
    'no data': (lambda p: shutil.rmtree(p.path('data')), 'data', 'There is no folder'),
    'data of another': (lambda p: os.chown(p.path('data'), 0, 0), 'data', 'does not belong to nobody'),
    'no such user': (lambda p: p.edit('user     nobody', 'user no-such-user'), 'user', 'no user "no-such-user"'),
    'no password file': (lambda p: (smarthost(p, 0o600), os.unlink(p.path('secret'))), 'smarthost', 'is missing, so mail for'),
    'open password file': (lambda p: smarthost(p, 0o644), 'smarthost', 'can be read by others'),
    'long run-dir': (lambda p: p.edit(f'run-dir  {p.path("run")}', f'run-dir  {p.path("r" * 100)}'), 'run-dir', 'too long for a socket'),
    'no folder for the log': (lambda p: p.edit(p.path('godwit.log'), '/nowhere/godwit.log'), 'log', 'cannot be written'),
    'no such address': (lambda p: p.edit(f'127.0.0.1:{p.base + 110}', f'198.18.0.77:{p.base + 110}'), 'ports',
                        'no address 198.18.0.77'),
}


def test_nothing_is_wrong(place):
    assert not check(place, '--offline')
    done = place.check('--offline')
    assert done.returncode == 0 and done.stdout.endswith('Nothing to mend.\n')


@pytest.mark.parametrize('name', FAULTS)
def test_fault_is_named(place, name):
    plant, topic, says = FAULTS[name]
    plant(place)
    mend = check(place, '--offline')
    assert [t for t, _ in mend] == [topic], mend
    assert re.search(says, mend[0][1]), mend


def test_certificate_that_is_right(place):
    certificate(place, end=days_ahead(16))
    assert not check(place, '--offline')
    certificate(place, '*.example.org')
    assert not check(place, '--offline')


def test_taken_port(place):
    with socket.create_server(('127.0.0.1', place.base + 993)):
        mend = check(place, '--offline')
    assert [t for t, _ in mend] == ['ports'] and f'Port {place.base + 993} (imaps)' in mend[0][1]


def test_several_faults_at_once(place):
    for name in ('open master key', 'open key', 'no data', 'no such user'):
        FAULTS[name][0](place)
    assert [t for t, _ in check(place, '--offline')] == ['user', 'master key', 'certificate', 'data']


def test_usage(place):
    assert place.check('--wrong').returncode == 2
    assert 'usage: godwit check' in place.godwit('check', '--help').stdout


# ---- what the world sees ----

@pytest.fixture(scope='module')
def served():
    """A running server, and the records that it wants."""
    p = Place()
    done = p.setup('--offline', '--address', ADDRESS)
    assert done.returncode == 0, done.stderr
    p.start()
    p.records = zone_lines(done.stdout) + [PTR]
    yield p
    p.remove()


def without(word):
    return lambda records: [r for r in records if word not in r]


def instead(word, line):
    return lambda records: [r for r in records if word not in r] + [line]


def also(*lines):
    return lambda records: records + list(lines)


DNS_FAULTS = {
    'no MX': (without(' MX '), 'MX', 'has no MX record'),
    'no mail': (instead(' MX ', 'example.org. IN MX 0 .'), 'MX', 'has no MX record'),
    'MX elsewhere': (instead(' MX ', 'example.org. IN MX 5 mx.isp.example.'), 'MX', 'names mx.isp.example'),
    'no SPF': (without('v=spf1'), 'SPF', 'has no SPF record'),
    'two SPF': (also('example.org. IN TXT "v=spf1 a -all"'), 'SPF', 'has 2 SPF records'),
    'SPF without us': (instead('v=spf1', 'example.org. IN TXT "v=spf1 ip4:198.18.9.9 -all"'), 'SPF', 'does not name this server'),
    'no DKIM': (without('_domainkey'), 'DKIM', 'is not published'),
    'other DKIM key': (lambda r: [re.sub(r'p=MII', 'p=MIJ', x) for x in r], 'DKIM', 'not the one that signs'),
    'no DMARC': (without('_dmarc'), 'DMARC', 'has no DMARC record'),
    'two DMARC': (also('_dmarc.example.org. IN TXT "v=DMARC1; p=reject"'), 'DMARC', 'has more than one DMARC'),
    'no PTR': (without(' PTR '), 'reverse name', 'no reverse name'),
    'other PTR': (instead(' PTR ', '5.0.18.198.in-addr.arpa. IN PTR pool.isp.example.'), 'reverse name', 'pool.isp.example and not'),
    'no address': (without(' IN A '), 'host name', 'has no address in DNS'),
    'other address': (instead(' IN A ', 'mail.example.org. IN A 198.18.0.6'), 'host name', 'leads to another address'),
}


def ask(place, records, *more):
    dns = Knot(records)
    with open(place.config, encoding='utf-8') as f:
        text = f.read()
    try:
        dns.start()
        place.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver {dns.resolver()} no-dnssec')
        return check(place, '--address', ADDRESS, *more)
    finally:
        dns.remove()


def test_records_are_right(served):
    assert not ask(served, served.records)
    # Others that are as good.
    assert not ask(served, instead('v=spf1', f'example.org. IN TXT "v=spf1 ip4:{ADDRESS} ~all"')(served.records))
    assert not ask(served, instead('v=spf1', 'example.org. IN TXT "v=spf1 include:spf.isp.example -all"')(served.records))
    assert not ask(served, also('example.org. IN MX 50 backup.example.', 'example.org. IN TXT "verification=1"')(served.records))


@pytest.mark.parametrize('name', DNS_FAULTS)
def test_record_fault_is_named(served, name):
    spoil, topic, says = DNS_FAULTS[name]
    mend = ask(served, spoil(served.records))
    assert [t for t, _ in mend] == [topic], mend
    assert says in mend[0][1], mend


def test_dead_resolver(served):
    with open(served.config, encoding='utf-8') as f:
        text = f.read()
    served.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver 127.0.0.1:{free_port()} no-dnssec')
    mend = check(served, '--address', ADDRESS)
    assert [t for t, _ in mend] == ['resolver'], mend


@pytest.mark.skipif(NO_MOUNTS is not None, reason=str(NO_MOUNTS))
def test_missing_root_key(served):
    """In a mount namespace without it."""
    with open(served.config, encoding='utf-8') as f:
        text = f.read()
    served.edit(re.search(r'^resolver .*$', text, re.MULTILINE).group(0), f'resolver 127.0.0.1:{free_port()}')
    done = served.godwit('check', '-c', served.config, '--json', '--address', ADDRESS,
                         prefix=['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /usr/share && exec "$@"', 'sh'])
    mend = [f['text'] for f in json.loads(done.stdout) if f['level'] == 'mend']
    assert done.returncode == 1 and len(mend) == 1 and 'apt install dns-root-data' in mend[0]


def test_changed_after_the_start(served):
    os.utime(served.config, (2 ** 31, 2 ** 31))
    done = served.check('--offline')
    assert 'changed after the server took it' in re.sub(r'\s+', ' ', done.stdout)
