"""scram.py - a client of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, written from RFC 5802, RFC 7677 and RFC 9266 alone, and
sessions of IMAP, POP3 and submission over a TLS that tells its exporter.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import os
import socket

from OpenSSL import SSL

LABEL = b'EXPORTER-Channel-Binding'


def hmac256(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class Scram:
    """One exchange.  binding: what "p=tls-exporter" binds to, or None; flag: the gs2 flag instead of what fits."""

    def __init__(self, name, password, binding=None, flag=None):
        self.password = password.encode() if isinstance(password, str) else password
        self.binding = binding or b''
        self.gs2 = (flag or ('p=tls-exporter' if binding is not None else 'n')) + ',,'
        name = name.replace('=', '=3D').replace(',', '=2C')
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f'n={name},r={self.nonce}'
        self.salt = None
        self.signature = None

    def first(self):
        return (self.gs2 + self.bare).encode()

    def final(self, server_first):
        fields = dict(f.split('=', 1) for f in server_first.decode().split(','))
        assert fields['r'].startswith(self.nonce) and len(fields['r']) > len(self.nonce) + 16
        self.salt = base64.b64decode(fields['s'])
        salted = hashlib.pbkdf2_hmac('sha256', self.password, self.salt, int(fields['i']))
        bound = base64.b64encode(self.gs2.encode() + self.binding).decode()
        unproved = f'c={bound},r={fields["r"]}'
        message = ','.join((self.bare, server_first.decode(), unproved)).encode()
        key = hmac256(salted, b'Client Key')
        sign = hmac256(hashlib.sha256(key).digest(), message)
        self.signature = hmac256(hmac256(salted, b'Server Key'), message)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, sign))).decode()
        return f'{unproved},p={proof}'.encode()

    def is_server(self, server_final):
        return server_final == b'v=' + base64.b64encode(self.signature)


class Talk:
    """A session inside TLS, up to and including the log-in.  service: imaps, pop3s, submissions."""

    def __init__(self, server, service, tls=SSL.TLS1_3_VERSION):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(tls)
        context.set_max_proto_version(tls)
        self.service = service
        self.socket = socket.create_connection(('127.0.0.1', server.ports[service]), timeout=60)
        self.socket.settimeout(None)
        self.tls = SSL.Connection(context, self.socket)
        self.tls.set_connect_state()
        self.tls.do_handshake()
        self.input = b''
        self.line()
        if service == 'submissions':
            self.say(b'EHLO c.example')
            self.offer = self.until(lambda line: line[3:4] == b' ')
        else:
            self.say(b'a CAPABILITY' if service == 'imaps' else b'CAPA')
            self.offer = self.until(lambda line: line == b'.' or line.startswith(b'a '))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def line(self):
        while b'\r\n' not in self.input:
            self.input += self.tls.recv(65536)
        line, self.input = self.input.split(b'\r\n', 1)
        return line

    def until(self, is_last):
        lines = [self.line()]
        while not is_last(lines[-1]):
            lines.append(self.line())
        return b'\n'.join(lines)

    def say(self, line):
        self.tls.sendall(line + b'\r\n')

    def exporter(self):
        return self.tls.export_keying_material(LABEL, 32, b'')

    def _answer(self):
        """The challenge decoded, or the last word as it came."""
        line = self.line()
        while line.startswith(b'* '):
            line = self.line()
        for word in (b'+ ', b'334 '):
            if line.startswith(word):
                return base64.b64decode(line[len(word):], validate=True), None
        return None, line

    def log_in(self, scram, mechanism, initial=True, cancel=False):
        """The server's last word: b'ok' for any that is good."""
        word = b'a AUTHENTICATE ' if self.service == 'imaps' else b'AUTH '
        first = base64.b64encode(scram.first())
        self.say(word + mechanism.encode() + (b' ' + first if initial else b''))
        if not initial:
            assert self._answer() == (b'', None)
            self.say(first)
        challenge, last = self._answer()
        if last:
            return last
        self.say(base64.b64encode(scram.final(challenge)))
        challenge, last = self._answer()
        if last:
            return last
        assert scram.is_server(challenge), challenge
        self.say(b'*' if cancel else b'')
        _, last = self._answer()
        good = {'imaps': b'a OK', 'pop3s': b'+OK', 'submissions': b'235 '}[self.service]
        return b'ok' if last.startswith(good) else last
