/* tls_trust_test.c - which certificates are believed, and whose they are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_trust.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "rt/tls_testing.h"

#pragma GCC diagnostic ignored "-Wcast-qual" /* OpenSSL's macros cast const away */

enum { DER_MAX = 65536 };

static struct test_identity root, below, other;

static EVP_PKEY *
key_new(void)
{
    return EVP_EC_gen("P-256");
}

static int
make_authorities(void **state)
{
    const struct test_cert authority = {.authority = true};

    (void)state;
    test_identity_signed(&root, key_new(), &authority, NULL);
    test_identity_signed(&other, key_new(), &authority, NULL);
    test_identity_signed(&below, key_new(), &authority, &root);
    return 0;
}

static int
free_authorities(void **state)
{
    (void)state;
    test_identity_release(&root);
    test_identity_release(&below);
    test_identity_release(&other);
    return 0;
}

static void
add_der(struct buf *b, const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);

    assert_true(n > 0);
    buf_add(b, str_from((const char *)der, (size_t)n));
    OPENSSL_free(der);
    X509_free(x);
    BIO_free(in);
}

static struct tls_trust *
trust_in(const char *pem)
{
    struct tls_trust *t = NULL;

    assert_int_equal(tls_trust_read(str_of(pem), &t), OK);
    return t;
}

#define SIXTEEN                                                                                  \
    "email:a@a,email:b@a,email:c@a,email:d@a,email:e@a,email:f@a,email:g@a,email:h@a,email:i@a," \
    "email:j@a,email:k@a,email:l@a,email:m@a,email:n@a,email:o@a,email:p@a"

static const struct {
    struct test_cert cert;
    const struct test_identity *by;
    bool with_issuer; /* the client sends the authority between as well */
    enum status status;
    const char *addresses; /* with spaces between */
} rows[] = {
    {{.alt = "email:u@a.example"}, &root, false, OK, "u@a.example"},
    {{.alt = "email:u@a.example"}, &below, true, OK, "u@a.example"},
    {{.alt = "email:u@a.example"}, &below, false, ERR_DENIED, ""},
    {{.alt = "email:u@a.example"}, &other, false, ERR_DENIED, ""},
    {{.alt = "email:u@a.example"}, &other, true, ERR_DENIED, ""},
    {{.alt = "email:u@a.example", .from_s = -200000, .to_s = -100000},
     &root,
     false,
     ERR_DENIED,
     ""},
    {{.alt = "email:u@a.example", .from_s = 3600, .to_s = 7200}, &root, false, ERR_DENIED, ""},
    {{.alt = "email:u@a.example", .use = "serverAuth"}, &root, false, ERR_DENIED, ""},
    {{.alt = "email:u@a.example", .use = "clientAuth,serverAuth"}, &root, false, OK, "u@a.example"},
    {{0}, &root, false, OK, ""},
    {{.alt = "DNS:a.example,URI:mailto:u@a.example"}, &root, false, OK, ""},
    {{.alt = "DNS:a.example,email:u@a.example,email:v@a.example"},
     &root,
     false,
     OK,
     "u@a.example v@a.example"},
    {{.alt = "email:nobody"}, &root, false, OK, ""},
    {{.alt = "email:@a.example"}, &root, false, OK, ""},
    {{.alt = "email:u@"}, &root, false, OK, ""},
    {{.alt = "email:u v@a.example"}, &root, false, OK, ""},
    {{.alt = SIXTEEN},
     &root,
     false,
     OK,
     "a@a b@a c@a d@a e@a f@a g@a h@a i@a j@a k@a l@a m@a n@a o@a p@a"},
    {{.alt = SIXTEEN ",email:q@a"}, &root, false, ERR_DENIED, ""},
};

static void
test_whom_it_believes(void **state)
{
    AUTO(tls_trust_free) struct tls_trust *t = trust_in(root.cert_pem);

    (void)state;
    assert_int_equal(tls_trust_count(t), 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF chain = BUF(DER_MAX), found = BUF(1024);
        struct tls_trusted got = {.count = 77};
        struct test_identity id;

        test_identity_signed(&id, key_new(), &rows[i].cert, rows[i].by);
        add_der(&chain, id.cert_pem);
        if (rows[i].with_issuer)
            add_der(&chain, rows[i].by->cert_pem);
        ROW(i, tls_trust_check(t, buf_str(&chain), a, &got) == rows[i].status);
        ROW(i, rows[i].status == OK || got.count == 77);
        for (size_t k = 0; rows[i].status == OK && k < got.count; k++)
            buf_addf(&found, "%s%.*s", k > 0 ? " " : "", STR_FMT(got.addresses[k]));
        ROW(i, str_eq(buf_str(&found), str_of(rows[i].addresses)));
        test_identity_release(&id);
    }
}

static void
test_an_authority_below_a_root(void **state)
{
    AUTO(tls_trust_free) struct tls_trust *t = trust_in(below.cert_pem);
    const struct test_cert what = {.alt = "email:u@a.example"};
    const struct test_identity *const by[] = {&below, &root};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(by); i++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF chain = BUF(DER_MAX);
        struct tls_trusted got;
        struct test_identity id;

        test_identity_signed(&id, key_new(), &what, by[i]);
        add_der(&chain, id.cert_pem);
        ROW(i, tls_trust_check(t, buf_str(&chain), a, &got) == (i == 0 ? OK : ERR_DENIED));
        test_identity_release(&id);
    }
}

static void
test_what_is_no_chain(void **state)
{
    AUTO(tls_trust_free) struct tls_trust *t = trust_in(root.cert_pem);
    const struct test_cert what = {.alt = "email:u@a.example"};
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF chain = BUF(DER_MAX);
    struct tls_trusted got;
    struct test_identity id;

    (void)state;
    test_identity_signed(&id, key_new(), &what, &root);
    add_der(&chain, id.cert_pem);
    struct str whole = buf_str(&chain);
    for (size_t n = 0; n < whole.len; n++)
        ROW(n, tls_trust_check(t, str_sub(whole, 0, n), a, &got) == ERR_SYNTAX);
    while (chain.len <= LIMIT_CLIENT_CERT_BYTES)
        add_der(&chain, id.cert_pem);
    assert_int_equal(tls_trust_check(t, buf_str(&chain), a, &got), ERR_SYNTAX);
    test_identity_release(&id);
}

/* A list of root, on which is whoever has the serial number. */
static void
add_list(struct buf *pem, X509 *revoked)
{
    BIO *in = BIO_new_mem_buf(root.cert_pem, -1), *out = BIO_new(BIO_s_mem());
    X509 *issuer = PEM_read_bio_X509(in, NULL, NULL, NULL);
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *next = X509_gmtime_adj(NULL, 86400);
    char *text;

    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
    X509_CRL_set1_lastUpdate(list, now);
    X509_CRL_set1_nextUpdate(list, next);
    X509_REVOKED *one = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(one, X509_get_serialNumber(revoked));
    X509_REVOKED_set_revocationDate(one, now);
    X509_CRL_add0_revoked(list, one);
    assert_true(X509_CRL_sign(list, root.key, EVP_sha256()) > 0);
    PEM_write_bio_X509_CRL(out, list);
    long n = BIO_get_mem_data(out, &text);
    buf_add(pem, str_from(text, (size_t)n));
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(list);
    X509_free(issuer);
    BIO_free(in);
    BIO_free(out);
}

static void
test_revocation(void **state)
{
    const struct test_cert what = {.alt = "email:u@a.example"};
    struct test_identity ids[2];
    AUTO_BUF pem = BUF(TLS_TRUST_FILE_MAX);
    struct tls_trust *t = NULL;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        test_identity_signed(&ids[i], key_new(), &what, &root);
    BIO *in = BIO_new_mem_buf(ids[0].cert_pem, -1);
    X509 *revoked = PEM_read_bio_X509(in, NULL, NULL, NULL);
    buf_add_z(&pem, root.cert_pem);
    add_list(&pem, revoked);
    assert_int_equal(tls_trust_read(buf_str(&pem), &t), OK);
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF chain = BUF(DER_MAX);
        struct tls_trusted got;
        add_der(&chain, ids[i].cert_pem);
        ROW(i, tls_trust_check(t, buf_str(&chain), a, &got) == (i == 0 ? ERR_DENIED : OK));
        test_identity_release(&ids[i]);
    }
    X509_free(revoked);
    BIO_free(in);
    tls_trust_free(&t);
}

static void
test_files(void **state)
{
    AUTO_BUF both = BUF(TLS_TRUST_FILE_MAX), cut = BUF(TLS_TRUST_FILE_MAX);
    struct tls_trust *t = NULL;

    (void)state;
    buf_addf(&both, "Root:\n%s\nOther:\n", root.cert_pem);
    buf_add_z(&both, other.cert_pem);
    buf_add_z(&both, root.key_pem); /* of no use, and no harm */
    assert_int_equal(tls_trust_read(buf_str(&both), &t), OK);
    assert_int_equal(tls_trust_count(t), 2);
    tls_trust_free(&t);
    buf_add(&cut, str_sub(str_of(root.cert_pem), 0, strlen(root.cert_pem) / 2));
    assert_int_equal(tls_trust_read(buf_str(&cut), &t), ERR_SYNTAX);
    buf_reset(&cut);
    buf_addf(&cut, "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
             root.cert_pem);
    assert_int_equal(tls_trust_read(buf_str(&cut), &t), ERR_SYNTAX);
    assert_int_equal(tls_trust_read(STR(""), &t), ERR_SYNTAX);
    assert_int_equal(tls_trust_read(STR("nothing\n"), &t), ERR_NOT_FOUND);
    assert_int_equal(tls_trust_read(str_of(root.key_pem), &t), ERR_NOT_FOUND);
    assert_null(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whom_it_believes),
        cmocka_unit_test(test_an_authority_below_a_root),
        cmocka_unit_test(test_what_is_no_chain),
        cmocka_unit_test(test_revocation),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, make_authorities, free_authorities);
}
