/* record.c - a library to preload: writes down, in order, what a process does to files below one folder.
 *
 * POWER_ROOT is the folder, POWER_TRACE the file that is written.  Each call and its record are one step under a lock,
 * so the order of the trace is the order in which the kernel saw the calls.  What goes to descriptor 1 is recorded
 * too: the acknowledgements.  replay.py reads the trace.
 * A record: kind, id (inode), offset, size, length of the name, length of the second name or of the data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MAX = 4096 };
enum kind { CREATE = 1, WRITE, SYNC, SYNC_DIR, RENAME, UNLINK, LINK, MKDIR, SIZE, GROW, ACK };

struct record {
    uint32_t kind, name_size;
    uint64_t id, offset, size, data_size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t inode_of[FDS_MAX]; /* of descriptors below the root; 0 = others */
static uint64_t end_of[FDS_MAX];   /* where write() goes on */
static const char *root;
static size_t root_size;
static int trace = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void
begin(void)
{
    pthread_mutex_lock(&lock);
    if (trace >= 0 || getenv("POWER_TRACE") == NULL)
        return;
    root = getenv("POWER_ROOT");
    root_size = strlen(root);
    trace = REAL(open)(getenv("POWER_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0)
        abort();
}

/* Ends what begin() began; the result and errno of the real call pass through. */
static long
end(long result)
{
    int error = errno;

    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

static const char *
below(const char *path)
{
    if (root == NULL || strncmp(path, root, root_size) != 0)
        return NULL;
    return path[root_size] == '/' ? path + root_size + 1 : path[root_size] == '\0' ? "." : NULL;
}

static bool
ours(int fd)
{
    return fd >= 0 && fd < FDS_MAX && inode_of[fd] != 0;
}

static void
note(struct record r, const char *name, const void *data)
{
    int error = errno;

    r.name_size = name ? (uint32_t)strlen(name) : 0;
    struct iovec parts[3] = {{&r, sizeof(r)},
                             {(void *)(uintptr_t)name, r.name_size},
                             {(void *)(uintptr_t)data, r.data_size}};
    if (REAL(writev)(trace, parts, 3) != (ssize_t)(sizeof(r) + r.name_size + r.data_size))
        abort();
    errno = error;
}

/* ---- files ---- */

static int
open_noted(const char *path, int flags, mode_t mode)
{
    struct stat st;

    begin();
    const char *name = below(path);
    bool existed = name != NULL && stat(path, &st) == 0;
    int fd = REAL(open)(path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX) {
        inode_of[fd] = 0;
        if (name != NULL && fstat(fd, &st) == 0) {
            inode_of[fd] = st.st_ino;
            end_of[fd] = flags & O_APPEND ? (uint64_t)st.st_size : 0;
            if (!existed)
                note((struct record){.kind = CREATE, .id = st.st_ino}, name, NULL);
            else if (flags & O_TRUNC)
                note((struct record){.kind = SIZE, .id = st.st_ino}, NULL, NULL);
        }
    }
    return (int)end(fd);
}

#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...)                                  \
    {                                                                           \
        va_list more;                                                           \
        va_start(more, flags);                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                           \
        return open_noted(path, flags, mode);                                   \
    }
OPEN(open)
OPEN(open64)

int
close(int fd)
{
    begin();
    if (fd >= 0 && fd < FDS_MAX)
        inode_of[fd] = 0;
    return (int)end(REAL(close)(fd));
}

ssize_t
write(int fd, const void *data, size_t size)
{
    begin();
    ssize_t n = REAL(write)(fd, data, size);
    if (n > 0 && fd == 1 && trace >= 0)
        note((struct record){.kind = ACK, .data_size = (uint64_t)n}, NULL, data);
    if (n > 0 && ours(fd)) {
        note(
            (struct record){
                .kind = WRITE, .id = inode_of[fd], .offset = end_of[fd], .data_size = (uint64_t)n},
            NULL, data);
        end_of[fd] += (uint64_t)n;
    }
    return end(n);
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t at)
{
    begin();
    ssize_t n = REAL(pwrite)(fd, data, size, at);
    if (n > 0 && ours(fd))
        note((struct record){.kind = WRITE,
                             .id = inode_of[fd],
                             .offset = (uint64_t)at,
                             .data_size = (uint64_t)n},
             NULL, data);
    return end(n);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    begin();
    ssize_t n = REAL(pwritev64)(fd, parts, count, at);
    uint64_t offset = (uint64_t)at, left = n > 0 ? (uint64_t)n : 0;
    for (int i = 0; ours(fd) && i < count && left > 0; i++) {
        uint64_t size = parts[i].iov_len < left ? parts[i].iov_len : left;
        note(
            (struct record){.kind = WRITE, .id = inode_of[fd], .offset = offset, .data_size = size},
            NULL, parts[i].iov_base);
        offset += size;
        left -= size;
    }
    return end(n);
}

static void
note_size(int fd, enum kind kind, uint64_t size)
{
    if (ours(fd))
        note((struct record){.kind = kind, .id = inode_of[fd], .size = size}, NULL, NULL);
}

int
ftruncate(int fd, off_t size)
{
    begin();
    int e = REAL(ftruncate)(fd, size);
    if (e == 0)
        note_size(fd, SIZE, (uint64_t)size);
    return (int)end(e);
}

int
fallocate(int fd, int mode, off_t at, off_t size)
{
    begin();
    int e = REAL(fallocate)(fd, mode, at, size);
    if (e == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0)
        note_size(fd, GROW, (uint64_t)(at + size));
    return (int)end(e);
}

#define POSIX_FALLOCATE(name)                           \
    int name(int fd, off_t at, off_t size)              \
    {                                                   \
        begin();                                        \
        int e = REAL(name)(fd, at, size);               \
        if (e == 0)                                     \
            note_size(fd, GROW, (uint64_t)(at + size)); \
        return (int)end(e);                             \
    }
POSIX_FALLOCATE(posix_fallocate)
POSIX_FALLOCATE(posix_fallocate64)

static int
sync_noted(int fd, int result)
{
    struct stat st;

    if (result == 0 && ours(fd) && fstat(fd, &st) == 0)
        note((struct record){.kind = S_ISDIR(st.st_mode) ? SYNC_DIR : SYNC, .id = inode_of[fd]},
             NULL, NULL);
    return (int)end(result);
}

int
fsync(int fd)
{
    begin();
    return sync_noted(fd, REAL(fsync)(fd));
}

int
fdatasync(int fd)
{
    begin();
    return sync_noted(fd, REAL(fdatasync)(fd));
}

/* ---- names ---- */

static int
names_noted(enum kind kind, int result, const char *from, const char *to)
{
    const char *name = below(from), *second = to ? below(to) : NULL;
    struct stat st = {0};

    if (result == 0 && name != NULL) {
        if (kind == MKDIR)
            (void)!stat(from, &st);
        note((struct record){.kind = kind,
                             .id = st.st_ino,
                             .data_size = second ? strlen(second) : 0},
             name, second);
    }
    return (int)end(result);
}

int
rename(const char *from, const char *to)
{
    begin();
    return names_noted(RENAME, REAL(rename)(from, to), from, to);
}

int
link(const char *from, const char *to)
{
    begin();
    return names_noted(LINK, REAL(link)(from, to), from, to);
}

int
unlink(const char *path)
{
    begin();
    return names_noted(UNLINK, REAL(unlink)(path), path, NULL);
}

int
mkdir(const char *path, mode_t mode)
{
    begin();
    return names_noted(MKDIR, REAL(mkdir)(path, mode), path, NULL);
}
