"""reader.py - an IMAP program that files, copies, flags and removes the mail of an account.

SPDX-License-Identifier: Apache-2.0
"""
import re

from clients import Client
from ledger import Operation, fingerprint, place
from wire import SUBJECT, UID, Imap, Refused, as_sent, fetched, literal_of, nonce_of

BOXES = ('INBOX', 'Archive', 'Work')
SETS = ('(\\Seen)', '(\\Flagged \\Answered)', '($Work)', '(\\Seen $Work)', '(\\Draft)')


class Reader(Client):
    """An IMAP program on one account, which others use at the same time."""

    def __init__(self, job, number, seed, account):
        super().__init__(job, number, seed)
        self.account = account

    def session(self):
        self.doing = 'log in'
        self.m = Imap(self.server, self.random.choice(['plain', 'starttls', 'imaps']))
        try:
            self.m.login(self.account)
            self.open()
            for _ in range(self.random.choice([20, 60])):
                if not self.more():
                    break
                if self.random.random() < 0.1:
                    self.open()
                act = self.random.choice([self.append, self.append, self.store, self.store, self.copy, self.move,
                                          self.expunge, self.fetch])
                act()
            self.doing = 'LOGOUT'
            self.m.begin('LOGOUT')
        finally:
            self.m.close()

    def open(self):
        self.box = self.random.choice(BOXES)
        self.doing = f'SELECT {self.box}'
        self.validity, uidnext, _ = self.m.select(self.box)
        self.visible = {}
        self.next = max(1, uidnext - 40)

    def look(self):
        """What the mailbox shows that it did not show before."""
        self.doing = 'FETCH of subjects'
        _, lines = self.m.command(f'UID FETCH {self.next}:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
        rows = [(int(UID.search(line).group(1)), nonce_of(line)) for line in fetched(lines) if SUBJECT.search(line)]
        self.ledger.seen(self.account, self.box, self.validity, rows)
        self.visible.update(rows)
        self.next = max([self.next] + [uid + 1 for uid, _ in rows])

    def claim(self, most):
        self.look()
        visible = list(self.visible.items())
        self.random.shuffle(visible)
        return self.ledger.claim(self.account, self.box, visible, self.random.randint(1, most))

    def perform(self, kind, slots, after, command):
        """The tagged answer, or None when it was NO."""
        self.doing = command
        op = Operation(self.ledger, kind, slots, after)
        try:
            answer, lines = self.m.command(command)
        except Refused as e:
            op.unknown()
            self.judge(str(e))
            return None
        except BaseException:
            op.unknown()
            raise
        self.take_copyuid(op, ' '.join([answer] + [x.decode(errors='replace') for x in lines if b'COPYUID' in x]))
        op.done()
        return answer

    def take_copyuid(self, op, text):
        found = re.search(r'COPYUID (\d+) ([\d,:]+) ([\d,:]+)', text)
        if not found:
            if op.kind in ('copy', 'move'):
                self.ledger.violation('lost', f'{self.account} {self.box}: {self.doing}: {text}')
            return
        of = {slot.uids[self.box]: slot for slot in op.slots}
        sources, targets = numbers(found.group(2)), numbers(found.group(3))
        if sorted(sources) != sorted(of) or len(targets) != len(sources):
            self.ledger.violation('lost', f'{self.account} {self.box}: {self.doing}: {text}')
            return
        for source, target in zip(sources, targets):
            self.ledger.told_uid(op, of[source], self.target, int(found.group(1)), target)

    def append(self):
        nonce, text = self.message()
        box = self.random.choice(BOXES)
        flags = self.random.choice(('()',) + SETS)
        self.doing = f'APPEND {nonce}'
        slot = self.ledger.slot(self.account, nonce)
        op = Operation(self.ledger, 'append', [slot], lambda world: frozenset([place(box, *flags[1:-1].split())]))
        try:
            answer, _ = self.m.command(f'APPEND {box} {flags}', text, self.random.random() < 0.3)
        except Refused as e:
            op.unknown()
            self.judge(str(e))
            return
        except BaseException:
            op.unknown()
            raise
        found = re.search(r'APPENDUID (\d+) (\d+)', answer)
        if found:
            self.ledger.told_uid(op, slot, box, int(found.group(1)), int(found.group(2)))
        else:
            self.ledger.violation('uid', f'no APPENDUID: {answer}')
        op.done()

    def store(self):
        slots = self.claim(6)
        if not slots:
            return
        sign, flags = self.random.choice(['+', '-', '']), self.random.choice(SETS)
        self.perform('store', slots, lambda w: changed(w, self.box, sign, flags),
                     f'UID STORE {self.uids(slots)} {sign}FLAGS{self.random.choice(["", ".SILENT"])} {flags}')

    def elsewhere(self, most):
        self.target = self.random.choice([b for b in BOXES if b != self.box])
        slots = self.claim(most)
        away = [s for s in slots if self.target in dict(s.world)]
        self.ledger.release(away)
        return [s for s in slots if s not in away]

    def copy(self):
        slots = self.elsewhere(5)
        if slots:
            self.perform('copy', slots, lambda w: w | {(self.target, dict(w)[self.box])},
                         f'UID COPY {self.uids(slots)} {self.target}')

    def move(self):
        slots = self.elsewhere(5)
        if slots:
            self.perform('move', slots, lambda w: without(w, self.box) | {(self.target, dict(w)[self.box])},
                         f'UID MOVE {self.uids(slots)} {self.target}')

    def expunge(self):
        slots = self.claim(4)
        if not slots:
            return
        if self.perform('store', slots, lambda w: changed(w, self.box, '+', '(\\Deleted)'),
                        f'UID STORE {self.uids(slots)} +FLAGS (\\Deleted)') is None:
            return
        slots = self.ledger.claim(self.account, self.box, [(s.uids.get(self.box), s.nonce) for s in slots], 4)
        slots = [s for s in slots if '\\deleted' in s.flags(self.box) or self.ledger.release([s])]
        if slots:
            self.perform('expunge', slots, lambda w: without(w, self.box), f'UID EXPUNGE {self.uids(slots)}')

    def fetch(self):
        slots = self.claim(1)
        try:
            for slot in slots:
                self.doing = f'FETCH {slot.nonce}'
                _, lines = self.m.command(f'UID FETCH {slot.uids[self.box]} (BODY.PEEK[])')
                for line in [x for x in fetched(lines) if b'BODY[]' in x]:
                    if fingerprint(as_sent(literal_of(line))) != self.ledger.messages[slot.nonce]:
                        self.ledger.violation('corrupt', f'{self.account} {self.box}: {slot.nonce} has other bytes')
        finally:
            self.ledger.release(slots)

    def uids(self, slots):
        return ','.join(str(s.uids[self.box]) for s in slots)


def numbers(text):
    found = []
    for part in text.split(','):
        first, _, last = part.partition(':')
        found += range(int(first), int(last or first) + 1)
    return found


def without(world, box):
    return frozenset(p for p in world if p[0] != box)


def changed(world, box, sign, flags):
    words = frozenset(flags[1:-1].lower().split())
    if box not in dict(world):
        return world
    old = dict(world)[box]
    new = old | words if sign == '+' else old - words if sign == '-' else words
    return without(world, box) | {(box, new)}
