/* conn_test.c - connections without TLS: lines, limits, deadlines, floors, caps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/conn_testing.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/fiber_internal.h"

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
    conn_floor_window_ms = 60000;
    loop_release();
    return 0;
}

/* Lines. */

static const char said[] =
    "one\r\n\r\n12345678901234567890\r\n123456789012345678901\r\nA\nb\rc\r\nx\0y\r\n"
    "a very long line that does not end before the limit is passed\r\nlast\r\n";
static const char heard[] =
    "hi\r\nok one\r\nok \r\nok 12345678901234567890\r\nlong\r\nbad 1\r\nbad 3\r\nbad 3\r\n"
    "long\r\nok last\r\n";
static const struct str conversation = {said, sizeof(said) - 1};
static const struct str replies = {heard, sizeof(heard) - 1};

static FIBER_ENTRY void
split_everywhere(void)
{
    for (size_t at = 0; at <= conversation.len; at++) {
        int fd = test_connect();
        test_say(fd, str_sub(conversation, 0, at));
        fiber_yield();
        fiber_yield();
        test_say(fd, str_skip(conversation, at));
        test_expect(fd, replies);
        close(fd);
    }
}

static void
lines_split_at_every_byte(void **state)
{
    (void)state;
    test_run(split_everywhere);
}

static FIBER_ENTRY void
one_byte_at_a_time(void)
{
    int fd = test_connect();

    for (size_t i = 0; i < conversation.len; i++) {
        test_say(fd, str_sub(conversation, i, 1));
        fiber_yield();
        fiber_yield();
    }
    test_expect(fd, replies);
    test_say(fd, STR("par")); /* a partial line at rest holds little memory */
    assert_int_equal(fiber_sleep(5), OK);
    assert_true(test_sessions[0].conn->in.cap <= 64);
    assert_null(test_sessions[0].conn->out.ptr);
    test_say(fd, STR("tial\r\n"));
    test_expect(fd, STR("ok partial\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    assert_null(test_sessions[0].conn->in.ptr); /* an empty one none */
    close(fd);
}

static void
lines_arrive_byte_by_byte(void **state)
{
    (void)state;
    test_run(one_byte_at_a_time);
}

static FIBER_ENTRY void
many_lines(void)
{
    static char all[60000], expected[90000];
    size_t n = 0, m = 0;
    int fd = test_connect();

    for (int i = 0; i < 5000; i++) {
        n += (size_t)snprintf(all + n, sizeof(all) - n, "line %d\r\n", i % 1000);
        m += (size_t)snprintf(expected + m, sizeof(expected) - m, "ok line %d\r\n", i % 1000);
    }
    test_expect(fd, STR("hi\r\n"));
    test_say(fd, str_from(all, n));
    for (size_t at = 0; at < m; at += 200)
        test_expect(fd, str_sub(str_from(expected, m), at, 200));
    close(fd);
}

static void
pipelined_lines_keep_their_order(void **state)
{
    (void)state;
    test_run(many_lines);
    /* Far fewer wakes than lines: a wake drains what has come. */
    assert_true(strlen(test_events) < 200);
}

/* Ends. */

static FIBER_ENTRY void
end_in_the_middle(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("whole\r\nhalf"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    test_expect(fd, STR("ok whole\r\n")); /* what was complete is answered, the half line is not */
    test_expect_end(fd);
    close(fd);
}

static void
an_end_in_the_middle_of_a_line(void **state)
{
    (void)state;
    test_run(end_in_the_middle);
    assert_string_equal(test_events, "*IEC");
}

static FIBER_ENTRY void
quit_with_more_behind(void)
{
    int fd = test_connect();

    test_say(fd, STR("QUIT\r\n"));
    test_expect(fd, STR("hi\r\nbye\r\n"));
    test_expect_end(fd);
    close(fd);
}

static void
a_farewell_arrives_before_the_end(void **state)
{
    (void)state;
    test_run(quit_with_more_behind);
    assert_string_equal(test_events, "*IC");
}

static FIBER_ENTRY void
vanish_while_it_works(void)
{
    int fd = test_connect();

    test_say(fd, STR("WAIT\r\n"));
    test_expect(fd, STR("hi\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    close(fd);
    assert_int_equal(fiber_sleep(5), OK);
    assert_true(test_sessions[0].open); /* not under the hands of its fiber */
    fiber_queue_wake_all(&test_gate);
}

static void
closed_comes_after_the_work(void **state)
{
    (void)state;
    test_run(vanish_while_it_works);
    assert_string_equal(test_events, "*IEC");
}

static FIBER_ENTRY void
close_from_outside(void)
{
    int at_rest = test_connect(), at_work = test_connect();

    test_expect(at_rest, STR("hi\r\n"));
    test_say(at_work, STR("WAIT\r\n"));
    test_expect(at_work, STR("hi\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    conn_close(test_sessions[0].conn);
    conn_close(test_sessions[1].conn);
    test_expect_end(at_rest);
    assert_true(test_sessions[1].open);
    fiber_queue_wake_all(&test_gate);
    test_expect_end(at_work);
    close(at_rest);
    close(at_work);
}

static void
connections_are_closed_from_outside(void **state)
{
    (void)state;
    test_run(close_from_outside);
    assert_string_equal(test_events, "**ICC");
}

/* Notes. */

static FIBER_ENTRY void
note_often(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    struct conn *c = test_sessions[0].conn;
    for (int i = 0; i < 10; i++)
        conn_note(c);
    test_expect(fd, STR("note\r\n")); /* at rest: once */
    test_say(fd, STR("WAIT\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    for (int i = 0; i < 10; i++)
        conn_note(c);
    fiber_queue_wake_all(&test_gate);
    test_expect(fd, STR("note\r\n")); /* at work: once, afterwards */
    test_say(fd, STR("end\r\n"));
    test_expect(fd, STR("ok end\r\n"));
    close(fd);
}

static void
notes_are_coalesced(void **state)
{
    (void)state;
    test_run(note_often);
    assert_string_equal(test_events, "*NINIEC");
}

static FIBER_ENTRY void
leave_input(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("PAUSE\r\nA\r\n"));
    assert_int_equal(fiber_sleep(20), OK);
    assert_string_equal(test_events, "*II"); /* left alone once, and then it does not spin */
    test_say(fd, STR("B\r\n"));
    assert_int_equal(fiber_sleep(20), OK);
    assert_string_equal(test_events, "*III"); /* more input wakes */
    conn_note(test_sessions[0].conn);
    test_expect(fd, STR("note\r\nok A\r\nok B\r\n"));
    close(fd);
}

static void
input_left_alone_waits_for_a_note(void **state)
{
    (void)state;
    test_run(leave_input);
    assert_string_equal(test_events, "*IIINIEC");
}

/* Deadlines and floors. */

static FIBER_ENTRY void
let_the_deadline_pass(void)
{
    int64_t start = clock_mono_us();
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    for (int i = 0; i < 4; i++) { /* bytes are no unit: they do not move it */
        test_say(fd, STR("x"));
        assert_int_equal(fiber_sleep(10), OK);
    }
    test_expect(fd, STR("timeout\r\n"));
    assert_true(clock_mono_us() - start >= 95000); /* a turn has one time */
    test_expect_end(fd);
    close(fd);
}

static void
a_missed_deadline_is_told(void **state)
{
    (void)state;
    test_deadline_ms = 100;
    test_run(let_the_deadline_pass);
    assert_string_equal(test_events, "*TC");
}

static FIBER_ENTRY void
keep_the_deadline(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    for (int i = 0; i < 11; i++) {
        assert_int_equal(fiber_sleep(200), OK);
        test_say(fd, STR("x\r\n"));
        test_expect(fd, STR("ok x\r\n"));
    }
    close(fd);
}

static void
each_unit_renews_the_deadline(void **state)
{
    (void)state;
    test_deadline_ms = 2000; /* 2,200 ms in all */
    test_run(keep_the_deadline);
    assert_null(strchr(test_events, 'T'));
}

static FIBER_ENTRY void
read_nothing(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("FLOOD\r\n"));
    while (test_session_count == 0 || test_sessions[0].open)
        assert_int_equal(fiber_sleep(10), OK);
    close(fd);
}

static void
a_peer_that_does_not_read_is_closed(void **state)
{
    (void)state;
    conn_floor_window_ms = 200;
    test_run(read_nothing);
    assert_string_equal(test_events, "*I!EC");
}

static FIBER_ENTRY void
read_late(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("FLOOD\r\nQUIT\r\n"));
    assert_int_equal(fiber_sleep(50), OK);
    assert_true(iobuf_size(&test_sessions[0].conn->out) <= LIMIT_CONN_OUTPUT_HIGH);
    assert_true(test_sessions[0].conn->busy); /* suspended above the mark */
    assert_int_equal(test_read_all(fd), 500 * 40000 + 5);
    close(fd);
}

static void
a_late_reader_gets_all(void **state)
{
    (void)state;
    test_run(read_late);
    assert_string_equal(test_events, "*IC");
}

static FIBER_ENTRY void
send_body(void)
{
    static char body[100000];
    char expected[64];
    size_t sum = 0;
    int fd = test_connect();

    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * 7);
        sum += (unsigned char)body[i];
    }
    int n = snprintf(expected, sizeof(expected), "sum %zu\r\nok z\r\n", sum);
    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("BODY\r\n"));
    test_say(fd, str_from(body, sizeof(body)));
    test_say(fd, STR("z\r\n"));
    test_expect(fd, str_from(expected, (size_t)n));
    close(fd);
}

static void
bodies_are_drained(void **state)
{
    (void)state;
    test_run(send_body);
}

static FIBER_ENTRY void
trickle_body(void)
{
    int fd = test_connect();

    test_say(fd, STR("BODY\r\n"));
    test_expect(fd, STR("hi\r\n"));
    while (test_sessions[0].open) {
        (void)!send(fd, "x", 1, MSG_NOSIGNAL);
        assert_int_equal(fiber_sleep(20), OK);
    }
    close(fd);
}

static void
a_trickled_body_times_out(void **state)
{
    (void)state;
    conn_floor_window_ms = 200; /* 20 bytes; a loaded machine only makes the peer slower */
    test_run(trickle_body);
    assert_non_null(strchr(test_events, 'T'));
}

/* Accepting. */

static FIBER_ENTRY void
talk_by_a_unix_socket(void)
{
    int fd = test_connect();
    uint32_t uid = UINT32_MAX;

    test_expect(fd, STR("hi\r\n"));
    const struct conn *served = test_sessions[0].conn;
    assert_true(conn_is_unix(served));
    assert_true(conn_peer_uid(served, &uid));
    assert_int_equal(uid, geteuid());
    assert_true(str_eq(conn_peer(served), STR("127.0.0.1")));
    assert_int_equal(conn_peer_port(served), 0);
    test_say(fd, STR("one\r\n"));
    test_expect(fd, STR("ok one\r\n"));
    close(fd);
}

static void
a_unix_socket_says_who_connected(void **state)
{
    (void)state;
    test_run(talk_by_a_unix_socket);
}

static struct sockaddr_in where;

static FIBER_ENTRY void
connect_and_talk(void)
{
    struct conn_target t = {.addr_len = sizeof(where), .timeout_ms = 30000};
    struct conn *c = NULL;
    struct str line;

    memcpy(&t.addr, &where, sizeof(where));
    assert_int_equal(conn_connect(&t, &c), OK);
    assert_int_equal(conn_read_line(c, 30000, &line), OK);
    assert_true(str_eq(line, STR("hi")));
    const struct conn *served = test_sessions[0].conn;
    assert_true(str_eq(conn_peer(served), STR("127.0.0.1")));
    assert_true(str_eq(conn_local(served), STR("127.0.0.1")));
    assert_true(conn_peer_is_loopback(served));
    uint32_t uid;
    assert_false(conn_is_unix(served));
    assert_false(conn_peer_uid(served, &uid));
    assert_true(conn_peer_port(served) != 0);
    assert_int_equal(conn_peer_port(c), ntohs(where.sin_port));
    assert_ptr_equal(conn_listener(served), &test_listener);
    assert_false(conn_is_tls(served));
    assert_true(conn_id(served) != conn_id(c));
    int nodelay = 0;
    socklen_t len = sizeof(nodelay);
    assert_int_equal(getsockopt(served->watch.fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
    assert_int_not_equal(nodelay, 0); /* inherited from the listener */
    assert_int_equal(conn_write(c, STR("one\r\ntwo\r\n")), OK);
    assert_int_equal(conn_read_line(c, 30000, &line), OK);
    assert_true(str_eq(line, STR("ok one")));
    assert_int_equal(conn_read_line(c, 30000, &line), OK);
    assert_true(str_eq(line, STR("ok two")));
    assert_int_equal(conn_read_line(c, 10, &line), ERR_TIMEOUT);
    assert_true(conn_is_quiet(c));
    assert_int_equal(conn_write(c, STR("one\r\n")), OK);
    assert_int_equal(conn_flush(c), OK);
    while (conn_is_quiet(c))
        fiber_yield();
    assert_int_equal(conn_read_line(c, 30000, &line), OK);
    assert_true(str_eq(line, STR("ok one"))); /* looking took nothing */
    assert_true(conn_is_quiet(c));
    assert_int_equal(conn_write(c, STR("QUIT\r\n")), OK);
    assert_int_equal(conn_read_line(c, 30000, &line), OK);
    assert_int_equal(conn_read_line(c, 30000, &line), ERR_CLOSED);
    assert_false(conn_is_quiet(c));
    conn_free(&c);
    assert_null(c);
}

static void
clients_connect(void **state)
{
    (void)state;
    where = test_listen();
    test_run(connect_and_talk);
}

static FIBER_ENTRY void
connect_to_nobody(void)
{
    struct conn_target t = {.addr_len = sizeof(where), .timeout_ms = 30000};
    struct conn *c = NULL;

    memcpy(&t.addr, &where, sizeof(where));
    assert_int_equal(conn_connect(&t, &c), ERR_TEMP);
    assert_null(c);
}

static void
a_refused_connection_is_told(void **state)
{
    socklen_t len = sizeof(where);

    (void)state;
    /* Bound but not listening: nobody else can take the port meanwhile. */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &len), 0);
    test_run(connect_to_nobody);
    close(fd);
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
too_many_of_one_address(void)
{
    int fd[4];

    for (int i = 0; i < 4; i++) {
        fd[i] = dial();
        set_nonblocking(fd[i]);
    }
    for (int i = 0; i < 3; i++)
        test_expect(fd[i], STR("hi\r\n"));
    test_expect(fd[3], STR("421 too many\r\n"));
    test_expect_end(fd[3]);
    close(fd[3]);
    test_say(fd[0], STR("QUIT\r\n"));
    test_expect(fd[0], STR("bye\r\n"));
    test_expect_end(fd[0]);
    close(fd[0]);
    while (listener_counts(&test_listener).open > 2)
        assert_int_equal(fiber_sleep(1), OK);
    fd[0] = dial(); /* there is room again */
    set_nonblocking(fd[0]);
    test_expect(fd[0], STR("hi\r\n"));
    assert_int_equal(listener_counts(&test_listener).refused_address, 1);
    assert_string_equal(test_refused, "address");
    for (int i = 0; i < 3; i++)
        close(fd[i]);
}

static void
an_address_has_a_cap(void **state)
{
    (void)state;
    test_listener.per_address_max = 3;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(too_many_of_one_address);
}

/* Who is logged in does not count, and his address gets more. */
static FIBER_ENTRY void
a_log_in_makes_room(void)
{
    int fd[5];

    for (int i = 0; i < 2; i++) {
        fd[i] = dial();
        set_nonblocking(fd[i]);
        test_expect(fd[i], STR("hi\r\n"));
    }
    int out = dial();
    set_nonblocking(out);
    test_expect(out, STR("421 too many\r\n"));
    test_expect_end(out);
    close(out);
    conn_authenticated(test_sessions[0].conn);
    for (int i = 2; i < 5; i++) { /* four that are not: more than two */
        fd[i] = dial();
        set_nonblocking(fd[i]);
        test_expect(fd[i], STR("hi\r\n"));
    }
    conn_authenticated(test_sessions[1].conn);
    for (int i = 0; i < 5; i++) {
        test_say(fd[i], STR("QUIT\r\n"));
        test_expect(fd[i], STR("bye\r\n"));
        test_expect_end(fd[i]);
        close(fd[i]);
    }
    assert_int_equal(listener_counts(&test_listener).refused_address, 1);
}

static void
those_who_are_logged_in_do_not_count(void **state)
{
    (void)state;
    test_listener.per_address_max = 2;
    test_listener.per_network_max = 100;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(a_log_in_makes_room);
    test_listener.per_address_max = 100;
    test_listener.per_network_max = 2;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(a_log_in_makes_room);
}

static bool gate_open;

static bool
admits(const struct listener *l, const struct sockaddr_storage *peer)
{
    assert_ptr_equal(l, &test_listener);
    assert_int_equal(peer->ss_family, AF_INET);
    return gate_open;
}

static FIBER_ENTRY void
come_when_blocked(void)
{
    int fd = dial();

    set_nonblocking(fd);
    test_expect_end(fd); /* without a word */
    close(fd);
    assert_string_equal(test_refused, "blocked");
    assert_int_equal(listener_counts(&test_listener).refused_blocked, 1);
    gate_open = true;
    fd = dial();
    set_nonblocking(fd);
    test_expect(fd, STR("hi\r\n"));
    close(fd);
}

static void
who_is_blocked_is_not_answered(void **state)
{
    (void)state;
    test_listener.admits = admits;
    test_listener.shed_line = STR("421 too many\r\n");
    gate_open = false;
    where = test_listen();
    test_run(come_when_blocked);
}

static FIBER_ENTRY void
fill_up(void)
{
    int fd[9];

    for (int i = 0; i < 6; i++) {
        fd[i] = dial();
        set_nonblocking(fd[i]);
        test_expect(fd[i], STR("hi\r\n"));
    }
    conn_authenticated(test_sessions[0].conn);
    assert_int_equal(fiber_sleep(1100), OK);
    test_say(fd[1], STR("x\r\n")); /* served just now: not the slowest */
    test_expect(fd[1], STR("ok x\r\n"));
    fd[6] = dial(); /* the seventh of eight is above 75 %: the slowest stranger goes */
    set_nonblocking(fd[6]);
    test_expect(fd[6], STR("hi\r\n"));
    test_expect(fd[2], STR("421 too many\r\n"));
    test_expect_end(fd[2]);
    assert_int_equal(listener_counts(&test_listener).shed, 1);
    assert_string_equal(test_refused, "slow");
    for (int i = 0; i < 7; i++)
        close(fd[i]);
}

static void
the_slowest_stranger_is_shed(void **state)
{
    (void)state;
    test_listener.conns_max = 8;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(fill_up);
}

static FIBER_ENTRY void
fill_quickly(void)
{
    int fd[5];

    for (int i = 0; i < 4; i++) {
        fd[i] = dial();
        set_nonblocking(fd[i]);
        test_expect(fd[i], STR("hi\r\n"));
        conn_authenticated(test_sessions[i].conn); /* nobody to shed */
    }
    fd[4] = dial();
    set_nonblocking(fd[4]);
    test_expect(fd[4], STR("421 too many\r\n"));
    test_expect_end(fd[4]);
    assert_int_equal(listener_counts(&test_listener).refused_full, 1);
    assert_string_equal(test_refused, "full");
    for (int i = 0; i < 5; i++)
        close(fd[i]);
}

static void
a_full_listener_refuses(void **state)
{
    (void)state;
    test_listener.conns_max = 4;
    test_listener.shed_line = STR("421 too many\r\n");
    where = test_listen();
    test_run(fill_quickly);
}

static FIBER_ENTRY void
more_work_than_fibers(void)
{
    int fd[6];

    for (int i = 0; i < 6; i++) {
        fd[i] = test_connect();
        test_say(fd[i], STR("WAIT\r\nx\r\n"));
    }
    assert_int_equal(fiber_sleep(20), OK);
    assert_int_equal(list_count(&test_gate.waiters), 2); /* the others found no fiber */
    for (size_t done = 0; done < 6; fiber_yield()) {
        assert_true(list_count(&test_gate.waiters) <= 2);
        done += fiber_queue_wake_one(&test_gate);
    }
    for (int i = 5; i >= 0; i--)
        test_expect(fd[i], STR("hi\r\nok x\r\n"));
    for (int i = 0; i < 6; i++)
        close(fd[i]);
}

static void
work_waits_for_a_fiber(void **state)
{
    (void)state;
    fiber_pool_limit(3); /* one is the test's own */
    test_run(more_work_than_fibers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_split_at_every_byte),
        TEST(lines_arrive_byte_by_byte),
        TEST(pipelined_lines_keep_their_order),
        TEST(an_end_in_the_middle_of_a_line),
        TEST(a_farewell_arrives_before_the_end),
        TEST(closed_comes_after_the_work),
        TEST(connections_are_closed_from_outside),
        TEST(notes_are_coalesced),
        TEST(input_left_alone_waits_for_a_note),
        TEST(a_missed_deadline_is_told),
        TEST(each_unit_renews_the_deadline),
        TEST(a_peer_that_does_not_read_is_closed),
        TEST(a_late_reader_gets_all),
        TEST(bodies_are_drained),
        TEST(a_trickled_body_times_out),
        TEST(a_unix_socket_says_who_connected),
        TEST(clients_connect),
        TEST(a_refused_connection_is_told),
        TEST(an_address_has_a_cap),
        TEST(those_who_are_logged_in_do_not_count),
        TEST(who_is_blocked_is_not_answered),
        TEST(the_slowest_stranger_is_shed),
        TEST(a_full_listener_refuses),
        TEST(work_waits_for_a_fiber),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
