/* queue_over.h - messages that are held because their accounts sent too much (queue_message.over): of each account a
 * line, first come first served.
 *
 * Owns:      in memory 16 bytes for each such message, a line for each account that has one.
 * Promises:  a message that leaves the queue, is released, or is held for another reason leaves its line with that.
 * Never:     says that a message may go, or lets it go: role/store_outbound.c does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_OVER_H
#define STORE_QUEUE_OVER_H

#include "store/queue.h"

/* Once queue_load() is through it knows of all. */
bool queue_over_has(const struct queue *q, uint64_t account);
struct queue_over {
    uint64_t account, qid;
};
/* The first message of the account that waits longest to be looked at, which is looked at again in a minute; the next
 * one of the account at once when this one leaves its line.  False: none is due, or the queue is not loaded. */
bool queue_over_next(struct queue *q, struct instant now, struct queue_over *out);
/* ERR_NOT_FOUND: it is gone, or held for another reason by now, which is left as it is. */
MUST_USE SUSPENDS enum status queue_over_release(struct queue *q, uint64_t qid, struct instant now);
/* It is to be looked at no more, although it stays as it is. */
void queue_over_forget(struct queue *q, const struct queue_over *one);
/* All lines are to be looked at now. */
void queue_over_now(struct queue *q);

#endif
