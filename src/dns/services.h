/* services.h - answers about services: where one is (SRV, RFC 2782), and which certificates it has (TLSA, RFC 6698).
 *
 * Promises:  as resolver.h; a record that is not in its form counts as none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_SERVICES_H
#define DNS_SERVICES_H

#include "dns/resolver.h"

#define DNS_SERVICES_MAX 32u
struct dns_service {
    uint16_t priority, weight, port;
    struct str target; /* without final dot, lower case; empty: the service is not offered */
};
struct dns_services {
    const struct dns_service *at;
    size_t count;
};
MUST_USE SUSPENDS enum status resolver_services(struct resolver *r, struct str name,
                                                struct arena *a, struct dns_services *out);
/* The wire form of one; false: it is none. */
MUST_USE bool dns_service_read(struct str wire, struct arena *a, struct dns_service *out);

struct dns_tlsa {
    uint8_t usage, selector, matching; /* RFC 7218 has their names */
    struct str data;
};
struct dns_tlsas {
    const struct dns_tlsa *at;
    size_t count;
    size_t unread; /* others that are not in their form */
    bool secure;   /* without a proof nobody heeds them */
};
/* OK also when there are only unread ones. */
MUST_USE SUSPENDS enum status resolver_tlsas(struct resolver *r, struct str name, struct arena *a,
                                             struct dns_tlsas *out);
MUST_USE bool dns_tlsa_read(struct str wire, struct arena *a, struct dns_tlsa *out);

#endif
