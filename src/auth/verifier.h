/* verifier.h - what is kept of a password: argon2id for passwords in hand, SCRAM-SHA-256 keys beside it.
 *
 * Or, until the first good log-in, what another server kept of it (auth/foreign.h).
 *
 * Owns:      nothing; values are plain bytes (to be sealed, auth/seal.h).
 * Promises:  verifier_check() takes the same time for a right and a wrong password, and
 *            verifier_check_nobody() takes as long for a name that does not exist.  A foreign one takes that and
 *            its own time: one that is slow can be told from a name that does not exist until it is replaced.
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
/* Of another server's hash.  ERR_SYNTAX: it cannot be used, *why says so.  A password in the clear costs milliseconds,
 * and what is kept is not it. */
MUST_USE enum status verifier_take(struct str hash, struct buf *out, const char **why);
/* Is it to be replaced by one of ours?  Then the password is wanted as it came, else prepared (auth/prepare.h). */
bool verifier_is_foreign(struct str verifier);
/* Did all of this password count?  Old schemes look at its beginning alone: it may not be the one that is meant. */
bool verifier_saw_all(struct str verifier, const struct secret *password);
/* OK: right.  ERR_DENIED: wrong.  ERR_CORRUPT: these bytes are no verifier. */
MUST_USE enum status verifier_check(struct str verifier, const struct secret *password);
/* The SCRAM keys beside it.  ERR_CORRUPT: as above, or it has none that we can use; ERR_NOT_FOUND: it is foreign, and
 * has none. */
MUST_USE enum status verifier_scram(struct str verifier, struct scram_keys *out);
void verifier_check_nobody(const struct secret *password);

#endif
