/* dnsbl.c - lists in DNS.  See dnsbl.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dnsbl.h"

#include "mail/domain.h"
#include "policy/iprev.h"

static bool in_subnet(const struct subnet *address, const char *bytes, uint8_t bits);

enum status
dnsbl_address_name(const struct subnet *address, struct str zone, struct buf *out)
{
    AUTO_BUF name = BUF(1024);

    ASSERT(out != NULL);
    address_labels(address, &name);
    buf_add(&name, zone);
    if (name.len > DOMAIN_MAX)
        return ERR_LIMIT;
    buf_add(out, buf_str(&name));
    return buf_status(out);
}

enum status
dnsbl_domain_name(struct str domain, struct str zone, struct buf *out)
{
    ASSERT(out != NULL);
    if (domain.len + 1 + zone.len > DOMAIN_MAX)
        return ERR_LIMIT;
    buf_add(out, domain);
    buf_add_char(out, '.');
    buf_add(out, zone);
    return buf_status(out);
}

const char *
dnsbl_judgement_name(enum dnsbl_judgement j)
{
    static const char *const names[] = {"clear", "listed", "refused", "alien"};

    ASSERT((size_t)j < sizeof(names) / sizeof(names[0]));
    return names[j];
}

/* One bad answer spoils the rest: a list that works gives none. */
enum dnsbl_judgement
dnsbl_judge(const struct subnet *addresses, size_t count, struct subnet *code_out)
{
    bool refused = false;

    for (size_t i = 0; i < count; i++) {
        const struct subnet *a = &addresses[i];
        if (!in_subnet(a, "\x7f\0\0\0", 8))
            return DNSBL_ALIEN;
        refused = refused || in_subnet(a, "\x7f\xff\xff\0", 24) || in_subnet(a, "\x7f\0\0\1", 32);
    }
    if (refused)
        return DNSBL_REFUSED;
    if (count == 0)
        return DNSBL_CLEAR;
    *code_out = addresses[0];
    return DNSBL_LISTED;
}

enum status
dnsbl_test_names(enum dnsbl_kind kind, struct str zone, struct buf *has, struct buf *has_not)
{
    struct subnet listed = {.size = 4, .bits = 32, .bytes = "\x7f\0\0\2"};
    struct subnet never = {.size = 4, .bits = 32, .bytes = "\x7f\0\0\1"};

    if (kind == DNSBL_DOMAIN) {
        TRY(dnsbl_domain_name(STR("test"), zone, has));
        return dnsbl_domain_name(STR("invalid"), zone, has_not);
    }
    if (kind == DNSBL_IPV6) { /* ::ffff:127.0.0.2 and ::ffff:127.0.0.1 */
        listed = (struct subnet){16, 128, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\2"};
        never = (struct subnet){16, 128, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1"};
    }
    TRY(dnsbl_address_name(&listed, zone, has));
    return dnsbl_address_name(&never, zone, has_not);
}

const char *
dnsbl_health_name(enum dnsbl_health h)
{
    static const char *const names[] = {"well", "empty", "lists-all", "does-not-hear"};

    ASSERT((size_t)h < sizeof(names) / sizeof(names[0]));
    return names[h];
}

enum dnsbl_health
dnsbl_test(enum dnsbl_judgement has, enum dnsbl_judgement has_not)
{
    if (has >= DNSBL_REFUSED || has_not >= DNSBL_REFUSED)
        return DNSBL_DOES_NOT_HEAR;
    if (has_not == DNSBL_LISTED)
        return DNSBL_LISTS_ALL;
    return has == DNSBL_LISTED ? DNSBL_WELL : DNSBL_EMPTY;
}

static bool
in_subnet(const struct subnet *address, const char *bytes, uint8_t bits)
{
    struct subnet n = {.size = 4, .bits = bits};

    for (size_t i = 0; i < 4; i++)
        n.bytes[i] = bytes[i];
    return subnet_covers(&n, address);
}
