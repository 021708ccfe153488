#!/usr/bin/env python3
"""tidy.py BUILD CACHE [FILE...] - clang-tidy over our sources, several at once, with a memory.

A file that was clean is not looked at again until it, a header of ours that it reaches, its compile
command or .clang-tidy changes.

SPDX-License-Identifier: Apache-2.0
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys

import csource

FINDING = re.compile(r'\n(?=[^ \n]+:\d+:\d+: (?:error|warning):)')
TIDY = 'clang-tidy-14'
DEEP = os.environ.get('TIDY_DEEP') == '1'
# Exhaustive loops make tests deep; what cmocka's assertions guarantee the analyser cannot know.
TESTS = ('--checks=-readability-function-cognitive-complexity,-readability-function-size,'
         '-clang-analyzer-*')
# A third of the paths that the analyser would walk by itself (225,000): half the time. TIDY_DEEP=1 walks them all.
BUDGET = [f'--extra-arg={word}' for word in ('-Xclang', '-analyzer-config', '-Xclang', 'max-nodes=75000')]


def reach(path, roots, seen):
    """The file and every header of ours that it includes, directly or not."""
    if path in seen:
        return
    seen.add(path)
    with open(path, encoding='utf-8') as f:
        text = f.read()
    for _, name, quoted in csource.includes(text):
        for root in roots:
            if quoted and os.path.exists(os.path.join(root, name)):
                reach(os.path.join(root, name), roots, seen)
                break


def key(path, command, roots):
    seen = set()
    reach(path, roots, seen)
    h = hashlib.sha256(f'{command} deep={DEEP}'.encode())
    for name in sorted(seen) + [os.path.join(csource.ROOT, '.clang-tidy')]:
        with open(name, 'rb') as f:
            h.update(name.encode() + b'\0' + f.read())
    return h.hexdigest()


def check(path, build):
    options = [TESTS] if path.endswith(('_test.c', '_fuzz.c')) else [] if DEEP else BUDGET
    done = subprocess.run([TIDY, '-p', build, '--quiet', *options, path], capture_output=True,
                          text=True)
    noise = ('warnings generated', 'Suppressed ', 'Use -header-filter')
    errors = [line for line in done.stderr.splitlines() if not any(n in line for n in noise)]
    return done.returncode, done.stdout + '\n'.join(errors)


def main():
    build, cache, *only = sys.argv[1:]
    build = os.path.realpath(build)
    roots = [os.path.join(csource.ROOT, 'src'), os.path.join(build, 'src')]
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(build, 'compile_commands.json'), encoding='utf-8') as f:
        commands = json.load(f)
    todo = {}
    known = 0
    for entry in commands:
        path = os.path.realpath(os.path.join(entry['directory'], entry['file']))
        ours = path.startswith(csource.ROOT + os.sep) and not path.startswith(build)
        if not ours or (only and os.path.relpath(path, csource.ROOT) not in only):
            continue
        mark = os.path.join(cache, key(path, entry['command'], roots))
        if os.path.exists(mark):
            known += 1
        else:
            todo[path] = mark
    failed = 0
    said = set()
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get('JOBS', '2'))) as pool:
        work = {pool.submit(check, path, build): path for path in todo}
        for done in concurrent.futures.as_completed(work):
            path = work[done]
            code, text = done.result()
            if code == 0:
                open(todo[path], 'w', encoding='utf-8').close()
            else:
                failed += 1
                for finding in FINDING.split(text.strip()):
                    if finding not in said:  # a header's findings come with every file
                        said.add(finding)
                        print(finding)
    print(f'{len(todo)} files checked, {known} unchanged, {failed} with findings')
    return bool(failed)


if __name__ == '__main__':
    sys.exit(main())
