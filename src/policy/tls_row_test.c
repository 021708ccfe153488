/* tls_row_test.c - facts about TLS: as rows, cut to their bounds, and as a report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_row.h"

#include "base/size.h"
#include "base/testing.h"

static const struct tls_fact good = {.policy = TLS_POLICY_STS,
                                     .domain = STR("a.example"),
                                     .text =
                                         STR("version: STSv1\nmx: mx.a.example\nmx: *.b.example"),
                                     .host = STR("mx.a.example"),
                                     .sending = STR("192.0.2.1"),
                                     .receiving = STR("192.0.2.2")},
                             bad = {.policy = TLS_POLICY_STS,
                                    .result = TLS_RESULT_EXPIRED,
                                    .domain = STR("a.example"),
                                    .text =
                                        STR("version: STSv1\nmx: mx.a.example\nmx: *.b.example"),
                                    .host = STR("mx.a.example"),
                                    .sending = STR("192.0.2.1"),
                                    .receiving = STR("192.0.2.2"),
                                    .reason = STR("certificate has expired")},
                             none = {.policy = TLS_POLICY_NONE,
                                     .result = TLS_RESULT_STARTTLS_NOT_SUPPORTED,
                                     .domain = STR("a.example"),
                                     .host = STR("mx2.a.example")};

static void
rows_are_read_as_written(void **state)
{
    static const struct tls_fact *const facts[] = {&good, &bad, &none};

    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        AUTO_BUF b = BUF(TLS_ROW_MAX);
        struct tls_fact f;
        tls_row_write(facts[i], &b);
        ROW(i, buf_status(&b) == OK && tls_row_read(buf_str(&b), &f) == OK);
        ROW(i, f.policy == facts[i]->policy && f.result == facts[i]->result);
        ROW(i, str_eq(f.domain, facts[i]->domain) && str_eq(f.text, facts[i]->text));
        ROW(i, str_eq(f.host, i == 0 ? STR("") : facts[i]->host));
        ROW(i, str_eq(f.reason, facts[i]->reason));
        for (size_t n = 0; n < b.len; n++) /* cut off */
            ROW(i, tls_row_read(str_from(b.ptr, n), &f) == ERR_CORRUPT);
        buf_add_char(&b, 'x');
        ROW(i, tls_row_read(buf_str(&b), &f) == ERR_CORRUPT);
    }
    (void)state;
}

static void
long_texts_are_cut(void **state)
{
    AUTO_BUF text = BUF(65536), row = BUF(TLS_ROW_MAX);
    struct tls_fact f = bad, got;

    for (size_t i = 0; i < 1000; i++)
        buf_addf(&text, "%s3 1 1 %04zu", i > 0 ? "\n" : "", i);
    f.text = f.domain = f.host = f.sending = f.receiving = f.reason = buf_str(&text);
    tls_row_write(&f, &row);
    assert_int_equal(buf_status(&row), OK);
    assert_int_equal(tls_row_read(buf_str(&row), &got), OK);
    assert_true(got.text.len > LIMIT_TLS_FACT_TEXT_BYTES - 12 &&
                got.text.len <= LIMIT_TLS_FACT_TEXT_BYTES);
    assert_true(str_starts(buf_str(&text), got.text) && text.ptr[got.text.len] == '\n');
    (void)state;
}

static void
rows_make_a_report(void **state)
{
    AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
    struct tls_report r = {0};

    tls_row_add(&r, &good, 7, a);
    tls_row_add(&r, &none, 1, a);
    tls_row_add(&r, &bad, 2, a);
    tls_row_add(&r, &good, 3, a);
    assert_int_equal(r.policy_count, 2);
    assert_str(r.policies->type, STR("sts"));
    assert_int_equal(r.policies->successes, 10);
    assert_int_equal(r.policies->failures, 2);
    assert_int_equal(r.policies->text_count, 3);
    assert_int_equal(r.policies->mx_host_count, 2);
    assert_str(r.policies->mx_hosts[1], STR("*.b.example"));
    assert_str(r.policies->details->result, STR("certificate-expired"));
    assert_int_equal(r.policies->details->count, 2);
    assert_null(r.policies->details->next);
    assert_str(r.policies->next->type, STR("no-policy-found"));
    assert_int_equal(r.policies->next->text_count, 0);
    assert_int_equal(r.policies->next->failures, 1);
    (void)state;
}

static void
reports_are_bounded(void **state)
{
    AUTO_ARENA *a = arena_new(TLS_REPORT_ARENA);
    struct tls_report r = {0};

    for (size_t i = 0; i < LIMIT_TLS_REPORT_POLICY_DETAILS + 5; i++) {
        struct tls_fact f = bad;
        f.reason = arena_printf(a, "%zu", i);
        tls_row_add(&r, &f, 1, a);
    }
    for (size_t i = 0; i < LIMIT_TLS_REPORT_OWN_POLICIES + 5; i++) {
        struct tls_fact f = good;
        f.domain = arena_printf(a, "%zu.example", i);
        tls_row_add(&r, &f, 1, a);
    }
    assert_int_equal(r.policy_count, LIMIT_TLS_REPORT_OWN_POLICIES);
    assert_int_equal(r.policies->failures, LIMIT_TLS_REPORT_POLICY_DETAILS + 5);
    size_t n = 0;
    for (const struct tls_report_failure *f = r.policies->details; f != NULL; f = f->next)
        n++;
    assert_int_equal(n, LIMIT_TLS_REPORT_POLICY_DETAILS);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read_as_written),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(rows_make_a_report),
        cmocka_unit_test(reports_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
