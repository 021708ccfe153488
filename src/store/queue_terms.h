/* queue_terms.h - what the sender asked of the delivery of a message, as the queue keeps it.
 *
 * Owns:      nothing; strings borrow.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_TERMS_H
#define STORE_QUEUE_TERMS_H

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

#define QUEUE_ASKED_MAX 64u

struct queue;
struct queue_job;
struct queue_message;

/* When the time of BY is over.  Order of by_mode in store.ipc. */
enum queue_by_mode { QUEUE_BY_NONE, QUEUE_BY_NOTIFY, QUEUE_BY_RETURN };

/* What is zero was not asked. */
struct queue_terms {
    struct instant
        hold_until; /* nobody gets it before: FUTURERELEASE, RFC 4865; or it was held until then */
    struct str
        hold_asked; /* "for;60", "until;2026-12-01T08:30:00Z": a report repeats it; else empty */
    enum queue_by_mode by_mode;
    struct instant by; /* DELIVERBY, RFC 2852: to be delivered until then */
    bool by_trace;     /* the sender hears of each relay */
    int32_t priority;  /* MT-PRIORITY, RFC 6710: -9 to 9 */
    bool require_tls;  /* REQUIRETLS, RFC 8689 */
    bool tls_optional; /* it goes whatever DANE and MTA-STS say (RFC 8460 section 5.3) */
};
bool queue_terms_any(const struct queue_terms *t);
void queue_terms_write(const struct queue_terms *t, struct buf *b);
MUST_USE bool queue_terms_read(struct scan *s, struct queue_terms *out);
/* Levels of the policy MIXER (RFC 6710 appendix B), in the order in which they go. */
enum queue_class { QUEUE_URGENT, QUEUE_NORMAL, QUEUE_LOW, QUEUE_CLASSES };
enum queue_class queue_terms_class(const struct queue_terms *t);
/* From when on a message is to be delivered: its age for pauses, warnings and the end counts from here. */
struct instant queue_terms_begin(const struct queue_terms *t, struct instant arrived);
/* Is its time over, so that it comes back (BY=...;R)? */
bool queue_terms_is_over(const struct queue_terms *t, struct instant now);

/* Of a report job: who waits still although the message's time is over (queue_terms_is_over()) has failed; but for what
 * is under way, which ends with its result.  ERR_NOT_FOUND: the message left the queue, and the job is over. */
MUST_USE SUSPENDS enum status queue_expire(struct queue *q, const struct queue_job *job,
                                           struct instant now, struct arena *a,
                                           struct queue_message *message_out);

#endif
