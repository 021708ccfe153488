/* foreign_check.c - is this the password of which another server kept that?
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <crypt.h>
#include <openssl/evp.h>

#include "auth/derive.h"
#include "auth/foreign.h"
#include "base/size.h"

static enum status check_crypt(const struct foreign *f, const struct secret *p);
static bool make_digest(const struct foreign *f, const struct secret *p, unsigned char *out);
static bool make_pbkdf2(const struct foreign *f, const struct secret *p, unsigned char *out);
static bool make_argon2(const struct foreign *f, const struct secret *p, unsigned char *out);
static bool make_scram(const struct foreign *f, const struct secret *p, unsigned char *out);
static const EVP_MD *digest_of(const struct foreign *f);

enum status
foreign_check(const struct foreign *f, const struct secret *password)
{
    unsigned char hash[EVP_MAX_MD_SIZE > FOREIGN_HASH_MAX ? EVP_MAX_MD_SIZE : FOREIGN_HASH_MAX];
    bool made = false;

    switch (f->kind) {
    case FOREIGN_PLAIN:
        return f->text_len == password->len &&
                       mem_eq_const_time(f->text, password->bytes, password->len)
                   ? OK
                   : ERR_DENIED;
    case FOREIGN_CRYPT: return check_crypt(f, password);
    case FOREIGN_DIGEST: made = make_digest(f, password, hash); break;
    case FOREIGN_PBKDF2: made = make_pbkdf2(f, password, hash); break;
    case FOREIGN_ARGON2: made = make_argon2(f, password, hash); break;
    case FOREIGN_SCRAM: made = make_scram(f, password, hash); break;
    }
    if (!made)
        return ERR_TEMP;
    bool right = mem_eq_const_time(hash, f->hash, f->hash_len);
    mem_wipe(hash, sizeof(hash));
    return right ? OK : ERR_DENIED;
}

/* A password with a zero byte is none to crypt(3), which would see its beginning alone. */
static enum status
check_crypt(const struct foreign *f, const struct secret *p)
{
    AUTO_SECRET z = {0};

    if (p->len >= sizeof(z.bytes) || str_find(secret_str(p), '\0') >= 0 ||
        !secret_set(&z, secret_str(p)))
        return ERR_DENIED;
    z.bytes[p->len] = '\0';
    struct crypt_data *room = MEM_NEW(struct crypt_data); /* 32 KiB */
    const char *made = crypt_rn((const char *)z.bytes, f->text, room, (int)sizeof(*room));
    enum status e = made == NULL ? ERR_TEMP : ERR_DENIED;
    if (made != NULL && strlen(made) == f->text_len &&
        mem_eq_const_time(made, f->text, f->text_len))
        e = OK;
    mem_wipe(room, sizeof(*room));
    mem_free(room);
    return e;
}

static bool
make_digest(const struct foreign *f, const struct secret *p, unsigned char *out)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned n = 0;

    bool ok = c != NULL && EVP_DigestInit_ex(c, digest_of(f), NULL) == 1 &&
              EVP_DigestUpdate(c, p->bytes, p->len) == 1 &&
              EVP_DigestUpdate(c, f->salt, f->salt_len) == 1 && EVP_DigestFinal_ex(c, out, &n) == 1;
    EVP_MD_CTX_free(c);
    return ok && n == f->hash_len;
}

static bool
make_pbkdf2(const struct foreign *f, const struct secret *p, unsigned char *out)
{
    return PKCS5_PBKDF2_HMAC((const char *)p->bytes, (int)p->len, (const unsigned char *)f->salt,
                             (int)f->salt_len, (int)f->rounds, digest_of(f), (int)f->hash_len,
                             out) == 1;
}

static bool
make_argon2(const struct foreign *f, const struct secret *p, unsigned char *out)
{
    const struct derive_argon2 how = {
        .id = f->argon2id,
        .version = f->version,
        .memory_kib = f->memory_kib,
        .passes = f->rounds,
        .lanes = f->lanes,
        .salt = str_from(f->salt, f->salt_len),
    };

    return derive_argon2(p, &how, out, f->hash_len);
}

static bool
make_scram(const struct foreign *f, const struct secret *p, unsigned char *out)
{
    unsigned char server[DERIVE_SCRAM_KEY];
    const struct derive_scram how = {str_from(f->salt, f->salt_len), f->rounds};

    bool ok = derive_scram(p, &how, out, server);
    mem_wipe(server, sizeof(server));
    return ok;
}

static const EVP_MD *
digest_of(const struct foreign *f)
{
    switch (f->digest) {
    case FOREIGN_MD5: return EVP_md5();
    case FOREIGN_SHA1: return EVP_sha1();
    case FOREIGN_SHA256: return EVP_sha256();
    case FOREIGN_SHA512: return EVP_sha512();
    }
    UNREACHABLE();
}
