"""SpamAssassin's spamd, ClamAV's clamd and rspamd, as Debian has them, judge mail for Godwit; one after the other, since they are
large.  Their rules and signatures are the test's own: nothing is fetched.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import contextlib
import imaplib
import os
import pwd
import smtplib
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, text_of, wait_for  # noqa: E402

GTUBE = b'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'
EICAR = b'X5O!P%@AP[4\\PZX54(P^)7CC)7}$' + b'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
RULES = r'''body GTUBE /XJS\*C4JDBQADN1\.NSBN3\*2IDNEN\*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\*C\.34X/
score GTUBE 1000
header FROM_FAR From =~ /far\.example/
score FROM_FAR 1.5
header SUBJECT_BUY Subject =~ /buy now/
score SUBJECT_BUY 6
required_score 5
'''
START_S = 120


class Daemon:
    """One scanner in a folder below that of the server, as a user without rights."""

    def __init__(self, words, folder, listens, as_nobody=False):
        self.log = os.path.join(folder, 'output')
        root = os.geteuid() == 0
        prefix = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'] if as_nobody and root else []
        with open(self.log, 'wb') as out:
            self.process = subprocess.Popen([*prefix, *words], stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=folder)

        def ready():
            assert self.process.poll() is None, text_of(self.log)
            with socket.socket(socket.AF_UNIX) as s:
                return s.connect_ex(listens) == 0
        wait_for(ready, START_S)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def folder_of(s, name):
    path = os.path.join(s.dir, name)
    os.mkdir(path)
    os.chmod(path, 0o777)
    return path


def write(path, text, mode='w'):
    with open(path, mode) as f:
        f.write(text)
    os.chmod(path, 0o644)


def spamd(s):
    d = folder_of(s, 'spamd')
    for name in ('rules', 'site', 'home'):
        os.mkdir(os.path.join(d, name))
        os.chmod(os.path.join(d, name), 0o777)
    write(f'{d}/rules/local.cf', RULES)
    write(f'{d}/site/init.pre', 'loadplugin Mail::SpamAssassin::Plugin::Check\n')
    return Daemon(['/usr/sbin/spamd', '-C', f'{d}/rules', f'--siteconfigpath={d}/site', '-L', '-x', f'--socketpath={d}/sock', '-m', '1',
                   '--min-children=1', '--min-spare=1', '--max-spare=1', '-s', 'stderr', '-H', f'{d}/home'], d, f'{d}/sock', True)


def clamd(s):
    d = folder_of(s, 'clamd')
    os.mkdir(f'{d}/db')
    write(f'{d}/db/test.ndb', 'Eicar-Test:0:*:' + EICAR.hex() + '\n')
    user = 'nobody' if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    write(f'{d}/conf', f'DatabaseDirectory {d}/db\nLocalSocket {d}/sock\nForeground yes\nConcurrentDatabaseReload no\nMaxThreads 2\n'
          f'StreamMaxLength 1M\nUser {user}\nSelfCheck 0\n')
    return Daemon(['/usr/sbin/clamd', '-c', f'{d}/conf'], d, f'{d}/sock')


def rspamd(s):
    d = folder_of(s, 'rspamd')
    write(f'{d}/tlds', 'com\nexample\n')
    write(f'{d}/conf', f'options {{ filters = ""; pidfile = "{d}/pid"; tempdir = "{d}"; hs_cache_dir = "{d}"; url_tld = "{d}/tlds"; '
          'enable_test_patterns = true; dns { nameserver = ["127.0.0.1:9"]; timeout = 1s; retransmits = 1; } }\n'
          'logging { type = "console"; level = "info"; }\n'
          f'worker "normal" {{ bind_socket = "{d}/sock mode=0666"; count = 1; enabled = true; }}\n'
          'actions { reject = 15; add_header = 6; greylist = 4; }\n')
    return Daemon(['/usr/bin/rspamd', '-f', '-c', f'{d}/conf', *(['-u', 'nobody', '-g', 'nogroup'] if os.geteuid() == 0 else ['-i'])], d,
                  f'{d}/sock')


@pytest.fixture(scope='module')
def server():
    s = Server(extra=['message-size 20M'])
    s.lines = text_of(s.config)
    s.start()
    s.add_domain()
    s.add_account('anna')
    yield s
    s.remove()


@pytest.fixture
def judged(server):
    """Takes lines for the configuration, and the scanners that they name."""
    running = []

    def begin(*lines, scanners=()):
        write(server.config, server.lines + '\n'.join(lines) + '\n')
        running.extend(make(server) for make in scanners)
        server.ctl('reload')
        return server
    yield begin
    for d in running:
        d.stop()
        subprocess.run(['rm', '-rf', os.path.dirname(d.log)], check=True)
    write(server.config, server.lines)


def send(server, body, subject=b'x', head=b''):
    """(code, text) of the answer to the message."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], 'client.example', timeout=120) as c:
        c.ehlo()
        c.mail('a@far.example')
        assert c.rcpt('anna@example.com')[0] == 250
        code, text = c.data(b'From: a@far.example\r\nTo: anna@example.com\r\nSubject: ' + subject + b'\r\n' + head + b'\r\n' + body + b'\r\n')
        return code, text.decode()


def boxes(server):
    """(how many in the inbox, in Junk)."""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        return tuple(int(m.select(name, readonly=True)[1][0]) for name in ('INBOX', 'Junk'))


def newest(server, name='INBOX'):
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login('anna', 'secret')
        count = m.select(name, readonly=True)[1][0]
        return m.fetch(count, '(BODY.PEEK[])')[1][0][1]


def verdicts(server):
    return [line for line in server.log().splitlines() if 'ev=filter.verdict' in line]


def test_spamassassin(judged, server):
    judged(f'spamd unix {server.dir}/spamd/sock refuse-at 100 up-to 300K', scanners=[spamd])
    assert send(server, b'hello', head=b'X-Spam-Status: No, score=-99\r\nx-spam-status: No\r\n')[0] == 250
    got = newest(server)
    assert got.count(b'-Spam-Status:') == 1 and b'X-Spam-Status: No, score=1.50 required=5.00 tests=FROM_FAR\r\n' in got, got
    assert got.lower().count(b'x-spam-status') == 1
    assert got.index(b'X-Spam-Status') < got.index(b'Received:') and got.startswith(b'Return-Path: <a@far.example>\r\n')
    # A large one, which comes out of a spool byte by byte as it went in.
    large = b''.join(b'%070d\r\n' % i for i in range(4000))
    assert send(server, large)[0] == 250
    got = newest(server)
    assert got.endswith(b'\r\n\r\n' + large + b'\r\n') and b'X-Spam-Status: No' in got
    assert send(server, large * 2)[0] == 250 # not shown
    got = newest(server)
    assert got.endswith(large * 2 + b'\r\n') and b'X-Spam-Status' not in got
    before = boxes(server)
    code, text = send(server, GTUBE)
    assert (code, text) == (550, '5.7.1 This looks like spam (1001.50 points)')
    assert boxes(server) == before
    assert send(server, b'hello', subject=b'buy now')[0] == 250
    assert 'action=junk' in verdicts(server)[-1] and 'FROM_FAR,SUBJECT_BUY' in verdicts(server)[-1]
    assert boxes(server) == (before[0], before[1] + 1)
    assert b'X-Spam-Status: Yes, score=7.50 required=5.00 tests=FROM_FAR,SUBJECT_BUY\r\n' in newest(server, 'Junk')


def test_junk_at_goes_before_what_the_scanner_says(judged, server):
    judged(f'spamd unix {server.dir}/spamd/sock junk-at 1.5', scanners=[spamd])
    assert send(server, b'hello')[0] == 250
    assert 'action=junk' in verdicts(server)[-1]
    judged(f'spamd unix {server.dir}/spamd/sock junk-at 7.51')
    assert send(server, b'hello', subject=b'buy now')[0] == 250
    assert 'action=pass' in verdicts(server)[-1] and b'X-Spam-Status: No, score=7.50' in newest(server)


def test_clamav(judged, server):
    judged(f'clamd unix {server.dir}/clamd/sock', scanners=[clamd])
    before = boxes(server)
    assert send(server, b'hello')[0] == 250
    assert boxes(server) == (before[0] + 1, before[1])
    whole = base64.encodebytes(EICAR).replace(b'\n', b'\r\n')
    for head, body in ((b'', EICAR), (b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n',
                                      b'--b\r\n\r\nsee\r\n--b\r\nContent-Type: application/octet-stream\r\n'
                                      b'Content-Transfer-Encoding: base64\r\n\r\n' + whole + b'--b--')):
        assert send(server, body, head=head) == (550, '5.7.1 The message has a virus: Eicar-Test.UNOFFICIAL')
    large = b''.join(b'%070d\r\n' % i for i in range(9000))
    assert send(server, large)[0] == 250
    assert newest(server).endswith(large + b'\r\n')
    assert send(server, large + EICAR)[0] == 550
    # More than its StreamMaxLength: it has not judged that.
    assert send(server, large * 2) == (451, '4.3.5 The server cannot judge mail now, try again later')
    assert boxes(server) == (before[0] + 2, before[1])
    assert 'action=refuse code=550 text=Eicar-Test.UNOFFICIAL' in verdicts(server)[-1]


def test_rspamd(judged, server):
    judged(f'rspamd unix {server.dir}/rspamd/sock', scanners=[rspamd])
    assert send(server, b'hello')[0] == 250
    assert b'X-Spam-Status: No, score=0.00 required=15.00 tests=none\r\n' in newest(server)
    assert send(server, GTUBE) == (550, '5.7.1 Gtube pattern')
    before = boxes(server)
    assert send(server, GTUBE.replace(b'XJS', b'YJS'))[0] == 250
    assert 'action=junk' in verdicts(server)[-1] and boxes(server) == (before[0], before[1] + 1)
    assert send(server, GTUBE.replace(b'XJS', b'ZJS'))[0] == 250 # "no action"


def test_scanners_that_are_not_there(judged, server):
    before = boxes(server)
    judged(f'spamd unix {server.dir}/nobody', f'rspamd unix {server.dir}/nobody2')
    assert send(server, b'hello')[0] == 250
    judged(f'clamd unix {server.dir}/nobody3')
    assert send(server, b'hello') == (451, '4.3.5 The server cannot judge mail now, try again later')
    judged(f'clamd unix {server.dir}/nobody3 default accept', f'spamd unix {server.dir}/nobody default reject')
    assert send(server, b'hello')[0] == 554
    assert boxes(server) == (before[0] + 1, before[1])
    judged(f'clamd unix {server.dir}/nobody3 on submission')
    assert send(server, b'hello')[0] == 250


class Liar:
    """Says what a test tells it, after it has heard so much."""

    def __init__(self, path, hears, says):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(5)
        self.hears, self.says = hears, says
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                got = 0
                while got < self.hears:
                    n = len(s.recv(65536))
                    if n == 0:
                        break
                    got += n
                s.sendall(self.says)
                s.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionError): # it may have had enough
                    while s.recv(65536):
                        pass


ANSWERS = {
    'nothing': ('clamd', b'', 451), 'cut off': ('clamd', b'stream: OK', 451), 'without end': ('clamd', b'x' * 400000, 451),
    'fine': ('clamd', b'stream: OK\0', 250), 'no verdict': ('spamd', b'SPAMD/1.1 0 EX_OK\r\n', 451),
    'not able': ('spamd', b'SPAMD/1.1 79 no\r\n', 451), 'no length': ('rspamd', b'HTTP/1.1 200 OK\r\n\r\n', 451),
    'no object': ('rspamd', b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]', 451)}


@pytest.mark.parametrize('name', ANSWERS)
def test_answers_that_are_none(judged, server, name):
    kind, says, code = ANSWERS[name]
    path = os.path.join(server.dir, 'liar ' + name)
    liar = Liar(path, 200, says)
    try:
        judged(f'{kind} unix "{path}" default tempfail timeout 20')
        assert send(server, b'hello')[0] == code
    finally:
        liar.listener.close()
