/* mem.c - the in-memory engine: opening, reading, closing.
 *
 * Owns:      its place in a world (see engine_faults.h).
 * Promises:  the contract of engine.h, with the failures that a test asks for and, in the cluster profile,
 *            the manners of many machines: reads take time and overtake each other, commits conflict
 *            without cause, answers get lost, cells have a key limit, publications are lossy.
 * Never:     used for real mail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

static const struct engine_faults cluster_manners = {
    .conflict_percent = 4,
    .ambiguous_percent = 4,
    .publish_lost_percent = 20,
    .delay_max_ms = 2,
};

static SUSPENDS enum status mem_read(struct mem_engine *m, struct cell_id c,
                                     const struct mem_cell **out);
static bool in_range(struct str key, struct str hi);

struct mem_engine *
mem_of(struct engine *e)
{
    ASSERT(e->ops == &engine_mem_ops);
    return (struct mem_engine *)e;
}

static enum status
mem_open(const struct engine_options *o, struct engine **out, struct problem *why)
{
    struct mem_world *w = mem_world_open(o->path);

    if (!list_empty(&w->engines) && !o->cluster_profile) {
        problem_set(why, 0, "", "The data \"%.100s\" is in use by another store.", o->path);
        return ERR_EXISTS;
    }
    struct mem_engine *m = MEM_NEW(struct mem_engine);
    m->world = w;
    m->cluster = o->cluster_profile;
    if (m->cluster)
        m->faults = cluster_manners;
    list_init(&m->in_flight);
    list_init(&m->notes);
    list_push(&w->engines, &m->in_world);
    *out = &m->base;
    return OK;
}

static SUSPENDS void
mem_close(struct engine *e)
{
    struct mem_engine *m = mem_of(e);

    while (!list_empty(&m->in_flight))
        engine_pause(0);
    mem_notes_release(m);
    mem_blobs_forget(m);
    list_remove(&m->in_world);
    if (!m->world->name)
        mem_world_free(&m->world);
    mem_free(m);
}

static SUSPENDS enum status
mem_get(struct engine *e, struct cell_id c, const struct str *keys, size_t n, struct arena *a,
        struct str *values_out, struct cell_version *version_out)
{
    const struct mem_cell *cell;

    TRY(mem_read(mem_of(e), c, &cell));
    for (size_t i = 0; i < n; i++) {
        const struct mem_entry *entry = cell ? mem_table_find(&cell->keys, keys[i]) : NULL;
        values_out[i] = entry ? arena_str(a, entry->value) : STR_NONE;
    }
    *version_out = (struct cell_version){cell ? cell->version : 0};
    return OK;
}

/* The position is kept as the last key given: a cell's array may move between two pages. */
struct mem_walk {
    struct str last;
};

static SUSPENDS enum status
mem_walk(struct engine *e, struct cell_walk *w, struct arena *a,
         const struct cell_entry **entries_out, size_t *n_out)
{
    const struct mem_cell *cell;
    struct mem_walk *at = w->state;

    TRY(mem_read(mem_of(e), w->cell, &cell));
    uint64_t version = cell ? cell->version : 0;
    if (at && version != w->version.v)
        return ERR_CONFLICT;
    w->version = (struct cell_version){version};
    if (!at)
        w->state = at = MEM_NEW(struct mem_walk);

    size_t first = 0, n = 0, bytes = 0;
    if (cell) {
        first = mem_table_floor(&cell->keys, at->last.ptr ? at->last : w->lo);
        first += at->last.ptr && mem_table_find(&cell->keys, at->last);
    }
    while (cell && first + n < cell->keys.count) {
        const struct mem_entry *entry = &cell->keys.entries[first + n];
        bytes += entry->key.len + entry->value.len;
        if (!in_range(entry->key, w->hi) || (n > 0 && bytes > w->bytes_max))
            break;
        n++;
    }
    struct cell_entry *page = n ? ARENA_ARRAY(a, struct cell_entry, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct mem_entry *entry = &cell->keys.entries[first + i];
        page[i] = (struct cell_entry){arena_str(a, entry->key), arena_str(a, entry->value)};
    }
    if (n) {
        mem_str_free(&at->last);
        at->last = mem_str(page[n - 1].key);
    }
    *entries_out = page;
    *n_out = n;
    return OK;
}

static void
mem_walk_end(struct engine *e, struct cell_walk *w)
{
    struct mem_walk *at = w->state;

    (void)e;
    mem_str_free(&at->last);
    mem_free(at);
    w->state = NULL;
}

static SUSPENDS enum status
mem_version(struct engine *e, struct cell_id c, struct cell_version *out)
{
    const struct mem_cell *cell;

    TRY(mem_read(mem_of(e), c, &cell));
    *out = (struct cell_version){cell ? cell->version : 0};
    return OK;
}

static SUSPENDS enum status
mem_records(struct engine *e, struct cell_id c, const uint64_t *numbers, size_t n, struct arena *a,
            struct str *records_out)
{
    const struct mem_cell *cell;
    char number[8];

    TRY(mem_read(mem_of(e), c, &cell));
    for (size_t i = 0; i < n; i++) {
        be64_put(number, numbers[i]);
        const struct mem_entry *entry =
            cell ? mem_table_find(&cell->records, str_from(number, sizeof(number))) : NULL;
        records_out[i] = entry ? arena_str(a, entry->value) : STR_NONE;
    }
    return OK;
}

static SUSPENDS enum status
mem_upkeep(struct engine *e)
{
    return mem_call(mem_of(e));
}

/* A world has no files to link; a copy under another name would prove nothing. */
static enum status
mem_checkpoint(struct engine *e, const char *dest)
{
    (void)dest;
    return e->failed ? ERR_IO : ERR_DENIED;
}

const struct engine_ops engine_mem_ops = {
    .open = mem_open,
    .close = mem_close,
    .get = mem_get,
    .walk = mem_walk,
    .walk_end = mem_walk_end,
    .commit = mem_commit,
    .drop = mem_drop,
    .version = mem_version,
    .records = mem_records,
    .blob_new = mem_blob_new,
    .blob_add = mem_blob_add_bytes,
    .blob_end = mem_blob_end,
    .blob_drop = mem_blob_drop,
    .blob_forget = mem_blob_forget,
    .blob_read = mem_blob_read,
    .blob_size = mem_blob_size,
    .publish = mem_publish,
    .upkeep = mem_upkeep,
    .checkpoint = mem_checkpoint,
};

/* A read's call, delay and look-up.  *out is NULL for a cell that nobody made. */
static SUSPENDS enum status
mem_read(struct mem_engine *m, struct cell_id c, const struct mem_cell **out)
{
    TRY(mem_call(m));
    mem_delay(m, false);
    if (m->base.failed)
        return ERR_IO;
    const struct mem_cell *cell = mem_cell_find(m->world, c);
    if (cell && cell->dropped)
        return ERR_NOT_FOUND;
    *out = cell && cell->version ? cell : NULL;
    return OK;
}

static bool
in_range(struct str key, struct str hi)
{
    return hi.len == 0 || str_cmp(key, hi) < 0;
}
