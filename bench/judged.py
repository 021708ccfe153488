#!/usr/bin/python3
"""judged.py - what judging costs: the same mail to two servers in turns.

    bench/judged.py [--rounds 7] [--messages 1600] [--connections 16] [--size 2048] strangers | outbound

strangers: mail of 20 domains from 50 addresses, signed by DKIM, to a server with SPF, DKIM, ARC, DMARC, iprev and two lists in
DNS, all of it in its cache of DNS before the clock starts; and to one with "checks off".  "plain" sends them unsigned.
outbound: submissions of 20 accounts, each to an address elsewhere, to a server that counts what an account sends, and to one
with "outbound-limits none".  Another process takes them; the clock stops at the last answer to a submission.

Printed are medians over the rounds, and every round: messages a second, CPU time of all server processes a message, and the ratios
of neighbours, whose median is what is to be believed while other work goes on.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import base64
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'lib'))
import dkim  # noqa: E402
from godwit import Server, free_port  # noqa: E402
from knot import Knot  # noqa: E402
from sink import Sink  # noqa: E402

USERS, DOMAINS, CLIENTS, PROCESSES = 20, 20, 50, 2
TTL = 86400
TICK = os.sysconf('SC_CLK_TCK')
ENOUGH = 'outbound-limits messages 10000000 recipients 10000000'


def cpu(server):
    """{kind of role: seconds}."""
    found = {}
    for name, pid in {'boss': server.process.pid, **server.roles()}.items():
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        kind = name.split('.')[0]
        found[kind] = found.get(kind, 0) + (int(fields[11]) + int(fields[12])) / TICK
    return found


def zone(records):
    lines = ['2.0.0.127.bl.bench. A 127.0.0.2', '2.0.0.127.block.bench. A 127.0.0.2']
    for n in range(DOMAINS):
        d = f'd{n}.bench.'
        lines += [f'{d} TXT "v=spf1 ip4:11.0.0.0/24 -all"', f'{d} MX 10 mx.{d}', f'mx.{d} A 11.0.0.1',
                  f'_dmarc.{d} TXT "v=DMARC1; p=reject"', f's._domainkey.{d} TXT {records}']
    for n in range(CLIENTS):
        lines += [f'{n}.0.0.11.in-addr.arpa. PTR c{n}.bench.', f'c{n}.bench. A 11.0.0.{n}']
    return [line.replace('. ', f'. {TTL} IN ', 1) for line in lines]


def body(size):
    return b''.join(b'%06d ' % n + b'x' * 65 + b'\r\n' for n in range(max(size - 600, 74) // 74))


def signed(pem, size, kind):
    """One message for each domain."""
    found = []
    for n in range(DOMAINS):
        raw = (f'From: a@d{n}.bench\r\nTo: u@example.com\r\nSubject: bench\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n'
               f'Message-ID: <{n}@d{n}.bench>\r\n\r\n').encode() + body(size)
        if kind != 'plain':
            raw = dkim.sign(raw, b's', f'd{n}.bench'.encode(), pem, canonicalize=(b'relaxed', b'relaxed')) + raw
        found.append(raw)
    return found


class Line:
    def __init__(self, port, first, lines=()):
        self.s = socket.create_connection(('127.0.0.1', port))
        self.f = self.s.makefile('rb')
        self.answer()
        for line in [*lines, 'EHLO c0.bench']:
            self.s.sendall(line.encode() + b'\r\n')
            self.answer()
        self.n = first

    def answer(self, code=b'2'):
        line = self.f.readline()
        while line[3:4] == b'-':
            line = self.f.readline()
        if line[:1] not in (code, b'3'):
            raise RuntimeError(line.decode())


def strangers(port, messages, first, count):
    """One round of one process: all of its connections at once, each with one message under way."""
    lines = [Line(port, first + i, [f'XCLIENT ADDR=11.0.0.{(first + i) % CLIENTS} NAME=[UNAVAILABLE]']) for i in range(count[1])]
    run(lines, count[0], lambda n, _: (f'a@d{n % DOMAINS}.bench', f'u{n % USERS}@example.com',
                                       b'X-N: %d.%s\r\n' % (n, os.urandom(6).hex().encode()) + messages[n % DOMAINS]))


def outbound(port, messages, first, count):
    lines = []
    for i in range(count[1]):
        token = base64.b64encode(f'\0u{(first + i) % USERS}@example.com\0secret'.encode()).decode()
        lines.append(Line(port, first + i, ['EHLO c0.bench', f'AUTH PLAIN {token}']))
    users = {id(c): f'u{c.n % USERS}@example.com' for c in lines}
    run(lines, count[0], lambda n, c: (users[id(c)], f'x{n % 1000}@elsewhere.example',
                                       f'From: {users[id(c)]}\r\nX-N: {n}\r\n'.encode() + messages[0]))


def run(lines, total, what):
    """In two strokes: every line sends before any answer is waited for, so that one thread keeps all of them busy."""
    for _ in range(total // len(lines)):
        texts = []
        for c in lines:
            sender, to, text = what(c.n, c)
            c.s.sendall(f'MAIL FROM:<{sender}>\r\nRCPT TO:<{to}>\r\nDATA\r\n'.encode())
            texts.append(text)
            c.n += len(lines)
        for c, text in zip(lines, texts):
            for _ in range(3):
                c.answer()
            c.s.sendall(text + b'.\r\n')
        for c in lines:
            c.answer()
    for c in lines:
        c.s.close()


def take(port):
    sys.stderr = open(os.devnull, 'w', encoding='ascii')  # it ends before those who talk to it
    Sink(port)
    signal.pause()


def burst(server, o, messages, number):
    work = strangers if o.kind != 'outbound' else outbound
    port = server.ports['smtp' if o.kind != 'outbound' else 'submission']
    each = (o.messages // PROCESSES, o.connections // PROCESSES)
    processes = [multiprocessing.Process(target=work, args=(port, messages, number + k * each[1], each)) for k in range(PROCESSES)]
    before, began = cpu(server), time.monotonic()
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    seconds = time.monotonic() - began
    assert all(p.exitcode == 0 for p in processes), 'refused'
    time.sleep(0.5)  # what is written behind
    after = cpu(server)
    sent = each[0] // each[1] * each[1] * PROCESSES
    parts = {k: 1000 * (after[k] - before.get(k, 0)) / sent for k in after}
    return sent / seconds, sum(parts.values()), parts


def report(rates, costs, roles):
    kinds = list(rates)
    for kind in kinds:
        parts = ', '.join(f'{role} {statistics.median(r[role] for r in roles[kind]):.3f}' for role in sorted(roles[kind][0])
                          if statistics.median(r[role] for r in roles[kind]) >= 0.002)
        print(f'{kind:8} {statistics.median(rates[kind]):7.0f} messages/s ({min(rates[kind]):.0f} to {max(rates[kind]):.0f})  '
              f'{statistics.median(costs[kind]):.3f} ms CPU a message ({parts})')
    on, off = kinds
    print(f'ratio of the rates {statistics.median(a / b for a, b in zip(rates[on], rates[off])):.2f}, of CPU '
          f'{statistics.median(a / b for a, b in zip(costs[on], costs[off])):.2f}, medians over {len(rates[on])} pairs')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('kind', choices=['strangers', 'plain', 'outbound'])
    p.add_argument('--rounds', type=int, default=7)
    p.add_argument('--messages', type=int, default=1600)
    p.add_argument('--connections', type=int, default=16)
    p.add_argument('--size', type=int, default=2048)
    o = p.parse_args()
    pem = subprocess.run(['openssl', 'genrsa', '-traditional', '2048'], capture_output=True, check=True).stdout
    der = subprocess.run(['openssl', 'rsa', '-pubout', '-outform', 'DER'], input=pem, capture_output=True, check=True).stdout
    record = 'v=DKIM1; k=rsa; p=' + base64.b64encode(der).decode()
    knot = Knot(zone(' '.join(f'"{record[i:i + 200]}"' for i in range(0, len(record), 200))), absent_s=TTL).start()
    common = [f'resolver {knot.resolver()} no-dnssec', 'xclient-from 127.0.0.1', 'message-size 20M']
    if o.kind == 'outbound':
        sink = free_port()
        taker = multiprocessing.Process(target=take, args=(sink,))
        taker.start()
        common += ['outbound none', f'route elsewhere.example 127.0.0.1:{sink}', 'checks off']
        servers = {'counted': Server(extra=[*common, ENOUGH]), 'none': Server(extra=[*common, 'outbound-limits none'])}
        messages = [b'Subject: bench\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n\r\n' + body(o.size)]
    else:
        servers = {'checked': Server(extra=[*common, 'dnsbl bl.bench', 'dnsbl block.bench']), 'off': Server(extra=[*common, 'checks off'])}
        messages = signed(pem, o.size, o.kind)
    rates, costs, roles = ({k: [] for k in servers} for _ in range(3))
    try:
        for s in servers.values():
            s.start()
            s.add_domain()
            for n in range(USERS):
                s.add_account(f'u{n}')
        time.sleep(2)  # the lists are tested
        for s in servers.values():
            burst(s, o, messages, 0)
        verdicts = [line for line in next(iter(servers.values())).log().splitlines() if 'ev=store.verdict' in line]
        assert o.kind == 'outbound' or 'spf=pass' in verdicts[-1] and 'dmarc=pass' in verdicts[-1], verdicts[-1:]
        for n in range(o.rounds):
            for kind in sorted(servers, reverse=n % 2 == 1):
                rate, cost, parts = burst(servers[kind], o, messages, (n + 1) * o.messages)
                rates[kind].append(rate)
                costs[kind].append(cost)
                roles[kind].append(parts)
        report(rates, costs, roles)
    finally:
        for s in servers.values():
            s.remove()
        knot.remove()
        if o.kind == 'outbound':
            taker.terminate()


if __name__ == '__main__':
    main()
