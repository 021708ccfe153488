/* hold.h - a session's calls of the store, held while that is restarted.
 *
 *     do {
 *         TRY(hold_store(&s->hold, &world->store, &store));
 *         e = store_body_call(store, &req, a, &rep);
 *     } while (hold_read_again(&s->hold, e));
 *
 * Owns:      nothing; struct hold is a member of the session, and begins as zeroes.
 * Promises:  a read whose answer was lost is asked again; a write only when it surely was not made, since it met a
 *            store that did not know the session yet: auth had not told it.  A session waits LIMIT_STORE_HOLD_S for a
 *            store, once until one answers again, so that a long outage does not slow every command down.
 * Suspends:  all but hold_store_now() and hold_forgotten().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IPC_HOLD_H
#define IPC_HOLD_H

#include "rt/ipc.h"

struct hold {
    uint64_t asked,
        known;         /* incarnation of the store asked last, and of that which last took a call */
    int64_t away_ms;   /* since when calls fail for want of a store; 0: they do not */
    int64_t denied_ms; /* since when a new store does not know the session */
};
/* The channel of now, or NULL. */
struct ipc_peer *hold_store_now(struct hold *h, struct ipc_peer *const *where);
/* The channel of now, or when there is none the next one; where is read again after each wait.  ERR_TEMP: none. */
MUST_USE SUSPENDS enum status hold_store(struct hold *h, struct ipc_peer *const *where,
                                         struct ipc_peer **out);
/* After a call that ended with e: shall it be made again?  Waits a little before it says yes. */
SUSPENDS bool hold_read_again(struct hold *h, enum status e);
SUSPENDS bool hold_write_again(struct hold *h, enum status e);
/* Is ERR_DENIED of the last call for want of a grant in a store that was started anew? */
bool hold_forgotten(const struct hold *h);
/* This process ends: nobody waits for a store any more. */
void hold_end(void);
/* For tests: waits no longer than this. */
void hold_testing(int64_t ms);

#endif
