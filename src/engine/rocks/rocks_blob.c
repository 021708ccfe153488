/* rocks_blob.c - writing and reading bodies.
 *
 * A small body is kept in memory until its first commit, which carries it.  A larger one goes to the
 * appender chunk by chunk while the rest still streams in, and the commit waits for the last of them.
 * Of a headed one the beginning stays in memory: with the head, which comes last, it is the first chunk.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "engine/rocks/rocks_blob_internal.h"
#include "rt/disk.h"

#define AT_ONCE_MAX 65536u /* copied by the loop itself: some microseconds */
#define READ_TRIES  8      /* a body may move between the look at its place and the read */

#define BEGIN_MAX (ROCKS_CHUNK - ENGINE_HEAD_MAX)

struct rocks_writer {
    struct blob_writer base; /* its head too is part of the first chunk */
    struct buf begin;        /* of a headed one; full before anything goes into bytes */
    struct buf bytes;        /* not yet handed on */
    struct rocks_loc *loc;
};

static struct rocks_writer *
writer_of(struct blob_writer *w)
{
    return (struct rocks_writer *)w;
}

enum status
rocks_blob_new(struct engine *e, uint64_t size_hint, struct blob_writer **out)
{
    const struct rocks *r = rocks_of(e);
    struct rocks_writer *w = MEM_NEW(struct rocks_writer);

    buf_init(&w->begin, BEGIN_MAX);
    buf_init(&w->bytes, (size_t)MAX(ROCKS_CHUNK, r->inline_max));
    if (size_hint > r->inline_max)
        buf_reserve(&w->bytes, ROCKS_CHUNK);
    w->loc = rocks_loc_new(blob_id_random());
    w->loc->counted = true;
    *out = &w->base;
    return OK;
}

enum status
rocks_blob_add(struct blob_writer *base, struct str bytes)
{
    struct rocks_writer *w = writer_of(base);
    struct rocks *r = rocks_of(base->engine);
    size_t room = w->bytes.max;

    if (base->headed) {
        struct str first = str_sub(bytes, 0, BEGIN_MAX - w->begin.len);
        buf_add(&w->begin, first);
        bytes = str_skip(bytes, first.len);
    }
    while (bytes.len > 0) {
        struct str part = str_sub(bytes, 0, room - w->bytes.len);
        bytes = str_skip(bytes, part.len);
        buf_add(&w->bytes, part);
        if (w->bytes.len < room || bytes.len == 0)
            continue;
        TRY(w->loc->written);
        while (w->loc->writing >= ROCKS_WRITER_MAX)
            rocks_wait(&w->loc->waiters);
        if (base->headed && w->loc->chunk_count == 0)
            rocks_loc_chunk_add(w->loc); /* written at the end */
        struct rocks_place place = {.index = (uint32_t)w->loc->chunk_count};
        rocks_append_chunk(r, w->loc, buf_take(&w->bytes), place);
        buf_reserve(&w->bytes, room);
    }
    return w->loc->written;
}

/* Head and beginning in front of the rest; or where they are a chunk of their own, that chunk. */
static void
begin_join(struct rocks_writer *w, struct rocks *r)
{
    size_t begin = w->base.head.len + w->begin.len, all = begin + w->bytes.len;
    bool alone = w->loc->chunk_count > 0 || all > ROCKS_CHUNK;
    struct buf out = BUF(MAX(ROCKS_CHUNK, r->inline_max));

    buf_reserve(&out, alone ? begin : all);
    buf_add(&out, buf_str(&w->base.head));
    buf_add(&out, buf_str(&w->begin));
    if (!alone) {
        buf_add(&out, buf_str(&w->bytes));
        buf_release(&w->bytes);
        w->bytes = out;
        return;
    }
    bool reserved = w->loc->chunk_count > 0;
    rocks_append_chunk(r, w->loc, buf_take(&out), (struct rocks_place){.reserved = reserved});
}

enum status
rocks_blob_end(struct blob_writer *base, struct blob_id *id_out)
{
    struct rocks_writer *w = writer_of(base);
    struct rocks *r = rocks_of(base->engine);
    struct rocks_loc *loc = w->loc;

    TRY(loc->written);
    if (base->headed)
        begin_join(w, r);
    loc->size = base->size;
    loc->inlined = loc->chunk_count == 0 && w->bytes.len <= r->inline_max;
    if (loc->inlined) {
        loc->body = mem_str(buf_str(&w->bytes));
        loc->crc = crc32c(0, loc->body.ptr, loc->body.len);
    } else {
        struct rocks_place place = {.index = (uint32_t)loc->chunk_count, .last = true};
        rocks_append_chunk(r, loc, buf_take(&w->bytes), place);
    }
    rocks_loc_enter(r, loc);
    *id_out = loc->id;
    buf_release(&w->begin);
    buf_release(&w->bytes);
    mem_free(w);
    return OK;
}

void
rocks_blob_drop(struct blob_writer *base)
{
    struct rocks_writer *w = writer_of(base);

    w->loc->dropped = true;
    rocks_loc_settle(rocks_of(base->engine), w->loc);
    buf_release(&w->begin);
    buf_release(&w->bytes);
    mem_free(w);
}

void
rocks_blob_forget(struct engine *e, struct blob_id id)
{
    struct rocks *r = rocks_of(e);
    struct rocks_loc *loc = rocks_loc_find(r, id);

    if (loc && loc->pending)
        rocks_loc_forget(r, loc);
}

enum status
rocks_blob_size(struct engine *e, struct blob_id id, uint64_t *size_out)
{
    struct rocks *r = rocks_of(e);
    struct rocks_loc *loc;

    TRY(rocks_loc_pin(r, id, &loc));
    enum status status = loc->exists ? OK : ERR_NOT_FOUND;
    if (status == OK)
        *size_out = loc->size;
    rocks_loc_unpin(r, loc);
    return status;
}

/* ---- reading ---- */
struct chunk_job {
    int fd;
    struct rocks_chunk chunk;
    const struct blob_id *id;
    size_t index, from, n; /* of the chunk's bytes */
    char *to;
    enum status status;
};

/* Header and bytes are read and checked in private memory; only then anything leaves it. */
static enum status
chunk_check(const struct chunk_job *job, const char *header, const char *bytes)
{
    struct rocks_record rec;

    TRY(rocks_record_decode(header, &rec));
    return rec.length == job->chunk.length && rec.crc == job->chunk.crc &&
                   rec.index == job->index && blob_id_eq(rec.id, *job->id) &&
                   crc32c(0, bytes, rec.length) == rec.crc
               ? OK
               : ERR_CORRUPT;
}

static void
chunk_work(void *arg)
{
    struct chunk_job *job = arg;
    size_t size = RECORD_HEADER + job->chunk.length;
    char *record = mem_alloc(size);

    job->status = ERR_CORRUPT; /* see rocks_read_error() */
    if (disk_read_at(job->fd, record, size, job->chunk.offset) == OK)
        job->status = chunk_check(job, record, record + RECORD_HEADER);
    if (job->status == OK)
        mem_copy(job->to, record + RECORD_HEADER + job->from, job->n);
    mem_free(record);
}

/* What the kernel has in memory needs no thread that may wait for a disk: two switches cost more than the copy. */
static bool
chunk_at_once(struct chunk_job *job)
{
    char header[RECORD_HEADER];
    bool whole = job->n == job->chunk.length;

    if (job->chunk.length > AT_ONCE_MAX)
        return false;
    char *bytes = whole ? job->to : mem_alloc(job->chunk.length);
    struct iovec parts[] = {{header, sizeof(header)}, {bytes, job->chunk.length}};
    bool cached = disk_read_cached(job->fd, parts, COUNT_OF(parts), job->chunk.offset);
    if (cached)
        job->status = chunk_check(job, header, bytes);
    if (cached && job->status == OK && !whole)
        mem_copy(job->to, bytes + job->from, job->n);
    if (!whole)
        mem_free(bytes);
    return cached;
}

/* Chunks have one size, but for the last one and the first of a headed body. */
static SUSPENDS enum status
read_chunks(struct rocks *r, const struct rocks_loc *loc, uint64_t offset, size_t n, char *to)
{
    uint64_t start = 0;

    for (size_t i = 0; i < loc->chunk_count && n > 0; i++) {
        struct chunk_job job = {.chunk = loc->chunks[i], .id = &loc->id, .index = i, .to = to};
        uint64_t end = start + job.chunk.length;
        if (offset < end) {
            struct rocks_segment *s;
            job.from = (size_t)(offset - start);
            job.n = MIN(n, job.chunk.length - job.from);
            TRY(rocks_segment_use(r, job.chunk.segment, &s));
            job.fd = s->fd;
            enum status status = chunk_at_once(&job) ? OK : rocks_pool(r, chunk_work, &job);
            rocks_segment_leave(r, s);
            TRY(status);
            TRY(job.status);
            to += job.n;
            n -= job.n;
            offset += job.n;
        }
        start = end;
    }
    return n == 0 ? OK : ERR_CORRUPT;
}

static enum status
inline_check(const struct rocks_loc *loc, struct str body)
{
    return body.len == loc->size && crc32c(0, body.ptr, body.len) == loc->crc ? OK : ERR_CORRUPT;
}

/* ERR_TEMP: the mover took the body away after its place was read. */
static SUSPENDS enum status
read_inline(struct rocks *r, const struct rocks_loc *loc, uint64_t offset, size_t n, char *to)
{
    AUTO_VALUE value = {0};
    struct str body = loc->body;
    char key[8];

    if (!body.ptr) {
        uint64_t number = loc->number;
        be64_put(key, number);
        TRY(rocks_read(r, CF_INLINE, str_from(key, sizeof(key)), &value));
        if (!loc->inlined || loc->number != number)
            return ERR_TEMP;
        if (!value.slice)
            return loc->exists ? ERR_CORRUPT : ERR_NOT_FOUND;
        if (!str_starts(value.bytes, blob_key(&loc->id)))
            return ERR_CORRUPT;
        body = str_skip(value.bytes, sizeof(loc->id.bytes));
    }
    TRY(inline_check(loc, body));
    mem_copy(to, body.ptr + offset, n);
    return OK;
}

/* Of a blob that is there; it may move, or go away, meanwhile. */
static SUSPENDS enum status
read_pinned(struct rocks *r, const struct rocks_loc *loc, uint64_t offset, size_t n, char *to)
{
    enum status status = ERR_TEMP;

    for (int i = 0; i < READ_TRIES && status == ERR_TEMP; i++)
        status =
            loc->inlined ? read_inline(r, loc, offset, n, to) : read_chunks(r, loc, offset, n, to);
    return status == OK || loc->exists ? status : ERR_NOT_FOUND;
}

enum status
rocks_blob_read(struct engine *e, struct blob_id id, uint64_t offset, size_t max, struct arena *a,
                struct str *bytes_out)
{
    struct rocks *r = rocks_of(e);
    struct rocks_loc *loc;
    struct str bytes = STR("");

    TRY(rocks_loc_pin(r, id, &loc));
    enum status status = rocks_loc_durable(loc);
    if (status == OK && !loc->exists)
        status = ERR_NOT_FOUND;
    if (status == OK && offset < loc->size && max > 0) {
        size_t n = (size_t)MIN((uint64_t)max, loc->size - offset);
        char *to = arena_alloc(a, n);
        status = read_pinned(r, loc, offset, n, to);
        bytes = str_from(to, n);
    }
    if (status == OK)
        *bytes_out = bytes;
    rocks_loc_unpin(r, loc);
    return status;
}
