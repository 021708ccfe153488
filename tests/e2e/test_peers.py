"""Godwit and the other mail servers of the world, in both directions: each a host of a small Internet, with TLS that must verify.
Every message arrives at least once and never twice.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import email
import imaplib
import itertools
import json
import re
import smtplib
import ssl

import dkim
import mtas
import netns
import peer as peers
import pytest
from godwit import Server, wait_for

TLS = ssl._create_unverified_context()
MISSING = netns.missing() or netns.no_mounts() or peers.no_overlays()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
KINDS = {'exim': mtas.Exim, 'opensmtpd': mtas.OpenSmtpd, 'sendmail': mtas.Sendmail, 'courier': mtas.Courier}
PORTS = ['listen smtp *:25', 'listen submission *:587', 'listen imaps *:993']
_numbers = itertools.count(1)
EIGHT = b'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'


class World:
    """A Godwit and one host for each of the others."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        tree = peers.unpack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        self.host = self.net.add('godwit', 2)
        self.server = Server(domain='godwit.example', prefix=self.host.prefix, extra=['resolver 10.66.0.53:53', *PORTS])
        self.close.callback(self.server.remove)
        self.server.start().add_domain()
        self.anna, self.bert = self.server.add_account('anna'), self.server.add_account('bert')
        self.server.ctl('account', 'add', '--quota', '4K', 'full@godwit.example', stdin='secret\n')
        self.server.ctl('alias', 'set', 'jürgen@godwit.example', self.anna)
        domain = json.loads(self.server.ctl('domain', 'list', '--json').stdout)[0]
        record = domain['dkim_record']
        cut = ' '.join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
        records = ['ready.example. TXT "yes"', 'godwit.example. MX 10 mail.godwit.example.', 'mail.godwit.example. A 10.66.0.2',
                   '2.0.66.10.in-addr.arpa. PTR mail.godwit.example.',
                   f'{domain["selector"]}._domainkey.godwit.example. TXT {cut}']
        self.peers = {}
        for number, (name, kind) in enumerate(KINDS.items(), 10):
            host = self.net.add(name, number)
            loop = f'loop-{name}@godwit.example'
            self.server.ctl('alias', 'set', loop, f'loop@{name}.example')
            self.peers[name] = kind(host, tree, f'{name}.example', ['carl', 'dora', 'emil', 'busy'],
                                    {'loop': loop, 'dörte': 'dora'}, self.server.cert)
            self.close.callback(self.peers[name].close)
            records += [f'{name}.example. MX 10 mx.{name}.example.', f'mx.{name}.example. A {host.v4}',
                        f'{number}.0.66.10.in-addr.arpa. PTR mx.{name}.example.']
        self.net.serve_dns(records)
        for p in self.peers.values():
            p.start()

    def submit(self, to, mail=b'\r\nhello\r\n', user=None, options=(), rcpt_options=()):
        """Returns what stands in the Subject and nowhere else."""
        mark = f'mark-{next(_numbers)}-end'
        head = f'From: {user or self.anna}\r\nTo: {", ".join(to)}\r\nSubject: {mark}\r\n'.encode()
        with self.host.inside(), smtplib.SMTP('127.0.0.1', 587, timeout=120) as s:
            s.starttls(context=TLS)
            s.login(user or self.anna, 'secret')
            s.sendmail(user or self.anna, to, head + mail, ['BODY=8BITMIME', *options], list(rcpt_options))
        return mark

    def inbox(self, address, mark):
        """Messages that hold the mark, as IMAP gives them."""
        with self.host.inside(), imaplib.IMAP4_SSL('127.0.0.1', 993, ssl_context=TLS) as m:
            m.login(address, 'secret')
            m.select('INBOX', readonly=True)
            found = m.search(None, 'TEXT', mark)[1][0].split()
            return [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found]

    def arrived(self, address, mark):
        """The one message with the mark that is there; not twice, as the sender's queue is empty."""
        wait_for(lambda: self.inbox(address, mark), 90)
        return _one(self.inbox(address, mark))

    def queued(self, to):
        messages = json.loads(self.server.ctl('queue', 'list', '--json').stdout)
        return [r for m in messages for r in m['recipients'] if r['address'] == to and r['state'] in ('waiting', 'under way')]

    def delivered(self, peer, user, mark):
        """The one copy that the other server put into its Maildir, when nothing is left to send."""
        def found():
            return [m for m in peer.mail(user) if mark.encode() in m]
        try:
            wait_for(found, 90)
        except TimeoutError as e:
            raise AssertionError(peer.log()[-4000:] + self.server.log()[-4000:]) from e
        wait_for(lambda: not self.queued(f'{user}@{peer.domain}'))
        return _one(found())


def _one(found):
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope='module')
def world():
    w = World.__new__(World)
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: w.close.close())
        w.__init__()
        yield w


@pytest.fixture(params=KINDS)
def peer(request, world):
    return world.peers[request.param]


def give(peer, to, mail=b'\r\nhello\r\n', sender='carl', options=(), rcpt_options=()):
    """The other server sends; returns what stands in the Subject and nowhere else."""
    mark = f'mark-{next(_numbers)}-end'
    address = f'{sender}@{peer.domain}'
    head = f'From: {address}\r\nTo: {", ".join(to)}\r\nSubject: {mark}\r\nMessage-ID: <{mark}@{peer.name}>\r\n' \
           'Date: Mon, 02 Mar 2026 10:00:00 +0000\r\n'
    peer.send(address, to, head.encode() + mail, options, rcpt_options)
    return mark


def body_of(message):
    return re.split(rb'\r?\n\r?\n', message, maxsplit=1)[1]


def hard_text(line):
    """What goes wrong where somebody copies carelessly: dots, blanks, empty lines, 8 bits, a line of that length."""
    return ('Grüße\r\n.\r\n..two\r\n.x\r\ntrailing blank \r\n\r\n\r\n' + 'x' * line + '\r\n.' + 'y' * (line - 2) + '\r\n').encode()


def test_they_send_under_tls_and_nothing_is_changed(world, peer):
    text = hard_text(peer.LINE)
    mark = give(peer, [world.anna], EIGHT + text, options=['BODY=8BITMIME'])
    raw = world.arrived(world.anna, mark)
    assert body_of(raw) == text
    message = email.message_from_bytes(raw)
    assert message['Return-Path'] == f'<carl@{peer.domain}>'
    ours = ' '.join(message.get_all('Received')[0].split())
    assert re.match(rf'from {re.escape(peer.name)} \(.*\[{re.escape(peer.host.v4)}\]\) by mail\.godwit\.example with (ESMTPS|UTF8SMTPS) ',
                    ours), ours
    assert 'TLSv1.3' in ours


def test_we_send_under_tls_and_the_signature_holds(world, peer):
    text = hard_text(998)
    mark = world.submit([f'carl@{peer.domain}'], EIGHT + text)
    raw = world.delivered(peer, 'carl', mark)
    assert body_of(raw) == text.replace(b'\r\n', b'\n')

    def dns(name, timeout=5):
        return (world.net.txt(name.decode()) or [None])[0]
    assert dkim.verify(raw.replace(b'\n', b'\r\n'), dnsfunc=dns)
    theirs = ' '.join(email.message_from_bytes(raw).get_all('Received')[0].split())
    assert 'mail.godwit.example' in theirs
    # Where the handshake fails, the mail goes in clear, as opportunism has it (RFC 7435).
    assert bool(re.search(r'TLSv?1\.?3', theirs)) == peer.SERVES_TLS, theirs


def test_they_send_smtputf8(world, peer):
    if not peer.SMTPUTF8:
        with peer.host.inside(), smtplib.SMTP('127.0.0.1', 25) as s:
            s.ehlo()
            assert not s.has_extn('smtputf8')
        return
    mark = give(peer, ['jürgen@godwit.example'], 'X-Gruß: schön\r\n'.encode() + EIGHT + 'ö\r\n'.encode(),
                options=['SMTPUTF8', 'BODY=8BITMIME'])
    raw = world.arrived(world.anna, mark)
    assert 'To: jürgen@godwit.example\r\n'.encode() in raw and 'X-Gruß: schön\r\n'.encode() in raw
    assert b'with UTF8SMTPS ' in b' '.join(raw.split()) and body_of(raw) == 'ö\r\n'.encode()


def test_we_send_smtputf8(world, peer):
    to = f'dörte@{peer.domain}'
    mark = world.submit([to], 'X-Gruß: schön\r\n'.encode() + EIGHT + 'ö\r\n'.encode(), options=['SMTPUTF8'])
    if peer.SMTPUTF8:
        raw = world.delivered(peer, 'dora', mark)
        assert f'To: {to}\n'.encode() in raw and 'X-Gruß: schön\n'.encode() in raw
    else:
        report = email.message_from_bytes(world.arrived(world.anna, mark))
        assert report.get_content_type() == 'multipart/report' and '5.6.7' in str(report.get_payload(1))
    wait_for(lambda: not world.queued(to))


def fields_of(raw, kind='multipart/report'):
    report = email.message_from_bytes(raw)
    assert report.get_content_type() in ('multipart/report', kind) and report['Return-Path'] == '<>', raw
    return str(report.get_payload(1))


def test_success_is_reported_by_them(world, peer):
    """NOTIFY, ENVID and ORCPT go on to a server with DSN, which reports to our user by them (RFC 3461 sections 4 and 6)."""
    to = f'emil@{peer.domain}'
    mark = world.submit([to], user=world.bert, options=['RET=HDRS', 'ENVID=id+2B7'],
                        rcpt_options=['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;first+2Bname@alias.example'])
    world.delivered(peer, 'emil', mark)
    fields = fields_of(world.arrived(world.bert, mark), peer.REPORT)
    assert f'Reporting-MTA: dns; {peer.name}' in fields or f'Reporting-MTA: dns;{peer.name}' in fields
    assert re.search(r'^Action: delivered', fields, re.M)
    if peer.REPORTS_ENVID:  # Exim leaves the xtext of both as it came
        assert re.search(r'^Original-Envelope-Id: id\+(2B)?7', fields, re.M | re.I)
        assert re.search(r'^Original-Recipient: rfc822; ?first\+(2B)?name@alias\.example', fields, re.M)


def test_success_is_reported_to_them_as_relayed(world, peer):
    """Godwit offers no DSN to strangers: the other server says itself that it passed the message on."""
    mark = give(peer, [world.anna], sender='dora', options=['RET=HDRS', 'ENVID=id8'],
                rcpt_options=['NOTIFY=SUCCESS', f'ORCPT=rfc822;{world.anna}'])
    world.arrived(world.anna, mark)
    report = world.delivered(peer, 'dora', mark)
    assert re.search(rb'^Action: relayed|relayed to non-DSN-aware', report, re.M)  # the latter is how Exim says it
    assert not peer.REPORTS_ENVID or re.search(rb'^Original-Envelope-Id: id8', report, re.M | re.I)


def large(megabytes):
    return b''.join(b'line %07d ' % i + b'x' * 65 + b'\r\n' for i in range(megabytes * 12500))


def test_megabytes_both_ways(world, peer):
    text = large(40 if isinstance(peer, mtas.Exim) else 5)
    mark = world.submit([f'carl@{peer.domain}'], b'\r\n' + text)
    back = give(peer, [world.bert], b'\r\n' + text)
    assert body_of(world.delivered(peer, 'carl', mark)) == text.replace(b'\r\n', b'\n')
    assert body_of(world.arrived(world.bert, back)) == text
    if peer.CHUNKING:  # Exim says K of a message that came, or went, by BDAT
        log = peer.log()
        assert re.search(r' <= anna@godwit\.example .* K ', log) and re.search(r' => bert@godwit\.example .* K ', log)


def test_we_send_to_two_and_one_is_refused(world, peer):
    mark = world.submit([f'carl@{peer.domain}', f'nobody-here@{peer.domain}'])
    world.delivered(peer, 'carl', mark)
    fields = fields_of(world.arrived(world.anna, mark))
    assert f'Final-Recipient: rfc822; nobody-here@{peer.domain}' in fields and f'carl@{peer.domain}' not in fields
    assert 'Action: failed' in fields and re.search(r'Diagnostic-Code: smtp; 5\d\d ', fields)


def test_they_send_to_two_and_one_is_refused(world, peer):
    mark = give(peer, [world.anna, 'nobody-here@godwit.example'], sender='emil')
    world.arrived(world.anna, mark)
    report = world.delivered(peer, 'emil', mark)
    assert b'nobody-here@godwit.example' in report and b'5.1.1' in report
    assert re.search(rb'^Action: failed', report, re.M)


def test_we_are_told_to_come_later(world, peer):
    peer.defer('busy')
    to = f'busy@{peer.domain}'
    mark = world.submit([to])
    waiting = wait_for(lambda: [r for r in world.queued(to) if r['tries'] == 1])[0]
    assert waiting['code'] // 100 == 4 and peer.DEFERRAL in waiting['text'], waiting
    assert peer.mail('busy') == []
    peer.defer(None)
    until(world, to)
    world.delivered(peer, 'busy', mark)


def until(world, to):
    """An operator who says retry until it is gone."""
    def gone():
        world.server.ctl('queue', 'retry', 'all')
        return not world.queued(to)
    wait_for(gone, 90, 0.5)


def test_they_are_told_to_come_later(world, peer):
    """452, as the mailbox has no room; then it has."""
    to = 'full@godwit.example'
    world.server.ctl('account', 'quota', to, '1K')
    before = world.server.log().count('code=452')
    mark = give(peer, [to], b'\r\n' + large(1)[:20000])
    wait_for(lambda: world.server.log().count('code=452') > before)
    assert world.inbox(to, mark) == []
    world.server.ctl('account', 'quota', to, '1G')
    wait_for(lambda: peer.retry() or world.inbox(to, mark), 120, 1)
    _one(world.inbox(to, mark))


def test_they_are_down_and_come_back(world, peer):
    peer.stop()
    to = f'carl@{peer.domain}'
    mark = world.submit([to])
    wait_for(lambda: [r for r in world.queued(to) if r['tries'] >= 1])
    peer.start()
    until(world, to)
    world.delivered(peer, 'carl', mark)


def test_we_are_down_and_come_back(world, peer):
    world.server.stop()
    mark = give(peer, [world.anna])
    world.server.start()
    wait_for(lambda: peer.retry() or world.inbox(world.anna, mark), 120, 1)
    world.arrived(world.anna, mark)


def test_a_loop_of_aliases_ends_in_one_report(world, peer):
    mark = world.submit([f'loop-{peer.domain.split(".")[0]}@godwit.example'], user=world.bert)
    report = world.arrived(world.bert, mark)
    assert re.search(r'^Action: failed', fields_of(report, peer.REPORT), re.M)
    wait_for(lambda: not world.queued(f'loop@{peer.domain}'))
    _one(world.inbox(world.bert, mark))
