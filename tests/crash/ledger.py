"""ledger.py - what a mail server acknowledged to its clients, and how what it shows compares with that.

A message in an account is a Slot.  It carries every world that may be true: a world is a set of places, a place is
(mailbox, flags).  An operation under way makes two of each, before and after; its acknowledgement leaves the latter.
What was never answered leaves both, and nobody touches the slot until a comparison has shown which one it is.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import hashlib
import threading

NOWHERE = frozenset()
KINDS = ('lost', 'duplicated', 'corrupt', 'uid', 'flags', 'half', 'count', 'refused', 'hang', 'role')


def fingerprint(text):
    return hashlib.sha256(text).hexdigest()


def place(mailbox, *flags):
    return (mailbox, frozenset(f.lower() for f in flags))


class Slot:
    def __init__(self, account, nonce):
        self.account, self.nonce = account, nonce
        self.worlds = {NOWHERE}
        self.arrived = False  # seen by somebody: its delivery's own answer says nothing new
        self.busy = self.unknown = False
        self.uids = {}  # mailbox -> uid, where known

    @property
    def settled(self):
        return not self.busy and not self.unknown and len(self.worlds) == 1

    @property
    def world(self):
        world, = self.worlds
        return world

    def flags(self, mailbox):
        return dict(self.world)[mailbox]


class Operation:
    """One command that a client sends.  Ends with done() or unknown(), once."""

    def __init__(self, ledger, kind, slots, after):
        self.ledger, self.kind, self.slots = ledger, kind, slots
        with ledger.lock:
            self.number = ledger.count_begun()
            self.floors = dict(ledger.tops)
            self.befores = [set(s.worlds) for s in slots]
            self.afters = [{after(w) for w in before} for before in self.befores]
            for slot, more in zip(slots, self.afters):
                slot.worlds |= more
                slot.busy = True

    def done(self):
        with self.ledger.lock:
            self.ledger.acknowledged[self.kind] += 1
            self.ledger.newest[self.kind] = max(self.ledger.newest[self.kind], self.number)
            for slot, after in zip(self.slots, self.afters):
                slot.busy = False
                if self.kind not in Ledger.ARRIVALS or not slot.arrived:
                    slot.worlds = after
                slot.arrived = True

    def unknown(self):
        with self.ledger.lock:
            self.ledger.unanswered += 1
            for slot in self.slots:
                slot.busy, slot.unknown = False, True
            self.ledger.groups.append(self)

    def halves(self):
        """Only part of it happened: the outcomes, when both kinds are there.  Asked after a comparison."""
        if self.kind in Ledger.ARRIVALS:
            sides = {slot.arrived or slot.world != NOWHERE for slot in self.slots}
        else:
            sides = {slot.world in after for slot, before, after in zip(self.slots, self.befores, self.afters)
                     if before.isdisjoint(after)}
        return len(sides) > 1


class Ledger:
    ARRIVALS = ('deliver', 'deliver to several', 'append', 'submit')

    def __init__(self):
        self.lock = threading.RLock()
        self.slots, self.messages = {}, {}
        self.by_uid, self.tops, self.bottoms = {}, collections.Counter(), {}
        self.validities = {}
        self.acknowledged, self.newest = collections.Counter(), collections.Counter()
        self.groups, self.violations = [], []
        self.begun = self.unanswered = self.compared = 0
        self.outside = {}   # nonce -> acknowledged (True) or unknown (False)
        self.accounts = {}  # added under way: address -> True or False

    def count_begun(self):
        self.begun += 1
        return self.begun

    def violation(self, kind, text):
        assert kind in KINDS
        with self.lock:
            self.violations.append((kind, text))

    # ---- messages and their places ----

    def message(self, nonce, text):
        with self.lock:
            assert nonce not in self.messages
            self.messages[nonce] = fingerprint(text)

    def slot(self, account, nonce):
        with self.lock:
            return self.slots.setdefault((account, nonce), Slot(account, nonce))

    def claim(self, account, mailbox, visible, most):
        """Up to so many settled slots that are in the mailbox under the UID that a client sees; they are busy then."""
        found = []
        with self.lock:
            for uid, nonce in visible:
                slot = self.slots.get((account, nonce))
                if slot and slot.settled and slot.uids.get(mailbox) == uid and mailbox in dict(slot.world):
                    slot.busy = True
                    found.append(slot)
                    if len(found) == most:
                        break
        return found

    def release(self, slots):
        with self.lock:
            for slot in slots:
                slot.busy = False

    def seen(self, account, mailbox, validity, rows):
        """A client was shown these (uid, nonce)."""
        with self.lock:
            self._validity(account, mailbox, validity)
            for uid, nonce in rows:
                self._bind(account, mailbox, validity, uid, nonce)

    def told_uid(self, operation, slot, mailbox, validity, uid):
        """APPENDUID or COPYUID: higher than every UID that anybody knew when the operation began."""
        with self.lock:
            self._validity(slot.account, mailbox, validity)
            if uid <= operation.floors.get((slot.account, mailbox), 0):
                self.violation('uid', f'{slot.account} {mailbox}: {uid} came after '
                                      f'{operation.floors[slot.account, mailbox]}')
            self._bind(slot.account, mailbox, validity, uid, slot.nonce)

    def _validity(self, account, mailbox, validity):
        known = self.validities.setdefault((account, mailbox), validity)
        if known != validity:
            self.violation('uid', f'{account} {mailbox}: UIDVALIDITY was {known} and is {validity}')
            self.validities[account, mailbox] = validity

    def _bind(self, account, mailbox, validity, uid, nonce):
        known = self.by_uid.get((account, mailbox, validity, uid))
        bottom = self.bottoms.get((account, mailbox), 1)
        if known is None and uid < bottom:
            self.violation('uid', f'{account} {mailbox}: new {nonce} has UID {uid}, below {bottom}')
        if known not in (None, nonce):
            self.violation('uid', f'{account} {mailbox}: UID {uid} was {known} and is {nonce}')
        self.by_uid[account, mailbox, validity, uid] = nonce
        self.tops[account, mailbox] = max(self.tops[account, mailbox], uid)
        slot = self.slots.get((account, nonce))
        if slot is None:
            return
        slot.uids[mailbox] = uid
        if not slot.arrived and slot.worlds != {NOWHERE}:
            slot.worlds.discard(NOWHERE)
            slot.arrived = True

    # ---- comparison, while nobody works ----

    def compare_mailbox(self, account, mailbox, state):
        """state: validity, uidnext, rows of (uid, nonce, flags, fingerprint or None)."""
        self._validity(account, mailbox, state.validity)
        bottom = self.bottoms.get((account, mailbox), 1)
        uids = [row.uid for row in state.rows]
        if uids != sorted(set(uids)) or (uids and uids[-1] >= state.uidnext):
            self.violation('uid', f'{account} {mailbox}: {uids} below {state.uidnext}')
        if state.uidnext < bottom or state.uidnext <= self.tops[account, mailbox]:
            self.violation('uid', f'{account} {mailbox}: UIDNEXT {state.uidnext} after {bottom}, '
                                  f'{self.tops[account, mailbox]}')
        for row in state.rows:
            self._compare_row(account, mailbox, state.validity, row)
        self.bottoms[account, mailbox] = state.uidnext

    def _compare_row(self, account, mailbox, validity, row):
        if (account, row.nonce) not in self.slots:
            self.violation('corrupt', f'{account} {mailbox} {row.uid}: {row.nonce} was never sent there')
            return
        if row.fingerprint is not None and row.fingerprint != self.messages[row.nonce]:
            self.violation('corrupt', f'{account} {mailbox} {row.uid}: {row.nonce} has other bytes')
        self._bind(account, mailbox, validity, row.uid, row.nonce)

    def compare_places(self, found):
        """found: (account, nonce) -> list of (mailbox, uid, flags)."""
        for key, slot in self.slots.items():
            self._compare_slot(slot, found.get(key, []))
        for operation in self.groups:
            if operation.halves():
                what = [(s.account, s.nonce, sorted(s.world)) for s in operation.slots]
                self.violation('half', f'{operation.kind} {what}')
        for slot in self.slots.values():
            slot.arrived = slot.arrived or slot.world != NOWHERE
        self.groups = []
        self.compared += 1

    def _compare_slot(self, slot, places):
        boxes = collections.Counter(mailbox for mailbox, _, _ in places)
        world = frozenset((mailbox, flags) for mailbox, _, flags in places)
        if max(boxes.values(), default=0) > 1 or world not in slot.worlds:
            self._explain(slot, boxes, world)
        slot.worlds, slot.busy, slot.unknown = {world}, False, False
        slot.uids = {mailbox: uid for mailbox, uid, _ in places}

    def _explain(self, slot, boxes, world):
        text = f'{slot.account} {slot.nonce}: shown {sorted(boxes.items())} {_text(world)}, ' \
               f'expected {" or ".join(_text(w) for w in slot.worlds)}'
        wanted = [{mailbox for mailbox, _ in w} for w in slot.worlds]
        if max(boxes.values(), default=0) > 1:
            self.violation('duplicated', text)
        elif set(boxes) in wanted:
            self.violation('flags', text)
        else:
            near = min(wanted, key=lambda w: len(w ^ set(boxes)))
            if near - set(boxes):
                self.violation('lost', text)
            if set(boxes) - near:
                self.violation('duplicated', text)

    def compare_outside(self, arrivals, excused):
        """arrivals: nonce -> list of (time, fingerprint) at the other server.  excused(nonce, first, second): a crash
        fell into the moment in which a message was taken there and not yet crossed off here (RFC 5321, 4.2.5)."""
        for nonce, acknowledged in self.outside.items():
            came = arrivals.get(nonce, [])
            if acknowledged and not came:
                self.violation('lost', f'{nonce} never came to the other server')
            here = {s.arrived for s in self.slots.values() if s.nonce == nonce} if not acknowledged else set()
            if len(here | {bool(came)}) > 1 and here:
                self.violation('half', f'{nonce} is {"" if came else "not "}at the other server, and here {here}')
            if any(text != self.messages[nonce] for _, text in came):
                self.violation('corrupt', f'{nonce} came to the other server with other bytes')
            for (first, _), (second, _) in zip(came, came[1:]):
                if not excused(nonce, first, second):
                    self.violation('duplicated', f'{nonce} came to the other server twice: {first} {second}')
        for nonce in arrivals:
            if nonce not in self.outside:
                self.violation('corrupt', f'{nonce} came to the other server and was never sent')

    def compare_count(self, what, shown, counted):
        if shown != counted:
            self.violation('count', f'{what}: {shown} is said, {counted} is there')

    def summary(self):
        kinds = collections.Counter(kind for kind, _ in self.violations)
        return sum(self.acknowledged.values()), self.unanswered, kinds


def _text(world):
    return '+'.join(f'{mailbox}({" ".join(sorted(flags))})' for mailbox, flags in sorted(world, key=str)) or 'nowhere'
