/* lookup.c - answers that set-up and checks want: texts, reverse names, whether the root can be reached.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <unbound.h>

#include "base/buf.h"
#include "dns/resolver_internal.h"

enum { TYPE_SOA = 6, TYPE_PTR = 12, TYPE_TXT = 16, TEXT_MAX = 4096 };

/* TXT-DATA is one or more <character-string>s (RFC 1035 section 3.3.14): a length byte and so many bytes. */
static bool
join_parts(struct str wire, struct arena *a, struct str *out)
{
    AUTO_BUF joined = BUF(TEXT_MAX);

    while (wire.len > 0) {
        size_t n = (unsigned char)wire.ptr[0];
        if (n + 1 > wire.len)
            return false;
        buf_add(&joined, str_sub(wire, 1, n));
        wire = str_skip(wire, n + 1);
    }
    if (buf_status(&joined) != OK)
        return false;
    *out = joined.len == 0 ? STR("") : arena_str(a, buf_str(&joined));
    return true;
}

static SUSPENDS enum status
list(struct resolver *r, struct str name, int type, struct arena *a, struct dns_texts *out)
{
    AUTO(resolver_result_release) struct ub_result *u = NULL;
    struct str *text = ARENA_ARRAY(a, struct str, RESOLVER_TEXTS_MAX);
    size_t n = 0;

    TRY(resolver_ask(r, name, type, &u));
    TRY(resolver_judge(u));
    for (size_t i = 0; u->havedata && u->data[i] != NULL && n < RESOLVER_TEXTS_MAX; i++) {
        struct str wire = str_from(u->data[i], (size_t)u->len[i]);
        bool read = type == TYPE_TXT ? join_parts(wire, a, &text[n])
                                     : resolver_read_name(wire, a, &text[n]);
        n += read ? 1 : 0;
    }
    if (n == 0)
        return ERR_NOT_FOUND;
    *out = (struct dns_texts){.text = text, .count = n, .secure = u->secure};
    return OK;
}

enum status
resolver_texts(struct resolver *r, struct str name, struct arena *a, struct dns_texts *out)
{
    return list(r, name, TYPE_TXT, a, out);
}

/* 192.0.2.1 is 1.2.0.192.in-addr.arpa (RFC 1035 section 3.5); IPv6 goes by half bytes (RFC 3596 section 2.5). */
static enum status
reverse_name(struct str address, struct buf *b)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[16];
    char z[64];

    if (!str_to_z(address, z, sizeof(z)))
        return ERR_SYNTAX;
    if (inet_pton(AF_INET, z, raw) == 1) {
        buf_addf(b, "%u.%u.%u.%u.in-addr.arpa", raw[3], raw[2], raw[1], raw[0]);
        return buf_status(b);
    }
    if (inet_pton(AF_INET6, z, raw) != 1)
        return ERR_SYNTAX;
    for (size_t i = sizeof(raw); i-- > 0;)
        buf_addf(b, "%c.%c.", digits[raw[i] & 15], digits[raw[i] >> 4]);
    buf_add_z(b, "ip6.arpa");
    return buf_status(b);
}

enum status
resolver_reverse(struct resolver *r, struct str address, struct arena *a, struct dns_texts *out)
{
    AUTO_BUF name = BUF(128);

    TRY(reverse_name(address, &name));
    return list(r, arena_str(a, buf_str(&name)), TYPE_PTR, a, out);
}

enum status
resolver_probe(struct resolver *r, bool *secure_out)
{
    AUTO(resolver_result_release) struct ub_result *u = NULL;

    TRY(resolver_ask(r, STR("."), TYPE_SOA, &u));
    TRY(resolver_judge(u));
    *secure_out = u->secure;
    return u->havedata ? OK : ERR_TEMP;
}
