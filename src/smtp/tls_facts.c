/* tls_facts.c - what reports about TLS say of the sessions that a delivery opened (RFC 8460).
 *
 * Of hosts that DNS names alone: what a route of the configuration asks is between the two who agreed on it.  A session
 * that was kept from another message was counted with that one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/mem.h"
#include "smtp/delivery_internal.h"

enum { ROOM = 16 << 10 /* of the arena, for one fact */ };

void
delivery_address_text(const struct sockaddr_storage *at, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;

    text[0] = '\0';
    if (at->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)size);
    else if (at->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)size);
}

static bool
is_wanted(const struct hop *h)
{
    const struct config_route *r = h->host->route;
    const struct delivery *d = h->d;

    if (d->facts_arena == NULL || d->terms.tls_optional || delivery_is_strict(d))
        return false;
    return r == NULL || (r->by_mx && !r->tls_never && r->tls == ROUTE_TLS_OFFERED);
}

static void
add(const struct hop *h, const struct tls_fact *f)
{
    struct delivery *d = h->d;
    struct arena *a = d->facts_arena;

    if (d->fact_count == LIMIT_TLS_FACTS || arena_left(a) < ROOM)
        return;
    d->facts[d->fact_count++] = (struct tls_fact){
        .policy = f->policy,
        .result = f->result,
        .domain = arena_str(a, f->domain),
        .text = arena_str(a, str_sub(f->text, 0, LIMIT_TLS_FACT_TEXT_BYTES + 1)),
        .host = arena_str(a, f->host),
        .sending = arena_str(a, f->sending),
        .receiving = arena_str(a, f->receiving),
        .reason = f->reason,
    };
}

/* Once for each delivery: the policy was not to be had, whatever the hosts do. */
static void
add_sts_trouble(const struct hop *h)
{
    struct delivery *d = h->d;

    if (d->sts_trouble == TLS_RESULT_SUCCESS)
        return;
    const struct tls_fact f = {.policy = TLS_POLICY_STS,
                               .result = d->sts_trouble,
                               .domain = d->domain,
                               .reason = str_of(d->sts_why)};
    add(h, &f);
    d->sts_trouble = TLS_RESULT_SUCCESS;
}

static struct tls_fact
fact_of(const struct hop *h)
{
    const struct guard *g = &h->host->guard;

    return (struct tls_fact){.policy = g->policy,
                             .result = g->trouble,
                             .domain = g->policy_domain,
                             .text = g->policy_text,
                             .host = h->host->name,
                             .reason = str_of(g->trouble_why)};
}

void
delivery_note_session(const struct hop *h, const struct sockaddr_storage *to,
                      const struct smtp_tls_found *found)
{
    const struct config_route *r = h->host->route;
    char own[INET6_ADDRSTRLEN] = "", other[INET6_ADDRSTRLEN] = "";

    if (!found->asked || !is_wanted(h))
        return;
    struct tls_fact f = fact_of(h);
    if (f.result == TLS_RESULT_SUCCESS) {
        f.result = found->result;
        f.reason = str_of(found->reason);
    }
    if (r == NULL || r->socks.host.len == 0) /* else the proxy's would be the one */
        delivery_address_text(&found->own, own, sizeof(own));
    delivery_address_text(to, other, sizeof(other));
    f.sending = str_of(own);
    f.receiving = str_of(other);
    add_sts_trouble(h);
    add(h, &f);
}

void
delivery_note_barred(const struct hop *h)
{
    struct tls_fact f = fact_of(h);

    if (f.result == TLS_RESULT_SUCCESS || !is_wanted(h))
        return;
    add_sts_trouble(h);
    add(h, &f);
}
