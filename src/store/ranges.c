/* ranges.c - lists of UIDs and mids as ranges: built in order, looked up, put in order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#include <stdlib.h>

static int by_first(const void *a, const void *b);
static size_t range_floor(struct uid_set s, uint32_t uid);

void
uid_list_add(struct uid_list *l, struct arena *a, uint32_t first, uint32_t last)
{
    struct uid_range *end = l->count > 0 ? &l->ranges[l->count - 1] : NULL;

    ASSERT(first <= last);
    if (end != NULL && end->last != UINT32_MAX && end->last + 1 == first) {
        end->last = last;
        return;
    }
    if (l->ranges == NULL || l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct uid_range *more = ARENA_ARRAY(a, struct uid_range, cap);
        mem_copy(more, l->ranges, l->count * sizeof(*more));
        l->ranges = more;
        l->cap = cap;
    }
    ASSERT(l->ranges != NULL);
    l->ranges[l->count++] = (struct uid_range){first, last};
}

void
uid_list_join(struct uid_list *l, const struct uid_list *more, struct arena *a)
{
    for (size_t i = 0; i < more->count; i++)
        uid_list_add(l, a, more->ranges[i].first, more->ranges[i].last);
}

struct uid_set
uid_list_set(const struct uid_list *l)
{
    return (struct uid_set){l->ranges, l->count};
}

void
id_list_add(struct id_list *l, struct arena *a, uint64_t id)
{
    struct id_range *end = l->count > 0 ? &l->ranges[l->count - 1] : NULL;

    if (end != NULL && end->last + 1 == id) {
        end->last = id;
        return;
    }
    if (l->ranges == NULL || l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct id_range *more = ARENA_ARRAY(a, struct id_range, cap);
        mem_copy(more, l->ranges, l->count * sizeof(*more));
        l->ranges = more;
        l->cap = cap;
    }
    ASSERT(l->ranges != NULL);
    l->ranges[l->count++] = (struct id_range){id, id};
}

bool
uid_set_has(struct uid_set s, uint32_t uid)
{
    size_t i = range_floor(s, uid);

    return i < s.count && s.ranges[i].first <= uid;
}

bool
uid_set_floor(struct uid_set s, uint32_t uid, uint32_t *out)
{
    size_t i = range_floor(s, uid);

    if (i == s.count)
        return false;
    *out = MAX(uid, s.ranges[i].first);
    return true;
}

struct uid_set
uid_set_normal(const struct uid_range *r, size_t n, struct arena *a)
{
    struct uid_list l = {0};
    struct uid_range *sorted = ARENA_ARRAY(a, struct uid_range, n + 1);

    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct uid_range){MIN(r[i].first, r[i].last), MAX(r[i].first, r[i].last)};
    qsort(sorted, n, sizeof(*sorted), by_first);
    for (size_t i = 0; i < n; i++) {
        struct uid_range *end = l.count > 0 ? &l.ranges[l.count - 1] : NULL;
        if (end != NULL && sorted[i].first <= end->last)
            end->last = MAX(end->last, sorted[i].last);
        else
            uid_list_add(&l, a, sorted[i].first, sorted[i].last);
    }
    return uid_list_set(&l);
}

static int
by_first(const void *a, const void *b)
{
    const struct uid_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* The first range that ends at or after uid. */
static size_t
range_floor(struct uid_set s, uint32_t uid)
{
    size_t low = 0, high = s.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s.ranges[middle].last < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
