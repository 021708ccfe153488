/* pop3_match_test.c - lists of POP3, and which messages of an INBOX they mean.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "base/testing.h"
#include "migrate/pop3_uidls.h"

#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"

static void
test_lines(void **state)
{
    static const struct {
        const char *line;
        uint32_t number; /* of UIDL; 0 = refused */
        const char *uidl;
        uint32_t sized; /* of LIST */
        uint64_t size;
    } rows[] = {
        {"1 abc", 1, "abc", 0},
        {"4294967295 !~ ", UINT32_MAX, "!~", 0},
        {"7 120", 7, "120", 7, 120},
        {"7 120 x y", 0, NULL, 7, 120},
        {"2 " SEVENTY, 2, SEVENTY, 0},
        {"2 " SEVENTY "x", 0, NULL, 0},
        {"0 a", 0, NULL, 0},
        {"4294967296 1", 0, NULL, 0},
        {"1", 0, NULL, 0},
        {"1 ", 0, NULL, 0},
        {"", 0, NULL, 0},
        {"x 1", 0, NULL, 0},
        {"1 a\x80", 0, NULL, 0},
        {"1 12x", 1, "12x", 0},
        {"1 9223372036854775808", 1, "9223372036854775808", 0},
        {".", 0, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pop3_entry e = {0};
        ROW(i, pop3_uidl_line(str_of(rows[i].line), &e) == (rows[i].number != 0));
        if (rows[i].number != 0)
            ROW(i, e.number == rows[i].number && str_eq(e.uidl, str_of(rows[i].uidl)));
        ROW(i, pop3_size_line(str_of(rows[i].line), &e) == (rows[i].sized != 0));
        if (rows[i].sized != 0)
            ROW(i, e.number == rows[i].sized && e.size == rows[i].size);
    }
}

/* One digit is the size of a message; unique ids are a, b ... in the order of POP3. */
static void
test_matches(void **state)
{
    static const struct {
        const char *pop3, *imap, *given; /* "-": none */
        size_t lost;
    } rows[] = {
        {"123", "123", "abc", 0},    {"111", "111", "abc", 0},
        {"1234", "2341", "bcda", 0}, /* another order of sizes that are there once */
        {"12", "1293", "ab--", 0},   /* new since */
        {"129", "12", "ab", 1},      /* gone since */
        {"112", "1112", "---c", 2},  /* which of the three is not told by POP3? */
        {"1112", "112", "--d", 3},   {"5566", "5656", "acbd", 0},
        {"", "12", "--", 0},         {"12", "", "", 2},
        {"34", "12", "--", 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct pop3_entry at[8] = {0};
        struct migrate_message messages[8] = {0};
        const struct pop3_list l = {at, strlen(rows[i].pop3)};
        size_t n = strlen(rows[i].imap);
        for (size_t k = 0; k < l.count; k++)
            at[k] = (struct pop3_entry){(uint32_t)k + 1, (uint64_t)(rows[i].pop3[k] - '0'),
                                        arena_printf(a, "%c", (char)('a' + k))};
        for (size_t k = 0; k < n; k++)
            messages[k].size = (uint64_t)(rows[i].imap[k] - '0');
        ROW(i, pop3_match(&l, messages, n, a) == rows[i].lost);
        for (size_t k = 0; k < n; k++)
            ROW(i, rows[i].given[k] == '-'
                       ? messages[k].uidl.len == 0
                       : messages[k].uidl.len == 1 && messages[k].uidl.ptr[0] == rows[i].given[k]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_matches)};

    return cmocka_run_group_tests_name("migrate: unique ids of POP3", tests, NULL, NULL);
}
