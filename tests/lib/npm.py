"""npm.py - the pinned packages of tests/e2e/node.

SPDX-License-Identifier: Apache-2.0
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from godwit import SOURCE

NODE = pathlib.Path(SOURCE) / 'tests' / 'e2e' / 'node'


def install():
    """The folder with them: they are fetched when they, or their pins, are new here.  Several modules may ask at once."""
    if not shutil.which('node') or not shutil.which('npm'):
        pytest.skip('there is no node or no npm')
    installed, lock = NODE / 'node_modules' / '.package-lock.json', NODE / 'package-lock.json'
    gate = os.open(NODE, os.O_RDONLY)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=NODE, capture_output=True, text=True,
                                  timeout=300, check=False)
            unreachable = re.search('SELF_SIGNED_CERT_IN_CHAIN|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT', done.stderr)
            if unreachable:
                pytest.skip(f'the npm registry cannot be reached: {unreachable.group()}')
            assert done.returncode == 0, done.stderr
            os.utime(installed)
    finally:
        os.close(gate)
    return NODE
