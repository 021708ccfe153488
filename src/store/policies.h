/* policies.h - policies of other domains about mail to them (MTA-STS), as they were fetched: a restart forgets none.
 *
 * Owns:      cell 'c' 8: domain -> version, when it was fetched, until when it holds, its id, its text.
 * Promises:  a put is durable when it returns.  At most LIMIT_STS_DOMAINS; those that are over go when room is needed.
 * Never:     knows what a text means.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_POLICIES_H
#define STORE_POLICIES_H

#include "base/time.h"
#include "store/cell.h"

#define POLICY_ID_MAX 32u

struct policies;
struct policy_kept {
    struct str id, text;
    struct instant fetched, until;
};
struct policies *policies_new(struct cells *c);
void policies_free(struct policies **p);
/* ERR_NOT_FOUND: there is none.  One that is over is given all the same. */
MUST_USE SUSPENDS enum status policies_get(struct policies *p, struct str domain, struct arena *a,
                                           struct policy_kept *out);
/* ERR_LIMIT: there are LIMIT_STS_DOMAINS others that hold at now, or the text is too long. */
MUST_USE SUSPENDS enum status policies_put(struct policies *p, struct str domain,
                                           const struct policy_kept *one, struct instant now);

/* A value of the cell, as it is kept. */
void policy_value_write(const struct policy_kept *k, struct buf *b);
MUST_USE enum status policy_value_read(struct str value, struct policy_kept *out);

#endif
