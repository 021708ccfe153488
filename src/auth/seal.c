/* seal.c - AES-256-GCM with a key per kind and the name as associated data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/size.h"
#include "rt/random.h"

enum {
    FORMAT = 1,
    KEY_VERSION = 1,
    HEAD_BYTES = 2,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    NAME_MAX_BYTES = 1024
};
static_assert(HEAD_BYTES + NONCE_BYTES + TAG_BYTES == SEAL_OVERHEAD,
              "the overhead that callers reckon with");

struct seal {
    unsigned char key[SEAL_KEY_BYTES];
};

static bool derive(const struct seal *s, struct str kind, unsigned char *key_out);

static void
cipher_free(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

enum status
seal_new(struct str key, struct seal **out)
{
    if (key.len != SEAL_KEY_BYTES)
        return ERR_SYNTAX;
    struct seal *s = MEM_NEW(struct seal);
    mem_copy(s->key, key.ptr, SEAL_KEY_BYTES);
    *out = s;
    return OK;
}

void
seal_free(struct seal **s)
{
    if (*s == NULL)
        return;
    mem_wipe(*s, sizeof(**s));
    mem_free(*s);
    *s = NULL;
}

enum status
seal_derive(const struct seal *s, struct str kind, unsigned char *key_out)
{
    return derive(s, kind, key_out) ? OK : ERR_IO;
}

/* kind and name, with their border, as associated data. */
static bool
add_binding(EVP_CIPHER_CTX *c, struct str kind, struct str name)
{
    unsigned char border = 0;
    int n;

    return EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)kind.ptr, (int)kind.len) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, &border, 1) == 1 &&
           (name.len == 0 ||
            EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)name.ptr, (int)name.len) == 1);
}

static EVP_CIPHER_CTX *
cipher_start(const struct seal *s, struct str kind, const unsigned char *nonce, bool sealing)
{
    unsigned char key[SEAL_KEY_BYTES];
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

    ASSERT(c != NULL);
    bool ok = derive(s, kind, key) &&
              EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, sealing ? 1 : 0) == 1;
    mem_wipe(key, sizeof(key));
    if (ok)
        return c;
    EVP_CIPHER_CTX_free(c);
    return NULL;
}

enum status
seal_make(const struct seal *s, struct str kind, struct str name, struct str plain,
          struct buf *sealed_out)
{
    unsigned char nonce[NONCE_BYTES];
    int n = 0, rest = 0;

    if (plain.len > SEAL_PLAIN_MAX || name.len > NAME_MAX_BYTES)
        return ERR_LIMIT;
    random_fill(nonce, sizeof(nonce));
    AUTO(cipher_free) EVP_CIPHER_CTX *c = cipher_start(s, kind, nonce, true);
    unsigned char *to = (unsigned char *)buf_tail(sealed_out, plain.len + SEAL_OVERHEAD);
    if (to == NULL)
        return ERR_LIMIT;
    to[0] = FORMAT;
    to[1] = KEY_VERSION;
    mem_copy(to + HEAD_BYTES, nonce, sizeof(nonce));
    unsigned char *text = to + HEAD_BYTES + NONCE_BYTES;
    if (c == NULL || !add_binding(c, kind, name) ||
        EVP_CipherUpdate(c, text, &n, (const unsigned char *)plain.ptr, (int)plain.len) != 1 ||
        EVP_CipherFinal_ex(c, text + n, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len) != 1)
        return ERR_IO;
    buf_grew(sealed_out, plain.len + SEAL_OVERHEAD);
    return OK;
}

enum status
seal_open(const struct seal *s, struct str kind, struct str name, struct str sealed,
          struct buf *plain_out)
{
    const unsigned char *from = (const unsigned char *)sealed.ptr;
    unsigned char tag[TAG_BYTES];
    int n = 0, rest = 0;

    if (sealed.len < SEAL_OVERHEAD || from[0] != FORMAT || from[1] != KEY_VERSION ||
        name.len > NAME_MAX_BYTES)
        return ERR_CORRUPT;
    size_t len = sealed.len - SEAL_OVERHEAD;
    AUTO(cipher_free) EVP_CIPHER_CTX *c = cipher_start(s, kind, from + HEAD_BYTES, false);
    const unsigned char *text = from + HEAD_BYTES + NONCE_BYTES;
    mem_copy(tag, text + len, sizeof(tag));
    unsigned char *to = (unsigned char *)buf_tail(plain_out, len + TAG_BYTES);
    if (to == NULL)
        return ERR_LIMIT;
    if (c == NULL || !add_binding(c, kind, name) ||
        EVP_CipherUpdate(c, to, &n, text, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) != 1 ||
        EVP_CipherFinal_ex(c, to + n, &rest) != 1) {
        mem_wipe(to, len);
        return ERR_CORRUPT;
    }
    buf_grew(plain_out, len);
    return OK;
}

/* HKDF-SHA256(master key, info = kind). */
static bool
derive(const struct seal *s, struct str kind, unsigned char *key_out)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *c = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    unsigned char key[SEAL_KEY_BYTES];
    char info[64];
    char digest[] = "SHA256";

    ASSERT(kind.len < sizeof(info));
    mem_copy(key, s->key, sizeof(key));
    mem_copy(info, kind.ptr, kind.len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof(key)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, kind.len),
        OSSL_PARAM_construct_end(),
    };
    bool ok = c != NULL && EVP_KDF_derive(c, key_out, SEAL_KEY_BYTES, params) == 1;
    mem_wipe(key, sizeof(key));
    EVP_KDF_CTX_free(c);
    EVP_KDF_free(kdf);
    return ok;
}
