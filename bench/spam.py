#!/usr/bin/python3
"""spam.py - how much unwanted mail the score catches, and how much wanted mail it takes for junk.

The corpus is split by date: what came before CUT made the prior that ships with Godwit (src/policy/spam_prior.bin); what
came later is judged.  "from the first day": with the prior alone.  "with moves, day by day": as one account whose owner
moves, each evening, what was judged wrongly to or from Junk, and nothing else.

Run:  bench/spam.py [--program build/spam_bench] [--corpus FOLDER] [--prior OUT] [--threshold N]
      --prior OUT  makes the prior anew, of the earlier part

SPDX-License-Identifier: Apache-2.0
"""
import argparse
import email.utils
import os
import re
import subprocess
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CUT = (2002, 9, 13)
NAME = 'corpus-2002.tar.xz'


def date_of(text):
    """When it came: the mbox line, else the newest Received, else Date."""
    mbox = re.match(r'From \S+\s+(.*)\n', text)
    received = re.search(r'(?im)^received:.*\n(?:[ \t].*\n)*', text)
    date = re.search(r'(?im)^date:(.*)', text)
    for found in (mbox and mbox.group(1), received and received.group(0).rsplit(';', 1)[-1],
                  date and date.group(1)):
        parsed = found and email.utils.parsedate_tz(found.strip())
        if parsed:
            return parsed[:6]
    return CUT


def messages(folder):
    found = []
    for kind in ('ham', 'spam'):
        for name in sorted(os.listdir(os.path.join(folder, kind))):
            path = os.path.join(folder, kind, name)
            with open(path, 'rb') as f:
                found.append((date_of(f.read(8000).decode('latin-1')), kind, path))
    return sorted(found)


def call(program, words, mails):
    lines = ''.join('%04d-%02d-%02d %s %s\n' % (*d[:3], kind, path) for d, kind, path in mails)
    return subprocess.run([program, *words], input=lines, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--program', default=os.path.join(HERE, '..', 'build', 'spam_bench'))
    p.add_argument('--corpus', default=os.path.join(
        os.environ.get('GODWIT_SUITES') or os.path.join(HERE, '..', '..', 'shared', 'suites'), 'spam'))
    p.add_argument('--prior')
    p.add_argument('--threshold')
    p.add_argument('--words', action='store_true', help='each later message with its heaviest words')
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(os.path.join(o.corpus, NAME)) as t:
            t.extractall(folder)
        every = messages(folder)
        earlier = [m for m in every if m[0] < CUT]
        later = [m for m in every if m[0] >= CUT]
        if o.prior:
            print(call(o.program, ['prior', o.prior], earlier), end='')
            return
        for name, part in (('earlier', earlier), ('later', later)):
            spam = sum(kind == 'spam' for _, kind, _ in part)
            print('%s: %d messages, %s to %s, %d of them unwanted' % (
                name, len(part), '%d-%02d-%02d' % part[0][0][:3], '%d-%02d-%02d' % part[-1][0][:3], spam))
        words = ['words'] if o.words else ['judge', *([o.threshold] if o.threshold else [])]
        print(call(o.program, words, later), end='')


if __name__ == '__main__':
    main()
