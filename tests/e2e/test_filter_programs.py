"""Postgrey and OpenDKIM, as Debian has them, judge mail for Godwit.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import imaplib
import os
import pwd
import smtplib
import subprocess
import sys

import dkim
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402

POSTGREY, OPENDKIM = '/usr/sbin/postgrey', '/usr/sbin/opendkim'
FIRST = b'From: a@far.example\r\nTo: anna@example.com\r\nSubject: x\r\n\r\ny\r\n'


@pytest.fixture(scope='module')
def server():
    s = Server(extra=['message-size 20M'])
    key = os.path.join(s.dir, 'dkim.pem')
    subprocess.run(['openssl', 'genrsa', '-out', key, '2048'], check=True, capture_output=True)
    os.chmod(key, 0o600)
    me = pwd.getpwuid(os.geteuid()).pw_name
    os.mkdir(os.path.join(s.dir, 'grey'))
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'policy unix {s.dir}/grey.sock\nmilter unix {s.dir}/dkim.sock name opendkim\n')
    with open(os.path.join(s.dir, 'dkim.conf'), 'w', encoding='utf-8') as f:
        f.write(f'Socket local:{s.dir}/dkim.sock\nMode s\nDomain far.example\nSelector t\nKeyFile {key}\nUserID {me}\n'
                f'InternalHosts 127.0.0.1\nCanonicalization relaxed/simple\nSyslog no\nPidFile {s.dir}/dkim.pid\n'
                'RequireSafeKeys no\nBackground no\n')
    os.chown(os.path.join(s.dir, 'grey'), pwd.getpwnam('nobody').pw_uid if os.geteuid() == 0 else -1, -1)
    user = 'nobody' if os.geteuid() == 0 else me
    os.chmod(s.dir, 0o777)
    log = open(os.path.join(s.dir, 'filters.log'), 'wb')
    programs = [subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL) for words in (
        [POSTGREY, f'--unix={s.dir}/grey.sock', f'--dbdir={s.dir}/grey', f'--user={user}', '--group=nogroup', '--delay=1',
         '--whitelist-clients=/dev/null', '--whitelist-recipients=/dev/null'],
        [OPENDKIM, '-f', '-x', f'{s.dir}/dkim.conf'])]
    try:
        for name in ('grey.sock', 'dkim.sock'):
            wait_for(lambda name=name: os.path.exists(os.path.join(s.dir, name)))
        os.chmod(s.dir, 0o755)
        s.start()
        s.add_domain()
        s.add_account('anna')
        s.key = key
        yield s
    finally:
        for p in programs:
            p.terminate()
            p.wait(30)
        log.close()
        s.remove()


def test_greylisted_then_signed(server):
    message = FIRST + b''.join(b'%070d\r\n' % i for i in range(20000))
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], 'client.example', timeout=60) as c:
        c.ehlo()
        c.mail('a@far.example')
        code, text = c.rcpt('anna@example.com')
        assert code == 450 and b'reylist' in text

        def again():
            c.rset()
            c.mail('a@far.example')
            return c.rcpt('anna@example.com')[0] == 250
        wait_for(again)
        assert c.data(message)[0] == 250
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        m.select('INBOX', readonly=True)
        got = m.fetch(b'1', '(BODY.PEEK[])')[1][0][1]
    public = subprocess.run(['openssl', 'rsa', '-in', server.key, '-pubout', '-outform', 'DER'], check=True, capture_output=True).stdout
    record = b'v=DKIM1; k=rsa; p=' + base64.b64encode(public)
    assert b'X-Greylist: delayed' in got and got.endswith(message[len(FIRST):])
    assert dkim.verify(got, dnsfunc=lambda name, timeout=5: record if name == b't._domainkey.far.example.' else None)
