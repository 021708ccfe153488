"""tools/gdb_fibers.py finds the fibers of a live process and where they wait.

SPDX-License-Identifier: Apache-2.0
"""
import os
import shutil
import subprocess

import pytest

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
BUILD = os.environ.get('GODWIT_BUILD', os.path.join(ROOT, 'build'))


@pytest.mark.skipif(not shutil.which('gdb'), reason='no gdb')
def test_parked_fibers_are_listed():
    commands = ['break fiber_cancel', 'run', f'source {ROOT}/tools/gdb_fibers.py', 'fibers 5']
    arguments = [a for c in commands for a in ('-ex', c)]
    result = subprocess.run(['gdb', '-q', '-nx', '-batch', *arguments, f'{BUILD}/rt-fiber_test'],
                            capture_output=True, text=True, timeout=300, check=False)
    text = result.stdout + result.stderr
    if 'ptrace' in text:
        pytest.skip('tracing is not allowed here')
    # fiber_test.c wakes the first of 10,000 and is about to cancel the second.
    assert '9999 parked' in text, text
    assert '1 ready' in text and '1 running' in text, text
    assert text.count(' park_once at ') == 2, text
