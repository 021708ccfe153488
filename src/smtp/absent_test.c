/* absent_test.c - who is left alone, and for how long.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "smtp/absent.h"

#define S INT64_C(1000)

/* Each failure in a row doubles the pause, up to the longest. */
static void
test_pauses(void **state)
{
    static const int64_t pauses_s[] = {60, 120, 240, 480, 900, 900, 900};
    struct absents *a = absents_new();
    const char *why = NULL;
    int64_t now = 5;
    (void)state;

    assert_false(absent_knows(a, STR("x")));
    assert_false(absent_is(a, STR("x"), now, &why));
    for (size_t i = 0; i < COUNT_OF(pauses_s); i++) {
        absent_failed(a, STR("x"), now, "timed out");
        ROW(i, absent_is(a, STR("x"), now + (pauses_s[i] * S) - 1, &why));
        assert_str(str_of(why), STR("timed out"));
        assert_false(absent_is(a, STR("y"), now, &why));
        now += pauses_s[i] * S;
        ROW(i, absent_knows(a, STR("x")));          /* however long ago */
        ROW(i, !absent_is(a, STR("x"), now, &why)); /* one may try */
        ROW(i, absent_is(a, STR("x"), now, NULL));  /* the next one waits for what comes of it */
    }
    absent_answered(a, STR("x"));
    assert_false(absent_knows(a, STR("x")));
    assert_false(absent_is(a, STR("x"), now, &why));
    absent_failed(a, STR("x"), now, "refused");
    assert_false(absent_is(a, STR("x"), now + (60 * S), &why));
    absent_answered(a, STR("never seen"));
    absents_free(&a);
    absents_free(&a);
}

/* When there are too many, those whose time is over make room; while there are none, nothing new is remembered. */
static void
test_room(void **state)
{
    struct absents *a = absents_new();
    char name[20];
    (void)state;

    for (int i = 0; i < LIMIT_OUT_REMEMBERED; i++) {
        int n = snprintf(name, sizeof(name), "%d", i);
        absent_failed(a, str_from(name, (size_t)n), i < 10 ? 0 : 1000 * S, "x");
    }
    absent_failed(a, STR("late"), 1, "x");
    assert_false(absent_is(a, STR("late"), 2, NULL));
    absent_failed(a, STR("later"), 60 * S, "x");
    assert_true(absent_is(a, STR("later"), 61 * S, NULL));
    assert_true(absent_is(a, STR("10"), 1001 * S, NULL));
    assert_false(absent_is(a, STR("9"), 1, NULL));
    absents_free(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pauses), cmocka_unit_test(test_room)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
