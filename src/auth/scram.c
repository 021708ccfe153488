/* scram.c - see scram.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"

static_assert(SHA256_DIGEST_LENGTH == SCRAM_KEY_BYTES, "keys are digests of SHA-256");

/* Exhaustion of memory is the only failure that HMAC has. */
static void
hmac(const unsigned char *key, struct str text, unsigned char *out)
{
    unsigned n = 0;
    const unsigned char *done = HMAC(EVP_sha256(), key, SCRAM_KEY_BYTES,
                                     (const unsigned char *)text.ptr, text.len, out, &n);

    ASSERT(done != NULL && n == SCRAM_KEY_BYTES);
}

/* Each value has its own word in front of the name.  A stored key that is no hash of anything that we know has no
 * proof: finding one means finding a preimage of SHA-256. */
void
scram_keys_of_nobody(const unsigned char *secret, struct str name, struct scram_keys *out)
{
    static const char *const words[] = {"salt ", "stored ", "server "};
    unsigned char salt[SCRAM_KEY_BYTES];
    unsigned char *const values[] = {salt, out->stored, out->server};

    for (size_t i = 0; i < 3; i++) {
        AUTO_BUF text = BUF(1024);
        buf_add_z(&text, words[i]);
        buf_add(&text, str_sub(name, 0, 1000));
        hmac(secret, buf_str(&text), values[i]);
    }
    out->iterations = SCRAM_ITERATIONS;
    out->salt_len = SCRAM_SALT_BYTES;
    mem_copy(out->salt, salt, SCRAM_SALT_BYTES);
}

/* server-first-message = nonce "," salt "," iteration-count      RFC 5802 section 7 */
void
scram_server_first(const struct scram_keys *k, struct str client_nonce, struct str server_nonce,
                   struct buf *out)
{
    buf_add(out, STR("r="));
    buf_add(out, client_nonce);
    buf_add(out, server_nonce);
    buf_add(out, STR(",s="));
    buf_add_base64(out, str_from(k->salt, k->salt_len));
    buf_add(out, STR(",i="));
    buf_add_u64(out, k->iterations);
}

/* RFC 5802 section 3: ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage), StoredKey = H(ClientKey). */
enum status
scram_check(const struct scram_keys *k, struct str message, struct str proof,
            unsigned char *signature_out)
{
    unsigned char client[SCRAM_KEY_BYTES], stored[SCRAM_KEY_BYTES], server[SCRAM_KEY_BYTES];

    if (proof.len != SCRAM_KEY_BYTES)
        return ERR_DENIED;
    hmac(k->stored, message, client);
    hmac(k->server, message, server);
    for (size_t i = 0; i < SCRAM_KEY_BYTES; i++)
        client[i] ^= (unsigned char)proof.ptr[i];
    ASSERT(EVP_Digest(client, sizeof(client), stored, NULL, EVP_sha256(), NULL) == 1);
    bool right = mem_eq_const_time(stored, k->stored, sizeof(stored));
    mem_wipe(client, sizeof(client)); /* for a right proof it is the key that proves all others */
    if (!right)
        return ERR_DENIED;
    mem_copy(signature_out, server, sizeof(server));
    return OK;
}
