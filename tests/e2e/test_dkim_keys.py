"""DKIM keys of a domain: two signatures, each once its record was seen in DNS; the next keys; records that can go.

SPDX-License-Identifier: Apache-2.0
"""
import json
import re
import smtplib
import ssl

import dkim
import pytest
from godwit import Server, wait_for
from knot import Knot
from sink import Sink

TLS = ssl._create_unverified_context()
HERE = 'example.com'


class World:
    """A server whose resolver is a Knot that has what this test publishes, and the server that gets its mail."""

    def __init__(self, sink_port):
        self.records = {}
        self.knot = Knot(absent_s=0).start()
        self.sink = Sink(sink_port)
        self.server = Server(domain=HERE, extra=[
            'outbound none', f'route elsewhere.example 127.0.0.1:{sink_port}', f'resolver {self.knot.resolver()} no-dnssec'])
        self.server.start().add_domain()
        self.user = self.server.add_account('anna')
        self.sent = 0

    def remove(self):
        self.server.remove()
        self.sink.close()
        self.knot.remove()

    def publish(self, *keys):
        """These and no others; from now on."""
        self.records = {f'{k["selector"]}._domainkey.{HERE}': k['record'] for k in keys}
        lines = []
        for name, text in self.records.items():
            parts = ' '.join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))
            lines.append(f'{name}. 0 IN TXT {parts}')
        self.knot.again(lines)

    def keys(self, verb='keys'):
        return json.loads(self.server.ctl('domain', verb, HERE, '--json').stdout)

    def states(self, verb='keys'):
        return [(k['algorithm'], k['state'], k['published']) for k in self.keys(verb)]

    def send(self):
        """What arrives of a new message, and the selectors that signed it."""
        self.sent += 1
        to = f'friend{self.sent}@elsewhere.example'
        with smtplib.SMTP('127.0.0.1', self.server.ports['submission']) as s:
            s.starttls(context=TLS)
            s.login(self.user, 'secret')
            s.sendmail(self.user, [to], f'From: {self.user}\r\nTo: {to}\r\nSubject: one\r\n\r\nhello\r\n')
        text = wait_for(lambda: self.sink.to(to))[0][2]
        head = re.sub(rb'\r\n[ \t]+', b' ', text.split(b'\r\n\r\n')[0])
        fields = [line for line in head.split(b'\r\n') if line.startswith(b'DKIM-Signature: ')]
        return text, [re.search(rb'; a=(\S+);.* s=(\S+);', f).groups() for f in fields]

    def dns(self, name, timeout=5):
        return self.records.get(name.decode().rstrip('.'), '').encode()


@pytest.fixture(scope='module')
def world(sink_port):
    w = World(sink_port)
    yield w
    w.remove()


def is_good(world, text, i):
    try:
        return dkim.DKIM(text).verify(idx=i, dnsfunc=world.dns)
    except dkim.ValidationError:
        return False


def check(world, text, count):
    """All of so many signatures are good, and none of them for another message."""
    for i in range(count):
        assert is_good(world, text, i)
        assert not is_good(world, text.replace(b'hello', b'hallo'), i)
        assert not is_good(world, b'Reply-To: x@y.example\r\n' + text, i)


def test_a_key_signs_once_it_is_published(world):
    rsa, ed = world.keys()
    assert world.states() == [('rsa', 'signs', False), ('ed25519', 'waits', False)]
    assert ed['record'].startswith('v=DKIM1; k=ed25519; p=') and rsa['selector'] != ed['selector']
    shown = ' '.join(world.server.ctl('domain', 'show', HERE).stdout.split())
    for k in (rsa, ed):
        assert f'{k["selector"]}._domainkey.{HERE}. IN TXT "{k["record"][:100]}' in shown
    assert world.send()[1] == [(b'rsa-sha256', rsa['selector'].encode())]
    # another key at its name is none
    world.publish(rsa, {**ed, 'record': 'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='})
    assert world.states() == [('rsa', 'signs', True), ('ed25519', 'waits', False)]
    world.publish(rsa, ed)
    assert world.states() == [('rsa', 'signs', True), ('ed25519', 'signs', True)]
    text, signers = world.send()
    assert signers == [(b'rsa-sha256', rsa['selector'].encode()), (b'ed25519-sha256', ed['selector'].encode())]
    check(world, text, 2)
    # kept over a restart, DNS or not
    world.server.stop()
    world.server.start()
    assert world.send()[1] == signers
    assert f'ev=dkim.key role=keys.0 domain={HERE} selector={ed["selector"]} state=signs' in world.server.log()


def test_the_next_keys_follow_when_dns_has_them(world):
    before = world.keys()
    made = world.keys('rotate')
    assert [k['state'] for k in made] == ['signs', 'signs', 'waits', 'waits']
    assert world.keys('rotate') == made
    assert len({k['selector'] for k in made}) == 4 and len({k['record'] for k in made}) == 4
    signers = world.send()[1]
    assert [s.decode() for _, s in signers] == [k['selector'] for k in before]
    # one of them
    world.publish(*made[:3])
    assert world.states() == [('rsa', 'old', True), ('ed25519', 'signs', True), ('rsa', 'signs', True), ('ed25519', 'waits', False)]
    text, signers = world.send()
    assert [s.decode() for _, s in signers] == [made[2]['selector'], made[1]['selector']]
    check(world, text, 2)
    world.publish(*made)
    now = world.keys()
    assert [k['state'] for k in now] == ['old', 'old', 'signs', 'signs']
    assert now[0]['record'] == '' and now[0]['removable'] == now[0]['since'] + 14 * 86400 * 1000000
    shown = world.server.ctl('domain', 'show', HERE).stdout
    assert f'; {made[0]["selector"]}._domainkey.{HERE}. signs no more: keep it until ' in shown
    text, signers = world.send()
    assert [s.decode() for _, s in signers] == [made[2]['selector'], made[3]['selector']]
    check(world, text, 2)
    # their records are gone, and so are they
    world.publish(*made[2:])
    assert [(k['selector'], k['state']) for k in world.keys()] == [(k['selector'], 'signs') for k in made[2:]]


def test_without_its_record_ed25519_signs_no_more(world):
    rsa, ed = world.keys()
    world.publish()
    assert world.states() == [('rsa', 'signs', False), ('ed25519', 'waits', False)]
    assert len(world.send()[1]) == 1
    # while DNS does not answer nothing changes
    world.publish(rsa, ed)
    assert [s for _, s, _ in world.states()] == ['signs', 'signs']
    world.knot.stop()
    said = world.server.ctl('domain', 'keys', HERE).stdout
    assert 'DNS could not be asked' in said and said.count(' signs\n') == 2


def test_what_is_not_served_has_no_keys(world):
    for verb in ('keys', 'rotate', 'show'):
        assert world.server.ctl('domain', verb, 'other.example', check=False).returncode == 1
