/* rocks_upkeep.c - once a second: health, space, the mark, moving, compaction, what was dropped; and
 * checkpoints.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/rocks/rocks_blob_internal.h"
#include "engine/rocks/rocks_upkeep_internal.h"
#include "rt/disk.h"

#define SPACE_LEAST (2ull << 30)
#define REAP_MAX    2000u

struct health_job {
    struct rocks *r;
    uint64_t sequence, errors, free_bytes, total_bytes;
    enum status status;
};

struct rocks_upkeep *
rocks_upkeep_new(void)
{
    struct rocks_upkeep *u = MEM_NEW(struct rocks_upkeep);

    u->reaping = 1; /* a drop before the last close may have left entries */
    return u;
}

void
rocks_upkeep_free(struct rocks_upkeep **u)
{
    mem_free(*u);
    *u = NULL;
}

enum engine_space
rocks_space_of(uint64_t free_bytes, uint64_t total_bytes)
{
    uint64_t mark = MAX(SPACE_LEAST, total_bytes / 50);

    return free_bytes >= mark ? SPACE_PLENTY : free_bytes >= mark / 2 ? SPACE_LOW : SPACE_CRITICAL;
}

static void
health_work(void *arg)
{
    struct health_job *job = arg;
    struct rocks *r = job->r;

    job->status = disk_free_space(r->path, &job->free_bytes, &job->total_bytes);
    if (job->status != OK)
        return;
    if (rocksdb_property_int(r->db, "rocksdb.background-errors", &job->errors) != 0)
        job->errors = 1;
    if (r->sync && job->sequence > r->upkeep->marked)
        job->status = rocks_mark_write(r->path, job->sequence);
}

/* A background error means that RocksDB gave up on something: nothing can be trusted to become
 * durable any more.  A mark that found no room says more of the disk than its numbers. */
static SUSPENDS enum status
health(struct rocks *r)
{
    struct health_job job = {.r = r, .sequence = __atomic_load_n(r->acked, __ATOMIC_ACQUIRE)};

    TRY(rocks_pool(r, health_work, &job));
    if (job.status == ERR_NO_SPACE) {
        r->base.space = SPACE_CRITICAL;
        return OK;
    }
    TRY(job.status);
    r->upkeep->marked = MAX(r->upkeep->marked, job.sequence);
    r->base.space = rocks_space_of(job.free_bytes, job.total_bytes);
    return job.errors == 0 ? OK : ERR_IO;
}

/* ---- segments in which nothing lives ---- */
struct unlink_job {
    char path[ROCKS_PATH_MAX + 32];
    enum status status;
};

static void
unlink_work(void *arg)
{
    struct unlink_job *job = arg;

    job->status = disk_unlink(job->path);
}

static struct rocks_segment *
segment_dead(const struct rocks *r)
{
    struct rocks_segment *s;

    for (size_t i = 0; rocks_segment_next(r, &i, &s);)
        if (s->sealed && !s->dead && s->live == 0 && s->pending == 0 && s->users == 0)
            return s;
    return NULL;
}

/* The table forgets it first: a file that nobody knows is removed at the next open. */
static SUSPENDS enum status
segments_reap(struct rocks *r)
{
    for (struct rocks_segment *s; r->upkeep->checkpoints == 0 && (s = segment_dead(r)) != NULL;) {
        struct rocks_commit commit = {0};
        s->dead = true;
        rocksdb_writebatch_t *w = rocks_group_begin(r);
        rocks_segment_write(r, w, s);
        rocks_group_end(r, &commit, 32);
        TRY(rocks_commit_wait(&commit));
        struct unlink_job *job = MEM_NEW(struct unlink_job);
        rocks_segment_path(r, s->number, job->path, sizeof(job->path));
        rocks_segment_forget(r, s);
        enum status status = rocks_pool(r, unlink_work, job);
        if (status == OK && job->status != ERR_NOT_FOUND)
            status = job->status;
        mem_free(job);
        TRY(status);
    }
    return OK;
}

/* ---- entries of dropped cells ---- */
struct reap_job {
    struct rocks *r;
    char cell[CELL_NAME_SIZE];
    bool found;
    struct buf keys; /* 1 byte family, 2 bytes size, key */
    size_t n;
    enum status status;
};

static void
reap_collect(struct reap_job *job, enum rocks_family cf)
{
    struct rocks *r = job->r;
    struct str prefix = str_from(job->cell, sizeof(job->cell)), key;
    char size[2];

    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(r->db, r->read_full, r->cf[cf]);
    for (rocksdb_iter_seek(i, prefix.ptr, prefix.len); rocksdb_iter_valid(i) && job->n < REAP_MAX;
         rocksdb_iter_next(i)) {
        key.ptr = rocksdb_iter_key(i, &key.len);
        if (!str_starts(key, prefix))
            break;
        if (cf == CF_CELL && key.len == CELL_NAME_SIZE + 1 && key.ptr[CELL_NAME_SIZE] == 0)
            continue; /* the tombstone stays */
        be16_put(size, (uint16_t)key.len);
        buf_add_char(&job->keys, (char)cf);
        buf_add(&job->keys, str_from(size, 2));
        buf_add(&job->keys, key);
        job->n++;
    }
    rocksdb_iter_destroy(i);
}

static void
reap_work(void *arg)
{
    struct reap_job *job = arg;
    struct rocks *r = job->r;
    struct str key;

    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(r->db, r->read_full, r->cf[CF_META]);
    rocksdb_iter_seek(i, "d", 1);
    if (rocksdb_iter_valid(i)) {
        key.ptr = rocksdb_iter_key(i, &key.len);
        job->found = key.len == 1 + CELL_NAME_SIZE && key.ptr[0] == 'd';
        if (job->found)
            mem_copy(job->cell, key.ptr + 1, CELL_NAME_SIZE);
    }
    rocksdb_iter_destroy(i);
    if (!job->found)
        return;
    reap_collect(job, CF_CELL);
    reap_collect(job, CF_RECORD);
}

enum status
rocks_reap(struct rocks *r)
{
    struct reap_job job = {.r = r, .keys = BUF(REAP_MAX * (ROCKS_KEY_MAX + 3))};
    uint32_t drops = r->upkeep->reaping;
    char name[1 + CELL_NAME_SIZE] = "d";

    if (drops == 0)
        return OK;
    enum status status = rocks_pool(r, reap_work, &job);
    if (status == OK && job.found) {
        struct rocks_commit commit = {0};
        struct str keys = buf_str(&job.keys);
        rocks_group_room(r);
        rocksdb_writebatch_t *w = rocks_group_begin(r);
        while (keys.len > 0) {
            size_t size = be16_get(keys.ptr + 1);
            rocks_del(r, w, (enum rocks_family)keys.ptr[0], str_sub(keys, 3, size));
            keys = str_skip(keys, 3 + size);
        }
        mem_copy(name + 1, job.cell, CELL_NAME_SIZE);
        if (job.n < REAP_MAX)
            rocks_del(r, w, CF_META, str_from(name, sizeof(name)));
        rocks_group_end(r, &commit, job.keys.len);
        status = rocks_commit_wait(&commit);
    } else if (status == OK) {
        r->upkeep->reaping -= drops;
    }
    buf_release(&job.keys);
    return status;
}

static enum status
worst(enum status a, enum status b)
{
    return a == ERR_IO || b == OK ? a : b;
}

enum status
rocks_upkeep(struct engine *e)
{
    struct rocks *r = rocks_of(e);
    struct rocks_upkeep *u = r->upkeep;

    if (u->busy)
        return OK;
    u->busy = true;
    enum status status = health(r);
    /* What one step cannot read must not keep the others from their work. */
    if (status == OK) {
        enum status moved = rocks_move_inline(r), compacted = rocks_compact(r);
        enum status removed = segments_reap(r), reaped = rocks_reap(r);
        status = worst(worst(moved, compacted), worst(removed, reaped));
    }
    u->busy = false;
    return status;
}

/* ---- checkpoints ---- */
struct checkpoint_job {
    struct rocks *r;
    const char *dest;
    uint32_t *segments;
    size_t count;
    uint64_t sequence;
    enum status status;
};

static void
checkpoint_cells(void *arg)
{
    struct checkpoint_job *job = arg;
    char path[ROCKS_PATH_MAX + 16];
    char *error = NULL;

    job->status = ERR_EXISTS;
    if (mkdir(job->dest, 0700) != 0)
        return;
    snprintf(path, sizeof(path), "%s/bodies", job->dest);
    job->status = ERR_IO;
    if (mkdir(path, 0700) != 0)
        return;
    job->sequence = __atomic_load_n(job->r->acked, __ATOMIC_ACQUIRE);
    rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(job->r->db, &error);
    if (!error) {
        snprintf(path, sizeof(path), "%s/cells", job->dest);
        rocksdb_checkpoint_create(c, path, 0, &error);
        rocksdb_checkpoint_object_destroy(c);
    }
    job->status = rocks_error(error);
}

static void
checkpoint_bodies(void *arg)
{
    struct checkpoint_job *job = arg;
    char from[ROCKS_PATH_MAX + 32], to[ROCKS_PATH_MAX + 32];

    for (size_t i = 0; i < job->count; i++) {
        rocks_segment_path(job->r, job->segments[i], from, sizeof(from));
        snprintf(to, sizeof(to), "%s/bodies/%08x.seg", job->dest, job->segments[i]);
        if (link(from, to) != 0) {
            job->status = errno == ENOSPC ? ERR_NO_SPACE : ERR_TEMP;
            return;
        }
    }
    snprintf(to, sizeof(to), "%s/bodies", job->dest);
    job->status = disk_sync_dir(to);
    if (job->status == OK)
        job->status = rocks_mark_write(job->dest, job->sequence);
    if (job->status == OK)
        job->status = rocks_format_write(job->dest);
}

/* The cells first, then the bodies: every segment that the cells refer to is still there, because none
 * is removed meanwhile.  FORMAT comes last and makes the copy complete. */
enum status
rocks_checkpoint(struct engine *e, const char *dest)
{
    struct rocks *r = rocks_of(e);
    struct checkpoint_job job = {.r = r, .dest = dest};
    struct rocks_segment *s;

    if (str_of(dest).len >= ROCKS_PATH_MAX)
        return ERR_LIMIT;
    r->upkeep->checkpoints++;
    enum status status = rocks_pool(r, checkpoint_cells, &job);
    if (status == OK)
        status = job.status;
    if (status == OK) {
        for (size_t i = 0; rocks_segment_next(r, &i, &s);)
            job.count++;
        job.segments = MEM_ARRAY(uint32_t, MAX(job.count, 1u));
        job.count = 0;
        for (size_t i = 0; rocks_segment_next(r, &i, &s);)
            if (!s->dead)
                job.segments[job.count++] = s->number;
        status = rocks_pool(r, checkpoint_bodies, &job);
        if (status == OK)
            status = job.status;
        mem_free(job.segments);
    }
    r->upkeep->checkpoints--;
    /* A copy that failed says nothing about what it was copied from. */
    return status == ERR_IO ? ERR_TEMP : status;
}
