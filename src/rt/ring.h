/* ring.h - bytes from one process to another through shared memory, one writer and one reader.
 *
 * A channel has a pair, one ring per direction, in one sealed memfd.  The data area is mapped twice in a row, so
 * that a slice that wraps is still one run of bytes.
 * Promises:  the peer is hostile.  Each index of the peer is read once and checked; one that lies marks the
 *            ring as broken, which offers no room and no bytes ever after.  Own indices are kept
 *            in private memory.  Nothing outside the mapping is touched whatever the peer writes into it.
 * Use:       ring_put() and ring_at() work at an offset past the own index; ring_commit() makes what was put
 *            visible, ring_release() gives room back.  Bytes may change under the reader: copy once, then look.
 * Never:     blocks, allocates, or knows message borders.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_RING_H
#define RT_RING_H

#include <stdbool.h>

#include "base/status.h"
#include "base/str.h"

#define RING_BYTES_MIN 4096u
#define RING_BYTES_MAX (64u << 20)

struct ring_shared;
struct ring {
    struct ring_shared *shared;
    char *data;
    size_t size;
    uint64_t own; /* head of a writer, tail of a reader: bytes since the beginning */
    bool broken;
};
struct ring_pair {
    struct ring out, in;
    void *base;
    size_t mapped;
};

/* A sealed memfd with two rings of bytes each; bytes is a power of two. */
MUST_USE enum status ring_memfd(size_t bytes, int *fd_out);
/* Maps both.  first says which direction is `out`.  ERR_DENIED when the memfd is not sealed or of an odd size. */
MUST_USE enum status ring_map(int fd, bool first, struct ring_pair *out);
void ring_unmap(struct ring_pair *p); /* safe twice and on a zeroed pair */

/* Writer. */
size_t ring_room(struct ring *r);
void ring_put(struct ring *r, size_t offset, struct str s); /* offset + s.len <= room */
void ring_commit(struct ring *r, size_t n);

/* Reader. */
size_t ring_ready(struct ring *r);
/* Where n bytes lie; the peer may change them while they are read.  offset + n <= ready */
const void *ring_at(const struct ring *r, size_t offset, size_t n);
void ring_release(struct ring *r, size_t n);

#endif
