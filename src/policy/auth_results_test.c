/* auth_results_test.c - fields that are written, read, and claimed to be ours.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/auth_results.h"

#include "base/size.h"
#include "base/testing.h"

static void
what_we_say_is_written(void **state)
{
    AUTO_BUF b = BUF(65536);
    struct auth_result r[3] = {
        {.method = STR("spf"), .result = STR("pass")},
        {.method = STR("dkim"), .result = STR("fail"), .reason = STR("body has changed")},
        {.method = STR("dmarc"), .result = STR("fail"), .comment = STR("p=reject")},
    };
    struct auth_results all = {.authserv_id = STR("mx.example.org"), .at = r, .count = 3};

    auth_result_add(&r[0], STR("smtp"), STR("mailfrom"), STR("carl@example.com"));
    auth_result_add(&r[1], STR("header"), STR("d"), STR("example.com"));
    auth_result_add(&r[1], STR("header"), STR("s"), STR("a-selector"));
    auth_result_add(&r[1], STR("header"), STR("i"), STR("@mail.example.com"));
    auth_result_add(&r[1], STR("header"), STR("b"), STR("dGVz/+=="));
    auth_result_add(&r[2], STR("header"), STR("from"), STR("example.com"));
    auth_result_add(&r[2], STR("policy"), STR("empty"), STR(""));
    auth_results_write(&b, &all);
    assert_str(buf_str(&b),
               STR("Authentication-Results: mx.example.org;\r\n"
                   "\tspf=pass smtp.mailfrom=carl@example.com;\r\n"
                   "\tdkim=fail reason=\"body has changed\" header.d=example.com\r\n"
                   "\theader.s=a-selector header.i=@mail.example.com header.b=\"dGVz/+==\";\r\n"
                   "\tdmarc=fail (p=reject) header.from=example.com\r\n"));
    buf_reset(&b);
    all.count = 0;
    auth_results_write(&b, &all);
    assert_str(buf_str(&b), STR("Authentication-Results: mx.example.org; none\r\n"));
    buf_reset(&b);
    all.count = 1;
    all.instance = 2;
    auth_results_write(&b, &all);
    assert_str(buf_str(&b), STR("ARC-Authentication-Results: i=2; mx.example.org;\r\n"
                                "\tspf=pass smtp.mailfrom=carl@example.com\r\n"));
    (void)state;
}

/* A stranger's value never ends its word, its line or the field. */
static void
values_stay_inside(void **state)
{
    static const struct {
        struct str value;
        const char *plain, *utf8; /* NULL: the same */
    } rows[] = {
        {STR("a.b-c_d+e"), "a.b-c_d+e", NULL},
        {STR("x@example.com"), "x@example.com", NULL},
        {STR("@example.com"), "@example.com", NULL},
        {STR("a b@example.com"), "\"a b@example.com\"", NULL},
        {STR(".a@example.com"), "\".a@example.com\"", NULL},
        {STR("a..b@example.com"), "\"a..b@example.com\"", NULL},
        {STR("a@b@example.com"), "\"a@b@example.com\"", NULL},
        {STR("a@"), "\"a@\"", NULL},
        {STR("@"), "\"@\"", NULL},
        {STR("a;dkim=pass"), "\"a;dkim=pass\"", NULL},
        {STR("a\"; dkim=pass"), "\"a\\\"; dkim=pass\"", NULL},
        {STR("a\\"), "\"a\\\\\"", NULL},
        {STR("a(b"), "\"a(b\"", NULL},
        {STR("a\r\nX: y\n\r\n"), "\"a??X: y???\"", NULL},
        {STR("a\0b\x7f\tc"), "\"a?b??c\"", NULL},
        {STR("j\xc3\xb6rg@example.com"), "\"j??rg@example.com\"", "\"j\xc3\xb6rg@example.com\""},
        {STR("j\xf6rg@example.com"), "\"j?rg@example.com\"", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            AUTO_BUF b = BUF(4096), want = BUF(4096);
            struct auth_result r = {.method = STR("spf"), .result = STR("none")};
            struct auth_results all = {STR("mx"), 0, utf8 == 1, &r, 1};

            auth_result_add(&r, STR("smtp"), STR("mailfrom"), rows[i].value);
            auth_results_write(&b, &all);
            buf_addf(&want, "Authentication-Results: mx;\r\n\tspf=none smtp.mailfrom=%s\r\n",
                     utf8 == 1 && rows[i].utf8 != NULL ? rows[i].utf8 : rows[i].plain);
            if (!str_eq(buf_str(&b), buf_str(&want)))
                FAIL_AND_STOP("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
        }
    }
    (void)state;
}

static void
comments_and_reasons_stay_inside(void **state)
{
    AUTO_BUF b = BUF(65536);
    struct auth_result r = {.method = STR("dkim"),
                            .result = STR("neutral"),
                            .comment = STR("a) (b\\ \r\n."),
                            .reason = STR("\"x\"; spf=pass")};
    struct auth_results all = {STR("mx"), 0, false, &r, 1};

    auth_results_write(&b, &all);
    assert_str(buf_str(&b),
               STR("Authentication-Results: mx;\r\n"
                   "\tdkim=neutral (a\\) \\(b\\\\ ??.) reason=\"\\\"x\\\"; spf=pass\"\r\n"));
    (void)state;
}

static void
lines_are_never_too_long(void **state)
{
    AUTO_BUF b = BUF(65536), value = BUF(1024);
    struct auth_result r = {.method = STR("spf"), .result = STR("pass")};
    struct auth_results all = {STR("mx"), 0, false, &r, 1};
    struct str text, line;

    for (size_t i = 0; i < LIMIT_AUTH_VALUE_BYTES; i++)
        buf_add_char(&value, '"');
    for (size_t i = 0; i < LIMIT_AUTH_PROPERTIES + 3; i++)
        auth_result_add(&r, STR("smtp"), STR("mailfrom"), buf_str(&value));
    assert_int_equal(r.property_count, LIMIT_AUTH_PROPERTIES);
    buf_add_char(&value, '"');
    r.property_count = 1;
    auth_result_add(&r, STR("smtp"), STR("helo"), buf_str(&value));
    assert_int_equal(r.property_count, 1);
    r.reason = buf_str(&value);
    r.comment = buf_str(&value);
    auth_results_write(&b, &all);
    text = buf_str(&b);
    while (str_split(&text, '\n', &line))
        assert_true(line.len <= 998);
    assert_true(str_find_str(buf_str(&b), STR("reason=")) < 0);
    assert_true(str_find_str(buf_str(&b), STR("(")) < 0);
    (void)state;
}

/* What was read, in one line: id|method=result reason type.name=value ...| */
static enum status
describe(struct str value, bool arc, struct buf *out)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct auth_reader reader;
    struct auth_result r;
    enum status st;

    TRY(auth_results_open(value, arc, a, &reader));
    if (reader.instance > 0)
        buf_addf(out, "%u:", reader.instance);
    buf_addf(out, "%.*s|", STR_FMT(reader.authserv_id));
    while ((st = auth_results_next(&reader, &r)) == OK) {
        buf_addf(out, "%.*s=%.*s", STR_FMT(r.method), STR_FMT(r.result));
        if (r.reason.len > 0)
            buf_addf(out, " <%.*s>", STR_FMT(r.reason));
        for (size_t i = 0; i < r.property_count; i++)
            buf_addf(out, " %.*s.%.*s=%.*s", STR_FMT(r.properties[i].type),
                     STR_FMT(r.properties[i].name), STR_FMT(r.properties[i].value));
        buf_add_char(out, '|');
    }
    return st == ERR_NOT_FOUND ? OK : st;
}

static const struct {
    struct str value;
    const char *want; /* NULL: ERR_SYNTAX */
    bool arc;
} fields[] = {
    /* RFC 8601 appendix B */
    {STR(" example.org 1; none"), "example.org|"},
    {STR(" example.com;\r\n          spf=pass smtp.mailfrom=example.net"),
     "example.com|spf=pass smtp.mailfrom=example.net|"},
    {STR(" example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
         " spf=pass smtp.mailfrom=example.net"),
     "example.com|auth=pass smtp.auth=sender@example.net|spf=pass smtp.mailfrom=example.net|"},
    {STR(" example.com;\r\n dkim=pass reason=\"good signature\"\r\n"
         " header.i=@mail-router.example.net;\r\n dkim=fail reason=\"bad signature\"\r\n"
         " header.i=@newyork.example.com"),
     "example.com|dkim=pass <good signature> header.i=@mail-router.example.net|"
     "dkim=fail <bad signature> header.i=@newyork.example.com|"},
    {STR(" foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = "
         "(wait for it) fail\r\n"
         " policy (A dot can go here) . (like that) expired\r\n"
         " (this surprised me) = (as I wasn't expecting it) 1362471462"),
     "foo.example.net|dkim=fail policy.expired=1362471462|"},
    /* forms */
    {STR("mx;spf=pass"), "mx|spf=pass|"},
    {STR("\"mx one\" ; spf=pass"), "mx one|spf=pass|"},
    {STR("mx; none (nothing (at all))"), "mx|"},
    {STR("mx; None"), "mx|"},
    {STR("mx; spf=pass;"), "mx|spf=pass|"},
    {STR("mx; spf=pass; "), "mx|spf=pass|"},
    {STR("mx; dkim=pass header.b=abc/+==; spf=none"), "mx|dkim=pass header.b=abc/+==|spf=none|"},
    {STR("mx; dmarc=fail action=quarantine header.from=a.example"),
     "mx|dmarc=fail .action=quarantine header.from=a.example|"},
    {STR("mx; spf=pass smtp.mailfrom=\"a\\\"b;\r\n\tc\""), "mx|spf=pass smtp.mailfrom=a\"b; c|"},
    {STR("mx; spf=pass smtp.mailfrom=\xc3\xa9@a.example"),
     "mx|spf=pass smtp.mailfrom=\xc3\xa9@a.example|"},
    {STR("mx; iprev=pass policy.iprev=2001:db8::1"), "mx|iprev=pass policy.iprev=2001:db8::1|"},
    {STR(" i=1; mx; arc=none"), "1:mx|arc=none|", true},
    {STR("i = (x) 50 ; mx 1; none"), "50:mx|", true},
    /* wrong */
    {STR(""), NULL},
    {STR(";spf=pass"), NULL},
    {STR("\"\"; spf=pass"), NULL},
    {STR("mx"), NULL},
    {STR("mx;"), NULL},
    {STR("mx spf=pass"), NULL},
    {STR("mx 1 2; none"), NULL},
    {STR("mx;; spf=pass"), NULL},
    {STR("mx; spf"), NULL},
    {STR("mx; spf=;"), NULL},
    {STR("mx; spf=pass-"), NULL},
    {STR("mx; spf/x=pass"), NULL},
    {STR("mx; spf=pass smtp."), NULL},
    {STR("mx; spf=pass smtp.mailfrom"), NULL},
    {STR("mx; spf=pass smtp.mailfrom=;"), NULL},
    {STR("mx; spf=pass smtp.mailfrom=\"a"), NULL},
    {STR("mx; spf=pass smtp.mailfrom=\"a\x01\""), NULL},
    {STR("mx; spf=pass )"), NULL},
    {STR("mx; none; spf=pass"), NULL},
    {STR("mx; arc=none"), NULL, true},
    {STR("i=0; mx; arc=none"), NULL, true},
    {STR("i=51; mx; arc=none"), NULL, true},
    {STR("i=1 mx; arc=none"), NULL, true},
};

static void
fields_are_read(void **state)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        AUTO_BUF got = BUF(4096);
        enum status st = describe(fields[i].value, fields[i].arc, &got);
        if (st != (fields[i].want != NULL ? OK : ERR_SYNTAX) ||
            (st == OK && !str_eq(buf_str(&got), str_of(fields[i].want))))
            FAIL_AND_STOP("row %zu: %s %.*s", i, status_name(st), STR_FMT(buf_str(&got)));
    }
    (void)state;
}

static void
reading_has_limits(void **state)
{
    AUTO_BUF value = BUF(65536), got = BUF(65536);

    buf_add_z(&value, "mx");
    for (size_t i = 0; i < LIMIT_AUTH_RESULTS; i++)
        buf_add_z(&value, ";spf=pass");
    assert_int_equal(describe(buf_str(&value), false, &got), OK);
    buf_add_z(&value, ";spf=pass");
    assert_int_equal(describe(buf_str(&value), false, &got), ERR_LIMIT);

    buf_reset(&value);
    buf_add_z(&value, "mx;spf=pass");
    for (size_t i = 0; i < LIMIT_AUTH_PROPERTIES; i++)
        buf_add_z(&value, " a.b=c");
    assert_int_equal(describe(buf_str(&value), false, &got), OK);
    buf_add_z(&value, " a.b=c");
    assert_int_equal(describe(buf_str(&value), false, &got), ERR_LIMIT);

    buf_reset(&value);
    buf_add_z(&value, "mx;spf=pass a.b=\"");
    for (size_t i = 0; i <= LIMIT_AUTH_VALUE_BYTES; i++)
        buf_add_char(&value, 'x');
    buf_add_char(&value, '"');
    assert_int_equal(describe(buf_str(&value), false, &got), ERR_LIMIT);
    while (value.len <= LIMIT_AUTH_RESULTS_BYTES)
        buf_add_char(&value, ' ');
    assert_int_equal(describe(buf_str(&value), false, &got), ERR_LIMIT);
    (void)state;
}

static void
forged_fields_are_recognised(void **state)
{
    static const struct {
        struct str value;
        bool claims;
    } rows[] = {
        {STR(" mx.example.org; spf=pass"), true},
        {STR("MX.Example.ORG;spf=pass"), true},
        {STR(" (a (b) c) \r\n\tmx.example.org (d) 1; none"), true},
        {STR(" \"mx.example.org\"; spf=pass"), true},
        {STR(" \"mx\\.example.org\" 1; spf=pass"), true},
        {STR(" mx.example.org. ; spf=pass"), true},
        {STR("mx.example.org"), true},
        {STR("mx.example.org/1; spf=pass"), true},
        {STR("mx.example.org(x); spf=pass"), true},
        {STR("i=1; mx.example.org; spf=pass"), true},
        {STR("mx.example.org spf=pass"), true},
        /* what cannot be read may be read by others */
        {STR(""), true},
        {STR(" ; spf=pass"), true},
        {STR(" \"mx.example.org; spf=pass"), true},
        {STR("(mx.example.org; spf=pass"), true},
        {STR("((((((((((((((((((x)))))))))))))))))) mx.example.org; spf=pass"), true},
        {STR(") mx.example.org; spf=pass"), true},
        {STR("\\mx.example.org; spf=pass"), true},
        /* somebody else's */
        {STR(" mx.example.com; spf=pass"), false},
        {STR(" notmx.example.org; spf=pass"), false},
        {STR(" mx.example.org.evil.example; spf=pass"), false},
        {STR(" other (mx.example.org); spf=pass"), false},
        {STR(" other; mx.example.org=pass"), false},
        {STR("i=1; other; spf=pass"), false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, auth_results_claims(rows[i].value, STR("mx.example.org")) == rows[i].claims);
    assert_true(auth_results_claims(STR("b\xc3\xbc"
                                        "cher.example; none"),
                                    STR("xn--bcher-kva.example")));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_say_is_written),
        cmocka_unit_test(values_stay_inside),
        cmocka_unit_test(comments_and_reasons_stay_inside),
        cmocka_unit_test(lines_are_never_too_long),
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(reading_has_limits),
        cmocka_unit_test(forged_fields_are_recognised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
