/* parse_test.c - the grammar in tables: limits and failures get more rows than successes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/size.h"
#include "imap/parse.h"

static const struct {
    const char *text;
    const char *value; /* NULL: refused */
} astrings[] = {
    {"atom", "atom"},        {"\"\"", ""},        {"\"a \\\"b\\\\\"", "a \"b\\"},
    {"{3}\r\na\"b", "a\"b"}, {"{0}\r\n", ""},     {"{3+}\r\nabc", "abc"},
    {"a]b", "a]b"},          {"", NULL},          {"(", NULL},
    {"\"open", NULL},        {"\"a\\x\"", NULL},  {"\"a\r\"", NULL},
    {"{3}\r\nab", NULL},     {"{3}\nabc", NULL},  {"{99999999999999999999}\r\n", NULL},
    {"{-1}\r\n", NULL},      {"{3\r\nabc", NULL}, {"%", NULL},
};

static void
test_astrings(void **state)
{
    AUTO_ARENA *a = arena_new(65536);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(astrings); i++) {
        struct scan s = scan_of(str_of(astrings[i].text));
        struct str out = STR("untouched");
        bool ok = imap_scan_astring(&s, a, &out);
        assert_int_equal(ok, astrings[i].value != NULL);
        assert_true(str_eq(out, ok ? str_of(astrings[i].value) : STR("untouched")));
        if (!ok)
            assert_ptr_equal(s.pos, astrings[i].text);
    }
}

static const struct {
    const char *text;
    const char *name; /* NULL: refused */
} names[] = {
    {"inbox", "INBOX"},
    {"InBoX/a", "INBOX/a"},
    {"inboxes", "inboxes"},
    {"\"a b/\"", "a b"},
    {"Entw&APw-rfe", "Entw\xc3\xbcrfe"},
    {"&U,BTFw-", "\xe5\x8f\xb0\xe5\x8c\x97"},
    {"&2D3eAA-", "\xf0\x9f\x98\x80"},
    {"a&-b", "a&b"},
    {"a&b", "a&b"},         /* sloppy: taken as it is */
    {"&AGE-", "&AGE-"},     /* "a" written so is another name, not a second spelling of "a" */
    {"a&AC8-b", "a&AC8-b"}, /* nor does a separator hide there */
    {"\"\xc3\xbc\"", "\xc3\xbc"},
    {"\"\"", NULL},
    {"\"\xff\"", NULL},
    {"{3}\r\na\r\n", NULL},
    {"\"a\tb\"", NULL},
};

static void
test_mailbox_names(void **state)
{
    AUTO_ARENA *a = arena_new(65536);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct scan s = scan_of(str_of(names[i].text));
        struct str out = STR_NONE;
        bool ok = imap_scan_mailbox(&s, a, &out);
        if (ok != (names[i].name != NULL) || (ok && !str_eq(out, str_of(names[i].name))))
            fail_msg("%s: %d \"%.*s\"", names[i].text, ok, STR_FMT(out));
    }
}

static void
test_utf7_round_trip(void **state)
{
    static const char *const texts[] = {"",    "plain",    "&",
                                        "a&b", "\xc3\xbc", "\xf0\x9f\x98\x80x\xc3\xbc\xe2\x82\xac"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO_BUF there = BUF(256);
        AUTO_BUF back = BUF(256);
        imap_utf7_encode(str_of(texts[i]), &there);
        assert_int_equal(imap_utf7_decode(buf_str(&there), &back), OK);
        assert_true(str_eq(buf_str(&back), str_of(texts[i])));
    }
}

static const struct {
    const char *pattern, *name;
    bool matches;
} patterns[] = {
    {"*", "a/b/c", true},
    {"%", "a", true},
    {"%", "a/b", false},
    {"%/%", "a/b", true},
    {"a*c", "a/b/c", true},
    {"a%c", "a/c", false},
    {"", "", true},
    {"", "a", false},
    {"INBOX", "INBOX", true},
    {"inb*", "INBOX", true},
    {"%box/A", "INBOX/A", true},
    {"inbox/a", "INBOX/A", false},
    {"inboxes", "INBOXES", false},
    {"inbox", "INBOXES", false},
    {"*%", "a/b", true},
    {"%*b", "a/ab", true},
    {"a/%/c", "a/b/c", true},
    {"a/%/c", "a/b/d", false},
    {"*a*b*c", "xaybzc", true},
    {"*a*b*c", "xaybz", false},
    {"a", "", false},
};

static void
test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        if (imap_match(str_of(patterns[i].pattern), str_of(patterns[i].name)) !=
            patterns[i].matches)
            fail_msg("%s against %s", patterns[i].pattern, patterns[i].name);
}

static void
test_sets(void **state)
{
    static const char *const bad[] = {"", "0", "1:", ",1", "1,", "4294967296", "a", "1:0"};
    AUTO_ARENA *a = arena_new(65536);
    struct imap_set set;
    struct scan s = scan_of(STR("7:5,1,*,2,9:*"));

    (void)state;
    assert_true(imap_scan_set(&s, a, &set));
    assert_true(scan_at_end(&s));
    imap_set_resolve(&set, 10);
    assert_int_equal(set.count, 3); /* 1:2 5:7 9:10 */
    assert_int_equal(set.at[1].first, 5);
    for (uint32_t n = 1; n <= 11; n++)
        assert_int_equal(imap_set_has(&set, n),
                         n == 1 || n == 2 || (n >= 5 && n <= 7) || n == 9 || n == 10);
    /* The largest number there is means itself, not the last message; no message, no number. */
    s = scan_of(STR("4294967295,3:4294967295"));
    assert_true(imap_scan_set(&s, a, &set) && !imap_set_has_star(&set));
    imap_set_resolve(&set, 2);
    assert_false(imap_set_has(&set, 2));
    s = scan_of(STR("*"));
    assert_true(imap_scan_set(&s, a, &set) && imap_set_has_star(&set));
    imap_set_resolve(&set, 0);
    assert_false(imap_set_has(&set, 1));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        s = scan_of(str_of(bad[i]));
        bool whole = imap_scan_set(&s, a, &set) && scan_at_end(&s);
        assert_false(whole);
    }
}

static void
test_flags(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t system;
        size_t keywords;
    } rows[] = {
        {"()", true, 0, 0},
        {"(\\Seen \\deleted $Forwarded)", true, IMAP_SEEN | IMAP_DELETED, 1},
        {"\\Flagged x y", true, IMAP_FLAGGED, 2},
        {"(\\Recent)", true, 0, 0},
        {"(\\Nonsense)", false, 0, 0},
        {"(\\Seen", false, 0, 0},
        {"(a[b)", true, 0, 1},
        {"(a]b)", false, 0, 0},
        {"(\xc3\xbc)", false, 0, 0},
        {"(\")", false, 0, 0},
        {"", false, 0, 0},
    };
    AUTO_ARENA *a = arena_new(65536);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scan s = scan_of(str_of(rows[i].text));
        struct imap_flags f = {0};
        assert_int_equal(imap_scan_flags(&s, a, &f), rows[i].ok);
        assert_int_equal(f.system, rows[i].system);
        assert_int_equal(f.keyword_count, rows[i].keywords);
    }
}

static void
test_dates(void **state)
{
    struct scan s = scan_of(STR("\"17-Jul-1996 02:44:25 -0700\""));
    struct instant t;
    struct civil c;

    (void)state;
    assert_true(imap_scan_date_time(&s, &t));
    assert_int_equal(t.us, 837596665000000LL);
    s = scan_of(STR("\" 1-Feb-2024 00:00:00 +0000\""));
    assert_true(imap_scan_date_time(&s, &t));
    assert_int_equal(t.us, 1706745600000000LL);
    s = scan_of(STR("29-feb-2023"));
    assert_false(imap_scan_date(&s, &c));
    s = scan_of(STR("\"29-Feb-2024\""));
    assert_true(imap_scan_date(&s, &c));
    s = scan_of(STR("\"31-Dec-1999 23:59:60 +2500\""));
    assert_false(imap_scan_date_time(&s, &t));
}

static void
test_literal_at_end(void **state)
{
    struct imap_literal l;

    (void)state;
    assert_true(imap_literal_at_end(STR("a LOGIN {5}"), &l));
    assert_true(l.size == 5 && l.sync);
    assert_true(imap_literal_at_end(STR("a LOGIN {50+}"), &l));
    assert_true(l.size == 50 && !l.sync);
    assert_false(imap_literal_at_end(STR("a LOGIN {}"), &l));
    assert_false(imap_literal_at_end(STR("a LOGIN {5"), &l));
    assert_false(imap_literal_at_end(STR("a LOGIN 5}"), &l));
    assert_false(imap_literal_at_end(STR("a {18446744073709551616}"), &l));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_astrings),
        cmocka_unit_test(test_mailbox_names),
        cmocka_unit_test(test_utf7_round_trip),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_literal_at_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
