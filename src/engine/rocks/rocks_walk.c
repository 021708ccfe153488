/* rocks_walk.c - pages of a cell's entries, all from the snapshot at which the walk began.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/rocks/rocks_internal.h"

struct rocks_walk {
    struct rocks *r;
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *how;
    struct buf next;         /* whole key to begin the next page at */
    char end[ROCKS_KEY_MAX]; /* whole key before which the walk ends */
    size_t end_size;
    bool done;
    /* One page: */
    size_t bytes_max;
    struct buf bytes; /* keys without the cell's name, and values */
    struct walk_sizes *sizes;
    size_t n, capacity;
    enum status status;
};
struct walk_sizes {
    size_t key, value;
};

static enum status walk_start(struct rocks *r, struct cell_walk *w, struct rocks_cell *cell);
static void walk_page(void *arg);
static enum status iterator_status(rocksdb_iterator_t *i);
static void walk_free(struct rocks_walk *at);

enum status
rocks_walk(struct engine *e, struct cell_walk *w, struct arena *a,
           const struct cell_entry **entries_out, size_t *n_out)
{
    struct rocks *r = rocks_of(e);

    if (!w->state) {
        struct rocks_cell *cell;
        TRY(rocks_cell_pin(r, w->cell, &cell));
        enum status status = cell->dropped ? ERR_NOT_FOUND : walk_start(r, w, cell);
        rocks_cell_unpin(r, cell);
        TRY(status);
    }
    struct rocks_walk *at = w->state;
    at->bytes_max = w->bytes_max;
    rocksdb_readoptions_set_read_tier(at->how, 1);
    walk_page(at);
    if (at->status == ERR_TEMP) {
        rocksdb_readoptions_set_read_tier(at->how, 0);
        TRY(rocks_pool(r, walk_page, at));
    }
    TRY(at->status);
    *n_out = at->n;
    if (at->n == 0) {
        *entries_out = NULL;
        return OK;
    }
    struct cell_entry *page = ARENA_ARRAY(a, struct cell_entry, at->n);
    const char *p = arena_dup(a, at->bytes.ptr, at->bytes.len);
    for (size_t i = 0; i < at->n; i++) {
        page[i].key = str_from(p, at->sizes[i].key);
        p += at->sizes[i].key;
        page[i].value = str_from(p, at->sizes[i].value);
        p += at->sizes[i].value;
    }
    *entries_out = page;
    return OK;
}

void
rocks_walk_end(struct engine *e, struct cell_walk *w)
{
    (void)e;
    walk_free(w->state);
    w->state = NULL;
}

/* A snapshot, the version in it, and the range as whole keys.  The cell's version key is never part of
 * a walk, so an empty lo begins right behind it. */
static SUSPENDS enum status
walk_start(struct rocks *r, struct cell_walk *w, struct rocks_cell *cell)
{
    struct rocks_walk *at = MEM_NEW(struct rocks_walk);
    char room[ROCKS_KEY_MAX];
    uint64_t version = cell->version;
    bool dropped = false;
    enum status status = OK;

    at->r = r;
    at->snapshot = rocksdb_create_snapshot(r->db);
    at->how = rocksdb_readoptions_create();
    buf_init(&at->next, ROCKS_KEY_MAX + 1);
    buf_init(&at->bytes, SIZE_MAX);
    rocksdb_readoptions_set_snapshot(at->how, at->snapshot);
    if (cell->in_flight) {
        AUTO_VALUE value = {0};
        version = 0;
        status = rocks_fetch(r, CF_CELL, rocks_cell_key(w->cell, str_from("", 1), room), at->how,
                             &value);
        if (status == OK && value.slice)
            status = rocks_version_decode(value.bytes, &version, &dropped);
    }
    if (status != OK || dropped) {
        walk_free(at);
        return dropped ? ERR_NOT_FOUND : status;
    }
    buf_add(&at->next, rocks_cell_key(w->cell, w->lo.len ? w->lo : STR("\1"), room));
    struct cell_id after = {w->cell.kind, w->cell.id + 1};
    if (w->cell.id == UINT64_MAX)
        after = (struct cell_id){(uint8_t)(w->cell.kind + 1), 0};
    struct str end = w->hi.len ? rocks_cell_key(w->cell, w->hi, at->end)
                               : rocks_cell_key(after, STR(""), at->end);
    at->end_size = end.len;
    rocksdb_readoptions_set_iterate_upper_bound(at->how, at->end, at->end_size);
    at->done = version == 0;
    w->version = (struct cell_version){version};
    w->state = at;
    return OK;
}

static void
walk_take(struct rocks_walk *at, struct str key, struct str value)
{
    if (at->n == at->capacity) {
        size_t capacity = MAX(at->capacity * 2, 64u);
        at->sizes =
            mem_resize(at->sizes, at->capacity * sizeof(*at->sizes), capacity * sizeof(*at->sizes));
        at->capacity = capacity;
    }
    at->sizes[at->n++] = (struct walk_sizes){key.len, value.len};
    buf_add(&at->bytes, key);
    buf_add(&at->bytes, value);
}

/* Collects a page; on the loop or on a pool thread.  ERR_TEMP: nothing moved, a block is not cached. */
static void
walk_page(void *arg)
{
    struct rocks_walk *at = arg;

    at->n = 0;
    buf_reset(&at->bytes);
    at->status = OK;
    if (at->done)
        return;
    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(at->r->db, at->how, at->r->cf[CF_CELL]);
    struct str key = STR_NONE, value;
    bool full = false;
    for (rocksdb_iter_seek(i, at->next.ptr, at->next.len); rocksdb_iter_valid(i) && !full;
         rocksdb_iter_next(i)) {
        key.ptr = rocksdb_iter_key(i, &key.len);
        value.ptr = rocksdb_iter_value(i, &value.len);
        size_t size = key.len - CELL_NAME_SIZE + value.len;
        full = at->n > 0 && at->bytes.len + size > at->bytes_max;
        if (full)
            break;
        walk_take(at, str_skip(key, CELL_NAME_SIZE), value);
    }
    at->status = iterator_status(i);
    if (at->status == OK && full) {
        buf_reset(&at->next);
        buf_add(&at->next, key);
    }
    at->done = at->status == OK && !full;
    rocksdb_iter_destroy(i);
}

static enum status
iterator_status(rocksdb_iterator_t *i)
{
    char *error = NULL;

    rocksdb_iter_get_error(i, &error);
    return rocks_read_error(error);
}

static void
walk_free(struct rocks_walk *at)
{
    rocksdb_readoptions_destroy(at->how);
    rocksdb_release_snapshot(at->r->db, at->snapshot);
    buf_release(&at->next);
    buf_release(&at->bytes);
    mem_free(at->sizes);
    mem_free(at);
}
