/* invitation.h - what a person sets a password with that no administrator knows: a long random word, kept as a hash.
 *
 * Form:      28 of 32 letters and digits (auth/letters.h), 140 random bits; so it is no app password, which has 24.
 * Promises:  a hash takes microseconds: what is so random needs no slow one.  It is bound to the account.  Without the
 *            key nothing can be tried on it.
 * Never:     suspends, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_INVITATION_H
#define AUTH_INVITATION_H

#include "base/status.h"
#include "base/str.h"

#define INVITATION_LETTERS 28u
#define INVITATION_TEXT    34u /* with its dashes */
#define INVITATION_HASH    32u

/* A new one, as it is shown; INVITATION_TEXT bytes. */
void invitation_make(char *text_out);
/* Has it the form of one?  INVITATION_LETTERS bytes. */
MUST_USE bool invitation_read(struct str given, char *letters_out);
/* Of one that has been read, for this account.  key: 32 bytes. */
MUST_USE enum status invitation_hash(const unsigned char *key, uint64_t account,
                                     const char *letters, unsigned char *hash_out);

#endif
