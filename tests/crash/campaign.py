"""campaign.py - crash cycles in batches: each a new server with its own seed, compared with its ledger again and again.

    tools/crash_campaign.sh [CYCLES [SEED]]      1000 cycles unless told otherwise

Prints a line for each batch, and in the end what was acknowledged, lost, duplicated, corrupt.  Status 0: nothing was
wrong.  The folder of a server that was wrong is kept.  GODWIT_CRASH_PACE: operations a second of each of the 32 clients.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
import cycles  # noqa: E402

BATCH, EVERY = 50, 10
PACE = float(os.environ.get('GODWIT_CRASH_PACE', '1'))


def say(text):
    print(time.strftime('%H:%M:%S ', time.gmtime()) + text, flush=True)


def batch(seed, count):
    job = cycles.run(seed, count, EVERY, PACE, lambda job: say(f'seed {seed}: {job.report()}'))
    say(f'seed {seed} done: {job.report()}')
    say(f'slowest: {job.slowest()}')
    for note in job.notes.values():
        say(note)
    for kind, text in job.ledger.violations:
        say(f'WRONG {kind}: {text}')
    if job.ledger.violations:
        job.server.stop()
        say(f'its folder is kept: {job.server.dir}')
    else:
        job.remove()
    return job


def main(arguments):
    wanted = int(arguments[0]) if arguments else 1000
    seed = int(arguments[1]) if len(arguments) > 1 else random.randrange(1 << 30)
    done, wrong, kinds, acknowledged = 0, False, collections.Counter(), collections.Counter()
    while done < wanted:
        job = batch(seed, min(BATCH, wanted - done))
        done += job.cycles
        acknowledged += job.ledger.acknowledged
        kinds.update(kind for kind, _ in job.ledger.violations)
        wrong = wrong or bool(job.ledger.violations)
        seed += 1
        if wrong:
            break
        say(f'so far {done} cycles, {sum(acknowledged.values())} operations acknowledged, nothing wrong')
    say(', '.join(f'{n} {kind}' for kind, n in sorted(acknowledged.items())))
    others = ', '.join(f'{kind} {kinds[kind]}' for kind in ('flags', 'half', 'count', 'refused', 'hang', 'role'))
    say(f'{done} cycles, operations acknowledged {sum(acknowledged.values())}, lost {kinds["lost"]}, duplicated '
        f'{kinds["duplicated"]}, corrupt {kinds["corrupt"]}, UID order violations {kinds["uid"]}, {others}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
