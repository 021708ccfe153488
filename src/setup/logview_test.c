/* logview_test.c - times, choices and what reaches a terminal.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/size.h"
#include "setup/logview.h"

/* 2026-11-23T22:31:12Z */
static const struct instant now = {1795473072000000};

static const struct {
    const char *text, *time; /* NULL: refused */
} times[] = {
    {"2026-11-23", "2026-11-23"},
    {"2026-11-23 22:31", "2026-11-23T22:31"},
    {"2026-11-23T22:31:12.5", "2026-11-23T22:31:12.5"},
    {"today", "2026-11-23T00:00:00.000000Z"},
    {"yesterday", "2026-11-22T00:00:00.000000Z"},
    {"30s", "2026-11-23T22:30:42.000000Z"},
    {"10m", "2026-11-23T22:21:12.000000Z"},
    {"2h", "2026-11-23T20:31:12.000000Z"},
    {"3d", "2026-11-20T22:31:12.000000Z"},
    {"1w", "2026-11-16T22:31:12.000000Z"},
    {"", NULL},
    {"10", NULL},
    {"10x", NULL},
    {"10mm", NULL},
    {"-10m", NULL},
    {"99999999999999d", NULL},
    {"2026-1-1", NULL},
    {"2026-11", NULL},
    {"2026-11-23 22:31:12 and more than that", NULL},
    {"23.11.2026", NULL},
};

static void
test_since(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        AUTO_BUF b = BUF(100);
        bool read = logview_since(str_of(times[i].text), now, &b);

        if (read != (times[i].time != NULL) ||
            (read && !str_eq(buf_str(&b), str_of(times[i].time))))
            fail_msg("%s: %.*s", times[i].text, STR_FMT(buf_str(&b)));
        if (!read)
            assert_int_equal(b.len, 0);
    }
}

#define LINE                                                                        \
    "t=2026-11-23T22:31:12.123456Z lvl=info ev=smtp.rcpt role=mx.0 peer=192.0.2.1 " \
    "from=<Ben@world.example> to=anna@example.org text=\"no \\\"such\\\" \\x1b[2J\""

static const struct {
    struct logview_filter f;
    bool wanted;
} choices[] = {
    {{.event = STR("")}, true},
    {{.event = STR("smtp.rcpt")}, true},
    {{.event = STR("smtp")}, true},
    {{.event = STR("smt")}, false},
    {{.event = STR("smtp.rcp")}, false},
    {{.event = STR("smtp.message")}, false},
    {{.user = STR("anna@example.org")}, true},
    {{.user = STR("ANNA@example.org")}, true},
    {{.user = STR("anna")}, true},
    {{.user = STR("ben@world.example")}, true},
    {{.user = STR("nna@example.org")}, false},
    {{.user = STR("192.0.2.1")}, false},
    {{.since = STR("2026-11-23")}, true},
    {{.since = STR("2026-11-23T22:31:12.123456Z")}, true},
    {{.since = STR("2026-11-23T22:31:13")}, false},
    {{.level = STR("debug")}, true},
    {{.level = STR("info")}, true},
    {{.level = STR("warn")}, false},
    {{.event = STR("smtp"), .user = STR("anna"), .since = STR("2026")}, true},
    {{.event = STR("queue"), .user = STR("anna")}, false},
};

static void
test_choices(void **state)
{
    static const char *const both[] = {"ANNA", "192.0.2"};
    static const char *const one_missing[] = {"anna", "absent"};
    struct logview_filter f = {.texts = both, .text_count = 2};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices); i++)
        if (logview_wants(&choices[i].f, STR(LINE)) != choices[i].wanted)
            fail_msg("row %zu", i);
    assert_true(logview_wants(&f, STR(LINE)));
    f.texts = one_missing;
    assert_false(logview_wants(&f, STR(LINE)));
    assert_false(logview_wants(&(struct logview_filter){.event = STR("smtp")}, STR("panic: ev=x")));
}

static void
test_events(void **state)
{
    (void)state;
    assert_true(logview_event_exists(STR("smtp.rcpt")) && logview_event_exists(STR("smtp")));
    assert_true(logview_level_exists(STR("debug")) && logview_level_exists(STR("error")));
    assert_false(logview_level_exists(STR("")) || logview_level_exists(STR("warning")));
    assert_false(logview_event_exists(STR("smtp.")) || logview_event_exists(STR("")) ||
                 logview_event_exists(STR("smtp.rcptx")));
}

static const struct {
    struct str line, shown;
} looks[] = {
    {STR("t=2026-11-23T22:31:12.123456Z lvl=info ev=role.start role=boss name=mx.0"),
     STR("2026-11-23 22:31:12 role.start     role=boss name=mx.0\n")},
    {STR("t=2026-11-23T22:31:12.123456Z lvl=warn ev=role.end name=mx.0"),
     STR("2026-11-23 22:31:12 warn role.end       name=mx.0\n")},
    {STR("t=2026-11-23T22:31:12.123456Z lvl=info ev=x.y a=\"\\x1b[2J\""),
     STR("2026-11-23 22:31:12 x.y            a=\"\\x1b[2J\"\n")},
    {STR("a panic \x1b[2J\x07 \xc2\x9b"), STR("a panic \\x1b[2J\\x07 \\xc2\\x9b\n")},
    {STR("t=1 lvl=info ev=x"), STR("t=1 lvl=info ev=x\n")},
    {STR("t=2026-11-23T22:31:12.123456Z lvl=info ev=x.y a=\x1b]0;"),
     STR("2026-11-23 22:31:12 x.y            a=\\x1b]0;\n")},
};

static void
test_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        AUTO_BUF b = BUF(1000);

        logview_write(looks[i].line, &b);
        if (!str_eq(buf_str(&b), looks[i].shown))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
