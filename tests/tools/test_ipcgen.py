"""The interface generator: what it makes of a small schema, and what it refuses with file and line.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

import pytest

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tools'))

import ipcgen  # noqa: E402

SMALL = '''\
# What is said here.
interface small 1
arena 1000
struct entry
  uid u32
  name str<300>
call get from user mx        # the only one
  req
    session u64
  rep
    entries list<entry,40>
    last entry
    body bulk<9000>
note gone from store
    why enum<2>
'''


def read(tmp_path, text):
    path = tmp_path / 'small.ipc'
    path.write_text(text)
    return ipcgen.Reader(str(path)).schema


def test_header(tmp_path):
    text = ipcgen.Maker(read(tmp_path, SMALL)).header()
    for line in ['#define SMALL_GET_REPLY_ENTRIES_MAX 40u',
                 '#define SMALL_ENTRY_NAME_MAX 300u',
                 '    const struct small_entry *entries;\n    size_t entries_count;\n'
                 '    struct small_entry last;\n    struct str body;',
                 '/* the only one */\nMUST_USE SUSPENDS enum status small_get_call(struct ipc_peer *p, '
                 'const struct small_get *req, struct arena *a, struct small_get_reply *rep_out);',
                 'MUST_USE enum status small_gone_note(struct ipc_peer *p, const struct small_gone *req);']:
        assert line in text
    assert text.index('struct small_entry {') < text.index('struct small_get_reply {')


def test_source(tmp_path):
    text = ipcgen.Maker(read(tmp_path, SMALL)).source()
    for line in ['    v->entries_count = ipc_get_count(r, 1, 40, 6);',  # u32 and a 2-byte length
                 '    v->name = ipc_get_str(r, 2, 300);',
                 '    v->body = ipc_get_bulk(r, 9000);',
                 '    v->why = ipc_get_enum(r, 2);',
                 '    w->bad |= v->why > 2;']:
        assert line in text


def test_serve(tmp_path):
    text = ipcgen.Maker(read(tmp_path, SMALL)).serve()
    for line in ['.from = 1u << ROLE_USER | 1u << ROLE_MX,', '.is_note = true,', '.verb_count = 2,',
                 'SMALL_SERVE_LINKAGE SUSPENDS enum status small_serve_get(struct ipc_peer *from, '
                 'const struct small_get *req, struct arena *a, struct small_get_reply *rep);',
                 'SMALL_SERVE_LINKAGE SUSPENDS void small_serve_gone(']:
        assert line in text


def test_doc(tmp_path):
    text = ipcgen.make_doc([read(tmp_path, SMALL)])
    assert 'What is said here.' in text
    assert '| `gone` (note) | store | why: 0..2 | — |' in text


def test_hash_follows_what_is_said_only(tmp_path):
    plain = read(tmp_path, SMALL).hash()
    assert read(tmp_path, SMALL.replace('# the only one', '').replace('    uid', '  uid')).hash() == plain
    for old, new in [('u32', 'u64'), ('300', '301'), ('uid', 'id'), ('mx', 'out'), ('small 1', 'small 2')]:
        assert read(tmp_path, SMALL.replace(old, new, 1)).hash() != plain


@pytest.mark.parametrize('old, new, message', [
    ('u64', 'u65', '7: no type "u65"'),
    ('  uid u32\n', '  uid\n', '5: expected NAME TYPE'),
    ('str<300>', 'str<0>', '6: expected a number'),
    ('str<300>', 'str<99999999999>', '6: expected a number'),
    ('str<300>', 'list<entry,3>', '4: struct entry contains itself'),
    ('enum<2>', 'enum<256>', '15: expected a number'),
    ('user mx', 'user nobody', '7: no role "nobody"'),
    ('call get', 'call entry', 'two things would be struct small_entry'),
    ('  last entry', '  entries u8', '12: field entries twice'),
    ('  last entry', '  entries_count u8', 'entries_count is the count of entries'),
    ('  last entry', '  last list<bool,3>', '12: no list of bool'),
    ('session', 'struct', '9: "struct" is no name'),
    ('arena 1000', 'arena lots', '3: expected a number'),
    ('arena 1000\n', '', 'needs "arena"'),
    ('interface small 1\n', '', '"interface NAME VERSION" is the first line'),
    ('note gone', 'shout gone', '14: expected interface'),
    ('note gone', 'struct spare\n  x u8\nnote gone', 'spare is empty or not used'),
])
def test_refused(tmp_path, old, new, message):
    assert old in SMALL
    with pytest.raises(ipcgen.SchemaError) as e:
        read(tmp_path, SMALL.replace(old, new, 1)).messages()
    assert message in str(e.value)
