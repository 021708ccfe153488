"""netns.py - a small Internet for tests: a network namespace for each host, one bridge, one DNS server.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile

from godwit import wait_for

CLONE_NEWNET = 0x40000000
NET4, NET6 = '10.66.0.', 'fd66::'
DNS = 53  # last part of the name server's addresses
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(['ip', *words], check=True, capture_output=True, text=True)


def missing():
    """Why this machine cannot make namespaces; None when it can."""
    if os.geteuid() != 0:
        return 'network namespaces need root'
    name = f'gw{os.getpid()}-try'
    done = subprocess.run(['ip', 'netns', 'add', name], capture_output=True, text=True)
    if done.returncode != 0:
        return 'this machine makes no network namespaces: ' + done.stderr.strip()
    done = subprocess.run(['ip', 'netns', 'exec', name, 'true'], capture_output=True, text=True)
    ip('netns', 'del', name)
    if done.returncode != 0:  # in a chroot: its root is no mount point
        return 'this place cannot enter a network namespace: ' + done.stderr.strip()
    return None


def no_mounts():
    """Why this place has no mount namespaces; None when it has.  The root of a chroot is no mount point."""
    done = subprocess.run(['unshare', '-m', 'true'], capture_output=True, text=True)
    return 'no mount namespaces: ' + done.stderr.strip() if done.returncode != 0 else None


class Host:
    """A namespace with eth0.  binds: {path that its programs see: file that stands there}."""

    def __init__(self, net, name, number, binds):
        self.ns = f'gw{os.getpid()}-{name}'
        self.v4, self.v6 = f'{NET4}{number}', f'{NET6}{number}'
        ip('netns', 'add', self.ns)
        ip('-n', self.ns, 'link', 'set', 'lo', 'up')
        ip('-n', net.ns, 'link', 'add', f'v{number}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.ns)
        ip('-n', net.ns, 'link', 'set', f'v{number}', 'master', 'bridge', 'up')
        ip('-n', self.ns, 'addr', 'add', f'{self.v4}/24', 'dev', 'eth0')
        ip('-n', self.ns, 'addr', 'add', f'{self.v6}/64', 'dev', 'eth0', 'nodad')
        ip('-n', self.ns, 'link', 'set', 'eth0', 'up')
        mounts = ''.join(f'mount --bind {file} {path} && ' for path, file in binds.items())
        self.prefix = ['ip', 'netns', 'exec', self.ns, 'sh', '-c', mounts + 'exec "$@"', 'sh']

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile belong to the host; they stay so afterwards."""
        home = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        there = os.open(f'/run/netns/{self.ns}', os.O_RDONLY)
        try:
            _enter(there)
            yield self
        finally:
            _enter(home)
            os.close(home)
            os.close(there)

    def slow(self, rate):
        """What the host sends leaves at this rate ("16mbit"); None takes the brake off."""
        dev = ['tc', '-n', self.ns, 'qdisc', 'replace' if rate else 'del', 'dev', 'eth0', 'root']
        subprocess.run(dev + (['tbf', 'rate', rate, 'burst', '32k', 'latency', '400ms'] if rate else []), check=True)


def _enter(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


class Net:
    """The bridge, its hosts and their name server.  Programs see its resolv.conf and its root trust anchor."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='godwit-net-')
        os.chmod(self.dir, 0o755)
        self.ns = f'gw{os.getpid()}-net'
        self.hosts = []
        self.knot = None
        ip('netns', 'add', self.ns)
        ip('-n', self.ns, 'link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0')
        ip('-n', self.ns, 'link', 'set', 'bridge', 'up')
        with open(self._path('resolv.conf'), 'w', encoding='ascii') as f:
            f.write(f'nameserver {NET4}{DNS}\n')
        self._configure_dns()
        self.dns = self.add('dns', DNS)

    def _path(self, name):
        return os.path.join(self.dir, name)

    def add(self, name, number, binds=None):
        here = {'/etc/resolv.conf': self._path('resolv.conf'), '/usr/share/dns/root.key': self._path('root.key')}
        self.hosts.append(Host(self, name, number, {**here, **(binds or {})}))
        return self.hosts[-1]

    def _configure_dns(self):
        """One signed root zone holds every name; bogus.example claims to be signed and is not."""
        os.mkdir(self._path('db'))
        with open(self._path('knot.conf'), 'w', encoding='ascii') as f:
            f.write(f'''server:
    rundir: {self.dir}
    user: root:root
    listen: [{NET4}{DNS}@53, {NET6}{DNS}@53]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: {self.dir}/knot.log
    any: info
database:
    storage: {self.dir}/db
policy:
  - id: own
    manual: on
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: {self.dir}
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: .
    file: root.zone
    dnssec-signing: on
    dnssec-policy: own
  - domain: bogus.example.
    file: bogus.zone
''')
        key = ['keymgr', '-c', self._path('knot.conf'), '.']
        subprocess.run(key + ['generate', 'algorithm=13', 'ksk=yes', 'zsk=yes'], check=True, capture_output=True)
        anchor = subprocess.run(key + ['ds'], check=True, capture_output=True, text=True).stdout
        with open(self._path('root.key'), 'w', encoding='ascii') as f:
            f.write(''.join(line + '\n' for line in anchor.splitlines() if line.split()[4] == '2'))

    def serve_dns(self, records, absent_s=5):
        """records: lines of the root zone, from "godwit.example. MX 10 mail.godwit.example." on.  absent_s: for so long who
        asked remembers that something is not there."""
        soa = f'@ SOA dns.example. root.example. 1 3600 600 86400 {absent_s}\n@ NS dns.example.\n'
        with open(self._path('root.zone'), 'w', encoding='ascii') as f:
            f.write(f'$ORIGIN .\n$TTL 5\n{soa}dns.example. A {NET4}{DNS}\n' + '\n'.join(records) +
                    f'\nbogus.example. NS dns.example.\nbogus.example. DS 1 13 2 {"ab" * 32}\n')
        with open(self._path('bogus.zone'), 'w', encoding='ascii') as f:
            f.write(f'$ORIGIN bogus.example.\n$TTL 5\n{soa}@ MX 10 mx.postfix.example.\n')
        with open(self._path('knot.out'), 'wb') as out:
            self.knot = subprocess.Popen([*self.dns.prefix, 'knotd', '-c', self._path('knot.conf')], stdout=out, stderr=out,
                                         stdin=subprocess.DEVNULL)
        wait_for(lambda: self.txt('ready.example') == [b'yes'])

    def change(self, *lines):
        """Records of the root zone while it is served: each line's name and type get its data, in place of all they had."""
        commands = ['zone-begin .', *(f'zone-unset . {name} {kind}' for name, kind, _ in (line.split(None, 2) for line in lines)),
                    *(f'zone-set . {name} 5 {kind} {data}' for name, kind, data in (line.split(None, 2) for line in lines)),
                    'zone-commit .']
        for command in commands:
            words = command.split(' ', 5)
            subprocess.run(['knotc', '-s', self._path('knot.sock'), *words], check=words[0] != 'zone-unset', capture_output=True)

    def txt(self, name):
        """TXT records of a name, strings joined, as a real client of the name server gets them."""
        done = subprocess.run([*self.dns.prefix, 'kdig', '+short', '+time=1', '+retry=0', f'@{NET4}{DNS}', name, 'TXT'],
                              capture_output=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith(b'"')]
        return [b''.join(line[1:-1].split(b'" "')) for line in lines]

    def close(self):
        if self.knot:
            self.knot.send_signal(signal.SIGTERM)
            self.knot.wait(20)
        for ns in [h.ns for h in self.hosts] + [self.ns]:
            subprocess.run(['ip', 'netns', 'del', ns], check=False, capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)
