/* loop.c - epoll, the timer heap and the order of a turn.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/fiber_internal.h"
#include "rt/heap.h"
#include "rt/iobuf.h"

#define EVENTS_PER_TURN 128
#define HEAP_FIRST      64u

/* The key is where the timer stands in the heap; a timer moved to a later time keeps its old key
 * until that comes up, so key <= timer->due_ms always holds. */
struct heap_entry {
    int64_t key;
    struct timer *timer;
};
struct loop {
    int epoll_fd;
    bool stopping, firing;
    struct heap_entry *heap;
    uint32_t timers, heap_cap;
    struct list deferred;
    struct epoll_event events[EVENTS_PER_TURN];
    int event_count, event_next; /* those from event_next on are still to be handed out */
};

static _Thread_local struct loop *here;

static void run_events(int timeout_ms);
static int sleep_ms(bool more_fibers);
static void run_timers(void);
static void run_deferred(void);
static void heap_place(uint32_t i, struct heap_entry e);
static void heap_up(uint32_t i, struct heap_entry e);
static void heap_down(uint32_t i, struct heap_entry e);
static void heap_remove(uint32_t i);

void
loop_init(void)
{
    ASSERT(here == NULL);
    here = MEM_NEW(struct loop);
    here->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ASSERT(here->epoll_fd >= 0);
    list_init(&here->deferred);
    clock_refresh();
    fibers_init();
}

void
loop_release(void)
{
    struct list *node;

    ASSERT(here != NULL && fiber_self() == NULL);
    heap_release();
    offload_release();
    fibers_release();
    while ((node = list_pop(&here->deferred)) != NULL)
        list_init(node);
    for (uint32_t i = 0; i < here->timers; i++)
        here->heap[i].timer->slot = 0; /* it may be set again in another loop */
    logger_release();
    iobuf_pool_release();
    close(here->epoll_fd);
    mem_free(here->heap);
    mem_free(here);
    here = NULL;
    clock_forget();
}

void
loop_run(void)
{
    bool more = true; /* fibers may have been started before the first turn */

    ASSERT(here != NULL && fiber_self() == NULL);
    here->stopping = false;
    while (!here->stopping) {
        run_events(sleep_ms(more));
        if (here->event_count > 0)
            heap_turn();
        run_timers();
        more = fibers_run();
        run_deferred();
        more = more || fibers_ready();
    }
}

void
loop_stop(void)
{
    ASSERT(here != NULL);
    here->stopping = true;
}

bool
loop_exists(void)
{
    return here != NULL;
}

static int
sleep_ms(bool more_fibers)
{
    if (more_fibers || !list_empty(&here->deferred))
        return 0;
    if (here->timers == 0)
        return -1;
    int64_t ms = here->heap[0].key - clock_mono_us() / 1000;
    return ms <= 0 ? 0 : (int)MIN(ms, 3600 * 1000);
}

static void
run_events(int timeout_ms)
{
    int n = epoll_wait(here->epoll_fd, here->events, EVENTS_PER_TURN, timeout_ms);

    ASSERT(n >= 0 || errno == EINTR);
    clock_refresh();
    here->event_count = MAX(n, 0);
    here->event_next = 0;
    while (here->event_next < here->event_count) {
        struct epoll_event *e = &here->events[here->event_next++];
        struct watch *w = e->data.ptr;
        if (w != NULL)
            w->ready(w, e->events);
    }
}

static void
run_deferred(void)
{
    struct list batch;
    struct list *node;

    /* What this round defers again runs in the next turn: a ping-pong never starves the descriptors. */
    list_init(&batch);
    while ((node = list_pop(&here->deferred)) != NULL)
        list_push(&batch, node);
    while ((node = list_pop(&batch)) != NULL) {
        list_init(node);
        struct deferred *d = LIST_ENTRY(node, struct deferred, node);
        d->run(d);
    }
}

void
loop_defer(struct deferred *d)
{
    ASSERT(here != NULL && d->run != NULL);
    if (d->node.next == NULL || d->node.next == &d->node)
        list_push(&here->deferred, &d->node);
}

void
loop_undefer(struct deferred *d)
{
    if (d->node.next != NULL)
        list_remove(&d->node);
}

/* Watches. */

enum status
watch_start(struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    ASSERT(here != NULL && w->fd >= 0 && w->ready != NULL);
    return epoll_ctl(here->epoll_fd, EPOLL_CTL_ADD, w->fd, &e) == 0 ? OK : ERR_IO;
}

enum status
watch_change(struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    ASSERT(here != NULL && w->fd >= 0);
    return epoll_ctl(here->epoll_fd, EPOLL_CTL_MOD, w->fd, &e) == 0 ? OK : ERR_IO;
}

void
watch_stop(struct watch *w)
{
    ASSERT(here != NULL && w->fd >= 0);
    /* Fails only when the descriptor is closed already, and then the kernel forgot it by itself. */
    (void)epoll_ctl(here->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = here->event_next; i < here->event_count; i++) {
        if (here->events[i].data.ptr == w)
            here->events[i].data.ptr = NULL;
    }
}

/* Timers. */

void
timer_set(struct timer *t, int64_t delay_ms)
{
    ASSERT(delay_ms >= 0);
    /* Read afresh: a long turn must not make a timer fire early. */
    timer_set_at(t, (clock_mono_us() + 999) / 1000 + delay_ms);
}

void
timer_set_at(struct timer *t, int64_t due_ms)
{
    ASSERT(here != NULL && t->fire != NULL);
    /* A timer that sets itself to what is past already must not keep the loop from its descriptors. */
    if (here->firing && due_ms <= clock_mono_ms())
        due_ms = clock_mono_ms() + 1;
    t->due_ms = due_ms;
    if (t->slot != 0) {
        if (due_ms < here->heap[t->slot - 1].key)
            heap_up(t->slot - 1, (struct heap_entry){due_ms, t});
        return;
    }
    if (here->timers == here->heap_cap) {
        uint32_t cap = here->heap_cap == 0 ? HEAP_FIRST : here->heap_cap * 2;
        here->heap = mem_resize(here->heap, here->heap_cap * sizeof(struct heap_entry),
                                cap * sizeof(struct heap_entry));
        here->heap_cap = cap;
    }
    heap_up(here->timers++, (struct heap_entry){due_ms, t});
}

void
timer_stop(struct timer *t)
{
    if (t->slot != 0)
        heap_remove(t->slot - 1);
}

bool
timer_is_set(const struct timer *t)
{
    return t->slot != 0;
}

static void
run_timers(void)
{
    int64_t now = clock_mono_ms();

    here->firing = true;
    while (here->timers > 0 && here->heap[0].key <= now) {
        struct timer *t = here->heap[0].timer;
        if (t->due_ms > here->heap[0].key) { /* it was moved */
            heap_down(0, (struct heap_entry){t->due_ms, t});
            continue;
        }
        heap_remove(0);
        t->fire(t);
    }
    here->firing = false;
}

static void
heap_place(uint32_t i, struct heap_entry e)
{
    here->heap[i] = e;
    e.timer->slot = i + 1;
}

static void
heap_up(uint32_t i, struct heap_entry e)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 2;
        if (here->heap[parent].key <= e.key)
            break;
        heap_place(i, here->heap[parent]);
        i = parent;
    }
    heap_place(i, e);
}

static void
heap_down(uint32_t i, struct heap_entry e)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= here->timers)
            break;
        if (child + 1 < here->timers && here->heap[child + 1].key < here->heap[child].key)
            child++;
        if (here->heap[child].key >= e.key)
            break;
        heap_place(i, here->heap[child]);
        i = child;
    }
    heap_place(i, e);
}

static void
heap_remove(uint32_t i)
{
    struct heap_entry last = here->heap[--here->timers];

    ASSERT(i <= here->timers);
    here->heap[i].timer->slot = 0;
    if (i == here->timers)
        return;
    if (i > 0 && here->heap[(i - 1) / 2].key > last.key)
        heap_up(i, last);
    else
        heap_down(i, last);
}
