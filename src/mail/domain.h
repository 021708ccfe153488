/* domain.h - domain names as mail compares and looks them up.
 *
 * Promises:  what domain_normalise() accepts is at most DOMAIN_MAX bytes of lower-case A-labels
 *            (RFC 5890) without a final dot, the same bytes for every spelling of one name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/buf.h"

#define DOMAIN_MAX 253u /* RFC 1035 section 2.3.4 without the root's length byte and dot */
#define LABEL_MAX  63u

/* Appends to b.  ERR_SYNTAX: not a domain name, ERR_LIMIT: too long for DNS or for b.  Underscores pass,
 * since senders use them; a name of digits and dots alone does not, since it is an address. */
MUST_USE enum status domain_normalise(struct str name, struct buf *b);
/* The same without output: is this already in normal form? */
bool domain_is_normal(struct str name);
/* The name for people: A-labels become U-labels where that is safe, else stay.  Never fails. */
void domain_write_unicode(struct buf *b, struct str normal);

#endif
