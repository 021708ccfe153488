"""place.py - a folder where `godwit setup` makes a server, for root and for an ordinary user.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import imaplib
import os
import pwd
import random
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import tempfile

from godwit import PROGRAM, wait_for, words_of

USUAL = {'smtp': 25, 'submission': 587, 'submissions': 465, 'imap': 143, 'imaps': 993, 'pop3': 110, 'pop3s': 995}
NOBODY = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups']


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(('127.0.0.1', port))
        except OSError:
            return False
    return True


def free_base():
    """A number that, added to the usual ports, gives free ones below those that the kernel hands out."""
    for _ in range(1000):
        base = random.randrange(9000, 31000)
        if all(is_free(base + port) for port in USUAL.values()):
            return base
    raise OSError('no free ports')


def tree(path):
    """What lies below path: kind, mode, owner and bytes of each."""
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            st = os.lstat(full)
            body = b''
            if stat.S_ISREG(st.st_mode):
                with open(full, 'rb') as f:
                    body = f.read()
            found[os.path.relpath(full, path)] = (stat.filemode(st.st_mode), st.st_uid, hashlib.sha256(body).hexdigest())
    return found


def zone_lines(text):
    """The DNS records of what set-up or `domain show` printed, one blank between their words; none that is for later."""
    return [' '.join(line.split()) for line in text.splitlines() if ' IN ' in line and not line.startswith((' ', ';'))]


class Place:
    """as_nobody: every command runs as an ordinary user."""

    def __init__(self, as_nobody=False, domain='example.org'):
        self.prefix = NOBODY if as_nobody and os.geteuid() == 0 else []
        self.domain = domain
        self.dir = tempfile.mkdtemp(prefix='godwit-setup-')
        os.chmod(self.dir, 0o755)
        if self.prefix:
            os.chown(self.dir, pwd.getpwnam('nobody').pw_uid, -1)
        self.root = os.path.join(self.dir, 'godwit')
        self.config = os.path.join(self.root, 'godwit.conf')
        self.cert = os.path.join(self.root, 'cert.pem')
        self.base = free_base()
        self.process = None

    def path(self, name):
        return os.path.join(self.root, name)

    def godwit(self, *words, stdin=None, prefix=None, timeout=200):
        return subprocess.run(words_of(self.prefix if prefix is None else prefix, PROGRAM, *map(str, words)), input=stdin,
                              stdin=None if stdin is not None else subprocess.DEVNULL, text=True, capture_output=True,
                              check=False, timeout=timeout)

    def options(self):
        return ['--under', self.root, '--user', 'nobody', '--listen', '127.0.0.1', '--port-base', self.base]

    def setup(self, *more, password='a good password', prefix=None):
        words = ['setup', self.domain, '--admin', 'anna', *self.options(), *more]
        if password is not None:
            words += ['--password-file', '-']
        return self.godwit(*words, stdin=None if password is None else password + '\n', prefix=prefix)

    def check(self, *more):
        return self.godwit('check', '-c', self.config, *more)

    def start(self):
        with open(os.path.join(self.dir, 'stderr'), 'ab') as err:
            self.process = subprocess.Popen(words_of(self.prefix, PROGRAM, 'serve', '-c', self.config), stdout=err, stderr=err,
                                            stdin=subprocess.DEVNULL, start_new_session=True)

        def ready():
            assert self.process.poll() is None, self.stderr()
            return self.godwit('status', '-c', self.config).returncode == 0
        wait_for(ready, 100)
        return self

    def stderr(self):
        with open(os.path.join(self.dir, 'stderr'), encoding='utf-8', errors='replace') as f:
            return f.read()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.process = None

    def log_in(self, password='a good password', user=None, cafile=None):
        """By IMAP over TLS, trusting the certificate by hand as a person would."""
        trust = ssl.create_default_context(cafile=cafile or self.cert)
        with imaplib.IMAP4_SSL('localhost', self.base + 993, ssl_context=trust) as m:
            m.login(user or f'anna@{self.domain}', password)
            return m.select('INBOX')[0]

    def edit(self, old, new):
        with open(self.config, encoding='utf-8') as f:
            text = f.read()
        assert old in text, text
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write(text.replace(old, new))

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
