/* status_test.c - names, problem texts and failed assertions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <string.h>

#include "base/size.h"
#include "base/testing.h"

static void
every_status_has_its_own_name(void **state)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *name = status_name((enum status)i);

        ROW(i, name != NULL && name[0] != '\0' &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        for (int j = 0; j < i; j++)
            ROW(i, strcmp(name, status_name((enum status)j)) != 0);
    }
    assert_string_equal(status_name(OK), "ok");
    assert_string_equal(status_name(ERR_CORRUPT), "corrupt");
}

static void
name_of_no_status(void)
{
    (void)status_name((enum status)STATUS_COUNT);
}

static void
name_of_negative_status(void)
{
    (void)status_name((enum status) - 1);
}

static void
name_refuses_what_is_no_status(void **state)
{
    assert_true(aborts(name_of_no_status));
    assert_true(aborts(name_of_negative_status));
}

static enum status
tried(enum status s, bool *after_out)
{
    TRY(s);
    *after_out = true;
    return OK;
}

static void
try_returns_failures_only(void **state)
{
    bool after = false;

    assert_int_equal(tried(ERR_LIMIT, &after), ERR_LIMIT);
    assert_false(after);
    assert_int_equal(tried(OK, &after), OK);
    assert_true(after);
}

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X196 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *enhanced, *text, *enhanced_want, *text_want;
} problem_rows[] = {
    {"5.1.1", "no such user", "5.1.1", "no such user"},
    {"", "plain", "", "plain"},
    {NULL, "", "", ""},
    {"5.1.1\r\n", "x", "5.1.1??", "x"},
    {"5.123.4567", "x", "5.123.4567", "x"},
    {"5.1234.5678", "x", "5.1234.5678", "x"}, /* eleven bytes: the most that fits */
    {"5.12345.5678", "x", "", "x"},           /* half a code would be a wrong one */
    {"5.0.0", "a\r\n250 ok", "5.0.0", "a??250 ok"},
    {"5.0.0", "\x01\x1f\x7f\t", "5.0.0", "????"},
    {"5.0.0", "gr\xc3\xbc\xc3\x9f", "5.0.0", "gr\xc3\xbc\xc3\x9f"},
    {"5.0.0", X196 "123", "5.0.0", X196 "123"},             /* exactly 199 */
    {"5.0.0", X196 "1234", "5.0.0", X196 "123"},            /* one past it */
    {"5.0.0", X196 "1\xc3\xbc", "5.0.0", X196 "1\xc3\xbc"}, /* whole character at the end */
    {"5.0.0", X196 "12\xc3\xbc", "5.0.0", X196 "12"},       /* cut after one byte of two */
    {"5.0.0", X196 "1\xe2\x82\xac", "5.0.0", X196 "1"},     /* two of three */
    {"5.0.0", X196 "\xf0\x9f\x93\xa7", "5.0.0", X196},      /* three of four */
    {"5.0.0", X196 "\xe2\x82\xac.", "5.0.0", X196 "\xe2\x82\xac"},
};

static void
problem_text_is_one_clean_line(void **state)
{
    for (size_t i = 0; i < COUNT_OF(problem_rows); i++) {
        struct problem p;

        memset(&p, 0x55, sizeof(p));
        problem_set(&p, 550, problem_rows[i].enhanced, "%s", problem_rows[i].text);
        ROW(i, p.reply == 550);
        ROW(i, strcmp(p.enhanced, problem_rows[i].enhanced_want) == 0);
        ROW(i, strcmp(p.text, problem_rows[i].text_want) == 0);
    }
}

static void
problem_without_place_is_ignored(void **state)
{
    problem_set(NULL, 550, "5.1.1", "%s", "nobody listens");
}

static void
assertion_writes_one_line(void **state)
{
    int ends[2];
    char text[1024];
    char what[2000];
    int result = 0;

    memset(what, 'w', sizeof(what));
    what[sizeof(what) - 1] = '\0';
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};

        signal(SIGABRT, SIG_DFL);
        if (setrlimit(RLIMIT_CORE, &none) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
            _exit(1);
        assert_failed(what, "some/file.c", 42);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof(text));
    close(ends[0]);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result) && WTERMSIG(result) == SIGABRT);
    assert_in_range(n, 100, 512);
    assert_ptr_equal(memchr(text, '\n', (size_t)n), text + n - 1);
    assert_memory_equal(text, "assertion failed: www", 21);
}

static int asserted;

static void
assert_false_thing(void)
{
    ASSERT(asserted == 1);
}

static void
reach_the_unreachable(void)
{
    UNREACHABLE();
}

static void
assertions_are_on(void **state)
{
    assert_true(aborts(assert_false_thing));
    assert_true(aborts(reach_the_unreachable));
    asserted = 1;
    assert_false(aborts(assert_false_thing));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(name_refuses_what_is_no_status),
        cmocka_unit_test(try_returns_failures_only),
        cmocka_unit_test(problem_text_is_one_clean_line),
        cmocka_unit_test(problem_without_place_is_ignored),
        cmocka_unit_test(assertion_writes_one_line),
        cmocka_unit_test(assertions_are_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
