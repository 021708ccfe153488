/* quota_internal.h - quotas inside a change of an account: is there room, and key Q.
 *
 * Promises:  a notice of a level is due once, when the use reaches it, and not again before the use fell
 *            LIMIT_QUOTA_MARGIN below; the commit that adds the notice says that it was given.  The time of the first
 *            refusal stays until mail is removed or the quota raised.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUOTA_INTERNAL_H
#define STORE_QUOTA_INTERNAL_H

#include "store/work.h"

struct quota_more { /* what is to be added */
    uint64_t bytes, messages;
    bool grace; /* it may go LIMIT_QUOTA_GRACE above the quota */
};
/* OK, ERR_QUOTA. */
MUST_USE enum status quota_has_room(const struct head_value *h, const struct quota_more *m);
/* The level that the use is at. */
enum quota_level quota_level(const struct head_value *h);
/* Of committed data. */
MUST_USE SUSPENDS enum status quota_load(struct cell *account, struct arena *a,
                                         struct quota_value *out);
/* The level of which the owner is to be told now, or QUOTA_FINE. */
MUST_USE SUSPENDS enum status quota_due(struct work *w, uint8_t *level_out);
/* This change adds the notice of the level; false: it is not due any more. */
MUST_USE SUSPENDS enum status quota_told(struct work *w, uint8_t level, bool *due_out);
/* Since when mail is refused, from this change on at the latest. */
MUST_USE SUSPENDS enum status quota_refused(struct work *w, struct instant *since_out);
/* For work_commit(): the use fell, or the quota is another. */
MUST_USE SUSPENDS enum status quota_follow(struct work *w);

#endif
