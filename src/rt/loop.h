/* loop.h - the event loop of a role: epoll, timers, ready fibers.  The only home of callbacks.
 *
 * Owns:      the epoll descriptor and the timer heap of this thread.
 * Promises:  callbacks run on the loop's stack and never suspend; a timer fires at or after its time.
 *            A turn is: descriptors, timers, fibers until none is ready, deferred work.
 *            No callback of a watch comes after watch_stop().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/status.h"

void loop_init(void);    /* once per thread, before anything else of rt */
void loop_release(void); /* fibers that never ended lose their stacks */
void loop_run(void);     /* until loop_stop() */
void loop_stop(void);
bool loop_exists(void); /* in this thread */

struct timer {
    int64_t due_ms;
    uint32_t slot; /* place in the heap + 1, 0 = not set */
    void (*fire)(struct timer *t);
};
/* Moving a set timer to a later time is one store: the heap learns of it when the old time comes. */
void timer_set(struct timer *t, int64_t delay_ms);  /* also moves a set timer */
void timer_set_at(struct timer *t, int64_t due_ms); /* on the scale of clock_mono_ms() */
void timer_stop(struct timer *t);                   /* safe when not set */
bool timer_is_set(const struct timer *t);

/* Work for the end of this turn, after every ready fiber has run: batches what they produced.
 * A zeroed struct with run is ready for use.  Deferring twice runs once. */
struct deferred {
    struct list node;
    void (*run)(struct deferred *d);
};
void loop_defer(struct deferred *d);
void loop_undefer(struct deferred *d); /* safe when not deferred */

/* For descriptors that no fiber waits for.  events: EPOLLIN | EPOLLOUT | EPOLLET ... */
struct watch {
    int fd;
    void (*ready)(struct watch *w, uint32_t events);
};
MUST_USE enum status watch_start(struct watch *w, uint32_t events);
MUST_USE enum status watch_change(struct watch *w, uint32_t events);
void watch_stop(struct watch *w);

#endif
