"""Zone files for --dns-file (src/dns/zone.h), made of names and records.

SPDX-License-Identifier: Apache-2.0
"""
TYPES = ('A', 'AAAA', 'MX', 'TXT', 'PTR', 'CNAME')


def _bytes(text, plain):
    """Each character is a byte, as in suites that write bytes over 0x7f as "\\xEF"; others become their UTF-8."""
    try:
        raw = text.encode('latin-1')
    except UnicodeEncodeError:
        raw = text.encode('utf-8')
    return ''.join(chr(b) if chr(b) in plain else f'\\{b:03}' for b in raw)


_NAME = set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/%')
_TEXT = {chr(b) for b in range(0x20, 0x7f)} - {'"', '\\'}


def name(text):
    return _bytes(text, _NAME) or '.'


def text(parts):
    """The data of a TXT record; a part that is too long for one string is divided."""
    parts = [parts] if isinstance(parts, str) else parts
    pieces = [p[i:i + 255] for p in parts for i in range(0, max(len(p), 1), 255)]
    return ' '.join(f'"{_bytes(p, _TEXT)}"' for p in pieces) or '""'


def line(owner, kind, data):
    if kind in ('TXT', 'SPF'):
        data = text(data)
    elif kind == 'MX':
        data = f'{data[0]} {name(data[1])}'
    elif kind in ('PTR', 'CNAME'):
        data = name(data)
    return f'{name(owner)} {kind} {data}\n'
