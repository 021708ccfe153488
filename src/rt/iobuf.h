/* iobuf.h - bytes on their way through a connection; private to rt.
 *
 * Owns:      its memory: none when empty at rest, a block of the thread's pool while at work, or a
 *            run of the right size for a partial unit at rest.
 * Promises:  bytes consumed stay readable until the next call that makes room.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_IOBUF_H
#define RT_IOBUF_H

#include "base/str.h"

#define IOBUF_BLOCK 16384u

struct iobuf {
    char *ptr;
    uint32_t pos, len, cap; /* the bytes are ptr[pos..len) */
};

static inline uint32_t
iobuf_size(const struct iobuf *b)
{
    return b->len - b->pos;
}

static inline char *
iobuf_start(const struct iobuf *b)
{
    return b->ptr + b->pos;
}

/* Where the next bytes go: n contiguous ones, so that the buffer never holds more than max; NULL when
 * that cannot be. */
char *iobuf_need(struct iobuf *b, uint32_t n, uint32_t max);
/* As much room as there is, at least one byte, growing towards max; 0 = full. */
uint32_t iobuf_room(struct iobuf *b, uint32_t max, char **tail_out);
void iobuf_grew(struct iobuf *b, uint32_t n);
void iobuf_consume(struct iobuf *b, uint32_t n);
void iobuf_rest(struct iobuf *b); /* the session rests: give back what is not needed */
void iobuf_release(struct iobuf *b);
void iobuf_pool_release(void); /* of this thread */

#endif
