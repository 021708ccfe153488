/* role_dial_test.c - what a worker makes of boss's answer: a connection, nobody there, or not tried.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/role_dial.h"

#include <errno.h>
#include <unistd.h>

#include "base/size.h"
#include "base/testing.h"
#include "role/role_internal.h"
#include "rt/disk.h"
#include "rt/loop.h"

enum { SILENT = -1 };

static const struct {
    int error; /* what boss says; SILENT: nothing */
    enum status st;
} rows[] = {{0, OK},           {ECONNREFUSED, ERR_TEMP}, {ENOENT, ERR_TEMP},
            {EPERM, ERR_TEMP}, {EAGAIN, ERR_LIMIT},      {SILENT, ERR_LIMIT}};
static int boss;

static FIBER_ENTRY void
answer(void *arg)
{
    const int *error = arg;
    struct control_packet p;
    struct control c;

    assert_int_equal(control_recv(boss, false, &p), OK);
    assert_int_equal(control_hear(&p, &c), OK);
    assert_int_equal(c.kind, CONTROL_DIAL);
    c.kind = CONTROL_DIALLED;
    c.value2 = (uint32_t)*error;
    p = (struct control_packet){.fds = {dup(boss)}, .fd_count = *error == 0 ? 1 : 0};
    if (*error != 0)
        close(p.fds[0]);
    if (*error != SILENT)
        role_dialled(&c, &p);
}

static FIBER_ENTRY void
run_rows(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int error = rows[i].error, fd = -1;
        assert_int_equal(fiber_go(answer, &error), OK);
        int64_t wait_ms = error == SILENT ? 50 : 60000;
        ROW(i, role_dial(STR("127.0.0.1:1"), wait_ms, &fd) == rows[i].st);
        ROW(i, (fd >= 0) == (rows[i].st == OK));
        fd_close(&fd);
    }
    loop_stop();
}

static void
test_answers(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(control_pair(pair), OK);
    boss = dup(pair[0]);
    int worker = dup(pair[1]);
    assert_int_equal(dup2(worker, CONTROL_FD), CONTROL_FD);
    loop_init();
    assert_int_equal(fiber_go(run_rows, NULL), OK);
    loop_run();
    loop_release();
    close(worker);
    close(boss);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
