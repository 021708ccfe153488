/* boss_internal.h - between boss.c (workers and their lives) and boss_open.c (what is handed out).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_BOSS_INTERNAL_H
#define ROLE_BOSS_INTERNAL_H

#include <sys/stat.h>

#include "role/boss.h"
#include "role/control.h"
#include "role/role_internal.h"

/* A file of the configuration that a role reads. */
struct boss_file {
    enum role role;
    struct str path;
    int fd; /* -1 = cannot be opened now */
    struct stat seen;
};
struct boss_open {
    int log_fd, config_fd, admin_fd;
    uint32_t uid, gid; /* of the roles; 0 = ours */
    struct role_listener listeners[ROLE_LISTENERS_MAX];
    size_t listener_count;
    struct boss_file files[ROLE_FILES_MAX];
    size_t file_count;
    char key_path[1024];
};

/* Everything that needs the rights of root, with a sentence for the operator when it fails. */
MUST_USE enum status boss_open(const struct boss_options *o, struct boss_open *b,
                               struct problem *why);
void boss_open_release(struct boss_open *b);
/* START, LISTENER*, FILE*, GO to a new process. */
MUST_USE enum status boss_hand_out(const struct boss_open *b, enum role role, int control_fd,
                                   uint64_t incarnation);
/* Opens files that changed (or all): true when some did. */
bool boss_reopen_files(struct boss_open *b, bool all);
MUST_USE enum status boss_hand_files(const struct boss_open *b, enum role role, int control_fd);

#endif
