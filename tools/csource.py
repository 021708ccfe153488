"""csource.py - what the check scripts need to know of C: files, code without comments, functions.

Run as a program it prints the names of all our C files.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]* )
  | (?P<string>  "(?:\\.|[^"\\\n])*" )
  | (?P<char>    '(?:\\.|[^'\\\n])*' )
""", re.VERBOSE | re.DOTALL)


def files(*folders, endings=('.c', '.h')):
    """Paths relative to the root, sorted, of the sources below the folders."""
    found = []
    for folder in folders:
        for where, folders_in, names in os.walk(os.path.join(ROOT, folder)):
            folders_in[:] = sorted(f for f in folders_in if f != 'node_modules')
            found += [os.path.relpath(os.path.join(where, n), ROOT)
                      for n in sorted(names) if n.endswith(endings)]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def code(text, keep_strings=False):
    """The text with comments (and the insides of literals) blanked; line numbers stay."""
    def blank(match):
        found = match.group(0)
        if match.lastgroup != 'comment':
            return found if keep_strings else found[0] + ' ' * (len(found) - 2) + found[-1]
        return re.sub(r'[^\n]', ' ', found)
    return TOKEN.sub(blank, text)


def includes(text):
    """(line number, name, is_quoted) of every #include."""
    for number, line in enumerate(code(text, keep_strings=True).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def parameters(signature):
    """How many parameters stand between the outer parentheses of NAME(...)."""
    inside = signature[signature.index('(') + 1:signature.rindex(')')].strip()
    if inside in ('', 'void'):
        return 0
    depth = 0
    count = 1
    for c in inside:
        depth += (c in '([{') - (c in ')]}')
        count += c == ',' and depth == 0
    return count


def functions(text):
    """(name, line, lines of the body with its braces, parameters) of every function definition.

    Relies on the format gate: name at column 0 on its own line, braces of the body at column 0.
    """
    lines = code(text).splitlines()
    start = None
    for number, line in enumerate(lines):
        if start is None or not start[2]:
            match = re.match(r'([a-z_]\w*)\(', line)
            if match:
                start = [match.group(1), number, 0]
        if start is None:
            continue
        if line == '{' and not start[2]:
            start[2] = number
        elif line.endswith(';') and not start[2]:
            start = None
        elif line.startswith('}') and start[2]:
            signature = ' '.join(lines[start[1]:start[2]])
            yield start[0], start[1] + 1, number - start[2] + 1, parameters(signature)
            start = None


if __name__ == '__main__':
    print('\n'.join(files('src', 'tools', 'tests', 'bench')))
