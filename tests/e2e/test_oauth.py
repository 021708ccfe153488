"""OAUTHBEARER and XOAUTH2: tokens of a configured issuer, signed here, as log-ins of all three protocols.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import imaplib
import json
import os
import poplib
import smtplib
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, text_of, wait_for  # noqa: E402

ISSUER = 'https://id.example.com/realms/mail'
MECHANISMS = ('OAUTHBEARER', 'XOAUTH2')
PROTOCOLS = ('imap', 'pop3', 'submission')


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def number(n, size=None):
    return b64url(n.to_bytes(size or (n.bit_length() + 7) // 8, 'big'))


class Issuer:
    """Private keys, their JWKS, and tokens."""

    def __init__(self):
        self.keys = {'RS256': rsa.generate_private_key(65537, 2048), 'ES256': ec.generate_private_key(ec.SECP256R1()),
                     'EdDSA': ed25519.Ed25519PrivateKey.generate()}

    def jwks(self):
        r, e = (self.keys[a].public_key().public_numbers() for a in ('RS256', 'ES256'))
        d = self.keys['EdDSA'].public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return json.dumps({'keys': [
            {'kty': 'RSA', 'use': 'sig', 'alg': 'RS256', 'kid': 'RS256', 'n': number(r.n), 'e': number(r.e)},
            {'kty': 'EC', 'crv': 'P-256', 'kid': 'ES256', 'x': number(e.x, 32), 'y': number(e.y, 32)},
            {'kty': 'OKP', 'crv': 'Ed25519', 'kid': 'EdDSA', 'x': b64url(d)}]})

    def pem(self, alg):
        return self.keys[alg].public_key().public_bytes(serialization.Encoding.PEM,
                                                        serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, alg, text):
        key = self.keys[alg]
        if alg == 'RS256':
            return key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if alg == 'ES256':
            r, s = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
        return key.sign(text)

    def token(self, user, alg='ES256', **claims):
        payload = {'iss': ISSUER, 'aud': 'mail', 'exp': int(time.time()) + 3600, 'email': user, **claims}
        payload = {k: v for k, v in payload.items() if v is not None}
        text = f'{b64url(json.dumps({"alg": alg, "kid": alg}).encode())}.{b64url(json.dumps(payload).encode())}'
        return f'{text}.{b64url(self.sign(alg, text.encode()))}'


@pytest.fixture(scope='module')
def issuer():
    return Issuer()


@pytest.fixture(scope='module')
def keys_file(issuer, tmp_path_factory):
    path = tmp_path_factory.mktemp('issuer') / 'jwks.json'
    path.write_text(issuer.jwks(), encoding='ascii')
    return path


@pytest.fixture(scope='module')
def server(keys_file):
    s = Server(extra=['outbound none', f'oauth-issuer {ISSUER} audience mail keys {keys_file}'])
    s.start()
    s.add_domain()
    yield s
    s.remove()


def message(mechanism, token, user):
    if mechanism == 'XOAUTH2':
        return f'user={user}\1auth=Bearer {token}\1\1'.encode()
    name = f'a={user}' if user else ''
    return f'n,{name},\1host=mail.example.com\1port=143\1auth=Bearer {token}\1\1'.encode()


class Talk:
    """One log-in by hand: (last line, decoded challenge of a failure or None)."""

    def __init__(self, server, protocol):
        port = server.ports[protocol]
        self.protocol = protocol
        if protocol == 'imap':
            self.client = imaplib.IMAP4('127.0.0.1', port)
            self.read, self.write = self.client.readline, self.client.send
        elif protocol == 'pop3':
            self.client = poplib.POP3('127.0.0.1', port)
            self.read, self.write = self.client.file.readline, self.client.sock.sendall
        else:
            self.client = smtplib.SMTP('127.0.0.1', port)
            self.client.ehlo()
            self.read, self.write = self.client.file.readline, self.client.sock.sendall

    def __enter__(self):
        return self

    def __exit__(self, *_):
        (self.client.shutdown if self.protocol == 'imap' else self.client.close)()

    def log_in(self, mechanism, response, initial=True, dummy=b'AQ=='):
        verb = b'x AUTHENTICATE ' if self.protocol == 'imap' else b'AUTH '
        text = base64.b64encode(response)
        self.write(verb + mechanism.encode() + (b' ' + text if initial else b'') + b'\r\n')
        line = self.read()
        if not initial:
            assert line.strip() in (b'+', b'334')
            self.write(text + b'\r\n')
            line = self.read()
        if line[:2] == b'+ ' or line[:4] == b'334 ':
            challenge = json.loads(base64.b64decode(line.split(b' ')[1]))
            self.write(dummy + b'\r\n')
            return self.read().decode(), challenge
        return line.decode(), None


GOOD = {'imap': 'x OK', 'pop3': '+OK', 'submission': '235 2.7.0'}
BAD = {'imap': 'x NO [AUTHENTICATIONFAILED]', 'pop3': '-ERR [AUTH]', 'submission': '535 5.7.8'}


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('mechanism', MECHANISMS)
@pytest.mark.parametrize('initial', (True, False))
def test_a_good_token(server, user, issuer, protocol, mechanism, initial):
    for alg in ('RS256', 'ES256', 'EdDSA'):
        with Talk(server, protocol) as t:
            line, challenge = t.log_in(mechanism, message(mechanism, issuer.token(user, alg), user), initial)
            assert line.startswith(GOOD[protocol]) and challenge is None, line
    if protocol == 'imap':  # the session is the account's
        with Talk(server, 'imap') as t:
            t.log_in(mechanism, message(mechanism, issuer.token(user), user), initial)
            t.client.state = 'AUTH'
            assert t.client.select()[0] == 'OK'


def test_whose_it_is(server, user, issuer):
    with Talk(server, 'imap') as t:  # OAUTHBEARER need not say it
        assert t.log_in('OAUTHBEARER', message('OAUTHBEARER', issuer.token(user), ''))[0].startswith('x OK')
    with Talk(server, 'imap') as t:  # sub is enough
        token = issuer.token(None, sub=user)
        assert t.log_in('OAUTHBEARER', message('OAUTHBEARER', token, user))[0].startswith('x OK')
    other = server.add_account('other' + user.split('@', maxsplit=1)[0])
    for mechanism in MECHANISMS:
        with Talk(server, 'imap') as t:
            assert t.log_in(mechanism, message(mechanism, issuer.token(user), other))[0].startswith(BAD['imap'])
    with Talk(server, 'imap') as t:
        assert t.log_in('XOAUTH2', message('XOAUTH2', issuer.token(user), user))[0].startswith('x OK')
        found = json.loads(server.ctl('who', '--json', user).stdout)
        assert ('imap', '127.0.0.1', None) in {(s['protocol'], s['peer'], s['app']) for s in found}
    server.ctl('account', 'suspend', user)
    with Talk(server, 'imap') as t:
        assert t.log_in('XOAUTH2', message('XOAUTH2', issuer.token(user), user))[0].startswith(BAD['imap'])
    server.ctl('account', 'resume', user)
    server.ctl('account', 'disable', user)
    with Talk(server, 'imap') as t:
        assert t.log_in('XOAUTH2', message('XOAUTH2', issuer.token(user), user))[0].startswith(BAD['imap'])


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('mechanism', MECHANISMS)
def test_what_is_refused(server, user, issuer, protocol, mechanism):
    stranger = Issuer()
    now = int(time.time())
    wrong = [issuer.token(user, exp=now - 3600), issuer.token(user, exp=None), issuer.token(user, nbf=now + 3600),
             issuer.token(user, iss='https://id.example.com/'), issuer.token(user, aud='web'), issuer.token(user, aud=None),
             issuer.token('nobody@example.com'), stranger.token(user), issuer.token(user, email_verified=False),
             issuer.token(user)[:-4], 'opaque', f'{b64url(json.dumps({"alg": "none"}).encode())}.e30.']
    for token in wrong:
        with Talk(server, protocol) as t:
            line, challenge = t.log_in(mechanism, message(mechanism, token, user))
            assert line.startswith(BAD[protocol]), (token, line)
            assert challenge['status'] == ('invalid_token' if mechanism == 'OAUTHBEARER' else '401'), challenge
            # the connection goes on
            assert t.log_in(mechanism, message(mechanism, issuer.token(user), user))[0].startswith(GOOD[protocol])
    wait_for(lambda: f'account={user} protocol={protocol} reason=token' in server.log())
    assert not any(token in server.log() for token in wrong if len(token) > 50)


def test_what_it_would_take(server, user):
    """RFC 7628 section 4.3: an empty Authorization asks for it."""
    with Talk(server, 'imap') as t:
        line, challenge = t.log_in('OAUTHBEARER', f'n,a={user},\1auth=\1\1'.encode())
        assert line.startswith(BAD['imap'])
        assert challenge == {'status': 'invalid_token', 'openid-configuration': ISSUER + '/.well-known/openid-configuration'}
    with Talk(server, 'imap') as t:  # a failure may be cut short
        line, _ = t.log_in('OAUTHBEARER', f'n,a={user},\1auth=\1\1'.encode(), dummy=b'*')
        assert line.startswith(('x BAD', 'x NO'))
    for text in (b'', b'n,,', b'n,,\1auth=Bearer\1\1', b'user=u\1auth=Bearer t\1\1'):
        with Talk(server, 'imap') as t:
            assert t.log_in('OAUTHBEARER', text or b'\1')[0].startswith('x BAD')


@pytest.mark.parametrize('protocol, url', [('imap', 'imap://127.0.0.1:{}/INBOX?ALL'), ('pop3', 'pop3://127.0.0.1:{}/'),
                                           ('submission', 'smtp://127.0.0.1:{}/')])
@pytest.mark.parametrize('mechanism', MECHANISMS)
@pytest.mark.parametrize('initial', ([], ['--sasl-ir']))
def test_curl(server, user, issuer, tmp_path, protocol, url, mechanism, initial):  # pylint: disable=too-many-arguments
    words = ['curl', '-sS', '--max-time', '30', '--oauth2-bearer', issuer.token(user), '-u', user, '--login-options', f'AUTH={mechanism}',
             *initial, url.format(server.ports[protocol])]
    if protocol == 'submission':
        mail = tmp_path / 'mail'
        mail.write_bytes(f'From: {user}\r\nTo: {user}\r\nSubject: x\r\n\r\nx\r\n'.encode())
        words += ['--mail-from', user, '--mail-rcpt', user, '-T', str(mail)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: any('ev=auth.login' in line and f'login={user}' in line and f'proto={protocol}' in line and
                         'result=ok' in line for line in server.log().split('\n')))


def test_new_keys_are_taken(server, user, issuer, keys_file):
    fresh = Issuer()
    assert 'ev=oauth.keys role=auth.0' in server.log() and 'keys=3' in server.log()
    old = keys_file.read_text(encoding='ascii')
    keys_file.with_suffix('.new').write_bytes(fresh.pem('ES256') + fresh.pem('RS256'))
    os.replace(keys_file.with_suffix('.new'), keys_file)
    wait_for(lambda: 'keys=2' in server.log())
    for alg in ('ES256', 'RS256'):
        with Talk(server, 'imap') as t:
            assert t.log_in('XOAUTH2', message('XOAUTH2', fresh.token(user, alg), user))[0].startswith('x OK')
    with Talk(server, 'imap') as t:
        assert t.log_in('XOAUTH2', message('XOAUTH2', issuer.token(user), user))[0].startswith(BAD['imap'])
    keys_file.with_suffix('.new').write_text('{"keys": 1}', encoding='ascii')
    os.replace(keys_file.with_suffix('.new'), keys_file)
    wait_for(lambda: 'ev=oauth.refused' in server.log())
    with Talk(server, 'imap') as t:  # those of before stay
        assert t.log_in('XOAUTH2', message('XOAUTH2', fresh.token(user), user))[0].startswith('x OK')
    keys_file.with_suffix('.new').write_text(old, encoding='ascii')
    os.replace(keys_file.with_suffix('.new'), keys_file)
    wait_for(lambda: server.log().count('keys=3') > 1)


def test_another_configuration(issuer, keys_file, tmp_path):
    """An issuer comes, is another whose keys are of no use, and goes, while the server runs."""
    s = Server(extra=['outbound none'])
    s.start()
    try:
        s.add_domain()
        user = s.add_account('anna')
        bare = text_of(s.config)
        bad = tmp_path / 'bad.json'
        bad.write_text('{"keys": 1}', encoding='ascii')

        def log_in(**claims):
            with Talk(s, 'imap') as t:
                return t.log_in('XOAUTH2', message('XOAUTH2', issuer.token(user, **claims), user))[0]

        def reload(line):
            with open(s.config, 'w', encoding='utf-8') as f:
                f.write(bare + line + '\n')
            s.ctl('reload')
        assert not log_in().startswith('x OK')
        reload(f'oauth-issuer {ISSUER} audience mail keys {keys_file}')
        wait_for(lambda: log_in().startswith('x OK'))
        reload(f'oauth-issuer {ISSUER} audience web keys {keys_file}')
        wait_for(lambda: log_in(aud='web').startswith('x OK'))
        assert log_in().startswith(BAD['imap'])
        reload(f'oauth-issuer https://other.example audience mail keys {bad}')
        wait_for(lambda: 'ev=oauth.refused' in s.log())
        assert log_in(iss='https://other.example').startswith('x NO')  # by the keys of the one before
        reload('')
        assert not log_in().startswith('x OK')
    finally:
        s.remove()
