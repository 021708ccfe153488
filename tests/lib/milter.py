"""milter.py - a milter on a raw socket, which writes down what it hears and says what a test tells it.

SPDX-License-Identifier: Apache-2.0
"""
import socket
import struct
import threading

ALL_ACTIONS = 0xff


def packet(command, data=b''):
    return struct.pack('>I', len(data) + 1) + command + data


def z(*strings):
    return b''.join(s.encode() if isinstance(s, str) else s for s in (x + ('\0' if isinstance(x, str) else b'\0') for x in strings))


def field(answer, name, value, index=None):
    return packet(answer, (b'' if index is None else struct.pack('>I', index)) + z(name, value))


class Milter:
    """say: command letter -> bytes of the answer, or a function of (socket, data) that may say True to hang up.  steps: what it
    asks for in the negotiation.  heard: (letter, data) of each command; macros: letter -> names and values."""

    def __init__(self, where, steps=0, actions=ALL_ACTIONS, version=6):
        self.terms = version, actions, steps
        self.reset()
        self.connections = 0
        self.listener = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(where)
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self):
        self.say, self.heard, self.macros = {}, [], {}

    def letters(self):
        return ''.join(letter for letter, _ in self.heard)

    def data(self, letter):
        return [data for one, data in self.heard if one == letter]

    def body(self):
        return b''.join(self.data('B'))

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            with s, s.makefile('rb') as f:
                while self.one(s, f):
                    pass
        except OSError:
            pass  # the server hung up

    def one(self, s, f):
        head = f.read(5)
        if len(head) < 5:
            return False
        letter, data = head[4:].decode('latin-1'), f.read(struct.unpack('>I', head[:4])[0] - 1)
        if letter == 'D':
            words = data[1:].split(b'\0')
            self.macros[chr(data[0])] = dict(zip(words[::2], words[1::2]))
            return True
        self.heard.append((letter, data))
        answer = self.say.get(letter)
        if callable(answer):
            return not answer(s, data)
        if letter == 'O':
            s.sendall(answer or packet(b'O', struct.pack('>III', *self.terms)))
        elif letter in 'AK':
            pass
        elif letter == 'Q':
            return False
        elif not self.is_mute(letter):
            s.sendall(answer or packet(b'c'))
        return True

    def is_mute(self, letter):
        bits = {'L': 0x80, 'C': 0x1000, 'H': 0x2000, 'M': 0x4000, 'R': 0x8000, 'T': 0x10000, 'N': 0x40000, 'B': 0x80000}
        return bool(self.terms[2] & bits.get(letter, 0))

    def close(self):
        self.listener.close()
