/* delivery.c - where a message goes: routes, MX hosts, addresses, one after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/delivery.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "smtp/delivery_internal.h"

/* Says the same of every recipient that nothing was decided about. */
static void
decide_all(struct delivery *d, enum delivery_state state, const struct smtp_answer *a)
{
    for (size_t i = 0; i < d->rcpt_count; i++)
        if (!d->rcpts[i].decided)
            delivery_decide(&d->rcpts[i], state, a);
}

struct smtp_answer
delivery_fact(const char *enhanced, const char *before, struct str name, const char *after)
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

bool
delivery_is_strict(const struct delivery *d)
{
    return d->terms.require_tls && d->sender.len > 0;
}

static void
unreached(struct delivery *d, const struct smtp_answer *last)
{
    d->unreached = true;
    struct str why = str_sub(str_of(last->text), 0, sizeof(d->why) - 1);
    mem_copy(d->why, why.ptr, why.len);
    d->why[why.len] = '\0';
    decide_all(d, d->left_alone && !d->asked ? DELIVERY_PUT_OFF : DELIVERY_LATER, last);
}

/* ---- where to ---- */

static struct route_choice
choose(const struct config *c, const struct delivery *d)
{
    const struct route_ask ask = {d->domain, d->sender, d->route, d->tries, d->age_s};

    return route_choose(c, &ask);
}

size_t
delivery_hosts_before_us(const struct dns_mx *mx, struct str own)
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
        mx->count = delivery_hosts_before_us(mx, w->config->host);
        if (mx->count > 0)
            return true;
        no = delivery_fact("5.4.6", "the mail for ", d->domain,
                           " is sent to this server, which does not serve it");
        decide_all(d, DELIVERY_FAILED, &no);
        return false;
    }
    if (e == OK)
        no = delivery_fact("5.1.10", "the domain ", d->domain, " takes no mail (null MX)");
    else if (e == ERR_NOT_FOUND)
        no = delivery_fact("5.1.2", "there is no domain ", d->domain, "");
    else
        no = delivery_fact("4.4.3", "the name ", d->domain, " cannot be looked up now");
    d->unasked = e != OK && e != ERR_NOT_FOUND;
    decide_all(d, d->unasked ? DELIVERY_LATER : DELIVERY_FAILED, &no);
    return false;
}

/* Hosts by preference.  That none of them exists is an error (RFC 5321 section 5.1), and time will not mend it. */
static SUSPENDS void
try_mx(const struct hop *h, const struct dns_mx *mx)
{
    size_t nowhere = 0, unprotected = 0;
    struct smtp_answer no = {0};

    for (size_t i = 0; i < mx->count; i++) {
        h->host->name = mx->hosts[i].name;
        if (hop_try(h))
            return;
        nowhere += h->host->nowhere;
        unprotected += h->host->unprotected;
        no = h->host->unprotected ? *h->last : no;
    }
    if (unprotected > 0 && nowhere + unprotected == mx->count) {
        decide_all(h->d, DELIVERY_FAILED, &no);
        return;
    }
    if (nowhere < mx->count) {
        unreached(h->d, h->last);
        return;
    }
    *h->last = delivery_fact("5.4.4", "no mail host of ", h->d->domain, " has an address");
    decide_all(h->d, DELIVERY_FAILED, h->last);
}

void
delivery_try(const struct delivery_world *w, struct ipc_peer *store, struct delivery *d)
{
    AUTO_ARENA *a = arena_new(65536);
    struct smtp_answer last = delivery_fact("4.4.1", "no host of ", d->domain, " could be reached");
    struct delivery_host host = {.port = 25};
    const struct hop h = {w, store, d, &host, &last};
    struct dns_mx mx = {0};

    struct route_choice way = choose(w->config, d);
    if (way.missing) { /* an operator chose it: no other way without being told so */
        last = delivery_fact("4.4.4", "the configuration has no route ", d->route,
                             ", which was chosen for this message");
        d->unasked = true;
        decide_all(d, DELIVERY_LATER, &last);
        return;
    }
    host.route = way.route;
    host.route_index = way.index;
    if (way.route != NULL)
        host.port = way.route->port;
    if (way.route != NULL && !way.route->by_mx) {
        host.name = way.route->host;
        host.listed = true;
        if (hop_try(&h))
            return;
        if (host.unprotected)
            decide_all(d, DELIVERY_FAILED, &last);
        else
            unreached(d, &last);
        return;
    }
    if (way.route == NULL && w->config->outbound_none) {
        last = delivery_fact("5.7.1", "this server sends no mail to the Internet, so none to ",
                             d->domain, "");
        decide_all(d, DELIVERY_FAILED, &last);
        return;
    }
    if (!find_mx(w, d, a, &mx))
        return;
    bool policed = d->sts != NULL && d->sts->mode == STS_ENFORCE; /* guard.h holds the host to it */
    if (delivery_is_strict(d) && !mx.secure && !mx.implicit && !policed) {
        last = delivery_fact("5.7.30", "REQUIRETLS: nothing proves which hosts take the mail of ",
                             d->domain, " (DNSSEC or MTA-STS)");
        decide_all(d, DELIVERY_FAILED, &last);
        return;
    }
    host.listed = mx.secure;
    try_mx(&h, &mx);
}

bool
delivery_heeds_policy(const struct config *c, const struct delivery *d)
{
    struct route_choice way = choose(c, d);

    return route_heeds_policy(&way) && !(way.route == NULL && c->outbound_none);
}

struct str
delivery_destination(const struct config *c, const struct delivery *d, struct arena *a)
{
    return route_destination(choose(c, d).route, d->domain, a);
}

void
delivery_unknown(struct delivery *d, const char *why)
{
    struct smtp_answer a = delivery_fact("4.4.3", why, STR(""), "");

    d->unasked = true;
    decide_all(d, DELIVERY_LATER, &a);
}

void
delivery_put_off(struct delivery *d, const char *why)
{
    struct smtp_answer a = delivery_fact("4.4.1", why, STR(""), "");

    decide_all(d, DELIVERY_PUT_OFF, &a);
}
