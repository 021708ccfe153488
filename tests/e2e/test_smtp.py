"""SMTP and submission as clients and attackers speak them.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import email
import imaplib
import random
import smtplib
import socket
import ssl
import subprocess

import pytest

TLS = ssl._create_unverified_context()


def talk(port, *steps):
    """Sends each step after the answer to the one before; returns the answers."""
    answers = []
    with socket.create_connection(('127.0.0.1', port), 20) as s:
        f = s.makefile('rb')

        def answer():
            lines = []
            while True:
                line = f.readline()
                lines.append(line)
                if len(line) < 4 or line[3:4] != b'-':
                    return b''.join(lines)
        answers.append(answer())
        for step in steps:
            s.sendall(step)
            answers.append(answer())
    return answers


def inbox(server, user):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('INBOX', readonly=True)
    _, found = m.search(None, 'ALL')
    bodies = [m.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in found[0].split()]
    m.logout()
    return bodies


def test_accepted_mail_is_listed_at_once(server, user):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.sendmail('a@b.example', [user], 'Subject: one\r\n\r\n.dot\r\n..two\r\n')
        body = inbox(server, user)[0]
    assert body.startswith(b'Return-Path: <a@b.example>\r\nReceived: from ')
    assert body.endswith(b'Subject: one\r\n\r\n.dot\r\n..two\r\n')


def test_relay_is_refused_in_every_form(server):
    forms = ['x@other.example', 'x%other.example@example.org', '"x@other.example"@example.net', 'other.example!x@a.example',
             '@example.com:x@other.example', 'x@[127.0.0.1]', 'x@[192.0.2.1]']
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo('client.example')
        s.mail('a@b.example')
        for form in forms:
            code, text = s.rcpt(form) if form[0] != '@' else s.docmd(f'RCPT TO:<{form}>')
            assert code in (501, 550, 554), (form, text)


def test_unknown_user_is_refused_at_rcpt(server):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo('client.example')
        s.mail('a@b.example')
        assert s.rcpt('nobody-here@example.com')[0] == 550
        assert s.rcpt('postmaster')[0] in (250, 550)


def test_no_auth_without_tls_and_none_on_25(server, user):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo()
        assert not s.has_extn('auth')
        assert s.docmd('AUTH PLAIN ' + base64.b64encode(f'\0{user}\0secret'.encode()).decode())[0] == 503


@pytest.mark.parametrize('end', [b'\n.\n', b'\r\n.\n', b'\n.\r\n', b'\r.\r', b'\r\n.\r', b'\r\n\x00.\r\n'])
def test_only_crlf_dot_crlf_ends_a_message(server, user, end):
    """SMTP smuggling: what other servers took for an end must be part of the message, which is refused for it."""
    smuggled = b'MAIL FROM:<evil@b.example>\r\nRCPT TO:<' + user.encode() + b'>\r\nDATA\r\nSubject: smuggled\r\n\r\nx'
    answers = talk(server.ports['smtp'], b'EHLO c.example\r\n', b'MAIL FROM:<a@b.example>\r\n',
                   b'RCPT TO:<' + user.encode() + b'>\r\n', b'DATA\r\n',
                   b'Subject: outer\r\n\r\nhello' + end + smuggled + b'\r\n.\r\n', b'QUIT\r\n')
    assert answers[5].startswith(b'550 5.6.0')
    assert inbox(server, user) == []


def test_nothing_survives_starttls(server):
    with socket.create_connection(('127.0.0.1', server.ports['smtp']), 20) as s:
        f = s.makefile('rb')
        f.readline()
        s.sendall(b'EHLO c.example\r\n')
        while f.readline()[3:4] == b'-':
            pass
        s.sendall(b'STARTTLS\r\nMAIL FROM:<injected@b.example>\r\n')
        rest = f.read()
    assert b'250' not in rest
    assert rest.count(b'\r\n') <= 2


def test_limits_are_protocol_errors(server, user):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo()
        assert s.docmd('MAIL FROM:<a@b.example> SIZE=999999999999')[0] == 552
        assert s.docmd('NOOP ' + 'x' * 20000)[0] == 500
        assert s.docmd('MAIL FROM:<a@b.example> NONSENSE=1')[0] == 555
        assert s.docmd('RCPT TO:<' + user + '>')[0] == 503
        assert s.docmd('WHAT')[0] == 500
        assert s.noop()[0] == 250


def test_pipelining(server, user):
    with socket.create_connection(('127.0.0.1', server.ports['smtp']), 20) as s:
        s.sendall(b'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody-here@example.com>\r\nRCPT TO:<'
                  + user.encode() + b'>\r\nDATA\r\n')
        f = s.makefile('rb')
        seen = b''
        while b'354' not in seen:
            seen += f.readline()
        s.sendall(b'Subject: piped\r\n\r\nx\r\n.\r\nQUIT\r\n')
        seen += f.read()
    assert b'550 5.1.1' in seen and b'250 2.0.0 Kept' in seen and b'221' in seen
    assert len(inbox(server, user)) == 1


def test_large_message_is_exact(server, user):
    text = ''.join(f'line {i} ' + 'x' * 60 + '\r\n' for i in range(60000))
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.sendmail('a@b.example', [user], 'Subject: large\r\n\r\n' + text)
    assert inbox(server, user)[0].endswith(text.encode())


def test_chunks_bring_what_data_brings(server, user):
    """BDAT (RFC 3030) in pieces that tear lines, sent without waiting: the message is exact, and the session in step."""
    text = b'Subject: pieces\r\n\r\n' + b''.join(b'line %d %s\r\n.\r\n' % (i, b'x' * 60) for i in range(40000))
    pieces = [text[i:i + 65535] for i in range(0, len(text), 65535)]
    sent = b''.join(b'BDAT %d\r\n%s' % (len(p), p) for p in pieces) + b'BDAT 0 LAST\r\nQUIT\r\n'
    with socket.create_connection(('127.0.0.1', server.ports['smtp']), 60) as s:
        s.sendall(b'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<' + user.encode() + b'>\r\n' + sent)
        seen = s.makefile('rb').read()
    assert b'250-CHUNKING\r\n' in seen
    assert seen.count(b'250 2.0.0 65535 bytes\r\n') == len(pieces) - 1
    assert seen.endswith(b'250 2.0.0 Kept\r\n221 2.0.0 Good bye\r\n')
    assert inbox(server, user)[0].endswith(text)


def test_a_binary_part_arrives_as_it_was(server, user):
    """BODY=BINARYMIME (RFC 3030): kept as base64, and so any client reads it by IMAP; all else is as it came."""
    picture = b'\x89PNG\r\n\x1a\n\r\n--b\r\n.\r\n--bo\r' + random.Random(3030).randbytes(300000)
    head = b'Subject: picture\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bo\r\n'
    text = b'--bo\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n'
    part = b'--bo\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n' + picture + b'\r\n--bo--\r\n'
    mail = head + b'Content-Transfer-Encoding: binary\r\n\r\n' + text + part
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo('c.example')
        assert s.has_extn('binarymime')
        assert s.mail('a@b.example', ['BODY=BINARYMIME', f'SIZE={len(mail)}'])[0] == 250
        assert s.rcpt(user)[0] == 250
        assert s.docmd('DATA')[0] == 503
        for at in range(0, len(mail), 77777):
            piece = mail[at:at + 77777]
            s.send(b'BDAT %d%s\r\n%s' % (len(piece), b' LAST' * (at + 77777 >= len(mail)), piece))
            assert s.getreply()[0] == 250
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.login(user, 'secret')
    m.select('INBOX')
    assert base64.b64decode(m.fetch('1', '(BODY.PEEK[2])')[1][0][1]) == picture
    assert b'"base64"' in m.fetch('1', '(BODYSTRUCTURE)')[1][0].lower()
    m.logout()
    whole = inbox(server, user)[0]
    assert text in whole and all(len(line) <= 998 for line in whole.split(b'\r\n'))
    assert b'\0' not in whole and b'binary' not in whole and whole.count(b'\n') == whole.count(b'\r\n')
    read = email.message_from_bytes(whole)
    assert read['Content-Transfer-Encoding'] == '8bit' and read.get_payload()[1].get_payload(decode=True) == picture


def test_addresses_beyond_ascii(server):
    """SMTPUTF8 (RFC 6531): a mailbox and a domain of ours beyond ASCII, from strangers and from users."""
    server.ctl('domain', 'add', 'bücher.example')
    josef, jorg = server.add_account('josef'), 'jörg@bücher.example'
    server.ctl('account', 'add', jorg, stdin='secret\n')
    server.ctl('alias', 'set', 'plain@xn--bcher-kva.example', josef)
    mail = 'From: ä@b.example\r\nSubject: grüße\r\n\r\nx\r\n'.encode()
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.sendmail('ä@b.example', [jorg], mail, ['SMTPUTF8', 'BODY=8BITMIME'])
        s.sendmail('a@b.example', ['plain@xn--bcher-kva.example'], b'Subject: A-label\r\n\r\n')
        s.sendmail('a@b.example', ['plain@bücher.example'], b'Subject: U-label\r\n\r\n', ['SMTPUTF8'])
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    m.authenticate('PLAIN', lambda _: f'\0{jorg}\0secret'.encode())
    m.select('INBOX')
    body = m.fetch('1', '(BODY.PEEK[])')[1][0][1]
    m.logout()
    assert body.startswith('Return-Path: <ä@b.example>\r\n'.encode()) and b' with UTF8SMTP' in body
    assert body.endswith(mail)
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.ehlo()
        login = base64.b64encode(f'\0{jorg}\0secret'.encode()).decode()
        assert s.docmd('AUTH PLAIN ' + login)[0] == 235
        s.sendmail(jorg, [josef], mail.replace('ä@b.example'.encode(), jorg.encode()), ['SMTPUTF8', 'BODY=8BITMIME'])
    from godwit import wait_for
    found = wait_for(lambda: (lambda got: len(got) == 3 and got)(inbox(server, josef)))
    assert b'A-label' in found[0] and b'U-label' in found[1] and found[2].endswith(b'\r\n\r\nx\r\n')


@pytest.mark.parametrize('end', [b'\n.\n', b'\n.\r\n', b'\r.\r', b'\r\n\x00.\r\n', b'\r'])
def test_no_line_ends_are_smuggled_in_chunks(server, user, end):
    """What would end a message at the next server never gets as far as that, though BDAT counts bytes."""
    body = b'Subject: outer\r\n\r\nhello' + end + b'MAIL FROM:<evil@b.example>' + end
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        s.ehlo()
        s.mail('a@b.example')
        s.rcpt(user)
        s.send(b'BDAT %d LAST\r\n%s' % (len(body), body))
        assert s.getreply() == (550, b'5.6.0 Bare CR, bare LF or NUL in the message')
        assert s.noop()[0] == 250
    assert inbox(server, user) == []


def test_submission_adds_what_is_missing_and_drops_bcc(server, user):
    with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
        s.starttls(context=TLS)
        s.login(user, 'secret')
        s.sendmail(user, [user], f'From: {user}\r\nBcc: secret@example.com\r\nSubject: sub\r\n\r\nx\r\n')

    def arrived():
        found = inbox(server, user)
        return found[0] if found else None
    from godwit import wait_for
    body = wait_for(arrived)
    assert b'Bcc' not in body
    assert b'\r\nDate: ' in body and b'\r\nMessage-ID: <' in body
    assert b'with ESMTPSA' in body and b'TLSv1.3' in body


def test_submission_needs_a_login_and_the_own_address(server, user):
    other = server.add_account('somebody-else')
    with smtplib.SMTP_SSL('127.0.0.1', server.ports['submissions'], context=TLS) as s:
        s.ehlo()
        assert s.mail(user)[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            s.login(user, 'wrong')
        s.login(user.upper(), 'secret')
        assert s.mail(other)[0] == 553
        assert s.mail(user)[0] == 250


def test_outlook_writes_mail_from_its_own_way(server, user):
    with smtplib.SMTP_SSL('127.0.0.1', server.ports['submissions'], context=TLS) as s:
        s.login(user, 'secret')
        assert s.docmd(f'MAIL FROM: <{user}>')[0] == 250
        assert s.docmd(f'RCPT TO: {user}')[0] == 250


def test_curl_sends(server, user):
    mail = f'From: {user}\r\nSubject: by curl\r\n\r\nx\r\n'.encode()
    done = subprocess.run(['curl', '-sS', '-k', '--ssl-reqd', f'smtp://127.0.0.1:{server.ports["submission"]}', '--user',
                           f'{user}:secret', '--mail-from', user, '--mail-rcpt', user, '-T', '-'], input=mail,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_swaks_delivers(server, user):
    done = subprocess.run(['swaks', '--server', f'127.0.0.1:{server.ports["smtp"]}', '--from', 'a@b.example', '--to', user],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert inbox(server, user)
