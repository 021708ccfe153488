"""Crash cycles: roles are killed under load, and nothing acknowledged may be missing, twice, or changed.

Each client writes down every message whose acceptance it saw.  GODWIT_CRASH_CYCLES sets the number of cycles.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import imaplib
import os
import random
import signal
import smtplib
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402

CYCLES = int(os.environ.get('GODWIT_CRASH_CYCLES', '30'))
CLIENTS = 32
ACCOUNTS = 8
TROUBLE = (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error)


def fingerprint(text):
    return hashlib.sha256(text).hexdigest()


class Client(threading.Thread):
    """Sends until it is told to stop.  acknowledged: nonce -> (account, fingerprint); unknown: asked, not answered."""

    def __init__(self, server, number, seed):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.random = random.Random(seed)
        self.acknowledged, self.unknown = {}, set()
        self.uids = []  # (account, mailbox, uid) as told by APPENDUID
        self.stopping = threading.Event()

    def message(self, nonce):
        size = self.random.choice([200, 2000, 2000, 2000, 40000])
        return f'Subject: {nonce}\r\nMessage-ID: <{nonce}@crash.example>\r\n\r\n' + 'x' * 70 + '\r\n' + ('y' * 60 + '\r\n') * (size // 62)

    def deliver(self, s, account):
        nonce = f'c{self.number}n{len(self.acknowledged) + len(self.unknown)}r{self.random.getrandbits(40):x}'
        text = self.message(nonce)
        self.unknown.add(nonce)
        s.sendmail('a@b.example', [account], text)
        self.unknown.discard(nonce)
        self.acknowledged[nonce] = (account, fingerprint(text.encode()))

    def append(self, m, account):
        nonce = f'c{self.number}n{len(self.acknowledged) + len(self.unknown)}r{self.random.getrandbits(40):x}'
        text = self.message(nonce).encode()
        self.unknown.add(nonce)
        kind, answer = m.append('INBOX', None, None, text)
        if kind == 'OK':
            self.unknown.discard(nonce)
            self.acknowledged[nonce] = (account, fingerprint(text))

    def work(self):
        account = f'u{self.random.randrange(ACCOUNTS)}@example.com'
        if self.number % 4:
            with smtplib.SMTP('127.0.0.1', self.server.ports['smtp'], timeout=20) as s:
                for _ in range(20):
                    if self.stopping.is_set():
                        return
                    self.deliver(s, account)
        else:
            m = imaplib.IMAP4('127.0.0.1', self.server.ports['imap'], timeout=20)
            m.login(account, 'secret')
            for _ in range(20):
                if self.stopping.is_set():
                    break
                self.append(m, account)
            m.logout()

    def run(self):
        while not self.stopping.is_set():
            try:
                self.work()
            except TROUBLE:
                time.sleep(0.05)


def messages_of(server, account):
    """(uid, nonce, fingerprint of the message as it was sent) of INBOX."""
    m = imaplib.IMAP4('127.0.0.1', server.ports['imap'], timeout=60)
    m.login(account, 'secret')
    m.select('INBOX', readonly=True)
    found = []
    for part in m.fetch('1:*', '(UID BODY.PEEK[])')[1]:
        if not isinstance(part, tuple):
            continue
        uid = int(part[0].split(b'UID ')[1].split()[0])
        text = part[1][part[1].index(b'Subject: c'):]
        found.append((uid, text.split(b'\r\n')[0].decode()[9:], fingerprint(text)))
    m.logout()
    return found


def answers(server):
    try:
        with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=10) as s:
            s.ehlo()
            s.mail('a@b.example')
            return s.rcpt('u0@example.com')[0] == 250 and bool(messages_of(server, 'u0@example.com') or True)
    except TROUBLE:
        return False


def compare(server, clients):
    wanted, unknown = {}, set()
    for c in clients:
        wanted.update(c.acknowledged)
        unknown |= c.unknown
    seen = {}
    for n in range(ACCOUNTS):
        account = f'u{n}@example.com'
        uids = []
        for uid, nonce, body in messages_of(server, account):
            uids.append(uid)
            assert nonce not in seen, f'{nonce} is there twice'
            assert nonce in wanted or nonce in unknown, f'{nonce} was never sent'
            seen[nonce] = (account, body)
        assert uids == sorted(set(uids)), f'UIDs of {account} do not rise'
    for nonce, what in wanted.items():
        assert nonce in seen, f'{nonce} was acknowledged and is lost'
        assert seen[nonce] == what, f'{nonce} is not what was acknowledged'
    return len(wanted)


def test_nothing_acknowledged_is_lost():
    seed = int(os.environ.get('GODWIT_CRASH_SEED', '0')) or random.randrange(1 << 30)
    dice = random.Random(seed)
    server = Server()
    try:
        server.start()
        server.add_domain()
        for n in range(ACCOUNTS):
            server.add_account(f'u{n}')
        clients = [Client(server, n, seed + n) for n in range(CLIENTS)]
        for c in clients:
            c.start()
        for _ in range(CYCLES):
            time.sleep(dice.uniform(0.1, 0.6))
            name = dice.choice(['mx.0', 'user.0', 'auth.0', 'cook.0', 'store.0', 'store.0', 'all'])
            if name == 'all':
                server.kill()
                server.start()
            else:
                pid = server.roles().get(name)
                if pid:
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: answers(server), 60)
        for c in clients:
            c.stopping.set()
        for c in clients:
            c.join(60)
        total = compare(server, clients)
        print(f'seed {seed}: {CYCLES} cycles, {total} acknowledged messages, all there once')
        assert total > CYCLES
    except BaseException:
        print(f'seed {seed}, folder {server.dir}')
        print(server.log()[-3000:])
        raise
    finally:
        server.remove()
