/* rocks_move.c - bodies that change their place: out of RocksDB into segments, and out of segments that
 * are mostly garbage.
 *
 * Both go the same way: copy a handful to the appender, wait until it is durable, then change the
 * locations in one internal commit; a body that was dropped or moved meanwhile is passed over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "engine/rocks/rocks_blob_internal.h"
#include "engine/rocks/rocks_upkeep_internal.h"
#include "rt/disk.h"

#define MOVE_COUNT   512u
#define MOVE_BYTES   (4u << 20)
#define BUSY_COMMITS 500u    /* between two upkeeps */
#define BACKLOG_MAX  100000u /* inline bodies that may wait for quieter times */

struct move {
    struct blob_id id;
    struct str data; /* owned */
    uint64_t number; /* from inline */
    uint32_t segment, index;
    uint64_t offset;        /* from a segment */
    struct rocks_loc *loc;  /* pinned */
    struct rocks_loc *copy; /* on its way */
};
struct move_job {
    struct rocks *r;
    struct move moves[MOVE_COUNT];
    size_t n, bytes;
    uint64_t floor, limit; /* of inline numbers */
    int fd;
    uint64_t from, end; /* in a segment */
    uint32_t segment;
    bool damaged;
    enum status status;
};

static SUSPENDS enum status moves_run(struct rocks *r, struct move_job *job);

static bool
move_is_due(const struct move *m)
{
    const struct rocks_loc *loc = m->loc;

    if (!loc->exists || loc->pending)
        return false;
    if (m->number)
        return loc->inlined && loc->number == m->number;
    return !loc->inlined && m->index < loc->chunk_count &&
           loc->chunks[m->index].segment == m->segment && loc->chunks[m->index].offset == m->offset;
}

/* ---- out of RocksDB ---- */
static void
collect_inline(void *arg)
{
    struct move_job *job = arg;
    struct rocks *r = job->r;
    char key[8];
    char *error = NULL;

    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(r->db, r->read_full, r->cf[CF_INLINE]);
    be64_put(key, job->floor);
    for (rocksdb_iter_seek(i, key, sizeof(key)); rocksdb_iter_valid(i); rocksdb_iter_next(i)) {
        struct str k, v;
        k.ptr = rocksdb_iter_key(i, &k.len);
        v.ptr = rocksdb_iter_value(i, &v.len);
        if (k.len != 8 || v.len < 16 || be64_get(k.ptr) > job->limit || job->n == MOVE_COUNT ||
            job->bytes > MOVE_BYTES)
            break;
        struct move *m = &job->moves[job->n++];
        m->number = be64_get(k.ptr);
        mem_copy(m->id.bytes, v.ptr, sizeof(m->id.bytes));
        m->data = mem_str(str_skip(v, sizeof(m->id.bytes)));
        job->bytes += v.len;
        job->floor = m->number + 1;
    }
    rocksdb_iter_get_error(i, &error);
    job->status = rocks_read_error(error);
    rocksdb_iter_destroy(i);
}

static SUSPENDS enum status
move_inline_step(struct rocks *r, struct move_job *job, uint64_t limit)
{
    struct rocks_upkeep *u = r->upkeep;

    *job = (struct move_job){.r = r, .fd = -1, .floor = u->inline_floor, .limit = limit};
    TRY(rocks_pool(r, collect_inline, job));
    TRY(job->status);
    if (job->n > 0)
        TRY(moves_run(r, job));
    u->inline_floor = job->n > 0 ? job->floor : limit + 1;
    return OK;
}

/* A few steps a second beside heavy traffic, more when it is quiet or when much has gathered. */
enum status
rocks_move_inline(struct rocks *r)
{
    struct rocks_upkeep *u = r->upkeep;
    struct move_job *job = MEM_NEW(struct move_job);
    bool busy = r->base.counters.commits - u->commits_seen > BUSY_COMMITS;
    uint64_t limit = u->inline_seen;
    enum status status = OK;

    /* Only what the upkeep before this one already saw: a body that is read and deleted at once, as by
     * POP3, is never written a second time. */
    u->inline_seen = r->inline_next;
    u->commits_seen = r->base.counters.commits;
    if (limit >= u->inline_floor && limit - u->inline_floor > BACKLOG_MAX)
        busy = false;
    for (int i = 0; i < (busy ? 2 : 16) && status == OK && u->inline_floor <= limit; i++)
        status = move_inline_step(r, job, limit);
    mem_free(job);
    return status == ERR_NO_SPACE ? OK : status;
}

/* ---- out of a segment ---- */
static void
collect_segment(void *arg)
{
    struct move_job *job = arg;
    char header[RECORD_HEADER];
    struct rocks_record rec;

    while (job->from < job->end && job->n < MOVE_COUNT && job->bytes < MOVE_BYTES) {
        job->status = disk_read_at(job->fd, header, sizeof(header), job->from);
        if (job->status == OK)
            job->status = rocks_record_decode(header, &rec);
        if (job->status != OK)
            break;
        struct move *m = &job->moves[job->n++];
        char *data = mem_alloc(MAX(rec.length, 1u));
        *m = (struct move){.id = rec.id,
                           .data = str_from(data, rec.length),
                           .segment = job->segment,
                           .index = rec.index,
                           .offset = job->from};
        job->status = disk_read_at(job->fd, data, rec.length, job->from + RECORD_HEADER);
        if (job->status != OK)
            break;
        if (crc32c(0, data, rec.length) != rec.crc) {
            /* Stays where it is, for the reader who asks for it to be told. */
            job->damaged = true;
            mem_str_free(&m->data);
            job->n--;
        }
        job->bytes += rec.length;
        job->from += RECORD_SIZE(rec.length);
    }
    if (job->status == ERR_CORRUPT || job->status == ERR_IO) {
        job->damaged = true;
        job->from = job->end; /* no way to find the next record */
        job->status = OK;
    }
}

static struct rocks_segment *
compact_candidate(struct rocks *r)
{
    struct rocks_segment *s;

    for (size_t i = 0; rocks_segment_next(r, &i, &s);)
        if (s->sealed && !s->dead && !s->damaged && s->pending == 0 && s->live > 0 &&
            s->live < s->used / 2)
            return s;
    return NULL;
}

enum status
rocks_compact(struct rocks *r)
{
    struct rocks_segment *s = compact_candidate(r);

    if (!s)
        return OK;
    struct move_job *job = MEM_NEW(struct move_job);
    job->r = r;
    job->segment = s->number;
    job->from = MAX(s->scanned, ROCKS_SEGMENT_START);
    job->end = s->used;
    enum status status = rocks_segment_use(r, s->number, &s);
    if (status == OK) {
        job->fd = s->fd;
        status = rocks_pool(r, collect_segment, job);
        if (status == OK)
            status = job->status;
        s->scanned = job->from;
        s->damaged = s->damaged || job->damaged;
        if (status == OK && job->n > 0)
            status = moves_run(r, job);
        /* Everything was looked at, yet something lives: do not look again. */
        s->damaged = s->damaged || (s->scanned >= s->used && s->live > 0);
        rocks_segment_leave(r, s);
    }
    mem_free(job);
    return status == ERR_NO_SPACE ? OK : status;
}

/* ---- both ---- */
static SUSPENDS enum status
move_begin(struct rocks *r, struct move *m)
{
    TRY(rocks_loc_pin(r, m->id, &m->loc));
    if (!move_is_due(m) || m->data.len == 0)
        return OK;
    /* A new checksum must never be put on bytes that fail the old one. */
    if (m->number &&
        (m->data.len != m->loc->size || crc32c(0, m->data.ptr, m->data.len) != m->loc->crc))
        return OK;
    m->copy = rocks_loc_new(m->id);
    m->copy->counted = true;
    /* The record names its place in the blob, so that segments alone can rebuild it. */
    struct rocks_place place = {
        .index = m->index,
        .last = m->number != 0 || m->index + 1 == m->loc->chunk_count,
    };
    rocks_append_chunk(r, m->copy, m->data, place);
    m->data = STR_NONE;
    return OK;
}

static void
move_write(struct rocks *r, rocksdb_writebatch_t *w, struct move *m)
{
    char key[8];

    if (!move_is_due(m))
        return;
    if (m->number) {
        be64_put(key, m->number);
        rocks_del(r, w, CF_INLINE, str_from(key, sizeof(key)));
        m->loc->inlined = false;
        m->loc->chunk_count = 0;
        rocks_loc_chunk_add(m->loc);
    }
    rocks_loc_adopt(r, w, m->loc, m->copy, m->index);
    rocks_loc_write(r, w, m->loc);
    /* A body that a pinned entry still holds in memory is no longer where reads look. */
    mem_str_free(&m->loc->body);
}

static SUSPENDS enum status
moves_run(struct rocks *r, struct move_job *job)
{
    enum status status = OK;
    size_t due = 0;

    for (size_t i = 0; i < job->n && status == OK; i++)
        status = move_begin(r, &job->moves[i]);
    for (size_t i = 0; i < job->n; i++) {
        if (!job->moves[i].copy)
            continue;
        enum status written = rocks_loc_durable(job->moves[i].copy);
        status = status == OK ? written : status;
        due++;
    }
    if (status == OK && due > 0) {
        struct rocks_commit commit = {0};
        rocks_group_room(r);
        rocksdb_writebatch_t *w = rocks_group_begin(r);
        for (size_t i = 0; i < job->n; i++)
            if (job->moves[i].copy)
                move_write(r, w, &job->moves[i]);
        rocks_group_end(r, &commit, due * 128);
        status = rocks_commit_wait(&commit);
    }
    for (size_t i = 0; i < job->n; i++) {
        struct move *m = &job->moves[i];
        if (m->copy)
            rocks_loc_free(r, m->copy);
        if (m->loc)
            rocks_loc_unpin(r, m->loc);
        mem_str_free(&m->data);
    }
    return status;
}
