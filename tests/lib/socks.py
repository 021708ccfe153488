"""socks.py - a SOCKS5 proxy (RFC 1928, RFC 1929) for tests: connects where it is told to, or to where it is wanted.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import socket
import struct
import threading


class Socks:
    """user, password: what it wants; None: no log-in.  names: where host names lead, {'host.inside': ('127.0.0.1', 2525)}.
    refuse: the reply code that every CONNECT gets; die: after what it closes ("method", "login", "request", "connect").
    asked: (host or address, port) of each CONNECT; peers: from where its clients came; logins: names that were right."""

    def __init__(self, user=None, password=None, names=None):
        self.user, self.password, self.names = user, password, dict(names or {})
        self.refuse = self.die = None
        self.asked, self.peers, self.logins = [], [], []
        self.listening = socket.create_server(('127.0.0.1', 0), backlog=100)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()

    def _serve(self):
        while True:
            try:
                c, peer = self.listening.accept()
            except OSError:
                return
            self.peers.append(peer[0])
            threading.Thread(target=self._talk, args=(c,), daemon=True).start()

    def _talk(self, c):
        with contextlib.suppress(OSError, EOFError), c:
            if not self._agree(c):
                return
            there = self._connect(c)
            if there is not None:
                with there:
                    self._carry(c, there)

    def _agree(self, c):
        """The log-in; false: that was all."""
        version, count = take(c, 2)
        methods = take(c, count)
        wanted = 0 if self.user is None else 2
        if version != 5 or wanted not in methods:
            c.sendall(b'\x05\xff')
            return False
        c.sendall(bytes((5, wanted)))
        if self.die == 'method':
            return False
        if wanted == 2:
            _, n = take(c, 2)
            user = take(c, n).decode()
            password = take(c, take(c, 1)[0]).decode()
            right = (user, password) == (self.user, self.password)
            c.sendall(bytes((1, 0 if right else 1)))
            if right:
                self.logins.append(user)
            return right and self.die != 'login'
        return True

    def _connect(self, c):
        _, command, _, kind = take(c, 4)
        if kind == 3:
            host = take(c, take(c, 1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, take(c, 4)) if kind == 1 else (socket.AF_INET6, take(c, 16))))
        port = struct.unpack('!H', take(c, 2))[0]
        self.asked.append((host, port))
        if self.die == 'request':
            return None
        code = self.refuse or (0 if command == 1 else 7)
        there = None
        if code == 0:
            try:
                there = socket.create_connection(self.names.get(host, (host, port)), timeout=20)
            except OSError:
                code = 5
        # Bound to a name, of the longest kind of answer: what follows it is the server's.
        c.sendall(bytes((5, code, 0, 3, 5)) + b'proxy' + struct.pack('!H', 1) if code == 0 else bytes((5, code, 0, 1)) + bytes(6))
        if self.die == 'connect' and there is not None:
            there.close()
            return None
        return there

    @staticmethod
    def _carry(a, b):
        def pump(source, to):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    to.sendall(data)
            with contextlib.suppress(OSError):
                to.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=pump, args=(b, a), daemon=True)
        back.start()
        pump(a, b)
        back.join(20)


def take(c, n):
    """Exactly n bytes."""
    got = b''
    while len(got) < n:
        more = c.recv(n - len(got))
        if not more:
            raise EOFError
        got += more
    return got
