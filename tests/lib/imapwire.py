"""imapwire.py - IMAP as it is on the wire: commands written in any pieces, replies read token by token.

SPDX-License-Identifier: Apache-2.0
"""
import re
import socket
import ssl

TLS = ssl._create_unverified_context()


class Wire:
    """One connection.  Nothing is sent or read but what the test says."""

    def __init__(self, port, tls=False, timeout=60):
        self.sock = socket.create_connection(('127.0.0.1', port), timeout=timeout)
        if tls:
            self.sock = TLS.wrap_socket(self.sock)
        self.file = self.sock.makefile('rb')

    def starttls(self):
        self.send(b's STARTTLS\r\n')
        assert self.line().startswith(b's OK')
        self.sock = TLS.wrap_socket(self.sock)
        self.file = self.sock.makefile('rb')

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        """A reply with its literals, without the last CRLF."""
        whole = b''
        while True:
            part = self.file.readline()
            if not part.endswith(b'\r\n'):
                raise EOFError(whole + part)
            size = re.search(rb'\{(\d+)\}\r\n$', part)
            if not size:
                return whole + part[:-2]
            whole += part + self.file.read(int(size.group(1)))

    def until(self, tag):
        """All replies up to the tagged one, which is the last."""
        found = []
        while not found or not found[-1].startswith(tag + b' '):
            found.append(self.line())
        return found

    def command(self, tag, text):
        self.send(tag + b' ' + text + b'\r\n')
        found = self.until(tag)
        assert found[-1].startswith(tag + b' OK'), found[-1]
        return found[:-1]

    def login(self, user, password='secret'):
        self.command(b'login', f'LOGIN {user} {password}'.encode())

    def close(self):
        self.file.close()
        self.sock.close()


def read_value(data, at=0):
    """One value of a reply and where it ends: bytes, None for NIL, an int, or a list; a BODY[...] name is one word."""
    if data[at:at + 1] == b'(':
        found, at = [], at + 1
        while data[at:at + 1] != b')':
            value, at = read_value(data, at)
            found.append(value)
            if data[at:at + 1] == b' ':
                at += 1
        return found, at + 1
    if data[at:at + 1] == b'"':
        end = at + 1
        while data[end:end + 1] != b'"':
            end += 2 if data[end:end + 1] == b'\\' else 1
        return re.sub(rb'\\(.)', rb'\1', data[at + 1:end]), end + 1
    size = re.compile(rb'\{(\d+)\}\r\n').match(data, at)
    if size:
        n = int(size.group(1))
        return data[size.end():size.end() + n], size.end() + n
    word = re.compile(rb'[A-Z0-9.]+\[[^]]*\](<\d+>)?|[^ ()]+').match(data, at)
    text = word.group(0)
    if text == b'NIL':
        return None, word.end()
    return int(text) if text.isdigit() else text, word.end()


def read_fetch(reply):
    """Items of "* n FETCH (...)" by name."""
    start = re.match(rb'\* \d+ FETCH ', reply).end()
    value, end = read_value(reply, start)
    assert end == len(reply), reply[end:]
    return dict(zip(value[::2], value[1::2]))
