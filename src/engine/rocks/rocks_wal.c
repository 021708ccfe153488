/* rocks_wal.c - what the write-ahead log says of itself, beside what RocksDB recovers from it.
 *
 * Point-in-time recovery ends at the first record that it cannot read, without a word.  A torn one at the end is what
 * a power cut leaves of a group that nobody was told of.  But our committer writes a group only when the one before
 * is durable: a readable batch of sequence n, wherever it stands, says that everything below n was acknowledged.  So a
 * recovered sequence below n - 1 means damage.
 *
 * Format:    blocks of 32 KiB of records: masked crc32c of type and payload, length, type; little-endian.  The first
 *            or only record of a batch begins with its sequence.  A record never spans blocks, so each block is a new
 *            start behind damage.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "engine/rocks/rocks_internal.h"
#include "rt/disk.h"

#define BLOCK       32768u
#define HEADER      7u
#define BATCH_START 12u /* sequence8 count4 */
#define CRC_MASK    0xa282ead8u

enum { WAL_FULL = 1, WAL_FIRST = 2, WAL_LAST = 4 };

static uint64_t
little(const char *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | (uint8_t)p[n];
    return v;
}

static bool
record_is_sound(const char *record, size_t length)
{
    uint32_t crc = crc32c(0, record + HEADER - 1, 1 + length);

    return (uint32_t)little(record, 4) == ((crc >> 15 | crc << 17) + CRC_MASK);
}

static uint64_t
block_highest(const char *block, size_t size)
{
    uint64_t highest = 0;

    for (size_t at = 0; at + HEADER <= size;) {
        size_t length = (size_t)little(block + at + 4, 2);
        uint8_t type = (uint8_t)block[at + 6];
        if (type < WAL_FULL || type > WAL_LAST || length > size - at - HEADER ||
            !record_is_sound(block + at, length))
            break;
        if ((type == WAL_FULL || type == WAL_FIRST) && length >= BATCH_START)
            highest = MAX(highest, little(block + at + HEADER, 8));
        at += HEADER + length;
    }
    return highest;
}

static enum status
file_highest(const char *path, char *block, uint64_t *highest)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;

    TRY(disk_open(path, O_RDONLY, 0, &fd));
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    for (uint64_t at = 0; at < (uint64_t)st.st_size; at += BLOCK) {
        size_t size = (size_t)MIN((uint64_t)st.st_size - at, (uint64_t)BLOCK);
        TRY(disk_read_at(fd, block, size, at));
        *highest = MAX(*highest, block_highest(block, size));
    }
    return OK;
}

enum status
rocks_wal_highest(const char *path, uint64_t *sequence_out)
{
    char name[ROCKS_PATH_MAX + 300], dir[ROCKS_PATH_MAX + 16];
    enum status status = OK;

    *sequence_out = 0;
    snprintf(dir, sizeof(dir), "%s/cells", path);
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? OK : ERR_IO;
    char *block = mem_alloc(BLOCK);
    for (const struct dirent *e; status == OK && (e = readdir(d)) != NULL;) {
        if (!str_ends(str_of(e->d_name), STR(".log")))
            continue;
        snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
        status = file_highest(name, block, sequence_out);
    }
    mem_free(block);
    closedir(d);
    return status;
}
