"""godwit check spf and mime: what the judges say, in words and JSON, one by one and many at once, with no server at all.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import zonefile  # noqa: E402
from godwit import PROGRAM, SOURCE  # noqa: E402

SUITES = os.environ.get('GODWIT_SUITES') or os.path.join(SOURCE, '..', 'shared', 'suites')

ZONE = '''
good.example TXT "v=spf1 ip4:192.0.2.0/24 include:more.example -all exp=why.example"
more.example TXT "v=spf1 a:host.example ~all"
host.example A 198.51.100.7
why.example TXT "%{i} may not, says %{r}"
bad.example TXT "v=spf1 a:192.0.2.1"
down.example TIMEOUT
odd.example TXT "v=spf1 x\\027]0;y\\195 -all"
'''

MESSAGE = b'''From: a@b.example\r
Content-Type: multipart/mixed; boundary=x\r
\r
--x\r
Content-Type: text/plain; charset=utf-8\r
\r
hello\r
--x\r
Content-Type: application/pdf; name="old.pdf"\r
Content-Transfer-Encoding: base64\r
Content-Disposition: attachment; filename*=utf-8''gr%C3%BCn%1B.pdf\r
\r
aGVsbG8=\r
--x\r
Content-Type: message/rfc822\r
\r
Subject: inner\r
\r
text\r
--x--\r
'''


def check(*words, stdin=None):
    """No server, no configuration, no environment."""
    return subprocess.run([PROGRAM, 'check', *words], input=stdin, capture_output=True, env={}, timeout=120, check=False)


@pytest.fixture(scope='module')
def zone(tmp_path_factory):
    path = tmp_path_factory.mktemp('check') / 'zone'
    path.write_text(ZONE, encoding='ascii')
    return str(path)


def spf(zone, ip, sender, *more):
    done = check('spf', '--ip', ip, '--from', sender, '--dns-file', zone, '--json', *more)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize('ip,sender,status,result', [
    ('192.0.2.1', 'joe@good.example', 0, 'pass'),
    ('203.0.113.1', 'joe@good.example', 1, 'fail'),
    ('203.0.113.1', 'joe@more.example', 1, 'softfail'),
    ('192.0.2.1', 'joe@bad.example', 1, 'permerror'),
    ('192.0.2.1', 'joe@none.example', 3, 'none'),
    ('192.0.2.1', 'joe@down.example', 4, 'temperror'),
])
def test_results_and_exit_status(zone, ip, sender, status, result):
    code, answer = spf(zone, ip, sender)
    assert (code, answer['result']) == (status, result)
    assert ('problem' in answer) == (result in ('none', 'permerror', 'temperror'))


def test_who_decided(zone):
    _, answer = spf(zone, '198.51.100.7', 'joe@good.example')
    assert answer == {'result': 'pass', 'identity': 'mailfrom', 'domain': 'good.example', 'mechanism': 'a:host.example',
                      'decided_by': 'more.example', 'lookups': 2, 'dnssec': False}
    _, answer = spf(zone, '2001:db8::1', 'joe@good.example', '--host', 'mx.here.example')
    assert answer['explanation'] == '2.0.0.1.0.D.B.8' + '.0' * 23 + '.1 may not, says mx.here.example'


def test_identity_of_helo(zone):
    done = check('spf', '--ip', '192.0.2.1', '--helo', 'good.example', '--dns-file', zone)
    words = dict(line.split(None, 1) for line in done.stdout.decode().splitlines())
    assert done.returncode == 0
    assert words['result'] == 'pass' and words['identity'] == 'helo' and words['look-ups'] == '0 of 10'
    assert words['decided'] == 'by   good.example'


def test_no_control_characters_reach_the_terminal(zone):
    done = check('spf', '--ip', '192.0.2.1', '--from', 'joe@odd.example', '--dns-file', zone)
    assert done.returncode == 1 and b'\x1b' not in done.stdout and b'is no term of SPF' in done.stdout
    done.stdout.decode('utf-8')


def test_batch(zone, tmp_path):
    questions = [{'ip': '192.0.2.1', 'from': 'joe@good.example'}, {'ip': '203.0.113.9', 'helo': 'more.example', 'from': ''}]
    path = tmp_path / 'questions'
    path.write_text('\n'.join(json.dumps(q) for q in questions) + '\n\n', encoding='ascii')
    done = check('spf', '--batch', str(path), '--dns-file', zone)
    assert done.returncode == 0
    assert [json.loads(line)['result'] for line in done.stdout.splitlines()] == ['pass', 'softfail']
    done = check('spf', '--batch', '-', '--dns-file', zone, stdin=b'{"ip": "192.0.2.1", "from": "joe@good.example"}\n'
                 b'[]\n{"ip": "x", "from": "joe@good.example"}\n{"ip": "192.0.2.1"}\n{"ip":')
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2 and answers[0]['result'] == 'pass'
    assert [list(a) for a in answers[1:]] == [['error']] * 4


@pytest.mark.parametrize('words', [
    ['spf'],
    ['spf', '--ip', '192.0.2.0/24', '--from', 'joe@good.example'],
    ['spf', '--ip', '192.0.2.1'],
    ['spf', '--ip', '192.0.2.1', '--from', 'a@b.example', '--from', 'a@b.example'],
    ['spf', '--ip', '192.0.2.1', '--from', 'a@b.example', 'word'],
    ['spf', '--ip', '192.0.2.1', '--from', 'a@b.example', '--dns-file', '/nowhere'],
    ['spf', '--ip', '192.0.2.1', '--from', 'a@b.example', '--batch', '-'],
    ['mime'],
    ['mime', '/nowhere'],
    ['spam', '/nowhere'],
    ['mime', '--from', 'x'],
])
def test_wrong_usage(zone, words):
    if words[0] == 'spf' and '--dns-file' not in words:
        words = words + ['--dns-file', zone]
    done = check(*words)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_a_wrong_zone_file_names_its_line(tmp_path):
    path = tmp_path / 'zone'
    path.write_text('a.example A 192.0.2.1\n\nb.example A x\n', encoding='ascii')
    done = check('spf', '--ip', '192.0.2.1', '--from', 'a@a.example', '--dns-file', str(path))
    assert done.returncode == 2 and b'line 3: ' in done.stderr


def test_help():
    done = check('spf', '--help')
    assert done.returncode == 0 and b'--dns-file' in done.stdout and b'Exit status' in done.stdout
    done = check('--help')
    assert done.returncode == 0 and b'godwit check mime' in done.stdout


def test_mime(tmp_path):
    path = tmp_path / 'message'
    path.write_bytes(MESSAGE)
    answer = json.loads(check('mime', str(path), '--json').stdout)
    assert answer['size'] == len(MESSAGE) and not answer['cut']
    assert [(p['number'], p['type'], p['kind'], p['attachment']) for p in answer['parts']] == [
        ('', 'multipart/mixed', 'multipart', False), ('1', 'text/plain', 'leaf', False),
        ('2', 'application/pdf', 'leaf', True), ('3', 'message/rfc822', 'message', False),
        ('3.1', 'text/plain', 'leaf', False)]
    text, pdf = answer['parts'][1], answer['parts'][2]
    assert text['charset'] == 'utf-8' and MESSAGE[text['body_at']:text['end']] == b'hello'
    assert pdf['encoding'] == 'base64' and pdf['disposition'] == 'attachment' and pdf['filename'].startswith('grün')
    done = check('mime', '-', stdin=MESSAGE)
    assert done.returncode == 0 and b'\x1b' not in done.stdout
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == ['multipart/mixed', '1', '2', '3', '3.1']


# ---- the public suite of SPF ----

def scenarios():
    """Those of the suite for RFC 7208; none where it is not."""
    path = os.path.join(SUITES, 'spf', 'rfc7208-tests.yml')
    if not os.path.exists(path) and not os.environ.get('GODWIT_SUITES'):
        return []
    import yaml  # pylint: disable=import-outside-toplevel
    with open(path, encoding='utf-8') as f:
        return list(yaml.safe_load_all(f))


def suite_zone(data):
    """A record of type SPF stands for one of TXT too, unless there is one, or "TXT: NONE"; TIMEOUT is for the rest."""
    lines = []
    for owner, records in data.items():
        dicts = [r for r in records if isinstance(r, dict)]
        has_txt = any('TXT' in r for r in dicts)
        for record in dicts:
            for kind, value in record.items():
                if value == 'NONE':
                    continue
                lines.append(zonefile.line(owner, kind, value))
                if kind == 'SPF' and not has_txt:
                    lines.append(zonefile.line(owner, 'TXT', value))
        if 'TIMEOUT' in records:
            lines.append(f'{zonefile.name(owner)} TIMEOUT\n')
    return ''.join(lines)


SCENARIOS = scenarios()


@pytest.mark.skipif(not SCENARIOS, reason='the suites are not here')
@pytest.mark.parametrize('scenario', SCENARIOS, ids=[s['description'].replace(' ', '-') for s in SCENARIOS])
def test_suite_of_rfc_7208(tmp_path, scenario):
    zone = tmp_path / 'zone'
    zone.write_text(suite_zone(scenario['zonedata']), encoding='ascii')
    cases = scenario['tests']
    questions = ''.join(json.dumps({'ip': c['host'], 'helo': c['helo'], 'from': c['mailfrom'], 'host': 'mx.here.example'}) + '\n'
                        for c in cases.values())
    done = check('spf', '--batch', '-', '--dns-file', str(zone), stdin=questions.encode())
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(cases)
    wrong = []
    for (name, case), got in zip(cases.items(), answers):
        results = case['result'] if isinstance(case['result'], list) else [case['result']]
        explanation = None if case.get('explanation') == 'DEFAULT' else case.get('explanation')
        if got['result'] not in results or 'explanation' in case and got.get('explanation') != explanation:
            wrong.append((name, case, got))
    assert not wrong


ADVERT = b'''From: "Rich Offers" <win77777@offers.example>\r
Subject: MAKE MONEY FAST!!!     x81\r
X-Priority: 1\r
Content-Type: text/html\r
\r
<html><font color=#ff0000>Click here to order now! 100% free, money back guarantee.</font>\r
<a href=http://10.1.2.3/remove>click below to be removed from our mailing list \x1b]0;x</a>\r
'''


def test_spam(tmp_path):
    path = tmp_path / 'message'
    path.write_bytes(ADVERT)
    done = check('spam', str(path), '--json')
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer['result'] == 'junk' and answer['score'] > answer['threshold'] == 5.0
    words = {w['word']: w['weight'] for w in answer['words']}
    assert len(words) == 20 and any(' ' in w and ':' not in w for w in words)
    weights = [abs(w['weight']) for w in answer['words']]
    assert weights == sorted(weights, reverse=True)
    done = check('spam', '-', stdin=ADVERT)
    assert done.returncode == 1 and done.stdout.startswith(b'junk: the score is ') and b'\x1b' not in done.stdout
    done = check('spam', '-', stdin=b'From: a@b.example\r\nSubject: Re: the patch\r\nIn-Reply-To: <1@b>\r\n\r\n'
                 b'On Thu, Bert wrote:\r\n> the kernel has a bug\r\nI think so, look at the code.\r\n')
    assert done.returncode == 0 and done.stdout.startswith(b'wanted: ')
