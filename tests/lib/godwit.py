"""godwit.py - a real server in a folder of its own, for the end-to-end and crash tests.

SPDX-License-Identifier: Apache-2.0
"""
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SOURCE = os.environ.get('GODWIT_SOURCE') or os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.environ.get('GODWIT_BUILD') or os.path.join(SOURCE, 'build')
PROGRAM = os.path.join(BUILD, 'godwit')
SERVICES = ('smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s')
START_S = 60
_given = set()  # ports, so that no two services get the same


def free_port():
    """Not one of those that the kernel gives to clients: while a server is down, a client's connection could take its
    port, or even connect to itself."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as s:
            try:
                s.bind(('127.0.0.1', port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def words_of(prefix, program, verb, *rest):
    """A command.  Whom a prefix makes another user may not be let into the folder of this build; root's rights last for
    one program only, so that which godwit would become is named itself."""
    return [*prefix, program + '-server' if prefix and verb in ('serve', 'setup', 'check', 'doctor') else program, verb, *rest]


def wait_for(what, seconds=30, pause=0.05):
    """Calls what() until it is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f'{what} was not true within {seconds} s')
        time.sleep(pause)


def halt(pid):
    """Stops a process (SIGCONT lets it go on), and returns when none of its threads runs: until then it may answer."""
    def still():
        states = [text_of(f'/proc/{pid}/task/{t}/stat').rpartition(')')[2].split()[:1] for t in os.listdir(f'/proc/{pid}/task')]
        return all(state in (['T'], ['Z'], []) for state in states)
    os.kill(pid, signal.SIGSTOP)
    wait_for(still, pause=0.001)


def roles_of(boss):
    """The processes below boss: pid by role name such as "store.0".  One that ends meanwhile is none."""
    found = {}
    with open(f'/proc/{boss}/task/{boss}/children', encoding='ascii') as f:
        for pid in f.read().split():
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as c:
                    words = c.read().split(b'\0')
            except OSError:
                continue
            if len(words) > 2 and words[1] == b'role':
                found[words[2].decode()] = int(pid)
    return found


def text_of(path):
    """What a log says so far; nothing while there is none."""
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return ''


class Server:
    """One Godwit.  extra: lines for its configuration, which take the place of those that begin alike; prefix: words
    before the command, such as "ip netns exec NAME"; program: another one than that of this build."""

    def __init__(self, domain='example.com', extra=(), plaintext=True, prefix=(), program=PROGRAM):
        self.prefix = list(prefix)
        self.program = program
        self.domain = domain
        self.host = 'mail.' + domain
        self.dir = tempfile.mkdtemp(prefix='godwit-test-')
        os.chmod(self.dir, 0o755)
        self.ports = {s: free_port() for s in SERVICES}
        self.config = os.path.join(self.dir, 'godwit.conf')
        self.cert = os.path.join(self.dir, 'cert.pem')
        self.log_path = os.path.join(self.dir, 'godwit.log')
        self.process = None
        self._write(extra, plaintext)

    def _write(self, extra, plaintext):
        for name in ('data', 'run'):
            os.mkdir(os.path.join(self.dir, name))
        with open(os.path.join(self.dir, 'master.key'), 'wb') as f:
            f.write(os.urandom(32))
        os.chmod(f.name, 0o600)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                        '-nodes', '-keyout', os.path.join(self.dir, 'key.pem'), '-out', self.cert, '-days', '30',
                        '-subj', '/CN=' + self.host, '-addext',
                        f'subjectAltName=DNS:{self.host},DNS:localhost,IP:127.0.0.1'],
                       check=True, capture_output=True)
        lines = [f'host {self.host}', f'domain {self.domain}', f'data {self.dir}/data', f'run-dir {self.dir}/run',
                 f'tls cert {self.cert} key {self.dir}/key.pem', f'log {self.log_path}', 'resolver 127.0.0.1:9 no-dnssec']
        lines += [f'listen {s} 127.0.0.1:{p}' for s, p in self.ports.items()]
        if plaintext:
            lines.append('plaintext-login loopback')
        if os.geteuid() == 0:
            # Roles give up root; the folders must be theirs.
            user = pwd.getpwnam('nobody')
            lines.append('user nobody')
            for name in ('data', 'run'):
                os.chown(os.path.join(self.dir, name), user.pw_uid, user.pw_gid)
        lines.append('greylist off')  # a test of something else must not wait
        kinds = {line.split()[0] for line in extra}
        if 'resolver' not in kinds:  # the one above answers nobody, and each stranger would wait for it
            lines.append('checks off')
        lines = [line for line in lines if line.split()[0] not in kinds or line.split()[0] == 'listen']
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write('\n'.join(lines + list(extra)) + '\n')

    def start(self):
        with open(os.path.join(self.dir, 'stderr'), 'ab') as err:
            self.process = subprocess.Popen(words_of(self.prefix, self.program, 'serve', '-c', self.config), stdout=err, stderr=err,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + START_S
        while self.ctl('status', check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError('the server does not start: ' + self.stderr() + self.log()[-2000:])
            time.sleep(0.05)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def roles(self):
        """pid by role name such as "store.0"."""
        return roles_of(self.process.pid) if self.process else {}

    def kill(self):
        """kill -9 of everything at once."""
        pids = list(self.roles().values())
        self.process.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ctl(self, *words, stdin=None, check=True):
        noun, rest = words[0], words[1:]
        return subprocess.run([self.program, noun, *rest[:1], '-c', self.config, *rest[1:]], input=stdin, text=True,
                              capture_output=True, check=check, timeout=60)

    def add_domain(self):
        self.ctl('domain', 'add', self.domain)

    def add_account(self, name, password='secret'):
        self.ctl('account', 'add', f'{name}@{self.domain}', stdin=password + '\n')
        return f'{name}@{self.domain}'

    def log(self):
        return text_of(self.log_path)

    def stderr(self):
        with open(os.path.join(self.dir, 'stderr'), encoding='utf-8', errors='replace') as f:
            return f.read()
