/* aged.c - see aged.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/aged.h"

#include "base/status.h"

void
aged_init(struct aged *t, size_t max)
{
    ASSERT(max > 0);
    t->by_key = map_new();
    t->max = max;
    list_init(&t->by_age);
}

void
aged_release(struct aged *t)
{
    ASSERT(list_empty(&t->by_age));
    map_free(&t->by_key);
}

struct aged_node *
aged_get(const struct aged *t, struct str key)
{
    return map_get(t->by_key, key);
}

void
aged_add(struct aged *t, struct aged_node *n, struct str key)
{
    ASSERT(!aged_is_full(t));
    n->key = key;
    struct aged_node *other = map_put(t->by_key, key, n);
    ASSERT(other == NULL);
    list_push(&t->by_age, &n->order);
}

void
aged_take(struct aged *t, struct aged_node *n)
{
    struct aged_node *found = map_del(t->by_key, n->key);

    ASSERT(found == n);
    list_remove(&n->order);
}

void
aged_renew(struct aged *t, struct aged_node *n)
{
    list_remove(&n->order);
    list_push(&t->by_age, &n->order);
}

bool
aged_is_full(const struct aged *t)
{
    return map_count(t->by_key) >= t->max;
}

static struct aged_node *
node_at(const struct aged *t, struct list *l)
{
    return l == &t->by_age ? NULL : LIST_ENTRY(l, struct aged_node, order);
}

struct aged_node *
aged_oldest(const struct aged *t)
{
    return node_at(t, t->by_age.next);
}

struct aged_node *
aged_youngest(const struct aged *t)
{
    return node_at(t, t->by_age.prev);
}

struct aged_node *
aged_after(const struct aged *t, const struct aged_node *n)
{
    return node_at(t, n->order.next);
}

struct aged_node *
aged_before(const struct aged *t, const struct aged_node *n)
{
    return node_at(t, n->order.prev);
}
