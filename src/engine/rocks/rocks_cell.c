/* rocks_cell.c - reading cells: keys, records, and walks over a pinned version.
 *
 * A read is answered on the loop when all of it is in memtables or the block cache.  While no commit to
 * the cell is in flight nothing of it can change between two suspends, so no snapshot is needed; else,
 * and for the pool, one is taken.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/rocks/rocks_internal.h"

struct get_job {
    const struct rocks *r;
    struct cell_id cell;
    enum rocks_family cf;
    rocksdb_readoptions_t *how;
    const struct str *keys; /* whole keys of the family */
    struct rocks_value *values;
    size_t n;
    enum status status;
};

static SUSPENDS enum status get_many(struct rocks *r, struct rocks_cell *cell, struct get_job *job,
                                     struct cell_version *version_out);
static SUSPENDS enum status get_pinned(struct rocks *r, struct rocks_cell *cell,
                                       struct get_job *job, struct cell_version *version_out);
static void get_work(void *arg);

/* Runs a get of whole keys and copies what it found. */
static SUSPENDS enum status
get_copy(struct rocks *r, struct get_job *job, struct arena *a, struct str *values_out,
         struct cell_version *version_out)
{
    struct rocks_cell *cell;

    TRY(rocks_cell_pin(r, job->cell, &cell));
    job->values = MEM_ARRAY(struct rocks_value, MAX(job->n, 1u));
    enum status status = get_many(r, cell, job, version_out);
    for (size_t i = 0; i < job->n; i++) {
        if (status == OK)
            values_out[i] = job->values[i].slice ? arena_str(a, job->values[i].bytes) : STR_NONE;
        rocks_value_release(&job->values[i]);
    }
    mem_free(job->values);
    rocks_cell_unpin(r, cell);
    return status;
}

enum status
rocks_get(struct engine *e, struct cell_id c, const struct str *keys, size_t n, struct arena *a,
          struct str *values_out, struct cell_version *version_out)
{
    struct rocks *r = rocks_of(e);
    size_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += CELL_NAME_SIZE + keys[i].len;
    char *room = mem_alloc(MAX(size, 1u));
    struct str *whole = MEM_ARRAY(struct str, MAX(n, 1u));
    char *at = room;
    for (size_t i = 0; i < n; i++) {
        whole[i] = rocks_cell_key(c, keys[i], at);
        at += whole[i].len;
    }
    struct get_job job = {.r = r, .cell = c, .cf = CF_CELL, .keys = whole, .n = n};
    enum status status = get_copy(r, &job, a, values_out, version_out);
    mem_free(whole);
    mem_free(room);
    return status;
}

enum status
rocks_records(struct engine *e, struct cell_id c, const uint64_t *numbers, size_t n,
              struct arena *a, struct str *records_out)
{
    enum { SIZE = CELL_NAME_SIZE + 8 };
    struct rocks *r = rocks_of(e);
    char *room = mem_array(MAX(n, 1u), SIZE);
    struct str *whole = MEM_ARRAY(struct str, MAX(n, 1u));
    struct cell_version version;
    char number[8];

    for (size_t i = 0; i < n; i++) {
        be64_put(number, numbers[i]);
        whole[i] = rocks_cell_key(c, str_from(number, sizeof(number)), room + i * SIZE);
    }
    struct get_job job = {.r = r, .cell = c, .cf = CF_RECORD, .keys = whole, .n = n};
    enum status status = get_copy(r, &job, a, records_out, &version);
    mem_free(whole);
    mem_free(room);
    return status;
}

enum status
rocks_version(struct engine *e, struct cell_id c, struct cell_version *out)
{
    struct rocks *r = rocks_of(e);
    struct rocks_cell *cell;

    TRY(rocks_cell_pin(r, c, &cell));
    enum status status = cell->dropped ? ERR_NOT_FOUND : OK;
    if (status == OK)
        *out = (struct cell_version){cell->version};
    rocks_cell_unpin(r, cell);
    return status;
}

static SUSPENDS enum status
get_many(struct rocks *r, struct rocks_cell *cell, struct get_job *job,
         struct cell_version *version_out)
{
    if (cell->dropped)
        return ERR_NOT_FOUND;
    if (cell->in_flight)
        return get_pinned(r, cell, job, version_out);
    *version_out = (struct cell_version){cell->version};
    if (cell->version == 0)
        return OK;
    job->how = r->read_cached;
    get_work(job);
    if (job->status != ERR_TEMP)
        return job->status;
    return get_pinned(r, cell, job, version_out);
}

/* Under a snapshot; the version is part of it, because a commit in flight may be in it or not. */
static SUSPENDS enum status
get_pinned(struct rocks *r, struct rocks_cell *cell, struct get_job *job,
           struct cell_version *version_out)
{
    const rocksdb_snapshot_t *snapshot = rocksdb_create_snapshot(r->db);
    rocksdb_readoptions_t *how = rocksdb_readoptions_create();
    char room[ROCKS_KEY_MAX];
    AUTO_VALUE version = {0};
    bool dropped = false;
    uint64_t v = 0;

    rocksdb_readoptions_set_snapshot(how, snapshot);
    rocksdb_readoptions_set_read_tier(how, 1);
    job->how = how;
    struct str key = rocks_cell_key(cell->id, str_from("", 1), room);
    struct get_job head = {
        .r = r, .cf = CF_CELL, .how = how, .keys = &key, .values = &version, .n = 1};
    get_work(&head);
    if (head.status == OK)
        get_work(job);
    else
        job->status = head.status;
    if (job->status == ERR_TEMP) {
        rocksdb_readoptions_set_read_tier(how, 0);
        enum status status = head.status == OK ? OK : rocks_pool(r, get_work, &head);
        if (status == OK)
            status = rocks_pool(r, get_work, job);
        if (status != OK)
            job->status = status;
    }
    enum status status = head.status == OK ? job->status : head.status;
    if (status == OK && version.slice)
        status = rocks_version_decode(version.bytes, &v, &dropped);
    rocksdb_readoptions_destroy(how);
    rocksdb_release_snapshot(r->db, snapshot);
    if (status == OK)
        *version_out = (struct cell_version){v};
    return dropped ? ERR_NOT_FOUND : status;
}

/* On the loop or on a pool thread.  Values found before a miss are let go and read again. */
static void
get_work(void *arg)
{
    struct get_job *job = arg;

    job->status = OK;
    for (size_t i = 0; i < job->n && job->status == OK; i++) {
        rocks_value_release(&job->values[i]);
        job->status = rocks_fetch(job->r, job->cf, job->keys[i], job->how, &job->values[i]);
    }
}
