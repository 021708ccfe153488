/* types.h - types of DNS records, by their numbers (RFC 1035 section 3.2.2, 2782, 3596, 6698, 7208).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_TYPES_H
#define DNS_TYPES_H

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_SRV = 33,
    DNS_TYPE_TLSA = 52,
    DNS_TYPE_SPF = 99, /* of RFC 4408; RFC 7208 section 3.1: no longer asked for */
};

#endif
