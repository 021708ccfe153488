/* log_scan.h - the way back from a log line (log.h) to its fields.
 *
 * Promises:  any bytes may come: what is no field of the form is refused, never guessed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_SCAN_H
#define BASE_LOG_SCAN_H

#include "base/buf.h"
#include "base/scan.h"

struct log_field {
    struct str key;
    struct str value; /* as it stands in the line, without its quotes */
    bool quoted;      /* value may hold escapes: log_value_read() */
    bool cut;         /* the line had no room for the rest */
};
/* The next field, and the spaces before it.  False at the end, and at what is no field. */
bool scan_log_field(struct scan *s, struct log_field *out);
/* Appends the bytes that were logged.  They come from strangers: not for a terminal. */
void log_value_read(const struct log_field *f, struct buf *b);

#endif
