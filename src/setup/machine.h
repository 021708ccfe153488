/* machine.h - what can be known about this machine without asking anybody: addresses, clock, ports, files.
 *
 * Promises:  reads only; nothing is changed, no packet leaves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_MACHINE_H
#define SETUP_MACHINE_H

#include <sys/types.h>

#include "config/config.h"
#include "setup/findings.h"

/* From where an address can be reached. */
enum machine_reach { REACH_NONE, REACH_PRIVATE, REACH_WORLD };
enum machine_reach
machine_reach_of(struct str address); /* numeric; NONE: loopback, link-local, no address */

#define MACHINE_ADDRESSES_MAX 32u
struct machine_addresses {
    struct str at[MACHINE_ADDRESSES_MAX]; /* those that the world reaches, numeric */
    size_t count;
    struct str private_one; /* empty: none */
};
void machine_addresses(struct arena *a, struct machine_addresses *out);
/* Says what follows from them: NAT, no address at all. */
void machine_judge_addresses(const struct machine_addresses *m, struct findings *f);

/* now and built (of this program's file): seconds since 1970. */
void machine_judge_clock(int64_t now, int64_t built, bool synchronized, struct findings *f);
void machine_check_clock(struct findings *f);

/* The ids of a user of this machine; false: there is none of that name. */
bool machine_user(struct str name, uid_t *uid_out, gid_t *gid_out);
bool machine_group(struct str name, gid_t *gid_out);

/* Can root of this user namespace become that user?  Not in a container whose namespace has only one. */
bool machine_has_ids(uid_t uid, gid_t gid);
/* map: a table of ids as in /proc/PID/uid_map, `INSIDE OUTSIDE COUNT` in each line. */
bool machine_map_has(struct str map, uint32_t id);

/* The name of the machine when it is a full one, else empty; lives in a. */
struct str machine_host(struct arena *a);

enum machine_port { PORT_FREE, PORT_TAKEN, PORT_NEEDS_ROOT, PORT_NO_ADDRESS };
enum machine_port machine_port_state(struct str host, uint16_t port); /* "*" = all */
/* What is at the place of a Unix socket.  STALE: one that nobody listens on any more.  TAKEN also where it cannot be
 * told: we may not connect. */
enum machine_socket { SOCKET_FREE, SOCKET_STALE, SOCKET_TAKEN, SOCKET_OTHER };
enum machine_socket machine_socket_state(const char *path);
/* A line for every port and socket that cannot be opened.  ours: the server runs, and holds them. */
void machine_check_ports(const struct config *c, bool ours, struct findings *f);
/* Who may send without a log-in. */
void machine_judge_relay(const struct config *c, struct findings *f);

/* The whole file; ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT. */
MUST_USE enum status machine_read_file(struct str path, struct buf *b);

#endif
