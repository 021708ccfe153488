"""mailauth, a library of Node that many mail services judge by, and `godwit check dkim` and `arc` over the same corpora.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import itertools
import json
import os
import re
import subprocess
import sys

import dkim
import npm
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import zonefile  # noqa: E402
from godwit import PROGRAM, SOURCE  # noqa: E402

SUITES = os.environ.get('GODWIT_SUITES') or os.path.join(SOURCE, '..', 'shared', 'suites')
DKIM, ARC = os.path.join(SUITES, 'dkim'), os.path.join(SUITES, 'arc', 'arc-draft-validation-tests.yml')
LOST = 'ETIMEOUT'


def dkim_corpus():
    """({name: text of its record, or LOST}, {name of a message: its bytes})."""
    texts, messages = {}, {}
    with open(os.path.join(DKIM, 'FAKE_DNS.dat'), encoding='utf-8') as f:
        for line in f:
            name, _, text = line.rstrip('\n').partition(' ')
            if not name or name.startswith('#') or text.strip() == 'NXDOMAIN':
                continue
            texts[name.lower()] = LOST if text.strip().startswith('~~') else text.strip()
    for name in sorted(os.listdir(os.path.join(DKIM, 'corpus'))):
        with open(os.path.join(DKIM, 'corpus', name), 'rb') as f:
            messages[name] = f.read()
    return texts, messages


def arc_corpus():
    import yaml  # pylint: disable=import-outside-toplevel
    with open(ARC, encoding='utf-8') as f:
        parts = list(yaml.safe_load_all(f))
    texts, messages = {}, {}
    for part in parts:
        for name, text in (part.get('txt-records') or {}).items():
            texts[name.lower()] = text
        for name, case in part['tests'].items():
            messages[name] = case['message'].encode()
    return texts, messages


def judged(tmp_path, verb, texts, messages):
    """[(name, what Godwit says, what mailauth says)]."""
    zone = tmp_path / 'zone'
    zone.write_text(''.join(f'{zonefile.name(n)} TIMEOUT\n' if t == LOST else zonefile.line(n, 'TXT', t) for n, t in texts.items()),
                    encoding='ascii')
    files = []
    for name, raw in messages.items():
        files.append(str(tmp_path / name))
        with open(files[-1], 'wb') as f:
            f.write(re.sub(rb'\r?\n', b'\r\n', raw))
    questions = ''.join(json.dumps({'file': f}) + '\n' for f in files)
    ours = subprocess.run([PROGRAM + '-server', 'check', verb, '--batch', '-', '--dns-file', str(zone)], input=questions.encode(),
                          capture_output=True, timeout=120, check=False)
    assert ours.returncode == 0, ours.stderr
    theirs = subprocess.run(['node', 'verdicts.js'], cwd=npm.install(), capture_output=True, timeout=120, check=False,
                            input=json.dumps({'texts': texts, 'messages': files}).encode())
    assert theirs.returncode == 0, theirs.stderr
    found = list(zip(messages, map(json.loads, ours.stdout.splitlines()), json.loads(theirs.stdout)))
    assert len(found) == len(messages)
    return found


def passed(verb, ours, theirs):
    """What passes, by Godwit and by mailauth: signatures, or the chain."""
    if verb == 'arc':
        return ours['result'], theirs['arc'][0]
    return ([(s['domain'], s['selector']) for s in ours['signatures'] if s['result'] == 'pass'],
            [(d, s) for d, s, result, _ in theirs['dkim'] if result == 'pass'])


def differences(verb, found):
    """{message: reason of Godwit's} where the two do not agree."""
    said = {}
    for name, ours, theirs in found:
        here, there = passed(verb, ours, theirs)
        if here != there:
            reasons = [ours] if verb == 'arc' else ours['signatures']
            said[name] = reasons[0].get('reason', '')
            print(f'{name}: Godwit {here} {[r.get("reason") for r in reasons]}, mailauth {there} {theirs}')
    return said


pytestmark = pytest.mark.skipif(not os.path.exists(ARC) and not os.environ.get('GODWIT_SUITES'), reason='the suites are not here')

# RFC 8301, 3.1: rsa-sha1 must not verify.  RFC 6376, 3.5: without "v=1" it is no signature of DKIM; these are of drafts.
SHA1, NO_VERSION, VERSION = 'rsa-sha1 is not safe', 'no v= tag', 'another version'
DKIM_EXCEPTIONS = {'good_83176.txt': SHA1, 'multiple_2.txt': SHA1, **{f'mine_ietf01_{n}.txt': NO_VERSION for n in range(1, 5)},
                   'mine_ietf05_1.txt': VERSION, 'no_body_2.txt': VERSION, 'no_body_3.txt': VERSION}
# RFC 6376, 3.2, by which RFC 8617, 4.1 reads tags: a name begins with a letter and no tag is empty; twice the same makes the list
# invalid; names are told apart by case, so that "S=" is no s=.  The suite says "fail" to each of them, and mailauth "pass".
ARC_EXCEPTIONS = {'as_format_inv_tag_key': 'syntax error', 'as_format_tags_sc': 'syntax error', 'as_format_tags_dup': 'a tag stands twice',
                  'as_format_tags_key_case': 'no s= tag'}


def test_corpus_of_dkim(tmp_path):
    assert differences('dkim', judged(tmp_path, 'dkim', *dkim_corpus())) == DKIM_EXCEPTIONS


def test_corpus_of_dkim_signed_anew(tmp_path):
    """The same messages, many of them odd, with a signature of today in each form; and changed after that."""
    pem = subprocess.run(['openssl', 'genrsa', '-traditional', '2048'], capture_output=True, check=True).stdout
    der = subprocess.run(['openssl', 'rsa', '-pubout', '-outform', 'DER'], input=pem, capture_output=True, check=True).stdout
    texts = {'s._domainkey.far.example': 'v=DKIM1; k=rsa; p=' + base64.b64encode(der).decode()}
    messages = {}
    for name, raw in dkim_corpus()[1].items():
        raw = re.sub(rb'\r?\n', b'\r\n', raw)
        for form in itertools.product((b'simple', b'relaxed'), repeat=2):
            signed = dkim.sign(raw, b's', b'far.example', pem, canonicalize=form,
                               include_headers=[b'from', b'subject', b'to', b'content-type'])
            which = f'{name} {form[0].decode()} {form[1].decode()}'
            messages[which] = signed + raw
            messages[which + ' changed'] = signed + raw + b'more\r\n'
    found = judged(tmp_path, 'dkim', texts, messages)
    # RFC 6376, 3.4.3: no body is an empty one (RFC 5322, 3.5: the line before it goes with it); mailauth waits for that line.
    assert {name.split()[0] for name in differences('dkim', found)} == {'no_body_1.txt'}
    for name, ours, _ in found:
        if name.startswith('no_body_1.txt'):
            continue  # "more" belongs to its header, and is none of the fields that were signed
        assert (ours['signatures'][0]['result'] == 'pass') == (not name.endswith('changed')), (name, ours)


def test_corpus_of_arc(tmp_path):
    texts, messages = arc_corpus()
    found = judged(tmp_path, 'arc', texts, messages)
    assert differences('arc', found) == ARC_EXCEPTIONS
    good = {name: messages[name] for name, ours, _ in found if ours['result'] == 'pass'}
    assert len(good) > 50
    changed = {name: raw.replace(b'--J.', b'--K.') for name, raw in good.items() if b'--J.' in raw}
    found = judged(tmp_path, 'arc', texts, changed)
    assert len(found) > 40 and not differences('arc', found)
    assert {ours['result'] for _, ours, _ in found} == {'fail'}
