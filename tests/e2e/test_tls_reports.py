"""Reports about TLS (RFC 8460): each session is told to the domain it was with, once a day, under the policy that held; also
to a domain whose TLS fails.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import email
import email.policy
import gzip
import json
import re
import smtplib

import dkim
import netns
import pytest
from certs import Authority, tlsa
from godwit import Server, wait_for
from scripted import OFFERS, Script
from test_transport import PORTS, TLS_OFFERS, Peer, Policies, at, policy

MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
RUA = {'good': 'mailto:tls@good.example', 'forged': 'https://web.example/,mailto:tls%2B1@forged.example',
       'web': 'https://web.example/', 'tests': 'mailto:tls@tests.example'}


class World:
    def __init__(self, close):
        self.close, self.peers, self.next = close, {}, 10
        self.net = netns.Net()
        close.callback(self.net.close)
        ca = Authority(self.net.dir)
        trust = {'/etc/ssl/certs/ca-certificates.crt': ca.cert}
        self.near, self.far = self.net.add('near', 2, trust), self.net.add('peers', 3, trust)
        self.records = ['ready.example. TXT "yes"']
        own, other = ca.alone('whoever.example'), ca.alone('thief.example')
        self.peer('good', own, tlsa(own[0]))
        self.peer('forged', other, tlsa(own[0]))
        self.peer('web', None)
        self.peer('silent', own)
        self.peer('tests', own)
        with self.far.inside():
            web = Policies(at(self.address()), ca.sign('mta-sts.tests.example'), own)
        close.callback(web.close)
        web.policies['tests.example'] = policy('mail.tests.example', 'testing')
        self.records += [f'mta-sts.tests.example. A {at(self.next)}', '_mta-sts.tests.example. TXT "v=STSv1; id=1;"']
        self.records += [f'_smtp._tls.{name}.example. TXT "v=TLSRPTv1; rua={rua}"' for name, rua in RUA.items()]
        self.net.serve_dns(self.records)
        self.server = Server(domain='near.example', extra=[f'resolver {at(netns.DNS)}:53', *PORTS], prefix=self.near.prefix)
        close.callback(self.server.remove)
        self.server.start().add_domain()
        self.server.add_account('anna')

    def address(self):
        self.next += 1
        netns.ip('-n', self.far.ns, 'addr', 'add', at(self.next) + '/24', 'dev', 'eth0')
        return self.next

    def peer(self, name, cert, *tlsas):
        """The scripted server of NAME.example; without a certificate it has no STARTTLS."""
        number = self.address()
        self.peers[name] = Script(offers=TLS_OFFERS, tls_offers=OFFERS) if cert else Script()
        with self.far.inside():
            made = Peer(at(number), self.peers[name], cert)
        self.close.callback(made.close)
        self.records += [f'{name}.example. MX 10 mail.{name}.example.', f'mail.{name}.example. A {at(number)}']
        self.records += [f'_25._tcp.mail.{name}.example. {r}' for r in tlsas]

    def submit(self, *names):
        with self.near.inside(), smtplib.SMTP('127.0.0.1', 587) as s:
            s.login('anna@near.example', 'secret')
            for name in names:
                s.sendmail('anna@near.example', [f'x@{name}.example'], f'Subject: to {name}\r\n\r\nwords\r\n')

    def tell(self):
        return json.loads(self.server.ctl('tls-reports', 'send', '--json').stdout)

    def tried(self, name):
        return re.findall(rf'ev=queue\.result .*to=x@{name}\.example ', self.server.log())

    def letters(self, name):
        return [body.removesuffix(b'.\r\n').replace(b'\r\n..', b'\r\n.') for body in self.peers[name].bodies if b'TLS-Report-Domain' in body]

    def report(self, name):
        message = email.message_from_bytes(wait_for(lambda: self.letters(name))[0], policy=email.policy.default)
        file = list(message.iter_parts())[1]
        assert file.get_content_type() == 'application/tlsrpt+gzip'
        return message, file.get_filename(), json.loads(gzip.decompress(file.get_content()))


@pytest.fixture(scope='module')
def world():
    """After some mail, and the reports about it."""
    with contextlib.ExitStack() as close:
        w = World(close)
        w.submit('good', 'good', 'forged', 'web', 'silent', 'tests')
        for name in w.peers:
            wait_for(lambda name=name: w.tried(name))
        w.told = w.tell()
        yield w


def test_each_domain_that_wants_it_is_told(world):
    assert world.told == {'domains': 5, 'sent': 3, 'nobody': 2, 'later': 0}
    assert re.search(r'ev=report\.skip .*domain=web\.example .*to=https://web\.example/', world.server.log())


def test_success(world):
    message, name, report = world.report('good')
    assert message.get_content_type() == 'multipart/report' and message.get_param('report-type') == 'tlsrpt'
    assert message['TLS-Report-Domain'] == 'good.example' and message['TLS-Report-Submitter'] == 'near.example'
    assert message['TLS-Required'] == 'No' and message['From'] == 'postmaster@near.example'
    begin = re.fullmatch(r'near\.example!good\.example!(\d+)!\d+\.json\.gz', name).group(1)
    assert int(begin) % 86400 == 0 and report['date-range']['start-datetime'].endswith('T00:00:00Z')
    assert message['Subject'] == f'Report Domain: good.example Submitter: near.example Report-ID: <{report["report-id"]}>'
    assert report['organization-name'] == 'near.example' and report['contact-info'] == 'postmaster@near.example'
    entry, = report['policies']
    assert entry['policy']['policy-type'] == 'tlsa' and entry['policy']['policy-domain'] == 'mail.good.example'
    assert re.fullmatch(r'3 1 1 [0-9a-f]{64}', entry['policy']['policy-string'][0])
    # Two messages may share a session, which counts once.
    assert entry['summary']['total-successful-session-count'] in (1, 2)
    assert entry['summary']['total-failure-session-count'] == 0 and 'failure-details' not in entry


def test_it_is_signed(world):
    raw = world.letters('good')[0]
    keys = json.loads(world.server.ctl('domain', 'keys', 'near.example', '--json').stdout)
    texts = {f'{k["selector"]}._domainkey.near.example.': k['record'] for k in keys}
    assert dkim.verify(raw[raw.index(b'DKIM-Signature'):], dnsfunc=lambda name, timeout=5: texts[name.decode()].encode())


def test_a_domain_whose_tls_fails_is_told(world):
    assert all(b'words' not in body for body in world.peers['forged'].bodies)  # other mail waits
    message, _, report = world.report('forged')
    assert message['To'] == 'tls+1@forged.example'
    entry, = report['policies']
    assert entry['summary']['total-successful-session-count'] == 0
    failure, = entry['failure-details']
    assert failure['result-type'] == 'validation-failure' and 'DANE' in failure['failure-reason-code'].upper()
    assert failure['sending-mta-ip'] == at(2) and failure['receiving-mx-hostname'] == 'mail.forged.example'
    assert failure['receiving-ip'] == at(12) and failure['failed-session-count'] >= 1


def test_a_policy_for_testing_is_told(world):
    assert any(b'words' in body for body in world.peers['tests'].bodies)
    entry, = world.report('tests')[2]['policies']
    assert entry['policy']['policy-type'] == 'sts' and entry['policy']['policy-domain'] == 'tests.example'
    assert entry['policy']['mx-host'] == ['mail.tests.example'] and 'mode: testing' in entry['policy']['policy-string']
    failure, = entry['failure-details']
    assert failure['result-type'] == 'certificate-not-trusted' and failure['failed-session-count'] == 1


def test_reports_are_not_counted(world):
    for name in ('good', 'forged', 'tests'):
        world.report(name)
    told = world.tell()
    assert set(told) == {'domains', 'sent', 'nobody', 'later'} and told['sent'] <= 1  # what waits may have been tried again
    assert len(world.letters('good')) == len(world.letters('tests')) == 1
