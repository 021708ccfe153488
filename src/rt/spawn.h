/* spawn.h - the seam for processes: starting this binary again as a role, and the control socket to it.
 *
 * Owns:      the descriptor of the running binary, opened once: what is started later is the same program, also when
 *            the file was replaced meanwhile.
 * Promises:  a child inherits descriptors 0-2 and its control socket as CONTROL_FD, nothing else.  A control
 *            message is one packet with at most CONTROL_FDS_MAX descriptors; all that arrive are
 *            handed over or closed, and are close-on-exec.
 *            A program that takes our place is given the descriptors that are named, and 0-2, and has our pid.
 * Never:     waits for a child: spawn_reap() is for when its pidfd is readable.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_SPAWN_H
#define RT_SPAWN_H

#include <sys/types.h>

#include "base/status.h"
#include "base/str.h"

#define CONTROL_FD        3
#define CONTROL_FDS_MAX   4u
#define CONTROL_BYTES_MAX 2048u

struct spawn_child {
    pid_t pid;
    int pidfd; /* readable when it ended */
    uid_t uid; /* whom it becomes, said by who started it; 0: it stays who that is */
};
/* How a child ended: by a signal, else with an exit status. */
struct spawn_end {
    int signal, exit;
};
MUST_USE enum status spawn_init(void);
/* argv[0] = "godwit", then args (NULL-ended).  control_fd stays the caller's. */
MUST_USE enum status spawn_role(const char *const *args, int control_fd, struct spawn_child *out);
/* Also one that became another user, without a right to signal everybody (CAP_KILL). */
void spawn_kill(const struct spawn_child *c, int sig);
/* ERR_TEMP while it runs.  Closes the pidfd. */
MUST_USE enum status spawn_reap(struct spawn_child *c, struct spawn_end *out);

/* Becomes the program of this name in the folder of this one.  Returns only when it could not: errno says why. */
void spawn_become_neighbour(const char *name, char **argv);

/* Another program, open for reading, as a child with 0-2 alone: 1 and 2 are out_fd.  args as for spawn_role(). */
MUST_USE enum status spawn_other(int program_fd, const char *const *args, int out_fd,
                                 struct spawn_child *out);
/* Becomes that program.  Returns only when it could not, and everything is as before: errno says why. */
void spawn_replace(int program_fd, const char *const *args, const int *keep, size_t count);
/* The running program, open; spawn's own. */
int spawn_program(void);
/* The name under which it was started; empty when that is not known. */
struct str spawn_program_path(void);

/* Who made this listening Unix socket, or that to which this one is connected, as the kernel knows. */
MUST_USE bool control_listener(int fd, pid_t *out);

MUST_USE enum status control_pair(int fds_out[2]);
/* Never blocks; fds stay the caller's.  ERR_TEMP: the other side does not read.  ERR_CLOSED: it is gone. */
MUST_USE enum status control_send(int fd, struct str bytes, const int *fds, size_t count);
struct control_packet {
    size_t len, fd_count;
    int fds[CONTROL_FDS_MAX]; /* the receiver's */
    char bytes[CONTROL_BYTES_MAX];
};
/* ERR_TEMP: none there (with wait = false).  ERR_CLOSED: the other side is gone.  ERR_SYNTAX: not a packet of ours. */
MUST_USE enum status control_recv(int fd, bool wait, struct control_packet *out);
void control_packet_close(struct control_packet *p); /* closes the descriptors not taken (-1) */

#endif
