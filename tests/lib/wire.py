"""wire.py - SMTP and POP3 byte by byte: what a test says is sent as it stands, and every answer is held against its form.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket
import ssl

REPLY_LINE = 512  # RFC 5321 section 4.5.3.1.5, with its CRLF
# Replies that carry no enhanced code: RFC 2034 section 4 says which; RFC 4954 section 4 what 334 is.
BARE = (220, 354, 334)


class Wire:
    def __init__(self, port, source='127.0.0.1'):
        self.socket = socket.create_connection(('127.0.0.1', port), 30, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is sent apart comes apart
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        """One line without its CRLF; None at the end of the connection."""
        line = self.file.readline()
        if line == b'':
            return None
        assert line.endswith(b'\r\n') and b'\r' not in line[:-2] and b'\0' not in line, line
        return line[:-2]

    def tls(self):
        self.file.close()
        context = ssl._create_unverified_context()
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')


class Smtp(Wire):
    """greet: reads the greeting."""

    def __init__(self, port, greet=True, source='127.0.0.1'):
        super().__init__(port, source)
        self.text = []
        if greet:
            assert self.reply() == 220

    def reply(self, command=''):
        """The code of the next reply, None when the connection ends; its lines stand in text."""
        self.text = []
        while True:
            line = self.line()
            if line is None:
                assert not self.text
                return None
            assert len(line) + 2 <= REPLY_LINE, line
            assert re.match(rb'[2-5][0-5]\d([ -]|$)', line), line  # section 4.2
            assert all(b == 9 or 32 <= b for b in line), line
            self.text.append(line)
            assert line[:3] == self.text[0][:3], self.text
            if line[3:4] != b'-':
                break
        code = int(line[:3])
        if code not in BARE and not (code == 250 and command[:4].upper() in ('EHLO', 'HELO')):
            for line in self.text:  # RFC 2034 section 4: on every line, and its class is that of the reply
                found = re.match(rb'\d{3}[ -]([245])\.(\d{1,3})\.(\d{1,3}) ', line)
                assert found and found.group(1) == line[:1], line
        return code

    def ask(self, command):
        self.send(command + '\r\n' if isinstance(command, str) else command + b'\r\n')
        return self.reply(command if isinstance(command, str) else command.decode('latin-1'))


class Pop3(Wire):
    def __init__(self, port, greet=True):
        super().__init__(port)
        self.text = b''
        if greet:
            assert self.reply()

    def reply(self):
        """True for +OK, False for -ERR, None when the connection ends; the line stands in text."""
        self.text = self.line()
        if self.text is None:
            return None
        assert re.match(rb'(\+OK|-ERR)( |$)', self.text), self.text
        assert len(self.text) + 2 <= 512, self.text  # RFC 1939 section 3
        return self.text.startswith(b'+')

    def ask(self, command):
        self.send(command + '\r\n' if isinstance(command, str) else command + b'\r\n')
        return self.reply()

    def body(self):
        """What follows +OK in a reply of many lines, as it was before the dots were doubled."""
        found = b''
        while True:
            line = self.line()
            assert line is not None
            if line == b'.':
                return found
            found += (line[1:] if line.startswith(b'.') else line) + b'\r\n'

    def many(self, command):
        assert self.ask(command), self.text
        return self.body()

    def log_in(self, user, password='secret'):
        assert self.ask('USER ' + user) and self.ask('PASS ' + password), self.text
        return self
