/* queue_items.h - what waits in a lane of the queue: 16 bytes a message, as a heap or as a line.
 *
 * An item is a promise to look at a message, no more: who takes it reads the message and finds out whether there is
 * anything to do (queue_read()).  So what an operator drops or holds need not be searched for here.
 *
 * Owns:      its array, which grows and shrinks with what is in it.
 * Never:     suspends; fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_ITEMS_H
#define STORE_QUEUE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ITEM_QID_MAX ((UINT64_C(1) << 60) - 1) /* queue_head_read() knows no greater one */

struct item {
    int64_t due_us;
    uint64_t qid : 60;
    uint64_t class : 2; /* enum queue_class */
    uint64_t fresh : 1; /* was never tried */
    uint64_t hurry : 1; /* to be tried whatever is known of the destination, and before its time */
};
struct items { /* zeroed = empty */
    struct item *at;
    size_t first, count, room;
};
void items_release(struct items *l);
/* A line: first in, first out. */
void items_push(struct items *l, struct item it);
bool items_pop(struct items *l, struct item *out);
/* A heap: the earliest stands at at[0].  One struct is used as either, never as both. */
void items_heap_push(struct items *l, struct item it);
bool items_heap_pop(struct items *l, struct item *out);
/* Takes the message out wherever it stands; false: not there.  Looks at everything. */
bool items_take(struct items *l, uint64_t qid, struct item *out);
bool items_heap_take(struct items *l, uint64_t qid, struct item *out);

#endif
