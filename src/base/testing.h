/* testing.h - what every unit test includes: cmocka, comparison of struct str, expected aborts.
 *
 * Tables:    ROW(i, condition) fails the test and names the row of the table, not only the line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#define ROW(i, condition)                                     \
    do {                                                      \
        if (!(condition))                                     \
            fail_msg("row %zu: %s", (size_t)(i), #condition); \
    } while (0)

#define assert_str(got, want)                                                       \
    do {                                                                            \
        struct str got_ = (got), want_ = (want);                                    \
        if (!str_eq(got_, want_))                                                   \
            fail_msg("got \"%.*s\", want \"%.*s\"", STR_FMT(got_), STR_FMT(want_)); \
    } while (0)

/* Whether f() ends in abort(), tried in a child that says nothing and leaves no core. */
UNUSED static bool
aborts(void (*f)(void))
{
    int result = 0;
    pid_t child = fork();

    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct rlimit none = {0, 0};

        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        if (null < 0 || dup2(null, STDERR_FILENO) < 0 || setrlimit(RLIMIT_CORE, &none) != 0)
            _exit(1);
        f();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT;
}

#endif
