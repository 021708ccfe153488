"""cycles.py - a server under the load of many clients whose processes are killed again and again.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import random
import re
import signal
import subprocess
import threading
import time

from clients import Admin, Mailer, Popper
from compare import Comparison
from godwit import Server, free_port, wait_for
from ledger import Ledger
from observer import Observer
from reader import BOXES, Reader
from sink import Sink
from wire import Imap

ROLES = ('mx', 'user', 'auth', 'cook', 'store', 'keys', 'out')
ACCOUNTS, POPS, STRANGERS, SUBMITTERS, READERS, OBSERVERS = 6, 2, 10, 6, 9, 4
BACK_S = 60   # a role that was killed serves again
ORPHAN_S = 30  # roles end when boss is gone
BURST_S = 0.03
SLOW_S = 8  # then it is written down who waits for what
PROOF = ('deliver', 'append', 'submit')  # of life, after a kill


class Arrivals(list):
    """What the other server took, with the time."""

    def append(self, message):
        super().append((*message, time.time()))


class Job:
    """32 clients and a server.  pace: operations a second of one client."""

    def __init__(self, seed, pace=1.0):
        self.seed, self.pace = seed, pace
        self.dice = random.Random(seed)
        self.ledger = Ledger()
        self.gate, self.ending, self.burst = threading.Event(), threading.Event(), threading.Event()
        self.kills, self.cycles = [], 0
        self.deck, self.times, self.notes = [], [], {}
        port = free_port()
        self.sink = Sink(port)
        self.sink.messages = Arrivals()
        self.sink.server.handle_error = lambda *_: None  # of connections that a kill cut off
        self.server = Server(extra=['outbound none', 'outbound-limits none', f'route elsewhere.example 127.0.0.1:{port}'])
        self.accounts = [f'u{n}@example.com' for n in range(ACCOUNTS)]
        self.pops = [f'p{n}@example.com' for n in range(POPS)]
        self.team = self.accounts[:3]
        self.clients, self.observers = [], []

    def start(self):
        self.server.start()
        self.server.add_domain()
        for account in self.accounts + self.pops:
            self.server.add_account(account.split('@')[0])
        self.server.ctl('alias', 'set', 'team@example.com', *self.team)
        for account in self.accounts:
            m = Imap(self.server)
            m.login(account)
            for box in BOXES[1:]:
                if box != 'Archive':
                    m.command(f'CREATE {box}')
            m.close()
        self.make_clients()
        self.comparison = Comparison(self)
        self.gate.set()
        for c in self.clients:
            c.start()

    def make_clients(self):
        def add(kind, *more):
            self.clients.append(kind(self, len(self.clients), self.seed, *more))
        for _ in range(STRANGERS):
            add(Mailer)
        for n in range(SUBMITTERS):
            add(Mailer, self.accounts[n % ACCOUNTS])
        for n in range(READERS):
            add(Reader, self.accounts[n % ACCOUNTS])
        for account in self.pops:
            add(Popper, account)
        for n in range(OBSERVERS):
            add(Observer, self.accounts[n])
        add(Admin)
        self.observers = [c for c in self.clients if isinstance(c, Observer)]
        assert len(self.clients) == 32

    # ---- death ----

    def draw(self):
        """A deck holds few cards of each role, so that boss restarts it at once, and ends with the whole server."""
        if not self.deck:
            cards = [(r,) for r in ROLES * 2 + ('store', 'store', 'user', 'mx')]
            cards += [tuple(self.dice.sample(ROLES, 2)), ('store', 'user'), ('store', 'out')]
            self.dice.shuffle(cards)
            self.deck = [(self.dice.choice(['all', 'all', 'boss', 'stop']),)] + cards
        return self.deck.pop()

    def kill(self, names):
        self.kills += [(time.time(), name) for name in names]
        if names == ('all',):
            self.server.kill()
        elif names == ('boss',):
            self.kill_boss()
        elif names == ('stop',):
            self.stop()
        else:
            pids = self.server.roles()
            for name in names:
                if pids.get(f'{name}.0'):
                    os.kill(pids[f'{name}.0'], signal.SIGKILL)

    def kill_boss(self):
        """The roles see it and end: nobody holds ports or data when the next one starts."""
        pids = self.server.roles()
        self.server.process.kill()
        self.server.process.wait()
        self.server.process = None
        self.burst.clear()
        try:
            wait_for(lambda: not [p for p in pids.values() if os.path.exists(f'/proc/{p}')], ORPHAN_S)
        except TimeoutError:
            left = [n for n, p in pids.items() if os.path.exists(f'/proc/{p}')]
            self.ledger.violation('role', f'{left} live on without boss')

    def stop(self):
        pids = self.server.roles()
        self.server.process.send_signal(signal.SIGTERM)
        try:
            status = self.server.process.wait(BACK_S)
            left = [n for n, p in pids.items() if os.path.exists(f'/proc/{p}')]
            if status or left:
                self.ledger.violation('role', f'the stop ended with {status} and left {left}')
            self.server.process = None
        except subprocess.TimeoutExpired:
            self.ledger.violation('hang', 'the server does not stop')
            self.server.kill()

    def cycle(self):
        """One death, and proof of life after it; now and then the next death comes first."""
        names = self.draw()
        start = time.monotonic()
        self.burst.set()  # all clients work at once, so that many operations are under way
        time.sleep(self.dice.uniform(0, BURST_S))
        self.kill(names)
        self.burst.clear()
        if self.server.process is None:
            self.server.start()
        self.cycles += 1
        if self.dice.random() < 0.25 and len(self.deck) > 1:
            time.sleep(self.dice.uniform(0, 0.2))
            return
        begun = self.ledger.begun
        try:
            wait_for(lambda: self.proven(begun, start, names), BACK_S)
        except TimeoutError:
            self.ledger.violation('hang', f'{BACK_S} s after the death of {names} no {self.missing(begun)} was done: '
                                          f'{sorted(self.server.roles())}')
        self.times.append((time.monotonic() - start, names))
        time.sleep(self.dice.uniform(0, 0.5))

    def missing(self, begun):
        return [kind for kind in PROOF if self.ledger.newest[kind] <= begun]

    def proven(self, begun, start, names):
        missing = self.missing(begun)
        if missing and time.monotonic() - start > SLOW_S and not self.notes.get(self.cycles):
            doing = [f'{type(c).__name__} {c.number}: {c.doing}' for c in self.clients]
            self.notes[self.cycles] = f'slow after {names}: no {missing} yet\n' + '\n'.join(
                doing + [line[:200] for line in self.server.log().splitlines()[-40:]])
        return not missing

    # ---- judgement ----

    def compare(self, whole=False):
        """Stops the clients between two operations, compares, and lets them go on."""
        self.gate.clear()
        try:
            wait_for(lambda: all(c.parked.is_set() for c in self.clients), 100)
            self.comparison.run(whole)
        finally:
            if not self.ledger.violations:
                self.go_on()

    def go_on(self):
        """Comes back when everybody has left the gate: it may be closed again at once."""
        self.gate.set()
        wait_for(lambda: not any(c.parked.is_set() for c in self.clients if c.is_alive()), 30)

    def end(self):
        self.compare(whole=True)
        self.ending.set()
        self.gate.set()
        for c in self.clients:
            c.join(100)
        self.ends_of_roles()

    def ends_of_roles(self):
        """A role that nobody killed must not end, least of all because another one did."""
        for line in re.findall(r'.*ev=role\.end .*', self.server.log()):
            if not re.search(r' signal=9 ', line) and not re.search(r' signal=0 exit=0 ', line):
                self.ledger.violation('role', line)

    def remove(self):
        self.sink.close()
        self.server.remove()

    def slowest(self):
        return ', '.join(f'{seconds:.1f} s after {"+".join(names)}' for seconds, names in sorted(self.times)[-3:])

    def report(self):
        total, unanswered, kinds = self.ledger.summary()
        by_kind = ', '.join(f'{n} {kind}' for kind, n in sorted(self.ledger.acknowledged.items()))
        return (f'{self.cycles} cycles, {total} operations acknowledged ({by_kind}), {unanswered} without an answer, '
                f'{self.ledger.compared} comparisons, {sum(o.survived for o in self.observers)} sessions compared, '
                + (', '.join(f'{n} {kind}' for kind, n in kinds.items()) or 'nothing wrong'))


def run(seed, cycles, every, pace=1.0, progress=lambda job: None):
    """A whole run: the Job, with its ledger; its server is gone unless something was wrong."""
    job = Job(seed, pace)
    try:
        job.start()
        while job.cycles < cycles and not job.ledger.violations:
            job.cycle()
            if job.cycles % every == 0 and job.cycles < cycles:
                job.compare()
                progress(job)
        if not job.ledger.violations:
            job.end()
    except BaseException:
        print(f'seed {seed}, folder {job.server.dir}\n{job.server.log()[-3000:]}')
        job.server.stop()
        raise
    return job


def kinds_of(jobs):
    total = collections.Counter()
    for job in jobs:
        total.update(kind for kind, _ in job.ledger.violations)
    return total
