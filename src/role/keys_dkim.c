/* keys_dkim.c - DKIM keys: one RSA-2048 key per domain, made once, sealed in the store (RFC 6376).
 *
 * The store says what the message says; every tag of the field is written here, so nobody can have anything
 * else signed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/encode.h"
#include "base/map.h"
#include "base/scan.h"
#include "ipc/store_ipc.h"
#include "mail/canon.h"
#include "role/keys.h"
#include "rt/clock.h"
#include "rt/offload.h"

#define KEYS_SERVE_HANDLERS_ONLY
#include "ipc/keys_serve.h"

#define DKIM_KIND STR("dkim")
enum { RSA_BITS = 2048, PLAIN_MAX = 8192, FIELD_MAX = 4096, SIGNATURE_MAX = 512 };

struct domain_key {
    struct str selector; /* owned */
    EVP_PKEY *key;
};
static const struct seal *seal;
static struct map *by_domain; /* of struct domain_key; never shrinks: one per domain of ours */
static struct offload_pool *making;

void
keys_dkim_begin(const struct seal *with)
{
    seal = with;
    by_domain = map_new();
    if (offload_new("dkim", 1, 64, &making) != OK)
        role_fail("cannot start the thread that makes DKIM keys");
}

/* ---- keeping ---- */

static enum status
open_record(struct str domain, struct str sealed, struct domain_key **out)
{
    AUTO_BUF plain = BUF(PLAIN_MAX);
    struct str selector, der;

    TRY(seal_open(seal, DKIM_KIND, domain, sealed, &plain));
    struct scan s = scan_of(buf_str(&plain));
    if (!scan_bytes(&s, 63, &selector) || !scan_bytes(&s, PLAIN_MAX, &der) || !scan_at_end(&s))
        return ERR_CORRUPT;
    const unsigned char *p = (const unsigned char *)der.ptr;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
    struct domain_key *k = key == NULL ? NULL : MEM_NEW(struct domain_key);
    if (k != NULL)
        *k = (struct domain_key){.selector = mem_str(selector), .key = key};
    mem_wipe(plain.ptr, plain.cap); /* selector was a part of it */
    if (k == NULL)
        return ERR_CORRUPT;
    *out = k;
    return OK;
}

static SUSPENDS enum status
find(struct str domain, struct domain_key **out)
{
    AUTO_ARENA *a = arena_new(65536);
    struct store_sealed_get req = {.kind = DKIM_KIND, .name = domain};
    struct store_sealed_get_reply rep;
    struct domain_key *k = map_get(by_domain, domain);

    if (k == NULL) {
        TRY(store_sealed_get_call(role_peer(ROLE_STORE), &req, a, &rep));
        if (rep.records_count == 0)
            return ERR_NOT_FOUND;
        TRY(open_record(domain, rep.records[0].bytes, &k));
        map_put(by_domain, domain, k); /* an earlier one, found meanwhile, holds the same key */
    }
    *out = k;
    return OK;
}

static SUSPENDS enum status
keep(struct str domain, const struct domain_key *k)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF plain = BUF(PLAIN_MAX);
    AUTO_BUF sealed = BUF(PLAIN_MAX + SEAL_OVERHEAD);
    struct store_sealed_put_reply rep;
    unsigned char *der = NULL;
    int n = i2d_PrivateKey(k->key, &der);

    if (n <= 0)
        return ERR_IO;
    buf_add_bytes(&plain, k->selector);
    buf_add_bytes(&plain, str_from((const char *)der, (size_t)n));
    OPENSSL_clear_free(der, (size_t)n);
    enum status e = seal_make(seal, DKIM_KIND, domain, buf_str(&plain), &sealed);
    mem_wipe(plain.ptr, plain.cap);
    TRY(e);
    struct store_sealed_put req = {.kind = DKIM_KIND, .name = domain, .bytes = buf_str(&sealed)};
    return store_sealed_put_call(role_peer(ROLE_STORE), &req, a, &rep);
}

/* ---- making ---- */

static void
make_work(void *arg)
{
    EVP_PKEY **key = arg;

    *key = EVP_RSA_gen(RSA_BITS);
}

/* Named after the day, so that a later key has another name: "s20261123". */
static struct str
selector_of_today(void)
{
    struct civil c = civil_from_unix(clock_now().us / 1000000);
    AUTO_BUF b = BUF(32);

    buf_addf(&b, "s%04d%02d%02d", c.year, c.month, c.day);
    return mem_str(buf_str(&b));
}

static SUSPENDS enum status
make(struct str domain, struct domain_key **out)
{
    EVP_PKEY *key = NULL;

    TRY(rt_offload(making, make_work, &key));
    if (key == NULL)
        return ERR_TEMP;
    struct domain_key *k = MEM_NEW(struct domain_key);
    k->key = key;
    k->selector = selector_of_today();
    enum status e = keep(domain, k);
    if (e != OK) {
        EVP_PKEY_free(k->key);
        mem_str_free(&k->selector);
        mem_free(k);
        return e;
    }
    map_put(by_domain, domain, k);
    *out = k;
    return OK;
}

/* RFC 6376 section 3.6.1 */
static enum status
write_record(const struct domain_key *k, struct buf *b)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(k->key, &der);

    if (n <= 0)
        return ERR_IO;
    buf_add_z(b, "v=DKIM1; k=rsa; p=");
    buf_add_base64(b, str_from((const char *)der, (size_t)n));
    OPENSSL_free(der);
    return buf_status(b);
}

enum status
keys_serve_dkim_make(struct ipc_peer *from, const struct keys_dkim_make *req, struct arena *a,
                     struct keys_dkim_make_reply *rep)
{
    AUTO_BUF record = BUF(1024);
    struct domain_key *k;
    enum status e = find(req->domain, &k);

    (void)from;
    if (e == ERR_NOT_FOUND)
        e = make(req->domain, &k);
    TRY(e);
    TRY(write_record(k, &record));
    rep->selector = arena_str(a, k->selector);
    rep->record = arena_str(a, buf_str(&record));
    return OK;
}

/* ---- signing ---- */

static void
md_release(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

/* The hash is over the fields as role cook gave them, then our own field without its signature. */
static enum status
sign(const struct keys_dkim_sign *req, const struct domain_key *k, struct str unsigned_field,
     struct str *raw_out)
{
    static unsigned char raw[SIGNATURE_MAX];
    AUTO_BUF own = BUF(FIELD_MAX);
    AUTO(md_release) EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t n = sizeof(raw);

    dkim_header_input(STR_NONE, STR_NONE, unsigned_field, &own);
    TRY(buf_status(&own));
    if (c == NULL || EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, k->key) != 1 ||
        EVP_DigestSignUpdate(c, req->headers.ptr, req->headers.len) != 1 ||
        EVP_DigestSignUpdate(c, own.ptr, own.len) != 1 || EVP_DigestSignFinal(c, raw, &n) != 1)
        return ERR_IO;
    *raw_out = str_from((const char *)raw, n);
    return OK;
}

enum status
keys_serve_dkim_sign(struct ipc_peer *from, const struct keys_dkim_sign *req, struct arena *a,
                     struct keys_dkim_sign_reply *rep)
{
    AUTO_BUF field = BUF(FIELD_MAX);
    struct domain_key *k;
    struct str raw;

    (void)from;
    if (req->body_hash.len != 32 || str_find(req->header_names, '\n') >= 0)
        return ERR_SYNTAX;
    TRY(find(req->domain, &k));
    struct dkim_signature tags = {.algorithm = STR("rsa-sha256"),
                                  .domain = req->domain,
                                  .selector = k->selector,
                                  .body_hash = req->body_hash,
                                  .time = {req->time * 1000000}};
    dkim_header_write(&field, &tags, req->header_names);
    TRY(buf_status(&field));
    TRY(sign(req, k, buf_str(&field), &raw));
    dkim_header_finish(&field, raw);
    TRY(buf_status(&field));
    rep->field = arena_str(a, buf_str(&field));
    return OK;
}
