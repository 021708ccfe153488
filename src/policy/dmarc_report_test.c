/* dmarc_report_test.c - aggregate reports: written, read as others write them, and unpacked or refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

#define ZLIB_CONST /* what is read is not written */
#include <zlib.h>

#include "base/size.h"
#include "base/testing.h"
#include "policy/gzip.h"

/* As of RFC 7489 appendix C, with what others add. */
static const char others[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<!-- a report -->\n"
    "<feedback xmlns:x=\"urn:example\"><version>1.0</version><report_metadata>"
    "<org_name> Example &amp; <![CDATA[Sons]]>\n</org_name><email>a@b.example</email>"
    "<report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086400</end></"
    "date_range>"
    "<x:more><x:org_name>no</x:org_name></x:more></report_metadata>"
    "<policy_published><domain>example.com</domain><adkim>r</adkim><p>reject</p><pct>100</pct>"
    "</policy_published>"
    "<record><row><source_ip>192.0.2.1</source_ip><count>12</count><policy_evaluated>"
    "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>"
    "<reason><type>forwarded</type><comment>caf&#xe9;</comment></reason>"
    "<reason><type>other</type></reason></policy_evaluated></row>"
    "<identifiers><header_from>example.com</header_from></identifiers><auth_results>"
    "<dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>"
    "<dkim><domain>example.net</domain><result>fail</result></dkim>"
    "<spf><domain>example.org</domain><result>pass</result></spf></auth_results></record>"
    "<record><row><source_ip>2001:db8::1</source_ip><count>x</count></row></record></feedback>";

static void
reports_of_others_are_read(void **state)
{
    AUTO_ARENA *a = arena_new(DMARC_REPORT_ARENA);
    struct dmarc_report r;

    assert_int_equal(dmarc_report_read(STR(others), a, &r), OK);
    assert_str(r.org_name, STR("Example & Sons"));
    assert_str(r.email, STR("a@b.example"));
    assert_int_equal(r.begin_s, 1700000000);
    assert_int_equal(r.end_s, 1700086400);
    assert_str(r.domain, STR("example.com"));
    assert_str(r.p, STR("reject"));
    assert_str(r.sp, STR(""));
    assert_int_equal(r.record_count, 2);
    assert_str(r.records->source_ip, STR("192.0.2.1"));
    assert_int_equal(r.records->count, 12);
    assert_str(r.records->dkim, STR("pass"));
    assert_str(r.records->reason, STR("forwarded"));
    assert_str(r.records->comment, STR("caf\xc3\xa9"));
    assert_str(r.records->signatures->selector, STR("s1"));
    assert_str(r.records->signatures->next->domain, STR("example.net"));
    assert_null(r.records->signatures->next->next);
    assert_str(r.records->spf_domain, STR("example.org"));
    assert_str(r.records->next->source_ip, STR("2001:db8::1"));
    assert_int_equal(r.records->next->count, 0);
    assert_null(r.records->next->signatures);
    (void)state;
}

static void
what_is_written_is_read(void **state)
{
    AUTO_ARENA *a = arena_new(DMARC_REPORT_ARENA);
    AUTO_BUF xml = BUF(65536), again = BUF(65536);
    struct report_signature s = {STR("example.com"), STR("s&1"), STR("fail"), STR("bad \"b=\""),
                                 NULL};
    struct report_record record = {.source_ip = STR("192.0.2.1"),
                                   .count = 3,
                                   .disposition = STR("quarantine"),
                                   .dkim = STR("fail"),
                                   .spf = STR("fail"),
                                   .reason = STR("policy_test_mode"),
                                   .header_from = STR("example.com"),
                                   .signatures = &s,
                                   .spf_domain = STR("<evil>\n\xff\x01&lt;"),
                                   .spf_result = STR("softfail")};
    struct dmarc_report r = {.org_name = STR("Us"),
                             .email = STR("d@us.example"),
                             .report_id = STR("x]]>y"),
                             .begin_s = 1,
                             .end_s = UINT64_MAX,
                             .domain = STR("example.com"),
                             .p = STR("reject"),
                             .testing = STR("y"),
                             .records = &record};
    struct dmarc_report read;

    dmarc_report_write(&xml, &r);
    assert_int_equal(dmarc_report_read(buf_str(&xml), a, &read), OK);
    assert_str(read.report_id, STR("x]]>y"));
    assert_int_equal(read.end_s, UINT64_MAX);
    assert_str(read.records->spf_domain, STR("<evil>???&lt;"));
    assert_str(read.records->signatures->selector, STR("s&1"));
    assert_str(read.records->signatures->human_result, STR("bad \"b=\""));
    dmarc_report_write(&again, &read);
    assert_str(buf_str(&again), buf_str(&xml));
    (void)state;
}

#define HEAD "<feedback><report_metadata><org_name>o</org_name></report_metadata>"
#define BODY "<policy_published><domain>d.example</domain></policy_published>"

static void
what_is_no_report_is_refused(void **state)
{
    static const struct {
        struct str xml;
        enum status want;
    } rows[] = {
        {STR(HEAD BODY "</feedback>"), OK},
        {STR("\xef\xbb\xbf" HEAD BODY "</feedback>"), OK},
        {STR(""), ERR_SYNTAX},
        {STR("<feedback/>"), ERR_SYNTAX},
        {STR(HEAD "</feedback>"), ERR_SYNTAX},
        {STR("<feedback>" BODY "</feedback>"), ERR_SYNTAX},
        {STR(HEAD BODY), ERR_SYNTAX},
        {STR(HEAD BODY "</feedback><more/>"), ERR_SYNTAX},
        {STR(HEAD BODY "&undeclared;</feedback>"), ERR_SYNTAX},
        {STR(HEAD BODY "\xff</feedback>"), ERR_SYNTAX},
        {STR("<other>" HEAD BODY "</feedback></other>"), ERR_SYNTAX},
        {STR("<!DOCTYPE feedback>" HEAD BODY "</feedback>"), ERR_DENIED},
        {STR("<!DOCTYPE f [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" HEAD "&b;</feedback>"),
         ERR_DENIED},
        {STR("<!DOCTYPE f [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" HEAD "&x;</feedback>"),
         ERR_DENIED},
        {STR(HEAD BODY "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"), ERR_LIMIT},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(DMARC_REPORT_ARENA);
        struct dmarc_report r;
        ROW(i, dmarc_report_read(rows[i].xml, a, &r) == rows[i].want);
    }
    (void)state;
}

static void
reading_has_limits(void **state)
{
    AUTO_ARENA *a = arena_new(DMARC_REPORT_ARENA);
    AUTO_BUF xml = BUF(LIMIT_REPORT_BYTES);
    struct dmarc_report r;

    buf_add_z(&xml, HEAD BODY);
    for (size_t i = 0; i < LIMIT_REPORT_RECORDS; i++)
        buf_add_z(&xml, "<record/>");
    size_t most = xml.len;
    buf_add_z(&xml, "</feedback>");
    assert_int_equal(dmarc_report_read(buf_str(&xml), a, &r), OK);
    assert_int_equal(r.record_count, LIMIT_REPORT_RECORDS);
    xml.len = most;
    buf_add_z(&xml, "<record/></feedback>");
    assert_int_equal(dmarc_report_read(buf_str(&xml), a, &r), ERR_LIMIT);

    buf_reset(&xml);
    buf_add_z(&xml, HEAD BODY "<record><auth_results>");
    for (size_t i = 0; i <= LIMIT_REPORT_SIGNATURES; i++)
        buf_add_z(&xml, "<dkim/>");
    buf_add_z(&xml, "</auth_results></record></feedback>");
    assert_int_equal(dmarc_report_read(buf_str(&xml), a, &r), ERR_LIMIT);

    buf_reset(&xml);
    buf_add_z(&xml, "<feedback><report_metadata><org_name>");
    for (size_t i = 0; i < 2 * LIMIT_REPORT_TEXT_BYTES; i++)
        buf_add_char(&xml, 'o');
    buf_add_z(&xml, "</org_name></report_metadata>" BODY "</feedback>");
    assert_int_equal(dmarc_report_read(buf_str(&xml), a, &r), OK);
    assert_int_equal(r.org_name.len, LIMIT_REPORT_TEXT_BYTES);
    (void)state;
}

/* ---- unpacking ---- */

/* window: 31 gzip, -15 raw */
static void
deflate_into(struct str text, int window, struct buf *out)
{
    z_stream z = {.next_in = (const Bytef *)text.ptr, .avail_in = (uInt)text.len};
    char piece[4096];
    int rc = Z_OK;

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    while (rc == Z_OK) {
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof(piece);
        rc = deflate(&z, Z_FINISH);
        buf_add(out, str_from(piece, sizeof(piece) - z.avail_out));
    }
    assert_int_equal(rc, Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static void
le(struct buf *b, size_t n, size_t bytes)
{
    for (; bytes-- > 0; n >>= 8)
        buf_add_char(b, (char)(n & 255));
}

/* A zip with one file called "r.xml". */
static void
zip_into(struct str text, unsigned method, struct buf *b)
{
    AUTO_BUF packed = BUF(1 << 22);
    size_t crc = crc32(0, (const Bytef *)text.ptr, (uInt)text.len);

    if (method == 8)
        deflate_into(text, -15, &packed);
    else
        buf_add(&packed, text);
    for (int central = 0; central < 2; central++) {
        size_t at = b->len;
        buf_add(b, central ? STR("PK\x01\x02\x14\0\x14\0\0\0") : STR("PK\x03\x04\x14\0\0\0"));
        le(b, method, 2);
        le(b, 0, 4);
        le(b, crc, 4);
        le(b, packed.len, 4);
        le(b, text.len, 4);
        le(b, 5, 2);
        le(b, 0, central ? 16 : 2);
        buf_add_z(b, "r.xml");
        if (!central) {
            buf_add(b, buf_str(&packed));
            continue;
        }
        size_t size = b->len - at;
        buf_add(b, STR("PK\x05\x06\0\0\0\0\1\0\1\0"));
        le(b, size, 4);
        le(b, at, 4);
        le(b, 0, 2);
    }
}

static void
packed_reports_are_unpacked(void **state)
{
    AUTO_BUF gzip = BUF(65536), zip = BUF(65536), stored = BUF(65536), out = BUF(65536);

    deflate_into(STR(others), 31, &gzip);
    zip_into(STR(others), 8, &zip);
    zip_into(STR(others), 0, &stored);
    struct str rows[] = {STR(others), buf_str(&gzip), buf_str(&zip), buf_str(&stored)};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_reset(&out);
        ROW(i, dmarc_report_unpack(rows[i], &out) == OK && str_eq(buf_str(&out), STR(others)));
        /* cut anywhere */
        for (size_t n = 0; i > 0 && n < rows[i].len; n++) {
            buf_reset(&out);
            ROW(i, dmarc_report_unpack(str_sub(rows[i], 0, n), &out) == ERR_SYNTAX && out.len == 0);
        }
    }
    buf_add_char(&gzip, 'x');
    assert_int_equal(dmarc_report_unpack(buf_str(&gzip), &out), ERR_SYNTAX);
    zip.ptr[14] ^= 1;
    zip.ptr[60] ^= 1;
    assert_int_equal(dmarc_report_unpack(buf_str(&zip), &out), ERR_SYNTAX);
    assert_int_equal(dmarc_report_unpack(STR("not XML"), &out), ERR_SYNTAX);
    (void)state;
}

static void
bombs_are_refused(void **state)
{
    AUTO_BUF zeros = BUF(LIMIT_REPORT_BYTES + 1), gzip = BUF(1 << 22), zip = BUF(1 << 22);
    AUTO_BUF out = BUF(2 * (size_t)LIMIT_REPORT_BYTES);

    for (size_t i = 0; i <= LIMIT_REPORT_BYTES; i++)
        buf_add_char(&zeros, ' ');
    deflate_into(buf_str(&zeros), 31, &gzip);
    zip_into(buf_str(&zeros), 8, &zip);
    assert_int_equal(dmarc_report_unpack(buf_str(&gzip), &out), ERR_LIMIT);
    assert_int_equal(dmarc_report_unpack(buf_str(&zip), &out), ERR_LIMIT);
    assert_int_equal(out.len, 0);
    zeros.ptr[0] = '<';
    assert_int_equal(dmarc_report_unpack(buf_str(&zeros), &out), ERR_LIMIT);
    (void)state;
}

static void
what_is_packed_is_unpacked(void **state)
{
    AUTO_BUF plain = BUF(1 << 20);
    AUTO_BUF gz = BUF(1 << 20);
    AUTO_BUF again = BUF(1 << 20);
    AUTO_BUF small = BUF(64);

    for (uint32_t i = 0; plain.len < 100000; i++) /* not so alike that it counts as a bomb */
        buf_addf(&plain, "<%08x%08x>\n", i * 2654435761u, i * 40503u);
    assert_int_equal(gzip_pack(buf_str(&plain), &gz), OK);
    assert_true(gz.len < plain.len);
    assert_int_equal(dmarc_report_unpack(buf_str(&gz), &again), OK);
    assert_str(buf_str(&again), buf_str(&plain));
    assert_int_equal(gzip_pack(buf_str(&plain), &small), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_others_are_read),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_no_report_is_refused),
        cmocka_unit_test(reading_has_limits),
        cmocka_unit_test(what_is_packed_is_unpacked),
        cmocka_unit_test(packed_reports_are_unpacked),
        cmocka_unit_test(bombs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
