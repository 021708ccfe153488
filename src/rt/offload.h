/* offload.h - blocking work on a bounded pool of threads, awaited by a fiber.
 *
 * Promises:  work runs on some pool thread; the fiber resumes on its own loop afterwards.  At most
 *            queue_max jobs wait: one more is ERR_LIMIT, never a growing line.
 * Never:     lets the work touch loop, fiber or conn state.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_OFFLOAD_H
#define RT_OFFLOAD_H

#include <stdint.h>

#include "base/status.h"

struct offload_pool;
MUST_USE enum status offload_new(const char *name, uint32_t threads, uint32_t queue_max,
                                 struct offload_pool **out);
void offload_free(struct offload_pool **p); /* waits for running work */
/* The work always completes before this returns, even when the fiber is cancelled meanwhile. */
MUST_USE SUSPENDS enum status rt_offload(struct offload_pool *p, void (*work)(void *arg),
                                         void *arg);

/* From other threads to this loop: post() is safe from any thread, deliver() runs on the loop. */
struct offload_inbox;
MUST_USE enum status offload_inbox_new(void (*deliver)(void *item), struct offload_inbox **out);
void offload_inbox_free(struct offload_inbox **i);
void offload_inbox_post(struct offload_inbox *i, void *item); /* one eventfd write per batch */

#endif
