#!/usr/bin/env python3
"""coverage.py BUILD - lines that the tests of a coverage build reached, per module.

tools/coverage.txt holds a floor in percent for some modules; it may only rise.  Tests themselves are
not counted.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import gzip
import json
import os
import subprocess
import sys
import tempfile

import csource


def reports(build):
    """gcov's own report of every object; one that no test linked has notes (.gcno) and no data."""
    notes = [os.path.join(where, name) for where, _, names in os.walk(build)
            for name in names if name.endswith('.gcno')]
    with tempfile.TemporaryDirectory() as work:
        for start in range(0, len(notes), 100):
            subprocess.run(['gcov', '--json-format', '--preserve-paths', *notes[start:start + 100]],
                           cwd=work, check=True, capture_output=True)
        for name in os.listdir(work):
            with gzip.open(os.path.join(work, name), 'rt', encoding='utf-8') as f:
                yield json.load(f)


def lines_reached(build):
    """{path: {line: was it reached}} of the sources of src/ that are not tests."""
    found = collections.defaultdict(dict)
    for report in reports(build):
        for entry in report['files']:
            path = os.path.realpath(os.path.join(report['current_working_directory'], entry['file']))
            path = os.path.relpath(path, csource.ROOT)
            if not path.startswith('src/') or path.endswith(('_test.c', '_fuzz.c')):
                continue
            for line in entry['lines']:
                number = line['line_number']
                found[path][number] = found[path].get(number, False) or line['count'] > 0
    return found


def floors():
    for line in csource.read('tools/coverage.txt').splitlines():
        if line.strip() and not line.startswith('#'):
            module, percent = line.split()
            yield module, float(percent)


def main():
    total = collections.Counter()
    reached = collections.Counter()
    for path, lines in sorted(lines_reached(os.path.realpath(sys.argv[1])).items()):
        module = path.split('/')[1]
        total[module] += len(lines)
        reached[module] += sum(lines.values())
        print(f'{path:40} {100 * sum(lines.values()) / len(lines):5.1f} % of {len(lines)}',
              file=sys.stderr)
    percent = {module: 100 * reached[module] / total[module] for module in total}
    print(' '.join(f'{module} {value:.0f}%' for module, value in percent.items()))
    low = [f'{module}: {percent[module]:.1f} % of the lines are reached, the floor is {floor}'
           for module, floor in floors() if module in percent and percent[module] < floor]
    print('\n'.join(low), file=sys.stderr)
    return bool(low) or not percent


if __name__ == '__main__':
    sys.exit(main())
