/* cell_cache.c - cached keys of all cells, least recently used first out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/cell_internal.h"

/* What an entry costs beside its key and value: itself, its place and key in the map. */
#define KEY_OVERHEAD (sizeof(struct cell_key) + 64)

static size_t cost(const struct cell_key *k);

struct cell_key *
cell_key_find(const struct cell *c, struct str key)
{
    return map_get(c->keys, key);
}

struct cell_key *
cell_key_make(struct cell *c, struct str key)
{
    struct cell_key *k = mem_alloc(sizeof(*k) + key.len);

    list_init(&k->lru);
    k->cell = c;
    k->key_len = key.len;
    mem_copy(k->key, key.ptr, key.len);
    ASSERT(map_put(c->keys, key, k) == NULL);
    c->home->bytes += cost(k);
    return k;
}

void
cell_key_used(struct cell_key *k)
{
    if (list_empty(&k->lru))
        return;
    list_remove(&k->lru);
    list_push_front(&k->cell->home->lru, &k->lru);
}

void
cell_key_commit(struct cell_key *k, struct cell_value value)
{
    k->cell->home->bytes += value.len;
    k->cell->home->bytes -= k->committed.len;
    mem_free(k->committed.ptr);
    k->committed = value;
    k->known = true;
}

void
cell_key_free(struct cell_key *k)
{
    ASSERT(!k->slots[0].set && !k->slots[1].set);
    k->cell->home->bytes -= cost(k);
    list_remove(&k->lru);
    map_del(k->cell->keys, str_from(k->key, k->key_len));
    mem_free(k->committed.ptr);
    mem_free(k);
}

/* Never NULL, also for an empty value. */
struct cell_value
cell_value_of(struct str s)
{
    struct cell_value v = {mem_alloc(s.len + 1), s.len};

    mem_copy(v.ptr, s.ptr, s.len);
    return v;
}

void
cell_key_settle(struct cell_key *k)
{
    if (k->slots[0].set || k->slots[1].set)
        return;
    if (!k->known) {
        cell_key_free(k);
        return;
    }
    list_remove(&k->lru);
    list_push_front(&k->cell->home->lru, &k->lru);
}

void
cells_evict(struct cells *cs)
{
    while (cs->bytes > cs->bytes_max && !list_empty(&cs->lru)) {
        struct cell_key *k = LIST_ENTRY(cs->lru.prev, struct cell_key, lru);
        struct cell *c = k->cell;
        cell_key_free(k);
        cell_maybe_free(c);
    }
}

void
cell_forget(struct cell *c)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(c->keys, &cursor, &key, &value)) {
        struct cell_key *k = value;
        k->known = false;
        c->home->bytes -= k->committed.len;
        mem_free(k->committed.ptr);
        k->committed = (struct cell_value){NULL, 0};
        cell_key_settle(k);
    }
}

void
cell_maybe_free(struct cell *c)
{
    char name[9];

    if (c->refs > 0 || map_count(c->keys) > 0 || c->in_flight)
        return;
    name[0] = (char)c->id.kind;
    be64_put(name + 1, c->id.id);
    map_del(c->home->open, str_from(name, sizeof(name)));
    group_release(&c->groups[0]);
    group_release(&c->groups[1]);
    map_free(&c->keys);
    mem_free(c);
}

static size_t
cost(const struct cell_key *k)
{
    return KEY_OVERHEAD + 2 * k->key_len + k->committed.len;
}
