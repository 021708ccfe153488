/* derive.c - see derive.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/derive.h"

#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/size.h"
#include "rt/heap.h"

static_assert(DERIVE_SCRAM_KEY == SHA256_DIGEST_LENGTH, "keys are of SHA-256");

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

bool
derive_argon2(const struct secret *p, const struct derive_argon2 *how, unsigned char *hash_out,
              size_t n)
{
    argon2_context c = {
        .out = hash_out,
        .outlen = (uint32_t)n,                 /* some tens */
        .pwd = (uint8_t *)(uintptr_t)p->bytes, /* is not written to without a flag that says so */
        .pwdlen = (uint32_t)p->len,
        .salt = (uint8_t *)(uintptr_t)how->salt.ptr,
        .saltlen = (uint32_t)how->salt.len,
        .t_cost = how->passes,
        .m_cost = how->memory_kib,
        .lanes = how->lanes,
        .threads = 1,
        .version = how->version,
        .allocate_cbk = block_new,
        .free_cbk = block_free,
    };

    return argon2_ctx(&c, how->id ? Argon2_id : Argon2_i) == ARGON2_OK;
}

/* SaltedPassword, then StoredKey and ServerKey: RFC 5802 section 3. */
bool
derive_scram(const struct secret *p, const struct derive_scram *how, unsigned char *stored_out,
             unsigned char *server_out)
{
    unsigned char salted[SHA256_DIGEST_LENGTH], client[SHA256_DIGEST_LENGTH];
    static const char client_word[] = "Client Key", server_word[] = "Server Key";
    unsigned n;
    bool ok = PKCS5_PBKDF2_HMAC((const char *)p->bytes, (int)p->len,
                                (const unsigned char *)how->salt.ptr, (int)how->salt.len,
                                (int)how->iterations, EVP_sha256(), sizeof(salted), salted) == 1 &&
              HMAC(EVP_sha256(), salted, sizeof(salted), (const unsigned char *)client_word,
                   sizeof(client_word) - 1, client, &n) != NULL &&
              HMAC(EVP_sha256(), salted, sizeof(salted), (const unsigned char *)server_word,
                   sizeof(server_word) - 1, server_out, &n) != NULL &&
              SHA256(client, sizeof(client), stored_out) != NULL;

    mem_wipe(salted, sizeof(salted));
    mem_wipe(client, sizeof(client));
    return ok;
}
