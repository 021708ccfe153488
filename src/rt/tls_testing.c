/* tls_testing.c - see tls_testing.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_testing.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/testing.h"

static struct str
pem_of(BIO *bio, char *to, size_t size)
{
    int n = BIO_read(bio, to, (int)size - 1);

    assert_true(n > 0);
    to[n] = '\0';
    BIO_free(bio);
    return str_from(to, (size_t)n);
}

static X509 *
read_pem(const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);

    assert_non_null(x);
    BIO_free(in);
    return x;
}

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX c;

    X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
    assert_non_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void
write_pem(struct test_identity *id, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, x);
    pem_of(bio, id->cert_pem, sizeof(id->cert_pem));
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL);
    pem_of(bio, id->key_pem, sizeof(id->key_pem));
}

void
test_identity_signed(struct test_identity *id, EVP_PKEY *key, const struct test_cert *what,
                     const struct test_identity *by)
{
    static long serial = 100;
    X509 *x = X509_new(), *issuer = by != NULL ? read_pem(by->cert_pem) : X509_new();
    char name[40];

    assert_non_null(key);
    id->key = key;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), what->to_s != 0 ? what->from_s : -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), what->to_s != 0 ? what->to_s : 86400);
    X509_set_pubkey(x, key);
    snprintf(name, sizeof(name), "signed %ld", serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(by != NULL ? issuer : x));
    extend(x, issuer, NID_basic_constraints, what->authority ? "critical,CA:TRUE" : "CA:FALSE");
    extend(x, issuer, NID_key_usage,
           what->authority ? "keyCertSign,cRLSign" : "critical,digitalSignature");
    if (!what->authority)
        extend(x, issuer, NID_ext_key_usage, what->use != NULL ? what->use : "clientAuth");
    if (what->alt != NULL)
        extend(x, issuer, NID_subject_alt_name, what->alt);
    assert_true(X509_sign(x, by != NULL ? by->key : key, EVP_sha256()) > 0);
    write_pem(id, x);
    X509_free(x);
    X509_free(issuer);
}

void
test_identity_init(struct test_identity *id, EVP_PKEY *key, const char *name)
{
    X509 *x = X509_new();
    char alt[128];

    assert_non_null(key);
    id->key = key;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_NAME *n = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, n);
    snprintf(alt, sizeof(alt), "DNS:%s", name);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    write_pem(id, x);
    X509_free(x);
}

void
test_identity_release(struct test_identity *id)
{
    EVP_PKEY_free(id->key);
    id->key = NULL;
}

bool
test_identity_sign(const struct test_identity *id, const struct tls_sign_request *req,
                   struct buf *sig_out)
{
    unsigned char sig[1024];
    size_t len = sizeof(sig);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(id->key, NULL);
    bool good = EVP_PKEY_sign_init(ctx) == 1;

    if (req->scheme == TLS_RSA_RAW)
        good = good && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1;
    if (req->scheme == TLS_RSA_PKCS1)
        good = good && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    if (req->scheme != TLS_RSA_RAW)
        good =
            good && EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbynid(req->digest_nid)) == 1;
    good = good && EVP_PKEY_sign(ctx, sig, &len, (const unsigned char *)req->digest.ptr,
                                 req->digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (good)
        buf_add(sig_out, str_from((const char *)sig, len));
    return good;
}
