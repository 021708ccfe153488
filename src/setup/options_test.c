/* options_test.c - the words after godwit setup.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/size.h"
#include "setup/options.h"

enum { WORDS = 12 };

static enum status
read_words(const char *const *words, struct setup_options *o, struct problem *why)
{
    char *argv[WORDS + 40];
    int n = 0;

    for (; words[n] != NULL; n++)
        argv[n] = (char *)(uintptr_t)words[n];
    return options_read(n, argv, o, why);
}

static void
test_reads(void **state)
{
    const char *const words[] = {"setup", "--host", "mail.a.b", "a.b", "--yes", "--line",
                                 "x 1",   "--line", "y 2",      "-c",  "/c",    NULL};
    struct setup_options o = {0};
    struct problem why = {0};
    uint32_t base = 7;

    (void)state;
    assert_int_equal(read_words(words, &o, &why), OK);
    assert_string_equal(o.domain, "a.b");
    assert_string_equal(o.host, "mail.a.b");
    assert_string_equal(o.config, "/c");
    assert_true(o.yes && !o.offline);
    assert_int_equal(o.lines.count, 2);
    assert_string_equal(o.lines.at[1], "y 2");
    assert_null(o.admin);
    assert_true(options_port_base(&o, &base));
    assert_int_equal(base, 0);
}

static const struct {
    const char *words[WORDS];
    const char *says;
} refused[] = {
    {{"setup", "a.b", "c.d", NULL}, "read \"c.d\" after the domain \"a.b\""},
    {{"setup", "--hots", "x", NULL}, "read \"--hots\""},
    {{"setup", "a.b", "--host", NULL}, "--host: NAME is missing"},
    {{"setup", "-x", NULL}, "read \"-x\""},
    {{"setup", "", "a.b", NULL}, "after the domain"},
};

static void
test_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct setup_options o = {.host = "untouched"};
        struct problem why = {0};

        assert_int_not_equal(read_words(refused[i].words, &o, &why), OK);
        if (strstr(why.text, refused[i].says) == NULL)
            fail_msg("%s", why.text);
        assert_string_equal(o.host, "untouched");
    }
}

static void
test_lists_are_bounded(void **state)
{
    const char *words[2 + 2 * OPTIONS_LIST_MAX + 3] = {"setup"};
    struct setup_options o = {0};
    struct problem why = {0};
    size_t n = 1;

    (void)state;
    for (size_t i = 0; i <= OPTIONS_LIST_MAX; i++) {
        words[n++] = "--line";
        words[n++] = "x";
    }
    words[n] = NULL;
    assert_int_equal(read_words(words, &o, &why), ERR_LIMIT);
    words[n - 2] = NULL;
    assert_int_equal(read_words(words, &o, &why), OK);
}

static void
test_port_base(void **state)
{
    static const char *const wrong[] = {"", "x", "-1", "64001", "10x", "99999999999"};
    struct setup_options o = {.port_base = "2000"};
    uint32_t base = 0;

    (void)state;
    assert_true(options_port_base(&o, &base));
    assert_int_equal(base, 2000);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        o.port_base = wrong[i];
        assert_false(options_port_base(&o, &base));
    }
}

static void
test_passwords_differ(void **state)
{
    AUTO_BUF one = BUF(100);
    AUTO_BUF two = BUF(100);

    (void)state;
    options_make_password(&one);
    options_make_password(&two);
    assert_int_equal(one.len, 23);
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
    for (size_t i = 0; i < one.len; i++)
        assert_true(i % 6 == 5 ? one.ptr[i] == '-' : ascii_is_alnum(one.ptr[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_port_base),
        cmocka_unit_test(test_passwords_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
