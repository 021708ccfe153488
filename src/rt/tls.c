/* tls.c - OpenSSL contexts with one policy: TLS 1.2 and 1.3, AEAD, forward secrecy.
 *
 * Choices:   RFC 9325 sections 3.1 to 4.2.  No session cache: tickets keep what a resumption needs
 *            with the client.  read_ahead: one read(2) brings a record's header and body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/fiber_internal.h"
#include "rt/tls_internal.h"

#define CIPHERS_TLS12                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
/* Without authentication any encryption beats none (RFC 7435): old servers still get mail. */
#define CIPHERS_OPPORTUNISTIC "HIGH:!aNULL:!PSK:!SRP:@SECLEVEL=1"
#define DEBIAN_CA_FILE        "/etc/ssl/certs/ca-certificates.crt"
#define CERTS_MAX             1024u

struct cert {
    SSL_CTX *ctx;
    struct str *names;
    size_t name_count;
};
struct tls_server {
    tls_sign_fn *sign;
    void *arg;
    struct buf alpn; /* in wire form */
    struct cert *certs;
    size_t cert_count;
    struct tls_tickets tickets;
    const struct tls_trust *trust; /* of clients; NULL: they are not asked */
};
struct tls_client {
    SSL_CTX *ctx;
    enum tls_verify verify;
};

static void check_error_queue(void);
static SSL_CTX *context_new(const SSL_METHOD *method);
static SSL_CTX *server_context(struct tls_server *t);
static MUST_USE enum status use_chain(SSL_CTX *ctx, struct str pem, X509 **leaf_out);
static MUST_USE enum status load_cert(struct tls_server *t, const struct tls_cert *in,
                                      struct cert *out, struct problem *why);
static void cert_release(struct cert *c);
static void replace_certs(struct tls_server *t, struct cert *certs, size_t n);
static int choose_cert(SSL *ssl, int *alert, void *arg);
static bool cert_has_name(const struct cert *c, struct str name);
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg);
static EVP_PKEY *read_key(struct str pem);

/* Servers. */

enum status
tls_server_new(struct str alpn, tls_sign_fn *sign, void *arg, struct tls_server **out)
{
    struct str name;

    fiber_on_switch(check_error_queue);
    struct tls_server *t = MEM_NEW(struct tls_server);
    t->sign = sign;
    t->arg = arg;
    t->alpn = BUF(255);
    while (alpn.len > 0 && str_split(&alpn, ',', &name)) {
        ASSERT(name.len > 0 && name.len < 256);
        buf_add_char(&t->alpn, (char)name.len);
        buf_add(&t->alpn, name);
    }
    ASSERT(buf_status(&t->alpn) == OK);
    *out = t;
    return OK;
}

void
tls_server_free(struct tls_server **server)
{
    struct tls_server *t = *server;

    if (t == NULL)
        return;
    replace_certs(t, NULL, 0);
    buf_release(&t->alpn);
    mem_wipe(&t->tickets, sizeof(t->tickets));
    mem_free(t);
    *server = NULL;
}

bool
tls_server_ready(const struct tls_server *t)
{
    return t->cert_count > 0;
}

enum status
tls_server_set(struct tls_server *t, const struct tls_cert *certs, size_t n, struct problem *why)
{
    ASSERT(t->sign != NULL);
    if (n == 0 || n > CERTS_MAX) {
        problem_set(why, 0, "", "%zu certificates: expected 1 to %u", n, CERTS_MAX);
        return ERR_LIMIT;
    }
    struct cert *loaded = MEM_ARRAY(struct cert, n);
    for (size_t i = 0; i < n; i++) {
        enum status s = load_cert(t, &certs[i], &loaded[i], why);
        ERR_clear_error();
        if (s != OK) {
            for (size_t k = 0; k < i; k++)
                cert_release(&loaded[k]);
            mem_free(loaded);
            return s;
        }
    }
    replace_certs(t, loaded, n);
    return OK;
}

enum status
tls_server_set_local(struct tls_server *t, struct str chain_pem, struct str key_pem)
{
    X509 *leaf = NULL;

    SSL_CTX *ctx = server_context(t);
    EVP_PKEY *key = read_key(key_pem);
    enum status s = use_chain(ctx, chain_pem, &leaf);
    if (s == OK && (key == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1))
        s = ERR_SYNTAX;
    EVP_PKEY_free(key);
    X509_free(leaf);
    ERR_clear_error();
    if (s != OK) {
        SSL_CTX_free(ctx);
        return s;
    }
    struct cert *only = MEM_NEW(struct cert);
    only->ctx = ctx;
    replace_certs(t, only, 1);
    return OK;
}

void
tls_server_ask_clients(struct tls_server *t, const struct tls_trust *trust)
{
    t->trust = trust;
    for (size_t i = 0; i < t->cert_count; i++)
        tls_trust_use(trust, t->certs[i].ctx);
}

SSL *
tls_server_ssl(struct tls_server *t)
{
    if (t == NULL || t->cert_count == 0)
        return NULL;
    SSL *ssl = SSL_new(t->certs[0].ctx);
    ASSERT(ssl != NULL);
    SSL_set_accept_state(ssl);
    return ssl;
}

static enum status
load_cert(struct tls_server *t, const struct tls_cert *in, struct cert *out, struct problem *why)
{
    const struct tls_signer signer = {t->sign, t->arg, in->key_id};
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;

    SSL_CTX *ctx = server_context(t);
    enum status s = use_chain(ctx, in->chain_pem, &leaf);
    if (s != OK)
        problem_set(why, 0, "", "the certificate chain of key %u cannot be read", in->key_id);
    if (s == OK && (s = tls_remote_key(leaf, &signer, &key)) != OK)
        problem_set(why, 0, "", "the key of certificate %u is neither ECDSA nor RSA", in->key_id);
    if (s == OK && SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        problem_set(why, 0, "", "the certificate of key %u is not usable for TLS", in->key_id);
        s = ERR_SYNTAX;
    }
    EVP_PKEY_free(key);
    X509_free(leaf);
    if (s != OK) {
        SSL_CTX_free(ctx);
        return s;
    }
    *out = (struct cert){.ctx = ctx, .name_count = in->name_count};
    out->names = MEM_ARRAY(struct str, MAX(in->name_count, 1));
    for (size_t i = 0; i < in->name_count; i++)
        out->names[i] = mem_str(in->names[i]);
    return OK;
}

static void
cert_release(struct cert *c)
{
    /* Handshakes under way hold their own reference. */
    SSL_CTX_free(c->ctx);
    for (size_t i = 0; i < c->name_count; i++)
        mem_str_free(&c->names[i]);
    mem_free(c->names);
}

static void
replace_certs(struct tls_server *t, struct cert *certs, size_t n)
{
    for (size_t i = 0; i < t->cert_count; i++)
        cert_release(&t->certs[i]);
    mem_free(t->certs);
    t->certs = certs;
    t->cert_count = n;
}

/* Contexts. */

static SSL_CTX *
context_new(const SSL_METHOD *method)
{
    char hybrid[] = "X25519MLKEM768:X25519:P-256:P-384", *classic = strchr(hybrid, ':') + 1;
    SSL_CTX *ctx = SSL_CTX_new(method);

    ASSERT(ctx != NULL);
    ASSERT(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    ASSERT(SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) == 1);
    /* Libraries before 3.5 do not know the hybrid. */
    if (SSL_CTX_set1_groups_list(ctx, hybrid) != 1) {
        ERR_clear_error();
        ASSERT(SSL_CTX_set1_groups_list(ctx, classic) == 1);
    }
    return ctx;
}

static SSL_CTX *
server_context(struct tls_server *t)
{
    static const unsigned char id[] = "godwit";

    SSL_CTX *ctx = context_new(TLS_server_method());
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    ASSERT(SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_max_early_data(ctx, 0);
    tls_tickets_use(ctx, &t->tickets);
    tls_trust_use(t->trust, ctx);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_cert);
    SSL_CTX_set_tlsext_servername_arg(ctx, t);
    if (t->alpn.len > 0)
        SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, t);
    return ctx;
}

static enum status
use_chain(SSL_CTX *ctx, struct str pem, X509 **leaf_out)
{
    if (pem.len == 0 || pem.len > INT32_MAX)
        return ERR_SYNTAX;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    ASSERT(bio != NULL);
    X509 *leaf = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    bool good = leaf != NULL && SSL_CTX_use_certificate(ctx, leaf) == 1;
    X509 *next;
    while (good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        good = SSL_CTX_add0_chain_cert(ctx, next) == 1;
    /* What ends the loop must be the end of the text, not a damaged certificate. */
    unsigned long error = ERR_peek_last_error();
    good =
        good && ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    if (!good) {
        X509_free(leaf);
        return ERR_SYNTAX;
    }
    *leaf_out = leaf;
    return OK;
}

static EVP_PKEY *
read_key(struct str pem)
{
    if (pem.len == 0 || pem.len > INT32_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    ASSERT(bio != NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

/* Callbacks of the handshake. */

/* RFC 6066 section 3.  A name that nobody has gets the default certificate: clients that reach the
 * server by another name than its own are told so by the certificate, not by an alert. */
static int
choose_cert(SSL *ssl, int *alert, void *arg)
{
    struct tls_server *t = arg;
    const char *z = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    *alert = SSL_AD_UNRECOGNIZED_NAME; /* never sent: every name is answered */
    if (z == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    struct str name = str_of(z);
    for (size_t i = 0; i < t->cert_count; i++) {
        if (cert_has_name(&t->certs[i], name)) {
            if (SSL_get_SSL_CTX(ssl) != t->certs[i].ctx)
                (void)SSL_set_SSL_CTX(ssl, t->certs[i].ctx);
            break;
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

/* A wildcard stands for exactly one label (RFC 9525 section 6.3). */
static bool
cert_has_name(const struct cert *c, struct str name)
{
    ssize_t dot = str_find(name, '.');
    struct str parent = dot > 0 ? str_skip(name, (size_t)dot) : STR_NONE;

    for (size_t i = 0; i < c->name_count; i++) {
        struct str have = c->names[i];
        if (str_eq_nocase(have, name))
            return true;
        if (parent.len > 1 && str_starts(have, STR("*.")) &&
            str_eq_nocase(str_skip(have, 1), parent))
            return true;
    }
    return false;
}

/* RFC 7301 section 3.2: no common protocol is fatal, which keeps other protocols' messages from being
 * replayed here (the ALPACA attack). */
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
            unsigned in_len, void *arg)
{
    struct tls_server *t = arg;
    struct str ours = buf_str(&t->alpn), left = ours;

    (void)ssl;
    while (left.len > 0) {
        size_t n = (unsigned char)left.ptr[0];
        struct str want = str_sub(left, 1, n);
        for (unsigned at = 0; at < in_len && in[at] < in_len - at; at += in[at] + 1u) {
            if (str_eq(str_from((const char *)in + at + 1, in[at]), want)) {
                *out = in + at + 1;
                *out_len = in[at];
                return SSL_TLSEXT_ERR_OK;
            }
        }
        left = str_skip(left, n + 1);
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Clients. */

enum status
tls_client_new(enum tls_verify verify, struct tls_client **out)
{
    fiber_on_switch(check_error_queue);
    struct tls_client *t = MEM_NEW(struct tls_client);
    t->verify = verify;
    t->ctx = context_new(TLS_client_method());
    if (verify == TLS_OPPORTUNISTIC || verify == TLS_ADVISE_NAME)
        ASSERT(SSL_CTX_set_cipher_list(t->ctx, CIPHERS_OPPORTUNISTIC) == 1);
    if (verify == TLS_VERIFY_DANE) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        ASSERT(SSL_CTX_dane_enable(t->ctx) > 0);
    } else if (verify != TLS_OPPORTUNISTIC) {
        if (verify == TLS_VERIFY_NAME)
            SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        /* Read now: the role that asks may be in its jail later. */
        (void)SSL_CTX_load_verify_file(t->ctx, DEBIAN_CA_FILE);
        (void)SSL_CTX_set_default_verify_paths(t->ctx);
    }
    ERR_clear_error();
    *out = t;
    return OK;
}

enum status
tls_client_trust(struct tls_client *t, struct str pem)
{
    X509 *cert = NULL;

    if (pem.len == 0 || pem.len > INT32_MAX)
        return ERR_SYNTAX;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    ASSERT(bio != NULL);
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool good = cert != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(t->ctx), cert) == 1;
    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return good ? OK : ERR_SYNTAX;
}

void
tls_client_free(struct tls_client **client)
{
    if (*client == NULL)
        return;
    SSL_CTX_free((*client)->ctx);
    mem_free(*client);
    *client = NULL;
}

bool
tls_client_judges(const struct tls_client *t)
{
    return t->verify != TLS_OPPORTUNISTIC;
}

enum status
tls_client_ssl(struct tls_client *t, struct str name, SSL **out)
{
    char z[256];

    ASSERT(t->verify != TLS_VERIFY_DANE); /* it would trust nobody */
    if (!str_to_z(name, z, sizeof(z)) || name.len == 0)
        return ERR_SYNTAX;
    SSL *ssl = SSL_new(t->ctx);
    ASSERT(ssl != NULL);
    SSL_set_connect_state(ssl);
    bool good = SSL_set_tlsext_host_name(ssl, z) == 1;
    if (good && t->verify != TLS_OPPORTUNISTIC) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        good = SSL_set1_host(ssl, z) == 1;
    }
    ERR_clear_error();
    if (!good) {
        SSL_free(ssl);
        return ERR_SYNTAX;
    }
    *out = ssl;
    return OK;
}

/* RFC 7672 sections 3.1.1 and 3.2.2. */
static bool
use_dane(SSL *ssl, const struct tls_dane *d)
{
    char base[256], domain[256];

    if (!str_to_z(d->base, base, sizeof(base)) || !str_to_z(d->domain, domain, sizeof(domain)) ||
        d->base.len == 0 || SSL_set_tlsext_host_name(ssl, base) != 1 ||
        SSL_dane_enable(ssl, base) <= 0)
        return false;
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (d->domain.len > 0 && SSL_add1_host(ssl, domain) != 1)
        return false;
    for (size_t i = 0; i < d->count; i++) {
        const struct tls_dane_record *r = &d->records[i];
        if (SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
                              (const unsigned char *)r->data.ptr, r->data.len) <= 0)
            return false;
    }
    return d->count > 0;
}

enum status
tls_client_ssl_dane(struct tls_client *t, const struct tls_dane *dane, SSL **out)
{
    ASSERT(t->verify == TLS_VERIFY_DANE);
    SSL *ssl = SSL_new(t->ctx);
    ASSERT(ssl != NULL);
    SSL_set_connect_state(ssl);
    bool good = use_dane(ssl, dane);
    ERR_clear_error();
    if (!good) {
        SSL_free(ssl);
        return ERR_SYNTAX;
    }
    *out = ssl;
    return OK;
}

void
tls_ssl_free(SSL **ssl)
{
    if (*ssl == NULL)
        return;
    SSL_free(*ssl);
    ERR_clear_error();
    *ssl = NULL;
}

/* The queue belongs to the thread: what one fiber leaves in it, another would take for its own.  Our
 * builds for tests insist; in service a forgotten entry is dropped rather than the worker. */
static void
check_error_queue(void)
{
    ASSERT(ERR_peek_error() == 0 || !(FIBER_ASAN || FIBER_TSAN));
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}
