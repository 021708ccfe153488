/* pop3_match_fuzz.c - lines of UIDL and LIST; and no unique id is given twice, none to a message of another size.
 *
 * Of the first byte the sizes there are taken, of the rest those here: 4 bits each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/pop3_uidls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGES_MAX = 64 };

static void
check_lines(struct str in)
{
    struct pop3_entry e;

    if (pop3_uidl_line(in, &e)) {
        ASSERT(e.number > 0 && e.uidl.len > 0 && e.uidl.len <= LIMIT_UIDL_BYTES);
        for (size_t i = 0; i < e.uidl.len; i++)
            ASSERT(e.uidl.ptr[i] > ' ' && e.uidl.ptr[i] <= '~');
    }
    if (pop3_size_line(in, &e))
        ASSERT(e.number > 0 && e.size <= INT64_MAX);
}

static void
check_match(const uint8_t *data, size_t there, size_t here)
{
    AUTO_ARENA *a = arena_new((size_t)1 << 20);
    struct pop3_entry at[MESSAGES_MAX] = {0};
    struct migrate_message messages[MESSAGES_MAX] = {0};
    const struct pop3_list l = {at, there};
    bool given[MESSAGES_MAX] = {0};
    size_t n = 0;

    for (size_t i = 0; i < there; i++)
        at[i] = (struct pop3_entry){(uint32_t)i, data[i] & 15u, {(const char *)&data[i], 1}};
    for (size_t i = 0; i < here; i++)
        messages[i].size = data[there + i] & 15u;
    size_t lost = pop3_match(&l, messages, here, a);
    for (size_t i = 0; i < here; i++) {
        if (messages[i].uidl.len == 0)
            continue;
        size_t which = (size_t)(messages[i].uidl.ptr - (const char *)data);
        ASSERT(which < there && !given[which] && at[which].size == messages[i].size);
        given[which] = true;
        n++;
    }
    ASSERT(lost + n == there);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_lines((struct str){(const char *)data, size});
    if (size == 0)
        return 0;
    size_t there = data[0] % MESSAGES_MAX;
    if (there > size - 1)
        there = size - 1;
    size_t here = size - 1 - there < MESSAGES_MAX ? size - 1 - there : MESSAGES_MAX;
    check_match(data + 1, there, here);
    return 0;
}
