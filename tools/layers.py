#!/usr/bin/env python3
"""layers.py - a module includes itself and what lies below it, nothing else.

The table is the list `layers` in the root meson.build.  Folders of src/ that it does not name are an
error, and so is a table that is not in order.  ARCHITECTURE.md quotes it between two marks; `layers.py
--table` prints the text that belongs there.

SPDX-License-Identifier: Apache-2.0
"""
import ast
import os
import re
import sys

import csource


TESTKIT = 'testkit'  # what tests may include beside the layers of their module; never linked into the server


def table():
    text = csource.read('meson.build')
    match = re.search(r'^layers = (\[.*?^\])', text, re.MULTILINE | re.DOTALL)
    if not match:
        sys.exit('layers: no list `layers` in meson.build')
    return ast.literal_eval(match.group(1))


def check_table(layers):
    seen = []
    for name, below in layers:
        for lower in below:
            if lower not in seen:
                yield f'meson.build: {name} may not name {lower}: it does not lie below'
        seen.append(name)
    for folder in sorted(os.listdir(os.path.join(csource.ROOT, 'src'))):
        has_sources = csource.files(os.path.join('src', folder))
        if has_sources and folder not in seen:
            yield f'src/{folder}: not in the table of layers in meson.build'


def as_text(layers):
    return ''.join(f'    {name:8} {" ".join(below)}'.rstrip() + '\n' for name, below in layers)


def check_quote(layers):
    match = re.search(r'<!-- layers -->\n(.*?)<!-- end layers -->', csource.read('ARCHITECTURE.md'),
                      re.DOTALL)
    if not match or match.group(1) != as_text(layers):
        yield 'ARCHITECTURE.md: the table of layers is not what layers.py --table prints'


def check_file(path, allowed):
    module = path.split(os.sep)[1]
    if path.endswith('_test.c'):
        allowed = allowed | {TESTKIT}
    for number, name, quoted in csource.includes(csource.read(path)):
        if not quoted:
            continue
        if '/' not in name or name.startswith('.'):
            yield f'{path}:{number}: "{name}": write the path from src/, as in "{module}/{name}"'
        elif name.split('/')[0] not in allowed:
            yield f'{path}:{number}: {module} may not include "{name}"'
        elif name.endswith('_internal.h') and name.split('/')[0] != module:
            yield f'{path}:{number}: "{name}" is private to its module'


def main():
    layers = table()
    if '--table' in sys.argv:
        print(as_text(layers), end='')
        return 0
    problems = [*check_table(layers), *check_quote(layers)]
    paths = csource.files('src')
    allowed = {name: {name, *below} for name, below in layers}
    for path in paths:
        module = path.split(os.sep)[1]
        if module in allowed:
            problems += check_file(path, allowed[module])
    print('\n'.join(problems) if problems else f'{len(paths)} files, {len(layers)} layers')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
