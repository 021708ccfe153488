/* conn_drain_test.c - the end of a server: who hears the farewell, and when.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "rt/conn_internal.h"
#include "rt/conn_testing.h"

static int
setup(void **state)
{
    (void)state;
    loop_init();
    test_deadline_ms = FIBER_FOREVER;
    test_listener = (struct listener){.fd = -1, .farewell = STR("gone\r\n")};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    loop_release();
    return 0;
}

static FIBER_ENTRY void
say_goodbye(void)
{
    int rests, works, sends, late;

    rests = test_connect();
    works = test_connect();
    sends = test_connect();
    test_expect(rests, STR("hi\r\n"));
    test_expect(works, STR("hi\r\n"));
    test_expect(sends, STR("hi\r\n"));
    test_say(rests, STR("half a li"));
    test_say(works, STR("WAIT\r\nnever\r\n"));
    test_say(sends, STR("BODY\r\n"));
    while (list_count(&test_gate.waiters) == 0 || test_sessions[2].body_left == 0)
        fiber_yield();
    late = test_connect(); /* its greeting is not said yet */
    listener_drain(&test_listener, DRAIN_RESTING);
    test_expect(rests, STR("gone\r\n"));
    test_expect_end(rests);
    test_expect(late, STR("hi\r\ngone\r\n"));
    test_expect_end(late);
    close(rests);
    close(late);
    while (listener_counts(&test_listener).open > 2)
        assert_int_equal(fiber_sleep(1), OK);
    (void)fiber_queue_wake_one(&test_gate);
    test_expect(works, STR("ok never\r\ngone\r\n"));
    test_expect_end(works);
    close(works);
    test_say(sends, STR("half a body"));
    while (listener_counts(&test_listener).open > 1)
        assert_int_equal(fiber_sleep(1), OK);
    listener_drain(&test_listener, DRAIN_BODIES);
    test_expect(sends, STR("gone\r\n"));
    test_expect_end(sends);
    close(sends);
}

static FIBER_ENTRY void
take_the_body_first(void)
{
    static char body[100000];
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("BODY\r\n"));
    while (test_sessions[0].body_left == 0)
        fiber_yield();
    listener_drain(&test_listener, DRAIN_RESTING);
    fiber_yield();
    memset(body, 1, sizeof(body));
    for (size_t at = 0; at < sizeof(body); at += 10000) {
        test_say(fd, str_from(body + at, 10000));
        fiber_yield();
    }
    test_expect(fd, STR("sum 100000\r\ngone\r\n"));
    test_expect_end(fd);
    close(fd);
}

static FIBER_ENTRY void
wait_for_ever(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("WAIT\r\n"));
    while (list_count(&test_gate.waiters) == 0)
        fiber_yield();
    listener_drain(&test_listener, DRAIN_BODIES);
    listener_drain(&test_listener, DRAIN_ALL);
    test_expect(fd, STR("gone\r\n"));
    (void)fiber_queue_wake_one(&test_gate);
    test_expect_end(fd);
    close(fd);
}

static void
also_who_is_at_work_hears_it(void **state)
{
    (void)state;
    test_run(wait_for_ever);
}

static void
a_server_that_ends_says_so(void **state)
{
    (void)state;
    test_run(say_goodbye);
}

static void
a_server_that_ends_takes_what_is_coming(void **state)
{
    (void)state;
    test_run(take_the_body_first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_ends_says_so),
        TEST(a_server_that_ends_takes_what_is_coming),
        TEST(also_who_is_at_work_hears_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
