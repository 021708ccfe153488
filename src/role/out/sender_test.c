/* sender_test.c - what is said about clients: SPF, names, lists that work and lists that do not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/sender.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/iprev.h"
#include "policy/spf_record.h"
#include "role/out/lists.h"
#include "rt/loop.h"

#define MAPPED     "0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define SIX        "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
#define LIST(zone) "2.0.0.127." zone " A 127.0.0.2\n"

static const char zone[] =
    "good.example TXT \"v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all\"\n"
    "away.example TXT TIMEOUT\n"
    "helo.example TXT \"v=spf1 ip4:192.0.2.8 ~all\"\n"
    "7.2.0.192.in-addr.arpa PTR Mail.Good.example\n"
    "mail.good.example A 192.0.2.7\n"
    "8.2.0.192.in-addr.arpa PTR one.example\n8.2.0.192.in-addr.arpa PTR two.example\n"
    "one.example A 192.0.2.1\ntwo.example A 192.0.2.8\ntwo.example A 192.0.2.9\n"
    "9.2.0.192.in-addr.arpa PTR one.example\n"
    "10.2.0.192.in-addr.arpa TIMEOUT\n" SIX "ip6.arpa PTR six.example\n"
    "six.example AAAA 2001:db8::7\n" /* the lists */
    LIST("bad.example") LIST("some.example") LIST("good.list.example") LIST("six.list.example")
        LIST("all.example") "1.0.0.127.all.example A 127.0.0.2\n"
                            "7.2.0.192.all.example A 127.0.0.2\n"
                            "2.0.0.127.refuses.example A 127.255.255.254\n"
                            "7.2.0.192.bad.example A 127.0.0.4\n"
                            "8.2.0.192.bad.example A 127.0.0.9\n"
                            "7.2.0.192.some.example A 127.0.0.4\n"
                            "8.2.0.192.some.example A 127.0.0.10\n"
                            "8.2.0.192.good.list.example A 127.0.5.1\n"
                            "9.2.0.192.bad.example A 127.255.255.254\n"
                            "2.0.0.127.late.example TIMEOUT\n"
                            "2.0.0." MAPPED "six.list.example A 127.0.0.2\n" SIX
                            "six.list.example A 127.0.0.3\n" SIX "bad.example A 127.0.0.3\n";

static const char *const config =
    "host mail.example.org\ndomain example.org\nlisten smtp *:25\n"
    "dnsbl bad.example\ndnsbl Some.example answer 127.0.0.2 127.0.0.4/30\ndnsbl all.example\n"
    "dnsbl refuses.example\ndnsbl gone.example\ndnsbl late.example\ndnsbl six.list.example\n"
    "dnswl good.list.example\n";

static const struct {
    struct str client, helo, sender;
    enum spf_result spf;
    struct str domain;
    enum iprev_result iprev;
    struct str name, lists;
    bool allowed;
} rows[] = {
    {STR("192.0.2.7"), STR("h"), STR("a@Good.example"), SPF_PASS, STR("good.example"), IPREV_PASS,
     STR("mail.good.example"), STR("bad.example some.example "), false},
    {STR("192.0.2.8"), STR("helo.example"), STR(""), SPF_PASS, STR("helo.example"), IPREV_PASS,
     STR("two.example"), STR("bad.example "), true},
    {STR("192.0.2.9"), STR("helo.example"), STR("a@good.example"), SPF_FAIL, STR("good.example"),
     IPREV_FAIL, STR("one.example"), STR(""), false},
    /* the list refused the client before: it is asked no more */
    {STR("192.0.2.7"), STR("[192.0.2.7]"), STR(""), SPF_NONE, STR(""), IPREV_PASS,
     STR("mail.good.example"), STR("some.example "), false},
    {STR("192.0.2.10"), STR("h"), STR("a@away.example"), SPF_TEMPERROR, STR("away.example"),
     IPREV_TEMPERROR, STR(""), STR(""), false},
    {STR("2001:db8::7"), STR("h"), STR("a@good.example"), SPF_PASS, STR("good.example"), IPREV_PASS,
     STR("six.example"), STR("six.list.example "), false},
    {STR("2001:db8::8"), STR("h"), STR("a@nowhere.example"), SPF_NONE, STR("nowhere.example"),
     IPREV_PERMERROR, STR(""), STR(""), false},
};

static SUSPENDS void
check_row(struct resolver *r, size_t i)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF lists = BUF(1000);
    const struct out_sender req = {rows[i].client, rows[i].helo, rows[i].sender};
    struct out_sender_reply got;

    ROW(i, out_sender_ask(r, STR("mail.example.org"), &req, a, &got) == OK);
    ROW(i, got.spf == rows[i].spf && got.spf_helo == (rows[i].sender.len == 0));
    ROW(i, str_eq(got.spf_domain, rows[i].domain));
    ROW(i, (got.spf_problem.len > 0) == (got.spf == SPF_NONE || got.spf == SPF_TEMPERROR));
    ROW(i, got.iprev == rows[i].iprev && str_eq(got.iprev_name, rows[i].name));
    for (size_t k = 0; k < got.lists_count; k++)
        buf_addf(&lists, "%.*s ", STR_FMT(got.lists[k]));
    ROW(i, str_eq(buf_str(&lists), rows[i].lists));
    ROW(i, got.allowed == rows[i].allowed);
}

FIBER_ENTRY static void
check_rows(void *arg)
{
    AUTO_ARENA *a = arena_new(65536);
    const struct resolver_options o = {.zone = STR(zone)};
    const struct config_list **lists;
    struct config *c = arg;
    struct subnet client;
    struct resolver *r;
    struct problem why;

    assert_int_equal(resolver_new(&o, &r, &why), OK);
    out_lists_renew(c);
    assert_true(subnet_read(STR("192.0.2.7"), &client));
    assert_int_equal(out_lists_rest_ms(), 0);
    assert_int_equal(out_lists_for(&client, a, &lists), 0); /* not before their test */
    out_lists_test(r);
    assert_int_equal(out_lists_for(&client, a, &lists), 4);
    assert_true(out_lists_rest_ms() > 0 && out_lists_rest_ms() <= 60000); /* the one that is late */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(r, i);
    out_lists_renew(c); /* what is known stays */
    assert_int_equal(out_lists_for(&client, a, &lists), 3);
    resolver_free(&r);
    loop_stop();
}

FIBER_ENTRY static void
check_without(void *arg)
{
    AUTO_ARENA *a = arena_new(65536);
    struct out_sender req = {STR("192.0.2.7"), STR("h"), STR("a@good.example")};
    struct out_sender_reply got;

    assert_int_equal(out_sender_ask(NULL, STR("m.example"), &req, a, &got), OK);
    assert_true(got.spf == SPF_TEMPERROR && got.iprev == IPREV_TEMPERROR && got.lists_count == 0);
    assert_true(got.spf_problem.len > 0 && !got.allowed);
    req.client = STR("mail.example");
    assert_int_equal(out_sender_ask(NULL, STR("m.example"), &req, a, &got), ERR_SYNTAX);
    req.client = STR("192.0.2.0/24");
    assert_int_equal(out_sender_ask(NULL, STR("m.example"), &req, a, &got), ERR_SYNTAX);
    loop_stop();
}

static void
run(void (*entry)(void *arg), void *arg)
{
    loop_init();
    assert_int_equal(fiber_go(entry, arg), OK);
    loop_run();
    loop_release();
}

static void
test_clients(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    const struct config none = {.list_count = 0};
    struct problem why = {0};

    assert_int_equal(config_read(str_of(config), "t", &c, &why), OK);
    run(check_rows, c);
    out_lists_renew(&none);
    assert_int_equal(out_lists_rest_ms(), FIBER_FOREVER);
}

static void
test_no_resolver(void **state)
{
    run(check_without, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients),
        cmocka_unit_test(test_no_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
