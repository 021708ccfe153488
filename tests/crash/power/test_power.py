"""Power failures: whatever the disk kept of what was not synced, everything acknowledged is there.

A process works with the engine while record.c writes down what it does to its files.  At random moments of that trace
disks are made as a power failure may leave them, and the engine must open each, show what was acknowledged up to that
moment, and go on.  GODWIT_POWER_IMAGES sets how many, GODWIT_CRASH_SEED repeats a run's dice.

SPDX-License-Identifier: Apache-2.0
"""
import os
import random
import shutil
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'lib'))
sys.path.insert(0, os.path.dirname(__file__))
from godwit import BUILD  # noqa: E402
from replay import ACK, CREATE, GROW, RENAME, SIZE, SYNC, SYNC_DIR, WRITE, Disk, Event, read_trace  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(BUILD, 'engine-contract_test')
IMAGES = int(os.environ.get('GODWIT_POWER_IMAGES', '45'))
STEPS, CELLS, GENERATIONS = 250, 6, 3
KEEP = ('none', 'all', 'some', 'sectors', 'sectors')


@pytest.fixture(scope='module')
def recorder(tmp_path_factory):
    path = str(tmp_path_factory.mktemp('record') / 'record.so')
    subprocess.run(['gcc', '-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', path,
                    os.path.join(HERE, 'record.c'), '-ldl'], check=True)
    return path


def work(recorder, data, trace):
    """Runs the engine under the recorder until it has acknowledged so many steps, and kills it."""
    child = subprocess.Popen([PROGRAM, '--child', data], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             env=dict(os.environ, LD_PRELOAD=recorder, POWER_ROOT=data, POWER_TRACE=trace))
    heard = child.stdout.read(8 * STEPS)
    child.kill()
    child.stdout.read()
    child.wait()
    assert len(heard) == 8 * STEPS
    return read_trace(trace)


def cut(disk, events, moments, acked):
    """The disk at each moment in turn, with what had been acknowledged."""
    for n, event in enumerate(events, 1):
        if event.kind == ACK:
            cell, step = struct.unpack('=II', event.data)
            acked[cell] = max(acked[cell], step)
        else:
            disk.step(event)
        if n in moments:
            yield n


def copy_sparse(image, copy):
    subprocess.run(['cp', '-a', image, copy], check=True)


def check(image, acked):
    return subprocess.run([PROGRAM, '--check', image, *map(str, acked)], capture_output=True, text=True, check=False)


def test_what_was_acknowledged_survives_a_power_failure(recorder, tmp_path):
    seed = int(os.environ.get('GODWIT_CRASH_SEED', '0')) or random.randrange(1 << 30)
    dice = random.Random(seed)
    base, images, lost_writes = None, 0, 0
    acked = [0] * CELLS
    for generation in range(GENERATIONS):
        data = str(tmp_path / f'data{generation}')
        if base:
            os.rename(base, data)
        disk = Disk(data if base else None)
        before = list(acked)
        events = work(recorder, data, str(tmp_path / f'trace{generation}'))
        first = next(n for n, e in enumerate(events, 1) if e.kind == ACK)
        moments = {first, len(events)} | set(dice.sample(range(first, len(events)), IMAGES // GENERATIONS))
        for n in cut(disk, events, moments, acked):
            image, keep = str(tmp_path / f'image{images}'), dice.choice(KEEP) if images else 'none'
            disk.image(image, keep, dice)
            images += 1
            lost_writes += sum(bool(f.pending) for f in disk.names.values())
            copy = f'{image}.kept'
            copy_sparse(image, copy)
            said = check(image, acked)
            assert said.returncode == 0, \
                f'seed {seed}, generation {generation}, moment {n} of {len(events)}, {keep} kept, ' \
                f'acknowledged {before} to {acked}: {said.stderr[-2000:]}; {copy}'
            shutil.rmtree(image)
            if n == len(events):
                base = copy
            else:
                shutil.rmtree(copy)
        shutil.rmtree(data)
        acked = steps_of(base, acked, tmp_path)
    print(f'seed {seed}: {images} disks, {lost_writes} files with writes that were not synced')
    assert lost_writes > images // 4  # else nothing was tried


def steps_of(image, acked, tmp_path):
    """A step whose answer never came may be there: the next generation begins with it."""
    found = list(acked)
    for cell in range(CELLS):
        for more in (1, 0):
            copy = str(tmp_path / 'probe')
            copy_sparse(image, copy)
            claim = list(acked)
            claim[cell] += more
            good = check(copy, claim).returncode == 0
            shutil.rmtree(copy)
            if good:
                found[cell] += more
                break
    return found


# ---- the replayer itself ----

def event(kind, inode=1, name='', data=b'', offset=0, size=0):
    return Event(kind, inode, offset, size, name, data)


@pytest.mark.parametrize('keep, events, expected', [
    ('none', [], {'f': b'old'}),
    ('none', [event(WRITE, data=b'new')], {'f': b'old'}),
    ('all', [event(WRITE, data=b'new')], {'f': b'new'}),
    ('none', [event(WRITE, data=b'new'), event(SYNC)], {'f': b'new'}),
    ('none', [event(SYNC), event(WRITE, data=b'new')], {'f': b'old'}),
    ('all', [event(WRITE, offset=5, data=b'x')], {'f': b'old\0\0x'}),
    ('none', [event(RENAME, name='f', data=b'g')], {'f': b'old'}),
    ('all', [event(GROW, size=6)], {'f': b'old\0\0\0'}),
    ('none', [event(GROW, size=6), event(SYNC), event(WRITE, offset=4, data=b'x')], {'f': b'old\0\0\0'}),
    ('all', [event(GROW, size=6), event(WRITE, offset=4, data=b'x')], {'f': b'old\0x\0'}),
    ('all', [event(SIZE, size=1)], {'f': b'o'}),
    ('all', [event(SIZE, size=1), event(WRITE, offset=2, data=b'x')], {'f': b'o\0x'}),
    ('all', [event(RENAME, name='f', data=b'g')], {'g': b'old'}),
    ('none', [event(RENAME, name='f', data=b'g'), event(SYNC_DIR, inode=9)], {'g': b'old'}),
    ('none', [event(CREATE, 2, 'g'), event(WRITE, 2, data=b'x'), event(SYNC, 2)], {'f': b'old'}),
    ('none', [event(CREATE, 2, 'g'), event(WRITE, 2, data=b'x'), event(SYNC_DIR, 9)], {'f': b'old', 'g': b''}),
])
def test_what_a_power_failure_leaves(tmp_path, keep, events, expected):
    disk = Disk()
    disk.folder_inodes[9] = '.'
    for e in [event(CREATE, name='f'), event(WRITE, data=b'old'), event(SYNC), event(SYNC_DIR, inode=9)] + events:
        disk.step(e)
    disk.image(str(tmp_path / 'x'), keep, random.Random(1))
    assert {f.name: f.read_bytes() for f in (tmp_path / 'x').iterdir()} == expected
