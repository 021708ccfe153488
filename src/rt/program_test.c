/* program_test.c - programs that end well, badly, by a signal, late; what they see and what is heard of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"

enum { LONG_MS = 60000 };

static void
test_ends(void **state)
{
    static const struct {
        const char *script;
        int exit, signal;
        const char *said;
    } rows[] = {
        {"exit 0", 0, 0, ""},
        {"exit 9", 9, 0, ""},
        {"kill -TERM $$", 0, SIGTERM, ""},
        {"echo one; echo two >&2", 0, 0, "one two"},
        {"printf '\\n  a\\tb\\033[31m\\000c \\r\\n'", 0, 0, "a?b?[31m?c"},
        /* the environment is ours, and nobody types */
        {"echo $LC_ALL $SECRET $PATH; cat", 0, 0, "C /usr/sbin:/usr/bin:/sbin:/bin"},
        /* signals that we ignore, or hold back, are its own again */
        {"kill -PIPE $$", 0, SIGPIPE, ""},
        {"kill -HUP $$", 0, SIGHUP, ""},
        /* what it leaves behind does not hold us up */
        {"sleep 1000 & echo $(kill -0 $! && echo lives); kill $!", 0, 0, "lives"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *argv[] = {"/bin/sh", "-c", rows[i].script, NULL};
        struct program_end end = {.exit = 77};
        assert_int_equal(program_run(argv, LONG_MS, &end), OK);
        assert_int_equal(end.exit, rows[i].exit);
        assert_int_equal(end.signal, rows[i].signal);
        assert_string_equal(end.said, rows[i].said);
    }
}

static void
test_many_words(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; exit 3", NULL};
    struct program_end end;

    (void)state;
    assert_int_equal(program_run(argv, LONG_MS, &end), OK);
    assert_int_equal(end.exit, 3);
    assert_int_equal(strlen(end.said), PROGRAM_SAID_MAX - 1);
    assert_int_equal(strspn(end.said, "x"), PROGRAM_SAID_MAX - 1);
}

static void
test_no_such_program(void **state)
{
    const char *missing[] = {"/nowhere/useradd", NULL}, *folder[] = {"/", NULL};
    struct program_end end = {.exit = 77};

    (void)state;
    assert_int_equal(program_run(missing, LONG_MS, &end), ERR_NOT_FOUND);
    assert_int_equal(program_run(folder, LONG_MS, &end), ERR_IO);
    assert_int_equal(end.exit, 77);
}

static void
test_late(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "exec sleep 1000", NULL};
    struct program_end end = {.exit = 77};

    (void)state;
    assert_int_equal(program_run(argv, 50, &end), ERR_TIMEOUT);
    assert_int_equal(end.exit, 77);
}

/* Also those that are not closed on exec. */
static void
test_inherits_nothing(void **state)
{
    const char *argv[] = {"/bin/sh", "-c", "ls /proc/$$/fd | tr '\\n' ' '", NULL};
    struct program_end end;

    (void)state;
    int fd = open("/dev/null", O_RDONLY); /* NOLINT(android-cloexec-open): it is the point */
    assert_true(fd >= 0);
    assert_int_equal(program_run(argv, LONG_MS, &end), OK);
    assert_string_equal(end.said, "0 1 2");
    close(fd);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_many_words),
        cmocka_unit_test(test_no_such_program),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_inherits_nothing),
    };
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)setenv("SECRET", "no", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
