/* ctl.h - what the verbs of the godwit command share: the channel to the running server, words, output.
 *
 * A verb runs as one fiber on a loop of its own process; it is trusted as much as who types it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_CTL_H
#define ROLE_CTL_H

#include "base/arena.h"
#include "base/mem.h"
#include "config/config.h"
#include "rt/ipc.h"

enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* One sub-verb: godwit NOUN VERB arguments. */
struct ctl;
struct ctl_verb {
    const char *name;
    int args_min, args_max; /* after the verb, options not counted */
    const char *usage;
    int (*run)(struct ctl *c); /* SUSPENDS; enum ctl_exit */
};
struct ctl {
    const char *noun;
    const struct ctl_verb *verb;
    const char *config_path;
    struct config *config;
    struct ipc_peer *store; /* NULL when verbs need no server */
    struct arena *arena;
    bool json;
    uint64_t quota; /* --quota */
    int argc;
    char **argv; /* the words after the verb, options taken out */
    int exit;
};
/* The whole of main() for a noun: reads [-c FILE] [--json] [--quota SIZE], finds the verb, connects, runs. */
int ctl_main(int argc, char **argv, const struct ctl_verb *verbs);

/* The channel to the running server of c->config, silently; SUSPENDS not.  ERR_CLOSED: nobody answers. */
MUST_USE enum status ctl_connect(struct ctl *c);
/* Says why on stderr: the server's own words when it gave some. */
int ctl_fail(const struct ctl *c, enum status e);
struct str ctl_arg(const struct ctl *c, int i); /* empty when there are fewer */
/* From the terminal without echo, twice; or the first line of standard input. */
MUST_USE bool ctl_read_password(struct secret *out);
MUST_USE bool ctl_read_size(const char *text,
                            uint64_t *out); /* "1G", "50M"; "0" or "none" = none */
/* "12.3 MB" for people. */
const char *ctl_size_text(uint64_t bytes, char *text, size_t size);
const char *ctl_time_text(int64_t us, char *text, size_t size); /* 2026-11-23 22:31:12 UTC */

#endif
