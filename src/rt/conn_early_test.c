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
come_by_a_proxy(void)
{
    static const struct str header = STR("PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n");
    int fd = dial();

    set_nonblocking(fd);
    for (size_t i = 0; i < header.len; i++) {
        assert_int_equal(test_session_count, 0);
        test_say(fd, str_sub(header, i, 1));
        fiber_yield();
    }
    test_expect(fd, STR("hi\r\n"));
    struct conn *served = test_sessions[0].conn;
    assert_true(str_eq(conn_peer(served), STR("192.0.2.1")));
    assert_true(str_eq(conn_local(served), STR("192.0.2.2")));
    assert_int_equal(conn_peer_port(served), 4711);
    test_say(fd, STR("one\r\n"));
    test_expect(fd, STR("ok one\r\n"));
    /* What stands behind the header in the same packet is the session's; the limit is the client's, not the proxy's. */
    int same = dial(), other = dial(), own = dial();
    test_say(same, STR("PROXY TCP4 192.0.2.1 192.0.2.2 4712 25\r\ntwo\r\n"));
    set_nonblocking(same);
    test_expect(same, STR("421 too many\r\n"));
    assert_string_equal(test_refused, "address");
    test_say(other, STR("PROXY TCP4 127.0.0.1 192.0.2.2 4712 25\r\ntwo\r\n"));
    set_nonblocking(other);
    test_expect(other, STR("hi\r\nok two\r\n"));
    assert_false(conn_peer_is_loopback(test_sessions[1].conn)); /* not this machine's */
    test_say(own, STR("PROXY UNKNOWN\r\nthree\r\n"));
    set_nonblocking(own);
    test_expect(own, STR("hi\r\nok three\r\n"));
    assert_true(conn_peer_is_loopback(test_sessions[2].conn));
    close(fd);
    close(same);
    close(other);
    close(own);
}

static void
a_proxy_says_who_the_client_is(void **state)
{
    (void)state;
    assert_true(subnet_read(STR("127.0.0.0/8"), &loopback));
    test_listener.proxies = &loopback;
    test_listener.proxy_count = 1;
    test_listener.per_address_max = 1;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(come_by_a_proxy);
}

static FIBER_ENTRY void
forget_the_header(void)
{
    int fd = dial();

    set_nonblocking(fd);
    test_say(fd, STR("EHLO me\r\n"));
    test_expect_end(fd);
    assert_string_equal(test_refused, "proxy: no header of the PROXY protocol");
    close(fd);
    fd = dial();
    set_nonblocking(fd);
    test_say(fd, STR("PROXY TCP4 "));
    test_expect_end(fd);
    assert_string_equal(test_refused, "proxy: the header of the PROXY protocol did not come");
    close(fd);
    assert_int_equal(test_session_count, 0);
}

static void
a_proxy_without_a_header_is_closed(void **state)
{
    (void)state;
    assert_true(subnet_read(STR("127.0.0.0/8"), &loopback));
    conn_proxy_ms = 50;
    test_listener.proxies = &loopback;
    test_listener.proxy_count = 1;
    where = test_listen();
    test_run(forget_the_header);
    conn_proxy_ms = LIMIT_PROXY_S * INT64_C(1000);
}

static FIBER_ENTRY void
speak_for_another(void)
{
    struct sockaddr_in client = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr_storage a = {0};
    int fd[2] = {dial(), dial()};

    memcpy(&a, &client, sizeof(client));
    for (int i = 0; i < 2; i++) {
        set_nonblocking(fd[i]);
        test_expect(fd[i], STR("hi\r\n"));
    }
    assert_int_equal(conn_speaks_for(test_sessions[0].conn, &a), OK);
    assert_true(str_eq(conn_peer(test_sessions[0].conn), STR("192.0.2.1")));
    assert_false(conn_peer_is_loopback(test_sessions[0].conn));
    assert_int_equal(conn_speaks_for(test_sessions[1].conn, &a), ERR_LIMIT);
    client.sin_addr.s_addr = htonl(0xc0000202);
    memcpy(&a, &client, sizeof(client));
    assert_int_equal(conn_speaks_for(test_sessions[0].conn, &a), OK); /* its place is free again */
    client.sin_addr.s_addr = htonl(0xc0000201);
    memcpy(&a, &client, sizeof(client));
    assert_int_equal(conn_speaks_for(test_sessions[1].conn, &a), OK);
    close(fd[0]);
    close(fd[1]);
}

static void
a_speaker_counts_as_its_client(void **state)
{
    (void)state;
    assert_true(subnet_read(STR("127.0.0.0/8"), &loopback));
    test_listener.speakers = &loopback;
    test_listener.speaker_count = 1;
    test_listener.per_address_max = 1;
    where = test_listen();
    test_run(speak_for_another);
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
        TEST(a_proxy_says_who_the_client_is),
        TEST(a_proxy_without_a_header_is_closed),
        TEST(a_speaker_counts_as_its_client),
        TEST(only_listed_networks_may_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
