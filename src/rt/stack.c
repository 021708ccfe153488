/* stack.c - the pool of fiber stacks: mapped once, guarded, reused hot, trimmed when idle.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/mman.h>

#include "base/size.h"
#include "rt/fiber_internal.h"

#if FIBER_ASAN
#include <sanitizer/asan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id)      (void)(id)
#endif

/* How often the pool looks for stacks that nobody needed. */
#define TRIM_EVERY_MS 1000
#define PAGE_BYTES    4096u

/* Stacks are taken from and given to the front, so those at the back rest longest.  idle_min is the
 * smallest number of free stacks since the last look: that many were not needed. */
static _Thread_local struct {
    struct list free;
    uint32_t free_count, idle_min;
    struct timer trim;
} pool;

static struct fiber *map_stack(void);
static void trim_idle(struct timer *t);
static char *map_of(const struct fiber *f);

void
stack_pool_init(void)
{
    list_init(&pool.free);
    pool.free_count = pool.idle_min = 0;
    pool.trim = (struct timer){.fire = trim_idle};
}

void
stack_pool_release(void)
{
    struct list *node;

    timer_stop(&pool.trim);
    while ((node = list_pop(&pool.free)) != NULL) {
        struct fiber *f = LIST_ENTRY(node, struct fiber, node);
        VALGRIND_STACK_DEREGISTER(f->valgrind_id);
        (void)munmap(map_of(f), FIBER_GUARD_BYTES + FIBER_STACK_BYTES);
    }
    pool.free_count = 0;
}

struct fiber *
stack_take(void)
{
    struct list *node = list_pop(&pool.free);

    if (node == NULL)
        return map_stack();
    pool.free_count--;
    pool.idle_min = MIN(pool.idle_min, pool.free_count);
    struct fiber *f = LIST_ENTRY(node, struct fiber, node);
    ASSERT(f->canary == FIBER_CANARY && f->state == FIBER_FREE);
    f->trimmed = false;
    return f;
}

void
stack_give(struct fiber *f)
{
    ASSERT(f->canary == FIBER_CANARY);
    f->state = FIBER_FREE;
#if FIBER_ASAN
    /* Frames that ended by the last switch never cleaned their red zones up. */
    __asan_unpoison_memory_region(f->low, (size_t)((char *)f - f->low));
#endif
    list_push_front(&pool.free, &f->node);
    pool.free_count++;
    if (!timer_is_set(&pool.trim)) {
        pool.idle_min = pool.free_count;
        timer_set(&pool.trim, TRIM_EVERY_MS);
    }
}

static struct fiber *
map_stack(void)
{
    size_t size = FIBER_GUARD_BYTES + FIBER_STACK_BYTES;
    /* Without access first: the guard is what is never opened. */
    char *map = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (map == MAP_FAILED)
        return NULL;
    char *low = map + FIBER_GUARD_BYTES;
    if (mprotect(low, FIBER_STACK_BYTES, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(map, size);
        return NULL;
    }
    size_t top = (FIBER_STACK_BYTES - sizeof(struct fiber)) & ~(size_t)63;
    struct fiber *f = (struct fiber *)(void *)(low + top);
    f->canary = FIBER_CANARY;
    f->low = low;
    f->valgrind_id = (uint32_t)VALGRIND_STACK_REGISTER(low, f);
    return f;
}

/* Gives the pages of stacks that rested since the last look back, except the one with the struct. */
static void
trim_idle(struct timer *t)
{
    uint32_t left = pool.idle_min;
    bool work = false;

    for (struct list *node = pool.free.prev; left > 0 && node != &pool.free; node = node->prev) {
        struct fiber *f = LIST_ENTRY(node, struct fiber, node);
        left--;
        if (f->trimmed)
            continue;
        size_t used = (size_t)((char *)f - f->low) & ~(size_t)(PAGE_BYTES - 1);
        (void)madvise(f->low, used, MADV_DONTNEED);
        f->trimmed = work = true;
    }
    if (work || pool.idle_min < pool.free_count)
        timer_set(t, TRIM_EVERY_MS);
    pool.idle_min = pool.free_count;
}

static char *
map_of(const struct fiber *f)
{
    return f->low - FIBER_GUARD_BYTES;
}
