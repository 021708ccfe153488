"""scripted.py - mail servers that say what a test wrote for them, each on an address of its own, and keep every byte that
they hear.

SPDX-License-Identifier: Apache-2.0
"""
import dataclasses
import select
import socket
import threading

OFFERS = ('PIPELINING', '8BITMIME', 'SIZE 10000000')
CLOSE = object()  # instead of an answer, or behind one: the connection ends
GOOD = {'greeting': '220 peer.example ESMTP', 'HELO': '250 peer.example', 'MAIL': '250 2.1.0 ok', 'RCPT': '250 2.1.5 ok',
        'DATA': '354 go', 'body': '250 2.0.0 taken', 'BDAT': '250 2.0.0 taken', 'more': '250 2.0.0 more',
        'STARTTLS': '220 2.0.0 go', 'RSET': '250 2.0.0 ok', 'QUIT': '221 2.0.0 bye'}


@dataclasses.dataclass
class Script:
    """say: by step, what is said there instead of the good answer, one a time: text (several lines with LF between them), bytes
    as they stand, CLOSE, a list of these, or None for the good answer.  offers: of EHLO; tls_offers: of that under TLS."""
    say: dict = dataclasses.field(default_factory=dict)
    offers: tuple = OFFERS
    tls_offers: tuple = None
    patient: bool = False  # answers MAIL when DATA has come as well: who does not pipeline waits for ever
    # What came.
    lines: list = dataclasses.field(default_factory=list)   # of all connections, with their ends
    bodies: list = dataclasses.field(default_factory=list)  # as they stood on the wire, the final dot included
    chunks: list = dataclasses.field(default_factory=list)  # of BDAT: its line and its bytes
    ends: list = dataclasses.field(default_factory=list)    # the last line of each connection that is over
    early: list = dataclasses.field(default_factory=list)   # lines behind which more came before their answer
    clear: list = dataclasses.field(default_factory=list)   # verbs outside of TLS
    connections: int = 0

    def verbs(self):
        return [line.split()[0].upper().decode() for line in self.lines if line.split()]

    def line(self, verb):
        """The only one of this verb."""
        found, = (line for line in self.lines if line.upper().startswith(verb.encode()))
        return found.decode().rstrip('\r\n')


class Scripted:
    def __init__(self, scripts):
        self.scripts = scripts
        self.context = None  # of STARTTLS
        first = socket.create_server(('127.1.0.1', 0))
        self.port = first.getsockname()[1]
        self.sockets = [first]
        for i in range(1, len(scripts)):
            self.sockets.append(socket.create_server((self.address(i), self.port)))
        for listening, script in zip(self.sockets, scripts):
            threading.Thread(target=self._serve, args=(listening, script), daemon=True).start()

    @staticmethod
    def address(i):
        return f'127.1.{i // 250}.{i % 250 + 1}'

    def close(self):
        for s in self.sockets:
            s.close()

    def _serve(self, listening, script):
        while True:
            try:
                c, _ = listening.accept()
            except OSError:
                return
            script.connections += 1
            threading.Thread(target=self._talk, args=(c, script), daemon=True).start()

    def _talk(self, c, script):
        session = _Session(self, c, script)
        try:
            session.run()
        except OSError:  # also of TLS
            pass
        finally:
            script.ends.append(session.last)
            session.c.close()


class _Gone(OSError):
    pass


class _Session:
    def __init__(self, server, c, script):
        self.server, self.c, self.script = server, c, script
        self.buffer, self.last, self.tls = b'', b'', False
        self.pipelining = 'PIPELINING' in [o.upper() for o in script.offers]

    def more(self):
        got = self.c.recv(1 << 16)
        if not got:
            raise _Gone
        self.buffer += got

    def line(self):
        while b'\n' not in self.buffer:
            self.more()
        self.last, self.buffer = self.buffer[:self.buffer.index(b'\n') + 1], self.buffer[self.buffer.index(b'\n') + 1:]
        self.script.lines.append(self.last)
        return self.last

    def pending(self):
        """Has more come, without having been asked for?"""
        return bool(self.buffer) or bool(select.select([self.c], [], [], 0.02)[0])

    def say(self, step, good=None):
        """What is said; None: nothing."""
        waiting = self.script.say.get(step)
        what = waiting.pop(0) if waiting else None
        said = None
        for one in what if isinstance(what, list) else [what]:
            if one is CLOSE:
                raise _Gone
            text = good or GOOD[step] if one is None else one
            said = text if isinstance(text, bytes) else text.replace('\n', '\r\n').encode() + b'\r\n'
            self.c.sendall(said)
        return said

    def body(self):
        at = len(self.script.bodies)
        self.script.bodies.append(b'')
        text = b'\r\n'
        while True:
            end = (text + self.buffer).find(b'\r\n.\r\n')
            if end >= 0:
                break
            self.more()
        self.script.bodies[at], self.buffer = self.buffer[:end + 3], self.buffer[end + 3:]
        self.say('body')

    def chunk(self, line):
        words = line.split()
        size = int(words[1])
        while len(self.buffer) < size:
            self.more()
        self.script.chunks.append((line, self.buffer[:size]))
        self.buffer = self.buffer[size:]
        self.say('BDAT' if len(words) > 2 else 'more')

    def wait_for_data(self):
        while b'\r\nDATA\r\n' not in b'\r\n' + self.buffer:
            self.more()

    def hello(self, verb):
        s = self.script
        offers = s.tls_offers if self.tls and s.tls_offers is not None else s.offers
        self.say(verb, '\n'.join([f'250-{o}' for o in ['peer.example', *offers]] + ['250 HELP']) if verb == 'EHLO' else None)

    def run(self):
        self.say('greeting')
        while True:
            line = self.line()
            verb = line.split()[0].decode('ascii', 'replace').upper() if line.split() else ''
            if not self.tls:
                self.script.clear.append(verb)
            if verb == 'MAIL' and self.script.patient:
                self.wait_for_data()
            elif not self.pipelining and verb not in ('BDAT', 'QUIT') and self.pending():
                self.script.early.append(line)
            if verb in ('EHLO', 'HELO'):
                self.hello(verb)
            elif verb == 'BDAT':
                self.chunk(line)
            elif verb == 'STARTTLS':
                if self.say(verb).startswith(b'220'):
                    self.c = self.server.context.wrap_socket(self.c, server_side=True)
                    self.buffer, self.tls = b'', True
            elif verb == 'DATA':
                if self.say(verb).startswith(b'354'):
                    self.body()
            elif verb in GOOD:
                self.say(verb)
                if verb == 'QUIT':
                    return
            else:
                self.c.sendall(b'500 5.5.2 what?\r\n')
