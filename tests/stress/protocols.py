"""protocols.py - random conversations, cut anywhere and sent ahead of the replies, held against a model of the protocol.

    /usr/bin/python3 tests/stress/protocols.py [--seed N] [--seconds S]

Each round has a seed of its own, which is printed when something is wrong and plays the same round again.  What was
promised by a 250 to DATA or BDAT LAST must be in each recipient's mailbox once, and nothing else may be there.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import collections
import imaplib
import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from godwit import Server, wait_for  # noqa: E402
from models import Pop3Model, SmtpModel  # noqa: E402
from wire import Pop3, Smtp  # noqa: E402

ERRORS = 15  # a session that made so many is left: at 20 the server would end it
VERBS = ['ehlo'] * 2 + ['mail'] * 5 + ['rcpt'] * 7 + ['data'] * 4 + ['bdat'] * 5 + ['rset', 'noop', 'vrfy', 'what']


def send_in_pieces(s, rng, data):
    while data:
        size = len(data) if rng.random() < 0.2 else rng.choice([1, 2, 3, 7, 50, 500, 5000])
        s.send(data[:size])
        data = data[size:]


def body_of(rng, key):
    lines = [f'X-Key: {key}', ''] + [rng.choice(['', '.', '..', '.x', 'QUIT', 'y' * 998, 'z']) for _ in range(rng.randrange(6))]
    return '\r\n'.join(lines).encode() + b'\r\n'


def smtp_session(rng, model, users, key):
    """Bytes of a whole session and the codes that must come; key: prefix of its messages' keys."""
    out, codes = b'', []
    for i in range(rng.randrange(5, 60)):
        if model.errors >= ERRORS:
            break
        verb, argument, name = rng.choice(VERBS), None, f'{key}-{i}'
        if verb == 'ehlo':
            line = rng.choice(['EHLO c.example', 'HELO c.example', 'ehlo [127.0.0.1]'])
        elif verb == 'mail':
            argument = rng.random() < 0.85
            line = rng.choice(['MAIL FROM:<a@b.example>', 'MAIL FROM:<>', 'mail from:<a@b.example> SIZE=9']) if argument else 'MAIL FROM:<a@'
        elif verb == 'rcpt':
            argument = rng.choice([*users, 'nobody@example.com'])
            line = f'RCPT TO:<{argument}>'
        elif verb == 'bdat':
            argument = rng.random() < 0.5
            text = body_of(rng, name)
            line = f'BDAT {len(text)}' + (' LAST' if argument else '')
        else:
            line = {'data': 'DATA', 'rset': 'RSET', 'noop': 'NOOP', 'vrfy': 'VRFY x', 'what': 'WHAT'}[verb]
        answers = model.answer(verb, argument, name)
        codes += answers
        out += line.encode() + b'\r\n'
        if verb == 'bdat':
            out += text
        elif answers[0] == 354:
            out += re.sub(rb'(?m)^\.', b'..', body_of(rng, name)) + b'.\r\n'
    return out + b'QUIT\r\n', codes + [221]


def smtp_round(server, users, seed, kept):
    """Plays one session; adds what was promised to kept: (user, key) -> times."""
    rng, model = random.Random(seed), SmtpModel(users)
    out, want = smtp_session(rng, model, users, f's{seed}')
    with Smtp(server.ports['smtp']) as s:
        send_in_pieces(s, rng, out)
        got = [s.reply('EHLO') for _ in want]  # which of them are to EHLO, the model does not tell
        assert got == want, f'seed {seed}: {got} instead of {want} to {out!r}'
        assert s.reply() is None
    for key, rcpts in model.kept:
        for user in rcpts:
            kept[user, key] += 1


def keys_of(server, user):
    """Every X-Key in the mailbox, as often as it is there."""
    with imaplib.IMAP4('127.0.0.1', server.ports['imap']) as m:
        m.login(user, 'secret')
        count = int(m.select('INBOX', readonly=True)[1][0])
        if count == 0:
            return collections.Counter()
        found = m.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (X-KEY)])')[1]
        return collections.Counter(p[1].split()[1].decode() for p in found if isinstance(p, tuple) and p[1].split())


def check_mail(server, users, kept):
    wait_for(lambda: json.loads(server.ctl('queue', 'list', '--json').stdout) == [])
    for user in users:
        want = collections.Counter({key: n for (u, key), n in kept.items() if u == user})
        got = keys_of(server, user)
        assert got == want, f'{user}: lost {want - got}, too many {got - want}'


def pop3_round(server, user, seed, messages):
    """Plays one session, whose QUIT or end without it says what stays; returns that."""
    rng, model = random.Random(seed), Pop3Model(messages)
    plan = [(f'USER {user}', '+OK', None), ('PASS secret', '+OK', None)]
    for _ in range(rng.randrange(5, 40)):
        number = rng.randrange(0, len(messages) + 2)
        verb = rng.choice(['STAT', 'LIST', 'LISTS', 'UIDL', 'UIDLS', 'RETR', 'RETR', 'DELE', 'NOOP', 'RSET'])
        line = verb[:4] + (f' {number}' if verb in ('LIST', 'UIDL', 'RETR', 'DELE') else '')
        plan.append((line, *model.answer(verb, number)))
        if sum(first is None for _, first, _ in plan) >= ERRORS:
            break
    quits = rng.random() < 0.6
    if quits:
        plan.append(('QUIT', *model.answer('QUIT')))
    with Pop3(server.ports['pop3']) as s:
        send_in_pieces(s, rng, ''.join(line + '\r\n' for line, _, _ in plan).encode())
        for line, first, rest in plan:
            good, where = s.reply(), f'seed {seed}: {line}: '
            assert good is (first is not None), where + repr(s.text)
            assert first is None or s.text.decode().startswith(first), where + repr(s.text)
            if isinstance(rest, list):
                assert s.body().decode().splitlines() == rest, where
            elif rest is not None:
                assert len(s.body()) == rest, where
    return model.after_quit() if quits else messages


def play(server, users, seed, more):
    """Rounds of both protocols while more(rounds) is true; returns how many."""
    kept, rounds, popper = collections.Counter(), 0, users[0]
    while more(rounds):
        smtp_round(server, users, seed + rounds, kept)
        rounds += 1
        if rounds % 20 == 0:
            check_mail(server, users, kept)
    check_mail(server, users, kept)
    with Pop3(server.ports['pop3']) as s:
        s.log_in(popper)
        sizes = [int(line.split()[1]) for line in s.many('LIST').splitlines()]
        ids = [line.split()[1].decode() for line in s.many('UIDL').splitlines()]
    messages = list(zip(ids, sizes, strict=True))
    for i in range(max(rounds // 2, 1)):
        messages = pop3_round(server, popper, seed + i, messages)
    return rounds, sum(kept.values())


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--seed', type=int, default=None)
    p.add_argument('--seconds', type=int, default=60)
    args = p.parse_args()
    seed = args.seed if args.seed is not None else random.randrange(1 << 30)
    print(f'seed {seed}', flush=True)
    server = Server(extra=['outbound none'])
    try:
        server.start()
        server.add_domain()
        users = [server.add_account(name) for name in ('anna', 'bert', 'carl')]
        end = time.monotonic() + args.seconds
        rounds, kept = play(server, users, seed, lambda _: time.monotonic() < end)
    finally:
        server.remove()
    print(f'{rounds} sessions, {kept} messages promised and found')


if __name__ == '__main__':
    main()
