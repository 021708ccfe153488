/* rocks_record.c - the header in front of every body chunk in a segment file.
 *
 *  0 magic4  4 format1  5 codec1  6 flags2  8 length4  12 index4  16 blob id16  32 time8
 * 40 last acknowledged sequence8  48 key id4  52 nonce12  64 tag16  80 crc32c of the bytes4
 * 84 reserved8  92 crc32c of what stands before4
 *
 * Key id, nonce and tag are zero: the room of encryption at rest.  Codec 0 is raw.  The segments alone are
 * enough to find every body again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/hash.h"
#include "engine/rocks/rocks_blob_internal.h"

#define MAGIC      0x47574231u /* GWB1 */
#define FORMAT     1
#define FLAG_LAST  1u
#define CRC_OFFSET (RECORD_HEADER - 4)

void
rocks_record_encode(const struct rocks_record *rec, char out[RECORD_HEADER])
{
    memset(out, 0, RECORD_HEADER);
    be32_put(out, MAGIC);
    out[4] = FORMAT;
    be16_put(out + 6, rec->last ? FLAG_LAST : 0);
    be32_put(out + 8, rec->length);
    be32_put(out + 12, rec->index);
    mem_copy(out + 16, rec->id.bytes, sizeof(rec->id.bytes));
    be64_put(out + 32, (uint64_t)rec->time_us);
    be64_put(out + 40, rec->sequence);
    be32_put(out + 80, rec->crc);
    be32_put(out + CRC_OFFSET, crc32c(0, out, CRC_OFFSET));
}

enum status
rocks_record_decode(const char in[RECORD_HEADER], struct rocks_record *out)
{
    if (be32_get(in) != MAGIC || be32_get(in + CRC_OFFSET) != crc32c(0, in, CRC_OFFSET))
        return ERR_CORRUPT;
    if (in[4] != FORMAT || in[5] != 0 || be32_get(in + 8) > ROCKS_CHUNK)
        return ERR_CORRUPT;
    out->last = (be16_get(in + 6) & FLAG_LAST) != 0;
    out->length = be32_get(in + 8);
    out->index = be32_get(in + 12);
    mem_copy(out->id.bytes, in + 16, sizeof(out->id.bytes));
    out->time_us = (int64_t)be64_get(in + 32);
    out->sequence = be64_get(in + 40);
    out->crc = be32_get(in + 80);
    return OK;
}
