/* spf_macro_test.c - macros: their grammar, the examples of RFC 7208 section 7.4, and their limits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "policy/spf_macro.h"

enum { DOMAIN = 1, STRING = 2, TEXT = 4 };

static const struct {
    struct str text;
    unsigned is; /* which grammars have it */
} grammar[] = {
    {STR("example.org"), DOMAIN | STRING | TEXT},
    {STR("example.org."), DOMAIN | STRING | TEXT},
    {STR("foo:bar/baz.example.org"), DOMAIN | STRING | TEXT},
    {STR("%{d}"), DOMAIN | STRING | TEXT},
    {STR("%{D2R.-+,/_=}"), DOMAIN | STRING | TEXT},
    {STR("a.%{i}._spf.%{d2}"), DOMAIN | STRING | TEXT},
    {STR("a%%b%_c%-d.example.xn--zckzah"), DOMAIN | STRING | TEXT},
    {STR("%{p}.example.1a"), DOMAIN | STRING | TEXT},
    {STR("%{d128}"), DOMAIN | STRING | TEXT},
    {STR("%{d99999999999999999999}"), DOMAIN | STRING | TEXT},
    {STR("%%"), DOMAIN | STRING | TEXT},
    {STR(""), STRING | TEXT},
    {STR("museum"), STRING | TEXT},
    {STR("museum."), STRING | TEXT},
    {STR("a.b.."), STRING | TEXT},
    {STR("example.-com"), STRING | TEXT},
    {STR("example.com-"), STRING | TEXT},
    {STR("example.123"), STRING | TEXT},
    {STR("example.com:80"), STRING | TEXT},
    {STR("%{d}."), STRING | TEXT},
    {STR("%{d}.c_m"), STRING | TEXT},
    {STR("%{c}"), STRING | TEXT}, /* only in explanations */
    {STR("%{r}.example.org"), STRING | TEXT},
    {STR("%{t}.example.org"), STRING | TEXT},
    {STR("see %{i}"), TEXT},
    {STR("%"), 0},
    {STR("%{"), 0},
    {STR("%{}"), 0},
    {STR("%{d"), 0},
    {STR("%{d0}"), 0},
    {STR("%{d00}"), 0},
    {STR("%{dr2}"), 0},
    {STR("%{d:}"), 0},
    {STR("%{x}.example.org"), 0},
    {STR("%(d).example.org"), 0},
    {STR("%d.example.org"), 0},
    {STR("a\x80.example.org"), 0},
    {STR("a\x7f.example.org"), 0},
    {STR("a\t.example.org"), 0},
    {STR("a\0.example.org"), 0},
};

static void
test_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(grammar); i++) {
        ROW(i, spf_macro_is_domain(grammar[i].text) == ((grammar[i].is & DOMAIN) != 0));
        ROW(i, spf_macro_is_string(grammar[i].text) == ((grammar[i].is & STRING) != 0));
        ROW(i, spf_macro_is_text(grammar[i].text) == ((grammar[i].is & TEXT) != 0));
    }
}

static struct spf_values
values_of(const char *client)
{
    struct spf_values v = {
        .local = STR("strong-bad"),
        .sender_domain = STR("email.example.com"),
        .domain = STR("email.example.com"),
        .helo = STR("he/lo"),
        .validated = STR("mx.example.org"),
        .now_s = 1234,
    };

    assert_true(subnet_read_around(str_of(client), &v.client));
    return v;
}

static const struct {
    struct str text, want;
} four[] = {
    {STR("%{s}"), STR("strong-bad@email.example.com")},
    {STR("%{o}"), STR("email.example.com")},
    {STR("%{d}"), STR("email.example.com")},
    {STR("%{d4}"), STR("email.example.com")},
    {STR("%{d3}"), STR("email.example.com")},
    {STR("%{d2}"), STR("example.com")},
    {STR("%{d1}"), STR("com")},
    {STR("%{dr}"), STR("com.example.email")},
    {STR("%{d2r}"), STR("example.email")},
    {STR("%{l}"), STR("strong-bad")},
    {STR("%{l-}"), STR("strong.bad")},
    {STR("%{lr}"), STR("strong-bad")},
    {STR("%{lr-}"), STR("bad.strong")},
    {STR("%{l1r-}"), STR("strong")},
    {STR("%{ir}.%{v}._spf.%{d2}"), STR("3.2.0.192.in-addr._spf.example.com")},
    {STR("%{lr-}.lp._spf.%{d2}"), STR("bad.strong.lp._spf.example.com")},
    {STR("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}"),
     STR("bad.strong.lp.3.2.0.192.in-addr._spf.example.com")},
    {STR("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}"), STR("3.2.0.192.in-addr.strong.lp._spf.example.com")},
    {STR("%{d2}.trusted-domains.example.net"), STR("example.com.trusted-domains.example.net")},
    {STR("%{p} %{h} %{H} %{r} %{t} %{c}"),
     STR("mx.example.org he/lo he%2Flo unknown 1234 192.0.2.3")},
    {STR("%{S}"), STR("strong-bad%40email.example.com")},
    {STR("%{S1@}"), STR_NONE},
    {STR("%{d2em}"), STR_NONE},
    {STR("%%%_%-"), STR("% %20")},
    {STR("%{h/}"), STR("he.lo")},
    {STR("%{H1/}"), STR("lo")},
};

static void
test_values(void **state)
{
    struct spf_values v = values_of("192.0.2.3");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(four); i++) {
        AUTO_BUF b = BUF(1000);
        ROW(i, spf_macro_is_text(four[i].text) == (four[i].want.ptr != NULL));
        if (four[i].want.ptr == NULL)
            continue;
        ROW(i, spf_macro_expand(four[i].text, &v, &b) == OK);
        if (!str_eq(buf_str(&b), four[i].want))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
    }
}

static void
test_ipv6(void **state)
{
    struct spf_values v = values_of("2001:db8::cb01");
    AUTO_BUF b = BUF(1000);

    (void)state;
    assert_int_equal(spf_macro_expand(STR("%{ir}.%{v}._spf.%{d2} %{c}"), &v, &b), OK);
    assert_str(buf_str(&b), STR("1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2."
                                "ip6._spf.example.com 2001:db8::cb01"));
}

/* Delimiters are no text; what stands between two of them may be empty. */
static void
test_parts(void **state)
{
    static const struct {
        struct str local, text, want;
    } rows[] = {
        {STR("a--b"), STR("%{l-}"), STR("a..b")},
        {STR("-a-"), STR("%{lr-}"), STR(".a.")},
        {STR(""), STR("%{l2r}"), STR("")},
        {STR("foo-bar+zip+quux"), STR("%{l2r+-}"), STR("bar.foo")},
        {STR("a.b.c"), STR("%{l-}"), STR("a.b.c")},
        {STR("a.b.c"), STR("%{l1-}"), STR("a.b.c")},
        {STR("a.b&c"), STR("%{L1}"), STR("b%26c")},
        {STR("\xc3\xa4"), STR("%{L}"), STR("%C3%A4")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spf_values v = values_of("192.0.2.3");
        AUTO_BUF b = BUF(1000);
        v.local = rows[i].local;
        ROW(i, spf_macro_expand(rows[i].text, &v, &b) == OK);
        ROW(i, str_eq(buf_str(&b), rows[i].want));
    }
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X51 X50 "x"

static void
test_targets(void **state)
{
    static const struct {
        struct str text, want;
    } rows[] = {
        {STR("a.example.org."), STR("a.example.org")},
        {STR("%{l}.%{d}"), STR("strong-bad.email.example.com")},
        /* 253 bytes stay; of more, whole labels go */
        {STR("ab." X50 "." X50 "." X50 "." X50 ".email.%{d}" X51), STR_NONE},
        {STR(X50 "." X50 "." X50 "." X50 "." X50), STR(X50 "." X50 "." X50 "." X50)},
        {STR("a.b." X50 "." X50 "." X50 "." X50 ".xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
         STR("b." X50 "." X50 "." X50 "." X50 ".xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")},
    };
    AUTO_ARENA *a = arena_new(1 << 16);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spf_values v = values_of("192.0.2.3");
        struct str got = STR("");
        ROW(i, spf_macro_target(rows[i].text, &v, a, &got) == OK);
        ROW(i, got.len <= 253);
        if (rows[i].want.ptr != NULL)
            ROW(i, str_eq(got, rows[i].want));
    }
}

static void
test_limits(void **state)
{
    struct spf_values v = values_of("192.0.2.3");
    char *dots = mem_alloc(LIMIT_SPF_VALUE_BYTES + 1);
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF b = BUF(LIMIT_SPF_VALUE_BYTES), many = BUF(1 << 20);
    struct str got;

    (void)state;
    for (size_t i = 0; i <= LIMIT_SPF_VALUE_BYTES; i++)
        dots[i] = '.';
    v.helo = str_from(dots, LIMIT_SPF_VALUE_BYTES);
    assert_int_equal(spf_macro_expand(STR("%{hr}"), &v, &b), OK); /* 513 parts */
    assert_int_equal(b.len, LIMIT_SPF_VALUE_BYTES);
    v.helo = str_from(dots, LIMIT_SPF_VALUE_BYTES + 1);
    buf_reset(&b);
    assert_int_equal(spf_macro_expand(STR("%{hr}"), &v, &b), ERR_LIMIT);
    v.helo = str_from(dots, LIMIT_SPF_VALUE_BYTES);
    for (size_t i = 0; i < LIMIT_SPF_EXPANDED_BYTES / LIMIT_SPF_VALUE_BYTES; i++)
        buf_add_z(&many, "%{h}");
    assert_int_equal(spf_macro_target(buf_str(&many), &v, a, &got), OK);
    buf_add_z(&many, "x");
    assert_int_equal(spf_macro_target(buf_str(&many), &v, a, &got), ERR_LIMIT);
    mem_free(dots);
}

static void
test_has(void **state)
{
    (void)state;
    assert_true(spf_macro_has(STR("a.%{P2r}.b"), 'p'));
    assert_false(spf_macro_has(STR("p%%{p}"), 'p'));
    assert_false(spf_macro_has(STR("%{d}.p"), 'p'));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar), cmocka_unit_test(test_values),
        cmocka_unit_test(test_ipv6),    cmocka_unit_test(test_parts),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
