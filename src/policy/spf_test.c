/* spf_test.c - whole checks of SPF against a zone file: results, who decided, explanations, limits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/spf.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "rt/loop.h"

#define TEN(before, after)                                                                      \
    before "0" after before "1" after before "2" after before "3" after before "4" after before \
           "5" after before "6" after before "7" after before "8" after before "9" after

static const char zone[] =
    "$SECURE\n"
    "host.example A 192.0.2.1\n"
    "host.example AAAA 2001:db8::1\n"
    "plain.example TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all\"\n"
    "plain.example TXT \"something else\"\n"
    "a.example TXT \"v=spf1 a:host.example/31//127 ~all\"\n"
    "self.example TXT \"v=spf1 a mx ?all\"\n"
    "self.example A 192.0.2.9\n"
    "self.example MX 10 host.example\n"
    "nomx.example TXT \"v=spf1 mx -all\"\n"
    "nomx.example A 192.0.2.1\n"
    "nullmx.example TXT \"v=spf1 mx -all\"\n"
    "nullmx.example MX 0 .\n"
    "exists.example TXT \"v=spf1 exists:%{ir}.%{l1r-}.ok.example -all exp=why.example\"\n"
    "1.2.0.192.joe.ok.example A 127.0.0.2\n"
    "why.example TXT \"%{c} may not, says %{r} of %{s} (%{h}) for %{d}\"\n"
    "none.example TXT \"nothing\"\n"
    "two.example TXT \"v=spf1 -all\"\n"
    "two.example TXT \"V=SPF1 +all\"\n"
    "wrong.example TXT \"v=spf1 ip4:192.0.2.1 moo -all\"\n"
    "down.example SERVFAIL\n"
    "asksdown.example TXT \"v=spf1 a:down.example -all\"\n"
    "include.example TXT \"v=spf1 ?include:plain.example -all exp=why.example\"\n"
    "includenone.example TXT \"v=spf1 include:none.example -all\"\n"
    "includebad.example TXT \"v=spf1 include:a..example -all\"\n"
    "includedown.example TXT \"v=spf1 include:down.example -all\"\n"
    "deep.example TXT \"v=spf1 include:deeper.example -all\"\n"
    "deeper.example TXT \"v=spf1 ~include:plain.example ip4:198.51.100.1 -all\"\n"
    "minus.example TXT \"v=spf1 -include:plain.example +all exp=why.example\"\n"
    "redirect.example TXT \"v=spf1 ip4:198.51.100.1 exp=none.example redirect=target.example\"\n"
    "target.example TXT \"v=spf1 a -all exp=why.example\"\n"
    "target.example A 192.0.2.77\n"
    "redirectnone.example TXT \"v=spf1 redirect=none.example\"\n"
    "loop.example TXT \"v=spf1 redirect=loop.example\"\n"
    "ring.example TXT \"v=spf1 include:ring.example\"\n"
    "ptr.example TXT \"v=spf1 ptr -all exp=name.example\"\n"
    "name.example TXT \"you are %{p}\"\n"
    "1.2.0.192.in-addr.arpa PTR other.example\n"
    "1.2.0.192.in-addr.arpa PTR forged.example\n"
    "1.2.0.192.in-addr.arpa PTR Mail.PTR.example\n"
    "other.example A 192.0.2.1\n"
    "forged.example A 192.0.2.66\n"
    "mail.ptr.example A 192.0.2.1\n"
    "3.2.0.192.in-addr.arpa TIMEOUT\n"
    "pcount.example TXT \"v=spf1 a a a a a a a a a exists:%{p}.x.example -all\"\n"
    "pfits.example TXT \"v=spf1 a:host.example a:host.example exists:%{p}.x.example -all\"\n"
    "pcount.example A 192.0.2.1\n"
    "eleven.example TXT \"v=spf1 " TEN(
        "a:host.example//",
        " ") "a:host.example -all\"\n"
             "ten.example TXT \"v=spf1 " TEN(
                 "a:host.example//",
                 " ") "-all\"\n"
                      "voids3.example TXT \"v=spf1 a:v1.example exists:v2.example mx:v3.example "
                      "ip4:192.0.2.1\"\n"
                      "voids2.example TXT \"v=spf1 a:v1.example exists:v2.example ip4:192.0.2.1\"\n"
                      "manymx.example TXT \"v=spf1 mx -all\"\n" TEN(
                          "manymx.example MX 1",
                          " host.example\n") "manymx.example MX 99 host.example\n"
                                             "tenmx.example TXT \"v=spf1 mx -all\"\n" TEN(
                                                 "tenmx.example MX 1",
                                                 " other.example\n") "nonascii.example TXT "
                                                                     "\"v=spf1 -all "
                                                                     "exp=umlaut.example\"\n"
                                                                     "umlaut.example TXT "
                                                                     "\"gr\\195\\188n\"\n"
                                                                     "percent.example TXT \"v=spf1 "
                                                                     "-all exp=broken.example\"\n"
                                                                     "broken.example TXT \"100 % "
                                                                     "sure\"\n"
                                                                     "twoexp.example TXT \"v=spf1 "
                                                                     "-all exp=two.example\"\n"
                                                                     "control.example TXT \"v=spf1 "
                                                                     "-all exp=local.example\"\n"
                                                                     "local.example TXT \"%{l}\"\n"
                                                                     "xn--bcher-kva.example TXT "
                                                                     "\"v=spf1 ip4:192.0.2.1 "
                                                                     "-all\"\n"
                                                                     "mapped.example TXT \"v=spf1 "
                                                                     "ip6:::ffff:192.0.2.1 "
                                                                     "a:host.example//0 -all\"\n";

struct row {
    const char *client, *helo, *from;
    enum spf_result result;
    const char *mechanism, *decided_by, *explanation; /* NULL: none */
};
static const struct row rows[] = {
    {"192.0.2.1", "", "joe@plain.example", SPF_PASS, "ip4:192.0.2.0/24", "plain.example", NULL},
    {"2001:db8::5", "", "joe@plain.example", SPF_PASS, "ip6:2001:db8::/32", "plain.example", NULL},
    {"::ffff:192.0.2.1", "", "joe@plain.example", SPF_PASS, "ip4:192.0.2.0/24", "plain.example",
     NULL},
    {"198.51.100.1", "", "joe@plain.example", SPF_FAIL, "-all", "plain.example", NULL},
    {"192.0.2.1", "plain.example", "", SPF_PASS, "ip4:192.0.2.0/24", "plain.example", NULL},
    {"192.0.2.1", "none.example", "joe@PLAIN.example.", SPF_PASS, "ip4:192.0.2.0/24",
     "PLAIN.example", NULL},
    {"192.0.2.0", "", "joe@a.example", SPF_PASS, "a:host.example/31//127", "a.example", NULL},
    {"192.0.2.2", "", "joe@a.example", SPF_SOFTFAIL, "~all", "a.example", NULL},
    {"2001:db8::", "", "joe@a.example", SPF_PASS, "a:host.example/31//127", "a.example", NULL},
    {"192.0.2.1", "", "joe@self.example", SPF_PASS, "mx", "self.example", NULL},
    {"192.0.2.8", "", "joe@self.example", SPF_NEUTRAL, "?all", "self.example", NULL},
    {"192.0.2.1", "", "joe@nomx.example", SPF_FAIL, "-all", "nomx.example", NULL},
    {"192.0.2.1", "", "joe@nullmx.example", SPF_FAIL, "-all", "nullmx.example", NULL},
    {"192.0.2.1", "", "joe-x@exists.example", SPF_PASS, "exists:%{ir}.%{l1r-}.ok.example",
     "exists.example", NULL},
    {"192.0.2.2", "HE LO", "joe@exists.example", SPF_FAIL, "-all", "exists.example",
     "192.0.2.2 may not, says mx.here.example of joe@exists.example (HE LO) for exists.example"},
    {"192.0.2.1", "", "joe@none.example", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@absent.example", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@example", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@[192.0.2.1]", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@a..example", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@.example", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@plain.example..", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "[192.0.2.1]", "", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "localhost", "", SPF_NONE, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@two.example", SPF_PERMERROR, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@wrong.example", SPF_PERMERROR, NULL, "wrong.example", NULL},
    {"192.0.2.1", "", "joe@down.example", SPF_TEMPERROR, NULL, NULL, NULL},
    {"192.0.2.1", "", "joe@asksdown.example", SPF_TEMPERROR, NULL, "asksdown.example", NULL},
    {"192.0.2.1", "", "joe@include.example", SPF_NEUTRAL, "ip4:192.0.2.0/24", "plain.example",
     NULL},
    {"198.51.100.1", "h", "joe@include.example", SPF_FAIL, "-all", "include.example",
     "198.51.100.1 may not, says mx.here.example of joe@include.example (h) for include.example"},
    {"192.0.2.1", "", "joe@includenone.example", SPF_PERMERROR, NULL, "includenone.example", NULL},
    {"192.0.2.1", "", "joe@includebad.example", SPF_PERMERROR, NULL, "includebad.example", NULL},
    {"192.0.2.1", "", "joe@includedown.example", SPF_TEMPERROR, NULL, "includedown.example", NULL},
    {"192.0.2.1", "", "joe@deep.example", SPF_FAIL, "-all", "deep.example", NULL},
    {"198.51.100.1", "", "joe@deep.example", SPF_PASS, "ip4:198.51.100.1", "deeper.example", NULL},
    {"192.0.2.1", "h", "joe@minus.example", SPF_FAIL, "ip4:192.0.2.0/24", "plain.example",
     "192.0.2.1 may not, says mx.here.example of joe@minus.example (h) for minus.example"},
    {"192.0.2.77", "", "joe@redirect.example", SPF_PASS, "a", "target.example", NULL},
    {"192.0.2.78", "h", "joe@redirect.example", SPF_FAIL, "-all", "target.example",
     "192.0.2.78 may not, says mx.here.example of joe@redirect.example (h) for target.example"},
    {"192.0.2.1", "", "joe@redirectnone.example", SPF_PERMERROR, NULL, "redirectnone.example",
     NULL},
    {"192.0.2.1", "", "joe@loop.example", SPF_PERMERROR, NULL, "loop.example", NULL},
    {"192.0.2.1", "", "joe@ring.example", SPF_PERMERROR, NULL, "ring.example", NULL},
    {"192.0.2.1", "", "joe@ptr.example", SPF_PASS, "ptr", "ptr.example", NULL},
    {"192.0.2.66", "", "joe@ptr.example", SPF_FAIL, "-all", "ptr.example", "you are unknown"},
    {"192.0.2.3", "", "joe@ptr.example", SPF_FAIL, "-all", "ptr.example", "you are unknown"},
    {"198.51.100.9", "", "joe@pcount.example", SPF_PERMERROR, NULL, "pcount.example", NULL},
    {"198.51.100.9", "", "joe@pfits.example", SPF_FAIL, "-all", "pfits.example", NULL},
    {"198.51.100.9", "", "joe@eleven.example", SPF_PERMERROR, NULL, "eleven.example", NULL},
    {"198.51.100.9", "", "joe@ten.example", SPF_FAIL, "-all", "ten.example", NULL},
    {"192.0.2.1", "", "joe@voids3.example", SPF_PERMERROR, NULL, "voids3.example", NULL},
    {"192.0.2.1", "", "joe@voids2.example", SPF_PASS, "ip4:192.0.2.1", "voids2.example", NULL},
    {"192.0.2.1", "", "joe@manymx.example", SPF_PERMERROR, NULL, "manymx.example", NULL},
    {"192.0.2.1", "", "joe@tenmx.example", SPF_PASS, "mx", "tenmx.example", NULL},
    {"192.0.2.1", "", "joe@nonascii.example", SPF_FAIL, "-all", "nonascii.example", NULL},
    {"192.0.2.1", "", "joe@percent.example", SPF_FAIL, "-all", "percent.example", NULL},
    {"192.0.2.1", "", "joe@twoexp.example", SPF_FAIL, "-all", "twoexp.example", NULL},
    {"192.0.2.1", "", "joe@control.example", SPF_FAIL, "-all", "control.example", "joe"},
    {"192.0.2.1", "", "j\r\noe@control.example", SPF_FAIL, "-all", "control.example", NULL},
    {"192.0.2.1", "", "@control.example", SPF_FAIL, "-all", "control.example", "postmaster"},
    {"192.0.2.1", "", "control.example", SPF_FAIL, "-all", "control.example", "postmaster"},
    {"192.0.2.1", "", "a@b@control.example", SPF_FAIL, "-all", "control.example", "a@b"},
    {"192.0.2.1", "",
     "joe@b\xc3\xbc"
     "cher.example",
     SPF_PASS, "ip4:192.0.2.1", "xn--bcher-kva.example", NULL},
    {"192.0.2.1", "", "joe@mapped.example", SPF_PASS, "a:host.example//0", "mapped.example", NULL},
    {"192.0.2.2", "", "joe@mapped.example", SPF_FAIL, "-all", "mapped.example", NULL},
    {"2001:db9::", "", "joe@mapped.example", SPF_PASS, "a:host.example//0", "mapped.example", NULL},
};

static bool
is(struct str got, const char *want)
{
    return want == NULL ? got.len == 0 : str_eq(got, str_of(want));
}

static SUSPENDS void
check_row(struct resolver *r, size_t i)
{
    AUTO_ARENA *a = arena_new(1 << 16);
    struct spf_question q = {
        .helo = str_of(rows[i].helo), .from = str_of(rows[i].from), .host = STR("mx.here.example")};
    struct spf_answer got;

    ROW(i, subnet_read_around(str_of(rows[i].client), &q.client));
    ROW(i, spf_check(r, &q, a, &got) == OK);
    if (got.result != rows[i].result || !is(got.explanation, rows[i].explanation))
        fail_msg("row %zu: %s \"%.*s\" (%.*s)", i, spf_result_name(got.result),
                 STR_FMT(got.explanation), STR_FMT(got.problem));
    ROW(i, is(got.mechanism, rows[i].mechanism));
    ROW(i, is(got.decided_by, rows[i].decided_by));
    bool judged =
        got.result != SPF_NONE && got.result != SPF_TEMPERROR && got.result != SPF_PERMERROR;
    ROW(i, judged == (got.problem.len == 0));
    ROW(i, got.terms <= LIMIT_SPF_TERMS);
    /* One address has a name server of its own that does not answer. */
    ROW(i, !judged || got.secure == (strcmp(rows[i].client, "192.0.2.3") != 0));
}

static SUSPENDS struct resolver *
open_zone(struct str text)
{
    struct resolver_options o = {.zone = text};
    struct resolver *r = NULL;
    struct problem why = {0};

    if (resolver_new(&o, &r, &why) != OK)
        fail_msg("%s", why.text);
    return r;
}

FIBER_ENTRY static void
check_rows(void *arg)
{
    struct resolver *r = open_zone(STR(zone));

    (void)arg;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(r, i);
    resolver_free(&r);
    loop_stop();
}

static void
run(void (*entry)(void *arg))
{
    loop_init();
    assert_int_equal(fiber_go(entry, NULL), OK);
    loop_run();
    loop_release();
}

static void
test_rows(void **state)
{
    (void)state;
    run(check_rows);
}

static SUSPENDS void
ask(struct resolver *r, struct spf_question *q, struct arena *a, struct spf_answer *out)
{
    assert_true(subnet_read_around(STR("192.0.2.1"), &q->client));
    assert_int_equal(spf_check(r, q, a, out), OK);
}

/* What does not come from the rows: not validated, too long, too many, no time. */
FIBER_ENTRY static void
check_edges(void *arg)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF text = BUF(1 << 20), sender = BUF(1000);
    struct spf_question q = {.from = STR("joe@long.example")};
    struct spf_answer got;

    (void)arg;
    buf_add_z(&text, "good.example TXT \"v=spf1 +all\"\nlong.example TXT \"v=spf1 -all\" ");
    for (unsigned i = 0; i <= LIMIT_SPF_RECORD_BYTES / 8; i++)
        buf_add_z(&text, "\" ip4:1.2\" \".3.4\" ");
    for (unsigned i = 0; i <= LIMIT_DNS_RECORDS; i++)
        buf_add_z(&text, "\nmany.example TXT x");
    buf_add_z(&text, "\nmany.example TXT \"v=spf1 +all\"\nwide.example TXT \"v=spf1 a -all\"");
    for (unsigned i = 0; i < LIMIT_DNS_RECORDS; i++)
        buf_addf(&text, "\nwide.example A 192.0.%u.%u", 3 + i / 256, i % 256);
    struct resolver *r = open_zone(buf_str(&text));

    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_PERMERROR);
    q.from = STR("joe@many.example");
    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_PERMERROR);
    q.from = STR("joe@wide.example");
    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_FAIL);
    q.from = STR("joe@good.example");
    ask(r, &q, a, &got);
    assert_true(got.result == SPF_PASS && !got.secure && got.terms == 0);
    for (unsigned i = 0; i < LIMIT_LOCAL_PART_BYTES; i++)
        buf_add_char(&sender, 'x');
    buf_add_z(&sender, "@good.example");
    q.from = buf_str(&sender);
    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_PASS);
    buf_reset(&sender);
    for (unsigned i = 0; i <= LIMIT_LOCAL_PART_BYTES; i++)
        buf_add_char(&sender, 'x');
    buf_add_z(&sender, "@good.example");
    q.from = buf_str(&sender);
    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_NONE);
    resolver_free(&r);
    loop_stop();
}

static void
test_edges(void **state)
{
    (void)state;
    run(check_edges);
}

/* A name server that is not there: the time of the whole check counts, not that of each question. */
FIBER_ENTRY static void
check_time(void *arg)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str forward = STR("127.0.0.1@1");
    struct resolver_options o = {.forward = &forward, .forward_count = 1};
    struct spf_question q = {.from = STR("joe@plain.example"), .budget_ms = 1};
    struct resolver *r = NULL;
    struct spf_answer got;

    (void)arg;
    assert_int_equal(resolver_new(&o, &r, NULL), OK);
    ask(r, &q, a, &got);
    assert_int_equal(got.result, SPF_TEMPERROR);
    assert_true(got.problem.len > 0);
    resolver_free(&r);
    assert_int_equal(fiber_sleep(1), OK); /* its pump ends */
    loop_stop();
}

static void
test_time(void **state)
{
    (void)state;
    run(check_time);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
