/* queue_values.c - writers and readers of queue values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_values.h"

#include "base/mem.h"
#include "base/scan.h"
#include "store/directory.h"

enum {
    VERSION = 1,
    VERSION_MORE = 2, /* with account, route and terms, when there are any */
    HEAD_OLD = 1,
    HEAD_VERSION = 2,
    FLAG_FULL_RETURN = 1,
    FLAG_SMTPUTF8 = 2,
    FLAG_EIGHT_BIT = 4,
    FLAG_HELD = 8,
    FLAG_JUNK = 16,
    FLAG_OVER = 32,
    FLAGS_ALL = 15 | FLAG_JUNK | FLAG_OVER,
    NOTIFY_ALL = 15,
    RELAYED = 1,
    ANNOUNCE = 2,
};

static void write_rcpt(const struct queue_rcpt *r, struct buf *b);
static bool has_more(const struct queue_message *m);
static bool read_head(struct scan *s, struct queue_message *m);
static bool read_more(struct scan *s, struct queue_message *m);
static bool read_rcpt(struct scan *s, struct queue_rcpt *r);
static bool read_progress(struct scan *s, struct queue_rcpt *r);
static bool read_u32(struct scan *s, uint32_t max, uint32_t *out);

void
queue_message_write(const struct queue_message *m, struct buf *b)
{
    ASSERT(m->rcpt_count > 0 && m->rcpt_count <= QUEUE_RCPTS_MAX);
    buf_add_char(b, has_more(m) ? VERSION_MORE : VERSION);
    buf_add_char(b, (char)((m->full_return ? FLAG_FULL_RETURN : 0) |
                           (m->smtputf8 ? FLAG_SMTPUTF8 : 0) | (m->eight_bit ? FLAG_EIGHT_BIT : 0) |
                           (m->held ? FLAG_HELD : 0) | (m->junk ? FLAG_JUNK : 0) |
                           (m->over ? FLAG_OVER : 0)));
    buf_add_bytes(b, m->sender);
    buf_add(b, str_from((const char *)m->body.bytes, sizeof(m->body.bytes))); /* raw bytes */
    buf_add_varint(b, m->size);
    buf_add_varint(b, m->header_bytes);
    buf_add_zigzag(b, m->arrived.us);
    buf_add_bytes(b, m->prepend);
    buf_add_bytes(b, m->envid);
    if (has_more(m)) {
        buf_add_varint(b, m->account);
        buf_add_bytes(b, str_sub(m->route, 0, LIMIT_ROUTE_NAME_BYTES));
        queue_terms_write(&m->terms, b);
    }
    buf_add_varint(b, m->rcpt_count);
    for (size_t i = 0; i < m->rcpt_count; i++)
        write_rcpt(&m->rcpts[i], b);
}

enum status
queue_message_read(struct str value, struct arena *a, struct queue_message *out)
{
    struct scan s = scan_of(value);
    struct queue_message m = {0};
    uint8_t version;
    uint64_t n;

    if (!scan_u8(&s, &version) || version < VERSION || version > VERSION_MORE ||
        !read_head(&s, &m) || (version == VERSION_MORE && !read_more(&s, &m)) ||
        !scan_varint(&s, QUEUE_RCPTS_MAX, &n) || n == 0)
        return ERR_CORRUPT;
    m.rcpt_count = (size_t)n; /* bounded above */
    m.rcpts = ARENA_ARRAY(a, struct queue_rcpt, m.rcpt_count);
    for (size_t i = 0; i < m.rcpt_count; i++) {
        if (!read_rcpt(&s, &m.rcpts[i]))
            return ERR_CORRUPT;
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = m;
    return OK;
}

void
queue_head_write(const struct queue_head *h, struct buf *b)
{
    buf_add_char(b, HEAD_VERSION);
    buf_add_be64(b, h->next);
    buf_add_varint(b, h->count);
    buf_add_varint(b, h->floor);
}

enum status
queue_head_read(struct str value, struct queue_head *out)
{
    struct queue_head h = {0};
    struct scan s = scan_of(value);
    uint8_t version;

    if (!scan_u8(&s, &version) || version < HEAD_OLD || version > HEAD_VERSION ||
        !scan_be64(&s, &h.next) || h.next == 0 || h.next > QUEUE_QID_MAX)
        return ERR_CORRUPT;
    h.old = version == HEAD_OLD;
    if (!h.old && (!scan_varint(&s, h.next, &h.count) || !scan_varint(&s, QUEUE_QID_MAX, &h.floor)))
        return ERR_CORRUPT;
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = h;
    return OK;
}

static void
write_rcpt(const struct queue_rcpt *r, struct buf *b)
{
    bool same = str_eq(r->original, r->address);

    buf_add_bytes(b, r->address);
    buf_add_bytes(b, same ? STR_NONE : r->original);
    buf_add_bytes(b, r->orcpt);
    buf_add_varint(b, r->account);
    buf_add_char(b, (char)(r->notify & NOTIFY_ALL));
    buf_add_char(b, (char)r->state);
    buf_add_char(b, (char)(r->told & NOTIFY_ALL));
    buf_add_char(b, (char)((r->relayed ? RELAYED : 0) | (r->announce ? ANNOUNCE : 0)));
    buf_add_varint(b, r->tries);
    buf_add_zigzag(b, r->next.us);
    buf_add_varint(b, r->code);
    buf_add_bytes(b, str_sub(r->enhanced, 0, 12));
    buf_add_bytes(b, str_sub(r->text, 0, QUEUE_TEXT_MAX));
    buf_add_bytes(b, str_sub(r->remote, 0, QUEUE_REMOTE_MAX));
}

static bool
read_head(struct scan *s, struct queue_message *m)
{
    struct str body;
    uint8_t flags;

    if (!scan_u8(s, &flags) || (flags & ~FLAGS_ALL) != 0 ||
        (flags & (FLAG_HELD | FLAG_OVER)) == FLAG_OVER ||
        !scan_bytes(s, DIRECTORY_ADDRESS_MAX, &m->sender) ||
        !scan_take(s, sizeof(m->body.bytes), &body) || !scan_varint(s, INT64_MAX, &m->size) ||
        !scan_varint(s, m->size, &m->header_bytes) || !scan_zigzag(s, &m->arrived.us) ||
        !scan_bytes(s, QUEUE_PREPEND_MAX, &m->prepend) ||
        !scan_bytes(s, QUEUE_ENVID_MAX, &m->envid))
        return false;
    mem_copy(m->body.bytes, body.ptr, body.len);
    m->full_return = (flags & FLAG_FULL_RETURN) != 0;
    m->smtputf8 = (flags & FLAG_SMTPUTF8) != 0;
    m->eight_bit = (flags & FLAG_EIGHT_BIT) != 0;
    m->held = (flags & FLAG_HELD) != 0;
    m->junk = (flags & FLAG_JUNK) != 0;
    m->over = (flags & FLAG_OVER) != 0;
    return true;
}

static bool
has_more(const struct queue_message *m)
{
    return m->account != 0 || m->route.len > 0 || queue_terms_any(&m->terms);
}

static bool
read_more(struct scan *s, struct queue_message *m)
{
    return scan_varint(s, UINT64_MAX, &m->account) &&
           scan_bytes(s, LIMIT_ROUTE_NAME_BYTES, &m->route) && queue_terms_read(s, &m->terms) &&
           has_more(m);
}

static bool
read_rcpt(struct scan *s, struct queue_rcpt *r)
{
    if (!scan_bytes(s, DIRECTORY_ADDRESS_MAX, &r->address) || r->address.len == 0 ||
        !scan_bytes(s, DIRECTORY_ADDRESS_MAX, &r->original) ||
        !scan_bytes(s, QUEUE_ORCPT_MAX, &r->orcpt) || !scan_varint(s, UINT64_MAX, &r->account) ||
        !read_progress(s, r) || !scan_bytes(s, 12, &r->enhanced) ||
        !scan_bytes(s, QUEUE_TEXT_MAX, &r->text) || !scan_bytes(s, QUEUE_REMOTE_MAX, &r->remote))
        return false;
    if (r->original.len == 0)
        r->original = r->address;
    return true;
}

static bool
read_progress(struct scan *s, struct queue_rcpt *r)
{
    uint8_t notify, state, told, relayed;

    if (!scan_u8(s, &notify) || notify > NOTIFY_ALL || !scan_u8(s, &state) ||
        state > QUEUE_FAILED || !scan_u8(s, &told) || told > NOTIFY_ALL || !scan_u8(s, &relayed) ||
        relayed > (RELAYED | ANNOUNCE) || !read_u32(s, UINT32_MAX, &r->tries) ||
        !scan_zigzag(s, &r->next.us) || !read_u32(s, 999, &r->code))
        return false;
    r->notify = notify;
    r->state = (enum queue_state)state; /* checked above */
    r->told = told;
    r->relayed = (relayed & RELAYED) != 0;
    r->announce = (relayed & ANNOUNCE) != 0;
    return true;
}

static bool
read_u32(struct scan *s, uint32_t max, uint32_t *out)
{
    uint64_t v;

    if (!scan_varint(s, max, &v))
        return false;
    *out = (uint32_t)v; /* <= max */
    return true;
}
