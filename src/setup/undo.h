/* undo.h - files, folders and the user that set-up makes, and how they go away again when it fails half-way.
 *
 * Owns:      a list of what was made, until undo_keep() or undo_all().
 * Promises:  undo_all() leaves the paths as they were before: made files and folders are gone, also with what others
 *            put into a made folder meanwhile; replaced files have their old bytes.  Files appear complete, by
 *            rename.
 * Never:     touches what was there before, but by undo_replace().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_UNDO_H
#define SETUP_UNDO_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#define UNDO_STEPS_MAX 64u
struct undo_step {
    enum undo_kind { UNDO_FILE, UNDO_FOLDER, UNDO_CONTENTS, UNDO_REPLACED, UNDO_USER } kind;
    const char *path;     /* of USER: its name */
    const char *old_path; /* of REPLACED: where the old file lies */
};
struct undo {
    struct arena *a;
    struct undo_step steps[UNDO_STEPS_MAX];
    size_t count;
};
struct owner {
    uid_t uid;
    gid_t gid;
};
#define OWNER_SELF ((struct owner){(uid_t)-1, (gid_t)-1})

/* A new file of these bytes.  ERR_EXISTS. */
MUST_USE enum status undo_write(struct undo *u, struct str path, struct str bytes, mode_t mode);
/* The folder, and those above it (these of mode 0755 and our own).  OK when it is there: nothing is changed then. */
MUST_USE enum status undo_folder(struct undo *u, struct str path, mode_t mode, struct owner owner);
/* New bytes for a file of ours; the old ones stay in PATH.old. */
MUST_USE enum status undo_replace(struct undo *u, struct str path, struct str bytes);
/* Somebody else may make this file: it goes as well, if it is not there yet. */
void undo_expect(struct undo *u, struct str path);
/* This folder was there, and somebody else will fill it: if it is empty now, it will be so again. */
void undo_expect_contents(struct undo *u, struct str path);
/* A system user; why has the sentence of a failure. */
MUST_USE enum status undo_user(struct undo *u, struct str name, struct problem *why);
void undo_keep(struct undo *u);
/* What could not be undone; 0 = all is as before. */
size_t undo_all(struct undo *u);

#endif
