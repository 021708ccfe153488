"""Mail of strangers that is sent on bears a set of ARC (RFC 8617) that others verify, hop by hop; a chain that failed is
sealed as failed once.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys

import dkim
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402
from knot import Knot  # noqa: E402
from sink import Sink  # noqa: E402
from wire import Smtp  # noqa: E402

GOOD = '192.0.2.1'
HERE = 'example.com'


class Town:
    """Addresses hop1 to hop9 lead to there1 to there9 of another server."""

    def __init__(self, sink_port):
        self.sink = Sink(sink_port)
        self.knot = Knot(absent_s=0).start()
        self.server = Server(domain=HERE, extra=[f'resolver {self.knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'outbound none',
                                                 f'route outside.example 127.0.0.1:{sink_port}'])
        self.server.start().add_domain()
        for n in range(1, 10):
            self.server.ctl('alias', 'set', f'hop{n}@{HERE}', f'there{n}@outside.example')
        key = json.loads(self.server.ctl('domain', 'keys', HERE, '--json').stdout)[0]
        self.name, self.record = f'{key["selector"]}._domainkey.{HERE}', key['record']
        parts = ' '.join(f'"{self.record[i:i + 250]}"' for i in range(0, len(self.record), 250))
        self.zone = [f'{self.name}. 0 IN TXT {parts}', f'far.example. 0 IN TXT "v=spf1 ip4:{GOOD} -all"', f'far.example. 0 IN A {GOOD}']
        self.knot.again(self.zone)

    def remove(self):
        self.server.remove()
        self.sink.close()
        self.knot.remove()

    def hop(self, n, text, client=GOOD):
        """Sent to hop N, which is used once; as it arrives outside."""
        with Smtp(self.server.ports['smtp']) as s:
            assert not client or s.ask(f'XCLIENT ADDR={client} NAME=[UNAVAILABLE]') == 220
            assert s.ask('EHLO mx.far.example') == 250 and s.ask('MAIL FROM:<a@far.example>') == 250
            assert s.ask(f'RCPT TO:<hop{n}@{HERE}>') == 250 and s.ask('DATA') == 354
            s.send(text + b'.\r\n')
            assert s.reply() == 250
        return wait_for(lambda: self.sink.to(f'there{n}@outside.example'))[0][2]

    def verdict(self, text):
        """By python3-dkim and by godwit check arc, which must agree."""
        theirs = dkim.arc_verify(text, dnsfunc=lambda name, timeout=5: self.record.encode() if name.decode().rstrip('.') == self.name else None)
        theirs = theirs[0] or b'fail'
        path = os.path.join(self.server.dir, 'message')
        zone = os.path.join(self.server.dir, 'zone')
        with open(path, 'wb') as f:
            f.write(text)
        with open(zone, 'w', encoding='ascii') as f:
            f.write('\n'.join(self.zone).replace(' 0 IN ', ' ') + '\n')
        ours = subprocess.run([self.server.program + '-server', 'check', 'arc', path, '--dns-file', zone, '--json'], capture_output=True,
                              text=True, check=False)
        assert json.loads(ours.stdout)['result'] == theirs.decode(), (ours.stdout, ours.stderr, theirs)
        return theirs


@pytest.fixture(scope='module')
def town(sink_port):
    t = Town(sink_port)
    yield t
    t.remove()


MAIL = b'From: a@far.example\r\nTo: x@example.com\r\nSubject: hello\r\nMessage-ID: <%d@far.example>\r\n\r\nText.\r\n'


def test_three_hops(town):
    text = MAIL % 1
    for n in range(1, 4):
        text = town.hop(n, text)
        assert text.count(b'ARC-Seal: i=') == n and f'ARC-Seal: i={n};'.encode() in text
        assert text.count(b'cv=none') == 1 and text.count(b'cv=pass') == n - 1
        assert town.verdict(text) == b'pass'
    assert b'ARC-Authentication-Results: i=1; mail.example.com;' in text and b'arc=pass' in text
    assert town.verdict(text.replace(b'Text.', b'Test.')) == b'fail'


def test_a_failed_chain_is_sealed_as_failed_once(town):
    text = town.hop(4, MAIL % 2).replace(b'Text.', b'Test.')
    text = town.hop(5, text)
    assert b'ARC-Seal: i=2;' in text and text.count(b'cv=fail') == 1
    assert town.verdict(text) == b'fail'
    text = town.hop(6, text)
    assert text.count(b'ARC-Seal:') == 2


def test_what_nobody_judged_is_not_sealed(town):
    assert b'ARC-' not in town.hop(7, MAIL % 3, client=None)
