/* name.c - see name.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/name.h"

#include <arpa/inet.h>

#include "base/mem.h"

bool
dns_name_add(struct dns_name *n, struct str label)
{
    if (label.len == 0 || label.len > DNS_LABEL_MAX || n->len + label.len + 2u > DNS_NAME_MAX)
        return false;
    n->wire[n->len] = (char)label.len;
    for (size_t i = 0; i < label.len; i++)
        n->wire[n->len + 1u + i] = ascii_lower(label.ptr[i]);
    n->len = (uint8_t)(n->len + 1u + label.len); /* at most 254 */
    return true;
}

bool
dns_name_read(struct str text, struct dns_name *out)
{
    struct dns_name n = {0};
    struct str label;

    if (text.len == 0)
        return false;
    if (text.ptr[text.len - 1] == '.')
        text.len--;
    if (text.len > 0)
        while (str_split(&text, '.', &label))
            if (!dns_name_add(&n, label))
                return false;
    *out = n;
    return true;
}

bool
dns_name_read_wire(struct str wire, struct dns_name *out)
{
    struct dns_name n = {0};
    size_t at = 0;

    for (;;) {
        if (at >= wire.len)
            return false;
        size_t len = (unsigned char)wire.ptr[at++];
        if (len == 0)
            break;
        if (len > wire.len - at || !dns_name_add(&n, str_sub(wire, at, len)))
            return false;
        at += len;
    }
    *out = n;
    return at == wire.len;
}

struct str
dns_name_str(const struct dns_name *n)
{
    return str_from(n->wire, n->len);
}

bool
dns_name_up(struct dns_name *n)
{
    if (n->len == 0)
        return false;
    size_t first = 1u + (unsigned char)n->wire[0];
    mem_move(n->wire, n->wire + first, n->len - first);
    n->len = (uint8_t)(n->len - first); /* became less */
    return true;
}

bool
dns_name_write(const struct dns_name *n, struct buf *b)
{
    size_t at = 0;

    while (at < n->len) {
        size_t len = (unsigned char)n->wire[at++];
        for (size_t i = 0; i < len; i++) {
            char c = n->wire[at + i];
            if (c <= ' ' || c > '~' || c == '.' || c == '\\')
                return false;
        }
        if (at > 1)
            buf_add_char(b, '.');
        buf_add(b, str_sub(dns_name_str(n), at, len));
        at += len;
    }
    return buf_status(b) == OK;
}

bool
dns_name_reverse(struct str address, struct buf *b)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[16];
    char z[INET6_ADDRSTRLEN];

    if (!str_to_z(address, z, sizeof(z)))
        return false;
    if (inet_pton(AF_INET, z, raw) == 1) {
        buf_addf(b, "%u.%u.%u.%u.in-addr.arpa", raw[3], raw[2], raw[1], raw[0]);
        return buf_status(b) == OK;
    }
    if (inet_pton(AF_INET6, z, raw) != 1)
        return false;
    for (size_t i = sizeof(raw); i-- > 0;)
        buf_addf(b, "%c.%c.", digits[raw[i] & 15], digits[raw[i] >> 4]);
    buf_add_z(b, "ip6.arpa");
    return buf_status(b) == OK;
}
