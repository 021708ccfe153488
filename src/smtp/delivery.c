/* delivery.c - where a message goes: routes, MX hosts, addresses, one after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/delivery.h"

#include <arpa/inet.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "smtp/delivery_internal.h"

/* Says the same of every recipient that nothing was decided about. */
static void
decide_all(struct delivery *d, enum delivery_state state, const struct smtp_answer *a)
{
    for (size_t i = 0; i < d->rcpt_count; i++)
        if (!d->rcpts[i].decided)
            delivery_decide(&d->rcpts[i], state, a);
}

/* A reply of our own: before, name, after. */
static struct smtp_answer
fact(const char *enhanced, const char *before, struct str name, const char *after)
{
    struct smtp_answer a = {0};
    struct problem p = {0};

    problem_set(&p, 0, enhanced, "%s%.*s%s", before, STR_FMT(name), after);
    mem_copy(a.enhanced, p.enhanced, sizeof(a.enhanced));
    mem_copy(a.text, p.text, sizeof(p.text));
    return a;
}

void
delivery_decide(struct delivery_rcpt *r, enum delivery_state state, const struct smtp_answer *a)
{
    r->decided = true;
    r->state = state;
    r->code = a->code;
    mem_copy(r->enhanced, a->enhanced, sizeof(r->enhanced));
    mem_copy(r->text, a->text, sizeof(r->text));
}

/* ---- where to ---- */

static const struct config_route *
find_route(const struct config *c, struct str domain, size_t *index)
{
    for (size_t i = 0; i < c->route_count; i++) {
        if (str_eq_nocase(c->routes[i].domain, domain) || str_eq(c->routes[i].domain, STR("*"))) {
            *index = i;
            return &c->routes[i];
        }
    }
    return NULL;
}

/* The hosts better than ourselves; RFC 5321 section 5.1: we never send to our own name or worse. */
static size_t
hosts_before_us(const struct dns_mx *mx, struct str own)
{
    for (size_t i = 0; i < mx->count; i++) {
        if (!str_eq_nocase(mx->hosts[i].name, own))
            continue;
        while (i > 0 && mx->hosts[i - 1].preference == mx->hosts[i].preference)
            i--;
        return i;
    }
    return mx->count;
}

/* False: everything is decided already. */
static SUSPENDS bool
find_mx(const struct delivery_world *w, struct delivery *d, struct arena *a, struct dns_mx *mx)
{
    struct smtp_answer no;
    enum status e = resolver_mx(w->resolver, d->domain, a, mx);

    if (e == OK && !mx->null_mx) {
        mx->count = hosts_before_us(mx, w->config->host);
        if (mx->count > 0)
            return true;
        no = fact("5.4.6", "the mail for ", d->domain,
                  " is sent to this server, which does not serve it");
        decide_all(d, DELIVERY_FAILED, &no);
        return false;
    }
    if (e == OK)
        no = fact("5.1.10", "the domain ", d->domain, " takes no mail (null MX)");
    else if (e == ERR_NOT_FOUND)
        no = fact("5.1.2", "there is no domain ", d->domain, "");
    else
        no = fact("4.4.3", "the name ", d->domain, " cannot be looked up now");
    decide_all(d, e == OK || e == ERR_NOT_FOUND ? DELIVERY_FAILED : DELIVERY_LATER, &no);
    return false;
}

/* ---- one address ---- */

static void
address_text(const struct sockaddr_storage *at, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;

    text[0] = '\0';
    if (at->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, text, (socklen_t)size);
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, text, (socklen_t)size);
}

static void
log_attempt(const struct delivery *d, const struct delivery_host *h, bool tls, const char *result)
{
    AUTO(logger_send) struct log_line l;
    char address[INET6_ADDRSTRLEN];

    if (!event_begin(&l, EVENT_OUT_ATTEMPT))
        return;
    address_text(&h->at, address, sizeof(address));
    log_hex64(&l, "qid", d->qid);
    log_str(&l, "domain", d->domain);
    log_str(&l, "host", h->name);
    log_str(&l, "address", str_of(address));
    log_str(&l, "tls", tls ? STR("yes") : STR("no"));
    log_i64(&l, "ms", clock_mono_ms() - h->started_ms);
    log_str(&l, "result", str_of(result));
}

static socklen_t
set_port(struct sockaddr_storage *at, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)at;

    if (at->ss_family == AF_INET) {
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    v6->sin6_port = htons(port);
    return sizeof(*v6);
}

/* The address to send from, when the configuration names one for this family. */
static const struct sockaddr *
source_of(const struct config *c, int family, struct sockaddr_storage *store)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)store;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)store;
    char text[64];

    *store = (struct sockaddr_storage){0};
    if (family == AF_INET && str_to_z(c->source4, text, sizeof(text)) &&
        inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return (struct sockaddr *)store;
    }
    if (family == AF_INET6 && str_to_z(c->source6, text, sizeof(text)) &&
        inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        return (struct sockaddr *)store;
    }
    return NULL;
}

static SUSPENDS enum status
open_host(const struct delivery_world *w, const struct delivery_host *h, bool with_tls,
          struct smtp_client **c, struct smtp_answer *why)
{
    struct sockaddr_storage source;
    struct smtp_peer peer = {
        .target = {.addr = h->at,
                   .source = source_of(w->config, h->at.ss_family, &source),
                   .timeout_ms = LIMIT_OUT_CONNECT_S * 1000},
        .name = h->name,
        .helo = w->config->host,
        .tls = h->route != NULL && h->route->user.len > 0 ? w->tls_verified : w->tls_any,
        .tls_required = h->route != NULL && h->route->tls_required,
    };

    peer.target.addr_len = set_port(&peer.target.addr, h->port);
    if (!with_tls)
        peer.tls = NULL;
    if (h->route != NULL && h->route->user.len > 0) {
        peer.user = h->route->user;
        peer.password = &w->passwords[h->route_index];
    }
    return smtp_client_open(&peer, c, why);
}

/* True: some recipient was decided, or nothing is left; false: try the next address. */
static SUSPENDS bool
try_address(const struct delivery_world *w, struct ipc_peer *store, struct delivery *d,
            struct delivery_host *h, struct smtp_answer *last)
{
    AUTO(smtp_client_free) struct smtp_client *c = NULL;

    h->started_ms = clock_mono_ms();
    enum status e = open_host(w, h, true, &c, last);
    if (e == ERR_SYNTAX && (h->route == NULL || !h->route->tls_required))
        e = open_host(w, h, false, &c,
                      last); /* its TLS is broken: opportunistic means in clear, then */
    if (!str_to_z(str_sub(h->name, 0, sizeof(d->remote) - 1), d->remote, sizeof(d->remote)))
        d->remote[0] = '\0';
    if (e != OK) {
        log_attempt(d, h, false, last->text);
        return false;
    }
    bool reached = delivery_converse(c, store, d, last);
    log_attempt(d, h, smtp_client_is_tls(c), reached ? "ok" : last->text);
    return reached;
}

static unsigned
families_of(const struct config *c)
{
    return (str_eq(c->source4, STR("none")) ? 0u : (unsigned)DNS_IPV4) |
           (str_eq(c->source6, STR("none")) ? 0u : (unsigned)DNS_IPV6);
}

static SUSPENDS bool
try_host(const struct delivery_world *w, struct ipc_peer *store, struct delivery *d,
         struct delivery_host *h, struct smtp_answer *last)
{
    AUTO_ARENA *a = arena_new(65536);
    struct dns_addresses found;
    enum status e = resolver_addresses(w->resolver, h->name, families_of(w->config), a, &found);

    h->nowhere = e == ERR_NOT_FOUND;
    if (e != OK) {
        *last = e == ERR_NOT_FOUND
                    ? fact("4.4.4", "the host ", h->name, " has no address")
                    : fact("4.4.3", "the host ", h->name, " cannot be looked up now");
        return false;
    }
    for (size_t i = 0; i < found.count; i++) {
        h->at = found.at[i];
        if (try_address(w, store, d, h, last))
            return true;
    }
    return false;
}

/* Hosts by preference.  That none of them exists is an error (RFC 5321 section 5.1), and time will not mend it. */
static SUSPENDS void
try_mx(const struct delivery_world *w, struct ipc_peer *store, struct delivery *d,
       const struct dns_mx *mx, struct smtp_answer *last)
{
    struct delivery_host h = {.port = 25};
    size_t nowhere = 0;

    for (size_t i = 0; i < mx->count; i++) {
        h.name = mx->hosts[i].name;
        if (try_host(w, store, d, &h, last))
            return;
        nowhere += h.nowhere;
    }
    if (nowhere < mx->count) {
        decide_all(d, DELIVERY_LATER, last);
        return;
    }
    *last = fact("5.4.4", "no mail host of ", d->domain, " has an address");
    decide_all(d, DELIVERY_FAILED, last);
}

void
delivery_try(const struct delivery_world *w, struct ipc_peer *store, struct delivery *d)
{
    AUTO_ARENA *a = arena_new(65536);
    struct smtp_answer last = fact("4.4.1", "no host of ", d->domain, " could be reached");
    struct delivery_host h = {0};
    struct dns_mx mx = {0};

    h.route = find_route(w->config, d->domain, &h.route_index);
    if (h.route != NULL) {
        h.name = h.route->host;
        h.port = h.route->port;
        if (!try_host(w, store, d, &h, &last))
            decide_all(d, DELIVERY_LATER, &last);
        return;
    }
    if (w->config->outbound_none) {
        last =
            fact("5.7.1", "this server sends no mail to the Internet, so none to ", d->domain, "");
        decide_all(d, DELIVERY_FAILED, &last);
        return;
    }
    if (!find_mx(w, d, a, &mx))
        return;
    try_mx(w, store, d, &mx, &last);
}
