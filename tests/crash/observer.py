"""observer.py - an IMAP session that rests in IDLE while the processes behind it are killed, and believes what it hears.

SPDX-License-Identifier: Apache-2.0
"""
import re
import time

from clients import TROUBLE, Client
from wire import FLAGS, SUBJECT, UID, Gone, Imap, fetched, nonce_of

SETTLE_S = 40


class Observer(Client):
    """Keeps the list of INBOX that the server's untagged lines make."""

    def __init__(self, job, number, seed, account):
        super().__init__(job, number, seed)
        self.account = account
        self.m, self.view, self.survived = None, [], 0

    def session(self):
        self.doing = 'log in'
        self.view = []
        m = Imap(self.server, self.random.choice(['plain', 'imaps']), self.heard)
        try:
            m.login(self.account)
            self.doing = 'SELECT INBOX'
            self.validity = m.select('INBOX')[0]
            self.catch_up(m)
            self.m = m
            while self.more() and self.m:
                self.rest()
                self.look()
        finally:
            self.m = None
            m.close()

    def wrong(self, text):
        self.ledger.violation('corrupt', f'session of {self.account}: {text}')

    def heard(self, line):
        found = re.match(rb'\* (\d+) (EXISTS|EXPUNGE|FETCH)', line)
        if not found:
            return
        number, what = int(found.group(1)), found.group(2)
        if what == b'EXISTS':
            if number < len(self.view):
                self.wrong(f'{line!r} while {len(self.view)} are there')
            self.view += [[None, None] for _ in range(number - len(self.view))]
        elif not 1 <= number <= len(self.view):
            self.wrong(f'{line!r} while {len(self.view)} are there')
        elif what == b'EXPUNGE':
            del self.view[number - 1]
        else:
            self.heard_fetch(self.view[number - 1], line)

    def heard_fetch(self, entry, line):
        uid, flags = UID.search(line), FLAGS.search(line)
        if uid:
            if entry[0] not in (None, int(uid.group(1))):
                self.wrong(f'{line!r}, but that was UID {entry[0]}')
            entry[0] = int(uid.group(1))
        if flags:
            entry[1] = frozenset(flags.group(1).decode().lower().split()) - {'\\recent'}

    def catch_up(self, m):
        unknown = [n for n, (uid, _) in enumerate(self.view, 1) if uid is None]
        if unknown:
            self.doing = 'FETCH of what is new'
            m.command(f'FETCH {unknown[0]}:* (UID FLAGS)')

    def rest(self):
        if self.random.random() < 0.2:
            self.doing = 'NOOP'
            self.m.command('NOOP')
        else:
            self.doing = 'IDLE'
            self.m.begin('IDLE')
            time.sleep(self.random.uniform(0.2, 3) / self.job.pace)
            self.m.send(b'DONE\r\n')
            while not self.m.line_is_end():
                pass
        self.catch_up(self.m)

    def look(self):
        """No EXPUNGE comes during a FETCH (RFC 3501 section 7.4.1): a number means what we think."""
        if not self.view:
            return
        number = self.random.randint(1, len(self.view))
        uid = self.view[number - 1][0]
        self.doing = f'FETCH {number}'
        _, lines = self.m.command(f'FETCH {number} (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
        for line in [x for x in fetched(lines) if SUBJECT.search(x)]:
            self.ledger.seen(self.account, 'INBOX', self.validity, [(uid, nonce_of(line))])

    def settle(self, rows):
        """Called while everybody waits: soon the session must show what a new one shows, or be over."""
        m, wanted = self.m, [[row.uid, row.flags] for row in rows]
        if m is None:
            return
        end = time.monotonic() + SETTLE_S
        try:
            while True:
                m.command('NOOP')
                self.catch_up(m)
                if self.view == wanted:
                    self.survived += 1
                    return
                if time.monotonic() > end:
                    self.wrong(f'shows {self.view} where a new one shows {wanted}')
                    raise Gone('given up')
                time.sleep(0.2)
        except TimeoutError:
            self.ledger.violation('hang', f'session of {self.account}: no answer to NOOP')
            self.m = None
        except TROUBLE:
            self.m = None
