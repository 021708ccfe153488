/* spf_record_test.c - what is a record of SPF, what its terms say, and what is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/spf_record.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

static void
test_versions(void **state)
{
    static const struct {
        struct str text;
        bool is;
    } rows[] = {
        {STR("v=spf1"), true},         {STR("V=SPF1 -all"), true}, {STR("v=spf1 "), true},
        {STR("v=spf10"), false},       {STR("v=spf1\t"), false},   {STR("v=spf"), false},
        {STR(" v=spf1 "), false},      {STR(""), false},           {STR("v=spf2.0 -all"), false},
        {STR("v=spf1mx -all"), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, spf_record_is(rows[i].text) == rows[i].is);
}

/* One term, and how it reads: "result mechanism domain network bits4/bits6". */
static const struct {
    struct str term;
    const char *want; /* NULL: refused */
} terms[] = {
    {STR("all"), "pass all - - 0/0"},
    {STR("-ALL"), "fail all - - 0/0"},
    {STR("?all"), "neutral all - - 0/0"},
    {STR("~all"), "softfail all - - 0/0"},
    {STR("+a"), "pass a - - 32/128"},
    {STR("a:b.c"), "pass a b.c - 32/128"},
    {STR("a/24"), "pass a - - 24/128"},
    {STR("a//64"), "pass a - - 32/64"},
    {STR("a/0//0"), "pass a - - 0/0"},
    {STR("a:b.c/24//64"), "pass a b.c - 24/64"},
    {STR("a:b/d.c"), "pass a b/d.c - 32/128"},
    {STR("a:%{d/}/24"), "pass a %{d/} - 24/128"},
    {STR("mx"), "pass mx - - 32/128"},
    {STR("-mx:b.c//127"), "fail mx b.c - 32/127"},
    {STR("ptr"), "pass ptr - - 0/0"},
    {STR("ptr:b.c"), "pass ptr b.c - 0/0"},
    {STR("include:b.c"), "pass include b.c - 0/0"},
    {STR("exists:%{ir}.b.c"), "pass exists %{ir}.b.c - 0/0"},
    {STR("ip4:192.0.2.77"), "pass ip4 - 192.0.2.77 0/0"},
    {STR("ip4:192.0.2.77/24"), "pass ip4 - 192.0.2.0/24 0/0"},
    {STR("ip4:192.0.2.77/0"), "pass ip4 - 0.0.0.0/0 0/0"},
    {STR("ip6:2001:DB8::1"), "pass ip6 - 2001:db8::1 0/0"},
    {STR("ip6:2001:db8::1/32"), "pass ip6 - 2001:db8::/32 0/0"},
    {STR("ip6:::ffff:192.0.2.1"), "pass ip6 - ::ffff:192.0.2.1 0/0"},
    {STR("-all."), NULL},
    {STR("all:"), NULL},
    {STR("all:b.c"), NULL},
    {STR("all/8"), NULL},
    {STR("--all"), NULL},
    {STR("-"), NULL},
    {STR("moo"), NULL},
    {STR("a:"), NULL},
    {STR("a/"), NULL},
    {STR("a/33"), NULL},
    {STR("a/024"), NULL},
    {STR("a//129"), NULL},
    {STR("a/24/64"), NULL},
    {STR("a///64"), NULL},
    {STR("a/+1"), NULL},
    {STR("a/1000"), NULL},
    {STR("a:museum"), NULL},
    {STR("a:192.0.2.1"), NULL},
    {STR("a:b.c\xc3\xa4"), NULL},
    {STR("ptr/24"), NULL},
    {STR("ptr:"), NULL},
    {STR("include"), NULL},
    {STR("include:"), NULL},
    {STR("include:b.c/24"), NULL},
    {STR("exists"), NULL},
    {STR("exists:b.c/24"), NULL},
    {STR("exists:%{c}.b.c"), NULL},
    {STR("ip4"), NULL},
    {STR("ip4:"), NULL},
    {STR("ip4:192.0.2"), NULL},
    {STR("ip4:192.0.2.01"), NULL},
    {STR("ip4:192.0.2.1/33"), NULL},
    {STR("ip4:192.0.2.1/032"), NULL},
    {STR("ip4:192.0.2.1//32"), NULL},
    {STR("ip4:192.0.2.1:25"), NULL},
    {STR("ip4:2001:db8::1"), NULL},
    {STR("ip6:192.0.2.1"), NULL},
    {STR("ip6::CAFE::BABE"), NULL},
    {STR("ip6:2001:db8::/129"), NULL},
    {STR("ip6:2001:db8::1//64"), NULL},
    {STR("a\tb"), NULL},
};

static const char *const mechanisms[] = {"all", "include", "a",   "mx",
                                         "ptr", "ip4",     "ip6", "exists"};

static void
write_term(const struct spf_term *t, struct buf *b)
{
    buf_addf(b, "%s %s ", spf_result_name(t->result), mechanisms[t->mechanism]);
    buf_add(b, t->domain.len > 0 ? t->domain : STR("-"));
    buf_add_char(b, ' ');
    if (t->network.size > 0)
        subnet_write(&t->network, b);
    else
        buf_add_char(b, '-');
    buf_addf(b, " %u/%u", t->bits4, t->bits6);
}

static void
test_terms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(terms); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        AUTO_BUF record = BUF(1000), got = BUF(1000);
        struct problem why = {0};
        struct spf_record r;
        buf_addf(&record, "v=spf1 %s", "ip4:192.0.2.1 ");
        buf_add(&record, terms[i].term);
        enum status e = spf_record_read(buf_str(&record), a, &r, &why);
        ROW(i, e == (terms[i].want != NULL ? OK : ERR_SYNTAX));
        if (e != OK) {
            ROW(i, why.text[0] == '"');
            continue;
        }
        ROW(i, r.count == 2 && str_eq(r.terms[1].text, terms[i].term));
        write_term(&r.terms[1], &got);
        if (!str_eq(buf_str(&got), str_of(terms[i].want)))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&got)));
    }
}

static void
test_modifiers(void **state)
{
    static const struct {
        struct str text, redirect, explanation;
        bool good;
    } rows[] = {
        {STR("v=spf1 redirect=b.c"), STR("b.c"), STR(""), true},
        {STR("v=spf1 Exp=%{d} REDIRECT=_x.%{d}"), STR("_x.%{d}"), STR("%{d}"), true},
        {STR("v=spf1 moo.cow-far_out=man:dog/cat"), STR(""), STR(""), true},
        {STR("v=spf1 x= y=%{c}"), STR(""), STR(""), true},
        {STR("v=spf1   "), STR(""), STR(""), true},
        {STR("v=spf1 redirect="), STR(""), STR(""), false},
        {STR("v=spf1 exp="), STR(""), STR(""), false},
        {STR("v=spf1 exp=-all"), STR(""), STR(""), false},
        {STR("v=spf1 exp=a.b exp=a.b"), STR(""), STR(""), false},
        {STR("v=spf1 redirect=a.b redirect=a.b"), STR(""), STR(""), false},
        {STR("v=spf1 redirect:a.b"), STR(""), STR(""), false},
        {STR("v=spf1 -redirect=a.b"), STR(""), STR(""), false},
        {STR("v=spf1 exp=%{r}.b"), STR(""), STR(""), false},
        {STR("v=spf1 1up=foo"), STR(""), STR(""), false},
        {STR("v=spf1 =foo"), STR(""), STR(""), false},
        {STR("v=spf1 foo=%abc"), STR(""), STR(""), false},
        {STR("v=spf1 moo.cow/far_out=man"), STR(""), STR(""), false},
        {STR("v=spf1 moo.cow:far_out=man"), STR(""), STR(""), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        struct spf_record r;
        ROW(i, (spf_record_read(rows[i].text, a, &r, NULL) == OK) == rows[i].good);
        if (rows[i].good)
            ROW(i, str_eq(r.redirect, rows[i].redirect) &&
                       str_eq(r.explanation, rows[i].explanation) && r.count == 0);
    }
}

/* The longest record, made of the shortest terms, fits into what the arena is said to need. */
static void
test_limits(void **state)
{
    AUTO_BUF record = BUF(LIMIT_SPF_RECORD_BYTES + 10);
    struct problem why = {0};
    struct spf_record r;

    (void)state;
    buf_add_z(&record, "v=spf1");
    while (record.len + 2 <= LIMIT_SPF_RECORD_BYTES)
        buf_add_z(&record, " a");
    AUTO_ARENA *a = arena_new(SPF_RECORD_ARENA(record));
    assert_int_equal(spf_record_read(buf_str(&record), a, &r, &why), OK);
    assert_int_equal(r.count, (record.len - 6) / 2);
    buf_add_z(&record, "  ");
    assert_int_equal(spf_record_read(buf_str(&record), a, &r, &why), ERR_LIMIT);
}

/* A usual mistake is named. */
static void
test_words(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 16);
    struct problem why = {0};
    struct spf_record r;

    (void)state;
    assert_int_equal(spf_record_read(STR("v=spf1 a:192.0.2.1"), a, &r, &why), ERR_SYNTAX);
    assert_true(str_find_str(str_of(why.text), STR("ip4:")) > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),  cmocka_unit_test(test_terms),
        cmocka_unit_test(test_modifiers), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
