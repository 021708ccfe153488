/* fold.h - lines as long as SMTP allows, and no longer.
 *
 * RFC 5321 section 4.5.3.1.6: a text line has at most 1000 octets with its CRLF.  A longer one gets CRLF and a space
 * after at most 998 octets: folding in a header, and in a body the least that can be done to it.
 *
 * Promises:  no line longer than that, at whatever chunk borders; shorter lines are untouched.  A character of UTF-8
 *            is torn only where it began in the chunk before.  Runs point into the caller's chunk or at constants;
 *            nothing is copied.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_FOLD_H
#define SMTP_FOLD_H

#include "base/scan.h"

#define FOLD_LINE_MAX 998u /* without CRLF */

struct fold {
    size_t column; /* octets of the unfinished line */
    bool broken;   /* a line end is to be put in before what follows */
};
/* Starts as zeroes.  Takes a run from *in, which has lines with CRLF; false when all is taken. */
bool fold_next(struct fold *f, struct scan *in, struct str *run_out);

#endif
