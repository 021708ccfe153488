#!/usr/bin/env python3
"""results.py - counts tests in a report of meson (testlog.json) or pytest (junit xml).

    results.py REPORT              prints "passed failed skipped" and, on stderr, what failed
    results.py --targets DIR SUITE prints the programs that the tests of a suite need

A cmocka program counts as the tests it ran; any other as one.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET


def of_cmocka(output):
    """(passed, failed, skipped) of a program's own report, or None."""
    found = [len(re.findall(rf'^\[ +{word} +\] [\w./-]+$', output, re.MULTILINE))
             for word in ('OK', 'FAILED', 'SKIPPED')]
    return found if any(found) else None


def of_meson(path):
    total = [0, 0, 0]
    with open(path, encoding='utf-8', errors='replace') as f:
        for line in f:
            test = json.loads(line)
            output = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
            counted = of_cmocka(output)
            good = test['result'] in ('OK', 'EXPECTEDFAIL')
            if test['result'] == 'SKIP':
                counted = [0, 0, 1]
            elif counted is None or good == bool(counted[1]):
                # One verdict for the whole program; a crash after some passes is one failure.
                passed = counted[0] if counted else 0
                counted = [max(passed, 1), 0, 0] if good else [passed, 1, 0]
            if not good and test['result'] != 'SKIP':
                print(f'{test["result"]}: {test["name"]}', file=sys.stderr)
            total = [a + b for a, b in zip(total, counted)]
    return total


def of_junit(path):
    total = [0, 0, 0]
    for case in ET.parse(path).getroot().iter('testcase'):
        kinds = {child.tag for child in case}
        if kinds & {'failure', 'error'}:
            total[1] += 1
            print(f'FAIL: {case.get("classname")}.{case.get("name")}', file=sys.stderr)
        elif 'skipped' in kinds:
            total[2] += 1
        else:
            total[0] += 1
    return total


def targets(folder, suite):
    tests = json.loads(subprocess.run(['meson', 'introspect', '--tests', folder], check=True,
                                      capture_output=True, text=True).stdout)
    wanted = {os.path.relpath(test['cmd'][0], os.path.realpath(folder)) for test in tests
              if any(s.split(':')[-1] == suite for s in test['suite'])}
    return sorted(wanted)


def main(arguments):
    if arguments[:1] == ['--targets']:
        print(' '.join(targets(*arguments[1:])))
        return 0
    path, = arguments
    if not os.path.exists(path):
        print('0 1 0')
        print(f'no report {path}', file=sys.stderr)
        return 1
    passed, failed, skipped = of_junit(path) if path.endswith('.xml') else of_meson(path)
    print(passed, failed, skipped)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
