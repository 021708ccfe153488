/* conn_client_test.c - connections that we open, to peers that end them at once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/conn.h"
#include "rt/loop.h"

/* What the peer sends before it closes, and what comes of it. */
static const struct {
    const char *sent;
    enum status first, second;
} rows[] = {
    {"", ERR_CLOSED, ERR_CLOSED},
    {"22", ERR_CLOSED, ERR_CLOSED},
    {"220 hello\r\n", OK, ERR_CLOSED},
    {"220 hello\r\n25", OK, ERR_CLOSED},
};
static int listening;
static size_t row;

/* Runs while the connection is being made: the kernel tells of it, of the bytes and of the end in one event. */
static FIBER_ENTRY void
answer(void *arg)
{
    struct str text = str_of(rows[row].sent);
    int fd = accept(listening, NULL, NULL);

    (void)arg;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
    close(fd);
}

static FIBER_ENTRY void
call(void *arg)
{
    struct conn_target t = {.addr_len = sizeof(struct sockaddr_in), .timeout_ms = 30000};
    socklen_t len = sizeof(t.addr);
    struct conn *c = NULL;
    struct str line;

    (void)arg;
    assert_int_equal(getsockname(listening, (struct sockaddr *)&t.addr, &len), 0);
    for (row = 0; row < COUNT_OF(rows); row++) {
        assert_int_equal(fiber_go(answer, NULL), OK);
        assert_int_equal(conn_connect(&t, &c), OK);
        assert_int_equal(conn_read_line(c, 30000, &line), rows[row].first);
        assert_int_equal(conn_read_line(c, 30000, &line), rows[row].second);
        conn_free(&c);
        assert_int_equal(fiber_go(answer, NULL), OK);
        assert_int_equal(conn_connect(&t, &c), OK);
        size_t n = strlen(rows[row].sent);
        if (n > 0)
            assert_int_equal(conn_read_bytes(c, n, 30000, &line), OK);
        assert_int_equal(conn_read_bytes(c, 1, 30000, &line), ERR_CLOSED);
        conn_free(&c);
    }
    loop_stop();
}

static void
test_an_end_right_away(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listening, 10), 0);
    loop_init();
    assert_int_equal(fiber_go(call, NULL), OK);
    loop_run();
    loop_release();
    close(listening);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_end_right_away)};

    return cmocka_run_group_tests_name("rt: connections that we open", tests, NULL, NULL);
}
