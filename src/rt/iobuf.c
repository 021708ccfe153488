/* iobuf.c - buffers of connections, over a pool of equal blocks per thread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/iobuf.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/status.h"

#define POOL_BLOCKS 32u

/* The last block given back is the next one taken: it is in the cache. */
static _Thread_local struct {
    char *block[POOL_BLOCKS];
    uint32_t count;
} pool;

static void move_to(struct iobuf *b, uint32_t cap);
static char *memory_take(uint32_t cap);
static void memory_give(char *p, uint32_t cap);

char *
iobuf_need(struct iobuf *b, uint32_t n, uint32_t max)
{
    uint32_t size = iobuf_size(b);

    if (n > max || size > max - n)
        return NULL;
    if (b->cap - b->len < n) {
        uint32_t cap = MAX(b->cap, IOBUF_BLOCK);
        while (cap < size + n)
            cap *= 2;
        move_to(b, cap);
    }
    return b->ptr + b->len;
}

uint32_t
iobuf_room(struct iobuf *b, uint32_t max, char **tail_out)
{
    uint32_t size = iobuf_size(b);

    if (size >= max)
        return 0;
    if (b->cap < IOBUF_BLOCK)
        move_to(b, IOBUF_BLOCK);
    else if (size == b->cap)
        move_to(b, b->cap * 2);
    else if (b->cap - b->len < b->cap / 4)
        move_to(b, b->cap);
    *tail_out = b->ptr + b->len;
    return MIN(b->cap - b->len, max - size);
}

void
iobuf_grew(struct iobuf *b, uint32_t n)
{
    ASSERT(n <= b->cap - b->len);
    b->len += n;
}

void
iobuf_consume(struct iobuf *b, uint32_t n)
{
    ASSERT(n <= iobuf_size(b));
    b->pos += n;
    if (b->pos == b->len)
        b->pos = b->len = 0;
}

void
iobuf_rest(struct iobuf *b)
{
    uint32_t size = iobuf_size(b);

    if (size == 0) {
        iobuf_release(b);
    } else if (size <= b->cap / 2 && b->cap > 64) {
        uint32_t cap = 64;
        while (cap < size)
            cap *= 2;
        move_to(b, cap);
    }
}

void
iobuf_release(struct iobuf *b)
{
    memory_give(b->ptr, b->cap);
    *b = (struct iobuf){0};
}

void
iobuf_pool_release(void)
{
    while (pool.count > 0)
        mem_free(pool.block[--pool.count]);
}

/* To the front of a run of cap bytes, which may be the one it is in. */
static void
move_to(struct iobuf *b, uint32_t cap)
{
    uint32_t size = iobuf_size(b);

    ASSERT(cap >= size);
    if (cap == b->cap && size > 0) {
        mem_move(b->ptr, b->ptr + b->pos, size);
    } else if (cap != b->cap) {
        char *p = memory_take(cap);
        if (size > 0)
            mem_copy(p, b->ptr + b->pos, size);
        memory_give(b->ptr, b->cap);
        b->ptr = p;
        b->cap = cap;
    }
    b->pos = 0;
    b->len = size;
}

static char *
memory_take(uint32_t cap)
{
    if (cap == IOBUF_BLOCK && pool.count > 0)
        return pool.block[--pool.count];
    return mem_regrow(NULL, cap); /* uninitialised: len says what is written */
}

static void
memory_give(char *p, uint32_t cap)
{
    if (p != NULL && cap == IOBUF_BLOCK && pool.count < POOL_BLOCKS)
        pool.block[pool.count++] = p;
    else
        mem_free(p);
}
