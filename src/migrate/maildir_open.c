/* maildir_open.c - files and folders of a Maildir opened as what they are: its owner may have put links or pipes there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/maildir.h"
#include "rt/disk.h"

enum status
maildir_sub_open(int dir, const char *name, int *fd_out)
{
    struct stat st;

    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        *fd_out = fd;
        return OK;
    }
    if (errno == ENOENT)
        return ERR_NOT_FOUND;
    bool is_link = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
    return is_link ? ERR_DENIED : ERR_IO;
}

enum status
maildir_dir_open(const char *path, size_t below, int *fd_out)
{
    char part[MIGRATE_PATH_BYTES];
    AUTO(fd_close) int fd = -1;
    struct str whole = str_of(path), level;

    ASSERT(below < whole.len);
    struct str rest = str_skip(whole, whole.len - below);
    migrate_path(part, "%.*s", STR_FMT(str_sub(whole, 0, whole.len - below)));
    fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    while (rest.len > 0 && str_split(&rest, '/', &level)) {
        int next = -1;
        if (level.len == 0)
            continue;
        migrate_path(part, "%.*s", STR_FMT(level));
        TRY(maildir_sub_open(fd, part, &next));
        fd_close(&fd);
        fd = next;
    }
    *fd_out = fd;
    fd = -1;
    return OK;
}

/* Without O_NONBLOCK a pipe would wait for its other end. */
enum status
maildir_file_open(int dir, const char *name, int *fd_out)
{
    AUTO(fd_close)
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
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
maildir_file_read(int dir, const char *name, struct buf *out)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;

    TRY(maildir_file_open(dir, name, &fd));
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
