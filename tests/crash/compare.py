"""compare.py - reads everything that the server shows, and compares it with the ledger.  Nobody works meanwhile.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import datetime
import json
import poplib
import re

from godwit import wait_for
from wire import FLAGS, SIZE, UID, Imap, as_sent, fetched, literal_of, nonce_of
from ledger import fingerprint

FOLDERS = ('INBOX', 'Archive', 'Work')
Row = collections.namedtuple('Row', 'uid nonce flags size fingerprint')
State = collections.namedtuple('State', 'validity uidnext rows')
DRAIN_S = 60


class Comparison:
    """verified: bodies that earlier comparisons have read already."""

    def __init__(self, job):
        self.job, self.server, self.ledger = job, job.server, job.ledger
        self.verified = set()
        self.dice = job.dice

    def run(self, whole):
        """whole: all bodies are read, not only the new ones and some of the others."""
        self.drain()
        found, states = collections.defaultdict(list), {}
        usage = {a['address']: a for a in json.loads(self.server.ctl('account', 'list', '--json').stdout)}
        self.compare_accounts(set(usage))
        for account in self.job.accounts + self.job.pops:
            self.compare_account(account, whole, usage[account], found, states)
        self.ledger.compare_places(found)
        self.ledger.compare_outside(self.arrivals(), Excuses(self.server.log(), self.job.kills))
        for observer in self.job.observers:
            observer.settle(states[observer.account, 'INBOX'].rows)

    def drain(self):
        """What is queued goes out now, and not when its pause is over."""
        def empty():
            waiting = json.loads(self.server.ctl('queue', 'list', '--json').stdout)
            if waiting:
                self.server.ctl('queue', 'retry', 'all', check=False)
            return not waiting
        try:
            wait_for(empty, DRAIN_S, 0.2)
        except TimeoutError:
            self.ledger.violation('hang', 'the queue does not become empty: ' + self.server.ctl('queue', 'list').stdout)

    def compare_accounts(self, there):
        there |= {a['address'] for a in json.loads(self.server.ctl('alias', 'list', '--json').stdout)}
        for address, acknowledged in self.ledger.accounts.items():
            if acknowledged and address not in there:
                self.ledger.violation('lost', f'{address} was added and is not there')
            self.ledger.accounts[address] = address in there

    def compare_account(self, account, whole, usage, found, states):
        sizes = {}
        m = Imap(self.server, self.dice.choice(['plain', 'starttls', 'imaps']))
        try:
            m.login(account)
            _, lines = m.command('LIST "" *')
            listed = {re.search(rb'"?([\w]+)"?\r\n$', line).group(1).decode() for line in lines if b' LIST ' in line}
            if not set(FOLDERS) - {'Work'} <= listed or (account in self.job.accounts and 'Work' not in listed):
                self.ledger.violation('lost', f'{account}: of the mailboxes there are {listed}')
            for mailbox in [f for f in FOLDERS if f in listed]:
                state = self.read(m, account, mailbox, whole)
                states[account, mailbox] = state
                self.ledger.compare_mailbox(account, mailbox, state)
                for row in state.rows:
                    found[account, row.nonce].append((mailbox, row.uid, row.flags))
                    sizes[row.nonce] = row.size
        finally:
            m.close()
        self.ledger.compare_count(f'{account}: bytes and messages of the account', (usage['bytes'], usage['messages']),
                                  (sum(sizes.values()), len(sizes)))
        if account in self.job.pops:
            self.compare_pop(account, states[account, 'INBOX'].rows)

    def read(self, m, account, mailbox, whole):
        status = m.status(mailbox)
        validity, uidnext, messages = m.select(mailbox)
        _, lines = m.command('UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
        rows = {}
        for line in fetched(lines):
            uid = int(UID.search(line).group(1))
            flags = frozenset(FLAGS.search(line).group(1).decode().lower().split()) - {'\\recent'}
            rows[uid] = Row(uid, nonce_of(line), flags, int(SIZE.search(line).group(1)), None)
        wanted = [uid for uid in rows if whole or (account, mailbox, uid) not in self.verified
                  or self.dice.random() < 0.05]
        for at in range(0, len(wanted), 50):
            self.read_bodies(m, rows, wanted[at:at + 50])
        self.verified |= {(account, mailbox, uid) for uid in wanted}
        unseen = len([r for r in rows.values() if '\\seen' not in r.flags])
        self.ledger.compare_count(f'{account} {mailbox}: STATUS', status, {
            'MESSAGES': len(rows), 'UNSEEN': unseen, 'UIDNEXT': uidnext, 'UIDVALIDITY': validity})
        self.ledger.compare_count(f'{account} {mailbox}: EXISTS', messages, len(rows))
        return State(validity, uidnext, list(rows.values()))

    def read_bodies(self, m, rows, uids):
        _, lines = m.command(f'UID FETCH {",".join(map(str, uids))} (UID BODY.PEEK[])')
        for line in fetched(lines):
            uid, text = int(UID.search(line).group(1)), literal_of(line)
            before = text[:len(text) - len(as_sent(text))]
            if before and not before.startswith((b'Return-Path: <', b'Received: from ')):
                self.ledger.violation('corrupt', f'{rows[uid].nonce} begins with {before!r}')
            if len(text) != rows[uid].size:
                self.ledger.violation('count', f'{rows[uid].nonce}: RFC822.SIZE {rows[uid].size}, {len(text)} came')
            rows[uid] = rows[uid]._replace(fingerprint=fingerprint(as_sent(text)))
        for uid in uids:
            if rows[uid].fingerprint is None:
                self.ledger.violation('lost', f'{rows[uid].nonce} has no body')

    def compare_pop(self, account, rows):
        p = poplib.POP3('127.0.0.1', self.server.ports['pop3'], timeout=60)
        try:
            p.user(account)
            p.pass_('secret')
            self.ledger.compare_count(f'{account}: STAT', p.stat(), (len(rows), sum(r.size for r in rows)))
            p.quit()
        finally:
            p.close()

    def arrivals(self):
        came = collections.defaultdict(list)
        for _, recipients, text, when in list(self.job.sink.messages):
            for address in recipients:
                came[address.split('@')[0]].append((when, fingerprint(as_sent(text))))
        return came


class Excuses:
    """A second copy may leave only when a kill fell between the other server's answer and our note of it."""

    def __init__(self, log, kills):
        self.kills = kills
        self.noted = {}
        for found in re.finditer(r't=(\S+) .*ev=queue\.result .*to=(\S+)@elsewhere\.example .*state=delivered', log):
            when = datetime.datetime.fromisoformat(found.group(1).replace('Z', '+00:00')).timestamp()
            self.noted.setdefault(found.group(2), when)

    def __call__(self, nonce, first, second):
        return second < self.noted.get(nonce, second + 1) and any(
            first - 1 < when < second and name in ('store', 'out', 'all', 'boss', 'stop') for when, name in self.kills)
