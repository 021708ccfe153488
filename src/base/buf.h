/* buf.h - an owned, growing run of bytes with a hard maximum and a sticky error.
 *
 * Owns:      its memory, until buf_release() or buf_take().
 * Promises:  never more than max bytes; after an append that did not fit, all later appends do
 *            nothing and buf_status() says ERR_LIMIT, so one check at the end is enough.
 * Never:     makes half an append.  What is appended must not lie inside the buffer itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/status.h"
#include "base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool over;
};

/* An empty buffer holds no memory. */
#define BUF(limit) ((struct buf){.max = (limit)})
#define AUTO_BUF   AUTO(buf_release) struct buf

void buf_init(struct buf *b, size_t max);
/* frees; the buffer is empty and usable again */
void buf_release(struct buf *b);
void buf_reset(struct buf *b);                        /* len = 0, over = false, memory kept */
void buf_shrink(struct buf *b, size_t keep);          /* empties; frees memory when cap > keep */
MUST_USE enum status buf_status(const struct buf *b); /* OK or ERR_LIMIT */
struct str buf_take(struct buf *b);                   /* moves the bytes out; mem_free() them */

/* borrowed until the next change */
static inline struct str
buf_str(const struct buf *b)
{
    return str_from(b->ptr, b->len);
}

bool buf_more(struct buf *b, size_t extra);  /* buf_reserve() when there is no room */
char *buf_tail(struct buf *b, size_t extra); /* reserve and point at it, NULL when over */

/* room for extra bytes after len, or over */
static inline bool
buf_reserve(struct buf *b, size_t extra)
{
    return (!b->over && extra <= b->cap - b->len) || buf_more(b, extra);
}

void buf_grew(struct buf *b, size_t n); /* n bytes were written at the tail */

static inline void
buf_add(struct buf *b, struct str s)
{
    if (s.len > 0 && buf_reserve(b, s.len)) {
        memcpy(b->ptr + b->len, s.ptr, s.len);
        b->len += s.len;
    }
}

static inline void
buf_add_z(struct buf *b, const char *z)
{
    buf_add(b, str_of(z));
}

static inline void
buf_add_char(struct buf *b, char c)
{
    if (buf_reserve(b, 1))
        b->ptr[b->len++] = c;
}

void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
void buf_add_i64(struct buf *b, int64_t v);
void buf_addf(struct buf *b, const char *format, ...) PRINTF(2, 3); /* at most 1,024 bytes a call */
void buf_consume(struct buf *b, size_t n);                          /* drops n bytes at the front */

/* Binary records: unsigned LEB128, fixed big-endian, and length-prefixed bytes. */
void buf_add_varint(struct buf *b, uint64_t v);
void buf_add_zigzag(struct buf *b, int64_t v);
void buf_add_be32(struct buf *b, uint32_t v);
void buf_add_be64(struct buf *b, uint64_t v);
void buf_add_bytes(struct buf *b, struct str s); /* varint length, then the bytes */

#endif
