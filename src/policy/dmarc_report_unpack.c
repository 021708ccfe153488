/* dmarc_report_unpack.c - reports out of gzip and zip, within bounds.  See dmarc_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

#define ZLIB_CONST /* what is read is not written */
#include <zlib.h>

#include "base/size.h"
#include "policy/gzip.h"

enum {
    ZIP_LOCAL = 30, /* bytes of the headers of zip, before their names */
    ZIP_CENTRAL = 46,
    ZIP_END = 22,
    ZIP_COMMENT_MAX = 65535,
};

/* The one file of a zip. */
struct zip_file {
    uint32_t method;
    uint32_t crc;
    struct str bytes;
};

static size_t size_max(size_t packed);
static enum status unpack_zip(struct str zip, struct buf *out);
static enum status zip_find(struct str zip, struct zip_file *out);
static uint32_t le(struct str s, size_t at, size_t bytes);

enum status
dmarc_report_unpack(struct str packed, struct buf *xml)
{
    AUTO_BUF out = BUF(size_max(packed.len));

    ASSERT(xml != NULL);
    if (packed.len > LIMIT_REPORT_PACKED_BYTES)
        return ERR_LIMIT;
    if (gzip_is(packed))
        TRY(gzip_unpack(packed, &out));
    else if (str_starts(packed, STR("PK\x03\x04")))
        TRY(unpack_zip(packed, &out));
    else if (str_starts(str_trim(packed), STR("<")) || str_starts(packed, STR("\xef\xbb\xbf<")))
        buf_add(&out, packed);
    else
        return ERR_SYNTAX;
    TRY(buf_status(&out));
    buf_add(xml, buf_str(&out));
    return buf_status(xml);
}

static size_t
size_max(size_t packed)
{
    return MIN((size_t)LIMIT_REPORT_BYTES, packed * LIMIT_REPORT_RATIO);
}

static enum status
unpack_zip(struct str zip, struct buf *out)
{
    struct zip_file file;

    TRY(zip_find(zip, &file));
    if (file.method == 0)
        buf_add(out, file.bytes);
    else if (file.method == 8)
        TRY(deflate_unpack(file.bytes, out));
    else
        return ERR_SYNTAX;
    TRY(buf_status(out));
    uLong crc = crc32(0, (const Bytef *)out->ptr, (uInt)out->len); /* bounded */
    return crc == file.crc ? OK : ERR_SYNTAX;
}

/* The directory at the end says where the file is; its own header says how long its name is. */
static enum status
zip_find(struct str zip, struct zip_file *out)
{
    size_t end, lowest;

    if (zip.len < ZIP_LOCAL + ZIP_CENTRAL + ZIP_END)
        return ERR_SYNTAX;
    lowest = zip.len > ZIP_END + ZIP_COMMENT_MAX ? zip.len - ZIP_END - ZIP_COMMENT_MAX : 0;
    for (end = zip.len - ZIP_END; !str_starts(str_skip(zip, end), STR("PK\x05\x06")); end--)
        if (end == lowest)
            return ERR_SYNTAX;
    size_t at = le(zip, end + 16, 4);
    if (le(zip, end + 10, 2) != 1 || at > end || end - at < ZIP_CENTRAL ||
        !str_starts(str_skip(zip, at), STR("PK\x01\x02")))
        return ERR_SYNTAX;
    if ((le(zip, at + 8, 2) & 1) != 0) /* with a password */
        return ERR_SYNTAX;
    size_t local = le(zip, at + 42, 4), packed = le(zip, at + 20, 4);
    if (local > at || at - local < ZIP_LOCAL ||
        !str_starts(str_skip(zip, local), STR("PK\x03\x04")))
        return ERR_SYNTAX;
    size_t begin = local + ZIP_LOCAL + le(zip, local + 26, 2) + le(zip, local + 28, 2);
    if (begin > at || at - begin < packed)
        return ERR_SYNTAX;
    *out = (struct zip_file){le(zip, at + 10, 2), le(zip, at + 16, 4), str_sub(zip, begin, packed)};
    return OK;
}

/* Little-endian; what is read lies inside, which the callers know. */
static uint32_t
le(struct str s, size_t at, size_t bytes)
{
    uint32_t n = 0;

    ASSERT(bytes <= 4 && at + bytes <= s.len);
    while (bytes-- > 0)
        n = n << 8 | (unsigned char)s.ptr[at + bytes];
    return n;
}
