/* writer.h - lines onto the disk: segments begun, closed, indexed, and thrown away when they are old or too many.
 *
 * Promises:  a segment is appended to only; after a crash its torn last line is ended, and the rest counts.  No sync: a
 *            power cut may take the last seconds.  The folder never holds more than bytes_max and one segment.
 * Blocks:    yes; one thread at a time.
 * Never:     stands in the way of mail: who calls it drops lines when it fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_WRITER_H
#define TRACE_WRITER_H

#include "base/time.h"
#include "trace/trace.h"

struct trace_writer;
struct trace_limits {
    uint32_t days;          /* a segment goes when all of it is older */
    uint64_t bytes_max;     /* of all files; the oldest go first */
    uint64_t segment_bytes; /* a fuller one is closed */
};
/* Makes the folder, goes on with what is there. */
MUST_USE enum status trace_writer_open(const char *dir, const struct trace_limits *l,
                                       struct instant now, struct trace_writer **out);
void trace_writer_free(struct trace_writer **w);
/* Whole lines; none is fine, and still looks what has become too old. */
MUST_USE enum status trace_writer_add(struct trace_writer *w, struct str lines, struct instant now);
/* Removes every line that names this address. */
MUST_USE enum status trace_writer_purge(struct trace_writer *w, struct str address,
                                        struct instant now, uint64_t *removed_out);

#endif
