/* subnet.c - see subnet.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/subnet.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/scan.h"

enum { IPV4 = 4, IPV6 = 16, MAPPED_BYTES = 12 };

static bool read_as_written(struct str text, struct subnet *out);
static bool is_mapped(const struct subnet *n);

bool
subnet_read(struct str text, struct subnet *out)
{
    struct subnet n;

    if (!read_as_written(text, &n) || !subnet_is_clean(&n) || is_mapped(&n))
        return false;
    *out = n;
    return true;
}

/* Else all of IPv4 would be one network of IPv6 to whoever counts by networks. */
bool
subnet_read_around(struct str text, struct subnet *out)
{
    struct subnet n;

    if (!read_as_written(text, &n))
        return false;
    if (is_mapped(&n) && n.bits >= MAPPED_BYTES * 8) {
        struct subnet plain = {.size = IPV4, .bits = (uint8_t)(n.bits - MAPPED_BYTES * 8)};
        mem_copy(plain.bytes, n.bytes + MAPPED_BYTES, IPV4);
        n = plain;
    }
    unsigned bits = n.bits;
    n.bits = (uint8_t)(n.size * 8); /* at most 128 */
    *out = subnet_wider(&n, bits);
    return true;
}

bool
subnet_of(const struct sockaddr_storage *a, struct subnet *out)
{
    struct subnet n = {.size = IPV4, .bits = IPV4 * 8};
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    if (a->ss_family == AF_INET6) {
        mem_copy(&six, a, sizeof(six));
        n = (struct subnet){.size = IPV6, .bits = IPV6 * 8};
        mem_copy(n.bytes, &six.sin6_addr, IPV6);
    } else if (a->ss_family == AF_INET) {
        mem_copy(&four, a, sizeof(four));
        mem_copy(n.bytes, &four.sin_addr, IPV4);
    } else
        return false;
    *out = n;
    return true;
}

void
subnet_write(const struct subnet *n, struct buf *b)
{
    char z[INET6_ADDRSTRLEN];

    ASSERT(n->size == IPV4 || n->size == IPV6);
    if (inet_ntop(n->size == IPV4 ? AF_INET : AF_INET6, n->bytes, z, sizeof(z)) == NULL)
        UNREACHABLE();
    buf_add_z(b, z);
    if (!subnet_is_address(n))
        buf_addf(b, "/%u", (unsigned)n->bits);
}

bool
subnet_is_address(const struct subnet *n)
{
    return n->bits == n->size * 8;
}

bool
subnet_is_clean(const struct subnet *n)
{
    struct subnet address = *n;

    address.bits = (uint8_t)(n->size * 8); /* at most 128 */
    struct subnet again = subnet_wider(&address, n->bits);
    return memcmp(again.bytes, n->bytes, sizeof(again.bytes)) == 0;
}

struct subnet
subnet_wider(const struct subnet *n, unsigned bits)
{
    struct subnet out = *n;

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
subnet_covers(const struct subnet *outer, const struct subnet *inner)
{
    struct subnet around = subnet_wider(inner, outer->bits);

    return outer->size == inner->size && outer->bits <= inner->bits &&
           memcmp(around.bytes, outer->bytes, sizeof(around.bytes)) == 0;
}

bool
subnet_has(const struct subnet *list, size_t count, const struct sockaddr_storage *a)
{
    struct subnet address;

    if (count == 0 || !subnet_of(a, &address))
        return false;
    for (size_t i = 0; i < count; i++)
        if (subnet_covers(&list[i], &address))
            return true;
    return false;
}

struct str
subnet_key(const struct subnet *n, char *key)
{
    key[0] = (char)n->size;
    key[1] = (char)n->bits;
    mem_copy(key + 2, n->bytes, n->size);
    return str_from(key, 2u + n->size);
}

/* IPv4address / IPv6address as in RFC 3986 section 3.2.2, and "/" 1*DIGIT. */
static bool
read_as_written(struct str text, struct subnet *out)
{
    struct str rest = text, address;
    struct subnet n = {0};
    char z[SUBNET_TEXT_MAX];
    uint32_t bits;

    if (!str_split(&rest, '/', &address) || !str_to_z(address, z, sizeof(z)))
        return false;
    if (inet_pton(AF_INET, z, n.bytes) == 1)
        n.size = IPV4;
    else if (inet_pton(AF_INET6, z, n.bytes) == 1)
        n.size = IPV6;
    else
        return false;
    bits = n.size * 8u;
    if (rest.ptr != NULL) {
        struct scan s = scan_of(rest);
        if (!scan_u32(&s, bits, &bits) || !scan_at_end(&s))
            return false;
    }
    n.bits = (uint8_t)bits; /* at most 128 */
    *out = n;
    return true;
}

static bool
is_mapped(const struct subnet *n)
{
    static const char mapped[MAPPED_BYTES] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";

    return n->size == IPV6 && memcmp(n->bytes, mapped, MAPPED_BYTES) == 0;
}
