"""The check scripts must be able to fail: each rule is shown one text that breaks it and one that
does not.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))

import banned  # noqa: E402
import csource  # noqa: E402
import layers  # noqa: E402
import ratchet  # noqa: E402
import results  # noqa: E402

FUNCTION = '''
static int
short_one(void)
{
    return 1;
}

int
wide_one(int a, int (*b)(int, int), struct str c,
         int d, int e, int f)
{
    if (a) {
        return 2;
    }
    return d;
}
'''


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A tree of its own for one test: write(path, text)."""
    monkeypatch.setattr(csource, 'ROOT', str(tmp_path))

    def write(path, text):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return path
    return write


def test_code_blanks_comments_and_literals():
    text = 'a /* free(\n) */ "b // c" d // e\n\'"\' f'
    assert csource.code(text).split() == ['a', '"', '"', 'd', "'", "'", 'f']
    assert csource.code(text).count('\n') == text.count('\n')


def test_functions_are_measured():
    assert list(csource.functions(FUNCTION)) == [('short_one', 3, 3, 0), ('wide_one', 9, 6, 6)]


@pytest.mark.parametrize('line, wrong', [
    ('free(p);', True), ('x = malloc(3);', True), ('sprintf(z, "");', True), ('vec.free(p);', False),
    ('/* free(p) */', False), ('"free(p)";', False), ('mem_free(p);', False), ('s->free(p);', False),
    ('void (*done)(void *arg);', True), ('bool (*accept)(char);', False),
])
def test_banned(tree, line, wrong):
    rules = {name: (why, where) for name, why, where in banned.rules()}
    assert bool(list(banned.check_file(tree('src/mail/a.c', line), rules))) == wrong


def test_banned_knows_where(tree):
    rules = {name: (why, where) for name, why, where in banned.rules()}
    assert not list(banned.check_file(tree('src/base/mem.c', 'free(p);'), rules))
    assert not list(banned.check_file(tree('src/rt/a.h', 'void (*done)(void *arg);'), rules))
    assert list(banned.check_file(tree('src/base/mem.c', 'strcpy(a, b);'), rules))


@pytest.mark.parametrize('include, wrong', [
    ('"base/str.h"', False), ('"mail/line.h"', False), ('<stdio.h>', False), ('"rt/conn.h"', True),
    ('"line.h"', True), ('"../base/str.h"', True), ('"base/str_internal.h"', True),
])
def test_layers(tree, include, wrong):
    path = tree('src/mail/a.c', f'#include {include}\n')
    assert bool(list(layers.check_file(path, {'mail', 'base'}))) == wrong


def test_layers_testkit_is_for_tests(tree):
    text = '#include "testkit/transcript.h"\n'
    assert list(layers.check_file(tree('src/mail/a.c', text), {'mail', 'base'}))
    assert not list(layers.check_file(tree('src/mail/a_test.c', text), {'mail', 'base'}))


def test_layers_table_is_ordered_and_whole(tree):
    tree('src/extra/a.c', '')
    assert list(layers.check_table([['base', []], ['rt', ['base']], ['extra', []]])) == []
    assert len(list(layers.check_table([['rt', ['base']], ['base', []]]))) == 2


def run_ratchet(tree, text, exceptions=''):
    tree('src/a/a.c', f'/* {ratchet.SPDX} */\n{text}')
    tree('tools/ratchet.txt', exceptions)
    return ratchet.main()


def body(lines):
    return 'int\nlong_one(void)\n{\n' + '    x();\n' * (lines - 2) + '}\n'


@pytest.mark.parametrize('text, exceptions, wrong', [
    (body(70), '', False),
    (body(71), '', True),
    (body(71), 'function src/a/a.c:long_one 71 a table\n', False),
    (body(71), 'function src/a/a.c:long_one 72 a table\n', True),    # fell: must be written down
    (body(70), 'function src/a/a.c:long_one 71 a table\n', True),    # no longer needed
    (FUNCTION, '', True),                                            # six parameters
    ('x();\n' * 799, '', False),
    ('x();\n' * 800, '', True),
    ('/* DEBT' + '(me): why */\n', '', True),
    ('/*' + ' ' * 120 + '*/\n', '', True),
    ('/* clang-format off */\n/*' + ' ' * 120 + '*/\n/* clang-format on */\n', '', False),
    ('/* clang-format off */\n/* clang-format on */\n/*' + ' ' * 120 + '*/\n', '', True),
])
def test_ratchet(tree, text, exceptions, wrong):
    assert run_ratchet(tree, text, exceptions) == wrong


def test_results_of_meson(tmp_path):
    log = tmp_path / 'log.json'
    lines = [
        {'name': 'a', 'result': 'OK', 'stdout': '[       OK ] one\n[       OK ] two\n'},
        {'name': 'b', 'result': 'FAIL', 'stdout': '[       OK ] one\n[  FAILED  ] two\n'},
        {'name': 'c', 'result': 'FAIL', 'stdout': '[       OK ] one\n'},    # crashed after one
        {'name': 'd', 'result': 'TIMEOUT'},
        {'name': 'e', 'result': 'SKIP'},
        {'name': 'f', 'result': 'OK'},
        {'name': 'g', 'result': 'OK', 'stdout': '[       OK ] tests/session/a.t\n[       OK ] tests/session/b.t\n'},
    ]
    log.write_text('\n'.join(map(json.dumps, lines)))
    assert results.of_meson(str(log)) == [2 + 1 + 1 + 1 + 2, 1 + 1 + 1, 1]


def test_results_of_pytest(tmp_path):
    report = tmp_path / 'r.xml'
    report.write_text('<testsuites><testsuite><testcase/><testcase><failure/></testcase>'
                      '<testcase><skipped/></testcase></testsuite></testsuites>')
    assert results.of_junit(str(report)) == [1, 1, 1]
