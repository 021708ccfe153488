/* outbound.h - how much an account sends to other servers within a day: key Y of its cell.
 *
 * Counted are messages with a recipient elsewhere, and recipients elsewhere to whom the account never wrote before
 * (correspondents.h).  A day is this hour and the 23 before it, so room comes back hour by hour.
 *
 * Promises:  outbound_charge() says yes at most as often as the limits allow within a day, also across restarts: the
 *            count is durable before the answer.  What does not fit changes nothing but the count of what is held.
 *            Nothing is held for ever: a message to more new recipients than a day has goes once it was held for a
 *            day and is the only one to new recipients within a day; and what is held goes before what is new.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_OUTBOUND_H
#define STORE_OUTBOUND_H

#include "base/time.h"
#include "store/cell.h"

#define OUTBOUND_HOURS 24u

struct outbound_message {
    const uint64_t *rcpts; /* correspondent_hash() of each; first those elsewhere */
    size_t count, foreign;
    uint32_t messages_max, recipients_max; /* a day; 0 = no limit */
    bool again;                            /* it was held, and is asked about once more */
    struct instant arrived;                /* then: since when */
    bool held;                             /* it is for another reason: nobody is told */
    bool
        behind; /* others of the account are held: it goes only where it takes nothing from the first of them */
};
struct outbound_answer {
    bool fits;
    bool too_much;                 /* nor may it be held: LIMIT_OUTBOUND_HELD were within a day */
    bool tell;                     /* the account's owner is to be told now, once a day */
    bool by_recipients;            /* they are what does not fit */
    uint32_t messages, recipients; /* of the day, with this one if it fits */
    uint32_t fresh;                /* recipients elsewhere to whom it never wrote */
};
/* Enters the recipients as correspondents when it fits. */
MUST_USE SUSPENDS enum status outbound_charge(struct cell *account,
                                              const struct outbound_message *m, struct instant now,
                                              struct outbound_answer *out);

/* ---- the value, as it is kept ---- */
struct outbound_hour {
    uint32_t messages, recipients, held;
};
struct outbound_value {
    uint32_t hour;                           /* since 1970: the last one that is counted */
    uint32_t told;                           /* the hour of the last notice; 0 = none */
    struct outbound_hour at[OUTBOUND_HOURS]; /* by hour modulo 24 */
};
void outbound_value_write(const struct outbound_value *v, struct buf *b);
/* value.ptr NULL: nothing was sent. */
MUST_USE enum status outbound_value_read(struct str value, struct outbound_value *out);

#endif
