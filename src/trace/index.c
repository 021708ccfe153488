/* index.c - see index.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/index.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/size.h"

static const struct str magic = STR("GWTRACE1");

struct entries {
    struct trace_index_entry *list;
    size_t count, room;
};

static void
entries_free(struct entries *e)
{
    mem_free(e->list);
}

static bool
entries_add(struct entries *e, uint64_t hash, size_t offset)
{
    if (e->count == e->room) {
        size_t room = e->room == 0 ? 1024 : e->room * 2;
        if (room > TRACE_INDEX_MAX / sizeof(e->list[0]))
            return false;
        e->list = mem_resize(e->list, e->room * sizeof(e->list[0]), room * sizeof(e->list[0]));
        e->room = room;
    }
    e->list[e->count++] = (struct trace_index_entry){hash, (uint32_t)offset};
    return true;
}

static int
compare(const void *a, const void *b)
{
    const struct trace_index_entry *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

struct str
trace_line_at(struct str segment, uint64_t offset)
{
    struct str rest = str_skip(segment, (size_t)offset);
    ssize_t end = str_find(str_sub(rest, 0, LOG_LINE_MAX), '\n');
    struct str line = str_sub(rest, 0, (size_t)(end + 1));

    return trace_line_is_whole(line) ? line : STR("");
}

void
trace_index_write(struct str segment, struct buf *out)
{
    AUTO(entries_free) struct entries e = {0};
    uint64_t keys[TRACE_KEYS_MAX];
    bool room = true;

    for (size_t at = 0; at < segment.len && at < UINT32_MAX && room;) {
        ssize_t end = str_find(str_skip(segment, at), '\n');
        size_t next = end < 0 ? segment.len : at + (size_t)end + 1;
        struct str line = str_sub(segment, at, next - at);
        size_t n = trace_line_is_whole(line) ? trace_keys(line, keys) : 0;
        for (size_t i = 0; i < n && room; i++)
            room = entries_add(&e, keys[i], at);
        at = next;
    }
    if (e.count > 1)
        qsort(e.list, e.count, sizeof(e.list[0]), compare);
    buf_add(out, magic);
    buf_add_be64(out, e.count);
    buf_add_be64(out, segment.len);
    for (size_t i = 0; i < e.count; i++) {
        buf_add_be64(out, e.list[i].hash);
        buf_add_be32(out, e.list[i].offset);
    }
}

bool
trace_index_read_head(struct str head, uint64_t index_size, uint64_t segment_size,
                      uint64_t *count_out)
{
    if (head.len < TRACE_INDEX_HEAD || !str_starts(head, magic))
        return false;
    uint64_t count = be64_get(head.ptr + 8);
    if (count > TRACE_INDEX_MAX / TRACE_INDEX_ENTRY ||
        index_size != TRACE_INDEX_HEAD + count * TRACE_INDEX_ENTRY ||
        be64_get(head.ptr + 16) != segment_size)
        return false;
    *count_out = count;
    return true;
}

struct trace_index_entry
trace_index_entry(const char *at)
{
    return (struct trace_index_entry){be64_get(at), be32_get(at + 8)};
}
