/* dmarc_row_test.c - records as counted bytes: there and back, too large, damaged.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_row.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"

static struct report_signature second = {STR("other.example"), STR("s2"), STR("fail"), {0}, NULL};
static struct report_signature first = {STR("a.example"), STR("s1"), STR("pass"), {0}, &second};
static const struct dmarc_report policy = {.domain = STR("a.example"),
                                           .p = STR("reject"),
                                           .sp = STR("none"),
                                           .adkim = STR("s"),
                                           .fo = STR("1:d"),
                                           .testing = STR("y")};

static struct report_record
record(void)
{
    return (struct report_record){.source_ip = STR("192.0.2.1"),
                                  .count = 7,
                                  .disposition = STR("none"),
                                  .dkim = STR("pass"),
                                  .spf = STR("fail"),
                                  .reason = STR("local_policy"),
                                  .header_from = STR("news.a.example"),
                                  .envelope_from = STR("b.example"),
                                  .signatures = &first,
                                  .spf_domain = STR("b.example"),
                                  .spf_result = STR("softfail")};
}

static void
they_come_back(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF b = BUF(LIMIT_TALLY_ROW_BYTES);
    const struct report_record r = record();
    struct dmarc_report p;
    struct report_record out;

    dmarc_row_write(&policy, &r, &b);
    assert_int_equal(dmarc_row_read(buf_str(&b), a, &p, &out), OK);
    assert_str(p.domain, policy.domain);
    assert_str(p.p, policy.p);
    assert_str(p.sp, policy.sp);
    assert_str(p.np, STR(""));
    assert_str(p.adkim, policy.adkim);
    assert_str(p.fo, policy.fo);
    assert_str(p.testing, policy.testing);
    assert_str(out.source_ip, r.source_ip);
    assert_str(out.disposition, r.disposition);
    assert_str(out.dkim, r.dkim);
    assert_str(out.spf, r.spf);
    assert_str(out.reason, r.reason);
    assert_str(out.header_from, r.header_from);
    assert_str(out.envelope_from, r.envelope_from);
    assert_str(out.spf_domain, r.spf_domain);
    assert_str(out.spf_result, r.spf_result);
    assert_str(out.signatures->selector, STR("s1"));
    assert_str(out.signatures->next->domain, STR("other.example"));
    assert_null(out.signatures->next->next);
    assert_int_equal(out.count, 0); /* it is not of the row */
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(dmarc_row_read(str_sub(buf_str(&b), 0, i), a, &p, &out), ERR_CORRUPT);
    buf_add_char(&b, 'x');
    assert_int_equal(dmarc_row_read(buf_str(&b), a, &p, &out), ERR_CORRUPT);
}

static void
large_ones_lose_signatures(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF b = BUF(LIMIT_TALLY_ROW_BYTES);
    struct report_signature many[12] = {0};
    struct report_record r = record(), out;
    struct dmarc_report p;
    char text[300];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'x';
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct report_signature){.domain = str_from(text, 253),
                                            .selector = str_from(text, 255),
                                            .result = STR("pass"),
                                            .next = i + 1 < COUNT_OF(many) ? &many[i + 1] : NULL};
    r.signatures = many;
    r.header_from = r.envelope_from = r.spf_domain = str_from(text, sizeof(text));
    dmarc_row_write(&policy, &r, &b);
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(dmarc_row_read(buf_str(&b), a, &p, &out), OK);
    assert_int_equal(out.header_from.len, 255);
    for (const struct report_signature *s = out.signatures; s != NULL; s = s->next)
        n++;
    assert_int_equal(n, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_back),
        cmocka_unit_test(large_ones_lose_signatures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
