/* notify_test.c - messages reach a socket that plays the service manager; variables that are none of ours.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "base/testing.h"
#include "rt/disk.h"

static char dir[64], path[100];
static int manager = -1;

static void
listen_at(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t len = strlen(name);

    assert_true(len < sizeof(at.sun_path));
    memcpy(at.sun_path, name, len);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager >= 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static int
setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/notify_test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/socket", dir);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fd_close(&manager);
    unlink(path);
    return rmdir(dir);
}

static const char *
heard(void)
{
    static char text[1000];
    ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
check_words(void)
{
    struct notify n;
    char text[NOTIFY_BYTES_MAX + 100];
    uint64_t us = 0;

    notify_open(&n);
    assert_true(n.fd >= 0);
    assert_null(getenv("NOTIFY_SOCKET"));
    notify_say(&n, "READY=1");
    assert_string_equal(heard(), "READY=1");
    notify_status(&n, STR("all\nREADY=1\x01\x7f is \xc3\xa9 well"));
    assert_string_equal(heard(), "STATUS=all?READY=1?? is \xc3\xa9 well");
    memset(text, 'x', sizeof(text));
    notify_status(&n, str_from(text, sizeof(text)));
    assert_int_equal(strlen(heard()), NOTIFY_BYTES_MAX - 1);
    notify_reloading(&n);
    struct scan words = scan_of(str_of(heard()));
    assert_true(scan_str(&words, STR("RELOADING=1\nMONOTONIC_USEC=")));
    assert_true(scan_u64(&words, UINT64_MAX, &us) && scan_at_end(&words) && us > 0);
    for (int i = 0; i < 10000; i++) /* it reads no more: nothing waits */
        notify_say(&n, "WATCHDOG=1");
    fd_close(&manager);
    notify_say(&n, "WATCHDOG=1");
    notify_close(&n);
    notify_say(&n, "STOPPING=1");
    assert_int_equal(n.fd, -1);
}

static void
test_words(void **state)
{
    char name[80];

    (void)state;
    listen_at(path);
    check_words();
    snprintf(name, sizeof(name), "@%s", dir);
    listen_at(name);
    check_words();
}

static void
test_nobody_listens(void **state)
{
    char long_name[200] = "/";
    const char *const rows[] = {NULL, "", "/", "@", "relative/path", "vsock:2:1234", long_name};
    struct notify n;

    (void)state;
    memset(long_name + 1, 'x', sizeof(long_name) - 2);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i] != NULL)
            assert_int_equal(setenv("NOTIFY_SOCKET", rows[i], 1), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "1000", 1), 0);
        notify_open(&n);
        assert_int_equal(n.fd, -1);
        assert_int_equal(n.watchdog_us, 0);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_null(getenv("WATCHDOG_USEC"));
        notify_status(&n, STR("nothing"));
        notify_reloading(&n);
    }
}

static void
test_watchdog(void **state)
{
    char mine[20], other[20];
    const struct {
        const char *us, *pid;
        uint64_t want;
    } rows[] = {
        {"60000000", mine, 60000000},
        {"60000000", NULL, 60000000},
        {"60000000", other, 0},
        {"60000000", "", 0},
        {"60000000", "1x", 0},
        {"", NULL, 0},
        {"-1", NULL, 0},
        {"1 ", NULL, 0},
        {"18446744073709551615", NULL, UINT64_MAX},
        {"18446744073709551616", NULL, 0},
        {NULL, mine, 0},
    };

    (void)state;
    snprintf(mine, sizeof(mine), "%d", (int)getpid());
    snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct notify n;
        assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
        if (rows[i].us != NULL)
            assert_int_equal(setenv("WATCHDOG_USEC", rows[i].us, 1), 0);
        if (rows[i].pid != NULL)
            assert_int_equal(setenv("WATCHDOG_PID", rows[i].pid, 1), 0);
        notify_open(&n);
        assert_int_equal(n.watchdog_us, rows[i].want);
        assert_null(getenv("WATCHDOG_PID"));
        notify_close(&n);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watchdog, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
