/* fetch_section.c - the bytes of one section, streamed from the store as a literal.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/fetch.h"
#include "ipc/store_ipc.h"
#include "mail/header.h"

enum { PIECE_MAX = 256 * 1024, HEADER_READ_MAX = 1 << 20 };

struct range {
    uint64_t from, end;
};

/* What part of the message the section is; false: there is no such part. */
static bool
range_of(const struct fetch_message *m, const struct fetch_item *item, struct range *out)
{
    struct record_part part, inner;

    if (item->path_count == 0 && item->part == SECTION_ALL) {
        *out = (struct range){0, m->size};
        return true;
    }
    if (record_find(&m->record, item->path, item->path_count, &part, &inner) != OK)
        return false;
    bool message = item->path_count == 0 || part.kind == MIME_MESSAGE;
    const struct record_part *whose = item->path_count == 0 ? &part : &inner;
    switch (item->part) {
    case SECTION_ALL: *out = (struct range){part.body_at, part.end}; return true;
    case SECTION_MIME: *out = (struct range){part.header_at, part.body_at}; return true;
    case SECTION_TEXT:
        if (message)
            *out = (struct range){whose->body_at, whose->end};
        return message;
    case SECTION_HEADER:
    case SECTION_FIELDS:
    case SECTION_FIELDS_NOT:
        if (message)
            *out = (struct range){whose->header_at, whose->body_at};
        return message;
    }
    UNREACHABLE();
}

static struct range
clip(struct range r, const struct fetch_item *item)
{
    if (!item->has_partial)
        return r;
    uint64_t len = r.end - r.from;
    uint64_t from = MIN(item->offset, len);
    return (struct range){r.from + from, r.from + from + MIN(item->length, len - from)};
}

static void
add_label(struct buf *head, const struct fetch_item *item)
{
    buf_add(head, item->label);
    if (item->has_partial)
        buf_addf(head, "<%llu>", (unsigned long long)item->offset);
    buf_add_char(head, ' ');
}

static SUSPENDS enum status
send_head(struct fetch_message *m, struct buf *head)
{
    TRY(buf_status(head));
    m->begun = true;
    TRY(conn_write(m->s->conn, buf_str(head)));
    buf_reset(head);
    return OK;
}

/* One piece of the message.  ERR_NOT_FOUND: it is gone. */
static SUSPENDS enum status
read_piece(const struct fetch_message *m, struct range r, struct arena *a, struct str *out)
{
    struct ipc_peer *store;
    struct store_body req = {.session = m->s->id,
                             .mid = m->entry.mid,
                             .offset = r.from,
                             .max = (uint32_t)MIN(r.end - r.from, (uint64_t)PIECE_MAX)};
    struct store_body_reply rep;
    enum status e;

    do {
        TRY(imap_store(m->s, &store));
        e = store_body_call(store, &req, a, &rep);
    } while (hold_read_again(&m->s->hold, e));
    TRY(e);
    if (rep.bytes.len == 0 || rep.bytes.len > r.end - r.from)
        return ERR_CORRUPT;
    *out = rep.bytes;
    return OK;
}

/* The literal of a range.  The first piece is read before its size is promised. */
static SUSPENDS enum status
stream(struct fetch_message *m, struct range r, struct buf *head)
{
    uint64_t size = r.end - r.from;
    bool begun = false;

    if (size == 0) {
        buf_add_z(head, "{0}\r\n");
        return OK;
    }
    while (r.from < r.end) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 4096);
        struct str piece;
        enum status e = read_piece(m, r, a, &piece);
        if (e != OK && begun)
            return ERR_CLOSED; /* the client waits for the rest: there is no other way to say no */
        TRY(e);
        if (!begun) {
            buf_addf(head, "{%llu}\r\n", (unsigned long long)size);
            TRY(send_head(m, head));
            begun = true;
        }
        TRY(conn_write(m->s->conn, piece));
        r.from += piece.len;
    }
    return OK;
}

/* ---- header fields ---- */

static bool
is_wanted(const struct fetch_item *item, struct str name)
{
    bool listed = false;

    for (size_t i = 0; i < item->name_count; i++)
        listed |= str_eq_nocase(item->names[i], name);
    return listed == (item->part == SECTION_FIELDS);
}

static void
pick_fields(const struct fetch_item *item, struct str block, struct buf *out)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field field;

    while (header_next(&c, &field))
        if (is_wanted(item, field.name))
            buf_add(out, field.whole);
    buf_add_z(out, "\r\n");
}

/* Does the record hold all the fields that were asked for? */
static bool
record_is_enough(const struct fetch_message *m, const struct fetch_item *item)
{
    if (item->part != SECTION_FIELDS || item->path_count > 0)
        return false;
    for (size_t i = 0; i < item->name_count; i++)
        if (!record_covers(&m->record, item->names[i]))
            return false;
    return true;
}

static SUSPENDS enum status
read_header(const struct fetch_message *m, struct range r, struct buf *block)
{
    r.end = MIN(r.end, r.from + HEADER_READ_MAX);
    while (r.from < r.end) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 4096);
        struct str piece;
        TRY(read_piece(m, r, a, &piece));
        buf_add(block, piece);
        r.from += piece.len;
    }
    return buf_status(block);
}

static SUSPENDS enum status
write_fields(struct fetch_message *m, const struct fetch_item *item, struct range r,
             struct buf *head)
{
    AUTO_BUF block = BUF(HEADER_READ_MAX);
    AUTO_BUF fields = BUF(HEADER_READ_MAX + 2);
    struct str from = m->record.fields;

    if (!record_is_enough(m, item)) {
        TRY(read_header(m, r, &block));
        from = buf_str(&block);
    }
    pick_fields(item, from, &fields);
    struct range part = clip((struct range){0, fields.len}, item);
    buf_addf(head, "{%llu}\r\n", (unsigned long long)(part.end - part.from));
    TRY(send_head(m, head));
    return conn_write(m->s->conn,
                      str_sub(buf_str(&fields), (size_t)part.from, (size_t)(part.end - part.from)));
}

enum status
fetch_section_write(struct fetch_message *m, const struct fetch_item *item, struct buf *head)
{
    struct range r;

    add_label(head, item);
    if (!range_of(m, item, &r)) {
        buf_add_z(head, "NIL");
        return OK;
    }
    enum status e = item->part == SECTION_FIELDS || item->part == SECTION_FIELDS_NOT
                        ? write_fields(m, item, r, head)
                        : stream(m, clip(r, item), head);
    if (e == ERR_NOT_FOUND) {
        buf_add_z(head, "NIL"); /* expunged by another session meanwhile */
        return OK;
    }
    return e;
}
