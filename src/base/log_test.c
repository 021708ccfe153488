/* log_test.c - what a peer may send, and what the line looks like all the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/size.h"
#include "base/testing.h"

#define HEAD "t=1970-01-01T00:00:00.000001Z lvl=info ev=test.event"

static void
begin(struct log_line *l)
{
    log_line_init(l, (struct instant){1}, LOG_INFO, "test.event");
}

#define AUTO_LOG AUTO(log_line_release) struct log_line

static const struct {
    enum log_level level;
    struct str want;
} level_rows[] = {
    {LOG_DEBUG, STR("t=1970-01-01T00:00:00.000000Z lvl=debug ev=a\n")},
    {LOG_INFO, STR("t=1970-01-01T00:00:00.000000Z lvl=info ev=a\n")},
    {LOG_WARN, STR("t=1970-01-01T00:00:00.000000Z lvl=warn ev=a\n")},
    {LOG_ERROR, STR("t=1970-01-01T00:00:00.000000Z lvl=error ev=a\n")},
};

static void
levels_have_names(void **state)
{
    for (size_t i = 0; i < COUNT_OF(level_rows); i++) {
        AUTO_LOG l;

        log_line_init(&l, (struct instant){0}, level_rows[i].level, "a");
        ROW(i, str_eq(log_line_end(&l), level_rows[i].want));
    }
}

static const struct {
    struct str value, want;
} value_rows[] = {
    {STR("abc"), STR("abc")},
    {STR("<a.b+c-d_e@x.org>:/8"), STR("<a.b+c-d_e@x.org>:/8")},
    {STR(""), STR("\"\"")},
    {STR_NONE, STR("\"\"")},
    {STR("a b"), STR("\"a b\"")},
    {STR("a=b"), STR("\"a=b\"")},
    {STR("\""), STR("\"\\\"\"")},
    {STR("\\"), STR("\"\\\\\"")},
    {STR("\\\""), STR("\"\\\\\\\"\"")},
    {STR("a\r\nt=1970"), STR("\"a\\x0d\\x0at=1970\"")},
    {STR("\n"), STR("\"\\x0a\"")},
    {STR("\0"), STR("\"\\x00\"")},
    {STR("a\tb"), STR("\"a\\x09b\"")},
    {STR("\x1b[31m"), STR("\"\\x1b[31m\"")},
    {STR("\x7f"), STR("\"\\x7f\"")},
    {STR("\xc3\xa4"), STR("\"\\xc3\\xa4\"")},
    {STR("\xff"), STR("\"\\xff\"")},
    {STR("x\" res=ok y=\""), STR("\"x\\\" res=ok y=\\\"\"")},
    {STR("a,b"), STR("\"a,b\"")},
    {STR("a%b"), STR("\"a%b\"")},
};

static void
values_cannot_forge(void **state)
{
    for (size_t i = 0; i < COUNT_OF(value_rows); i++) {
        AUTO_LOG l;
        AUTO_BUF want = BUF(1000);

        begin(&l);
        log_str(&l, "k", value_rows[i].value);
        log_str(&l, "after", STR("x"));
        buf_add(&want, STR(HEAD " k="));
        buf_add(&want, value_rows[i].want);
        buf_add(&want, STR(" after=x\n"));
        ROW(i, str_eq(log_line_end(&l), buf_str(&want)));
    }
}

static void
only_named_bytes_stay_bare(void **state)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "._:@<>/+-";

    for (int i = 0; i < 256; i++) {
        AUTO_LOG l;
        char c = (char)i;

        begin(&l);
        log_str(&l, "k", str_from(&c, 1));
        struct str value = str_skip(log_line_end(&l), sizeof(HEAD " k=") - 1);
        ROW(i, (value.ptr[0] != '"') == (i != 0 && memchr(bare, i, sizeof(bare) - 1) != NULL));
    }
}

static void
numbers(void **state)
{
    AUTO_LOG l;

    begin(&l);
    log_u64(&l, "a", UINT64_MAX);
    log_i64(&l, "b", INT64_MIN);
    log_i64(&l, "c", 7);
    log_hex64(&l, "sid", 0x8fa);
    log_hex64(&l, "q", UINT64_MAX);
    assert_str(log_line_end(&l), STR(HEAD " a=18446744073709551615 b=-9223372036854775808 c=7"
                                          " sid=00000000000008fa q=ffffffffffffffff\n"));
}

/* A value of n times the byte: how it is cut. */
static const struct {
    char byte;
    size_t n;
    size_t shown; /* n = not cut */
} cut_rows[] = {
    {'a', 512, 512},  {'a', 513, 507},  {'a', 5000, 507}, /* 512 = quotes, 507, three dots */
    {' ', 510, 510},  {' ', 511, 507},  {'"', 255, 255},       {'"', 256, 253},
    {'\n', 127, 127}, {'\n', 128, 126}, {'\xff', 100000, 126},
};

static void
long_values_are_cut_and_marked(void **state)
{
    static char value[100000];

    for (size_t i = 0; i < COUNT_OF(cut_rows); i++) {
        AUTO_LOG l;
        size_t n = cut_rows[i].n, shown = cut_rows[i].shown;

        memset(value, cut_rows[i].byte, n);
        begin(&l);
        log_str(&l, "k", str_from(value, n));
        log_str(&l, "res", STR("ok")); /* still there */
        struct str line = log_line_end(&l);
        ROW(i, str_starts(line, STR(HEAD " k=")));
        ROW(i, str_ends(line, shown < n ? STR("\"... res=ok\n") : STR(" res=ok\n")));
        struct str text = str_skip(line, sizeof(HEAD " k=") - 1);
        text.len -= sizeof(" res=ok\n") - 1;
        ROW(i, text.len <= LOG_VALUE_MAX);
        size_t each = cut_rows[i].byte == '"'                                              ? 2
                      : cut_rows[i].byte == '\n' || (unsigned char)cut_rows[i].byte >= 128 ? 4
                                                                                           : 1;
        bool quoted = text.ptr[0] == '"';
        ROW(i, text.len == shown * each + (quoted ? 2 : 0) + (shown < n ? 3 : 0));
        ROW(i, quoted || (cut_rows[i].byte == 'a' && shown == n));
    }
}

/* A line filled to every possible length, then one field more of each kind. */
static void
full_lines_stay_whole(void **state)
{
    static char filler[4 * LOG_LINE_MAX];

    memset(filler, 'f', sizeof(filler));
    for (size_t n = 1500; n < 2200; n++) {
        for (int kind = 0; kind < 5; kind++) {
            AUTO_LOG l;
            size_t left = n;

            begin(&l);
            for (; left > 0; left -= MIN(left, (size_t)400))
                log_str(&l, "f", str_from(filler, MIN(left, (size_t)400)));
            switch (kind) {
            case 0: log_u64(&l, "last", UINT64_MAX); break;
            case 1: log_hex64(&l, "last", 1); break;
            case 2: log_str(&l, "last", STR("")); break;
            case 3: log_str(&l, "last", STR("\n\n\n")); break;
            default: log_str(&l, "last", STR("abcdefgh")); break;
            }
            bool lost = l.text.over;
            struct str line = log_line_end(&l);
            ROW(n, line.len <= LOG_LINE_MAX && str_find(line, '\n') == (ssize_t)line.len - 1);
            ROW(n, str_ends(line, STR(" ...\n")) == lost);
            ROW(n, lost || str_find_str(line, STR(" last=")) > 0);
            ROW(n, !lost || line.len > LOG_LINE_MAX - 60); /* lost only when full */
        }
    }
}

static void
bad_key(void)
{
    AUTO_LOG l;

    begin(&l);
    log_str(&l, "a b", STR("x"));
}

static void
long_key(void)
{
    AUTO_LOG l;

    begin(&l);
    log_u64(&l, "a23456789012345678901234567890123", 1);
}

static void
no_key(void)
{
    AUTO_LOG l;

    begin(&l);
    log_i64(&l, "", 1);
}

static void
bad_event(void)
{
    AUTO_LOG l;

    log_line_init(&l, (struct instant){0}, LOG_INFO, "Event");
}

static void
no_level(void)
{
    AUTO_LOG l;

    log_line_init(&l, (struct instant){0}, (enum log_level)4, "event");
}

static void
names_come_from_the_program(void **state)
{
    assert_true(aborts(bad_key));
    assert_true(aborts(long_key));
    assert_true(aborts(no_key));
    assert_true(aborts(bad_event));
    assert_true(aborts(no_level));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(values_cannot_forge),
        cmocka_unit_test(only_named_bytes_stay_bare),
        cmocka_unit_test(numbers),
        cmocka_unit_test(long_values_are_cut_and_marked),
        cmocka_unit_test(full_lines_stay_whole),
        cmocka_unit_test(names_come_from_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
