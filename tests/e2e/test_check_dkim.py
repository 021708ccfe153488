"""godwit check dkim and arc: what python3-dkim signs and seals is verified, and changed it is not; the same the other way.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import subprocess
import sys

import dkim
import nacl.signing
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import zonefile  # noqa: E402
from godwit import PROGRAM  # noqa: E402

MESSAGE = (b'Received: from a by b; Mon, 30 Nov 2026 10:00:00 +0000\r\n'
           b'From: Ann <ann@far.example>\r\nTo: Bob <bob@ours.example>\r\nSubject: a  b\r\n\tc\r\n'
           b'Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@far.example>\r\n\r\n'
           b'Hello  \tworld \r\n\r\nand so on.\r\n\r\n\r\n')
FORMS = [(a, b) for a in (b'simple', b'relaxed') for b in (b'simple', b'relaxed')]


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    """PEM of an RSA key, base64 of an Ed25519 one, records of both, and a zone file with them."""
    folder = tmp_path_factory.mktemp('dkim')
    pem = subprocess.run(['openssl', 'genrsa', '-traditional', '2048'], capture_output=True, check=True).stdout
    der = subprocess.run(['openssl', 'rsa', '-pubout', '-outform', 'DER'], input=pem, capture_output=True, check=True).stdout
    ed = nacl.signing.SigningKey.generate()
    records = {'r._domainkey.far.example': 'v=DKIM1; k=rsa; p=' + base64.b64encode(der).decode(),
               'e._domainkey.far.example': 'v=DKIM1; k=ed25519; p=' + base64.b64encode(bytes(ed.verify_key)).decode()}
    zone = folder / 'zone'
    zone.write_text(''.join(zonefile.line(k, 'TXT', v) for k, v in records.items()) +
                    'down._domainkey.far.example TIMEOUT\n', encoding='ascii')
    return {'r': pem, 'e': base64.b64encode(bytes(ed)), 'records': records, 'zone': str(zone)}


def check(verb, keys, message, *more):
    done = subprocess.run([PROGRAM, 'check', verb, '-', '--dns-file', keys['zone'], '--json', *more], input=message,
                          capture_output=True, env={}, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout)


def dns(keys):
    return lambda name, timeout=5: keys['records'].get(name.decode().rstrip('.'), '').encode()


def sign(keys, message, selector, form=(b'relaxed', b'relaxed'), **more):
    return dkim.sign(message, selector.encode(), b'far.example', keys[selector], canonicalize=form,
                     signature_algorithm=b'rsa-sha256' if selector == 'r' else b'ed25519-sha256', **more) + message


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('selector', ['r', 'e'])
def test_what_dkimpy_signs(keys, selector, form):
    signed = sign(keys, MESSAGE, selector, form)
    status, answer = check('dkim', keys, signed)
    one, = answer['signatures']
    assert (status, one['result'], one['domain'], one['selector']) == (0, 'pass', 'far.example', selector)
    assert one['key_bits'] == (2048 if selector == 'r' else 256)
    for old, new in ((b'Hello', b'Hallo'), (b'Ann', b'Eve'), (b'<1@', b'<2@')):
        status, answer = check('dkim', keys, signed.replace(old, new))
        assert (status, answer['signatures'][0]['result']) == (1, 'fail'), old


def test_two_signatures_a_part_of_the_body_and_no_key(keys):
    signed = sign(keys, sign(keys, MESSAGE, 'r'), 'e')
    assert [s['result'] for s in check('dkim', keys, signed)[1]['signatures']] == ['pass', 'pass']
    part = sign(keys, MESSAGE, 'r', length=True) + b'appended\r\n'
    status, answer = check('dkim', keys, part)
    assert (status, answer['signatures'][0]['result']) == (1, 'policy')
    assert check('dkim', keys, signed.replace(b's=e;', b's=x;').replace(b's=r;', b's=x;'))[0] == 1
    assert check('dkim', keys, signed.replace(b's=e;', b's=down;').replace(b's=r;', b's=down;'))[0] == 4
    assert check('dkim', keys, MESSAGE) == (3, {'signatures': [], 'not_looked_at': 0})
    assert check('dkim', keys, signed.replace(b'\r\n', b'\n'))[0] == 0


def test_what_dkimpy_seals(keys):
    trusted = b'Authentication-Results: ours.example; spf=pass smtp.mfrom=far.example; arc=%s\r\n'
    message = trusted % b'none' + MESSAGE
    for n in (1, 2, 3):
        fields = dkim.arc_sign(message, b'r', b'far.example', keys['r'], b'ours.example')
        message = trusted % b'pass' + b''.join(fields) + message[message.index(b'\r\n') + 2:]
        assert dkim.arc_verify(message, dnsfunc=dns(keys))[0] == b'pass'
        status, answer = check('arc', keys, message)
        assert (status, answer['result'], answer['oldest_pass'], len(answer['sets'])) == (0, 'pass', 0, n), answer
    assert [s['sealer'] for s in answer['sets']] == ['far.example'] * 3
    assert answer['sets'][0]['results'].startswith('ours.example;')
    status, answer = check('arc', keys, message.replace(b'Hello', b'Hallo'))
    assert (status, answer['result'], answer['failed_at']) == (1, 'fail', 3)
    assert check('arc', keys, MESSAGE) == (3, {'result': 'none', 'sets': []})


def test_words_for_people(keys):
    done = subprocess.run([PROGRAM, 'check', 'dkim', '-', '--dns-file', keys['zone']], input=sign(keys, MESSAGE, 'e'),
                          capture_output=True, env={}, timeout=60, check=False)
    words = dict(line.split(None, 1) for line in done.stdout.decode().splitlines())
    assert words['result'] == 'pass' and words['algorithm'] == 'ed25519-sha256' and words['identity'] == '@far.example'
