/* arena.c - blocks of 1 KiB growing to 64 KiB; large requests get a block of their own.
 *
 * The arena lives at the start of its first block, so a small one costs a single allocation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/size.h"
#include "base/status.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
/* The address sanitizer sees use of bytes that were not handed out, or not any more. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT   _Alignof(max_align_t)
#define ROUND_UP(n) (((n) + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1))

enum { BLOCK_FIRST = 1024, BLOCK_MAX = 64 * 1024, LARGE = BLOCK_MAX / 4, PRINTF_LOCAL = 256 };

struct block {
    struct block *next;
    size_t unused; /* keeps what follows aligned */
};

struct arena {
    size_t budget; /* a multiple of the alignment, as used is: so whatever is <= left fits */
    size_t used;
    char *pos; /* free bytes of the current block */
    char *end;
    size_t block_size;    /* of the current block */
    struct block *blocks; /* all but the first, which holds this struct */
};

static char *arena_take(struct arena *a, size_t size);
static char *arena_more(struct arena *a, size_t size);
static char *block_new(struct arena *a, size_t size);
static void blocks_free(struct arena *a);
static void first_block(struct arena *a);

struct arena *
arena_new(size_t budget)
{
    struct arena *a = mem_regrow(NULL, BLOCK_FIRST);

    ASSERT(budget > 0 && budget <= SIZE_MAX / 2);
    *a = (struct arena){.budget = ROUND_UP(budget)};
    first_block(a);
    return a;
}

void
arena_free(struct arena **a)
{
    if (*a == NULL)
        return;
    blocks_free(*a);
    mem_free(*a);
    *a = NULL;
}

void
arena_reset(struct arena *a)
{
    blocks_free(a);
    a->used = 0;
    first_block(a);
}

size_t
arena_used(const struct arena *a)
{
    return a->used;
}

size_t
arena_left(const struct arena *a)
{
    return a->budget - a->used;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_take(a, size), 0, size);
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total = 0;

    ASSERT(size_mul(count, size, &total));
    return arena_alloc(a, total);
}

void *
arena_dup(struct arena *a, const void *p, size_t size)
{
    char *copy = arena_take(a, size);

    mem_copy(copy, p, size);
    return copy;
}

struct str
arena_str(struct arena *a, struct str s)
{
    return str_from(arena_z(a, s), s.len);
}

char *
arena_z(struct arena *a, struct str s)
{
    size_t size = 0;

    ASSERT(size_add(s.len, 1, &size));
    char *copy = arena_take(a, size);
    mem_copy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct str
arena_printf(struct arena *a, const char *format, ...)
{
    char local[PRINTF_LOCAL];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(local, sizeof(local), format, args);
    va_end(args);
    ASSERT(n >= 0);
    size_t len = (size_t)n;
    if (len < sizeof(local))
        return arena_str(a, str_from(local, len));
    char *text = arena_take(a, len + 1);
    va_start(args, format);
    n = vsnprintf(text, len + 1, format, args);
    va_end(args);
    ASSERT(n >= 0 && (size_t)n == len);
    return str_from(text, len);
}

/* Bytes with any contents; a size of 0 still gets an address of its own. */
static char *
arena_take(struct arena *a, size_t size)
{
    size_t wanted = MAX(size, (size_t)1);

    ASSERT(wanted <= a->budget - a->used);
    size_t rounded = ROUND_UP(wanted);
    a->used += rounded;
    if (rounded > (size_t)(a->end - a->pos))
        return arena_more(a, wanted);
    char *p = a->pos;
    a->pos += rounded;
    ASAN_UNPOISON_MEMORY_REGION(p, wanted);
    return p;
}

static char *
arena_more(struct arena *a, size_t size)
{
    if (size > LARGE)
        return block_new(a, size); /* the current block goes on serving */
    size_t rounded = ROUND_UP(size);
    do
        a->block_size = MIN(a->block_size * 2, (size_t)BLOCK_MAX);
    while (a->block_size - sizeof(struct block) < rounded);
    size_t room = a->block_size - sizeof(struct block);
    char *p = block_new(a, room);
    a->pos = p + rounded;
    a->end = p + room;
    ASAN_POISON_MEMORY_REGION(p + size, room - size);
    return p;
}

static char *
block_new(struct arena *a, size_t size)
{
    struct block *b = mem_regrow(NULL, sizeof(*b) + size);

    b->next = a->blocks;
    a->blocks = b;
    return (char *)(b + 1);
}

static void
blocks_free(struct arena *a)
{
    while (a->blocks != NULL) {
        struct block *b = a->blocks;
        a->blocks = b->next;
        mem_free(b);
    }
}

static void
first_block(struct arena *a)
{
    a->pos = (char *)a + ROUND_UP(sizeof(*a));
    a->end = (char *)a + BLOCK_FIRST;
    a->block_size = BLOCK_FIRST;
    ASAN_POISON_MEMORY_REGION(a->pos, (size_t)(a->end - a->pos));
}
