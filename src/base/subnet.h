/* subnet.h - networks such as 192.0.2.0/24, and whether an address is of one.
 *
 * Text:      an IPv4 or IPv6 address, alone or with "/" and its number of leading bits; the bits behind those are 0.
 * Promises:  subnet_write() gives text that subnet_read() reads into an equal struct.  An IPv4 address in an IPv6
 *            one (::ffff:192.0.2.1) is refused: peers are known by the IPv4 address (rt/listener.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SUBNET_H
#define BASE_SUBNET_H

#include <netinet/in.h>

#include "base/buf.h"

#define SUBNET_TEXT_MAX (INET6_ADDRSTRLEN + 4u)

struct subnet {
    unsigned char bytes[16];
    bool six;
    uint8_t bits;
};
MUST_USE bool subnet_read(struct str text, struct subnet *out);
void subnet_write(const struct subnet *n, struct buf *b);
bool subnet_has(const struct subnet *list, size_t count, const struct sockaddr_storage *a);

#endif
