#!/usr/bin/env python3
"""trace.py - what the trace costs: the same mail to two servers in turns, one that keeps a trace and one that does not.

    bench/trace.py [--rounds 7] [--messages 3000] [--connections 16]

Each round sends 2 KB messages to 20 mailboxes over parallel connections.  Printed are medians over the rounds: messages
a second, CPU time of all server processes a message, and the bytes of trace a message.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import glob
import os
import socket
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'tests', 'lib'))
from godwit import Server  # noqa: E402

USERS = 20
TICK = os.sysconf('SC_CLK_TCK')
BODY = ''.join(f'{n:04d} ' + 'x' * 70 + '\r\n' for n in range(26))


def cpu(server):
    total = 0
    for pid in [server.process.pid, *server.roles().values()]:
        with open(f'/proc/{pid}/stat', encoding='ascii') as f:
            fields = f.read().rsplit(')', 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def one_connection(port, first, count):
    with socket.create_connection(('127.0.0.1', port)) as s:
        f = s.makefile('rb')
        f.readline()
        s.sendall(b'EHLO bench.example\r\n')
        while f.readline()[3:4] == b'-':
            pass
        for n in range(first, first + count):
            s.sendall(f'MAIL FROM:<a@bench.example>\r\nRCPT TO:<u{n % USERS}@example.com>\r\nDATA\r\n'.encode())
            for _ in range(3):
                f.readline()
            s.sendall(f'Message-ID: <{n}.{os.urandom(8).hex()}@bench.example>\r\nSubject: x\r\n\r\n{BODY}.\r\n'.encode())
            assert f.readline().startswith(b'250'), 'refused'


def burst(server, messages, connections):
    each = messages // connections
    threads = [threading.Thread(target=one_connection, args=(server.ports['smtp'], i * each, each)) for i in range(connections)]
    before, began = cpu(server), time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds = time.monotonic() - began
    time.sleep(0.5)  # what is written behind
    return each * connections / seconds, 1000 * (cpu(server) - before) / (each * connections)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--rounds', type=int, default=7)
    p.add_argument('--messages', type=int, default=3000)
    p.add_argument('--connections', type=int, default=16)
    o = p.parse_args()
    servers = {'with': Server(), 'without': Server(extra=['trace-days 0'])}
    rates, costs = {k: [] for k in servers}, {k: [] for k in servers}
    try:
        for s in servers.values():
            s.start()
            s.add_domain()
            for n in range(USERS):
                s.add_account(f'u{n}')
            burst(s, o.messages // 4, o.connections)
        for n in range(o.rounds):
            for kind in sorted(servers, reverse=n % 2 == 1):
                rate, cost = burst(servers[kind], o.messages, o.connections)
                rates[kind].append(rate)
                costs[kind].append(cost)
        for kind in servers:
            print(f'{kind:8} {statistics.median(rates[kind]):8.0f} messages/s  {statistics.median(costs[kind]):.3f} ms CPU a message')
        size = sum(os.path.getsize(f) for f in glob.glob(servers['with'].dir + '/data/trace/*'))
        print(f'{size / (o.rounds * o.messages + o.messages // 4):.0f} bytes of trace a message')
    finally:
        for s in servers.values():
            s.remove()


if __name__ == '__main__':
    main()
