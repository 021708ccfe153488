/* dmarc_report_pack.c - a report into gzip.  See dmarc_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

#define ZLIB_CONST /* what is read is not written */
#include <zlib.h>

#include "base/size.h"

enum { WINDOW_GZIP = 15 + 16, MEMORY = 8, PIECE = 2048 };

enum status
report_pack(struct str plain, struct buf *gz)
{
    z_stream z = {.next_in = (const Bytef *)plain.ptr, .avail_in = (uInt)plain.len}; /* bounded */
    unsigned char piece[PIECE];
    int rc;

    if (plain.len > LIMIT_REPORT_BYTES)
        return ERR_LIMIT;
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return ERR_TEMP;
    do {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        rc = deflate(&z, Z_FINISH);
        buf_add(gz, str_from((const char *)piece, sizeof(piece) - z.avail_out));
    } while (rc == Z_OK && buf_status(gz) == OK);
    deflateEnd(&z);
    TRY(buf_status(gz));
    return rc == Z_STREAM_END ? OK : ERR_TEMP;
}
