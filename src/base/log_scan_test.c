/* log_scan_test.c - lines that log.c writes come back; anything else is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/log_scan.h"
#include "base/size.h"

static const struct {
    struct str text;
    struct str key, value, bytes;
    bool cut;
    struct str rest;
} fields[] = {
    {STR("ev=smtp.rcpt code=5"), STR("ev"), STR("smtp.rcpt"), STR("smtp.rcpt"), false,
     STR(" code=5")},
    {STR("  to=<a@b.example>"), STR("to"), STR("<a@b.example>"), STR("<a@b.example>"), false,
     STR("")},
    {STR("text=\"a \\\"b\\\" \\\\ c\""), STR("text"), STR("a \\\"b\\\" \\\\ c"),
     STR("a \"b\" \\ c"), false, STR("")},
    {STR("text=\"\\x1b[2J\\xc3\\xa4\""), STR("text"), STR("\\x1b[2J\\xc3\\xa4"),
     STR("\x1b[2J\xc3\xa4"), false, STR("")},
    {STR("text=\"\" x=1"), STR("text"), STR(""), STR(""), false, STR(" x=1")},
    {STR("helo=\"abc\"... x=1"), STR("helo"), STR("abc"), STR("abc"), true, STR(" x=1")},
};

static void
test_reads_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct scan s = scan_of(fields[i].text);
        struct log_field f;
        AUTO_BUF bytes = BUF(1000);

        assert_true(scan_log_field(&s, &f));
        assert_true(str_eq(f.key, fields[i].key));
        assert_true(str_eq(f.value, fields[i].value));
        assert_int_equal(f.cut, fields[i].cut);
        assert_true(str_eq(scan_rest(&s), fields[i].rest));
        log_value_read(&f, &bytes);
        assert_true(str_eq(buf_str(&bytes), fields[i].bytes));
    }
}

static const struct str refused[] = {
    STR(""),
    STR("   "),
    STR("..."),
    STR("word"),
    STR("=x"),
    STR("KEY=x"),
    STR("key="),
    STR("key=a=b"),
    STR("key=\x1b[2J"),
    STR("key=\"open"),
    STR("key=\"a\x07\""),
    STR("key=\"\\n\""),
    STR("key=\"\\x1\""),
    STR("key=\"\\xAB\""),
    STR("key=\"\\"),
    STR("key=\"a\"b"),
    STR("key=a..\x80"),
    STR("a_key_that_is_longer_than_32_bytes=x"),
};

static void
test_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct scan s = scan_of(refused[i]);
        struct log_field f = {.key = STR("untouched")};

        assert_false(scan_log_field(&s, &f));
        assert_true(str_eq(f.key, STR("untouched")));
        assert_true(str_eq(scan_rest(&s), refused[i]));
    }
}

static void
test_reads_what_log_writes(void **state)
{
    const struct str value = STR("<\"x\\y\"\r\n\x1b]0;\x80\xff=>");
    struct log_line l;
    struct log_field f;
    AUTO_BUF bytes = BUF(1000);
    size_t n = 0;

    (void)state;
    log_line_init(&l, (struct instant){1}, LOG_INFO, "some.event");
    log_str(&l, "a", value);
    log_str(&l, "b", STR("bare-value"));
    log_u64(&l, "c", 7);
    struct scan s = scan_of(str_trim(log_line_end(&l)));
    for (; scan_log_field(&s, &f); n++) {
        buf_reset(&bytes);
        log_value_read(&f, &bytes);
        if (str_eq(f.key, STR("a")))
            assert_true(str_eq(buf_str(&bytes), value));
    }
    assert_int_equal(n, 6); /* t, lvl, ev and the three */
    assert_true(scan_at_end(&s));
    log_line_release(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_fields),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_reads_what_log_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
