/* hop.c - one host: a connection to it, and the conversation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "smtp/delivery_internal.h"
#include "smtp/dial.h"
#include "smtp/socks_dial.h"

/* The addresses that are still to be tried. */
struct targets {
    struct conn_target at[DIAL_MAX];
    struct sockaddr_storage source[DIAL_MAX];
    size_t n;
    size_t found; /* addresses, also those that are left alone */
};

static bool
by_proxy(const struct hop *h)
{
    return h->host->route != NULL && h->host->route->socks.host.len > 0;
}

/* The proxy looks the host's name up. */
static bool
by_name(const struct hop *h)
{
    return by_proxy(h) && h->host->route->socks.names;
}

/* ---- words ---- */

/* What protected the conversation; NULL: there was none. */
static const char *
protection(const struct hop *h, const struct smtp_client *c)
{
    const struct config_route *r = h->host->route;

    if (c == NULL || !smtp_client_is_tls(c))
        return "none";
    if (h->host->guard.kind == GUARD_DANE)
        return "dane";
    if (h->host->guard.kind == GUARD_STS)
        return "sts";
    return delivery_is_strict(h->d) || (r != NULL && r->tls == ROUTE_TLS_VERIFIED) ? "verified"
                                                                                   : "tls";
}

static void
log_attempt(const struct hop *hop, const struct smtp_client *c, const char *result)
{
    const struct delivery *d = hop->d;
    const struct delivery_host *h = hop->host;
    AUTO(logger_send) struct log_line l;
    char address[INET6_ADDRSTRLEN];

    if (!event_begin(&l, EVENT_OUT_ATTEMPT))
        return;
    delivery_address_text(&h->at, address, sizeof(address));
    log_hex64(&l, "qid", d->qid);
    log_str(&l, "domain", d->domain);
    log_str(&l, "host", h->name);
    log_str(&l, "address", str_of(address));
    log_str(&l, "tls", str_of(protection(hop, c)));
    log_i64(&l, "ms", clock_mono_ms() - h->started_ms);
    log_str(&l, "result", str_of(result));
    if (h->route == NULL)
        return;
    AUTO_ARENA *a = arena_new(8192);
    log_str(&l, "route", route_title(h->route, a));
    if (h->route->socks.host.len > 0)
        log_str(&l, "proxy",
                arena_printf(a, "%.*s:%u", STR_FMT(h->route->socks.host), h->route->socks.port));
}

/* "ADDRESS PORT", and by which proxy: what is remembered as absent. */
static struct str
endpoint(const struct hop *h, const struct sockaddr_storage *at, struct arena *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    char address[INET6_ADDRSTRLEN];

    delivery_address_text(at, address, sizeof(address));
    uint16_t port = ntohs(at->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    if (!by_proxy(h))
        return arena_printf(a, "%s %u", address, port);
    return arena_printf(a, "%s %u %.*s", address, port, STR_FMT(route_manner(h->host->route, a)));
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

/* The address to send from, when the route or the configuration names one for this family. */
static const struct sockaddr *
source_of(const struct hop *h, int family, struct sockaddr_storage *store)
{
    const struct config *c = h->world->config;
    const struct config_route *r = h->host->route;
    struct str source4 = r != NULL && r->source4.len > 0 ? r->source4 : c->source4;
    struct str source6 = r != NULL && r->source6.len > 0 ? r->source6 : c->source6;
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)store;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)store;
    char text[64];

    *store = (struct sockaddr_storage){0};
    if (family == AF_INET && str_to_z(source4, text, sizeof(text)) &&
        inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return (struct sockaddr *)store;
    }
    if (family == AF_INET6 && str_to_z(source6, text, sizeof(text)) &&
        inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        return (struct sockaddr *)store;
    }
    return NULL;
}

/* What a kept connection is kept under: port, log-in, TLS, proof, proxy and our own address are part of what it is. */
static struct str
pool_name(const struct hop *h, struct arena *a)
{
    const struct config_route *r = h->host->route;
    int strict = delivery_is_strict(h->d), guard = (int)h->host->guard.kind; /* a small enum */

    if (r == NULL)
        return arena_printf(a, "%.*s:%u:%d%d", STR_FMT(h->host->name), h->host->port, strict,
                            guard);
    return arena_printf(a, "%.*s:%u:%d%d%d%d:%.*s%.*s", STR_FMT(h->host->name), h->host->port,
                        strict, guard, (int)r->tls, r->tls_never, STR_FMT(r->user),
                        STR_FMT(route_manner(r, a)));
}

/* ---- one connection ---- */

/* It takes a place to talk, if it has none; without one it ends. */
static SUSPENDS enum status
may_talk(const struct hop *h, struct conn **conn)
{
    enum status e = destination_reached(h->world->destinations, h->d->visit);

    if (e != OK)
        conn_free(conn);
    return e;
}

/* RFC 8689 section 4.2.1, steps 4 and 5. */
static SUSPENDS enum status
check_protection(const struct hop *h, enum status e, struct smtp_client **c)
{
    if (e == ERR_SYNTAX) {
        struct smtp_answer why = *h->last;
        h->host->unprotected = true;
        *h->last = delivery_fact("5.7.10", "REQUIRETLS: ", str_of(why.text), "");
    } else if (e == OK && (smtp_client_extensions(*c) & SMTP_EXT_REQUIRETLS) == 0) {
        smtp_client_bye(*c);
        smtp_client_free(c);
        h->host->unprotected = true;
        *h->last = delivery_fact("5.7.30", "REQUIRETLS: ", h->host->name,
                                 " does not promise to protect the rest of the way");
        return ERR_DENIED;
    }
    return e;
}

static SUSPENDS enum status
open_by_proxy(const struct hop *h, const struct conn_target *t, struct conn **out)
{
    struct sockaddr_storage source4, source6;
    struct socks_dial d = {
        .proxy = &h->host->route->socks,
        .resolver = h->world->resolver,
        .source4 = source_of(h, AF_INET, &source4),
        .source6 = source_of(h, AF_INET6, &source6),
        .families = delivery_families(h->world->config, h->host->route),
        .timeout_ms = t->timeout_ms,
        .wish = {.name = by_name(h) ? h->host->name : STR(""),
                 .at = &t->addr,
                 .port = h->host->port,
                 .user = h->host->route->socks.user,
                 .password = &h->world->socks_passwords[h->host->route_index]},
    };

    return socks_dial(&d, out, h->last);
}

static void
fill_peer(const struct hop *h, struct smtp_peer *peer)
{
    const struct delivery_world *w = h->world;
    const struct config_route *r = h->host->route;

    if (r != NULL) {
        if (r->ehlo.len > 0)
            peer->helo = r->ehlo;
        if (r->tls_never)
            peer->tls = NULL;
        else if (r->tls == ROUTE_TLS_VERIFIED)
            peer->tls = w->tls_verified;
        peer->tls_required = r->tls != ROUTE_TLS_OFFERED;
        if (r->user.len > 0) {
            peer->user = r->user;
            peer->password = &w->passwords[h->host->route_index];
        }
    }
    if (delivery_is_strict(h->d)) { /* what the sender of one message asks goes before the route */
        peer->tls = w->tls_verified;
        peer->tls_required = true;
    }
    peer->tls_required = peer->tls_required || h->host->guard.kind != GUARD_NONE;
    if (h->host->guard.kind == GUARD_NONE && h->host->guard.policy == TLS_POLICY_STS &&
        peer->tls == w->tls_any && w->tls_advised != NULL)
        peer->tls = w->tls_advised; /* a policy for testing wants to know, and nothing else */
    if (h->host->guard.kind == GUARD_STS) {
        peer->tls = w->tls_verified;
    } else if (h->host->guard.kind == GUARD_DANE) {
        peer->tls = w->tls_dane;
        peer->dane = &h->host->guard.dane;
    }
}

/* The host did not prove itself: said in one sentence, for the queue. */
static void
blame_guard(const struct hop *h)
{
    static const char *const demands[] = {
        [GUARD_NONE] = "",
        [GUARD_TLS] = " has TLSA records (DANE), so TLS is required",
        [GUARD_STS] = " has to prove its name (MTA-STS)",
        [GUARD_DANE] = " has to prove itself by its TLSA records (DANE)",
    };
    struct problem after = {0};
    int code = h->last->code;

    problem_set(&after, 0, "", "%s: %s", demands[h->host->guard.kind], h->last->text);
    *h->last = delivery_fact("4.7.5", "", h->host->name, after.text);
    h->last->code = code >= 500 ? 0 : code; /* of STARTTLS alone: nothing was refused for good */
}

static SUSPENDS enum status
open_host(const struct hop *h, struct conn *conn, const struct conn_target *t,
          struct smtp_client **c)
{
    struct smtp_tls_found found = {.reason = ""};
    struct smtp_peer peer = {
        .target = *t,
        .found = &found,
        .conn = conn,
        .name = h->host->name,
        .helo = h->world->config->host,
        .tls = h->world->tls_any,
    };

    fill_peer(h, &peer);
    enum status e = smtp_client_open(&peer, c, h->last);
    delivery_note_session(h, &t->addr, &found);
    peer.found = NULL;
    if (e != OK && h->last->of_tls && h->host->guard.kind != GUARD_NONE)
        blame_guard(h);
    if (delivery_is_strict(h->d))
        return check_protection(h, e, c);
    if (e != ERR_SYNTAX || peer.tls_required)
        return e;
    peer.conn = NULL; /* its TLS is broken: opportunistic means in clear, then */
    peer.tls = NULL;
    if (by_proxy(h))
        TRY(open_by_proxy(h, t, &peer.conn));
    return smtp_client_open(&peer, c, h->last);
}

/* Ends with the connection kept, or closed. */
static SUSPENDS bool
converse(const struct hop *h, struct smtp_client *c)
{
    AUTO_ARENA *a = arena_new(8192);

    bool reached = delivery_converse(c, h->store, h->d, h->last);
    log_attempt(h, c, reached ? "ok" : h->last->text);
    if (reached) {
        pool_keep(h->world->pool, pool_name(h, a), &c, clock_mono_ms());
    } else {
        smtp_client_bye(c);
        smtp_client_free(&c);
    }
    return reached;
}

/* One that the other side closed meanwhile, or where it refuses MAIL, costs nothing: the next, then a new one. */
static SUSPENDS bool
try_kept(const struct hop *h)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str name = pool_name(h, a);
    struct smtp_client *c;

    while ((c = pool_take(h->world->pool, name)) != NULL) {
        h->host->started_ms = clock_mono_ms();
        h->host->at = *smtp_client_address(c);
        if (destination_reached(h->world->destinations, h->d->visit) != OK) {
            smtp_client_free(&c);
            return false;
        }
        if (converse(h, c))
            return true;
    }
    return false;
}

/* ---- addresses ---- */

/* Without those that did not answer a moment ago, unless they are all there is and this is urgent. */
static void
gather(const struct hop *h, const struct dns_addresses *found, struct targets *t)
{
    AUTO_ARENA *a = arena_new(65536);
    int64_t now_ms = clock_mono_ms();
    const char *why = "";

    t->n = 0;
    t->found = found->count;
    for (size_t i = 0; i < found->count && t->n < DIAL_MAX; i++) {
        struct conn_target *one = &t->at[t->n];
        *one = (struct conn_target){
            .addr = found->at[i],
            .timeout_ms = 1000 * (h->d->first ? LIMIT_OUT_CONNECT_FIRST_S : LIMIT_OUT_CONNECT_S),
        };
        one->addr_len = set_port(&one->addr, h->host->port);
        if (!h->d->hurry &&
            absent_is(h->world->absents, endpoint(h, &one->addr, a), now_ms, &why)) {
            *h->last = delivery_fact("4.4.1", why, STR(""), " (a moment ago)");
            h->d->left_alone = true;
            continue;
        }
        one->source = source_of(h, one->addr.ss_family, &t->source[t->n]);
        t->n++;
    }
}

static void
remove_target(struct targets *t, size_t i)
{
    t->n--;
    for (; i < t->n; i++) {
        t->at[i] = t->at[i + 1];
        t->source[i] = t->source[i + 1];
        if (t->at[i].source != NULL)
            t->at[i].source = (const struct sockaddr *)&t->source[i];
    }
}

static void
note_failures(const struct hop *h, struct targets *t, const enum status *failed)
{
    AUTO_ARENA *a = arena_new(65536);

    for (size_t i = t->n; i-- > 0;) {
        if (failed[i] == OK)
            continue;
        h->host->at = t->at[i].addr;
        smtp_answer_set(h->last,
                        failed[i] == ERR_TIMEOUT ? "connection timed out" : "connection refused");
        absent_failed(h->world->absents, endpoint(h, &h->host->at, a), clock_mono_ms(),
                      h->last->text);
        log_attempt(h, NULL, h->last->text);
        remove_target(t, i);
    }
}

/* The next address that answers. */
static SUSPENDS bool
try_next(const struct hop *h, struct targets *t)
{
    AUTO_ARENA *a = arena_new(8192);
    enum status failed[DIAL_MAX];
    struct dialled got = {0};
    struct smtp_client *c = NULL;

    h->host->started_ms = clock_mono_ms();
    h->d->asked = true;
    destination_seek(h->world->destinations, h->d->visit);
    if (dial(t->at, t->n, &got, failed) != OK) {
        note_failures(h, t, failed);
        t->n = 0; /* a cancelled wait leaves some undecided */
        return false;
    }
    struct conn_target target = t->at[got.index];
    enum status e = may_talk(h, &got.conn);
    if (e == OK)
        e = open_host(h, got.conn, &target, &c);
    failed[got.index] = OK;
    struct smtp_answer said = *h->last;
    remove_target(t, got.index);
    for (size_t i = got.index; i < t->n; i++)
        failed[i] = failed[i + 1];
    note_failures(h, t, failed);
    *h->last = said;
    h->host->at = target.addr;
    if (e != OK) {
        log_attempt(h, NULL, h->last->text);
        return false;
    }
    absent_answered(h->world->absents, endpoint(h, &target.addr, a));
    return converse(h, c);
}

/* The same by way of a proxy: one after the other, and none any more once the proxy itself fails. */
static SUSPENDS bool
try_next_by_proxy(const struct hop *h, struct targets *t)
{
    AUTO_ARENA *a = arena_new(8192);
    const struct conn_target target = t->at[0];
    struct smtp_client *c = NULL;
    struct conn *conn = NULL;

    h->host->started_ms = clock_mono_ms();
    h->host->at = target.addr;
    h->d->asked = true;
    remove_target(t, 0);
    destination_seek(h->world->destinations, h->d->visit);
    enum status e = open_by_proxy(h, &target, &conn);
    if (e == ERR_TEMP && !by_name(h))
        absent_failed(h->world->absents, endpoint(h, &target.addr, a), clock_mono_ms(),
                      h->last->text);
    else if (e != OK)
        t->n = 0;
    if (e == OK)
        e = may_talk(h, &conn);
    if (e == OK)
        e = open_host(h, conn, &target, &c);
    if (e != OK) {
        log_attempt(h, NULL, h->last->text);
        return false;
    }
    if (!by_name(h))
        absent_answered(h->world->absents, endpoint(h, &target.addr, a));
    return converse(h, c);
}

unsigned
delivery_families(const struct config *c, const struct config_route *r)
{
    struct str source4 = r != NULL && r->source4.len > 0 ? r->source4 : c->source4;
    struct str source6 = r != NULL && r->source6.len > 0 ? r->source6 : c->source6;

    return (str_eq(source4, STR("none")) ? 0u : (unsigned)DNS_IPV4) |
           (str_eq(source6, STR("none")) ? 0u : (unsigned)DNS_IPV6);
}

/* Where the host may be reached; false: the DNS does not say, and last does why not. */
static SUSPENDS bool
find_targets(const struct hop *h, struct arena *a, struct targets *t)
{
    struct dns_addresses found;
    unsigned families =
        by_proxy(h) ? DNS_IPV4 | DNS_IPV6 : delivery_families(h->world->config, h->host->route);

    if (by_name(h)) { /* one that the proxy knows */
        t->at[0] = (struct conn_target){
            .timeout_ms = 1000 * (h->d->first ? LIMIT_OUT_CONNECT_FIRST_S : LIMIT_OUT_CONNECT_S)};
        t->n = t->found = 1;
        return true;
    }
    enum status e = resolver_addresses(h->world->resolver, h->host->name, families, a, &found);
    h->host->nowhere = e == ERR_NOT_FOUND;
    if (e != OK) {
        *h->last =
            e == ERR_NOT_FOUND
                ? delivery_fact("4.4.4", "the host ", h->host->name, " has no address")
                : delivery_fact("4.4.3", "the host ", h->host->name, " cannot be looked up now");
        return false;
    }
    gather(h, &found, t);
    return true;
}

struct guard_ask
delivery_guard_ask(const struct delivery_world *w, const struct config_route *r, bool listed)
{
    bool proxy = r != NULL && r->socks.host.len > 0;
    bool by_name = proxy && r->socks.names;

    return (struct guard_ask){
        .resolver = w->resolver,
        .families = proxy ? DNS_IPV4 | DNS_IPV6 : delivery_families(w->config, r),
        .by_proxy = by_name,
        /* Of a host of the configuration that the proxy looks up nothing is asked here. */
        .listed = listed && !(by_name && !r->by_mx) && !(r != NULL && r->tls_never),
    };
}

/* False: the host is not to be used, for the reason in last. */
static SUSPENDS bool
find_guard(const struct hop *h, struct arena *a)
{
    struct delivery_host *host = h->host;
    struct guard_ask ask = delivery_guard_ask(h->world, host->route, host->listed);

    if (h->d->terms.tls_optional) {
        host->guard = (struct guard){.kind = GUARD_NONE, .trouble_why = ""};
        return true;
    }
    ask.domain = h->d->domain;
    ask.host = host->name;
    ask.port = host->port;
    ask.sts = h->d->sts;
    guard_find(&ask, a, &host->guard);
    host->nowhere = host->guard.nowhere;
    if (!host->guard.barred)
        return true;
    delivery_note_barred(h);
    *h->last = delivery_fact(host->guard.why.enhanced, host->guard.why.text, STR(""), "");
    return false;
}

bool
hop_try(const struct hop *h)
{
    AUTO_ARENA *a = arena_new(131072 + GUARD_ARENA);
    struct targets *t = ARENA_NEW(a, struct targets);
    struct delivery *d = h->d;

    if (!str_to_z(str_sub(h->host->name, 0, sizeof(d->remote) - 1), d->remote, sizeof(d->remote)))
        d->remote[0] = '\0';
    size_t unprotected = 0;
    h->host->unprotected = false;
    if (!find_guard(h, a))
        return false;
    if (try_kept(h))
        return true;
    destination_seek(h->world->destinations, h->d->visit);
    if (!find_targets(h, a, t))
        return false;
    while (t->n > 0) {
        h->host->unprotected = false;
        if (by_proxy(h) ? try_next_by_proxy(h, t) : try_next(h, t))
            return true;
        unprotected += h->host->unprotected;
    }
    /* An address that did not answer may keep the promise that another one does not give. */
    h->host->unprotected = unprotected > 0 && unprotected == t->found;
    return false;
}
