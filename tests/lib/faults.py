"""faults.py - mail servers that misbehave on purpose, and a ledger of what they took.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import re
import selectors
import socket
import threading
import time

STEPS = ('greeting', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'body', 'BDAT')
GOOD = {'greeting': '220 faulty.example ESMTP', 'MAIL': '250 2.1.0 ok', 'RCPT': '250 2.1.5 ok', 'DATA': '354 go',
        'body': '250 2.0.0 taken', 'BDAT': '250 2.0.0 taken', 'RSET': '250 2.0.0 ok', 'QUIT': '221 2.0.0 bye'}


class Faulty:
    """faults: by step, a list of what happens there, one a time; then all is well.  A fault is
    "drop" (closes instead of answering), "half" (half of the answer, then closes), "slow" (the answer byte by byte),
    "drop-after" (answers, then closes), or a reply.  With "kept " before it, it waits for a connection that was used for
    a message already.  "twice" answers two times, "stray" the second time a moment later; strays counts these.

    For "body" and "BDAT": "lost" means that the message is taken and the connection closed before the reply, the window
    of RFC 5321 section 4.5.3.2.6; "drop" that it is not taken.
    ledger: key -> how often a message with "X-Key: key" was taken; promised: how often with a 250 to it.
    """

    def __init__(self, at=('127.0.0.1', 0), offers=('PIPELINING', '8BITMIME'), faults=None):
        self.offers, self.faults = list(offers), {k: list(v) for k, v in (faults or {}).items()}
        self.ledger, self.promised = collections.Counter(), collections.Counter()
        self.connections = self.strays = 0
        self.steps = []  # all commands in the order in which they came
        self.lock = threading.Lock()
        self.listening = socket.create_server(at, backlog=200)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listening.close()

    def _serve(self):
        while True:
            try:
                c, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(c,), daemon=True).start()

    def _fault(self, step, kept):
        with self.lock:
            waiting = self.faults.get(step)
            if not waiting or str(waiting[0]).startswith('kept ') and not kept:
                return None
            fault = waiting.pop(0)
            return fault and fault.removeprefix('kept ')

    def _talk(self, c):
        with self.lock:
            self.connections += 1
        try:
            _Session(self, c).run()
        except OSError:
            pass
        finally:
            c.close()


class _Gone(OSError):
    pass


class _Session:
    def __init__(self, server, c):
        self.server, self.c, self.file = server, c, c.makefile('rb')
        self.text = b''
        self.rcpts = 0
        self.messages = 0

    def say(self, step, good, promised=None):
        """Answers, or does what is to happen instead.  True when the answer was the good one."""
        fault = self.server._fault(step, self.messages > 0)
        if fault in ('drop', 'lost'):
            raise _Gone
        answer = (good if fault in (None, 'slow', 'half', 'drop-after', 'twice', 'stray') else fault).encode() + b'\r\n'
        if fault == 'half':
            self.c.sendall(answer[:len(answer) // 2])
            raise _Gone
        well = answer[:1] in b'23'
        if well and promised:
            with self.server.lock:
                self.server.promised[promised] += 1
        if fault == 'slow':
            for i in range(len(answer)):
                self.c.sendall(answer[i:i + 1])
                time.sleep(0.02)
        else:
            self.c.sendall(answer * 2 if fault == 'twice' else answer)
        if fault == 'stray':
            time.sleep(0.3)
            self.c.sendall(answer)
        self.server.strays += fault in ('twice', 'stray')
        if fault == 'drop-after' or answer.startswith(b'421'):
            raise _Gone
        return well

    def take(self, step):
        """The message is complete."""
        found = re.search(rb'^X-Key: (\S+)', self.text, re.M)
        key = found.group(1).decode() if found else None
        fault = (self.server.faults.get(step) or [None])[0]
        self.text = b''
        if key and (fault in (None, 'slow', 'half', 'lost', 'drop-after', 'twice', 'stray')):
            with self.server.lock:
                self.server.ledger[key] += 1
        self.say(step, GOOD[step], key)
        self.messages += 1

    def body(self):
        while True:
            line = self.file.readline()
            if line == b'.\r\n':
                return self.take('body')
            if not line.endswith(b'\r\n'):
                raise _Gone
            self.text += line[1:] if line.startswith(b'.') else line

    def run(self):
        self.say('greeting', GOOD['greeting'])
        while True:
            line = self.file.readline()
            if not line:
                return
            word = line.split()[0].decode().upper()
            with self.server.lock:
                self.server.steps.append(word)
            if word == 'EHLO':
                self.say('EHLO', '\r\n'.join([f'250-{o}' for o in ['faulty.example', *self.server.offers]] + ['250 HELP']))
            elif word == 'MAIL':
                self.rcpts = 0
                self.say('MAIL', GOOD['MAIL'])
            elif word == 'RCPT':
                self.rcpts += self.say('RCPT', GOOD['RCPT'])
            elif word == 'DATA':
                if self.rcpts == 0:
                    self.c.sendall(b'503 5.5.1 no recipients\r\n')
                elif self.say('DATA', GOOD['DATA']):
                    self.body()
            elif word == 'BDAT':
                words = line.split()
                self.text += self.file.read(int(words[1]))
                if self.rcpts == 0:
                    self.c.sendall(b'503 5.5.1 no recipients\r\n')
                elif len(words) > 2:
                    self.take('BDAT')
                else:
                    self.c.sendall(b'250 2.0.0 more\r\n')
            else:
                self.c.sendall((GOOD.get(word, '500 5.5.2 what?')).encode() + b'\r\n')
                if word == 'QUIT':
                    return


class Silent:
    """Takes no connection: the listening socket's backlog is full, so that a client waits for nothing."""

    def __init__(self, at):
        self.listening = socket.socket()
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listening.bind(at)
        self.listening.listen(0)
        self.plugs = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(self.listening.getsockname())
            self.plugs.append(s)

    def close(self):
        for s in [*self.plugs, self.listening]:
            s.close()


class Crowd:
    """One quick server on many addresses, in one thread: counts messages, and when each came."""

    def __init__(self, addresses, port=25):
        self.times = []
        self.connections = 0
        self.selector = selectors.DefaultSelector()
        for a in addresses:
            s = socket.create_server((a, port), backlog=200)
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, None)
        self.over = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.over = True
        self.thread.join()
        for s in [key.fileobj for key in self.selector.get_map().values()]:
            s.close()
        self.selector.close()

    def _run(self):
        while not self.over:
            for key, _ in self.selector.select(0.2):
                if key.data is None:
                    c, _ = key.fileobj.accept()
                    self.connections += 1
                    c.setblocking(False)
                    c.send(b'220 crowd ESMTP\r\n')
                    self.selector.register(c, selectors.EVENT_READ, {'in': b'', 'body': False})
                else:
                    self._read(key.fileobj, key.data)

    def _read(self, c, state):
        try:
            got = c.recv(1 << 16)
        except OSError:
            got = b''
        if not got:
            self.selector.unregister(c)
            c.close()
            return
        state['in'] += got
        out = b''
        while True:
            if state['body']:
                end = state['in'].find(b'\r\n.\r\n')
                if end < 0:
                    break
                state['in'], state['body'] = state['in'][end + 5:], False
                self.times.append(time.monotonic())
                out += b'250 2.0.0 taken\r\n'
                continue
            line, found, rest = state['in'].partition(b'\r\n')
            if not found:
                break
            state['in'] = rest
            word = line[:4].upper()
            if word == b'EHLO':
                out += b'250-crowd\r\n250-PIPELINING\r\n250 8BITMIME\r\n'
            elif word == b'DATA':
                state['body'] = True
                out += b'354 go\r\n'
            else:
                out += b'250 2.0.0 ok\r\n'
        if out:
            c.send(out)
