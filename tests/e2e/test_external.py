"""SASL EXTERNAL: certificates of clients as log-ins of all three protocols.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import datetime
import imaplib
import json
import os
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, text_of, wait_for  # noqa: E402

PROTOCOLS = ('imap', 'imaps', 'pop3', 'pop3s', 'submission', 'submissions')
DAY = datetime.timedelta(days=1)


class Authority:
    """One that signs certificates of clients; `by` signs its own, or it does so itself."""

    def __init__(self, folder, name, by=None):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.made = 0
        self.by = by
        self.cert = self._sign(self.key.public_key(), name, [(x509.BasicConstraints(True, None), True)], by or self)
        self.path = folder / f'{name}.pem'
        self.path.write_bytes(self.pem())

    def pem(self):
        return self.cert.public_bytes(serialization.Encoding.PEM)

    @staticmethod
    def _sign(public, name, extensions, by, since=-DAY, until=DAY):  # pylint: disable=too-many-arguments,too-many-positional-arguments
        now = datetime.datetime.utcnow()
        issuer = by.cert.subject if hasattr(by, 'cert') else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
                   .issuer_name(issuer).public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now + since).not_valid_after(now + until))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(by.key, hashes.SHA256())

    def client(self, *addresses, **times):
        """A context of Python that shows a certificate with these addresses, and the certificates behind it."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.RFC822Name(a) for a in addresses] + [x509.DNSName('laptop.example.com')]
        cert = self._sign(key.public_key(), 'client', [(x509.SubjectAlternativeName(names), False),
                                                      (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)],
                          self, **times)
        self.made += 1
        path = self.folder / f'{self.name}-{self.made}.pem'
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()) +
                         cert.public_bytes(serialization.Encoding.PEM) + (self.pem() if self.by else b''))
        context = plain()
        context.load_cert_chain(path)
        context.godwit_path = path
        return context


def plain():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp('authorities')
    os.chmod(made, 0o755)
    return made


@pytest.fixture(scope='module')
def authority(folder):
    return Authority(folder, 'authority')


@pytest.fixture(scope='module')
def server(authority):
    s = Server(extra=['outbound none', f'client-certificates {authority.path}'])
    s.start()
    s.add_domain()
    yield s
    s.remove()


class Talk:
    """A connection by TLS, and its log-ins by hand."""

    def __init__(self, server, service, context):
        port = server.ports[service]
        self.protocol = service.rstrip('s')
        if self.protocol == 'imap':
            self.client = imaplib.IMAP4('127.0.0.1', port) if service == 'imap' else \
                imaplib.IMAP4_SSL('127.0.0.1', port, ssl_context=context)
            if service == 'imap' and context:
                self.client.starttls(context)
            self.offers = [c[5:] for c in self.client.capabilities if c.startswith('AUTH=')]
            self.read, self.write = self.client.readline, self.client.send
        elif self.protocol == 'pop3':
            self.client = poplib.POP3('127.0.0.1', port) if service == 'pop3' else \
                poplib.POP3_SSL('127.0.0.1', port, context=context)
            if service == 'pop3' and context:
                self.client.stls(context)
            self.offers = self.client.capa().get('SASL', [])
            self.read, self.write = self.client.file.readline, lambda b: self.client.sock.sendall(b)
        else:
            self.client = smtplib.SMTP('127.0.0.1', port) if service == 'submission' else \
                smtplib.SMTP_SSL('127.0.0.1', port, context=context)
            if service == 'submission' and context:
                self.client.starttls(context=context)
            self.client.ehlo()
            self.offers = self.client.esmtp_features.get('auth', '').split()
            self.read, self.write = self._smtp_line, lambda b: self.client.sock.sendall(b)

    def _smtp_line(self):
        code, text = self.client.getreply()
        return f'{code} '.encode() + text + b'\r\n'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        (self.client.shutdown if self.protocol == 'imap' else self.client.close)()

    def version(self):
        return self.client.sock.version()

    def log_in(self, response=b'', initial=True):
        verb = b'x AUTHENTICATE EXTERNAL' if self.protocol == 'imap' else b'AUTH EXTERNAL'
        text = base64.b64encode(response)
        self.write(verb + (b' ' + (text or b'=') if initial else b'') + b'\r\n')
        line = self.read()
        if not initial:
            assert line.strip() in (b'+', b'334'), line
            self.write(text + b'\r\n')
            line = self.read()
        return line.decode()

    def by_password(self, user):
        text = base64.b64encode(f'\0{user}\0secret'.encode())
        self.write((b'x AUTHENTICATE PLAIN ' if self.protocol == 'imap' else b'AUTH PLAIN ') + text + b'\r\n')
        return self.read().decode()


GOOD = {'imap': 'x OK', 'pop3': '+OK', 'submission': '235 2.7.0'}
BAD = {'imap': 'x NO [AUTHENTICATIONFAILED]', 'pop3': '-ERR [AUTH]', 'submission': '535 5.7.8'}
UNKNOWN = {'imap': 'x ', 'pop3': '-ERR', 'submission': '504 5.5.4'}
MALFORMED = {'imap': 'x BAD', 'pop3': '-ERR', 'submission': '501 5.5.2'}


@pytest.mark.parametrize('service', PROTOCOLS)
def test_a_good_certificate(server, user, authority, service):
    protocol = service.rstrip('s')
    context = authority.client(user)
    for initial in (True, False):
        for wanted in (b'', user.encode(), user.upper().encode()):
            with Talk(server, service, context) as t:
                assert 'EXTERNAL' in t.offers
                line = t.log_in(wanted, initial)
                assert line.startswith(GOOD[protocol]), line
    with Talk(server, service, context) as t:
        assert t.version() == 'TLSv1.3'
        assert t.log_in(b'somebody@example.com').startswith(BAD[protocol])
        assert t.log_in(b'a\0b').startswith(MALFORMED[protocol])
        assert t.log_in(b'\xff').startswith(MALFORMED[protocol])
        assert t.log_in(b'').startswith(GOOD[protocol])
        if protocol == 'imap':  # the session is the account's
            t.client.state = 'AUTH'
            assert t.client.select()[0] == 'OK'
            found = json.loads(server.ctl('who', '--json', user).stdout)
            assert {(s['protocol'], s['app']) for s in found} == {('imap', None)}
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Talk(server, service, context) as t:
        assert t.version() == 'TLSv1.2'
        assert t.log_in().startswith(GOOD[protocol])
    wait_for(lambda: any('ev=auth.login' in line and f'login={user}' in line and f'proto={protocol}' in line and
                         'result=ok' in line for line in server.log().split('\n')))


@pytest.mark.parametrize('service', PROTOCOLS)
def test_what_is_no_good_certificate(server, user, authority, folder, service):
    protocol = service.rstrip('s')
    stranger = Authority(folder, 'stranger')
    below = Authority(folder, 'below', by=stranger)
    for context in (stranger.client(user), below.client(user), authority.client(user, since=-3 * DAY, until=-DAY),
                    authority.client(user, since=DAY / 2), plain()):
        with Talk(server, service, context) as t:
            assert t.offers and 'EXTERNAL' not in t.offers
            line = t.log_in()
            assert line.startswith(UNKNOWN[protocol]) and not line.startswith(GOOD[protocol]), line
            assert t.by_password(user).startswith(GOOD[protocol])  # who has a password may use it
    if not service.endswith('s'):
        with Talk(server, service, None) as t:
            assert t.offers and 'EXTERNAL' not in t.offers
            line = t.log_in()
            assert line.startswith(UNKNOWN[protocol]) and not line.startswith(GOOD[protocol]), line


@pytest.mark.parametrize('service', ('imaps', 'pop3s', 'submissions'))
def test_whose_it_is(server, user, authority, service):
    protocol = service.rstrip('s')
    other = server.add_account('other' + service + user.split('@', maxsplit=1)[0])
    for addresses, wanted, good in [((user, 'else@example.net'), '', True), ((user, 'else@example.net'), user, True),
                                    ((), '', False), ((), user, False), (('nobody@example.com',), '', False),
                                    ((user, other), '', False), ((user, other), user, False), ((other,), user, False)]:
        with Talk(server, service, authority.client(*addresses)) as t:
            assert 'EXTERNAL' in t.offers
            line = t.log_in(wanted.encode())
            assert line.startswith((GOOD if good else BAD)[protocol]), (addresses, wanted, line)
    wait_for(lambda: f'protocol={protocol} reason=certificate' in server.log())
    for verb, back in (('suspend', 'resume'), ('disable', 'enable')):
        server.ctl('account', verb, other)
        with Talk(server, service, authority.client(other)) as t:
            assert t.log_in().startswith(BAD[protocol])
        wait_for(lambda: f'account={other} protocol={protocol} reason=disabled' in server.log())
        server.ctl('account', back, other)
        with Talk(server, service, authority.client(other)) as t:
            assert t.log_in().startswith(GOOD[protocol])


def test_an_authority_between(server, user, authority, folder):
    between = Authority(folder, 'between', by=authority)
    with Talk(server, 'imaps', between.client(user)) as t:
        assert t.log_in().startswith('x OK')


@pytest.mark.parametrize('version', ('TLSv1_2', 'TLSv1_3'))
def test_no_session_is_resumed_with_it(server, user, authority, version):
    """What is resumed has not proved again that the key is there."""
    context = authority.client(user)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    bare = plain()
    bare.minimum_version = bare.maximum_version = ssl.TLSVersion[version]
    for shown in (context, bare):
        session, reused = None, []
        for _ in range(2):
            raw = socket.create_connection(('127.0.0.1', server.ports['imaps']), 30)
            with shown.wrap_socket(raw, session=session) as s:
                s.recv(1000)
                s.sendall(b'x CAPABILITY\r\n')
                assert (b'AUTH=EXTERNAL' in s.recv(1000)) == (shown is context)
                session, reused = s.session, reused + [s.session_reused]
        assert reused == [False, shown is bare]


def test_curl(server, user, authority):
    context = authority.client(user)
    for url in (f'imaps://127.0.0.1:{server.ports["imaps"]}/INBOX?ALL', f'pop3s://127.0.0.1:{server.ports["pop3s"]}/'):
        done = subprocess.run(['curl', '-sSk', '--max-time', '30', '--cert', str(context.godwit_path), '-u', f'{user}:', '--login-options',
                               'AUTH=EXTERNAL', url], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_wrong_ones_are_counted(authority):
    """The limits of log-ins hold for certificates as well."""
    s = Server(extra=['outbound none', f'client-certificates {authority.path}'])
    s.start()
    try:
        s.add_domain()
        user = s.add_account('anna')
        context = authority.client('nobody@example.com')
        for _ in range(5):
            with Talk(s, 'imaps', context) as t:
                for _ in range(4):
                    t.log_in(b'nobody@example.com')
        with Talk(s, 'imaps', context) as t:
            assert not t.log_in().startswith('x OK')
        wait_for(lambda: 'reason=slowed' in s.log())
        shown = s.ctl('block', 'list').stdout
        assert '127.0.0.1' in shown, shown
        s.ctl('block', 'forgive', '127.0.0.1', check=False)
        assert user
    finally:
        s.remove()


def test_another_configuration(folder, tmp_path):
    """Authorities come, change, and go, while the server runs."""
    first, second = Authority(folder, 'first'), Authority(folder, 'second')
    path = tmp_path / 'clients.pem'
    os.chmod(tmp_path, 0o755)
    s = Server(extra=['outbound none'])
    s.start()
    try:
        s.add_domain()
        user = s.add_account('anna')
        bare = text_of(s.config)
        contexts = [first.client(user), second.client(user)]

        def good():
            found = []
            for context in contexts:
                with Talk(s, 'imaps', context) as t:
                    assert t.offers
                    found.append('EXTERNAL' in t.offers and t.log_in().startswith('x OK'))
            return found

        def reload(line):
            with open(s.config, 'w', encoding='utf-8') as f:
                f.write(bare + line + '\n')
            s.ctl('reload')

        def put(data):
            path.with_suffix('.new').write_bytes(data)
            os.replace(path.with_suffix('.new'), path)
            s.ctl('reload')
        assert good() == [False, False]
        put(first.pem())
        reload(f'client-certificates {path}')
        wait_for(lambda: good() == [True, False])
        put(first.pem() + second.pem())
        wait_for(lambda: good() == [True, True])
        put(second.pem())
        wait_for(lambda: good() == [False, True])
        put(b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
        wait_for(lambda: 'ev=clients.refused role=auth' in s.log() and 'ev=clients.refused role=user' in s.log())
        assert good() == [False, True]  # those of before stay
        reload('')
        wait_for(lambda: good() == [False, False])
    finally:
        s.remove()
