/* terms.h - what MAIL asks of the delivery: the values of HOLDFOR and HOLDUNTIL (FUTURERELEASE, RFC 4865), of BY
 * (DELIVERBY, RFC 2852), of MT-PRIORITY (RFC 6710).
 *
 * Owns:      nothing.
 * Promises:  what is read is in the range of its grammar; on failure *out is untouched.
 * Never:     suspends, reads a clock, knows what this server allows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_TERMS_H
#define SMTP_TERMS_H

#include "base/scan.h"
#include "base/time.h"

/* When the time of BY is over.  Order of by_mode in store.ipc. */
enum smtp_by_mode { SMTP_BY_NONE, SMTP_BY_NOTIFY, SMTP_BY_RETURN };

/* A part of struct smtp_mail.  What is zero was not asked. */
struct smtp_terms {
    struct instant hold_until; /* not to be delivered before */
    struct str hold_asked;     /* "for;" seconds, or "until;" time, as a report repeats it */
    enum smtp_by_mode by_mode;
    struct instant by; /* to be delivered until then */
    bool by_trace;     /* the sender hears of each relay */
    bool has_priority; /* it was said */
    int32_t priority;  /* -9 to 9; 0 when it was not */
    bool require_tls;  /* REQUIRETLS, RFC 8689 */
    bool tls_optional; /* of a report of ours about TLS: it goes whatever DANE and MTA-STS say */
};

/* future-release-interval: 1 to 999999999 seconds */
MUST_USE bool smtp_hold_for_read(struct str value, uint32_t *seconds_out);
/* future-release-date-time: 2026-12-01T08:30:00Z, also with a fraction of a second */
MUST_USE bool smtp_hold_until_read(struct str value, struct instant *out);
/* by-value: seconds from now on, which may be over already */
struct smtp_by {
    int32_t seconds;
    enum smtp_by_mode mode;
    bool trace;
};
MUST_USE bool smtp_by_read(struct str value, struct smtp_by *out);
/* As it is said to the next server now. */
void smtp_by_write(struct buf *b, const struct smtp_terms *t, struct instant now);
/* What is left now, in whole seconds, within what can be said. */
int32_t smtp_by_left(const struct smtp_terms *t, struct instant now);
/* priority-value: -9 to 9 */
MUST_USE bool smtp_priority_read(struct str value, int32_t *out);
/* A time as it is announced; whole seconds, the fraction is cut off. */
void smtp_date_time_write(struct buf *b, struct instant t);

#endif
