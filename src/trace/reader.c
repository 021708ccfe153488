/* reader.c - see reader.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "trace/folder.h"
#include "trace/index.h"

enum { LIST_BYTES = 16 << 20, BLOCK_ENTRIES = 256 };

/* A segment in use: its index in memory when it has none on the disk, else both by descriptor. */
struct opened {
    size_t number; /* in the list + 1; 0 = none */
    struct buf text, index;
    int text_fd, index_fd;
    uint64_t bytes, count;
};
struct trace_reader {
    char dir[TRACE_PATH_MAX];
    struct arena *a;
    struct trace_segment *list;
    size_t count;
    int64_t until_ms;
    bool late;
    struct opened now, whole; /* whole: the last one that was read into memory, which stays */
};

static void
opened_close(struct opened *o)
{
    fd_close(&o->text_fd);
    fd_close(&o->index_fd);
    buf_release(&o->text);
    buf_release(&o->index);
    o->number = 0;
}

static void
opened_init(struct opened *o)
{
    *o = (struct opened){
        .text = BUF(UINT32_MAX), .index = BUF(TRACE_INDEX_MAX), .text_fd = -1, .index_fd = -1};
}

enum status
trace_reader_open(const char *dir, struct trace_reader **out)
{
    AUTO(trace_reader_free) struct trace_reader *r = MEM_NEW(struct trace_reader);

    opened_init(&r->now);
    opened_init(&r->whole);
    r->a = arena_new(LIST_BYTES);
    if (!str_to_z(str_of(dir), r->dir, sizeof(r->dir)))
        return ERR_LIMIT;
    TRY(trace_folder_list(dir, r->a, &r->list, &r->count));
    *out = r;
    r = NULL;
    return OK;
}

void
trace_reader_free(struct trace_reader **reader)
{
    struct trace_reader *r = *reader;

    if (r == NULL)
        return;
    opened_close(&r->now);
    opened_close(&r->whole);
    arena_free(&r->a);
    mem_free(r);
    *reader = NULL;
}

void
trace_reader_hurry(struct trace_reader *r, int64_t until_ms)
{
    r->until_ms = until_ms;
}

bool
trace_reader_is_late(const struct trace_reader *r)
{
    return r->late;
}

/* ---- one segment ---- */

static bool
open_indexed(struct trace_reader *r, const struct trace_segment *s, struct opened *o)
{
    char path[TRACE_PATH_MAX], head[TRACE_INDEX_HEAD];

    if (s->index_bytes < TRACE_INDEX_HEAD || trace_segment_path(r->dir, s, ".idx", path) != OK ||
        disk_open(path, O_RDONLY, 0, &o->index_fd) != OK ||
        disk_read_at(o->index_fd, head, sizeof(head), 0) != OK ||
        !trace_index_read_head(str_from(head, sizeof(head)), s->index_bytes, s->bytes, &o->count) ||
        trace_segment_path(r->dir, s, ".log", path) != OK ||
        disk_open(path, O_RDONLY, 0, &o->text_fd) != OK)
        return false;
    o->bytes = s->bytes;
    return true;
}

static bool
open_whole(struct trace_reader *r, const struct trace_segment *s, struct opened *o)
{
    char path[TRACE_PATH_MAX];

    if (trace_segment_path(r->dir, s, ".log", path) != OK || trace_file_read(path, &o->text) != OK)
        return false;
    trace_index_write(buf_str(&o->text), &o->index);
    if (buf_status(&o->index) != OK)
        return false;
    o->bytes = o->text.len;
    o->count = (o->index.len - TRACE_INDEX_HEAD) / TRACE_INDEX_ENTRY;
    return true;
}

/* NULL: it is not there any more. */
static struct opened *
open_segment(struct trace_reader *r, size_t i)
{
    if (r->now.number == i + 1)
        return &r->now;
    if (r->whole.number == i + 1)
        return &r->whole;
    opened_close(&r->now);
    if (open_indexed(r, &r->list[i], &r->now)) {
        r->now.number = i + 1;
        return &r->now;
    }
    opened_close(&r->now);
    opened_close(&r->whole);
    if (!open_whole(r, &r->list[i], &r->whole))
        return NULL;
    r->whole.number = i + 1;
    return &r->whole;
}

static bool
read_entries(const struct opened *o, uint64_t first, size_t n, char *to)
{
    uint64_t at = TRACE_INDEX_HEAD + first * TRACE_INDEX_ENTRY;

    if (o->index_fd >= 0)
        return disk_read_at(o->index_fd, to, n * TRACE_INDEX_ENTRY, at) == OK;
    mem_copy(to, o->index.ptr + at, n * TRACE_INDEX_ENTRY);
    return true;
}

/* The first entry whose hash is not below; count when there is none.  The last steps are one read. */
static bool
lower_bound(const struct opened *o, uint64_t hash, uint64_t *out)
{
    char block[BLOCK_ENTRIES * TRACE_INDEX_ENTRY];
    uint64_t low = 0, high = o->count;

    while (high - low > BLOCK_ENTRIES) {
        uint64_t middle = low + (high - low) / 2;
        if (!read_entries(o, middle, 1, block))
            return false;
        if (trace_index_entry(block).hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (!read_entries(o, low, (size_t)(high - low), block))
        return false;
    for (size_t i = 0; low < high; low++, i++)
        if (trace_index_entry(block + i * TRACE_INDEX_ENTRY).hash >= hash)
            break;
    *out = low;
    return true;
}

static struct str
read_line(const struct opened *o, uint32_t offset, struct arena *a)
{
    char text[LOG_LINE_MAX];
    struct str found;

    if (offset >= o->bytes)
        return STR("");
    if (o->text_fd < 0) {
        found = trace_line_at(buf_str(&o->text), offset);
    } else {
        size_t n = (size_t)MIN(o->bytes - offset, (uint64_t)sizeof(text));
        if (disk_read_at(o->text_fd, text, n, offset) != OK)
            return STR("");
        found = trace_line_at(str_from(text, n), 0);
    }
    return found.len == 0 ? STR("") : arena_str(a, str_sub(found, 0, found.len - 1));
}

/* ---- the cursor ---- */

struct trace_cursor
trace_find(struct trace_reader *r, uint64_t hash, bool newest_first)
{
    return (struct trace_cursor){.r = r, .hash = hash, .newest_first = newest_first};
}

static size_t
segment_of(const struct trace_cursor *c)
{
    return c->newest_first ? c->r->count - 1 - c->segments_done : c->segments_done;
}

/* The run of entries with the hash. */
static bool
run_in(const struct opened *o, struct trace_cursor *c)
{
    if (!lower_bound(o, c->hash, &c->at))
        return false;
    c->end = o->count;
    return (c->hash == UINT64_MAX || lower_bound(o, c->hash + 1, &c->end)) && c->at < c->end;
}

/* Into the next segment that has some. */
static bool
enter(struct trace_cursor *c)
{
    for (; c->segments_done < c->r->count; c->segments_done++) {
        const struct opened *o = open_segment(c->r, segment_of(c));
        if (o != NULL && run_in(o, c))
            return true;
    }
    return false;
}

static bool
is_late(struct trace_reader *r)
{
    if (r->until_ms != 0 && clock_mono_ms() >= r->until_ms)
        r->late = true;
    return r->late;
}

bool
trace_next(struct trace_cursor *c, struct arena *a, struct trace_hit *out)
{
    char entry[TRACE_INDEX_ENTRY];

    while (!is_late(c->r) && (c->inside || enter(c))) {
        size_t segment = segment_of(c);
        const struct opened *o = open_segment(c->r, segment);
        uint64_t at = c->newest_first ? --c->end : c->at++;
        c->inside = c->at < c->end;
        c->segments_done += c->inside ? 0 : 1;
        if (o == NULL || arena_left(a) < 2 * LOG_LINE_MAX || !read_entries(o, at, 1, entry))
            continue;
        struct trace_index_entry e = trace_index_entry(entry);
        struct str line = e.hash == c->hash ? read_line(o, e.offset, a) : STR("");
        if (line.len == 0)
            continue;
        *out = (struct trace_hit){(uint64_t)segment << 32 | e.offset, line};
        return true;
    }
    return false;
}
