/* fiber_test.c - fibers: many of them, wakes, cancellation, locks, queues, limits, errno.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/fiber_internal.h"

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
    assert_int_equal(fiber_count(), 0);
    loop_release();
    return 0;
}

static void
stop_when_alone(void)
{
    if (fiber_count() == 0)
        loop_stop();
}

/* Runs until every fiber has ended. */
static void
run_all(void)
{
    fiber_on_end(stop_when_alone);
    loop_run();
}

static void
go(void (*entry)(void *arg), void *arg)
{
    assert_int_equal(fiber_go(entry, arg), OK);
}

/* Many. */

#define MANY 10000
static struct fiber *many[MANY];
static uint32_t parked, ended_ok, ended_cancelled;

static FIBER_ENTRY void
park_once(void *arg)
{
    struct fiber **self = arg;
    volatile char frame[2048]; /* its contents must survive the switch */

    memset((char *)(uintptr_t)frame, (int)(uintptr_t)self & 0x7f, sizeof(frame));
    *self = fiber_self();
    fiber_context()->session = (uint64_t)(uintptr_t)self;
    errno = (int)((uintptr_t)self % 1000);
    parked++;
    enum status s = fiber_park(FIBER_FOREVER);
    assert_int_equal(errno, (uintptr_t)self % 1000);
    assert_true(fiber_context()->session == (uint64_t)(uintptr_t)self);
    for (size_t i = 0; i < sizeof(frame); i += 64)
        assert_int_equal(frame[i], (uintptr_t)self & 0x7f);
    if (s == OK)
        ended_ok++;
    else if (s == ERR_CANCELLED)
        ended_cancelled++;
}

static FIBER_ENTRY void
wake_and_cancel_many(void *arg)
{
    (void)arg;
    while (parked < MANY)
        fiber_yield();
    assert_int_equal(fiber_count(), MANY + 1);
    for (int i = 0; i < MANY; i++) {
        if (i % 2 == 0)
            fiber_wake(many[i]);
        else
            fiber_cancel(many[i]);
    }
}

static void
ten_thousand_fibers(void **state)
{
    (void)state;
    fiber_pool_limit(MANY + 1);
    for (int round = 0; round < 2; round++) { /* the second one on recycled stacks */
        parked = ended_ok = ended_cancelled = 0;
        for (int i = 0; i < MANY; i++)
            go(park_once, &many[i]);
        go(wake_and_cancel_many, NULL);
        assert_int_equal(fiber_go(park_once, NULL), ERR_LIMIT); /* the cap */
        run_all();
        assert_int_equal(ended_ok, MANY / 2);
        assert_int_equal(ended_cancelled, MANY / 2);
    }
}

/* Wakes and timeouts. */

static FIBER_ENTRY void
check_parks(void *arg)
{
    (void)arg;
    fiber_wake(fiber_self());
    assert_int_equal(fiber_park(FIBER_FOREVER), OK); /* a wake before the park is not lost */
    assert_int_equal(fiber_park(0), ERR_TIMEOUT);
    int64_t start = clock_mono_us();
    assert_int_equal(fiber_park(20), ERR_TIMEOUT);
    assert_true(clock_mono_us() - start >= 20000);
    start = clock_mono_us();
    fiber_wake(fiber_self());
    assert_int_equal(fiber_sleep(20), OK); /* sleeps in full ... */
    assert_true(clock_mono_us() - start >= 20000);
    assert_int_equal(fiber_park(0), OK); /* ... and keeps the wake for the park it was meant for */
    fiber_cancel(fiber_self());
    assert_int_equal(fiber_park(FIBER_FOREVER), ERR_CANCELLED);
    assert_int_equal(fiber_sleep(1000000), ERR_CANCELLED);
    assert_int_equal(fiber_park(FIBER_FOREVER), ERR_CANCELLED); /* it stays cancelled */
}

static void
parks_wake_time_out_and_cancel(void **state)
{
    (void)state;
    assert_null(fiber_self());
    fiber_context()->session = 77; /* outside fibers: a static one */
    go(check_parks, NULL);
    run_all();
    assert_true(fiber_context()->session == 77);
    fiber_context()->session = 0;
}

static char order[64];
static size_t order_len;

static void
note(char c)
{
    assert_true(order_len < sizeof(order) - 1);
    order[order_len++] = c;
    order[order_len] = '\0';
}

static FIBER_ENTRY void
yield_twice(void *arg)
{
    const char *name = arg;

    note(*name);
    fiber_yield();
    note(*name);
    fiber_yield();
    note(*name);
}

static void
yield_is_fair(void **state)
{
    static char names[] = "abc";

    (void)state;
    order_len = 0;
    for (size_t i = 0; i < 3; i++)
        go(yield_twice, &names[i]);
    run_all();
    assert_string_equal(order, "abcabcabc");
}

/* Locks. */

static struct fiber_lock lock;
static struct fiber *doomed;

static FIBER_ENTRY void
take_and_note(void *arg)
{
    const char *name = arg;

    if (*name == 'c')
        doomed = fiber_self();
    enum status s = fiber_lock_take(&lock);
    if (*name == 'c') {
        assert_int_equal(s, ERR_CANCELLED);
        return;
    }
    assert_int_equal(s, OK);
    note(*name);
    assert_int_equal(fiber_sleep(1), OK); /* the others come and queue */
    note(*name);
    if (*name == 'b')
        fiber_cancel(doomed);
    fiber_lock_give(&lock);
}

static void
locks_are_fifo_and_skip_the_cancelled(void **state)
{
    static char names[] = "abcde";

    (void)state;
    fiber_lock_init(&lock);
    order_len = 0;
    for (size_t i = 0; i < 5; i++)
        go(take_and_note, &names[i]);
    run_all();
    assert_string_equal(order, "aabbddee");
    assert_null(lock.owner);
}

/* Queues. */

static struct fiber_queue queue;

static FIBER_ENTRY void
wait_in_queue(void *arg)
{
    const char *name = arg;
    enum status s = fiber_queue_wait(&queue, *name == 't' ? 5 : FIBER_FOREVER);

    note(s == OK ? *name : s == ERR_TIMEOUT ? 'T' : '?');
}

static FIBER_ENTRY void
wake_queue(void *arg)
{
    (void)arg;
    assert_true(fiber_queue_wake_one(&queue));
    assert_int_equal(fiber_sleep(30), OK); /* 't' gives up meanwhile */
    note('|');
    fiber_queue_wake_all(&queue);
    assert_false(fiber_queue_wake_one(&queue));
}

static void
queues_wake_in_order_and_time_out(void **state)
{
    static char names[] = "atbc";

    (void)state;
    fiber_queue_init(&queue);
    order_len = 0;
    for (size_t i = 0; i < 4; i++)
        go(wait_in_queue, &names[i]);
    go(wake_queue, NULL);
    run_all();
    assert_string_equal(order, "aT|bc");
}

/* Descriptors. */

static int ends[2];

static FIBER_ENTRY void
wait_for_pipe(void *arg)
{
    char c;

    (void)arg;
    assert_int_equal(fiber_wait_fd(ends[0], EPOLLIN, 5), ERR_TIMEOUT);
    note('t');
    assert_int_equal(fiber_wait_fd(ends[0], EPOLLIN, FIBER_FOREVER), OK);
    assert_int_equal(read(ends[0], &c, 1), 1);
    note(c);
}

static FIBER_ENTRY void
write_to_pipe(void *arg)
{
    (void)arg;
    while (order_len == 0)
        assert_int_equal(fiber_sleep(1), OK);
    assert_int_equal(fiber_wait_fd(ends[1], EPOLLOUT, FIBER_FOREVER), OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
}

static void
descriptors_are_awaited(void **state)
{
    (void)state;
    assert_int_equal(pipe(ends), 0);
    order_len = 0;
    go(wait_for_pipe, NULL);
    go(write_to_pipe, NULL);
    run_all();
    assert_string_equal(order, "tx");
    close(ends[0]);
    close(ends[1]);
}

/* Stacks. */

static struct fiber *sleeper;

static FIBER_ENTRY void
use_deep_stack(void *arg)
{
    volatile char deep[40000];

    (void)arg;
    memset((char *)(uintptr_t)deep, 1, sizeof(deep));
    sleeper = fiber_self();
    assert_int_equal(fiber_sleep(1), OK);
}

static FIBER_ENTRY void
outlive_the_trim(void *arg)
{
    (void)arg;
    assert_int_equal(fiber_sleep(2500), OK);
}

static void
idle_stacks_are_trimmed(void **state)
{
    unsigned char in_core[FIBER_STACK_BYTES / 4096];

    (void)state;
    go(outlive_the_trim, NULL);
    go(use_deep_stack, NULL);
    run_all();
    uintptr_t page = ((uintptr_t)sleeper - 8192) & ~(uintptr_t)4095;
    assert_true(sleeper->trimmed);
    assert_int_equal(mincore((void *)page, 4096, in_core), 0);
    assert_int_equal(in_core[0] & 1, 0);
}

static FIBER_ENTRY void
overflow(void *arg)
{
    volatile char *p = (volatile char *)fiber_self()->low;

    (void)arg;
    p[-1] = 1; /* into the guard */
}

static FIBER_ENTRY void
spoil_canary(void *arg)
{
    (void)arg;
    fiber_self()->canary ^= 1;
    fiber_yield();
}

/* The child must die by a signal. */
static void
dies(void (*entry)(void *arg))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
        signal(SIGABRT, SIG_DFL);
        loop_release();
        loop_init();
        if (fiber_go(entry, NULL) == OK)
            run_all();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 0));
}

/* ---- crews ---- */

static struct fiber_crew crew;
static int left_crew;

static FIBER_ENTRY void
work_in_crew(void *arg)
{
    const int *turns = arg;

    for (int i = 0; i < *turns; i++)
        fiber_yield();
    left_crew++;
    fiber_crew_leave(&crew);
}

static FIBER_ENTRY void
wait_for_crew(void *arg)
{
    static int turns[] = {3, 0, 1};
    bool cancelled = *(bool *)arg;

    fiber_crew_init(&crew, NULL);
    fiber_crew_wait(&crew); /* of nobody */
    fiber_crew_init(&crew, NULL);
    for (size_t i = 0; i < COUNT_OF(turns); i++)
        assert_int_equal(fiber_crew_go(&crew, work_in_crew, &turns[i]), OK);
    if (cancelled)
        fiber_cancel(fiber_self());
    fiber_crew_wait(&crew);
    assert_int_equal(left_crew, COUNT_OF(turns));
    fiber_crew_init(&crew, NULL);
    left_crew = 0;
    assert_int_equal(fiber_crew_go(&crew, work_in_crew, &turns[1]), OK);
    fiber_yield(); /* it leaves before anybody waits */
    assert_int_equal(left_crew, 1);
    fiber_crew_wait(&crew);
    left_crew = 100;
}

static FIBER_ENTRY void
share_with_a_crew(void *arg)
{
    static struct fiber_share share = {.max = 2};
    static int none;

    (void)arg;
    fiber_crew_init(&crew, &share);
    assert_int_equal(fiber_crew_go(&crew, work_in_crew, &none), OK);
    assert_int_equal(fiber_crew_go(&crew, work_in_crew, &none), OK);
    assert_int_equal(fiber_crew_go(&crew, work_in_crew, &none), ERR_LIMIT);
    fiber_crew_wait(&crew);
    assert_int_equal(share.at_work, 0);
    fiber_crew_init(&crew, &share);
    assert_int_equal(fiber_crew_go(&crew, work_in_crew, &none), OK);
    fiber_crew_wait(&crew);
}

static void
crews_share(void **state)
{
    (void)state;
    left_crew = 0;
    assert_int_equal(fiber_go(share_with_a_crew, NULL), OK);
    run_all();
    assert_int_equal(left_crew, 3);
}

static void
crews_are_waited_for(void **state)
{
    bool cancelled[] = {false, true};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cancelled); i++) {
        left_crew = 0;
        assert_int_equal(fiber_go(wait_for_crew, &cancelled[i]), OK);
        run_all();
        assert_int_equal(left_crew, 100);
    }
}

static void
overflows_end_the_process(void **state)
{
    (void)state;
    dies(overflow);
    dies(spoil_canary);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ten_thousand_fibers, setup, teardown),
        cmocka_unit_test_setup_teardown(parks_wake_time_out_and_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(yield_is_fair, setup, teardown),
        cmocka_unit_test_setup_teardown(locks_are_fifo_and_skip_the_cancelled, setup, teardown),
        cmocka_unit_test_setup_teardown(queues_wake_in_order_and_time_out, setup, teardown),
        cmocka_unit_test_setup_teardown(crews_are_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(crews_share, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_are_awaited, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_stacks_are_trimmed, setup, teardown),
        cmocka_unit_test_setup_teardown(overflows_end_the_process, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
