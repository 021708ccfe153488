"""godwit explain: what would happen, and why; the same as what then happens.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import os
import smtplib
import subprocess

import pytest
from godwit import PROGRAM, Server, halt, wait_for
from knot import Knot

RECORDS = [
    'far.example. 60 IN MX 20 second.far.example.', 'far.example. 60 IN MX 10 first.far.example.',
    'first.far.example. 60 IN A 192.0.2.1', 'first.far.example. 60 IN AAAA 2001:db8::1', 'second.far.example. 60 IN A 192.0.2.2',
    'plain.example. 60 IN A 192.0.2.3',
    'null.example. 60 IN MX 0 .',
    'ours.example. 60 IN MX 10 mail.example.com.', 'mail.example.com. 60 IN A 192.0.2.9',
    'empty.example. 60 IN MX 10 nowhere.example.',
    'named.example. 60 IN MX 10 first.far.example.',
]


@pytest.fixture(scope='module')
def world():
    knot = Knot(RECORDS).start()
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'route relay.example 127.0.0.1:2525',
                      'route strict.example relay.far.example:465 tls', 'relay-from 192.0.2.77',
                      'route far.example late.example:26 after 3 tries after 4 hours from example.com name late',
                      'route named.example mx source ipv4 192.0.2.5 ehlo out.example.com tls-verified',
                      'route socks.example host.inside:25 socks 192.0.2.4:1080 socks-names tls-never'])
    try:
        s.start()
        s.add_domain()
        for name in ('anna', 'ben', 'off', 'full'):
            s.add_account(name)
        s.ctl('alias', 'set', 'team@example.com', 'anna@example.com', 'info@example.com', 'x@far.example')
        s.ctl('alias', 'set', 'info@example.com', 'ben@example.com')
        s.ctl('alias', 'set', 'one@example.com', 'ben@example.com')
        s.ctl('account', 'disable', 'off@example.com')
        for name, keep in (('away', '--no-keep'), ('keeper', '--keep')):
            s.add_account(name)
            s.ctl('account', 'forward', f'{name}@example.com', 'x@far.example', keep)
        s.ctl('account', 'quota', 'full@example.com', '1')
        yield s
    finally:
        s.remove()
        knot.remove()


def explain(server, *words):
    """Exit status, what it says, and the same as JSON."""
    shown = subprocess.run([PROGRAM, 'explain', *words, '-c', server.config], capture_output=True, text=True, check=False)
    done = subprocess.run([PROGRAM, 'explain', *words, '--json', '-c', server.config], capture_output=True, text=True, check=False)
    assert done.returncode == shown.returncode
    data = json.loads(done.stdout) if done.stdout else None
    if data:
        assert data['verdict'] == {0: 'yes', 1: 'no', 3: 'unknown'}[done.returncode]
        assert shown.stdout.splitlines()[-1] == data['why']
    return done.returncode, shown.stdout + shown.stderr, data


RCPTS = [
    ('anna@example.com', 0, 'is an account', 250),
    ('ANNA+lists@example.com', 0, 'is, without its tag, the account anna@example.com', 250),
    ('one@example.com', 0, '  ben@example.com is an account', 250),
    ('team@example.com', 0, '    ben@example.com is an account', 250),
    ('team@example.com', 0, 'x@far.example is elsewhere', 250),
    ('away@example.com', 0, 'away@example.com is an account that sends its mail on:\n  x@far.example is elsewhere', 250),
    ('away+x@example.com', 0, 'is, without its tag, the account, whose mail is sent on, away@example.com:\n', 250),
    ('keeper@example.com', 0, 'keeper@example.com is an account that keeps its mail and sends it on, 0 bytes of', 250),
    ('nobody@example.com', 1, '550 5.1.1', 550),
    ('off@example.com', 1, '550 5.2.1', 550),
    ('full@example.com', 1, '452 4.2.2', 452),
    ('x@far.example', 1, '554 5.7.1', 554),
]


@pytest.mark.parametrize('address, code, says, reply', RCPTS)
def test_a_recipient_as_smtp_answers_it(world, address, code, says, reply):
    status, text, _ = explain(world, 'rcpt', address, '--size', '100')
    assert status == code and says in text
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        s.ehlo()
        s.docmd('MAIL', 'FROM:<kim@world.example> SIZE=100')
        assert s.docmd('RCPT', f'TO:<{address}>')[0] == reply


def test_the_way_of_an_alias_step_by_step(world):
    _, text, data = explain(world, 'rcpt', 'team@example.com')
    assert [(s['depth'], s['address'], s['found']) for s in data['steps']] == [
        (0, 'team@example.com', 'alias'), (1, 'anna@example.com', 'account'), (1, 'info@example.com', 'alias'),
        (1, 'x@far.example', 'foreign'), (2, 'ben@example.com', 'account')]
    assert 'some of it is sent on to other servers' in text
    world.ctl('alias', 'set', '@example.com', 'anna@example.com')
    try:
        assert 'is taken by the catch-all @example.com' in explain(world, 'rcpt', 'whoever@example.com')[1]
    finally:
        world.ctl('alias', 'remove', '@example.com')


def test_a_domain_without_a_postmaster_has_that_of_the_default_domain(world):
    world.ctl('domain', 'add', 'bare.example')
    world.ctl('alias', 'set', 'postmaster@example.com', 'anna@example.com')
    try:
        for name in ('postmaster', 'abuse'):
            status, text, data = explain(world, 'rcpt', f'{name}@bare.example')
            assert status == 0 and 'by the default domain, postmaster@example.com' in text
            assert [s['address'] for s in data['steps']] == [f'{name}@bare.example', 'anna@example.com']
            with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
                s.sendmail('kim@world.example', [f'{name}@bare.example'], f'Subject: to {name}\r\n\r\nx')
        assert explain(world, 'rcpt', 'hostmaster@bare.example')[0] == 1
        m = imaplib.IMAP4('127.0.0.1', world.ports['imap'])
        m.login('anna', 'secret')
        m.select('INBOX')
        for name in ('postmaster', 'abuse'):
            assert len(m.search(None, 'SUBJECT', f'"to {name}"')[1][0].split()) == 1
        m.logout()
    finally:
        world.ctl('alias', 'remove', 'postmaster@example.com')
    assert explain(world, 'rcpt', 'postmaster@bare.example')[0] == 1
    world.ctl('domain', 'remove', 'bare.example')


def test_a_return_address(world):
    """SRS: what a forward leaves under, asked about as a report and as other mail."""
    with smtplib.SMTP('127.0.0.1', world.ports['smtp']) as s:
        s.sendmail('kim@world.example', ['away@example.com'], 'Subject: x\r\n\r\nx')
    line = wait_for(lambda: [l for l in world.log().splitlines() if 'ev=queue.rewrite' in l])[-1]
    address = next(w.removeprefix('as=').strip('"<>') for w in line.split() if w.startswith('as='))
    assert address.upper().startswith('SRS0')
    status, text, data = explain(world, 'rcpt', address, '--from', '<>')
    assert status == 0 and data['returns_to'] == 'kim@world.example' and 'is a return address (SRS) of' in text
    assert 'when it is a report' in explain(world, 'rcpt', address)[2]['why']
    assert 'only reports' in explain(world, 'rcpt', address, '--from', 'a@b.example')[2]['why']
    forged = address[:5] + ('B' if address[5] == 'A' else 'A') + address[6:]
    status, _, data = explain(world, 'rcpt', forged, '--from', '<>')
    assert status == 1 and '550 5.7.1' in data['why']


def test_a_network_of_relay_from(world):
    for words, status, says in ((('--ip', '192.0.2.77'), 0, 'with a sender of a domain served here or none'),
                                (('--ip', '192.0.2.77', '--from', 'a@example.com'), 0, 'accepted and sent on'),
                                (('--ip', '192.0.2.77', '--from', '<>'), 0, 'accepted and sent on'),
                                (('--ip', '192.0.2.77', '--from', 'a@b.example'), 1, '553 5.7.1'),
                                (('--ip', '192.0.2.78', '--from', 'a@example.com'), 1, '554 5.7.1'),
                                (('--from', 'a@example.com'), 1, '554 5.7.1')):
        code, text, _ = explain(world, 'rcpt', 'x@far.example', *words)
        assert code == status and says in text, words


def test_sender_and_address_of_the_client(world):
    assert explain(world, 'rcpt', 'anna@example.com', '--from', 'kim@world.example', '--ip', '192.0.2.1')[0] == 0
    assert explain(world, 'rcpt', 'anna@example.com', '--from', '<>')[0] == 0
    status, text, _ = explain(world, 'rcpt', 'anna@example.com', '--from', 'nonsense')
    assert status == 1 and '501 5.1.7' in text
    assert 'read --ip "nonsense"' in explain(world, 'rcpt', 'anna@example.com', '--ip', 'nonsense')[1]


def test_a_route_by_mx(world):
    status, text, data = explain(world, 'route', 'someone@far.example')
    assert status == 0 and data['kind'] == 'mx' and data['tls'] == 'offered'
    assert [(h['name'], h['preference'], sorted(h['addresses'])) for h in data['hosts']] == [
        ('first.far.example', 10, ['192.0.2.1', '2001:db8::1']), ('second.far.example', 20, ['192.0.2.2'])]
    assert '   10  first.far.example port 25  ' in text


ROUTES = [
    ('plain.example', 0, 'implicit', 'the domain itself is the host'),
    ('null.example', 1, 'null-mx', 'takes no mail'),
    ('missing.example', 1, 'no-domain', 'there is no such domain'),
    ('ours.example', 1, 'to-us', 'which does not serve it'),
    ('empty.example', 1, 'mx', 'none of its hosts has an address'),
    ('relay.example', 0, 'route', '127.0.0.1 port 2525'),
    ('strict.example', 1, 'route', 'the host of the route has no address'),
    ('example.com', 0, 'local', 'stays here'),
]


@pytest.mark.parametrize('domain, code, kind, says', ROUTES)
def test_routes(world, domain, code, kind, says):
    status, text, data = explain(world, 'route', domain)
    assert (status, data['kind']) == (code, kind) and says in text
    assert kind != 'route' or data['tls'] == ('required' if domain == 'strict.example' else 'offered')


def test_a_route_by_time_and_sender(world):
    for words, route in (((), ''), (('--from', 'a@example.com'), ''), (('--from', 'a@example.com', '--tries', '3'), 'late'),
                         (('--from', 'a@example.com', '--age', '4h'), 'late'), (('--from', 'a@b.example', '--tries', '9'), '')):
        _, _, data = explain(world, 'route', 'far.example', *words)
        assert data['route'] == route and data['kind'] == ('route' if route else 'mx'), words


def test_the_manner_of_a_route(world):
    _, text, data = explain(world, 'route', 'named.example')
    assert data['source4'] == '192.0.2.5' and data['ehlo'] == 'out.example.com' and data['tls'] == 'verified'
    status, text, data = explain(world, 'route', 'socks.example')
    assert status == 0 and data['socks'] == '192.0.2.4:1080' and data['socks_names'] is True and data['tls'] == 'never'
    assert data['hosts'][0]['state'] == 'proxy' and 'by the SOCKS proxy 192.0.2.4:1080' in text


LOGINS = [
    ('anna@example.com', 0, 'accepted, with the right password'),
    ('ANNA', 0, 'is the account anna@example.com'),
    ('one', 0, 'ben@example.com, by way of an alias'),
    ('team', 1, 'nobody has this name'),
    ('anna+tag', 1, 'nobody has this name'),
    ('nobody', 1, 'nobody has this name'),
    ('off', 1, 'is disabled'),
]


@pytest.mark.parametrize('name, code, says', LOGINS)
def test_logins(world, name, code, says):
    status, text, _ = explain(world, 'login', name)
    assert status == code and says in text
    m = imaplib.IMAP4('127.0.0.1', world.ports['imap'])
    if code == 0:
        m.login(name, 'secret')
    else:
        with pytest.raises(imaplib.IMAP4.error):
            m.login(name, 'secret')
    m.logout()


def test_the_brake_on_guessing_is_told(world):
    s = Server(extra=['plaintext-login loopback'])
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        for _ in range(5):
            m = imaplib.IMAP4('127.0.0.1', s.ports['imap'])
            for _ in range(4):
                with pytest.raises(imaplib.IMAP4.error):
                    m.login('anna', 'wrong')
            m.shutdown()
        status, text, data = explain(s, 'login', 'anna', '--ip', '127.0.0.1')
        assert data['wrong'] == 20 and '20 wrong log-ins' in text
        assert (status, data['wait_s'] > 0) in ((0, False), (1, True))  # its first pause is a second
        status, _, data = explain(s, 'login', 'anna', '--ip', '192.0.2.77')
        assert status == 0 and data['wrong'] == 20 and data['wait_s'] == 0  # to the account: too few to slow anybody
        assert explain(s, 'login', 'ben', '--ip', '192.0.2.77')[2]['wrong'] == 0
        assert explain(s, 'login', 'anna')[0] == 0
    finally:
        s.remove()


def test_what_cannot_be_told(world):
    stopped = world.roles()['out.0']
    halt(stopped)  # SIGSTOP: out is there and does not answer
    try:
        p = subprocess.Popen([PROGRAM, 'explain', 'route', 'far.example', '-c', world.config], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        assert p.poll() is None
        os.kill(stopped, 9)
        _, err = p.communicate(timeout=60)
        assert p.returncode == 3 and b'does not answer now' in err
    finally:
        wait_for(lambda: world.roles().get('out.0', stopped) != stopped)  # boss has started another


def test_without_a_server_nothing_can_be_told():
    s = Server()
    try:
        done = subprocess.run([PROGRAM, 'explain', 'login', 'anna', '-c', s.config], capture_output=True, text=True, check=False)
        assert done.returncode == 3 and 'does not answer' in done.stderr
    finally:
        s.remove()


def test_wrong_words(world):
    for words in ([], ['rcpt'], ['rcpt', 'a@b', 'c@d'], ['route'], ['login', 'a', 'b'], ['nothing', 'a']):
        assert subprocess.run([PROGRAM, 'explain', *words, '-c', world.config], capture_output=True, check=False).returncode == 2
