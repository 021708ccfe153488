/* ctl.h - what the verbs of the godwit command share: the channel to the running server, words, output.
 *
 * A verb runs as one fiber on a loop of its own process; it is trusted as much as who types it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <jansson.h>
#include <sys/un.h>

#include "api/view.h"
#include "base/arena.h"
#include "base/mem.h"
#include "config/config.h"
#include "ipc/admin_ipc.h"
#include "rt/ipc.h"

enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

/* One sub-verb: godwit NOUN VERB arguments. */
struct ctl;
struct ctl_verb {
    const char *name;
    int args_min, args_max; /* after the verb, options not counted */
    const char *usage;
    int (*run)(struct ctl *c);  /* SUSPENDS; enum ctl_exit */
    const char *about;          /* one line, or NULL */
    int exit_unreached;         /* when no server answers; 0 = CTL_FAILED */
    const char *const *instead; /* an option that stands for the arguments; NULL = none does */
};
/* What a noun takes besides -c FILE and --json, each with a place of its own; ended by an empty one. */
enum ctl_kind {
    CTL_FLAG,     /* bool */
    CTL_TEXT,     /* const char *, as typed; NULL = not given */
    CTL_SIZE,     /* uint64_t, see ctl_read_size(); 0 = none, or not given */
    CTL_DURATION, /* int64_t in microseconds, see ctl_read_duration(); 0 = not given */
};
struct ctl_option {
    const char *name;
    enum ctl_kind kind;
    void *to;
};
struct ctl {
    const char *noun;
    const struct ctl_verb *verb;
    const char *config_path;
    struct config *config;
    struct ipc_peer *store; /* NULL when verbs need no server */
    struct arena *arena;
    bool json;
    int argc;
    char **argv; /* the words after the verb, options taken out */
    int exit;
};
/* The whole of main() for a noun: reads its options (NULL: none of its own), finds the verb, connects, runs. */
int ctl_main(int argc, char **argv, const struct ctl_verb *verbs, const struct ctl_option *options);

/* The same for a noun whose one verb need not be said.  usage: all that it takes. */
int ctl_one_verb(int argc, char **argv, const struct ctl_verb *verbs,
                 const struct ctl_option *options, const char *usage);

/* Where the running server of c->config listens; false: too long for a socket, and cut. */
bool ctl_socket_path(const struct ctl *c, struct sockaddr_un *to);
/* The channel to the running server of c->config, silently; SUSPENDS not.  ERR_CLOSED: nobody answers. */
MUST_USE enum status ctl_connect(struct ctl *c);
/* Says why on stderr: the server's own words when it gave some. */
int ctl_fail(const struct ctl *c, enum status e);
struct str ctl_arg(const struct ctl *c, int i); /* as typed; empty when there are fewer */
/* As the directory keeps it, see names.h. */
struct str ctl_address(const struct ctl *c, int i);
struct str ctl_domain(const struct ctl *c, int i);
/* From the terminal without echo, twice; or the first line of standard input. */
MUST_USE bool ctl_read_password(struct secret *out);
/* The same once, with another question; says nothing of its failure. */
MUST_USE bool ctl_read_secret(const char *question, struct secret *out);
MUST_USE bool ctl_read_size(const char *text,
                            uint64_t *out); /* "1G", "50M"; "0" or "none" = none */
/* 30s, 10m, 2h, 5d, 1w; can be added to a time.  False: none of these. */
MUST_USE bool ctl_read_duration(const char *text, int64_t *us_out);
/* "12.3G" for people, in the units that ctl_read_size() takes. */
const char *ctl_size_text(uint64_t bytes, char *text, size_t size);
const char *ctl_time_text(int64_t us, char *text, size_t size); /* 2026-11-23 22:31:12 UTC */

/* ---- boss.c ---- */
/* Says itself what is wrong. */
int ctl_signal_boss(const struct ctl *c, int sig, pid_t *boss_out);

/* ---- pages.c ---- */

/* Every domain in turn; a list of {.store, .a}.  ERR_NOT_FOUND: that was the last. */
struct ctl_domains {
    struct ipc_peer *store;
    struct arena *a;
    struct admin_domains_reply page;
    size_t at;
    bool begun;
};
MUST_USE SUSPENDS enum status ctl_next_domain(struct ctl_domains *l,
                                              const struct admin_domain **out);

/* ---- print.c: what others wrote, on its way to a terminal or into JSON ---- */

/* In the arena, without control characters: what a stranger wrote must not move the cursor of who reads. */
const char *ctl_text(struct ctl *c, struct str s);
/* The fields of a line of the log; bytes that are no UTF-8 stay as the log wrote them. */
json_t *ctl_json_line(struct str line);
/* Prints and frees; CTL_OK. */
int ctl_print_json(json_t *j);

#endif
