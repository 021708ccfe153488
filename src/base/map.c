/* map.c - open addressing with linear probing; deletion shifts entries back, leaving no tombstones.
 *
 * A run of full slots ends at an empty one.  Deleting from a run moves later entries of the same run
 * to lower slots, never anything across an empty slot.  map_next() therefore starts below an empty
 * slot and walks downwards, around the table: what a deletion moves has been visited already, and
 * moves to a slot not below the deleted one, which has been passed as well.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/status.h"

enum { SLOTS_MIN = 16, SHRINK_FACTOR = 16 };
#define SLOTS_MAX ((size_t)1 << 31)

struct slot {
    struct str key; /* ours; key.ptr is NULL in an empty slot */
    uint64_t hash;
    void *value;
};

struct map {
    size_t count;
    size_t slots_len; /* 0 or a power of two */
    struct slot *slots;
};

static size_t slot_find(const struct map *m, struct str key, uint64_t hash);
static void slot_empty(struct map *m, size_t hole);
static void map_make_room(struct map *m);
static void map_resize(struct map *m, size_t slots_len);

struct map *
map_new(void)
{
    return MEM_NEW(struct map);
}

void
map_free(struct map **m)
{
    if (*m == NULL)
        return;
    for (size_t i = 0; i < (*m)->slots_len; i++)
        mem_free((*m)->slots[i].key.ptr);
    mem_free((*m)->slots);
    mem_free(*m);
    *m = NULL;
}

size_t
map_count(const struct map *m)
{
    return m->count;
}

void *
map_get(const struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    return m->slots[slot_find(m, key, hash_seeded(key))].value;
}

void *
map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_seeded(key);

    ASSERT(value != NULL);
    if (m->count > 0) {
        struct slot *found = &m->slots[slot_find(m, key, hash)];
        if (found->key.ptr != NULL) {
            void *old = found->value;
            found->value = value;
            return old;
        }
    }
    map_make_room(m);
    m->slots[slot_find(m, key, hash)] = (struct slot){mem_str(key), hash, value};
    m->count++;
    return NULL;
}

void *
map_del(struct map *m, struct str key)
{
    if (m->count == 0)
        return NULL;
    size_t at = slot_find(m, key, hash_seeded(key));
    struct slot gone = m->slots[at];
    if (gone.key.ptr == NULL)
        return NULL;
    slot_empty(m, at);
    m->count--;
    mem_str_free(&gone.key); /* key itself may be this copy, from map_next() */
    return gone.value;
}

static_assert(sizeof(size_t) == 8, "the cursor holds two slot numbers");

/* The cursor is (where the walk started << 32) + slots left to see + 1. */
bool
map_next(const struct map *m, size_t *cursor, struct str *key_out, void **value_out)
{
    if (m->count == 0)
        return false;
    size_t mask = m->slots_len - 1;
    size_t start = *cursor >> 32;
    size_t left = (*cursor & UINT32_MAX) - 1;
    if (*cursor == 0) {
        for (start = 0; m->slots[start].key.ptr != NULL;)
            start++; /* ends: the table is never full */
        left = mask;
    }
    while (left > 0) {
        const struct slot *slot = &m->slots[(start + left) & mask];
        left--;
        if (slot->key.ptr != NULL) {
            *cursor = (start << 32) + left + 1;
            *key_out = slot->key;
            *value_out = slot->value;
            return true;
        }
    }
    *cursor = (start << 32) + 1;
    return false;
}

/* The slot of the key, or the empty one where it would go. */
static size_t
slot_find(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->slots_len - 1;
    size_t at = hash & mask;

    for (; m->slots[at].key.ptr != NULL; at = (at + 1) & mask) {
        if (m->slots[at].hash == hash && str_eq(m->slots[at].key, key))
            break;
    }
    return at;
}

/* Entries of the same run that belong at or before the hole move into it, which moves the hole. */
static void
slot_empty(struct map *m, size_t hole)
{
    size_t mask = m->slots_len - 1;

    for (size_t at = (hole + 1) & mask; m->slots[at].key.ptr != NULL; at = (at + 1) & mask) {
        size_t from_home = (at - m->slots[at].hash) & mask;
        size_t from_hole = (at - hole) & mask;
        if (from_home >= from_hole) {
            m->slots[hole] = m->slots[at];
            hole = at;
        }
    }
    m->slots[hole] = (struct slot){0};
}

/* For one more entry.  At most three quarters full; gives memory back after a flood has passed. */
static void
map_make_room(struct map *m)
{
    if (m->count + 1 > m->slots_len / 4 * 3) {
        ASSERT(m->slots_len < SLOTS_MAX);
        map_resize(m, m->slots_len > 0 ? m->slots_len * 2 : SLOTS_MIN);
    } else if (m->slots_len > SLOTS_MIN && m->count + 1 < m->slots_len / SHRINK_FACTOR) {
        map_resize(m, m->slots_len / 4);
    }
}

static void
map_resize(struct map *m, size_t slots_len)
{
    struct slot *old = m->slots;
    size_t old_len = m->slots_len;

    m->slots = MEM_ARRAY(struct slot, slots_len);
    m->slots_len = slots_len;
    for (size_t i = 0; i < old_len; i++) {
        if (old[i].key.ptr != NULL)
            m->slots[slot_find(m, old[i].key, old[i].hash)] = old[i];
    }
    mem_free(old);
}
