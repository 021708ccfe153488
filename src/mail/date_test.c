/* date_test.c - tables of dates.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/date.h"

static const struct {
    const char *in;
    const char *out; /* NULL: refused */
} dates[] = {
    {"Fri, 21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
    {"21 Nov 1997 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
    {"Tue, 1 Jul 2003 10:52 +0200", "Tue, 1 Jul 2003 10:52:00 +0200"},
    {"21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"21 Nov 49 09:55:06 GMT", "Sun, 21 Nov 2049 09:55:06 +0000"},
    {"21 Nov 102 09:55:06 GMT", "Thu, 21 Nov 2002 09:55:06 +0000"},
    {"Thu,\r\n\t13\r\n Feb (a (b) \\) c)1969 23:32 -0330 (Newfoundland)",
     "Thu, 13 Feb 1969 23:32:00 -0330"},
    {"21 Nov 1997 09(comment):55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600"},
    {"Fri, 21 Nov 1997 09:55:06 EST", "Fri, 21 Nov 1997 09:55:06 -0500"},
    {"Fri, 21 Nov 1997 09:55:06 PDT", "Fri, 21 Nov 1997 09:55:06 -0700"},
    {"Fri, 21 Nov 1997 09:55:06 Z", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Fri, 21 Nov 1997 09:55:06 K", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Fri, 21 Nov 1997 09:55:06 GMT+0100", "Fri, 21 Nov 1997 09:55:06 +0100"},
    {"Fri, 21 Nov 1997 09:55:06 +01:00", "Fri, 21 Nov 1997 09:55:06 +0100"},
    {"Fri, 21 Nov 1997 09:55:06", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Fri, 21 Nov 1997 09:55:06.123 +0100", "Fri, 21 Nov 1997 09:55:06 +0100"},
    {"friday, 21-november-1997 09:55:06 +0000", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Wrong day is no matter, 1", NULL},
    {"Mon, 21 Nov 1997 09:55:06 -0000", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Fri Nov 21 09:55:06 1997", "Fri, 21 Nov 1997 09:55:06 +0000"},
    {"Fri Nov  1 09:55:06 CET 1997", "Sat, 1 Nov 1997 09:55:06 +0000"},
    {"31 Dec 1998 23:59:60 +0000", "Fri, 1 Jan 1999 00:00:00 +0000"},
    {"29 Feb 2000 00:00:00 +0000", "Tue, 29 Feb 2000 00:00:00 +0000"},
    {"1 Jan 0001 00:00:00 +0000", "Mon, 1 Jan 0001 00:00:00 +0000"},
    {"31 Dec 9999 23:59:59 -9959", "Fri, 31 Dec 9999 23:59:59 -9959"},
    {"29 Feb 1900 00:00:00 +0000", NULL},
    {"31 Apr 2000 00:00:00 +0000", NULL},
    {"0 Apr 2000 00:00:00 +0000", NULL},
    {"1 Apr 0000 00:00:00 +0000", NULL},
    {"1 Apr 20000 00:00:00 +0000", NULL},
    {"1 Apr 2000 24:00:00 +0000", NULL},
    {"1 Apr 2000 23:60:00 +0000", NULL},
    {"1 Apr 2000 23:59:61 +0000", NULL},
    {"1 Foo 2000 23:59:00 +0000", NULL},
    {"1 Apr 2000 +0000", NULL},
    {"1 Apr", NULL},
    {"", NULL},
    {"(((((((((((((((((((((((((((((((((", NULL},
    {"Fri", NULL},
};

static void
test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        AUTO_BUF b = BUF(100);
        struct mail_date d = {.zone_min = 0};
        enum status got = date_parse(str_of(dates[i].in), &d);

        if ((got == OK) != (dates[i].out != NULL))
            fail_msg("\"%s\": %s", dates[i].in, status_name(got));
        if (got != OK)
            continue;
        date_write(&b, d);
        if (!str_eq(buf_str(&b), str_of(dates[i].out)))
            fail_msg("\"%s\": \"%.*s\"", dates[i].in, STR_FMT(buf_str(&b)));
    }
}

static void
test_instant(void **state)
{
    struct mail_date d = {.zone_min = 0};
    (void)state;

    assert_int_equal(date_parse(STR("Mon, 23 Nov 2026 22:31:12 +0130"), &d), OK);
    assert_true(d.time.us == INT64_C(1795467672) * 1000000 && d.zone_min == 90);
    d = (struct mail_date){.time = {-1}};
    AUTO_BUF b = BUF(100);
    date_write(&b, d);
    assert_true(str_eq(buf_str(&b), STR("Wed, 31 Dec 1969 23:59:59 +0000")));
}

static const struct {
    const char *in;
    const char *out;
} internals[] = {
    {"17-Jul-1996 02:44:25 -0700", "\"17-Jul-1996 02:44:25 -0700\""},
    {" 7-Jul-1996 02:44:25 +0000", "\"07-Jul-1996 02:44:25 +0000\""},
    {"7-jul-1996 02:44:25 +0000", "\"07-Jul-1996 02:44:25 +0000\""},
    {"17-July-1996 02:44:25 -0700", NULL},
    {"17-Jul-96 02:44:25 -0700", NULL},
    {"17-Jul-1996 02:44:25", NULL},
    {"17-Jul-1996 02:44:25 GMT", NULL},
    {"17-Jul-1996 02:44:25 -0700 ", NULL},
    {"31-Jun-1996 02:44:25 -0700", NULL},
    {"", NULL},
};

static void
test_internal(void **state)
{
    struct instant t = {0};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(internals); i++) {
        AUTO_BUF b = BUF(100);
        struct mail_date d = {.zone_min = 0};
        enum status got = date_internal_parse(str_of(internals[i].in), &d);

        if ((got == OK) != (internals[i].out != NULL))
            fail_msg("\"%s\": %s", internals[i].in, status_name(got));
        if (got != OK)
            continue;
        date_internal_write(&b, d);
        assert_true(str_eq(buf_str(&b), str_of(internals[i].out)));
    }
    assert_int_equal(date_day_parse(STR("1-Feb-1994"), &t), OK);
    assert_true(t.us == INT64_C(760060800) * 1000000);
    assert_int_equal(date_day_parse(STR("1-Feb-1994 "), &t), ERR_SYNTAX);
    assert_int_equal(date_day_parse(STR("30-Feb-1994"), &t), ERR_SYNTAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_instant),
        cmocka_unit_test(test_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
