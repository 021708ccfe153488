/* tally_test.c - counts of a day: added up, kept, listed, dropped, too many, and what meanwhile happens.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/tally.h"

#include "base/size.h"
#include "store/testkit_internal.h"

static const struct tally_options options = {
    .cell = TALLY_CELL, .rows_max = 600, .group_max = 500, .waiting_max = 550};

static struct tally_group
group(uint8_t kind, uint32_t day, const char *domain)
{
    return (struct tally_group){.kind = kind, .day = day, .domain = str_of(domain)};
}

static void
count(struct tally *t, struct tally_group g, const char *row, uint64_t n)
{
    const struct tally_row r = {.bytes = str_of(row), .count = n};

    tally_count(t, &g, &r);
}

/* "row=count;" of each, by row. */
static SUSPENDS struct str
listed(struct kit *k, struct tally *t, struct tally_group g)
{
    AUTO_BUF text = BUF(1 << 20);
    const struct tally_row *rows;
    size_t n;

    ASSERT(tally_rows(t, &g, k->a, &rows, &n) == OK);
    for (int c = 0; c < 256; c++)
        for (size_t i = 0; i < n; i++)
            if (rows[i].bytes.len > 0 && (uint8_t)rows[i].bytes.ptr[0] == c)
                buf_addf(&text, "%.*s=%llu;", STR_FMT(rows[i].bytes),
                         (unsigned long long)rows[i].count);
    return arena_str(k->a, buf_str(&text));
}

static SUSPENDS struct str
groups(struct kit *k, struct tally *t, uint8_t kind, uint32_t to)
{
    AUTO_BUF text = BUF(1 << 20);
    const struct tally_span span = {.kind = kind, .to = to};
    const struct tally_group *list;
    size_t n;

    ASSERT(tally_groups(t, &span, k->a, &list, &n) == OK);
    for (size_t i = 0; i < n; i++)
        buf_addf(&text, "%u/%u/%.*s;", list[i].kind, list[i].day, STR_FMT(list[i].domain));
    return arena_str(k->a, buf_str(&text));
}

static SUSPENDS void
test_they_add_up(struct kit *k)
{
    struct tally *t = tally_new(k->cs, &options);

    ASSERT(groups(k, t, 0, 100).len == 0 && tally_write(t) == OK);
    count(t, group(1, 20, "b.example"), "x", 1);
    count(t, group(1, 20, "b.example"), "x", 2);
    count(t, group(1, 20, "b.example"), "y", 1);
    count(t, group(1, 19, "c.example"), "x", 4);
    count(t, group(2, 20, "a.example"), "x", 5);
    ASSERT(groups(k, t, 0, 100).len == 0); /* not yet written */
    ASSERT(tally_write(t) == OK);
    ASSERT(str_eq(groups(k, t, 0, 100), STR("1/19/c.example;1/20/b.example;2/20/a.example;")));
    ASSERT(str_eq(groups(k, t, 1, 20), STR("1/19/c.example;")));
    ASSERT(str_eq(listed(k, t, group(1, 20, "b.example")), STR("x=3;y=1;")));
    ASSERT(listed(k, t, group(1, 20, "b.exampl")).len == 0);
    count(t, group(1, 20, "b.example"), "x", 7);
    count(t, group(1, 20, "b.example"), "z", 1);
    ASSERT(tally_write(t) == OK);
    tally_free(&t);
    kit_reopen(k);
    t = tally_new(k->cs, &options);
    ASSERT(str_eq(listed(k, t, group(1, 20, "b.example")), STR("x=10;y=1;z=1;")));
    ASSERT(str_eq(groups(k, t, 2, 100), STR("2/20/a.example;")));
    ASSERT(tally_dropped(t) == 0);
    tally_free(&t);
}

static SUSPENDS void
test_they_are_dropped(struct kit *k)
{
    struct tally *t = tally_new(k->cs, &options);
    const struct tally_group b = group(1, 20, "b.example");
    const struct tally_row *rows;
    size_t n;

    count(t, b, "x", 3);
    count(t, b, "y", 1);
    count(t, group(1, 20, "bb.example"), "x", 1);
    ASSERT(tally_write(t) == OK);
    ASSERT(tally_rows(t, &b, k->a, &rows, &n) == OK && n == 2);
    count(t, b, "x", 5); /* after they were listed: it stays */
    count(t, b, "z", 1);
    ASSERT(tally_write(t) == OK);
    ASSERT(tally_drop(t, &b, rows, n) == OK);
    ASSERT(str_eq(listed(k, t, b), STR("x=5;z=1;")));
    ASSERT(tally_forget(t, &b) == OK);
    ASSERT(listed(k, t, b).len == 0);
    ASSERT(str_eq(groups(k, t, 0, 100), STR("1/20/bb.example;")));
    ASSERT(tally_drop(t, &b, rows, n) == OK); /* once more: nothing happens */
    tally_free(&t);
    kit_reopen(k);
    t = tally_new(k->cs, &options);
    ASSERT(str_eq(groups(k, t, 0, 100), STR("1/20/bb.example;")));
    tally_free(&t);
}

static void
count_many(struct tally *t, struct tally_group g, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char row[16];
        snprintf(row, sizeof(row), "row %u", i);
        count(t, g, row, 1);
    }
}

static SUSPENDS size_t
rows_of(struct kit *k, struct tally *t, struct tally_group g)
{
    const struct tally_row *rows;
    size_t n;

    ASSERT(tally_rows(t, &g, k->a, &rows, &n) == OK);
    return n;
}

static SUSPENDS void
test_there_are_so_many(struct kit *k)
{
    struct tally *t = tally_new(k->cs, &options);
    static char longest[LIMIT_TALLY_ROW_BYTES + 1];
    struct tally_row row = {.bytes = str_from(longest, sizeof(longest)), .count = 2};
    const struct tally_group a = group(1, 20, "a.example"), b = group(1, 20, "b.example");

    count_many(t, a, 560);
    ASSERT(tally_dropped(t) == 10); /* of so many new ones between two writes */
    ASSERT(tally_write(t) == OK && tally_dropped(t) == 60);
    ASSERT(rows_of(k, t, a) == 500);
    count_many(t, a, 500); /* those that are there still count */
    count_many(t, b, 50);
    ASSERT(tally_write(t) == OK && rows_of(k, t, b) == 50);
    count_many(t, group(2, 20, "c.example"), 100);
    ASSERT(tally_write(t) == OK && rows_of(k, t, group(2, 20, "c.example")) == 50);
    uint64_t before = tally_dropped(t);
    tally_count(t, &a, &row);
    count(t, group(1, 20, ""), "x", 1);
    ASSERT(tally_dropped(t) == before + 3);
    row.bytes.len--;
    ASSERT(tally_forget(t, &a) == OK && rows_of(k, t, a) == 0);
    tally_count(t, &a, &row); /* there is room again */
    ASSERT(tally_write(t) == OK && rows_of(k, t, a) == 1 && tally_dropped(t) == before + 3);
    tally_free(&t);
}

static void
test_what_is_no_row(struct kit *k)
{
    const struct tally_group g = group(1, 0x01020304, "a.example");
    const struct tally_row row = {.bytes = STR("row"), .count = 5};
    AUTO_BUF key = BUF(TALLY_KEY_MAX);
    AUTO_BUF value = BUF(64);
    struct tally_group g_out;
    struct tally_row out;

    (void)k;
    tally_key_write(&g, row.bytes, &key);
    tally_value_write(&row, &value);
    ASSERT(key.len == 6 + 9 + 8 && tally_read(buf_str(&key), buf_str(&value), &g_out, &out) == OK);
    ASSERT(g_out.day == g.day && str_eq(g_out.domain, g.domain) && out.count == 5);
    for (size_t i = 0; i < key.len; i++)
        ASSERT(tally_read(str_sub(buf_str(&key), 0, i), buf_str(&value), &g_out, &out) ==
               ERR_CORRUPT);
    for (size_t i = 0; i < value.len; i++)
        ASSERT(tally_read(buf_str(&key), str_sub(buf_str(&value), 0, i), &g_out, &out) ==
               ERR_CORRUPT);
    buf_add_char(&value, 'x'); /* another row: the hash tells */
    ASSERT(tally_read(buf_str(&key), buf_str(&value), &g_out, &out) == ERR_CORRUPT);
    ASSERT(tally_day((struct instant){0}) == 0);
    ASSERT(tally_day((struct instant){INT64_C(86400000000) * 20000 - 1}) == 19999);
    ASSERT(tally_day((struct instant){-5}) == 0);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"they add up", test_they_add_up, KIT_ALL},
        {"they are dropped", test_they_are_dropped, KIT_ALL},
        {"there are so many", test_there_are_so_many, KIT_MEM},
        {"what is no row", test_what_is_no_row, KIT_MEM},
    };

    (void)argc;
    return kit_main("tally", rows, COUNT_OF(rows), argv);
}
