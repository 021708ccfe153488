/* role_fd.c - reads a whole descriptor, and a configuration by its path: for roles, and for the godwit command, which
 * takes nothing else of role.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "role/role.h"
#include "rt/disk.h"

enum { READ_BYTES = 2048, CONFIG_BYTES_MAX = 1 << 20 };

MUST_USE enum status
role_fd_read(int fd, struct buf *b)
{
    off_t at = 0;

    for (;;) {
        char chunk[READ_BYTES];
        ssize_t n = pread(fd, chunk, sizeof(chunk), at);
        if (n < 0)
            return ERR_IO;
        if (n == 0)
            return buf_status(b);
        buf_add(b, str_from(chunk, (size_t)n));
        mem_wipe(chunk, sizeof(chunk)); /* it may be a key */
        if (b->over)
            return ERR_LIMIT;
        at += n;
    }
}

MUST_USE enum status
role_config_load(const char *path, struct config **out, struct problem *why)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(fd_close) int fd = -1;

    if (disk_open(path, O_RDONLY, 0, &fd) != OK || role_fd_read(fd, &text) != OK)
        return ERR_IO;
    return config_read(buf_str(&text), path, out, why);
}
