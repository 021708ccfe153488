/* aged.h - a bounded map of things that have an age: when it is full, the oldest has to go.
 *
 * Owns:      the index and the order.  The entries are the caller's, who puts a struct aged_node into them, takes
 *            them out and frees them.
 * Promises:  never more than `max` entries; the oldest is the one added or renewed longest ago.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_AGED_H
#define BASE_AGED_H

#include "base/list.h"
#include "base/map.h"

struct aged_node {
    struct list order;
    struct str key; /* bytes inside the entry */
};
struct aged {
    struct map *by_key;
    struct list by_age; /* the oldest first */
    size_t max;
};
#define AGED_ENTRY(n, type, member) LIST_ENTRY(n, type, member)

void aged_init(struct aged *t, size_t max);
void aged_release(struct aged *t);                                /* it is empty */
struct aged_node *aged_get(const struct aged *t, struct str key); /* NULL: there is none */
/* As the youngest.  The key is new, and the map is not full. */
void aged_add(struct aged *t, struct aged_node *n, struct str key);
void aged_take(struct aged *t, struct aged_node *n);
void aged_renew(struct aged *t, struct aged_node *n);
bool aged_is_full(const struct aged *t);
struct aged_node *aged_oldest(const struct aged *t);   /* NULL: it is empty */
struct aged_node *aged_youngest(const struct aged *t); /* as above */
/* The next younger, the next older one, or NULL. */
struct aged_node *aged_after(const struct aged *t, const struct aged_node *n);
struct aged_node *aged_before(const struct aged *t, const struct aged_node *n);

#endif
