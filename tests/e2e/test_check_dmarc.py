"""godwit check dmarc: verdicts from facts and from messages, with a zone file for DNS and no server.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import subprocess

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from godwit import PROGRAM

ZONE = '''
_dmarc.bank.example TXT "v=DMARC1; p=reject; sp=quarantine; " "np=reject; rua=mailto:d@bank.example"
bank.example MX 10 mx.bank.example
mx.bank.example A 192.0.2.5
bank.example TXT "v=spf1 ip4:192.0.2.0/24 -all"
news.bank.example A 192.0.2.6
_dmarc.try.example TXT "v=DMARC1; p=reject; t=y"
_dmarc.two.example TXT "v=DMARC1; p=reject"
_dmarc.two.example TXT "v=DMARC1; p=none"
_dmarc.dept.school.example TXT "v=DMARC1; p=reject; psd=n"
_dmarc.xn--bcher-kva.example TXT "v=DMARC1; p=reject; adkim=s"
_dmarc.down.example TIMEOUT
'''


def check(*words, stdin=None):
    return subprocess.run([PROGRAM, 'check', 'dmarc', *words], input=stdin, capture_output=True, env={}, timeout=120, check=False)


@pytest.fixture(scope='module')
def zone(tmp_path_factory):
    path = tmp_path_factory.mktemp('dmarc') / 'zone'
    path.write_text(ZONE, encoding='ascii')
    return str(path)


# question, then result, reason, what is to be done
ROWS = [
    ({'from-domain': 'bank.example', 'dkim': 'pass:bank.example'}, 'pass', 'aligned', 'none'),
    ({'from-domain': 'bank.example', 'spf': 'pass:news.bank.example'}, 'pass', 'aligned', 'none'),
    ({'from-domain': 'bank.example', 'dkim': 'fail:bank.example,pass:evil.example'}, 'fail', 'not-aligned', 'reject'),
    ({'from-domain': 'news.bank.example'}, 'fail', 'not-aligned', 'quarantine'),
    ({'from-domain': 'gone.bank.example'}, 'fail', 'not-aligned', 'reject'),
    ({'from-domain': 'bank.example', 'dkim': 'temperror:bank.example'}, 'temperror', 'auth-unknown', 'none'),
    ({'from-domain': 'try.example'}, 'fail', 'not-aligned', 'quarantine'),
    ({'from-domain': 'two.example'}, 'none', 'no-record', 'none'),
    ({'from-domain': 'nobody.example'}, 'none', 'no-record', 'none'),
    ({'from-domain': 'down.example'}, 'temperror', 'record-fail', 'none'),
    ({'from-domain': 'dept.school.example', 'dkim': 'pass:school.example'}, 'fail', 'not-aligned', 'reject'),
    ({'from-domain': 'BÜCHER.example', 'dkim': 'pass:bücher.example'}, 'pass', 'aligned', 'none'),
    ({'from-domain': 'nobody.example,bank.example', 'spf': 'pass:nobody.example'}, 'fail', 'not-aligned', 'reject'),
    ({'from-domain': 'a.example,b.example,c.example,d.example,e.example'}, 'permerror', 'many-authors', 'reject'),
    ({'from-domain': 'bank.example', 'ip': '192.0.2.77', 'mail-from': 'x@bank.example'}, 'pass', 'aligned', 'none'),
    ({'from-domain': 'bank.example', 'ip': '203.0.113.1', 'mail-from': 'x@bank.example'}, 'fail', 'not-aligned', 'reject'),
    ({'from-domain': 'bank.example', 'ip': '192.0.2.77', 'helo': 'bank.example'}, 'pass', 'aligned', 'none'),
]


def test_verdicts(zone):
    lines = ''.join(json.dumps(question) + '\n' for question, *_ in ROWS)
    done = check('--batch', '-', '--dns-file', zone, stdin=lines.encode())
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and len(answers) == len(ROWS)
    got = [(q, a['result'], a['reason'], a['disposition']) for (q, *_), a in zip(ROWS, answers)]
    assert got == ROWS
    assert answers[3]['policy_tag'] == 'sp' and answers[4]['policy_tag'] == 'np'
    assert answers[0]['asked'] == ['_dmarc.bank.example', '_dmarc.example']
    assert (answers[14]['spf'], answers[14]['spf_aligned']) == ('pass', True)


@pytest.mark.parametrize('words,status', [
    (('--from-domain', 'bank.example', '--spf', 'pass:bank.example'), 0),
    (('--from-domain', 'bank.example'), 1),
    (('--from-domain', 'nobody.example'), 3),
    (('--from-domain', 'down.example'), 4),
    (('--spf', 'pass:bank.example'), 2),
    (('--from-domain', 'bank.example', '--spf', 'yes:bank.example'), 2),
    (('--from-domain', 'bank.example', '--dkim', 'pass'), 2),
    (('--from-domain', 'bank.example', '--ip', 'nowhere'), 2),
])
def test_exit_status(zone, words, status):
    assert check(*words, '--dns-file', zone).returncode == status


def test_a_message(zone):
    message = b'From: "a@nobody.example" <a@Bank.Example>\r\nTo: b@c.example\r\n\r\nFrom: c@try.example\r\n'
    done = check('-', '--dkim', 'fail:bank.example', '--dns-file', zone, stdin=message)
    assert done.returncode == 1
    words = dict(line.split(None, 1) for line in done.stdout.decode().splitlines() if not line.startswith(('record of', 'from tag', 'to be')))
    assert words['result'] == 'fail' and words['author'] == 'bank.example' and words['policy'] == 'reject'
    assert b'to be done   reject\n' in done.stdout


def test_signatures_are_verified(zone, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
    signed_zone = tmp_path / 'zone'
    with open(zone, encoding='ascii') as text:
        signed_zone.write_text(f'{text.read()}s._domainkey.news.bank.example TXT "v=DKIM1; p={public[:200]}" "{public[200:]}"\n', encoding='ascii')
    message = b'From: a@bank.example\r\nSubject: x\r\n\r\nhello\r\n'
    signed = dkim.sign(message, b's', b'news.bank.example', pem) + message

    def judged(data):
        done = check('-', '--json', '--dns-file', str(signed_zone), stdin=data)
        answer = json.loads(done.stdout)
        return done.returncode, answer['result'], answer['disposition'], answer['dkim']

    assert judged(signed) == (0, 'pass', 'none', [{'result': 'pass', 'domain': 'news.bank.example'}])
    assert judged(signed.replace(b'\r\n', b'\n'))[:2] == (0, 'pass')
    assert judged(signed.replace(b'hello', b'hullo')) == (1, 'fail', 'reject', [{'result': 'fail', 'domain': 'news.bank.example'}])
    assert judged(message) == (1, 'fail', 'reject', [])


def test_more_keys_than_signatures(zone, tmp_path):
    """Eight signatures and a chain of ARC name more keys than there are signatures."""
    field = 'v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=s%d; h=from; bh={HASH}; b=YWJj\r\n'
    chain = ('ARC-Seal: i=%d; a=rsa-sha256; d=seal%d.example; s=k; cv=%s; b=YWJj\r\n'
             'ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed; d=hop%d.example; s=k; h=from; bh={HASH}; b=YWJj\r\n'
             'ARC-Authentication-Results: i=%d; x.example; none\r\n')
    mail = (''.join(chain % (n, n, 'pass' if n > 1 else 'none', n, n, n) for n in range(6, 0, -1)) +
            ''.join('DKIM-Signature: ' + field % i for i in range(8)) + 'From: a@bank.example\r\n\r\nx\r\n')
    (tmp_path / 'mail').write_text(mail.replace('{HASH}', 'A' * 43 + '='), encoding='ascii')
    done = check('--dns-file', zone, '--json', str(tmp_path / 'mail'))
    answer = json.loads(done.stdout)
    assert done.stderr == b'' and answer['result'] == 'fail' and [d['domain'] for d in answer['dkim']] == ['bank.example'] * 8
