/* services.c - see services.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/services.h"

#include "base/size.h"
#include "dns/resolver_internal.h"

enum { SRV_HEAD = 6, TLSA_HEAD = 3 };

/* Priority, weight, port, target (RFC 2782). */
bool
dns_service_read(struct str wire, struct arena *a, struct dns_service *out)
{
    struct dns_service s;

    if (wire.len <= SRV_HEAD)
        return false;
    s.priority = be16_get(wire.ptr);
    s.weight = be16_get(wire.ptr + 2);
    s.port = be16_get(wire.ptr + 4);
    if (!resolver_read_name(str_skip(wire, SRV_HEAD), a, &s.target))
        return false;
    *out = s;
    return true;
}

enum status
resolver_services(struct resolver *r, struct str name, struct arena *a, struct dns_services *out)
{
    AUTO_ANSWER w = {0};
    struct str data;
    struct dns_service *at = ARENA_ARRAY(a, struct dns_service, DNS_SERVICES_MAX);
    size_t n = 0;

    TRY(resolver_ask(r, name, DNS_TYPE_SRV, RESOLVER_PATIENCE_MS, &w));
    while (n < DNS_SERVICES_MAX && dns_answer_next(&w, &data))
        n += dns_service_read(data, a, &at[n]) ? 1 : 0;
    *out = (struct dns_services){.at = at, .count = n};
    return n > 0 ? OK : ERR_NOT_FOUND;
}

/* Usage, selector, matching type, data (RFC 6698 section 2.1). */
bool
dns_tlsa_read(struct str wire, struct arena *a, struct dns_tlsa *out)
{
    if (wire.len <= TLSA_HEAD)
        return false;
    *out = (struct dns_tlsa){.usage = (uint8_t)wire.ptr[0],
                             .selector = (uint8_t)wire.ptr[1],
                             .matching = (uint8_t)wire.ptr[2],
                             .data = arena_str(a, str_skip(wire, TLSA_HEAD))};
    return true;
}

enum status
resolver_tlsas(struct resolver *r, struct str name, struct arena *a, struct dns_tlsas *out)
{
    AUTO_ANSWER w = {0};
    struct str data;
    struct dns_tlsa *at = ARENA_ARRAY(a, struct dns_tlsa, DNS_SERVICES_MAX);
    size_t n = 0;

    TRY(resolver_ask(r, name, DNS_TYPE_TLSA, RESOLVER_PATIENCE_MS, &w));
    while (n < DNS_SERVICES_MAX && dns_answer_next(&w, &data))
        n += dns_tlsa_read(data, a, &at[n]) ? 1 : 0;
    if (w.count == 0)
        return ERR_NOT_FOUND;
    *out = (struct dns_tlsas){.at = at, .count = n, .unread = w.count - n, .secure = w.secure};
    return OK;
}
