/* dial_test.c - a worker gets connections to the filters of the configuration, and to nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/size.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"

static struct config_filter filters[2];
static const struct config config = {.filters = filters, .filter_count = COUNT_OF(filters)};
static struct sockaddr_un there = {.sun_family = AF_UNIX};
static struct worker worker;
static int heard;

/* The error of the answer; 0: there is a descriptor. */
static uint32_t
dial(struct str where, uint32_t number)
{
    const struct control ask = {.kind = CONTROL_DIAL, .value = number, .text = where};
    struct control_packet p;
    struct control c;

    boss_dial(&config, &ask, &worker);
    assert_int_equal(control_recv(heard, false, &p), OK);
    assert_int_equal(control_hear(&p, &c), OK);
    assert_int_equal(c.kind, CONTROL_DIALLED);
    assert_int_equal(c.value, number);
    assert_int_equal(p.fd_count, c.value2 == 0 ? 1 : 0);
    control_packet_close(&p);
    return c.value2;
}

static void
test_only_what_is_configured(void **state)
{
    int pair[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    char where[128];

    (void)state;
    assert_int_equal(control_pair(pair), OK);
    worker.heard.fd = pair[0];
    heard = pair[1];
    snprintf(there.sun_path, sizeof(there.sun_path), "/tmp/boss_dial_test.%d", getpid());
    snprintf(where, sizeof(where), "unix %s", there.sun_path);
    filters[0] = (struct config_filter){.where = str_of(where), .path = str_of(there.sun_path)};
    filters[1] = (struct config_filter){.where = STR("127.0.0.1:1"),
                                        .at = {.host = STR("127.0.0.1"), .port = 1}};

    assert_int_equal(dial(str_of(where), 1), ENOENT);
    assert_int_equal(bind(listener, (const struct sockaddr *)&there, sizeof(there)), 0);
    assert_int_equal(dial(str_of(where), 2), ECONNREFUSED);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(dial(str_of(where), 3), 0);
    int one = accept(listener, NULL, NULL);
    assert_true(one >= 0);
    close(one);
    uint32_t full = 0; /* nobody accepts: that is the filter's doing, not EAGAIN */
    for (uint32_t i = 0; i < 5 && full == 0; i++)
        full = dial(str_of(where), 10 + i);
    assert_int_equal(full, ECONNREFUSED);
    while ((one = accept(listener, NULL, NULL)) >= 0)
        close(one);
    assert_int_equal(dial(STR("unix /run/other.sock"), 4), EPERM);
    assert_int_equal(dial(STR("127.0.0.1:2"), 5), EPERM);
    assert_int_equal(dial(STR(""), 6), EPERM);
    worker.dials = LIMIT_FILTER_DIALS;
    assert_int_equal(dial(str_of(where), 7), EAGAIN);
    assert_int_equal(accept(listener, NULL, NULL), -1); /* nobody else came */
    assert_int_equal(unlink(there.sun_path), 0);
    close(listener);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_what_is_configured)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
