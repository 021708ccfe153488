/* jwt.c - see jwt.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "base/size.h"

enum {
    KEYS_DEPTH = 16,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    NUMBER_MAX = RSA_BITS_MAX / 8,
    COORDINATE = 32,
    SIGNATURE_DER_MAX = 80,
};

struct jwt_key {
    enum jwt_alg alg;
    struct str kid; /* owned; empty: for every token */
    EVP_PKEY *key;
};
struct jwt_keys {
    struct jwt_key list[JWT_KEYS_MAX];
    size_t count;
};

static void read_pem(struct str text, struct jwt_keys *k);
static void read_jwk(const json_t *j, struct jwt_keys *k);
static EVP_PKEY *rsa_key(const json_t *j, struct arena *a);
static EVP_PKEY *ec_key(const json_t *j, struct arena *a);
static EVP_PKEY *ed_key(const json_t *j, struct arena *a);
static bool alg_of(EVP_PKEY *key, enum jwt_alg *out);
static void add(struct jwt_keys *k, EVP_PKEY *key, struct str kid);
static bool fits(const struct jwt_key *key, const struct jwt *t);
static bool verifies(EVP_PKEY *key, const struct jwt *t);

enum status
jwt_keys_read(struct str text, struct jwt_keys **out)
{
    AUTO(jwt_keys_free) struct jwt_keys *k = MEM_NEW(struct jwt_keys);

    if (text.len > JWT_KEYS_BYTES)
        return ERR_SYNTAX;
    if (str_find_str(text, STR("-----BEGIN")) >= 0) {
        read_pem(text, k);
    } else {
        AUTO(json_drop) json_t *j = json_read_bounded(text, KEYS_DEPTH);
        const json_t *list = json_object_get(j, "keys");
        if (!json_is_array(list))
            return ERR_SYNTAX;
        for (size_t i = 0; i < json_array_size(list); i++)
            read_jwk(json_array_get(list, i), k);
    }
    ERR_clear_error();
    if (k->count == 0)
        return ERR_NOT_FOUND;
    *out = k;
    k = NULL;
    return OK;
}

void
jwt_keys_free(struct jwt_keys **k)
{
    if (*k == NULL)
        return;
    for (size_t i = 0; i < (*k)->count; i++) {
        mem_str_free(&(*k)->list[i].kid);
        EVP_PKEY_free((*k)->list[i].key);
    }
    mem_free(*k);
    *k = NULL;
}

size_t
jwt_keys_count(const struct jwt_keys *k)
{
    return k->count;
}

enum status
jwt_check(const struct jwt_keys *k, struct str token, const struct jwt_wanted *w, struct arena *a,
          struct str *address_out)
{
    struct jwt t;
    bool signed_by_one = false, for_us = false;

    if (jwt_read(token, a, &t) != OK)
        return ERR_DENIED;
    for (size_t i = 0; i < k->count && !signed_by_one; i++)
        signed_by_one = fits(&k->list[i], &t) && verifies(k->list[i].key, &t);
    ERR_clear_error();
    for (size_t i = 0; i < t.audience_count; i++)
        for_us = for_us || str_eq(t.audiences[i], w->audience);
    if (!signed_by_one || !for_us || !str_eq(t.issuer, w->issuer) || !t.has_expiry ||
        t.expires_s + JWT_LEEWAY_S <= w->now_s ||
        (t.has_not_before && t.not_before_s - JWT_LEEWAY_S > w->now_s))
        return ERR_DENIED;
    struct str address = t.email.len > 0 ? t.email : t.subject;
    if (address.len == 0)
        return ERR_DENIED;
    *address_out = address;
    return OK;
}

/* ---- keys ---- */

static void
read_pem(struct str text, struct jwt_keys *k)
{
    BIO *in = BIO_new_mem_buf(text.ptr, (int)text.len); /* at most JWT_KEYS_BYTES */
    EVP_PKEY *key;

    ASSERT(in != NULL);
    while ((key = PEM_read_bio_PUBKEY(in, NULL, NULL, NULL)) != NULL)
        add(k, key, STR(""));
    BIO_free(in);
}

/* One that is for something else, or of another kind, is passed over (RFC 7517 section 5). */
static void
read_jwk(const json_t *j, struct jwt_keys *k)
{
    AUTO_ARENA *a = arena_new(4 * JWT_KEYS_BYTES);
    struct str kty = json_member_str(j, "kty", a), use = json_member_str(j, "use", a);
    EVP_PKEY *key = NULL;

    if (use.len > 0 && !str_eq(use, STR("sig")))
        return;
    if (str_eq(kty, STR("RSA")))
        key = rsa_key(j, a);
    else if (str_eq(kty, STR("EC")))
        key = ec_key(j, a);
    else if (str_eq(kty, STR("OKP")))
        key = ed_key(j, a);
    if (key != NULL)
        add(k, key, json_member_str(j, "kid", a));
}

static void
add(struct jwt_keys *k, EVP_PKEY *key, struct str kid)
{
    enum jwt_alg alg;

    if (k->count == JWT_KEYS_MAX || !alg_of(key, &alg)) {
        EVP_PKEY_free(key);
        return;
    }
    k->list[k->count++] = (struct jwt_key){.alg = alg, .kid = mem_str(kid), .key = key};
}

static bool
alg_of(EVP_PKEY *key, enum jwt_alg *out)
{
    char group[32] = "";

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        *out = JWT_RS256;
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
    case EVP_PKEY_EC:
        *out = JWT_ES256;
        return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
               str_eq(str_of(group), STR("prime256v1"));
    case EVP_PKEY_ED25519: *out = JWT_EDDSA; return true;
    default: return false;
    }
}

/* A member in base64url; empty: it is not there, or no such thing. */
static struct str
member_bytes(const json_t *j, const char *name, size_t max, struct arena *a)
{
    AUTO_BUF b = BUF(max);

    if (base64url_decode(json_member_str(j, name, a), &b) != OK)
        return STR("");
    return arena_str(a, buf_str(&b));
}

static EVP_PKEY *
key_of_params(const char *type, OSSL_PARAM_BLD *made)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(made);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(c);
    OSSL_PARAM_free(params);
    return key;
}

/* RFC 7518 section 6.3.1 */
static EVP_PKEY *
rsa_key(const json_t *j, struct arena *a)
{
    struct str n = member_bytes(j, "n", NUMBER_MAX, a), e = member_bytes(j, "e", 8, a);
    EVP_PKEY *key = NULL;

    if (n.len == 0 || e.len == 0)
        return NULL;
    OSSL_PARAM_BLD *made = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL); /* small, both */
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    if (OSSL_PARAM_BLD_push_BN(made, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(made, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = key_of_params("RSA", made);
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(made);
    return key;
}

/* RFC 7518 section 6.2.1 */
static EVP_PKEY *
ec_key(const json_t *j, struct arena *a)
{
    struct str x = member_bytes(j, "x", COORDINATE, a), y = member_bytes(j, "y", COORDINATE, a);
    unsigned char point[1 + 2 * COORDINATE] = {4}; /* uncompressed */
    EVP_PKEY *key = NULL;

    if (!str_eq(json_member_str(j, "crv", a), STR("P-256")) || x.len != COORDINATE ||
        y.len != COORDINATE)
        return NULL;
    mem_copy(point + 1, x.ptr, COORDINATE);
    mem_copy(point + 1 + COORDINATE, y.ptr, COORDINATE);
    OSSL_PARAM_BLD *made = OSSL_PARAM_BLD_new();
    if (OSSL_PARAM_BLD_push_utf8_string(made, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(made, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
        key = key_of_params("EC", made);
    OSSL_PARAM_BLD_free(made);
    return key;
}

/* RFC 8037 section 2 */
static EVP_PKEY *
ed_key(const json_t *j, struct arena *a)
{
    struct str x = member_bytes(j, "x", COORDINATE, a);

    if (!str_eq(json_member_str(j, "crv", a), STR("Ed25519")) || x.len != COORDINATE)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
}

/* ---- signatures ---- */

static bool
fits(const struct jwt_key *key, const struct jwt *t)
{
    return key->alg == t->alg && (key->kid.len == 0 || t->kid.len == 0 || str_eq(key->kid, t->kid));
}

/* RFC 7518 section 3.4: two numbers of 32 bytes; OpenSSL wants them as ASN.1. */
static bool
signature_der(struct str raw, struct buf *out)
{
    const unsigned char *bytes = (const unsigned char *)raw.ptr;
    unsigned char der[SIGNATURE_DER_MAX], *end = der;

    if (raw.len != 2 * COORDINATE)
        return false;
    ECDSA_SIG *s = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, COORDINATE, NULL),
           *v = BN_bin2bn(bytes + COORDINATE, COORDINATE, NULL);
    ASSERT(s != NULL && r != NULL && v != NULL && ECDSA_SIG_set0(s, r, v) == 1);
    int n = i2d_ECDSA_SIG(s, NULL);
    bool ok = n > 0 && (size_t)n <= sizeof(der) && i2d_ECDSA_SIG(s, &end) == n;
    ECDSA_SIG_free(s);
    if (ok)
        buf_add(out, str_from((const char *)der, (size_t)n)); /* positive: checked above */
    return ok;
}

static bool
verifies(EVP_PKEY *key, const struct jwt *t)
{
    AUTO_BUF der = BUF(SIGNATURE_DER_MAX);
    struct str signature = t->signature;

    if (t->alg == JWT_ES256) {
        if (!signature_der(t->signature, &der))
            return false;
        signature = buf_str(&der);
    }
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const EVP_MD *digest = t->alg == JWT_EDDSA ? NULL : EVP_sha256();
    bool ok = c != NULL && EVP_DigestVerifyInit(c, NULL, digest, NULL, key) == 1 &&
              EVP_DigestVerify(c, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)t->signed_part.ptr, t->signed_part.len) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}
