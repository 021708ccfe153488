"""Mail to other servers: queue, DKIM, reports.

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import json
import smtplib
import ssl

import pytest
from godwit import Server, wait_for
from sink import Sink

TLS = ssl._create_unverified_context()


@pytest.fixture(scope='module')
def sink(sink_port):
    s = Sink(sink_port)
    yield s
    s.close()


def submit(server, user, to, text=None, options=()):
    mail = text or f'From: {user}\r\nTo: {", ".join(to)}\r\nSubject: out\r\n\r\nhello\r\n.\r\nend\r\n'
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, to, mail, rcpt_options=options)


def inbox(server, user):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('INBOX', readonly=True)
    found = m.search(None, 'ALL')[1][0].split()
    bodies = [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found]
    m.logout()
    return bodies


def queue(server):
    return json.loads(server.ctl('queue', 'list', '--json').stdout)


def test_submitted_mail_reaches_the_other_server_signed(server, sink, user):
    submit(server, user, ['friend@elsewhere.example'])
    sender, _, text = wait_for(lambda: sink.to('friend@elsewhere.example'))[0]
    assert sender == user
    assert text.endswith(b'hello\r\n.\r\nend\r\n')
    assert text.startswith(b'DKIM-Signature: ')
    import dkim
    domain = json.loads(server.ctl('domain', 'list', '--json').stdout)[0]

    def dns(name, timeout=5):
        assert name.decode().startswith(domain['selector'] + '._domainkey.example.com')
        return domain['dkim_record'].encode()
    assert dkim.verify(text, dnsfunc=dns)
    assert not dkim.verify(text.replace(b'hello', b'hallo'), dnsfunc=dns)
    wait_for(lambda: queue(server) == [])


def test_a_binary_part_goes_on_as_base64(server, sink, user):
    """BODY=BINARYMIME (RFC 3030): what is signed and relayed is mail that any server takes."""
    picture = bytes(range(256)) * 400
    mail = (f'From: {user}\r\nSubject: picture\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n'
            'Content-Transfer-Encoding: binary\r\n\r\n').encode() + picture
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.mail(user, ['BODY=BINARYMIME'])
        s.rcpt('pictures@elsewhere.example')
        s.send(b'BDAT %d LAST\r\n%s' % (len(mail), mail))
        assert s.getreply()[0] == 250
    _, _, text = wait_for(lambda: sink.to('pictures@elsewhere.example'))[0]
    assert email.message_from_bytes(text).get_payload(decode=True) == picture
    import dkim
    domain = json.loads(server.ctl('domain', 'list', '--json').stdout)[0]
    assert dkim.verify(text, dnsfunc=lambda name, timeout=5: domain['dkim_record'].encode())


def test_both_local_and_remote_recipients(server, sink, user):
    other = server.add_account('colleague')
    submit(server, user, ['two@elsewhere.example', other])
    wait_for(lambda: sink.to('two@elsewhere.example'))
    wait_for(lambda: inbox(server, other))


def test_a_refusal_comes_back_as_a_report(server, sink, user):
    sink.answers['gone'] = '550 5.1.1 nobody of that name'
    submit(server, user, ['gone@elsewhere.example'])
    report = email.message_from_bytes(wait_for(lambda: inbox(server, user))[0])
    assert report.get_content_type() == 'multipart/report'
    assert report['Auto-Submitted'] is not None
    text, status = report.get_payload()[0:2]
    assert 'gone@elsewhere.example' in text.get_payload(decode=True).decode()
    assert status.get_content_type() == 'message/delivery-status'
    fields = str(status)
    assert 'Action: failed' in fields and '5.1.1' in fields and 'nobody of that name' in fields
    wait_for(lambda: queue(server) == [])


def report_of(server, user):
    return email.message_from_bytes(wait_for(lambda: inbox(server, user))[0])


def test_success_is_reported_when_the_other_server_will_not(server, sink, user):
    submit(server, user, ['asked@elsewhere.example'], options=['NOTIFY=SUCCESS', 'ORCPT=rfc822;A+2Bsked@elsewhere.example'])
    fields = str(report_of(server, user).get_payload()[1])
    assert 'Action: relayed' in fields and 'Final-Recipient: rfc822; asked@elsewhere.example' in fields
    assert 'Original-Recipient: rfc822; A+sked@elsewhere.example' in fields
    wait_for(lambda: queue(server) == [])


def test_success_is_left_to_a_server_with_dsn(server, sink, user):
    before = list(sink.offers)
    sink.offer(*before, 'DSN')
    try:
        submit(server, user, ['theirs@elsewhere.example'], options=['NOTIFY=SUCCESS'])
        wait_for(lambda: sink.to('theirs@elsewhere.example'))
        wait_for(lambda: queue(server) == [])
        assert inbox(server, user) == []
    finally:
        sink.offer(*before)


def test_eight_bits_only_where_they_are_taken(server, sink, user):
    text = f'From: {user}\r\nSubject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nf\u00fcr\r\n'.encode()
    before = list(sink.offers)
    sink.offer('PIPELINING')
    try:
        submit(server, user, ['seven@elsewhere.example'], text)
        fields = str(report_of(server, user).get_payload()[1])
        assert 'Action: failed' in fields and 'Status: 5.6.3' in fields
        assert sink.to('seven@elsewhere.example') == []
    finally:
        sink.offer(*before)
    submit(server, user, ['eight@elsewhere.example'], text)
    wait_for(lambda: sink.to('eight@elsewhere.example'))


def test_long_lines_are_folded(server, sink, user):
    text = f'From: {user}\r\nSubject: x\r\n\r\n.{"y" * 5000}\r\nend\r\n'
    submit(server, user, ['long@elsewhere.example'], text)
    got = wait_for(lambda: sink.to('long@elsewhere.example'))[0][2]
    assert max(map(len, got.split(b'\r\n'))) <= 998
    assert (b'.' + b'y' * 5000 + b'\r\nend\r\n') in got.replace(b'\r\n ', b'')
def test_a_next_hop_without_smtputf8(server, sink, user):
    """RFC 6531 section 3.6: what asked for SMTPUTF8 comes back where the next server does not have it."""
    mail = f'From: {user}\r\nSubject: grüße\r\n\r\nx\r\n'.encode()
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, ['ä@elsewhere.example'], mail, ['SMTPUTF8', 'BODY=8BITMIME'])
    report = email.message_from_bytes(wait_for(lambda: inbox(server, user))[0])
    assert report.get_content_type() == 'multipart/report'
    assert report.get_payload(1).get_content_type() == 'message/global-delivery-status'
    assert '5.6.7' in str(report.get_payload(1))
    assert sink.to('ä@elsewhere.example') == []


def test_later_is_tried_again(server, sink, user):
    sink.answers['busy'] = '451 4.3.2 come back'
    submit(server, user, ['busy@elsewhere.example'])
    waiting = wait_for(lambda: [m for m in queue(server) if m['recipients'][0]['tries'] == 1])[0]
    assert waiting['recipients'][0]['code'] == 451
    assert 'come back' in server.ctl('queue', 'list').stdout
    del sink.answers['busy']
    server.ctl('queue', 'retry', waiting['qid'])
    wait_for(lambda: sink.to('busy@elsewhere.example'))
    wait_for(lambda: queue(server) == [])


def test_hold_release_drop(server, sink, user):
    sink.answers['held'] = '451 4.3.2 come back'
    submit(server, user, ['held@elsewhere.example'])
    qid = wait_for(lambda: [m for m in queue(server) if m['recipients'][0]['tries'] == 1])[0]['qid']
    server.ctl('queue', 'hold', qid)
    assert queue(server)[0]['held']
    server.ctl('queue', 'release', qid)
    server.ctl('queue', 'drop', qid)
    assert queue(server) == []
    assert inbox(server, user) == []


def test_the_queue_survives_a_crash(sink, sink_port):
    s = Server(domain='crash.example', extra=['outbound none', f'route elsewhere.example 127.0.0.1:{sink_port}'])
    try:
        s.start()
        s.add_domain()
        u = s.add_account('anna')
        sink.answers['survivor'] = '451 4.3.2 come back'
        submit(s, u, ['survivor@elsewhere.example'])
        wait_for(lambda: queue(s) and queue(s)[0]['recipients'][0]['tries'] == 1)
        s.kill()
        del sink.answers['survivor']
        s.start()
        s.ctl('queue', 'retry', 'all')
        assert len(wait_for(lambda: sink.to('survivor@elsewhere.example'))) == 1
        wait_for(lambda: queue(s) == [])
    finally:
        s.remove()


def test_nothing_leaves_the_demonstration(server, sink, user):
    submit(server, user, ['x@internet.example'])
    report = wait_for(lambda: inbox(server, user))[0]
    assert b'sends no mail to the Internet' in report


def test_alias_that_leads_outside(server, sink, user):
    server.ctl('alias', 'set', 'all@example.com', user, 'outside@elsewhere.example')
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.sendmail('a@b.example', ['all@example.com'], 'Subject: list\r\n\r\nx\r\n')
    wait_for(lambda: inbox(server, user))
    _, _, text = wait_for(lambda: sink.to('outside@elsewhere.example'))[0]
    assert not text.startswith(b'Return-Path')


def test_sendmail_of_a_stranger_is_not_bounced(server, sink):
    """Backscatter: whoever is refused is refused in the conversation."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo('x.example')
        s.mail('victim@elsewhere.example')
        assert s.rcpt('nobody-here@example.com')[0] == 550
    assert sink.to('victim@elsewhere.example') == []


def test_roles_come_back(server, user):
    import os
    import signal
    for name in ('mx.0', 'user.0', 'keys.0', 'auth.0', 'cook.0', 'out.0', 'store.0'):
        pid = server.roles()[name]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda n=name, p=pid: server.roles().get(n, p) != p)

        def works():
            try:
                with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=10) as s:
                    s.sendmail('a@b.example', [user], f'Subject: after {name}\r\n\r\nx\r\n')
                return any(f'after {name}'.encode() in b for b in inbox(server, user))
            except (OSError, smtplib.SMTPException, imaplib.IMAP4.error):
                return False
        wait_for(works, 60)
