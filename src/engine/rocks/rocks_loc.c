/* rocks_loc.c - the table of blobs that somebody works with: pending, pinned, or changing.
 *
 * A blob's state in the table is the newest submitted one; RocksDB holds the newest durable one.  An
 * entry leaves the table when nobody pins it, so that the next look reads RocksDB again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "engine/rocks/rocks_blob_internal.h"

#define LOC_FORMAT    1
#define LOC_INLINE    1
#define LOC_CODEC_RAW 0
#define CHUNKS_MAX    (ENGINE_BLOB_MAX / ROCKS_CHUNK + 1)

struct rocks_locs {
    struct map *table;
};

static void loc_leave(struct rocks *r, struct rocks_loc *loc);
static void chunks_abandon(struct rocks *r, struct rocks_loc *loc);
static SUSPENDS enum status loc_load(struct rocks *r, struct rocks_loc *loc);

struct rocks_locs *
rocks_locs_new(void)
{
    struct rocks_locs *l = MEM_NEW(struct rocks_locs);

    l->table = map_new();
    return l;
}

void
rocks_locs_free(struct rocks_locs **l)
{
    struct str key;
    void *value;

    if (!*l)
        return;
    for (size_t cursor = 0; map_next((*l)->table, &cursor, &key, &value);) {
        struct rocks_loc *loc = value;
        ASSERT(loc->pending && loc->pins == 0 && loc->writing == 0);
        mem_str_free(&loc->body);
        mem_free(loc->chunks);
        mem_free(loc);
    }
    map_free(&(*l)->table);
    mem_free(*l);
    *l = NULL;
}

struct rocks_loc *
rocks_loc_new(struct blob_id id)
{
    struct rocks_loc *loc = MEM_NEW(struct rocks_loc);

    loc->id = id;
    list_init(&loc->waiters);
    return loc;
}

void
rocks_loc_free(struct rocks *r, struct rocks_loc *loc)
{
    ASSERT(list_empty(&loc->waiters) && loc->writing == 0);
    if (loc->counted)
        chunks_abandon(r, loc);
    mem_str_free(&loc->body);
    mem_free(loc->chunks);
    mem_free(loc);
}

void
rocks_loc_enter(struct rocks *r, struct rocks_loc *loc)
{
    loc->known = loc->exists = loc->pending = true;
    ASSERT(map_put(r->locs->table, blob_key(&loc->id), loc) == NULL);
}

/* What it wrote into segments is garbage from now on. */
void
rocks_loc_forget(struct rocks *r, struct rocks_loc *loc)
{
    ASSERT(loc->pending);
    loc->pending = loc->exists = false;
    loc_leave(r, loc);
}

void
rocks_loc_settle(struct rocks *r, struct rocks_loc *loc)
{
    rocks_wake(&loc->waiters);
    if (loc->writing > 0)
        return;
    if (loc->dropped)
        rocks_loc_free(r, loc);
    else if (loc->known)
        loc_leave(r, loc);
}

struct rocks_loc *
rocks_loc_find(const struct rocks *r, struct blob_id id)
{
    return map_get(r->locs->table, blob_key(&id));
}

enum status
rocks_loc_pin(struct rocks *r, struct blob_id id, struct rocks_loc **out)
{
    struct rocks_loc *loc = rocks_loc_find(r, id);

    if (!loc) {
        loc = rocks_loc_new(id);
        map_put(r->locs->table, blob_key(&id), loc);
    }
    loc->pins++;
    if (!loc->known) {
        enum status status = loc_load(r, loc);
        if (status != OK && !loc->known) {
            rocks_loc_unpin(r, loc);
            return status;
        }
    }
    *out = loc;
    return OK;
}

void
rocks_loc_unpin(struct rocks *r, struct rocks_loc *loc)
{
    ASSERT(loc->pins > 0);
    loc->pins--;
    loc_leave(r, loc);
}

enum status
rocks_loc_durable(struct rocks_loc *loc)
{
    while (loc->writing > 0)
        rocks_wait(&loc->waiters);
    return loc->written;
}

struct rocks_chunk *
rocks_loc_chunk_add(struct rocks_loc *loc)
{
    size_t n = loc->chunk_count;

    /* Grows to the next power of two when n is one. */
    if ((n & (n - 1)) == 0) {
        size_t capacity = n ? n * 2 : 1;
        loc->chunks =
            mem_resize(loc->chunks, n * sizeof(*loc->chunks), capacity * sizeof(*loc->chunks));
    }
    loc->chunk_count++;
    loc->chunks[n] = (struct rocks_chunk){0};
    return &loc->chunks[n];
}

void
rocks_loc_encode(const struct rocks_loc *loc, struct buf *b)
{
    buf_add_char(b, LOC_FORMAT);
    buf_add_char(b, loc->inlined ? LOC_INLINE : 0);
    buf_add_char(b, LOC_CODEC_RAW);
    buf_add_varint(b, loc->refs);
    buf_add_varint(b, loc->size);
    if (loc->inlined) {
        buf_add_varint(b, loc->number);
        buf_add_be32(b, loc->crc);
        return;
    }
    buf_add_varint(b, loc->chunk_count);
    for (size_t i = 0; i < loc->chunk_count; i++) {
        buf_add_varint(b, loc->chunks[i].segment);
        buf_add_varint(b, loc->chunks[i].offset / 8);
        buf_add_varint(b, loc->chunks[i].length);
        buf_add_be32(b, loc->chunks[i].crc);
    }
}

/* Moves the bytes of all chunks from one account of their segments to another. */
static void
chunks_account(struct rocks *r, rocksdb_writebatch_t *w, const struct rocks_loc *loc, bool live)
{
    for (size_t i = 0; i < loc->chunk_count; i++) {
        const struct rocks_chunk *c = &loc->chunks[i];
        struct rocks_segment *s = rocks_segment_get(r, c->segment);
        uint64_t size = RECORD_SIZE(c->length);
        if (!loc->stored)
            s->pending -= size;
        else
            s->live -= size;
        if (live) {
            s->live += size;
            s->used = MAX(s->used, c->offset + size);
        }
        bool last = i + 1 == loc->chunk_count || loc->chunks[i + 1].segment != c->segment;
        if (last && (live || loc->stored))
            rocks_segment_write(r, w, s);
    }
}

/* No commit will refer to these chunks: they are garbage where they stand. */
static void
chunks_abandon(struct rocks *r, struct rocks_loc *loc)
{
    for (size_t i = 0; i < loc->chunk_count; i++) {
        struct rocks_segment *s = rocks_segment_find(r, loc->chunks[i].segment);
        if (s)
            s->pending -= RECORD_SIZE(loc->chunks[i].length);
    }
    loc->chunk_count = 0;
    loc->counted = false;
}

void
rocks_loc_adopt(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc,
                struct rocks_loc *from, size_t index)
{
    const struct rocks_chunk *c = &from->chunks[0];
    struct rocks_segment *s = rocks_segment_get(r, c->segment);
    uint64_t size = RECORD_SIZE(c->length);

    ASSERT(from->counted && from->chunk_count == 1 && loc->stored && index < loc->chunk_count);
    s->pending -= size;
    s->live += size;
    s->used = MAX(s->used, c->offset + size);
    rocks_segment_write(r, w, s);
    if (loc->chunks[index].segment != 0) {
        struct rocks_segment *old = rocks_segment_get(r, loc->chunks[index].segment);
        old->live -= size;
        rocks_segment_write(r, w, old);
    }
    loc->chunks[index] = *c;
    from->chunk_count = 0;
    from->counted = false;
}

static void
loc_write_first(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc)
{
    char number[8];

    if (!loc->inlined) {
        chunks_account(r, w, loc, true);
        loc->counted = false;
        return;
    }
    loc->number = ++r->inline_next;
    be64_put(number, loc->number);
    const char *keys[1] = {number};
    const char *parts[2] = {(const char *)loc->id.bytes, loc->body.ptr};
    size_t key_sizes[1] = {sizeof(number)}, part_sizes[2] = {sizeof(loc->id.bytes), loc->body.len};
    rocksdb_writebatch_putv_cf(w, r->cf[CF_INLINE], 1, keys, key_sizes, 2, parts, part_sizes);
}

static void
loc_write_last(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc)
{
    char number[8];

    if (!loc->inlined)
        chunks_account(r, w, loc, false);
    loc->counted = false;
    if (loc->stored) {
        rocks_del(r, w, CF_LOC, blob_key(&loc->id));
        be64_put(number, loc->number);
        if (loc->inlined)
            rocks_del(r, w, CF_INLINE, str_from(number, sizeof(number)));
    }
    loc->stored = loc->exists = false;
}

void
rocks_loc_write(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc)
{
    struct buf value = BUF(64u << 10);

    ASSERT(loc->exists && !loc->pending && loc->writing == 0);
    if (loc->refs == 0) {
        loc_write_last(r, w, loc);
        return;
    }
    if (!loc->stored)
        loc_write_first(r, w, loc);
    loc->stored = true;
    rocks_loc_encode(loc, &value);
    ASSERT(buf_status(&value) == OK);
    rocks_put(r, w, CF_LOC, blob_key(&loc->id), buf_str(&value));
    buf_release(&value);
}

static bool
chunks_decode(struct scan *s, struct rocks_loc *loc)
{
    uint64_t count, segment, offset, length, sum = 0;
    uint32_t crc;

    if (!scan_varint(s, CHUNKS_MAX, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!scan_varint(s, UINT32_MAX, &segment) || !scan_varint(s, ROCKS_SEGMENT, &offset) ||
            !scan_varint(s, ROCKS_CHUNK, &length) || !scan_be32(s, &crc))
            return false;
        *rocks_loc_chunk_add(loc) = (struct rocks_chunk){
            .segment = (uint32_t)segment,
            .length = (uint32_t)length,
            .offset = offset * 8,
            .crc = crc,
        };
        sum += length;
    }
    return sum == loc->size;
}

/* Into an entry without chunks.  A false return leaves chunks behind, for rocks_loc_free(). */
static bool
loc_parse(struct scan *s, struct rocks_loc *loc)
{
    uint8_t format, flags, codec;

    if (!scan_u8(s, &format) || format != LOC_FORMAT || !scan_u8(s, &flags) ||
        !scan_u8(s, &codec) || codec != LOC_CODEC_RAW || !scan_varint(s, UINT64_MAX, &loc->refs) ||
        loc->refs == 0 || !scan_varint(s, ENGINE_BLOB_MAX, &loc->size))
        return false;
    loc->inlined = (flags & LOC_INLINE) != 0;
    if (loc->inlined)
        return scan_varint(s, UINT64_MAX, &loc->number) && scan_be32(s, &loc->crc);
    return chunks_decode(s, loc);
}

enum status
rocks_loc_decode(struct str value, struct rocks_loc *loc)
{
    struct scan s = scan_of(value);

    loc->chunk_count = 0;
    mem_free(loc->chunks);
    loc->chunks = NULL;
    return loc_parse(&s, loc) && scan_at_end(&s) ? OK : ERR_CORRUPT;
}

/* Another fiber may learn and change it meanwhile; then that counts. */
static enum status
loc_load(struct rocks *r, struct rocks_loc *loc)
{
    AUTO_VALUE value = {0};

    TRY(rocks_read(r, CF_LOC, blob_key(&loc->id), &value));
    if (loc->known)
        return OK;
    if (value.slice)
        TRY(rocks_loc_decode(value.bytes, loc));
    loc->exists = loc->stored = value.slice != NULL;
    loc->known = true;
    return OK;
}

static void
loc_leave(struct rocks *r, struct rocks_loc *loc)
{
    if (loc->pins > 0 || loc->pending || loc->writing > 0)
        return;
    ASSERT(map_del(r->locs->table, blob_key(&loc->id)) == loc);
    rocks_loc_free(r, loc);
}
