/* index.h - which lines of a segment have a key: sorted pairs of hash and offset.
 *
 *     index = magic8 count8 segment_size8 *( hash8 offset4 )      big-endian; pairs ascending
 *
 * Promises:  an index that is not of its segment's size, or whose own size is not that of its count, is none; a damaged
 *            one can lead to wrong lines, never outside the segment.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_INDEX_H
#define TRACE_INDEX_H

#include "trace/trace.h"

#define TRACE_INDEX_HEAD  24u
#define TRACE_INDEX_ENTRY 12u
#define TRACE_INDEX_MAX   (64u << 20) /* keys past it are not found */

/* Of the whole text of a segment; lines that are none are left out. */
void trace_index_write(struct str segment, struct buf *out);
/* Is it the head of an index of a segment of that size? */
bool trace_index_read_head(struct str head, uint64_t index_size, uint64_t segment_size,
                           uint64_t *count_out);
struct trace_index_entry {
    uint64_t hash;
    uint32_t offset;
};
struct trace_index_entry trace_index_entry(const char *at);
/* The line at an offset of a segment, with its LF; empty when there is none. */
struct str trace_line_at(struct str segment, uint64_t offset);

#endif
