/* loop_test.c - clock, random, timers, deferred work and watches.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/loop.h"
#include "rt/random.h"

static int
setup(void **state)
{
    (void)state;
    loop_init();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    loop_release();
    return 0;
}

static void
clocks_agree_and_hold_within_a_turn(void **state)
{
    (void)state;
    struct instant first = clock_now();
    int64_t mono = clock_mono_ms();
    usleep(3000);
    assert_true(clock_now().us == first.us); /* inside a turn: the same instant */
    assert_true(clock_mono_ms() == mono);
    assert_true(clock_mono_us() / 1000 > mono);
    clock_refresh();
    assert_true(clock_mono_ms() > mono);
    assert_true(first.us > INT64_C(1700000000) * 1000000);
}

static void
random_is_uniform_enough_and_bounded(void **state)
{
    unsigned seen[7] = {0};
    unsigned char big[4096], zero[4096] = {0};

    (void)state;
    for (int i = 0; i < 7000; i++)
        seen[random_below(7)]++;
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 700, 1300);
    for (int i = 0; i < 1000; i++)
        assert_in_range(random_jitter(1000, 20), 800, 1200);
    assert_int_equal(random_jitter(0, 50), 0);
    random_fill(big, sizeof(big));
    assert_memory_not_equal(big, zero, sizeof(big));
    assert_true(random_u64() != random_u64());
}

static void
a_child_does_not_repeat_its_parents_bytes(void **state)
{
    uint64_t ours, theirs = 0;
    int p[2];

    (void)state;
    (void)random_u64(); /* the buffer is filled now */
    assert_int_equal(pipe(p), 0);
    pid_t child = fork();
    if (child == 0) {
        uint64_t v = random_u64();
        _exit(write(p[1], &v, sizeof(v)) == sizeof(v) ? 0 : 1);
    }
    assert_int_equal(read(p[0], &theirs, sizeof(theirs)), sizeof(theirs));
    assert_int_equal(waitpid(child, NULL, 0), child);
    ours = random_u64();
    assert_true(ours != theirs);
    close(p[0]);
    close(p[1]);
}

static void *
seeded_thread(void *arg)
{
    uint64_t *v = arg;

    random_seed_for_tests(v[0]);
    v[1] = random_u64();
    v[2] = random_below(1000);
    return NULL;
}

static void
a_seed_repeats(void **state)
{
    uint64_t a[3] = {42}, b[3] = {42}, c[3] = {43};
    pthread_t t;

    (void)state;
    uint64_t *runs[] = {a, b, c};
    for (int i = 0; i < 3; i++) { /* in threads: the seed must not stay with this one */
        assert_int_equal(pthread_create(&t, NULL, seeded_thread, runs[i]), 0);
        pthread_join(t, NULL);
    }
    assert_memory_equal(a, b, sizeof(a));
    assert_true(a[1] != c[1]);
}

/* Timers. */

#define TIMERS 500
struct test_timer {
    struct timer timer;
    int64_t asked_us;
    bool fired;
};
static struct test_timer timers[TIMERS];
static int fired_count, wanted;
static int64_t last_due;

static void
fire(struct timer *t)
{
    struct test_timer *m = (struct test_timer *)(void *)t;

    assert_false(m->fired);
    assert_true(clock_mono_us() >= m->asked_us); /* never early */
    assert_true(t->due_ms >= last_due);          /* in order */
    assert_false(timer_is_set(t));
    last_due = t->due_ms;
    m->fired = true;
    if (++fired_count == wanted)
        loop_stop();
}

static void
ask(struct test_timer *m, int64_t delay)
{
    m->timer.fire = fire;
    m->asked_us = clock_mono_us() + delay * 1000;
    timer_set(&m->timer, delay);
}

static void
timers_fire_in_order_also_moved_ones(void **state)
{
    (void)state;
    memset(timers, 0, sizeof(timers));
    fired_count = 0;
    last_due = 0;
    for (int i = 0; i < TIMERS; i++)
        ask(&timers[i], (int64_t)random_below(40));
    for (int i = 0; i < TIMERS; i += 3) /* later, and some earlier */
        ask(&timers[i], (int64_t)random_below(80));
    int stopped = 0;
    for (int i = 0; i < TIMERS; i += 7, stopped++) {
        timer_stop(&timers[i].timer);
        timer_stop(&timers[i].timer); /* twice is safe */
        assert_false(timer_is_set(&timers[i].timer));
    }
    wanted = TIMERS - stopped;
    loop_run();
    assert_int_equal(fired_count, wanted);
    for (int i = 0; i < TIMERS; i++)
        assert_int_equal(timers[i].fired, i % 7 != 0);
}

static void
a_timer_set_for_the_past_fires_at_once(void **state)
{
    (void)state;
    memset(timers, 0, sizeof(timers));
    fired_count = 0;
    last_due = 0;
    wanted = 1;
    timers[0].timer.fire = fire;
    timer_set_at(&timers[0].timer, 1);
    loop_run();
    assert_int_equal(fired_count, 1);
}

static void
fire_again(struct timer *t)
{
    if (++fired_count == 5)
        loop_stop();
    timer_set_at(t, 1); /* the past, for ever */
}

static void
run_beside(struct deferred *d)
{
    if (fired_count < 5)
        loop_defer(d);
}

static void
a_timer_in_the_past_lets_the_loop_run(void **state)
{
    struct timer t = {.fire = fire_again};
    struct deferred d = {.run = run_beside};

    (void)state;
    fired_count = 0;
    timer_set_at(&t, 1);
    loop_defer(&d);
    loop_run();
    timer_stop(&t);
    assert_int_equal(fired_count, 5);
}

/* Deferred work. */

static int deferred_runs;
static struct deferred late, undone;

static void
run_late(struct deferred *d)
{
    if (++deferred_runs < 3)
        loop_defer(d); /* the next turn */
    else
        loop_stop();
}

static void
never(struct deferred *d)
{
    (void)d;
    fail();
}

static void
deferred_work_runs_once_per_turn(void **state)
{
    (void)state;
    deferred_runs = 0;
    late = (struct deferred){.run = run_late};
    undone = (struct deferred){.run = never};
    loop_defer(&late);
    loop_defer(&late);
    loop_defer(&undone);
    loop_undefer(&undone);
    loop_undefer(&undone);
    loop_run();
    assert_int_equal(deferred_runs, 3);
}

/* Watches. */

static struct watch pair[2];
static int events_seen;

static void
stop_both(struct watch *w, uint32_t events)
{
    (void)w;
    assert_true(events & EPOLLIN);
    events_seen++;
    /* The other's event waits in the same batch, and must not come any more. */
    watch_stop(&pair[0]);
    watch_stop(&pair[1]);
    loop_stop();
}

static void
no_event_comes_after_stop(void **state)
{
    int a[2], b[2];

    (void)state;
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    events_seen = 0;
    pair[0] = (struct watch){a[0], stop_both};
    pair[1] = (struct watch){b[0], stop_both};
    assert_int_equal(watch_start(&pair[0], EPOLLIN), OK);
    assert_int_equal(watch_start(&pair[1], EPOLLOUT), OK);
    assert_int_equal(watch_change(&pair[1], EPOLLIN), OK);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    loop_run();
    assert_int_equal(events_seen, 1);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clocks_agree_and_hold_within_a_turn, setup, teardown),
        cmocka_unit_test(random_is_uniform_enough_and_bounded),
        cmocka_unit_test(a_child_does_not_repeat_its_parents_bytes),
        cmocka_unit_test(a_seed_repeats),
        cmocka_unit_test_setup_teardown(timers_fire_in_order_also_moved_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_set_for_the_past_fires_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_in_the_past_lets_the_loop_run, setup, teardown),
        cmocka_unit_test_setup_teardown(deferred_work_runs_once_per_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(no_event_comes_after_stop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
