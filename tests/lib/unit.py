"""unit.py UNIT COMMAND... - runs a command under the system-call filter of a unit, as systemd would set it.

SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import errno
import os
import subprocess
import sys

ALLOW, ERRNO = 0x7fff0000, 0x00050000


def settings(path):
    """{name: [value, ...]} of a unit."""
    found = {}
    with open(path, encoding='utf-8') as f:
        for line in f:
            if '=' in line and not line.startswith('#'):
                name, value = line.rstrip('\n').split('=', 1)
                found.setdefault(name, []).append(value)
    return found


def groups():
    """{'@name': [members]} as this machine's systemd has them."""
    text = subprocess.run(['systemd-analyze', 'syscall-filter', '--no-pager'], capture_output=True, text=True,
                          check=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if line.startswith('@'):
            name = line.strip()
            found[name] = []
        elif line.startswith('    ') and not line.strip().startswith('#') and name:
            found[name].append(line.strip())
        elif line.startswith('#'):
            name = None
    return found


def expand(words, known):
    found = set()
    for word in words:
        found |= expand(known[word], known) if word.startswith('@') else {word}
    return found


def allowed(path):
    """The calls that remain after every SystemCallFilter= of the unit, in their order."""
    known = groups()
    found = expand(['@default'], known)
    for value in settings(path)['SystemCallFilter']:
        if value.startswith('~'):
            found -= expand(value[1:].split(), known)
        else:
            found |= expand(value.split(), known)
    return found


def wall_in(calls):
    lib = ctypes.CDLL('libseccomp.so.2')
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    room = lib.seccomp_init(ERRNO | errno.EPERM)
    for name in sorted(calls):
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # this machine has it
            assert lib.seccomp_rule_add(room, ALLOW, number, 0) == 0, name
    assert lib.seccomp_load(room) == 0


if __name__ == '__main__':
    wall_in(allowed(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
