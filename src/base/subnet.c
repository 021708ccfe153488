/* network.c - see subnet.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/subnet.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/scan.h"

static bool
same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (!str_eq(str_from((const char *)a, whole), str_from((const char *)b, whole)))
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool
is_mapped(const unsigned char *six)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

    return same_bits(six, prefix, 96);
}

/* Is nothing behind the network's bits? */
static bool
ends_in_zeros(const struct subnet *n, unsigned all)
{
    for (unsigned i = n->bits; i < all; i++)
        if ((n->bytes[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    return true;
}

bool
subnet_read(struct str text, struct subnet *out)
{
    ssize_t slash = str_find(text, '/');
    struct str address = slash < 0 ? text : str_sub(text, 0, (size_t)slash);
    struct subnet n = {.six = str_find(address, ':') >= 0};
    unsigned all = n.six ? 128 : 32;
    uint32_t bits = all;
    char z[INET6_ADDRSTRLEN];

    if (!str_to_z(address, z, sizeof(z)) || inet_pton(n.six ? AF_INET6 : AF_INET, z, n.bytes) != 1)
        return false;
    if (slash >= 0) {
        struct scan s = scan_of(str_skip(text, (size_t)slash + 1));
        if (!scan_u32(&s, all, &bits) || !scan_at_end(&s))
            return false;
    }
    n.bits = (uint8_t)bits; /* at most 128 */
    if (!ends_in_zeros(&n, all) || (n.six && is_mapped(n.bytes)))
        return false;
    *out = n;
    return true;
}

void
subnet_write(const struct subnet *n, struct buf *b)
{
    char text[INET6_ADDRSTRLEN] = "";

    (void)inet_ntop(n->six ? AF_INET6 : AF_INET, n->bytes, text, sizeof(text));
    buf_add_z(b, text);
    if (n->bits != (n->six ? 128 : 32))
        buf_addf(b, "/%u", n->bits);
}

bool
subnet_has(const struct subnet *list, size_t count, const struct sockaddr_storage *a)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    const unsigned char *bytes;

    if (a->ss_family == AF_INET6) {
        mem_copy(&six, a, sizeof(six));
        bytes = six.sin6_addr.s6_addr;
    } else if (a->ss_family == AF_INET) {
        mem_copy(&four, a, sizeof(four));
        bytes = (const unsigned char *)&four.sin_addr;
    } else
        return false;
    for (size_t i = 0; i < count; i++)
        if (list[i].six == (a->ss_family == AF_INET6) &&
            same_bits(list[i].bytes, bytes, list[i].bits))
            return true;
    return false;
}
