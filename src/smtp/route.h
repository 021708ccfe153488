/* route.h - which line of the configuration a message goes by.
 *
 * The name that an operator gave a message counts before all else; then the first line that fits: its domain, its
 * sender, and how long it was tried already.
 * Owns:      nothing; what it returns lives as long as the configuration.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_ROUTE_H
#define SMTP_ROUTE_H

#include "config/config.h"

struct route_ask {
    struct str domain;
    struct str sender; /* empty = none */
    struct str name;   /* of the route; empty = none was chosen */
    uint32_t tries;
    int64_t age_s;
};
struct route_choice {
    const struct config_route *route; /* NULL = by MX */
    size_t index;                     /* of config->routes */
    bool missing;                     /* there is none of this name any more */
};
struct route_choice route_choose(const struct config *c, const struct route_ask *ask);
/* Do policies of the domain (MTA-STS) count?  Where its MX hosts take the mail, and TLS is not ruled out. */
bool route_heeds_policy(const struct route_choice *w);
/* How it is known: its name, or host and port; "mx" for the hosts of the domain.  In a. */
struct str route_title(const struct config_route *r, struct arena *a);
/* What two messages must share to share a connection to the same host, or what is known of it: the proxy, our
 * address, our name.  Empty when it is as everywhere. */
struct str route_manner(const struct config_route *r, struct arena *a);
/* The name under which conversations are counted: the domain, or the host of its route and the port, since what listens
 * at another port is another server; and the manner.  Lives in a, or is the domain. */
struct str route_destination(const struct config_route *r, struct str domain, struct arena *a);

#endif
