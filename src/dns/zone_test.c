/* zone_test.c - what a zone file may say, what is refused, what is found; and that a resolver asks nobody else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <arpa/inet.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "dns/resolver.h"
#include "dns/zone.h"
#include "rt/loop.h"

#define X50       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_TEXT X50 X50 X50 X50 X50 "xxxxx" /* 255 */

/* One line, and what it gives for the name "a" and the type. */
static const struct {
    const char *line;
    unsigned type;
    struct str data; /* ptr NULL: refused */
} lines[] = {
    {"a A 192.0.2.1", DNS_TYPE_A, STR("\xc0\0\2\1")},
    {"a. 300 IN A 192.0.2.1 ; a comment", DNS_TYPE_A, STR("\xc0\0\2\1")},
    {"A\tIN\t300\ta\t192.0.2.1\r", DNS_TYPE_A, STR("\xc0\0\2\1")},
    {"  a AAAA 2001:db8::1", DNS_TYPE_AAAA, STR("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1")},
    {"a MX 10 Mail.B", DNS_TYPE_MX, STR("\0\xa\4mail\1b\0")},
    {"a MX 0 .", DNS_TYPE_MX, STR("\0\0\0")},
    {"a PTR b", DNS_TYPE_PTR, STR("\1b\0")},
    {"a CNAME b", DNS_TYPE_CNAME, STR("\1b\0")},
    {"a TXT one", DNS_TYPE_TXT, STR("\3one")},
    {"a TXT \"one two\" three \"\"", DNS_TYPE_TXT, STR("\7one two\5three\0")},
    {"a TXT \"a\\\"b\\\\\\000\\255;\"", DNS_TYPE_TXT, STR("\7a\"b\\\0\xff;")},
    {"a TXT \"" LONG_TEXT "\"", DNS_TYPE_TXT, STR("\xff" LONG_TEXT)},
    {"a TLSA 3 1 1 00ff ABcd", DNS_TYPE_TLSA, STR("\3\1\1\0\xff\xab\xcd")},
    {"\\097 A 192.0.2.1", DNS_TYPE_A, STR("\xc0\0\2\1")},
    {"\"a\" A 192.0.2.1", 0, STR_NONE},
    {"a", 0, STR_NONE},
    {"a IN", 0, STR_NONE},
    {"a 300", 0, STR_NONE},
    {"a IN 300 IN A 192.0.2.1", 0, STR_NONE},
    {"a NAPTR x", 0, STR_NONE},
    {"a TIMEOUT x", 0, STR_NONE},
    {"a A", 0, STR_NONE},
    {"a A 192.0.2", 0, STR_NONE},
    {"a A 192.0.2.1 x", 0, STR_NONE},
    {"a A 2001:db8::1", 0, STR_NONE},
    {"a AAAA 192.0.2.1", 0, STR_NONE},
    {"a MX b", 0, STR_NONE},
    {"a MX 65536 b", 0, STR_NONE},
    {"a MX 10", 0, STR_NONE},
    {"a MX 10 b..c", 0, STR_NONE},
    {"a PTR", 0, STR_NONE},
    {"a PTR b\\", 0, STR_NONE},
    {"a TXT", 0, STR_NONE},
    {"a TXT \"one", 0, STR_NONE},
    {"a TXT \"\\256\"", 0, STR_NONE},
    {"a TXT \"\\12\"", 0, STR_NONE},
    {"a TXT \"" LONG_TEXT "x\"", 0, STR_NONE},
    {"a TLSA 3 1 1", 0, STR_NONE},
    {"a TLSA 3 1 1 0", 0, STR_NONE},
    {"a TLSA 3 256 1 00", 0, STR_NONE},
    {"a..b A 192.0.2.1", 0, STR_NONE},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx A 192.0.2.1", 0, STR_NONE},
    {"$ORIGIN a", 0, STR_NONE},
    {"a CNAME b\na CNAME c", 0, STR_NONE},
    {"a TXT ( \"x\"", 0, STR_NONE},
};

static void
test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        AUTO(zone_free) struct zone *z = NULL;
        const struct zone_record *r = NULL;
        struct problem why = {0};
        struct dns_name a;

        if (lines[i].data.ptr == NULL) {
            ROW(i, zone_read(str_of(lines[i].line), &z, &why) == ERR_SYNTAX);
            ROW(i, str_starts(str_of(why.text), STR("line ")) && strlen(why.text) > 10);
            continue;
        }
        ROW(i, zone_read(str_of(lines[i].line), &z, &why) == OK);
        ROW(i, dns_name_read(STR("A"), &a));
        ROW(i, zone_find(z, &a, lines[i].type, &r) == OK && r != NULL);
        if (!str_eq(zone_data(r), lines[i].data))
            fail_msg("row %zu: other data", i);
        ROW(i, zone_next(r) == NULL);
    }
}

static const char text[] = "; a zone\n"
                           "\n"
                           "$SECURE\n"
                           "example.org A 192.0.2.1\n"
                           "example.org A 192.0.2.2\n"
                           "example.org TXT one\n"
                           "a.b.example.org TXT deep\n"
                           "alias.example.org CNAME example.org\n"
                           "alias2.example.org CNAME alias.example.org\n"
                           "dangling.example.org CNAME none.example.org\n"
                           "loop.example.org CNAME LOOP.example.org\n"
                           "one.example.org TXT here\n"
                           "one.example.org TIMEOUT\n"
                           "all.example.org servfail\n"
                           "some.example.org A 192.0.2.3\n"
                           "some.example.org MX TIMEOUT\n"
                           "old.example.org SPF \"v=spf1 -all\"\n"
                           "c9.example.org CNAME c8.example.org\n"
                           "c8.example.org CNAME c7.example.org\n"
                           "c7.example.org CNAME c6.example.org\n"
                           "c6.example.org CNAME c5.example.org\n"
                           "c5.example.org CNAME c4.example.org\n"
                           "c4.example.org CNAME c3.example.org\n"
                           "c3.example.org CNAME c2.example.org\n"
                           "c2.example.org CNAME c1.example.org\n"
                           "c1.example.org CNAME c0.example.org\n"
                           "c0.example.org CNAME example.org\n"
                           "ca.example.org CNAME c9.example.org\n";

static const struct {
    struct str name;
    unsigned type;
    enum status status;
    size_t count;
} finds[] = {
    {STR("example.org"), DNS_TYPE_A, OK, 2},
    {STR("EXAMPLE.org."), DNS_TYPE_TXT, OK, 1},
    {STR("example.org"), DNS_TYPE_MX, OK, 0},
    {STR("none.example.org"), DNS_TYPE_A, ERR_NOT_FOUND, 0},
    {STR("b.example.org"), DNS_TYPE_A, OK, 0}, /* something is below it */
    {STR("org"), DNS_TYPE_A, OK, 0},
    {STR("com"), DNS_TYPE_A, ERR_NOT_FOUND, 0},
    {STR("alias.example.org"), DNS_TYPE_A, OK, 2},
    {STR("alias2.example.org"), DNS_TYPE_TXT, OK, 1},
    {STR("alias2.example.org"), DNS_TYPE_MX, OK, 0},
    {STR("alias2.example.org"), DNS_TYPE_CNAME, OK, 1},
    {STR("dangling.example.org"), DNS_TYPE_A, ERR_NOT_FOUND, 0},
    {STR("loop.example.org"), DNS_TYPE_A, ERR_TEMP, 0},
    {STR("c9.example.org"), DNS_TYPE_A, OK, 2}, /* ten aliases */
    {STR("ca.example.org"), DNS_TYPE_A, ERR_TEMP, 0},
    {STR("one.example.org"), DNS_TYPE_TXT, OK, 1},
    {STR("one.example.org"), DNS_TYPE_A, ERR_TEMP, 0},
    {STR("all.example.org"), DNS_TYPE_TXT, ERR_TEMP, 0},
    {STR("some.example.org"), DNS_TYPE_A, OK, 1},
    {STR("some.example.org"), DNS_TYPE_MX, ERR_TEMP, 0},
    {STR("some.example.org"), DNS_TYPE_TXT, OK, 0},
    {STR("old.example.org"), DNS_TYPE_TXT, OK, 0},
    {STR("old.example.org"), DNS_TYPE_SPF, OK, 0},
};

static void
test_finds(void **state)
{
    AUTO(zone_free) struct zone *z = NULL;

    (void)state;
    assert_int_equal(zone_read(STR(text), &z, NULL), OK);
    assert_true(zone_is_secure(z));
    for (size_t i = 0; i < COUNT_OF(finds); i++) {
        const struct zone_record *r = NULL;
        struct dns_name n;
        size_t count = 0;
        ROW(i, dns_name_read(finds[i].name, &n));
        ROW(i, zone_find(z, &n, finds[i].type, &r) == finds[i].status);
        for (; r != NULL; r = zone_next(r))
            count++;
        ROW(i, count == finds[i].count);
    }
}

static void
test_size(void **state)
{
    AUTO(zone_free) struct zone *z = NULL;
    char *big = mem_alloc(LIMIT_ZONE_BYTES + 1);
    struct problem why = {0};

    (void)state;
    for (size_t i = 0; i <= LIMIT_ZONE_BYTES; i++)
        big[i] = ';';
    assert_int_equal(zone_read(str_from(big, LIMIT_ZONE_BYTES + 1), &z, &why), ERR_LIMIT);
    assert_int_equal(zone_read(str_from(big, LIMIT_ZONE_BYTES), &z, &why), OK);
    mem_free(big);
}

/* ---- a resolver with it ---- */

static const char resolver_text[] = "example.org A 192.0.2.1\n"
                                    "example.org AAAA 2001:db8::1\n"
                                    "example.org MX 20 b.example.org\n"
                                    "example.org MX 10 a.example.org\n"
                                    "example.org TXT \"one \" two\n"
                                    "null.example.org MX 0 .\n"
                                    "plain.example.org A 192.0.2.2\n"
                                    "odd.example.org MX 10 foo:bar/baz.example.org\n"
                                    "odd.example.org MX 10 a\\032b.example.org\n"
                                    "foo:bar/baz.example.org A 192.0.2.3\n"
                                    "macro%\\032space\\\\.example.org A 192.0.2.4\n"
                                    "down.example.org SERVFAIL\n"
                                    "1.2.0.192.in-addr.arpa PTR Example.ORG\n"
                                    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0"
                                    ".2.ip6.arpa PTR six.example.org\n";

static SUSPENDS void
ask_hosts(struct resolver *r, struct arena *a)
{
    struct dns_mx mx;
    struct dns_addresses at;

    assert_int_equal(resolver_mx(r, STR("example.org"), a, &mx), OK);
    assert_true(mx.count == 2 && !mx.implicit && !mx.secure);
    assert_str(mx.hosts[0].name, STR("a.example.org"));
    assert_int_equal(resolver_mx(r, STR("null.example.org"), a, &mx), OK);
    assert_true(mx.null_mx);
    assert_int_equal(resolver_mx(r, STR("plain.example.org"), a, &mx), OK);
    assert_true(mx.implicit);
    assert_int_equal(resolver_mx(r, STR("none.example.org"), a, &mx), ERR_NOT_FOUND);
    assert_int_equal(resolver_mx(r, STR("a..org"), a, &mx), ERR_NOT_FOUND);
    assert_int_equal(resolver_mx(r, STR("down.example.org"), a, &mx), ERR_TEMP);
    assert_int_equal(resolver_addresses(r, STR("example.org"), DNS_IPV4 | DNS_IPV6, a, &at), OK);
    assert_true(at.count == 2 && at.at[0].ss_family == AF_INET6);
}

static SUSPENDS void
ask_texts(struct resolver *r, struct arena *a)
{
    struct dns_texts texts;
    bool secure;

    assert_int_equal(resolver_texts(r, STR("example.org"), a, &texts), OK);
    assert_str(texts.text[0], STR("one two"));
    assert_int_equal(resolver_texts(r, STR("plain.example.org"), a, &texts), ERR_NOT_FOUND);
    assert_int_equal(resolver_reverse(r, STR("192.0.2.1"), a, &texts), OK);
    assert_str(texts.text[0], STR("example.org"));
    assert_int_equal(resolver_reverse(r, STR("2001:db8::1"), a, &texts), OK);
    assert_str(texts.text[0], STR("six.example.org"));
    assert_int_equal(resolver_probe(r, &secure), ERR_TEMP);
}

static const struct {
    struct str name;
    unsigned type;
    enum status status;
    size_t count;
    struct str first;
} asked[] = {
    {STR("example.org"), DNS_TYPE_A, OK, 1, STR("\xc0\0\2\1")},
    {STR("example.org"), DNS_TYPE_MX, OK, 2, STR("b.example.org")},
    {STR("example.org"), DNS_TYPE_TXT, OK, 1, STR("one two")},
    {STR("null.example.org"), DNS_TYPE_MX, OK, 1, STR("")},
    {STR("plain.example.org"), DNS_TYPE_MX, OK, 0, STR_NONE}, /* nothing in its place */
    {STR("odd.example.org"), DNS_TYPE_MX, OK, 1, STR("foo:bar/baz.example.org")},
    {STR("foo:bar/baz.example.org"), DNS_TYPE_A, OK, 1, STR("\xc0\0\2\3")},
    {STR("macro% space\\.example.org"), DNS_TYPE_A, OK, 1, STR("\xc0\0\2\4")},
    {STR("1.2.0.192.in-addr.ARPA"), DNS_TYPE_PTR, OK, 1, STR("example.org")},
    {STR("none.example.org"), DNS_TYPE_A, OK, 0, STR_NONE},
    {STR("a..example.org"), DNS_TYPE_A, ERR_NOT_FOUND, 0, STR_NONE},
    {STR("a\0.example.org"), DNS_TYPE_A, ERR_NOT_FOUND, 0, STR_NONE},
    {STR("down.example.org"), DNS_TYPE_A, ERR_TEMP, 0, STR_NONE},
};

static SUSPENDS void
ask_records(struct resolver *r, struct arena *a)
{
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        struct dns_query q = {.name = asked[i].name, .type = asked[i].type};
        struct dns_records got = {0};
        ROW(i, resolver_records(r, &q, a, &got) == asked[i].status);
        ROW(i, got.count == asked[i].count);
        if (got.count > 0)
            ROW(i, str_eq(got.data[0], asked[i].first));
    }
}

/* One more than is looked at. */
static SUSPENDS void
ask_many(struct arena *a)
{
    AUTO_BUF many = BUF(1 << 20);
    struct resolver_options o = {0};
    struct resolver *r = NULL;
    struct dns_query q = {.name = STR("many"), .type = DNS_TYPE_TXT};
    struct dns_records got;

    for (unsigned i = 0; i < LIMIT_DNS_RECORDS; i++)
        buf_add_z(&many, "many TXT x\n");
    o.zone = buf_str(&many);
    assert_int_equal(resolver_new(&o, &r, NULL), OK);
    assert_int_equal(resolver_records(r, &q, a, &got), OK);
    assert_int_equal(got.count, LIMIT_DNS_RECORDS);
    resolver_free(&r);
    buf_add_z(&many, "many TXT x\n");
    o.zone = buf_str(&many);
    assert_int_equal(resolver_new(&o, &r, NULL), OK);
    assert_int_equal(resolver_records(r, &q, a, &got), ERR_LIMIT);
    resolver_free(&r);
}

FIBER_ENTRY static void
ask_all(void *arg)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct resolver_options o = {.zone = STR(resolver_text)}, wrong = {.zone = STR("a b\n")};
    struct resolver *r = NULL;
    struct problem why = {0};

    assert_int_equal(resolver_new(&wrong, &r, &why), ERR_SYNTAX);
    assert_true(str_starts(str_of(why.text), STR("line 1: ")));
    assert_int_equal(resolver_new(&o, &r, &why), OK);
    ask_hosts(r, a);
    ask_texts(r, a);
    ask_records(r, a);
    resolver_free(&r);
    assert_null(r);
    ask_many(a);
    loop_stop();
}

static void
test_resolver(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(ask_all, NULL), OK);
    loop_run();
    loop_release();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
