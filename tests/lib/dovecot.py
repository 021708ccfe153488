"""dovecot.py - a Dovecot that people move away from: that of this machine, or one whose packages are unpacked (tools/peers.sh)
and laid over /usr in a mount namespace of its own.

SPDX-License-Identifier: Apache-2.0
"""
import imaplib
import os
import poplib
import shutil
import signal
import ssl
import subprocess
import tempfile

import peer
import pytest
from godwit import free_port, text_of, wait_for

PROGRAM = '/usr/sbin/dovecot'
# The names of messages in POP3 are those of a Dovecot that nobody configured.
CONFIG = '''
base_dir = {d}/run
state_dir = {d}/run
log_path = {d}/log
listen = 127.0.0.1
protocols = imap pop3
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = daemon
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{d}/cert.pem
ssl_key = <{d}/key.pem
ssl_dh =
auth_master_user_separator = *
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = {d}/masters
  master = yes
}}
passdb {{
  driver = passwd-file
  args = {d}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={d}/mail/%u
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  prefix = INBOX.
  separator = .
  mailbox "Sent Messages" {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {p[imap]}
  }}
  inet_listener imaps {{
    port = {p[imaps]}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {p[pop3]}
  }}
  inet_listener pop3s {{
    port = {p[pop3s]}
    ssl = yes
  }}
}}
'''
OVER = '''set -e
t=$1; w=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs $w
mkdir $w/tree $w/up $w/work
cp -a $t/usr $w/tree/
mount -t overlay overlay -o lowerdir=$w/tree/usr:/usr,upperdir=$w/up,workdir=$w/work /usr
exec "$@"
'''


def missing():
    """Why there can be none here; None when there can."""
    if os.geteuid() != 0:
        return 'Dovecot needs root, to give it up'
    return None if os.path.exists(PROGRAM) else peer.no_overlays()


class Dovecot:
    """Users NAME with the password "secret"; the master user "boss" with "bosspw"."""
    separator, root = '.', 'INBOX.'

    def __init__(self, *users):
        reason = missing()
        if reason:
            pytest.skip(reason)
        self.before = []
        self.dir = tempfile.mkdtemp(prefix='godwit-dovecot-')
        os.chmod(self.dir, 0o755)
        if not os.path.exists(PROGRAM):
            os.mkdir(self.path('over'))
            self.before = ['unshare', '-m', 'sh', '-c', OVER, 'sh', peer.unpack(), self.path('over')]
        self.ports = {s: free_port() for s in ('imap', 'imaps', 'pop3', 'pop3s')}
        self.cert = self.path('cert.pem')
        self.process = None
        for name in ('run', 'mail'):
            os.mkdir(self.path(name))
        shutil.chown(self.path('mail'), 'nobody', 'nogroup')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.path('key.pem'), '-out',
                        self.cert, '-days', '30', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
                       check=True, capture_output=True)
        self._write('masters', 'boss:{PLAIN}bosspw\n')
        self._write('users', ''.join(f'{user}:{{PLAIN}}secret\n' for user in users))
        self._write('dovecot.conf', CONFIG.format(d=self.dir, p=self.ports))

    def path(self, name):
        return os.path.join(self.dir, name)

    def _write(self, name, text):
        with open(self.path(name), 'w', encoding='ascii') as f:
            f.write(text)

    def start(self):
        out = open(self.path('out'), 'ab')
        self.process = subprocess.Popen([*self.before, PROGRAM, '-F', '-c', self.path('dovecot.conf')], stdin=subprocess.DEVNULL,
                                        stdout=out, stderr=out, start_new_session=True)
        out.close()
        wait_for(self._answers)
        return self

    def _answers(self):
        assert self.process.poll() is None, text_of(self.path('out')) + text_of(self.path('log'))
        try:
            with imaplib.IMAP4('127.0.0.1', self.ports['imap']):
                return True
        except OSError:
            return False

    def user(self, name):
        return name

    def imap(self, name):
        c = imaplib.IMAP4_SSL('127.0.0.1', self.ports['imaps'], ssl_context=ssl._create_unverified_context())
        c.login(name, 'secret')
        return c

    def uidls(self, name):
        c = poplib.POP3('127.0.0.1', self.ports['pop3'])
        c.user(name)
        c.pass_('secret')
        found = [line.split()[1].decode() for line in c.uidl()[1]]
        c.quit()
        return found

    def close(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
