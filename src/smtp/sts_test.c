/* sts_test.c - records and policies of MTA-STS: what is one, what is none, which hosts a pattern means.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/sts.h"

#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str text;
    bool about;
    struct str id;
} records[] = {
    {STR("v=STSv1; id=20160831085700Z;"), true, STR("20160831085700Z")},
    {STR("v=STSv1;id=1"), true, STR("1")},
    {STR("v=STSv1 ;\tid=1 ; other=x"), true, STR("1")},
    {STR("v=STSv1; a=b; id=Z"), true, STR("Z")},
    {STR("v=STSv1; id=abcdefghijabcdefghijabcdefghij12;"), true,
     STR("abcdefghijabcdefghijabcdefghij12")},
    {STR("v=STSv1; id=abcdefghijabcdefghijabcdefghij123;"), true, STR("")},
    {STR("v=STSv1;"), true, STR("")},
    {STR("v=STSv1; id="), true, STR("")},
    {STR("v=STSv1; id=a-b"), true, STR("")},
    {STR("v=STSv1; id=1; id=2"), true, STR("")},
    {STR("v=STSv1; nothing"), true, STR("")},
    {STR("v=STSv1; =x; id=1"), true, STR("")},
    {STR("v=STSv1"), false, STR("")},
    {STR("v=STSv10; id=1"), false, STR("")},
    {STR("V=STSv1; id=1"), false, STR("")},
    {STR(" v=STSv1; id=1"), false, STR("")},
    {STR("v=spf1 -all"), false, STR("")},
    {STR(""), false, STR("")},
};

static void
test_records(void **state)
{
    const struct str two[] = {STR("v=STSv1; id=1"), STR("v=STSv1; id=1")};
    const struct str one[] = {STR("v=spf1"), STR("v=STSv1; id=7"), STR("else")};
    const struct str wrong[] = {STR("v=STSv1; id=1"), STR("v=STSv1; id=")};
    struct str id = STR("kept");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct str got = STR("kept");
        ROW(i, sts_record_read(records[i].text, &got) == records[i].about);
        ROW(i, str_eq(got, records[i].about ? records[i].id : STR("kept")));
    }
    assert_false(sts_record_choose(two, 2, &id));
    assert_false(sts_record_choose(wrong, 2, &id));
    assert_false(sts_record_choose(one, 1, &id));
    assert_str(id, STR("kept"));
    assert_true(sts_record_choose(one, 3, &id));
    assert_str(id, STR("7"));
}

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 86400\n"

static const struct {
    struct str text;
    enum status status;
    enum sts_mode mode;
    uint32_t age_s;
    size_t count;
} policies[] = {
    {STR(HEAD "mx: mail.example.com\nmx: *.example.net\n"), OK, STS_ENFORCE, 86400, 2},
    {STR("version: STSv1\r\nmode: testing\r\nmx: a\r\nmax_age: 604800\r\n"), OK, STS_TESTING,
     604800, 1},
    {STR("mx:a\nmax_age:0\nmode:none\nversion:STSv1"), OK, STS_NONE, 0, 1},
    {STR("version: STSv1\nmode: none\nmax_age: 1\n"), OK, STS_NONE, 1, 0},
    {STR(HEAD "mx: a\nfuture: what: ever\n\n"), OK, STS_ENFORCE, 86400, 1},
    {STR(HEAD "mx: a\nmode: none\nversion: STSv2\nmax_age: x\n"), OK, STS_ENFORCE, 86400, 1},
    {STR("Version: STSv1\nMODE: Enforce\nmax_age: 9999999999\nMX: A.B\n"), OK, STS_ENFORCE,
     31557600, 1},
    {STR(HEAD), ERR_SYNTAX, 0, 0, 0},
    {STR(""), ERR_SYNTAX, 0, 0, 0},
    {STR("<html>\n</html>\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("mode: none\nmax_age: 1\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmax_age: 1\nmx: a\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmode: none\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv2\nmode: none\nmax_age: 1\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmode: enforced\nmax_age: 1\nmx: a\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmode: enforce\nmax_age: 10000000000\nmx: a\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmode: enforce\nmax_age: -1\nmx: a\n"), ERR_SYNTAX, 0, 0, 0},
    {STR("version: STSv1\nmode: enforce\nmax_age: 1 day\nmx: a\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: \n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: *\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: *.\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: *.*.example\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a*.example\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a..example\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a.example.\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a b\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a\nno field\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a\n: x\n"), ERR_SYNTAX, 0, 0, 0},
    {STR(HEAD "mx: a\nx: \0\n"), ERR_SYNTAX, 0, 0, 0},
};

static void
test_policies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct sts_policy p = {0};
        ROW(i, sts_policy_read(policies[i].text, a, &p) == policies[i].status);
        ROW(i, p.mode == policies[i].mode && p.max_age_s == policies[i].age_s);
        ROW(i, p.count == policies[i].count);
    }
}

static void
test_many_hosts(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF text = BUF(1 << 20), again = BUF(1 << 20);
    struct sts_policy p;

    (void)state;
    buf_add_z(&text, HEAD);
    for (unsigned i = 0; i < LIMIT_STS_HOSTS; i++)
        buf_addf(&text, "mx: m%u.example\n", i);
    assert_int_equal(sts_policy_read(buf_str(&text), a, &p), OK);
    assert_int_equal(p.count, LIMIT_STS_HOSTS);
    sts_policy_write(&p, &again);
    assert_str(buf_str(&again), buf_str(&text));
    buf_add_z(&text, "mx: one.example\n");
    assert_int_equal(sts_policy_read(buf_str(&text), a, &p), ERR_LIMIT);
}

static const struct {
    struct str pattern, host;
    bool covers;
} covers[] = {
    {STR("mail.example.com"), STR("mail.example.com"), true},
    {STR("mail.example.com"), STR("MAIL.Example.com"), true},
    {STR("Mail.Example.com"), STR("mail.example.com"), true},
    {STR("mail.example.com"), STR("xmail.example.com"), false},
    {STR("mail.example.com"), STR("example.com"), false},
    {STR("*.example.com"), STR("a.example.com"), true},
    {STR("*.example.com"), STR("example.com"), false},
    {STR("*.example.com"), STR("a.b.example.com"), false},
    {STR("*.example.com"), STR("aexample.com"), false},
    {STR("*.example.com"), STR(".example.com"), false},
    {STR("*.example.com"), STR(""), false},
};

static void
test_covers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(covers); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct sts_policy p;
        struct str text =
            arena_printf(a, HEAD "mx: other.example\nmx: %.*s\n", STR_FMT(covers[i].pattern));
        ROW(i, sts_policy_read(text, a, &p) == OK);
        ROW(i, sts_covers(&p, covers[i].host) == covers[i].covers);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_many_hosts),
        cmocka_unit_test(test_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
