/* tls.c - certificates with their keys, and the private operation of a handshake.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hash.h"
#include "base/size.h"
#include "config/events.h"
#include "role/keys/keys.h"
#include "role/keys/pss.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/tls.h"
#include "setup/cert.h"

#define KEYS_SERVE_HANDLERS_ONLY
#include "ipc/keys_serve.h"

enum { CERTS_MAX = 16, SIGNATURE_MAX = 1024 };

struct held {
    struct str file;  /* of the configuration, for the log */
    struct str chain; /* owned: PEM */
    EVP_PKEY *key;
    uint32_t id; /* what workers call the key: another one for every key that was here */
    /* The one before: handshakes that showed its certificate may be under way. */
    EVP_PKEY *previous;
    uint32_t previous_id;
    struct arena *names_arena;
    const struct str *names;
    size_t name_count;
    int64_t ends_s; /* seconds since 1970 */
    uint32_t mark;  /* checksum of both files */
};
static struct held held[CERTS_MAX];
static size_t held_count;
static uint32_t last_id;

static void
bio_release(BIO **b)
{
    BIO_free(*b);
}

static void
x509_release(X509 **x)
{
    X509_free(*x);
}

static void
log_cert(enum event what, const struct held *h, const char *reason)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, what))
        return;
    log_str(&l, "names", h->name_count > 0 ? h->names[0] : STR_NONE);
    log_i64(&l, "days", h->ends_s == 0 ? 0 : (h->ends_s - clock_now().us / 1000000) / 86400);
    log_str(&l, "file", h->file);
    if (reason != NULL)
        log_str(&l, "reason", str_of(reason));
}

static void
held_release(struct held *h)
{
    EVP_PKEY_free(h->key);
    EVP_PKEY_free(h->previous);
    mem_str_free(&h->chain);
    mem_str_free(&h->file);
    arena_free(&h->names_arena);
    *h = (struct held){0};
}

static int64_t
end_of(const X509 *x)
{
    int days = 0, seconds = 0;

    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)) != 1)
        return 0;
    return clock_now().us / 1000000 + days * 86400LL + seconds;
}

/* NULL: in use from now on; else why not. */
static const char *
parse(struct str chain, struct str key, struct held *h)
{
    AUTO(bio_release) BIO *chain_bio = BIO_new_mem_buf(chain.ptr, (int)chain.len);
    AUTO(bio_release) BIO *key_bio = BIO_new_mem_buf(key.ptr, (int)key.len);
    AUTO(x509_release) X509 *leaf = PEM_read_bio_X509(chain_bio, NULL, NULL, NULL);

    if (leaf == NULL)
        return "the file holds no PEM certificate";
    h->key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    if (h->key == NULL)
        return "the key file holds no PEM private key without a password";
    if (X509_check_private_key(leaf, h->key) != 1)
        return "the key is not of this certificate";
    h->chain = mem_str(chain);
    h->ends_s = end_of(leaf);
    h->names_arena = arena_new(65536);
    h->name_count = cert_dns_names(leaf, h->names_arena, &h->names);
    return NULL;
}

static const char *
read_pair(const struct role_start *s, const struct config_tls *t, struct held *h)
{
    AUTO_BUF chain = BUF(CERT_FILE_MAX);
    AUTO_BUF key = BUF(CERT_FILE_MAX);

    h->file = mem_str(t->cert_file);
    if (role_file_read(s, t->cert_file, &chain) != OK)
        return "the certificate file cannot be read";
    if (role_file_read(s, t->key_file, &key) != OK)
        return "the key file cannot be read";
    const char *why = parse(buf_str(&chain), buf_str(&key), h);
    h->mark = crc32c(crc32c(0, chain.ptr, chain.len), key.ptr, key.len);
    mem_wipe(key.ptr, key.cap);
    return why;
}

static void
check_end(const struct held *h)
{
    if (h->key != NULL && h->ends_s - clock_now().us / 1000000 < CERT_WARN_DAYS * 86400)
        log_cert(EVENT_CERT_EXPIRES, h, NULL);
}

bool
keys_tls_load(const struct role_start *s)
{
    bool changed = false;

    for (size_t i = 0; i < MIN(s->config->tls_count, (size_t)CERTS_MAX); i++) {
        struct held fresh = {0};
        const char *why = read_pair(s, &s->config->tls[i], &fresh);
        if (why != NULL || fresh.mark == held[i].mark) {
            if (why != NULL)
                log_cert(EVENT_CERT_REFUSED, &fresh, why);
            held_release(&fresh);
            continue;
        }
        fresh.id = ++last_id;
        fresh.previous = held[i].key;
        fresh.previous_id = held[i].id;
        held[i].key = NULL; /* moved */
        held_release(&held[i]);
        held[i] = fresh;
        held_count = MAX(held_count, i + 1);
        log_cert(EVENT_CERT_LOADED, &held[i], NULL);
        check_end(&held[i]);
        changed = true;
    }
    while (held_count > s->config->tls_count) { /* a new configuration names fewer */
        held_release(&held[--held_count]);
        held[held_count] = (struct held){0};
        changed = true;
    }
    return changed;
}

void
keys_tls_check_ends(void)
{
    for (size_t i = 0; i < held_count; i++)
        check_end(&held[i]);
}

/* ---- calls ---- */

enum status
keys_serve_certs(struct ipc_peer *from, const struct keys_certs *req, struct arena *a,
                 struct keys_certs_reply *rep)
{
    struct keys_cert *certs = ARENA_ARRAY(a, struct keys_cert, CERTS_MAX);
    size_t n = 0;

    (void)from, (void)req;
    for (size_t i = 0; i < held_count; i++)
        if (held[i].key != NULL)
            certs[n++] = (struct keys_cert){.key_id = held[i].id,
                                            .chain = held[i].chain,
                                            .names = held[i].names,
                                            .names_count = held[i].name_count};
    *rep = (struct keys_certs_reply){.certs = certs, .certs_count = n};
    return OK;
}

static EVP_PKEY *
find_key(uint32_t id)
{
    for (size_t i = 0; i < held_count; i++) {
        if (held[i].key != NULL && held[i].id == id)
            return held[i].key;
        if (held[i].previous != NULL && held[i].previous_id == id)
            return held[i].previous;
    }
    return NULL;
}

static void
pkey_ctx_release(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

/* Each scheme fits one kind of key, and a digest of the size that it names. */
static bool
set_scheme(EVP_PKEY_CTX *c, const EVP_PKEY *key, const struct keys_tls_sign *req)
{
    const EVP_MD *md = EVP_get_digestbynid((int)req->digest_nid);

    switch ((enum tls_scheme)req->scheme) {
    case TLS_ECDSA:
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && req->digest.len >= 20 &&
               req->digest.len <= 64;
    case TLS_RSA_PKCS1:
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && md != NULL &&
               req->digest.len == (size_t)EVP_MD_get_size(md) &&
               EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(c, md) == 1;
    case TLS_RSA_RAW:
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
               req->digest.len == (size_t)EVP_PKEY_get_size(key) && keys_is_pss(req->digest) &&
               EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) == 1;
    }
    return false;
}

enum status
keys_serve_tls_sign(struct ipc_peer *from, const struct keys_tls_sign *req, struct arena *a,
                    struct keys_tls_sign_reply *rep)
{
    unsigned char *sig = arena_alloc(a, SIGNATURE_MAX);
    size_t n = SIGNATURE_MAX;

    (void)from;
    EVP_PKEY *key = find_key(req->key_id);
    if (key == NULL)
        return ERR_DENIED;
    AUTO(pkey_ctx_release) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
    if (c == NULL || EVP_PKEY_sign_init(c) != 1 || !set_scheme(c, key, req) ||
        EVP_PKEY_sign(c, sig, &n, (const unsigned char *)req->digest.ptr, req->digest.len) != 1)
        return ERR_DENIED;
    rep->signature = str_from((const char *)sig, n);
    return OK;
}
