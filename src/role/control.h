/* control.h - what boss and a role say to each other over the control socket.
 *
 * From boss, in this order: START, LISTENER*, FILE*, GO; then at any time PEER, FILE* FILES, LOG, PING, STOP, DIALLED
 * after each DIAL, and after a reload RELOADED, with CONFIG, LISTENER*, FILE* before it when there is a new
 * configuration.
 * From the role: READY once; PONG after each PING; FAILED before it ends by itself; mx and user: DIAL; api: RELOAD
 * when an administrator asks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_CONTROL_H
#define ROLE_CONTROL_H

#include "rt/ipc.h"
#include "rt/spawn.h"

enum control_kind {
    CONTROL_START, /* index, incarnation, value = uid, value2 = gid; fds: config, log, master key, admin socket */
    CONTROL_LISTENER, /* value = enum service, value2 = its number, index = its line in config->listen; fd */
    CONTROL_FILE,   /* text = path; fd, or none when it cannot be opened */
    CONTROL_GO,     /* everything was said */
    CONTROL_PEER,   /* role, index, incarnation, value = first; fds: socket, ring */
    CONTROL_FILES,  /* all files were sent afresh */
    CONTROL_LOG,    /* fd: write there from now on */
    CONTROL_CONFIG, /* fd; listeners and files of it follow */
    CONTROL_RELOADED, /* value = 1: what was sent since CONFIG holds from now on; text = what to say to the operator */
    CONTROL_PING, /* value = number of the question */
    CONTROL_STOP,
    CONTROL_PONG,    /* value = the same number */
    CONTROL_READY,   /* value = bits of the walls that hold */
    CONTROL_FAILED,  /* text = why */
    CONTROL_DIAL,    /* value = number of the question, text = where to: struct config_filter */
    CONTROL_DIALLED, /* value = the same number, fd; or none, and value2 = an error of errno.h;
                        EAGAIN: for a limit of our own */
    CONTROL_RELOAD,  /* of role api: as SIGHUP */
};
#define CONTROL_KIND_COUNT (CONTROL_RELOAD + 1)
#define CONTROL_TEXT_MAX   1024u
/* index of START: which descriptors are there, and whether all this is only tried. */
enum control_has { CONTROL_HAS_KEY = 1, CONTROL_HAS_ADMIN = 2, CONTROL_REHEARSAL = 4 };
enum control_walls {
    CONTROL_WALL_SECCOMP = 1,
    CONTROL_WALL_LANDLOCK = 2,
    CONTROL_WALL_UID = 4,
    CONTROL_WALL_NO_NEW_PRIVS = 8,
    CONTROL_WALL_DUMPABLE = 16
};

struct control {
    enum control_kind kind;
    enum role role;
    uint32_t index, value, value2;
    uint64_t incarnation;
    struct str text;
};
MUST_USE enum status control_say(int fd, const struct control *c, const int *fds, size_t count);
/* text points into p. */
MUST_USE enum status control_hear(const struct control_packet *p, struct control *out);

#endif
