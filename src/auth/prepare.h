/* prepare.h - passwords as SCRAM wants them: prepared by SASLprep, so that every keyboard writes the same bytes.
 *
 * Promises:  what is printable ASCII stays as it is.  What SASLprep forbids, what is no UTF-8, and what would
 *            be empty or too long afterwards is taken as it came: whoever has such a password logs in with PLAIN
 *            from the program that set it.
 * Blocks:    password_preload() may read files (Unicode's tables), once, before a jail.
 * RFC:       4013 and 3454; code points younger than Unicode 3.2 are let through.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_PREPARE_H
#define AUTH_PREPARE_H

#include "base/mem.h"

void password_preload(void);
/* false when longer than SECRET_MAX */
MUST_USE bool password_set(struct secret *out, struct str given);

#endif
