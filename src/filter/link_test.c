/* link_test.c - whose limit it was: a filter that is away, one that says too much, and one that we do not ask because
 * we ask too many.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/link.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "filter/milter.h"
#include "filter/policy.h"
#include "rt/loop.h"

enum { SAID_MAX = 65536 };

static char many[SAID_MAX];
static const struct config_filter filter = {.where = STR("unix /nowhere"), .timeout_s = 10};
/* What dial gives, and what the one there says. */
static const struct {
    enum status dial;
    struct str says;
    enum status policy, milter;
} rows[] = {
    {ERR_TEMP, STR(""), ERR_TEMP, ERR_TEMP},
    {ERR_TIMEOUT, STR(""), ERR_TIMEOUT, ERR_TIMEOUT},
    {ERR_LIMIT, STR(""), ERR_LIMIT, ERR_LIMIT},
    {OK, STR(""), ERR_CLOSED, ERR_CLOSED},
    {OK, {many, sizeof(many)}, ERR_SYNTAX, ERR_SYNTAX},
    {OK, STR("\xff\xff\xff\xff\n"), ERR_CLOSED, ERR_SYNTAX},
};
static size_t at;

static enum status
dial_row(struct str where, int64_t timeout_ms, int *fd_out)
{
    int pair[2];

    (void)where;
    (void)timeout_ms;
    if (rows[at].dial != OK)
        return rows[at].dial;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(write(pair[1], rows[at].says.ptr, rows[at].says.len), rows[at].says.len);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    static int other = -1; /* open as long as the one before is no more */
    if (other >= 0)
        close(other);
    other = pair[1];
    *fd_out = pair[0];
    return OK;
}

static SUSPENDS void
check(size_t i)
{
    const struct policy_request ask = {.state = STR("RCPT")};
    const struct milter_greeting g = {.client = {.family = '4'}};
    AUTO_ARENA *a = arena_new(SAID_MAX);
    const struct milter_recipient to = {.address = STR("a@b.example")};
    struct policy_action action;
    enum milter_verdict verdict;
    const char *why = "";
    struct milter m;

    at = i;
    ROW(i, policy_ask(&filter, &ask, a, &action, &why) == rows[i].policy);
    ROW(i, why[0] != '\0');
    milter_init(&m, &filter);
    ROW(i, milter_begin(&m, &g, &verdict) == rows[i].milter);
    ROW(i, milter_failed(&m) && m.why[0] != '\0');
    ROW(i, milter_rcpt(&m, &to, &verdict) == rows[i].milter); /* the reason stays */
    milter_drop(&m);
}

static FIBER_ENTRY void
run_rows(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(i);
    loop_stop();
}

static void
test_whose_limit(void **state)
{
    static const struct link_verbs verbs = {.dial = dial_row};

    (void)state;
    memset(many, 'x', sizeof(many));
    link_init(&verbs);
    loop_init();
    assert_int_equal(fiber_go(run_rows, NULL), OK);
    loop_run();
    link_forget_all();
    loop_release();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whose_limit)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
