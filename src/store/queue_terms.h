/* queue_terms.h - what the sender asked of the delivery of a message, as the queue keeps it.
 *
 * Owns:      nothing; strings borrow.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_TERMS_H
#define STORE_QUEUE_TERMS_H

#include "base/scan.h"
#include "base/time.h"

#define QUEUE_ASKED_MAX 64u

/* What is zero was not asked. */
struct queue_terms {
    struct instant hold_until; /* FUTURERELEASE, RFC 4865: nobody gets it before */
    struct str hold_asked;     /* "for;60", "until;2026-12-01T08:30:00Z": a report repeats it */
};
bool queue_terms_any(const struct queue_terms *t);
void queue_terms_write(const struct queue_terms *t, struct buf *b);
MUST_USE bool queue_terms_read(struct scan *s, struct queue_terms *out);
/* From when on a message is to be delivered: its age for pauses, warnings and the end counts from here. */
struct instant queue_terms_begin(const struct queue_terms *t, struct instant arrived);

#endif
