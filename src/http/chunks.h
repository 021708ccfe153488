/* chunks.h - a body in chunks, taken apart as it comes: RFC 9112 section 7.1.
 *
 * Promises:  every line ends with CR LF; sizes are at most 8 hex digits; extensions and trailer fields are bounded, and
 *            thrown away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "base/scan.h"
#include "base/status.h"

enum http_chunk_at {
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_EXTENSION,
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_DATA_CR,
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_TRAILER, /* at the begin of a line */
    HTTP_CHUNK_FIELD,
    HTTP_CHUNK_FIELD_LF,
    HTTP_CHUNK_LAST_LF,
    HTTP_CHUNK_END,
};
struct http_chunks { /* zero: before the first */
    enum http_chunk_at at;
    uint64_t left;   /* of this chunk */
    uint32_t digits; /* of its size */
    uint32_t extra;  /* bytes of extensions and trailers so far */
};
/* OK: a piece of the body, never empty, that points into what was in; or, when c->at is HTTP_CHUNK_END, an empty one:
 * it ends there, and the rest of in is the next request.  ERR_TEMP: all was taken, and more is to come.  ERR_SYNTAX. */
MUST_USE enum status http_chunks_next(struct http_chunks *c, struct scan *in,
                                      struct str *piece_out);

#endif
