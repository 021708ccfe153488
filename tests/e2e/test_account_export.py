"""godwit account export: what is kept about a person, and nothing about others.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import json
import os
import smtplib
import stat

from godwit import wait_for

FAR = 'x@elsewhere.example'


def test_export(server, user, tmp_path):
    other = server.add_account('other')
    server.ctl('alias', 'set', 'info@example.com', user, other)
    server.ctl('alias', 'set', 'else@example.com', other)
    server.ctl('account', 'forward', user, 'copy@far.example')
    server.ctl('account', 'send-as', user, 'info@example.com')
    server.ctl('account', 'app-password', 'add', '--for', 'imap,pop3', user, 'phone')
    session = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    session.login(user, 'secret')
    for name in (user, other):
        with smtplib.SMTP('127.0.0.1', server.ports['submission']) as s:
            s.login(name, 'secret')
            s.sendmail(name, [FAR], f'Subject: of {name}\r\n\r\nText\r\n')
    folder = str(tmp_path / 'out')

    def export():
        done = json.loads(server.ctl('account', 'export', user, '--to', folder, '--json').stdout)
        assert done == {'result': 'ok', 'folder': folder}
        with open(os.path.join(folder, 'account.json'), encoding='utf-8') as f:
            found = json.load(f)
        if found['trace']:
            return found
        os.remove(os.path.join(folder, 'account.json'))
        os.rmdir(folder)
        return None
    found = wait_for(export)  # the trace is written a little later
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(folder, 'account.json')).st_mode) == 0o600
    assert found['address'] == user and found['created_us'] > 0 and not found['suspended']
    assert found['aliases'] == ['info@example.com'] and found['send_as'] == ['info@example.com']
    assert found['forward'] == ['copy@far.example'] and found['keep']
    (app,) = found['app_passwords']
    assert app['name'] == 'phone' and app['protocols'] == ['imap', 'pop3'] and 'password' not in app
    assert [s['protocol'] for s in found['sessions']] == ['imap']
    assert [m['sender'] for m in found['queue_sent']] == [user] and found['queue_received'] == []
    assert all(user in json.dumps(line) for line in found['trace'])
    assert other not in json.dumps(found)
    again = server.ctl('account', 'export', user, '--to', folder, check=False)
    assert again.returncode == 1 and 'File exists' in again.stderr
    nobody = server.ctl('account', 'export', 'nobody@example.com', '--to', folder + '2', check=False)
    assert nobody.returncode == 1 and not os.path.exists(folder + '2')
    assert server.ctl('account', 'export', user, check=False).returncode == 2
    session.logout()
