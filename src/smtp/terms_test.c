/* terms_test.c - tables of the values of HOLDFOR and HOLDUNTIL.
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
        cmocka_unit_test(test_hold_for),
        cmocka_unit_test(test_hold_until),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
