"""A wrong configuration refuses to start: file, line, what was read, what was expected.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import PROGRAM  # noqa: E402

HEAD = 'host mail.example.org\ndomain example.org\n'
WRONG = [
    ('listen imapz *:993', 'imapz', 'one of smtp, submission'),
    ('listen imaps 993', '993', 'ADDRESS:PORT'),
    ('listen imaps *:0', '*:0', 'ADDRESS:PORT'),
    ('listen imaps', 'imaps', 'listen SERVICE ADDRESS:PORT'),
    ('lisen imaps *:993', 'lisen', 'a setting of godwit.conf(5)'),
    ('host other.example', 'host', 'this setting only once'),
    ('data mail', 'mail', 'a path that begins with /'),
    ('engine oracle', 'oracle', 'rocks'),
    ('tls cert /a', '/a', 'tls cert FILE key FILE'),
    ('tls key /a cert /b', 'key', 'tls cert FILE key FILE'),
    ('workers mx many', 'many', 'a number from 0 to 10'),
    ('workers mx 0', '0', 'a number from 1 to 10'),
    ('workers boss 1', 'boss', 'one of mx, user, cook, out'),
    ('resolver 8.8.8.8', '8.8.8.8', 'ADDRESS:PORT'),
    ('smarthost relay.example user me', 'me', 'user NAME password-file FILE'),
    ('smarthost -x', '-x', 'HOST or HOST:PORT'),
    ('route a.example', 'a.example', 'route DOMAIN HOST:PORT'),
    ('oauth-issuer https://id.example', 'https://id.example', 'oauth-issuer URL audience NAME, and perhaps keys FILE'),
    ('oauth-issuer http://id.example audience a keys /k', 'http://id.example', 'https://'),
    ('oauth-issuer https://id.example name a keys /k', 'name', 'oauth-issuer URL audience NAME, and perhaps keys FILE'),
    ('oauth-issuer https://id.example audience "a b" keys /k', 'a b', 'the audience'),
    ('oauth-issuer https://id.example audience a keys k', 'k', 'a path that begins with /'),
    ('oauth-introspection https://id.example/i', 'https://id.example/i', 'oauth-introspection URL client NAME secret FILE'),
    ('oauth-introspection http://id.example/i client a secret /s', 'http://id.example/i', 'http:// to a loopback address'),
    ('oauth-introspection https://127.0.0.1/i client a secret /s', 'https://127.0.0.1/i', 'https://HOST/PATH'),
    ('oauth-introspection ftp://localhost/i client a secret /s', 'ftp://localhost/i', 'https://HOST/PATH'),
    ('oauth-introspection https://id.example/i client a secret s', 's', 'a path that begins with /'),
    ('client-certificates', 'client-certificates', 'client-certificates FILE'),
    ('client-certificates clients.pem', 'clients.pem', 'a path that begins with /'),
    ('plaintext-login always', 'always', 'never or loopback'),
    ('outbound some', 'some', 'all or none'),
    ('message-size 50 MB', 'MB', 'message-size SIZE'),
    ('message-size 50MB', '50MB', 'a size such as 50M'),
    ('message-size 1K', '1K', 'a size from 64K to 1G'),
    ('cache lots', 'lots', 'a size such as 50M'),
    ('source ipv5 none', 'ipv5', 'ipv4 or ipv6'),
    ('log-level loud', 'loud', 'debug, info, warn or error'),
    ('log "a b', 'a b', 'a closing "'),
    ('log a"b', 'a"b', 'quotes around the whole word'),
]
MISSING = [
    ('domain example.org\nlisten smtp *:25', 'host mail.example.org'),
    ('host mail.example.org\nlisten smtp *:25', 'domain example.org'),
    (HEAD, 'listen smtp *:25'),
    (HEAD + 'listen imaps *:993', 'tls cert FILE key FILE'),
]


def serve(path):
    return subprocess.run([PROGRAM, 'serve', '-c', path], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize('line, was, expected', WRONG, ids=[line for line, _, _ in WRONG])
def test_wrong_line(tmp_path, line, was, expected):
    path = tmp_path / 'godwit.conf'
    path.write_text(f'# a comment\n{HEAD}\n{line}\nlisten smtp *:25\n', encoding='ascii')
    done = serve(path)
    assert done.returncode == 1
    assert done.stderr.startswith(f'godwit: {path}:5: read "{was}", expected '), done.stderr
    assert expected in done.stderr
    assert os.listdir(tmp_path) == ['godwit.conf']


@pytest.mark.parametrize('text, missing', MISSING)
def test_missing_line(tmp_path, text, missing):
    path = tmp_path / 'godwit.conf'
    path.write_text(text + '\n', encoding='ascii')
    done = serve(path)
    assert done.returncode == 1
    assert f'{path}: a line is missing, expected something like "{missing}"' in done.stderr


def test_no_file(tmp_path):
    done = serve(tmp_path / 'none')
    assert done.returncode == 1 and 'cannot be read; godwit setup writes it' in done.stderr
