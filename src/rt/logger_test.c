/* logger_test.c - lines reach the pipe in order, with context; a full pipe drops and counts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/testing.h"
#include "rt/fiber.h"
#include "rt/loop.h"

static int ends[2];
static char got[1 << 20];

static int
setup(void **state)
{
    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    logger_init(ends[1], LOG_INFO, "test");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    logger_init(STDERR_FILENO, LOG_INFO, "test");
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static size_t
read_pipe(void)
{
    size_t n = 0;
    ssize_t part;

    while ((part = read(ends[0], got + n, sizeof(got) - 1 - n)) > 0)
        n += (size_t)part;
    got[n] = '\0';
    return n;
}

static void
say(enum log_level lvl, uint64_t number)
{
    AUTO(logger_send) struct log_line l;

    if (logger_begin(&l, lvl, "test.line"))
        log_u64(&l, "n", number);
}

static void
lines_without_a_loop_go_at_once(void **state)
{
    (void)state;
    say(LOG_DEBUG, 1); /* below the threshold */
    assert_int_equal(read_pipe(), 0);
    say(LOG_INFO, 2);
    assert_true(read_pipe() > 0);
    assert_non_null(strstr(got, " lvl=info ev=test.line role=test n=2\n"));
    assert_null(strstr(got, "sid="));
}

static FIBER_ENTRY void
log_from_fiber(void *arg)
{
    (void)arg;
    fiber_context()->session = 0xabc;
    memcpy(fiber_context()->user, "a b@example.org", 16);
    for (uint64_t i = 0; i < 100; i++)
        say(LOG_INFO, i);
    fiber_yield(); /* the turn ends */
    fiber_yield();
    assert_true(read_pipe() > 0);
    const char *at = got;
    for (int i = 0; i < 100; i++) {
        char want[32];
        snprintf(want, sizeof(want), " n=%d\n", i);
        at = strstr(at, want);
        assert_non_null(at);
    }
    assert_non_null(strstr(got, " sid=0000000000000abc user=\"a b@example.org\" n=0\n"));
    say(LOG_INFO, 7);
    assert_int_equal(read_pipe(), 0); /* waits for the end of the turn */
    say(LOG_ERROR, 8);
    read_pipe();
    assert_non_null(strstr(got, "n=7\n")); /* in order all the same */
    assert_non_null(strstr(got, "n=8\n"));
    loop_stop();
}

static void
lines_of_a_turn_are_batched(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(log_from_fiber, NULL), OK);
    loop_run();
    loop_release();
}

static void
a_full_pipe_drops_and_tells(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        say(LOG_INFO, i);
    size_t n = read_pipe();
    assert_true(n > 0 && got[n - 1] == '\n'); /* whole lines only */
    unsigned long kept = 0;
    for (const char *p = got; (p = strchr(p, '\n')) != NULL; p++)
        kept++;
    assert_true(kept < 10000);
    say(LOG_INFO, 1);
    read_pipe();
    char want[64];
    snprintf(want, sizeof(want), "ev=log.dropped role=test lines=%lu\n", 10000 - kept);
    assert_non_null(strstr(got, want));
    assert_non_null(strstr(got, "ev=test.line role=test n=1\n"));
}

/* What waits for the end of the turn goes to the new file as well. */
static FIBER_ENTRY void
move_with_lines(void *arg)
{
    int old = ends[0];
    int fresh[2];

    (void)arg;
    say(LOG_INFO, 1);
    fiber_yield();
    fiber_yield();
    say(LOG_INFO, 2);
    assert_int_equal(pipe2(fresh, O_CLOEXEC), 0);
    logger_move(fresh[1]);
    close(fresh[1]);
    say(LOG_ERROR, 3);
    read_pipe();
    assert_non_null(strstr(got, "n=1\n"));
    assert_null(strstr(got, "n=2\n"));
    ends[0] = fresh[0];
    assert_int_equal(fcntl(fresh[0], F_SETFL, O_NONBLOCK), 0);
    read_pipe();
    assert_null(strstr(got, "n=1\n"));
    assert_non_null(strstr(strstr(got, "n=2\n"), "n=3\n"));
    assert_true((fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(ends[1], F_GETFD) & FD_CLOEXEC) != 0);
    close(old);
    loop_stop();
}

static void
lines_go_to_another_file(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(move_with_lines, NULL), OK);
    loop_run();
    loop_release();
}

static struct buf held = {.max = 4096};

static void
hold(struct str line)
{
    buf_add(&held, line);
}

static void
say_kept(enum log_level lvl, uint64_t number)
{
    AUTO(logger_send) struct log_line l;

    if (logger_begin_kept(&l, lvl, "test.kept"))
        log_u64(&l, "n", number);
}

/* Whatever the level; and nothing else is kept. */
static FIBER_ENTRY void
keep_lines(void *arg)
{
    (void)arg;
    say_kept(LOG_DEBUG, 1); /* nobody keeps yet */
    logger_keep(hold);
    say_kept(LOG_DEBUG, 2);
    say_kept(LOG_INFO, 3);
    say(LOG_ERROR, 4);
    logger_keep(NULL);
    say_kept(LOG_ERROR, 5);
    buf_add_char(&held, '\0');
    assert_null(strstr(held.ptr, "n=1"));
    assert_non_null(strstr(strstr(held.ptr, "ev=test.kept role=test n=2\n"), "n=3\n"));
    assert_true(strstr(held.ptr, "n=4") == NULL && strstr(held.ptr, "n=5") == NULL);
    read_pipe();
    assert_true(strstr(got, "n=1") == NULL && strstr(got, "n=2") == NULL);
    assert_non_null(strstr(strstr(strstr(got, "n=3\n"), "n=4\n"), "n=5\n"));
    buf_release(&held);
    loop_stop();
}

static void
some_lines_are_kept(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(keep_lines, NULL), OK);
    loop_run();
    loop_release();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_without_a_loop_go_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_a_turn_are_batched, setup, teardown),
        cmocka_unit_test_setup_teardown(some_lines_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_go_to_another_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_pipe_drops_and_tells, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
