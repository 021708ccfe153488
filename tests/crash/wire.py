"""wire.py - an IMAP client that shows every line, and the messages that are sent.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket
import ssl

TLS = ssl._create_unverified_context()
ANSWER_S = 60
SUBJECT = re.compile(rb'Subject: crash (\w+)')
FLAGS = re.compile(rb'FLAGS \(([^)]*)\)')
UID = re.compile(rb'UID (\d+)')
SIZE = re.compile(rb'RFC822\.SIZE (\d+)')


class Gone(OSError):
    """The connection ended, orderly or not."""


class Refused(Exception):
    """NO or BAD."""


class Imap:
    """heard(line): called with every untagged line, literals included."""

    def __init__(self, server, how='plain', heard=None, timeout=ANSWER_S):
        self.heard = heard
        self.tag = 0
        port = server.ports['imaps' if how == 'imaps' else 'imap']
        self.socket = socket.create_connection(('127.0.0.1', port), timeout)
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if how == 'imaps':
                self.socket = TLS.wrap_socket(self.socket)
            self.file = self.socket.makefile('rb')
            self._untagged(self.line())
            if how == 'starttls':
                self.command('STARTTLS')
                self.socket = TLS.wrap_socket(self.socket)
                self.file = self.socket.makefile('rb')
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def line(self):
        """One line with its literals."""
        whole = b''
        while True:
            part = self.file.readline()
            if not part.endswith(b'\r\n'):
                raise Gone('end of the connection')
            whole += part
            size = re.search(rb'\{(\d+)\}\r\n$', part)
            if not size:
                return whole
            text = self.file.read(int(size.group(1)))
            if len(text) != int(size.group(1)):
                raise Gone('end of the connection')
            whole += text

    def _untagged(self, line):
        if line.startswith(b'* BYE'):
            raise Gone(line.decode())
        if self.heard:
            self.heard(line)
        return line

    def send(self, text):
        self.socket.sendall(text)

    def begin(self, text, literal=None, plus=False):
        """Sends a command, without waiting for its end."""
        self.tag += 1
        words = f't{self.tag} {text}'.encode()
        if literal is None:
            self.send(words + b'\r\n')
            return
        if plus:
            self.send(words + b' {%d+}\r\n' % len(literal) + literal + b'\r\n')
            return
        self.send(words + b' {%d}\r\n' % len(literal))
        line = self.line()
        while line.startswith(b'* '):
            self._untagged(line)
            line = self.line()
        if not line.startswith(b'+'):
            raise Refused(line.decode(errors='replace'))
        self.send(literal + b'\r\n')

    def end(self):
        """(text of the tagged OK, untagged lines)."""
        lines, tag = [], f't{self.tag} '.encode()
        while True:
            line = self.line()
            if line.startswith(tag):
                answer = line[len(tag):].decode(errors='replace').strip()
                if answer.startswith('OK'):
                    return answer, lines
                raise Refused(answer)
            lines.append(self._untagged(line))

    def line_is_end(self):
        """Takes one line: is it the tagged one?"""
        line = self.line()
        if not line.startswith(b't%d ' % self.tag):
            self._untagged(line)
            return False
        if b' OK' not in line:
            raise Refused(line.decode())
        return True

    def command(self, text, literal=None, plus=False):
        self.begin(text, literal, plus)
        return self.end()

    def login(self, account, password='secret'):
        self.command(f'LOGIN {account} {password}')

    def select(self, mailbox):
        """(uidvalidity, uidnext, messages)."""
        _, lines = self.command(f'SELECT {mailbox}')
        text = b''.join(lines)
        return (int(re.search(rb'UIDVALIDITY (\d+)', text).group(1)), int(re.search(rb'UIDNEXT (\d+)', text).group(1)),
                int(re.search(rb'\* (\d+) EXISTS', text).group(1)))

    def status(self, mailbox):
        _, lines = self.command(f'STATUS {mailbox} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)')
        text = [x for x in lines if x.startswith(b'* STATUS')][0]
        return {word: int(re.search(word.encode() + rb' (\d+)', text).group(1))
                for word in ('MESSAGES', 'UNSEEN', 'UIDNEXT', 'UIDVALIDITY')}


def fetched(lines):
    return [line for line in lines if re.match(rb'\* \d+ FETCH ', line)]


def nonce_of(line):
    found = SUBJECT.search(line)
    return found.group(1).decode() if found else f'unknown {line[:300]!r}'


def literal_of(line):
    """The text of a FETCH of one body."""
    size = re.search(rb'\{(\d+)\}\r\n', line)
    return line[size.end():size.end() + int(size.group(1))]


def as_sent(text):
    """Without what delivery puts before it."""
    start = text.find(b'Subject: crash ')
    return text[start:] if start >= 0 else text


def make_message(nonce, dice, sender='crash@client.example'):
    """Its Subject comes first, so that what a server puts before it can be told from it; all lines name the nonce."""
    lines = [f'Subject: crash {nonce}', f'Message-ID: <{nonce}@crash.example>', f'From: <{sender}>', 'To: somebody:;',
             'Date: Mon, 23 Nov 2026 22:31:12 +0000', '', '.', f'..{nonce}']
    size = dice.choice([0, 300, 300, 2000, 2000, 2000, 9000, 40000, 150000])
    lines += [f'{n} {nonce} ' + 'x' * (n % 60) for n in range(size // 60)]
    return ('\r\n'.join(lines) + '\r\n').encode()
