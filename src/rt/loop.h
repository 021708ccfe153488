/* loop.h - the event loop of a role: epoll, timers, ready fibers.  The only home of callbacks.
 *
 * Owns:      the epoll descriptor and the timer heap of this thread.
 * Promises:  callbacks run on the loop's stack and never suspend; a timer fires at or after its time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_LOOP_H
#define RT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

void loop_init(void); /* once per thread, before anything else of rt */
void loop_release(void);
void loop_run(void); /* until loop_stop() */
void loop_stop(void);

struct timer {
    int64_t due_ms;
    uint32_t slot; /* place in the heap + 1, 0 = not set */
    void (*fire)(struct timer *t);
};
void timer_set(struct timer *t, int64_t delay_ms); /* also moves a set timer */
void timer_stop(struct timer *t);                  /* safe when not set */
bool timer_is_set(const struct timer *t);

/* For descriptors that no fiber waits for.  events: EPOLLIN | EPOLLOUT | EPOLLET ... */
struct watch {
    int fd;
    void (*ready)(struct watch *w, uint32_t events);
};
MUST_USE enum status watch_start(struct watch *w, uint32_t events);
MUST_USE enum status watch_change(struct watch *w, uint32_t events);
void watch_stop(struct watch *w);

#endif
