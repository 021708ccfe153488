"""Random conversations held against models of SMTP and POP3: tests/stress/protocols.py for a moment; and that it would notice.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import random
import sys

import pytest
from godwit import Server

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'stress'))
from protocols import check_mail, play, smtp_round  # noqa: E402


@pytest.fixture(scope='module')
def place():
    s = Server(extra=['outbound none'])
    s.start()
    s.add_domain()
    yield s, [s.add_account(name) for name in ('anna', 'bert', 'carl')]
    s.remove()


def test_forty_sessions(place):
    seed = random.randrange(1 << 30)
    print('seed', seed)
    rounds, kept = play(*place, seed, lambda n: n < 40)
    assert rounds == 40 and kept > 0


def test_a_reply_too_many_is_noticed(place):
    """A server that knows one user more than the model: some sessions differ."""
    server, users = place
    with pytest.raises(AssertionError, match='seed'):
        for seed in range(20):
            smtp_round(server, users[1:] + ['nobody-of@example.com'], seed, collections.Counter())


def test_a_lost_message_and_one_too_many_are_noticed(place):
    server, users = place
    with pytest.raises(AssertionError, match=r"lost Counter\(\{'never-sent'"):
        check_mail(server, users, collections.Counter({(users[0], 'never-sent'): 1}))
