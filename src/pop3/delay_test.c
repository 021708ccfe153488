/* delay_test.c - the pause between log-ins by POP3.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "pop3/delay.h"

static const struct {
    uint64_t account;
    uint32_t delay_s;
    int64_t now_ms;
    uint32_t left_s;
} rows[] = {
    {1, 60, 1000, 0},   {1, 60, 1000, 60},  {1, 60, 1001, 60},
    {1, 60, 60999, 1},  {2, 60, 60999, 0},  {1, 60, 61000, 0},  /* and the time runs anew */
    {1, 60, 61001, 60}, {1, 0, 61002, 0},   {1, 30, 61003, 30}, /* a new configuration */
    {1, 30, 91000, 0},  {3, 60, 91001, 0}, /* the third: 2, the oldest, is forgotten */
    {2, 600, 91002, 0}, {3, 60, 91003, 60}, {1, 600, 91004, 0}, /* forgotten for 2 */
};

static void
test_log_ins(void **state)
{
    struct delays *d = delays_new(2);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint32_t left = delays_log_in(d, rows[i].account, rows[i].delay_s, rows[i].now_ms);
        if (left != rows[i].left_s)
            fail_msg("row %zu: %u", i, left);
    }
    delays_free(&d);
    assert_null(d);
    delays_free(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log_ins)};

    return cmocka_run_group_tests_name("pop3: the pause between log-ins", tests, NULL, NULL);
}
