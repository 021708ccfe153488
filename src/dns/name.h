/* name.h - names as DNS carries them: labels with their lengths, in lower case.
 *
 * Text:      labels with dots between, a final dot or none; every other byte stands for itself, so that a label with a
 *            dot inside has no text.  "." is the root.
 * Promises:  a struct dns_name has labels of 1 to 63 bytes and at most 255 bytes in all (RFC 1035 section 2.3.4).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/buf.h"

#define DNS_NAME_MAX  255u /* on the wire, with the root's byte */
#define DNS_LABEL_MAX 63u

struct dns_name {
    uint8_t len; /* without the root's byte: 0 is the root */
    char wire[DNS_NAME_MAX];
};

/* False, and the name as it was: too long, or an empty label. */
MUST_USE bool dns_name_add(struct dns_name *n, struct str label);
/* False: no such name can be. */
MUST_USE bool dns_name_read(struct str text, struct dns_name *out);
/* An uncompressed name in the data of a record. */
MUST_USE bool dns_name_read_wire(struct str wire, struct dns_name *out);
struct str
dns_name_str(const struct dns_name *n); /* the bytes, for comparing; without the root's */
/* The name around it; false: that was the root. */
bool dns_name_up(struct dns_name *n);
/* Text without final dot.  False: a label has a dot, a backslash, a blank, a control character or no ASCII. */
MUST_USE bool dns_name_write(const struct dns_name *n, struct buf *b);
/* 1.2.0.192.in-addr.arpa of 192.0.2.1 (RFC 1035 section 3.5); IPv6 goes by half bytes (RFC 3596 section 2.5).  False:
 * no numeric address. */
MUST_USE bool dns_name_reverse(struct str address, struct buf *b);

#endif
