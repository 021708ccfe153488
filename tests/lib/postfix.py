"""postfix.py - a Postfix of its own in a network namespace: configuration, queue, log and Maildirs in one folder.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

from godwit import text_of, wait_for

MASTER = '''
smtp       inet  n - n - - smtpd
submission inet  n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o smtpd_recipient_restrictions=
pickup     unix  n - n 60 1 pickup
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
smtp       unix  - - n - - smtp
error      unix  - - n - - error
retry      unix  - - n - - error
virtual    unix  - n n - - virtual
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
'''


class Postfix:
    """users: local parts that exist in every one of the domains.  trusted: PEM file of the hosts it sends to.  more: lines
    for (master.cf, main.cf)."""

    def __init__(self, host, name, domains, users, trusted, more=('', '')):
        self.host, self.name = host, name
        self.dir = tempfile.mkdtemp(prefix='godwit-postfix-')
        os.chmod(self.dir, 0o755)
        self.log_path = self._path('log')
        self.config, self.cert = self._path('etc'), self._path('cert.pem')
        self.process = None
        for folder in ('etc', 'etc/sasl', 'queue', 'data', 'mail'):
            os.mkdir(self._path(folder))
        owner, nobody = pwd.getpwnam('postfix'), pwd.getpwnam('nobody')
        os.chown(self._path('data'), owner.pw_uid, owner.pw_gid)
        os.chown(self._path('mail'), nobody.pw_uid, nobody.pw_gid)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self._path('key.pem'), '-out',
                        self.cert, '-days', '30', '-subj', '/CN=' + name, '-addext', 'subjectAltName=DNS:' + name],
                       check=True, capture_output=True)
        self._write('etc/master.cf', MASTER + more[0])
        self._write('etc/main.cf', f'''
compatibility_level = 3.6
maillog_file = {self.log_path}
maillog_file_prefixes = {self.dir}
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
myhostname = {name}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = all
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {' '.join(domains)}
virtual_mailbox_maps = texthash:{self.dir}/mailboxes
virtual_alias_maps = texthash:{self.dir}/aliases
virtual_mailbox_base = {self.dir}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{nobody.pw_uid}
virtual_gid_maps = static:{nobody.pw_gid}
smtpd_tls_cert_file = {self.cert}
smtpd_tls_key_file = {self.dir}/key.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtp_tls_security_level = verify
smtp_tls_CAfile = {trusted}
smtp_tls_loglevel = 1
smtpd_recipient_restrictions = check_recipient_access texthash:{self.dir}/recipients
smtpd_end_of_data_restrictions = check_recipient_access texthash:{self.dir}/after_data
smtpd_sasl_path = smtpd
smtpd_sasl_authenticated_header = yes
message_size_limit = 20000000
virtual_mailbox_limit = 0
mailbox_size_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
smtputf8_enable = yes
{more[1]}''')
        self._write('mailboxes', ''.join(f'{u}@{d} {d}/{u}/\n' for d in domains for u in users))
        self._write('aliases', '')
        self._write('recipients', '')
        self._write('after_data', '')
        self._write('etc/sasl/smtpd.conf', f'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {self.dir}/sasldb2\n'
                                       'mech_list: PLAIN LOGIN\n')

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _write(self, name, text):
        with open(self._path(name), 'w', encoding='ascii') as f:
            f.write(text)

    def _postfix(self, *words):
        return [*self.host.prefix, 'postfix', '-c', self.config, *words]

    def start(self):
        with open(self._path('out'), 'wb') as out:
            self.process = subprocess.Popen(self._postfix('start-fg'), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        wait_for(lambda: 'daemon started' in self.log())
        return self

    def restrict(self, table, entries):
        """Entries of recipients (asked at RCPT) or after_data: {address: what an access table may say}."""
        self._write(table, ''.join(f'{k} {v}\n' for k, v in entries.items()))
        if self.process:
            subprocess.run(self._postfix('reload'), check=True, capture_output=True)
            self._end_conversations()

    def bounce(self, address):
        """From now on it takes mail to this address, finds nobody behind it, and sends a report."""
        self._write('aliases', f'{address} nowhere-{address}\n')
        subprocess.run(self._postfix('reload'), check=True, capture_output=True)
        self._end_conversations()

    def _end_conversations(self):
        """A process that serves a kept connection would go by the old tables until that is closed."""
        with open(self._path('queue/pid/master.pid'), encoding='ascii') as f:
            master = f.read().split()[0]
        for pid in subprocess.run(['pgrep', '-P', master, '-x', 'smtpd'], capture_output=True, text=True, check=False).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)

    def add_login(self, user, realm, password):
        subprocess.run(['saslpasswd2', '-p', '-c', '-f', self._path('sasldb2'), '-u', realm, user], input=password.encode(),
                       check=True)
        shutil.chown(self._path('sasldb2'), 'postfix')

    def mail(self, address):
        """Messages of a Maildir; line ends are those of the disk."""
        local, domain = address.split('@')
        new = os.path.join(self._path('mail'), domain, local, 'new')
        found = []
        for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
            with open(os.path.join(new, name), 'rb') as f:
                found.append(f.read())
        return found

    def log(self):
        return text_of(self.log_path)

    def close(self):
        if self.process and self.process.poll() is None:
            subprocess.run(self._postfix('stop'), check=False, capture_output=True)
            self.process.wait(30)
        shutil.rmtree(self.dir, ignore_errors=True)
