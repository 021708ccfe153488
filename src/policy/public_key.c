/* public_key.c - see public_key.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/public_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/size.h"

enum { DER_INTEGER = 0x02, DER_BITS = 0x03, DER_SEQUENCE = 0x30, EXPONENT_MAX = 8 };

/* ---- the record ---- */

/* One element of DER: tag, length in its shortest form, content. */
static bool
der_take(struct scan *s, uint8_t tag, struct str *content_out)
{
    struct scan t = *s;
    uint8_t got, first, next;
    size_t size;

    if (!scan_u8(&t, &got) || got != tag || !scan_u8(&t, &first))
        return false;
    size = first;
    if (first >= 0x80) {
        size = 0;
        if (first != 0x81 && first != 0x82)
            return false;
        for (int i = 0; i < first - 0x80; i++) {
            if (!scan_u8(&t, &next))
                return false;
            size = size << 8 | next;
        }
        if (size < (first == 0x81 ? 0x80u : 0x100u))
            return false;
    }
    if (!scan_take(&t, size, content_out))
        return false;
    *s = t;
    return true;
}

/* A positive INTEGER without its zeros in front. */
static bool
der_number(struct scan *s, struct str *out)
{
    struct str n;

    if (!der_take(s, DER_INTEGER, &n) || n.len == 0 || (n.ptr[0] & 0x80) != 0)
        return false;
    while (n.len > 0 && n.ptr[0] == '\0')
        n = str_skip(n, 1);
    *out = n;
    return n.len > 0;
}

/* SubjectPublicKeyInfo of RFC 5280, which everyone publishes, or the bare RSAPublicKey that RFC 6376 names. */
static bool
read_rsa(struct str der, struct public_key *k)
{
    static const char algorithm[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    struct scan s = scan_of(der), in;
    struct str outer, part;

    if (!der_take(&s, DER_SEQUENCE, &outer) || !scan_at_end(&s))
        return false;
    in = scan_of(outer);
    if (der_take(&in, DER_SEQUENCE, &part)) {
        struct str bits;
        if (!str_eq(part, str_from(algorithm, sizeof(algorithm) - 1)) ||
            !der_take(&in, DER_BITS, &bits) || !scan_at_end(&in) || bits.len == 0 ||
            bits.ptr[0] != '\0')
            return false;
        s = scan_of(str_skip(bits, 1));
        if (!der_take(&s, DER_SEQUENCE, &outer) || !scan_at_end(&s))
            return false;
        in = scan_of(outer);
    }
    if (!der_number(&in, &k->modulus) || !der_number(&in, &k->exponent) || !scan_at_end(&in))
        return false;
    unsigned top = (unsigned char)k->modulus.ptr[0];
    /* Fits: a record is no longer than LIMIT_DKIM_KEY_BYTES. */
    k->bits = (uint32_t)(k->modulus.len - 1) * 8 + (32 - (uint32_t)__builtin_clz(top));
    bool odd = (k->modulus.ptr[k->modulus.len - 1] & k->exponent.ptr[k->exponent.len - 1] & 1) != 0;
    /* A large exponent would make each check as dear as a signature. */
    return odd && k->exponent.len <= EXPONENT_MAX;
}

static bool
read_ed25519(struct str bytes, struct public_key *k)
{
    k->point = bytes;
    k->bits = 256;
    return bytes.len == KEY_ED25519;
}

static const char *
read_uses(const struct tag_list *l, struct public_key *k)
{
    const struct tag *v = tags_find(l, STR("v")), *h = tags_find(l, STR("h")),
                     *s = tags_find(l, STR("s"));
    struct str flags = tags_value(l, STR("t"));

    if (v != NULL && (v != &l->at[0] || !str_eq(v->value, STR("DKIM1"))))
        return "the key is of another version";
    if (s != NULL && !tags_has_piece(s->value, STR("*")) && !tags_has_piece(s->value, STR("email")))
        return "the key is not for mail";
    k->sha1 = h == NULL || tags_has_piece(h->value, STR("sha1"));
    k->sha256 = h == NULL || tags_has_piece(h->value, STR("sha256"));
    k->testing = tags_has_piece(flags, STR("y"));
    k->strict = tags_has_piece(flags, STR("s"));
    return NULL;
}

/* RFC 6376 section 3.6.1 */
const char *
public_key_parse(struct str text, struct arena *a, struct public_key *out)
{
    AUTO_BUF bytes = BUF(LIMIT_DKIM_KEY_BYTES);
    struct public_key k = {0};
    struct tag_list l;

    ASSERT(out != NULL);
    if (text.len > LIMIT_DKIM_KEY_BYTES || tags_parse(text, &l) != OK)
        return "the key record is broken";
    const char *wrong = read_uses(&l, &k);
    if (wrong != NULL)
        return wrong;
    const struct tag *kind = tags_find(&l, STR("k")), *p = tags_find(&l, STR("p"));
    bool rsa = kind == NULL || str_eq(kind->value, STR("rsa"));
    if (!rsa && !str_eq(kind->value, STR("ed25519")))
        return "the key is of an unknown kind";
    if (p == NULL)
        return "the key record is broken";
    if (p->value.len == 0)
        return "the key is revoked";
    k.cipher = rsa ? SIG_RSA : SIG_ED25519;
    if (tags_base64(p->value, &bytes) != OK)
        return "the key is broken";
    struct str kept = arena_str(a, buf_str(&bytes));
    if (!(rsa ? read_rsa(kept, &k) : read_ed25519(kept, &k)))
        return "the key is broken";
    *out = k;
    return NULL;
}

bool
public_key_same(struct str text, struct str other, struct arena *a)
{
    struct public_key x, y;

    if (public_key_parse(text, a, &x) != NULL || public_key_parse(other, a, &y) != NULL ||
        x.cipher != y.cipher)
        return false;
    if (x.cipher == SIG_ED25519)
        return str_eq(x.point, y.point);
    return str_eq(x.modulus, y.modulus) && str_eq(x.exponent, y.exponent);
}

/* ---- checking ---- */

static void
key_release(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void
context_release(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static void
digest_release(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

/* OpenSSL takes numbers in the order of the machine. */
static OSSL_PARAM
number_of(const char *name, struct str big_endian, unsigned char *bytes)
{
    for (size_t i = 0; i < big_endian.len; i++)
        bytes[i] = (unsigned char)big_endian.ptr[big_endian.len - 1 - i];
    return OSSL_PARAM_construct_BN(name, bytes, big_endian.len);
}

static EVP_PKEY *
rsa_key(const struct public_key *k)
{
    AUTO(context_release) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    unsigned char n[KEY_RSA_BITS_MAX / 8], e[EXPONENT_MAX];
    EVP_PKEY *key = NULL;

    ASSERT(k->modulus.len <= sizeof(n) && k->exponent.len <= sizeof(e));
    OSSL_PARAM params[] = {number_of(OSSL_PKEY_PARAM_RSA_N, k->modulus, n),
                           number_of(OSSL_PKEY_PARAM_RSA_E, k->exponent, e),
                           OSSL_PARAM_construct_end()};
    if (c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static bool
rsa_verifies(const struct public_key *k, const struct sig *s, const unsigned char *digest)
{
    AUTO(key_release) EVP_PKEY *key = rsa_key(k);
    AUTO(context_release) EVP_PKEY_CTX *c = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
    const EVP_MD *md = s->sha1 ? EVP_sha1() : EVP_sha256();

    return c != NULL && EVP_PKEY_verify_init(c) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(c, md) == 1 &&
           EVP_PKEY_verify(c, (const unsigned char *)s->bytes.ptr, s->bytes.len, digest,
                           (size_t)EVP_MD_get_size(md)) == 1;
}

/* RFC 8463 section 3: PureEdDSA over the digest. */
static bool
ed25519_verifies(const struct public_key *k, const struct sig *s, const unsigned char *digest)
{
    AUTO(key_release)
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                                (const unsigned char *)k->point.ptr, k->point.len);
    AUTO(digest_release) EVP_MD_CTX *c = EVP_MD_CTX_new();

    return key != NULL && c != NULL && EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestVerify(c, (const unsigned char *)s->bytes.ptr, s->bytes.len, digest,
                            SIG_DIGEST) == 1;
}

enum key_says
public_key_check(const struct public_key *k, const struct sig *s,
                 const unsigned char digest[SIG_DIGEST], enum sig_rules rules)
{
    uint32_t bits_min = rules == SIG_RULES_OLD ? 512 : KEY_RSA_BITS_MIN;

    ASSERT(s->wrong == NULL);
    if (k->cipher != s->cipher || !(s->sha1 ? k->sha1 : k->sha256))
        return KEY_OTHER;
    if (k->cipher == SIG_RSA && (k->bits < bits_min || k->bits > KEY_RSA_BITS_MAX))
        return k->bits < bits_min ? KEY_SHORT : KEY_LONG;
    ERR_clear_error();
    bool good = k->cipher == SIG_RSA ? rsa_verifies(k, s, digest) : ed25519_verifies(k, s, digest);
    ERR_clear_error(); /* the queue belongs to the thread */
    return good ? KEY_GOOD : KEY_BAD;
}
