/* fiber_sync.c - what fibers wait on: locks, queues and descriptors.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/epoll.h>

#include "rt/fiber_internal.h"

/* Stands on the stack of the fiber that waits. */
struct waiter {
    struct list node;
    struct fiber *fiber;
    bool done;
};

struct fd_waiter {
    struct watch watch;
    struct fiber *fiber;
    bool done;
};

static struct fiber *release_first(struct list *waiters);
static void fd_ready(struct watch *w, uint32_t events);

void
fiber_lock_init(struct fiber_lock *l)
{
    l->owner = NULL;
    list_init(&l->waiters);
}

enum status
fiber_lock_take(struct fiber_lock *l)
{
    struct waiter w = {.fiber = fiber_self()};

    ASSERT(w.fiber != NULL && l->owner != w.fiber);
    if (l->owner == NULL) {
        l->owner = w.fiber;
        return OK;
    }
    list_push(&l->waiters, &w.node);
    enum status s = fiber_park_for(&w.done, FIBER_FOREVER, false);
    if (s != OK)
        list_remove(&w.node);
    return s;
}

void
fiber_lock_give(struct fiber_lock *l)
{
    ASSERT(l->owner != NULL && l->owner == fiber_self());
    /* Handed over, not freed: nobody who comes later overtakes. */
    l->owner = release_first(&l->waiters);
}

void
fiber_queue_init(struct fiber_queue *q)
{
    list_init(&q->waiters);
}

enum status
fiber_queue_wait(struct fiber_queue *q, int64_t timeout_ms)
{
    struct waiter w = {.fiber = fiber_self()};

    ASSERT(w.fiber != NULL);
    list_push(&q->waiters, &w.node);
    enum status s = fiber_park_for(&w.done, timeout_ms, false);
    if (s != OK)
        list_remove(&w.node);
    return s;
}

bool
fiber_queue_wake_one(struct fiber_queue *q)
{
    return release_first(&q->waiters) != NULL;
}

void
fiber_queue_wake_all(struct fiber_queue *q)
{
    while (fiber_queue_wake_one(q)) {
    }
}

/* Wakes the first who still wants it; the cancelled are on their way out and would waste it. */
static struct fiber *
release_first(struct list *waiters)
{
    struct list *node;

    while ((node = list_pop(waiters)) != NULL) {
        struct waiter *w = LIST_ENTRY(node, struct waiter, node);
        list_init(node);
        if (w->fiber->cancelled)
            continue;
        fiber_done(w->fiber, &w->done);
        return w->fiber;
    }
    return NULL;
}

/* ---- crews ---- */

void
fiber_crew_init(struct fiber_crew *c, struct fiber_share *share)
{
    *c = (struct fiber_crew){.share = share};
}

enum status
fiber_crew_go(struct fiber_crew *c, void (*entry)(void *arg), void *arg)
{
    if (c->share != NULL && c->share->at_work >= c->share->max)
        return ERR_LIMIT;
    TRY(fiber_go(entry, arg));
    c->at_work++;
    if (c->share != NULL)
        c->share->at_work++;
    return OK;
}

void
fiber_crew_leave(struct fiber_crew *c)
{
    ASSERT(c->at_work > 0);
    c->at_work--;
    if (c->share != NULL)
        c->share->at_work--;
    if (c->at_work == 0 && c->waiter != NULL)
        fiber_done(c->waiter, &c->done);
}

void
fiber_crew_wait(struct fiber_crew *c)
{
    ASSERT(c->waiter == NULL);
    if (c->at_work == 0)
        return;
    c->waiter = fiber_self();
    enum status st = fiber_park_for(&c->done, FIBER_FOREVER, true);
    ASSERT(st == OK);
}

enum status
fiber_wait_fd(int fd, uint32_t events, int64_t timeout_ms)
{
    struct fd_waiter w = {.watch = {.fd = fd, .ready = fd_ready}, .fiber = fiber_self()};

    ASSERT(w.fiber != NULL);
    TRY(watch_start(&w.watch, events | EPOLLONESHOT));
    enum status s = fiber_park_for(&w.done, timeout_ms, false);
    watch_stop(&w.watch);
    return s;
}

static void
fd_ready(struct watch *watch, uint32_t events)
{
    struct fd_waiter *w = (struct fd_waiter *)(void *)watch;

    (void)events;
    fiber_done(w->fiber, &w->done);
}
