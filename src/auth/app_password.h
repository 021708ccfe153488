/* app_password.h - passwords that are made for one program: long random words, kept as one keyed hash.
 *
 * Form:      24 of 32 letters and digits, 120 random bits, shown in groups of four with dashes.  At a log-in blanks,
 *            dashes and case do not count.
 * Promises:  a hash takes microseconds: what is so random needs no slow one.  Without the key nothing can be tried on
 *            it.
 * Never:     suspends, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_APP_PASSWORD_H
#define AUTH_APP_PASSWORD_H

#include "base/buf.h"

#define APP_PASSWORD_LETTERS 24u
#define APP_PASSWORD_TEXT    29u /* with its dashes */
#define APP_PASSWORD_HASH    32u

/* A new one, as it is shown; APP_PASSWORD_TEXT bytes. */
void app_password_make(char *text_out);
/* Has it the form of one?  APP_PASSWORD_LETTERS bytes. */
MUST_USE bool app_password_read(struct str given, char *letters_out);
/* Of one that has been read, for this account.  key: 32 bytes. */
MUST_USE enum status app_password_hash(const unsigned char *key, uint64_t account,
                                       const char *letters, unsigned char *hash_out);

#endif
