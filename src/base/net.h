/* net.h - IP networks, an address being the smallest: as people write them, as keys, and which lies in which.
 *
 * Promises:  bits past the prefix are zero, so that one network has one value, one key and one text.  IPv4 written as
 *            IPv6 (::ffff:192.0.2.1) is IPv4.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/buf.h"

#define NET_TEXT_MAX 64u
#define NET_KEY_MAX  18u

struct net {
    uint8_t size; /* bytes of an address: 4 or 16 */
    uint8_t bits; /* of the prefix */
    char bytes[16];
};

/* address ["/" bits]; bits behind the prefix are cleared.  false: it is neither. */
MUST_USE bool net_read(struct str text, struct net *out);
void net_write(const struct net *n, struct buf *b); /* without "/" when it is one address */
bool net_is_address(const struct net *n);
bool net_is_clean(const struct net *n); /* no bit past the prefix, as in all that were read here */
/* The network of so many bits around it; itself when it is wider already. */
struct net net_wider(const struct net *n, unsigned bits);
bool net_has(const struct net *outer, const struct net *inner);
/* Into a key of NET_KEY_MAX bytes; IPv4 before IPv6, wide before narrow. */
struct str net_key(const struct net *n, char *key);

#endif
