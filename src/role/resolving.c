/* resolving.c - see resolving.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/resolving.h"

#include <stdio.h>

#include "base/size.h"

enum { FORWARD_MAX = 8, FORWARD_TEXT = 80 };

enum status
role_resolver_new(const struct config *c, struct resolver **out, struct problem *why)
{
    char text[FORWARD_MAX][FORWARD_TEXT];
    struct str forward[FORWARD_MAX];
    size_t n = MIN(c->resolver.forward_count, (size_t)FORWARD_MAX);

    for (size_t i = 0; i < n; i++) {
        snprintf(text[i], FORWARD_TEXT, "%.*s@%u", STR_FMT(c->resolver.forward[i].host),
                 c->resolver.forward[i].port);
        forward[i] = str_of(text[i]);
    }
    struct resolver_options o = {
        .forward = forward,
        .forward_count = n,
        .recursive = c->resolver.kind == RESOLVER_RECURSIVE,
        .dnssec = c->resolver.dnssec,
    };
    return resolver_new(&o, out, why);
}
