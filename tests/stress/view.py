"""view.py - a mailbox as one IMAP client knows it from what it was told, and what it may never be told.

Every untagged line goes through View.hear(), which raises Contradiction where RFC 3501 or RFC 9051 is broken or the line
does not agree with earlier ones.  No I/O here.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from imapwire import read_fetch  # noqa: E402

# RFC 3501 section 7.4.1: no EXPUNGE while one of these is answered; with UID it may come.
KEEPS_NUMBERS = ('FETCH', 'STORE', 'SEARCH')


class Contradiction(Exception):
    pass


def demand(truth, *words):
    if not truth:
        raise Contradiction(' '.join(str(w) for w in words))


class Message:
    """What is known of one: None is not known yet."""

    def __init__(self, uid=None, flags=None):
        self.uid, self.flags = uid, flags


class View:
    """own: a keyword that nobody but this client sets or removes."""

    def __init__(self, own='$own'):
        self.own = own
        self.messages = []
        self.uidvalidity = self.uidnext = 0
        self.gone = set()  # UIDs that were expunged
        self.mine = {}     # by UID: does it have our keyword?  for those where that is sure
        self.doubts = {}   # by UID: what was told of our keyword and is true only of a message that is expunged already
        self.commands = []  # in progress, oldest first: (number, text)
        self.begun = 0
        self.fetched = []  # (number, items) of the command
        self.found = []    # numbers of SEARCH

    # ---- commands ----

    def begin(self, command):
        self.begun += 1
        self.commands.append((self.begun, command))
        self.fetched, self.found = [], []

    def end(self):
        """A command that may tell EXPUNGE tells all there were when it began."""
        number, command = self.commands.pop(0)
        if not command.startswith(KEEPS_NUMBERS):
            for when, words in self.doubts.values():
                demand(when >= number, words, 'and is not expunged after', command)

    def select(self, uidvalidity, uidnext, exists):
        self.__init__(self.own)
        self.uidvalidity, self.uidnext = uidvalidity, uidnext
        self.messages = [Message() for _ in range(exists)]

    def may_expunge(self):
        return any(not c.startswith(KEEPS_NUMBERS) for _, c in self.commands)

    # ---- what is heard ----

    def hear(self, line):
        number = re.match(rb'\* (\d+) (EXISTS|EXPUNGE|FETCH)\b', line)
        if number:
            n, kind = int(number.group(1)), number.group(2)
            if kind == b'EXISTS':
                self.exists(n)
            elif kind == b'EXPUNGE':
                self.expunge(n)
            else:
                self.fetch(n, read_fetch(line))
        elif line.startswith(b'* SEARCH'):
            self.search([int(x) for x in line.split()[2:]])
        else:
            demand(re.match(rb'\* (0 RECENT|FLAGS |OK |STATUS |LIST )', line), 'nobody asked for', line)

    def exists(self, n):
        demand(n >= len(self.messages), 'EXISTS', n, 'takes away messages of', len(self.messages))
        self.messages += [Message() for _ in range(n - len(self.messages))]

    def expunge(self, n):
        demand(1 <= n <= len(self.messages), 'EXPUNGE', n, 'of', len(self.messages))
        demand(self.may_expunge(), 'EXPUNGE during', self.commands)
        m = self.messages.pop(n - 1)
        if m.uid is not None:
            self.gone.add(m.uid)
            self.mine.pop(m.uid, None)
            self.doubts.pop(m.uid, None)

    def fetch(self, n, items):
        demand(1 <= n <= len(self.messages), 'FETCH', n, 'of', len(self.messages))
        m = self.messages[n - 1]
        uid = items.get(b'UID')
        if uid is not None:
            demand(m.uid in (None, uid), 'number', n, 'was UID', m.uid, 'and is', uid)
            self.take_uid(n, uid)
        if b'FLAGS' in items:
            m.flags = frozenset(f.decode() for f in items[b'FLAGS'])
            if m.uid is not None:
                self.check_mine(m)
        self.fetched.append((n, items))

    def take_uid(self, n, uid):
        demand(uid not in self.gone, 'UID', uid, 'was expunged and is back as', n)
        if self.messages[n - 1].uid == uid:
            return
        before = [m.uid for m in self.messages[:n - 1] if m.uid is not None]
        after = [m.uid for m in self.messages[n:] if m.uid is not None]
        demand(not before or before[-1] < uid, 'UID', uid, 'comes after', before[-1:])
        demand(not after or uid < after[0], 'UID', uid, 'comes before', after[:1])
        self.messages[n - 1].uid = uid

    def check_mine(self, m):
        """Somebody may have expunged the message before our STORE came, and the number is kept a while."""
        has = self.own in m.flags
        if self.mine.setdefault(m.uid, has) != has:
            self.doubts.setdefault(m.uid, (self.begun, f'UID {m.uid} is told to have {sorted(m.flags)} but {self.own} was '
                                                       + ('set' if self.mine[m.uid] else 'removed')))

    def search(self, numbers):
        demand(numbers == sorted(set(numbers)), 'SEARCH is out of order', numbers)
        if not self.commands[0][1].startswith('UID '):
            demand(not numbers or numbers[-1] <= len(self.messages), 'SEARCH', numbers, 'of', len(self.messages))
        self.found = numbers

    # ---- what the client works out itself ----

    def stored(self, numbers, add, flags):
        """Before a STORE of these numbers is sent: what its answers tell is later."""
        for n in numbers:
            m = self.messages[n - 1]
            if m.flags is not None:
                m.flags = m.flags | flags if add else m.flags - flags
            if self.own in flags and m.uid is not None:
                self.mine[m.uid] = add
                self.doubts.pop(m.uid, None)

    def uids(self):
        return [m.uid for m in self.messages]

    def number_of(self, uid):
        return self.uids().index(uid) + 1 if uid in self.uids() else None


def agree(mine, fresh):
    """What a client followed is what a new one finds.  Both know all UIDs."""
    demand(not mine.doubts, mine.doubts)
    demand(mine.uids() == fresh.uids(), 'followed', mine.uids(), 'but there are', fresh.uids())
    for m, f in zip(mine.messages, fresh.messages):
        demand(m.flags is None or m.flags == f.flags, 'UID', m.uid, 'was followed to', sorted(m.flags or ()), 'and has',
               sorted(f.flags))
