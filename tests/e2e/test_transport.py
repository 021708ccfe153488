"""Mail on channels that cannot be stripped: DANE (RFC 7672) in a signed name space.  What an attacker on the way
could try fails, and mail waits; what is in order is delivered.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import imaplib
import json
import os
import smtplib
import socket
import ssl
import threading

import netns
import pytest
from certs import Authority, tlsa
from godwit import Server, wait_for
from scripted import OFFERS, Script, Scripted

MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
PORTS = ['listen smtp 0.0.0.0:25', 'listen submission 127.0.0.1:587', 'listen imap 127.0.0.1:143']
TLS_OFFERS = (*OFFERS, 'STARTTLS')
DANE = 'has to prove itself by its TLSA records (DANE)'


def at(n):
    return f'{netns.NET4}{n}'


class Peer(Scripted):
    """One scripted server at an address of its own."""

    def __init__(self, address, script, cert=None):
        self.scripts, self.sockets, self.port = [script], [socket.create_server((address, 25))], 25
        self.context = None
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*cert)
        threading.Thread(target=self._serve, args=(self.sockets[0], script), daemon=True).start()


class Stripper:
    """Passes everything on to another server, but for its offer of STARTTLS."""

    def __init__(self, address, to):
        self.to, self.heard = to, []
        self.listening = socket.create_server((address, 25))
        self.dial = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                c, _ = self.listening.accept()
            except OSError:
                return
            far = self.dial()
            threading.Thread(target=self._pass, args=(c, far, self.heard.append), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, c, lambda line: None), daemon=True).start()

    @staticmethod
    def _pass(source, sink, hear):
        with contextlib.suppress(OSError):
            for line in source.makefile('rb'):
                hear(line)
                sink.sendall(line.replace(b'STARTTLS', b'X-STRIPPD'))
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.listening.close()


class World:
    """near sends.  far is another Godwit, strip stands before it; the rest are scripted."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        self.ca = Authority(self.net.dir)
        trust = {'/etc/ssl/certs/ca-certificates.crt': self.ca.cert}
        self.hosts = {name: self.net.add(name, n, trust) for name, n in (('near', 2), ('far', 3), ('peers', 4))}
        self.near, self.far = self._server('near'), self._server('far')
        self.records, self.peers, self.next = ['ready.example. TXT "yes"'], {}, 10
        self.host('near', 2)
        self.host('far', 3, tlsa(self.far.cert))
        self._peers()
        self.net.serve_dns(self.records)
        for s in (self.near, self.far):
            s.start().add_domain()
            s.add_account('anna')

    def _server(self, name):
        s = Server(domain=name + '.example', extra=[f'resolver {at(netns.DNS)}:53', *PORTS], prefix=self.hosts[name].prefix)
        self.close.callback(s.remove)
        return s

    def host(self, name, number, *records):
        """The domain NAME.example, whose mail goes to mail.NAME.example."""
        self.records += [f'{name}.example. MX 10 mail.{name}.example.', f'mail.{name}.example. A {at(number)}']
        self.records += [f'_25._tcp.mail.{name}.example. {r}' for r in records]

    def address(self):
        """Of one more scripted server."""
        self.next += 1
        netns.ip('-n', self.hosts['peers'].ns, 'addr', 'add', at(self.next) + '/24', 'dev', 'eth0')
        return self.next

    def peer(self, name, script, cert=None, records=()):
        number = self.address()
        with self.hosts['peers'].inside():
            made = Peer(at(number), script, cert)
        self.close.callback(made.close)
        self.peers[name] = script
        self.host(name, number, *records)
        return number

    def _peers(self):
        own, other = self.ca.alone('whoever.example'), self.ca.alone('thief.example')
        signed = self.ca.sign('mail.anchor.example', 'mail.misnamed2.example')
        script = lambda **more: Script(offers=TLS_OFFERS, tls_offers=OFFERS, **more)  # noqa: E731
        self.peer('good', script(), own, [tlsa(own[0])])
        self.peer('whole', script(), own, [tlsa(own[0], 3, 0, 0), tlsa(other[0], 3, 1, 2)])
        self.peer('anchor', script(), signed, [tlsa(self.ca.cert, 2, 0, 1)])
        self.peer('misnamed', script(), signed, [tlsa(self.ca.cert, 2, 0, 1)])
        self.peer('stripped', Script(), None, [tlsa(own[0])])
        self.peer('later', script(say={'STARTTLS': ['454 4.7.0 not now'] * 99}), own, [tlsa(own[0])])
        self.peer('forged', script(), other, [tlsa(own[0])])
        self.peer('unusable', script(), other, [tlsa(own[0], 1)])
        self.peer('nothing', Script(), None, [tlsa(own[0], 1)])
        self.peer('plain', Script(), None)
        self.peer('removed', script(), own)
        # Its records are in a zone that claims to be signed and is not: who takes them away cannot prove it.
        self.records += ['_tcp.mail.removed.example. NS dns.example.', f'_tcp.mail.removed.example. DS 1 13 2 {"ab" * 32}']
        # One address with several names: an alias whose records are under the name that it leads to; a second MX host.
        self.records += ['alias.example. MX 10 mail.alias.example.', 'mail.alias.example. CNAME mail.good.example.',
                         'second.example. MX 10 mail.forged.example.', 'second.example. MX 20 mail.good.example.',
                         'anchored.example. MX 10 mail.misnamed.example.']
        strip = self.address()
        with self.hosts['peers'].inside():
            self.stripper = Stripper(at(strip), at(3))
        self.close.callback(self.stripper.close)
        self.stripper.dial = self._dial
        self.records += ['way.example. MX 10 mail.way.example.', f'mail.way.example. A {at(strip)}',
                         f'_25._tcp.mail.way.example. {tlsa(self.far.cert)}']

    def _dial(self):
        with self.hosts['peers'].inside():
            return socket.create_connection((at(3), 25))

    def submit(self, to, options=()):
        with self.hosts['near'].inside(), smtplib.SMTP('127.0.0.1', 587) as s:
            s.login('anna@near.example', 'secret')
            s.sendmail('anna@near.example', [to], f'Subject: to {to}\r\n\r\nsecret words\r\n', options)

    def waiting(self, to):
        """Why a recipient waits; None: it is not in the queue, or was not tried."""
        for m in json.loads(self.near.ctl('queue', 'list', '--json').stdout):
            for r in m['recipients']:
                if to in (r['address'], r.get('original')) and r['tries'] > 0:
                    return r
        return None

    def attempts(self, domain):
        """What protected the conversations with a domain."""
        return [dict(w.split('=', 1) for w in line.split() if '=' in w)['tls'] for line in self.near.log().splitlines()
                if 'ev=out.attempt' in line and f' domain={domain} ' in line and 'result=ok' in line]

    def inbox(self, server):
        with self.hosts[server].inside():
            m = imaplib.IMAP4('127.0.0.1', 143)
        m.login(f'anna@{server}.example', 'secret')
        m.select('INBOX')
        bodies = [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in m.search(None, 'ALL')[1][0].split()]
        m.logout()
        return bodies


@pytest.fixture(scope='module')
def world():
    with contextlib.ExitStack() as undo:
        w = World.__new__(World)
        undo.callback(lambda: w.close.close())
        w.__init__()
        yield w


def test_two_servers(world):
    world.submit('anna@far.example')
    mail, = wait_for(lambda: world.inbox('far'))
    assert b'secret words' in mail and b'with ESMTPS' in mail
    wait_for(lambda: world.attempts('far.example') == ['dane'])


@pytest.mark.parametrize('domain, peer, protection', [
    ('good', 'good', 'dane'), ('whole', 'whole', 'dane'), ('anchor', 'anchor', 'dane'), ('alias', 'good', 'dane'),
    ('second', 'good', 'dane'), ('unusable', 'unusable', 'tls'), ('plain', 'plain', 'none')])
def test_delivered(world, domain, peer, protection):
    script = world.peers[peer]
    before = len(script.bodies)
    world.submit(f'x@{domain}.example')
    wait_for(lambda: world.attempts(f'{domain}.example') == [protection])
    assert len(script.bodies) == before + 1
    if protection != 'none':
        assert 'MAIL' not in script.clear
    if domain == 'second':
        assert world.peers['forged'].bodies == []


@pytest.mark.parametrize('domain, says', [
    ('stripped', f'mail.stripped.example {DANE}: the server does not offer STARTTLS, which is required'),
    ('later', f'mail.later.example {DANE}: not now'),
    ('forged', f'mail.forged.example {DANE}: the certificate is none that the TLSA records mean'),
    ('misnamed', f'mail.misnamed.example {DANE}: the certificate is none that the TLSA records mean'),
    ('nothing', 'mail.nothing.example has TLSA records (DANE), so TLS is required: the server does not offer STARTTLS'),
    ('removed', 'DANE: the TLSA records of mail.removed.example cannot be looked up now, so nothing proves it'),
    ('way', f'mail.way.example {DANE}: the server does not offer STARTTLS')])
def test_not_delivered(world, domain, says):
    """It waits, and the queue says why."""
    to = f'x@{domain}.example'
    world.submit(to)
    r = wait_for(lambda: world.waiting(to))
    assert says in r['text'] and r['enhanced'] == '4.7.5', r
    assert world.attempts(f'{domain}.example') == []
    if domain == 'way':
        assert not any(line.upper().startswith(b'MAIL') for line in world.stripper.heard)
    else:
        script = world.peers[domain]
        assert script.bodies == [] and not any(v in ('MAIL', 'RCPT', 'DATA') for v in script.verbs())


def test_a_forged_answer_is_no_answer(world):
    """The MX records of a zone that claims to be signed and is not."""
    world.submit('x@bogus.example')
    assert 'cannot be looked up now' in wait_for(lambda: world.waiting('x@bogus.example'))['text']


def test_explain(world):
    def explain(domain):
        with_json = json.loads(world.near.ctl('explain', 'route', domain, '--json', check=False).stdout)
        return with_json['hosts'][0], world.near.ctl('explain', 'route', domain, check=False).stdout
    host, text = explain('good.example')
    assert host['protection'] == 'dane' and not host['barred']
    assert 'only with TLS, its certificate one of DNS; DANE: 1 TLSA record of _25._tcp.mail.good.example' in text
    host, text = explain('plain.example')
    assert host['protection'] == 'none' and 'TLS is not proven: neither TLSA records (DANE) nor a policy of MTA-STS' in text
    host, text = explain('removed.example')
    assert host['barred'] and 'gets nothing now: DANE: the TLSA records of mail.removed.example cannot' in text
    assert text.splitlines()[-1] == 'waits: no host can prove itself now'
