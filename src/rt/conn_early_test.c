/* conn_early_test.c - before a session: who may connect, headers of proxies, the pause before the greeting.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/conn_testing.h"

static struct sockaddr_in where;

static int
setup(void **state)
{
    (void)state;
    loop_init();
    test_deadline_ms = FIBER_FOREVER;
    test_listener = (struct listener){.fd = -1};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    loop_release();
    return 0;
}

static int
dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    return fd;
}

static void
set_nonblocking(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static FIBER_ENTRY void
speak_too_early(void)
{
    int fd = dial();

    set_nonblocking(fd);
    test_say(fd, STR("EHLO me\r\n"));
    test_expect(fd, STR("554 early\r\n"));
    test_expect_end(fd);
    assert_int_equal(test_session_count, 0); /* no session began */
    assert_string_equal(test_refused, "early");
    close(fd);
    fd = dial(); /* hangs up before it is greeted */
    close(fd);
    /* One byte is enough, whenever it comes. */
    fd = dial();
    set_nonblocking(fd);
    assert_int_equal(fiber_sleep(20), OK);
    test_say(fd, STR("E"));
    test_expect(fd, STR("554 early\r\n"));
    test_expect_end(fd);
    close(fd);
}

static void
who_speaks_before_the_greeting_is_refused(void **state)
{
    (void)state;
    test_listener.pause_ms = 1000000;
    test_listener.early_line = STR("554 early\r\n");
    where = test_listen();
    test_run(speak_too_early);
}

static FIBER_ENTRY void
wait_for_the_greeting(void)
{
    int fd = dial();

    set_nonblocking(fd);
    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("one\r\n"));
    test_expect(fd, STR("ok one\r\n"));
    conn_did_well(test_sessions[0].conn);
    test_listener.pause_ms = 1000000; /* not for an address that did well */
    int again = dial();
    set_nonblocking(again);
    test_expect(again, STR("hi\r\n"));
    close(fd);
    close(again);
}

static void
who_waits_is_greeted_and_remembered(void **state)
{
    (void)state;
    test_listener.pause_ms = 20;
    test_listener.early_line = STR("554 early\r\n");
    where = test_listen();
    test_run(wait_for_the_greeting);
}

static struct subnet loopback;

static FIBER_ENTRY void
be_greeted_at_once(void)
{
    int fd[2] = {dial(), test_connect()}; /* of a listed network, and by a Unix socket */

    set_nonblocking(fd[0]);
    for (int i = 0; i < 2; i++) {
        test_expect(fd[i], STR("hi\r\n"));
        close(fd[i]);
    }
}

static void
some_are_greeted_at_once(void **state)
{
    (void)state;
    assert_true(subnet_read(STR("127.0.0.0/8"), &loopback));
    test_listener.pause_ms = 1000000;
    test_listener.prompt = &loopback;
    test_listener.prompt_count = 1;
    where = test_listen();
    test_run(be_greeted_at_once);
}

static FIBER_ENTRY void
come_as_a_stranger(void)
{
    int fd = dial();

    set_nonblocking(fd);
    test_expect_end(fd);
    assert_string_equal(test_refused, "stranger");
    assert_int_equal(listener_counts(&test_listener).accepted, 0);
    close(fd);
}

static void
only_listed_networks_may_connect(void **state)
{
    (void)state;
    assert_true(subnet_read(STR("127.1.0.0/16"), &loopback));
    test_listener.from = &loopback;
    test_listener.from_count = 1;
    test_listener.shed_line = STR("421 too many\r\n"); /* not for a stranger */
    where = test_listen();
    test_run(come_as_a_stranger);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_speaks_before_the_greeting_is_refused),
        TEST(who_waits_is_greeted_and_remembered),
        TEST(some_are_greeted_at_once),
        TEST(only_listed_networks_may_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
