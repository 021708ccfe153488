/* sign.c - DKIM signatures (RFC 6376, RFC 8463) and sets of ARC (RFC 8617).
 *
 * The store says what the message says; every tag of the fields is written here, so nobody can have anything else
 * signed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/size.h"
#include "mail/canon.h"
#include "policy/arc_seal.h"
#include "role/keys/keys.h"

#define KEYS_SERVE_HANDLERS_ONLY
#include "ipc/keys_serve.h"

enum { FIELD_MAX = 4096, SIGNATURE_MAX = 512, SHA256 = 32 };

static const struct str algorithms[RING_ALGORITHMS] = {
    [RING_RSA] = STR("rsa-sha256"), [RING_ED25519] = STR("ed25519-sha256")};

static void
md_release(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

static void
pkey_ctx_release(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

/* Of the fields as role cook gave them, then our own without its signature. */
static enum status
digest_of(struct str fields, struct str unsigned_field, unsigned char digest[SHA256])
{
    AUTO_BUF own = BUF(FIELD_MAX);
    AUTO(md_release) EVP_MD_CTX *c = EVP_MD_CTX_new();

    dkim_header_input(STR_NONE, STR_NONE, unsigned_field, &own);
    TRY(buf_status(&own));
    if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(c, fields.ptr, fields.len) != 1 ||
        EVP_DigestUpdate(c, own.ptr, own.len) != 1 || EVP_DigestFinal_ex(c, digest, NULL) != 1)
        return ERR_IO;
    return OK;
}

static bool
sign_rsa(EVP_PKEY *key, const unsigned char digest[SHA256], unsigned char *raw, size_t *len)
{
    AUTO(pkey_ctx_release) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);

    return c != NULL && EVP_PKEY_sign_init(c) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) == 1 &&
           EVP_PKEY_sign(c, raw, len, digest, SHA256) == 1;
}

/* RFC 8463 section 3: PureEdDSA over the digest. */
static bool
sign_ed25519(EVP_PKEY *key, const unsigned char digest[SHA256], unsigned char *raw, size_t *len)
{
    AUTO(md_release) EVP_MD_CTX *c = EVP_MD_CTX_new();

    return c != NULL && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestSign(c, raw, len, digest, SHA256) == 1;
}

/* Completes the field in b, which is all of it. */
static enum status
sign(const struct ring_key *k, struct str fields, struct buf *b)
{
    unsigned char digest[SHA256], raw[SIGNATURE_MAX];
    size_t len = sizeof(raw);

    TRY(buf_status(b));
    TRY(digest_of(fields, buf_str(b), digest));
    if (!(k->algorithm == RING_RSA ? sign_rsa(k->key, digest, raw, &len)
                                   : sign_ed25519(k->key, digest, raw, &len)))
        return ERR_IO;
    dkim_header_finish(b, str_from((const char *)raw, len));
    return buf_status(b);
}

static enum status
sign_with(const struct ring_key *k, const struct keys_dkim_sign *req, struct buf *fields)
{
    AUTO_BUF field = BUF(FIELD_MAX);
    struct dkim_signature tags = {.algorithm = algorithms[k->algorithm],
                                  .domain = req->domain,
                                  .selector = k->selector,
                                  .body_hash = req->body_hash,
                                  .time = {req->time * 1000000}};

    dkim_header_write(&field, &tags, req->header_names);
    TRY(sign(k, req->headers, &field));
    buf_add(fields, buf_str(&field));
    return buf_status(fields);
}

/* ---- ARC (RFC 8617) ---- */

static enum status
write_set(const struct ring_key *k, const struct keys_arc_seal *req, struct buf *fields)
{
    AUTO_BUF results = BUF(ARC_RESULTS_MAX + 64);
    AUTO_BUF message = BUF(FIELD_MAX);
    AUTO_BUF seal = BUF(FIELD_MAX);
    AUTO_BUF input = BUF(ARC_SETS_MAX + ARC_RESULTS_MAX + FIELD_MAX + 64);
    const struct arc_sealing s = {.instance = req->instance,
                                  .chain = (enum sig_chain)req->chain, /* enum<2> */
                                  .algorithm = algorithms[k->algorithm],
                                  .domain = req->domain,
                                  .selector = k->selector,
                                  .time = {req->time * 1000000}};

    arc_results_write(&results, s.instance, req->results);
    arc_message_write(&message, &s, req->header_names, req->body_hash);
    TRY(sign(k, req->headers, &message));
    const struct arc_new_set set = {req->sets, buf_str(&results), buf_str(&message)};
    arc_seal_input(&s, &set, &input);
    arc_seal_write(&seal, &s);
    TRY(buf_status(&input));
    TRY(sign(k, buf_str(&input), &seal));
    buf_add(fields, buf_str(&seal));
    buf_add(fields, buf_str(&message));
    buf_add(fields, buf_str(&results));
    return buf_status(fields);
}

enum status
keys_serve_arc_seal(struct ipc_peer *from, const struct keys_arc_seal *req, struct arena *a,
                    struct keys_arc_seal_reply *rep)
{
    AUTO_BUF fields = BUF(2 * FIELD_MAX + ARC_RESULTS_MAX);
    struct dkim_ring *r;

    (void)from;
    if (req->body_hash.len != SHA256 || str_find(req->header_names, '\n') >= 0 ||
        req->instance == 0 || req->instance > LIMIT_ARC_SETS || !arc_results_fit(req->results))
        return ERR_SYNTAX;
    TRY(keys_dkim_find(req->domain, &r));
    const struct ring_key *k = ring_find(r, RING_RSA, RING_SIGNS);
    if (k == NULL)
        return ERR_NOT_FOUND;
    TRY(write_set(k, req, &fields));
    rep->fields = arena_str(a, buf_str(&fields));
    return OK;
}

/* ---- DKIM ---- */

/* RSA stands first: whoever looks at few signatures knows it. */
enum status
keys_serve_dkim_sign(struct ipc_peer *from, const struct keys_dkim_sign *req, struct arena *a,
                     struct keys_dkim_sign_reply *rep)
{
    AUTO_BUF fields = BUF(2 * FIELD_MAX);
    struct dkim_ring *r;

    (void)from;
    if (req->body_hash.len != SHA256 || str_find(req->header_names, '\n') >= 0)
        return ERR_SYNTAX;
    TRY(keys_dkim_find(req->domain, &r));
    for (int i = 0; i < RING_ALGORITHMS; i++) {
        const struct ring_key *k =
            ring_find(r, (enum ring_algorithm)i, RING_SIGNS); /* each of them */
        if (k != NULL)
            TRY(sign_with(k, req, &fields));
    }
    rep->fields = arena_str(a, buf_str(&fields));
    return OK;
}
