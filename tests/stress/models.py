"""models.py - what SMTP on port 25 and POP3 answer, as a model: it is told each command and says the reply's code, or sign.

SPDX-License-Identifier: Apache-2.0
"""


class SmtpModel:
    """RFC 5321 section 4.1.4.  users: addresses that exist.  kept: what was promised, as (key, recipients)."""

    def __init__(self, users):
        self.users = set(users)
        self.greeted = False
        self.errors = 0
        self.kept = []
        self._forget()

    def _forget(self):
        self.sender, self.rcpts, self.chunks = False, [], None

    def answer(self, verb, argument=None, key=None):
        """The codes of all replies to a command; for DATA with the body that follows when the first is 354."""
        codes = getattr(self, '_' + verb)(argument, key)
        self.errors += sum(code >= 400 for code in codes)
        return codes

    def _ehlo(self, _, __):
        self.greeted = True
        self._forget()
        return [250]

    def _rset(self, _, __):
        self._forget()
        return [250]

    def _noop(self, _, __):
        return [250]

    def _what(self, _, __):
        return [500]

    def _vrfy(self, _, __):
        return [252 if self.greeted else 503]

    def _mail(self, good, _):
        if not self.greeted or self.sender:
            return [503]
        self.sender = good
        return [250 if good else 501]

    def _rcpt(self, address, _):
        if not self.sender or self.chunks is not None:
            return [503]
        if address not in self.users:
            return [550]
        if address not in self.rcpts:
            self.rcpts.append(address)
        return [250]

    def _done(self, key):
        self.kept.append((key, tuple(self.rcpts)))
        self._forget()

    def _data(self, _, key):
        if not self.sender or self.chunks is not None:
            return [503]
        if not self.rcpts:
            return [554]
        self._done(key)
        return [354, 250]

    def _bdat(self, last, key):
        """A chunk that is refused is thrown away, and the message with it (RFC 3030 section 2)."""
        if not self.sender:
            return [503]
        if not self.rcpts:
            self._forget()
            return [554]
        self.chunks = (self.chunks or []) + [key]
        if last:
            self._done(self.chunks[0])
        return [250]


class Pop3Model:
    """RFC 1939.  messages: (unique id, size) as the mailbox was at log-in."""

    def __init__(self, messages):
        self.messages = list(messages)
        self.deleted = set()

    def _there(self, number):
        return 1 <= number <= len(self.messages) and number not in self.deleted

    def answer(self, verb, number=0):
        """The reply's first line as far as it is laid down, None for -ERR; and the lines that follow, or their octets."""
        left = [(i, m) for i, m in enumerate(self.messages, 1) if i not in self.deleted]
        if verb == 'STAT':
            return f'+OK {len(left)} {sum(m[1] for _, m in left)}', None
        if verb == 'RSET':
            self.deleted.clear()
            return '+OK', None
        if verb in ('NOOP', 'QUIT'):
            return '+OK', None
        if verb in ('LISTS', 'UIDLS'):
            return '+OK', [f'{i} {m[verb == "LISTS"]}' for i, m in left]
        if not self._there(number):
            return None, None
        unique, size = self.messages[number - 1]
        if verb == 'DELE':
            self.deleted.add(number)
            return '+OK', None
        if verb == 'RETR':
            return '+OK', size
        return f'+OK {number} {size if verb == "LIST" else unique}', None

    def after_quit(self):
        return [m for i, m in enumerate(self.messages, 1) if i not in self.deleted]
