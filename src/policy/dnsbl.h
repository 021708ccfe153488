/* dnsbl.h - lists of addresses and domains in DNS (RFC 5782): what to ask, what answers mean, when a list is broken.
 *
 * Promises:  only an answer in 127.0.0.0/8 lists anything, and never 127.0.0.1 or one of 127.255.255.0/24, by which
 *            lists say that they do not answer us.  An answer from elsewhere is no list's: a resolver that invents
 *            answers, or a domain that was given up and sold.  Either has the list switched off rather than
 *            everybody listed.
 * Never:     asks; decides what being listed costs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DNSBL_H
#define POLICY_DNSBL_H

#include "base/subnet.h"

/* "2.0.0.127.list.example", or 32 nibbles for IPv6.  ERR_LIMIT: longer than a name may be.  zone and domain are in
 * normal form (mail/domain.h). */
MUST_USE enum status dnsbl_address_name(const struct subnet *address, struct str zone,
                                        struct buf *out);
MUST_USE enum status dnsbl_domain_name(struct str domain, struct str zone, struct buf *out);

enum dnsbl_judgement {
    DNSBL_CLEAR,
    DNSBL_LISTED,
    DNSBL_REFUSED, /* the list says that it does not answer us */
    DNSBL_ALIEN,   /* an answer that no list gives */
};
const char *dnsbl_judgement_name(enum dnsbl_judgement j); /* "listed" */
/* addresses: the A records of a name, none when it does not exist.  code_out: the one that lists it. */
enum dnsbl_judgement dnsbl_judge(const struct subnet *addresses, size_t count,
                                 struct subnet *code_out);

/* A list tests itself (RFC 5782 section 5): what every list has, and what none has. */
enum dnsbl_kind { DNSBL_IPV4, DNSBL_IPV6, DNSBL_DOMAIN };
MUST_USE enum status dnsbl_test_names(enum dnsbl_kind kind, struct str zone, struct buf *has,
                                      struct buf *has_not);
enum dnsbl_health {
    DNSBL_WELL,
    DNSBL_EMPTY,         /* even the entry that every list has is missing: it is gone */
    DNSBL_LISTS_ALL,     /* even what no list has: everybody would be listed */
    DNSBL_DOES_NOT_HEAR, /* refused, or alien answers */
};
const char *dnsbl_health_name(enum dnsbl_health h);
/* Anything but DNSBL_WELL switches the list off until the next test. */
enum dnsbl_health dnsbl_test(enum dnsbl_judgement has, enum dnsbl_judgement has_not);

#endif
