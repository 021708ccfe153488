/* subnet.h - IP networks, an address being the smallest: as people write them, as keys, and which lies in which.
 *
 * Text:      an IPv4 or IPv6 address, alone or with "/" and its number of leading bits.
 * Promises:  bits past the prefix are zero, so that one network has one value, one key and one text, which
 *            subnet_write() gives and both readers read into an equal struct.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SUBNET_H
#define BASE_SUBNET_H

#include <netinet/in.h>

#include "base/buf.h"

#define SUBNET_TEXT_MAX (INET6_ADDRSTRLEN + 4u)
#define SUBNET_KEY_MAX  18u

struct subnet {
    uint8_t size; /* bytes of an address: 4 or 16 */
    uint8_t bits; /* of the prefix */
    char bytes[16];
};
/* As configurations have it: the bits behind the leading ones are 0.  An IPv4 address in an IPv6 one
 * (::ffff:192.0.2.1) is refused: peers are known by the IPv4 address (rt/listener.c). */
MUST_USE bool subnet_read(struct str text, struct subnet *out);
/* The network around any address; IPv4 written as IPv6 is IPv4. */
MUST_USE bool subnet_read_around(struct str text, struct subnet *out);
/* false: it is no address of IP. */
MUST_USE bool subnet_of(const struct sockaddr_storage *a, struct subnet *out);
void subnet_write(const struct subnet *n, struct buf *b); /* without "/" when it is one address */

bool subnet_is_address(const struct subnet *n);
bool
subnet_is_clean(const struct subnet *n); /* no bit past the prefix, as in all that were read here */
/* The network of so many bits around it; itself when it is wider already. */
struct subnet subnet_wider(const struct subnet *n, unsigned bits);
bool subnet_covers(const struct subnet *outer, const struct subnet *inner);
/* Is it of one of them? */
bool subnet_has(const struct subnet *list, size_t count, const struct sockaddr_storage *a);
/* Into a key of SUBNET_KEY_MAX bytes; IPv4 before IPv6, wide before narrow. */
struct str subnet_key(const struct subnet *n, char *key);

#endif
