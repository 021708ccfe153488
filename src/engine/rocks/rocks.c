/* rocks.c - opening and closing the engine of one machine.
 *
 * Owns:      the data directory:  FORMAT, MARK, cells/ (RocksDB, which locks it), bodies/ (segments).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/rocks/rocks_blob_internal.h"
#include "engine/rocks/rocks_upkeep_internal.h"
#include "rt/disk.h"

#define THREADS_DEFAULT 2u
#define POOL_LINE_MAX   16384u
#define CACHE_DEFAULT   (16u << 20)
#define INLINE_MOST     65536u

struct open_job {
    struct rocks *r;
    uint64_t cache_bytes;
    struct problem *why;
    enum status status;
};

struct rocks *
rocks_of(struct engine *e)
{
    return (struct rocks *)e;
}

static enum status
directory_make(const char *path, struct problem *why)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    problem_set(why, 0, "", "The folder %.150s cannot be made.", path);
    return errno == ENOSPC ? ERR_NO_SPACE : ERR_DENIED;
}

/* FORMAT is there before anything that it describes.  A database without it is not ours to touch. */
static enum status
format_ensure(struct rocks *r, struct problem *why)
{
    char path[ROCKS_PATH_MAX + 16];
    struct stat st;
    enum status status = rocks_format_check(r->path, why);

    if (status != ERR_NOT_FOUND)
        return status;
    snprintf(path, sizeof(path), "%s/cells", r->path);
    if (stat(path, &st) == 0) {
        problem_set(why, 0, "", "The data in %.120s has no FORMAT file.", r->path);
        return ERR_CORRUPT;
    }
    status = rocks_format_write(r->path);
    if (status != OK)
        problem_set(why, 0, "", "The data directory %.120s cannot be written.", r->path);
    return status;
}

/* Before RocksDB looks: its recovery throws away the log behind the damage, and with it the evidence. */
static enum status
mark_raise(struct rocks *r, struct problem *why)
{
    uint64_t mark, logged;
    enum status status = rocks_mark_read(r->path, &mark);

    if (status == OK)
        status = rocks_wal_highest(r->path, &logged);
    if (status == OK && logged > mark + 1)
        status = rocks_mark_write(r->path, logged - 1);
    if (status != OK)
        problem_set(why, 0, "", "The mark or the write-ahead log in %.120s cannot be read (%s).",
                    r->path, status_name(status));
    return status;
}

static enum status
mark_check(struct rocks *r, struct problem *why)
{
    uint64_t recovered = rocksdb_get_latest_sequence_number(r->db), mark;
    enum status status = rocks_mark_read(r->path, &mark);

    if (status != OK) {
        problem_set(why, 0, "", "The file %.120s/MARK is damaged.", r->path);
        return status;
    }
    if (recovered < mark) {
        problem_set(
            why, 0, "",
            "Changes %llu to %llu were acknowledged but are missing: the write-ahead log is "
            "damaged; restore a backup.",
            (unsigned long long)recovered + 1, (unsigned long long)mark);
        return ERR_CORRUPT;
    }
    r->upkeep->marked = mark;
    return OK;
}

static enum status
inline_last(struct rocks *r)
{
    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(r->db, r->read_full, r->cf[CF_INLINE]);
    char *error = NULL;
    size_t n;

    rocksdb_iter_seek_to_last(i);
    if (rocksdb_iter_valid(i)) {
        const char *key = rocksdb_iter_key(i, &n);
        r->inline_next = n == 8 ? be64_get(key) : 0;
    }
    rocksdb_iter_get_error(i, &error);
    rocksdb_iter_destroy(i);
    r->upkeep->inline_seen = r->inline_next;
    return rocks_error(error);
}

static void
open_work(void *arg)
{
    struct open_job *job = arg;
    struct rocks *r = job->r;
    char bodies[ROCKS_PATH_MAX + 16];
    uint64_t free_bytes, total_bytes;

    snprintf(bodies, sizeof(bodies), "%s/bodies", r->path);
    job->status = directory_make(r->path, job->why);
    if (job->status == OK)
        job->status = format_ensure(r, job->why);
    if (job->status == OK)
        job->status = directory_make(bodies, job->why);
    if (job->status == OK && r->sync)
        job->status = mark_raise(r, job->why);
    if (job->status == OK)
        job->status = rocks_db_open(r, job->cache_bytes, job->why);
    if (job->status == OK) /* the names of both folders: else all in them may go with the power */
        job->status = disk_sync_dir(r->path);
    if (job->status == OK)
        job->status = mark_check(r, job->why);
    if (job->status == OK)
        job->status = rocks_segments_load(r, job->why);
    if (job->status == OK)
        job->status = inline_last(r);
    if (job->status == OK)
        job->status = disk_free_space(r->path, &free_bytes, &total_bytes);
    if (job->status == OK)
        r->base.space = rocks_space_of(free_bytes, total_bytes);
}

static void
close_work(void *arg)
{
    struct rocks *r = arg;
    uint64_t acked = r->acked ? *r->acked : 0;

    /* The mark only ever names what was durable, so it may be written after a failure too. */
    if (r->db && r->sync && acked > r->upkeep->marked && !r->base.failed)
        r->base.failed = rocks_mark_write(r->path, acked) != OK;
    if (!r->base.failed)
        rocks_segments_trim(r);
    rocks_db_close(r);
}

static SUSPENDS void
rocks_close(struct engine *e)
{
    struct rocks *r = rocks_of(e);

    while (r->calls > 0 || (r->upkeep && r->upkeep->busy))
        engine_pause(0);
    rocks_append_free(&r->append);
    if (r->line)
        rocks_line_stop(r->line);
    if (r->pool && rt_offload(r->pool, close_work, r) != OK)
        close_work(r);
    rocks_line_free(&r->line);
    rocks_locs_free(&r->locs);
    rocks_segments_free(&r->segments);
    rocks_versions_free(&r->versions);
    rocks_upkeep_free(&r->upkeep);
    offload_free(&r->pool);
    mem_free(r);
}

static SUSPENDS enum status
rocks_start(struct rocks *r, const struct engine_options *o, struct problem *why)
{
    struct open_job job = {
        .r = r,
        .cache_bytes = o->cache_bytes ? o->cache_bytes : CACHE_DEFAULT,
        .why = why,
    };

    TRY(offload_new("engine", o->threads ? o->threads : THREADS_DEFAULT, POOL_LINE_MAX, &r->pool));
    TRY(rocks_pool(r, open_work, &job));
    TRY(job.status);
    TRY(rocks_line_new(r));
    return rocks_append_new(r);
}

static SUSPENDS enum status
rocks_open(const struct engine_options *o, struct engine **out, struct problem *why)
{
    if (!o->path || str_of(o->path).len == 0 || str_of(o->path).len >= ROCKS_PATH_MAX) {
        problem_set(why, 0, "", "The data directory's name is missing or too long.");
        return ERR_LIMIT;
    }
    struct rocks *r = MEM_NEW(struct rocks);
    r->base.ops = &engine_rocks_ops;
    r->inline_max = o->inline_max ? MIN(o->inline_max, INLINE_MOST) : ENGINE_INLINE_DEFAULT;
    r->sync = !o->no_sync_for_tests;
    ASSERT(str_to_z(str_of(o->path), r->path, sizeof(r->path)));
    r->versions = rocks_versions_new();
    r->locs = rocks_locs_new();
    r->upkeep = rocks_upkeep_new();
    struct problem none;
    enum status status = rocks_start(r, o, why ? why : &none);
    if (status != OK) {
        rocks_close(&r->base);
        return status;
    }
    *out = &r->base;
    return OK;
}

static enum status
rocks_look(const struct engine_options *o, struct problem *why)
{
    return rocks_format_check(o->path, why);
}

const struct engine_ops engine_rocks_ops = {
    .format_check = rocks_look,
    .open = rocks_open,
    .close = rocks_close,
    .get = rocks_get,
    .walk = rocks_walk,
    .walk_end = rocks_walk_end,
    .commit = rocks_commit,
    .drop = rocks_drop,
    .version = rocks_version,
    .records = rocks_records,
    .blob_new = rocks_blob_new,
    .blob_add = rocks_blob_add,
    .blob_end = rocks_blob_end,
    .blob_drop = rocks_blob_drop,
    .blob_forget = rocks_blob_forget,
    .blob_read = rocks_blob_read,
    .blob_size = rocks_blob_size,
    .publish = engine_notify,
    .upkeep = rocks_upkeep,
    .checkpoint = rocks_checkpoint,
};
