/* zone.h - a zone file as the source of answers, for commands that are given one and for tests.
 *
 * Format:    lines "NAME [TTL] [IN] TYPE DATA", every one with its name, which is absolute with or without a final dot;
 *            TYPE is A, AAAA, CNAME, MX, PTR, TLSA or TXT, or SPF (type 99), which is not kept.  Text in double quotes
 *            or without; "\DDD" and "\X" stand for bytes there and in names; ";" begins a comment.
 *            "NAME TIMEOUT" and "NAME SERVFAIL": no answer for the types of which the file has nothing there;
 *            "NAME TYPE TIMEOUT": none for this one.
 *            A line "$SECURE": the answers count as validated by DNSSEC.
 * Never:     wildcards, parentheses, $ORIGIN, other files.
 * Promises:  one pass; what does not read is refused with the number of its line.  Names between those of the file and
 *            the root exist, without data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "base/status.h"
#include "dns/name.h"

struct zone;
struct zone_record; /* in the order of the file */

MUST_USE enum status zone_read(struct str text, struct zone **out, struct problem *why);
void zone_free(struct zone **z);
bool zone_is_secure(const struct zone *z);

/* Aliases are followed, at most LIMIT_DNS_ALIASES of them.  OK with NULL: no data of this type.  ERR_NOT_FOUND: no such
 * name.  ERR_TEMP: the file says so, or the aliases lead nowhere. */
MUST_USE enum status zone_find(const struct zone *z, const struct dns_name *name, unsigned type,
                               const struct zone_record **first_out);
/* Where the aliases of name lead, as far as zone_find() follows; false: it is none. */
bool zone_follow(const struct zone *z, struct dns_name *name);
const struct zone_record *zone_next(const struct zone_record *r); /* NULL: that was the last */
struct str zone_data(const struct zone_record *r);                /* as on the wire */

#endif
