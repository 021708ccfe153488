#!/usr/bin/env python3
"""banned.py - calls that Godwit's code does not make, and where the exceptions live.

SPDX-License-Identifier: Apache-2.0
"""
import re
import sys

import csource

# Functions, why not, and the folders that may call them all the same.
CALLS = [
    ('strcpy strncpy strcat strncat stpcpy sprintf vsprintf gets strtok strtok_r',
     'no bound or no honest end: use struct str and struct buf', ()),
    ('atoi atol atoll atof strtol strtoul strtoll strtoull strtod sscanf',
     'hide errors and limits: use scan_u32() and its like', ()),
    ('alloca setjmp longjmp sigsetjmp siglongjmp', 'skips bounds or cleanup', ()),
    ('malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf',
     'use mem_*, arena_* or buf_*', ('src/base/',)),
    ('memcpy memmove mempcpy bcopy', 'use mem_copy() or mem_move()', ('src/base/',)),
    ('rand srand random srandom drand48 rand_r', 'not random: use rt', ()),
    ('system popen mktemp tmpnam tempnam', 'hands a name to a shell or a race', ()),
    ('gmtime localtime ctime asctime strerror inet_ntoa gethostbyname',
     'shares one static result: use the _r form or base/time.h', ()),
    ('gettimeofday time clock_gettime', 'the clock is a seam: use rt', ('src/base/', 'src/rt/')),
    ('getrandom', 'randomness is a seam: use rt', ('src/base/', 'src/rt/')),
    ('fork vfork posix_spawn execve execv execvp execl', 'spawning is a seam: use rt', ('src/rt/',)),
    ('assert', 'NDEBUG switches it off: use ASSERT()', ()),
]

# A callback with a void pointer is how control flow gets lost; verb tables are typed.
CALLBACK = re.compile(r'\(\*\s*\w*\)\s*\([^()]*\bvoid \*')
CALLBACK_IN = ('src/rt/', 'src/engine/')

# Tests may fork, read the clock, parse their own output, and make memory, which cmocka checks for leaks.
IN_TESTS = set('fork execve execv execvp execl time clock_gettime gettimeofday system free malloc '
               'memcpy memmove strtol strtoul'.split())


def rules():
    for names, why, where in CALLS:
        for name in names.split():
            yield name, why, where


def check_file(path, banned):
    is_test = path.endswith(('_test.c', '_fuzz.c')) or '/test' in path
    for number, line in enumerate(csource.code(csource.read(path)).splitlines(), 1):
        for match in re.finditer(r'(?<![\w.>])([a-z_]\w*)\s*\(', line):
            name = match.group(1)
            why, where = banned.get(name, (None, ()))
            if why and not path.startswith(where or '-') and not (is_test and name in IN_TESTS):
                yield f'{path}:{number}: {name}(): {why}'
        if CALLBACK.search(line) and not path.startswith(CALLBACK_IN) and not is_test:
            yield f'{path}:{number}: callback with void *: only in rt and engine; use a verb table'


def main():
    banned = {name: (why, where) for name, why, where in rules()}
    paths = csource.files('src')
    problems = [p for path in paths for p in check_file(path, banned)]
    print('\n'.join(problems) if problems else f'{len(paths)} files, {len(banned)} names')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
