"""godwit doctor: many faults planted one at a time into a server that runs, with DNS of its own; each named, and none without.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import smtplib
import ssl
import subprocess

import pytest
from godwit import PROGRAM, halt, text_of, wait_for
from knot import Knot
from misled import TimeServer, clock_ahead, impostor
from netns import no_mounts
from place import Place, zone_lines
from test_check import certificate, days_ahead, write
from test_doctor import ADDRESS, CLIENTS, PTR, roles

MOUNTS = no_mounts() is None


@pytest.fixture(scope='module')
def served():
    p = Place()
    done = p.setup('--offline', '--address', ADDRESS)
    assert done.returncode == 0, done.stderr
    p.start()
    p.records = zone_lines(done.stdout) + [PTR]
    p.dns = Knot(p.records)
    p.dns.start()
    p.edit(re.search(r'^resolver .*$', text_of(p.config), re.MULTILINE).group(0), f'resolver {p.dns.resolver()} no-dnssec')
    p.time = TimeServer()
    p.small = {name: open_all(p.path(name)) for name in ('godwit.conf', 'cert.pem', 'key.pem', 'master.key', 'data/FORMAT')}
    yield p
    p.time.close()
    p.dns.remove()
    p.remove()


def open_all(path):
    with open(path, 'rb') as f:
        return f.read(), os.stat(path)


def restore(p):
    for name, (data, st) in p.small.items():
        if os.path.exists(p.path(name)) and open_all(p.path(name))[0] == data:
            os.chmod(p.path(name), st.st_mode & 0o7777)
            continue
        with open(p.path(name), 'wb') as f:
            f.write(data)
        os.chmod(p.path(name), st.st_mode & 0o7777)
        os.chown(p.path(name), st.st_uid, st.st_gid)


def doctor(p, *words, prefix=None, level='mend'):
    done = p.godwit('doctor', '-c', p.config, '--json', '--address', ADDRESS, '--time', p.time.name, *words, prefix=prefix)
    return [(f['topic'], f['text']) for f in json.loads(done.stdout) if f['level'] == level]


def other_key(p):
    subprocess.run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', p.path('key.pem')],
                   check=True, capture_output=True)
    os.chmod(p.path('key.pem'), 0o600)


def no_chain(p):
    """Signed by an authority that nobody knows, whose own certificate is not in the file."""
    ca, key, csr = p.path('../ca.pem'), p.path('../ca.key'), p.path('../csr')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
                    '-out', ca, '-days', '90', '-subj', '/CN=An authority'], check=True, capture_output=True)
    subprocess.run(['openssl', 'req', '-new', '-key', p.path('key.pem'), '-subj', '/CN=x', '-addext',
                    'subjectAltName=DNS:mail.example.org', '-out', csr], check=True, capture_output=True)
    subprocess.run(['openssl', 'x509', '-req', '-in', csr, '-CA', ca, '-CAkey', key, '-CAcreateserial', '-copy_extensions', 'copy',
                    '-days', '90', '-out', p.cert], check=True, capture_output=True)


@contextlib.contextmanager
def stopped(p):
    user = roles(p)['user.0']
    halt(user)
    try:
        yield
    finally:
        os.kill(user, signal.SIGCONT)


def few_files(p):
    """The limit of boss; it need not be possible to raise it again, so this comes last."""
    subprocess.run(['prlimit', '--pid', str(p.process.pid), '--nofile=512:512'], check=True)


@contextlib.contextmanager
def wrong_time(p):
    p.time.ahead = 90
    try:
        yield
    finally:
        p.time.ahead = 0


@contextlib.contextmanager
def at_imaps(p, **how):
    """Another program has the port, as when an old mail server still runs."""
    with impostor(**how) as place:
        p.edit(f'127.0.0.1:{p.base + 993}', place)
        yield


def another_certificate(p):
    pem, key = p.path('../other.pem'), p.path('../other.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
                    '-out', pem, '-days', '9', '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:mail.example.org'],
                   check=True, capture_output=True)
    return at_imaps(p, pem=pem, key=key)


@contextlib.contextmanager
def one_gateway(p):
    path = p.path('data/trace/29991231-000001.log')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, ''.join(CLIENTS['one router'][0]))
    try:
        yield
    finally:
        os.unlink(path)


@contextlib.contextmanager
def alien(p):
    write(p.path('data/alien'), '')
    try:
        yield
    finally:
        os.unlink(p.path('data/alien'))


@contextlib.contextmanager
def open_folder(p):
    mode = os.stat(p.path('data')).st_mode & 0o777
    os.chmod(p.path('data'), 0o755)
    try:
        yield
    finally:
        os.chmod(p.path('data'), mode)


@contextlib.contextmanager
def restarts(p):
    for _ in range(4):
        old = roles(p)['keys.0']
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: roles(p).get('keys.0', old) != old)  # noqa: B023
    wait_for(lambda: text_of(p.path('godwit.log')).count('ev=role.end') >= 4)
    try:
        yield
    finally:
        os.truncate(p.path('godwit.log'), 0)


@contextlib.contextmanager
def records(p, without=None, add=()):
    """Another name space: without what matches, with more."""
    dns = Knot([line for line in p.records if without is None or not re.search(without, line)] + list(add))
    try:
        dns.start()
        p.edit(p.dns.resolver(), dns.resolver())
        yield
    finally:
        dns.remove()


def zone(without=None, *add):
    return lambda p: records(p, without, add)


def mounted(how):
    """The folder of the data on another file system, for doctor alone."""
    return ['unshare', '-m', 'sh', '-c', how.replace('DATA', '"$0"') + ' && exec "$@"']


TXT = 'example.org. 60 IN TXT '
FAULTS = {
    'configuration does not parse': (lambda p: p.edit('listen imaps', 'listen imapz'), 'configuration', 'read "imapz"'),
    'others may change the configuration': (lambda p: os.chmod(p.config, 0o666), 'configuration', 'chmod go-w'),
    'no master key': (lambda p: os.unlink(p.path('master.key')), 'master key', 'is missing'),
    'open master key': (lambda p: os.chmod(p.path('master.key'), 0o644), 'master key', 'chmod 600'),
    'master key cut': (lambda p: os.truncate(p.path('master.key'), 31), 'master key', 'has 31 bytes'),
    'no certificate': (lambda p: os.unlink(p.cert), 'certificate', 'is missing'),
    'no PEM': (lambda p: write(p.cert, 'nothing'), 'certificate', 'holds no certificate'),
    'expired': (lambda p: certificate(p, start='200101000000Z', end=days_ahead(-2.5)), 'certificate', 'expired 3 days ago'),
    'expires soon': (lambda p: certificate(p, end=days_ahead(13.5)), 'certificate', '13 more days'),
    'not valid yet': (lambda p: certificate(p, start=days_ahead(2), end=days_ahead(99)), 'certificate', 'not valid yet'),
    'another name': (lambda p: certificate(p, 'other.example.org'), 'certificate', 'No certificate names mail.example.org'),
    'key of another': (other_key, 'certificate', 'is not the key of this certificate'),
    'open key': (lambda p: os.chmod(p.path('key.pem'), 0o640), 'certificate', 'can be read by others'),
    'chain not whole': (no_chain, 'certificate', r'fullchain\.pem'),
    'name of a home network': (lambda p: p.edit('mail.example.org', 'server.lan'), 'host name', 'the world does not know'),
    'newer data': (lambda p: write(p.path('data/FORMAT'), 'godwit data\nversion 99\nengine rocks\n'), 'data', 'format 99'),
    'data open to others': (open_folder, 'data', 'chmod 700'),
    'a file of root in the data': (alien, 'data', 'data/alien does not belong'),
    'no such user': (lambda p: p.edit('user     nobody', 'user no-such-user'), 'user', 'no user "no-such-user"'),
    'no folder for the log': (lambda p: p.edit(p.path('godwit.log'), '/nowhere/godwit.log'), 'log', 'cannot be written'),
    'a resolver that does not answer': (lambda p: p.edit(p.dns.resolver(), '127.0.0.1:9'), 'resolver', 'does not answer'),
    'a role that hangs': (stopped, 'services', 'imap at'),
    'processes that end': (restarts, 'processes', 'ended 4 times within an hour, keys.0 last'),
    'all clients from one gateway': (one_gateway, 'clients', 'came from 10.0.0.1'),
    'no MX': (zone(r' MX '), 'MX', 'has no MX record'),
    'MX elsewhere': (zone(r' MX ', 'example.org. 60 IN MX 10 other.example.'), 'MX', r'names other\.example'),
    'no SPF': (zone('v=spf1'), 'SPF', 'has no SPF record'),
    'two SPF records': (zone(None, TXT + '"v=spf1 a mx -all"'), 'SPF', 'has 2 SPF records'),
    'SPF without us': (zone('v=spf1', TXT + '"v=spf1 ip4:192.0.2.1 -all"'), 'SPF', 'does not name this server'),
    'SPF for everybody': (zone('v=spf1', TXT + '"v=spf1 mx +all"'), 'SPF', 'the whole world'),
    'no DKIM': (zone('_domainkey'), 'DKIM', 'is not published'),
    'no DMARC': (zone('_dmarc'), 'DMARC', 'has no DMARC record'),
    'two DMARC records': (zone(None, '_dmarc.' + TXT + '"v=DMARC1; p=none"'), 'DMARC', 'more than one'),
    'no address': (zone(r'^mail\.\S+ IN A'), 'host name', 'has no address'),
    'address elsewhere': (zone(r'^mail\.\S+ IN A', 'mail.example.org. 60 IN A 198.18.0.9'), 'host name', 'another address'),
    'no reverse name': (zone('PTR'), 'reverse', '198.18.0.5'),
    'MTA-STS without a policy': (zone(None, '_mta-sts.' + TXT + '"v=STSv1; id=1;"'), 'MTA-STS', 'has no address'),
    'TLSA of another certificate': (zone(None, '_25._tcp.mail.example.org. 60 IN TLSA 3 1 1 ' + '00' * 32), 'TLSA', 'IN TLSA 3 1 1 [0-9a-f]{64}'),
    'mail programs are led elsewhere': (zone('_imaps', '_imaps._tcp.example.org. 60 IN SRV 0 1 993 other.example.'), 'SRV',
                                        r'leads mail programs to other\.example:993'),
    'and to another port': (zone('_imaps', '_imaps._tcp.example.org. 60 IN SRV 0 1 9 mail.example.org.'), 'SRV', 'example.org:9,'),
    'a clock that is wrong': (wrong_time, 'clock', r'(89|90) s behind that of 127\.0\.0\.1:'),
    'another certificate is shown': (another_certificate, 'TLS', 'imaps at .* is in no file'),
    'old TLS': (lambda p: at_imaps(p, pem=p.cert, key=p.path('key.pem'), oldest=ssl.TLSVersion.TLSv1_1), 'TLS', r'TLSv1\.1 only'),
    'no TLS': (at_imaps, 'TLS', 'imaps at .* offers no TLS'),
    'port 25 closed on the way out': (zone(None, 'gmail.com. 60 IN MX 5 mx.gmail.com.', 'mx.gmail.com. 60 IN A 127.0.0.1'),
                                      'port 25 out', 'does not answer on port 25'),
}
# Good to know, and nothing to mend.
NOTES = {
    'no SRV record': (zone('_imaps'), 'SRV', 'no SRV records for _imaps,'),
    'no mta-sts': (zone(), 'other names', 'mta-sts.example.org'),
    'a resolver that everybody asks': (lambda p: p.edit(p.dns.resolver(), '8.8.8.8:53'), 'resolver', '8.8.8.8 is a resolver that everybody',
                                       '--offline'),
    'a reload was forgotten': (lambda p: os.utime(p.config), 'server', 'godwit reload', '--offline'),
}
FOR_DOCTOR = {
    'disk full': (mounted('mount -t tmpfs -o size=10m,uid=$(stat -c %u DATA),mode=700 none DATA && '
                          '{ head -c 10000000 /dev/zero >DATA/fill 2>&- ; chown --reference=DATA DATA/fill; }'), 'disk', 'Only .* are free'),
    'no inodes': (mounted('mount -t tmpfs -o size=10m,nr_inodes=2,uid=$(stat -c %u DATA),mode=700 none DATA'), 'disk', 'inodes'),
    'disk cannot be written': (mounted('mount -t tmpfs -o ro,size=10m,uid=$(stat -c %u DATA),mode=700 none DATA'), 'disk', 'remount,rw'),
}


def named(found, topic, says):
    return any(t.startswith(topic) and re.search(says, text) for t, text in found)


def p_reloads(p):
    assert p.godwit('reload', '-c', p.config).returncode == 0


def test_mail_that_waits_for_long(served):
    """What a user sent while nothing leaves, seen two days later."""
    trust = ssl.create_default_context(cafile=served.cert)
    assert served.godwit('queue', 'pause', '-c', served.config).returncode == 0
    with smtplib.SMTP_SSL('localhost', served.base + 465, timeout=60, context=trust) as s:
        s.login('anna@example.org', 'a good password')
        s.sendmail('anna@example.org', ['b@nowhere.example'], 'Subject: a\r\n\r\n.\r\n')
    ahead = clock_ahead(served.dir, 2 * 86400)
    notes = [doctor(served, '--offline', prefix=prefix, level='note') for prefix in (None, ahead)]
    assert [named(n, 'queue', 'Mail waits in the queue for 2 d') for n in notes] == [False, True], notes


def test_tlsa_that_fits(served):
    """As OpenSSL's own program makes it."""
    public = subprocess.run(['openssl', 'x509', '-in', served.cert, '-noout', '-pubkey'], check=True, capture_output=True).stdout
    der = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'der'], input=public, check=True, capture_output=True).stdout
    with records(served, None, [f'_25._tcp.mail.example.org. 60 IN TLSA 3 1 1 {hashlib.sha256(der).hexdigest()}']):
        assert named(doctor(served, level='ok'), 'TLSA', 'fit our certificate')
    restore(served)


def test_a_newer_program(served):
    folder = os.path.join(served.dir, 'newer')
    os.mkdir(folder)
    for name in ('', '-server'):
        shutil.copy2(PROGRAM + name, folder)
    done = subprocess.run([os.path.join(folder, 'godwit'), 'doctor', '-c', served.config, '--json', '--offline'],
                          capture_output=True, text=True, check=False)
    mend = [f for f in json.loads(done.stdout) if f['level'] == 'mend']
    assert [f['topic'] for f in mend] == ['program'] and 'godwit upgrade' in mend[0]['text']


def test_each_fault_is_named(served):
    assert doctor(served) == []
    missed = {}
    for name, (plant, topic, says) in FAULTS.items():
        planted = plant(served)
        with planted if hasattr(planted, '__enter__') else contextlib.nullcontext():
            found = doctor(served)
        restore(served)
        if not named(found, topic, says):
            missed[name] = found
    for name, (plant, topic, says, *words) in NOTES.items():
        p_reloads(served)
        if name != 'no mta-sts' and named(doctor(served, *words, level='note'), topic, says):
            missed[name] = 'named before it was there'
        planted = plant(served)
        with planted if hasattr(planted, '__enter__') else contextlib.nullcontext():
            found = doctor(served, *words, level='note')
        restore(served)
        if not named(found, topic, says):
            missed[name] = found
    for name, (prefix, topic, says) in FOR_DOCTOR.items() if MOUNTS else ():
        found = doctor(served, prefix=[*prefix, served.path('data')])
        if not named(found, topic, says):
            missed[name] = found
    assert doctor(served) == []  # nothing is left
    few_files(served)
    if not named(found := doctor(served), 'limits', '512 files'):
        missed['few descriptors'] = found
    planted = len(FAULTS) + len(NOTES) + 1 + (len(FOR_DOCTOR) if MOUNTS else 0)
    print(f'doctor named {planted - len(missed)} of {planted} faults')
    assert not missed
