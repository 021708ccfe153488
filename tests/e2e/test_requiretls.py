"""REQUIRETLS (RFC 8689) between two Godwits in a signed name space, and towards servers that cannot keep it.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import imaplib
import json
import os
import smtplib
import ssl

import netns
import pytest
from godwit import Server, wait_for
from sink import Sink

MISSING = netns.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
TLS = ssl._create_unverified_context()
PORTS = ['listen smtp 0.0.0.0:25', 'listen submission 127.0.0.1:587', 'listen imap 127.0.0.1:143']
RECORDS = f'''ready.example. TXT "yes"
near.example. MX 10 mail.near.example.
mail.near.example. A {netns.NET4}2
far.example. MX 10 mail.far.example.
mail.far.example. A {netns.NET4}3
wrong.example. MX 10 other.far.example.
other.far.example. A {netns.NET4}3
plain.example. MX 10 mx.plain.example.
mx.plain.example. A {netns.NET4}4
both.example. MX 10 mx.plain.example.
both.example. MX 20 mail.far.example.'''.splitlines()


class World:
    """near and far prove names and certificates; blind proves certificates alone; plain knows no TLS."""

    def __init__(self):
        self.close = contextlib.ExitStack()
        self.net = netns.Net()
        self.close.callback(self.net.close)
        ca = os.path.join(self.net.dir, 'ca.pem')
        trust = {'/etc/ssl/certs/ca-certificates.crt': ca}
        self.hosts = {name: self.net.add(name, n, trust) for name, n in (('near', 2), ('far', 3), ('plain', 4), ('blind', 5))}
        self.near = self._server('near', [])
        self.far = self._server('far', [])
        self.blind = self._server('blind', ['no-dnssec'])
        with open(ca, 'wb') as out:
            for s in (self.near, self.far, self.blind):
                with open(s.cert, 'rb') as cert:
                    out.write(cert.read())
        self.net.serve_dns(RECORDS)
        with self.hosts['plain'].inside():
            self.plain = Sink(25, '0.0.0.0')
        self.close.callback(self.plain.close)
        for s in (self.near, self.far, self.blind):
            s.start().add_domain()
            s.add_account('anna')
        self.far.ctl('alias', 'set', 'onward@far.example', 'x@plain.example')

    def _server(self, name, dns):
        s = Server(domain=name + '.example', extra=[' '.join([f'resolver {netns.NET4}53:53', *dns]), *PORTS],
                   prefix=self.hosts[name].prefix)
        self.close.callback(s.remove)
        return s

    def submit(self, to, options=('REQUIRETLS',), server=None, word='secret words'):
        server = server or self.near
        user = 'anna@' + server.domain
        with self.hosts[server.domain.split('.')[0]].inside(), smtplib.SMTP('127.0.0.1', 587) as s:
            s.ehlo('client.example')
            assert not s.has_extn('requiretls')
            s.starttls(context=TLS)
            s.ehlo('client.example')
            assert s.has_extn('requiretls')
            s.login(user, 'secret')
            s.sendmail(user, [to], f'From: {user}\r\nTo: {to}\r\nSubject: on the way\r\n\r\n{word}\r\n', options)

    def inbox(self, server):
        """All bodies, which are taken away."""
        with self.hosts[server.domain.split('.')[0]].inside():
            m = imaplib.IMAP4('127.0.0.1', 143)
        m.login('anna@' + server.domain, 'secret')
        m.select('INBOX')
        found = m.search(None, 'ALL')[1][0].split()
        bodies = [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found]
        for n in found:
            m.store(n, '+FLAGS', '\\Deleted')
        m.close()
        m.logout()
        return bodies

    def report(self, server=None):
        text, = wait_for(lambda: self.inbox(server or self.near))
        return text


@pytest.fixture(scope='module')
def world():
    w = World()
    yield w
    w.close.close()


def test_a_protected_way(world):
    world.submit('anna@far.example')
    mail, = wait_for(lambda: world.inbox(world.far))
    assert b'secret words' in mail and b'with ESMTPS' in mail
    assert json.loads(world.near.ctl('queue', 'list', '--json').stdout) == []


@pytest.mark.parametrize('to, status', [('x@plain.example', b'5.7.10'), ('anna@wrong.example', b'5.7.10')])
def test_no_protected_way(world, to, status):
    """No TLS, or a certificate of another name: it comes back, and of it the header alone."""
    world.submit(to, ['REQUIRETLS', 'RET=FULL'])
    report = world.report()
    assert b'\r\nAction: failed\r\nStatus: ' + status + b'\r\n' in report and b'REQUIRETLS' in report
    assert b'secret words' not in report and b'Subject: on the way' in report
    assert not world.plain.messages


def test_another_host_will_do(world):
    """The second MX host proves itself; the first is passed by (and the second does not know the domain)."""
    world.submit('x@both.example')
    report = world.report()
    assert b'\r\nStatus: 5.7.1\r\n' in report and b'mail.far.example' in report
    assert not world.plain.messages


def test_the_next_server_keeps_it(world):
    """It was told so, and its alias leads to where there is no TLS: it comes back from there."""
    world.submit('onward@far.example')
    report = world.report()
    assert b'Reporting-MTA: dns; mail.far.example\r\n' in report
    assert b'\r\nAction: failed\r\nStatus: 5.7.10\r\n' in report and b'secret words' not in report
    assert not world.plain.messages


def test_names_that_nothing_proves(world):
    world.submit('anna@far.example', server=world.blind)
    report = world.report(world.blind)
    assert b'\r\nAction: failed\r\nStatus: 5.7.30\r\n' in report and b'DNSSEC' in report


def test_without_it_as_ever(world):
    """The same servers, not asked for: in clear if need be; a header field that asks for less changes nothing."""
    world.submit('x@plain.example', (), word='open words')
    wait_for(lambda: world.plain.to('x@plain.example'))
    world.submit('anna@wrong.example', ('RET=HDRS',))
    report = world.report()  # far does not serve that domain
    assert b'\r\nStatus: 5.7.1\r\n' in report
