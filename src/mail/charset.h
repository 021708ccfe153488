/* charset.h - text in any charset to UTF-8.
 *
 * Owns:      open converters of the C library, one set per thread.
 * Promises:  output is valid UTF-8 without NUL, at most three times as long as input (or what *out allows);
 *            what cannot be converted becomes U+FFFD.  An unknown charset is read as UTF-8 if it is valid as
 *            that, else as windows-1252.
 * Sandbox:   converters are files that the C library loads.  A role calls charset_preload() before it enters
 *            its jail; from then on nothing is loaded.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

#define CHARSET_NAME_MAX 40u

/* Opens every converter of the table, on the calling thread; returns how many are missing. */
unsigned charset_preload(void);
/* Closes them all, for tests that look for leaks. */
void charset_unload(void);
bool charset_known(struct str charset);
void charset_to_utf8(struct str charset, struct str bytes, struct buf *out);
/* Bytes that say nothing of their charset, as raw 8-bit headers do. */
void charset_guess_to_utf8(struct str bytes, struct buf *out);

#endif
