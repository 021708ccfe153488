/* tls_trust.c - see tls_trust.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls_trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/tls_internal.h"

enum { STRENGTH = 2 /* of OpenSSL's security levels: 112 bits */, ADDRESS_MAX = 320 };

struct tls_trust {
    X509_STORE *store;
    STACK_OF(X509_NAME) * names; /* for the client, to choose a certificate by */
    size_t count;
};

static int judge(X509_STORE_CTX *x, void *arg);
static bool add(struct tls_trust *t, const X509_INFO *one, bool *lists);
static STACK_OF(X509) * read_chain(struct str der);
static void chain_release(STACK_OF(X509) * *chain);
static bool is_good(const struct tls_trust *t, STACK_OF(X509) * chain);
static enum status read_addresses(X509 *leaf, struct arena *a, struct tls_trusted *out);
static bool is_address(struct str s);

enum status
tls_trust_read(struct str pem, struct tls_trust **out)
{
    AUTO(tls_trust_free) struct tls_trust *t = MEM_NEW(struct tls_trust);
    bool lists = false;

    if (pem.len == 0 || pem.len > TLS_TRUST_FILE_MAX)
        return ERR_SYNTAX;
    t->store = X509_STORE_new();
    t->names = sk_X509_NAME_new_null();
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len); /* at most TLS_TRUST_FILE_MAX */
    ASSERT(t->store != NULL && t->names != NULL && in != NULL);
    STACK_OF(X509_INFO) *all = PEM_X509_INFO_read_bio(in, NULL, NULL, NULL);
    bool good = all != NULL;
    for (int i = 0; good && i < sk_X509_INFO_num(all); i++)
        good = add(t, sk_X509_INFO_value(all, i), &lists);
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(in);
    ERR_clear_error();
    if (!good)
        return ERR_SYNTAX;
    if (t->count == 0)
        return ERR_NOT_FOUND;
    /* An authority below a root may be named without that root. */
    X509_STORE_set_flags(t->store, X509_V_FLAG_PARTIAL_CHAIN | (lists ? X509_V_FLAG_CRL_CHECK : 0));
    *out = t;
    t = NULL;
    return OK;
}

void
tls_trust_free(struct tls_trust **t)
{
    if (*t == NULL)
        return;
    X509_STORE_free((*t)->store); /* contexts have their own reference */
    sk_X509_NAME_pop_free((*t)->names, X509_NAME_free);
    mem_free(*t);
    *t = NULL;
}

size_t
tls_trust_count(const struct tls_trust *t)
{
    return t->count;
}

enum status
tls_trust_check(const struct tls_trust *t, struct str der, struct arena *a, struct tls_trusted *out)
{
    AUTO(chain_release) STACK_OF(X509) *chain = read_chain(der);
    enum status e = chain == NULL ? ERR_SYNTAX : is_good(t, chain) ? OK : ERR_DENIED;

    if (e == OK)
        e = read_addresses(sk_X509_value(chain, 0), a, out);
    ERR_clear_error();
    return e;
}

void
tls_trust_use(const struct tls_trust *t, SSL_CTX *ctx)
{
    if (t == NULL) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return;
    }
    STACK_OF(X509_NAME) *names = sk_X509_NAME_deep_copy(t->names, X509_NAME_dup, X509_NAME_free);
    ASSERT(names != NULL);
    SSL_CTX_set_client_CA_list(ctx, names); /* takes them over */
    SSL_CTX_set1_cert_store(ctx, t->store);
    SSL_CTX_set_max_cert_list(ctx, LIMIT_CLIENT_CERT_BYTES);
    SSL_CTX_set_verify_depth(ctx, TLS_TRUST_DEPTH);
    SSL_CTX_set_cert_verify_callback(ctx, judge, NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* ---- statics ---- */

/* A client whose certificate is of no use here may still log in by a password: the handshake goes on, and
 * SSL_get_verify_result() says what the certificate is worth.  Whoever showed one gets no ticket: a session that is
 * resumed has not proved again that the key is there, and of the chain only its first certificate. */
static int
judge(X509_STORE_CTX *x, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());

    (void)arg;
    (void)SSL_set_num_tickets(ssl, 0);
    if (X509_verify_cert(x) != 1 && X509_STORE_CTX_get_error(x) == X509_V_OK)
        X509_STORE_CTX_set_error(x, X509_V_ERR_UNSPECIFIED);
    ERR_clear_error();
    return 1;
}

/* OpenSSL gives a list together with the certificate before it. */
static bool
add(struct tls_trust *t, const X509_INFO *one, bool *lists)
{
    if (one->crl != NULL) {
        *lists = true;
        if (X509_STORE_add_crl(t->store, one->crl) != 1)
            return false;
    }
    if (one->x509 == NULL)
        return true; /* a key is nothing to us */
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(one->x509));
    ASSERT(name != NULL && sk_X509_NAME_push(t->names, name) > 0);
    t->count++;
    return X509_STORE_add_cert(t->store, one->x509) == 1;
}

static STACK_OF(X509) * read_chain(struct str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(chain_release) STACK_OF(X509) *chain = sk_X509_new_null();
    STACK_OF(X509) * done;

    ASSERT(chain != NULL);
    if (der.len == 0 || der.len > LIMIT_CLIENT_CERT_BYTES)
        return NULL;
    while (at < end) {
        X509 *one = d2i_X509(NULL, &at, (long)(end - at)); /* at most LIMIT_CLIENT_CERT_BYTES */
        if (one == NULL)
            return NULL;
        ASSERT(sk_X509_push(chain, one) > 0);
    }
    done = chain;
    chain = NULL;
    return done;
}

static void
chain_release(STACK_OF(X509) * *chain)
{
    sk_X509_pop_free(*chain, X509_free);
}

static bool
is_good(const struct tls_trust *t, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *x = X509_STORE_CTX_new();

    ASSERT(x != NULL);
    bool good = X509_STORE_CTX_init(x, t->store, sk_X509_value(chain, 0), chain) == 1;
    if (good) {
        X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(x);
        X509_VERIFY_PARAM_set_depth(p, TLS_TRUST_DEPTH);
        X509_VERIFY_PARAM_set_auth_level(p, STRENGTH);
        X509_VERIFY_PARAM_set_time(p, clock_now().us / 1000000);
        good = X509_STORE_CTX_set_default(x, "ssl_client") == 1 && X509_verify_cert(x) == 1;
    }
    X509_STORE_CTX_free(x);
    return good;
}

static enum status
read_addresses(X509 *leaf, struct arena *a, struct tls_trusted *out)
{
    struct str *list = ARENA_ARRAY(a, struct str, TLS_TRUST_ADDRESSES_MAX);
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    size_t n = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type != GEN_EMAIL || ASN1_STRING_length(one->d.rfc822Name) <= 0)
            continue;
        struct str s = str_from((const char *)ASN1_STRING_get0_data(one->d.rfc822Name),
                                (size_t)ASN1_STRING_length(one->d.rfc822Name));
        if (!is_address(s))
            continue;
        if (n < TLS_TRUST_ADDRESSES_MAX)
            list[n] = arena_str(a, s);
        n++;
    }
    GENERAL_NAMES_free(names);
    if (n > TLS_TRUST_ADDRESSES_MAX)
        return ERR_DENIED; /* whose it is could not be said */
    *out = (struct tls_trusted){.addresses = list, .count = n};
    return OK;
}

/* Mailbox of RFC 5321, as far as it matters here: the account is looked for by it. */
static bool
is_address(struct str s)
{
    ssize_t at = str_rfind(s, '@');

    if (at < 1 || (size_t)at + 1 == s.len || s.len > ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= 0x20 || s.ptr[i] > 0x7e)
            return false;
    return true;
}
