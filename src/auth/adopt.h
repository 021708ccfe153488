/* adopt.h - a verifier of what another system kept of a password: nobody here knows the password, and it stays good.
 *
 * Promises:  what verifier_take() takes, verifier_check() answers for the same password with OK.  Costs that are past
 *            what a log-in may spend are refused.  Such a verifier has no SCRAM keys: log-in by PLAIN under TLS.
 * Never:     takes a hash that is quick to guess from.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_ADOPT_H
#define AUTH_ADOPT_H

#include "base/buf.h"

/* $argon2id$v=19$m=65536,t=3,p=1$SALT$HASH (the PHC string format), with or without {ARGON2ID} before it; one lane and
 * 32 bytes of hash.  ERR_SYNTAX: it cannot be used, *why says so in a few words. */
MUST_USE enum status verifier_take(struct str hash, struct buf *out, const char **why);

#endif
