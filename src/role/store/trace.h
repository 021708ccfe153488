/* trace.h - the trace (src/trace) as the store keeps it: lines of all roles, written by a thread of its own.
 *
 * Promises:  never waits, never fails a mail: lines that find no room, or no disk, are counted in the log and gone.
 *            What was added is on the disk's way within a second; a crash of this process loses no more than that.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_TRACE_H
#define ROLE_STORE_TRACE_H

#include "role/store/store.h"
#include "store/message.h"

/* Opens it and starts its fiber.  Without a trace the mail goes on: the log says why. */
SUSPENDS void store_trace_start(struct store *s);
/* What is still in memory, at the end. */
SUSPENDS void store_trace_flush(void);
/* Every line that names the address, in the trace so far. */
MUST_USE SUSPENDS enum status store_trace_purge(struct str address, uint64_t *removed_out);

/* Messages that left a place: src/store's lists, told in lines of bounded length. */
SUSPENDS void store_trace_expunge(struct cell *account, const struct expunge_request *r,
                                  const struct expunge_reply *x);
SUSPENDS void store_trace_copy(struct cell *account, const struct copy_request *r,
                               const struct copy_reply *c);
void store_trace_drop(struct cell *account, uint32_t mailbox, struct str name);
/* The name of a mailbox, to be asked for before it is deleted; empty when there is no trace, or no such mailbox. */
SUSPENDS struct str store_trace_name(struct cell *account, uint32_t mailbox, struct arena *a);
bool store_trace_is_on(void);

#endif
