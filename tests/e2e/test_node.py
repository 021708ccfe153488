"""nodemailer and imapflow, which much webmail and many shops are built on.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import email
import email.policy
import json
import subprocess

import npm
import pytest

PICTURE = bytes(range(256)) * 300
NOTES = 'Überraschung\r\n.\r\n..\r\nEnde\r\n'.encode()
SUBJECT = 'Grüße aus Århus — 你好, a subject that is long enough to need more than one line of header'


@pytest.fixture(scope='module')
def node():
    return npm.install() / 'clients.js'


def start(node, server, user, **task):
    task = {'user': user, 'password': 'secret', 'ca': server.cert, **task}
    return subprocess.Popen(['node', str(node), json.dumps(task)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def result(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def letter(user):
    return {
        'message': {
            'from': {'name': 'Jürgen Öl', 'address': user},
            'to': [{'name': 'Влад 王', 'address': user}, {'name': 'Plain, with comma', 'address': 'postmaster@example.com'}],
            'bcc': user, 'subject': SUBJECT, 'text': 'Hällo\n.\n..two\n', 'html': '<p>Hällo</p>'},
        'attachments': [
            {'filename': 'Bild ä 图.bin', 'contentType': 'application/octet-stream', 'base64': base64.b64encode(PICTURE).decode()},
            {'filename': 'notes.txt', 'contentType': 'text/plain; charset=utf-8', 'base64': base64.b64encode(NOTES).decode()}]}


@pytest.fixture(scope='module', autouse=True)
def postmaster(server):
    server.ctl('alias', 'set', 'postmaster@example.com', server.add_account('office'))


def test_nodemailer_sends_and_imapflow_reads(node, server, user):
    """Implicit TLS on both; the second mail, by STARTTLS, arrives while imapflow idles."""
    sent = result(start(node, server, user, task='send', port=server.ports['submissions'], secure=True, **letter(user)))
    assert sent['rejected'] == [] and sent['response'].startswith('250 ')
    reader = start(node, server, user, task='imap', port=server.ports['imaps'], secure=True, subject='你好', parts=['1.2', '2', '3'])
    assert reader.stdout.readline() == 'idle\n'
    result(start(node, server, user, task='send', port=server.ports['submission'], secure=False, **letter(user)))
    got = result(reader)
    check_list_and_envelope(got, user, sent)
    check_parts(got)
    assert got['flags'] == ['$Project', '\\Flagged'] and got['flagged'] == got['found']
    assert got['appended']['path'] == 'Drafts' and got['appended']['uid'] == 1 and int(got['appended']['validity']) > 0
    assert got['moved'] == [got['found'][0], 1] and got['created'] == 'Projekte/Köln & Bonn'
    assert got['left'] == 0 and got['there'] == {'messages': 1, 'unseen': 1, 'uidNext': 2}
    assert got['news'] == {'path': 'INBOX', 'count': 1, 'before': 0} and got['newSubject'] == SUBJECT


def check_list_and_envelope(got, user, sent):
    assert dict(got['list']) == {'INBOX': '\\Inbox', 'Drafts': '\\Drafts', 'Sent': '\\Sent', 'Junk': '\\Junk', 'Trash': '\\Trash',
                                 'Archive': '\\Archive'}
    assert got['exists'] == 1 and len(got['found']) == 1 and not got['notFound']
    e = got['envelope']
    assert e['subject'] == SUBJECT and e['id'] == sent['id']
    assert e['from'] == [{'name': 'Jürgen Öl', 'address': user}]
    assert e['to'] == [{'name': 'Влад 王', 'address': user}, {'name': 'Plain, with comma', 'address': 'postmaster@example.com'}]


def check_parts(got):
    assert got['structure'] == ['multipart/mixed', '1 multipart/alternative', '1.1 text/plain', '1.2 text/html',
                                '2 application/octet-stream', '3 text/plain']
    source = base64.b64decode(got['source'])
    assert len(source) == got['size'] and b'\nBcc' not in source
    html, picture, notes = (base64.b64decode(got['parts'][p]['base64']) for p in ('1.2', '2', '3'))
    assert html.decode().strip() == '<p>Hällo</p>' and picture == PICTURE and notes == NOTES
    assert got['parts']['2']['filename'] == 'Bild ä 图.bin'
    whole = email.message_from_bytes(source, policy=email.policy.default)
    assert whole.get_body(('plain',)).get_content().replace('\r\n', '\n').rstrip() == 'Hällo\n.\n..two'
    assert [a.get_content() for a in whole.iter_attachments()] == [PICTURE, NOTES.decode()]
