/* tls_report_test.c - reports about TLS: written, read as others write them, unpacked or refused; the record of DNS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_report.h"

#include "base/size.h"
#include "base/testing.h"
#include "policy/gzip.h"

/* In the form of RFC 8460 appendix B. */
static const char others[] =
    "\xef\xbb\xbf{\"organization-name\": \"Company-X\", \"more\": [{}],"
    "\"date-range\": {\"start-datetime\": \"2016-04-01T02:00:00+02:00\","
    "\"end-datetime\": \"2016-04-01t23:59:59.5Z\"},"
    "\"contact-info\": \"sts-reporting@company-x.example\", \"report-id\": \"5065427c\","
    "\"policies\": [{\"policy\": {\"policy-type\": \"sts\","
    "\"policy-string\": [\"version: STSv1\",\"mode: testing\",\"mx: *.mail.company-y.example\",7],"
    "\"policy-domain\": \"company-y.example\", \"mx-host\": \"*.mail.company-y.example\"},"
    "\"summary\": {\"total-successful-session-count\": 5326,"
    "\"total-failure-session-count\": \"303\"},"
    "\"failure-details\": [{\"result-type\": \"certificate-expired\","
    "\"sending-mta-ip\": \"2001:db8:abcd:0012::1\","
    "\"receiving-mx-hostname\": \"mx1.mail.company-y.example\",\"failed-session-count\": 100.0},"
    "{\"result-type\": \"starttls-not-supported\",\"receiving-ip\": \"203.0.113.56\","
    "\"failed-session-count\": 200,\"additional-information\": \"https://x.example/?id=5065427c\"},"
    "{\"result-type\": \"validation-failure\",\"failed-session-count\": -3,"
    "\"failure-reason-code\": \"X509_V_ERR_PROXY\\u001b[31m\\u0000\"}]},"
    "{\"policy\": {\"policy-type\": \"no-policy-found\", \"policy-domain\": 1}}]}";

static void
reports_of_others_are_read(void **state)
{
    AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
    struct tls_report r;

    assert_int_equal(tls_report_read(STR(others), a, &r), OK);
    assert_str(r.organization, STR("Company-X"));
    assert_str(r.contact, STR("sts-reporting@company-x.example"));
    assert_str(r.id, STR("5065427c"));
    assert_int_equal(r.begin_s, 1459468800);
    assert_int_equal(r.end_s, 1459555199);
    assert_int_equal(r.policy_count, 2);
    const struct tls_report_policy *p = r.policies;
    assert_str(p->type, STR("sts"));
    assert_str(p->domain, STR("company-y.example"));
    assert_int_equal(p->text_count, 3);
    assert_str(p->texts[1], STR("mode: testing"));
    assert_int_equal(p->mx_host_count, 1);
    assert_str(p->mx_hosts[0], STR("*.mail.company-y.example"));
    assert_int_equal(p->successes, 5326);
    assert_int_equal(p->failures, 303);
    const struct tls_report_failure *f = p->details;
    assert_str(f->result, STR("certificate-expired"));
    assert_str(f->sending_ip, STR("2001:db8:abcd:0012::1"));
    assert_str(f->mx_host, STR("mx1.mail.company-y.example"));
    assert_int_equal(f->count, 100);
    f = f->next;
    assert_str(f->receiving_ip, STR("203.0.113.56"));
    assert_str(f->info, STR("https://x.example/?id=5065427c"));
    f = f->next;
    assert_int_equal(f->count, 0);
    assert_str(f->reason, STR("X509_V_ERR_PROXY [31m"));
    assert_null(f->next);
    assert_str(p->next->domain, STR(""));
    assert_null(p->next->details);
    assert_null(p->next->next);
    (void)state;
}

static void
what_is_written_is_read(void **state)
{
    AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
    AUTO_BUF json = BUF(4096), packed = BUF(4096), unpacked = BUF(4096), small = BUF(100);
    const struct str texts[] = {STR("3 1 1 AA\"\\"), STR("2 0 1 \xff\xc3\xa9")};
    struct tls_report_failure f = {.result = str_of(tls_result_name(TLS_RESULT_EXPIRED)),
                                   .sending_ip = STR("192.0.2.1"),
                                   .mx_host = STR("mx.example"),
                                   .receiving_ip = STR("192.0.2.2"),
                                   .count = 2,
                                   .reason = STR("certificate has expired")};
    struct tls_report_policy p = {.type = str_of(tls_policy_name(TLS_POLICY_TLSA)),
                                  .texts = texts,
                                  .text_count = COUNT_OF(texts),
                                  .domain = STR("mx.example"),
                                  .successes = 5,
                                  .failures = 2,
                                  .details = &f};
    const struct tls_report r = {.organization = STR("mail.example"),
                                 .contact = STR("postmaster@mail.example"),
                                 .id = STR("1.2@mail.example"),
                                 .begin_s = 1459468800,
                                 .end_s = 1459468800 + 86400,
                                 .policies = &p,
                                 .policy_count = 1};
    struct tls_report again;

    assert_int_equal(tls_report_write(&json, &r), OK);
    assert_true(str_starts(
        buf_str(&json),
        STR("{\"organization-name\": \"mail.example\", \"date-range\": {\"start-datetime\": "
            "\"2016-04-01T00:00:00Z\", \"end-datetime\": \"2016-04-02T00:00:00Z\"}, "
            "\"contact-info\": \"postmaster@mail.example\"")));
    assert_int_equal(gzip_pack(buf_str(&json), &packed), OK);
    assert_int_equal(tls_report_unpack(buf_str(&packed), &unpacked), OK);
    assert_str(buf_str(&unpacked), buf_str(&json));
    assert_int_equal(tls_report_read(buf_str(&unpacked), a, &again), OK);
    assert_int_equal(again.end_s - again.begin_s, 86400);
    assert_str(again.policies->texts[0], texts[0]);
    assert_str(again.policies->texts[1], STR("2 0 1 ?\xc3\xa9"));
    assert_int_equal(again.policies->mx_host_count, 0);
    assert_str(again.policies->details->reason, f.reason);
    assert_int_equal(tls_report_write(&small, &r), ERR_LIMIT);
    (void)state;
}

static const struct {
    struct str packed;
    enum status want;
} refused[] = {
    {STR(""), ERR_SYNTAX},
    {STR("<x/>"), ERR_SYNTAX},
    {STR("{}"), ERR_SYNTAX},
    {STR("{\"policies\": []}"), ERR_SYNTAX},
    {STR("{\"policies\": {}}"), ERR_SYNTAX},
    {STR("{\"policies\": [1]}"), ERR_SYNTAX},
    {STR("{\"policies\": [{}]}"), ERR_SYNTAX},
    {STR("{\"policies\": [{\"policy\": {}}]"), ERR_SYNTAX},
    {STR("{\"policies\": [{\"policy\": {}}]} {}"), ERR_SYNTAX},
    {STR("{\"a\": 1, \"a\": 2, \"policies\": [{\"policy\": {}}]}"), ERR_SYNTAX},
    {STR("{\"a\": [[[[[[[[[[[[1]]]]]]]]]]]], \"policies\": [{\"policy\": {}}]}"), ERR_SYNTAX},
    {STR("\x1f\x8b\x08"), ERR_SYNTAX},
    {STR("{\"policies\": [{\"policy\": {}}]}"), OK},
};

static void
what_is_none_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
        AUTO_BUF json = BUF(4096);
        struct tls_report r;
        enum status st = tls_report_unpack(refused[i].packed, &json);
        if (st == OK)
            st = tls_report_read(buf_str(&json), a, &r);
        ROW(i, st == refused[i].want);
    }
    (void)state;
}

/* A report with so many policies and, in the first, details. */
static enum status
read_many(size_t policies, size_t details)
{
    AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
    AUTO_BUF json = BUF(LIMIT_TLS_REPORT_BYTES);
    struct tls_report r;

    buf_add_z(&json, "{\"policies\": [{\"policy\": {}, \"failure-details\": [");
    for (size_t i = 0; i < details; i++)
        buf_addf(&json, "%s{\"result-type\":\"x\"}", i == 0 ? "" : ",");
    buf_add_z(&json, "]}");
    for (size_t i = 1; i < policies; i++)
        buf_add_z(&json, ",{\"policy\": {}}");
    buf_add_z(&json, "]}");
    assert_int_equal(buf_status(&json), OK);
    return tls_report_read(buf_str(&json), a, &r);
}

static void
bounds_hold(void **state)
{
    AUTO_BUF zeroes = BUF(LIMIT_TLS_REPORT_BYTES + 1), packed = BUF(1 << 20), out = BUF(2 << 20);

    assert_int_equal(read_many(LIMIT_TLS_REPORT_POLICIES, LIMIT_TLS_REPORT_DETAILS), OK);
    assert_int_equal(read_many(LIMIT_TLS_REPORT_POLICIES + 1, 0), ERR_LIMIT);
    assert_int_equal(read_many(1, LIMIT_TLS_REPORT_DETAILS + 1), ERR_LIMIT);
    while (zeroes.len < LIMIT_TLS_REPORT_BYTES)
        buf_add_char(&zeroes, '0');
    assert_int_equal(gzip_pack(buf_str(&zeroes), &packed), OK);
    assert_int_equal(tls_report_unpack(buf_str(&packed), &out), ERR_LIMIT); /* the ratio */
    assert_int_equal(out.len, 0);
    (void)state;
}

static const struct {
    struct str texts[2];
    const char *rua; /* NULL: does not take part */
} records[] = {
    {{STR("v=TLSRPTv1;rua=mailto:reports@example.com")}, "mailto:reports@example.com"},
    {{STR("v=TLSRPTv1; rua=https://r.example/v1")}, "https://r.example/v1"},
    {{STR("v=TLSRPTv1 ; rua=mailto:a@b.example,https://r.example/ ;")},
     "mailto:a@b.example,https://r.example/"},
    {{STR("v=TLSRPTv1; 1.new-name=x; rua=mailto:a@b.example")}, "mailto:a@b.example"},
    {{STR("v=TLSRPTv1; rua=mailto:a@b.example"), STR("v=spf1 -all")}, "mailto:a@b.example"},
    {{STR("v=TLSRPTv1; rua=mailto:a@b.example"), STR("v=TLSRPTv1; x=y")}, NULL}, /* two */
    {{STR("v=TLSRPTv1; RUA=mailto:a@b.example")}, NULL},
    {{STR("v=TLSRPTv1; rua=")}, NULL},
    {{STR("v=TLSRPTv1; rua=mailto:a@b.example; junk")}, NULL},
    {{STR("v=TLSRPTv1")}, NULL},
    {{STR("v=TLSRPTv11; rua=mailto:a@b.example")}, NULL},
    {{STR("V=TLSRPTv1; rua=mailto:a@b.example")}, NULL},
    {{STR("rua=mailto:a@b.example; v=TLSRPTv1;")}, NULL},
    {{STR("")}, NULL},
};

static void
records_of_dns_are_read(void **state)
{
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct str rua = STR("");
        size_t n = records[i].texts[1].len > 0 ? 2 : 1;
        ROW(i, tls_rua_choose(records[i].texts, n, &rua) == (records[i].rua != NULL));
        ROW(i, records[i].rua == NULL || str_eq(rua, str_of(records[i].rua)));
    }
    (void)state;
}

static const struct {
    const char *uri, *address; /* NULL: it is none */
} addresses[] = {
    {"mailto:a@b.example", "a@b.example"},
    {"MAILTO:A.b@B.example", "A.b@b.example"},
    {"mailto:a%2Bb@c.example?subject=x", "a+b@c.example"},
    {"mailto:%22a%20b%22@c.example", "\"a b\"@c.example"},
    {"mailto:a@b.example%0d%0aRCPT", NULL},
    {"mailto:a%2", NULL},
    {"mailto:a%zz@b.example", NULL},
    {"mailto:a@[192.0.2.1]", NULL},
    {"mailto:", NULL},
    {"mailto:a", NULL},
    {"https://a@b.example", NULL},
};

static void
uris_give_addresses(void **state)
{
    struct str list =
                   STR(" mailto:a@b.example!10m,ftp://x.example/, https://r.example/v1 ,mailto:x"),
               uri;

    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        AUTO_BUF b = BUF(1024);
        ROW(i, tls_rua_address(str_of(addresses[i].uri), &b) == (addresses[i].address != NULL));
        ROW(i, addresses[i].address == NULL || str_eq(buf_str(&b), str_of(addresses[i].address)));
    }
    assert_true(tls_rua_next(&list, &uri));
    assert_str(uri, STR("https://r.example/v1"));
    assert_true(tls_rua_next(&list, &uri));
    assert_str(uri, STR("mailto:x"));
    assert_false(tls_rua_next(&list, &uri));
    assert_false(tls_rua_next(&list, &uri));
    (void)state;
}

static void
results_have_names(void **state)
{
    enum tls_result r = TLS_RESULT_SUCCESS;

    for (size_t i = 1; i < TLS_RESULTS; i++) {
        enum tls_result each = (enum tls_result)i; /* in range */
        ROW(i, tls_result_of(str_of(tls_result_name(each)), &r) && r == each);
        ROW(i, tls_result_words(each)[0] != '\0');
    }
    assert_false(tls_result_of(STR(""), &r));
    assert_false(tls_result_of(STR("mx-mismatch"), &r));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_others_are_read), cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_none_is_refused),    cmocka_unit_test(bounds_hold),
        cmocka_unit_test(records_of_dns_are_read),    cmocka_unit_test(uris_give_addresses),
        cmocka_unit_test(results_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
