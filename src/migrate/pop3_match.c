/* pop3_match.c - lines of UIDL and LIST, and which messages of an INBOX they mean.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/scan.h"
#include "migrate/pop3_uidls.h"

struct sized { /* of one list */
    uint64_t size;
    size_t at;
};

/* unique-id = 1*70 of 0x21 to 0x7E      RFC 1939 section 7 */
static bool
is_id_char(char c)
{
    return c > ' ' && c <= '~';
}

static bool
scan_number(struct scan *s, uint32_t *out)
{
    struct scan t = *s;
    uint32_t n;

    if (!scan_u32(&t, UINT32_MAX, &n) || n == 0 || !scan_spaces(&t))
        return false;
    *out = n;
    *s = t;
    return true;
}

bool
pop3_uidl_line(struct str line, struct pop3_entry *out)
{
    struct scan s = scan_of(line);
    struct pop3_entry e = {0};

    if (!scan_number(&s, &e.number) || !scan_while(&s, is_id_char, LIMIT_UIDL_BYTES, &e.uidl))
        return false;
    scan_skip_spaces(&s);
    if (!scan_at_end(&s))
        return false;
    *out = e;
    return true;
}

/* More may follow the size. */
bool
pop3_size_line(struct str line, struct pop3_entry *out)
{
    struct scan s = scan_of(line);
    struct pop3_entry e = {0};

    if (!scan_number(&s, &e.number) || !scan_u64(&s, INT64_MAX, &e.size) ||
        (!scan_at_end(&s) && *s.pos != ' '))
        return false;
    *out = e;
    return true;
}

static int
compare(const void *a, const void *b)
{
    const struct sized *x = a, *y = b;

    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* How many from i on have its size. */
static size_t
run_of(const struct sized *s, size_t i, size_t count)
{
    size_t n = 1;

    while (i + n < count && s[i + n].size == s[i].size)
        n++;
    return n;
}

size_t
pop3_match(const struct pop3_list *l, struct migrate_message *messages, size_t count,
           struct arena *a)
{
    struct sized *there = ARENA_ARRAY(a, struct sized, l->count + 1);
    struct sized *here = ARENA_ARRAY(a, struct sized, count + 1);
    size_t i = 0, k = 0, given = 0;

    for (size_t n = 0; n < l->count; n++)
        there[n] = (struct sized){l->at[n].size, n};
    for (size_t n = 0; n < count; n++)
        here[n] = (struct sized){messages[n].size, n};
    qsort(there, l->count, sizeof(*there), compare);
    qsort(here, count, sizeof(*here), compare);
    while (i < l->count && k < count) {
        size_t run_there = run_of(there, i, l->count), run_here = run_of(here, k, count);
        bool same = there[i].size == here[k].size;
        for (size_t n = 0; same && run_there == run_here && n < run_here; n++, given++)
            messages[here[k + n].at].uidl = l->at[there[i + n].at].uidl;
        bool both = same;
        uint64_t size = there[i].size;
        if (both || size < here[k].size)
            i += run_there;
        if (both || size > here[k].size)
            k += run_here;
    }
    return l->count - given;
}
