/* mem_world.c - what outlives an in-memory engine: cells and blobs under a name.
 *
 * Owns:      the process-wide list of worlds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

static struct list worlds = {&worlds, &worlds};

static void cells_free(struct map **cells);
static void blobs_free(struct map **blobs);

struct mem_world *
mem_world_find(const char *name)
{
    list_each (node, &worlds) {
        struct mem_world *w = LIST_ENTRY(node, struct mem_world, node);
        if (str_eq(str_of(w->name), str_of(name)))
            return w;
    }
    return NULL;
}

/* The world of that name, made when it is new; NULL names a private one. */
struct mem_world *
mem_world_open(const char *name)
{
    struct mem_world *w = name ? mem_world_find(name) : NULL;

    if (w)
        return w;
    w = MEM_NEW(struct mem_world);
    w->cells = map_new();
    w->blobs = map_new();
    w->version_next = 1;
    list_init(&w->engines);
    list_init(&w->node);
    if (name) {
        struct str s = str_of(name);
        w->name = mem_alloc(s.len + 1);
        mem_copy(w->name, s.ptr, s.len);
        list_push(&worlds, &w->node);
    }
    return w;
}

void
mem_world_free(struct mem_world **w)
{
    if (!*w)
        return;
    ASSERT(list_empty(&(*w)->engines));
    list_remove(&(*w)->node);
    cells_free(&(*w)->cells);
    blobs_free(&(*w)->blobs);
    mem_free((*w)->name);
    mem_free(*w);
    *w = NULL;
}

void
engine_mem_forget(const char *path)
{
    struct mem_world *w = mem_world_find(path);

    mem_world_free(&w);
}

struct mem_cell *
mem_cell_find(struct mem_world *w, struct cell_id c)
{
    char name[CELL_NAME_SIZE];

    cell_name(c, name);
    return map_get(w->cells, str_from(name, sizeof(name)));
}

struct mem_cell *
mem_cell_make(struct mem_world *w, struct cell_id c)
{
    char name[CELL_NAME_SIZE];
    struct mem_cell *cell = mem_cell_find(w, c);

    if (cell)
        return cell;
    cell = MEM_NEW(struct mem_cell);
    list_init(&cell->waiters);
    cell_name(c, name);
    map_put(w->cells, str_from(name, sizeof(name)), cell);
    return cell;
}

struct mem_blob *
mem_blob_find(struct mem_world *w, struct blob_id id)
{
    return map_get(w->blobs, blob_key(&id));
}

struct blob_id
mem_blob_add(struct mem_engine *m, struct str owned)
{
    struct mem_blob *blob = MEM_NEW(struct mem_blob);
    struct blob_id id = blob_id_random();

    blob->bytes = owned;
    blob->pending = m;
    map_put(m->world->blobs, blob_key(&id), blob);
    return id;
}

void
mem_blob_del(struct mem_world *w, struct blob_id id)
{
    struct mem_blob *blob = map_del(w->blobs, blob_key(&id));

    if (blob)
        mem_str_free(&blob->bytes);
    mem_free(blob);
}

void
mem_blobs_forget(struct mem_engine *m)
{
    struct str key;
    void *value;

    for (size_t cursor = 0; map_next(m->world->blobs, &cursor, &key, &value);) {
        const struct mem_blob *blob = value;
        struct blob_id id;
        mem_copy(id.bytes, key.ptr, sizeof(id.bytes));
        if (blob->pending == m)
            mem_blob_del(m->world, id);
    }
}

static void
cells_free(struct map **cells)
{
    struct str key;
    void *value;

    for (size_t cursor = 0; map_next(*cells, &cursor, &key, &value);) {
        struct mem_cell *cell = value;
        ASSERT(list_empty(&cell->waiters));
        mem_table_release(&cell->keys);
        mem_table_release(&cell->records);
        mem_free(cell);
    }
    map_free(cells);
}

static void
blobs_free(struct map **blobs)
{
    struct str key;
    void *value;

    for (size_t cursor = 0; map_next(*blobs, &cursor, &key, &value);) {
        struct mem_blob *blob = value;
        mem_str_free(&blob->bytes);
        mem_free(blob);
    }
    map_free(blobs);
}
