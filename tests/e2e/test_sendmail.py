"""The sendmail command as programs call it: by its names and options, as root and as others, with and without a server.

SPDX-License-Identifier: Apache-2.0
"""
import email
import email.policy
import imaplib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile

import pytest
from godwit import PROGRAM, Server, wait_for

ROOT = os.geteuid() == 0
EX_USAGE, EX_DATAERR, EX_NOUSER, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM = 64, 65, 67, 69, 75, 77
SELF = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope='module')
def town():
    s = Server(extra=['outbound none', 'sendmail-trust backup'])
    s.socket = os.path.join(s.dir, 'run', 'sendmail.sock')
    with open(s.config, 'a', encoding='utf-8') as f:
        f.write(f'listen sendmail unix {s.socket} mode 666\n')
    s.start()
    s.add_domain()
    for name in ('anna', 'bert', SELF if SELF != 'anna' else 'carl', 'games', 'full'):
        s.add_account(name)
    s.ctl('alias', 'set', 'arcade@example.com', 'games@example.com')
    s.ctl('account', 'quota', 'full@example.com', '100')
    yield s
    s.remove()


@pytest.fixture(scope='module')
def links():
    """The command by its other names, in a folder that every user may enter."""
    folder = tempfile.mkdtemp(prefix='godwit-names-')
    os.chmod(folder, 0o755)
    for name in ('sendmail', 'mailq', 'newaliases'):
        shutil.copy(PROGRAM, os.path.join(folder, name))
        os.chmod(os.path.join(folder, name), 0o755)
    yield folder
    shutil.rmtree(folder)


def call(town, *words, message='', user=None, program=None, env=None):
    """The finished command; user: as somebody else, which only root can do."""
    words = [program] + list(words) if program else [PROGRAM, 'sendmail'] + list(words)
    more = {'user': user, 'group': pwd.getpwnam(user).pw_gid, 'extra_groups': []} if user else {}
    return subprocess.run(words, input=message.encode() if isinstance(message, str) else message, capture_output=True,
                          timeout=60, check=False, env=env or {'GODWIT_CONFIG': town.config}, cwd='/', **more)


def letters(town, who):
    m = imaplib.IMAP4('127.0.0.1', town.ports['imap'], timeout=30)
    m.login(f'{who}@example.com', 'secret')
    m.select('INBOX', readonly=True)
    found = m.fetch('1:*', '(BODY.PEEK[])')[1]
    m.logout()
    return [email.message_from_bytes(p[1], policy=email.policy.SMTP) for p in found if isinstance(p, tuple)]


def letter(town, who, subject):
    return wait_for(lambda: next((m for m in letters(town, who) if m['Subject'] == subject), None))


def test_mail_pipe(town):
    """mail(1): recipients on the command line, no From, no Date."""
    done = call(town, '-oi', '-F', 'The Machine', 'anna@example.com', message='Subject: pipe\nTo: anna\n\nline\n.\n..two\n')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')
    m = letter(town, 'anna', 'pipe')
    assert m['From'] == f'The Machine <{SELF}@example.com>' and m['To'] == 'anna@example.com'
    assert m['Return-Path'] == f'<{SELF}@example.com>' and m['Date'] and m['Message-ID']
    assert m.get_payload() == 'line\r\n.\r\n..two\r\n'


def test_a_dot_ends(town):
    assert call(town, 'anna', message='Subject: dot\n\nline\n.\nnot this\n').returncode == 0
    assert letter(town, 'anna', 'dot').get_payload() == 'line\r\n'


def test_cron_style(town, links):
    message = ('From: root (Cron Daemon)\nTo: anna\nSubject: Cron <root@host> test -x /x\nMIME-Version: 1.0\n'
               'Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\n'
               'Gr\u00fc\u00dfe\n')
    done = call(town, '-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'anna', message=message, program=links + '/sendmail')
    assert (done.returncode, done.stderr) == (0, b'')
    m = letter(town, 'anna', 'Cron <root@host> test -x /x')
    raw = dict(m.raw_items())
    assert raw['From'] == 'root@example.com (Cron Daemon)' and raw['To'] == 'anna@example.com'
    assert m.get_payload(decode=True).decode() == 'Gr\u00fc\u00dfe\r\n'


def test_php_style(town, links):
    """mail() of PHP: "sendmail -t -i -fADDRESS" with CR LF or LF; Bcc gets it and nobody sees that."""
    message = ('To: Anna <anna@example.com>\r\nSubject: php\r\nX-PHP-Originating-Script: 33:x.php\r\nFrom: Shop <shop@example.com>\r\n'
               'Bcc: bert@example.com,\r\n anna@example.com\r\n\r\nHello\n')
    done = call(town, '-t', '-i', '-fbert@example.com', message=message, program=links + '/sendmail')
    assert (done.returncode, done.stderr) == (0, b'')
    for who in ('anna', 'bert'):
        m = letter(town, who, 'php')
        assert m['Return-Path'] == '<bert@example.com>' and m['From'] == 'Shop <shop@example.com>' and m['Bcc'] is None
        assert m.get_payload() == 'Hello\r\n'
    assert len([m for m in letters(town, 'anna') if m['Subject'] == 'php']) == 1


def test_git_style(town, links):
    patch = 'From: Bert <bert@example.com>\nTo: anna@example.com\nSubject: [PATCH] x\nMessage-ID: <p1@git>\nDate: Mon, 23 Nov 2026 21:01:12 +0000\n\n---\n.\n-- \n2.39\n'
    done = call(town, '-i', '-f', 'bert@example.com', 'anna@example.com', message=patch, program=links + '/sendmail')
    assert (done.returncode, done.stderr) == (0, b'')
    m = letter(town, 'anna', '[PATCH] x')
    assert m['Message-ID'] == '<p1@git>' and m['Date'] == 'Mon, 23 Nov 2026 21:01:12 +0000'
    assert m.get_payload() == '---\r\n.\r\n-- \r\n2.39\r\n'


def test_mutt_style(town, links):
    done = call(town, '-oem', '-oi', '-f', 'bert@example.com', '-N', 'failure,delay', '-R', 'hdrs', '-V', 'id=1', '--',
                'anna@example.com', 'bert@example.com', message='From: bert@example.com\nSubject: mutt\n\nx\n',
                program=links + '/sendmail')
    assert (done.returncode, done.stderr) == (0, b'')
    assert letter(town, 'anna', 'mutt') and letter(town, 'bert', 'mutt')


def test_resent(town):
    message = 'From: x@far.example\nTo: far@far.example\nSubject: again\nResent-To: anna@example.com\n\nx\n'
    assert call(town, '-t', '-i', message=message).returncode == 0
    m = letter(town, 'anna', 'again')
    assert m['Resent-From'].endswith(f'{SELF}@example.com>' if '<' in m['Resent-From'] else f'{SELF}@example.com')
    assert m['Resent-Date'] and m['From'] == 'x@far.example' and m['To'] == 'far@far.example'


def test_empty_sender(town):
    for empty in ('', '<>'):
        assert call(town, '-f', empty, 'anna', message=f'Subject: auto{empty}\n\nx\n').returncode == 0
        assert letter(town, 'anna', f'auto{empty}')['Return-Path'] == '<>'


def test_smtp_on_standard_input(town):
    """-bs, as some mail programs have it; also with LF alone."""
    talk = ('EHLO localhost\nMAIL FROM:<bert@example.com>\nRCPT TO:<anna@example.com>\nDATA\n'
            'Subject: by smtp\n\nx\n.\nQUIT\n')
    done = call(town, '-bs', message=talk)
    assert done.returncode == 0
    codes = [line[:4] for line in done.stdout.decode().splitlines() if line[3] == ' ']
    assert codes == ['220 ', '250 ', '250 ', '250 ', '354 ', '250 ', '221 ']
    assert letter(town, 'anna', 'by smtp')


@pytest.mark.parametrize('words, message, status, says', [
    (['nobody@example.com'], 'x\n', EX_NOUSER, 'no such address'),
    (['anna@example.com', 'nobody@example.com'], 'Subject: half\n\nx\n', EX_NOUSER, 'nobody@example.com'),
    (['full@example.com'], 'x\n' * 100, EX_TEMPFAIL, '4.2.2'),
    (['a@b@c..d'], 'x\n', EX_DATAERR, 'no address'),
    (['-f', 'a@b@c', 'anna'], 'x\n', EX_DATAERR, 'no address'),
    (['-t'], 'Subject: x\n\nTo: anna@example.com\n', EX_USAGE, 'no recipient'),
    ([], 'x\n', EX_USAGE, 'to whom'),
    (['-bd'], '', EX_USAGE, '-bd'),
    (['-bv', 'anna'], '', EX_USAGE, '-bv'),
    (['-N', 'sometimes', 'anna'], 'x\n', EX_USAGE, '-N'),
    (['-R', 'half', 'anna'], 'x\n', EX_USAGE, '-R'),
    (['-Z', 'anna'], 'x\n', EX_USAGE, '-Z'),
    (['-f'], 'x\n', EX_USAGE, '-f'),
], ids=lambda value: ' '.join(value) or 'nothing' if isinstance(value, list) else '')
def test_failures(town, words, message, status, says):
    done = call(town, *words, message=message)
    assert (done.returncode, done.stdout) == (status, b'')
    assert says in done.stderr.decode() and done.stderr.startswith(b'sendmail: ') and done.stderr.count(b'\n') == 1
    assert not [m for m in letters(town, 'anna') if m['Subject'] == 'half']  # to all, or to none


def test_verbose(town):
    done = call(town, '-v', 'anna', message='Subject: v\n\nx\n')
    assert done.returncode == 0 and b'>>> RCPT TO:<anna@example.com>' in done.stderr and b'<<< 250 2.1.5' in done.stderr


def test_who_may_send_as_whom(town, links):
    """Others than root: their login; what the account of that name may; nothing else."""
    if not ROOT:
        pytest.fail('only root can be several users')
    sendmail = links + '/sendmail'
    no_config = {'GODWIT_CONFIG': '/nonexistent'}

    def as_user(user, sender, subject):
        done = call(town, *(['-f', sender] if sender is not None else []), 'anna', message=f'Subject: {subject}\n\nx\n',
                    user=user, program=sendmail)
        return done.returncode, done.stderr.decode()

    os.chmod(town.config, 0o644)
    assert as_user('games', None, 'g1')[0] == 0
    m = letter(town, 'anna', 'g1')
    assert m['Return-Path'] == '<games@example.com>' and 'games@example.com' in m['From']
    assert as_user('games', 'games+tag@example.com', 'g2')[0] == 0
    assert as_user('games', 'arcade@example.com', 'g3')[0] == 0  # an alias of the account
    assert as_user('games', '', 'g4')[0] == 0
    for wrong in ('bert@example.com', 'root@example.com', 'x@far.example'):
        status, text = as_user('games', wrong, 'g5')
        assert status == EX_NOPERM and f'games@example.com may not send as {wrong}' in text
    assert as_user('news', None, 'n1')[0] == 0  # without an account: its own name alone
    assert as_user('news', 'games@example.com', 'n2')[0] == EX_NOPERM
    assert as_user('backup', 'shop@far.example', 'b1')[0] == 0  # sendmail-trust
    assert letter(town, 'anna', 'b1')['Return-Path'] == '<shop@far.example>'
    assert as_user('nobody', 'shop@far.example', 's1')[0] == 0  # the server's own user
    for mailq in (links + '/mailq', sendmail):
        done = call(town, *([] if mailq.endswith('mailq') else ['-bp']), user='games', program=mailq)
        assert done.returncode == EX_UNAVAILABLE and b'are you root' in done.stderr
    assert not [m for m in letters(town, 'anna') if m['Subject'] in ('g5', 'n2')]
    assert call(town, 'anna', message='x', program=sendmail, env=no_config).returncode in (0, EX_TEMPFAIL)


def test_mailq_and_newaliases(town, links):
    for words in ((links + '/mailq',), (links + '/sendmail', '-bp'), (links + '/sendmail', '-q')):
        done = call(town, *words[1:], program=words[0])
        assert done.returncode == 0, done.stderr
    done = call(town, program=links + '/newaliases')
    assert (done.returncode, done.stderr) == (0, b'') and b'godwit alias' in done.stdout


def test_many_at_once(town):
    words = [PROGRAM, 'sendmail', 'bert']
    jobs = [subprocess.Popen(words, stdin=subprocess.PIPE, env={'GODWIT_CONFIG': town.config}) for _ in range(20)]
    for i, job in enumerate(jobs):
        job.stdin.write(f'Subject: many {i}\n\nx\n'.encode())
        job.stdin.close()
    assert [job.wait(60) for job in jobs] == [0] * 20
    assert {f'many {i}' for i in range(20)} <= {m['Subject'] for m in letters(town, 'bert')}


def test_log_and_socket(town):
    assert stat.S_IMODE(os.lstat(town.socket).st_mode) == 0o666
    call(town, 'anna', message='Subject: logged\n\nx\n')
    assert re.search(rf'ev=submit.message .*from={re.escape(SELF)}@example.com .*code=250', town.log())


def test_without_a_server(town):
    town.stop()
    try:
        done = call(town, 'anna', message='x\n' * 100000)
        assert done.returncode == EX_TEMPFAIL and done.stderr.count(b'\n') == 1
        assert b'does not answer' in done.stderr and b'nothing was sent or kept' in done.stderr
        assert call(town, '-bs').returncode == EX_TEMPFAIL
        assert call(town, '-bp').returncode == EX_UNAVAILABLE
    finally:
        town.start()
    assert call(town, 'anna', message='Subject: back\n\nx\n').returncode == 0
    assert letter(town, 'anna', 'back')
