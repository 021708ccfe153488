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

enum { NAME_MAX_BYTES = 600 };

/* The addresses that are still to be tried. */
struct targets {
    struct conn_target at[DIAL_MAX];
    struct sockaddr_storage source[DIAL_MAX];
    size_t n;
};

/* ---- words ---- */

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

/* "ADDRESS PORT": what is remembered as absent. */
static struct str
endpoint(const struct sockaddr_storage *at, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    char address[INET6_ADDRSTRLEN];

    address_text(at, address, sizeof(address));
    int n = snprintf(text, size, "%s %u", address,
                     ntohs(at->ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
    return str_from(text, MIN((size_t)MAX(n, 0), size - 1));
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

/* What a kept connection is kept under: port, log-in and TLS are part of what it is. */
static struct str
pool_name(const struct hop *hop, char *text, size_t size)
{
    const struct delivery_host *h = hop->host;
    struct str host = str_sub(h->name, 0, 255);
    struct str user = h->route != NULL ? str_sub(h->route->user, 0, 255) : STR("");
    int n = snprintf(text, size, "%.*s:%u:%d%d:%.*s", STR_FMT(host), h->port,
                     h->route != NULL && h->route->tls_required, delivery_is_strict(hop->d),
                     STR_FMT(user));

    return str_from(text, MIN((size_t)MAX(n, 0), size - 1));
}

/* ---- one connection ---- */

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
open_host(const struct hop *h, struct conn *conn, const struct conn_target *t,
          struct smtp_client **c)
{
    const struct delivery_world *w = h->world;
    const struct config_route *route = h->host->route;
    bool strict = delivery_is_strict(h->d);
    struct smtp_peer peer = {
        .target = *t,
        .conn = conn,
        .name = h->host->name,
        .helo = w->config->host,
        .tls = strict || (route != NULL && route->user.len > 0) ? w->tls_verified : w->tls_any,
        .tls_required = strict || (route != NULL && route->tls_required),
    };

    if (route != NULL && route->user.len > 0) {
        peer.user = route->user;
        peer.password = &w->passwords[h->host->route_index];
    }
    enum status e = smtp_client_open(&peer, c, h->last);
    if (strict)
        return check_protection(h, e, c);
    if (e != ERR_SYNTAX || peer.tls_required)
        return e;
    peer.conn = NULL; /* its TLS is broken: opportunistic means in clear, then */
    peer.tls = NULL;
    return smtp_client_open(&peer, c, h->last);
}

/* Ends with the connection kept, or closed. */
static SUSPENDS bool
converse(const struct hop *h, struct smtp_client *c)
{
    char name[NAME_MAX_BYTES];

    bool reached = delivery_converse(c, h->store, h->d, h->last);
    log_attempt(h->d, h->host, smtp_client_is_tls(c), reached ? "ok" : h->last->text);
    if (reached) {
        pool_keep(h->world->pool, pool_name(h, name, sizeof(name)), &c, clock_mono_ms());
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
    char name[NAME_MAX_BYTES];
    struct smtp_client *c;

    while ((c = pool_take(h->world->pool, pool_name(h, name, sizeof(name)))) != NULL) {
        h->host->started_ms = clock_mono_ms();
        h->host->at = *smtp_client_address(c);
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
    int64_t now_ms = clock_mono_ms();
    const char *why = "";

    t->n = 0;
    for (size_t i = 0; i < found->count && t->n < DIAL_MAX; i++) {
        struct conn_target *one = &t->at[t->n];
        char text[INET6_ADDRSTRLEN + 8];
        *one = (struct conn_target){
            .addr = found->at[i],
            .timeout_ms = 1000 * (h->d->first ? LIMIT_OUT_CONNECT_FIRST_S : LIMIT_OUT_CONNECT_S),
        };
        one->addr_len = set_port(&one->addr, h->host->port);
        if (!h->d->hurry &&
            absent_is(h->world->absents, endpoint(&one->addr, text, sizeof(text)), now_ms, &why)) {
            *h->last = delivery_fact("4.4.1", why, STR(""), " (a moment ago)");
            h->d->left_alone = true;
            continue;
        }
        one->source = source_of(h->world->config, one->addr.ss_family, &t->source[t->n]);
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
    char text[INET6_ADDRSTRLEN + 8];

    for (size_t i = t->n; i-- > 0;) {
        if (failed[i] == OK)
            continue;
        h->host->at = t->at[i].addr;
        smtp_answer_set(h->last,
                        failed[i] == ERR_TIMEOUT ? "connection timed out" : "connection refused");
        absent_failed(h->world->absents, endpoint(&h->host->at, text, sizeof(text)),
                      clock_mono_ms(), h->last->text);
        log_attempt(h->d, h->host, false, h->last->text);
        remove_target(t, i);
    }
}

/* The next address that answers. */
static SUSPENDS bool
try_next(const struct hop *h, struct targets *t)
{
    enum status failed[DIAL_MAX];
    char text[INET6_ADDRSTRLEN + 8];
    struct dialled got = {0};
    struct smtp_client *c = NULL;

    h->host->started_ms = clock_mono_ms();
    h->host->unprotected = false; /* the last address says so */
    h->d->asked = true;
    if (dial(t->at, t->n, &got, failed) != OK) {
        note_failures(h, t, failed);
        t->n = 0; /* a cancelled wait leaves some undecided */
        return false;
    }
    struct conn_target target = t->at[got.index];
    enum status e = open_host(h, got.conn, &target, &c);
    failed[got.index] = OK;
    struct smtp_answer said = *h->last;
    remove_target(t, got.index);
    for (size_t i = got.index; i < t->n; i++)
        failed[i] = failed[i + 1];
    note_failures(h, t, failed);
    *h->last = said;
    h->host->at = target.addr;
    if (e != OK) {
        log_attempt(h->d, h->host, false, h->last->text);
        return false;
    }
    absent_answered(h->world->absents, endpoint(&target.addr, text, sizeof(text)));
    return converse(h, c);
}

unsigned
delivery_families(const struct config *c)
{
    return (str_eq(c->source4, STR("none")) ? 0u : (unsigned)DNS_IPV4) |
           (str_eq(c->source6, STR("none")) ? 0u : (unsigned)DNS_IPV6);
}

bool
hop_try(const struct hop *h)
{
    AUTO_ARENA *a = arena_new(131072);
    struct targets *t = ARENA_NEW(a, struct targets);
    struct delivery *d = h->d;
    struct dns_addresses found;

    if (!str_to_z(str_sub(h->host->name, 0, sizeof(d->remote) - 1), d->remote, sizeof(d->remote)))
        d->remote[0] = '\0';
    h->host->unprotected = false;
    if (try_kept(h))
        return true;
    enum status e = resolver_addresses(h->world->resolver, h->host->name,
                                       delivery_families(h->world->config), a, &found);
    h->host->nowhere = e == ERR_NOT_FOUND;
    if (e != OK) {
        *h->last =
            e == ERR_NOT_FOUND
                ? delivery_fact("4.4.4", "the host ", h->host->name, " has no address")
                : delivery_fact("4.4.3", "the host ", h->host->name, " cannot be looked up now");
        return false;
    }
    gather(h, &found, t);
    while (t->n > 0)
        if (try_next(h, t))
            return true;
    return false;
}
