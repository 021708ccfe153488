/* iprev.h - does the name of an address lead back to it? (RFC 8601 section 3, forward-confirmed reverse DNS)
 *
 * Use:       ask for PTR records of iprev_name(); ask for the addresses of the first LIMIT_IPREV_NAMES of them;
 *            iprev_judge().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_IPREV_H
#define POLICY_IPREV_H

#include "base/limits.h"
#include "base/subnet.h"

/* Bytes or nibbles of an address from last to first, a dot behind each: "2.0.0.127." */
void address_labels(const struct subnet *address, struct buf *out);
/* "2.0.0.127.in-addr.arpa" */
void iprev_name(const struct subnet *address, struct buf *out);

enum iprev_result { IPREV_PASS, IPREV_FAIL, IPREV_TEMPERROR, IPREV_PERMERROR };
const char *iprev_result_name(enum iprev_result r);

enum iprev_found { IPREV_FOUND, IPREV_ABSENT, IPREV_UNKNOWN /* a failure that may pass */ };
struct iprev_host {
    struct str name;
    enum iprev_found found;
    const struct subnet *addresses;
    size_t count;
};
/* hosts: the names of the address; *name_out: the one that leads back, else the first, empty when there is none.
 * No name at all is IPREV_PERMERROR, and every name without an address IPREV_FAIL. */
enum iprev_result iprev_judge(const struct subnet *address, enum iprev_found names,
                              const struct iprev_host *hosts, size_t count, struct str *name_out);

#endif
