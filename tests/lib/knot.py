"""knot.py - an authoritative DNS server on loopback that plays the whole name space: one zone, the root.

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import signal
import subprocess
import tempfile

from godwit import free_port, wait_for

HEAD = ['. 60 IN NS ns.', 'ns. 60 IN A 127.0.0.1']


class Knot:
    """lines: records of the root zone, names in full.  signed: with DNSSEC.  absent_s: for so long who asked remembers
    that something is not there.  down: zones that it should have and could not load: SERVFAIL."""

    def __init__(self, lines=(), signed=False, absent_s=60, down=()):
        self.absent_s = absent_s
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix='godwit-knot-')
        self.process = None
        self.config = os.path.join(self.dir, 'knot.conf')
        self.zone(lines)
        text = f"""
server:
    listen: 127.0.0.1@{self.port}
    rundir: {self.dir}
    tcp-workers: 1
    udp-workers: 1
    background-workers: 1
database:
    storage: {self.dir}
log:
  - target: {self.dir}/log
    any: info
zone:
  - domain: .
    storage: {self.dir}
    file: root.zone
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    dnssec-signing: {'on' if signed else 'off'}
""" + ''.join(f'  - domain: {name}\n    storage: {self.dir}\n    file: none.zone\n' for name in down)
        with open(self.config, 'w', encoding='ascii') as f:
            f.write(text)

    def zone(self, lines):
        with open(os.path.join(self.dir, 'root.zone'), 'w', encoding='ascii') as f:
            head = [f'. {self.absent_s} IN SOA ns. admin. 1 3600 600 86400 {self.absent_s}', *HEAD]
            f.write('\n'.join(head + list(lines)) + '\n')

    def start(self):
        with open(os.path.join(self.dir, 'output'), 'ab') as out:
            self.process = subprocess.Popen(['knotd', '-c', self.config], stdout=out, stderr=out,
                                            stdin=subprocess.DEVNULL)
        wait_for(self.answers)
        return self

    def answers(self):
        """Has it loaded its zone?"""
        if self.process.poll() is not None:
            with open(os.path.join(self.dir, 'output'), encoding='utf-8', errors='replace') as f:
                raise RuntimeError('knotd ended: ' + f.read())
        done = subprocess.run(['kdig', '@127.0.0.1', '-p', str(self.port), '+time=1', '+retry=0', '+short', '.', 'SOA'],
                              capture_output=True, text=True, check=False)
        return done.stdout.startswith('ns.')

    def anchor(self):
        """The key to prove this root with, as a file of trust anchors has it."""
        done = subprocess.run(['kdig', '@127.0.0.1', '-p', str(self.port), '+short', '.', 'DNSKEY'],
                              capture_output=True, text=True, check=True)
        return ''.join(f'. IN DNSKEY {line}\n' for line in done.stdout.splitlines() if line.startswith('257 '))

    def resolver(self):
        return f'127.0.0.1:{self.port}'

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def again(self, lines):
        """From now on these are the records."""
        self.stop()
        self.zone(lines)
        self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
