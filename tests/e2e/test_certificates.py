"""Certificates: chosen by the name that the client asks for, and replaced under a running server.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest
from godwit import Server, wait_for

TLS = ssl._create_unverified_context()
STARTTLS = {'smtp': 'smtp', 'submission': 'smtp', 'imap': 'imap', 'pop3': 'pop3'}


class Pair:
    """A certificate and its key as two files that the configuration names."""

    def __init__(self, folder, name, days=60, names=(), rsa=False):
        self.name, self.names = name, [name, *names]
        self.cert, self.key = os.path.join(folder, name + '.crt'), os.path.join(folder, name + '.key')
        self.algorithm = ['rsa:2048'] if rsa else ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
        self.make(self.cert, self.key, days)

    def make(self, cert, key, days=60):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', *self.algorithm, '-nodes', '-keyout', key, '-out', cert, '-days',
                        str(days), '-subj', '/CN=' + self.name, '-addext',
                        'subjectAltName=' + ','.join('DNS:' + n for n in self.names)], check=True, capture_output=True)
        return cert

    def replace(self, days=60):
        """As ACME clients do: write beside, then rename over.  Returns the new certificate."""
        self.make(self.cert + '.new', self.key + '.new', days)
        os.replace(self.key + '.new', self.key)
        os.replace(self.cert + '.new', self.cert)
        return der(self.cert)


def der(path):
    with open(path, encoding='ascii') as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


@pytest.fixture(scope='module')
def place():
    with tempfile.TemporaryDirectory(prefix='godwit-certs-') as folder:
        yield folder


@pytest.fixture(scope='module')
def pairs(place):
    live, archive = os.path.join(place, 'live'), os.path.join(place, 'archive')
    os.mkdir(live)
    os.mkdir(archive)
    found = {n: Pair(place, n) for n in ('first.example', 'renamed.example', 'broken.example', 'busy.example')}
    found['rsa.example'] = Pair(place, 'rsa.example', names=['*.wild.example'], rsa=True)
    found['old.example'] = Pair(place, 'old.example', days=10)
    linked = Pair(archive, 'linked.example')
    for kind in ('cert', 'key'):
        link = os.path.join(live, kind + '.pem')
        os.symlink(os.path.join('..', 'archive', os.path.basename(getattr(linked, kind))), link)
        setattr(linked, 'live_' + kind, link)
    found['linked.example'] = linked
    return found


@pytest.fixture(scope='module')
def server(pairs):
    lines = [f'tls cert {getattr(p, "live_cert", p.cert)} key {getattr(p, "live_key", p.key)}' for p in pairs.values()]
    s = Server(extra=lines)
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


def served(server, name):
    """The certificate of a fresh handshake, as DER."""
    with socket.create_connection(('127.0.0.1', server.ports['imaps']), 20) as s:
        with TLS.wrap_socket(s, server_hostname=name) as t:
            return t.getpeercert(binary_form=True)


@pytest.mark.parametrize('service', ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'])
def test_the_name_that_the_client_asks_for_chooses(server, service):
    for asked, got in (('rsa.example', 'rsa.example'), ('mail.wild.example', 'rsa.example'), ('LINKED.example', 'linked.example'),
                       ('first.example', 'first.example'), ('stranger.example', 'first.example'),
                       ('a.b.wild.example', 'first.example'), (None, 'first.example')):
        words = ['openssl', 's_client', '-connect', f'127.0.0.1:{server.ports[service]}', '-brief']
        words += ['-servername', asked] if asked else ['-noservername']
        words += ['-starttls', STARTTLS[service]] if service in STARTTLS else []
        done = subprocess.run(words, input=b'', capture_output=True, timeout=60)
        assert re.search(rb'Peer certificate: CN = (\S+)', done.stderr).group(1).decode() == got, (asked, done.stderr)


def test_renamed_files_are_picked_up_while_connections_live(server, pairs):
    before = server.roles()
    m = imaplib.IMAP4_SSL('127.0.0.1', server.ports['imaps'], ssl_context=TLS)
    m.login('anna@example.com', 'secret')
    old = served(server, 'renamed.example')
    new = pairs['renamed.example'].replace()
    wait_for(lambda: served(server, 'renamed.example') == new)
    assert new != old and m.noop()[0] == 'OK' and m.logout()[0] == 'BYE'
    assert server.roles() == before


def test_switched_links_are_picked_up(server, pairs):
    p = pairs['linked.example']
    p.make(p.cert + '2', p.key + '2')
    for kind in ('cert', 'key'):
        link = getattr(p, 'live_' + kind)
        os.unlink(link)
        os.symlink(getattr(p, kind) + '2', link)
    wait_for(lambda: served(server, 'linked.example') == der(p.cert + '2'))


def refusals(server, path):
    return re.findall(rf'ev=cert\.refused .*file={re.escape(path)} reason="([^"]*)"', server.log())


def test_what_cannot_be_used_is_refused_and_the_old_one_stays(server, pairs, place):
    p = pairs['broken.example']
    old = served(server, 'broken.example')
    torn = os.path.join(place, 'torn')
    with open(p.cert, encoding='ascii') as f, open(torn, 'w', encoding='ascii') as out:
        out.write(f.read()[:200])
    os.replace(torn, p.cert)
    wait_for(lambda: refusals(server, p.cert) == ['the file holds no PEM certificate'])
    assert served(server, 'broken.example') == old
    p.make(p.cert + '.new', os.path.join(place, 'unused.key'))
    os.replace(p.cert + '.new', p.cert)
    wait_for(lambda: 'the key is not of this certificate' in refusals(server, p.cert))
    assert served(server, 'broken.example') == old
    new = p.replace()
    wait_for(lambda: served(server, 'broken.example') == new)


def test_the_last_two_weeks_are_announced(server, pairs):
    p = pairs['old.example']
    lines = re.findall(rf'lvl=warn ev=cert\.expires .*days=(\d+) file={re.escape(p.cert)}', server.log())
    assert lines in (['9'], ['10'])  # whole days; ten only within the second in which it was made
    others = re.findall(r'ev=cert\.expires .*file=(\S+)', server.log())
    assert set(others) == {p.cert}
    new = p.replace(days=5)
    wait_for(lambda: served(server, 'old.example') == new)
    wait_for(lambda: re.search(rf'ev=cert\.expires .*days=[45] file={re.escape(p.cert)}', server.log()))


def test_no_handshake_fails_while_files_change(server, pairs):
    """The key of a handshake under way is the one of the certificate that it showed."""
    problems, done, over = [], [], threading.Event()

    def shake():
        while not over.is_set():
            try:
                served(server, 'busy.example')
                done.append(1)
            except OSError as e:
                problems.append(e)
    threads = [threading.Thread(target=shake) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        for _ in range(6):
            new = pairs['busy.example'].replace()
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda n=new: served(server, 'busy.example') == n)
    finally:
        over.set()
        for t in threads:
            t.join()
    assert len(done) > 20 and problems == []
