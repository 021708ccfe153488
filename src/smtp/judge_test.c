/* judge_test.c - what becomes of mail while a filter is not asked: its line says so, but not when the limit is ours.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/judge.h"

#include "base/size.h"
#include "base/testing.h"

static const struct {
    enum filter_otherwise otherwise;
    enum status st;
    int code;
    const char *enhanced;
} rows[] = {
    {FILTER_TEMPFAIL, ERR_TEMP, 451, "4.3.5"}, {FILTER_TEMPFAIL, ERR_LIMIT, 451, "4.3.2"},
    {FILTER_ACCEPT, ERR_TEMP, 0, ""},          {FILTER_ACCEPT, ERR_CLOSED, 0, ""},
    {FILTER_ACCEPT, ERR_LIMIT, 451, "4.3.2"},  {FILTER_REJECT, ERR_TIMEOUT, 554, "5.7.1"},
    {FILTER_REJECT, ERR_LIMIT, 451, "4.3.2"},
};

static void
test_absent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct config_filter f = {.where = STR("unix /x"), .otherwise = rows[i].otherwise};
        struct smtp_session s = {0};
        struct smtp_reply got = smtp_judge_absent(&s, &f, "rcpt", rows[i].st, "why");
        ROW(i, got.code == rows[i].code);
        ROW(i, got.code == 0 || str_eq(str_of(got.enhanced), str_of(rows[i].enhanced)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_absent)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
