/* role_internal.h - between role.c and role_peers.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_ROLE_INTERNAL_H
#define ROLE_ROLE_INTERNAL_H

#include "role/control.h"
#include "role/role.h"

#define ROLE_LISTENERS_MAX 64u
#define ROLE_FILES_MAX     128u
#define ROLE_WORKERS_MAX   CONFIG_WORKERS_MAX

/* Attaches the end of a channel; when one to the same worker is still open, after that has ended. */
void role_peer_add(const struct role_verbs *verbs, const struct control *c,
                   const struct ipc_channel_end *end);

/* What a worker logs of the life of a message goes to the store as well. */
void role_trace_start(const struct role_start *s);
/* What it counts (config/stats.h) as well: prepared before the jail, started in a role that is not the store. */
void role_stats_prepare(void);
void role_stats_start(void);

#endif
