"""Mailboxes that fill up, as their owners and those who write to them live it: notices, refusals, grace, IMAP QUOTA.

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import json
import os
import re
import signal
import smtplib

import pytest
from godwit import Server, wait_for

KIB = 1024


@pytest.fixture(scope='module')
def town():
    s = Server(extra=['outbound none'])
    s.start()
    s.add_domain()
    s.add_account('anna')
    s.add_account('j\u00fcrgen')
    yield s
    s.remove()


def mail(size):
    head = 'From: a@b.example\r\nSubject: load\r\n\r\n'
    rest = size - len(head)
    return head + ('x' * 62 + '\r\n') * (rest // 64) + 'y' * (rest % 64 - 2) + '\r\n'


def send(server, user, size):
    """The reply that decides: of RCPT when it is no 250, else of the message."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=30) as s:
        s.ehlo()
        s.command_encoding = 'utf-8'
        s.mail('a@b.example', [f'SIZE={size}', 'SMTPUTF8'])
        code, text = s.docmd('RCPT', f'TO:<{user}>')
        if code == 250:
            code, text = s.data(mail(size))
        return code, text.decode()


def login(server, user):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'], timeout=30)
    m.authenticate('PLAIN', lambda _: f'\0{user}\0secret'.encode())
    return m


def inbox(server, user, box='INBOX'):
    """Every message of a mailbox, parsed."""
    m = login(server, user)
    m.select(box, readonly=True)
    found = m.fetch('1:*', '(BODY.PEEK[])')[1]
    m.logout()
    return [email.message_from_bytes(part[1]) for part in found if isinstance(part, tuple)]


def notices(server, user):
    return [m for m in inbox(server, user) if m['Auto-Submitted'] == 'auto-generated']


def empty(server, user):
    m = login(server, user)
    m.select('INBOX')
    m.store('1:*', '+FLAGS', '(\\Deleted)')
    m.expunge()
    m.logout()


def account(server, user):
    return json.loads(server.ctl('account', 'show', '--json', user).stdout)[0]


def restart_store(server):
    old = server.roles()['store.0']
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: server.roles().get('store.0') not in (None, old))
    wait_for(lambda: server.ctl('status', check=False).returncode == 0)


def test_notices_come_once(town):
    user = 'anna@example.com'
    town.ctl('account', 'quota', user, '100K')
    for _ in range(7):
        assert send(town, user, 10 * KIB)[0] == 250
    assert not notices(town, user)
    assert send(town, user, 11 * KIB)[0] == 250  # 81 %
    [first] = notices(town, user)
    assert re.fullmatch(r'Your mailbox is filling up \(8[1-4] %\)', first['Subject'])  # with the trace fields
    assert first['From'] == 'Postmaster <postmaster@example.com>' and first['To'] == '<anna@example.com>'
    assert first.get_content_type() == 'text/plain' and first.get_content_charset() == 'utf-8'
    assert re.search(r'It holds 8[1-4]\.\d KB of mail and has room for 100\.0 KB\.\r\n', first.get_payload())
    restart_store(town)
    assert send(town, user, 1 * KIB)[0] == 250
    assert len(notices(town, user)) == 1  # the account remembers, not the process
    assert send(town, user, 11 * KIB)[0] == 250
    [_, second] = notices(town, user)
    assert re.fullmatch(r'Your mailbox is nearly full \(9[5-9] %\)', second['Subject'])
    assert account(town, user)['quota_percent'] >= 96
    assert ' of 100.0K (9' in town.ctl('account', 'show', user).stdout
    empty(town, user)
    assert send(town, user, 85 * KIB)[0] == 250
    assert [m['Subject'] for m in notices(town, user)] == ['Your mailbox is filling up (85 %)']  # again, after it was empty
    empty(town, user)
    town.ctl('account', 'quota', user, 'none')


def test_a_notice_beyond_ascii(town):
    user = 'j\u00fcrgen@example.com'
    town.ctl('account', 'quota', user, '20K')
    assert send(town, user, 17 * 1000)[0] == 250
    [notice] = notices(town, user)
    assert user in notice.get_payload(decode=True).decode('utf-8')
    assert notice.get_content_charset() == 'utf-8' and notice['Content-Transfer-Encoding'] == '8bit'


def test_full(town):
    """Refused, remembered over a restart, and taken again as soon as something is gone."""
    user = 'anna@example.com'
    town.ctl('account', 'quota', user, '20K')
    assert send(town, user, 19 * KIB)[0] == 250
    code, text = send(town, user, 10 * KIB)  # with SIZE, by RCPT
    assert code == 452 and text.startswith('4.2.2') and 'full' in text
    since = account(town, user)['full_since_us']
    assert 'full since 20' in town.ctl('account', 'list').stdout
    restart_store(town)
    with smtplib.SMTP('127.0.0.1', town.ports['smtp'], timeout=30) as s:  # without, by the message
        s.ehlo()
        s.mail('a@b.example')
        code, text = s.rcpt(user)
        if code == 250:
            code, text = s.data(mail(10 * KIB))
        assert code == 452 and text.startswith(b'4.2.2')
    assert account(town, user)['full_since_us'] == since
    assert 'ev=quota.notice' in town.log()
    empty(town, user)
    assert 'full_since_us' not in account(town, user)
    assert send(town, user, 10 * KIB)[0] == 250
    empty(town, user)
    town.ctl('account', 'quota', user, 'none')


def test_from_the_queue(town):
    """Two recipients: the queue has it, waits for the full one, and brings it when there is room."""
    user = 'anna@example.com'
    town.add_account('bert')
    town.ctl('account', 'quota', user, '20K')
    assert send(town, user, 16 * KIB)[0] == 250
    with smtplib.SMTP('127.0.0.1', town.ports['smtp'], timeout=30) as s:  # without SIZE
        s.ehlo()
        s.mail('a@b.example')
        assert [s.rcpt(to)[0] for to in (user, 'bert@example.com')] == [250, 250]
        assert s.data(mail(5 * KIB).replace('load', 'for two'))[0] == 250
    wait_for(lambda: any(m['Subject'] == 'for two' for m in inbox(town, 'bert@example.com')))
    wait_for(lambda: '452' in town.ctl('queue', 'list').stdout and 'The mailbox is full' in town.ctl('queue', 'list').stdout)
    empty(town, user)
    restart_store(town)
    town.ctl('queue', 'retry', 'all')
    wait_for(lambda: any(m['Subject'] == 'for two' for m in inbox(town, user)))
    empty(town, user)
    town.ctl('account', 'quota', user, 'none')


def test_imap_at_the_limit(town):
    user = 'anna@example.com'
    town.ctl('account', 'quota', user, '50K')
    m = login(town, user)
    assert {'QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE'} <= set(m.capabilities)
    assert m.append('Archive', None, None, mail(48 * KIB).encode())[0] == 'OK'
    kind, (roots, quotas) = m.getquotaroot('INBOX')
    used = int(quotas[0].split()[2])
    assert kind == 'OK' and roots == [b'INBOX ""'] and 49 <= used <= 51  # with the notice
    assert quotas == [b'"" (STORAGE %d 50)' % used]
    assert m.getquota('""') == ('OK', [b'"" (STORAGE %d 50)' % used])
    kind, text = m.append('INBOX', None, None, mail(3 * KIB).encode())
    assert kind == 'NO' and text[0] == b'[OVERQUOTA] Your mailbox is full: delete mail to make room'
    assert m.append('Sent', r'(\Seen)', None, mail(3 * KIB).encode())[0] == 'OK'  # a tenth more
    assert m.append('Drafts', r'(\Draft)', None, mail(1 * KIB).encode())[0] == 'OK'
    kind, text = m.append('Sent', None, None, mail(5 * KIB).encode())
    assert kind == 'NO' and text[0].startswith(b'[OVERQUOTA]')
    # Deleting in each way that clients have: COPY and \\Deleted, MOVE, and a MOVE back.
    m.select('Archive')
    assert m.copy('1', 'Trash')[0] == 'OK'
    assert m.store('1', '+FLAGS', r'(\Deleted)')[0] == 'OK'
    kind, [status] = m.status('Archive', '(DELETED DELETED-STORAGE)')
    assert status == b'Archive (DELETED 1 DELETED-STORAGE %d)' % (48 * KIB)
    assert m.expunge() == ('OK', [b'1'])
    m.select('Trash')
    m._simple_command('MOVE', '1', 'Junk')
    assert m.status('Junk', '(MESSAGES)')[1] == [b'Junk (MESSAGES 1)']
    assert send(town, user, 1 * KIB)[0] == 452
    m.select('Junk')
    m.store('1', '+FLAGS', r'(\Deleted)')
    assert m.expunge()[0] == 'OK'
    assert send(town, user, 1 * KIB)[0] == 250
    kind, [quota] = m.getquota('""')
    assert int(quota.split()[2]) < 10
    m.logout()
    town.ctl('account', 'quota', user, 'none')
    m = login(town, user)
    assert m.getquotaroot('INBOX') == ('OK', [[b'INBOX ""'], [b'"" ()']])
    m.logout()
