/* reader.h - lines out of a trace, by key, while its writer goes on or after it has gone.
 *
 * What has an index is searched by it; the one or two segments that have none are read whole, once.
 * Blocks:    yes: for the godwit command, and for a thread of the store's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_READER_H
#define TRACE_READER_H

#include "trace/trace.h"

struct trace_reader;
/* ERR_NOT_FOUND: there is no trace; ERR_DENIED: it may not be read. */
MUST_USE enum status trace_reader_open(const char *dir, struct trace_reader **out);
void trace_reader_free(struct trace_reader **r);

/* From then on (clock_mono_ms()) nothing more is found, and trace_reader_is_late(); 0 = there is no hurry. */
void trace_reader_hurry(struct trace_reader *r, int64_t until_ms);
bool trace_reader_is_late(const struct trace_reader *r);

struct trace_cursor {
    struct trace_reader *r;
    uint64_t hash;
    bool newest_first;
    size_t segments_done;
    uint64_t at, end; /* entries of the present segment's index that are left */
    bool inside;
};
struct trace_cursor trace_find(struct trace_reader *r, uint64_t hash, bool newest_first);
struct trace_hit {
    uint64_t place;  /* orders all lines of the trace */
    struct str line; /* in the arena, without its LF */
};
/* False at the end.  Other values can have the same hash: the asker looks. */
bool trace_next(struct trace_cursor *c, struct arena *a, struct trace_hit *out);

#endif
