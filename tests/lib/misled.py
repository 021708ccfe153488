"""misled.py - what stands in the way of a server, for tests: a time server that is wrong, another program at a port, a clock
that is ahead for one program.

SPDX-License-Identifier: Apache-2.0
"""
import contextlib
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings

CLOCK = '''
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int
clock_gettime(clockid_t id, struct timespec *t)
{
    int e = (int)syscall(SYS_clock_gettime, id, t);

    if (e == 0 && id == CLOCK_REALTIME)
        t->tv_sec += AHEAD_S;
    return e;
}
'''


class TimeServer:
    """SNTP on loopback.  ahead: seconds that it is wrong by; mute: it does not answer."""

    def __init__(self):
        self.ahead, self.mute = 0, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.name = '127.0.0.1:%d' % self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, whom = self.socket.recvfrom(512)
            except OSError:
                return
            now = time.time() + self.ahead + 2208988800
            stamp = struct.pack('>II', int(now), int(now % 1 * 2 ** 32))
            if not self.mute:
                self.socket.sendto(struct.pack('>BBbb', 0x24, 2, 6, -20) + bytes(12) + stamp + question[40:48] + stamp + stamp, whom)

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def impostor(pem=None, key=None, oldest=None):
    """The address of another program: with TLS by that certificate, or, without one, a line and an end."""
    listening = socket.create_server(('127.0.0.1', 0))
    trust = None
    if pem:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(pem, key)
        if oldest:
            trust.set_ciphers('ALL:@SECLEVEL=0')
            with warnings.catch_warnings():  # that it is old is the point
                warnings.simplefilter('ignore')
                trust.minimum_version = trust.maximum_version = oldest

    def serve():
        while True:
            try:
                c, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                c = trust.wrap_socket(c, server_side=True) if trust else c
                c.sendall(b'* OK\r\n')
                c.recv(1000)
            c.close()
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield '127.0.0.1:%d' % listening.getsockname()[1]
    finally:
        listening.close()


def clock_ahead(folder, seconds):
    """Words before a command whose clock is ahead."""
    source, library = os.path.join(folder, 'clock.c'), os.path.join(folder, 'clock.so')
    with open(source, 'w', encoding='ascii') as f:
        f.write(CLOCK)
    subprocess.run(['gcc', '-shared', '-fPIC', f'-DAHEAD_S={seconds}', '-o', library, source], check=True)
    return ['env', 'LD_PRELOAD=' + library]
