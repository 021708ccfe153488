#!/usr/bin/env python3
"""docs.py - makes the documents that come from the code, and checks that the others agree with it.

    docs.py            checks: made documents are fresh, every verb and setting stands in its man page,
                       every limit and event of the tables is used, every path that a document names is there
    docs.py --write    makes docs/limits.md, docs/events.md, docs/keys.md, docs/ipc.md and docs/metrics.md

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import subprocess
import sys

import csource
import ipcgen

COMMANDS = 'docs/man/godwit.1'
SETTINGS = 'docs/man/godwit.conf.5'
STRING = r'"((?:[^"\\]|\\.)*)"'


class Missing(Exception):
    """A source does not look as this script expects it."""


def rows(text, macro, count):
    """The arguments of every MACRO(...) of an X-macro table, and the comments between them as (comment,)."""
    argument = rf'\s*(?:{STRING}|([^,"()]+?))\s*'
    row = re.compile(rf'\b{macro}\({",".join([argument] * count)}\)|/\* (.*?) \*/ \\', re.DOTALL)
    for match in row.finditer(text):
        *words, comment = match.groups()
        if comment is not None:
            yield (comment,)
        else:
            yield tuple((a if a is not None else b).strip() for a, b in zip(words[::2], words[1::2]))


def table_of(path, name):
    """The text of #define NAME(...) with its continued lines."""
    match = re.search(rf'^#define {name}\(.*?[^\\]\n', csource.read(path), re.MULTILINE | re.DOTALL)
    if not match:
        raise Missing(f'{path}: no table {name}')
    return match.group(0)


def cell(text):
    return text.replace('|', '\\|')


def made_of(path):
    return f'Made by `make docs` from `{path}`, which is the place to change.'


def grouped(value):
    return f'{int(value):,}'.replace(',', ' ') if value.isdigit() else value


def limits():
    path = 'src/base/limits.h'
    out = ['# Limits', '', made_of(path) + '  Everything that somebody else can make grow has a bound here.  '
           'In the code it is `LIMIT_NAME`.', '']
    for row in rows(table_of(path, 'LIMITS'), 'LIMIT', 4):
        if len(row) == 1:
            out += ['', f'## {row[0][0].upper()}{row[0][1:]}', '', '| Name | Bound | Unit | What happens there |',
                    '|---|--:|---|---|']
        else:
            name, value, unit, reached = row
            out.append(f'| {name} | {grouped(value)} | {unit} | {cell(reached)} |')
    return '\n'.join(out).replace('\n\n\n', '\n\n') + '\n'


def events():
    path = 'src/config/events.h'
    out = ['# Events of the log', '', made_of(path), '',
           'An event is one line: `t=TIME lvl=LEVEL ev=EVENT role=ROLE`, then `sid=` (session) and `user=` where they '
           'are known, then the fields of the event in this order.  A field that is not known is left out.  A value '
           'with anything but letters, digits and `._:@<>/+-` stands in double quotes; `\\"`, `\\\\` and `\\xHH` are '
           'its escapes.  `log.dropped lines=N` says that N lines found no room where the log goes.', '', '| Event | Level | Fields (name:unit) | Says |', '|---|---|---|---|']
    for row in rows(table_of(path, 'EVENTS'), 'EVENT', 5):
        _, name, level, fields, meaning = row
        out.append(f'| `{name}` | {level.removeprefix("LOG_").lower()} | {fields} | {cell(meaning)} |')
    return '\n'.join(out) + '\n'


def metrics():
    path = 'src/config/stats.h'
    out = ['# Metrics', '', made_of(path), '',
           '`godwit stats --prometheus` prints them with the prefix `godwit_`.  Counters begin anew with the store process, and '
           'those of a process that was started again go on.', '',
           '`listen metrics 127.0.0.1:9025` (or `listen metrics unix FILE`) answers `GET /metrics` with the same, for Prometheus '
           'itself.  It is off unless configured.',
           '', '| Name | Label | Counts |', '|---|---|---|']
    for row in rows(table_of(path, 'STATS'), 'STAT', 4):
        _, name, labels, about = row
        labels = labels.replace('\\"', '"')
        out.append(f'| `{name}` | {f"`{labels}`" if labels else ""} | {cell(about)} |')
    out += ['', 'Beside them stand `info` (label `version`), `start_time_seconds`, `queue_messages`, `sessions`, `commits_total`, '
            '`syncs_total`, and with the label `process` (such as `mx.0`) `connections_open` and '
            '`process_resident_memory_bytes`.']
    return '\n'.join(out) + '\n'


def header_comment(path):
    """The lines of a header's first comment, without its stars."""
    comment = re.match(r'/\*(.*?)\*/', csource.read(path), re.DOTALL)
    if not comment:
        raise Missing(f'{path}: no header comment')
    return [re.sub(r'^ \* ?', '', line).rstrip() for line in comment.group(1).splitlines()]


def account_keys():
    """(key, meaning) of the lines between "'a' an account" and the other cells."""
    found = []
    for line in header_comment('src/store/keys.h'):
        match = re.match(r' {2}([A-Z].*?) {2,}(.*)', line)
        if match:
            found.append(list(match.groups()))
        elif found and line.startswith(' ' * 20):
            found[-1][1] += ' ' + line.strip()
    if not found:
        raise Missing('src/store/keys.h: no table of keys')
    return found


def quoted(path):
    """The indented lines of a header comment, and what goes on in them."""
    lines = [line for line in header_comment(path) if line.startswith(' ' * 4)]
    if not lines:
        raise Missing(f'{path}: no table of keys')
    return ['```', *(line.rstrip() for line in lines), '```']


def keys():
    tags = dict(re.findall(r"^\s+KEY_(\w+) = '(.)'", csource.read('src/store/keys.h'), re.MULTILINE))
    out = ['# What is stored, by key', '',
           'Made by `make docs` from the headers that each part names, which are the places to change.', '',
           'A cell is an ordered map of one account, of the directory, of the queue or of sealed records '
           '(`src/engine/engine.h`).  A key is one tag byte and fixed big-endian fields; the digit behind a field is '
           'its size in bytes.  Values begin with a version byte.', '',
           '## Cell `a`: an account (`src/store/keys.h`)', '', '| Key | In the code | Holds |', '|---|---|---|']
    names = {tag: name for name, tag in tags.items()}
    for key, meaning in account_keys():
        name = f'`KEY_{names.pop(key[0])}`' if key[0] in names and len(key.split()[0]) == 1 else ''
        out.append(f'| `{key}` | {name} | {cell(meaning)} |')
    if names:
        raise Missing(f'src/store/keys.h: not in its table: {", ".join(sorted(names.values()))}')
    for cell_name, path in [("Cells `d`: the directory", 'src/store/directory_values.h'),
                            ("Cell `q`: the queue", 'src/store/queue_values.h')]:
        out += ['', f'## {cell_name} (`{path}`)', '', *quoted(path)]
    sealed = [line for line in header_comment('src/store/sealed.h') if 'key = ' in line]
    if not sealed:
        raise Missing('src/store/sealed.h: no key')
    out += ['', '## Cell `c`: sealed records (`src/store/sealed.h`)', '', sealed[0].split(':', 1)[1].strip()]
    blocks = [line for line in header_comment('src/store/blocks.h') if 'key of ' in line]
    if not blocks:
        raise Missing('src/store/blocks.h: no key')
    out += ['', '## Cell `c`: blocked networks (`src/store/blocks.h`)', '', blocks[0].split(':', 1)[1].strip()]
    known = [line for line in header_comment('src/store/known.h') if 'pages ' in line]
    if not known:
        raise Missing('src/store/known.h: no pages')
    out += ['', '## Cell `c`: known senders (`src/store/known.h`)', '', known[0].split(':', 1)[1].strip()]
    policies = [line for line in header_comment('src/store/policies.h') if 'domain -> ' in line]
    if not policies:
        raise Missing('src/store/policies.h: no key')
    out += ['', '## Cell `c`: policies of MTA-STS (`src/store/policies.h`)', '', policies[0].split(':', 1)[1].strip()]
    tally = [line for line in header_comment('src/store/tally.h') if 'kind(' in line or 'count, row' in line]
    if len(tally) != 2:
        raise Missing('src/store/tally.h: no key')
    out += ['', '## Cell `c`: counts of a day (`src/store/tally.h`)', '',
            (tally[0] + ' ' + tally[1].strip()).split(':', 1)[1].strip()]
    return '\n'.join(out) + '\n'


def ipc():
    folder = os.path.join(csource.ROOT, 'src', 'ipc')
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith('.ipc'))
    return ipcgen.make_doc([ipcgen.Reader(path).schema for path in paths])


MADE = {'docs/limits.md': limits, 'docs/events.md': events, 'docs/keys.md': keys, 'docs/ipc.md': ipc, 'docs/metrics.md': metrics}


# ---- checks ----

def stale():
    for path, make in MADE.items():
        try:
            if csource.read(path) == make():
                continue
        except FileNotFoundError:
            pass
        yield f'{path}: not what the code says now; `make docs` makes it'


def sub_verbs(noun):
    """The words of the table NOUN_verbs, wherever it stands."""
    for path in csource.files('src/ctl', endings=('.c',)):
        match = re.search(rf'struct ctl_verb {noun}_verbs\[\] = \{{(.*?)^\}};', csource.read(path),
                          re.MULTILINE | re.DOTALL)
        if match:
            return re.findall(r'^\s*\{"([a-z-]+)"', match.group(1), re.MULTILINE)
    return []


def verbs():
    """"account add", "serve" ...: a noun with verbs counts by them; `status show` is `status`, `reload now` is `reload`."""
    for name in re.findall(r'^\s*\{"([a-z-]+)"', csource.read('src/ctl/commands.c'), re.MULTILINE):
        subs = [s for s in sub_verbs(name) if s not in ('show', 'now') or len(sub_verbs(name)) > 1]
        yield from [f'{name} {s}' for s in subs] or [name]


def settings():
    return re.findall(r'^\s*\{STR\("([a-z0-9-]+)"\), (?:true|false), read_\w+\}', csource.read('src/config/config.c'),
                      re.MULTILINE)


def undocumented():
    commands, conf = csource.read(COMMANDS), csource.read(SETTINGS)
    for verb in verbs():
        if not re.search(rf'^\.It Cm {verb}( |$)', commands, re.MULTILINE):
            yield f'{COMMANDS}: no ".It Cm {verb}"'
    for setting in settings():
        if not re.search(rf'^\.It Ic {setting} ', conf, re.MULTILINE):
            yield f'{SETTINGS}: no ".It Ic {setting}"'


def unused():
    """A limit nobody keeps and an event nobody logs would make the documents lie."""
    paths = [p for p in csource.files('src', endings=('.c', '.h', '.ipc')) if not p.endswith('_test.c')]
    words = set(re.findall(r'\b(?:LIMIT|EVENT)_\w+', '\n'.join(csource.read(p) for p in paths)))
    for table, path in [('LIMIT', 'src/base/limits.h'), ('EVENT', 'src/config/events.h')]:
        for row in rows(table_of(path, table + 'S'), table, 4 if table == 'LIMIT' else 5):
            if len(row) > 1 and f'{table}_{row[0]}' not in words:
                yield f'{path}: {row[0]} is used nowhere'


def documents():
    listed = subprocess.run(['git', '-C', csource.ROOT, 'ls-files', '-co', '--exclude-standard', '*.md'],
                            capture_output=True, text=True, check=True).stdout.split()
    return [path for path in listed if os.path.exists(os.path.join(csource.ROOT, path))]


def dead_paths():
    """[text](path) and `path/with/slash` that lead nowhere.  Names in capitals or with * are patterns."""
    for document in documents():
        text, here = csource.read(document), os.path.dirname(document)
        found = re.findall(r'\]\(([^)#:]+?)\)', text)
        found += re.findall(r'`((?:src|tools|tests|docs|fuzz|bench)/[\w./-]*)`', text)
        for path in found:
            if re.search(r'[A-Z]{4}|\bfoo\b', path) and '.md' not in path:
                continue
            if not any(os.path.exists(os.path.join(csource.ROOT, base, path)) for base in ('', here)):
                yield f'{document}: there is no {path}'


def main():
    try:
        if '--write' in sys.argv:
            for path, make in MADE.items():
                with open(os.path.join(csource.ROOT, path), 'w', encoding='utf-8') as f:
                    f.write(make())
            return 0
        problems = [*stale(), *undocumented(), *unused(), *dead_paths()]
    except Missing as e:
        sys.exit(str(e))
    print('\n'.join(problems) if problems else
          f'{len(MADE)} made documents, {len(list(verbs()))} verbs, {len(settings())} settings, '
          f'{len(documents())} pages')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
