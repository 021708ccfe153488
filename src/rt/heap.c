/* heap.c - counts the turns of half a second; when they are few, free pages go back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/heap.h"

#include <malloc.h>

#include "rt/clock.h"
#include "rt/loop.h"

enum {
    LOOK_MS = 500,
    QUIET_TURNS = 25,        /* in LOOK_MS */
    KEEP_BYTES = 64 << 20,   /* freed at the end of the heap and yet kept, while busy */
    MAPPED_BYTES = 32 << 20, /* larger blocks are mapped and unmapped one by one */
    TRIM_EVERY_MS = 2000,    /* a walk over the free lists takes about a millisecond */
};

static _Thread_local struct {
    bool wanted;
    struct timer look;
    uint32_t turns;
    int64_t trimmed_ms;
} heap;

static void
look(struct timer *t)
{
    int64_t now = clock_mono_ms();
    bool quiet = heap.turns < QUIET_TURNS;

    heap.turns = 0;
    if (quiet && now - heap.trimmed_ms >= TRIM_EVERY_MS) {
        (void)malloc_trim(0);
        heap.trimmed_ms = now;
    } else {
        timer_set(t, quiet ? heap.trimmed_ms + TRIM_EVERY_MS - now : LOOK_MS);
    }
}

void
heap_trim_when_quiet(void)
{
    heap.wanted = true;
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    heap.look.fire = look;
    heap.trimmed_ms = clock_mono_ms() - TRIM_EVERY_MS;
}

void
heap_one_arena(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

void
heap_release(void)
{
    timer_stop(&heap.look);
    heap.wanted = false;
}

void
heap_turn(void)
{
    heap.turns++;
    if (heap.wanted && !timer_is_set(&heap.look))
        timer_set(&heap.look, LOOK_MS);
}
