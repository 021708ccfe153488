/* records_test.c - DNS records and client settings of several configurations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/size.h"
#include "setup/records.h"

#define HEAD "host mail.example.org\ndomain example.org\ntls cert /c key /k\n"

static const struct {
    const char *config;
    const char *has; /* a line of the records */
    bool there;
} rows[] = {
    {HEAD "listen smtp *:25\n", "example.org. IN MX 10 mail.example.org.\n", true},
    {HEAD "listen imaps *:993\n", "IN MX", false},
    {HEAD "listen smtp unix /run/smtp.sock\n", "IN MX", false},
    {HEAD "listen submission unix /run/submit.sock\n", "IN SRV", false},
    {HEAD "listen smtp *:25\n", "example.org. IN TXT \"v=spf1 mx -all\"\n", true},
    {HEAD "listen smtp *:25\nsmarthost relay.example:587\n", "IN TXT \"v=spf1 mx ?all\"\n", true},
    {HEAD "listen smtp *:25\nroute other.example relay.example:587\n", "mx -all", true},
    {HEAD "listen smtp *:25\n",
     "_dmarc.example.org. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@example.org\"\n", true},
    {HEAD "listen smtp *:25\n", "IN SRV", false},
    {HEAD "listen imaps *:993\n", "_imaps._tcp.example.org. IN SRV 0 1 993 mail.example.org.\n",
     true},
    {HEAD "listen imap *:143\n", "_imap._tcp.example.org. IN SRV 1 1 143 mail.example.org.\n",
     true},
    {HEAD "listen pop3s *:995\n", "_pop3s._tcp.example.org. IN SRV 10 1 995 mail.example.org.\n",
     true},
    {HEAD "listen submissions *:465\n",
     "_submissions._tcp.example.org. IN SRV 0 1 465 mail.example.org.\n", true},
    {HEAD "listen submission *:587\n",
     "_submission._tcp.example.org. IN SRV 1 1 587 mail.example.org.\n", true},
    {"host mail.example.org\ndomain example.org\nlisten imap *:143\n", "IN SRV", false},
    {HEAD "listen smtp *:25\n", "sel._domainkey.example.org. IN TXT \"v=DKIM1; p=AAAA\"\n", true},
    {HEAD "listen smtp *:25\n",
     "\n; A second key, Ed25519, which signs once this is seen in DNS (DKIM).\n"
     "ed._domainkey.example.org. IN TXT \"v=DKIM1; k=ed25519; p=BBBB\"\n",
     true},
    {HEAD "listen smtp *:25\n",
     "\n; The next key, which signs once this is seen in DNS (DKIM).\n"
     "sel2._domainkey.example.org. IN TXT \"p=CCCC\"\n",
     true},
    {HEAD "listen smtp *:25\n",
     "\n; a._domainkey.example.org. signs no more: keep it until 2026-12-31, then remove it\n"
     "; b._domainkey.example.org. is not needed any more: remove it\n",
     true},
    {HEAD "listen smtp *:25\n", "mail.example.org. IN A 192.0.2.1\n", true},
    {HEAD "listen smtp *:25\n", "mail.example.org. IN AAAA 2001:db8::1\n", true},
    {HEAD "listen smtp *:25\n", "\n;1.2.0.192.in-addr.arpa. IN PTR mail.example.org.\n", true},
    {HEAD "listen smtp *:25\n",
     "\n;1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail."
     "example.org.\n",
     true},
    {HEAD "listen smtp *:25\n", "\n_25._tcp.mail.example.org. IN TLSA 3 1 1 0123ab\n", true},
    {HEAD "listen smtp *:25\n",
     "\n_smtp._tls.example.org. IN TXT \"v=TLSRPTv1; rua=mailto:tls-reports@example.org\"\n", true},
    {HEAD "listen imaps *:993\n", "TLSRPTv1", false}, /* nobody sends mail here */
    {HEAD "listen smtp *:25\n", "\n;_mta-sts.example.org. IN TXT \"v=STSv1; id=1;\"\n", true},
    {HEAD "listen smtp *:25\n", "\n; mx: mail.example.org\n", true},
    {HEAD "listen smtp *:25\n", "\n;autoconfig.example.org. IN CNAME mail.example.org.\n", true},
    /* What is of another zone is no line of this one. */
    {"host mail.example.net\ndomain example.org\nlisten smtp *:25\n",
     "\n;mail.example.net. IN A 192.0.2.1\n", true},
    {"host mail.example.net\ndomain example.org\nlisten smtp *:25\n",
     "\n;_25._tcp.mail.example.net. IN TLSA 3 1 1 0123ab\n", true},
    {"host mail.notexample.org\ndomain example.org\nlisten smtp *:25\n",
     "\n;mail.notexample.org. IN A 192.0.2.1\n", true},
    {"host example.org\ndomain example.org\nlisten smtp *:25\n", "\nexample.org. IN A 192.0.2.1\n",
     true},
};

static struct config *
config_of(const char *text)
{
    struct config *c = NULL;
    struct problem why = {0};

    assert_int_equal(config_read(str_of(text), "t", &c, &why), OK);
    return c;
}

/* As a zone's lines with one blank between words, since how they are aligned is for the eye alone. */
static void
write_for(const char *config, struct str dkim, struct buf *b)
{
    static const struct str addresses[] = {STR("192.0.2.1"), STR("2001:db8::1")};
    static const struct str tlsas[] = {STR("3 1 1 0123ab")};
    AUTO(config_free) struct config *c = config_of(config);
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF text = BUF(65536);
    const struct records_key keys[] = {
        {.selector = STR("sel"), .record = dkim, .state = RECORDS_KEY_SIGNS},
        {.selector = STR("ed"),
         .record = STR("v=DKIM1; k=ed25519; p=BBBB"),
         .state = RECORDS_KEY_WAITS,
         .first = true},
        {.selector = STR("sel2"), .record = STR("p=CCCC"), .state = RECORDS_KEY_WAITS},
        {.selector = STR("a"), .state = RECORDS_KEY_OLD, .until = STR("2026-12-31")},
        {.selector = STR("b"), .state = RECORDS_KEY_OLD, .may_go = true}};
    struct records_domain d = {.name = STR("example.org"),
                               .keys = keys,
                               .key_count = dkim.len > 0 ? COUNT_OF(keys) : 0,
                               .addresses = addresses,
                               .address_count = COUNT_OF(addresses),
                               .tlsas = tlsas,
                               .tlsa_count = COUNT_OF(tlsas)};
    struct records all;

    records_make(c, &d, a, &all);
    records_write(&all, &text);
    assert_int_equal(buf_status(&text), OK);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' || (i > 0 && text.ptr[i - 1] != ' '))
            buf_add_char(b, text.ptr[i]);
    assert_int_equal(buf_status(b), OK);
}

static void
test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(65536);

        write_for(rows[i].config, STR("v=DKIM1; p=AAAA"), &b);
        if ((str_find_str(buf_str(&b), str_of(rows[i].has)) >= 0) != rows[i].there)
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
    }
}

/* One service at two addresses, and a key longer than a TXT string. */
static void
test_once_and_in_parts(void **state)
{
    char key[601];
    AUTO_BUF b = BUF(65536);
    size_t srv = 0;

    (void)state;
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    write_for(HEAD "listen imaps 127.0.0.1:993\nlisten imaps [::1]:993\nlisten imaps [::1]:1993\n",
              str_of(key), &b);
    for (struct str rest = buf_str(&b), row; str_split(&rest, '\n', &row);) {
        srv += str_find_str(row, STR("IN SRV")) >= 0;
        size_t run = 0;
        for (size_t i = 0; i < row.len; i++) {
            run = row.ptr[i] == '"' ? 0 : run + 1;
            assert_true(run <= 255 || str_find(row, '"') < 0);
        }
    }
    assert_int_equal(srv, 2);
    assert_true(str_find_str(buf_str(&b), STR("kk\" \"kk")) > 0);
}

static void
test_no_key_yet(void **state)
{
    AUTO_BUF b = BUF(65536);

    (void)state;
    write_for(HEAD "listen smtp *:25\n", STR(""), &b);
    assert_true(str_find_str(buf_str(&b), STR("_domainkey")) < 0);
    assert_true(str_find_str(buf_str(&b), STR("; no DKIM key yet")) > 0);
}

static void
test_client_settings(void **state)
{
    AUTO(config_free)
    struct config *c = config_of(HEAD "listen smtp *:25\nlisten submission *:587\n"
                                      "listen imaps *:993\n");
    AUTO_BUF b = BUF(65536);
    struct str text;

    (void)state;
    records_clients(c, STR("anna@example.org"), &b);
    text = buf_str(&b);
    ssize_t imap =
        str_find_str(text, STR("receive (IMAP)  mail.example.org   port 993    SSL/TLS\n"));
    ssize_t send =
        str_find_str(text, STR("send (SMTP)     mail.example.org   port 587    STARTTLS\n"));
    assert_true(imap >= 0 && send > imap);
    assert_true(str_find_str(text, STR("anna@example.org")) > send);
    assert_true(str_find_str(text, STR("POP3")) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_once_and_in_parts),
        cmocka_unit_test(test_no_key_yet),
        cmocka_unit_test(test_client_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
