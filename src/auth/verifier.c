/* verifier.c - argon2id and SCRAM keys of a password.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/verifier.h"

#include <argon2.h>

#include "auth/derive.h"
#include "auth/foreign.h"
#include "base/encode.h"
#include "base/scan.h"
#include "rt/random.h"

enum {
    FORMAT = 1,
    FORMAT_FOREIGN = 2, /* then the text of another server, auth/foreign.h */
    SALT_BYTES = 16,
    HASH_BYTES = 32,
    MEMORY_KIB = 19456, /* the least that OWASP's password storage advice allows for t = 2 */
    PASSES = 2,
    LANES = 1,
    /* Of a stored verifier: what argon2 takes, and what we are ready to spend. */
    MEMORY_KIB_MIN = 8 * LANES,
    MEMORY_KIB_MAX = 1u << 20,
    PASSES_MAX = 16,
    SCRAM_ITERATIONS_MAX = 1u << 24,
};

struct parts {
    uint32_t memory_kib, passes;
    struct str salt, hash;
    struct str scram_salt, stored_key, server_key;
    uint32_t iterations;
};

static bool
hash_password(const struct secret *p, const struct parts *how, unsigned char *hash_out)
{
    const struct derive_argon2 d = {
        .id = true,
        .version = ARGON2_VERSION_13,
        .memory_kib = how->memory_kib,
        .passes = how->passes,
        .lanes = LANES,
        .salt = how->salt,
    };

    return derive_argon2(p, &d, hash_out, HASH_BYTES);
}

enum status
verifier_make(const struct secret *password, struct buf *out)
{
    char salt[SALT_BYTES], scram_salt[SCRAM_SALT_BYTES];
    unsigned char hash[HASH_BYTES], stored[SCRAM_KEY_BYTES], server[SCRAM_KEY_BYTES];

    random_fill(salt, sizeof(salt));
    random_fill(scram_salt, sizeof(scram_salt));
    struct parts how = {
        .memory_kib = MEMORY_KIB, .passes = PASSES, .salt = str_from(salt, sizeof(salt))};
    const struct derive_scram scram = {str_from(scram_salt, sizeof(scram_salt)), SCRAM_ITERATIONS};
    if (!hash_password(password, &how, hash) || !derive_scram(password, &scram, stored, server))
        return ERR_TEMP;
    buf_add_char(out, FORMAT);
    buf_add_varint(out, MEMORY_KIB);
    buf_add_varint(out, PASSES);
    buf_add_bytes(out, how.salt);
    buf_add_bytes(out, str_from((const char *)hash, sizeof(hash)));
    buf_add_varint(out, SCRAM_ITERATIONS);
    buf_add_bytes(out, scram.salt);
    buf_add_bytes(out, str_from((const char *)stored, sizeof(stored)));
    buf_add_bytes(out, str_from((const char *)server, sizeof(server)));
    return buf_status(out);
}

/* A password in the clear is not kept: SCRAM keys are made in a moment, and serve every way to log in. */
static enum status
scram_of(const struct foreign *plain, struct buf *out)
{
    AUTO_SECRET password = {0};
    char salt[SCRAM_SALT_BYTES];
    unsigned char stored[SCRAM_KEY_BYTES], server[SCRAM_KEY_BYTES];

    random_fill(salt, sizeof(salt));
    const struct derive_scram how = {str_from(salt, sizeof(salt)), SCRAM_ITERATIONS};
    if (!secret_set(&password, str_from(plain->text, plain->text_len)) ||
        !derive_scram(&password, &how, stored, server))
        return ERR_TEMP;
    buf_addf(out, "{SCRAM-SHA-256}%u,", SCRAM_ITERATIONS);
    buf_add_base64(out, how.salt);
    buf_add_char(out, ',');
    buf_add_base64(out, str_from((const char *)stored, sizeof(stored)));
    buf_add_char(out, ',');
    buf_add_base64(out, str_from((const char *)server, sizeof(server)));
    return buf_status(out);
}

enum status
verifier_take(struct str hash, struct buf *out, const char **why)
{
    AUTO_FOREIGN f = {0};
    const char *fault = foreign_read(hash, &f);

    if (fault != NULL) {
        *why = fault;
        return ERR_SYNTAX;
    }
    buf_add_char(out, FORMAT_FOREIGN);
    if (f.kind == FOREIGN_PLAIN)
        return scram_of(&f, out);
    buf_add(out, hash);
    return buf_status(out);
}

bool
verifier_is_foreign(struct str verifier)
{
    return verifier.len > 0 && verifier.ptr[0] == FORMAT_FOREIGN;
}

bool
verifier_saw_all(struct str verifier, const struct secret *password)
{
    AUTO_FOREIGN f = {0};

    return !verifier_is_foreign(verifier) || (foreign_read(str_skip(verifier, 1), &f) == NULL &&
                                              password->len <= foreign_looks_at(&f));
}

/* What another server's cost less is made up for, so that the time does not tell who has one. */
static enum status
check_foreign(struct str text, const struct secret *password)
{
    AUTO_FOREIGN f = {0};

    if (foreign_read(text, &f) != NULL)
        return ERR_CORRUPT;
    verifier_check_nobody(password);
    return foreign_check(&f, password);
}

static bool
scan_parts(struct str verifier, struct parts *out)
{
    struct scan s = scan_of(verifier);
    uint64_t memory, passes, iterations;
    struct parts p = {0};
    uint8_t format;

    if (!scan_u8(&s, &format) || format != FORMAT || !scan_varint(&s, MEMORY_KIB_MAX, &memory) ||
        !scan_varint(&s, PASSES_MAX, &passes) || !scan_bytes(&s, 64, &p.salt) ||
        !scan_bytes(&s, HASH_BYTES, &p.hash) ||
        !scan_varint(&s, SCRAM_ITERATIONS_MAX, &iterations) || !scan_bytes(&s, 64, &p.scram_salt) ||
        !scan_bytes(&s, 64, &p.stored_key) || !scan_bytes(&s, 64, &p.server_key) ||
        !scan_at_end(&s))
        return false;
    p.memory_kib = (uint32_t)memory;
    p.passes = (uint32_t)passes;
    p.iterations = (uint32_t)iterations;
    if (p.hash.len != HASH_BYTES || p.salt.len < 8 || p.memory_kib < MEMORY_KIB_MIN ||
        p.passes == 0)
        return false;
    *out = p;
    return true;
}

enum status
verifier_check(struct str verifier, const struct secret *password)
{
    struct parts how;
    unsigned char hash[HASH_BYTES];

    if (verifier_is_foreign(verifier))
        return check_foreign(str_skip(verifier, 1), password);
    if (!scan_parts(verifier, &how))
        return ERR_CORRUPT;
    if (!hash_password(password, &how, hash))
        return ERR_TEMP;
    bool right = mem_eq_const_time(hash, how.hash.ptr, HASH_BYTES);
    mem_wipe(hash, sizeof(hash));
    return right ? OK : ERR_DENIED;
}

static enum status
scram_of_foreign(struct str text, struct scram_keys *out)
{
    AUTO_FOREIGN f = {0};

    if (foreign_read(text, &f) != NULL)
        return ERR_CORRUPT;
    if (f.kind != FOREIGN_SCRAM)
        return ERR_NOT_FOUND;
    out->iterations = f.rounds;
    out->salt_len = f.salt_len; /* <= SCRAM_SALT_MAX, as read */
    mem_copy(out->salt, f.salt, f.salt_len);
    mem_copy(out->stored, f.hash, SCRAM_KEY_BYTES);
    mem_copy(out->server, f.server, SCRAM_KEY_BYTES);
    return OK;
}

enum status
verifier_scram(struct str verifier, struct scram_keys *out)
{
    struct parts p;

    if (verifier_is_foreign(verifier))
        return scram_of_foreign(str_skip(verifier, 1), out);
    if (!scan_parts(verifier, &p) || p.iterations == 0 || p.scram_salt.len == 0 ||
        p.stored_key.len != SCRAM_KEY_BYTES || p.server_key.len != SCRAM_KEY_BYTES)
        return ERR_CORRUPT;
    out->iterations = p.iterations;
    out->salt_len = p.scram_salt.len;
    mem_copy(out->salt, p.scram_salt.ptr, p.scram_salt.len);
    mem_copy(out->stored, p.stored_key.ptr, SCRAM_KEY_BYTES);
    mem_copy(out->server, p.server_key.ptr, SCRAM_KEY_BYTES);
    return OK;
}

void
verifier_check_nobody(const struct secret *password)
{
    static const char salt[SALT_BYTES] = "no such account";
    struct parts how = {
        .memory_kib = MEMORY_KIB, .passes = PASSES, .salt = str_from(salt, sizeof(salt))};
    unsigned char hash[HASH_BYTES];

    if (hash_password(password, &how, hash))
        mem_wipe(hash, sizeof(hash));
}
