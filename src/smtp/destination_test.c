/* destination_test.c - windows that grow and shrink, and who waits for whom.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "rt/loop.h"
#include "smtp/destination.h"

#define HERE STR("x.example")

static struct destinations *ds;
static int inside, refused, left, reached;

static SUSPENDS bool
enter(struct str name, bool hurry, struct visit *v)
{
    const char *why = "";

    return destination_enter(ds, name, hurry, v, &why) == OK;
}

/* Enters, stays until it may leave, and leaves with an answer. */
static FIBER_ENTRY void
visitor(void *arg)
{
    struct visit v;

    (void)arg;
    if (!enter(HERE, false, &v)) {
        refused++;
        return;
    }
    inside++;
    while (reached == 0 && left == 0)
        fiber_yield();
    ASSERT(destination_reached(ds, &v) == OK);
    while (left == 0)
        fiber_yield();
    left--;
    inside--;
    destination_leave(ds, &v, NULL);
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
    ASSERT(inside == 1 && refused == 0); /* the first alone */
    reached = 1;
    settle();
    ASSERT(inside == LIMIT_OUT_FIRST); /* there is somebody */
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
    left = reached = 0;
    loop_stop();
}

static FIBER_ENTRY void
test_failure_shrinks_and_sends_away(void *arg)
{
    struct visit v[3];
    const char *why = "";

    (void)arg;
    ds = destinations_new();
    refused = 0;
    ASSERT(enter(HERE, false, &v[0]) && destination_reached(ds, &v[0]) == OK);
    ASSERT(enter(HERE, false, &v[1]));
    ASSERT(v[0].to == v[1].to && destination_window(v[0].to) == LIMIT_OUT_FIRST);
    for (int i = 0; i < 5; i++)
        ASSERT(fiber_go(visitor, NULL) == OK);
    settle();
    destination_leave(ds, &v[0], "connection timed out");
    ASSERT(destination_window(v[1].to) == 1);
    destination_leave(ds, &v[1], "connection timed out");
    settle();
    ASSERT(refused == 5 && inside == 0); /* who waited is sent away, not kept */
    ASSERT(destination_enter(ds, HERE, false, &v[0], &why) == ERR_TEMP);
    assert_str(str_of(why), STR("connection timed out"));
    ASSERT(enter(STR("y.example"), false, &v[2]) && v[2].placed);
    ASSERT(enter(HERE, true, &v[0])); /* an operator is let in, and the answer opens it for all */
    ASSERT(!v[0].placed);             /* it did not answer: no place until it does */
    ASSERT(destination_reached(ds, &v[0]) == OK && v[0].placed);
    destination_leave(ds, &v[0], NULL);
    ASSERT(enter(HERE, false, &v[0]) && v[0].placed);
    destination_leave(ds, &v[0], NULL);
    destination_leave(ds, &v[2], NULL);
    destinations_free(&ds);
    loop_stop();
}

/* ---- places ---- */

enum { PATIENCE = 3000, LOOK_MS = 10 }; /* half a minute, on a busy machine */
static struct fiber *lender;
static bool lending;

static FIBER_ENTRY void
lend(void *arg)
{
    (void)arg;
    lender = fiber_self();
    destinations_lend(ds);
    lending = false;
}

static FIBER_ENTRY void
newcomer(void *arg)
{
    struct visit v;

    (void)arg;
    ASSERT(enter(STR("alive.example"), false, &v) && v.placed);
    ASSERT(destination_reached(ds, &v) == OK);
    inside++;
    while (left == 0)
        fiber_yield();
    destination_leave(ds, &v, NULL);
    inside--;
}

static FIBER_ENTRY void
returner(void *arg)
{
    ASSERT(destination_reached(ds, arg) == OK);
    reached++;
}

static SUSPENDS void
fill(struct visit *v, const char *what, size_t n)
{
    char name[32];

    for (size_t i = 0; i < n; i++) {
        int len = snprintf(name, sizeof(name), "%s%zu.example", what, i);
        ASSERT(enter(str_from(name, (size_t)len), false, &v[i]) && v[i].placed);
    }
}

/* All places are of visits to who does not answer: one of them is for who waits.  Once that one is connected it goes
 * before newcomers, and takes no place of another. */
static FIBER_ENTRY void
test_places_are_lent(void *arg)
{
    static struct visit dead[LIMIT_OUT_CONNS];

    (void)arg;
    ds = destinations_new();
    lending = true;
    ASSERT(fiber_go(lend, NULL) == OK);
    inside = left = reached = 0;
    fill(dead, "dead", COUNT_OF(dead));
    ASSERT(fiber_go(newcomer, NULL) == OK);
    for (int i = 0; i < PATIENCE && inside == 0; i++)
        ASSERT(fiber_sleep(LOOK_MS) == OK);
    ASSERT(inside == 1 && !dead[0].placed && dead[1].placed); /* of the one that seeks longest */
    for (size_t i = 1; i < COUNT_OF(dead); i++)
        ASSERT(destination_reached(ds, &dead[i]) == OK); /* they talk: nothing can be lent */
    ASSERT(fiber_go(newcomer, NULL) == OK && fiber_go(returner, &dead[0]) == OK);
    ASSERT(fiber_sleep(2 * LIMIT_OUT_REACH_MS) == OK);
    ASSERT(inside == 1 && reached == 0);
    destination_leave(ds, &dead[1], NULL);
    settle();
    ASSERT(inside == 1 && reached == 1 && dead[0].placed);
    destination_seek(ds, &dead[0]); /* its conversation broke: it looks for another host */
    for (int i = 0; i < PATIENCE && inside == 1; i++)
        ASSERT(fiber_sleep(LOOK_MS) == OK);
    ASSERT(inside == 2 && !dead[0].placed);
    left = 1;
    while (inside > 0)
        settle();
    for (size_t i = 0; i < COUNT_OF(dead); i++) {
        if (i != 1)
            destination_leave(ds, &dead[i], "connection timed out");
    }
    fiber_cancel(lender);
    while (lending)
        settle();
    destinations_free(&ds);
    left = reached = 0;
    loop_stop();
}

static SUSPENDS void
begin_lending(void)
{
    ds = destinations_new();
    lending = true;
    ASSERT(fiber_go(lend, NULL) == OK);
    inside = left = reached = 0;
}

static SUSPENDS void
end_lending(void)
{
    fiber_cancel(lender);
    while (lending)
        settle();
    destinations_free(&ds);
    left = reached = 0;
    loop_stop();
}

static SUSPENDS void
wait_for_inside(int n)
{
    for (int i = 0; i < PATIENCE && inside < n; i++)
        ASSERT(fiber_sleep(LOOK_MS) == OK);
    ASSERT(inside == n);
}

static SUSPENDS void
leave_all(struct visit *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        destination_leave(ds, &v[i], "connection timed out");
}

static SUSPENDS void
newcomers_leave(void)
{
    while (inside > 0) {
        left = 1;
        settle();
    }
}

/* One that came back has its place, and stands in nobody's way any more. */
static FIBER_ENTRY void
test_lent_after_a_return(void *arg)
{
    static struct visit dead[LIMIT_OUT_CONNS];

    (void)arg;
    begin_lending();
    fill(dead, "dead", COUNT_OF(dead));
    ASSERT(fiber_go(newcomer, NULL) == OK);
    wait_for_inside(1);
    ASSERT(!dead[0].placed && fiber_go(returner, &dead[0]) == OK);
    ASSERT(fiber_go(newcomer, NULL) == OK);
    settle();
    ASSERT(inside == 1 && reached == 0); /* no place is free, and none is lent before that one's */
    destination_leave(ds, &dead[1], NULL);
    wait_for_inside(2);
    ASSERT(reached == 1 && dead[0].placed && !dead[2].placed);
    newcomers_leave();
    leave_all(dead, 1);
    leave_all(dead + 2, COUNT_OF(dead) - 2);
    end_lending();
}

/* So many are without a place as may be; then one of them is over. */
static FIBER_ENTRY void
test_lent_after_one_without_a_place(void *arg)
{
    static struct visit dead[LIMIT_OUT_CONNS], without[LIMIT_OUT_REACHING];
    char name[32];

    (void)arg;
    begin_lending();
    for (size_t i = 0; i < COUNT_OF(without); i++) {
        int len = snprintf(name, sizeof(name), "known%zu.example", i);
        struct str known = str_from(name, (size_t)len);
        ASSERT(enter(known, false, &without[i]));
        destination_leave(ds, &without[i], "connection timed out");
        ASSERT(enter(known, true, &without[i]) && !without[i].placed);
    }
    fill(dead, "dead", COUNT_OF(dead));
    ASSERT(fiber_go(newcomer, NULL) == OK);
    ASSERT(fiber_sleep(2 * LIMIT_OUT_REACH_MS) == OK);
    ASSERT(inside == 0 && dead[0].placed);
    destination_leave(ds, &without[0], "connection timed out");
    wait_for_inside(1);
    ASSERT(!dead[0].placed);
    newcomers_leave();
    leave_all(dead, COUNT_OF(dead));
    leave_all(without + 1, COUNT_OF(without) - 1);
    end_lending();
}

/* An attempt that asked nobody there says nothing of it. */
static FIBER_ENTRY void
test_unasked_tells_nothing(void *arg)
{
    struct visit v, w;

    (void)arg;
    ds = destinations_new();
    ASSERT(enter(HERE, false, &v));
    destination_leave(ds, &v, "connection timed out");
    ASSERT(enter(HERE, true, &v));
    destination_leave_unasked(ds, &v);
    ASSERT(!enter(HERE, false, &v));
    ASSERT(enter(STR("y.example"), false, &v) && destination_reached(ds, &v) == OK);
    for (uint32_t i = 0; i < 2 * LIMIT_OUT_FIRST; i++) {
        ASSERT(enter(STR("y.example"), false, &w) && w.to == v.to);
        destination_leave_unasked(ds, &w);
    }
    ASSERT(destination_window(v.to) == LIMIT_OUT_FIRST); /* nor does the window grow by it */
    destination_leave(ds, &v, NULL);
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

static void
places_are_lent(void **state)
{
    (void)state;
    on_loop(test_places_are_lent);
}

static void
lent_after_a_return(void **state)
{
    (void)state;
    on_loop(test_lent_after_a_return);
}

static void
lent_after_one_without_a_place(void **state)
{
    (void)state;
    on_loop(test_lent_after_one_without_a_place);
}

static void
unasked_tells_nothing(void **state)
{
    (void)state;
    on_loop(test_unasked_tells_nothing);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_grows),
        cmocka_unit_test(failure_shrinks_and_sends_away),
        cmocka_unit_test(places_are_lent),
        cmocka_unit_test(lent_after_a_return),
        cmocka_unit_test(lent_after_one_without_a_place),
        cmocka_unit_test(unasked_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
