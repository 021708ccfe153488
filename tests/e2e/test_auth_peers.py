"""SPF, DKIM, DMARC and ARC between Godwit and those who speak them elsewhere: a Postfix with OpenDKIM and rspamd.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import imaplib
import itertools
import json
import os
import re
import smtplib
import ssl
import subprocess

import dkim
import netns
import pytest
import zonefile
from authpeers import SIGNERS, Verifiers
from godwit import Server, wait_for
from postfix import Postfix

TLS = ssl._create_unverified_context()
MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
_numbers = itertools.count(1)
GODWIT, POSTFIX = '10.66.0.2', '10.66.0.3'
RECORDS = f'''ready.example. TXT "yes"
godwit.example. MX 10 mail.godwit.example.
mail.godwit.example. A {GODWIT}
2.0.66.10.in-addr.arpa. PTR mail.godwit.example.
godwit.example. TXT "v=spf1 ip4:{GODWIT} -all"
_dmarc.godwit.example. TXT "v=DMARC1; p=none"
postfix.example. MX 10 mx.postfix.example.
mx.postfix.example. A {POSTFIX}
3.0.66.10.in-addr.arpa. PTR mx.postfix.example.
postfix.example. TXT "v=spf1 ip4:{POSTFIX} -all"
_dmarc.postfix.example. TXT "v=DMARC1; p=none"'''.splitlines()


def txt(name, text):
    return f'{name}. TXT ' + ' '.join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))


def unfold(raw):
    """{name in small letters: [values, unfolded]} of the header."""
    head = re.split(rb'\r?\n\r?\n', raw, maxsplit=1)[0].decode('utf-8', 'replace')
    found = {}
    for line in re.sub(r'\r?\n[ \t]+', ' ', head).splitlines():
        name, _, value = line.partition(':')
        found.setdefault(name.lower(), []).append(' '.join(value.split()))
    return found


class World:
    """anna is of Godwit, carl of Postfix.  hop@godwit.example leads to dora of Postfix, back@postfix.example to anna."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        self.host, self.far = self.net.add('godwit', 2), self.net.add('postfix', 3)
        self.peers = Verifiers(self.far, os.path.join(self.net.dir, 'peers'), 'postfix.example', '10.66.0.53')
        self.close.callback(self.peers.close)
        self.server = Server(domain='godwit.example', prefix=self.host.prefix, extra=[
            'resolver 10.66.0.53:53 no-dnssec', 'listen smtp *:25', 'listen submission *:587', 'listen imaps *:993'])
        self.close.callback(self.server.remove)
        self.postfix = Postfix(self.far, 'mx.postfix.example', ['postfix.example'], ['carl', 'dora'], self.server.cert,
                               (self.peers.services(), self.peers.settings()))
        self.close.callback(self.postfix.close)
        self.postfix._write('aliases', 'back@postfix.example anna@godwit.example\n')
        self.net.serve_dns([*RECORDS, *(txt(*r) for r in self.peers.records.items())], absent_s=0)
        self.server.start().add_domain()
        self.anna = self.server.add_account('anna')
        self.server.ctl('alias', 'set', 'hop@godwit.example', 'dora@postfix.example')
        self.net.change(*(txt(*r) for r in self.records().items()))
        wait_for(lambda: all(k['state'] == 'signs' and k['published'] for k in self.keys()))
        self.peers.ready()
        self.postfix.start()

    def keys(self):
        return json.loads(self.server.ctl('domain', 'keys', 'godwit.example', '--json').stdout)

    def records(self):
        """Of all keys."""
        return {**self.peers.records, **{f'{k["selector"]}._domainkey.godwit.example': k['record'] for k in self.keys()}}

    @staticmethod
    def message(author, to, mark):
        return (f'From: {author}\r\nTo: {to}\r\nSubject: {mark}  of\r\n\ttwo lines\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n'
                f'Message-ID: <{mark}@test.example>\r\n\r\nHello  \tworld \r\n\r\nand so on.\r\n\r\n\r\n')

    def send(self, author, to, host=None, port=587):
        """From a user of Godwit, or through a port of Postfix."""
        mark = f'mark-{next(_numbers)}-end'
        with (host or self.host).inside(), smtplib.SMTP('127.0.0.1', port) as s:
            if port == 587:
                s.starttls(context=TLS)
                s.login(author, 'secret')
            s.sendmail(author, [to], self.message(author, to, mark))
        return mark

    def give(self, host, sender, to, raw):
        """As a third party has it, from its address."""
        with self.net.dns.inside(), smtplib.SMTP(host, 25) as s:
            s.ehlo('third.example')
            s.mail(sender)
            s.rcpt(to)
            assert s.data(raw)[0] == 250

    def at_anna(self, mark):
        with self.host.inside(), imaplib.IMAP4_SSL('127.0.0.1', 993, ssl_context=TLS) as m:
            m.login(self.anna, 'secret')
            found = []
            for box in ('INBOX', 'Junk'):
                m.select(box, readonly=True)
                found += [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in m.search(None, 'TEXT', mark)[1][0].split()]
            return found

    def at(self, local, mark):
        return [m for m in self.postfix.mail(f'{local}@postfix.example') if mark.encode() in m]

    def check(self, verb, raw):
        with open(os.path.join(self.net.dir, 'zone'), 'w', encoding='ascii') as f:
            f.writelines(zonefile.line(name, 'TXT', text) for name, text in self.records().items())
        done = subprocess.run([self.server.program + '-server', 'check', verb, '-', '--dns-file', f.name, '--json'], input=raw,
                              capture_output=True, timeout=60, check=False)
        return json.loads(done.stdout)


@pytest.fixture(scope='module')
def world():
    with contextlib.ExitStack() as stack:
        w = World.__new__(World)
        stack.callback(lambda: w.close.close())
        w.__init__()
        yield w


def of_postfix(raw):
    """What OpenDKIM and rspamd say of a message that came to Postfix."""
    fields = unfold(raw)
    opendkim, = [v for v in fields['authentication-results'] if v.startswith('opendkim.postfix.example;')]
    return opendkim, fields['x-rspamd-says'][0]


def of_godwit(raw):
    result = unfold(raw)['authentication-results'][0]
    assert result.startswith('mail.godwit.example;')
    return result


def count(text, method, result):
    return len(re.findall(rf'\b{method}={result}\b', text))


def wire(raw):
    return re.sub(rb'\r?\n', b'\r\n', raw)


def test_what_godwit_signs_is_good_elsewhere(world):
    mark = world.send(world.anna, 'carl@postfix.example')
    raw = wait_for(lambda: world.at('carl', mark))[0]
    assert sorted(re.findall(r'\ba=(\S+);', ' '.join(unfold(raw)['dkim-signature']))) == ['ed25519-sha256', 'rsa-sha256']
    opendkim, rspamd = of_postfix(raw)
    assert count(opendkim, 'dkim', 'pass') == 2 and '2048-bit key' in opendkim, opendkim
    assert count(rspamd, 'dkim', 'pass') == 2 and count(rspamd, 'dmarc', 'pass') == count(rspamd, 'spf', 'pass') == 1, rspamd
    first = wire(raw)
    first = first[first.index(b'DKIM-Signature:'):]
    assert world.peers.testmsg(first)[0]
    assert [s['result'] for s in world.check('dkim', first)['signatures']] == ['pass', 'pass']


def test_changed_it_fails_everywhere_alike(world):
    mark = world.send(world.anna, 'carl@postfix.example')
    raw = wire(wait_for(lambda: world.at('carl', mark))[0])
    raw = raw[raw.index(b'DKIM-Signature:'):]
    for new in (raw.replace(b'and so on.', b'and so off.'), raw.replace(b'From: anna@', b'From: eve@')):
        assert new != raw
        mark = f'mark-{next(_numbers)}-end'
        new = f'X-Mark: {mark}\r\n'.encode() + new
        world.give(POSTFIX, 'x@postfix.example', 'carl@postfix.example', new)
        world.give(GODWIT, 'x@postfix.example', world.anna, new)
        opendkim, rspamd = of_postfix(wait_for(lambda m=mark: world.at('carl', m))[0])
        here = of_godwit(wait_for(lambda m=mark: world.at_anna(m))[0])
        for said in (opendkim, rspamd, here):
            assert count(said, 'dkim', 'pass') == 0 and count(said, 'dkim', 'fail') >= 1, said
        for said in (rspamd, here):
            assert count(said, 'dmarc', 'fail') == count(said, 'spf', 'fail') == 1, said
        assert not world.peers.testmsg(new)[0]


@pytest.mark.parametrize('signer', SIGNERS)
def test_what_others_sign_is_good_here(world, signer):
    mark = world.send('carl@postfix.example', world.anna, world.far, SIGNERS[signer][0])
    raw = wait_for(lambda: world.at_anna(mark))[0]
    said, field = of_godwit(raw), unfold(raw)['dkim-signature'][0]
    form = {'simple': 'c=simple/simple', 'part': 'c=relaxed/simple'}.get(signer, 'c=relaxed/relaxed')
    assert form in field and ('l=20' in field) == (signer == 'part') and ('a=ed25519-sha256' in field) == (signer == 'ed25519'), field
    assert count(said, 'spf', 'pass') == count(said, 'dmarc', 'pass') == 1, said
    assert count(said, 'dkim', 'policy' if signer == 'part' else 'pass') == 1, said
    result, = world.check('dkim', raw[raw.index(b'DKIM-Signature:'):])['signatures']
    assert result['result'] == ('policy' if signer == 'part' else 'pass')
    # The same from elsewhere: the signature alone speaks for it.
    again = f'mark-{next(_numbers)}-end'
    whole = f'X-Mark: {again}\r\n'.encode() + raw[raw.index(b'DKIM-Signature:'):]
    world.give(GODWIT, 'x@postfix.example', world.anna, whole)
    said = of_godwit(wait_for(lambda: world.at_anna(again))[0])
    assert count(said, 'spf', 'fail') == 1 and count(said, 'dmarc', 'fail' if signer == 'part' else 'pass') == 1, said
    assert world.check('dkim', whole.replace(b'Hello', b'Hallo'))['signatures'][0]['result'] == 'fail'


def test_a_chain_of_rspamd_is_good_here(world):
    """Mail of Godwit's that Postfix sends back, sealed by rspamd on its way."""
    mark = world.send(world.anna, 'back@postfix.example')
    raw = wait_for(lambda: world.at_anna(mark))[0]
    said = of_godwit(raw)
    assert count(said, 'arc', 'pass') == 1 and count(said, 'dkim', 'pass') == 2, said
    text = raw[raw.index(b'ARC-'):]
    answer = world.check('arc', text)
    assert (answer['result'], [s['sealer'] for s in answer['sets']]) == ('pass', ['postfix.example']), answer
    answer = world.check('arc', text.replace(b'and so on.', b'and so off.'))
    assert (answer['result'], answer['failed_at']) == ('fail', 1), answer


@pytest.mark.parametrize('signer, sets', [('relaxed', 1), ('rspamd', 2)])
def test_a_chain_of_godwit_is_good_elsewhere(world, signer, sets):
    """Forwarded by Godwit: its set is the first one, or follows that of rspamd."""
    mark = world.send('carl@postfix.example', 'hop@godwit.example', world.far, SIGNERS[signer][0])
    raw = wait_for(lambda: world.at('dora', mark))[0]
    fields = unfold(raw)
    ours = [v for v in fields['arc-seal'] if 'd=godwit.example' in v]
    assert len(ours) == 1 and f'i={sets};' in ours[0], fields['arc-seal']
    said = of_postfix(raw)[1]
    assert count(said, 'arc', 'pass') == 1 and count(said, 'dkim', 'pass') >= 1, said
    theirs, = [v for v in fields['arc-seal'] if f'i={sets + 1};' in v]
    assert 'cv=pass' in theirs
    text = wire(raw)
    text = text[text.index(b'ARC-'):]
    answer = world.check('arc', text)
    if sets == 1:
        assert answer['result'] == 'pass', answer
    else:  # rspamd 3.4 hashes the sets before its own from the last to the first; RFC 8617, 5.1.1 wants them rising
        assert (answer['result'], answer['failed_at']) == ('fail', sets + 1), answer
        records = world.records()
        assert dkim.arc_verify(text, dnsfunc=lambda name, timeout=5: records[name.decode().rstrip('.')].encode())[0] == b'fail'
    text = text[text.index(f'ARC-Seal: i={sets};'.encode()):]
    assert world.check('arc', text)['result'] == 'pass'
    # Changed, it is a broken chain for both.
    again = f'mark-{next(_numbers)}-end'
    changed = f'X-Mark: {again}\r\n'.encode() + text.replace(b'and so on.', b'and so off.')
    world.give(POSTFIX, 'x@postfix.example', 'carl@postfix.example', changed)
    world.give(GODWIT, 'x@postfix.example', world.anna, changed)
    for said in (of_postfix(wait_for(lambda: world.at('carl', again))[0])[1], of_godwit(wait_for(lambda: world.at_anna(again))[0])):
        assert count(said, 'arc', 'pass') == 0 and count(said, 'arc', '(fail|reject)') == 1, said
