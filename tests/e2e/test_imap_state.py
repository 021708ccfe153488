"""Many sessions on one account, and what each is told: tests/stress/imap_state.py for a moment; what it would notice.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

import pytest
from godwit import Server

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'stress'))
from imap_state import play  # noqa: E402
from view import Contradiction, Message, View, agree  # noqa: E402


def test_ten_sessions_on_one_account():
    server = Server()
    try:
        server.start()
        server.add_domain()
        server.add_account('anna')
        job = play(server, sessions=10, seed=7, rounds=80)
    finally:
        server.remove()
    assert not job.problems, job.problems[0]
    assert sum(n for name, n in job.counts.items() if name != 'compared') == 800
    assert job.counts['compared'] > 0


def view(*known):
    v = View()
    v.select(1, 100, 0)
    v.messages = [Message(uid, frozenset()) for uid in known]
    return v


WRONG = [
    ('NOOP', [b'* 1 EXISTS'], 'takes away'),
    ('FETCH 1 (FLAGS)', [b'* 1 EXPUNGE'], 'EXPUNGE during'),
    ('STORE 1 +FLAGS (x)', [b'* 1 EXPUNGE'], 'EXPUNGE during'),
    ('SEARCH ALL', [b'* 1 EXPUNGE'], 'EXPUNGE during'),
    (None, [b'* 1 EXPUNGE'], 'EXPUNGE during'),
    ('NOOP', [b'* 3 EXPUNGE'], 'EXPUNGE 3 of 2'),
    ('NOOP', [b'* 0 EXPUNGE'], 'EXPUNGE 0'),
    ('NOOP', [b'* 3 FETCH (FLAGS ())'], 'FETCH 3 of 2'),
    ('NOOP', [b'* 1 FETCH (UID 8 FLAGS ())'], 'was UID 7'),
    ('NOOP', [b'* 1 EXPUNGE', b'* 2 EXISTS', b'* 2 FETCH (UID 7)'], 'was expunged and is back'),
    ('NOOP', [b'* 3 EXISTS', b'* 3 FETCH (UID 8)'], 'comes after'),
    ('SEARCH ALL', [b'* SEARCH 1 3'], 'of 2'),
    ('SEARCH ALL', [b'* SEARCH 2 1'], 'out of order'),
    ('NOOP', [b'* VANISHED 7'], 'nobody asked for'),
]


@pytest.mark.parametrize('command, lines, words', WRONG)
def test_what_may_never_be_told(command, lines, words):
    v = view(7, 9)
    if command:
        v.begin(command)
    for line in lines[:-1]:
        v.hear(line)
    with pytest.raises(Contradiction) as problem:
        v.hear(lines[-1])
    assert words in str(problem.value)


@pytest.mark.parametrize('command', ['NOOP', 'UID FETCH 1:* (FLAGS)', 'UID STORE 7 +FLAGS (x)', 'UID SEARCH ALL', 'IDLE', 'EXPUNGE',
                                     'COPY 1 Archive'])
def test_when_numbers_may_change(command):
    v = view(7, 9)
    v.begin(command)
    for line in (b'* 1 EXPUNGE', b'* 2 EXISTS', b'* 0 RECENT', b'* 2 FETCH (UID 10 FLAGS (\\Seen))'):
        v.hear(line)
    assert v.uids() == [9, 10] and v.messages[1].flags == {'\\Seen'}


def test_a_keyword_that_nobody_else_sets():
    v = view(7, 9)
    v.begin('UID STORE 7,9 +FLAGS ($own)')
    v.stored([1, 2], True, frozenset(['$own']))
    v.hear(b'* 1 FETCH (UID 7 FLAGS ())')
    v.hear(b'* 2 FETCH (UID 9 FLAGS ())')
    v.end()
    v.begin('NOOP')
    v.hear(b'* 1 EXPUNGE')  # so it was gone before
    with pytest.raises(Contradiction, match='UID 9 .* was set and is not expunged'):
        v.end()


def test_sessions_that_do_not_agree():
    agree(view(7, 9), view(7, 9))
    with pytest.raises(Contradiction, match='but there are'):
        agree(view(7, 9), view(7))
    other = view(7, 9)
    other.messages[1].flags = frozenset(['\\Seen'])
    with pytest.raises(Contradiction, match='UID 9 was followed'):
        agree(view(7, 9), other)
