/* address_list_test.c - lists as standards and senders write them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/address_list.h"

/* name|route|mailbox|host for each, "{" name and "}" for groups */
static const struct {
    const char *in;
    const char *out;
} rows[] = {
    {"a@x.org", "|||a|x.org"},
    {" Anna B <a@x.org>, c@y.org", "|Anna B||a|x.org,|||c|y.org"},
    {"\"Anna \\\"B\\\", C\" <a@x.org>", "|Anna \"B\", C||a|x.org"},
    {"a@x.org (Anna B)", "|Anna B||a|x.org"},
    {"(c) Anna (d) <a@x.org> (e)", "|Anna||a|x.org"},
    {"<a@x.org>", "|||a|x.org"},
    {"<a@x.org> (Anna)", "|Anna||a|x.org"},
    {"=?utf-8?Q?J=C3=BCrg?= <j@x.org>", "|=?utf-8?Q?J=C3=BCrg?=||j|x.org"},
    {"J\xc3\xbcrg <j\xc3\xbc@x.org>", "|J\xc3\xbcrg||j\xc3\xbc|x.org"},
    /* examples of RFC 5322 appendix A */
    {"\"Joe Q. Public\" <john.q.public@example.com>", "|Joe Q. Public||john.q.public|example.com"},
    {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
     "|Mary Smith||mary|x.test,|||jdoe|example.org,|Who?||one|y.test"},
    {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
     "|||boss|nil.test,|Giant; \"Big\" Box||sysservices|example.net"},
    {"A Group:Ed Jones <joe@where.test>,joe@where.test,John <jdoe@one.test>;",
     "{A Group,|Ed Jones||joe|where.test,|||joe|where.test,|John||jdoe|one.test,}"},
    {"Undisclosed recipients:;", "{Undisclosed recipients,}"},
    {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "|Pete||pete|silly.test"},
    {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
     "  joe@example.org,\r\n   John <jdoe@one.test> (my dear friend); (the end of the group)",
     "{A Group,|Chris Jones||c|public.example,|||joe|example.org,|John||jdoe|one.test,}"},
    {"Joe Q. Public <john.q.public@example.com>", "|Joe Q. Public||john.q.public|example.com"},
    {"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
     "|Mary Smith|@node.test|mary|example.net,|||jdoe|test.example"},
    {"<@a.org,@b.org:c@d.org>", "||@a.org,@b.org|c|d.org"},
    {"jdoe . two @ test", "|||jdoe.two|test"},
    {"a@[192.0.2.1], <b@[IPv6:2001:db8::1]>", "|||a|[192.0.2.1],|||b|[IPv6:2001:db8::1]"},
    {"\"a b\"@x.org", "|||a b|x.org"},
    /* what should not be but is */
    {"Anna a@x.org", "|Anna||a|x.org"},
    {"postmaster", "|||postmaster|"},
    {"Anna <a>", "|Anna||a|"},
    {"a@x.org b@y.org, c@z.org", "|||a|x.org,|||c|z.org"},
    {"a <b@c> <d@e>", "|a||b|c,|||d|e"},
    {"Anna <a@x.org", "|Anna||a|x.org"},
    {"\"Anna <a@x.org>", "|||Anna <a@x.org>|"},
    {"Anna (<a@x.org>", "|<a@x.org>||Anna|"},
    {"<a@b@c>", "|||a|b"},
    {"Anna, Bert <b@x.org>", "|||Anna|,|Bert||b|x.org"},
    {"list: a@x.org", "{list,|||a|x.org,}"},
    {"g: h: a@x.org; b@x.org", "{g,|||a|x.org,},|||b|x.org"},
    {"a@x.org; b@y.org", "|||a|x.org,|||b|y.org"},
    {"Anna <>", "|Anna|||"},
    {"<>", ""},
    {", ,;;", ""},
    {"", ""},
    {"\r\n ", ""},
    {"a@x.org\r\n\t,\r\n b@x.org", "|||a|x.org,|||b|x.org"},
};

static void
dump(struct buf *b, struct str in)
{
    AUTO_ADDRESS_CURSOR c;
    struct address a;
    bool first = true;

    address_cursor_init(&c, in);
    while (address_next(&c, &a)) {
        if (!first)
            buf_add_char(b, ',');
        first = false;
        if (a.kind == ADDRESS_GROUP_END) {
            buf_add_char(b, '}');
            continue;
        }
        if (a.kind == ADDRESS_GROUP_START) {
            buf_add_char(b, '{');
            buf_add(b, a.mailbox);
            continue;
        }
        const struct str parts[] = {a.name, a.route, a.mailbox, a.host};
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            buf_add_char(b, '|');
            buf_add(b, parts[i]);
        }
    }
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(2000);
        dump(&b, str_of(rows[i].in));
        if (!str_eq(buf_str(&b), str_of(rows[i].out)))
            fail_msg("\"%s\": %.*s", rows[i].in, STR_FMT(buf_str(&b)));
    }
}

static void
test_limit(void **state)
{
    AUTO_BUF b = BUF(1 << 20);
    struct address_cursor c;
    struct address a;
    unsigned n = 0;
    (void)state;

    buf_add(&b, STR("g:"));
    for (unsigned i = 0; i < ADDRESSES_MAX + 100; i++)
        buf_add(&b, STR("a@x.org,"));
    address_cursor_init(&c, buf_str(&b));
    while (address_next(&c, &a))
        n++;
    address_cursor_release(&c);
    assert_int_equal(n, ADDRESSES_MAX);
    assert_int_equal(a.kind, ADDRESS_GROUP_END);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
