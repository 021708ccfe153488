#!/usr/bin/python3
"""import_bench.py [COUNT] [BYTES] - how long godwit import maildir takes for COUNT messages, and for nothing new after.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'lib'))
from godwit import Server  # noqa: E402


def fill(path, count, size):
    os.makedirs(os.path.join(path, 'new'))
    os.makedirs(os.path.join(path, 'cur'))
    words = [''.join(random.choices('abcdefghijklmnopqrstuvwxyz', k=random.randrange(2, 10))) for _ in range(2000)]
    lines = ['3 V1234567890 N%d' % (count + 1)]
    for uid in range(1, count + 1):
        text = (f'From: Somebody <s{uid % 97}@far.example>\nTo: anna@example.com\nSubject: message {uid}\n'
                f'Message-ID: <{uid}@far.example>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n\n')
        while len(text) < size:
            text += ' '.join(random.choices(words, k=10)) + '\n'
        base = f'1600000000.M{uid}P1.old,S={len(text)}'
        with open(os.path.join(path, 'cur', base + ':2,S'), 'w', encoding='ascii') as f:
            f.write(text)
        lines.append(f'{uid} :{base}')
    with open(os.path.join(path, 'dovecot-uidlist'), 'w', encoding='ascii') as f:
        f.write('\n'.join(lines) + '\n')


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        user = server.add_account('anna')
        path = os.path.join(server.dir, 'Maildir')
        fill(path, count, size)
        for what in ('first', 'again'):
            began = time.monotonic()
            said = server.ctl('import', 'maildir', path, '--account', user).stdout.splitlines()[-1]
            took = time.monotonic() - began
            print(f'{what}: {took:.2f} s, {count / took:.0f} messages/s: {said}')
    finally:
        server.remove()


if __name__ == '__main__':
    main()
