/* dkim_testkit.c - see dkim_testkit.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dkim_testkit.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/encode.h"
#include "policy/body_hash.h"

struct key_answer
testkit_answer(const struct testkit_dns *dns, struct str name)
{
    for (size_t i = 0; i < dns->count; i++)
        if (str_eq(dns->at[i].name, name))
            return (struct key_answer){
                .found = dns->at[i].found, .texts = &dns->at[i].text, .count = 1};
    return (struct key_answer){.found = KEY_ABSENT};
}

EVP_PKEY *
testkit_key(enum sig_cipher cipher, unsigned bits)
{
    EVP_PKEY *key =
        cipher == SIG_RSA ? EVP_RSA_gen(bits) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    ASSERT(key != NULL);
    return key;
}

struct str
testkit_record(EVP_PKEY *key, const char *tags, struct arena *a)
{
    AUTO_BUF b = BUF(4096);
    unsigned char *der = NULL, raw[64];
    size_t n = sizeof(raw);

    buf_add_z(&b, tags);
    if (EVP_PKEY_is_a(key, "RSA")) {
        int size = i2d_PUBKEY(key, &der);
        ASSERT(size > 0);
        buf_add_base64(&b, str_from((const char *)der, (size_t)size));
        OPENSSL_free(der);
    } else {
        int ok = EVP_PKEY_get_raw_public_key(key, raw, &n);
        ASSERT(ok == 1);
        buf_add_base64(&b, str_from((const char *)raw, n));
    }
    return arena_str(a, buf_str(&b));
}

void
testkit_sign_digest(EVP_PKEY *key, const struct sig *s, const unsigned char *digest,
                    struct buf *out)
{
    unsigned char raw[1024];
    size_t n = sizeof(raw);
    int ok;

    if (s->cipher == SIG_RSA) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
        ok = EVP_PKEY_sign_init(c) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
             EVP_PKEY_CTX_set_signature_md(c, s->sha1 ? EVP_sha1() : EVP_sha256()) == 1 &&
             EVP_PKEY_sign(c, raw, &n, digest, s->sha1 ? 20 : SIG_DIGEST) == 1;
        EVP_PKEY_CTX_free(c);
    } else {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        ok = EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
             EVP_DigestSign(c, raw, &n, digest, SIG_DIGEST) == 1;
        EVP_MD_CTX_free(c);
    }
    ASSERT(ok == 1);
    buf_add_base64(out, str_from((const char *)raw, n));
}

/* As it is when everything but bh= and b= is known. */
static void
read_unfinished(struct str header, struct arena *a, struct field_table *t, struct sig *out)
{
    field_table_index(header, a, t);
    sig_parse(t, 0, (struct sig_form){SIG_DKIM, SIG_RULES_OLD}, a, out);
}

struct str
testkit_sign(EVP_PKEY *key, const char *tags, struct str message, struct arena *a)
{
    AUTO_BUF b = BUF(4 << 20);
    AUTO_BUF text = BUF(4 << 20);
    struct str body = str_skip(message, header_block_len(message));
    struct field_table t;
    struct body_hashes bodies;
    struct sig s;
    unsigned char digest[SIG_DIGEST];
    uint32_t n;

    buf_add_z(&b, "DKIM-Signature: ");
    buf_add_z(&b, tags);
    buf_add_z(&b, "; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=AAAA\r\n");
    buf_add(&b, message);
    read_unfinished(buf_str(&b), a, &t, &s);
    buf_add_z(&text, "DKIM-Signature: ");
    buf_add_z(&text, tags);
    if (str_find_str(str_of(tags), STR("bh=")) < 0) {
        body_hashes_init(&bodies);
        enum status e = body_hashes_want(&bodies, &s, &n);
        ASSERT(e == OK);
        body_hashes_add(&bodies, body);
        body_hashes_end(&bodies);
        buf_add_z(&text, "; bh=");
        buf_add_base64(&text,
                       str_from((const char *)bodies.at[n].digest, s.sha1 ? 20 : SIG_DIGEST));
        body_hashes_release(&bodies);
    }
    buf_add_z(&text, "; b=");
    buf_reset(&b);
    buf_add(&b, buf_str(&text));
    buf_add_z(&b, "AAAA\r\n");
    buf_add(&b, message);
    read_unfinished(buf_str(&b), a, &t, &s);
    if (s.wrong == NULL) {
        sig_header_digest(&t, &s, digest);
        testkit_sign_digest(key, &s, digest, &text);
    } else {
        buf_add_z(&text, "AAAA"); /* a row about what cannot be signed */
    }
    buf_add_z(&text, "\r\n");
    buf_add(&text, message);
    return arena_str(a, buf_str(&text));
}

/* Reads a message and has its keys answered. */
static struct dkim *
read_message(struct str message, const struct testkit_dns *dns, const struct testkit_reading *r,
             struct arena *a, struct key_answer *answers)
{
    size_t header = header_block_len(message);
    size_t step = r->chunk > 0 ? r->chunk : message.len + 1;
    struct dkim *d = dkim_new(str_sub(message, 0, header), r->rules, a);
    const struct str *names;

    for (size_t at = header; at < message.len; at += step)
        dkim_body(d, str_sub(message, at, step));
    dkim_body_end(d);
    uint32_t n = dkim_names(d, &names);
    for (uint32_t i = 0; i < n; i++)
        answers[i] = testkit_answer(dns, names[i]);
    return d;
}

uint32_t
testkit_judge(struct str message, const struct testkit_dns *dns, struct testkit_reading *r,
              struct arena *a, struct dkim_verdict *out)
{
    struct key_answer answers[LIMIT_DKIM_NAMES];
    AUTO(dkim_free) struct dkim *d = read_message(message, dns, r, a, answers);

    for (uint32_t i = 0; i < dkim_count(d); i++)
        dkim_verdict(d, i, answers, r->now_s, &out[i]);
    r->beyond = dkim_beyond(d);
    return dkim_count(d);
}

void
testkit_judge_arc(struct str message, const struct testkit_dns *dns, size_t chunk, struct arena *a,
                  struct arc_verdict *out)
{
    const struct testkit_reading r = {.chunk = chunk};
    struct key_answer answers[LIMIT_DKIM_NAMES];
    AUTO(dkim_free) struct dkim *d = read_message(message, dns, &r, a, answers);

    arc_verdict(d, answers, 1800000000, out);
}
