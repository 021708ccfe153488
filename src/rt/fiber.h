/* fiber.h - straight-line code that may wait without holding a thread.
 *
 * Owns:      a capped pool of stacks (64 KiB, guard page, canary checked at each switch).
 * Promises:  a fiber runs until it parks or returns; nothing else of its loop runs meanwhile.
 *            Nobody kills a fiber: after fiber_cancel() its current and next parks return
 *            ERR_CANCELLED and it unwinds by ordinary return.  errno is kept across a park.
 * Never:     waits for a peer's next input (a resting connection is data, see conn.h).
 * Threads:   one loop per thread; a fiber never moves to another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_FIBER_H
#define RT_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/status.h"

struct fiber;
#define FIBER_FOREVER (-1)

/* Starts entry(arg) in this turn of the loop.  ERR_LIMIT when the pool is at its cap. */
MUST_USE enum status fiber_go(void (*entry)(void *arg), void *arg);
struct fiber *fiber_self(void); /* NULL outside fibers */
/* Parks until fiber_wake(), timeout_ms or cancellation: OK, ERR_TIMEOUT, ERR_CANCELLED.
 * A wake that came before the park is not lost. */
MUST_USE SUSPENDS enum status fiber_park(int64_t timeout_ms);
void fiber_wake(struct fiber *f); /* from the same loop's thread */
void fiber_cancel(struct fiber *f);
/* Parks until fiber_done(f, done); a fiber_wake() meanwhile is kept for the next fiber_park().
 * Shielded: cancellation waits until this returns. */
MUST_USE SUSPENDS enum status fiber_park_for(const bool *done, int64_t timeout_ms, bool shielded);
void fiber_done(struct fiber *f, bool *done);
MUST_USE SUSPENDS enum status fiber_sleep(int64_t ms);
SUSPENDS void fiber_yield(void); /* lets the rest of the loop run once */
/* Waits until fd has one of events (EPOLLIN, EPOLLOUT ...).  One fiber per fd. */
MUST_USE SUSPENDS enum status fiber_wait_fd(int fd, uint32_t events, int64_t timeout_ms);
uint32_t fiber_count(void);
void fiber_pool_limit(uint32_t fibers_max);

/* Log context that follows the fiber: session id and user, set by the session layer. */
struct fiber_context {
    uint64_t session;
    char user[128];
};
struct fiber_context *fiber_context(void); /* never NULL; outside fibers a static one */

/* FIFO lock and condition between the fibers of one loop. */
struct fiber_lock {
    struct fiber *owner;
    struct list waiters;
};
void fiber_lock_init(struct fiber_lock *l);
MUST_USE SUSPENDS enum status fiber_lock_take(struct fiber_lock *l); /* OK or ERR_CANCELLED */
void fiber_lock_give(struct fiber_lock *l);

struct fiber_queue {
    struct list waiters;
};
void fiber_queue_init(struct fiber_queue *q);
MUST_USE SUSPENDS enum status fiber_queue_wait(struct fiber_queue *q, int64_t timeout_ms);
bool fiber_queue_wake_one(struct fiber_queue *q); /* false when nobody waited */
void fiber_queue_wake_all(struct fiber_queue *q);

/* How many fibers some crews may have together, so that their kind of work leaves enough for the rest. */
struct fiber_share {
    uint32_t at_work, max;
};
/* Fibers at work side by side for one that waits until all of them have left. */
struct fiber_crew {
    struct fiber_share *share; /* NULL: only all fibers together are bounded */
    struct fiber *waiter;      /* NULL: does not wait yet */
    uint32_t at_work;
    bool done;
};
void fiber_crew_init(struct fiber_crew *c, struct fiber_share *share);
/* As fiber_go(), and ERR_LIMIT also where the share is used up; the entry says fiber_crew_leave() as its last act. */
MUST_USE enum status fiber_crew_go(struct fiber_crew *c, void (*entry)(void *arg), void *arg);
void fiber_crew_leave(struct fiber_crew *c);
/* Once, whether or not anybody works.  Shielded: what the crew works on stays until this returns. */
SUSPENDS void fiber_crew_wait(struct fiber_crew *c);

#endif
