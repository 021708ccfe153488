"""sink.py - another mail server for tests: keeps what it is sent, and refuses what it is told to.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import socket
import socketserver
import threading


class Sink:
    """answers: by recipient's local part, "450 4.2.0 later" or the like; everything else is taken."""

    def __init__(self, port, host='127.0.0.1'):
        self.messages = []  # (sender, [recipients], bytes)
        self.answers = {}
        self.offers = ['PIPELINING', '8BITMIME', 'SIZE 10000000']
        self.open = set()
        self.said = []  # the lines of MAIL and RCPT
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b'\r\n')

            def body(self):
                lines = []
                while True:
                    line = self.rfile.readline()
                    if line in (b'.\r\n', b''):
                        return b''.join(lines), bool(line)
                    lines.append(line[1:] if line.startswith(b'.') else line)

            def setup(self):
                super().setup()
                sink.open.add(self.request)

            def finish(self):
                sink.open.discard(self.request)
                super().finish()

            def handle(self):
                sender, rcpts = None, []
                self.say('220 sink.example ESMTP')
                while True:
                    line = self.rfile.readline()
                    word = line[:4].upper()
                    if word in (b'MAIL', b'RCPT'):
                        sink.said.append(line.decode().rstrip())
                    if not line:
                        return
                    if word == b'EHLO':
                        self.say('\r\n'.join([f'250-{o}' for o in ['sink.example'] + sink.offers] + ['250 HELP']))
                    elif word == b'MAIL':
                        sender, rcpts = line[line.index(b'<') + 1:line.index(b'>')].decode(), []
                        self.say('250 2.1.0 ok')
                    elif word == b'RCPT':
                        rcpt = line[line.index(b'<') + 1:line.index(b'>')].decode()
                        answer = sink.answers.get(rcpt.split('@')[0], '250 2.1.5 ok')
                        if answer.startswith('250'):
                            rcpts.append(rcpt)
                        self.say(answer)
                    elif word == b'DATA':
                        self.say('354 go')
                        text, whole = self.body()
                        if not whole:
                            return
                        sink.messages.append((sender, rcpts, text))
                        self.say('250 2.0.0 taken')
                    elif word == b'QUIT':
                        self.say('221 2.0.0 bye')
                        return
                    else:
                        self.say('250 2.0.0 ok')

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server((host, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offer(self, *words):
        """From now on; whoever was told otherwise is sent away."""
        self.offers = list(words)
        for s in list(self.open):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def to(self, address):
        return [m for m in self.messages if address in m[1]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
