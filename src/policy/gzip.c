/* gzip.c - see gzip.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/gzip.h"

#define ZLIB_CONST /* what is read is not written */
#include <zlib.h>

enum {
    PIECE = 2048,
    WINDOW_GZIP = 15 + 16, /* for inflateInit2(): a header of gzip */
    WINDOW_RAW = -15,
    MEMORY = 8,          /* of deflateInit2(): its default */
    BYTES_MAX = 1 << 30, /* what uInt counts for certain */
};

static enum status unpack(struct str packed, int window, struct buf *out);

bool
gzip_is(struct str packed)
{
    return str_starts(packed, STR("\x1f\x8b"));
}

enum status
gzip_unpack(struct str packed, struct buf *out)
{
    return unpack(packed, WINDOW_GZIP, out);
}

enum status
deflate_unpack(struct str packed, struct buf *out)
{
    return unpack(packed, WINDOW_RAW, out);
}

enum status
gzip_pack(struct str bytes, struct buf *out)
{
    z_stream z = {.next_in = (const Bytef *)bytes.ptr, .avail_in = (uInt)bytes.len}; /* bounded */

    ASSERT(bytes.len <= BYTES_MAX);
    int rc = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY,
                          Z_DEFAULT_STRATEGY);
    if (rc != Z_OK)
        return ERR_TEMP;
    while (rc == Z_OK) {
        char piece[PIECE];
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof(piece);
        rc = deflate(&z, Z_FINISH);
        buf_add(out, str_from(piece, sizeof(piece) - z.avail_out));
    }
    (void)deflateEnd(&z);
    ASSERT(rc == Z_STREAM_END);
    return buf_status(out);
}

static enum status
unpack(struct str packed, int window, struct buf *out)
{
    z_stream z = {.next_in = (const Bytef *)packed.ptr, .avail_in = (uInt)packed.len}; /* bounded */
    enum status st = OK;

    ASSERT(packed.len <= BYTES_MAX);
    int rc = inflateInit2(&z, window);
    if (rc != Z_OK)
        return ERR_TEMP;
    while (st == OK && rc == Z_OK) {
        char piece[PIECE];
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof(piece);
        rc = inflate(&z, Z_NO_FLUSH);
        buf_add(out, str_from(piece, sizeof(piece) - z.avail_out));
        st = buf_status(out);
    }
    bool whole = rc == Z_STREAM_END && z.avail_in == 0;
    (void)inflateEnd(&z);
    if (st != OK)
        return st;
    return whole ? OK : ERR_SYNTAX;
}
