"""clients.py - mail programs that do one thing after another, and write down in the ledger what they were told.

SPDX-License-Identifier: Apache-2.0
"""
import poplib
import random
import re
import smtplib
import socket
import subprocess
import threading
import time

from ledger import NOWHERE, Operation, fingerprint, place
from wire import ANSWER_S, TLS, Refused, as_sent, make_message, nonce_of

TROUBLE = (OSError, EOFError, smtplib.SMTPException, poplib.error_proto, Refused)


class Client(threading.Thread):
    """job: what all clients of a run share: server, ledger, gate, ending, accounts, pops, pace (operations a second)."""

    def __init__(self, job, number, seed):
        super().__init__(daemon=True)
        self.job, self.number = job, number
        self.server, self.ledger = job.server, job.ledger
        self.random = random.Random(f'{seed} {number}')
        self.parked = threading.Event()
        self.made = 0
        self.doing = ''

    def nonce(self):
        self.made += 1
        return f'c{self.number}n{self.made}r{self.random.getrandbits(32):x}'

    def message(self, sender='crash@client.example'):
        nonce = self.nonce()
        text = make_message(nonce, self.random, sender)
        self.ledger.message(nonce, text)
        return nonce, text

    def more(self):
        """Waits for the next operation; False: the client shall come to an end."""
        self.job.burst.wait(min(self.random.expovariate(self.job.pace), 4 / self.job.pace))
        if not self.job.gate.is_set():
            self.parked.set()
            self.job.gate.wait()
            self.parked.clear()
        return not self.job.ending.is_set()

    def run(self):
        try:
            while self.more():
                try:
                    self.session()
                except socket.timeout:
                    self.ledger.violation('hang', f'{type(self).__name__} {self.number}: no answer to {self.doing}')
                except TROUBLE as e:
                    self.judge(str(e))
                    time.sleep(0.05)
        except Exception as e:  # an error of the test itself
            self.ledger.violation('role', f'{type(self).__name__} {self.number}, {self.doing}: {e!r}')
            raise
        finally:
            self.parked.set()

    def judge(self, text):
        """A crash is never a reason for a refusal that lasts."""
        if re.search(r'AUTHENTICATIONFAILED|\(5[0-9][0-9]|\[AUTH\]|BAD |OVERQUOTA|NOPERM|NONEXISTENT|TRYCREATE', text):
            self.ledger.violation('refused', f'{type(self).__name__} {self.number}, {self.doing}: {text}')


class Mailer(Client):
    """Strangers on port 25 (sender = None), or users who submit."""

    def __init__(self, job, number, seed, user=None):
        super().__init__(job, number, seed)
        self.user = user

    def connect(self):
        how = self.random.choice(['submission', 'submissions'] if self.user else ['smtp', 'smtp', 'starttls'])
        self.doing = f'connect {how}'
        port = self.server.ports['smtp' if how == 'starttls' else how]
        kind = smtplib.SMTP_SSL if how == 'submissions' else smtplib.SMTP
        options = {'context': TLS} if how == 'submissions' else {}
        s = kind('127.0.0.1', port, local_hostname='client.example', timeout=ANSWER_S, **options)
        try:
            s.ehlo()
            if how in ('submission', 'starttls'):
                self.doing = 'STARTTLS'
                s.starttls(context=TLS)
                s.ehlo()
            if self.user:
                self.doing = 'AUTH'
                s.login(self.user, 'secret')
        except BaseException:
            s.close()
            raise
        return s

    def session(self):
        s = self.connect()
        try:
            for _ in range(self.random.choice([1, 20, 50])):
                if not self.more():
                    break
                self.send(s)
            self.doing = 'QUIT'
            s.quit()
        finally:
            s.close()

    def recipients(self):
        """(addresses, accounts that they lead to, goes out as well)."""
        everybody = self.job.accounts + self.job.pops
        outside = self.user is not None and self.random.random() < 0.7
        count = self.random.choice([1, 1, 1, 2, 4])
        if outside:
            count = self.random.choice([0, 0, 1, 2])
        if count and self.random.random() < 0.1:
            return ['team@example.com'], list(self.job.team), outside
        chosen = self.random.sample(everybody, count)
        return list(chosen), chosen, outside

    def send(self, s):
        sender = self.user or 'crash@client.example'
        nonce, text = self.message(sender)
        addresses, accounts, outside = self.recipients()
        if outside:
            addresses.append(f'{nonce}@elsewhere.example')
        for words in [f'MAIL FROM:<{sender}>'] + [f'RCPT TO:<{a}>' for a in addresses] + ['DATA']:
            self.doing = words
            code, answer = s.docmd(words)
            if code not in (250, 354):
                self.judge(f'({code}, {answer!r})')
                s.rset()
                return
        self.doing = f'the final dot of {nonce}'
        if outside:
            self.ledger.outside[nonce] = False
        slots = [self.ledger.slot(a, nonce) for a in accounts]
        kind = 'submit' if self.user else 'deliver' if len(accounts) == 1 else 'deliver to several'
        op = Operation(self.ledger, kind, slots, lambda world: frozenset([place('INBOX')]))
        try:
            s.send(re.sub(rb'(?m)^\.', b'..', text) + b'.\r\n')
            code, answer = s.getreply()
        except BaseException:
            op.unknown()
            raise
        if code == 250:
            op.done()
            if outside:
                self.ledger.outside[nonce] = True
        else:
            op.unknown()
            self.judge(f'({code}, {answer!r})')


class Popper(Client):
    """The only POP3 program of its account: takes messages out."""

    def __init__(self, job, number, seed, account):
        super().__init__(job, number, seed)
        self.account = account

    def connect(self):
        how = self.random.choice(['pop3', 'stls', 'pop3s'])
        self.doing = f'connect {how}'
        if how == 'pop3s':
            p = poplib.POP3_SSL('127.0.0.1', self.server.ports['pop3s'], context=TLS, timeout=ANSWER_S)
        else:
            p = poplib.POP3('127.0.0.1', self.server.ports['pop3'], timeout=ANSWER_S)
        try:
            if how == 'stls':
                p.stls(context=TLS)
            self.doing = 'PASS'
            p.user(self.account)
            p.pass_('secret')
        except BaseException:
            p.close()
            raise
        return p

    def session(self):
        p = self.connect()
        slots = []
        try:
            self.doing = 'RETR'
            count = p.stat()[0]
            for number in self.random.sample(range(1, count + 1), min(count, self.random.randint(1, 5))):
                text = b'\r\n'.join(p.retr(number)[1]) + b'\r\n'
                slots += self.take(p, number, text)
            self.leave(p, slots)
        finally:
            self.ledger.release(slots)
            p.close()

    def take(self, p, number, text):
        nonce = nonce_of(text)
        if self.ledger.messages.get(nonce) != fingerprint(as_sent(text)):
            self.ledger.violation('corrupt', f'{self.account}: {nonce} has other bytes')
            return []
        with self.ledger.lock:
            slot = self.ledger.slot(self.account, nonce)
            if not slot.settled or slot.world == NOWHERE:
                return []  # its sender waits for the answer still
            slot.busy = True
        p.dele(number)
        return [slot]

    def leave(self, p, slots):
        self.doing = 'QUIT'
        if not slots:
            p.quit()
            return
        op = Operation(self.ledger, 'dele', slots, lambda w: NOWHERE)
        try:
            p.quit()
        except BaseException:
            op.unknown()
            raise
        op.done()


class Admin(Client):
    """godwit account add, godwit alias set."""

    def session(self):
        time.sleep(2)
        name = f'{self.nonce()}@example.com'
        self.doing = f'account add {name}'
        self.ledger.accounts[name] = False
        try:
            r = self.server.ctl('account', 'add', name, stdin='secret\n', check=False)
            if r.returncode == 0:
                self.ledger.accounts[name] = True
                self.ledger.acknowledged['account'] += 1
            alias = f'a{name}'
            self.ledger.accounts[alias] = False
            self.doing = f'alias set {alias}'
            r = self.server.ctl('alias', 'set', alias, self.job.accounts[0], check=False)
            if r.returncode == 0:
                self.ledger.accounts[alias] = True
                self.ledger.acknowledged['alias'] += 1
        except subprocess.TimeoutExpired:
            self.ledger.violation('hang', self.doing)
