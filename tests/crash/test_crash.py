"""Crash cycles: roles are killed under load, and nothing acknowledged may be missing, twice, or changed.

GODWIT_CRASH_CYCLES sets the number of cycles, GODWIT_CRASH_SEED repeats the dice of a run (not its races).
tools/crash_campaign.sh does the same a thousand times.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
import cycles  # noqa: E402

CYCLES = int(os.environ.get('GODWIT_CRASH_CYCLES', '36'))


def test_nothing_acknowledged_is_lost():
    seed = int(os.environ.get('GODWIT_CRASH_SEED', '0')) or random.randrange(1 << 30)
    job = cycles.run(seed, CYCLES, 12, 2.0)
    print(f'seed {seed}: {job.report()}')
    if job.ledger.violations:
        print(f'folder {job.server.dir} is kept')
        job.server.stop()
    assert not job.ledger.violations
    job.remove()
    for kind in ('deliver', 'deliver to several', 'append', 'submit', 'store', 'copy', 'move', 'expunge', 'dele'):
        assert job.ledger.acknowledged[kind] > 0, f'no {kind} was acknowledged'
