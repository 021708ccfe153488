/* disk.h - the seam for files that hold mail: every open, write, sync and rename of our own storage code.
 *
 * Promises:  a failed sync is final: that file is never synced again (ERR_IO).  Short writes are completed.
 *            In tests a fault plan makes the n-th call fail or stop the process.
 * Blocks:    yes; call from engine threads only, never from a loop.  But disk_read_cached() waits for nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_DISK_H
#define RT_DISK_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/status.h"
#include "base/str.h"

void fd_close(int *fd); /* for AUTO(); -1 is fine */
MUST_USE enum status disk_open(const char *path, int flags, uint32_t mode, int *fd_out);
MUST_USE enum status disk_write_at(int fd, const struct iovec *parts, int count, uint64_t offset);
/* ERR_CORRUPT when shorter */
MUST_USE enum status disk_read_at(int fd, void *p, size_t n, uint64_t offset);
/* Only if that waits for no disk; false also when it fails: disk_read_at() then says why. */
MUST_USE bool disk_read_cached(int fd, const struct iovec *parts, int count, uint64_t offset);
MUST_USE enum status disk_sync(int fd); /* fdatasync */
MUST_USE enum status disk_sync_dir(const char *path);
MUST_USE enum status disk_allocate(int fd, uint64_t size); /* so that later syncs change no size */
MUST_USE enum status disk_rename(const char *from, const char *to); /* and syncs the directory */
MUST_USE enum status disk_unlink(const char *path);
MUST_USE enum status disk_free_space(const char *path, uint64_t *free_out, uint64_t *total_out);

enum disk_fault {
    DISK_FAULT_NONE,
    DISK_FAULT_EIO,
    DISK_FAULT_ENOSPC,
    DISK_FAULT_CRASH,
    DISK_FAULT_SHORT
};
#define DISK_CRASH_EXIT 86 /* the status of a process that DISK_FAULT_CRASH ended */
void disk_fault_for_tests(uint64_t nth_call, enum disk_fault what); /* 0 = off */

#endif
