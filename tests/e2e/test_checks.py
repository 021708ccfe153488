"""What is found out about strangers before their mail is taken: SPF, names of their addresses, lists in DNS.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import re

import pytest
from godwit import Server, wait_for
from knot import Knot
from wire import Smtp

# Not addresses for examples: libunbound knows by itself that those have no names.
RECORDS = '''pass.example. 60 IN TXT "v=spf1 ip4:11.1.2.7 -all"
7.2.1.11.in-addr.arpa. 60 IN PTR mail.pass.example.
mail.pass.example. 60 IN A 11.1.2.7
8.2.1.11.in-addr.arpa. 60 IN PTR mail.pass.example.
2.0.0.127.bad.example. 60 IN A 127.0.0.2
8.2.1.11.bad.example. 60 IN A 127.0.0.2
*.refuses.example. 60 IN A 127.255.255.254
2.0.0.127.all.example. 60 IN A 127.0.0.2
1.0.0.127.all.example. 60 IN A 127.0.0.2
2.0.0.127.good.example. 60 IN A 127.0.0.2
7.2.1.11.good.example. 60 IN A 127.0.9.3'''.splitlines()


@pytest.fixture(scope='module')
def server():
    dns = Knot(RECORDS)
    s = Server(extra=[f'resolver {dns.resolver()} no-dnssec', 'xclient-from 127.0.0.4', 'dnsbl bad.example',
                      'dnsbl refuses.example', 'dnsbl all.example', 'dnsbl gone.example', 'dnswl good.example answer 127.0.8.0/21'])
    try:
        dns.start()
        s.start()
        s.add_domain()
        s.add_account('anna')
        wait_for(lambda: len(re.findall(r'ev=list\.', s.log())) >= 5)
        yield s
    finally:
        s.remove()
        dns.remove()


def send(server, client, sender, helo='client.example', message='Subject: x\r\n\r\ny\r\n'):
    """A message of such a client; what the log says of it."""
    with Smtp(server.ports['smtp'], source='127.0.0.4' if client else '127.0.0.1') as s:
        if client:
            assert s.ask('EHLO proxy.example') == 250
            assert s.ask(f'XCLIENT ADDR={"IPV6:" if ":" in client else ""}{client}') == 220
        assert s.ask(f'EHLO {helo}') == 250
        assert s.ask(f'MAIL FROM:<{sender}>') == 250
        assert s.ask('RCPT TO:<anna@example.com>') == 250
        assert s.ask('DATA') == 354
        assert s.ask(message + '.') == 250
        assert s.ask('QUIT') == 221
    line = [t for t in server.log().splitlines() if 'ev=smtp.message' in t][-1]
    tid = re.search(r' tid=(\w+)', line).group(1)
    found = [t for t in server.log().splitlines() if 'ev=smtp.checks' in t and tid in t]
    assert len(found) <= 1
    return tid, found[0] if found else ''


def test_a_list_that_does_not_work_is_off(server):
    log = server.log()
    assert 'ev=list.on' in log and 'list=bad.example family=ipv4' in log
    for name, reason in (('refuses.example', 'does-not-hear'), ('all.example', 'lists-all'), ('gone.example', 'empty')):
        assert f'list={name} family=ipv4 reason={reason}' in log


def test_a_good_sender(server):
    tid, line = send(server, '11.1.2.7', 'a@pass.example')
    assert ' spf=pass domain=pass.example ' in line and ' iprev=pass name=mail.pass.example ' in line
    assert ' lists="" ' in line and ' allowed=yes ' in line
    told = wait_for(lambda: [t for t in server.ctl('trace', tid, check=False).stdout.splitlines() if 'SPF pass' in t])
    assert 'SPF pass for pass.example; its address: iprev pass, mail.pass.example; a list of good senders has it' in told[0]


def test_a_bad_one_is_taken_all_the_same(server):
    _, line = send(server, '11.1.2.8', 'a@pass.example')
    assert ' spf=fail domain=pass.example ' in line and ' iprev=fail name=mail.pass.example ' in line
    assert ' lists=bad.example allowed=no ' in line
    _, line = send(server, '11.1.2.9', '', 'pass.example')
    assert ' spf=fail domain=pass.example ' in line and ' iprev=permerror ' in line
    _, line = send(server, '2001:db8::1', 'a@nothing.example')
    assert ' spf=none domain=nothing.example ' in line


def test_this_machine_is_not_looked_at(server):
    assert send(server, None, 'a@pass.example')[1] == ''


@pytest.mark.parametrize('client', ['11.1.2.7', None])
def test_what_claims_to_be_ours_is_taken_out(server, client):
    theirs = 'Authentication-Results: mx.far.example; spf=pass\r\n'
    rest = 'To: anna@example.com\r\n\r\nAuthentication-Results: mail.example.com; in=body\r\n'
    send(server, client, 'a@pass.example', message='Authentication-Results: mail.example.com;\r\n dmarc=pass\r\n' + theirs +
         'X-Godwit-Spam: no\r\nauthentication-results : "MAIL.example.com"; dkim=pass\r\n' + rest)
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as i:
        i.login('anna@example.com', 'secret')
        last = i.select('INBOX')[1][0].decode()
        raw = i.fetch(last, '(BODY.PEEK[])')[1][0][1].decode()
    assert raw.endswith(theirs + rest) and raw.index(theirs) > 0
    assert raw.count('mail.example.com; in=body') == 1 and 'dkim=pass' not in raw and 'dmarc=pass' not in raw
    assert 'X-Godwit-Spam: no' not in raw
