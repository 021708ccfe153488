/* role_memory.c - how much memory this process has, asked through descriptors of before the jail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/scan.h"
#include "role/role_internal.h"
#include "rt/disk.h"

enum { STATM_BYTES = 256 };

static int statm_fd = -1, boss_statm_fd = -1;
static uint64_t page_bytes;

static void
open_statm(uint32_t of, int *fd_out)
{
    char path[40];

    snprintf(path, sizeof(path), "/proc/%u/statm", of);
    if (disk_open(path, O_RDONLY, 0, fd_out) != OK)
        *fd_out = -1;
}

/* size SP resident SP ..., in pages: proc(5) */
static uint64_t
resident(int fd)
{
    char text[STATM_BYTES];
    uint64_t pages = 0;
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text), 0);
    struct scan s = scan_of(str_from(text, n > 0 ? (size_t)n : 0)); /* not negative */

    if (!scan_u64(&s, UINT64_MAX, &pages) || !scan_char(&s, ' ') ||
        !scan_u64(&s, UINT64_MAX / 65536, &pages))
        return 0;
    return pages * page_bytes;
}

uint64_t
role_memory(void)
{
    return resident(statm_fd);
}

uint64_t
role_memory_of_boss(void)
{
    return resident(boss_statm_fd);
}

void
role_memory_prepare(enum role r)
{
    page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    open_statm((uint32_t)getpid(), &statm_fd);
    if (r == ROLE_STORE)
        open_statm((uint32_t)getppid(), &boss_statm_fd);
}
