/* fetch.c - FETCH and UID FETCH: batches of messages, their records, their answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/fetch.h"
#include "imap/record.h"

#include "base/size.h"
#include "ipc/store_ipc.h"

/* HEAD: what one message's record can be at most as text, three times (ENVELOPE, BODY, BODYSTRUCTURE), is far less. */
enum { BATCH_MAX = 128, HEAD_BYTES = 16 << 20, RECORDS_ARENA = 6 << 20, SEEN_RANGES = 65536 };

#define KNOWN_MAX (1u << 30)

/* Walks the session's array along the ranges of the command. */
struct walk {
    const struct store_range *uids;
    size_t count, at;
    bool inside;  /* index was looked up for range at */
    size_t index; /* the next candidate */
};
struct batch {
    size_t count;
    uint32_t index[BATCH_MAX];
    uint64_t mid[BATCH_MAX];
};

/* What came of the messages. */
struct outcome {
    bool missing; /* some had no record that could be used */
    bool gone;    /* some were expunged by another session */
};

static SUSPENDS enum status mark_seen(struct imap_cmd *c, struct walk w, struct buf *known);
static SUSPENDS enum status finish(struct imap_cmd *c, const struct outcome *o,
                                   const struct buf *known);

static bool
walk_next(struct walk *w, const struct imap_session *s, size_t *index_out)
{
    for (; w->at < w->count; w->at++, w->inside = false) {
        const struct store_range *r = &w->uids[w->at];
        if (!w->inside)
            w->index = box_array_find(s->array, s->count, r->first);
        w->inside = true;
        if (w->index < s->count && s->array->at[w->index].uid <= r->last) {
            *index_out = w->index++;
            return true;
        }
    }
    return false;
}

static void
next_batch(struct walk *w, const struct imap_session *s, const struct fetch *f, struct batch *b)
{
    size_t index;

    b->count = 0;
    while (b->count < BATCH_MAX && walk_next(w, s, &index)) {
        if (s->array->at[index].modseq <= f->changed_since && f->changed_since > 0)
            continue;
        b->index[b->count] = (uint32_t)index;
        b->mid[b->count++] = s->array->at[index].mid;
    }
}

/* ---- one message ---- */

static void
write_plain_item(const struct fetch_message *m, const struct fetch_item *item, struct buf *b)
{
    switch (item->kind) {
    case FETCH_UID: buf_addf(b, "UID %u", m->entry.uid); break;
    case FETCH_FLAGS:
        buf_add_z(b, "FLAGS ");
        imap_add_flags(b, m->s->box, m->entry.flags);
        break;
    case FETCH_INTERNALDATE:
        buf_add_z(b, "INTERNALDATE ");
        date_internal_write(b, (struct mail_date){.time = {m->received_us}});
        break;
    case FETCH_SIZE: buf_addf(b, "RFC822.SIZE %llu", (unsigned long long)m->size); break;
    case FETCH_MODSEQ: buf_addf(b, "MODSEQ (%llu)", (unsigned long long)m->entry.modseq); break;
    case FETCH_ENVELOPE:
        buf_add_z(b, "ENVELOPE ");
        record_envelope_write(&m->record, b);
        break;
    case FETCH_BODY:
    case FETCH_BODYSTRUCTURE:
        buf_add_z(b, item->kind == FETCH_BODY ? "BODY " : "BODYSTRUCTURE ");
        record_bodystructure_write(&m->record, item->kind == FETCH_BODYSTRUCTURE, b);
        break;
    case FETCH_SECTION: UNREACHABLE();
    }
}

static bool
asks_flags(const struct fetch *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].kind == FETCH_FLAGS)
            return true;
    return false;
}

static SUSPENDS enum status
write_items(const struct fetch *f, struct fetch_message *m, struct buf *b)
{
    buf_addf(b, "* %u FETCH (", m->sequence);
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0)
            buf_add_char(b, ' ');
        if (f->items[i].kind == FETCH_SECTION)
            TRY(fetch_section_write(m, &f->items[i], b));
        else
            write_plain_item(m, &f->items[i], b);
    }
    if (m->flags_changed && !asks_flags(f)) {
        buf_add_z(b, " FLAGS ");
        imap_add_flags(b, m->s->box, m->entry.flags);
    }
    buf_add_z(b, ")\r\n");
    return buf_status(b);
}

/* All of it, or nothing; ERR_CLOSED when neither is possible any more. */
static SUSPENDS enum status
write_message(const struct fetch *f, struct fetch_message *m, struct buf *b)
{
    size_t start = b->len;
    enum status e = write_items(f, m, b);

    if (e != OK && m->begun)
        return ERR_CLOSED;
    if (e != OK) {
        b->len = start;
        return e;
    }
    if (b->len < LIMIT_CONN_OUTPUT_HIGH / 2)
        return OK; /* several small answers in one write */
    TRY(conn_write(m->s->conn, buf_str(b)));
    buf_reset(b);
    return OK;
}

/* ---- batches ---- */

static struct fetch_message
message_at(struct imap_cmd *c, const struct fetch *f, size_t index)
{
    return (struct fetch_message){
        .s = c->s,
        .sequence = (uint32_t)index + 1,
        .entry = c->s->array->at[index],
        .flags_changed = f->sets_seen && c->s->array->at[index].modseq > c->s->modseq,
    };
}

static SUSPENDS enum status
answer_plain(struct imap_cmd *c, const struct fetch *f, const struct batch *b, struct buf *out)
{
    for (size_t i = 0; i < b->count; i++) {
        struct fetch_message m = message_at(c, f, b->index[i]);
        TRY(write_message(f, &m, out));
    }
    return OK;
}

static SUSPENDS enum status
answer_sizes(struct imap_cmd *c, const struct fetch *f, const struct batch *b, struct buf *out,
             struct outcome *o)
{
    AUTO_ARENA *a = arena_new(65536);
    struct store_sizes req = {.session = c->s->id, .mids = b->mid, .mids_count = b->count};
    struct store_sizes_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(c->s, &store));
        e = store_sizes_call(store, &req, a, &rep);
    } while (hold_read_again(&c->s->hold, e));
    TRY(e);
    if (rep.sizes_count != b->count)
        return ERR_CORRUPT;
    for (size_t i = 0; i < b->count; i++) {
        struct fetch_message m = message_at(c, f, b->index[i]);
        m.size = rep.sizes[i];
        o->gone |= m.size == 0;
        if (m.size > 0)
            TRY(write_message(f, &m, out));
    }
    return OK;
}

static SUSPENDS enum status
answer_record(struct imap_cmd *c, const struct fetch *f, size_t index, const struct store_record *r,
              struct buf *out)
{
    struct fetch_message m = message_at(c, f, index);
    AUTO_BUF made = BUF(RECORD_MAX);

    m.size = r->size;
    m.received_us = r->received;
    TRY(imap_record(c->s, r, &made, &m.record));
    return write_message(f, &m, out);
}

/* The store answers a prefix: as many as fit. */
static SUSPENDS enum status
answer_records(struct imap_cmd *c, const struct fetch *f, const struct batch *b, struct buf *out,
               struct outcome *o)
{
    for (size_t done = 0; done < b->count;) {
        AUTO_ARENA *a = arena_new(RECORDS_ARENA);
        struct store_records_reply rep;

        TRY(imap_records(c->s, b->mid + done, b->count - done, a, &rep));
        ASSERT(rep.done <= b->count - done);
        o->gone |= rep.records_count < rep.done;
        for (size_t i = 0, at = done; i < rep.records_count && at < done + rep.done; i++, at++) {
            while (at < done + rep.done && b->mid[at] != rep.records[i].mid)
                at++; /* expunged meanwhile: left out */
            if (at == done + rep.done)
                break;
            enum status e = answer_record(c, f, b->index[at], &rep.records[i], out);
            o->gone |= e == ERR_NOT_FOUND;
            o->missing |= e == ERR_CORRUPT || e == ERR_LIMIT;
            if (e != ERR_NOT_FOUND && e != ERR_CORRUPT && e != ERR_LIMIT)
                TRY(e);
        }
        done += rep.done;
    }
    return OK;
}

static SUSPENDS enum status
answer_all(struct imap_cmd *c, const struct fetch *f, struct walk w, struct outcome *o)
{
    AUTO_BUF out = BUF(HEAD_BYTES);
    struct batch b;

    for (;;) {
        next_batch(&w, c->s, f, &b);
        if (b.count == 0)
            break;
        enum status e = f->needs_record ? answer_records(c, f, &b, &out, o)
                        : f->needs_size ? answer_sizes(c, f, &b, &out, o)
                                        : answer_plain(c, f, &b, &out);
        TRY(e);
    }
    return conn_write(c->s->conn, buf_str(&out));
}

/* "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" ... ")") [SP "(" modifiers ")"] */
enum status
imap_cmd_fetch(struct imap_cmd *c)
{
    struct fetch *f = ARENA_NEW(c->arena, struct fetch);
    struct imap_set set;
    struct walk w = {0};
    struct outcome o = {0};
    AUTO_BUF known = BUF(KNOWN_MAX);

    if (!imap_scan_sp(&c->in) || !imap_scan_set(&c->in, c->arena, &set) || !imap_scan_sp(&c->in) ||
        !fetch_parse(c, f))
        return imap_bad(c, "Expected FETCH set items");
    if (!imap_uids(c, &set, &w.uids, &w.count))
        return imap_bad(c, "There is no message of that number");
    if (f->sets_seen && !c->s->read_only) {
        enum status e = mark_seen(c, w, &known);
        if (e != OK)
            return imap_write_failed(c, e);
    }
    TRY(imap_sync_keywords(c->s));
    enum status e = answer_all(c, f, w, &o);
    if (e == ERR_CLOSED || e == ERR_TIMEOUT || e == ERR_CANCELLED)
        return ERR_CLOSED; /* perhaps in the middle of a literal */
    if (e != OK)
        return imap_failed(c, e);
    return finish(c, &o, &known);
}

/* The flags that the answers told are not told again.  RFC 2180 section 4.1.2, RFC 5530: a number whose message another
 * session took away is a NO; a UID that is not there never is. */
static enum status
finish(struct imap_cmd *c, const struct outcome *o, const struct buf *known)
{
    struct imap_told told = {.messages = (const struct imap_known *)(const void *)known->ptr,
                             .count = known->len / sizeof(struct imap_known),
                             .silent = true,
                             .op = 1, /* enum flag_op of store.ipc: add */
                             .mask = IMAP_SEEN};

    if (o->missing)
        return imap_no(c, "UNAVAILABLE", "Some messages cannot be described now, try again");
    if (o->gone && !c->uid)
        return imap_no(c, "EXPUNGEISSUED", "Some of the messages were removed meanwhile");
    if (told.count > 0)
        TRY(imap_sync_stored(c->s, &told));
    return imap_ok(c, NULL, "Fetched");
}

/* ---- \Seen ---- */

static SUSPENDS enum status
add_seen(struct imap_session *s, const struct store_range *uids, size_t n)
{
    AUTO_ARENA *a = arena_new(RECORDS_ARENA);
    struct store_flags req = {.session = s->id,
                              .mailbox = s->box->mailbox,
                              .uids = uids,
                              .uids_count = n,
                              .op = 1, /* enum flag_op of store.ipc: add */
                              .flags = IMAP_SEEN,
                              .unchanged_since = UINT64_MAX};
    struct store_flags_reply rep;
    struct ipc_peer *store;
    enum status e;

    /* As a read: to add the flag once more changes nothing. */
    do {
        TRY(imap_store(s, &store));
        e = store_flags_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    imap_changed(s->account, rep.modseq, &req.mailbox, 1);
    return OK;
}

/* The next messages without \Seen, as many as one call takes; *known gets each of them. */
static size_t
next_unseen(struct walk *w, const struct imap_session *s, struct store_range *out, size_t max,
            struct buf *known)
{
    size_t count = 0, index;

    while (count < max && walk_next(w, s, &index)) {
        const struct box_entry *e = &s->array->at[index];
        struct imap_known k = {.index = index, .flags = e->flags};
        if ((e->flags & IMAP_SEEN) != 0)
            continue;
        buf_add(known, str_from((const char *)&k, sizeof(k)));
        if (count > 0 && out[count - 1].last + 1 == e->uid)
            out[count - 1].last = e->uid;
        else
            out[count++] = (struct store_range){.first = e->uid, .last = e->uid};
    }
    return count;
}

/* How many ranges the messages of a walk can make. */
static size_t
most_ranges(const struct walk *w, const struct imap_session *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += (uint64_t)w->uids[i].last - w->uids[i].first + 1;
    return (size_t)MIN(MIN(n, (uint64_t)s->count), (uint64_t)SEEN_RANGES);
}

/* Before the answers, so that they tell the flags as they are (RFC 3501 section 6.4.5). */
static enum status
mark_seen(struct imap_cmd *c, struct walk w, struct buf *known)
{
    struct imap_session *s = c->s;
    AUTO_ARENA *a = arena_new(SEEN_RANGES * sizeof(struct store_range) + 64);
    size_t max = most_ranges(&w, s);
    struct store_range *unseen = ARENA_ARRAY(a, struct store_range, max + 1);
    bool any = false;
    size_t n;

    while ((n = next_unseen(&w, s, unseen, max, known)) > 0) {
        TRY(buf_status(known));
        TRY(add_seen(s, unseen, n));
        any = true;
    }
    return any ? box_refresh(s->box, s, true) : OK;
}
