"""tools/docs.py must notice a stale document, a verb or setting without its place in the man page, a limit or event
that nobody uses, and a path that leads nowhere.

SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import sys

import pytest

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tools'))

import csource  # noqa: E402
import docs  # noqa: E402

FILES = {
    'src/base/limits.h': '#define LIMITS(LIMIT) \\\n'
                         '    /* the first: RFC 1 */ \\\n'
                         '    LIMIT(FIBERS, 8192, "fibers", "waits | \\"451\\", later") \\\n'
                         '    LIMIT(LAST,   5,    "s",      "")\n'
                         '#define LIMIT_AS_ENUM(name, value, unit, reached) LIMIT_##name = (value),\n',
    'src/config/events.h': '#define EVENTS(EVENT) \\\n'
                           '    EVENT(ROLE_END, "role.end", LOG_WARN, "name ms:ms", "a role (any) ended")\n'
                           'enum event { NONE };\n',
    'src/config/stats.h': '#define STATS(STAT) \\\n'
                          '    STAT(LOGINS, "logins_total", "result=\\"good\\"", "Log-ins.")\n'
                          'enum stat { NO_STAT };\n',
    'src/store/keys.h': '/* keys.h\n *\n *   H            head\n *   B mailbox4   a name,\n'
                        ' *                       and more\n *   A E          reserved\n */\n'
                        'enum key_tag {\n    KEY_HEAD = \'H\',\n    KEY_MAILBOX = \'B\',\n};\n',
    'src/store/directory_values.h': '/* x\n *\n *     cell 1   what\n */\n',
    'src/store/queue_values.h': "/* x\n *\n *     'H'   head\n */\n",
    'src/store/sealed.h': "/* x\n *\n * Owns:      cell 'c' 1: key = role, name.\n */\n",
    'src/store/blocks.h': "/* x\n *\n * Owns:      cell 'c' 2: key of a network = until.\n */\n",
    'src/store/known.h': '/* x\n *\n * Owns:      pages of a filter, by time.\n */\n',
    'src/store/policies.h': '/* x\n *\n * Owns:      domain -> a policy.\n */\n',
    'src/store/tally.h': "/* x\n *\n * Owns:      cell 'c' 9: kind(u8) day ->\n *            count, row.\n */\n",
    'src/ipc/small.ipc': '# Small.\ninterface small 1\narena 1000\nnote gone from store\n    why enum<2>\n',
    'src/engine/engine.h': '',
    'src/ctl/commands.c': 'const struct command commands[] = {\n    {"serve", "", "", f},\n'
                           '    {"queue", "", "", f},\n    {"status", "", "", f},\n};\n',
    'src/ctl/ctl.c': 'static const struct ctl_verb queue_verbs[] = {\n    {"list", 0, 0, "", f},\n    {"hold",\n'
                      '     0, 0, "", f},\n    {0},\n};\n'
                      'static const struct ctl_verb status_verbs[] = {\n    {"show", 0, 0, "", f},\n    {0},\n};\n',
    'src/config/config.c': '    {STR("host"), false, read_host},\n    {STR("run-dir"), true, read_run_dir},\n'
                           '/* LIMIT_FIBERS LIMIT_LAST EVENT_ROLE_END */\n',
    'docs/man/godwit.1': '.It Cm serve\n.It Cm queue list\n.It Cm queue hold Ar qid\n.It Cm status\n',
    'docs/man/godwit.conf.5': '.It Ic host Ar name\n.It Ic run-dir Ar directory\n',
    'README.md': 'See [docs](docs/limits.md), `src/ctl/`, `src/foo.c`, `fuzz/corpus/NAME/`, [out](https://x.example/).\n',
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A small project in which all is well: write(path, text) changes it."""
    monkeypatch.setattr(csource, 'ROOT', str(tmp_path))

    def write(path, text):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for path, text in FILES.items():
        write(path, text)
    subprocess.run(['git', 'init', '-q', str(tmp_path)], check=True)
    for path, make in docs.MADE.items():
        write(path, make())
    return write


def problems():
    return [*docs.stale(), *docs.undocumented(), *docs.unused(), *docs.dead_paths()]


def test_nothing_to_say(tree):
    assert problems() == []
    assert list(docs.verbs()) == ['serve', 'queue list', 'queue hold', 'status']
    assert docs.settings() == ['host', 'run-dir']


def test_what_is_made(tree):
    assert '## The first: RFC 1' in docs.limits()
    assert '| FIBERS | 8 192 | fibers | waits \\| \\"451\\", later |' in docs.limits()
    assert '| `role.end` | warn | name ms:ms | a role (any) ended |' in docs.events()
    assert '| `logins_total` | `result="good"` | Log-ins. |' in docs.metrics()
    assert '| `B mailbox4` | `KEY_MAILBOX` | a name, and more |' in docs.keys()
    assert "    'H'   head" in docs.keys()


@pytest.mark.parametrize('path, was, now, says', [
    ('src/base/limits.h', '8192', '8193', 'docs/limits.md'),
    ('src/config/events.h', '"name ms:ms"', '"name"', 'docs/events.md'),
    ('src/config/stats.h', 'Log-ins.', 'Log-outs.', 'docs/metrics.md'),
    ('src/store/keys.h', 'a name,', 'the name,', 'docs/keys.md'),
    ('src/store/queue_values.h', 'head', 'tail', 'docs/keys.md'),
    ('src/ipc/small.ipc', 'enum<2>', 'enum<3>', 'docs/ipc.md'),
    ('src/ctl/commands.c', '"serve"', '"observe"', '".It Cm observe"'),
    ('src/ctl/ctl.c', '"hold"', '"held"', '".It Cm queue held"'),
    ('src/config/config.c', 'STR("host")', 'STR("ghost")', '".It Ic ghost"'),
    ('src/config/config.c', ' LIMIT_LAST ', ' ', 'LAST is used nowhere'),
    ('src/config/config.c', 'EVENT_ROLE_END', '', 'ROLE_END is used nowhere'),
    ('README.md', 'src/ctl/', 'src/ctls/', 'there is no src/ctls/'),
    ('README.md', 'docs/limits.md', 'limits.md', 'there is no limits.md'),
])
def test_each_check_can_fail(tree, path, was, now, says):
    text = FILES[path]
    assert was in text
    tree(path, text.replace(was, now))
    assert any(says in p for p in problems()), problems()


def test_a_key_without_a_line_is_an_error(tree):
    tree('src/store/keys.h', FILES['src/store/keys.h'].replace("'B',", "'B',\n    KEY_LOG = 'L',"))
    with pytest.raises(docs.Missing, match='LOG'):
        docs.keys()
