/* letters.c - see letters.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/letters.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/status.h"
#include "rt/random.h"

enum { GROUP = 4, BLANKS_MAX = 64 };

/* Without l, o, 0 and 1, which look alike. */
static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
static_assert(sizeof(letters) - 1 == 32, "five bits each");

void
letters_make(size_t n, char *text_out)
{
    unsigned char byte;
    char *p = text_out;

    ASSERT(n > 0 && n % GROUP == 0);
    for (size_t i = 0; i < n; i++) {
        random_fill(&byte, 1);
        if (i > 0 && i % GROUP == 0)
            *p++ = '-';
        *p++ = letters[byte & 31];
    }
    ASSERT(p == text_out + LETTERS_TEXT(n));
    mem_wipe(&byte, sizeof(byte));
}

bool
letters_read(struct str given, size_t n, char *letters_out)
{
    size_t found = 0;

    if (given.len > n + BLANKS_MAX)
        return false;
    for (size_t i = 0; i < given.len; i++) {
        char c = ascii_lower(given.ptr[i]);
        if (c == ' ' || c == '-')
            continue;
        if (found == n || str_find(str_of(letters), c) < 0)
            return false;
        letters_out[found++] = c;
    }
    return found == n;
}
