#!/usr/bin/python3
"""drain.py - how fast a queue drains to many destinations, and how much the dead ones cost the others.

    bench/drain.py [--messages 3000] [--destinations 60] [--runs 1]

Everything runs in a network namespace of its own (needs root): a Godwit, a name server, and one quick mail server on
as many loopback addresses as there are destinations.  Then the same again with a third more destinations that take no
connection at all, and as many messages for each of them: the figure is the rate at which mail reached the living ones.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import os
import resource
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'lib'))
from faults import Crowd, Silent  # noqa: E402
from godwit import Server, wait_for  # noqa: E402
from knot import Knot  # noqa: E402


WAIT_S = int(os.environ.get("DRAIN_WAIT_S", "600"))


def address(i, dead):
    return f'127.{2 if dead else 1}.{i // 200}.{i % 200 + 1}'


def aliases(server, names):
    """Of all the names, living and dead mixed: one command sets 60 targets."""
    order = [n for pair in zip(names, reversed(names)) for n in pair][:len(names) * 2]
    order = list(dict.fromkeys(order))
    parts = -(-len(order) // 60)
    for k in range(parts):
        server.ctl('alias', 'set', f'part{k}@example.com', *[f'x@{n}' for n in order[k::parts]])
    return [f'part{k}@example.com' for k in range(parts)]


def fill(server, parts, each):
    """each messages for every name: one submission has many recipients, and becomes a delivery for each domain."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        for n in range(each):
            for at in range(0, len(parts), 4):
                s.sendmail('', parts[at:at + 4], f'Subject: {n}\r\n\r\n' + 'y' * 1000 + '\r\n')


def one_run(living, dead, each):
    """Messages a second that reached the living."""
    alive = [address(i, False) for i in range(living)]
    gone = [address(i, True) for i in range(dead)]
    names = [f'a{i}.drain' for i in range(living)] + [f'd{i}.drain' for i in range(dead)]
    records = []
    for name, at in zip(names, alive + gone):
        records += [f'{name}. 60 IN MX 10 mx.{name}.', f'mx.{name}. 60 IN A {at}']
    silent = [Silent((a, 25)) for a in gone]
    crowd = Crowd(alive)
    dns = Knot(records)
    server = Server(extra=['resolver ' + dns.resolver() + ' no-dnssec', 'outbound-limits none'])
    try:
        dns.start()
        server.start()
        server.add_domain()
        server.add_account('anna')
        parts = aliases(server, names)
        begun = time.monotonic()
        fill(server, parts, each)
        expected = each * living
        wait_for(lambda: len(crowd.times) >= expected, WAIT_S)
        took = max(crowd.times) - begun
        return expected / took, crowd.connections, len(crowd.times) - expected
    finally:
        server.remove()
        dns.remove()
        for s in [*silent, crowd]:
            s.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--messages', type=int, default=3000)
    p.add_argument('--destinations', type=int, default=60)
    p.add_argument('--runs', type=int, default=1)
    p.add_argument('--inside', action='store_true', help=argparse.SUPPRESS)
    a = p.parse_args()
    if not a.inside:
        os.execvp('unshare', ['unshare', '-n', sys.executable, os.path.abspath(__file__), '--inside', *sys.argv[1:]])
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # each dead address takes five
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    each = a.messages // a.destinations
    print('| dead destinations | messages/s to the living | connections | twice | of the rate without |')
    print('|---|---|---|---|---|')
    for _ in range(a.runs):
        rates = []
        for dead in (0, a.destinations // 2):  # a third of all
            rate, connections, twice = one_run(a.destinations, dead, each)
            rates.append(rate)
            print(f'| {dead} of {a.destinations + dead} | {rate:.0f} | {connections} | {twice} | {rate / rates[0]:.0%} |',
                  flush=True)


if __name__ == '__main__':
    main()
