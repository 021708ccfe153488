#!/usr/bin/env python3
"""ipcgen.py - makes the two ends of a role interface from its schema.

    ipcgen.py NAME.ipc --out-dir DIR     NAME_ipc.h NAME_ipc.c NAME_serve.h
    ipcgen.py --all A.ipc B.ipc ... --out-dir DIR     ipc_all.h ipc_all.c, the table of every codec (fuzzing)

Schema: one thing a line, "#" starts a comment.  What stands at column 0 opens a section, what is
indented belongs to it.

    interface NAME VERSION     first line
    arena BYTES                memory of one request, all it decodes and its handler may use
    struct NAME                a value; fields follow: NAME TYPE
    call NAME from ROLE...     answered; indented "req" and "rep" open its two lists of fields
    note NAME from ROLE...     one way; its fields follow

Types: u8 u16 u32 u64 i64 bool; str<N> bytes<N> of at most N bytes; bulk<N>, the same by way of the ring
where the channel has one; enum<N>, a u8 of at most N; list<TYPE,N> of at most N; the name of a struct.

Wire: fields in order without tags, native byte order (both ends are one machine); a length or count takes
1, 2 or 4 bytes as its maximum needs.  The hash of the schema goes with every frame, so the
two ends are always made from the same text.

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import hashlib
import os
import re
import sys

ROLES = ['boss', 'mx', 'user', 'keys', 'auth', 'store', 'cook', 'out', 'ask', 'api', 'admin']
SCALARS = {  # C type, bytes
    'u8': ('uint8_t', 1), 'u16': ('uint16_t', 2), 'u32': ('uint32_t', 4), 'u64': ('uint64_t', 8),
    'i64': ('int64_t', 8), 'bool': ('bool', 1),
}
RAW_LISTS = ('u8', 'u16', 'u32', 'u64', 'i64')
LENGTH_MAX = 1 << 30
NAME = re.compile(r'[a-z][a-z0-9_]*\Z')
C_WORDS = set('auto break case char const continue default do double else enum extern float for goto if '
              'inline int long register restrict return short signed sizeof static struct switch typedef '
              'union unsigned void volatile while bool true false errno'.split())


class SchemaError(Exception):
    pass


class Type:
    """kind: a scalar, 'enum', 'str', 'bulk', 'list' or 'struct'."""

    def __init__(self, kind, limit=0, item=None, name=None):
        self.kind, self.limit, self.item, self.name = kind, limit, item, name

    def width(self):
        """Bytes of the length or count in front."""
        if self.kind == 'bulk':
            return 4
        return 1 if self.limit < 1 << 8 else 2 if self.limit < 1 << 16 else 4


class Message:
    """A C struct: name without prefix, fields [(name, type, comment)]."""

    def __init__(self, name, line):
        self.name, self.line, self.fields = name, line, []

    def is_empty(self):
        return not self.fields


class Verb:
    def __init__(self, name, roles, is_note, number, comment, line):
        self.name, self.roles, self.is_note, self.id = name, roles, is_note, number
        self.comment, self.req = comment, Message(name, line)
        self.rep = None if is_note else Message(name + '_reply', line)


class Schema:
    def __init__(self, path):
        self.path, self.name, self.version, self.arena = path, None, 0, 0
        self.structs, self.verbs, self.words, self.intro = {}, [], [], []

    def hash(self):
        text = '\n'.join(self.words).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], 'big')

    def messages(self):
        """Every struct, in an order in which each stands after what it contains."""
        done, order = set(), []

        def visit(message, above):
            if message.name in done:
                return
            if message.name in above:
                raise SchemaError(f'{self.path}:{message.line}: struct {message.name} contains itself')
            for _, kind, _ in message.fields:
                inner = kind.item if kind.kind == 'list' else kind
                if inner.kind == 'struct':
                    visit(self.structs[inner.name], above | {message.name})
            done.add(message.name)
            order.append(message)

        for verb in self.verbs:
            visit(verb.req, frozenset())
            if verb.rep:
                visit(verb.rep, frozenset())
        return order


# ---- reading ----

class Reader:
    def __init__(self, path):
        self.schema, self.fields, self.verb, self.number = Schema(path), None, None, 0
        with open(path, encoding='utf-8') as f:
            for self.number, raw in enumerate(f, 1):
                self.line(raw.rstrip('\n'))
        self.check()

    def fail(self, text):
        raise SchemaError(f'{self.schema.path}:{self.number}: {text}')

    def line(self, raw):
        text, _, comment = raw.partition('#')
        words = text.split()
        if not words:
            if self.schema.name is None and comment:
                self.schema.intro.append(comment.strip())
            return
        self.schema.words.append(' '.join(words))
        if text[0] in ' \t':
            self.inside(words, comment.strip())
        else:
            self.section(words, comment.strip())

    def section(self, words, comment):
        s = self.schema
        self.fields = self.verb = None
        if (words[0] == 'interface') != (s.name is None):
            self.fail('"interface NAME VERSION" is the first line, once')
        if words[0] == 'interface' and len(words) == 3 and NAME.match(words[1]):
            s.name, s.version = words[1], self.number_of(words[2], 65535)
        elif words[0] == 'arena' and len(words) == 2:
            s.arena = self.number_of(words[1], LENGTH_MAX)
        elif words[0] == 'struct' and len(words) == 2:
            if words[1] in s.structs:
                self.fail(f'struct {words[1]} twice')
            s.structs[self.name_of(words[1])] = message = Message(words[1], self.number)
            self.fields = message.fields
        elif words[0] in ('call', 'note') and len(words) >= 4 and words[2] == 'from':
            for role in words[3:]:
                if role not in ROLES:
                    self.fail(f'no role "{role}"')
            is_note = words[0] == 'note'
            self.verb = Verb(self.name_of(words[1]), words[3:], is_note, len(s.verbs) + 1, comment,
                             self.number)
            s.verbs.append(self.verb)
            self.fields = self.verb.req.fields if is_note else None
        else:
            self.fail(f'expected interface, arena, struct, call or note, read "{" ".join(words)}"')

    def inside(self, words, comment):
        if words in (['req'], ['rep']) and self.verb and not self.verb.is_note:
            self.fields = (self.verb.req if words == ['req'] else self.verb.rep).fields
            return
        if self.fields is None or len(words) < 2:
            self.fail(f'expected NAME TYPE, read "{" ".join(words)}"')
        name = self.name_of(words[0])
        if name in [f[0] for f in self.fields]:
            self.fail(f'field {name} twice')
        self.fields.append((name, self.type_of(''.join(words[1:])), comment))

    def number_of(self, text, limit):
        if not text.isdigit() or not 0 < int(text) <= limit:
            self.fail(f'expected a number from 1 to {limit}, read "{text}"')
        return int(text)

    def name_of(self, text):
        if not NAME.match(text) or text in C_WORDS:
            self.fail(f'"{text}" is no name')
        return text

    def type_of(self, text):
        if text in SCALARS:
            return Type(text)
        match = re.fullmatch(r'(str|bytes|bulk|enum)<(\d+)>', text)
        if match:
            kind, limit = match.groups()
            if kind == 'enum':
                return Type('enum', self.number_of(limit, 255))
            return Type('bulk' if kind == 'bulk' else 'str', self.number_of(limit, LENGTH_MAX))
        match = re.fullmatch(r'list<(.+),(\d+)>', text)
        if match:
            item = self.type_of(match.group(1))
            if item.kind not in RAW_LISTS + ('str', 'struct'):
                self.fail(f'no list of {match.group(1)}')
            return Type('list', self.number_of(match.group(2), 1 << 24), item)
        return Type('struct', name=self.name_of(text))

    def check(self):
        s = self.schema
        self.number = 1
        if not s.verbs or not s.arena:
            self.fail('an interface needs "arena" and a call or note')
        messages = list(s.structs.values())
        for verb in s.verbs:
            messages += [verb.req] + ([verb.rep] if verb.rep else [])
        for message in messages:
            self.number = message.line
            self.check_message(message)
        names = [m.name for m in messages]
        for message in messages:
            self.number = message.line
            if names.count(message.name) > 1:
                self.fail(f'two things would be struct {s.name}_{message.name}')
        used = {m.name for m in s.messages()}
        for message in s.structs.values():
            self.number = message.line
            if message.is_empty() or message.name not in used:
                self.fail(f'struct {message.name} is empty or not used')

    def check_message(self, message):
        for name, kind, _ in message.fields:
            inner = kind.item if kind.kind == 'list' else kind
            if inner.kind == 'struct' and inner.name not in self.schema.structs:
                self.fail(f'no type "{inner.name}"')
            if kind.kind == 'list' and name + '_count' in [f[0] for f in message.fields]:
                self.fail(f'{name}_count is the count of {name}')


# ---- C ----

class Maker:
    def __init__(self, schema):
        self.s, self.out = schema, []

    def add(self, *lines):
        self.out += lines

    def text(self):
        return '\n'.join(self.out) + '\n'

    def head(self, name, about):
        self.add(f'/* {name} - {about}',
                 f' * Made by tools/ipcgen.py from {self.s.name}.ipc: change that instead.', ' *',
                 ' * SPDX-License-Identifier: Apache-2.0 */')

    def cname(self, message):
        return f'{self.s.name}_{message}'

    def ctype(self, kind):
        if kind.kind in SCALARS:
            return SCALARS[kind.kind][0] + ' '
        if kind.kind == 'enum':
            return 'uint8_t '
        if kind.kind == 'list':
            return 'const ' + self.ctype(kind.item) + '*'
        if kind.kind == 'struct':
            return f'struct {self.cname(kind.name)} '
        return 'struct str '

    def fixed(self, kind):
        """(bytes that a value always takes, whether it never takes more and any content is valid)."""
        if kind.kind in SCALARS:
            return SCALARS[kind.kind][1], True
        if kind.kind == 'enum':
            return 1, False
        if kind.kind == 'struct':
            parts = [self.fixed(f[1]) for f in self.s.structs[kind.name].fields]
            return sum(p[0] for p in parts), all(p[1] for p in parts)
        return kind.width(), False

    # NAME_ipc.h

    def header(self):
        name = self.s.name
        guard = f'IPC_{name.upper()}_IPC_H'
        self.head(f'{name}_ipc.h', f'what may be asked by way of interface {name}.')
        self.add(f'#ifndef {guard}', f'#define {guard}', '', '#include "rt/ipc.h"', '',
                 f'extern const struct ipc_service {name}_service_schema; /* without handlers */', '')
        for message in self.s.messages():
            self.limits(message)
            self.struct(message)
        for verb in self.s.verbs:
            self.prototypes(verb)
        self.add('/* For the tables only. */')
        for verb in self.s.verbs:
            for part in self.parts(verb):
                self.add(f'bool {part}_encode(struct ipc_writer *w, const void *value);',
                         f'bool {part}_decode(struct ipc_reader *r, void *value_out);')
        self.add(f'extern const struct ipc_codec {name}_codecs[];',
                 f'extern const size_t {name}_codec_count;', '', '#endif')
        return self.text()

    def limits(self, message):
        for field, kind, _ in message.fields:
            if kind.limit:
                self.add(f'#define {self.cname(message.name).upper()}_{field.upper()}_MAX {kind.limit}u')
            if kind.kind == 'list' and kind.item.limit:
                self.add(f'#define {self.cname(message.name).upper()}_{field.upper()}_ITEM_MAX '
                         f'{kind.item.limit}u')

    def struct(self, message):
        self.add(f'struct {self.cname(message.name)} {{')
        for field, kind, comment in message.fields:
            note = f' /* {comment} */' if comment else ''
            self.add(f'    {self.ctype(kind)}{field};{note}')
            if kind.kind == 'list':
                self.add(f'    size_t {field}_count;')
        if message.is_empty():
            self.add('    char unused;')
        self.add('};', '')

    def stub_signature(self, verb):
        name = self.cname(verb.name)
        if verb.is_note:
            return f'enum status {name}_note(struct ipc_peer *p, const struct {name} *req)'
        return (f'enum status {name}_call(struct ipc_peer *p, const struct {name} *req, '
                f'struct arena *a, struct {name}_reply *rep_out)')

    def prototypes(self, verb):
        if verb.comment:
            self.add(f'/* {verb.comment} */')
        colour = 'MUST_USE' if verb.is_note else 'MUST_USE SUSPENDS'
        self.add(f'{colour} {self.stub_signature(verb)};', '')

    def parts(self, verb):
        """Prefix of the codec functions of each message that is sent."""
        name = self.cname(verb.name)
        return [f'{name}_req'] + ([] if verb.is_note else [f'{name}_rep'])

    # NAME_ipc.c

    def source(self):
        name = self.s.name
        self.head(f'{name}_ipc.c', f'codecs and client stubs of interface {name}.')
        self.add(f'#include "ipc/{name}_ipc.h"', '', '#include "rt/ipc_codec.h"', '',
                 f'const struct ipc_service {name}_service_schema = {{', f'    .name = "{name}",',
                 f'    .version = {self.s.version},',
                 f'    .schema_hash = 0x{self.s.hash():016x}u,',
                 f'    .arena_budget = {self.s.arena},', '};', '')
        for message in self.s.messages():
            if not message.is_empty():
                self.sizer(message)
                self.putter(message)
                self.getter(message)
        for verb in self.s.verbs:
            self.codec(self.parts(verb)[0], verb.req)
            if verb.rep:
                self.codec(self.parts(verb)[1], verb.rep)
            self.stub(verb)
        self.table()
        return self.text()

    def sizer(self, message):
        if message.name in self.s.structs and self.fixed(Type('struct', name=message.name))[1]:
            return  # counted where it is used
        name = self.cname(message.name)
        self.add('static void', f'size_{name}(struct ipc_writer *w, const struct {name} *v)', '{')
        constant = sum(self.fixed(kind)[0] for _, kind, _ in message.fields)
        self.add(f'    w->need += {constant};')
        if all(self.fixed(kind)[1] for _, kind, _ in message.fields):
            self.add('    (void)v;')
        for field, kind, _ in message.fields:
            self.size_field(field, kind)
        self.add('}', '')

    def size_field(self, field, kind):
        if kind.kind == 'enum':
            self.add(f'    w->bad |= v->{field} > {kind.limit};')
        elif kind.kind in ('str', 'bulk'):
            self.add(f'    ipc_size_{kind.kind}(w, v->{field}, {kind.limit});')
        elif kind.kind == 'struct' and not self.fixed(kind)[1]:
            # What every value takes is counted already.
            self.add(f'    w->need -= {self.fixed(kind)[0]};',
                     f'    size_{self.cname(kind.name)}(w, &v->{field});')
        elif kind.kind == 'list':
            size, plain = self.fixed(kind.item)
            if plain:
                self.add(f'    ipc_size_list(w, v->{field}_count, {kind.limit}, {size});')
                return
            self.add(f'    ipc_size_list(w, v->{field}_count, {kind.limit}, 0);',
                     f'    for (size_t i = 0; i < v->{field}_count && !w->bad; i++) {{')
            if kind.item.kind == 'struct':
                self.add(f'        size_{self.cname(kind.item.name)}(w, &v->{field}[i]);')
            else:
                self.add(f'        w->need += {kind.item.width()};',
                         f'        ipc_size_str(w, v->{field}[i], {kind.item.limit});')
            self.add('    }')

    def putter(self, message):
        name = self.cname(message.name)
        self.add('static void', f'put_{name}(struct ipc_writer *w, const struct {name} *v)', '{')
        for field, kind, _ in message.fields:
            if kind.kind == 'list':
                self.add(f'    ipc_put_length(w, v->{field}_count, {kind.width()});')
                if kind.item.kind in RAW_LISTS:
                    self.add(f'    ipc_put_raw(w, v->{field}, v->{field}_count * '
                             f'sizeof(v->{field}[0]));')
                else:
                    self.add(f'    for (size_t i = 0; i < v->{field}_count; i++)',
                             '    ' + self.put_value(f'v->{field}[i]', kind.item))
            else:
                self.add(self.put_value(f'v->{field}', kind))
        self.add('}', '')

    def put_value(self, value, kind):
        if kind.kind == 'struct':
            return f'    put_{self.cname(kind.name)}(w, &{value});'
        if kind.kind == 'str':
            return f'    ipc_put_str(w, {value}, {kind.width()});'
        return f'    ipc_put_{"u8" if kind.kind == "enum" else kind.kind}(w, {value});'

    def getter(self, message):
        name = self.cname(message.name)
        self.add('static void', f'get_{name}(struct ipc_reader *r, struct {name} *v)', '{')
        for field, kind, _ in message.fields:
            if kind.kind == 'list':
                self.get_list(field, kind)
            else:
                self.add(self.get_value(f'v->{field}', kind))
        self.add('}', '')

    def get_value(self, value, kind):
        if kind.kind == 'struct':
            return f'    get_{self.cname(kind.name)}(r, &{value});'
        if kind.kind == 'str':
            return f'    {value} = ipc_get_str(r, {kind.width()}, {kind.limit});'
        if kind.kind == 'bulk':
            return f'    {value} = ipc_get_bulk(r, {kind.limit});'
        if kind.kind == 'enum':
            return f'    {value} = ipc_get_enum(r, {kind.limit});'
        return f'    {value} = ipc_get_{kind.kind}(r);'

    def get_list(self, field, kind):
        count = f'v->{field}_count'
        item = self.ctype(kind.item)
        self.add(f'    {count} = ipc_get_count(r, {kind.width()}, {kind.limit}, '
                 f'{self.fixed(kind.item)[0]});',
                 f'    if ({count} > 0) {{',
                 f'        {item}*list = ipc_get_array(r, {count}, sizeof(*list));', '')
        if kind.item.kind in RAW_LISTS:
            self.add(f'        ipc_get_raw(r, list, {count} * sizeof(*list));')
        else:
            self.add(f'        for (size_t i = 0; i < {count} && !r->bad; i++)',
                     '        ' + self.get_value('list[i]', kind.item))
        self.add(f'        v->{field} = list;', '    }')

    def codec(self, prefix, message):
        name = self.cname(message.name)
        self.add('bool', f'{prefix}_encode(struct ipc_writer *w, const void *value)', '{')
        if message.is_empty():
            self.add('    (void)value;', '    return ipc_reserve(w);', '}', '')
        else:
            self.add(f'    size_{name}(w, value);', '    if (!ipc_reserve(w))',
                     '        return false;', f'    put_{name}(w, value);',
                     '    return ipc_put_end(w);', '}', '')
        self.add('bool', f'{prefix}_decode(struct ipc_reader *r, void *value_out)', '{')
        if not message.is_empty():
            self.add(f'    struct {name} v = {{0}};', '', f'    get_{name}(r, &v);',
                     '    if (!ipc_get_end(r))', '        return false;',
                     f'    *(struct {name} *)value_out = v;', '    return true;', '}', '')
        else:
            self.add(f'    *(struct {name} *)value_out = (struct {name}){{0}};',
                     '    return ipc_get_end(r);', '}', '')

    def stub(self, verb):
        name = self.cname(verb.name)
        kind, signature = self.stub_signature(verb).split(' ', 2)[0:2], self.stub_signature(verb)
        signature = signature[len(' '.join(kind)) + 1:]
        self.add('enum status', signature, '{', '    static const struct ipc_call call = {',
                 f'        .service = &{self.s.name}_service_schema,', f'        .id = {verb.id},',
                 f'        .encode = {name}_req_encode,')
        if verb.is_note:
            self.add('    };', '', '    return ipc_note(p, &call, req);', '}', '')
        else:
            self.add(f'        .decode = {name}_rep_decode,', '    };', '',
                     '    return ipc_call(p, &call, req, a, rep_out);', '}', '')

    def table(self):
        name = self.s.name
        self.add(f'const struct ipc_codec {name}_codecs[] = {{')
        count = 0
        for verb in self.s.verbs:
            for part, message in zip(self.parts(verb), [verb.req, verb.rep]):
                count += 1
                self.add(f'    {{"{part}", sizeof(struct {self.cname(message.name)}), {part}_encode, '
                         f'{part}_decode}},')
        self.add('};', f'const size_t {name}_codec_count = {count};')

    # NAME_serve.h

    def serve(self):
        name = self.s.name
        guard = f'IPC_{name.upper()}_SERVE_H'
        linkage = f'{name.upper()}_SERVE_LINKAGE'
        self.head(f'{name}_serve.h',
                  f'the answering end of interface {name}.  Who includes it writes the handlers and gives '
                  f'{name}_service to ipc_attach().')
        self.add(f'#ifndef {guard}', f'#define {guard}', '', f'#include "ipc/{name}_ipc.h"', '',
                 '/* Where several roles answer, each defines this as static before the include. */',
                 f'#ifndef {linkage}', f'#define {linkage} extern', '#endif', '')
        for verb in self.s.verbs:
            self.handler(verb)
        only = f'{name.upper()}_SERVE_HANDLERS_ONLY'
        self.add('', '/* Handlers may stand in several files: all but one define this before the include. */',
                 f'#ifndef {only}')
        before = f'{name.upper()}_SERVE_BEFORE'
        self.add('/* What every call passes first; a failure is its answer.  May suspend. */',
                 f'#ifndef {before}', f'#define {before}(from) OK', '#endif')
        for verb in self.s.verbs:
            self.thunk(verb)
        self.add(f'static const struct ipc_verb {name}_verbs[] = {{')
        for verb in self.s.verbs:
            self.verb_line(verb)
        self.add('};', f'static const struct ipc_service {name}_service = {{', f'    .name = "{name}",',
                 f'    .version = {self.s.version},',
                 f'    .schema_hash = 0x{self.s.hash():016x}u,', f'    .verbs = {name}_verbs,',
                 f'    .verb_count = {len(self.s.verbs)},', f'    .arena_budget = {self.s.arena},',
                 '};', '#endif', '', '#endif')
        return self.text()

    def handler(self, verb):
        name = f'{self.s.name}_serve_{verb.name}'
        request = f'struct ipc_peer *from, const struct {self.cname(verb.name)} *req, struct arena *a'
        linkage = f'{self.s.name.upper()}_SERVE_LINKAGE'
        if verb.is_note:
            self.add(f'{linkage} SUSPENDS void {name}({request});')
        else:
            self.add(f'{linkage} SUSPENDS enum status {name}({request}, '
                     f'struct {self.cname(verb.name)}_reply *rep);')

    def thunk(self, verb):
        name = self.cname(verb.name)
        self.add('', 'FIBER_ENTRY static enum status',
                 f'call_{name}(struct ipc_peer *from, const void *req, struct arena *a, void *rep)', '{')
        self.add(f'    enum status before = {self.s.name.upper()}_SERVE_BEFORE(from);', '',
                 '    if (before != OK)', '        return before;')
        if verb.is_note:
            self.add('    (void)rep;', f'    {self.s.name}_serve_{verb.name}(from, req, a);',
                     '    return OK;', '}')
        else:
            self.add(f'    return {self.s.name}_serve_{verb.name}(from, req, a, rep);', '}')

    def verb_line(self, verb):
        name = self.cname(verb.name)
        roles = ' | '.join(f'1u << ROLE_{r.upper()}' for r in verb.roles)
        rep = '0' if verb.is_note else f'sizeof(struct {name}_reply)'
        encode = 'NULL' if verb.is_note else f'{name}_rep_encode'
        self.add('    {', f'        .id = {verb.id},', f'        .from = {roles},',
                 f'        .is_note = {"true" if verb.is_note else "false"},',
                 f'        .req_size = sizeof(struct {name}),', f'        .rep_size = {rep},',
                 f'        .decode = {name}_req_decode,', f'        .encode = {encode},',
                 f'        .serve = call_{name},', '    },')


def make_all(schemas):
    spdx = [' *', ' * SPDX-License-Identifier: Apache-2.0 */']
    header = ['/* ipc_all.h - every codec of every interface.  Made by tools/ipcgen.py.', *spdx,
              '#ifndef IPC_IPC_ALL_H', '#define IPC_IPC_ALL_H', '', '#include "rt/ipc.h"', '',
              'struct ipc_interface {', '    const struct ipc_service *service;',
              '    const struct ipc_codec *codecs;', '    const size_t *codec_count;', '};',
              f'#define IPC_INTERFACE_COUNT {len(schemas)}u',
              'extern const struct ipc_interface ipc_interfaces[IPC_INTERFACE_COUNT];', '', '#endif']
    source = ['/* ipc_all.c - every codec of every interface.  Made by tools/ipcgen.py.', *spdx,
              '#include "ipc/ipc_all.h"', '']
    source += [f'#include "ipc/{s.name}_ipc.h"' for s in schemas]
    source += ['', 'const struct ipc_interface ipc_interfaces[IPC_INTERFACE_COUNT] = {']
    source += [f'    {{&{s.name}_service_schema, {s.name}_codecs, &{s.name}_codec_count}},'
               for s in schemas]
    return {'ipc_all.h': '\n'.join(header) + '\n', 'ipc_all.c': '\n'.join(source + ['};']) + '\n'}


# ---- documentation ----

def doc_type(kind):
    if kind.kind == 'list':
        return f'list of {doc_type(kind.item)}, at most {kind.limit}'
    if kind.kind == 'struct':
        return kind.name
    if kind.kind in ('str', 'bulk'):
        return f'{"bulk" if kind.kind == "bulk" else "bytes"} ≤ {kind.limit}'
    return f'0..{kind.limit}' if kind.kind == 'enum' else kind.kind


def doc_fields(message):
    if message is None:
        return '—'
    return ', '.join(f'{name}: {doc_type(kind)}' for name, kind, _ in message.fields) or 'nothing'


def make_doc(schemas):
    out = ['# What the roles say to each other', '',
           'Made by `make docs` from `src/ipc/*.ipc`, which is the place to change.  A request from a role '
           'that is not listed, or with a value past its bound, ends the channel.', '']
    for s in schemas:
        out += [f'## {s.name}, version {s.version}', '']
        if s.intro:
            out += [' '.join(s.intro), '']
        out += ['| Verb | Said by | Asks | Answer |', '|---|---|---|---|']
        for v in s.verbs:
            out += [f'| `{v.name}`{" (note)" if v.is_note else ""} | {", ".join(v.roles)} | '
                    f'{doc_fields(v.req)} | {doc_fields(v.rep)} |']
        if s.structs:
            out += ['', '| Value | Fields |', '|---|---|']
            out += [f'| {m.name} | {doc_fields(m)} |' for m in s.structs.values()]
        out.append('')
    return '\n'.join(out)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
        f.write(text)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('schemas', nargs='+')
    options.add_argument('--out-dir', default='.')
    options.add_argument('--all', action='store_true')
    args = options.parse_args()
    try:
        schemas = [Reader(path).schema for path in args.schemas]
    except SchemaError as e:
        sys.exit(str(e))
    if args.all:
        for name, text in make_all(schemas).items():
            write(args.out_dir, name, text)
    else:
        for s in schemas:
            write(args.out_dir, f'{s.name}_ipc.h', Maker(s).header())
            write(args.out_dir, f'{s.name}_ipc.c', Maker(s).source())
            write(args.out_dir, f'{s.name}_serve.h', Maker(s).serve())
    return 0


if __name__ == '__main__':
    sys.exit(main())
