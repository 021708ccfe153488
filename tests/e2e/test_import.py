"""godwit import: what other mail servers wrote down, line by line, twice, and in a trial.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os

import pytest
from godwit import Server

HERE = 'example.com'
ALIASES = '''# aliases(5)
postmaster: root
root:	anna,
	bert@example.com
# a comment between

    , x@far.example
"odd name": anna
list: :include:/etc/list
drop: /dev/null
owner-list: anna
filter: "|/usr/bin/filter -f x", anna
anna: \\anna, y@far.example
loop: loop
broken
nobody: no such address <>
'''


@pytest.fixture(scope='module')
def town():
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        server.ctl('domain', 'add', 'other.example')
        for name in ('anna', 'bert'):
            server.add_account(name)
        yield server
    finally:
        server.remove()


def write(server, name, text):
    path = os.path.join(server.dir, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def run(server, *words):
    """{address: (result, why)} and the exit status."""
    done = server.ctl('import', *words, '--json', check=False)
    assert done.stderr == ''
    return {e['address']: (e['result'], e['why']) for e in json.loads(done.stdout)}, done.returncode


def aliases(server):
    return {a['address']: a['targets'] for a in json.loads(server.ctl('alias', 'list', '--json').stdout)}


def forward(server, address):
    (account,) = json.loads(server.ctl('account', 'show', address, '--json').stdout)
    return account['forward'], account['keep']


def test_aliases(town):
    path = write(town, 'aliases', ALIASES)
    before = aliases(town)
    trial, code = run(town, 'aliases', path, '--dry-run')
    assert code == 1 and aliases(town) == before and forward(town, f'anna@{HERE}') == ([], False)
    found, code = run(town, 'aliases', path)
    assert code == 1
    for name in ('postmaster', 'root', 'owner-list', 'anna'):
        assert found[f'{name}@{HERE}'] == trial[f'{name}@{HERE}'] == ('set', '')
    for name, why in (('list', ':include:'), ('drop', '/dev/null: mail is written to no files'), ('filter', 'no commands are run'),
                      ('nobody', 'this is no address'), ('odd name', 'this is no address'), ('', 'there is no ":" behind the name')):
        result, said = found[name]
        assert result == 'left out' and (why in said or why == ':include:' and '/etc/list: lists in other files' in said), name
    assert 'would lead back to itself' in found[f'loop@{HERE}'][1]
    now = aliases(town)
    assert now[f'root@{HERE}'] == [f'anna@{HERE}', f'bert@{HERE}', 'x@far.example']
    assert now[f'postmaster@{HERE}'] == [f'root@{HERE}'] and f'filter@{HERE}' not in now
    assert forward(town, f'anna@{HERE}') == (['y@far.example'], True)
    again, _ = run(town, 'aliases', path)
    assert {a for a, (result, _) in again.items() if result == 'set'} == set()
    assert {a for a, (result, _) in again.items() if result == 'unchanged'} == {a for a, (result, _) in found.items() if result == 'set'}
    assert aliases(town) == now


def test_what_a_person_reads(town):
    path = write(town, 'short', 'one: anna\ntwo: "|x"\n')
    done = town.ctl('import', 'aliases', path, '--domain', 'other.example', check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f'{path}:1: one@other.example -> anna@other.example, set',
                                        f'{path}:2: two, left out: |x: no commands are run for mail',
                                        '1 set, 0 unchanged, 1 left out']
    done = town.ctl('import', 'aliases', os.path.join(town.dir, 'none'), check=False)
    assert done.returncode == 1 and 'cannot be read' in done.stderr


def test_a_virtual_map(town):
    path = write(town, 'virtual', '''other.example whatever
info@other.example anna@example.com, bert@example.com
@other.example bert@example.com
sales anna@example.com far@far.example
x@elsewhere.example anna@example.com
''')
    found, code = run(town, 'virtual', path)
    assert code == 1 and run(town, 'virtual', path, '--dry-run')[0]['x@elsewhere.example'][0] == 'left out'
    assert found['other.example'][0] == 'left out' and 'godwit domain add' in found['other.example'][1]
    assert found['x@elsewhere.example'][0] == 'left out'
    now = aliases(town)
    assert now['info@other.example'] == [f'anna@{HERE}', f'bert@{HERE}'] and now['@other.example'] == [f'bert@{HERE}']
    assert now[f'sales@{HERE}'] == [f'anna@{HERE}', 'far@far.example']


def test_a_forward_file(town):
    bert = f'bert@{HERE}'
    path = write(town, '.forward', '# mine\n\\bert, z@far.example\nAnna\n"|/usr/bin/vacation bert"\n')
    _, code = run(town, 'forward', path, bert)
    assert code == 1 and forward(town, bert) == (['z@far.example', f'anna@{HERE}'], True)
    path = write(town, '.forward', 'z@far.example\n')
    assert run(town, 'forward', path, bert) == ({bert: ('set', '')}, 0)
    assert forward(town, bert) == (['z@far.example'], False)
    assert run(town, 'forward', path, bert) == ({bert: ('unchanged', '')}, 0)
    path = write(town, '.forward', '\\bert\n')
    assert run(town, 'forward', path, bert) == ({bert: ('set', '')}, 0) and forward(town, bert) == ([], False)
    for words in ((), ('--dry-run',)):
        assert run(town, 'forward', path, f'Nobody@{HERE}', *words) == ({f'nobody@{HERE}': ('left out', 'there is no such account')}, 1)
