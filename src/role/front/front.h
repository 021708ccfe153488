/* front.h - what the workers that face the network share: TLS with keys elsewhere, and their listeners.
 *
 * Owns:      one TLS context per ALPN protocol, kept in step with the certificates of role keys.
 * Promises:  a listener whose service needs a certificate starts even while there is none yet: handshakes fail
 *            until keys has answered.  New certificates apply to new handshakes.
 * Suspends:  front_begin() and front_certs_changed() do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_FRONT_FRONT_H
#define ROLE_FRONT_FRONT_H

#include "role/role.h"
#include "rt/conn.h"

/* How a service is spoken; one table per role, ended by ops = NULL. */
struct front_service {
    enum service service;
    const struct conn_ops *ops;
    const char *alpn;
    struct str shed_line, farewell;
};
MUST_USE SUSPENDS enum status front_begin(const struct role_start *s,
                                          const struct front_service *table, struct problem *why);
/* Asks clients for certificates from now on, if the configuration says of whom (role/auth/client_trust.h): before
 * front_begin(), and when files have changed. */
void front_trust_clients(const struct role_start *s);
/* After config_changed(): listeners come and go.  Who is connected to one that went stays so. */
void front_config_changed(const struct role_start *s, const struct front_service *table);
/* The networks that may not connect (role/front/front_blocks.c): fetches them from the store, once or once more. */
void front_blocks_changed(void);
/* Until they were fetched once, if that comes soon. */
SUSPENDS void front_blocks_wait(int64_t ms);
/* Of struct listener. */
bool front_admits(const struct listener *l, const struct sockaddr_storage *peer);
/* Connections that are open; those that were taken go into the counters of config/stats.h. */
uint32_t front_count(void);
/* The end: those who rest hear the farewell, a message that is coming in is taken first, then role_stopped(). */
void front_stop(void);
/* Asks keys for its certificates and uses them from now on. */
SUSPENDS void front_certs_changed(void);

#endif
