/* sandbox.h - the jail of a role: seccomp first; Landlock, no-new-privs, uid and limits beside it.
 *
 * Promises:  after sandbox_enter() only the listed groups of system calls work; everything else ends the
 *            process (SECCOMP_RET_KILL_PROCESS) and boss sees it.  seccomp alone must refuse every
 *            escape; the other walls are logged as holding or not.  Enter with one thread, then start threads.
 * Sanitizer builds add a named, wider group of calls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_SANDBOX_H
#define RT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum sandbox_group {
    /* memory without PROT_EXEC, clocks, random, futex, exit, open descriptors, epoll, recvmsg */
    SANDBOX_BASE = 1 << 0,
    SANDBOX_ACCEPT = 1 << 1,  /* accept4, names of sockets, TCP options */
    SANDBOX_THREADS = 1 << 2, /* clone of threads only */
    /* open, rename, unlink, sync (store); Landlock narrows it to write_dirs */
    SANDBOX_FILES = 1 << 3,
    /* socket of AF_INET, AF_INET6 stream and datagram, connect, bind to an address (out) */
    SANDBOX_CONNECT = 1 << 4,
    SANDBOX_READ_FILES = 1 << 5, /* open for reading only (out: trust anchors) */
};
struct sandbox {
    unsigned groups;
    const char *const *write_dirs; /* Landlock: NULL-ended, for SANDBOX_FILES */
    const char *const *read_paths; /* Landlock: NULL-ended */
    uint32_t uid, gid;             /* 0 = stay (unprivileged runs) */
    uint64_t files_max;            /* RLIMIT_NOFILE, 0 = keep */
    bool filter_only; /* no other wall: the escape test shows that seccomp alone holds */
};
struct sandbox_walls { /* which walls hold, for the start-up log */
    bool seccomp, landlock, uid, no_new_privs, dumpable_off;
};
MUST_USE enum status sandbox_enter(const struct sandbox *s, struct sandbox_walls *walls_out,
                                   struct problem *why);

#endif
