"""Mail on channels that cannot be stripped: DANE (RFC 7672) in a signed name space, MTA-STS (RFC 8461) for a server without
one.  What an attacker on the way could try fails, and mail waits; what is in order is delivered.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import http.server
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


class Policies:
    """The web server of mta-sts.*: policies by domain; broken: (status, content type) instead of 200 and text/plain; alone:
    domains for which it shows a certificate that nobody vouches for; gates: of domains for which it waits."""

    def __init__(self, address, signed, own):
        self.policies, self.broken, self.alone, self.asked, self.gates = {}, {}, set(), [], {}
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                domain = self.headers['Host'].removeprefix('mta-sts.')
                web.asked.append(domain)
                if domain in web.gates:
                    web.gates[domain].wait(300)
                status, kind = web.broken.get(domain, (200, 'text/plain; charset=utf-8'))
                body = web.policies[domain].encode()
                self.send_response(status)
                self.send_header('Location', f'https://mta-sts.stsgood.example{self.path}')
                self.send_header('Content-Type', kind)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        contexts = []
        for cert in (signed, own):
            contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            contexts[-1].load_cert_chain(*cert)

        def choose(tls, name, _):
            tls.context = contexts[(name or '').removeprefix('mta-sts.') in web.alone]
        contexts[0].sni_callback = choose
        self.server = http.server.ThreadingHTTPServer((address, 443), Handler, bind_and_activate=True)
        self.server.daemon_threads = True
        self.server.socket = contexts[0].wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def policy(host, mode='enforce'):
    return f'version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: 86400\n'


class World:
    """near sends with DNSSEC, blind without.  far is another Godwit, strip stands before it; the rest are scripted."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        self.ca = Authority(self.net.dir)
        trust = {'/etc/ssl/certs/ca-certificates.crt': self.ca.cert}
        self.hosts = {name: self.net.add(name, n, trust) for name, n in (('near', 2), ('far', 3), ('peers', 4), ('blind', 5))}
        self.near, self.far, self.blind = self._server('near'), self._server('far'), self._server('blind', ['no-dnssec'])
        self.records, self.peers, self.next = ['ready.example. TXT "yes"'], {}, 10
        self.host('near', 2)
        self.host('far', 3, tlsa(self.far.cert))
        self._peers()
        self._policies()
        self.net.serve_dns(self.records)
        for s in (self.near, self.far, self.blind):
            s.start().add_domain()
            s.add_account('anna')

    def _server(self, name, more=()):
        s = Server(domain=name + '.example', extra=[' '.join([f'resolver {at(netns.DNS)}:53', *more]), *PORTS],
                   prefix=self.hosts[name].prefix)
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

    def _policies(self):
        names = ['good', 'strip', 'alone', 'forged', 'tests', 'kind', 'redirect', 'badweb', 'both', 'cached', 'slow']
        signed, own = self.ca.sign('mail.stsgood.example', 'mail.stscached.example'), self.ca.alone('whoever.example')
        script = lambda *more: Script(offers=TLS_OFFERS, tls_offers=(*OFFERS, *more))  # noqa: E731
        number = self.address()
        with self.hosts['peers'].inside():
            self.web = Policies(at(number), self.ca.sign(*(f'mta-sts.sts{n}.example' for n in names)), own)
        self.close.callback(self.web.close)
        for n in names:
            self.records += [f'mta-sts.sts{n}.example. A {at(number)}', f'_mta-sts.sts{n}.example. TXT "v=STSv1; id={n};"']
            self.web.policies[f'sts{n}.example'] = policy(f'mail.sts{n}.example', 'testing' if n == 'tests' else 'enforce')
        self.web.policies['stsgood.example'] = policy('*.stsgood.example')
        for n in ('forged', 'both'):
            self.web.policies[f'sts{n}.example'] = policy('mail.elsewhere.example')
        self.web.broken['stskind.example'] = (200, 'text/html')
        self.web.broken['stsredirect.example'] = (301, 'text/plain')
        self.web.alone.add('stsbadweb.example')
        self.peer('stsgood', script('REQUIRETLS'), signed)
        self.peer('stscached', script(), signed)
        self.peer('stsalone', script(), own)
        self.peer('stsforged', script(), own)
        self.peer('stsboth', script(), own, [tlsa(own[0])])
        self.web.gates['stsslow.example'] = threading.Event()
        for n in ('strip', 'tests', 'kind', 'redirect', 'badweb', 'slow'):
            self.peer('sts' + n, Script())

    def _dial(self):
        with self.hosts['peers'].inside():
            return socket.create_connection((at(3), 25))

    def submit(self, to, options=(), server='near'):
        with self.hosts[server].inside(), smtplib.SMTP('127.0.0.1', 587) as s:
            if options:
                s.starttls(context=ssl._create_unverified_context())
            s.login(f'anna@{server}.example', 'secret')
            s.sendmail(f'anna@{server}.example', [to], f'Subject: to {to}\r\n\r\nsecret words\r\n', options)

    def waiting(self, to, server='near'):
        """Why a recipient waits; None: it is not in the queue, or was not tried."""
        for m in json.loads(getattr(self, server).ctl('queue', 'list', '--json').stdout):
            for r in m['recipients']:
                if to in (r['address'], r.get('original')) and r['tries'] > 0:
                    return r
        return None

    def attempts(self, domain, server='near'):
        """What protected the conversations with a domain."""
        return [dict(w.split('=', 1) for w in line.split() if '=' in w)['tls'] for line in getattr(self, server).log().splitlines()
                if 'ev=out.attempt' in line and f' domain={domain} ' in line and 'result=ok' in line]

    def failures(self, domain):
        return [line for line in self.blind.log().splitlines() if 'ev=sts.fail' in line and f' domain={domain} ' in line]

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


# ---- MTA-STS ----

@pytest.mark.parametrize('name, protection, fails', [
    ('good', 'sts', None), ('tests', 'none', None), ('kind', 'none', 'text/plain'), ('redirect', 'none', 'not 200'),
    ('badweb', 'none', 'certificate')])
def test_policy_delivered(world, name, protection, fails):
    domain = f'sts{name}.example'
    world.submit(f'x@{domain}', server='blind')
    wait_for(lambda: world.attempts(domain, 'blind') == [protection])
    assert len(world.peers['sts' + name].bodies) == 1
    assert len(world.failures(domain)) == (1 if fails else 0)
    assert fails is None or fails in world.failures(domain)[0] and 'kept=no' in world.failures(domain)[0]


@pytest.mark.parametrize('name, says', [
    ('strip', 'mail.stsstrip.example has to prove its name (MTA-STS): the server does not offer STARTTLS'),
    ('alone', 'mail.stsalone.example has to prove its name (MTA-STS): the certificate does not prove the name of the server'),
    ('forged', 'MTA-STS: the policy of stsforged.example does not name the host mail.stsforged.example')])
def test_policy_not_delivered(world, name, says):
    to = f'x@sts{name}.example'
    world.submit(to, server='blind')
    r = wait_for(lambda: world.waiting(to, 'blind'))
    assert says in r['text'] and r['enhanced'] == '4.7.5', r
    script = world.peers['sts' + name]
    assert script.bodies == [] and 'MAIL' not in script.verbs()


def test_dane_goes_before_a_policy(world):
    world.submit('x@stsboth.example')
    wait_for(lambda: world.attempts('stsboth.example') == ['dane'])
    world.submit('x@stsboth.example', server='blind')  # which has the policy alone
    assert 'does not name the host' in wait_for(lambda: world.waiting('x@stsboth.example', 'blind'))['text']


def test_requiretls_by_a_policy(world):
    """A policy in force proves the host where DNSSEC does not; the peer promises to go on so."""
    before = len(world.peers['stsgood'].bodies)
    world.submit('x@stsgood.example', ['REQUIRETLS'], 'blind')
    wait_for(lambda: len(world.peers['stsgood'].bodies) == before + 1)
    assert any(b'REQUIRETLS' in line for line in world.peers['stsgood'].lines if line.startswith(b'MAIL'))


def test_explain_does_not_wait_for_a_policy(world):
    """Its server says nothing: that is said.  The question goes on, and what comes of it counts."""
    def host():
        return json.loads(world.blind.ctl('explain', 'route', 'stsslow.example', '--json', check=False).stdout)['hosts'][0]
    told = host()
    assert told['protection_why'] == 'MTA-STS: whether stsslow.example has a policy was not told in time'
    assert told['protection'] == 'none' and not told['barred']
    world.web.gates['stsslow.example'].set()
    wait_for(lambda: host()['protection'] == 'sts')
    assert world.web.asked.count('stsslow.example') == 1


def test_a_policy_outlives_its_web_server(world):
    """Fetched once; then DNS says there is a new one and names another host, and the web server has a false certificate."""
    domain = 'stscached.example'
    world.submit(f'x@{domain}', server='blind')
    wait_for(lambda: world.attempts(domain, 'blind') == ['sts'])
    world.web.alone.add(domain)
    world.net.change(f'_mta-sts.{domain}. TXT "v=STSv1; id=2;"', f'{domain}. MX 10 mail.plain.example.')
    world.blind.stop()
    world.blind.start()
    before = len(world.peers['plain'].bodies)
    world.submit(f'y@{domain}', server='blind')
    r = wait_for(lambda: world.waiting(f'y@{domain}', 'blind'))
    assert 'does not name the host mail.plain.example' in r['text'] and len(world.peers['plain'].bodies) == before
    assert 'kept=yes' in world.failures(domain)[0]
    host = json.loads(world.blind.ctl('explain', 'route', domain, '--json', check=False).stdout)['hosts'][0]
    assert host['protection'] == 'sts' and host['barred']
    # In order again, and asked anew: the new policy names the new host, which has no TLS.
    world.web.alone.discard(domain)
    world.web.policies[domain] = policy('mail.plain.example', 'testing')
    world.blind.stop()
    world.blind.start()
    world.blind.ctl('queue', 'retry', '--all')
    wait_for(lambda: 'none' in world.attempts(domain, 'blind'))
