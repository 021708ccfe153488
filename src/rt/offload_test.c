/* offload_test.c - work on threads and the way back; also run under ThreadSanitizer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/fiber_internal.h"
#include "rt/offload.h"

static struct offload_pool *pool;

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
    offload_free(&pool);
    assert_null(pool);
    loop_release();
    return 0;
}

static void
stop_when_alone(void)
{
    if (fiber_count() == 0)
        loop_stop();
}

static void
run_all(void)
{
    fiber_on_end(stop_when_alone);
    loop_run();
}

struct sum {
    uint64_t in, out;
    pthread_t where;
};

static void
square(void *arg)
{
    struct sum *s = arg;

    s->out = s->in * s->in;
    s->where = pthread_self();
}

static uint64_t total;

static FIBER_ENTRY void
offload_many(void *arg)
{
    uint64_t base = *(uint64_t *)arg;

    for (uint64_t i = 0; i < 50; i++) {
        struct sum s = {.in = base + i};
        assert_int_equal(rt_offload(pool, square, &s), OK);
        assert_true(s.out == s.in * s.in);
        assert_false(pthread_equal(s.where, pthread_self()));
        total += s.out;
    }
}

static void
results_come_back_to_their_fibers(void **state)
{
    uint64_t bases[40], expected = 0;

    (void)state;
    total = 0;
    assert_int_equal(offload_new("a name longer than fits", 4, 100, &pool), OK);
    for (uint64_t i = 0; i < COUNT_OF(bases); i++) {
        bases[i] = i * 1000;
        for (uint64_t k = 0; k < 50; k++)
            expected += (bases[i] + k) * (bases[i] + k);
        assert_int_equal(fiber_go(offload_many, &bases[i]), OK);
    }
    run_all();
    assert_true(total == expected);
}

static sem_t gate; /* shut while zero; not a mutex: who opens it is another fiber */
static int started, refused, finished;

static void
wait_at_gate(void *arg)
{
    int *ran = arg;

    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
    sem_wait(&gate);
    sem_post(&gate);
    *ran = 1;
}

static FIBER_ENTRY void
offload_to_gate(void *arg)
{
    int ran = 0;
    enum status s = rt_offload(pool, wait_at_gate, &ran);

    (void)arg;
    if (s == ERR_LIMIT)
        refused++;
    else
        finished += ran;
}

static FIBER_ENTRY void
open_gate(void *arg)
{
    (void)arg;
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 1)
        assert_int_equal(fiber_sleep(1), OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(fiber_go(offload_to_gate, NULL), OK);
    assert_int_equal(fiber_sleep(5), OK);
    sem_post(&gate);
}

static void
the_line_is_bounded(void **state)
{
    (void)state;
    started = refused = finished = 0;
    assert_int_equal(offload_new("one", 1, 3, &pool), OK);
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(fiber_go(offload_to_gate, NULL), OK);
    assert_int_equal(fiber_go(open_gate, NULL), OK);
    run_all();
    assert_int_equal(refused, 2); /* one runs, three wait */
    assert_int_equal(finished, 4);
}

static struct fiber *victim;

static FIBER_ENTRY void
be_cancelled(void *arg)
{
    int ran = 0;

    (void)arg;
    victim = fiber_self();
    assert_int_equal(rt_offload(pool, wait_at_gate, &ran), OK);
    assert_int_equal(ran, 1); /* the work was complete before the fiber went on */
    assert_int_equal(fiber_park(FIBER_FOREVER), ERR_CANCELLED);
    finished++;
}

static FIBER_ENTRY void
cancel_it(void *arg)
{
    (void)arg;
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < 1)
        assert_int_equal(fiber_sleep(1), OK);
    fiber_cancel(victim);
    assert_int_equal(fiber_sleep(5), OK);
    assert_int_equal(finished, 0);
    sem_post(&gate);
}

static void
cancelling_waits_for_the_work(void **state)
{
    (void)state;
    started = refused = finished = 0;
    assert_int_equal(offload_new("one", 1, 3, &pool), OK);
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(fiber_go(be_cancelled, NULL), OK);
    assert_int_equal(fiber_go(cancel_it, NULL), OK);
    run_all();
    assert_int_equal(finished, 1);
}

/* Inbox. */

#define POSTERS 4
#define POSTS   5000
static struct offload_inbox *inbox;
static int numbers[POSTERS][POSTS];
static int next_of[POSTERS];
static int delivered;

static void
deliver(void *item)
{
    int at = (int)((int *)item - &numbers[0][0]);
    int poster = at / POSTS;

    assert_int_equal(at % POSTS, next_of[poster]); /* each poster's order is kept */
    next_of[poster]++;
    if (++delivered == POSTERS * POSTS)
        loop_stop();
}

static void *
post_all(void *arg)
{
    int *mine = arg;

    for (int i = 0; i < POSTS; i++)
        offload_inbox_post(inbox, &mine[i]);
    return NULL;
}

static void
inbox_delivers_all_in_order(void **state)
{
    pthread_t t[POSTERS];

    (void)state;
    delivered = 0;
    assert_int_equal(offload_inbox_new(deliver, &inbox), OK);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, post_all, numbers[i]), 0);
    loop_run();
    for (int i = 0; i < POSTERS; i++)
        pthread_join(t[i], NULL);
    offload_inbox_free(&inbox);
    assert_null(inbox);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(results_come_back_to_their_fibers, setup, teardown),
        cmocka_unit_test_setup_teardown(the_line_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelling_waits_for_the_work, setup, teardown),
        cmocka_unit_test_setup_teardown(inbox_delivers_all_in_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
