/* account.h - one account: made, measured, limited, dropped.  An account is a cell of kind 'a'.
 *
 * Owns:      the head of the cell (counters, quota) and its background work.
 * Promises:  quota is exact: bytes and messages count each message once, however many mailboxes hold it, from the
 *            commit that adds it to the commit that removes its last placement.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/time.h"
#include "store/cell.h"
#include "store/keys.h"

/* A counted reference to an account's cell; cell_close() gives it back. */
struct cell *account_open(struct cells *c, uint64_t id);

struct account_quota {
    uint64_t bytes, messages; /* 0 = none */
};
struct account_info {
    uint64_t id;
    uint64_t modseq; /* of the last change of anything */
    uint64_t bytes, messages;
    struct account_quota quota;
    uint32_t mailboxes;
    struct instant created;
    bool has_work;             /* account_reap() would find something, now or later */
    uint8_t notice;            /* enum quota_level: the owner is to be told of it now; or 0 */
    struct instant full_since; /* of the first refusal since room was made; 0 = none */
};
/* With INBOX, Drafts, Sent, Junk, Trash and Archive, special uses set, all subscribed.  ERR_EXISTS: the id is or was
 * in use.  The limits of the quota hold for new messages only. */
MUST_USE SUSPENDS enum status account_create(struct cell *account, struct account_quota quota,
                                             struct instant now);
MUST_USE SUSPENDS enum status account_info(struct cell *account, struct account_info *out);
MUST_USE SUSPENDS enum status account_set_quota(struct cell *account, struct account_quota quota);
/* Would a message of this size be taken now?  OK, ERR_QUOTA, ERR_NO_SPACE, ERR_NOT_FOUND. */
MUST_USE SUSPENDS enum status account_has_room(struct cell *account, uint64_t size);
/* Mail was refused with ERR_QUOTA.  *since_out: when the first was since mail was removed or the quota raised. */
MUST_USE SUSPENDS enum status account_refused(struct cell *account, struct instant now,
                                              struct instant *since_out);
/* One bounded step towards the end of the account; call again while *more_out.  The first step makes it ERR_NOT_FOUND
 * for everything else; bodies go with it. */
MUST_USE SUSPENDS enum status account_drop(struct cell *account, bool *more_out);
/* How many messages of an account that is being dropped are still there. */
MUST_USE SUSPENDS enum status account_left(struct cell *account, uint64_t *messages_out);
/* One bounded step of background work: empties deleted mailboxes, undoes copies that a crash cut off,
 * removes bodies whose grace is over.  *more_out: call again soon. */
MUST_USE SUSPENDS enum status account_reap(struct cell *account, struct instant now,
                                           bool *more_out);

#endif
