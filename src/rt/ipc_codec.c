/* ipc_codec.c - the parts of codecs that are not worth inlining; see ipc_codec.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ipc_codec.h"

#include "base/mem.h"
#include "base/size.h"

bool
ipc_reserve(struct ipc_writer *w)
{
    if (w->bad)
        return false;
    w->ring_used = 0;
    w->pos = NULL;
    if (w->need > 0)
        w->pos = buf_tail(w->b, w->need);
    return w->need == 0 || w->pos != NULL;
}

bool
ipc_put_end(struct ipc_writer *w)
{
    ASSERT(w->need == 0 || w->pos == w->b->ptr + w->b->len + w->need);
    buf_grew(w->b, w->need);
    return true;
}

void
ipc_put_raw(struct ipc_writer *w, const void *p, size_t n)
{
    mem_copy(w->pos, p, n);
    w->pos += n;
}

void
ipc_put_bulk(struct ipc_writer *w, struct str s)
{
    if (!ipc_in_ring(w, s.len)) {
        ipc_put_str(w, s, 4);
        return;
    }
    ipc_put_u32(w, (uint32_t)s.len | IPC_RING_FLAG);
    ring_put(w->ring, w->ring_used, s);
    w->ring_used += s.len;
}

bool
ipc_get_end(struct ipc_reader *r)
{
    r->bad |= r->pos != r->end || r->ring_used != r->ring_left;
    return !r->bad;
}

void
ipc_get_raw(struct ipc_reader *r, void *to, size_t n)
{
    const char *p = ipc_next(r, n);

    if (p != NULL)
        mem_copy(to, p, n);
}

void *
ipc_get_array(struct ipc_reader *r, size_t count, size_t size)
{
    static _Alignas(16) char refused[16];
    size_t bytes;

    if (r->bad || !size_mul(count, size, &bytes) || bytes > arena_left(r->a)) {
        r->over |= !r->bad;
        r->bad = true;
        return refused;
    }
    return arena_alloc(r->a, bytes);
}

struct str
ipc_get_bulk(struct ipc_reader *r, size_t max)
{
    uint32_t word = ipc_get_u32(r);
    size_t n = word & ~IPC_RING_FLAG;

    r->bad |= n > max;
    if ((word & IPC_RING_FLAG) == 0) {
        const char *p = ipc_next(r, n);
        return p != NULL ? str_from(p, n) : STR_NONE;
    }
    r->bad |= r->ring == NULL || n < IPC_RING_MIN || n > r->ring_left - r->ring_used;
    if (!r->bad && n > arena_left(r->a))
        r->over = r->bad = true;
    if (r->bad)
        return STR_NONE;
    /* From here on only the private copy is looked at. */
    char *copy = arena_dup(r->a, ring_at(r->ring, r->ring_used, n), n);
    r->ring_used += n;
    return str_from(copy, n);
}
