/* verifier.c - argon2id and SCRAM keys of a password.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/verifier.h"

#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/scan.h"
#include "rt/heap.h"
#include "rt/random.h"

enum {
    FORMAT = 1,
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

/* argon2 visits its memory at random: with pages of 4 KiB faults and misses are a third of the time. */
static int
block_new(uint8_t **block, size_t size)
{
    *block = heap_block_new(size);
    return *block != NULL ? 0 : -1;
}

static void
block_free(uint8_t *block, size_t size)
{
    mem_wipe(block, size);
    heap_block_free(block, size);
}

static bool
hash_password(const struct secret *p, const struct parts *how, unsigned char *hash_out)
{
    argon2_context c = {
        .out = hash_out,
        .outlen = HASH_BYTES,
        .pwd = (uint8_t *)(uintptr_t)p->bytes, /* is not written to without a flag that says so */
        .pwdlen = (uint32_t)p->len,
        .salt = (uint8_t *)(uintptr_t)how->salt.ptr,
        .saltlen = (uint32_t)how->salt.len,
        .t_cost = how->passes,
        .m_cost = how->memory_kib,
        .lanes = LANES,
        .threads = LANES,
        .version = ARGON2_VERSION_13,
        .allocate_cbk = block_new,
        .free_cbk = block_free,
    };

    return argon2id_ctx(&c) == ARGON2_OK;
}

/* SaltedPassword, then StoredKey and ServerKey: RFC 5802 section 3. */
static bool
scram_keys(const struct secret *p, struct str salt, unsigned char *stored_out,
           unsigned char *server_out)
{
    unsigned char salted[SHA256_DIGEST_LENGTH], client[SHA256_DIGEST_LENGTH];
    static const char client_word[] = "Client Key", server_word[] = "Server Key";
    unsigned n;
    bool ok = PKCS5_PBKDF2_HMAC((const char *)p->bytes, (int)p->len,
                                (const unsigned char *)salt.ptr, (int)salt.len, SCRAM_ITERATIONS,
                                EVP_sha256(), sizeof(salted), salted) == 1 &&
              HMAC(EVP_sha256(), salted, sizeof(salted), (const unsigned char *)client_word,
                   sizeof(client_word) - 1, client, &n) != NULL &&
              HMAC(EVP_sha256(), salted, sizeof(salted), (const unsigned char *)server_word,
                   sizeof(server_word) - 1, server_out, &n) != NULL &&
              SHA256(client, sizeof(client), stored_out) != NULL;

    mem_wipe(salted, sizeof(salted));
    mem_wipe(client, sizeof(client));
    return ok;
}

enum status
verifier_make(const struct secret *password, struct buf *out)
{
    char salt[SALT_BYTES], scram_salt[SCRAM_SALT_BYTES];
    unsigned char hash[HASH_BYTES], stored[SHA256_DIGEST_LENGTH], server[SHA256_DIGEST_LENGTH];

    random_fill(salt, sizeof(salt));
    random_fill(scram_salt, sizeof(scram_salt));
    struct parts how = {
        .memory_kib = MEMORY_KIB, .passes = PASSES, .salt = str_from(salt, sizeof(salt))};
    if (!hash_password(password, &how, hash) ||
        !scram_keys(password, str_from(scram_salt, sizeof(scram_salt)), stored, server))
        return ERR_TEMP;
    buf_add_char(out, FORMAT);
    buf_add_varint(out, MEMORY_KIB);
    buf_add_varint(out, PASSES);
    buf_add_bytes(out, how.salt);
    buf_add_bytes(out, str_from((const char *)hash, sizeof(hash)));
    buf_add_varint(out, SCRAM_ITERATIONS);
    buf_add_bytes(out, str_from(scram_salt, sizeof(scram_salt)));
    buf_add_bytes(out, str_from((const char *)stored, sizeof(stored)));
    buf_add_bytes(out, str_from((const char *)server, sizeof(server)));
    return buf_status(out);
}

enum status
verifier_write(const struct verifier_argon2id *known, struct buf *out)
{
    buf_add_char(out, FORMAT);
    buf_add_varint(out, known->memory_kib);
    buf_add_varint(out, known->passes);
    buf_add_bytes(out, known->salt);
    buf_add_bytes(out, known->hash);
    buf_add_varint(out, 0); /* iterations: no SCRAM */
    for (int i = 0; i < 3; i++)
        buf_add_bytes(out, STR_NONE);
    return buf_status(out);
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

    if (!scan_parts(verifier, &how))
        return ERR_CORRUPT;
    if (!hash_password(password, &how, hash))
        return ERR_TEMP;
    bool right = mem_eq_const_time(hash, how.hash.ptr, HASH_BYTES);
    mem_wipe(hash, sizeof(hash));
    return right ? OK : ERR_DENIED;
}

enum status
verifier_scram(struct str verifier, struct scram_keys *out)
{
    struct parts p;

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
