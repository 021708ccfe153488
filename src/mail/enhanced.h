/* enhanced.h - enhanced status codes (RFC 3463) in what other servers and filters say.
 *
 * Owns:      nothing.
 * Promises:  what is read has a class of 2, 4 or 5 and numbers up to 999, and is written without the leading zeros that
 *            some send; on failure nothing is taken, and *out is untouched.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_ENHANCED_H
#define MAIL_ENHANCED_H

#include "base/scan.h"

#define ENHANCED_BYTES 12u /* of "5.999.999" and more, with its NUL */

/* status-code = ( "2" / "4" / "5" ) "." 1*3digit "." 1*3digit */
MUST_USE bool scan_enhanced(struct scan *s, char out[ENHANCED_BYTES]);
/* Takes one of the class of that reply code off the front of *text, with the blanks behind it. */
bool enhanced_take(struct str *text, int code, char out[ENHANCED_BYTES]);

#endif
