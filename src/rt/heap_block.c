/* heap_block.c - large blocks of huge pages.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <sys/mman.h>

#include "base/size.h"
#include "rt/heap.h"

#define HUGE_BYTES ((size_t)2 << 20)

/* A block begins on a huge page and ends on one. */
static bool
rounded(size_t size, size_t *out)
{
    size_t more;

    if (size == 0 || !size_add(size, HUGE_BYTES - 1, &more))
        return false;
    *out = more / HUGE_BYTES * HUGE_BYTES;
    return true;
}

void *
heap_block_new(size_t size)
{
    size_t want, room;

    if (!rounded(size, &want) || !size_add(want, HUGE_BYTES, &room))
        return NULL;
    char *all = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    size_t skip = (HUGE_BYTES - (uintptr_t)all % HUGE_BYTES) % HUGE_BYTES;
    if (skip > 0)
        (void)munmap(all, skip);
    (void)munmap(all + skip + want, HUGE_BYTES - skip);
    (void)madvise(all + skip, want, MADV_HUGEPAGE); /* a kernel without them has small ones */
    return all + skip;
}

void
heap_block_free(void *block, size_t size)
{
    size_t whole;

    if (block != NULL && rounded(size, &whole))
        (void)munmap(block, whole);
}
