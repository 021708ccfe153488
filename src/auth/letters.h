/* letters.h - random words that people read, write down and type: 32 letters and digits without those that look alike.
 *
 * Form:      groups of four with dashes between them, as they are shown.  When they are read, blanks, dashes and case
 *            do not count.  Each letter is five random bits.
 * Never:     suspends, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_LETTERS_H
#define AUTH_LETTERS_H

#include "base/str.h"

/* n a multiple of four; text_out has LETTERS_TEXT(n) bytes, and no zero byte at its end. */
#define LETTERS_TEXT(n) ((n) + (n) / 4 - 1)
void letters_make(size_t n, char *text_out);
/* Are they n letters?  n bytes. */
MUST_USE bool letters_read(struct str given, size_t n, char *letters_out);

#endif
