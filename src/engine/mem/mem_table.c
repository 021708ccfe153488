/* mem_table.c - an ordered map of owned bytes as one sorted array: small, and easy to trust.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

size_t
mem_table_floor(const struct mem_table *t, struct str key)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(t->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mem_entry *
mem_table_find(const struct mem_table *t, struct str key)
{
    size_t i = mem_table_floor(t, key);

    return i < t->count && str_eq(t->entries[i].key, key) ? &t->entries[i] : NULL;
}

void
mem_table_put(struct mem_table *t, struct str key, struct str value)
{
    struct mem_entry *old = mem_table_find(t, key);

    if (old) {
        mem_str_free(&old->value);
        old->value = mem_str(value);
        return;
    }
    if (t->count == t->capacity) {
        size_t capacity = MAX(t->capacity * 2, 8u);
        t->entries = mem_resize(t->entries, t->capacity * sizeof(*t->entries),
                                capacity * sizeof(*t->entries));
        t->capacity = capacity;
    }
    size_t at = mem_table_floor(t, key);
    mem_move(&t->entries[at + 1], &t->entries[at], (t->count - at) * sizeof(*t->entries));
    t->entries[at] = (struct mem_entry){mem_str(key), mem_str(value)};
    t->count++;
}

void
mem_table_del(struct mem_table *t, struct str key)
{
    struct mem_entry *old = mem_table_find(t, key);

    if (!old)
        return;
    size_t at = (size_t)(old - t->entries);
    mem_str_free(&old->key);
    mem_str_free(&old->value);
    t->count--;
    mem_move(old, old + 1, (t->count - at) * sizeof(*t->entries));
}

void
mem_table_release(struct mem_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        mem_str_free(&t->entries[i].key);
        mem_str_free(&t->entries[i].value);
    }
    mem_free(t->entries);
    *t = (struct mem_table){0};
}
