/* testing.h - what every unit test includes: cmocka, comparison of struct str, expected aborts.
 *
 * Tables:    ROW(i, condition) fails the test and names the row of the table, not only the line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include "base/str.h"

/* cmocka.h needs these two, <stddef.h> and <stdint.h> before it. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka does not tell analysers that a failure never returns. */
#define FAIL_AND_STOP(...)     \
    do {                       \
        fail_msg(__VA_ARGS__); \
        abort();               \
    } while (0)

#define ROW(i, condition)                                          \
    do {                                                           \
        if (!(condition))                                          \
            FAIL_AND_STOP("row %zu: %s", (size_t)(i), #condition); \
    } while (0)

#define assert_str(got, want)                                                            \
    do {                                                                                 \
        struct str got_ = (got), want_ = (want);                                         \
        if (!str_eq(got_, want_))                                                        \
            FAIL_AND_STOP("got \"%.*s\", want \"%.*s\"", STR_FMT(got_), STR_FMT(want_)); \
    } while (0)

/* Whether f() ends in abort(), tried in a child that says nothing and leaves no core. */
UNUSED static bool
aborts(void (*f)(void))
{
    int result = 0;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit none = {0, 0};

        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        if (close(STDERR_FILENO) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
            _exit(1);
        f();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT;
}

#endif
