/* report_mail_test.c - a report as mail is read back by the parser of MIME.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/report_mail.h"

#include "base/size.h"
#include "base/testing.h"
#include "mail/header.h"

static const struct report_mail sample = {
    .host = STR("mx.example.org"),
    .from = STR("postmaster@example.org"),
    .to = STR("reports@example.net"),
    .unique = STR("0123456789abcdef0123456789abcdef"),
    .now = {INT64_C(1795467672000000)},
    .subject =
        STR("Report Domain: example.net Submitter: mx.example.org Report-ID: <1@mx.example.org>"),
    .fields = STR("TLS-Report-Domain: example.net\r\n"),
    .multipart = STR("mixed"),
    .text = STR("Hello.\r\n"),
    .type = STR("application/gzip"),
    .filename = STR("mx.example.org!example.net!1!2.xml.gz"),
};

static void
check_says(struct str text, const char *what)
{
    if (str_find_str(text, str_of(what)) < 0)
        fail_msg("no \"%s\" in %.*s", what, STR_FMT(text));
}

static void
it_is_whole(void **state)
{
    AUTO_BUF b = BUF(65536);
    struct report_mail m = sample;
    char bytes[130];
    struct header_field f;
    struct str rest, line;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)i;
    m.attachment = str_from(bytes, sizeof(bytes));
    assert_int_equal(report_mail_write(&b, &m), OK);
    for (rest = buf_str(&b); str_split(&rest, '\n', &line) && rest.len > 0;) {
        assert_true(line.len > 0 && line.ptr[line.len - 1] == '\r');
        assert_true(line.len <= 79);
    }
    assert_true(header_find(buf_str(&b), STR("From"), &f));
    assert_str(str_trim(f.value), STR("<postmaster@example.org>"));
    assert_true(header_find(buf_str(&b), STR("TLS-Report-Domain"), &f));
    assert_true(header_find(buf_str(&b), STR("Auto-Submitted"), &f));
    check_says(buf_str(&b),
               "\r\n\r\n--=_0123456789abcdef0123456789abcdef\r\nContent-Type: text/plain");
    check_says(buf_str(&b),
               "\r\n\r\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
               "MDEyMzQ1Njc4\r\nOTo7");
    assert_true(str_ends(buf_str(&b), STR("\r\n--=_0123456789abcdef0123456789abcdef--\r\n")));
}

static void
there_is_a_bound(void **state)
{
    AUTO_BUF b = BUF(600);
    struct report_mail m = sample;

    m.attachment = STR("some bytes, more than there is room for");
    assert_int_equal(report_mail_write(&b, &m), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_whole),
        cmocka_unit_test(there_is_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
