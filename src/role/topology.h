/* topology.h - which roles exist, which of them have a channel, and what each may touch: tables only.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_TOPOLOGY_H
#define ROLE_TOPOLOGY_H

#include "config/config.h"
#include "rt/ipc.h"
#include "rt/sandbox.h"

struct topology_pair {
    enum role a, b;
    size_t ring_bytes; /* per direction, 0 = none */
};
extern const struct topology_pair topology_pairs[];
extern const size_t topology_pair_count;
/* The pair of two roles, in either order; NULL = they do not talk. */
const struct topology_pair *topology_find(enum role a, enum role b);
/* How many processes of a role the configuration asks for. */
uint32_t topology_workers(const struct config *c, enum role r);
/* The workers of the Internet stop first, those they lean on afterwards. */
bool topology_stops_first(enum role r);

/* Groups of system calls (rt/sandbox.h) of each role. */
unsigned jail_groups(enum role r);
/* Everything of the jail but the uid.  data_dir: NUL-ended, must outlive the result. */
struct jail {
    const char *write_dirs[2];
    const char *read_paths[12];
};
struct sandbox jail_of(enum role r, const char *data_dir, struct jail *room);

#endif
