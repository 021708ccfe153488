"""godwit setup: a machine becomes a mail server, as root and as an ordinary user; again; half-way; on the network.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pty
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import PROGRAM, free_port, wait_for, words_of  # noqa: E402
from knot import Knot  # noqa: E402
from netns import no_mounts  # noqa: E402
from place import Place, tree, zone_lines  # noqa: E402

NO_MOUNTS = no_mounts()
ADDRESS4, ADDRESS6 = '198.18.0.5', '2001:2::5'
PTR4 = '5.0.18.198.in-addr.arpa.'
PTR6 = '5' + '.0' * 23 + '.2.0.0.0.1.0.0.2.ip6.arpa.'


@pytest.fixture(params=['root', 'nobody'])
def any_place(request):
    if request.param == 'root' and os.geteuid() != 0:
        pytest.fail('this test needs root')
    p = Place(as_nobody=request.param == 'nobody')
    yield p
    p.remove()


@pytest.fixture
def place():
    p = Place(as_nobody=True)
    yield p
    p.remove()


@pytest.fixture
def knot():
    made = []

    def make(lines=(), signed=False):
        made.append(Knot(lines, signed).start())
        return made[-1]
    yield make
    for k in made:
        k.remove()


def findings(text):
    """[(level, topic and sentence)] of what a person is shown."""
    joined = re.sub(r'\n {22}', ' ', text)
    return re.findall(r'^  (ok|note|mend) +(\S.*)$', joined, re.MULTILINE)


def finding(text, level, *words):
    return any(lvl == level and all(w in rest for w in words) for lvl, rest in findings(text))


def settings(place):
    """Everything but what the engine and the log keep changing."""
    return {k: v for k, v in tree(place.root).items() if not k.startswith(('data/', 'godwit.log', 'run/'))}


# ---- the whole way ----

def test_set_up_and_log_in(any_place):
    place = any_place
    done = place.setup('--offline')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'a good password' not in done.stdout
    for path, mode in (('master.key', 0o600), ('key.pem', 0o600), ('data', 0o700)):
        assert os.stat(place.path(path)).st_mode & 0o777 == mode, path
    assert os.path.getsize(place.path('master.key')) == 32
    place.start()
    assert place.log_in() == 'OK'
    # Mail to each role address arrives.
    with smtplib.SMTP('127.0.0.1', place.base + 25) as s:
        for role in ('postmaster', 'abuse', 'tls-reports'):
            assert s.sendmail('a@elsewhere.example', [f'{role}@example.org'], f'Subject: {role}\r\n\r\n.') == {}
    aliases = place.godwit('alias', 'list', '-c', place.config).stdout
    assert aliases.count('-> anna@example.org') == 3


def test_certificate_is_shown_as_it_is(place):
    done = place.setup('--offline')
    shown = subprocess.run(['openssl', 'x509', '-in', place.cert, '-noout', '-fingerprint', '-sha256', '-text'],
                           capture_output=True, text=True, check=True).stdout
    assert 'SHA-256 ' + re.search(r'Fingerprint=(\S+)', shown).group(1) in done.stdout
    assert 'NIST CURVE: P-256' in shown and 'DNS:mail.example.org' in shown
    assert 'Outlook' in done.stdout and 'Thunderbird' in done.stdout


def test_second_time_changes_nothing(any_place):
    place = any_place
    first = place.setup('--offline')
    before = settings(place)
    second = place.setup('--offline', password='another password')
    assert second.returncode == 0, second.stderr
    assert settings(place) == before
    assert 'made ' not in second.stdout and 'added ' not in second.stdout and 'changed ' not in second.stdout
    for kept in ('master.key', 'cert.pem', 'godwit.conf', 'anna@example.org'):
        assert re.search(rf'^  kept +\S*{re.escape(kept)}', second.stdout, re.MULTILINE), kept
    assert zone_lines(first.stdout) == zone_lines(second.stdout)
    place.start()
    assert place.log_in() == 'OK'


def test_password_is_made_and_shown_once(place):
    done = place.setup('--offline', '--yes', password=None)
    password = re.search(r'shown this once\n  (\S+)\n', done.stdout).group(1)
    assert re.fullmatch(r'([a-z2-9]{5}-){3}[a-z2-9]{5}', password)
    again = place.setup('--offline', '--yes', password=None)
    assert 'shown this once' not in again.stdout
    place.start()
    assert place.log_in(password) == 'OK'
    with open(place.path('godwit.log'), encoding='utf-8') as f:
        assert password not in f.read()


def test_one_option_changes_one_line(place):
    place.setup('--offline')
    with open(place.config, encoding='utf-8') as f:
        before = f.read()
    done = place.godwit('setup', 'example.org', '--under', place.root, '--admin', 'anna', '--offline', '--host',
                        'mx.example.org')
    assert done.returncode == 0, done.stderr
    assert re.search(r'^  changed +\S*godwit.conf', done.stdout, re.MULTILINE)
    with open(place.config, encoding='utf-8') as f:
        after = f.read()
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert changed == {'host     mail.example.org', 'host mx.example.org'}
    with open(place.config + '.old', encoding='utf-8') as f:
        assert f.read() == before


def test_running_server_is_used(place):
    place.setup('--offline')
    place.start()
    done = place.godwit('setup', 'second.example', '--under', place.root, '--admin', 'ben', '--offline',
                        '--password-file', '-', stdin='his password\n')
    assert done.returncode == 0, done.stderr
    assert 'the running server' in done.stdout
    assert place.log_in('his password', 'ben@second.example') == 'OK'
    assert place.log_in() == 'OK'


# ---- certificates ----

def make_certificate(place, name, host='mail.example.org'):
    cert, key = os.path.join(place.dir, name + '.crt'), os.path.join(place.dir, name + '.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-keyout', key, '-out', cert, '-days', '30', '-subj', '/CN=' + host, '-addext',
                    f'subjectAltName=DNS:{host},DNS:localhost'], check=True, capture_output=True)
    os.chmod(key, 0o644)  # the user of the test reads it
    return cert, key


def test_given_certificate(place):
    cert, key = make_certificate(place, 'given')
    done = place.setup('--offline', '--cert', cert, '--key', key)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(place.cert)
    place.start()
    assert place.log_in(cafile=cert) == 'OK'


def test_certificate_takes_the_place_of_the_self_signed_one(place):
    place.setup('--offline')
    cert, key = make_certificate(place, 'later')
    done = place.setup('--offline', '--cert', cert, '--key', key)
    assert done.returncode == 0, done.stderr
    place.start()
    assert place.log_in(cafile=cert) == 'OK'
    with pytest.raises(ssl.SSLCertVerificationError):
        place.log_in()


# ---- half-way ----

def spoil_data_is_a_file(place):
    with open(place.path('data'), 'w', encoding='ascii') as f:
        f.write('not a folder')
    return []


def spoil_format(place):
    os.mkdir(place.path('data'))
    with open(os.path.join(place.path('data'), 'FORMAT'), 'w', encoding='ascii') as f:
        f.write('godwit data\nversion 99\nengine rocks\ncompatible 0\nincompatible 0\n')
    return []


def spoil_run_dir(place):
    return ['--run-dir', place.path('run-' + 'x' * 120)]


def spoil_log(place):
    os.mkdir(place.path('godwit.log'))
    return []


def spoil_pair(place):
    return ['--cert', make_certificate(place, 'one')[0], '--key', make_certificate(place, 'two')[1]]


def spoil_cert(place):
    return ['--cert', os.path.join(place.dir, 'none'), '--key', os.path.join(place.dir, 'none')]


HALF_WAY = [
    (spoil_data_is_a_file, 'data: something else is there'),
    (spoil_format, 'use a newer godwit'),
    (spoil_run_dir, 'too long for a socket'),
    (spoil_log, 'Is a directory'),
    (spoil_pair, 'is not the key of this certificate'),
    (spoil_cert, 'there is no such file'),
]


@pytest.mark.parametrize('spoil, says', HALF_WAY, ids=[s.__name__ for s, _ in HALF_WAY])
def test_half_way_is_taken_back(any_place, spoil, says):
    place = any_place
    os.mkdir(place.root)
    os.chmod(place.root, 0o755)
    with open(os.path.join(place.root, 'of-mine'), 'w', encoding='ascii') as f:
        f.write('stays')
    more = spoil(place)
    for name in os.listdir(place.root) + ['.']:
        if place.prefix:
            os.chown(os.path.join(place.root, name), os.stat(place.dir).st_uid, -1)
    before = tree(place.dir)
    done = place.setup('--offline', *more)
    assert done.returncode == 1
    assert says in done.stderr, done.stderr
    assert 'Not all' not in done.stderr
    assert tree(place.dir) == before


def test_failed_change_puts_the_configuration_back(place):
    place.setup('--offline')
    before = settings(place)
    done = place.setup('--offline', '--run-dir', place.path('run-' + 'x' * 120))
    assert done.returncode == 1
    assert settings(place) == before
    place.start()
    assert place.log_in() == 'OK'


def test_interrupted_is_taken_back(place):
    before = tree(place.dir)
    setup = subprocess.Popen([*words_of(place.prefix, PROGRAM, 'setup'), 'example.org', '--admin', 'anna', '--offline',
                              *map(str, place.options())], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
    wait_for(lambda: os.path.exists(place.config))
    setup.send_signal(signal.SIGINT)
    _, said = setup.communicate(timeout=100)
    assert setup.returncode == 1
    assert 'taken back' in said
    assert tree(place.dir) == before


REFUSED = [
    (['--cert', '/x'], 'belong together'),
    (['--smarthost-user', 'x'], 'belong together'),
    (['--port-base', 'x'], 'expected a number'),
    (['--host', 'nodot'], 'expected a full name'),
    (['--listen', 'here'], 'expected ADDRESS:PORT'),
    (['--line', 'hots x'], 'read "hots"'),
    (['--resolver', 'there'], 'ADDRESS:PORT'),
    (['--admin', 'a b@c'], 'expected an address'),
    (['--password-file', '/nowhere'], '--password-file'),
    (['--wrong'], 'expected an option'),
]


@pytest.mark.parametrize('words, says', REFUSED, ids=[' '.join(w) for w, _ in REFUSED])
def test_refuses_in_a_sentence(place, words, says):
    before = tree(place.dir)
    done = place.godwit('setup', 'example.org', *place.options(), '--offline', *words)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert tree(place.dir) == before


@pytest.mark.parametrize('domain', ['nodot', 'a b.example', '192.0.2.1', 'x..y', '.'])
def test_refuses_domains(place, domain):
    place.domain = domain
    done = place.setup('--offline')
    assert done.returncode == 1 and 'expected' in done.stderr
    assert not os.path.exists(place.root)


def test_existing_faulty_configuration_is_not_touched(place):
    place.setup('--offline')
    place.edit('listen imaps', 'listen imapz')
    before = tree(place.root)
    done = place.setup('--offline')
    assert done.returncode == 1
    assert re.search(r'godwit\.conf:\d+: read "imapz", expected one of smtp', done.stderr)
    assert tree(place.root) == before


# ---- asking ----

QUESTIONS = [(b'Your domain', b'example.org\n'), (b'name of this server', b'\n'), (b'Your own address', b'anna\n'),
             (b'Set it up so', b'\n')]


def converse(place, answers, *more):
    """Setup on a terminal of its own: its exit status, and what was shown after the last answer."""
    master, slave = pty.openpty()
    words = ['setsid', '--ctty', *words_of(place.prefix, PROGRAM, 'setup'), *map(str, place.options()), '--offline', *more]
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave) as setup:
        os.close(slave)
        shown = b''
        for question, answer in answers:
            while question not in shown:
                shown += os.read(master, 4096)
            shown = b''
            os.write(master, answer)
        while True:
            try:
                shown += os.read(master, 4096)
            except OSError:  # its other end is closed
                break
        status = setup.wait(100)
    os.close(master)
    return status, shown


def test_asks_a_person(place):
    """Domain, name, address, a last question, and the password."""
    status, shown = converse(place, QUESTIONS + [(b'Password:', b'typed by hand\n'), (b'Once more', b'typed by hand\n')])
    assert status == 0, shown
    assert b'typed by hand' not in shown
    place.start()
    assert place.log_in('typed by hand') == 'OK'


def test_a_person_thinks_better_of_it(place):
    before = tree(place.dir)
    status, shown = converse(place, QUESTIONS[:3] + [(b'Set it up so', b'no\n')])
    assert status == 1 and b'nothing was written' in shown
    assert tree(place.dir) == before


def test_interrupted_at_the_password(place):
    """The server runs by then and has filled the data folder, which was there and empty."""
    os.makedirs(place.path('data'))
    for path in (place.root, place.path('data')):
        os.chown(path, os.stat(place.dir).st_uid, -1)
    before = tree(place.dir)
    status, shown = converse(place, QUESTIONS + [(b'Password:', b'\x03')])
    assert status == 1 and b'taken back' in shown, shown
    assert tree(place.dir) == before


def test_interrupted_beside_a_running_server(place):
    """It has the second domain by then, and gives it up again."""
    place.setup('--offline')
    place.start()
    status, shown = converse(place, [(b'Set it up so', b'\n'), (b'Password:', b'\x03')], 'second.example', '--admin', 'ben')
    assert status == 1 and b'interrupted' in shown, shown
    with open(place.path('godwit.log'), encoding='utf-8') as f:
        assert 'verb="domain add" object=second.example result=ok' in f.read()
    domains = place.godwit('domain', 'list', '-c', place.config).stdout
    assert 'example.org' in domains and 'second.example' not in domains
    assert place.log_in() == 'OK'


# ---- the network ----

class Greeter(threading.Thread):
    """A mail server that greets: the outside world has port 25 open."""

    def __init__(self, greeting=b'220 there ESMTP\r\n'):
        super().__init__(daemon=True)
        self.greeting = greeting
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            with c:
                c.sendall(self.greeting)


@pytest.fixture
def greeter():
    g = Greeter()
    yield g
    g.listener.close()


GOOD = [f'mail.example.org. 60 IN A {ADDRESS4}', f'mail.example.org. 60 IN AAAA {ADDRESS6}',
        f'{PTR4} 60 IN PTR mail.example.org.', f'{PTR6} 60 IN PTR mail.example.org.',
        'there.example. 60 IN A 127.0.0.1']


def outside(place, dns, greeter, *more):
    done = place.setup('--resolver', dns.resolver(), '--address', ADDRESS4, '--address', ADDRESS6, '--probe',
                       f'there.example:{greeter.port}', *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def config_of(place):
    with open(place.config, encoding='utf-8') as f:
        return f.read()


def test_all_is_well_outside(place, knot, greeter):
    text = outside(place, knot(GOOD), greeter)
    assert finding(text, 'ok', 'port 25 out', 'there.example answers')
    assert finding(text, 'ok', 'host name', 'leads here')
    assert finding(text, 'ok', 'reverse name', ADDRESS4)
    assert finding(text, 'ok', 'reverse name', ADDRESS6)
    assert not [f for f in findings(text) if f[0] == 'mend'], text
    assert 'source ipv6 none' not in config_of(place)
    lines = zone_lines(text)
    assert f'mail.example.org. IN A {ADDRESS4}' in lines and f'mail.example.org. IN AAAA {ADDRESS6}' in lines


def test_ipv6_without_reverse_name_sends_by_ipv4(place, knot, greeter):
    text = outside(place, knot([g for g in GOOD if not g.startswith(PTR6)]), greeter)
    assert finding(text, 'mend', 'reverse name', ADDRESS6, 'no reverse name', 'IPv4 only')
    assert 'source ipv6 none' in config_of(place)


def test_names_that_are_missing_or_wrong(place, knot, greeter):
    text = outside(place, knot(['mail.example.org. 60 IN A 198.18.0.99', f'{PTR4} 60 IN PTR pool-5.isp.example.',
                                f'{PTR6} 60 IN PTR mail.example.org.', GOOD[-1]]), greeter)
    assert finding(text, 'mend', 'host name', 'leads to another address')
    assert finding(text, 'mend', 'reverse name', ADDRESS4, 'pool-5.isp.example and not mail.example.org')
    assert 'source ipv6 none' not in config_of(place)


def test_host_without_address(place, knot, greeter):
    text = outside(place, knot(GOOD[2:]), greeter)
    assert finding(text, 'mend', 'host name', 'has no address in DNS', f'IN A {ADDRESS4}')


def test_port_25_is_blocked(place, knot):
    closed = free_port()
    dns = knot(GOOD)
    done = place.setup('--resolver', dns.resolver(), '--address', ADDRESS4, '--probe', f'there.example:{closed}')
    assert done.returncode == 0, done.stderr
    assert finding(done.stdout, 'mend', 'port 25 out', 'does not answer', '--smarthost HOST:587')
    secret = os.path.join(place.dir, 'secret')
    with open(secret, 'w', encoding='ascii') as f:
        f.write('pass\n')
    done = place.setup('--resolver', dns.resolver(), '--address', ADDRESS4, '--probe', f'there.example:{closed}',
                       '--smarthost', 'relay.example:587', '--smarthost-user', 'me', '--smarthost-password-file', secret)
    assert done.returncode == 0, done.stderr
    assert finding(done.stdout, 'ok', 'port 25 out', 'smarthost')
    assert f'smarthost relay.example:587 user me password-file {secret}' in config_of(place)
    assert '"v=spf1 mx ?all"' in done.stdout


def test_something_else_at_port_25(place, knot):
    other = Greeter(b'HTTP/1.1 400 Bad Request\r\n')
    done = place.setup('--resolver', knot(GOOD).resolver(), '--probe', f'127.0.0.1:{other.port}')
    other.listener.close()
    assert finding(done.stdout, 'mend', 'port 25 out', 'does not answer')


def test_dead_resolver(place):
    done = place.setup('--resolver', f'127.0.0.1:{free_port()}')
    assert done.returncode == 0, done.stderr
    assert finding(done.stdout, 'mend', 'resolver', 'does not answer')


def test_resolver_without_proofs(place, knot, greeter):
    """The root there is not signed, or not by the key that this machine trusts."""
    text = outside(place, knot(GOOD), greeter)
    assert finding(text, 'note', 'resolver', 'no-dnssec')
    assert re.search(r'^resolver 127.0.0.1:\d+ no-dnssec$', config_of(place), re.MULTILINE)


@pytest.mark.skipif(NO_MOUNTS is not None, reason=str(NO_MOUNTS))
def test_resolver_with_proofs(place, knot, greeter):
    """In a mount namespace whose root key is the one of our signed root."""
    dns = knot(GOOD, signed=True)
    anchor = os.path.join(place.dir, 'root.key')
    with open(anchor, 'w', encoding='ascii') as f:
        f.write(dns.anchor())
    script = (f'mount -t tmpfs none /usr/share && mkdir /usr/share/dns && cp {anchor} /usr/share/dns/root.key && '
              'exec "$@"')
    done = place.setup('--resolver', dns.resolver(), '--address', ADDRESS4, '--probe', f'there.example:{greeter.port}',
                       prefix=['unshare', '-m', 'sh', '-c', script, 'sh', *place.prefix])
    assert done.returncode == 0, done.stderr
    assert finding(done.stdout, 'ok', 'resolver', 'proven (DNSSEC)')
    assert re.search(r'^resolver 127.0.0.1:\d+$', config_of(place), re.MULTILINE)


def test_taken_port(place):
    with socket.create_server(('127.0.0.1', place.base + 143)):
        done = place.setup('--offline')
    assert done.returncode == 0
    assert finding(done.stdout, 'mend', 'ports', f'Port {place.base + 143} (imap)', 'another program')


def test_printed_records_are_a_zone_and_what_check_asks_for(place, knot, greeter):
    first = outside(place, knot(GOOD), greeter)
    with open(place.path('pasted'), 'w', encoding='ascii') as f:
        f.write('\n'.join(zone_lines(first)))
    dns = knot([g for g in GOOD if ' PTR ' in g] + zone_lines(first))
    place.edit(re.search(r'^resolver .*$', config_of(place), re.MULTILINE).group(0), f'resolver {dns.resolver()} no-dnssec')
    place.start()
    done = place.check('--address', ADDRESS4, '--address', ADDRESS6)
    assert done.returncode == 0, done.stdout
    for topic in ('MX', 'SPF', 'DKIM', 'DMARC', 'reverse name', 'host name', 'ports', 'master key', 'data'):
        assert finding(done.stdout, 'ok', topic), topic
    # RFC 6186 and RFC 8314: clients find the ports.
    srv = subprocess.run(['kdig', '@127.0.0.1', '-p', str(dns.port), '+short', '_imaps._tcp.example.org', 'SRV'],
                         capture_output=True, text=True, check=True).stdout
    assert srv == f'0 1 {place.base + 993} mail.example.org.\n'
