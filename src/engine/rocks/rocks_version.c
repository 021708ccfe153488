/* rocks_version.c - what is known of cells: version, commit in flight, who waits for it.
 *
 * Owns:      a bounded cache; a cell that is pinned, awaited or in flight stays.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/rocks/rocks_internal.h"

#define VERSION_FORMAT  1u
#define VERSION_DROPPED 1u
#define VERSION_SIZE    10u

struct rocks_versions {
    struct map *cells;
    struct list lru; /* least recently used first; all of them */
};

static void cells_trim(struct rocks_versions *v);

struct rocks_versions *
rocks_versions_new(void)
{
    struct rocks_versions *v = MEM_NEW(struct rocks_versions);

    v->cells = map_new();
    list_init(&v->lru);
    return v;
}

void
rocks_versions_free(struct rocks_versions **v)
{
    if (!*v)
        return;
    for (struct list *node; (node = list_pop(&(*v)->lru)) != NULL;) {
        struct rocks_cell *cell = LIST_ENTRY(node, struct rocks_cell, lru);
        ASSERT(cell->pins == 0 && !cell->in_flight && list_empty(&cell->waiters));
        mem_free(cell);
    }
    map_free(&(*v)->cells);
    mem_free(*v);
    *v = NULL;
}

enum status
rocks_cell_pin(struct rocks *r, struct cell_id c, struct rocks_cell **out)
{
    char name[CELL_NAME_SIZE], room[ROCKS_KEY_MAX];
    struct rocks_versions *v = r->versions;

    cell_name(c, name);
    struct rocks_cell *cell = map_get(v->cells, str_from(name, sizeof(name)));
    if (!cell) {
        cells_trim(v);
        cell = MEM_NEW(struct rocks_cell);
        cell->id = c;
        list_init(&cell->lru);
        list_init(&cell->waiters);
        map_put(v->cells, str_from(name, sizeof(name)), cell);
    }
    list_remove(&cell->lru);
    list_push(&v->lru, &cell->lru);
    cell->pins++;
    if (!cell->known) {
        AUTO_VALUE value = {0};
        uint64_t version = 0;
        bool dropped = false;
        enum status status =
            rocks_read(r, CF_CELL, rocks_cell_key(c, str_from("", 1), room), &value);
        if (status == OK && value.slice)
            status = rocks_version_decode(value.bytes, &version, &dropped);
        /* Another fiber may have learnt it meanwhile, and changed it since. */
        if (status == OK && !cell->known) {
            cell->version = version;
            cell->dropped = dropped;
            cell->known = true;
        }
        if (status != OK && !cell->known) {
            rocks_cell_unpin(r, cell);
            return status;
        }
    }
    *out = cell;
    return OK;
}

void
rocks_cell_unpin(struct rocks *r, struct rocks_cell *cell)
{
    (void)r;
    ASSERT(cell->pins > 0);
    cell->pins--;
}

void
rocks_wait(struct list *waiters)
{
    struct rocks_waiter w = {0};

    list_push(waiters, &w.node);
    engine_event_wait(&w.event);
}

void
rocks_wake(struct list *waiters)
{
    for (struct list *node; (node = list_pop(waiters)) != NULL;)
        engine_event_set(&LIST_ENTRY(node, struct rocks_waiter, node)->event);
}

struct str
rocks_cell_key(struct cell_id c, struct str key, char *room)
{
    ASSERT(key.len <= ENGINE_KEY_MAX);
    cell_name(c, room);
    mem_copy(room + CELL_NAME_SIZE, key.ptr, key.len);
    return str_from(room, CELL_NAME_SIZE + key.len);
}

void
rocks_version_write(struct rocks *r, rocksdb_writebatch_t *w, struct cell_id c, uint64_t version,
                    bool dropped)
{
    char value[VERSION_SIZE], room[ROCKS_KEY_MAX];

    value[0] = VERSION_FORMAT;
    value[1] = dropped ? VERSION_DROPPED : 0;
    be64_put(value + 2, version);
    rocks_put(r, w, CF_CELL, rocks_cell_key(c, str_from("", 1), room),
              str_from(value, sizeof(value)));
}

enum status
rocks_version_decode(struct str value, uint64_t *version_out, bool *dropped_out)
{
    if (value.len != VERSION_SIZE || value.ptr[0] != VERSION_FORMAT || be64_get(value.ptr + 2) == 0)
        return ERR_CORRUPT;
    *version_out = be64_get(value.ptr + 2);
    *dropped_out = ((uint8_t)value.ptr[1] & VERSION_DROPPED) != 0;
    return OK;
}

/* Makes room for one more.  Busy cells at the old end are moved to the young one. */
static void
cells_trim(struct rocks_versions *v)
{
    char name[CELL_NAME_SIZE];

    for (int i = 0; i < 4 && map_count(v->cells) >= ROCKS_CELLS_CACHED; i++) {
        struct list *node = list_pop(&v->lru);
        ASSERT(node != NULL);
        struct rocks_cell *cell = LIST_ENTRY(node, struct rocks_cell, lru);
        if (cell->pins > 0 || cell->in_flight || !list_empty(&cell->waiters)) {
            list_push(&v->lru, node);
            continue;
        }
        cell_name(cell->id, name);
        map_del(v->cells, str_from(name, sizeof(name)));
        mem_free(cell);
    }
}
