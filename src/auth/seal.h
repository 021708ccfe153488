/* seal.h - records that only the holder of the master key can open or make (AES-256-GCM).
 *
 * Owns:      a copy of the master key, wiped at the end.
 * Promises:  a sealed record opens only under the same kind and name it was made for; a changed bit, another name or
 *            another master key is ERR_CORRUPT.  Each kind has its own key (HKDF-SHA256).
 * Format:    version 1, key version 1, nonce[12], ciphertext, tag[16].
 * Never:     suspends, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H

#include "base/buf.h"
#include "base/mem.h"

#define SEAL_KEY_BYTES 32u
#define SEAL_OVERHEAD  30u
#define SEAL_PLAIN_MAX 16000u

struct seal;
/* key: SEAL_KEY_BYTES bytes, else ERR_SYNTAX. */
MUST_USE enum status seal_new(struct str key, struct seal **out);
void seal_free(struct seal **s);
MUST_USE enum status seal_make(const struct seal *s, struct str kind, struct str name,
                               struct str plain, struct buf *sealed_out);
MUST_USE enum status seal_open(const struct seal *s, struct str kind, struct str name,
                               struct str sealed, struct buf *plain_out);
/* A key of SEAL_KEY_BYTES for something else that only the holder of the master key may compute.  kind: one that
 * nothing is sealed under. */
MUST_USE enum status seal_derive(const struct seal *s, struct str kind, unsigned char *key_out);

#endif
