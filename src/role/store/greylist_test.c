/* greylist_test.c - who waits, for how long, and what a flood does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/greylist.h"

#include "base/limits.h"
#include "base/testing.h"

#define WAIT (LIMIT_GREYLIST_WAIT_S * INT64_C(1000))
#define KEEP (LIMIT_GREYLIST_KEEP_S * INT64_C(1000))

static void
test_a_contact_waits(void **state)
{
    struct greylist *g = greylist_new(10);

    (void)state;
    assert_true(greylist_waits(g, 1, 1000));
    assert_true(greylist_waits(g, 1, 1001));
    assert_true(greylist_waits(g, 2, 2000)); /* another */
    assert_true(greylist_waits(g, 1, 1000 + WAIT - 1));
    assert_false(greylist_waits(g, 1, 1000 + WAIT));
    assert_true(greylist_waits(g, 2, 1000 + WAIT));
    assert_false(greylist_waits(g, 1, 1000 + KEEP - 1));
    assert_true(greylist_waits(g, 1, 1000 + KEEP)); /* forgotten */
    assert_false(greylist_waits(g, 1, 1000 + KEEP + WAIT));
    assert_true(greylist_waits(g, 1, 500)); /* the clock was set back */
    greylist_free(&g);
}

static void
test_a_flood_delays_nobody(void **state)
{
    struct greylist *g = greylist_new(3);

    (void)state;
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(greylist_waits(g, i, 1000));
    assert_false(greylist_waits(g, 4, 1001));
    assert_true(greylist_waits(g, 2, 1001)); /* they wait still */
    assert_int_equal(greylist_count(g), 3);
    assert_true(greylist_waits(g, 5, 1000 + WAIT)); /* in the place of the oldest */
    assert_true(greylist_waits(g, 1, 1000 + WAIT));
    assert_false(greylist_waits(g, 3, 1000 + WAIT));
    assert_int_equal(greylist_count(g), 3);
    greylist_free(&g);
    greylist_free(&g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_contact_waits),
        cmocka_unit_test(test_a_flood_delays_nobody),
    };

    return cmocka_run_group_tests_name("role: greylisting", tests, NULL, NULL);
}
