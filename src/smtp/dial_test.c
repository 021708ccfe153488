/* dial_test.c - addresses that answer, refuse, or say nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/size.h"
#include "rt/loop.h"
#include "smtp/dial.h"

/* Letters: a = answers, r = refuses, s = silent (its backlog is full). */
static const struct {
    const char *targets;
    enum status status;
    size_t index;
    const char *failed; /* by target: '.' = nothing said of it, 'r' = refused, 't' = timed out */
} rows[] = {
    {"a", OK, 0, "."},          {"r", ERR_CLOSED, 0, "r"},
    {"ra", OK, 1, "r."},        {"rra", OK, 2, "rr."},
    {"aa", OK, 0, ".."},        {"sa", OK, 1, ".."},
    {"srsa", OK, 3, ".r.."},    {"rs", ERR_TIMEOUT, 0, "rt"},
    {"s", ERR_TIMEOUT, 0, "t"}, {"rrrr", ERR_CLOSED, 0, "rrrr"},
};
enum { LOST_MS = 4000 };
static struct sockaddr_in answers, refuses, silent;
static int listening[2], plugs[4];

static int
listen_here(struct sockaddr_in *at, int backlog)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

static void
open_places(void)
{
    listening[0] = listen_here(&answers, 100);
    int gone = listen_here(&refuses, -1); /* bound, not listening */
    listening[1] = listen_here(&silent, 0);
    plugs[0] = gone;
    for (size_t i = 1; i < COUNT_OF(plugs); i++) { /* the kernel takes one or two, and no more */
        plugs[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(plugs[i], (struct sockaddr *)&silent, sizeof(silent));
    }
}

static SUSPENDS void
check(size_t i)
{
    struct conn_target targets[DIAL_MAX] = {0};
    struct dialled got = {0};
    enum status failed[DIAL_MAX];
    size_t n = 0;

    for (const char *c = rows[i].targets; *c != '\0'; c++, n++) {
        const struct sockaddr_in *at = *c == 'a' ? &answers : *c == 'r' ? &refuses : &silent;
        *(struct sockaddr_in *)(void *)&targets[n].addr = *at;
        targets[n].addr_len = sizeof(*at);
        targets[n].timeout_ms = *c == 's' && rows[i].status == OK ? LOST_MS : 500;
    }
    ROW(i, dial(targets, n, &got, failed) == rows[i].status);
    for (size_t k = 0; k < n; k++) {
        char what = failed[k] == OK ? '.' : failed[k] == ERR_TIMEOUT ? 't' : 'r';
        ROW(i, what == rows[i].failed[k]);
    }
    ROW(i, (rows[i].status == OK) == (got.conn != NULL));
    if (got.conn != NULL) {
        ROW(i, got.index == rows[i].index);
        conn_free(&got.conn);
    }
}

static FIBER_ENTRY void
run_rows(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(i);
    assert_int_equal(fiber_sleep(LOST_MS + 1), OK); /* attempts that lost end by themselves */
    loop_stop();
}

static void
test_dial(void **state)
{
    (void)state;
    open_places();
    loop_init();
    assert_int_equal(fiber_go(run_rows, NULL), OK);
    loop_run();
    loop_release();
    for (size_t i = 0; i < COUNT_OF(plugs); i++)
        close(plugs[i]);
    close(listening[0]);
    close(listening[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dial)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
