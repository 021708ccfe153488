/* scram.h - the server's arithmetic of SCRAM-SHA-256, on texts that a worker has taken apart (login/scram_read.h).
 *
 * Owns:      nothing; keys are plain values, to be wiped by whoever holds them.
 * Promises:  a proof is checked in the same time whether it is right, wrong, or of a name that nobody has; the salt of
 *            such a name is always the same, and without the secret looks like any other.
 * RFC:       5802, 7677.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "base/buf.h"

#define SCRAM_KEY_BYTES  32u
#define SCRAM_SALT_MAX   64u
#define SCRAM_SALT_BYTES 16u /* of the salts that we make */
#define SCRAM_ITERATIONS 4096u

struct scram_keys {
    uint32_t iterations;
    size_t salt_len;
    char salt[SCRAM_SALT_MAX];
    unsigned char stored[SCRAM_KEY_BYTES], server[SCRAM_KEY_BYTES];
};
/* For a name that nobody has; the secret has SCRAM_KEY_BYTES. */
void scram_keys_of_nobody(const unsigned char *secret, struct str name, struct scram_keys *out);
/* server-first-message */
void scram_server_first(const struct scram_keys *k, struct str client_nonce,
                        struct str server_nonce, struct buf *out);
/* message: AuthMessage.  OK: the proof is right; signature_out: ServerSignature, SCRAM_KEY_BYTES.  Else ERR_DENIED. */
MUST_USE enum status scram_check(const struct scram_keys *k, struct str message, struct str proof,
                                 unsigned char *signature_out);

#endif
