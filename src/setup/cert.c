/* cert.c - see cert.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/cert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "rt/random.h"

enum { CHAIN_MAX = 10, EXT_TEXT_MAX = 600, DAY_S = 86400, NAME_BYTES_MAX = 255 };

static void
key_release(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void
x509_release(X509 **x)
{
    X509_free(*x);
}

static void
bio_release(BIO **b)
{
    BIO_free(*b);
}

/* ---- making ---- */

static bool
add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = e != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static bool
add_names(X509 *x, const struct cert_request *r)
{
    X509_NAME *subject = X509_get_subject_name(x);
    char text[EXT_TEXT_MAX];

    snprintf(text, sizeof(text), "DNS:%.*s%s", STR_FMT(r->host),
             r->loopback ? ",DNS:localhost,IP:127.0.0.1" : "");
    /* A common name has at most 64 characters (RFC 5280 appendix A.1), and nobody reads it any more. */
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                      (const unsigned char *)r->host.ptr,
                                      (int)(r->host.len > 64 ? 64 : r->host.len), -1, 0) == 1 &&
           X509_set_issuer_name(x, subject) == 1 && add_extension(x, NID_subject_alt_name, text) &&
           add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth");
}

static bool
fill(X509 *x, EVP_PKEY *key, const struct cert_request *r)
{
    uint64_t serial = random_u64() >> 1; /* positive */

    return X509_set_version(x, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(r->now_s - DAY_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x),
                         (time_t)(r->now_s + (CERT_DAYS - 1) * (int64_t)DAY_S)) != NULL &&
           X509_set_pubkey(x, key) == 1 && add_names(x, r) && X509_sign(x, key, EVP_sha256()) > 0;
}

static void
take_text(BIO *from, struct buf *to)
{
    char *text = NULL;
    long n = BIO_get_mem_data(from, &text);

    if (n > 0)
        buf_add(to, str_from(text, (size_t)n));
}

enum status
cert_make(const struct cert_request *r, struct buf *cert_pem, struct buf *key_pem)
{
    AUTO(key_release) EVP_PKEY *key = EVP_EC_gen("P-256");
    AUTO(x509_release) X509 *x = X509_new();
    AUTO(bio_release) BIO *cert_text = BIO_new(BIO_s_mem());
    AUTO(bio_release) BIO *key_text = BIO_new(BIO_s_secmem());

    if (key == NULL || x == NULL || cert_text == NULL || key_text == NULL || !fill(x, key, r) ||
        PEM_write_bio_X509(cert_text, x) != 1 ||
        PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) != 1) {
        ERR_clear_error();
        return ERR_IO;
    }
    take_text(cert_text, cert_pem);
    take_text(key_text, key_pem);
    TRY(buf_status(cert_pem));
    return buf_status(key_pem);
}

/* ---- reading ---- */

size_t
cert_dns_names(const struct x509_st *x, struct arena *a, const struct str **names_out)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    int n = all == NULL ? 0 : sk_GENERAL_NAME_num(all);
    struct str *names = ARENA_ARRAY(a, struct str, CERT_NAMES_MAX);
    size_t count = 0;

    for (int i = 0; i < n && count < CERT_NAMES_MAX; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        if (g->type != GEN_DNS)
            continue;
        struct str name = str_from((const char *)ASN1_STRING_get0_data(g->d.dNSName),
                                   (size_t)ASN1_STRING_length(g->d.dNSName));
        if (name.len > 0 && name.len <= NAME_BYTES_MAX)
            names[count++] = arena_str(a, name);
    }
    GENERAL_NAMES_free(all);
    *names_out = names;
    return count;
}

static void
read_times(const X509 *x, struct cert_facts *f)
{
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(clock_now().us / 1000000));
    int days = 0, seconds = 0;

    if (now != NULL && ASN1_TIME_diff(&days, &seconds, now, X509_get0_notAfter(x)) == 1)
        f->days_left = seconds < 0 ? days - 1 : days;
    f->not_yet = now != NULL && ASN1_TIME_compare(X509_get0_notBefore(x), now) > 0;
    ASN1_TIME_free(now);
}

struct str
cert_fingerprint(const X509 *x, struct arena *a)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    AUTO_BUF text = BUF(4 * EVP_MAX_MD_SIZE);

    if (X509_digest(x, EVP_sha256(), digest, &n) != 1)
        n = 0;
    for (unsigned i = 0; i < n; i++)
        buf_addf(&text, "%s%02X", i > 0 ? ":" : "", digest[i]);
    return text.len == 0 ? STR("") : arena_str(a, buf_str(&text));
}

/* Is its issuer neither in the file nor one that this machine trusts?  A root of somebody's own that is in the file, or
 * dates, are other matters. */
static bool
is_chain_broken(X509 *x, BIO *rest)
{
    X509_STORE *trusted = X509_STORE_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *c = X509_STORE_CTX_new();
    bool broken = false;

    for (X509 *next; chain != NULL && sk_X509_num(chain) < CHAIN_MAX &&
                     (next = PEM_read_bio_X509(rest, NULL, NULL, NULL)) != NULL;)
        if (sk_X509_push(chain, next) <= 0)
            X509_free(next);
    if (trusted != NULL && chain != NULL && c != NULL &&
        X509_STORE_set_default_paths(trusted) == 1 &&
        X509_STORE_CTX_init(c, trusted, x, chain) == 1) {
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(c), X509_V_FLAG_NO_CHECK_TIME);
        int error = X509_verify_cert(c) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(c);
        broken = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                 error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
    }
    X509_STORE_CTX_free(c);
    sk_X509_pop_free(chain, X509_free);
    X509_STORE_free(trusted);
    return broken;
}

static const char *
judge_key(const X509 *x, struct str key_pem)
{
    AUTO(bio_release) BIO *text = BIO_new_mem_buf(key_pem.ptr, (int)key_pem.len);
    AUTO(key_release)
    EVP_PKEY *key = text == NULL ? NULL : PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);

    if (key == NULL)
        return "holds no PEM private key without a password";
    return X509_check_private_key(x, key) == 1 ? NULL : "is not the key of this certificate";
}

enum status
cert_read(struct str cert_pem, struct str key_pem, struct arena *a, struct cert_facts *out)
{
    AUTO(bio_release) BIO *text = BIO_new_mem_buf(cert_pem.ptr, (int)cert_pem.len);
    AUTO(x509_release) X509 *x = text == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, NULL);
    struct cert_facts f = {0};

    if (x != NULL) {
        f.name_count = cert_dns_names(x, a, &f.names);
        read_times(x, &f);
        f.sha256 = cert_fingerprint(x, a);
        f.self_signed = X509_self_signed(x, 0) == 1;
        f.chain_broken = !f.self_signed && is_chain_broken(x, text);
        f.mismatch = judge_key(x, key_pem);
    }
    ERR_clear_error();
    if (x == NULL)
        return ERR_SYNTAX;
    *out = f;
    return OK;
}

/* ---- TLSA ---- */

/* What the selector takes of it, in DER; the caller frees it with OPENSSL_free(). */
static int
select_der(const X509 *x, unsigned selector, unsigned char **out)
{
    *out = NULL;
    if (selector == 0)
        return i2d_X509(x, out);
    return selector == 1 ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), out) : -1;
}

static bool
fits(const X509 *x, const struct cert_tlsa *t)
{
    const EVP_MD *md = t->matching == 1 ? EVP_sha256() : t->matching == 2 ? EVP_sha512() : NULL;
    unsigned char digest[EVP_MAX_MD_SIZE], *der;
    unsigned size = 0;
    int n = select_der(x, t->selector, &der);
    bool same = false;

    if (n > 0 && t->matching == 0)
        same = str_eq(str_from((const char *)der, (size_t)n), t->data);
    else if (n > 0 && md != NULL && EVP_Digest(der, (size_t)n, digest, &size, md, NULL) == 1)
        same = str_eq(str_from((const char *)digest, size), t->data);
    OPENSSL_free(der);
    return same;
}

bool
cert_fits_tlsa(struct str cert_pem, const struct cert_tlsa *t)
{
    AUTO(bio_release) BIO *text = BIO_new_mem_buf(cert_pem.ptr, (int)cert_pem.len);
    bool found = false;

    for (int i = 0; text != NULL && !found && i < CHAIN_MAX; i++) {
        AUTO(x509_release) X509 *x = PEM_read_bio_X509(text, NULL, NULL, NULL);
        if (x == NULL)
            break;
        found = (t->usage == 3 && i == 0 && fits(x, t)) || (t->usage == 2 && fits(x, t));
    }
    ERR_clear_error();
    return found;
}

struct str
cert_make_tlsa(struct str cert_pem, struct arena *a)
{
    AUTO(bio_release) BIO *text = BIO_new_mem_buf(cert_pem.ptr, (int)cert_pem.len);
    AUTO(x509_release) X509 *x = text == NULL ? NULL : PEM_read_bio_X509(text, NULL, NULL, NULL);
    unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
    AUTO_BUF hex = BUF(4 * EVP_MAX_MD_SIZE);
    unsigned size = 0;
    int n = x == NULL ? -1 : select_der(x, 1, &der);

    if (n > 0 && EVP_Digest(der, (size_t)n, digest, &size, EVP_sha256(), NULL) == 1)
        buf_add_z(&hex, "3 1 1 ");
    for (unsigned i = 0; hex.len > 0 && i < size; i++)
        buf_addf(&hex, "%02x", digest[i]);
    OPENSSL_free(der);
    ERR_clear_error();
    return hex.len == 0 ? STR("") : arena_str(a, buf_str(&hex));
}

bool
cert_covers(const struct cert_facts *f, struct str name)
{
    ssize_t dot = str_find(name, '.');

    for (size_t i = 0; i < f->name_count; i++) {
        if (str_eq_nocase(f->names[i], name))
            return true;
        if (dot > 0 && str_starts(f->names[i], STR("*.")) &&
            str_eq_nocase(str_skip(f->names[i], 1), str_skip(name, (size_t)dot)))
            return true;
    }
    return false;
}
