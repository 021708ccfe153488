/* fold.h - text brought to one form for comparing: i;unicode-casemap of RFC 5051.
 *
 * Promises:  never fails; input that is not UTF-8 is folded byte by byte as ASCII.  Two texts that differ in
 *            case or in compatibility forms only give the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_FOLD_H
#define MAIL_FOLD_H

#include "base/buf.h"

/* Appends the folded text, at most `max` bytes of it and no half character. */
void fold_collate(struct str text, size_t max, struct buf *out);
/* Touches the tables, so that a role does it before it enters its jail. */
void fold_preload(void);

#endif
