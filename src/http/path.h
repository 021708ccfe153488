/* path.h - targets taken apart and decoded: segments of a path, words of a query.
 *
 * Promises:  a segment is decoded after it was cut out, so that "%2F" in it is no slash; NUL is refused.
 * RFC:       3986 section 2.1; "+" is a blank in a query alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "base/arena.h"
#include "base/status.h"

/* The segments of "/a/b%20c": "a", "b c".  ERR_SYNTAX: no such escape; ERR_LIMIT: more than max. */
MUST_USE enum status http_path_split(struct str path, struct arena *a, struct str *segments,
                                     size_t max, size_t *n_out);
/* Of "a=1&b=2" the value of name; ERR_NOT_FOUND: there is none.  ERR_SYNTAX: no such escape, or it is there twice. */
MUST_USE enum status http_query_get(struct str query, struct str name, struct arena *a,
                                    struct str *out);
/* The names are among these; the first that is not, else empty. */
struct str http_query_stranger(struct str query, const struct str *names, size_t n);

#endif
