/* rates_test.c - counts of an hour, and of the next.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/rates.h"

#include <stdio.h>

#include "base/testing.h"

#define HOUR INT64_C(3600000)

static void
each_name_has_its_count(void **state)
{
    struct rates *r = rates_new();

    assert_int_equal(rates_count(r, STR("a"), HOUR), 0);
    rates_add(r, STR("a"), HOUR);
    rates_add(r, STR("a"), HOUR + 5);
    rates_add(r, STR("b"), 2 * HOUR - 1);
    assert_int_equal(rates_count(r, STR("a"), 2 * HOUR - 1), 2);
    assert_int_equal(rates_count(r, STR("b"), 2 * HOUR - 1), 1);
    assert_int_equal(rates_count(r, STR("A"), 2 * HOUR - 1), 0);
    rates_free(&r);
    assert_null(r);
    (void)state;
}

static void
an_hour_begins_with_none(void **state)
{
    struct rates *r = rates_new();

    rates_add(r, STR("a"), 2 * HOUR - 1);
    assert_int_equal(rates_count(r, STR("a"), 2 * HOUR), 0);
    rates_add(r, STR("a"), 2 * HOUR);
    assert_int_equal(rates_count(r, STR("a"), 2 * HOUR), 1);
    assert_int_equal(rates_count(r, STR("a"), HOUR), 0); /* a clock that went back */
    rates_free(&r);
    (void)state;
}

static void
the_table_is_bounded(void **state)
{
    struct rates *r = rates_new();
    char name[16];

    for (int i = 0; i < LIMIT_RATE_KEYS; i++) {
        snprintf(name, sizeof(name), "%d", i);
        rates_add(r, str_of(name), HOUR);
    }
    rates_add(r, STR("0"), HOUR);
    assert_int_equal(rates_count(r, STR("0"), HOUR), 2);
    rates_add(r, STR("one more"), HOUR);
    assert_int_equal(rates_count(r, STR("0"), HOUR), 0);
    assert_int_equal(rates_count(r, STR("one more"), HOUR), 1);
    rates_free(&r);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_has_its_count),
        cmocka_unit_test(an_hour_begins_with_none),
        cmocka_unit_test(the_table_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
