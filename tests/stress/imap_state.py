#!/usr/bin/python3
"""imap_state.py - many sessions change one account at once, and each follows all that it is told.

    /usr/bin/python3 tests/stress/imap_state.py --sessions 20 --seconds 300 [--seed N]

starts a server of its own and ends with status 1 and the last lines of the wire when a session was told what cannot be so
(view.py), when two sessions disagree about a message, or when at the end one knows another mailbox than a fresh one.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import collections
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from godwit import Server  # noqa: E402
from imapwire import Wire  # noqa: E402
from view import View, agree, demand  # noqa: E402

USER = 'anna@example.com'
MAILBOXES = ('INBOX', 'Archive')
SYSTEM = ('\\Seen', '\\Flagged', '\\Answered', '\\Deleted')
FEW, MANY = 5, 60


class Job:
    """What all sessions share.  rounds: how many operations each makes; 0: until time is up."""

    def __init__(self, server, rounds=0, seconds=0):
        self.server, self.rounds = server, rounds
        self.until = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.subjects = {}  # (uidvalidity, uid): that never changes
        self.made = set()   # (uidvalidity, uid) of APPENDUID and COPYUID
        self.problems = []
        self.counts = collections.Counter()

    def over(self, done):
        return bool(self.problems) or (done >= self.rounds if self.rounds else time.monotonic() > self.until)

    def subject(self, key, subject):
        with self.lock:
            known = self.subjects.setdefault(key, subject)
        demand(known == subject, key, 'is', subject, 'and was', known)

    def make(self, key):
        with self.lock:
            demand(key not in self.made, 'UID', key, 'was given twice')
            self.made.add(key)


def read_set(text):
    found = []
    for part in text.split(','):
        first, _, last = part.partition(':')
        found += range(int(first), int(last or first) + 1)
    return found


class Session(threading.Thread):
    def __init__(self, job, number, seed):
        super().__init__(daemon=True)
        self.job, self.number = job, number
        self.random = random.Random(f'{seed} {number}')
        self.heard = collections.deque(maxlen=60)
        self.view = View(f'$own{number}')
        self.tag = self.done = self.appended = 0
        self.wire = None
        self.mailbox = None

    # ---- the wire ----

    def open(self):
        self.wire = Wire(self.job.server.ports['imap'])
        self.wire.line()
        self.wire.login(USER)
        self.select(self.random.choice(MAILBOXES))

    def send(self, data):
        self.heard.append(b'C: ' + data[:200])
        self.wire.send(data)

    def line(self):
        line = self.wire.line()
        self.heard.append(b'S: ' + line[:300])
        demand(not line.startswith(b'* BYE'), line)
        return line

    def begin(self, command, follow=True):
        self.tag += 1
        if follow:
            self.view.begin(command)
        self.send(f't{self.tag} {command}\r\n'.encode())
        return b't%d ' % self.tag

    def end(self, tag):
        """Text of the tagged reply; all before it goes through the view."""
        while True:
            line = self.line()
            if line.startswith(tag):
                self.view.end()
                demand(line[len(tag):].startswith((b'OK', b'NO [EXPUNGEISSUED]')), line)
                return line[len(tag):].decode()
            self.hear(line)

    def hear(self, line):
        moved = re.match(rb'\* OK \[COPYUID (\d+) (\S+) (\S+)\]', line)
        if moved:
            self.copied(*(x.decode() for x in moved.groups()))
        self.view.hear(line)

    def command(self, command):
        return self.end(self.begin(command))

    def select(self, mailbox):
        """The responses of SELECT describe the new mailbox: they are not for the old view."""
        tag = self.begin(f'SELECT {mailbox}', follow=False)
        text = b''
        while not text.startswith(tag):
            text = self.line()
            for name, pattern in (('uidvalidity', rb'UIDVALIDITY (\d+)'), ('uidnext', rb'UIDNEXT (\d+)'),
                                  ('exists', rb'^\* (\d+) EXISTS')):
                found = re.search(pattern, text)
                if found:
                    setattr(self, name, int(found.group(1)))
        demand(b' OK ' in text, text)
        self.view.select(self.uidvalidity, self.uidnext, self.exists)
        self.mailbox = mailbox

    # ---- operations ----

    def run(self):
        try:
            self.open()
            while not self.job.over(self.done):
                self.step()
                self.done += 1
            self.finish()
        except Exception as e:
            wire = '\n'.join(x.decode(errors='replace') for x in self.heard)
            with self.job.lock:
                self.job.problems.append(f'session {self.number}, {self.done} operations: {type(e).__name__} {e}\n{wire}')

    def step(self):
        names = ['append'] * 3 + ['expunge', 'uid_expunge', 'move'] * (6 if len(self.view.messages) > MANY else 1)
        if len(self.view.messages) >= FEW:
            names = names + ['fetch', 'look', 'seen', 'subjects', 'store', 'uid_store', 'copy', 'search'] * 2
        name = self.random.choice([*names, 'everything', 'idle', 'noop', 'status', 'reselect', 'pipeline'])
        with self.job.lock:
            self.job.counts[name] += 1
        getattr(self, 'do_' + name)()

    def some(self):
        """Numbers of a random range."""
        count = len(self.view.messages)
        first = self.random.randint(1, count)
        return list(range(first, min(count, first + self.random.choice([0, 0, 1, 5])) + 1))

    def some_uids(self):
        known = [u for u in self.view.uids() if u is not None]
        return sorted(self.random.sample(known, min(len(known), self.random.choice([1, 1, 3]))))

    def do_append(self):
        self.appended += 1
        subject = f's{self.number}n{self.appended}'
        text = f'Subject: {subject}\r\n\r\n{subject}\r\n'
        into = self.random.choice(MAILBOXES)
        reply = self.command(f'APPEND {into} (\\Draft) {{{len(text)}+}}\r\n{text}')
        key = tuple(int(x) for x in re.search(r'APPENDUID (\d+) (\d+)', reply).groups())
        self.job.make(key)
        self.job.subject(key, subject)
        demand((into == self.mailbox) == (self.view.uidvalidity == key[0]), 'APPENDUID of another mailbox', key)

    def check_all(self, before):
        """Each message is described once, in order, and those that are still there are all among them."""
        numbers = [items[b'UID'] for _, items in self.view.fetched if b'UID' in items]
        missing = {u for u in before if u is not None} - set(numbers) - self.view.gone
        demand(not missing, 'not described, and not expunged:', sorted(missing))

    def do_everything(self):
        before = self.view.uids()
        self.command('UID FETCH 1:* (FLAGS)')
        self.check_all(before)

    def do_fetch(self):
        numbers = self.some()
        reply = self.command(f'FETCH {numbers[0]}:{numbers[-1]} (UID FLAGS INTERNALDATE RFC822.SIZE)')
        described = {n for n, items in self.view.fetched if b'RFC822.SIZE' in items}
        demand(described <= set(numbers), 'asked for', numbers, 'and got', described)
        if reply.startswith('OK'):
            demand(described == set(numbers), 'asked for', numbers, 'and got', described)

    def do_look(self):
        uids = self.some_uids()
        if uids:
            self.command(f'UID FETCH {",".join(map(str, uids))} (FLAGS)')
            got = {items[b'UID'] for _, items in self.view.fetched if b'UID' in items}
            demand(set(uids) - self.view.gone <= got, 'asked for', uids, 'and got', got)

    def do_seen(self):
        self.command(f'FETCH {self.random.randint(1, len(self.view.messages))} (UID BODY[TEXT])')

    def do_subjects(self):
        numbers = self.some()
        self.command(f'FETCH {numbers[0]}:{numbers[-1]} (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
        for _, items in self.view.fetched:
            text = items.get(b'BODY[HEADER.FIELDS (SUBJECT)]')
            if text is not None:
                self.job.subject((self.view.uidvalidity, items[b'UID']), text.split()[1].decode())

    def change(self, prefix, members, numbers):
        add = self.random.random() < 0.6
        flags = {self.random.choice([self.view.own, *SYSTEM])}
        silent = self.random.choice(['', '.SILENT'])
        # What is told in answer has the new state already: so the client's own idea of it comes first.
        meant = [self.view.messages[n - 1] for n in numbers]
        self.view.stored(numbers, add, frozenset(flags))
        reply = self.command(f'{prefix}STORE {members} {"+" if add else "-"}FLAGS{silent} ({" ".join(flags)})')
        if not reply.startswith('OK'):
            for m in meant:
                m.flags = None
                self.view.mine.pop(m.uid, None)
                self.view.doubts.pop(m.uid, None)

    def do_store(self):
        numbers = self.some()
        self.change('', f'{numbers[0]}:{numbers[-1]}', numbers)

    def do_uid_store(self):
        uids = self.some_uids()
        if uids:
            self.change('UID ', ','.join(map(str, uids)), [self.view.number_of(u) for u in uids])

    def do_expunge(self):
        self.command('EXPUNGE')

    def do_uid_expunge(self):
        known = [u for u in self.view.uids() if u is not None]
        uids = known[:max(3, len(known) - MANY)]
        if uids:
            names = ','.join(map(str, uids))
            self.view.stored([self.view.number_of(u) for u in uids], True, frozenset(['\\Deleted']))
            self.command(f'UID STORE {names} +FLAGS.SILENT (\\Deleted)')
            self.command(f'UID EXPUNGE {names}')

    def copied(self, uidvalidity, come_from, into):
        sources, made = read_set(come_from), read_set(into)
        demand(len(sources) == len(made) and made == sorted(made), 'COPYUID', come_from, into)
        for source, new in zip(sources, made):
            self.job.make((int(uidvalidity), new))
            subject = self.job.subjects.get((self.view.uidvalidity, source))
            if subject:
                self.job.subject((int(uidvalidity), new), subject)

    def transfer(self, verb):
        into = [m for m in MAILBOXES if m != self.mailbox][0]
        if self.random.random() < 0.5 and self.view.messages:
            numbers = self.some()
            return self.command(f'{verb} {numbers[0]}:{numbers[-1]} {into}')
        uids = self.some_uids()
        return self.command(f'UID {verb} {",".join(map(str, uids))} {into}') if uids else ''

    def do_copy(self):
        found = re.search(r'COPYUID (\d+) (\S+) (\S+)\]', self.transfer('COPY'))
        if found:
            self.copied(*found.groups())

    def do_move(self):
        self.transfer('MOVE')

    def do_idle(self):
        tag = self.begin('IDLE')
        line = self.line()
        while not line.startswith(b'+'):
            self.hear(line)
            line = self.line()
        time.sleep(self.random.random() / 10)
        self.send(b'DONE\r\n')
        self.end(tag)

    def do_noop(self):
        self.command(self.random.choice(['NOOP', 'CHECK']))

    def do_status(self):
        self.command(f'STATUS {self.random.choice(MAILBOXES)} (MESSAGES UIDNEXT UNSEEN)')

    def do_search(self):
        key = self.random.choice(['ALL', 'DELETED', 'UNSEEN', f'KEYWORD {self.view.own}', '1:*'])
        self.command(self.random.choice(['', 'UID ']) + f'SEARCH {key}')

    def do_reselect(self):
        self.select(self.random.choice(MAILBOXES))

    def do_pipeline(self):
        """Only what means the same however the numbers move."""
        uids = self.some_uids()
        commands = ['NOOP', 'UID FETCH 1:* (FLAGS)', 'EXPUNGE']
        if uids:
            commands.append(f'UID FETCH {uids[0]} (FLAGS)')
        for tag in [self.begin(c) for c in self.random.choices(commands, k=4)]:
            self.end(tag)

    # ---- the end ----

    def finish(self):
        """All have stopped to change things when the last comes here; then what was followed must be true."""
        self.job.barrier.wait(120)
        if self.job.problems:
            return
        self.command('NOOP')
        fresh = Session(self.job, self.number, 'fresh')
        fresh.heard = self.heard
        fresh.view.own = self.view.own
        fresh.wire = Wire(self.job.server.ports['imap'])
        fresh.wire.line()
        fresh.wire.login(USER)
        fresh.select(self.mailbox)
        fresh.command('UID FETCH 1:* (FLAGS)')
        demand(fresh.view.uidvalidity == self.view.uidvalidity, 'UIDVALIDITY changed')
        demand(not fresh.view.messages or fresh.view.messages[-1].uid < fresh.view.uidnext, 'UIDNEXT is too small')
        # UIDs that we were never told are asked for; flags are compared as they were followed.
        unknown = [n for n, m in enumerate(self.view.messages, 1) if m.uid is None]
        for n in unknown:
            self.command(f'FETCH {n} (UID)')
        agree(self.view, fresh.view)
        with self.job.lock:
            self.job.counts['compared'] += len(self.view.messages)
        fresh.wire.close()
        self.wire.close()


def play(server, sessions, seed, rounds=0, seconds=0):
    """The job when all is over: problems is empty when nothing was wrong."""
    job = Job(server, rounds, seconds)
    job.barrier = threading.Barrier(sessions)
    threads = [Session(job, n, seed) for n in range(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        while t.is_alive():
            t.join(0.2)
            if job.problems:  # nobody waits for one that has ended
                job.barrier.abort()
    return job


def main():
    p = argparse.ArgumentParser(description='Many IMAP sessions on one account, each checking all that it is told.')
    p.add_argument('--sessions', type=int, default=10)
    p.add_argument('--seconds', type=int, default=120)
    p.add_argument('--seed', type=int, default=random.randrange(1 << 30))
    a = p.parse_args()
    print(f'seed {a.seed}', flush=True)
    server = Server()
    try:
        server.start()
        server.add_domain()
        server.add_account('anna')
        job = play(server, a.sessions, a.seed, seconds=a.seconds)
    finally:
        server.remove()
    print(dict(job.counts))
    if job.problems:
        print(job.problems[0])
    return 1 if job.problems else 0


if __name__ == '__main__':
    sys.exit(main())
