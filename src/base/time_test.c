/* time_test.c - the calendar against known dates, the C library and itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <time.h>

#include "base/size.h"
#include "base/testing.h"

static const struct {
    int64_t unix_s;
    struct civil civil;
} rows[] = {
    {0, {1970, 1, 1, 0, 0, 0, 4}},
    {-1, {1969, 12, 31, 23, 59, 59, 3}},
    {951868799, {2000, 2, 29, 23, 59, 59, 2}},
    {-2203934400, {1900, 2, 28, 12, 0, 0, 3}},
    {-2203891200, {1900, 3, 1, 0, 0, 0, 4}},
    {4107542399, {2100, 2, 28, 23, 59, 59, 0}},
    {4107542400, {2100, 3, 1, 0, 0, 0, 1}},
    {-62135596800, {1, 1, 1, 0, 0, 0, 1}},
    {253402300799, {9999, 12, 31, 23, 59, 59, 5}},
    {1795473072, {2026, 11, 23, 22, 31, 12, 1}},
    {2147483648, {2038, 1, 19, 3, 14, 8, 2}},
    {-11644473600, {1601, 1, 1, 0, 0, 0, 1}},
    {13574563200, {2400, 2, 29, 0, 0, 0, 2}},
    {946684799, {1999, 12, 31, 23, 59, 59, 5}},
    {1735603200, {2024, 12, 31, 0, 0, 0, 2}},
    {-62035891200, {4, 2, 29, 0, 0, 0, 0}},
};

static bool
civil_eq(const struct civil *a, const struct civil *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->hour == b->hour &&
           a->minute == b->minute && a->second == b->second && a->weekday == b->weekday;
}

static void
known_dates(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct civil c = civil_from_unix(rows[i].unix_s);

        ROW(i, civil_eq(&c, &rows[i].civil));
        ROW(i, unix_from_civil(&rows[i].civil) == rows[i].unix_s);
    }
}

/* Every day of 1,000 years around the changes of era, forwards. */
static void
days_follow_each_other(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct civil want = {.year = -450, .month = 1, .day = 1};
    int64_t s = unix_from_civil(&want);

    want.weekday = civil_from_unix(s).weekday;
    while (want.year < 550) {
        struct civil got = civil_from_unix(s);
        bool leap = want.year % 4 == 0 && (want.year % 100 != 0 || want.year % 400 == 0);
        int length = lengths[want.month - 1] + (leap && want.month == 2);

        ROW(s, civil_eq(&got, &want));
        ROW(s, unix_from_civil(&want) == s);
        s += 86400;
        want.weekday = (want.weekday + 1) % 7;
        if (++want.day > length) {
            want.day = 1;
            want.month = want.month % 12 + 1;
            want.year += want.month == 1;
        }
    }
}

static void
library_agrees(void **state)
{
    /* A step that is prime to days and years, over about 5,000 years. */
    for (int64_t s = -77000000000; s < 77000000000; s += 9999991) {
        time_t t = s;
        struct tm tm;
        struct civil c = civil_from_unix(s);

        assert_non_null(gmtime_r(&t, &tm));
        struct civil want = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                             tm.tm_min,         tm.tm_sec,     tm.tm_wday};
        ROW(s, civil_eq(&c, &want) && unix_from_civil(&c) == s);
    }
}

static void
extremes_are_clamped(void **state)
{
    assert_int_equal(civil_from_unix(INT64_MAX).year, 1000001970);
    assert_int_equal(civil_from_unix(INT64_MIN).year, -999998030);
    struct civil most = civil_from_unix(INT64_MAX), least = civil_from_unix(INT64_MIN);
    assert_in_range(most.month, 1, 12);
    assert_in_range(least.day, 1, 31);
    assert_true(unix_from_civil(&most) == 1000000000LL * 31556952LL);
    assert_true(unix_from_civil(&least) == -1000000000LL * 31556952LL);
    struct civil leap_second = {2016, 12, 31, 23, 59, 60, 6};
    assert_true(unix_from_civil(&leap_second) == 1483228800); /* counts as the next second */
}

static const struct {
    int64_t us;
    const char *want;
} iso_rows[] = {
    {0, "1970-01-01T00:00:00.000000Z"},
    {1, "1970-01-01T00:00:00.000001Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
    {-1000000, "1969-12-31T23:59:59.000000Z"},
    {1795473072123456, "2026-11-23T22:31:12.123456Z"},
    {253402300799999999, "9999-12-31T23:59:59.999999Z"},
    {253402300800000000, "9999-12-31T23:59:59.999999Z"}, /* a fifth digit has no place */
    {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    {-62167219200000000, "0000-01-01T00:00:00.000000Z"},
    {-62167219200000001, "0000-01-01T00:00:00.000000Z"},
    {INT64_MIN, "0000-01-01T00:00:00.000000Z"},
};

static void
instants_are_27_bytes(void **state)
{
    for (size_t i = 0; i < COUNT_OF(iso_rows); i++) {
        AUTO_BUF b = BUF(27);
        AUTO_BUF tight = BUF(26);
        struct instant t = {iso_rows[i].us};

        buf_add_iso8601(&b, t);
        ROW(i, str_eq(buf_str(&b), str_of(iso_rows[i].want)));
        buf_add_iso8601(&tight, t);
        ROW(i, buf_status(&tight) == ERR_LIMIT && tight.len == 0);
    }
}

static void
month_zero(void)
{
    (void)unix_from_civil(&(struct civil){.year = 2000, .month = 0, .day = 1});
}

static void
month_thirteen(void)
{
    (void)unix_from_civil(&(struct civil){.year = 2000, .month = 13, .day = 1});
}

static void
months_are_checked(void **state)
{
    assert_true(aborts(month_zero));
    assert_true(aborts(month_thirteen));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_dates),           cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(library_agrees),        cmocka_unit_test(extremes_are_clamped),
        cmocka_unit_test(instants_are_27_bytes), cmocka_unit_test(months_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
