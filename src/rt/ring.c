/* ring.c - see ring.h.
 *
 * Layout of the memfd: for each direction one page with the two indices on separate cache lines, then the data.
 * Indices count bytes since the beginning and never wrap in practice (2^64), so full and empty differ.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ring.h"

#include <assert.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PAGE = 4096, CACHE_LINE = 64 };
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

struct ring_shared {
    _Alignas(CACHE_LINE) _Atomic uint64_t head; /* written by the writer */
    _Alignas(CACHE_LINE) _Atomic uint64_t tail; /* written by the reader */
};
static_assert(sizeof(struct ring_shared) <= PAGE, "indices fit their page");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "indices are shared between processes");

static bool map_one(int fd, size_t index, size_t size, char *at);
static struct ring view(char *at, size_t size);

MUST_USE enum status
ring_memfd(size_t bytes, int *fd_out)
{
    ASSERT(bytes >= RING_BYTES_MIN && bytes <= RING_BYTES_MAX && (bytes & (bytes - 1)) == 0);
    int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return ERR_IO;
    if (ftruncate(fd, (off_t)(2 * (PAGE + bytes))) != 0 ||
        fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0) {
        close(fd);
        return ERR_IO;
    }
    *fd_out = fd;
    return OK;
}

MUST_USE enum status
ring_map(int fd, bool first, struct ring_pair *out)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    /* Without the seal the peer could shorten the file and our next access would be a SIGBUS. */
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0)
        return ERR_DENIED;
    if (st.st_size < 2 * (PAGE + (off_t)RING_BYTES_MIN) ||
        st.st_size > 2 * (PAGE + (off_t)RING_BYTES_MAX))
        return ERR_DENIED;
    size_t size = (size_t)st.st_size / 2 - PAGE; /* in range: checked above */
    if ((size & (size - 1)) != 0 || (size_t)st.st_size != 2 * (PAGE + size))
        return ERR_DENIED;

    size_t each = PAGE + 2 * size;
    char *base =
        mmap(NULL, 2 * each, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return ERR_IO;
    if (!map_one(fd, 0, size, base) || !map_one(fd, 1, size, base + each)) {
        munmap(base, 2 * each);
        return ERR_IO;
    }
    struct ring a = view(base, size);
    struct ring b = view(base + each, size);
    *out = (struct ring_pair){
        .out = first ? a : b, .in = first ? b : a, .base = base, .mapped = 2 * each};
    return OK;
}

void
ring_unmap(struct ring_pair *p)
{
    if (p->base != NULL)
        munmap(p->base, p->mapped);
    *p = (struct ring_pair){0};
}

size_t
ring_room(struct ring *r)
{
    uint64_t used = r->own - atomic_load_explicit(&r->shared->tail, memory_order_acquire);

    if (used > r->size)
        r->broken = true;
    return r->broken ? 0 : r->size - (size_t)used;
}

void
ring_put(struct ring *r, size_t offset, struct str s)
{
    ASSERT(!r->broken && offset <= r->size && s.len <= r->size - offset);
    mem_copy(r->data + ((r->own + offset) & (r->size - 1)), s.ptr, s.len);
}

void
ring_commit(struct ring *r, size_t n)
{
    ASSERT(n <= r->size);
    r->own += n;
    atomic_store_explicit(&r->shared->head, r->own, memory_order_release);
}

size_t
ring_ready(struct ring *r)
{
    uint64_t ready = atomic_load_explicit(&r->shared->head, memory_order_acquire) - r->own;

    if (ready > r->size)
        r->broken = true;
    return r->broken ? 0 : (size_t)ready;
}

const void *
ring_at(const struct ring *r, size_t offset, size_t n)
{
    ASSERT(!r->broken && offset <= r->size && n <= r->size - offset);
    return r->data + ((r->own + offset) & (r->size - 1));
}

void
ring_release(struct ring *r, size_t n)
{
    ASSERT(n <= r->size);
    r->own += n;
    atomic_store_explicit(&r->shared->tail, r->own, memory_order_release);
}

/* Indices and data at `at`, and the data once more behind: a slice that wraps is one run. */
static bool
map_one(int fd, size_t index, size_t size, char *at)
{
    int prot = PROT_READ | PROT_WRITE;
    off_t start = (off_t)(index * (PAGE + size));

    return mmap(at, PAGE + size, prot, MAP_SHARED | MAP_FIXED, fd, start) != MAP_FAILED &&
           mmap(at + PAGE + size, size, prot, MAP_SHARED | MAP_FIXED, fd, start + PAGE) !=
               MAP_FAILED;
}

static struct ring
view(char *at, size_t size)
{
    return (struct ring){
        .shared = (struct ring_shared *)(void *)at, .data = at + PAGE, .size = size};
}
