"""Who has mail here: each rule of the directory, told by the command, seen by RCPT and by log-in.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import smtplib

import pytest
from godwit import Server, wait_for
from sink import Sink

OTHER = 'other.example'
IDN, IDN_A = 'bücher.example', 'xn--bcher-kva.example'


@pytest.fixture(scope='module')
def outside(sink_port):
    s = Sink(sink_port)
    yield s
    s.close()


@pytest.fixture(scope='module')
def town(outside, sink_port):
    """anna, bert and carl of example.com, dora of the second domain, and a way to a world outside."""
    server = Server(extra=['outbound none', f'route outside.example 127.0.0.1:{sink_port}'])
    try:
        server.start()
        server.ctl('domain', 'add', 'example.com', 'anna@example.com')
        for name in ('anna', 'bert', 'carl'):
            server.add_account(name)
        server.ctl('domain', 'add', OTHER)
        server.ctl('account', 'add', f'dora@{OTHER}', stdin='secret\n')
        yield server
    finally:
        server.remove()


def rcpt(server, address):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.ehlo('client.example')
        s.mail('a@b.example')
        return s.rcpt(address)[0]


def send(server, address, subject):
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=20) as s:
        s.sendmail('a@b.example', [address], f'Subject: {subject}\r\n\r\nText\r\n')


def login(server, name, password='secret'):
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'], timeout=20)
    try:
        m.login(name, password)
        m.select('INBOX', readonly=True)
        return m
    except imaplib.IMAP4.error:
        m.shutdown()
        return None


def has(server, user, subject):
    m = login(server, user)
    found = m.search(None, 'SUBJECT', f'"{subject}"')[1][0].split()
    m.logout()
    return len(found)


def arrives(server, address, subject, *users):
    """At each of users once, and at none of the others."""
    send(server, address, subject)
    for user in users:
        wait_for(lambda user=user: has(server, user, subject) > 0)
    for user in ('anna@example.com', 'bert@example.com', 'carl@example.com', f'dora@{OTHER}'):
        assert has(server, user, subject) == (1 if user in users else 0), (address, user)


def test_a_new_domain_has_its_three_addresses(town):
    for n, local in enumerate(('postmaster', 'abuse', 'tls-reports', 'PostMaster')):
        arrives(town, f'{local}@example.com', f'role {n}', 'anna@example.com')
    assert rcpt(town, 'postmaster') == 250
    aliases = town.ctl('alias', 'list').stdout
    assert all(f'{n}@example.com' in aliases for n in ('postmaster', 'abuse', 'tls-reports'))
    assert rcpt(town, f'abuse@{OTHER}') == 250  # made without an administrator: those of the first domain have it


def test_alias_of_one_and_of_several(town):
    town.ctl('alias', 'set', 'info@example.com', 'bert@example.com')
    town.ctl('alias', 'set', 'all@example.com', 'anna@example.com', 'info@example.com', f'dora@{OTHER}')
    arrives(town, 'info@example.com', 'one', 'bert@example.com')
    arrives(town, 'ALL@Example.COM', 'several', 'anna@example.com', 'bert@example.com', f'dora@{OTHER}')
    town.ctl('alias', 'remove', 'all@example.com')
    assert rcpt(town, 'all@example.com') == 550
    assert town.ctl('alias', 'remove', 'all@example.com', check=False).returncode == 1
    assert town.ctl('alias', 'set', 'anna@example.com', 'bert@example.com', check=False).returncode == 1
    assert town.ctl('alias', 'set', 'x@nowhere.example', 'bert@example.com', check=False).returncode == 1


def test_group_with_members_outside(town, outside):
    town.ctl('alias', 'set', 'team@example.com', 'carl@example.com', 'else@outside.example')
    arrives(town, 'team@example.com', 'inside and outside', 'carl@example.com')
    wait_for(lambda: outside.to('else@outside.example'))


def test_loops_are_refused(town):
    town.ctl('alias', 'set', 'left@example.com', 'right@example.com')
    for address, *targets in (('right', 'left'), ('self', 'self'), ('self', 'anna', 'self'), ('right', 'bert', 'left')):
        done = town.ctl('alias', 'set', *(f'{name}@example.com' for name in (address, *targets)), check=False)
        assert (done.returncode, done.stdout) == (1, '')
        assert f'{address}@example.com would lead back to itself' in done.stderr
        assert rcpt(town, f'{address}@example.com') == 550
    town.ctl('alias', 'set', 'right@example.com', 'bert@example.com')
    arrives(town, 'left@example.com', 'no loop', 'bert@example.com')


def test_explicit_beats_tag_beats_catch_all(town):
    assert rcpt(town, 'unknown@example.com') == 550
    town.ctl('alias', 'set', '@example.com', 'carl@example.com')
    try:
        arrives(town, 'unknown@example.com', 'caught', 'carl@example.com')
        arrives(town, 'anna+tag@example.com', 'tagged', 'anna@example.com')
        arrives(town, 'unknown+tag@example.com', 'caught with a tag', 'carl@example.com')
        town.ctl('alias', 'set', 'anna+shop@example.com', 'bert@example.com')
        arrives(town, 'Anna+Shop@example.com', 'explicit', 'bert@example.com')
        arrives(town, 'anna+shops@example.com', 'another tag', 'anna@example.com')
        assert rcpt(town, f'unknown@{OTHER}') == 550  # of one domain only
    finally:
        town.ctl('alias', 'remove', '@example.com')
    assert rcpt(town, 'unknown@example.com') == 550


def test_log_in_by_every_name(town):
    town.ctl('alias', 'set', 'chief@example.com', 'anna@example.com')
    town.ctl('alias', 'set', 'two@example.com', 'anna@example.com', 'bert@example.com')
    town.ctl('alias', 'set', 'away@example.com', 'else@outside.example')
    for name in ('anna@example.com', 'anna', 'ANNA', 'Anna@Example.COM', 'chief@example.com', 'Chief', f'dora@{OTHER}'):
        m = login(town, name)
        assert m is not None, name
        m.logout()
    for name in ('two@example.com', 'away@example.com', 'anna+tag@example.com', 'dora', 'nobody', f'anna@{OTHER}', '@example.com'):
        assert login(town, name) is None, name
    assert login(town, 'anna', 'SECRET') is None
    send(town, 'chief@example.com', 'one mailbox by two names')
    assert has(town, 'chief', 'one mailbox by two names') == 1


def test_international_domain(town):
    town.ctl('domain', 'add', IDN, 'anna@example.com')
    town.ctl('account', 'add', f'erna@{IDN}', stdin='secret\n')
    for name in (f'erna@{IDN_A}', f'ERNA@{IDN_A.upper()}'):
        assert rcpt(town, name) == 250, name
    send(town, f'erna@{IDN_A}', 'by its other name')
    assert has(town, f'erna@{IDN_A}', 'by its other name') == 1
    assert rcpt(town, f'postmaster@{IDN_A}') == 250
    with imaplib.IMAP4('127.0.0.1', town.ports['imap'], timeout=20) as m:
        name = f'erna@{IDN}'.encode()
        m.send(b'a1 LOGIN {%d+}\r\n%s secret\r\n' % (len(name), name))
        assert m.readline().startswith(b'a1 OK')
        m.send(b'a2 LOGOUT\r\n')
    # A domain that was added twice, under each name, is one.
    town.ctl('domain', 'add', IDN_A)
    shown = [line.split()[0] for line in town.ctl('domain', 'list').stdout.splitlines()]
    assert len([d for d in shown if d in (IDN, IDN_A)]) == 1, shown


def test_commands_of_accounts_and_domains(town):
    town.ctl('account', 'add', 'Fred@Example.com', stdin='secret\n')
    assert town.ctl('account', 'add', 'fred@example.com', stdin='x\n', check=False).returncode == 1
    assert town.ctl('account', 'add', 'fred@nowhere.example', stdin='x\n', check=False).returncode == 1
    town.ctl('domain', 'add', 'used.example', 'anna@example.com')
    town.ctl('account', 'add', 'gus@used.example', stdin='secret\n')
    town.ctl('alias', 'set', 'guest@used.example', 'gus@used.example')
    for left, first in (((1, 1), 'gus@'), ((0, 1), 'guest@')):
        done = town.ctl('domain', 'remove', 'used.example', check=False)
        assert done.returncode == 1
        assert 'used.example has %d accounts and %d aliases' % left in done.stderr and first in done.stderr
        assert 'godwit account remove and godwit alias remove' in done.stderr
        town.ctl('account' if left[0] else 'alias', 'remove', first.replace('@', '@used.example'))
    town.ctl('domain', 'remove', 'used.example')
    town.ctl('account', 'disable', 'fred@example.com')
    assert rcpt(town, 'fred@example.com') == 550 and login(town, 'fred') is None
    town.ctl('account', 'enable', 'fred@example.com')
    assert rcpt(town, 'fred@example.com') == 250
    town.ctl('account', 'password', 'fred@example.com', stdin='other\n')
    assert login(town, 'fred') is None
    login(town, 'fred', 'other').logout()
    town.ctl('account', 'quota', 'fred@example.com', '1K')
    with smtplib.SMTP('127.0.0.1', town.ports['smtp'], timeout=20) as s:
        s.ehlo()
        s.mail('a@b.example', ['SIZE=2000'])
        assert s.rcpt('fred@example.com')[0] == 452
    town.ctl('account', 'remove', 'fred@example.com')
    assert rcpt(town, 'fred@example.com') == 550 and login(town, 'fred', 'other') is None
    town.ctl('domain', 'add', 'short.example', 'anna@example.com')
    assert rcpt(town, 'abuse@short.example') == 250
    town.ctl('domain', 'remove', 'short.example')
    assert rcpt(town, 'abuse@short.example') == 554 and 'short.example' not in town.ctl('alias', 'list').stdout
