/* top_test.c - tables of TOP, in pieces of every size.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "pop3/top.h"

static const struct {
    const char *message;
    uint64_t lines;
    const char *want;
} rows[] = {
    {"A: b\r\n\r\n1\r\n2\r\n", 0, "A: b\r\n\r\n"},
    {"A: b\r\n\r\n1\r\n2\r\n", 1, "A: b\r\n\r\n1\r\n"},
    {"A: b\r\n\r\n1\r\n2\r\n", 2, "A: b\r\n\r\n1\r\n2\r\n"},
    {"A: b\r\n\r\n1\r\n2\r\n", 3, "A: b\r\n\r\n1\r\n2\r\n"},
    {"A: b\r\n\r\n1\r\n2\r\n", UINT64_MAX, "A: b\r\n\r\n1\r\n2\r\n"},
    {"A: b\r\n\r\n\r\n\r\n", 1, "A: b\r\n\r\n\r\n"},
    {"A: b\r\n\r\n1\r\nunfinished", 2, "A: b\r\n\r\n1\r\nunfinished"},
    {"\r\n1\r\n", 0, "\r\n"},
    {"A: b\n\n1\n2\n", 1, "A: b\n\n1\n"},
    {"A: b\r\n", 0, "A: b\r\n"},
    {"A: b", 0, "A: b"},
    {"", 0, ""},
    {"A: b\r\n\r\r\n\r\n1\r\n", 0, "A: b\r\n\r\r\n\r\n"}, /* a CR alone is no empty line */
    {"\rA\n\r\nb\n", 0, "\rA\n\r\n"},
};

static void
test_top(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str message = str_of(rows[i].message);
        for (size_t step = 1; step <= message.len + 1; step++) {
            struct pop3_top t = {.lines_left = rows[i].lines};
            size_t total = 0;

            for (size_t at = 0; at < message.len && !t.done; at += step)
                total += pop3_top_take(&t, str_sub(message, at, step));
            ROW(i, total == strlen(rows[i].want));
            ROW(i, str_starts(message, str_of(rows[i].want)));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_top)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
