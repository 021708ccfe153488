/* holders.h - how many messages of one client are before filters at once, in this process.
 *
 * Owns:      the counts.  Whoever took one gives it back.
 * Limits:    strangers of one address (a /32 or /64) hold LIMIT_FILTER_HOLDERS; who is known here is not counted.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_HOLDERS_H
#define SMTP_HOLDERS_H

#include "base/subnet.h"
#include "smtp/session.h"

struct smtp_holder {
    char client[SUBNET_KEY_MAX];
    size_t len; /* 0: not counted */
};
extern const struct smtp_reply smtp_holders_full; /* what a client with too many is told */
/* False: it has too many. */
MUST_USE bool smtp_holder_take(const struct smtp_session *s, struct smtp_holder *h);
void smtp_holder_release(struct smtp_holder *h); /* safe twice */

#endif
