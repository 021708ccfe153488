/* net.c - see net.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/net.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/scan.h"

enum { IPV4 = 4, IPV6 = 16, MAPPED_BYTES = 12 };

static struct net plain_ipv4(const struct net *n);

/* IPv4address / IPv6address as in RFC 3986 section 3.2.2, and "/" 1*DIGIT. */
bool
net_read(struct str text, struct net *out)
{
    struct str rest = text, address;
    struct net n = {0};
    char z[NET_TEXT_MAX];
    uint32_t bits;

    if (!str_split(&rest, '/', &address) || !str_to_z(address, z, sizeof(z)))
        return false;
    if (inet_pton(AF_INET, z, n.bytes) == 1)
        n.size = IPV4;
    else if (inet_pton(AF_INET6, z, n.bytes) == 1)
        n.size = IPV6;
    else
        return false;
    n.bits = (uint8_t)(n.size * 8); /* at most 128 */
    if (rest.ptr != NULL) {
        struct scan s = scan_of(rest);
        if (!scan_u32(&s, n.bits, &bits) || !scan_at_end(&s))
            return false;
        n = net_wider(&n, bits);
    }
    *out = plain_ipv4(&n);
    return true;
}

void
net_write(const struct net *n, struct buf *b)
{
    char z[INET6_ADDRSTRLEN];

    ASSERT(n->size == IPV4 || n->size == IPV6);
    if (inet_ntop(n->size == IPV4 ? AF_INET : AF_INET6, n->bytes, z, sizeof(z)) == NULL)
        UNREACHABLE();
    buf_add_z(b, z);
    if (!net_is_address(n))
        buf_addf(b, "/%u", (unsigned)n->bits);
}

bool
net_is_address(const struct net *n)
{
    return n->bits == n->size * 8;
}

bool
net_is_clean(const struct net *n)
{
    struct net address = *n;

    address.bits = (uint8_t)(n->size * 8); /* at most 128 */
    struct net again = net_wider(&address, n->bits);
    return memcmp(again.bytes, n->bytes, sizeof(again.bytes)) == 0;
}

struct net
net_wider(const struct net *n, unsigned bits)
{
    struct net out = *n;

    if (bits >= n->bits)
        return out;
    out.bits = (uint8_t)bits; /* below another uint8_t */
    for (unsigned i = 0; i < n->size; i++) {
        unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
        unsigned mask = kept >= 8 ? 0xffu : 0xff00u >> kept & 0xffu;
        out.bytes[i] = (char)((unsigned char)n->bytes[i] & mask);
    }
    return out;
}

bool
net_has(const struct net *outer, const struct net *inner)
{
    struct net around = net_wider(inner, outer->bits);

    return outer->size == inner->size && outer->bits <= inner->bits &&
           memcmp(around.bytes, outer->bytes, sizeof(around.bytes)) == 0;
}

struct str
net_key(const struct net *n, char *key)
{
    key[0] = (char)n->size;
    key[1] = (char)n->bits;
    mem_copy(key + 2, n->bytes, n->size);
    return str_from(key, 2u + n->size);
}

/* Else all of IPv4 would be one network of IPv6 to whoever counts by networks. */
static struct net
plain_ipv4(const struct net *n)
{
    static const char mapped[MAPPED_BYTES] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
    struct net out = {.size = IPV4};

    if (n->size != IPV6 || n->bits < MAPPED_BYTES * 8 ||
        memcmp(n->bytes, mapped, MAPPED_BYTES) != 0)
        return *n;
    out.bits = (uint8_t)(n->bits - MAPPED_BYTES * 8); /* checked above */
    mem_copy(out.bytes, n->bytes + MAPPED_BYTES, IPV4);
    return out;
}
