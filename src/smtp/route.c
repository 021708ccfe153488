/* route.c - see route.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/route.h"

#include "base/size.h"

enum { HOUR_S = 3600, TEXT_MAX = 2048 };

static bool
fits_domain(const struct config_route *r, struct str domain)
{
    return str_eq_nocase(r->domain, domain) || str_eq(r->domain, STR("*"));
}

static bool
fits_sender(const struct config_route *r, struct str sender)
{
    if (r->sender.len == 0)
        return true;
    if (str_eq(r->sender, STR("<>")))
        return sender.len == 0;
    if (str_find(r->sender, '@') >= 0)
        return str_eq_nocase(r->sender, sender);
    ssize_t at = str_rfind(sender, '@');
    return at >= 0 && str_eq_nocase(r->sender, str_skip(sender, (size_t)at + 1));
}

static bool
fits_time(const struct config_route *r, const struct route_ask *ask)
{
    if (r->after_tries == 0 && r->after_hours == 0)
        return true;
    return (r->after_tries > 0 && ask->tries >= r->after_tries) ||
           (r->after_hours > 0 && ask->age_s / HOUR_S >= r->after_hours);
}

struct route_choice
route_choose(const struct config *c, const struct route_ask *ask)
{
    for (size_t i = 0; i < c->route_count; i++) {
        const struct config_route *r = &c->routes[i];
        bool fits = ask->name.len > 0 ? str_eq(r->name, ask->name)
                                      : fits_domain(r, ask->domain) &&
                                            fits_sender(r, ask->sender) && fits_time(r, ask);
        if (fits)
            return (struct route_choice){.route = r, .index = i};
    }
    return (struct route_choice){.missing = ask->name.len > 0};
}

bool
route_heeds_policy(const struct route_choice *w)
{
    return !w->missing && (w->route == NULL || (w->route->by_mx && !w->route->tls_never));
}

struct str
route_title(const struct config_route *r, struct arena *a)
{
    if (r == NULL)
        return STR("");
    return r->name.len > 0 ? r->name : arena_printf(a, "%.*s:%u", STR_FMT(r->host), r->port);
}

struct str
route_manner(const struct config_route *r, struct arena *a)
{
    AUTO_BUF b = BUF(TEXT_MAX);

    if (r == NULL)
        return STR("");
    if (r->socks.host.len > 0)
        buf_addf(&b, " by %.*s:%u as %.*s", STR_FMT(r->socks.host), r->socks.port,
                 STR_FMT(r->socks.user));
    if (r->source4.len > 0 || r->source6.len > 0)
        buf_addf(&b, " from %.*s %.*s", STR_FMT(r->source4), STR_FMT(r->source6));
    if (r->ehlo.len > 0)
        buf_addf(&b, " as %.*s", STR_FMT(r->ehlo));
    return b.len == 0 ? STR("") : arena_str(a, buf_str(&b));
}

struct str
route_destination(const struct config_route *r, struct str domain, struct arena *a)
{
    struct str manner = route_manner(r, a);

    if (r == NULL || (r->by_mx && manner.len == 0 && r->port == 25))
        return domain;
    return arena_printf(a, "%.*s:%u%.*s", STR_FMT(r->by_mx ? domain : r->host), r->port,
                        STR_FMT(manner));
}
