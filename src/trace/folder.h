/* folder.h - the segments of a trace, by name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_FOLDER_H
#define TRACE_FOLDER_H

#include "trace/trace.h"

#define TRACE_SEGMENTS_MAX 65536u /* more are not seen */

struct trace_segment {
    uint32_t day; /* 20261130, UTC */
    uint32_t number;
    uint64_t bytes, index_bytes; /* index_bytes 0: there is none */
};
/* Ascending, in a.  ERR_NOT_FOUND: no such folder; ERR_DENIED: it may not be read. */
MUST_USE enum status trace_folder_list(const char *dir, struct arena *a, struct trace_segment **out,
                                       size_t *count_out);
/* "DIR/20261130-000001.log"; suffix ".log", ".idx", or for what is being made ".new". */
MUST_USE enum status trace_segment_path(const char *dir, const struct trace_segment *s,
                                        const char *suffix, char path[TRACE_PATH_MAX]);
/* The whole of a file of at most b->max bytes. */
MUST_USE enum status trace_file_read(const char *path, struct buf *b);

#endif
