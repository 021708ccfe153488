/* role.h - how a role of the one binary begins, meets its peers, and ends.
 *
 * Life:      boss starts the binary again as `godwit role NAME.INDEX` with a control socket as descriptor 3.
 *            role_main() reads from it what boss hands out, enters the jail of the role
 *            (role/jails.c), starts the loop and calls begin() on a fiber.  When that said OK boss
 *            hears that the role is ready.
 * Peers:     boss makes a channel for each pair of the topology (role/topology.c) and again when one side was started
 *            anew; peer_arrived() and peer_gone() run on the loop.
 * Never:     opens what boss did not hand out; finds a NULL in role_start that the topology promises.
 *
 * A role is `struct role_verbs role_NAME` of role/NAME.c, role/NAME/NAME.c or role/front/NAME.c; role/roles.c has all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "base/buf.h"
#include "config/config.h"
#include "rt/ipc.h"

struct role_listener {
    int fd; /* bound and listening; shared with the other workers of the role */
    enum service service;
    uint32_t number; /* never of another one while the server runs */
    uint32_t line;   /* of the configuration: config->listen[line] */
};
/* A file that the configuration names and the role may read, opened by boss: certificates and their keys for
 * keys, password files of routes for out. */
struct role_file {
    struct str path; /* as in the configuration */
    int fd;
};
struct role_start {
    enum role role;
    uint32_t index;       /* 0 .. workers - 1 */
    uint64_t incarnation; /* 64 random bits; peers see it as ipc_incarnation() */
    const struct config *config;
    const struct role_listener *listeners; /* of mx and user */
    size_t listener_count;
    const struct role_file *files;
    size_t file_count;
    int master_key_fd;      /* of keys and auth, else -1; read it with role_fd_read() */
    bool rehearsal;         /* the store opens no data, but says whether it could */
    int admin_fd;           /* of the store: listening Unix socket of the godwit command, else -1 */
    uint32_t reloads;       /* how often boss was told to reload, whatever came of it */
    bool reload_taken;      /* of the last: its configuration holds ... */
    struct str reload_said; /* ... but for this; or why not */
};

struct role_verbs {
    const struct ipc_service *const
        *serves; /* offered to every peer; each verb names who may say it */
    size_t serve_count;
    /* Before the jail, with one thread and nothing received: loads what libraries would later open files or map
     * code for (character sets, engines, cipher tables). */
    enum status (*prepare)(const struct role_start *s, struct problem *why);
    /* On a fiber, in the jail, peers arriving meanwhile.  s lives as long as the process.  A failure ends the
     * process with its text in the log; boss tries again later. */
    enum status (*begin)(const struct role_start *s, struct problem *why);
    /* p has no state yet: ipc_set_state(). Nothing was read from it. */
    void (*peer_arrived)(struct ipc_peer *p);
    /* The channel has ended; p is not to be used after this. */
    void (*peer_gone)(struct ipc_peer *p);
    /* Stop orderly: take nothing new, finish, then role_stopped().  NULL = stop at once. */
    void (*stop)(void);
    /* The files of the configuration were opened afresh (s->files of begin() has the new descriptors). */
    void (*files_changed)(const struct role_start *s);
    /* After begin(), on the loop: s->config, listeners and files are new; files_changed() is called next.  The old
     * configuration lives on for whoever still looks at it; a listener that is gone is still open: who serves it stops
     * that and closes it.  NULL: the role looks at s->config each time. */
    void (*config_changed)(const struct role_start *s);
};
/* Any of the functions but begin may be NULL. */

/* An open channel to that role, in turn when it has several workers; NULL while there is none, which calls
 * answer with ERR_CLOSED. */
struct ipc_peer *role_peer(enum role r);
struct ipc_peer *role_peer_at(enum role r, uint32_t index);
/* Every open channel: start with *cursor = 0; NULL at the end. */
struct ipc_peer *role_peer_next(size_t *cursor);
/* Waits for one; NULL when none came in time. */
SUSPENDS struct ipc_peer *role_peer_wait(enum role r, int64_t timeout_ms);

const struct role_start *role_self(void);
void role_stopped(void);          /* ends the process with success */
void role_fail(const char *what); /* logs and ends the process: boss starts it anew */
/* Resident bytes of this process, and, in the store, of boss; 0 = cannot be told. */
uint64_t role_memory(void);
uint64_t role_memory_of_boss(void);
void
role_ask_reload(void); /* of role api: boss takes the configuration anew, and every role hears it */
/* The whole of a small file, whatever its offset.  ERR_LIMIT past b->max. */
MUST_USE enum status role_fd_read(int fd, struct buf *b);
/* The configuration that the file holds.  ERR_IO: it cannot be read; else why says what is wrong with it. */
MUST_USE enum status role_config_load(const char *path, struct config **out, struct problem *why);
/* A file of the configuration by its path; ERR_NOT_FOUND when boss could not open it. */
MUST_USE enum status role_file_read(const struct role_start *s, struct str path, struct buf *b);

/* Where the master key lies: beside the configuration, readable by root (or the owner) only, 32 bytes. */
#define ROLE_MASTER_KEY_NAME  "master.key"
#define ROLE_MASTER_KEY_BYTES 32u
void role_master_key_path(struct str config_path, struct buf *b);

/* The machine's table of users, which role user gets when there is a socket for the sendmail command. */
#define ROLE_PASSWD_FILE "/etc/passwd"

/* The socket of the godwit command, in run-dir. */
#define ROLE_ADMIN_SOCKET "admin.sock"

/* main() of a role process.  table: by enum role, NULL = not built in. */
int role_main(const struct role_verbs *const table[ROLE_COUNT], int argc, char **argv);
extern const struct role_verbs *const role_table[ROLE_COUNT]; /* role/roles.c */

#endif
