/* disk.c - files that hold mail: complete writes, final syncs, and a plan of faults for tests.
 *
 * A descriptor whose sync failed is remembered: the kernel may have dropped the dirty pages and
 * cleared the error, so a second fdatasync() could say OK for bytes that are gone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/disk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"

#define PARTS_PER_CALL 64
#define POISON_BITS    (1u << 20) /* descriptors; RLIMIT_NOFILE of the store is far below */

/* One bit per descriptor whose sync failed. */
static uint64_t poison[POISON_BITS / 64];

static struct {
    uint64_t left; /* calls until the fault; 0 = off */
    enum disk_fault what;
} fault;

static MUST_USE enum status step(bool *cut_out);
static enum disk_fault next_fault(void);
static MUST_USE enum status of_errno(void);
static bool is_poisoned(int fd);
static void set_poisoned(int fd, bool on);
static MUST_USE enum status write_parts(int fd, struct iovec *parts, int count, uint64_t offset,
                                        bool cut);

void
fd_close(int *fd)
{
    if (*fd >= 0) {
        int error = errno;
        set_poisoned(*fd, false);
        close(*fd);
        errno = error;
    }
    *fd = -1;
}

enum status
disk_open(const char *path, int flags, uint32_t mode, int *fd_out)
{
    TRY(step(NULL));
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd < 0)
        return of_errno();
    set_poisoned(fd, false);
    *fd_out = fd;
    return OK;
}

enum status
disk_write_at(int fd, const struct iovec *parts, int count, uint64_t offset)
{
    struct iovec batch[PARTS_PER_CALL];
    bool cut;

    ASSERT(fd >= 0 && count >= 0);
    TRY(step(&cut));
    while (count > 0) {
        int n = MIN(count, PARTS_PER_CALL);
        uint64_t size = 0;
        for (int i = 0; i < n; i++) {
            batch[i] = parts[i];
            size += parts[i].iov_len;
        }
        TRY(write_parts(fd, batch, n, offset, cut));
        cut = false;
        offset += size;
        parts += n;
        count -= n;
    }
    return OK;
}

/* Eats parts as they get written.  cut: the first call writes half of the first part only, as a
 * signal or a filling disk may cause. */
static enum status
write_parts(int fd, struct iovec *parts, int count, uint64_t offset, bool cut)
{
    while (count > 0) {
        struct iovec half = {parts->iov_base, (parts->iov_len + 1) / 2};
        ssize_t done =
            cut ? pwritev(fd, &half, 1, (off_t)offset) : pwritev(fd, parts, count, (off_t)offset);
        cut = false;
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return of_errno();
        offset += (uint64_t)done;
        size_t left = (size_t)done;
        while (count > 0 && left >= parts->iov_len) {
            left -= parts->iov_len;
            parts++;
            count--;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + left;
            parts->iov_len -= left;
        }
    }
    return OK;
}

enum status
disk_read_at(int fd, void *p, size_t n, uint64_t offset)
{
    char *to = p;
    bool cut;

    ASSERT(fd >= 0);
    TRY(step(&cut));
    while (n > 0) {
        ssize_t got = pread(fd, to, cut ? (n + 1) / 2 : n, (off_t)offset);
        cut = false;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return of_errno();
        if (got == 0)
            return ERR_CORRUPT;
        to += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return OK;
}

bool
disk_read_cached(int fd, const struct iovec *parts, int count, uint64_t offset)
{
    size_t all = 0;

    ASSERT(fd >= 0);
    for (int i = 0; i < count; i++)
        all += parts[i].iov_len;
    if (__atomic_load_n(&fault.left, __ATOMIC_ACQUIRE) >
        0) /* those of disk_read_at() are what is counted */
        return false;
    return preadv2(fd, parts, count, (off_t)offset, RWF_NOWAIT) == (ssize_t)all;
}

enum status
disk_sync(int fd)
{
    ASSERT(fd >= 0);
    if (is_poisoned(fd))
        return ERR_IO;
    if (step(NULL) == OK && fdatasync(fd) == 0)
        return OK;
    set_poisoned(fd, true);
    return ERR_IO;
}

enum status
disk_sync_dir(const char *path)
{
    AUTO(fd_close) int fd = -1;

    TRY(disk_open(path, O_RDONLY | O_DIRECTORY, 0, &fd));
    TRY(step(NULL));
    return fsync(fd) == 0 ? OK : ERR_IO;
}

enum status
disk_allocate(int fd, uint64_t size)
{
    ASSERT(fd >= 0 && size <= INT64_MAX);
    TRY(step(NULL));
    int failed;
    do {
        failed = posix_fallocate(fd, 0, (off_t)size);
    } while (failed == EINTR);
    errno = failed;
    return failed == 0 ? OK : of_errno();
}

enum status
disk_rename(const char *from, const char *to)
{
    char dir[1024];

    TRY(step(NULL));
    struct str path = str_of(to);
    ssize_t slash = str_rfind(path, '/');
    struct str parent = slash < 0    ? STR(".")
                        : slash == 0 ? STR("/")
                                     : str_sub(path, 0, (size_t)slash);
    if (!str_to_z(parent, dir, sizeof(dir)))
        return ERR_LIMIT;
    if (rename(from, to) != 0)
        return of_errno();
    return disk_sync_dir(dir);
}

enum status
disk_unlink(const char *path)
{
    TRY(step(NULL));
    return unlink(path) == 0 ? OK : of_errno();
}

enum status
disk_free_space(const char *path, uint64_t *free_out, uint64_t *total_out)
{
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return of_errno();
    *free_out = (uint64_t)v.f_bavail * v.f_frsize;
    *total_out = (uint64_t)v.f_blocks * v.f_frsize;
    return OK;
}

void
disk_fault_for_tests(uint64_t nth_call, enum disk_fault what)
{
    fault.what = what;
    __atomic_store_n(&fault.left, nth_call, __ATOMIC_RELEASE);
}

/* Counts one call down; engine threads may race for the n-th, and exactly one gets it. */
static enum disk_fault
next_fault(void)
{
    uint64_t left = __atomic_load_n(&fault.left, __ATOMIC_ACQUIRE);

    while (left > 0) {
        if (!__atomic_compare_exchange_n(&fault.left, &left, left - 1, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        if (left > 1)
            break;
        /* Like a power cut as far as this process goes: no destructor, no buffer is flushed. */
        if (fault.what == DISK_FAULT_CRASH)
            _exit(DISK_CRASH_EXIT);
        return fault.what;
    }
    return DISK_FAULT_NONE;
}

/* Every call of this file passes here first: where the fault plan strikes. */
static enum status
step(bool *cut_out)
{
    enum disk_fault f = next_fault();

    if (f == DISK_FAULT_EIO)
        return ERR_IO;
    if (f == DISK_FAULT_ENOSPC)
        return ERR_NO_SPACE;
    if (cut_out != NULL)
        *cut_out = f == DISK_FAULT_SHORT;
    return OK;
}

static enum status
of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return ERR_NOT_FOUND;
    case EEXIST: return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return ERR_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return ERR_NO_SPACE;
    case EMFILE:
    case ENFILE: return ERR_LIMIT;
    default: return ERR_IO;
    }
}

static bool
is_poisoned(int fd)
{
    uint32_t i = (uint32_t)fd;

    /* Out of the table means nobody can tell: refuse, rather than sync twice. */
    if (i >= POISON_BITS)
        return true;
    return (__atomic_load_n(&poison[i / 64], __ATOMIC_ACQUIRE) >> (i % 64) & 1) != 0;
}

static void
set_poisoned(int fd, bool on)
{
    uint32_t i = (uint32_t)fd;

    if (i >= POISON_BITS || on == is_poisoned(fd))
        return;
    if (on)
        __atomic_or_fetch(&poison[i / 64], (uint64_t)1 << (i % 64), __ATOMIC_ACQ_REL);
    else
        __atomic_and_fetch(&poison[i / 64], ~((uint64_t)1 << (i % 64)), __ATOMIC_ACQ_REL);
}
