"""Godwit and Postfix as two hosts of a small Internet: network namespaces, real ports, a DNS server with a signed zone.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import email
import imaplib
import itertools
import json
import os
import re
import signal
import smtplib
import ssl
import time

import dkim
import netns
import pytest
from godwit import Server, wait_for
from postfix import Postfix
from report import parse_report

TLS = ssl._create_unverified_context()
MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
_numbers = itertools.count(1)
PORTS = ['listen smtp *:25', 'listen submission *:587', 'listen imaps *:993']
DOMAINS = ['postfix.example', 'second.example', 'noaddress.example', 'six.example', 'implicit.example', 'insecure.example']
RECORDS = '''ready.example. TXT "yes"
godwit.example. MX 10 mail.godwit.example.
mail.godwit.example. A 10.66.0.2
2.0.66.10.in-addr.arpa. PTR mail.godwit.example.
branch.example. MX 10 mail.branch.example.
mail.branch.example. A 10.66.0.4
postfix.example. MX 10 mx.postfix.example.
mx.postfix.example. A 10.66.0.3
second.example. MX 10 closed.second.example.
second.example. MX 20 mx.postfix.example.
closed.second.example. A 10.66.0.53
noaddress.example. MX 10 nowhere.noaddress.example.
noaddress.example. MX 20 mx.postfix.example.
unroutable.example. MX 10 nowhere.unroutable.example.
six.example. MX 10 mx.six.example.
mx.six.example. AAAA fd66::3
implicit.example. A 10.66.0.3
null.example. MX 0 .
textonly.example. TXT "no host, no mail"'''.splitlines()


class World:
    """Two Godwits and a Postfix.  branch sends everything through Postfix, with a log-in."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        ca = os.path.join(self.net.dir, 'ca.pem')
        self.host = self.net.add('godwit', 2)
        self.far = self.net.add('postfix', 3)
        self.branch_host = self.net.add('branch', 4, {'/etc/ssl/certs/ca-certificates.crt': ca})
        self.server = self._server('godwit.example', self.host, ['resolver 10.66.0.53:53', *PORTS])
        secret = os.path.join(self.net.dir, 'secret')
        self.branch = self._server('branch.example', self.branch_host, [
            f'smarthost mx.postfix.example:587 user branch@postfix.example password-file {secret}',
            'resolver 10.66.0.53:53 no-dnssec', *PORTS])
        trusted = os.path.join(self.net.dir, 'trusted.pem')
        with open(trusted, 'wb') as out:
            for s in (self.server, self.branch):
                with open(s.cert, 'rb') as cert:
                    out.write(cert.read())
        self.postfix = Postfix(self.far, 'mx.postfix.example', DOMAINS, ['carl', 'dora', 'emil', 'busy', 'slow'], trusted)
        self.close.callback(self.postfix.close)
        with open(self.postfix.cert, 'rb') as cert, open(ca, 'wb') as out:
            out.write(cert.read())
        self.postfix.restrict('recipients', {'busy@postfix.example': 'DEFER come back soon'})
        self.postfix.add_login('branch', 'postfix.example', 'open sesame')
        with open(secret, 'w', encoding='ascii') as f:
            f.write('open sesame\n')
        self.server.start().add_domain()
        self.branch.start().add_domain()
        self.anna, self.bert = self.server.add_account('anna'), self.server.add_account('bert')
        domain = json.loads(self.server.ctl('domain', 'list', '--json').stdout)[0]
        record = domain['dkim_record']
        cut = ' '.join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))
        self.net.serve_dns([*RECORDS, f'{domain["selector"]}._domainkey.godwit.example. TXT {cut}'])
        self.postfix.start()

    def _server(self, domain, host, extra):
        s = Server(domain=domain, extra=extra, prefix=host.prefix)
        self.close.callback(s.remove)
        return s

    def submit(self, to, mail=None, user=None, server=None, host=None):
        """Returns what stands in the Subject and nowhere else."""
        mark = f'mark-{next(_numbers)}-end'
        user, host = user or self.anna, host or self.host
        head = f'From: {user}\r\nTo: {", ".join(to)}\r\nSubject: {mark}\r\n'.encode()
        with host.inside(), smtplib.SMTP('127.0.0.1', 587) as s:
            s.starttls(context=TLS)
            s.login(user, 'secret')
            s.sendmail(user, to, head + (mail or b'\r\nhello\r\n'), ['BODY=8BITMIME'])
        return mark

    def from_postfix(self, to, mail):
        mark = f'mark-{next(_numbers)}-end'
        head = f'From: carl@postfix.example\r\nTo: {to}\r\nSubject: {mark}\r\n'.encode()
        with self.far.inside(), smtplib.SMTP('127.0.0.1', 25) as s:
            s.sendmail('carl@postfix.example', [to], head + mail, ['BODY=8BITMIME'])
        return mark

    def inbox(self, address, mark):
        """Messages that hold the mark, as IMAP gives them."""
        with self.host.inside(), imaplib.IMAP4_SSL('127.0.0.1', 993, ssl_context=TLS) as m:
            m.login(address, 'secret')
            m.select('INBOX', readonly=True)
            found = m.search(None, 'TEXT', mark)[1][0].split()
            return [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found]

    def maildir(self, address, mark):
        return [m for m in self.postfix.mail(address) if mark.encode() in m]

    def arrives(self, address, mark):
        """The one message with the mark in a Maildir of Postfix."""
        found = wait_for(lambda: self.maildir(address, mark), 60)
        assert len(found) == 1
        return found[0]

    def report(self, to):
        """Submits to an address that fails; returns the report's only recipient's fields, and the report."""
        mark = self.submit([to])
        raw = wait_for(lambda: [m for m in self.inbox(self.anna, mark) if b'multipart/report' in m])[0]
        message, rcpts, original = parse_report(raw, 'mail.godwit.example')
        assert message['To'] == f'<{self.anna}>'
        assert f'Subject: {mark}' in original.get_payload()
        assert [r['final-recipient'] for r in rcpts] == [f'rfc822; {to}'] and rcpts[0]['action'] == 'failed'
        wait_for(lambda: not self.queued(to))
        return rcpts[0]

    def queued(self, to, server=None):
        messages = json.loads((server or self.server).ctl('queue', 'list', '--json').stdout)
        return [r for m in messages for r in m['recipients'] if r['address'] == to and r['state'] in ('waiting', 'under way')]

    def attempts(self, domain):
        """Hosts that were tried for a domain, in order."""
        return re.findall(rf'ev=out\.attempt .*domain={domain} host=(\S+)', self.server.log())


@pytest.fixture(scope='module')
def world():
    w = None
    with contextlib.ExitStack() as stack:
        w = World.__new__(World)
        stack.callback(lambda: w.close.close())
        w.__init__()
        # Its second attempt comes by itself, a minute later: the last test waits for it.
        w.early = w.submit(['busy@postfix.example'])
        yield w


def test_a_deferred_recipient_waits(world):
    waiting = wait_for(lambda: [r for r in world.queued('busy@postfix.example') if r['tries'] >= 1])[0]
    assert waiting['code'] == 450 and 'come back soon' in waiting['text']
    assert world.maildir('busy@postfix.example', world.early) == []
    world.postfix.restrict('recipients', {})  # and from now on it is welcome


def body_of(message):
    return re.split(rb'\r?\n\r?\n', message, maxsplit=1)[1]


def test_postfix_sends_to_godwit_under_tls(world):
    text = 'Grüße\r\n.\r\n..two\r\ntrailing blank \r\n\r\n\r\nFrom here\r\n'.encode() + b'x' * 990 + b'\r\n'
    mark = world.from_postfix(world.anna, b'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
                              + text)
    raw = wait_for(lambda: world.inbox(world.anna, mark))[0]
    assert body_of(raw) == text
    message = email.message_from_bytes(raw)
    assert message['Return-Path'] == '<carl@postfix.example>'
    ours, theirs = [' '.join(r.split()) for r in message.get_all('Received')]
    assert re.match(r'from mx\.postfix\.example \(\[10\.66\.0\.3\]\) by mail\.godwit\.example with ESMTPS ', ours), ours
    assert 'TLSv1.3' in ours and 'by mx.postfix.example (Postfix)' in theirs
    # Postfix checks the certificate, or it does not send.
    assert 'Verified TLS connection established to mail.godwit.example[10.66.0.2]:25' in world.postfix.log()


def test_a_user_sends_to_postfix_signed_and_without_bcc(world):
    text = 'Grüße\r\n.\r\n..two\r\n\r\ntrailing blank \r\n'.encode()
    mark = world.submit(['carl@postfix.example', 'dora@postfix.example'],
                        b'Bcc: dora@postfix.example\r\nContent-Type: text/plain; charset=utf-8\r\n'
                        b'Content-Transfer-Encoding: 8bit\r\n\r\n' + text + b'z' * 1500 + b'\r\n')
    raw = world.arrives('carl@postfix.example', mark)
    # The long line is folded before the signature is made.
    assert body_of(raw) == text.replace(b'\r\n', b'\n') + b'z' * 998 + b'\n ' + b'z' * 502 + b'\n'
    assert b'bcc' not in raw.lower() and b'bcc' not in world.arrives('dora@postfix.example', mark).lower()
    message = email.message_from_bytes(raw)
    assert len(message.get_all('DKIM-Signature')) == 1 and len(message.get_all('Return-Path')) == 1
    assert message['Date'] and message['Message-ID'].endswith('@mail.godwit.example>')

    def dns(name, timeout=5):
        return (world.net.txt(name.decode()) or [None])[0]
    verifier = dkim.DKIM(raw.replace(b'\n', b'\r\n'))
    assert verifier.verify(dnsfunc=dns) and verifier.domain == b'godwit.example'
    theirs, ours = [' '.join(r.split()) for r in message.get_all('Received')]
    assert re.match(r'from mail\.godwit\.example \(mail\.godwit\.example \[10\.66\.0\.2\]\).*TLSv1\.3.*by mx\.postfix\.example', theirs), theirs
    assert re.match(r'from .*by mail\.godwit\.example .*with ESMTPSA ', ours), ours


def test_a_forward_comes_from_our_domain(world):
    world.server.ctl('alias', 'set', 'away@godwit.example', 'dora@postfix.example')
    mark = world.from_postfix('away@godwit.example', b'\r\nhello\r\n')
    message = email.message_from_bytes(world.arrives('dora@postfix.example', mark))
    assert re.fullmatch(r'<SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=postfix\.example=carl@godwit\.example>', message['Return-Path'])
    assert len(message.get_all('Return-Path')) == 1 and message['From'] == 'carl@postfix.example'


def test_the_bounce_of_a_forward_comes_back_to_who_wrote(world):
    """Postfix takes the forwarded message and then cannot deliver it: its report goes to the rewritten sender."""
    world.postfix.bounce('ghost@postfix.example')
    world.server.ctl('alias', 'set', 'gone@godwit.example', 'ghost@postfix.example')
    mark = world.from_postfix('gone@godwit.example', b'\r\nhello\r\n')
    report = email.message_from_bytes(world.arrives('carl@postfix.example', mark))
    assert report.get_content_type() == 'multipart/report' and report['Return-Path'] == '<>'
    assert 'MAILER-DAEMON@mx.postfix.example' in report['From']
    assert report['To'].startswith('SRS0=') and report['To'].endswith('=postfix.example=carl@godwit.example')
    assert any('by mail.godwit.example' in ' '.join(r.split()) for r in report.get_all('Received'))
    wait_for(lambda: not world.queued('carl@postfix.example'))


def test_servers_that_forward_to_each_other_end_with_one_report(world):
    """Godwit's account is forwarded to another Godwit, which sends all back by way of Postfix."""
    loop = world.branch.add_account('loop')
    world.server.ctl('account', 'forward', world.bert, loop, '--no-keep')
    world.branch.ctl('account', 'forward', loop, world.bert, '--no-keep')
    mark = world.from_postfix(world.bert, b'\r\nround and round\r\n')
    report = email.message_from_bytes(world.arrives('carl@postfix.example', mark))
    assert report.get_content_type() == 'multipart/report'
    wait_for(lambda: not json.loads(world.branch.ctl('queue', 'list', '--json').stdout))
    assert len(world.maildir('carl@postfix.example', mark)) == 1
    world.server.ctl('account', 'forward', world.bert, '--off')


def test_recipients_at_one_host_share_a_transaction(world):
    to = ['carl@postfix.example', 'dora@postfix.example', 'emil@postfix.example']
    mark = world.submit(to)
    copies = [world.arrives(a, mark) for a in to]
    ids = {re.search(rb'by mx\.postfix\.example \(Postfix\) with ESMTPS id (\w+)', c).group(1).decode() for c in copies}
    assert len(ids) == 1
    assert re.search(rf'{ids.pop()}: from=<anna@godwit\.example>, size=\d+, nrcpt=3 ', world.postfix.log())


def test_a_refused_recipient_comes_back_as_a_report(world):
    r = world.report('nobody@postfix.example')
    assert r['status'] == '5.1.1' and r['remote-mta'] == 'dns; mx.postfix.example'
    assert r['diagnostic-code'].startswith('smtp; 550 ') and 'User unknown' in r['diagnostic-code']


def test_one_refused_recipient_of_two(world):
    mark = world.submit(['carl@postfix.example', 'nobody@postfix.example'])
    world.arrives('carl@postfix.example', mark)
    raw = wait_for(lambda: world.inbox(world.anna, mark))[0]
    rcpts = parse_report(raw, 'mail.godwit.example')[1]
    assert [r['final-recipient'] for r in rcpts] == ['rfc822; nobody@postfix.example']


def test_a_dead_first_mx_leads_to_the_second(world):
    world.arrives('carl@second.example', world.submit(['carl@second.example']))
    assert world.attempts('second.example') == ['closed.second.example', 'mx.postfix.example']


def test_an_mx_without_address_leads_to_the_second(world):
    world.arrives('carl@noaddress.example', world.submit(['carl@noaddress.example']))


def test_a_domain_whose_only_mx_has_no_address_fails(world):
    assert world.report('carl@unroutable.example')['status'] == '5.4.4'


def test_a_domain_without_mx_and_without_address_fails(world):
    assert world.report('carl@textonly.example')['status'] == '5.4.4'


def test_a_domain_without_mx_is_its_own_host(world):
    world.arrives('carl@implicit.example', world.submit(['carl@implicit.example']))


def test_a_null_mx_fails_at_once(world):
    r = world.report('carl@null.example')
    assert r['status'] == '5.1.10' and 'remote-mta' not in r


def test_a_domain_that_does_not_exist_fails_at_once(world):
    assert world.report('carl@nowhere.example')['status'] == '5.1.2'


def test_a_zone_that_breaks_its_signature_is_tried_later(world):
    world.submit(['carl@bogus.example'])
    wait_for(lambda: [r for r in world.queued('carl@bogus.example') if r['tries'] == 1], 60)
    assert world.attempts('bogus.example') == []


def test_a_host_with_ipv6_only(world):
    raw = world.arrives('carl@six.example', world.submit(['carl@six.example']))
    assert b'[IPv6:fd66::2]' in raw


def test_five_megabytes_both_ways(world):
    text = b''.join(b'line %d ' % i + b'x' * 60 + b'\r\n' for i in range(70000))
    mark = world.submit(['carl@postfix.example'], b'\r\n' + text)
    raw = world.arrives('carl@postfix.example', mark)
    assert body_of(raw) == text.replace(b'\r\n', b'\n')
    back = world.from_postfix(world.bert, b'\r\n' + text)
    assert body_of(wait_for(lambda: world.inbox(world.bert, back))[0]) == text


def test_a_message_too_large_for_the_other_side_comes_back(world):
    mark = world.submit(['carl@postfix.example'], b'\r\n' + b'x' * 78 + b'\r\n' + (b'y' * 78 + b'\r\n') * 260000)
    raw = wait_for(lambda: [m for m in world.inbox(world.anna, mark) if b'multipart/report' in m], 60)[0]
    assert parse_report(raw, 'mail.godwit.example')[1][0]['status'] == '5.3.4'


def test_smarthost_with_login_under_verified_tls(world):
    user = world.branch.add_account('fred')
    mark = world.submit(['carl@postfix.example'], user=user, host=world.branch_host)
    raw = world.arrives('carl@postfix.example', mark)
    assert b'(Authenticated sender: branch@postfix.example)' in raw and b'with ESMTPSA' in raw
    # What is not Postfix's own goes there as well, and from there to its host.
    far = world.submit([world.bert], user=user, host=world.branch_host)
    got = email.message_from_bytes(wait_for(lambda: world.inbox(world.bert, far))[0])
    assert ['mail.godwit.example', 'mx.postfix.example', 'mail.branch.example'] == [
        re.search(r'\sby (\S+)', r).group(1) for r in got.get_all('Received')]


def test_the_password_goes_to_no_stranger(world):
    """Whoever answers at the smarthost's name with another certificate gets neither password nor mail."""
    impostor = world.branch
    with open(os.path.join(world.net.dir, 'ca.pem'), 'wb') as f, open(world.server.cert, 'rb') as other:
        f.write(other.read())
    os.kill(impostor.roles()['out.0'], signal.SIGKILL)
    user = impostor.add_account('gina')
    before = world.postfix.log().count('sasl_username')
    mark = world.submit(['dora@postfix.example'], user=user, host=world.branch_host)
    wait_for(lambda: [r for r in world.queued('dora@postfix.example', impostor) if r['tries'] >= 1], 60)
    assert world.postfix.log().count('sasl_username') == before
    assert world.maildir('dora@postfix.example', mark) == []


def kill_out(server):
    pid = server.roles()['out.0']
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.roles().get('out.0', pid) != pid)


def test_out_dies_while_the_message_is_on_its_way(world):
    text = b''.join(b'line %d ' % i + b'x' * 60 + b'\r\n' for i in range(70000))
    world.host.slow('24mbit')
    marks = [world.submit(['emil@postfix.example'], b'\r\n' + text)]
    with_body = 'connect from mail.godwit.example'
    seen = world.postfix.log().count(with_body)
    wait_for(lambda: world.postfix.log().count(with_body) > seen or world.queued('emil@postfix.example'))
    time.sleep(0.7)
    assert world.maildir('emil@postfix.example', marks[0]) == []
    kill_out(world.server)
    world.host.slow(None)
    found = wait_for(lambda: world.maildir('emil@postfix.example', marks[0]), 60)
    assert [body_of(m) for m in found] == [text.replace(b'\r\n', b'\n')]
    wait_for(lambda: not world.queued('emil@postfix.example'))


def test_out_dies_before_it_hears_the_answer(world):
    """The other server has the message and is slow to say so: again, so twice, and never lost."""
    world.postfix.restrict('after_data', {'slow@postfix.example': 'sleep 3'})
    mark = world.submit(['slow@postfix.example'])
    wait_for(lambda: world.queued('slow@postfix.example'))
    time.sleep(1)
    kill_out(world.server)
    wait_for(lambda: world.maildir('slow@postfix.example', mark), 60)
    wait_for(lambda: not world.queued('slow@postfix.example'), 60)
    assert 1 <= len(world.maildir('slow@postfix.example', mark)) <= 2


def test_out_dies_again_and_again(world):
    marks = [world.submit(['dora@postfix.example']) for _ in range(8)]
    for pause in (0, 0.05, 0.2):
        time.sleep(pause)
        kill_out(world.server)
    wait_for(lambda: all(world.maildir('dora@postfix.example', m) for m in marks), 90)
    wait_for(lambda: not world.queued('dora@postfix.example'))


def test_a_deferred_recipient_was_tried_again_by_itself(world):
    assert world.arrives('busy@postfix.example', world.early)
    wait_for(lambda: not world.queued('busy@postfix.example'))
