"""Fixtures of the end-to-end tests: one server for a module, fresh accounts for a test.

SPDX-License-Identifier: Apache-2.0
"""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from godwit import Server, free_port  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope='module')
def sink_port():
    return free_port()


@pytest.fixture(scope='module')
def server(sink_port):
    s = Server(extra=['outbound none', f'route elsewhere.example 127.0.0.1:{sink_port}'])
    s.start()
    s.add_domain()
    yield s
    s.remove()


@pytest.fixture
def user(server):
    """Address of a new account; its password is "secret"."""
    return server.add_account(f'user{next(_numbers)}')
