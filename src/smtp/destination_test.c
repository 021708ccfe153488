/* destination_test.c - windows that grow and shrink, and who waits for whom.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/limits.h"
#include "base/size.h"
#include "rt/loop.h"
#include "smtp/destination.h"

#define HERE STR("x.example")

static struct destinations *ds;
static int inside, refused, left;

static SUSPENDS struct destination *
enter(struct str name, bool hurry)
{
    struct destination *d = NULL;
    const char *why = "";

    return destination_enter(ds, name, hurry, &d, &why) == OK ? d : NULL;
}

/* Enters, stays until it may leave, and leaves with an answer. */
static FIBER_ENTRY void
visitor(void *arg)
{
    struct destination *d = enter(HERE, false);

    (void)arg;
    if (d == NULL) {
        refused++;
        return;
    }
    inside++;
    while (left == 0)
        fiber_yield();
    left--;
    inside--;
    destination_leave(ds, d, NULL);
}

static SUSPENDS void
settle(void)
{
    for (int i = 0; i < 20; i++)
        fiber_yield();
}

static FIBER_ENTRY void
test_window_grows(void *arg)
{
    (void)arg;
    ds = destinations_new();
    for (int i = 0; i < 100; i++)
        ASSERT(fiber_go(visitor, NULL) == OK);
    settle();
    ASSERT(inside == LIMIT_OUT_FIRST && refused == 0);
    left = 2;
    settle();
    ASSERT(inside == 3); /* a window full of answers: one more */
    for (int i = 0; i < 400 && inside < LIMIT_OUT_PER_DOMAIN; i++) {
        left = 1;
        settle();
        ASSERT(inside <= LIMIT_OUT_PER_DOMAIN);
    }
    left = 1000;
    while (inside > 0)
        settle();
    ASSERT(refused == 0);
    destinations_free(&ds); /* nobody is in one: nothing is left */
    left = 0;
    loop_stop();
}

static FIBER_ENTRY void
test_failure_shrinks_and_sends_away(void *arg)
{
    struct destination *d[3];
    const char *why = "";

    (void)arg;
    ds = destinations_new();
    refused = 0;
    d[0] = enter(HERE, false);
    d[1] = enter(HERE, false);
    ASSERT(d[0] != NULL && d[0] == d[1] && destination_window(d[0]) == LIMIT_OUT_FIRST);
    for (int i = 0; i < 5; i++)
        ASSERT(fiber_go(visitor, NULL) == OK);
    settle();
    destination_leave(ds, d[0], "connection timed out");
    ASSERT(destination_window(d[1]) == 1);
    destination_leave(ds, d[1], "connection timed out");
    settle();
    ASSERT(refused == 5 && inside == 0); /* who waited is sent away, not kept */
    ASSERT(destination_enter(ds, HERE, false, &d[0], &why) == ERR_TEMP);
    assert_str(str_of(why), STR("connection timed out"));
    d[2] = enter(STR("y.example"), false);
    ASSERT(d[2] != NULL);
    d[0] = enter(HERE, true); /* an operator is let in, and the answer opens it for all */
    ASSERT(d[0] != NULL);
    destination_leave(ds, d[0], NULL);
    d[0] = enter(HERE, false);
    ASSERT(d[0] != NULL);
    destination_leave(ds, d[0], NULL);
    destination_leave(ds, d[2], NULL);
    destinations_free(&ds);
    loop_stop();
}

static void
on_loop(void (*entry)(void *))
{
    loop_init();
    assert_int_equal(fiber_go(entry, NULL), OK);
    loop_run();
    loop_release();
}

static void
window_grows(void **state)
{
    (void)state;
    on_loop(test_window_grows);
}

static void
failure_shrinks_and_sends_away(void **state)
{
    (void)state;
    on_loop(test_failure_shrinks_and_sends_away);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_grows),
        cmocka_unit_test(failure_shrinks_and_sends_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
