/* plan.h - where mail for a domain would go, without sending any: for `godwit explain`.
 *
 * Promises:  the same routes, MX hosts and addresses as delivery.c would try, in the same order; changes nothing that
 *            deliveries remember.
 * Suspends:  while names are looked up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_PLAN_H
#define SMTP_PLAN_H

#include "base/limits.h"
#include "smtp/delivery.h"
#include "smtp/guard.h"
#include "smtp/route.h"

#define PLAN_ADDRESSES_MAX 20u

enum plan_kind {             /* order of route_plan.kind in out.ipc and admin.ipc */
                 PLAN_ROUTE, /* the configuration names the host */
                 PLAN_MX,
                 PLAN_IMPLICIT,  /* no MX record: the domain itself is the host */
                 PLAN_NULL_MX,   /* takes no mail */
                 PLAN_NO_DOMAIN, /* does not exist */
                 PLAN_TO_US,     /* its best MX is this host, which does not serve it */
                 PLAN_NONE,      /* outbound none */
                 PLAN_UNKNOWN,   /* cannot be looked up now */
                 PLAN_NO_ROUTE,  /* an operator chose one that the configuration has no more */
};
enum plan_host_state {
    PLAN_HOST_FOUND,
    PLAN_HOST_NOWHERE,
    PLAN_HOST_UNKNOWN,
    PLAN_HOST_OF_PROXY, /* who looks it up */
};
struct plan_host {
    struct str name;
    uint16_t preference, port;
    enum plan_host_state state;
    const struct str *addresses;
    size_t address_count;
    bool secure;           /* the addresses are DNSSEC-validated */
    enum guard_kind guard; /* what it has to prove */
    bool barred;           /* it gets nothing now */
    struct str why;        /* of both, in words */
};
struct plan {
    enum plan_kind kind;
    struct plan_host hosts[LIMIT_MX_HOSTS];
    size_t host_count;
    const struct config_route *route; /* NULL = none; also beside PLAN_MX */
    bool secure;                      /* the MX records are */
};
/* sts: the policy of the domain, where route_heeds_policy(); NULL: none.  Strings live in a. */
SUSPENDS void plan_find(const struct delivery_world *w, const struct route_ask *ask,
                        const struct sts_policy *sts, struct arena *a, struct plan *out);

#endif
