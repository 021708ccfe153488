/* address_test.c - tables of paths, parameters, domains and xtext.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/address.h"
#include "mail/domain.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define L60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D240                \
    L60 "." L60 "." L60 "." \
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static const struct {
    const char *in;
    unsigned flags;
    enum status status;
    const char *text; /* as written again */
    const char *rest;
} paths[] = {
    {"<a@example.org>", 0, OK, "a@example.org", ""},
    {"<a@example.org> SIZE=5", 0, OK, "a@example.org", " SIZE=5"},
    {"<A.b@EXAMPLE.Org>", 0, OK, "A.b@example.org", ""},
    {"<a@example.org.>", 0, OK, "a@example.org", ""},
    {"<a@localhost>", 0, OK, "a@localhost", ""},
    {"<>", PATH_REVERSE, OK, "", ""},
    {"<> BODY=8BITMIME", PATH_REVERSE, OK, "", " BODY=8BITMIME"},
    {"<>", 0, ERR_SYNTAX, NULL, NULL},
    {"<postmaster>", 0, OK, "postmaster", ""},
    {"<PostMaster>", 0, OK, "postmaster", ""},
    {"<postmaster>", PATH_REVERSE, ERR_SYNTAX, NULL, NULL},
    {"<postmaster@x.org>", 0, OK, "postmaster@x.org", ""},
    {"<postmasters>", 0, ERR_SYNTAX, NULL, NULL},
    /* quoting */
    {"<\"a b\"@x.org>", 0, OK, "\"a b\"@x.org", ""},
    {"<\"ab\"@x.org>", 0, OK, "ab@x.org", ""},
    {"<\"a\\\"b\"@x.org>", 0, OK, "\"a\\\"b\"@x.org", ""},
    {"<\"a\\b\"@x.org>", 0, OK, "ab@x.org", ""},
    {"<\"a>b\"@x.org>", 0, OK, "\"a>b\"@x.org", ""},
    {"<\"\"@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<\"a@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<\"a\tb\"@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<\"a\\", 0, ERR_SYNTAX, NULL, NULL},
    {"<a b@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<.a@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a.@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a..b@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a/b=c+d!e%f@x.org>", 0, OK, "a/b=c+d!e%f@x.org", ""},
    /* domains */
    {"<a@-x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@x-.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@x..org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a>", 0, ERR_SYNTAX, NULL, NULL},
    {"<@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@b@c>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@192.0.2.1>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@mail_1.x.org>", 0, OK, "a@mail_1.x.org", ""},
    {"<a@" L60 "aaa.org>", 0, OK, "a@" L60 "aaa.org", ""},
    {"<a@" L60 "aaaa.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@" D240 "aaaaaaaaaaaaa>", 0, OK, "a@" D240 "aaaaaaaaaaaaa", ""},
    {"<a@" D240 "aaaaaaaaaaaaaa>", 0, ERR_LIMIT, NULL, NULL},
    /* literals */
    {"<a@[192.0.2.1]>", 0, OK, "a@[192.0.2.1]", ""},
    {"<a@[192.0.2.256]>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@[IPv6:2001:DB8:0:0:0:0:0:1]>", 0, OK, "a@[IPv6:2001:db8::1]", ""},
    {"<a@[2001:db8::1]>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@[IPv6:192.0.2.1]>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@[tag:content]>", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@[192.0.2.1>", 0, ERR_SYNTAX, NULL, NULL},
    /* source routes are read and ignored */
    {"<@a.org,@b.org:c@d.org>", 0, OK, "c@d.org", ""},
    {"<@a.org:@b.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<@a b:c@d.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<@a.org>", 0, ERR_SYNTAX, NULL, NULL},
    /* lengths */
    {"<" X50 X50 X50 X50 X50 "xxxxx@x.org>", 0, OK, X50 X50 X50 X50 X50 "xxxxx@x.org", ""},
    {"<" X50 X50 X50 X50 X50 "xxxxxx@x.org>", 0, ERR_LIMIT, NULL, NULL},
    /* brackets and what submission clients send */
    {"a@x.org", 0, ERR_SYNTAX, NULL, NULL},
    {" <a@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"a@x.org", PATH_LENIENT, OK, "a@x.org", ""},
    {"  <a@x.org> SIZE=1", PATH_LENIENT, OK, "a@x.org", " SIZE=1"},
    {" a@x.org SIZE=1", PATH_LENIENT, OK, "a@x.org", " SIZE=1"},
    {" <>", PATH_LENIENT | PATH_REVERSE, OK, "", ""},
    {"a@x.org>", PATH_LENIENT, ERR_SYNTAX, NULL, NULL},
    {"<a@x.org", PATH_LENIENT, ERR_SYNTAX, NULL, NULL},
    {"", PATH_LENIENT | PATH_REVERSE, ERR_SYNTAX, NULL, NULL},
    {"<a@x.org>SIZE=1", 0, ERR_SYNTAX, NULL, NULL},
    {"<a@x.org>>", 0, ERR_SYNTAX, NULL, NULL},
    /* other alphabets */
    {"<j\xc3\xbcrg@x.org>", 0, ERR_SYNTAX, NULL, NULL},
    {"<j\xc3\xbcrg@x.org>", PATH_UTF8, OK, "j\xc3\xbcrg@x.org", ""},
    {"<j\xfcrg@x.org>", PATH_UTF8, ERR_SYNTAX, NULL, NULL},
    {"<a@b\xc3\xbc"
     "cher.example>",
     0, ERR_SYNTAX, NULL, NULL},
    {"<a@b\xc3\xbc"
     "cher.example>",
     PATH_UTF8, OK, "a@xn--bcher-kva.example", ""},
    {"<a@B\xc3\x9c"
     "CHER.example>",
     PATH_UTF8, OK, "a@xn--bcher-kva.example", ""},
    {"<a@XN--BCHER-KVA.example>", 0, OK, "a@xn--bcher-kva.example", ""},
    {"<a@xn--\xc3\xbc.example>", PATH_UTF8, ERR_SYNTAX, NULL, NULL},
};

static void
test_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        AUTO_BUF b = BUF(PATH_MAX_BYTES);
        struct scan s = scan_of(str_of(paths[i].in));
        const char *from = s.pos;
        struct path p = {.kind = PATH_MAILBOX};

        enum status got = path_scan(&s, paths[i].flags, a, &p);
        if (got != paths[i].status)
            fail_msg("%s: status %s", paths[i].in, status_name(got));
        if (got != OK) {
            assert_ptr_equal(s.pos, from);
            continue;
        }
        path_write(&b, &p);
        if (!str_eq(buf_str(&b), str_of(paths[i].text)))
            fail_msg("%s: written \"%.*s\"", paths[i].in, STR_FMT(buf_str(&b)));
        assert_true(str_eq(scan_rest(&s), str_of(paths[i].rest)));
    }
}

static void
test_mailbox(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 16);
    struct path p = {.kind = PATH_NULL};
    struct path q = {.kind = PATH_NULL};
    (void)state;

    assert_int_equal(mailbox_parse(STR("Anna@Example.ORG"), 0, a, &p), OK);
    assert_true(str_eq(p.local, STR("Anna")) && str_eq(p.domain, STR("example.org")));
    assert_int_equal(mailbox_parse(STR("anna@example.org"), 0, a, &q), OK);
    assert_true(path_eq(&p, &q));
    assert_int_equal(mailbox_parse(STR("anna@example.net"), 0, a, &q), OK);
    assert_false(path_eq(&p, &q));
    assert_int_equal(mailbox_parse(STR("a@x.org "), 0, a, &p), ERR_SYNTAX);
    assert_int_equal(mailbox_parse(STR("<a@x.org>"), 0, a, &p), ERR_SYNTAX);
    assert_int_equal(mailbox_parse(STR("\xc3\xbc@x.org"), 0, a, &p), ERR_SYNTAX);
    assert_int_equal(mailbox_parse(STR("\xc3\xbc@x.org"), PATH_UTF8, a, &p), OK);
    assert_true(p.utf8);
}

static void
test_tags(void **state)
{
    struct str user = STR_NONE;
    struct str tag = STR_NONE;
    AUTO_BUF b = BUF(100);
    (void)state;

    assert_true(local_split_tag(STR("anna+a+b"), '+', &user, &tag));
    assert_true(str_eq(user, STR("anna")) && str_eq(tag, STR("a+b")));
    assert_true(local_split_tag(STR("anna+"), '+', &user, &tag));
    assert_int_equal(tag.len, 0);
    assert_false(local_split_tag(STR("anna"), '+', &user, &tag));
    assert_false(local_split_tag(STR("+anna"), '+', &user, &tag));
    local_canonical(&b, STR("AnNa+\xc3\x84"));
    assert_true(str_eq(buf_str(&b), STR("anna+\xc3\x84")));
}

static void
test_params(void **state)
{
    struct scan s = scan_of(STR(" SIZE=100 smtputf8  AUTH=<> X-a=b+3Dc"));
    struct esmtp_param p = {.has_value = false};
    (void)state;

    assert_int_equal(esmtp_param_scan(&s, &p), OK);
    assert_true(str_eq(p.key, STR("SIZE")) && str_eq(p.value, STR("100")));
    assert_int_equal(esmtp_param_scan(&s, &p), OK);
    assert_true(str_eq(p.key, STR("smtputf8")) && !p.has_value && p.value.len == 0);
    assert_int_equal(esmtp_param_scan(&s, &p), OK);
    assert_true(str_eq(p.value, STR("<>")));
    assert_int_equal(esmtp_param_scan(&s, &p), OK);
    assert_int_equal(esmtp_param_scan(&s, &p), ERR_NOT_FOUND);

    static const char *const bad[] = {"SIZE=1",  " =1",    " SIZE=",  " -A=1", " A=b=c",
                                      " A=\x01", " A_B=1", " A=\xff", " A/"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        s = scan_of(str_of(bad[i]));
        const char *from = s.pos;
        if (esmtp_param_scan(&s, &p) != ERR_SYNTAX || s.pos != from)
            fail_msg("accepted \"%s\"", bad[i]);
    }
    s = scan_of(STR("  "));
    assert_int_equal(esmtp_param_scan(&s, &p), ERR_NOT_FOUND);
    s = scan_of(STR(" ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567=1"));
    assert_int_equal(esmtp_param_scan(&s, &p), ERR_LIMIT);
}

static void
test_xtext(void **state)
{
    AUTO_BUF b = BUF(100);
    static const char *const bad[] = {"a=b", "a b", "+4", "+", "+4g", "+4a", "\xff"};
    (void)state;

    assert_int_equal(xtext_decode(STR("a+2Bb+3D"), &b), OK);
    assert_true(str_eq(buf_str(&b), STR("a+b=")));
    buf_reset(&b);
    xtext_write(&b, STR("a+b= \xff"));
    assert_true(str_eq(buf_str(&b), STR("a+2Bb+3D+20+FF")));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (xtext_decode(str_of(bad[i]), &b) != ERR_SYNTAX)
            fail_msg("accepted \"%s\"", bad[i]);
}

static void
test_domains(void **state)
{
    AUTO_BUF b = BUF(DOMAIN_MAX);
    (void)state;

    assert_true(domain_is_normal(STR("example.org")));
    assert_true(domain_is_normal(STR("xn--bcher-kva.example")));
    assert_false(domain_is_normal(STR("Example.org")));
    assert_false(domain_is_normal(STR("example.org.")));
    assert_false(domain_is_normal(STR("")));
    assert_false(domain_is_normal(STR("b\xc3\xbc"
                                      "cher.example")));
    assert_int_equal(domain_normalise(STR(""), &b), ERR_SYNTAX);
    assert_int_equal(domain_normalise(STR("."), &b), ERR_SYNTAX);
    assert_int_equal(domain_normalise(STR("a..b"), &b), ERR_SYNTAX);
    assert_int_equal(domain_normalise(STR("b\xc3\xbc"
                                          "cher.example."),
                                      &b),
                     OK);
    assert_true(str_eq(buf_str(&b), STR("xn--bcher-kva.example")));
    buf_reset(&b);
    domain_write_unicode(&b, STR("xn--bcher-kva.example"));
    assert_true(str_eq(buf_str(&b), STR("b\xc3\xbc"
                                        "cher.example")));
    buf_reset(&b);
    domain_write_unicode(&b, STR("example.org"));
    assert_true(str_eq(buf_str(&b), STR("example.org")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths), cmocka_unit_test(test_mailbox),
        cmocka_unit_test(test_tags),  cmocka_unit_test(test_params),
        cmocka_unit_test(test_xtext), cmocka_unit_test(test_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
