/* terms_test.c - tables of the values of HOLDFOR, HOLDUNTIL, BY and MT-PRIORITY.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/size.h"
#include "smtp/terms.h"

static const struct {
    const char *text;
    uint32_t seconds; /* 0: refused */
} holdfors[] = {
    {"1", 1},          {"60", 60}, {"999999999", 999999999},
    {"1000000000", 0}, /* ten digits */
    {"0", 0},          {"01", 0},  {"", 0},
    {"-1", 0},         {"+1", 0},  {"1s", 0},
    {"1.5", 0},        {" 1", 0},  {"4294967297", 0},
};

static void
test_hold_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(holdfors); i++) {
        uint32_t seconds = 77;
        bool ok = smtp_hold_for_read(str_of(holdfors[i].text), &seconds);

        ROW(i, ok == (holdfors[i].seconds != 0));
        ROW(i, seconds == (ok ? holdfors[i].seconds : 77));
    }
}

static const struct {
    const char *text;
    int64_t unix_s; /* 0: refused */
} holduntils[] = {
    {"2026-12-01T00:00:00Z", 1796083200},
    {"2026-12-01t00:00:00z", 1796083200},
    {"2026-12-01T23:59:60Z", 1796169600}, /* a leap second */
    {"2026-12-01T00:00:00.0Z", 1796083200},
    {"2026-12-01T00:00:00.001Z", 1796083201}, /* not before */
    {"2026-12-01T00:00:00.000000001Z", 1796083201},
    {"2026-12-01T00:00:00.0000000001Z", 0}, /* ten digits */
    {"2026-12-01T00:00:00.Z", 0},
    {"2028-02-29T00:00:00Z", 1835395200},
    {"2026-02-29T00:00:00Z", 0},
    {"2100-02-29T00:00:00Z", 0},
    {"2000-02-29T00:00:00Z", 951782400},
    {"9999-12-31T23:59:59Z", 253402300799},
    {"1970-01-01T00:00:01Z", 1},
    {"1969-12-31T23:59:59Z", 0},
    {"2026-00-01T00:00:00Z", 0},
    {"2026-13-01T00:00:00Z", 0},
    {"2026-12-00T00:00:00Z", 0},
    {"2026-11-31T00:00:00Z", 0},
    {"2026-12-01T24:00:00Z", 0},
    {"2026-12-01T00:60:00Z", 0},
    {"2026-12-01T00:00:61Z", 0},
    {"2026-12-01T00:00:00", 0},
    {"2026-12-01T00:00:00+00:00", 0}, /* RFC 4865 section 3: normalised to UTC */
    {"2026-12-01T00:00Z", 0},
    {"2026-12-01 00:00:00Z", 0},
    {"2026-12-1T00:00:00Z", 0},
    {"26-12-01T00:00:00Z", 0},
    {"+026-12-01T00:00:00Z", 0},
    {"2026-12-01T-1:00:00Z", 0},
    {"2026-12-01T00:00:00ZZ", 0},
    {"2026-12-01", 0},
    {"", 0},
    {"Z", 0},
};

static void
test_hold_until(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(holduntils); i++) {
        struct instant t = {77};
        bool ok = smtp_hold_until_read(str_of(holduntils[i].text), &t);

        ROW(i, ok == (holduntils[i].unix_s != 0));
        ROW(i, t.us == (ok ? holduntils[i].unix_s * 1000000 : 77));
    }
}

static const struct {
    const char *text;
    bool ok;
    struct smtp_by by;
    const char *again; /* as it is said when 10 seconds have passed */
} bys[] = {
    {"120;R", true, {120, SMTP_BY_RETURN, false}, "110;R"},
    {"120;r", true, {120, SMTP_BY_RETURN, false}, "110;R"},
    {"+120;RT", true, {120, SMTP_BY_RETURN, true}, "110;RT"},
    {"1;R", true, {1, SMTP_BY_RETURN, false}, "-9;R"},
    {"120;N", true, {120, SMTP_BY_NOTIFY, false}, "110;N"},
    {"120;nt", true, {120, SMTP_BY_NOTIFY, true}, "110;NT"},
    {"0;N", true, {0, SMTP_BY_NOTIFY, false}, "-10;N"},
    {"-0;N", true, {0, SMTP_BY_NOTIFY, false}, "-10;N"},
    {"-5;N", true, {-5, SMTP_BY_NOTIFY, false}, "-15;N"},
    {"000000007;N", true, {7, SMTP_BY_NOTIFY, false}, "-3;N"},
    {"999999999;R", true, {999999999, SMTP_BY_RETURN, false}, "999999989;R"},
    {"-999999999;N", true, {-999999999, SMTP_BY_NOTIFY, false}, "-999999999;N"}, /* nine digits */
    {"1000000000;N", false, {0}, NULL},
    {"0;R", false, {0}, NULL},
    {"-1;R", false, {0}, NULL},
    {"+-1;N", false, {0}, NULL},
    {"--1;N", false, {0}, NULL},
    {"120", false, {0}, NULL},
    {"120;", false, {0}, NULL},
    {"120;T", false, {0}, NULL},
    {"120;RN", false, {0}, NULL},
    {"120;RTT", false, {0}, NULL},
    {"120;TR", false, {0}, NULL},
    {"120;X", false, {0}, NULL},
    {"120 ;R", false, {0}, NULL},
    {";R", false, {0}, NULL},
    {"R", false, {0}, NULL},
    {"", false, {0}, NULL},
    {"1.5;R", false, {0}, NULL},
};

static void
test_by(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bys); i++) {
        struct smtp_by by = {.seconds = 77};
        bool ok = smtp_by_read(str_of(bys[i].text), &by);
        AUTO_BUF text = BUF(64);

        ROW(i, ok == bys[i].ok);
        ROW(i, by.seconds == (ok ? bys[i].by.seconds : 77));
        if (!ok)
            continue;
        ROW(i, by.mode == bys[i].by.mode && by.trace == bys[i].by.trace);
        const struct smtp_terms t = {
            .by_mode = by.mode, .by = {by.seconds * INT64_C(1000000)}, .by_trace = by.trace};
        smtp_by_write(&text, &t, (struct instant){10000000});
        ROW(i, str_eq(buf_str(&text), str_of(bys[i].again)));
    }
}

static const struct {
    const char *text;
    bool ok;
    int32_t priority;
} priorities[] = {
    {"0", true, 0},   {"1", true, 1},    {"9", true, 9},     {"-1", true, -1}, {"-9", true, -9},
    {"10", false, 0}, {"-10", false, 0}, {"-0", false, 0},   {"+1", false, 0}, {"00", false, 0},
    {"01", false, 0}, {"", false, 0},    {"-", false, 0},    {"x", false, 0},  {"--1", false, 0},
    {"1 ", false, 0}, {"1.5", false, 0}, {"high", false, 0},
};

static void
test_priority(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(priorities); i++) {
        int32_t n = 77;

        ROW(i, smtp_priority_read(str_of(priorities[i].text), &n) == priorities[i].ok);
        ROW(i, n == (priorities[i].ok ? priorities[i].priority : 77));
    }
}

static void
test_write(void **state)
{
    AUTO_BUF text = BUF(64);

    (void)state;
    smtp_date_time_write(&text, (struct instant){INT64_C(1796083200999999)});
    assert_true(str_eq(buf_str(&text), STR("2026-12-01T00:00:00Z")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold_for), cmocka_unit_test(test_hold_until),
        cmocka_unit_test(test_by),       cmocka_unit_test(test_priority),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
