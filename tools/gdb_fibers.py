"""gdb_fibers.py - the parked fibers of a process or a core file, with their backtraces.

Use:    gdb -p PID -ex 'source tools/gdb_fibers.py' -ex fibers
        fibers          every fiber of the selected thread, equal backtraces counted once
        fibers N        at most N frames each

A parked fiber's registers lie where Boost.Context's jump_fcontext() put them; from there the frame
pointers lead up, which all of our code keeps.  A library without frame pointers hides its callers.

SPDX-License-Identifier: Apache-2.0
"""
import collections

import gdb

STATES = ['free', 'ready', 'running', 'parked']

# Offsets from the saved stack pointer: frame pointer, program counter.
SAVED = {'i386:x86-64': (0x30, 0x38), 'aarch64': (0x90, 0xa0)}


def word(address):
    pointer = gdb.lookup_type('unsigned long').pointer()
    return int(gdb.Value(address).cast(pointer).dereference())


def state_of_thread():
    """struct fibers of the selected thread: a static of fiber.c."""
    for symbol in gdb.lookup_static_symbols('here'):
        if symbol.symtab.filename.endswith('rt/fiber.c'):
            return symbol.value()
    raise gdb.GdbError('no symbols of rt/fiber.c')


def each_fiber(fibers):
    fiber_type = gdb.lookup_type('struct fiber')
    offset = next(f.bitpos // 8 for f in fiber_type.fields() if f.name == 'all')
    head = fibers['all'].address
    node = head.dereference()['next']
    while node != head and int(node) != 0:
        yield gdb.Value(int(node) - offset).cast(fiber_type.pointer()).dereference()
        node = node.dereference()['next']


def name_of(pc):
    block = gdb.block_for_pc(pc)
    while block is not None and block.function is None:
        block = block.superblock
    line = gdb.find_pc_line(pc - 1)
    where = f' at {line.symtab.filename}:{line.line}' if line.symtab else ''
    if block is not None:
        return f'{block.function.name}{where}'
    text = gdb.execute(f'info symbol {pc:#x}', to_string=True)
    return text.split(' in section')[0].strip()


def backtrace(fiber, frames_max):
    frame_at, pc_at = SAVED[gdb.selected_inferior().architecture().name()]
    low, high = int(fiber['low']), int(fiber.address)
    sp = int(fiber['sp'])
    pc, frame = word(sp + pc_at), word(sp + frame_at)
    frames = [name_of(pc)]
    while len(frames) < frames_max and low <= frame < high:
        pc, above = word(frame + 8), word(frame)
        frames.append(name_of(pc))
        if above <= frame:
            break
        frame = above
    return tuple(frames)


class Fibers(gdb.Command):
    """fibers [N]: the fibers of the selected thread, with at most N frames each."""

    def __init__(self):
        super().__init__('fibers', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        frames_max = int(argument) if argument else 30
        groups = collections.defaultdict(list)
        for fiber in each_fiber(state_of_thread()):
            state = STATES[int(fiber['state'])]
            frames = () if state == 'running' else backtrace(fiber, frames_max)
            groups[(state, frames)].append(int(fiber['context']['session']))
        for (state, frames), sessions in sorted(groups.items(), key=lambda g: -len(g[1])):
            some = ' '.join(f'{s:016x}' for s in sessions[:4] if s)
            print(f'{len(sessions)} {state}' + (f', sid {some}' if some else ''))
            for number, frame in enumerate(frames):
                print(f'  #{number} {frame}')


Fibers()
