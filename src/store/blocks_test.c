/* blocks_test.c - networks that may not connect: kept, listed, over, too many.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/blocks.h"

#include "base/limits.h"
#include "base/size.h"
#include "store/testkit_internal.h"

static struct block
block(const char *net, int64_t since, int64_t until)
{
    struct block b = {.since = {since}, .until = {until}};

    ASSERT(net_read(str_of(net), &b.net));
    return b;
}

/* Their texts, each with its end, as one string. */
static SUSPENDS struct str
listed(struct kit *k, struct blocks *b, int64_t now)
{
    AUTO_BUF text = BUF(1 << 20);
    const struct block *list;
    size_t n;

    ASSERT(blocks_list(b, (struct instant){now}, k->a, &list, &n) == OK);
    for (size_t i = 0; i < n; i++) {
        net_write(&list[i].net, &text);
        buf_addf(&text, " %lld;", (long long)list[i].until.us);
    }
    return arena_str(k->a, buf_str(&text));
}

static SUSPENDS void
add(struct blocks *b, const char *net, int64_t since, int64_t until)
{
    const struct block one = block(net, since, until);

    ASSERT(blocks_add(b, &one) == OK);
}

static SUSPENDS enum status
take(struct blocks *b, const char *net, int64_t now)
{
    const struct block one = block(net, 0, 0);

    return blocks_remove(b, &one.net, (struct instant){now});
}

static SUSPENDS void
test_they_are_kept(struct kit *k)
{
    struct blocks *b = blocks_new(k->cs);

    ASSERT(listed(k, b, 10).len == 0);
    ASSERT(take(b, "192.0.2.0/24", 10) == ERR_NOT_FOUND);
    add(b, "2001:db8::/32", 10, 0);
    add(b, "192.0.2.0/24", 10, 0);
    add(b, "192.0.2.7", 11, 100);
    ASSERT(str_eq(listed(k, b, 12), STR("192.0.2.0/24 0;192.0.2.7 100;2001:db8::/32 0;")));
    ASSERT(take(b, "192.0.2.8", 12) ==
           ERR_NOT_FOUND); /* it is blocked, but has no block of its own */
    blocks_free(&b);
    kit_reopen(k);
    b = blocks_new(k->cs);
    ASSERT(str_eq(listed(k, b, 99), STR("192.0.2.0/24 0;192.0.2.7 100;2001:db8::/32 0;")));
    ASSERT(str_eq(listed(k, b, 100), STR("192.0.2.0/24 0;2001:db8::/32 0;")));
    add(b, "192.0.2.0/24", 20, 200); /* anew: the later one holds */
    ASSERT(take(b, "2001:db8::/32", 20) == OK);
    ASSERT(str_eq(listed(k, b, 21), STR("192.0.2.0/24 200;192.0.2.7 100;")));
    ASSERT(take(b, "192.0.2.7", 100) == ERR_NOT_FOUND); /* it is over */
    ASSERT(str_eq(listed(k, b, 21), STR("192.0.2.0/24 200;")));
    blocks_free(&b);
}

static SUSPENDS void
test_there_are_so_many(struct kit *k)
{
    struct blocks *b = blocks_new(k->cs);
    struct block one = block("10.0.0.0", 1, 50);
    const struct block *list;
    size_t n;

    for (size_t i = 0; i < LIMIT_BLOCKS; i++) {
        be32_put(one.net.bytes, 0x0a000000u + (uint32_t)i);
        one.until.us = i == 0 ? 50 : 0;
        ASSERT(blocks_add(b, &one) == OK);
    }
    const struct block more = block("192.0.2.1", 2, 0), again = block("10.0.0.9", 2, 0),
                       later = block("192.0.2.1", 50, 0), last = block("192.0.2.2", 50, 0);
    ASSERT(blocks_add(b, &more) == ERR_LIMIT);
    ASSERT(blocks_add(b, &again) == OK); /* this one is there already */
    ASSERT(blocks_add(b, &later) == OK); /* by now one is over */
    ASSERT(blocks_add(b, &last) == ERR_LIMIT);
    ASSERT(blocks_list(b, (struct instant){50}, k->a, &list, &n) == OK && n == LIMIT_BLOCKS);
    blocks_free(&b);
}

static SUSPENDS void
test_what_is_no_block(struct kit *k)
{
    static const struct {
        struct str key, value;
        enum status status;
    } rows[] = {
        {STR("\x04\x20"
             "abcd"),
         STR("\x01\x02\x00"), OK},
        {STR("\x04\x18"
             "abcd"), /* the last byte is past the prefix */
         STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x04\x18"
             "abc\0"),
         STR("\x01\x02\x00"), OK},
        {STR("\x04\x21"
             "abcd"),
         STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abc"),
         STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abcde"),
         STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x05\x20"
             "abcde"),
         STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abcd"),
         STR("\x02\x02\x00"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abcd"),
         STR("\x01\x02"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abcd"),
         STR("\x01\x02\x00\x00"), ERR_CORRUPT},
        {STR("\x04\x20"
             "abcd"),
         STR(""), ERR_CORRUPT},
        {STR(""), STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x04"), STR("\x01\x02\x00"), ERR_CORRUPT},
        {STR("\x10\x80"
             "0123456789abcdef"),
         STR("\x01\x00\x00"), OK},
        {STR("\x10\x81"
             "0123456789abcdef"),
         STR("\x01\x00\x00"), ERR_CORRUPT},
    };
    struct block b;

    (void)k;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ASSERT(block_read(rows[i].key, rows[i].value, &b) == rows[i].status);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"they are kept", test_they_are_kept, KIT_ALL},
        {"there are so many", test_there_are_so_many, KIT_MEM},
        {"what is no block", test_what_is_no_block, KIT_MEM},
    };

    (void)argc;
    return kit_main("blocks", rows, COUNT_OF(rows), argv);
}
