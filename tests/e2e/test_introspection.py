"""Tokens that the issuer is asked about (RFC 7662), against a real endpoint with TLS.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from godwit import Server, free_port, text_of, wait_for  # noqa: E402
from test_oauth import BAD, GOOD, ISSUER, MECHANISMS, PROTOCOLS, Issuer, Talk, message  # noqa: E402

AWAY = {'imap': 'x NO [UNAVAILABLE]', 'pop3': '-ERR [SYS/TEMP]', 'submission': '454 4.7.0'}
CLIENT, SECRET = 'mail:server', 'a secret, with %41 and ä'


class Endpoint:
    """answers: token -> dict, (status, bytes), or a function that writes to the handler."""

    def __init__(self, folder, name='localhost', tls=True):
        self.answers, self.asked = {}, []
        self.cert, key = folder / f'{name}.pem', folder / f'{name}.key'
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

            def do_POST(self):  # pylint: disable=invalid-name
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
                kind, text = self.headers['Authorization'].split()
                client, secret = (urllib.parse.unquote_plus(w) for w in base64.b64decode(text).decode().split(':'))
                with outer.lock:
                    outer.asked.append((self.path, form))
                if (kind, client, secret, self.path) != ('Basic', CLIENT, SECRET, '/oauth/introspect?realm=mail'):
                    self.send_error(401)
                    return
                answer = outer.answers.get(form['token'][0], {'active': False})
                if callable(answer):
                    answer(self)
                    return
                status, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # who hangs up in a handshake is no news
                pass
        self.server = Quiet(('127.0.0.1', free_port()), Handler)
        self.port = self.server.server_address[1]
        if tls:
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout',
                            str(key), '-out', str(self.cert), '-days', '3', '-subj', '/CN=x', '-addext', f'subjectAltName=DNS:{name}'],
                           check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.cert, key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05})
        self.thread.start()

    def count(self, token):
        with self.lock:
            return sum(form['token'] == [token] for _, form in self.asked)

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp('endpoint')
    os.chmod(made, 0o755)
    (made / 'secret').write_text(SECRET + '\n', encoding='utf-8')
    return made


@pytest.fixture(scope='module')
def endpoint(folder):
    e = Endpoint(folder)
    yield e
    e.stop()


def lines(folder, port, scheme='https', authority=None, keys=''):
    ca = f' authority {authority}' if authority else ''
    return [f'oauth-issuer {ISSUER} audience mail{keys}',
            f'oauth-introspection {scheme}://localhost:{port}/oauth/introspect?realm=mail client {CLIENT} secret {folder}/secret{ca}']


@pytest.fixture(scope='module')
def server(folder, endpoint):
    s = Server(extra=['outbound none', *lines(folder, endpoint.port, authority=endpoint.cert)])
    s.start()
    s.add_domain()
    yield s
    s.remove()


def log_in(server, protocol, token, user, mechanism='OAUTHBEARER'):
    with Talk(server, protocol) as t:
        return t.log_in(mechanism, message(mechanism, token, user))[0]


@pytest.mark.parametrize('protocol', PROTOCOLS)
@pytest.mark.parametrize('mechanism', MECHANISMS)
def test_a_good_token(server, user, endpoint, protocol, mechanism):
    token = f'opaque~{protocol}+{mechanism}/=='
    endpoint.answers[token] = {'active': True, 'email': user, 'aud': 'mail', 'exp': int(time.time()) + 3600, 'token_type': 'Bearer'}
    for _ in range(3):
        assert log_in(server, protocol, token, user, mechanism).startswith(GOOD[protocol])
    assert endpoint.count(token) == 1  # the others were remembered
    other = server.add_account('other' + protocol + user.split('@', maxsplit=1)[0])
    assert log_in(server, protocol, token, other, mechanism).startswith(BAD[protocol])
    server.ctl('account', 'suspend', user)
    assert log_in(server, protocol, token, user, mechanism).startswith(BAD[protocol])
    assert token not in server.log() and SECRET not in server.log()


def test_whose_and_until_when(server, user, endpoint):
    now = int(time.time())
    good = {'active': True, 'aud': 'mail', 'email': user, 'exp': now + 3600}
    named = {**good, 'email': None, 'username': user}
    rows = [({**good, 'aud': ['web', 'mail'], 'iss': ISSUER}, True), ({**good, 'exp': None}, True), ({**good, 'email': None, 'sub': user}, True),
            ({**good, 'username': 'else'}, True), (named, False), ({**named, 'sub': user}, True), ({**good, 'aud': None}, False),
            ({**good, 'aud': 'web'}, False), ({**good, 'aud': []}, False),
            ({**good, 'iss': 'https://else.example'}, False), ({**good, 'exp': now - 1}, False), ({**good, 'nbf': now + 3600}, False),
            ({**good, 'email': 'nobody@example.com'}, False), ({'active': True}, False), ({'active': False}, False),
            ({**good, 'active': False}, False), ({**good, 'username': user, 'email_verified': False}, False)]
    for i, (answer, is_good) in enumerate(rows):
        endpoint.answers[f'row{i}'] = {k: v for k, v in answer.items() if v is not None}
        server.ctl('block', 'remove', '127.0.0.1', check=False)  # so many wrong ones would be braked
        for mechanism in MECHANISMS:
            line = log_in(server, 'imap', f'row{i}', user, mechanism)
            assert line.startswith('x OK' if is_good else BAD['imap']), (answer, line)
        if not is_good and not answer['active']:
            assert endpoint.count(f'row{i}') == 2  # a refusal is not kept
    wait_for(lambda: f'account={user} protocol=imap reason=token' in server.log())


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_no_answer_is_no_door(server, user, endpoint, protocol):
    def hang(handler):
        handler.rfile.read(1)

    def slam(handler):
        handler.connection.close()

    def half(handler):
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"active": true, ')

    def endless(handler):
        handler.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n' + b' ' * 200000)
    good = {'active': True, 'aud': 'mail', 'email': user}
    for i, answer in enumerate([(500, b'{"active": true}'), (302, b''), (200, b'<html>'), (200, b'{"active": "true"}'), (200, b''), slam, half,
                                endless, (200, json.dumps({**good, 'x': 'x' * 100000}).encode())] + [hang] * (protocol == 'imap')):
        token = f'{protocol}-away{i}'
        endpoint.answers[token] = answer
        line = log_in(server, protocol, token, user)
        assert line.startswith(AWAY[protocol]), (answer, line)
        endpoint.answers[token] = good
        assert log_in(server, protocol, token, user).startswith(GOOD[protocol])
    wait_for(lambda: 'ev=oauth.unreached role=ask.0' in server.log())
    if protocol == 'imap':
        wait_for(lambda: 'reason="it took too long"' in server.log())


def test_what_tls_must_show(folder, endpoint, tmp_path):
    """Another authority, another name, plain HTTP on the TLS port, nobody there, another secret; then the right one."""
    other = Endpoint(folder, name='other.example')
    clear = Endpoint(folder, tls=False)
    s = Server(extra=['outbound none', *lines(folder, endpoint.port)])
    s.start()
    try:
        s.add_domain()
        user = s.add_account('anna')
        for e in (other, endpoint, clear):
            e.answers['token'] = {'active': True, 'aud': 'mail', 'email': user}
        bare = '\n'.join(line for line in text_of(s.config).split('\n') if not line.startswith('oauth-'))

        def reload(new):
            with open(s.config, 'w', encoding='utf-8') as f:
                f.write(bare + '\n'.join(new) + '\n')
            s.ctl('reload')

        def becomes(what, reason):
            before = s.log().count(reason)
            wait_for(lambda: log_in(s, 'imap', 'token', user).startswith(what) and s.log().count(reason) > before)
        becomes(AWAY['imap'], 'its certificate is not to be trusted')
        reload(lines(folder, other.port, authority=other.cert))
        becomes(AWAY['imap'], 'its certificate is not to be trusted')
        reload(lines(folder, clear.port, authority=endpoint.cert))
        becomes(AWAY['imap'], 'no TLS')
        reload(lines(folder, free_port(), authority=endpoint.cert))
        becomes(AWAY['imap'], 'no connection')
        wrong = tmp_path / 'wrong'
        wrong.write_text('wrong', encoding='ascii')
        reload([lines(folder, 1)[0], f'oauth-introspection https://localhost:{endpoint.port}/oauth/introspect?realm=mail client {CLIENT} '
                f'secret {wrong} authority {endpoint.cert}'])
        becomes(AWAY['imap'], 'it does not take our name and secret')
        assert not any(e.asked for e in (other, clear))
        reload(lines(folder, clear.port, scheme='http'))
        wait_for(lambda: log_in(s, 'imap', 'token', user).startswith('x OK'))
        reload(lines(folder, endpoint.port, authority=endpoint.cert))
        endpoint.answers['last'] = {'active': True, 'aud': 'mail', 'email': user}  # nobody remembers an answer about it
        wait_for(lambda: log_in(s, 'imap', 'last', user).startswith('x OK') and endpoint.count('last') > 0)
        # Names that people chose are taken where the configuration says so, and what was kept without it is forgotten.
        for e in (clear, endpoint):
            e.answers['named'] = {'active': True, 'aud': 'mail', 'username': user}
        assert log_in(s, 'imap', 'named', user).startswith(BAD['imap'])
        reload(lines(folder, endpoint.port, authority=endpoint.cert, keys=' username'))
        wait_for(lambda: log_in(s, 'imap', 'named', user).startswith('x OK'))
        reload(lines(folder, endpoint.port, authority=endpoint.cert))
        wait_for(lambda: log_in(s, 'imap', 'named', user).startswith(BAD['imap']))
    finally:
        s.remove()
        other.stop()
        clear.stop()


def test_keys_beside_it(folder, endpoint, tmp_path):
    """What a key of the issuer's signed nobody is asked about; the rest is.  The asking role comes with its line."""
    issuer = Issuer()
    keys = tmp_path / 'jwks.json'
    keys.write_text(issuer.jwks(), encoding='ascii')
    s = Server(extra=['outbound none', f'oauth-issuer {ISSUER} audience mail keys {keys}'])
    s.start()
    try:
        s.add_domain()
        user = s.add_account('anna')
        signed, expired = issuer.token(user), issuer.token(user, exp=int(time.time()) - 1000)
        endpoint.answers['unsigned'] = {'active': True, 'aud': 'mail', 'email': user}
        assert 'ask.0' not in s.roles()
        assert log_in(s, 'imap', signed, user).startswith('x OK')
        assert log_in(s, 'imap', 'unsigned', user).startswith(BAD['imap'])
        bare = '\n'.join(line for line in text_of(s.config).split('\n') if not line.startswith('oauth-'))
        with open(s.config, 'w', encoding='utf-8') as f:
            f.write(bare + '\n'.join(lines(folder, endpoint.port, authority=endpoint.cert, keys=f' keys {keys}')) + '\n')
        s.ctl('reload')
        wait_for(lambda: log_in(s, 'imap', 'unsigned', user).startswith('x OK'))
        assert 'ask.0' in s.roles()
        assert log_in(s, 'imap', signed, user).startswith('x OK') and endpoint.count(signed) == 0
        assert log_in(s, 'imap', expired, user).startswith(BAD['imap']) and endpoint.count(expired) == 1
    finally:
        s.remove()
