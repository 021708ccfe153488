/* delivery.h - one attempt to bring one queued message to one domain.
 *
 * Owns:      nothing; results go into the caller's recipients.
 * Promises:  every recipient ends DELIVERY_DONE only after the other server's 2xx to the final dot, DELIVERY_FAILED
 *            only after a 5xx or a fact that time will not mend, else DELIVERY_LATER; DELIVERY_PUT_OFF when
 *            nobody was asked, because none of the hosts answered a moment ago.  Hosts are tried in order until
 *            one conversation reached the recipients.
 *            TLS whenever the other side offers it; when its TLS fails, once more without, unless the route
 *            or what the host must prove (guard.h) requires it: then later, and never in clear.
 *            A message of REQUIRETLS that is no bounce goes only where RFC 8689 section 4.2.1 lets it:
 *            to a host known by DNSSEC, MTA-STS or a route, under TLS with its certificate, that offers REQUIRETLS.
 * Never:     keeps the message, or decides when to try again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_DELIVERY_H
#define SMTP_DELIVERY_H

#include "config/config.h"
#include "dns/resolver.h"
#include "policy/tls_row.h"
#include "rt/ipc.h"
#include "rt/tls.h"
#include "smtp/absent.h"
#include "smtp/destination.h"
#include "smtp/pool.h"
#include "smtp/sts.h"
#include "smtp/terms.h"

struct delivery_world {
    const struct config *config;
    struct resolver *resolver;
    struct tls_client *tls_any;      /* opportunistic: any certificate */
    struct tls_client *tls_verified; /* for routes with a log-in, or that say so */
    struct tls_client *tls_dane;     /* of TLS_VERIFY_DANE */
    struct tls_client *tls_advised;  /* of TLS_ADVISE_NAME; NULL: tls_any */
    const struct secret *passwords;  /* of config->routes, by index */
    const struct secret *socks_passwords;
    struct pool *pool;
    struct absents *absents; /* addresses of hosts */
    struct destinations *destinations;
};
enum delivery_state {
    DELIVERY_DONE,
    DELIVERY_LATER,
    DELIVERY_FAILED,
    DELIVERY_PUT_OFF, /* nothing was tried */
};                    /* order of rcpt_result.state in store.ipc */
struct delivery_rcpt {
    struct str address;
    struct str orcpt;
    uint32_t notify;
    /* the result */
    bool decided;
    enum delivery_state state;
    int code;
    char enhanced[12];
    char text[400];
    bool relayed;
    bool announce; /* done, and the sender is to hear of it (RFC 2852 section 4.1.4) */
};
struct delivery {
    uint64_t qid;
    struct str domain, sender, prepend, envid;
    struct str route; /* that an operator chose; empty = as the configuration says */
    uint32_t tries;   /* how often it was tried before */
    int64_t age_s;
    uint64_t size;
    const struct sts_policy *sts; /* of the domain; NULL: none holds */
    struct smtp_terms terms;      /* without the hold, which is over */
    bool full_return, smtputf8, eight_bit;
    struct delivery_rcpt *rcpts;
    size_t rcpt_count;
    struct visit *visit; /* of its destination */
    bool hurry;          /* tries hosts that did not answer a moment ago as well */
    bool first;          /* one of the first tries: with short time-outs */
    char remote[256];    /* the host that had the last word */
    bool left_alone;     /* an address that did not answer a moment ago was not asked */
    bool asked;          /* another was */
    bool handed;         /* the other side may have the message, and the store does not know yet */
    bool unreached;      /* no conversation got as far as the recipients: last says why */
    bool unasked; /* where it may go could not be found out: says nothing of the destination */
    char why[ABSENT_WHY_MAX];
    /* For reports about TLS; in facts_arena, NULL: nobody wants them. */
    struct arena *facts_arena;
    struct tls_fact facts[LIMIT_TLS_FACTS];
    size_t fact_count;
    enum tls_result sts_trouble; /* why no newer policy of MTA-STS could be had */
    const char *sts_why;
};
/* route_destination() of its route. */
struct str delivery_destination(const struct config *c, const struct delivery *d, struct arena *a);
/* Does a policy of its domain count? */
bool delivery_heeds_policy(const struct config *c, const struct delivery *d);
/* Nothing was tried: later, for this reason. */
void delivery_put_off(struct delivery *d, const char *why);
/* A try that failed for now before anybody was asked: what it takes to know where it may go cannot be told. */
void delivery_unknown(struct delivery *d, const char *why);
/* store: where the body is read from. */
SUSPENDS void delivery_try(const struct delivery_world *w, struct ipc_peer *store,
                           struct delivery *d);

#endif
