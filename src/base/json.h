/* json.h - JSON from somebody else: read by Jansson, within a depth.
 *
 * Promises:  a member that stands twice makes it none; strings may hold NUL where the text says so.
 * Never:     bounds the length of the text: the caller does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"

/* NULL: it is none, or nested deeper than `depth`.  json_decref() it. */
json_t *json_read_bounded(struct str text, unsigned depth);
/* A string member of an object, copied; empty when there is none, or it holds a NUL. */
struct str json_member_str(const json_t *object, const char *name, struct arena *a);
/* A string of any bytes: what JSON cannot hold becomes "?". */
json_t *json_text(struct str s);
/* Appends the value, on one line.  ERR_LIMIT: b is too small. */
MUST_USE enum status json_write(const json_t *j, struct buf *b);
void json_drop(json_t **j); /* fits AUTO() */

#endif
