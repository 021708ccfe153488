/* role_fd.c - reads a whole descriptor: for roles, and for the godwit command, which takes nothing else of role.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/mem.h"
#include "role/role.h"

enum { READ_BYTES = 2048 };

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
