/* role_internal.h - between role.c, role_handed.c and role_peers.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_ROLE_INTERNAL_H
#define ROLE_ROLE_INTERNAL_H

#include "role/control.h"
#include "role/role.h"

#define ROLE_LISTENERS_MAX 64u
#define ROLE_FILES_MAX     128u
#define ROLE_WORKERS_MAX   CONFIG_WORKERS_MAX

/* What boss hands out, at the start and with every new configuration. */
struct role_handed {
    struct config *config; /* NULL: nothing yet */
    struct role_listener listeners[ROLE_LISTENERS_MAX];
    size_t listener_count;
    struct role_file files[ROLE_FILES_MAX];
    size_t file_count;
};
MUST_USE enum status role_handed_config(struct role_handed *h, struct control_packet *p, size_t i,
                                        struct problem *why);
void role_handed_listener(struct role_handed *h, const struct control *c, struct control_packet *p);
/* One that is there already gets the new descriptor. */
void role_handed_file(struct role_handed *h, const struct control *c, struct control_packet *p);
/* now becomes what fresh is, which is empty then.  A listener that both have keeps its old descriptor; the old
 * configuration stays in memory. */
void role_handed_renew(struct role_handed *now, struct role_handed *fresh);
int role_handed_take(struct control_packet *p, size_t i);

/* Attaches the end of a channel; when one to the same worker is still open, after that has ended. */
void role_peer_add(const struct role_verbs *verbs, const struct control *c,
                   const struct ipc_channel_end *end);

/* What a worker logs of the life of a message goes to the store as well. */
void role_trace_start(const struct role_start *s);
/* What it counts (config/stats.h) as well: prepared before the jail, started in a role that is not the store. */
void role_stats_prepare(enum role r);
void role_memory_prepare(enum role r);
void role_stats_start(void);

#endif
