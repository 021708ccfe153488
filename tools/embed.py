#!/usr/bin/env python3
"""embed.py - a file as a C array: embed.py FILE NAME OUT.c

SPDX-License-Identifier: Apache-2.0
"""
import sys


def main():
    source, name, out = sys.argv[1:]
    with open(source, 'rb') as f:
        data = f.read()
    with open(out, 'w', encoding='ascii') as f:
        f.write(f'#include <stddef.h>\nextern const unsigned char {name}[];\n'
                f'extern const size_t {name}_size;\nconst unsigned char {name}[] = {{\n')
        for i in range(0, len(data), 24):
            f.write(','.join(str(b) for b in data[i:i + 24]) + ',\n')
        f.write(f'}};\nconst size_t {name}_size = {len(data)};\n')


if __name__ == '__main__':
    main()
