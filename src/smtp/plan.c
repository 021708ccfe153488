/* plan.c - see plan.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/plan.h"

#include <arpa/inet.h>

#include "base/size.h"
#include "smtp/delivery_internal.h"

static struct str
address_text(const struct sockaddr_storage *at, struct arena *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    char text[INET6_ADDRSTRLEN] = "";

    if (at->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    return arena_str(a, str_of(text));
}

SUSPENDS static void
find_addresses(const struct delivery_world *w, const struct config_route *r, struct plan_host *h,
               struct arena *a)
{
    bool proxy = r != NULL && r->socks.host.len > 0;
    AUTO_ARENA *own = arena_new(131072);
    struct dns_addresses found;
    enum status e = resolver_addresses(
        w->resolver, h->name, proxy ? DNS_IPV4 | DNS_IPV6 : delivery_families(w->config, r), own,
        &found);

    if (e != OK) {
        h->state = e == ERR_NOT_FOUND ? PLAN_HOST_NOWHERE : PLAN_HOST_UNKNOWN;
        return;
    }
    size_t n = MIN(found.count, (size_t)PLAN_ADDRESSES_MAX);
    struct str *list = ARENA_ARRAY(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = address_text(&found.at[i], a);
    h->addresses = list;
    h->address_count = n;
    h->secure = found.secure;
}

SUSPENDS static void
find_guard(const struct delivery_world *w, const struct guard_ask *about, const struct plan *p,
           struct plan_host *h, struct arena *a)
{
    AUTO_ARENA *own = arena_new(GUARD_ARENA);
    struct guard_ask q = delivery_guard_ask(w, p->route, p->kind == PLAN_ROUTE || p->secure);
    struct guard g;

    if (p->route != NULL && p->route->tls_never)
        return; /* nothing is to be proven */
    q.domain = about->domain;
    q.sts = about->sts;
    q.host = h->name;
    q.port = h->port;
    guard_find(&q, own, &g);
    h->guard = g.kind;
    h->barred = g.barred;
    h->why = arena_str(a, str_of(g.why.text));
}

SUSPENDS static void
find_hosts(const struct delivery_world *w, struct str domain, struct arena *a, struct plan *out)
{
    struct dns_mx mx = {0};
    enum status e = resolver_mx(w->resolver, domain, a, &mx);

    if (e != OK) {
        out->kind = e == ERR_NOT_FOUND ? PLAN_NO_DOMAIN : PLAN_UNKNOWN;
        return;
    }
    out->secure = mx.secure;
    out->kind = mx.null_mx ? PLAN_NULL_MX : mx.implicit ? PLAN_IMPLICIT : PLAN_MX;
    if (mx.null_mx)
        return;
    size_t n = delivery_hosts_before_us(&mx, w->config->host);
    if (n == 0)
        out->kind = PLAN_TO_US;
    for (size_t i = 0; i < n && i < COUNT_OF(out->hosts); i++)
        out->hosts[out->host_count++] = (struct plan_host){
            .name = mx.hosts[i].name, .preference = mx.hosts[i].preference, .port = 25};
}

void
plan_find(const struct delivery_world *w, const struct route_ask *ask, const struct sts_policy *sts,
          struct arena *a, struct plan *out)
{
    struct route_choice way = route_choose(w->config, ask);
    const struct config_route *r = way.route;
    const struct guard_ask about = {.domain = ask->domain, .sts = sts};

    *out = (struct plan){.kind = PLAN_ROUTE, .route = r};
    if (way.missing)
        out->kind = PLAN_NO_ROUTE;
    else if (r != NULL && !r->by_mx)
        out->hosts[out->host_count++] = (struct plan_host){.name = r->host, .port = r->port};
    else if (r == NULL && w->config->outbound_none)
        out->kind = PLAN_NONE;
    else
        find_hosts(w, ask->domain, a, out);
    for (size_t i = 0; i < out->host_count; i++) {
        if (r != NULL && r->by_mx)
            out->hosts[i].port = r->port;
        if (r != NULL && r->socks.names)
            out->hosts[i].state = PLAN_HOST_OF_PROXY;
        else
            find_addresses(w, r, &out->hosts[i], a);
        find_guard(w, &about, out, &out->hosts[i], a);
    }
}
