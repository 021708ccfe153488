/* dmarc_record_test.c - DMARC records as they are published, right and wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_record.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

/* What differs from the defaults, in a fixed order. */
static void
describe(struct buf *b, const struct dmarc_record *r)
{
    static const char *const psd[] = {"", " psd=y", " psd=n"};

    buf_add_z(b, r->usable ? "p=" : "unusable");
    buf_add_z(b, dmarc_policy_name(r->p));
    if (r->sp != DMARC_POLICY_UNSAID)
        buf_addf(b, " sp=%s", dmarc_policy_name(r->sp));
    if (r->np != DMARC_POLICY_UNSAID)
        buf_addf(b, " np=%s", dmarc_policy_name(r->np));
    buf_add_z(b, psd[r->psd]);
    buf_add_z(b, r->strict_dkim ? " adkim=s" : "");
    buf_add_z(b, r->strict_spf ? " aspf=s" : "");
    buf_add_z(b, r->testing ? " t=y" : "");
    if (r->failure != DMARC_FO_ALL)
        buf_addf(b, " fo=%u", r->failure);
    if (r->rua.len > 0)
        buf_addf(b, " rua=%.*s", STR_FMT(r->rua));
    if (r->ruf.len > 0)
        buf_addf(b, " ruf=%.*s", STR_FMT(r->ruf));
}

static const struct {
    struct str text;
    const char *want; /* NULL: no record */
} records[] = {
    {STR("v=DMARC1; p=none"), "p=none"},
    {STR("v=DMARC1;p=reject;"), "p=reject"},
    {STR("v=DMARC1; p=quarantine; sp=reject; np=none"), "p=quarantine sp=reject np=none"},
    {STR("v=DMARC1; p=reject; psd=y; t=y; adkim=s; aspf=s; fo=1; rua=mailto:a@b.example; "
         "ruf=mailto:c@d.example"),
     "p=reject psd=y adkim=s aspf=s t=y fo=2 rua=mailto:a@b.example ruf=mailto:c@d.example"},
    {STR("v=DMARC1; p=none; psd=n; t=n; adkim=r; aspf=r; fo=0"), "p=none psd=n"},
    {STR("v=DMARC1; p=none; psd=u"), "p=none"},
    /* white space, case, order */
    {STR("  v = DMARC1 ;\tp\t=\treject  "), "p=reject"},
    {STR("V=DMARC1;P=Reject;ADKIM=S"), "p=reject adkim=s"},
    {STR("v=DMARC1; adkim=s; sp=none; p=reject"), "p=reject sp=none adkim=s"},
    /* no record */
    {STR(""), NULL},
    {STR("v=DMARC1 p=none"), NULL},
    {STR("v=dmarc1; p=none"), NULL},
    {STR("v=DMARC2; p=none"), NULL},
    {STR("v=DMARC1.0; p=none"), NULL},
    {STR("v=; p=none"), NULL},
    {STR("p=none; v=DMARC1"), NULL},
    {STR(";v=DMARC1; p=none"), NULL},
    {STR("DMARC1; p=none"), NULL},
    {STR("\"v=DMARC1; p=none\""), NULL},
    {STR("v=spf1 -all"), NULL},
    /* what is unknown, wrong or twice */
    {STR("v=DMARC1; p=reject; x=1; zz; =; ;;"), "p=reject"},
    {STR("v=DMARC1; p=reject; adkim=x; aspf=; t=1; psd=maybe; fo=q"), "p=reject"},
    {STR("v=DMARC1; p=reject; p=none; adkim=s; adkim=r"), "p=reject adkim=s"},
    {STR("v=DMARC1; p=reject; adkim=s\x01; aspf=\xc3\xa9"), "p=reject"},
    {STR("v=DMARC1; p=reject; sp="), "p=reject"},
    /* RFC 7489: pct, rf, ri */
    {STR("v=DMARC1; p=reject; pct=100; rf=afrf; ri=86400"), "p=reject"},
    {STR("v=DMARC1; p=reject; pct=5"), "p=reject"},
    {STR("v=DMARC1; p=reject; pct=0"), "p=reject t=y"},
    {STR("v=DMARC1; p=reject; pct=00"), "p=reject t=y"},
    {STR("v=DMARC1; p=reject; pct=0%"), "p=reject"},
    {STR("v=DMARC1; p=reject; pct=-0"), "p=reject"},
    {STR("v=DMARC1; p=reject; fo=1:d:s"), "p=reject fo=14"},
    {STR("v=DMARC1; p=reject; fo=0:1:x"), "p=reject fo=3"},
    /* no valid policy: to be told is to take part */
    {STR("v=DMARC1"), "unusable"},
    {STR("v=DMARC1; p=nothing; sp=reject"), "unusable"},
    {STR("v=DMARC1; p=nothing; sp=reject; rua=mailto:a@b.example"),
     "p=none rua=mailto:a@b.example"},
    {STR("v=DMARC1; rua=mailto:a@b.example"), "p=none rua=mailto:a@b.example"},
    {STR("v=DMARC1; rua=nobody"), "unusable rua=nobody"},
    {STR("v=DMARC1; rua=mailto:@,mailto:a@,mailto:"), "unusable rua=mailto:@,mailto:a@,mailto:"},
    {STR("v=DMARC1; p=reject; sp=all; rua=https://b.example/r"), "p=none rua=https://b.example/r"},
    {STR("v=DMARC1; p=reject; np=all"), "unusable"},
    {STR("v=DMARC1; psd=y"), "unusable psd=y"},
};

static void
records_are_read(void **state)
{
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        AUTO_BUF got = BUF(1024);
        struct dmarc_record r;
        enum status st = dmarc_record_parse(records[i].text, &r);
        ROW(i, st == (records[i].want != NULL ? OK : ERR_NOT_FOUND));
        if (st != OK)
            continue;
        describe(&got, &r);
        if (!str_eq(buf_str(&got), str_of(records[i].want)))
            FAIL_AND_STOP("row %zu: %.*s", i, STR_FMT(buf_str(&got)));
    }
    (void)state;
}

static void
reports_go_to_uris(void **state)
{
    static const struct {
        struct str list, want;
    } rows[] = {
        {STR("mailto:a@b.example"), STR("mailto:a@b.example|")},
        {STR(" mailto:a@b.example , https://c.example/d "),
         STR("mailto:a@b.example|https://c.example/d|")},
        {STR("mailto:a@b.example!10m,MAILTO:c@d.example!5"),
         STR("mailto:a@b.example|MAILTO:c@d.example|")},
        {STR("a@b.example,,mailto:a b@c.example,mailto:<a@b.example>,:a@b.example"), STR("")},
        {STR("mailto:a%2cb@c.example,mailto:d@e.example?subject=x"),
         STR("mailto:a%2cb@c.example|mailto:d@e.example?subject=x|")},
        {STR("1a:b@c.example,a_b:c@d.example,a+b-c.d:e"), STR("a+b-c.d:e|")},
        {STR(""), STR("")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(1024);
        struct str list = rows[i].list, uri;
        while (dmarc_uri_next(&list, &uri)) {
            buf_add(&got, uri);
            buf_add_char(&got, '|');
        }
        ROW(i, str_eq(buf_str(&got), rows[i].want));
    }
    (void)state;
}

static void
reports_go_to_addresses(void **state)
{
    static const struct {
        struct str list, want;
    } rows[] = {
        {STR("mailto:a@b.example!10m, MAILTO:c%2bd@e.example?subject=x!3"),
         STR("a@b.example 10485760|c+d@e.example 3|")},
        {STR("https://a@b.example/,mailto:a@b.example!2k"), STR("a@b.example 2048|")},
        {STR("mailto:a%@b.example,mailto:a%0a@b.example,mailto:a%zz@b.example,mailto:%40,mailto:a%"
             "3e%2c%3cb@b.example"),
         STR("")},
        {STR("mailto:a@b.example!10x,mailto:c@b.example!99999999t,mailto:d@b.example!"),
         STR("a@b.example 0|c@b.example 0|d@b.example 0|")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(1024);
        struct str list = rows[i].list;
        struct dmarc_mailto to;
        while (dmarc_mailto_next(&list, &to))
            buf_addf(&got, "%.*s %llu|", STR_FMT(to.address), (unsigned long long)to.bytes_max);
        ROW(i, str_eq(buf_str(&got), rows[i].want));
    }
    (void)state;
}

static void
a_record_has_a_longest_length(void **state)
{
    AUTO_BUF text = BUF(8192);
    struct dmarc_record r;

    buf_add_z(&text, "v=DMARC1;p=reject;x=");
    while (text.len < LIMIT_DMARC_RECORD_BYTES)
        buf_add_char(&text, 'x');
    assert_int_equal(dmarc_record_parse(buf_str(&text), &r), OK);
    buf_add_char(&text, 'x');
    assert_int_equal(dmarc_record_parse(buf_str(&text), &r), ERR_LIMIT);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(reports_go_to_uris),
        cmocka_unit_test(reports_go_to_addresses),
        cmocka_unit_test(a_record_has_a_longest_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
