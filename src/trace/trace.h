/* trace.h - what happened to each message: lines of the log, kept apart and found again by address, message id or
 * queue id.
 *
 * A trace is a folder of segments, DAY-NUMBER.log, each the lines of some hours as base/log.h writes them, in the order
 * in which they came; beside a segment that is closed lies DAY-NUMBER.idx, the sorted hashes of the keys of its lines.
 * Days are UTC.
 * Promises:  nothing here is needed for mail: whatever is lost, cut or damaged is left out, and the rest is found.
 * Never:     holds subjects or anything else from inside a message but its Message-ID.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "base/arena.h"
#include "base/buf.h"

#define TRACE_FOLDER   "trace" /* in the data directory */
#define TRACE_KEYS_MAX 16u     /* of one line */
#define TRACE_PATH_MAX 1000u

/* What a line may be looked for by. */
enum trace_kind {
    TRACE_ID = 'i',         /* 16 hex digits: tid of a transaction, qid of a queue entry */
    TRACE_MESSAGE_ID = 'm', /* without angle brackets */
    TRACE_ADDRESS = 'a',    /* sender, recipient, account */
    TRACE_BOX = 'b',        /* "ACCOUNT/MAILBOX", both as numbers */
};
/* ASCII case and angle brackets around it do not count. */
uint64_t trace_hash(enum trace_kind kind, struct str value);
/* Of a line, without doubles; at most TRACE_KEYS_MAX. */
size_t trace_keys(struct str line, uint64_t *keys_out);
/* Appends the value of a field, its escapes undone; false when the line has none. */
bool trace_field(struct str line, const char *key, struct buf *b);
/* The same in an arena; empty when there is none. */
struct str trace_value(struct str line, const char *key, struct arena *a);
/* Is it a line as the logger writes them: time first, printable, with its LF? */
bool trace_line_is_whole(struct str line);

#endif
