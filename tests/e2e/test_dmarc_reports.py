"""Aggregate reports of DMARC: what was judged is told to whom the domain names, once, packed and signed; not to those who do
not want it, and not about reports.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import email
import email.policy
import gzip
import imaplib
import itertools
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import dkim
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402
from knot import Knot  # noqa: E402
from wire import Smtp  # noqa: E402

GOOD, EVIL = '192.0.2.1', '2001:db8::66'
NS = '{urn:ietf:params:xml:ns:dmarc-2.0}'
numbers = itertools.count(1)
# Domain: its record.
RECORDS = {
    'reject': 'v=DMARC1; p=reject; sp=none; adkim=s; fo=1:d; rua=mailto:reports@reject.example!10m',
    'elsewhere': 'v=DMARC1; p=none; rua=mailto:r@other.example',
    'unwanted': 'v=DMARC1; p=none; rua=mailto:victim@other.example',
    'small': 'v=DMARC1; p=none; rua=mailto:reports@small.example!1k',
    'silent': 'v=DMARC1; p=none',
    'web': 'v=DMARC1; p=none; rua=https://web.example/',
}


def zone():
    lines = []
    for name, record in RECORDS.items():
        lines += [f'{name}.example. 60 IN A {GOOD}', f'{name}.example. 60 IN TXT "v=spf1 ip4:{GOOD} -all"',
                  f'_dmarc.{name}.example. 60 IN TXT "{record}"']
    return [*lines, 'elsewhere.example._report._dmarc.other.example. 60 IN TXT "v=DMARC1"', 'other.example. 60 IN A 127.0.0.1']


@pytest.fixture(scope='module')
def knot():
    k = Knot(zone()).start()
    yield k
    k.remove()


@pytest.fixture(scope='module')
def owner():
    """The server of those who get reports."""
    s = Server(domain='reject.example')
    s.start()
    s.add_domain()
    for name in ('other.example', 'small.example'):
        s.ctl('domain', 'add', name)
    for address in ('reports@reject.example', 'r@other.example', 'victim@other.example', 'reports@small.example'):
        s.ctl('account', 'add', address, stdin='secret\n')
    yield s
    s.remove()


@pytest.fixture(scope='module')
def server(knot, owner):
    to = f'127.0.0.1:{owner.ports["smtp"]}'
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1',
                      *(f'route {d}.example {to}' for d in ('reject', 'other', 'small', 'elsewhere'))])
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


def deliver(server, author, client=GOOD, subject='hello'):
    """The code of the answer to a message from there."""
    with Smtp(server.ports['smtp']) as s:
        assert s.ask(f'XCLIENT ADDR={"IPV6:" if ":" in client else ""}{client} NAME=[UNAVAILABLE]') == 220
        assert s.ask('EHLO mx.reject.example') == 250 and s.ask(f'MAIL FROM:<s@{author}>') == 250
        assert s.ask('RCPT TO:<anna@example.com>') == 250 and s.ask('DATA') == 354
        s.send(f'From: a@{author}\r\nTo: anna@example.com\r\nSubject: {subject}\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n'
               f'Message-ID: <{next(numbers)}@{author}>\r\n\r\nText.\r\n.\r\n'.encode())
        return s.reply()


def tell(server, *words):
    return json.loads(server.ctl('dmarc', 'send', *words, '--json').stdout)


def inbox(server, user):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(user, 'secret')
        m.select('INBOX', readonly=True)
        return [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in m.search(None, 'ALL')[1][0].split()]


def report_of(raw):
    """The message, the file's name, and the report."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    file, = message.iter_attachments()
    assert file.get_content_type() == 'application/gzip'
    return message, file.get_filename(), ET.fromstring(gzip.decompress(file.get_content()))


def text(element, path):
    found = element.find('/'.join(NS + p for p in path.split('/')))
    return None if found is None else found.text


def skipped(server, domain):
    return re.search(rf'ev=report\.skip .*domain={domain}\.example.*reason="([^"]*)"', server.log())


def test_what_was_judged_is_told(server, owner):
    assert deliver(server, 'reject.example') == 250
    assert deliver(server, 'reject.example') == 250
    assert deliver(server, 'reject.example', EVIL) == 550  # what is refused counts as well
    assert deliver(server, 'reject.example', subject='Report Domain: example.com Submitter: reject.example') == 250
    assert tell(server) == {'domains': 1, 'sent': 1, 'nobody': 0, 'later': 0}
    raw, = wait_for(lambda: inbox(owner, 'reports@reject.example'))
    message, name, report = report_of(raw)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    begin = int(text(report, 'report_metadata/date_range/begin'))
    assert datetime.datetime.fromtimestamp(begin, datetime.timezone.utc).date() in (today, today - datetime.timedelta(1))
    assert begin % 86400 == 0 and begin <= int(text(report, 'report_metadata/date_range/end')) < begin + 86400
    assert re.fullmatch(rf'mail\.example\.com!reject\.example!{begin}!\d+\.xml\.gz', name)
    assert message['Return-Path'] == '<>' and message['From'] == 'postmaster@example.com'
    assert message['Auto-Submitted'] == 'auto-generated'
    assert message['Subject'] == ('Report Domain: reject.example Submitter: mail.example.com Report-ID: '
                                  f'<{text(report, "report_metadata/report_id")}>')
    policy = {e.tag.replace(NS, ''): e.text for e in report.find(NS + 'policy_published')}
    assert policy == {'domain': 'reject.example', 'p': 'reject', 'sp': 'none', 'fo': '1:d', 'adkim': 's', 'aspf': 'r', 'testing': 'n'}
    rows = {text(r, 'row/source_ip'): r for r in report.findall(NS + 'record')}
    assert set(rows) == {GOOD, EVIL}

    def row(ip):
        r = rows[ip]
        return [text(r, f'row/{p}') for p in ('count', 'policy_evaluated/disposition', 'policy_evaluated/dkim', 'policy_evaluated/spf')]

    assert row(GOOD) == ['2', 'none', 'fail', 'pass']
    assert row(EVIL) == ['1', 'reject', 'fail', 'fail']
    assert text(rows[EVIL], 'identifiers/header_from') == text(rows[EVIL], 'identifiers/envelope_from') == 'reject.example'
    assert text(rows[GOOD], 'auth_results/spf/result') == 'pass' and text(rows[EVIL], 'auth_results/spf/result') == 'fail'


def test_it_is_signed(server, owner):
    raw, = inbox(owner, 'reports@reject.example')
    keys = json.loads(server.ctl('domain', 'keys', 'example.com', '--json').stdout)
    texts = {f'{k["selector"]}._domainkey.example.com.': k['record'] for k in keys}
    assert dkim.verify(raw[raw.index(b'DKIM-Signature'):], dnsfunc=lambda name, timeout=5: texts[name.decode()].encode())


def test_it_is_told_once(server, owner):
    assert tell(server) == {'domains': 0, 'sent': 0, 'nobody': 0, 'later': 0}
    assert deliver(server, 'reject.example') == 250
    assert tell(server, '--day', '2026-01-01')['domains'] == 0  # nothing was counted then
    assert tell(server)['sent'] == 1
    second = wait_for(lambda: inbox(owner, 'reports@reject.example')[1:])
    assert text(report_of(second[0])[2], 'record/row/count') == '1'


def test_whoever_is_elsewhere_must_want_it(server, owner):
    assert deliver(server, 'elsewhere.example') == 250 and deliver(server, 'unwanted.example') == 250
    assert tell(server) == {'domains': 2, 'sent': 1, 'nobody': 1, 'later': 0}
    raw, = wait_for(lambda: inbox(owner, 'r@other.example'))
    assert text(report_of(raw)[2], 'policy_published/domain') == 'elsewhere.example'
    assert skipped(server, 'unwanted').group(1) == 'its domain does not say that it takes them'
    assert inbox(owner, 'victim@other.example') == []


def test_nobody_gets_it_who_cannot(server, owner):
    for domain in ('small', 'silent', 'web'):
        assert deliver(server, f'{domain}.example') == 250
    assert tell(server) == {'domains': 2, 'sent': 0, 'nobody': 2, 'later': 0}  # "silent" is not even counted
    assert skipped(server, 'small').group(1) == 'larger than they want it'
    assert inbox(owner, 'reports@small.example') == []


def test_what_was_counted_outlives_the_server(server, owner):
    assert deliver(server, 'elsewhere.example') == 250
    server.stop()
    server.start()
    wait_for(lambda: tell(server)['sent'] == 1)  # once role out is there
    assert wait_for(lambda: inbox(owner, 'r@other.example')[1:])


def test_without_dns_it_waits(server, knot, owner):
    assert deliver(server, 'reject.example') == 250
    before = len(inbox(owner, 'reports@reject.example'))
    knot.stop()
    server.stop()  # and what it has kept of DNS is gone
    server.start()
    assert tell(server) == {'domains': 1, 'sent': 0, 'nobody': 0, 'later': 1}
    knot.again(zone())
    server.stop()  # the resolver remembers that nobody answered
    server.start()
    wait_for(lambda: tell(server)['sent'] == 1)
    assert wait_for(lambda: len(inbox(owner, 'reports@reject.example')) == before + 1)


def test_off_means_none(knot):
    s = Server(extra=[f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'reports off'])
    try:
        s.start()
        s.add_domain()
        s.add_account('anna')
        assert deliver(s, 'reject.example') == 250
        refused = subprocess.run([s.program, 'dmarc', 'send', '-c', s.config], capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 1 and 'reports off' in refused.stderr
    finally:
        s.remove()
