/* undo.c - see undo.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/disk.h"
#include "setup/sysuser.h"

static enum status
remember(struct undo *u, enum undo_kind kind, const char *path, const char *old_path)
{
    if (u->count == UNDO_STEPS_MAX)
        return ERR_LIMIT;
    u->steps[u->count++] = (struct undo_step){.kind = kind, .path = path, .old_path = old_path};
    return OK;
}

static enum status
status_of_errno(void)
{
    switch (errno) {
    case EEXIST: return ERR_EXISTS;
    case ENOENT: return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return ERR_DENIED;
    case ENOSPC:
    case EDQUOT: return ERR_NO_SPACE;
    default: return ERR_IO;
    }
}

/* The bytes under another name, synced; the mode holds from the first byte on. */
static enum status
write_beside(const char *path, struct str bytes, mode_t mode)
{
    struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len}; /* writev() does not write */

    (void)unlink(path); /* of a set-up that was killed */
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return status_of_errno();
    if (fchmod(fd, mode) != 0)
        return ERR_IO;
    enum status e = bytes.len == 0 ? OK : disk_write_at(fd, &part, 1, 0);
    return e == OK ? disk_sync(fd) : e;
}

static enum status
put(const char *path, struct str bytes, mode_t mode, struct arena *a)
{
    const char *fresh = arena_printf(a, "%s.new", path).ptr;
    enum status e = write_beside(fresh, bytes, mode);

    if (e == OK)
        e = disk_rename(fresh, path);
    if (e != OK)
        (void)unlink(fresh);
    return e;
}

enum status
undo_write(struct undo *u, struct str path, struct str bytes, mode_t mode)
{
    const char *z = arena_z(u->a, path);
    struct stat st;

    if (lstat(z, &st) == 0)
        return ERR_EXISTS;
    TRY(remember(u, UNDO_FILE, z, NULL));
    enum status e = put(z, bytes, mode, u->a);
    if (e != OK)
        u->count--;
    return e;
}

static enum status
make_folder(struct undo *u, const char *path, mode_t mode, struct owner owner)
{
    if (mkdir(path, mode) != 0)
        return status_of_errno();
    enum status e = remember(u, UNDO_FOLDER, path, NULL);
    if (e == OK && (chmod(path, mode) != 0 ||
                    (owner.uid != (uid_t)-1 && chown(path, owner.uid, owner.gid) != 0)))
        e = status_of_errno();
    return e;
}

enum status
undo_folder(struct undo *u, struct str path, mode_t mode, struct owner owner)
{
    struct stat st;

    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        const char *z = arena_z(u->a, str_sub(path, 0, i));
        if (stat(z, &st) == 0) {
            if (!S_ISDIR(st.st_mode))
                return ERR_EXISTS;
            continue;
        }
        bool last = i == path.len;
        TRY(make_folder(u, z, last ? mode : 0755, last ? owner : OWNER_SELF));
    }
    return OK;
}

enum status
undo_replace(struct undo *u, struct str path, struct str bytes)
{
    const char *z = arena_z(u->a, path);
    const char *old = arena_printf(u->a, "%s.old", z).ptr;
    struct stat st;

    if (stat(z, &st) != 0)
        return status_of_errno();
    (void)unlink(old);
    if (link(z, old) != 0)
        return status_of_errno();
    TRY(remember(u, UNDO_REPLACED, z, old));
    return put(z, bytes, st.st_mode & 07777, u->a);
}

void
undo_expect(struct undo *u, struct str path)
{
    const char *z = arena_z(u->a, path);
    struct stat st;

    if (lstat(z, &st) != 0 && errno == ENOENT)
        (void)remember(u, UNDO_FILE, z, NULL);
}

static bool
is_empty_folder(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;

    for (const struct dirent *e; empty && (e = readdir(d)) != NULL;)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d != NULL)
        (void)closedir(d);
    return empty;
}

void
undo_expect_contents(struct undo *u, struct str path)
{
    const char *z = arena_z(u->a, path);

    if (is_empty_folder(z))
        (void)remember(u, UNDO_CONTENTS, z, NULL);
}

enum status
undo_user(struct undo *u, struct str name, struct problem *why)
{
    const char *z = arena_z(u->a, name);

    if (u->count == UNDO_STEPS_MAX)
        return ERR_LIMIT;
    TRY(sysuser_add(z, why));
    return remember(u, UNDO_USER, z, NULL);
}

void
undo_keep(struct undo *u)
{
    u->count = 0;
}

/* Files first, then the folders that held them; the uppermost only when root says so. */
static bool
remove_tree(const char *path, bool root)
{
    char *const roots[] = {(char *)(uintptr_t)path, NULL}; /* fts does not write */
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool ok = walk != NULL;

    for (const FTSENT *e; ok && (e = fts_read(walk)) != NULL;) {
        if (e->fts_info == FTS_D || (e->fts_level == FTS_ROOTLEVEL && !root))
            continue;
        int rc = e->fts_info == FTS_DP ? rmdir(e->fts_accpath) : unlink(e->fts_accpath);
        ok = rc == 0 || errno == ENOENT;
    }
    if (walk != NULL)
        (void)fts_close(walk);
    return ok;
}

static bool
undo_one(const struct undo_step *s)
{
    switch (s->kind) {
    case UNDO_FILE: return unlink(s->path) == 0 || errno == ENOENT;
    case UNDO_FOLDER: return remove_tree(s->path, true);
    case UNDO_CONTENTS: return remove_tree(s->path, false);
    case UNDO_REPLACED: return rename(s->old_path, s->path) == 0;
    case UNDO_USER: return sysuser_remove(s->path);
    }
    UNREACHABLE();
}

size_t
undo_all(struct undo *u)
{
    size_t left = 0;

    while (u->count > 0)
        left += undo_one(&u->steps[--u->count]) ? 0 : 1;
    return left;
}
