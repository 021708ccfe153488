/* names.h - international domain names as people write them, in the form in which the directory keeps them.
 *
 * The directory compares bytes, so a domain reaches it as A-labels (RFC 5890): SMTP sends no other, and what people
 * type into the godwit command or a log-in is brought into that form here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_NAMES_H
#define MAIL_NAMES_H

#include "base/arena.h"

/* The domain behind the last "@" as A-labels.  What has none, or none that can be read, is returned as it is:
 * the directory says what is wrong with it. */
struct str name_address(struct str address, struct arena *a);
struct str name_domain(struct str domain, struct arena *a);

#endif
