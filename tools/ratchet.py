#!/usr/bin/env python3
"""ratchet.py - sizes that the code may not pass, and debts that may only shrink.

Exceptions stand in tools/ratchet.txt, one a line: RULE PLACE NUMBER REASON.  The number must be exactly
what is measured, so that an improvement is written down and cannot be lost again.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import sys

import csource

MAXIMUM = {
    'file': 800,       # lines
    'header': 200,     # lines
    'includes': 10,    # of a header
    'function': 70,    # lines of a body with its braces
    'parameters': 5,
    'columns': 120,    # of a comment; clang-format holds code to 100, tables may switch both off
    'debt': 0,         # DEBT(name): remarks in a file
}
SPDX = 'SPDX-License-Identifier: Apache-2.0'


def formatted(lines):
    """The lines outside `clang-format off` ... `clang-format on`."""
    on = True
    for line in lines:
        on = on and 'clang-format off' not in line or 'clang-format on' in line
        if on:
            yield line


def measure(path):
    """Every (rule, place, value) of a file."""
    text = csource.read(path)
    lines = text.splitlines()
    yield 'file', path, len(lines)
    yield 'columns', path, max(map(len, formatted(lines)), default=0)
    yield 'debt', path, len(re.findall(r'\bDEBT\(', text))
    if path.endswith('.h'):
        yield 'header', path, len(lines)
        yield 'includes', path, len(list(csource.includes(text)))
    for name, _, body, parameters in csource.functions(text):
        yield 'function', f'{path}:{name}', body
        yield 'parameters', f'{path}:{name}', parameters


def exceptions():
    for number, line in enumerate(csource.read('tools/ratchet.txt').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        fields = line.split(None, 3)
        if len(fields) < 4 or fields[0] not in MAXIMUM or not fields[2].isdigit():
            sys.exit(f'tools/ratchet.txt:{number}: expected RULE PLACE NUMBER REASON')
        yield (fields[0], fields[1]), int(fields[2])


def main():
    allowed = dict(exceptions())
    paths = csource.files('src', 'tools', 'tests', 'bench')
    problems = []
    used = set()
    functions = debts = 0
    for path in paths:
        if SPDX not in csource.read(path):
            problems.append(f'{path}: no "{SPDX}"')
        for rule, place, value in measure(path):
            functions += rule == 'function'
            debts += value if rule == 'debt' else 0
            if value <= MAXIMUM[rule]:
                continue
            used.add((rule, place))
            limit = allowed.get((rule, place), MAXIMUM[rule])
            if value > limit:
                problems.append(f'{place}: {rule} {value}, allowed {limit}')
            elif value < limit:
                problems.append(f'{place}: {rule} fell to {value}: lower it in tools/ratchet.txt')
    for rule, place in sorted(set(allowed) - used):
        problems.append(f'tools/ratchet.txt: {rule} {place} is no longer needed: remove it')
    print('\n'.join(problems) if problems else
          f'{len(paths)} files, {functions} functions, {debts} debts, {len(allowed)} exceptions')
    return bool(problems)


if __name__ == '__main__':
    os.chdir(csource.ROOT)
    sys.exit(main())
