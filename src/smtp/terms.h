/* terms.h - what MAIL asks of the delivery: the values of HOLDFOR and HOLDUNTIL (FUTURERELEASE, RFC 4865).
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

/* A part of struct smtp_mail.  What is zero was not asked. */
struct smtp_terms {
    struct instant hold_until; /* not to be delivered before */
    struct str hold_asked;     /* "for;" seconds, or "until;" time, as a report repeats it */
};

/* future-release-interval: 1 to 999999999 seconds */
MUST_USE bool smtp_hold_for_read(struct str value, uint32_t *seconds_out);
/* future-release-date-time: 2026-12-01T08:30:00Z, also with a fraction of a second */
MUST_USE bool smtp_hold_until_read(struct str value, struct instant *out);
/* The same as it is announced; whole seconds, the fraction is cut off. */
void smtp_date_time_write(struct buf *b, struct instant t);

#endif
