/* rocks_mark.c - the mark: the highest sequence known to be durable, kept outside RocksDB.
 *
 * RocksDB drops everything behind a damaged write-ahead record without a word.  At open a recovered
 * sequence below the mark therefore means that acknowledged mail is missing.  The mark may lag behind,
 * never lead.  Two slots in turns, each with a checksum: a torn write leaves the other one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "engine/rocks/rocks_internal.h"
#include "rt/disk.h"

#define SLOT_SIZE   64u
#define SLOT_STEP   4096u /* two slots never share a sector */
#define MARK_MAGIC  "GODWITMK"
#define MARK_FORMAT 1

static void
mark_path(const char *path, char out[ROCKS_PATH_MAX + 16])
{
    snprintf(out, ROCKS_PATH_MAX + 16, "%s/MARK", path);
}

/* 0: an empty slot.  ERR_CORRUPT: damaged. */
static enum status
slot_decode(const char slot[SLOT_SIZE], uint64_t *sequence_out)
{
    static const char empty[SLOT_SIZE];

    if (str_eq(str_from(slot, SLOT_SIZE), str_from(empty, SLOT_SIZE))) {
        *sequence_out = 0;
        return OK;
    }
    if (!str_eq(str_from(slot, 8), STR(MARK_MAGIC)) || be32_get(slot + 8) != MARK_FORMAT ||
        be32_get(slot + SLOT_SIZE - 4) != crc32c(0, slot, SLOT_SIZE - 4))
        return ERR_CORRUPT;
    *sequence_out = be64_get(slot + 16);
    return OK;
}

enum status
rocks_mark_read(const char *path, uint64_t *sequence_out)
{
    char name[ROCKS_PATH_MAX + 16], slot[SLOT_SIZE];
    AUTO(fd_close) int fd = -1;
    uint64_t best = 0, one;
    int good = 0;

    mark_path(path, name);
    enum status status = disk_open(name, O_RDONLY, 0, &fd);
    if (status == ERR_NOT_FOUND) {
        *sequence_out = 0;
        return OK;
    }
    TRY(status);
    for (uint64_t i = 0; i < 2; i++) {
        status = disk_read_at(fd, slot, SLOT_SIZE, i * SLOT_STEP);
        if (status == OK)
            status = slot_decode(slot, &one);
        if (status == ERR_IO)
            return status;
        if (status == OK) {
            best = MAX(best, one);
            good++;
        }
    }
    if (good == 0)
        return ERR_CORRUPT;
    *sequence_out = best;
    return OK;
}

/* Under another name first: a file that a crash left half-made would look damaged. */
static enum status
mark_make(const char *name, const char slot[SLOT_SIZE])
{
    char tmp[ROCKS_PATH_MAX + 24];
    static const char zeros[SLOT_STEP];
    AUTO(fd_close) int fd = -1;
    struct iovec parts[3] = {
        {(char *)(uintptr_t)slot, SLOT_SIZE},
        {(char *)(uintptr_t)zeros, SLOT_STEP - SLOT_SIZE},
        {(char *)(uintptr_t)zeros, SLOT_SIZE},
    };

    snprintf(tmp, sizeof(tmp), "%s.tmp", name);
    TRY(disk_open(tmp, O_RDWR | O_CREAT | O_TRUNC, 0600, &fd));
    TRY(disk_write_at(fd, parts, 3, 0));
    TRY(disk_sync(fd));
    return disk_rename(tmp, name);
}

enum status
rocks_mark_write(const char *path, uint64_t sequence)
{
    char name[ROCKS_PATH_MAX + 16], slot[SLOT_SIZE] = MARK_MAGIC, old[2][SLOT_SIZE];
    AUTO(fd_close) int fd = -1;
    uint64_t first = 0, second = 0;

    mark_path(path, name);
    be32_put(slot + 8, MARK_FORMAT);
    be64_put(slot + 16, sequence);
    be32_put(slot + SLOT_SIZE - 4, crc32c(0, slot, SLOT_SIZE - 4));
    enum status status = disk_open(name, O_RDWR, 0, &fd);
    if (status == ERR_NOT_FOUND)
        return mark_make(name, slot);
    TRY(status);
    TRY(disk_read_at(fd, old[0], SLOT_SIZE, 0));
    TRY(disk_read_at(fd, old[1], SLOT_SIZE, SLOT_STEP));
    /* Overwrite the lower one, or the damaged one. */
    bool keep_first =
        slot_decode(old[0], &first) == OK && (slot_decode(old[1], &second) != OK || first > second);
    struct iovec part = {slot, SLOT_SIZE};
    TRY(disk_write_at(fd, &part, 1, keep_first ? SLOT_STEP : 0));
    return disk_sync(fd);
}
