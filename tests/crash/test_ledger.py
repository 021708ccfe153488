"""The judge judged: what the ledger must find, and what it must let pass.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from compare import Row, State  # noqa: E402
from ledger import Ledger, Operation, fingerprint, place  # noqa: E402
from reader import changed, numbers, without  # noqa: E402

A, B = 'a@x', 'b@x'
NONE = frozenset()


def to(mailbox, *flags):
    return lambda world: frozenset([place(mailbox, *flags)])


def arrived(ledger, nonce='m', account=A, kind='append'):
    ledger.messages.setdefault(nonce, fingerprint(b'text'))
    slot = ledger.slot(account, nonce)
    Operation(ledger, kind, [slot], to('INBOX')).done()
    return slot


def kinds(ledger):
    return [kind for kind, _ in ledger.violations]


def compare(ledger, *places):
    found = {}
    for account, nonce, mailbox, uid, flags in places:
        found.setdefault((account, nonce), []).append((mailbox, uid, frozenset(flags)))
    ledger.compare_places(found)
    return kinds(ledger)


HERE = (A, 'm', 'INBOX', 1, ())
AWAY = (A, 'm', 'Work', 1, ())


@pytest.mark.parametrize('places, expected', [
    ([HERE], []),
    ([], ['lost']),
    ([HERE, (A, 'm', 'INBOX', 2, ())], ['duplicated']),
    ([HERE, AWAY], ['duplicated']),
    ([AWAY], ['lost', 'duplicated']),
    ([(A, 'm', 'INBOX', 1, ('\\seen',))], ['flags']),
])
def test_what_was_acknowledged_is_there_once(places, expected):
    ledger = Ledger()
    arrived(ledger)
    assert compare(ledger, *places) == expected


@pytest.mark.parametrize('places, expected', [([AWAY], []), ([HERE], ['lost', 'duplicated']), ([], ['lost']),
                                              ([HERE, AWAY], ['duplicated'])])
def test_moved(places, expected):
    ledger = Ledger()
    slot = arrived(ledger)
    Operation(ledger, 'move', [slot], lambda w: without(w, 'INBOX') | {place('Work')}).done()
    assert compare(ledger, *places) == expected


def test_expunged_stays_away():
    ledger = Ledger()
    Operation(ledger, 'expunge', [arrived(ledger)], lambda w: NONE).done()
    assert compare(ledger, HERE) == ['duplicated']


@pytest.mark.parametrize('places, expected', [([HERE], []), ([AWAY], []), ([HERE, AWAY], ['duplicated']),
                                              ([], ['lost'])])
def test_without_an_answer_either_is_right_but_nothing_between(places, expected):
    ledger = Ledger()
    slot = arrived(ledger)
    Operation(ledger, 'move', [slot], lambda w: without(w, 'INBOX') | {place('Work')}).unknown()
    assert not slot.settled
    assert compare(ledger, *places) == expected
    assert slot.settled


@pytest.mark.parametrize('there, expected', [([], []), (['m', 'n'], []), (['n'], ['half'])])
def test_one_command_is_not_done_for_some_only(there, expected):
    ledger = Ledger()
    slots = [ledger.slot(A, 'm'), ledger.slot(B, 'n')]
    Operation(ledger, 'deliver to several', slots, to('INBOX')).unknown()
    assert compare(ledger, *[(A if n == 'm' else B, n, 'INBOX', 1, ()) for n in there]) == expected
    ledger = Ledger()
    slots = [arrived(ledger, 'm'), arrived(ledger, 'n')]
    Operation(ledger, 'expunge', slots, lambda w: NONE).unknown()
    assert compare(ledger, *[(A, n, 'INBOX', 1, ()) for n in there]) == expected


def test_what_somebody_saw_has_arrived():
    ledger = Ledger()
    slot = ledger.slot(A, 'm')
    op = Operation(ledger, 'deliver', [slot], to('INBOX'))
    ledger.seen(A, 'INBOX', 9, [(1, 'm')])
    op.unknown()
    assert compare(ledger) == ['lost']


def state(*rows, validity=9, uidnext=10):
    return State(validity, uidnext, [Row(u, n, NONE, 4, fingerprint(t)) for u, n, t in rows])


@pytest.mark.parametrize('first, second, expected', [
    (state((3, 'm', b'text')), state((3, 'm', b'text')), []),
    (state((3, 'm', b'test')), state(), ['corrupt']),
    (state((3, 'z', b'text')), state(), ['corrupt']),
    (state((3, 'm', b'text')), state((3, 'n', b'text')), ['uid']),
    (state((3, 'm', b'text')), state((5, 'n', b'text')), ['uid']),
    (state((3, 'm', b'text')), state((10, 'n', b'text'), uidnext=11), []),
    (state((3, 'm', b'text')), state((3, 'm', b'text'), uidnext=9), ['uid']),
    (state((3, 'm', b'text')), state(validity=8), ['uid']),
    (state((4, 'm', b'text'), (3, 'n', b'text')), state(), ['uid']),
    (state((10, 'm', b'text')), state((10, 'm', b'text')), ['uid', 'uid']),
])
def test_uids_and_bytes(first, second, expected):
    ledger = Ledger()
    arrived(ledger, 'm')
    arrived(ledger, 'n')
    ledger.compare_mailbox(A, 'INBOX', first)
    if second.rows or second.validity != 9:
        ledger.compare_mailbox(A, 'INBOX', second)
    assert kinds(ledger)[:2] == expected


@pytest.mark.parametrize('uid, expected', [(6, []), (5, ['uid']), (2, ['uid', 'uid'])])
def test_a_new_uid_is_higher_than_all_that_were_known(uid, expected):
    ledger = Ledger()
    arrived(ledger, 'm')
    arrived(ledger, 'n')
    ledger.compare_mailbox(A, 'INBOX', state((3, 'm', b'text'), uidnext=4))
    ledger.seen(A, 'INBOX', 9, [(5, 'n')])
    slot = ledger.slot(A, 'o')
    op = Operation(ledger, 'append', [slot], to('INBOX'))
    ledger.told_uid(op, slot, 'INBOX', 9, uid)
    assert kinds(ledger)[:2] == expected or (uid == 5 and kinds(ledger)[0] == 'uid')


@pytest.mark.parametrize('acknowledged, came, excused, expected', [
    (True, 1, False, []), (True, 0, True, ['lost']), (True, 2, True, []), (True, 2, False, ['duplicated']),
    (False, 0, False, []), (False, 1, False, []), (False, 2, False, ['duplicated'])])
def test_the_other_server(acknowledged, came, excused, expected):
    ledger = Ledger()
    ledger.messages['m'] = fingerprint(b'text')
    ledger.outside['m'] = acknowledged
    ledger.compare_outside({'m': [(n, fingerprint(b'text')) for n in range(came)]} if came else {},
                           lambda nonce, first, second: excused)
    assert kinds(ledger) == expected


@pytest.mark.parametrize('came, here', [(True, False), (False, True)])
def test_a_submission_is_not_here_only_or_there_only(came, here):
    ledger = Ledger()
    ledger.messages['m'] = fingerprint(b'text')
    ledger.outside['m'] = False
    slot = ledger.slot(A, 'm')
    Operation(ledger, 'submit', [slot], to('INBOX')).unknown()
    compare(ledger, *([HERE] if here else []))
    ledger.compare_outside({'m': [(1, fingerprint(b'text'))]} if came else {}, lambda *a: True)
    assert kinds(ledger) == ['half']


def test_sets_and_flags():
    assert numbers('3:5,9') == [3, 4, 5, 9]
    world = frozenset([place('INBOX', '\\Seen'), place('Work')])
    assert changed(world, 'INBOX', '+', '($Work)') == frozenset([place('INBOX', '\\Seen', '$Work'), place('Work')])
    assert changed(world, 'INBOX', '-', '(\\Seen)') == frozenset([place('INBOX'), place('Work')])
    assert changed(world, 'INBOX', '', '(\\Draft)') == frozenset([place('INBOX', '\\Draft'), place('Work')])
    assert changed(world, 'Archive', '+', '(\\Draft)') == world
