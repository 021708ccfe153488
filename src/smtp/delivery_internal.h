/* delivery_internal.h - what finding the host and talking to it share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_DELIVERY_INTERNAL_H
#define SMTP_DELIVERY_INTERNAL_H

#include "smtp/client.h"
#include "smtp/delivery.h"
#include "smtp/guard.h"
#include "smtp/route.h"

struct delivery_host {
    struct str name;
    uint16_t port;
    struct sockaddr_storage at;       /* the address that is being tried */
    const struct config_route *route; /* NULL = by MX, as everywhere */
    size_t route_index;
    bool listed;        /* proven to take the domain's mail: by DNSSEC, or by the configuration */
    struct guard guard; /* while hop_try() runs */
    bool nowhere;       /* the DNS is sure that it has no address */
    bool unprotected;   /* none of its addresses does what REQUIRETLS asks */
    int64_t started_ms;
};
struct hop {
    const struct delivery_world *world;
    struct ipc_peer *store;
    struct delivery *d;
    struct delivery_host *host;
    struct smtp_answer *last;
};
/* How many of the hosts are better than ourselves; RFC 5321 section 5.1: we never send to our own name or worse. */
size_t delivery_hosts_before_us(const struct dns_mx *mx, struct str own);
/* Which kinds of address we can send from. */
unsigned delivery_families(const struct config *c, const struct config_route *r);
/* What the way there says of the question; the caller adds whose mail, which host, and the policy. */
struct guard_ask delivery_guard_ask(const struct delivery_world *w, const struct config_route *r,
                                    bool listed);
void delivery_decide(struct delivery_rcpt *r, enum delivery_state state,
                     const struct smtp_answer *a);
/* Is the whole way to be protected?  A bounce goes all the same, RFC 8689 section 5; it has the header alone. */
bool delivery_is_strict(const struct delivery *d);
/* Text of our own: before, name, after. */
struct smtp_answer delivery_fact(const char *enhanced, const char *before, struct str name,
                                 const char *after);
void delivery_address_text(const struct sockaddr_storage *at, char *text, size_t size);
/* ---- for reports about TLS (tls_facts.c) ---- */
/* A session that was opened, or not. */
void delivery_note_session(const struct hop *h, const struct sockaddr_storage *to,
                           const struct smtp_tls_found *found);
/* The host is barred by its policy. */
void delivery_note_barred(const struct hop *h);
/* One host: over a connection that was kept, else over the first of its addresses that works.  True: some recipient
 * was decided; false: try another host, for the reason in last. */
SUSPENDS bool hop_try(const struct hop *h);
/* MAIL to the answer to the final dot.  True: at least one recipient was decided; false: the conversation broke
 * before that, for the reason in last. */
SUSPENDS bool delivery_converse(struct smtp_client *c, struct ipc_peer *store, struct delivery *d,
                                struct smtp_answer *last);

#endif
