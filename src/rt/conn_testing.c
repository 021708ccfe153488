/* conn_testing.c - see conn_testing.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/conn_testing.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/loop.h"

#define PATIENCE_MS 60000

struct test_session test_sessions[8];
size_t test_session_count;
struct listener test_listener;
char test_events[256];
int64_t test_deadline_ms;
char test_refused[128];
struct fiber_queue test_gate;

static void *opened(struct conn *c);
static void wake(void *session, enum wake why);
static void closed(void *session);
static void refused(const struct listener *l, struct str peer, enum refusal what, struct str why);

const struct conn_ops test_ops = {.opened = opened, .wake = wake, .closed = closed};

static void
event(char c)
{
    size_t n = strlen(test_events);

    if (n < sizeof(test_events) - 1) {
        test_events[n] = c;
        test_events[n + 1] = '\0';
    }
}

static FIBER_ENTRY void *
opened(struct conn *c)
{
    struct test_session *s = &test_sessions[test_session_count++ % 8];

    *s = (struct test_session){.conn = c, .open = true};
    event('*');
    conn_line_max(c, 20);
    conn_deadline(c, test_deadline_ms);
    if (conn_write(c, STR("hi\r\n")) != OK)
        return NULL;
    return s;
}

/* Sends so much that only a reading peer can take it. */
static FIBER_ENTRY void
flood(struct test_session *s)
{
    static char block[40000];

    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 500; i++) {
        enum status r = conn_write(s->conn, str_from(block, sizeof(block)));
        if (r != OK) {
            assert_int_equal(r, ERR_CLOSED);
            event('!');
            return;
        }
    }
}

static FIBER_ENTRY void
answer(struct test_session *s, enum status got, struct str line)
{
    enum status sent = OK;

    if (got == ERR_LIMIT)
        sent = conn_write(s->conn, STR("long\r\n"));
    else if (got == ERR_SYNTAX)
        sent = conn_printf(s->conn, "bad %zu\r\n", line.len);
    else if (str_eq(line, STR("QUIT"))) {
        sent = conn_write(s->conn, STR("bye\r\n"));
        conn_close(s->conn);
    } else if (str_eq(line, STR("PAUSE")))
        s->paused = true;
    else if (str_eq(line, STR("FLOOD")))
        flood(s);
    else if (str_eq(line, STR("WAIT")))
        sent = fiber_queue_wait(&test_gate, FIBER_FOREVER);
    else if (str_eq(line, STR("STARTTLS"))) {
        sent = conn_write(s->conn, STR("go\r\n"));
        if (sent == OK && conn_starttls(s->conn) != OK) {
            sent = conn_write(s->conn, STR("no\r\n"));
            conn_close(s->conn);
        }
    } else if (str_eq(line, STR("TLS?")))
        sent = conn_printf(s->conn, "%s %.*s\r\n", conn_is_tls(s->conn) ? "yes" : "no",
                           STR_FMT(conn_tls_name(s->conn)));
    else if (str_starts(line, STR("BODY"))) {
        s->body_left = 100000;
        s->body_sum = 0;
        conn_rest(s->conn, REST_BYTES);
    } else
        sent = conn_printf(s->conn, "ok %.*s\r\n", STR_FMT(line));
    assert_true(sent == OK || sent == ERR_CLOSED);
}

static FIBER_ENTRY void
take_body(struct test_session *s)
{
    struct str part;

    while (s->body_left > 0 && (part = conn_peek(s->conn, s->body_left)).len > 0) {
        for (size_t i = 0; i < part.len; i++)
            s->body_sum += (unsigned char)part.ptr[i];
        s->body_left -= part.len;
        conn_consume(s->conn, part.len);
        (void)conn_fill(s->conn);
    }
    if (s->body_left == 0) {
        conn_rest(s->conn, REST_LINE);
        assert_int_equal(conn_printf(s->conn, "sum %zu\r\n", s->body_sum), OK);
    }
}

static FIBER_ENTRY void
wake(void *session, enum wake why)
{
    struct test_session *s = session;
    struct str line = STR_NONE;
    enum status got;

    assert_true(s->open);
    event("ITNE"[why]);
    if (why == WAKE_NOTE) {
        s->paused = false;
        (void)!conn_write(s->conn, STR("note\r\n"));
    }
    if (why == WAKE_TIMEOUT) {
        (void)!conn_write(s->conn, STR("timeout\r\n"));
        conn_close(s->conn);
    }
    if (why != WAKE_INPUT)
        return;
    if (s->body_left > 0)
        take_body(s);
    while (s->body_left == 0 && !s->paused && (got = conn_line(s->conn, &line)) != ERR_TEMP) {
        answer(s, got, line);
        if (s->body_left > 0)
            take_body(s);
    }
}

static void
closed(void *session)
{
    struct test_session *s = session;

    assert_null(fiber_self());
    assert_true(s->open);
    s->open = false;
    event('C');
}

static void
refused(const struct listener *l, struct str peer, enum refusal what, struct str why)
{
    static const char *const names[] = {
        "full", "address", "slow", "handshake: ", "stranger", "early", "proxy: ", "blocked"};

    assert_ptr_equal(l, &test_listener);
    assert_true(str_eq(peer, STR("127.0.0.1")) || str_eq(peer, STR("192.0.2.1")));
    snprintf(test_refused, sizeof(test_refused), "%s%.*s", names[what], STR_FMT(why));
}

/* The other side. */

static void (*test_body)(void);
static struct timer look;

static void
stop_when_closed(struct timer *t)
{
    if (fiber_count() == 0 && listener_counts(&test_listener).open == 0)
        loop_stop();
    else
        timer_set(t, 1);
}

static void
run_body(void *arg)
{
    (void)arg;
    test_body();
}

void
test_run(void (*body)(void))
{
    bool own = test_listener.state == NULL;

    test_session_count = 0;
    fiber_queue_init(&test_gate);
    test_events[0] = test_refused[0] = '\0';
    if (own) {
        test_listener.fd = -1;
        test_listener.ops = &test_ops;
        test_listener.refused = refused;
        if (test_listener.conns_max == 0)
            test_listener.conns_max = 100;
        assert_int_equal(listener_start(&test_listener), OK);
    }
    test_body = body;
    assert_int_equal(fiber_go(run_body, NULL), OK);
    look.fire = stop_when_closed;
    timer_set(&look, 1);
    loop_run();
    listener_stop(&test_listener);
    assert_null(test_listener.state);
    if (test_listener.fd >= 0)
        close(test_listener.fd);
    test_listener = (struct listener){.fd = -1};
}

int
test_connect(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(listener_adopt(&test_listener, ends[0]), OK);
    return ends[1];
}

FIBER_ENTRY void
test_say(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (n > 0)
            text = str_skip(text, (size_t)n);
        else if (errno != EAGAIN)
            return; /* the other side is gone: what it said before is still to be read */
        else
            assert_int_equal(fiber_wait_fd(fd, EPOLLOUT, PATIENCE_MS), OK);
    }
}

FIBER_ENTRY void
test_expect(int fd, struct str text)
{
    char got[256];
    size_t have = 0;

    assert_true(text.len < sizeof(got));
    while (have < text.len) {
        ssize_t n = recv(fd, got + have, text.len - have, 0);
        if (n > 0) {
            have += (size_t)n;
            continue;
        }
        if (n == 0)
            fail_msg("the end came after '%.*s' instead of '%.*s'", (int)have, got, STR_FMT(text));
        assert_int_equal(errno, EAGAIN);
        if (fiber_wait_fd(fd, EPOLLIN, PATIENCE_MS) != OK)
            fail_msg("nothing came after '%.*s' instead of '%.*s'", (int)have, got, STR_FMT(text));
    }
    if (!str_eq(str_from(got, have), text))
        fail_msg("'%.*s' came instead of '%.*s'", (int)have, got, STR_FMT(text));
}

FIBER_ENTRY size_t
test_read_all(int fd)
{
    static char got[65536];
    size_t total = 0;

    for (;;) {
        ssize_t n = recv(fd, got, sizeof(got), 0);
        if (n > 0)
            total += (size_t)n;
        else if (n == 0 || errno == ECONNRESET)
            return total;
        else
            assert_int_equal(fiber_wait_fd(fd, EPOLLIN, PATIENCE_MS), OK);
    }
}

void
test_expect_end(int fd)
{
    assert_int_equal(test_read_all(fd), 0);
}

struct sockaddr_in
test_listen(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);

    test_listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(test_listener.fd >= 0);
    assert_int_equal(bind(test_listener.fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(test_listener.fd, 64), 0);
    assert_int_equal(getsockname(test_listener.fd, (struct sockaddr *)&a, &len), 0);
    test_listener.ops = &test_ops;
    test_listener.refused = refused;
    if (test_listener.conns_max == 0)
        test_listener.conns_max = 100;
    assert_int_equal(listener_start(&test_listener), OK);
    return a;
}
