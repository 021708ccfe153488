/* boss_internal.h - between boss.c (workers and their lives), open.c and socket.c (what is handed out),
 * dial.c, reload.c (what is handed out afresh), upgrade.c (another program takes its place) and
 * notify.c (what a service manager hears).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_BOSS_BOSS_INTERNAL_H
#define ROLE_BOSS_BOSS_INTERNAL_H

#include <sys/stat.h>

#include "base/limits.h"
#include "role/boss/boss.h"
#include "role/control.h"
#include "role/role_internal.h"
#include "rt/loop.h"

/* A file of the configuration that a role reads. */
struct boss_file {
    enum role role;
    struct str path;
    int fd; /* -1 = cannot be opened now */
    struct stat seen;
};
/* A Unix socket in the file system that is ours, and goes when we do. */
struct boss_socket {
    struct str path;
    dev_t dev;
    ino_t ino;
};
struct boss_listening {
    struct role_listener at[ROLE_LISTENERS_MAX];
    const struct config_listen
        *of[ROLE_LISTENERS_MAX]; /* in the configuration of now; "*" is two listeners */
    size_t count;
    struct boss_socket sockets[ROLE_LISTENERS_MAX];
    size_t socket_count;
    uint32_t last_number;
    uint32_t line; /* of the configuration, whose listeners are being opened */
    const struct boss_listening *before; /* while they are: what was open until now */
};
struct boss_open {
    int log_fd, config_fd, admin_fd;
    bool rehearsal;
    uint32_t uid, gid; /* of the roles; 0 = ours */
    bool alone;        /* the user of the configuration is not in this user namespace */
    struct boss_listening listening;
    struct boss_file files[ROLE_FILES_MAX];
    size_t file_count;
    char key_path[1024];
};

struct worker {
    enum role role;
    uint32_t index;
    char name[32];
    bool runs, ready, ready_once;
    bool mute;                /* the last question for the watchdog has no answer */
    uint32_t asked, answered; /* numbers of such questions */
    uint32_t dials;           /* lately: connections that it asked for */
    struct spawn_child child;
    struct watch ended, heard; /* pidfd, control socket */
    struct timer again;
    uint64_t incarnation;
    int64_t started_ms;
    uint32_t failures;
    char reason[200]; /* what it said before it ended */
};
struct crew {
    struct worker at[ROLE_COUNT * ROLE_WORKERS_MAX];
    size_t count;
};

/* Everything that needs the rights of root, with a sentence for the operator when it fails. */
MUST_USE enum status boss_open(const struct boss_options *o, struct boss_open *b,
                               struct problem *why);
void boss_open_release(struct boss_open *b);
/* Dates the control socket by now: since then the configuration is in force, as `godwit check` wants to know. */
void boss_date_config(const struct config *c);
/* START, LISTENER*, FILE*, GO to a new process. */
MUST_USE enum status boss_hand_out(const struct boss_open *b, enum role role, int control_fd,
                                   uint64_t incarnation);
/* CONFIG, LISTENER*, FILE*, to one that runs. */
MUST_USE enum status boss_hand_config(const struct boss_open *b, enum role role, int control_fd);
/* Names the files of the configuration and opens them, instead of those before. */
void boss_open_files(const struct config *c, struct boss_open *b);

/* Listens where c says: what was open for the same words stays, the rest is opened, and what c does not name any more
 * is given up.  A failure changes nothing. */
MUST_USE enum status boss_listen(const struct config *c, struct boss_listening *l,
                                 struct problem *why);
void boss_listen_end(struct boss_listening *l);
/* Listens on a Unix socket as the line says.  What a server left there that ended is replaced; what another one holds,
 * or is no socket, is not. */
MUST_USE enum status boss_socket_open(const struct config_socket *s, struct boss_listening *l,
                                      int *fd_out, struct problem *why);
/* Removes one if it is still ours. */
void boss_socket_remove(const struct boss_socket *s);

/* DIAL: begins the connection, if the configuration has such a filter, and answers. */
void boss_dial(const struct config *c, const struct control *ask, struct worker *w);

/* What a role gets to read: a sealed copy. */
MUST_USE enum status boss_config_seal(const struct config *c, int *fd_out, struct problem *why);
/* The file as it is now, but for the settings that only a start can change: their names go into waits. */
MUST_USE enum status boss_config_renew(const char *path, const struct config *now,
                                       struct config **out, struct buf *waits, struct problem *why);
/* The log as the configuration names it.  wait: for a reader, when it is a pipe with a name. */
MUST_USE enum status boss_open_log(const struct config *c, bool wait, int *fd_out,
                                   struct problem *why);
/* Opens files that changed (or all): true when some did. */
bool boss_reopen_files(struct boss_open *b, bool all);
MUST_USE enum status boss_hand_files(const struct boss_open *b, enum role role, int control_fd);

/* SIGHUP: every part that needs no new start is taken afresh and handed to the roles.  What cannot be opened stays as
 * it was, and the log says why.  o->config may be another one then. */
void boss_reload(struct boss_options *o, struct boss_open *b, struct crew *crew);
/* Files that changed (or all), to who reads them. */
void boss_renew_files(struct boss_open *b, struct crew *crew, bool all);

/* role/boss/upgrade.c.  Once at the start: what the program before left. */
void boss_change_begin(const struct boss_options *o, struct boss_open *b);
/* Somebody asked for it: the other program is tried first, and boss_leave() is called when that went well. */
void boss_change_ask(bool back);
bool boss_change_has_way_back(const struct boss_options *o);
/* We cannot start: back to the program before, if there is one.  b: what was opened, or NULL. */
void boss_change_fall_back(const struct boss_options *o, const struct boss_open *b,
                           const struct problem *why);
/* All roles have ended: becomes the other program.  Returns only when it could not. */
void boss_change_go(const struct boss_options *o, const struct boss_open *b);
void boss_change_ready(void); /* we are ready, if we are new: it is said what came of it */
void boss_change_failed(const char *why); /* it came to nothing */
void boss_change_end(void);               /* the server stops */
/* role/boss/boss.c: ends all roles, to be started anew or to be left to another program. */
void boss_leave(void);

/* Finds out whether there is a service manager; the others do nothing without. */
void boss_notify_begin(struct crew *crew);
void boss_notify_end(void);
void boss_notify_crew(void);      /* somebody is ready, or not any more */
void boss_notify_ready(void);     /* the server is, or is again after a reload */
void boss_notify_reloading(void); /* only once it was ready */
void boss_notify_stopping(const char *reason);
void boss_notify_pass(void); /* to the program that comes next */

#endif
