/* guard_test.c - what a host must prove, by what DNS says of it and what its domain's policy says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/guard.h"

#include "base/size.h"
#include "base/testing.h"
#include "rt/loop.h"

#define SUM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const char zone[] = "$SECURE\n"
                           "dane.example A 192.0.2.1\n"
                           "_25._tcp.dane.example TLSA 3 1 1 " SUM "\n"
                           "_25._tcp.dane.example TLSA 1 1 1 " SUM "\n"
                           "_26._tcp.dane.example TLSA 2 0 1 " SUM "\n"
                           "plain.example A 192.0.2.2\n"
                           "odd.example A 192.0.2.3\n"
                           "_25._tcp.odd.example TLSA 1 1 1 " SUM "\n"
                           "_25._tcp.odd.example TLSA 3 1 1 00\n"
                           "_25._tcp.odd.example TLSA 3 9 1 " SUM "\n"
                           "down.example A 192.0.2.4\n"
                           "_25._tcp.down.example TLSA SERVFAIL\n"
                           "gone.example A SERVFAIL\n"
                           "alias.example CNAME dane.example\n"
                           "other.example CNAME plain.example\n"
                           "_25._tcp.other.example TLSA 3 1 1 " SUM "\n"
                           "third.example CNAME down.example\n"
                           "_25._tcp.third.example TLSA 3 1 1 " SUM "\n"
                           "far.example A 192.0.2.5\n"
                           "_25._tcp.far.example CNAME tlsa.example\n"
                           "tlsa.example TLSA 3 1 1 " SUM "\n";

enum policy { NO_POLICY, NAMES_ALL, NAMES_NONE, TESTS, SAYS_NONE };
static const struct str patterns[] = {STR("*.example"), STR("mail.elsewhere")};
static const struct sts_policy policies[] = {
    [NAMES_ALL] = {STS_ENFORCE, 86400, patterns, 2},
    [NAMES_NONE] = {STS_ENFORCE, 86400, patterns + 1, 1},
    [TESTS] = {STS_TESTING, 86400, patterns + 1, 1},
    [SAYS_NONE] = {STS_NONE, 86400, patterns, 0},
};

static const struct {
    struct str host;
    uint16_t port;
    bool listed, by_proxy;
    enum policy policy;
    enum guard_kind kind;
    bool barred;
    struct str base; /* of DANE */
    size_t records;
    struct str why; /* is in it */
} rows[] = {
    {STR("dane.example"), 25, true, false, NO_POLICY, GUARD_DANE, false, STR("dane.example"), 1,
     STR("DANE: 1 TLSA record of _25._tcp.dane.example")},
    {STR("dane.example"), 26, true, false, NO_POLICY, GUARD_DANE, false, STR("dane.example"), 1,
     STR("_26._tcp.dane.example")},
    {STR("dane.example"), 27, true, false, NO_POLICY, GUARD_NONE, false, STR(""), 0,
     STR("neither")},
    {STR("dane.example"), 25, false, false, NO_POLICY, GUARD_NONE, false, STR(""), 0,
     STR("no proof of its name")},
    {STR("dane.example"), 25, true, true, NO_POLICY, GUARD_DANE, false, STR("dane.example"), 1,
     STR("DANE")},
    {STR("dane.example"), 25, true, false, NAMES_NONE, GUARD_DANE, false, STR("dane.example"), 1,
     STR("DANE")}, /* goes before a policy */
    {STR("plain.example"), 25, true, false, NO_POLICY, GUARD_NONE, false, STR(""), 0,
     STR("neither")},
    {STR("plain.example"), 25, true, false, NAMES_ALL, GUARD_STS, false, STR(""), 0,
     STR("in force, names this host")},
    {STR("plain.example"), 25, true, false, NAMES_NONE, GUARD_STS, true, STR(""), 0,
     STR("does not name the host plain.example")},
    {STR("plain.example"), 25, false, false, NAMES_NONE, GUARD_STS, true, STR(""), 0,
     STR("does not name the host plain.example")}, /* a forged MX */
    {STR("plain.example"), 25, true, false, TESTS, GUARD_NONE, false, STR(""), 0,
     STR("is for testing and does not name")},
    {STR("plain.example"), 25, true, false, SAYS_NONE, GUARD_NONE, false, STR(""), 0,
     STR("neither")},
    {STR("odd.example"), 25, true, false, NO_POLICY, GUARD_TLS, false, STR("odd.example"), 0,
     STR("no TLSA record of _25._tcp.odd.example can be used")},
    {STR("odd.example"), 25, true, false, NAMES_ALL, GUARD_STS, false, STR("odd.example"), 0,
     STR("MTA-STS")},
    {STR("odd.example"), 25, true, false, NAMES_NONE, GUARD_STS, true, STR("odd.example"), 0,
     STR("MTA-STS")},
    {STR("down.example"), 25, true, false, NO_POLICY, GUARD_NONE, true, STR(""), 0,
     STR("the TLSA records of down.example cannot be looked up")},
    {STR("down.example"), 25, true, false, NAMES_ALL, GUARD_NONE, true, STR(""), 0,
     STR("cannot be looked up")}, /* no policy makes up for it */
    {STR("down.example"), 25, false, false, NO_POLICY, GUARD_NONE, false, STR(""), 0,
     STR("no proof")},
    {STR("gone.example"), 25, true, false, NO_POLICY, GUARD_NONE, true, STR(""), 0,
     STR("gone.example cannot be looked up now")},
    {STR("nowhere.example"), 25, true, false, NO_POLICY, GUARD_NONE, true, STR(""), 0,
     STR("nowhere.example has no address")},
    {STR("nowhere.example"), 25, true, true, NO_POLICY, GUARD_NONE, false, STR(""), 0,
     STR("neither")},
    {STR("alias.example"), 25, true, false, NO_POLICY, GUARD_DANE, false, STR("dane.example"), 1,
     STR("_25._tcp.dane.example")},
    {STR("other.example"), 25, true, false, NO_POLICY, GUARD_DANE, false, STR("other.example"), 1,
     STR("_25._tcp.other.example")},
    {STR("third.example"), 25, true, false, NO_POLICY, GUARD_NONE, true, STR(""), 0,
     STR("TLSA records of down.example")}, /* the other candidate is not tried then */
    {STR("far.example"), 25, true, false, NO_POLICY, GUARD_DANE, false, STR("far.example"), 1,
     STR("_25._tcp.far.example")}, /* aliases of the records change no name */
};

/* What a report would say. */
static const struct {
    struct str host;
    bool listed;
    enum policy policy;
    enum tls_policy_type type;
    enum tls_result trouble;
    struct str domain, text;
} told[] = {
    {STR("plain.example"), true, NO_POLICY, TLS_POLICY_NONE, TLS_RESULT_SUCCESS,
     STR("domain.example"), STR("")},
    {STR("plain.example"), true, SAYS_NONE, TLS_POLICY_NONE, TLS_RESULT_SUCCESS,
     STR("domain.example"), STR("")},
    {STR("dane.example"), true, NAMES_ALL, TLS_POLICY_TLSA, TLS_RESULT_SUCCESS, STR("dane.example"),
     STR("3 1 1 " SUM "\n1 1 1 " SUM)},
    {STR("dane.example"), false, NAMES_ALL, TLS_POLICY_STS, TLS_RESULT_SUCCESS,
     STR("domain.example"),
     STR("version: STSv1\nmode: enforce\nmax_age: 86400\nmx: *.example\nmx: mail.elsewhere")},
    {STR("plain.example"), true, NAMES_NONE, TLS_POLICY_STS, TLS_RESULT_VALIDATION_FAILURE,
     STR("domain.example"),
     STR("version: STSv1\nmode: enforce\nmax_age: 86400\nmx: mail.elsewhere")},
    {STR("plain.example"), true, TESTS, TLS_POLICY_STS, TLS_RESULT_VALIDATION_FAILURE,
     STR("domain.example"),
     STR("version: STSv1\nmode: testing\nmax_age: 86400\nmx: mail.elsewhere")},
    {STR("odd.example"), true, NO_POLICY, TLS_POLICY_TLSA, TLS_RESULT_TLSA_INVALID,
     STR("odd.example"), STR("1 1 1 " SUM "\n3 1 1 00\n3 9 1 " SUM)},
    {STR("odd.example"), true, TESTS, TLS_POLICY_TLSA, TLS_RESULT_TLSA_INVALID, STR("odd.example"),
     STR("1 1 1 " SUM "\n3 1 1 00\n3 9 1 " SUM)},
    {STR("down.example"), true, NO_POLICY, TLS_POLICY_TLSA, TLS_RESULT_DNSSEC_INVALID,
     STR("down.example"), STR("")},
};

static SUSPENDS void
find_told(struct resolver *r)
{
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        AUTO_ARENA *a = arena_new(GUARD_ARENA);
        const struct guard_ask ask = {
            .resolver = r,
            .domain = STR("domain.example"),
            .host = told[i].host,
            .port = 25,
            .families = DNS_IPV4 | DNS_IPV6,
            .listed = told[i].listed,
            .sts = told[i].policy == NO_POLICY ? NULL : &policies[told[i].policy]};
        struct guard g;
        guard_find(&ask, a, &g);
        ROW(i, g.policy == told[i].type && g.trouble == told[i].trouble);
        ROW(i, str_eq(g.policy_domain, told[i].domain) && str_eq(g.policy_text, told[i].text));
    }
}

static FIBER_ENTRY void
find_all(void *arg)
{
    struct resolver_options o = {.zone = STR(zone)};
    struct resolver *r = NULL;
    struct problem why = {0};

    (void)arg;
    assert_int_equal(resolver_new(&o, &r, &why), OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(GUARD_ARENA);
        const struct guard_ask ask = {
            .resolver = r,
            .domain = STR("domain.example"),
            .host = rows[i].host,
            .port = rows[i].port,
            .families = DNS_IPV4 | DNS_IPV6,
            .listed = rows[i].listed,
            .by_proxy = rows[i].by_proxy,
            .sts = rows[i].policy == NO_POLICY ? NULL : &policies[rows[i].policy]};
        struct guard g;
        guard_find(&ask, a, &g);
        ROW(i, g.kind == rows[i].kind && g.barred == rows[i].barred);
        ROW(i, str_eq(g.dane.base, rows[i].base) && g.dane.count == rows[i].records);
        ROW(i, g.kind != GUARD_DANE || str_eq(g.dane.domain, STR("domain.example")));
        if (str_find_str(str_of(g.why.text), rows[i].why) < 0)
            fail_msg("row %zu: %s", i, g.why.text);
        ROW(i, g.barred == (g.why.enhanced[0] == '4'));
    }
    find_told(r);
    resolver_free(&r);
    loop_stop();
}

static void
test_guards(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(find_all, NULL), OK);
    loop_run();
    loop_release();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_guards)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
