"""Who may write as whom: envelope, From and Sender of what users submit, and the rights that the command gives.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import smtplib

import pytest
from godwit import Server, wait_for

HERE, OTHER = 'example.com', 'other.example'


@pytest.fixture(scope='module')
def town():
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        server.ctl('domain', 'add', OTHER)
        for name in ('anna', 'bert', 'carl'):
            server.add_account(name)
        server.ctl('alias', 'set', f'team@{HERE}', f'anna@{HERE}', f'inner@{HERE}')
        server.ctl('alias', 'set', f'inner@{HERE}', f'bert@{HERE}', 'far@far.example')
        yield server
    finally:
        server.remove()


def submit(server, user, header, sender=None):
    """The answer to DATA, or to MAIL when that is refused."""
    with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=20) as s:
        s.login(f'{user}@{HERE}', 'secret')
        code, text = s.mail(f'{user}@{HERE}' if sender is None else sender)
        if code == 250:
            assert s.rcpt(f'carl@{HERE}')[0] == 250
            code, text = s.data(header.replace('\n', '\r\n') + '\r\n\r\nText\r\n')
        return code, text.decode()


def writes(server, user, address):
    """In envelope and header alike."""
    enveloped = submit(server, user, f'From: {address}', sender=address)[0]
    headed = submit(server, user, f'From: Somebody <{address}>')[0]
    assert (enveloped, headed) in ((250, 250), (553, 550)), (enveloped, headed)
    return headed == 250


def given(server, user):
    (account,) = json.loads(server.ctl('account', 'show', f'{user}@{HERE}', '--json').stdout)
    return account['send_as']


def test_own_addresses_tags_and_groups(town):
    for user, address, may in (
            ('anna', f'Anna@{HERE}', True), ('anna', f'anna+shop@{HERE}', True), ('anna', f'bert@{HERE}', False),
            ('anna', f'team@{HERE}', True), ('bert', f'team@{HERE}', True), ('carl', f'team@{HERE}', False),
            ('bert', f'inner@{HERE}', True), ('anna', f'inner@{HERE}', False),
            ('anna', 'far@far.example', False), ('anna', f'nobody@{HERE}', False)):
        assert writes(town, user, address) == may, (user, address)


def test_a_refusal_says_how_to_get_the_right(town):
    code, text = submit(town, 'anna', f'From: "anna@{HERE}" <bert@{HERE}>')
    assert code == 550 and text.startswith('5.7.1 ')
    assert f'anna@{HERE} may not write as bert@{HERE} (From)' in text and 'godwit account send-as' in text


def test_rights_are_given_and_taken_away(town):
    town.ctl('account', 'send-as', f'anna@{HERE}', f'Bert@{HERE}', f'@{OTHER}')
    assert given(town, 'anna') == [f'bert@{HERE}', f'@{OTHER}']
    assert f'may write as bert@{HERE} @{OTHER}' in town.ctl('account', 'show', f'anna@{HERE}').stdout
    assert writes(town, 'anna', f'bert@{HERE}') and writes(town, 'anna', f'anything@{OTHER}')
    assert not writes(town, 'bert', f'anna@{HERE}')
    town.ctl('account', 'send-as', f'anna@{HERE}', f'@{OTHER}', '--remove')
    assert writes(town, 'anna', f'bert@{HERE}') and not writes(town, 'anna', f'anything@{OTHER}')
    town.ctl('account', 'send-as', f'anna@{HERE}', '--remove')
    assert given(town, 'anna') == [] and not writes(town, 'anna', f'bert@{HERE}')
    for code, words, said in (
            (1, (f'anna@{HERE}', 'x@far.example'), 'domains that are served here'),
            (1, (f'nobody@{HERE}', f'bert@{HERE}'), 'no such thing'),
            (1, (f'team@{HERE}', f'bert@{HERE}'), 'no such thing'),
            (2, (f'anna@{HERE}',), 'expected addresses')):
        done = town.ctl('account', 'send-as', *words, check=False)
        assert done.returncode == code and said in done.stderr, words
    assert given(town, 'anna') == []


def test_a_forward_gives_no_right(town):
    """Who gets another's mail by a forward does not write as the other, and who forwards loses nothing."""
    town.ctl('account', 'forward', f'anna@{HERE}', f'bert@{HERE}', '--no-keep')
    assert writes(town, 'anna', f'anna@{HERE}') and not writes(town, 'bert', f'anna@{HERE}')
    town.ctl('account', 'forward', f'anna@{HERE}', '--off')


def test_several_authors_need_a_sender(town):
    both = f'From: anna@{HERE}, Bert <bert@{HERE}>'
    assert submit(town, 'anna', both)[0] == 550
    assert submit(town, 'anna', f'{both}\nSender: bert@{HERE}')[0] == 550
    assert submit(town, 'anna', f'{both}\nSender: anna@{HERE}')[0] == 250
    assert submit(town, 'carl', f'{both}\nSender: carl@{HERE}')[0] == 550
    assert submit(town, 'anna', f'From: anna@{HERE}\nFrom: bert@{HERE}')[0] == 550


def test_a_missing_from_is_filled_in(town):
    assert submit(town, 'bert', 'Subject: nothing else')[0] == 250
    with imaplib.IMAP4('127.0.0.1', town.ports['imap'], timeout=20) as m:
        m.login(f'carl@{HERE}', 'secret')
        m.select('INBOX', readonly=True)
        (n,) = wait_for(lambda: m.noop() and m.search(None, 'SUBJECT', '"nothing else"')[1][0].split())
        assert m.fetch(n, '(BODY.PEEK[HEADER.FIELDS (FROM)])')[1][0][1].split() == [b'From:', f'<bert@{HERE}>'.encode()]
