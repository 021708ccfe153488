#!/usr/bin/python3
"""accounts.py [--accounts N] [--passwords N] - accounts by the API: created, listed and searched, with times.

Starts a server of this build on loopback, with its data in a new folder below TMPDIR, and leaves nothing behind.  First N
accounts (200000) without passwords, then N (1000) each with a hash of argon2id, and with a password in the clear; then all
are listed page by page, and looked for by a part of their address.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import http.client
import json
import os
import socket
import sys
import time
from urllib.parse import quote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'tests', 'lib'))
from godwit import Server  # noqa: E402

HASH = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$pclxcsa4X0bZ5lu7Vy5h3p7EU7VbuW7pGRWETxHuU0c'


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=3600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(3600)
        self.sock.connect(self.path)


def add(api, what, n, **more):
    body = ''.join(json.dumps({'address': f'{what}{i:06}@example.com', **more}) + '\n' for i in range(n))
    begin = time.monotonic()
    api.request('POST', '/v1/accounts', body, {'Content-Type': 'application/x-ndjson'})
    results = [json.loads(line) for line in api.getresponse().read().splitlines()]
    took = time.monotonic() - begin
    made = sum(r['status'] == 201 for r in results)
    print(f'{n} accounts, {what}: {made} made in {took:.1f} s, {made / took:.0f}/s', flush=True)
    if made != n:
        sys.exit(f'only {made} of {n} were made: {next(r for r in results if r["status"] != 201)}')


def get(api, path):
    api.request('GET', path)
    return json.loads(api.getresponse().read())


def pages(api, query):
    """(accounts, pages, seconds) of a whole list."""
    begin, count, n, after = time.monotonic(), 0, 0, ''
    while True:
        page = get(api, f'/v1/accounts?limit=1000&{query}' + (f'&after={quote(after)}' if after else ''))
        count, n = count + len(page['accounts']), n + 1
        if 'next' not in page:
            return count, n, time.monotonic() - begin
        after = page['next']


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--accounts', type=int, default=200000)
    p.add_argument('--passwords', type=int, default=1000)
    o = p.parse_args()
    s = Server(extra=['log-level warn'])
    try:
        s.start()
        s.add_domain()
        api = Local(f'{s.dir}/run/api.sock')
        add(api, 'none', o.accounts)
        add(api, 'hash', o.passwords, password_hash=HASH)
        add(api, 'password', o.passwords, password='correct horse battery')
        count, n, took = pages(api, '')
        print(f'{count} accounts listed in {n} pages in {took:.1f} s')
        for word in ('none0001', 'none000123@', 'nobodyhasthis'):
            count, n, took = pages(api, 'search=' + quote(word))
            print(f'search {word}: {count} found in {took:.2f} s')
        begin = time.monotonic()
        get(api, '/v1/accounts/none000123@example.com')
        print(f'one account shown in {(time.monotonic() - begin) * 1000:.1f} ms')
        stats = get(api, '/v1/status')
        print(f'{stats["commits"]} commits in {stats["syncs"]} syncs')
    finally:
        s.remove()


if __name__ == '__main__':
    main()
