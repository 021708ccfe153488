/* topology.c - see topology.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/topology.h"

#include "base/size.h"

/* Rings where bodies and pages travel. */
enum { RING = 1 << 20 };

const struct topology_pair topology_pairs[] = {
    {ROLE_MX, ROLE_STORE, RING},  {ROLE_USER, ROLE_STORE, RING}, {ROLE_COOK, ROLE_STORE, RING},
    {ROLE_OUT, ROLE_STORE, RING}, {ROLE_KEYS, ROLE_STORE, 0},    {ROLE_AUTH, ROLE_STORE, 0},
    {ROLE_USER, ROLE_AUTH, 0},    {ROLE_MX, ROLE_KEYS, 0},       {ROLE_USER, ROLE_KEYS, 0},
    {ROLE_MX, ROLE_OUT, 0},       {ROLE_AUTH, ROLE_ASK, 0},      {ROLE_ASK, ROLE_STORE, 0},
    {ROLE_API, ROLE_STORE, 0},
};
const size_t topology_pair_count = COUNT_OF(topology_pairs);

const struct topology_pair *
topology_find(enum role a, enum role b)
{
    for (size_t i = 0; i < COUNT_OF(topology_pairs); i++) {
        const struct topology_pair *p = &topology_pairs[i];
        if ((p->a == a && p->b == b) || (p->a == b && p->b == a))
            return p;
    }
    return NULL;
}

uint32_t
topology_workers(const struct config *c, enum role r)
{
    switch (r) {
    case ROLE_MX: return c->mx_workers;
    case ROLE_USER: return c->user_workers;
    case ROLE_COOK: return c->cook_workers;
    case ROLE_OUT: return c->out_workers;
    case ROLE_ASK: return c->introspection.url.len > 0 ? 1 : 0;
    case ROLE_API: return config_has_api(c) ? 1 : 0;
    case ROLE_KEYS:
    case ROLE_AUTH:
    case ROLE_STORE: return 1;
    case ROLE_BOSS:
    case ROLE_ADMIN: return 0;
    }
    UNREACHABLE();
}

bool
topology_stops_first(enum role r)
{
    return r == ROLE_MX || r == ROLE_USER || r == ROLE_OUT || r == ROLE_ASK || r == ROLE_API;
}
