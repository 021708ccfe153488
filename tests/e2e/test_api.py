"""The JSON API: every resource by curl and Python, its errors, who may ask, and HTTP itself; the figures for Prometheus.

SPDX-License-Identifier: Apache-2.0
"""
import http.client
import json
import os
import re
import smtplib
import socket
import subprocess
from urllib.parse import quote

import pytest
from godwit import Server, free_port, wait_for
from sink import Sink

TOKEN = 'a token of more than sixteen bytes'
HASH = '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$pclxcsa4X0bZ5lu7Vy5h3p7EU7VbuW7pGRWETxHuU0c'  # of "secret"


@pytest.fixture(scope='module')
def world():
    sink = Sink(free_port())
    ports = {s: free_port() for s in ('api', 'metrics')}
    s = Server(extra=[f'route never.example 127.0.0.1:{sink.server.server_address[1]} name other',
                      f'route * 127.0.0.1:{sink.server.server_address[1]}', 'relay-from 192.0.2.77'])
    s.ports.update(ports)
    with open(os.path.join(s.dir, 'token'), 'w', encoding='ascii') as f:
        f.write(TOKEN + '\n')
    os.chmod(f.name, 0o600)
    with open(s.config, 'a', encoding='ascii') as f:
        f.write(f'listen api 127.0.0.1:{ports["api"]} token-file {s.dir}/token\nlisten metrics 127.0.0.1:{ports["metrics"]}\n')
    try:
        s.start()
        s.add_domain()
        sink.answers.update(later='450 4.2.0 later')
        yield s
    finally:
        s.remove()
        sink.close()


class Local(http.client.HTTPConnection):
    """HTTP by the Unix socket of a server."""

    def __init__(self, server):
        super().__init__('localhost', timeout=60)
        self.path = f'{server.dir}/run/api.sock'

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def ask(server, method, path, body=None, kind='application/json', c=None):
    """(status, parsed answer) of one request."""
    c = c or Local(server)
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    c.request(method, path, body, {'Content-Type': kind} if body is not None else {})
    r = c.getresponse()
    text = r.read()
    if r.getheader('Content-Type') == 'application/x-ndjson':
        return r.status, [json.loads(line) for line in text.splitlines()]
    answer = json.loads(text) if text else None
    if r.status >= 400:
        assert r.getheader('Content-Type') == 'application/problem+json'
        assert answer['status'] == r.status and answer['title'] == r.reason and answer['detail'] and answer['code']
    return r.status, answer


def good(server, method, path, body=None, status=200, **more):
    got, answer = ask(server, method, path, body, **more)
    assert got == status, answer
    return answer


def refused(server, method, path, body=None, **more):
    status, answer = ask(server, method, path, body, **more)
    assert status >= 400, answer
    return status, answer['code']


def raw(server, text, port=None):
    """Everything that comes back for these bytes, until the end."""
    s = socket.socket(socket.AF_UNIX) if port is None else socket.create_connection(('127.0.0.1', port))
    with s:
        if port is None:
            s.connect(f'{server.dir}/run/api.sock')
        s.settimeout(60)
        s.sendall(text)
        got = b''
        try:
            while piece := s.recv(65536):
                got += piece
        except ConnectionResetError:  # it ended before it had read all
            pass
        return got


# ---- accounts ----

def test_an_account_from_birth_to_end(world):
    a = '/v1/accounts/anna%40example.com'
    assert good(world, 'POST', '/v1/accounts', {'address': 'anna@example.com', 'password': 'secret', 'quota_bytes': 5000000},
                201) == {'address': 'anna@example.com'}
    assert refused(world, 'POST', '/v1/accounts', {'address': 'anna@example.com'}) == (409, 'exists')
    shown = good(world, 'GET', a)
    assert shown['quota_bytes'] == 5000000 and not shown['disabled'] and shown['messages'] == 0
    assert shown == json.loads(world.ctl('account', 'show', '--json', 'anna@example.com').stdout)[0]
    assert good(world, 'PATCH', a, {'quota_bytes': 0, 'disabled': True})['disabled']
    assert good(world, 'PATCH', a, {'disabled': False})['quota_bytes'] == 0
    assert good(world, 'POST', a + '/suspend') == {'result': 'ok'}
    assert good(world, 'GET', a)['suspended']
    good(world, 'POST', a + '/resume')
    good(world, 'PUT', a + '/forward', {'targets': ['x@far.example'], 'keep': False})
    assert good(world, 'GET', a)['forward'] == ['x@far.example'] and not good(world, 'GET', a)['keep']
    good(world, 'DELETE', a + '/forward')
    good(world, 'POST', a + '/send-as', {'addresses': ['sales@example.com', '@example.com']})
    good(world, 'DELETE', a + '/send-as?address=sales@example.com')
    assert good(world, 'GET', a)['send_as'] == ['@example.com']
    good(world, 'DELETE', a + '/send-as')
    assert 'ends' in good(world, 'DELETE', a)
    assert refused(world, 'GET', a) == (404, 'not-found')
    assert [d['address'] for d in good(world, 'GET', '/v1/accounts?deleted=true')['accounts']] == ['anna@example.com']
    assert good(world, 'POST', a + '/undelete', {'as': 'ann@example.com'})['address'] == 'ann@example.com'
    assert 'ends' not in good(world, 'DELETE', '/v1/accounts/ann@example.com?now=true')
    assert good(world, 'GET', '/v1/accounts?deleted=true') == {'accounts': []}


def can_log_in(world, address, password):
    with smtplib.SMTP('127.0.0.1', world.ports['submission']) as s:
        try:
            s.login(address, password)
        except smtplib.SMTPAuthenticationError:
            return False
    return True


def test_passwords(world):
    made = good(world, 'POST', '/v1/accounts', {'address': 'pia@example.com', 'generate': True}, 201)
    assert can_log_in(world, 'pia@example.com', made['password'])
    p = '/v1/accounts/pia@example.com/password'
    assert good(world, 'PUT', p, {'password': 'other one'}) == {'result': 'ok'}
    assert can_log_in(world, 'pia@example.com', 'other one')
    made = good(world, 'PUT', p, {'generate': True})
    assert can_log_in(world, 'pia@example.com', made['password'])
    assert good(world, 'PUT', p, {'password_hash': HASH}) == {'result': 'ok'}
    assert can_log_in(world, 'pia@example.com', 'secret')
    assert refused(world, 'PUT', p, {}) == (422, 'syntax')
    assert refused(world, 'PUT', p, {'password': 'a', 'password_hash': HASH}) == (422, 'syntax')
    good(world, 'POST', '/v1/accounts', {'address': 'hash@example.com', 'password_hash': HASH}, 201)
    assert can_log_in(world, 'hash@example.com', 'secret') and not can_log_in(world, 'hash@example.com', 'Secret')
    status, answer = ask(world, 'POST', '/v1/accounts', {'address': 'h2@example.com', 'password_hash': '$9$x$y'})
    assert status == 422 and 'this kind of hash is not known' in answer['detail']
    good(world, 'POST', '/v1/accounts', {'address': 'none@example.com'}, 201)
    assert not can_log_in(world, 'none@example.com', 'secret')
    assert 'secret' not in world.log() and 'other one' not in world.log()


def test_app_passwords(world):
    good(world, 'POST', '/v1/accounts', {'address': 'app@example.com', 'password': 'secret'}, 201)
    p = '/v1/accounts/app@example.com/app-passwords'
    made = good(world, 'POST', p, {'name': 'phone', 'protocols': ['submission']}, 201)
    assert can_log_in(world, 'app@example.com', made['password'])
    listed = good(world, 'GET', p)['app_passwords']
    assert [(x['name'], x['protocols']) for x in listed] == [('phone', ['submission'])]
    assert refused(world, 'POST', p, {'name': 'x', 'protocols': ['ftp']}) == (422, 'syntax')
    good(world, 'DELETE', p + '/phone')
    assert good(world, 'GET', p) == {'app_passwords': []}
    assert refused(world, 'DELETE', p + '/phone')[0] == 404


def test_many_accounts(world):
    lines = [json.dumps({'address': f'bulk{i}@example.com'}) for i in range(600)]
    lines[7] = '{"address": "bulk8@example.com", "quota": 5}'
    lines[9] = '{broken'
    lines[11] = json.dumps({'address': 'bulk12@nowhere.example'})
    lines[13] = json.dumps({'address': 'x' * 70000})
    lines.insert(20, '')
    results = good(world, 'POST', '/v1/accounts', '\n'.join(lines), kind='application/x-ndjson')
    assert sorted(r['line'] for r in results) == [i for i in range(1, 602) if i != 21]
    wrong = {r['line']: (r['status'], r['code']) for r in results if r['status'] != 201}
    assert wrong == {8: (422, 'syntax'), 10: (422, 'syntax'), 12: (404, 'not-found'), 14: (422, 'syntax')}
    again = good(world, 'POST', '/v1/accounts', [{'address': 'bulk0@example.com'}, {'address': 'new0@example.com'}, 5])
    assert sorted((r['index'], r['status']) for r in again) == [(1, 409), (2, 201), (3, 422)]


def test_lists_come_in_pages_and_are_searched(world):
    seen, path = [], '/v1/accounts?limit=100'
    while True:
        page = good(world, 'GET', path)
        assert len(page['accounts']) <= 100
        seen += [a['address'] for a in page['accounts']]
        if 'next' not in page:
            break
        path = '/v1/accounts?limit=100&after=' + quote(page['next'])
    assert len(seen) == len(set(seen)) >= 597
    assert seen == [a['address'] for a in json.loads(world.ctl('account', 'list', '--json').stdout)]
    found = good(world, 'GET', '/v1/accounts?search=BULK59')['accounts']
    assert sorted(a['address'] for a in found) == sorted(a for a in seen if 'bulk59' in a) and len(found) == 11
    first = good(world, 'GET', '/v1/accounts?search=bulk&limit=5')
    assert len(first['accounts']) == 5 and first['next'] == first['accounts'][4]['address']
    assert good(world, 'GET', '/v1/accounts?search=nobodyhasthis') == {'accounts': []}
    assert refused(world, 'GET', '/v1/accounts?limit=1001') == (422, 'syntax')
    assert refused(world, 'GET', '/v1/accounts?serach=x') == (422, 'syntax')


# ---- the directory ----

def test_domains(world):
    d = good(world, 'POST', '/v1/domains', {'name': 'b\u00fccher.example', 'admin': 'root@example.com'}, 201)
    assert d['name'] == 'xn--bcher-kva.example' and d['dkim_record'].startswith('v=DKIM1')
    shown = good(world, 'GET', '/v1/domains/xn--bcher-kva.example')
    text = world.ctl('domain', 'show', 'xn--bcher-kva.example').stdout
    lines = [' '.join(line.split()) for line in text.splitlines()]
    got = [' '.join(line.split()) for line in shown.pop('records')]
    assert got == [line for line in lines if line in got] and 'xn--bcher-kva.example. IN MX 10 mail.example.com.' in got
    # What only the command looks at is of the host.
    assert all(' IN ' not in line or line.lstrip(';').startswith('_25._tcp.') or ' IN A' in line or 'arpa.' in line
               for line in lines if line not in got)
    dns = shown.pop('dns')
    assert {(r['type'], r['set']) for r in dns} >= {('MX', 'here'), ('TXT', 'here'), ('TXT', 'later')}
    assert all(' '.join(f'{r["name"]}. IN {r["type"]} {r["value"]}'.split()) in [g.lstrip(';') for g in got] for r in dns)
    keys = shown.pop('keys')
    assert [(k['algorithm'], k['state'], k['published']) for k in keys] == [('rsa', 'signs', False), ('ed25519', 'waits', False)]
    assert keys[0]['selector'] == d['selector'] and keys[0]['record'] == d['dkim_record']
    assert shown == d
    turned = good(world, 'POST', '/v1/domains/xn--bcher-kva.example/rotate')
    assert turned['keys'][:2] == keys and [k['state'] for k in turned['keys']] == ['signs', 'waits', 'waits']
    assert sum('; The next key' in line for line in turned['records']) == 1
    looked = good(world, 'POST', '/v1/domains/xn--bcher-kva.example/look')
    assert looked['looked'] is False and looked['keys'] == turned['keys']
    assert refused(world, 'POST', '/v1/domains/nobody.example/rotate') == (404, 'not-found')
    names = [x['name'] for x in good(world, 'GET', '/v1/domains')['domains']]
    assert {'example.com', 'xn--bcher-kva.example'} <= set(names)
    assert good(world, 'GET', '/v1/domains?limit=1')['next'] == names[0]
    assert refused(world, 'DELETE', '/v1/domains/example.com') == (409, 'exists')
    assert good(world, 'DELETE', '/v1/domains/xn--bcher-kva.example') == {'result': 'ok'}
    assert refused(world, 'GET', '/v1/domains/xn--bcher-kva.example') == (404, 'not-found')


def test_aliases(world):
    good(world, 'PUT', '/v1/aliases/team@example.com', {'targets': ['a@far.example', 'b@far.example']})
    results = good(world, 'POST', '/v1/aliases', [{'address': 'all@example.com', 'targets': ['team@example.com']},
                                                  {'address': 'team@example.com', 'targets': ['all@example.com']}, {}])
    assert [r['status'] for r in results] == [200, 409, 422]
    results = good(world, 'POST', '/v1/aliases', '{"address": "one@example.com", "targets": ["x@far.example"]}\n\n{x\n',
                   kind='application/x-ndjson')
    assert [r['status'] for r in results] == [200, 422]
    listed = {a['address']: a['targets'] for a in good(world, 'GET', '/v1/aliases')['aliases']}
    assert listed['all@example.com'] == ['team@example.com'] and listed['team@example.com'][1] == 'b@far.example'
    page = good(world, 'GET', '/v1/aliases?limit=1')
    assert len(page['aliases']) == 1 and page['next'] == page['aliases'][0]['address']
    for name in ('all', 'team', 'one'):
        good(world, 'DELETE', f'/v1/aliases/{name}@example.com')
    assert refused(world, 'PUT', '/v1/aliases/x@example.com', {'targets': []}) == (422, 'syntax')


# ---- what happens ----

def test_the_queue(world):
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        good(world, 'PUT', '/v1/aliases/out@example.com', {'targets': ['later@far.example']})
        s.sendmail('kim@world.example', ['out@example.com'], 'Subject: x\r\n\r\nx\r\n')

    def tried():
        found = good(world, 'GET', '/v1/queue?domain=far.example')['messages']
        return found and found[0]['recipients'][0]['tries'] > 0 and found[0]
    m = wait_for(tried)
    q = '/v1/queue/' + m['qid']
    assert good(world, 'GET', q)['sender'] == m['sender'] and m['recipients'][0]['code'] == 450
    assert good(world, 'GET', '/v1/queue?domain=other.example')['messages'] == []
    assert good(world, 'GET', '/v1/queue/summary')['all']['messages'] >= 1
    assert good(world, 'POST', q + '/hold') == {'messages': 1}
    assert good(world, 'GET', q)['held']
    assert good(world, 'POST', '/v1/queue/release', {'recipient': 'later@far.example'}) == {'messages': 1}
    assert good(world, 'POST', q + '/route', {'route': 'other'}) == {'messages': 1}
    assert good(world, 'GET', q)['route'] == 'other'
    assert good(world, 'POST', '/v1/queue/route', {'domain': 'far.example'}) == {'messages': 1}
    assert good(world, 'GET', q)['route'] is None
    assert refused(world, 'POST', q + '/route', {'route': 'nowhere'}) == (404, 'not-found')
    assert refused(world, 'POST', '/v1/queue/hold', {'all': True, 'route': 'other'}) == (422, 'syntax')
    assert json.loads(world.ctl('queue', 'show', '--json', m['qid']).stdout)[0].keys() == m.keys()
    assert m['not_before_us'] == m['deliver_by_us'] == 0 and m['deliver_by_mode'] == ''
    assert good(world, 'POST', '/v1/queue/pause', {'domain': 'far.example'}) == {'domain': 'far.example', 'paused': True}
    assert good(world, 'GET', '/v1/queue')['paused'] == ['far.example']
    assert refused(world, 'POST', '/v1/queue/pause', {'domain': 'far.example'})[0] == 409
    good(world, 'POST', '/v1/queue/resume', {'domain': 'far.example'})
    assert refused(world, 'POST', '/v1/queue/drop', {}) == (422, 'syntax')
    assert good(world, 'DELETE', q) == {'messages': 1}
    assert refused(world, 'GET', q) == (404, 'not-found') and refused(world, 'GET', '/v1/queue/zzz')[0] == 404


def test_sessions_and_blocks(world):
    good(world, 'POST', '/v1/accounts', {'address': 'who@example.com', 'password': 'secret'}, 201)
    s = smtplib.SMTP('127.0.0.1', world.ports['submission'])
    s.login('who@example.com', 'secret')
    mine = good(world, 'GET', '/v1/accounts/who@example.com/sessions')['sessions']
    assert [(x['account'], x['protocol']) for x in mine] == [('who@example.com', 'submission')]
    assert mine[0]['session'] in [x['session'] for x in good(world, 'GET', '/v1/sessions')['sessions']]
    assert good(world, 'DELETE', '/v1/sessions/' + mine[0]['session']) == {'sessions': 1}
    s.close()
    assert good(world, 'DELETE', '/v1/accounts/who@example.com/sessions')['sessions'] in (0, 1)
    assert refused(world, 'DELETE', '/v1/sessions/x')[0] == 404
    assert good(world, 'POST', '/v1/blocks', {'network': '192.0.2.0/24', 'for_s': 3600}, 201) == {'network': '192.0.2.0/24'}
    assert [b['network'] for b in good(world, 'GET', '/v1/blocks')['blocks']] == ['192.0.2.0/24']
    assert good(world, 'DELETE', '/v1/blocks/192.0.2.0%2F24')['blocked']
    assert refused(world, 'POST', '/v1/blocks', {'network': 'x'}) == (422, 'syntax')


def test_explanations(world):
    e = good(world, 'GET', '/v1/explain/rcpt?address=nobodyhasthis@example.com')
    assert e['verdict'] == 'no' and e['steps'][0]['found'] == 'nobody'
    assert good(world, 'GET', '/v1/explain/route?domain=far.example')['kind'] == 'route'
    assert good(world, 'GET', '/v1/explain/login?name=nobodyhasthis')['verdict'] == 'no'
    relayed = '/v1/explain/rcpt?address=x@far.example&ip=192.0.2.77&from='
    assert good(world, 'GET', relayed + 'a@example.com')['verdict'] == 'yes'
    assert '553' in good(world, 'GET', relayed + 'a@far.example')['why']
    good(world, 'POST', '/v1/accounts', {'address': 'exa@example.com'}, 201)
    assert good(world, 'GET', '/v1/explain/rcpt?address=exa@example.com&from=a@far.example')['verdict'] == 'yes'
    assert '501' in good(world, 'GET', '/v1/explain/rcpt?address=exa@example.com&from=nobody')['why']
    assert '554' in good(world, 'GET', '/v1/explain/rcpt?address=x@far.example&ip=192.0.2.78')['why']
    e = good(world, 'GET', '/v1/explain/route?domain=never.example&from=a@example.com&tries=3&age_s=60')
    assert (e['kind'], e['route'], e['tls'], e['login']) == ('route', 'other', 'offered', False)
    told = world.ctl('explain', 'route', 'never.example', '--json', '--from', 'a@example.com')
    assert json.loads(told.stdout) == e
    assert refused(world, 'GET', '/v1/explain/rcpt?address=x@far.example&ip=y') == (422, 'syntax')
    assert refused(world, 'GET', '/v1/explain/login') == (422, 'syntax')
    assert refused(world, 'GET', '/v1/explain/login?name=x&ip=y') == (422, 'syntax')


def test_the_server_itself(world):
    s = good(world, 'GET', '/v1/status')
    assert s['roles']['api.0'] and s['version']
    assert s.keys() == json.loads(world.ctl('status', '--json').stdout).keys()
    assert good(world, 'GET', '/v1/stats').keys() == json.loads(world.ctl('stats', '--json').stdout).keys()
    assert good(world, 'POST', '/v1/reload') == {'taken': True, 'said': ''}
    with open(world.config, encoding='utf-8') as f:
        text = f.read()
    try:
        with open(world.config, 'a', encoding='utf-8') as f:
            f.write('nonsense here\n')
        r = good(world, 'POST', '/v1/reload')
        assert not r['taken'] and 'nonsense' in r['said']
    finally:
        with open(world.config, 'w', encoding='utf-8') as f:
            f.write(text)
    assert good(world, 'POST', '/v1/reload')['taken']


# ---- who may ask ----

def test_the_token(world):
    url = f'http://127.0.0.1:{world.ports["api"]}/v1/status'

    def curl(*words):
        got = subprocess.run(['curl', '-sS', '-o', '/dev/stderr', '-w', '%{http_code}', *words, url], capture_output=True,
                             text=True, check=True, timeout=60)
        return int(got.stdout), json.loads(got.stderr)
    assert curl('-H', f'Authorization: Bearer {TOKEN}')[0] == 200
    for words in ([], ['-H', 'Authorization: Bearer x'], ['-H', f'Authorization: Basic {TOKEN}'],
                  ['-H', f'Authorization: Bearer {TOKEN}x'], ['-H', f'Authorization: Bearer {TOKEN[:-1]}']):
        status, answer = curl(*words)
        assert status == 401 and answer['status'] == 401 and 'token' in answer['detail']
    assert raw(world, b'GET /v1/status HTTP/1.0\r\n\r\n', world.ports['api']).count(b'WWW-Authenticate: Bearer') == 1
    assert 'ev=api.denied' in world.log() and TOKEN not in world.log()
    with open(f'{world.dir}/token', 'w', encoding='ascii') as f:
        f.write('short')  # no token at all
    good(world, 'POST', '/v1/reload')
    assert curl('-H', 'Authorization: Bearer short')[0] == 401
    with open(f'{world.dir}/token', 'w', encoding='ascii') as f:
        f.write(TOKEN)
    good(world, 'POST', '/v1/reload')
    assert curl('-H', f'Authorization: Bearer {TOKEN}')[0] == 200


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can be somebody else')
def test_another_user_of_the_machine(world):
    path = f'{world.dir}/run/api.sock'
    assert os.stat(path).st_mode & 0o777 == 0o600
    words = ['setpriv', '--reuid', '4242', '--regid', '4242', '--clear-groups', 'curl', '-sS', '--unix-socket', path,
             'http://localhost/v1/status']
    assert subprocess.run(words, capture_output=True, timeout=60).returncode != 0  # the kernel's own answer
    try:
        os.chmod(path, 0o666)
        got = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    finally:
        os.chmod(path, 0o600)
    assert json.loads(got.stdout)['status'] == 403


# ---- HTTP ----

def test_error_forms(world):
    for method, path, body, wanted in (
            ('GET', '/', None, 404), ('GET', '/v2/status', None, 404), ('GET', '/v1/none', None, 404),
            ('GET', '/v1/accounts/a/b/c/d/e/f', None, 404), ('GET', '/v1/%zz', None, 400),
            ('PUT', '/v1/accounts', '{}', 405), ('TRACE', '/v1/status', None, 405),
            ('POST', '/v1/accounts', '{', 400), ('POST', '/v1/accounts', '[' * 50 + ']' * 50, 400), ('POST', '/v1/accounts', '"x"', 400), ('POST', '/v1/accounts', '{}', 422),
            ('POST', '/v1/accounts', '{"address": 5}', 422), ('POST', '/v1/accounts', '{"address": "a", "address": "b"}', 400),
            ('POST', '/v1/accounts', {'address': '@'}, 422),
            ('GET', '/v1/status', '{}', 422), ('POST', '/v1/domains', '[]', 422)):
        assert ask(world, method, path, body)[0] == wanted, (method, path, body)
    assert ask(world, 'POST', '/v1/accounts', '{}', kind='text/plain')[0] == 415
    assert b'Allow: GET, POST' in raw(world, b'PUT /v1/accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')


def test_bodies_that_are_too_long(world):
    assert ask(world, 'POST', '/v1/domains', b' ' * (5 << 20))[0] == 413
    got = raw(world, b'POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
              + b'100000\r\n' + b' ' * 0x100000 + b'\r\n' + (b'100000\r\n' + b' ' * 0x100000 + b'\r\n') * 4 + b'0\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 413 ')
    big = b'POST /v1/domains HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n'
    assert raw(world, big).startswith(b'HTTP/1.1 413 ')  # and waits for nothing


def test_requests_one_after_the_other(world):
    c = Local(world)
    for _ in range(3):
        good(world, 'GET', '/v1/status', c=c)
        ask(world, 'POST', '/v1/domains', {'x': 1}, c=c)
    head = b'Host: x\r\nContent-Type: application/json\r\n'
    body = b'{"network": "192.0.2.7"}'
    got = raw(world, b'GET /v1/status HTTP/1.1\r\n' + head + b'\r\nPOST /v1/blocks HTTP/1.1\r\n' + head
              + b'Content-Length: %d\r\n\r\n' % len(body) + body
              + b'POST /v1/blocks HTTP/1.1\r\n' + head + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"networ\r\n10\r\nk": "192.0.2.8"}\r\n0\r\n\r\n'
              + b'HEAD /v1/status HTTP/1.1\r\n' + head + b'\r\nDELETE /v1/blocks/192.0.2.7 HTTP/1.1\r\n' + head
              + b'Connection: close\r\n\r\nGET /v1/status HTTP/1.1\r\n' + head + b'\r\n')
    assert re.findall(rb'HTTP/1.1 (\d+) ', got) == [b'200', b'201', b'201', b'200', b'200']
    good(world, 'DELETE', '/v1/blocks/192.0.2.8')


def test_what_could_be_read_in_two_ways(world):
    for head in (b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', b'Content-Length: 2\r\nContent-Length: 2\r\n',
                 b'Transfer-Encoding : chunked\r\n', b'X: y\r\n z\r\n', b'X: y\nZ: w\r\n', b'Host: y\r\n'):
        got = raw(world, b'POST /v1/blocks HTTP/1.1\r\nHost: x\r\n' + head + b'\r\n{}GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n')
        assert got.startswith(b'HTTP/1.1 400 ') and got.count(b'HTTP/1.1 ') == 1, head


def test_a_slow_client_costs_nobody_else(world):
    slow = socket.socket(socket.AF_UNIX)
    with slow:
        slow.connect(f'{world.dir}/run/api.sock')
        for byte in b'POST /v1/blocks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n{"netwo':
            slow.send(bytes([byte]))
        good(world, 'GET', '/v1/status')
        for byte in b'rk": "192.0.2.9"}':
            slow.send(bytes([byte]))
        assert slow.recv(65536).startswith(b'HTTP/1.1 201 ')
    good(world, 'DELETE', '/v1/blocks/192.0.2.9')


def test_the_store_is_away(world):
    os.kill(world.roles()['store.0'], 9)
    status, answer = ask(world, 'GET', '/v1/status')
    assert status in (200, 503) and (status == 200 or answer['detail'])
    wait_for(lambda: ask(world, 'GET', '/v1/status')[0] == 200)


# ---- figures ----

def test_metrics(world):
    def get(path, method='GET'):
        c = http.client.HTTPConnection('127.0.0.1', world.ports['metrics'], timeout=60)
        c.request(method, path)
        r = c.getresponse()
        return r.status, r.getheader('Content-Type'), r.read().decode()
    status, kind, text = get('/metrics')
    assert status == 200 and kind.startswith('text/plain; version=0.0.4')

    def names(t):
        return [line.split()[2] for line in t.splitlines() if line.startswith('# TYPE ')]
    assert names(text) == names(world.ctl('stats', '--prometheus').stdout) and 'godwit_info' in text
    assert get('/')[0] == 404 and get('/v1/status')[0] == 404 and get('/metrics', 'POST')[0] == 405
    assert get('/metrics', 'HEAD')[2] == ''


def test_the_command_adds_from_a_file(world):
    path = f'{world.dir}/new.ndjson'
    with open(path, 'w', encoding='ascii') as f:
        f.write('{"address": "file1@example.com", "password": "secret"}\n{"address": "bulk1@example.com"}\n')
    got = world.ctl('account', 'add', '--from', path, '--json', check=False)
    assert got.returncode == 1 and sorted(r['status'] for r in json.loads(got.stdout)) == [201, 409]
    assert can_log_in(world, 'file1@example.com', 'secret')


def test_every_example_of_the_page(tmp_path):
    """In their order, on a new server, as somebody would paste them."""
    page = os.path.join(os.path.dirname(__file__), '..', '..', 'docs', 'api.md')
    with open(page, encoding='utf-8') as f:
        blocks = re.findall(r'```sh\n(.*?)```', f.read(), re.DOTALL)
    examples = [line for block in blocks for line in block.splitlines()]
    assert len(examples) > 25
    s = Server(extra=['outbound none'])
    api, metrics = free_port(), free_port()
    (tmp_path / 'token').write_text(TOKEN)
    try:
        with open(s.config, 'a', encoding='ascii') as f:
            f.write(f'listen api 127.0.0.1:{api} token-file {tmp_path}/token\nlisten metrics 127.0.0.1:{metrics}\n')
        s.start()
        env = {'PATH': os.environ['PATH'], 'SOCKET': f'{s.dir}/run/api.sock', 'TOKEN': TOKEN,
               'URL': f'http://127.0.0.1:{api}', 'METRICS': f'http://127.0.0.1:{metrics}'}
        for line in examples:
            got = subprocess.run(['sh', '-c', line.replace('curl ', 'curl -sS --fail-with-body ')], env=env,
                                 capture_output=True, text=True, timeout=60)
            assert got.returncode == 0, (line, got.stdout, got.stderr)
    finally:
        s.remove()
