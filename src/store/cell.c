/* cell.c - open cells: reading committed values, dropping.  Transactions stand in cell_tx.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/cell_internal.h"

static void note_foreign(void *arg, struct cell_id id, uint64_t hint);
static struct str open_name(struct cell_id id, char name[9]);
static struct cell *cell_new(struct cells *cs, struct cell_id id);
static SUSPENDS enum status revalidate(struct cell *c);

struct cells *
cells_new(struct engine *e, size_t cache_bytes)
{
    struct cells *cs = MEM_NEW(struct cells);

    cs->engine = e;
    cs->open = map_new();
    cs->bytes_max = cache_bytes;
    list_init(&cs->lru);
    engine_subscribe(e, note_foreign, cs);
    return cs;
}

void
cells_free(struct cells **csp)
{
    struct cells *cs = *csp;

    if (cs == NULL)
        return;
    cs->bytes_max = 0;
    cells_evict(cs);
    ASSERT(map_count(cs->open) == 0 && cs->bytes == 0);
    engine_unsubscribe(cs->engine, note_foreign, cs);
    map_free(&cs->open);
    mem_free(cs);
    *csp = NULL;
}

struct engine *
cells_engine(struct cells *cs)
{
    return cs->engine;
}

void
cells_watch(struct cells *cs, struct store_watch *w)
{
    ASSERT(cs->watch == NULL || w == NULL);
    cs->watch = w;
}

struct cell *
cell_open(struct cells *cs, struct cell_id id)
{
    char name[9];
    struct cell *c = map_get(cs->open, open_name(id, name));

    if (c == NULL)
        c = cell_new(cs, id);
    c->refs++;
    return c;
}

void
cell_close(struct cell **cp)
{
    struct cell *c = *cp;

    if (c == NULL)
        return;
    *cp = NULL;
    ASSERT(c->refs > 0);
    if (--c->refs > 0)
        return;
    /* What only cancelled transactions wrote was never promised to anyone. */
    ASSERT(c->writer == NULL && !c->in_flight && list_empty(&cell_building(c)->members));
    cell_void(c, ERR_CANCELLED);
    cell_maybe_free(c);
}

struct cell_id
cell_id_of(const struct cell *c)
{
    return c->id;
}

struct cells *
cell_home(const struct cell *c)
{
    return c->home;
}

enum status
cell_version_load(struct cell *c)
{
    struct cell_version now;

    if (c->home->failed)
        return ERR_IO;
    if (c->version_known)
        return c->stale ? revalidate(c) : OK;
    TRY(cell_engine_version(c, &now));
    /* Others of this process may have read or written it meanwhile. */
    if (!c->version_known && !c->in_flight) {
        c->version = now;
        c->version_known = true;
        c->stale = false;
    }
    return OK;
}

enum status
cell_exists(struct cell *c)
{
    TRY(cell_version_load(c));
    return c->version_known && c->version.v == 0 ? ERR_NOT_FOUND : OK;
}

enum status
cell_get(struct cell *c, struct str key, struct arena *a, struct str *value_out)
{
    return cell_get_many(c, &key, 1, a, value_out);
}

enum status
cell_get_many(struct cell *c, const struct str *keys, size_t n, struct arena *a,
              struct str *values_out)
{
    size_t missing_count = 0;

    TRY(cell_version_load(c));
    struct str *missing = ARENA_ARRAY(a, struct str, n + 1);
    struct str *found = ARENA_ARRAY(a, struct str, n + 1);
    size_t *place = ARENA_ARRAY(a, size_t, n + 1);
    struct str *values = ARENA_ARRAY(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!cell_cached(c, keys[i], a, &values[i])) {
            missing[missing_count] = keys[i];
            place[missing_count++] = i;
        }
    }
    if (missing_count > 0)
        TRY(cell_read(c, missing, missing_count, a, found));
    for (size_t i = 0; i < missing_count; i++)
        values[place[i]] = found[i];
    for (size_t i = 0; i < n; i++)
        values_out[i] = values[i];
    return OK;
}

enum status
cell_walk_page(struct cell *c, struct cell_walk *w, struct arena *a,
               const struct cell_entry **entries_out, size_t *n_out)
{
    if (c->home->failed)
        return ERR_IO;
    return engine_walk(c->home->engine, w, a, entries_out, n_out);
}

void
cell_walk_end(struct cell *c, struct cell_walk *w)
{
    engine_walk_end(c->home->engine, w);
}

enum status
cell_drop(struct cell *c)
{
    TRY(fiber_lock_take(&c->build));
    enum status s = OK;
    while (s == OK && (c->in_flight || !list_empty(&cell_building(c)->members)))
        s = fiber_queue_wait(&c->moved, FIBER_FOREVER);
    if (s == OK)
        s = cell_version_load(c);
    if (s == OK)
        s = engine_drop(c->home->engine, c->id, c->version);
    if (s == OK || s == ERR_CONFLICT) {
        c->version_known = false;
        cell_forget(c);
    }
    if (s == ERR_IO)
        c->home->failed = true;
    fiber_lock_give(&c->build);
    return s;
}

bool
cell_cached(const struct cell *c, struct str key, struct arena *a, struct str *value_out)
{
    struct cell_key *k = cell_key_find(c, key);

    if (k == NULL || !k->known)
        return false;
    cell_key_used(k);
    *value_out = k->committed.ptr == NULL
                     ? STR_NONE
                     : arena_str(a, str_from(k->committed.ptr, k->committed.len));
    return true;
}

/* Values read at a version that is still the cell's go into the cache; a value that was committed and cached
 * while the read was under way is the newer one. */
enum status
cell_read(struct cell *c, const struct str *keys, size_t n, struct arena *a, struct str *values_out)
{
    struct cell_version at;

    TRY(cell_engine_get(c, keys, n, a, values_out, &at));
    for (size_t i = 0; i < n; i++) {
        if (cell_cached(c, keys[i], a, &values_out[i]))
            continue;
        if (c->version_known && at.v == c->version.v)
            cell_keep(c, keys[i], values_out[i]);
    }
    cells_evict(c->home);
    return OK;
}

void
cell_keep(struct cell *c, struct str key, struct str value)
{
    struct cell_key *k = cell_key_find(c, key);

    if (k != NULL && k->known)
        return;
    if (k == NULL)
        k = cell_key_make(c, key);
    cell_key_commit(k, value.ptr == NULL ? (struct cell_value){NULL, 0} : cell_value_of(value));
    cell_key_settle(k);
}

/* A cell that does not exist has version 0 and no keys. */
enum status
cell_engine_get(struct cell *c, const struct str *keys, size_t n, struct arena *a,
                struct str *values_out, struct cell_version *at_out)
{
    size_t done = 0;

    while (done < n) {
        struct cell_version at = {0};
        size_t step = MIN(n - done, CELL_READ_KEYS_MAX);
        enum status s =
            engine_get(c->home->engine, c->id, keys + done, step, a, values_out + done, &at);
        if (s == ERR_NOT_FOUND) {
            for (size_t i = 0; i < n; i++)
                values_out[i] = STR_NONE;
            *at_out = CELL_ABSENT;
            return OK;
        }
        TRY(s);
        if (done > 0 && at.v != at_out->v)
            return ERR_CONFLICT;
        *at_out = at;
        done += step;
    }
    return OK;
}

enum status
cell_engine_version(struct cell *c, struct cell_version *out)
{
    enum status s = engine_version(c->home->engine, c->id, out);

    if (s != ERR_NOT_FOUND)
        return s;
    *out = CELL_ABSENT;
    return OK;
}

/* Another node said that the cell moved on.  A writer in the middle is left to its commit, which will conflict. */
static enum status
revalidate(struct cell *c)
{
    struct cell_version now;
    uint64_t landings = c->landings;

    TRY(cell_engine_version(c, &now));
    if (c->in_flight || c->writer != NULL || c->landings != landings || !c->version_known)
        return OK;
    c->stale = false;
    if (now.v != c->version.v) {
        cell_void(c, ERR_CONFLICT);
        cell_forget(c);
        c->version = now;
    }
    return OK;
}

static void
note_foreign(void *arg, struct cell_id id, uint64_t hint)
{
    struct cells *cs = arg;
    char name[9];
    struct cell *c = map_get(cs->open, open_name(id, name));

    if (c != NULL && c->version_known && c->version.v != hint)
        c->stale = true;
}

static struct str
open_name(struct cell_id id, char name[9])
{
    name[0] = (char)id.kind;
    be64_put(name + 1, id.id);
    return str_from(name, 9);
}

static struct cell *
cell_new(struct cells *cs, struct cell_id id)
{
    struct cell *c = MEM_NEW(struct cell);
    char name[9];

    c->home = cs;
    c->id = id;
    c->keys = map_new();
    fiber_lock_init(&c->build);
    fiber_queue_init(&c->moved);
    group_init(&c->groups[0]);
    group_init(&c->groups[1]);
    map_put(cs->open, open_name(id, name), c);
    return c;
}
