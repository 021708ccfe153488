/* ipc_codec.h - what generated codecs are made of: unchecked puts after one reservation, checked gets.
 *
 * Writer:    a first pass adds up the size and checks every bound, ipc_reserve() makes the room, a second
 *            pass writes.  Bulk fields go into the ring where it has room for them.
 * Reader:    `bad` is sticky and every get after it returns zero; ipc_get_end() refuses bytes left over.  str
 *            fields point into the frame, lists and bulk from the ring live in the arena.  `over` says
 *            that the arena's budget, not the peer's grammar, was the cause.
 * Included by generated sources and rt/ipc.c only.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_IPC_CODEC_H
#define RT_IPC_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "rt/ring.h"

#define IPC_RING_FLAG 0x80000000u
/* Below this a slice costs less inside its frame. */
#define IPC_RING_MIN 512u

struct ipc_writer {
    struct buf *b;     /* the frame is appended here */
    struct ring *ring; /* NULL = none */
    size_t ring_room;
    size_t ring_used;
    size_t need;
    char *pos;
    bool bad;
};
struct ipc_reader {
    const char *pos;
    const char *end;
    struct arena *a;
    struct ring *ring; /* NULL = none */
    size_t ring_left;  /* of what this frame put there */
    size_t ring_used;
    bool bad;
    bool over;
};

static inline bool
ipc_in_ring(const struct ipc_writer *w, size_t len)
{
    return w->ring != NULL && len >= IPC_RING_MIN && len <= w->ring_room - w->ring_used;
}

static inline void
ipc_size_str(struct ipc_writer *w, struct str s, size_t max)
{
    w->bad |= s.len > max;
    w->need += s.len;
}

static inline void
ipc_size_bulk(struct ipc_writer *w, struct str s, size_t max)
{
    w->bad |= s.len > max;
    if (ipc_in_ring(w, s.len))
        w->ring_used += s.len;
    else
        w->need += s.len;
}

static inline void
ipc_size_list(struct ipc_writer *w, size_t count, size_t max, size_t each)
{
    w->bad |= count > max;
    w->need += w->bad ? 0 : count * each; /* bounded by max: cannot wrap */
}

bool ipc_reserve(struct ipc_writer *w);
bool ipc_put_end(struct ipc_writer *w);
void ipc_put_raw(struct ipc_writer *w, const void *p, size_t n);
void ipc_put_bulk(struct ipc_writer *w, struct str s);

bool ipc_get_end(struct ipc_reader *r);
void ipc_get_raw(struct ipc_reader *r, void *to, size_t n);
struct str ipc_get_bulk(struct ipc_reader *r, size_t max);
/* Zeroed memory for count things, never NULL; when the budget does not allow it, bad and over are set and
 * the memory must not be written: generated loops look at bad first. */
void *ipc_get_array(struct ipc_reader *r, size_t count, size_t size);

/* The next n bytes, or NULL. */
static inline const char *
ipc_next(struct ipc_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->pos) < n) {
        r->bad = true;
        return NULL;
    }
    const char *p = r->pos;
    r->pos += n;
    return p;
}

/* Constant sizes only: the compiler makes a move of it, which mem_copy() in another file cannot be. */
#define IPC_SCALAR(name, type)                                      \
    static inline void ipc_put_##name(struct ipc_writer *w, type v) \
    {                                                               \
        __builtin_memcpy(w->pos, &v, sizeof(v));                    \
        w->pos += sizeof(v);                                        \
    }                                                               \
    static inline type ipc_get_##name(struct ipc_reader *r)         \
    {                                                               \
        const char *p = ipc_next(r, sizeof(type));                  \
        type v = 0;                                                 \
        if (p != NULL)                                              \
            __builtin_memcpy(&v, p, sizeof(v));                     \
        return v;                                                   \
    }
IPC_SCALAR(u8, uint8_t)
IPC_SCALAR(u16, uint16_t)
IPC_SCALAR(u32, uint32_t)
IPC_SCALAR(u64, uint64_t)
IPC_SCALAR(i64, int64_t)

static inline void
ipc_put_bool(struct ipc_writer *w, bool v)
{
    *w->pos++ = v ? 1 : 0;
}

/* The size pass has checked that n fits its width. */
static inline void
ipc_put_length(struct ipc_writer *w, size_t n, int width)
{
    if (width == 1)
        ipc_put_u8(w, (uint8_t)n);
    else if (width == 2)
        ipc_put_u16(w, (uint16_t)n);
    else
        ipc_put_u32(w, (uint32_t)n);
}

static inline void
ipc_put_str(struct ipc_writer *w, struct str s, int width)
{
    ipc_put_length(w, s.len, width);
    ipc_put_raw(w, s.ptr, s.len);
}

static inline uint8_t
ipc_get_enum(struct ipc_reader *r, uint8_t max)
{
    uint8_t v = ipc_get_u8(r);

    r->bad |= v > max;
    return v <= max ? v : 0;
}

static inline bool
ipc_get_bool(struct ipc_reader *r)
{
    return ipc_get_enum(r, 1) == 1;
}

static inline size_t
ipc_get_length(struct ipc_reader *r, int width, size_t max)
{
    size_t n = width == 1 ? ipc_get_u8(r) : width == 2 ? ipc_get_u16(r) : ipc_get_u32(r);

    r->bad |= n > max;
    return n;
}

static inline struct str
ipc_get_str(struct ipc_reader *r, int width, size_t max)
{
    size_t n = ipc_get_length(r, width, max);
    const char *p = ipc_next(r, n);

    return p != NULL ? str_from(p, n) : STR_NONE;
}

/* Each item takes at least `each` bytes, so a short frame cannot ask for a long list. */
static inline size_t
ipc_get_count(struct ipc_reader *r, int width, size_t max, size_t each)
{
    size_t n = ipc_get_length(r, width, max);

    if (r->bad || n > (size_t)(r->end - r->pos) / each) {
        r->bad = true;
        return 0;
    }
    return n;
}

#endif
