/* verifier.h - what is kept of a password: argon2id for passwords in hand, SCRAM-SHA-256 keys beside it.
 *
 * Owns:      nothing; values are plain bytes (to be sealed, auth/seal.h).
 * Promises:  verifier_check() takes the same time for a right and a wrong password, and
 *            verifier_check_nobody() takes as long for a name that does not exist.
 * Blocks:    tens of milliseconds and 19 MiB each: only on auth's own threads.
 * RFC:       9106 (argon2id, m = 19 MiB, t = 2, p = 1), 5802 and 7677 (SCRAM keys, 4,096 iterations).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include "auth/scram.h"
#include "base/buf.h"
#include "base/mem.h"

#define VERIFIER_MAX   512u
#define VERIFIER_USUAL 140u /* about what verifier_make() makes */

MUST_USE enum status verifier_make(const struct secret *password, struct buf *out);
/* OK: right.  ERR_DENIED: wrong.  ERR_CORRUPT: these bytes are no verifier. */
MUST_USE enum status verifier_check(struct str verifier, const struct secret *password);
/* The SCRAM keys beside it.  ERR_CORRUPT: as above, or it has none that we can use. */
MUST_USE enum status verifier_scram(struct str verifier, struct scram_keys *out);
/* As verifier_make() writes it, of an argon2id that is known already; without SCRAM keys. */
struct verifier_argon2id {
    uint32_t memory_kib, passes;
    struct str salt, hash; /* of 32 bytes */
};
MUST_USE enum status verifier_write(const struct verifier_argon2id *known, struct buf *out);
void verifier_check_nobody(const struct secret *password);

#endif
