"""peer.py - another mail server whose package is unpacked (tools/peers.sh), not installed: it sees its files where it expects
them, through overlays of a mount namespace of its own, in a network namespace of netns.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading

from godwit import BUILD, SOURCE, wait_for

# $1: folder of the peer; then the command.  What is written to /etc, /usr and /var stays in memory, and ends with it.
ROOT = '''set -e
d=$1; shift
mount -t tmpfs -o mode=755 tmpfs $d/mnt
mkdir $d/mnt/dev
for top in usr etc var; do
    mkdir -p $d/mnt/up/$top $d/mnt/work/$top
    mkdir -p $d/mnt/tree
    cp -a $d/tree/$top $d/mnt/tree/
    mount -t overlay overlay -o lowerdir=$d/mnt/tree/$top:/$top,upperdir=$d/mnt/up/$top,workdir=$d/mnt/work/$top /$top
done
for node in null zero full random urandom tty; do
    touch $d/mnt/dev/$node
    mount --bind /dev/$node $d/mnt/dev/$node
done
ln -s $d/syslog $d/mnt/dev/log
ln -s /proc/self/fd $d/mnt/dev/fd
mount --rbind $d/mnt/dev /dev
mount -t tmpfs -o mode=755 tmpfs /run
cp -a $d/own/. /
. $d/prepare
exec "$@"
'''
USERS = [('Debian-exim', 65301), ('opensmtpd', 65302), ('opensmtpq', 65303), ('courier', 65304), ('smmta', 65305),
         ('smmsp', 65306)]


def unpack():
    """The folder with the unpacked packages."""
    folder = os.path.join(BUILD, 'peers')
    subprocess.run([os.path.join(SOURCE, 'tools', 'peers.sh'), folder], check=True)
    return os.path.join(folder, 'tree')


def no_overlays():
    """Why this place cannot lay folders over its own; None when it can."""
    with tempfile.TemporaryDirectory() as d:
        done = subprocess.run(['unshare', '-m', 'sh', '-c', f'mount -t tmpfs tmpfs {d} && mkdir {d}/low {d}/up {d}/work && '
                               f'mount -t overlay overlay -o lowerdir={d}/low:/etc,upperdir={d}/up,workdir={d}/work /etc'],
                              capture_output=True, text=True, check=False)
    return 'no overlay mounts: ' + done.stderr.strip() if done.returncode != 0 else None


class Peer:
    """users: local parts that exist in domain; aliases: {local part: address}; trusted: PEM file of the hosts it sends to.
    A subclass has what is its own: PROGRAMS (commands that stay in the foreground), files(), PREPARE, defer()."""
    PROGRAMS = ()
    PREPARE = ''
    SMTPUTF8 = CHUNKING = False
    LINE = 998  # bytes of the longest line that it sends as it is
    SERVES_TLS = True
    REPORT, REPORTS_ENVID = 'multipart/report', True
    DEFERRAL = 'come back soon'

    def __init__(self, host, tree, domain, users, aliases, trusted):
        self.host, self.domain, self.name = host, domain, 'mx.' + domain
        self.users, self.aliases, self.trusted = list(users), dict(aliases), trusted
        self.dir = tempfile.mkdtemp(prefix='godwit-peer-')
        os.chmod(self.dir, 0o755)
        self.cert, self.key = self.path('cert.pem'), self.path('key.pem')
        self.processes = []
        for folder in ('mnt', 'own', 'mail', 'log'):
            os.mkdir(self.path(folder))
        os.chmod(self.path('log'), 0o1777)
        os.chmod(self.path('mail'), 0o755)
        os.symlink(tree, self.path('tree'))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', self.key, '-out', self.cert,
                        '-days', '30', '-subj', '/CN=' + self.name, '-addext', 'subjectAltName=DNS:' + self.name], check=True,
                       capture_output=True)
        self.number = pwd.getpwnam('nobody').pw_uid
        self._accounts()
        for path, text in self.files().items():
            self.own(path, text)
        with open(self.path('prepare'), 'w', encoding='ascii') as f:
            f.write(self.PREPARE.format(p=self))
        self._syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._syslog.bind(self.path('syslog'))
        os.chmod(self.path('syslog'), 0o666)
        threading.Thread(target=self._keep_log, daemon=True).start()

    def path(self, name):
        return os.path.join(self.dir, name)

    def own(self, path, text):
        """A file that its programs see at a path of /etc, /usr or /var."""
        full = self.path('own' + path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)

    def _accounts(self):
        """System users that the packages would have made, and the people that have mail there, with a home each."""
        own = {name: number for name, number in USERS}
        with open('/etc/passwd', encoding='utf-8') as f:
            words = [line for line in f if line.split(':')[0] not in own]
        with open('/etc/group', encoding='utf-8') as f:
            groups = [line for line in f if line.split(':')[0] not in own]
        for name, number in USERS:
            words.append(f'{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n')
            groups.append(f'{name}:x:{number}:\n')
        for i, name in enumerate(self.users):
            home = self.path(f'mail/{name}')
            os.mkdir(home)
            os.chown(home, 65400 + i, 65400)
            words.append(f'{name}:x:{65400 + i}:65400:{name}:{home}:/bin/sh\n')
        groups.append('people:x:65400:\n')
        self.own('/etc/passwd', ''.join(words))
        self.own('/etc/group', ''.join(groups))
        self.own('/etc/shells', '/bin/sh\n')
        shutil.copy(self.trusted, self.path('trusted.pem'))
        with open(self.trusted, encoding='ascii') as f:
            self.own('/etc/ssl/certs/ca-certificates.crt', f.read())
        self.own('/etc/resolv.conf', 'nameserver 10.66.0.53\n')
        self.own('/etc/hosts', f'127.0.0.1 localhost\n{self.host.v4} {self.name}\n')
        self.own('/etc/mailname', self.name + '\n')
        self.own('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n')

    def _keep_log(self):
        with contextlib.suppress(OSError), open(self.path('log/syslog'), 'ab', buffering=0) as out:
            while True:
                out.write(self._syslog.recv(65536) + b'\n')

    def files(self):
        return {}

    def start(self):
        """One mount namespace holds all its programs: the first makes it, the others enter it."""
        out = open(self.path('log/out'), 'ab')
        for i, words in enumerate(self.PROGRAMS):
            words = [w.format(p=self) for w in words]
            command = [*self.host.prefix, 'sh', '-c', ROOT, 'sh', self.dir, *words] if i == 0 else self.enter(words)
            self.processes.append(subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                                   start_new_session=True))
            if i == 0:
                wait_for(self._rooted)
        out.close()
        wait_for(self.listens)
        return self

    def _rooted(self):
        """Has the first program taken the place of the shell that mounts?"""
        assert self.processes[0].poll() is None, self.log()
        with open(f'/proc/{self.processes[0].pid}/cmdline', 'rb') as f:
            return ROOT.encode() not in f.read()

    def enter(self, words):
        return ['nsenter', '-t', str(self.processes[0].pid), '-m', '-n', *words]

    def run(self, *words):
        return subprocess.run(self.enter(words), check=False, capture_output=True, text=True, timeout=60)

    def listens(self):
        assert all(p.poll() is None for p in self.processes), self.log()
        try:
            with self.host.inside(), socket.create_connection(('127.0.0.1', 25), 5) as s:
                return s.recv(3) == b'220'
        except OSError:
            return False

    def send(self, sender, to, mail, options=(), rcpt_options=()):
        """Gives it a message to send, as a program on its own host does."""
        with self.host.inside(), smtplib.SMTP('127.0.0.1', 25, 'localhost', timeout=60) as s:
            refused = s.sendmail(sender, to, mail, list(options), list(rcpt_options))
        assert refused == {}

    def mail(self, user):
        """Messages of a Maildir; line ends are those of the disk."""
        new = self.path(f'mail/{user}/Maildir/new')
        found = []
        for name in sorted(os.listdir(new)) if os.path.isdir(new) else []:
            with open(os.path.join(new, name), 'rb') as f:
                found.append(f.read())
        return found

    def log(self):
        found = ''
        for name in sorted(os.listdir(self.path('log'))):
            with open(self.path('log/' + name), encoding='utf-8', errors='replace') as f:
                found += f'--- {name}\n' + f.read()
        return found

    def defer(self, user):
        """From now on that recipient is refused for the moment; None: nobody is."""
        raise NotImplementedError

    def retry(self):
        """Sends what waits."""

    def stop(self):
        """Kills all that is in its session groups, from the last on; what was kept in memory is gone."""
        for p in reversed(self.processes):
            for sign in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(p.pid, sign)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    p.wait(5)
                    break
        for pid in self._inside():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self._inside())
        self.processes = []

    def _inside(self):
        """What still runs in its network namespace: daemons leave their group."""
        done = subprocess.run(['ip', 'netns', 'pids', self.host.ns], check=False, capture_output=True, text=True)
        return [int(pid) for pid in done.stdout.split()]

    def close(self):
        self.stop()
        self._syslog.close()
        shutil.rmtree(self.dir, ignore_errors=True)
