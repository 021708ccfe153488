/* open.c - files and folders opened as what they are: their owner may have put links or pipes there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/migrate.h"
#include "rt/disk.h"

enum status
migrate_sub_open(int dir, const char *name, int *fd_out)
{
    struct stat st;

    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        *fd_out = fd;
        return OK;
    }
    if (errno == ENOENT)
        return ERR_NOT_FOUND;
    bool is_file = errno == ENOTDIR; /* also of a link */
    bool is_link = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
    return is_link ? ERR_DENIED : is_file ? ERR_SYNTAX : ERR_IO;
}

enum status
migrate_dir_open(const char *path, size_t below, int *fd_out)
{
    char part[MIGRATE_PATH_BYTES];
    AUTO(fd_close) int fd = -1;
    struct str whole = str_of(path), level;

    ASSERT(below < whole.len);
    struct str rest = str_skip(whole, whole.len - below);
    migrate_path(part, "%.*s", STR_FMT(str_sub(whole, 0, whole.len - below)));
    fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : errno == ENOTDIR ? ERR_SYNTAX : ERR_IO;
    while (rest.len > 0 && str_split(&rest, '/', &level)) {
        int next = -1;
        if (level.len == 0)
            continue;
        migrate_path(part, "%.*s", STR_FMT(level));
        TRY(migrate_sub_open(fd, part, &next));
        fd_close(&fd);
        fd = next;
    }
    *fd_out = fd;
    fd = -1;
    return OK;
}

/* Without O_NONBLOCK a pipe would wait for its other end. */
static enum status
open_file(int dir, const char *name, int flags, int *fd_out)
{
    AUTO(fd_close)
    int fd = openat(dir, name, flags | O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) /* below a file there is nothing */
        return ERR_NOT_FOUND;
    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? ERR_DENIED : ERR_IO;
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    if (!S_ISREG(st.st_mode))
        return ERR_DENIED;
    *fd_out = fd;
    fd = -1;
    return OK;
}

enum status
migrate_file_open(int dir, const char *name, int *fd_out)
{
    return open_file(dir, name, O_NOFOLLOW, fd_out);
}

/* A path that is the administrator's as a whole may be a link. */
enum status
migrate_path_open(const char *path, size_t below, int *fd_out)
{
    AUTO(fd_close) int dir = -1;
    char part[MIGRATE_PATH_BYTES];
    struct str whole = str_of(path);

    if (below == 0)
        return open_file(AT_FDCWD, path, 0, fd_out);
    ssize_t slash = str_rfind(whole, '/');
    size_t name = whole.len - (size_t)(slash + 1);
    ASSERT(slash > 0 && name <= below);
    migrate_path(part, "%.*s", STR_FMT(str_sub(whole, 0, (size_t)slash))); /* found: not negative */
    TRY(migrate_dir_open(part, below > name ? below - name - 1 : 0, &dir));
    return migrate_file_open(dir, path + slash + 1, fd_out);
}

enum status
migrate_file_read(int dir, const char *name, struct buf *out)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;

    TRY(migrate_file_open(dir, name, &fd));
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    if ((uint64_t)st.st_size > out->max - out->len) /* a size is not negative */
        return ERR_LIMIT;
    size_t size = (size_t)st.st_size;
    if (size == 0)
        return OK;
    char *at = buf_tail(out, size);
    TRY(buf_status(out));
    TRY(disk_read_at(fd, at, size, 0));
    buf_grew(out, size);
    return OK;
}

enum status
migrate_file_write(const char *path, struct str text)
{
    const struct iovec all = {(void *)(uintptr_t)text.ptr, text.len}; /* is only read */
    AUTO(fd_close) int fd = -1;
    char part[MIGRATE_PATH_BYTES];

    migrate_path(part, "%s.part", path);
    TRY(disk_open(part, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd));
    if (text.len > 0)
        TRY(disk_write_at(fd, &all, 1, 0));
    TRY(disk_sync(fd));
    return disk_rename(part, path);
}
