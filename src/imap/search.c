/* search.c - SEARCH and UID SEARCH: decided by flags where that is enough, then by record, then by body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/search.h"

#include <stdlib.h>

#include "base/size.h"
#include "imap/record.h"
#include "ipc/store_ipc.h"

enum {
    BATCH_MAX = 256,
    RECORDS_ARENA = 6 << 20,
    SEND_AT = 1 << 15,
    SET_PIECE = 1000, /* numbers of at most 10 digits and a comma */
    BODY_MAX = 64 << 20
};

struct hits {
    uint32_t *numbers; /* owned: UIDs or sequence numbers, ascending */
    size_t count, cap;
};

static void
hits_release(struct hits *h)
{
    mem_free(h->numbers);
}

static void
hits_add(struct hits *h, uint32_t n)
{
    if (h->count == h->cap) {
        size_t cap = h->cap == 0 ? 256 : h->cap * 2;
        h->numbers = mem_resize(h->numbers, h->cap * sizeof(uint32_t), cap * sizeof(uint32_t));
        h->cap = cap;
    }
    h->numbers[h->count++] = n;
}

/* "*" and the order of ranges, once for all messages. */
static void
resolve_sets(struct search *p, const struct imap_session *s)
{
    uint32_t last_uid = s->count == 0 ? 0 : s->array->at[s->count - 1].uid;

    for (size_t i = 0; i < p->count; i++) {
        if (p->nodes[i].kind == SEARCH_SEQUENCE)
            imap_set_resolve(&p->nodes[i].set, (uint32_t)s->count);
        if (p->nodes[i].kind == SEARCH_UID)
            imap_set_resolve(&p->nodes[i].set, last_uid);
    }
}

static struct search_subject
subject_at(const struct imap_session *s, size_t index)
{
    return (struct search_subject){
        .s = s, .sequence = (uint32_t)index + 1, .entry = s->array->at[index]};
}

/* ---- what a message needs ---- */

/* With its record at hand: a hit?  A message that went away meanwhile is none. */
static SUSPENDS enum status
decide(struct imap_cmd *c, const struct search *p, struct search_subject *m, bool *hit)
{
    AUTO_BUF body = BUF(IMAP_BODY_MAX);
    enum search_answer a = search_run(p, m);

    if (a == SEARCH_UNKNOWN) {
        enum status e = imap_read_body(c->s, m->entry.mid, m->size, &body);
        m->body = buf_str(&body);
        m->has_body = e == OK;
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        a = e == OK ? search_run(p, m) : SEARCH_NO;
    }
    *hit = a == SEARCH_YES;
    return OK;
}

struct batch {
    size_t count;
    uint32_t index[BATCH_MAX];
    uint64_t mid[BATCH_MAX];
};

static void
take(struct imap_cmd *c, size_t index, struct hits *h)
{
    hits_add(h, c->uid ? c->s->array->at[index].uid : (uint32_t)index + 1);
}

static SUSPENDS enum status
decide_records(struct imap_cmd *c, const struct search *p, const struct batch *b, struct hits *h)
{
    for (size_t done = 0; done < b->count;) {
        AUTO_ARENA *a = arena_new(RECORDS_ARENA);
        struct store_records_reply rep;

        TRY(imap_records(c->s, b->mid + done, b->count - done, a, &rep));
        ASSERT(rep.done <= b->count - done);
        for (size_t i = 0, at = done; i < rep.records_count; i++, at++) {
            const struct store_record *r = &rep.records[i];
            AUTO_BUF made = BUF(RECORD_MAX);
            bool hit = false;
            while (at < done + rep.done && b->mid[at] != r->mid)
                at++; /* expunged meanwhile */
            if (at == done + rep.done)
                break;
            struct search_subject m = subject_at(c->s, b->index[at]);
            m.size = r->size;
            m.received_us = r->received;
            enum status e = imap_record(c->s, r, &made, &m.record);
            if (e == ERR_NOT_FOUND)
                continue;
            TRY(e); /* never a wrong answer for want of a record */
            m.has_record = true;
            TRY(decide(c, p, &m, &hit));
            if (hit)
                take(c, b->index[at], h);
        }
        done += rep.done;
    }
    return OK;
}

static SUSPENDS enum status
run(struct imap_cmd *c, const struct search *p, struct hits *h)
{
    size_t index = 0;

    while (index < c->s->count) {
        struct batch b = {0};
        /* Those that flags do not decide wait for their records; order is kept batch by batch. */
        struct hits sure = {0};
        for (; index < c->s->count && b.count < BATCH_MAX; index++) {
            struct search_subject m = subject_at(c->s, index);
            enum search_answer a = search_run(p, &m);
            if (a == SEARCH_YES)
                hits_add(&sure, (uint32_t)index);
            if (a != SEARCH_UNKNOWN)
                continue;
            b.index[b.count] = (uint32_t)index;
            b.mid[b.count++] = m.entry.mid;
        }
        for (size_t i = 0; i < sure.count; i++)
            take(c, sure.numbers[i], h);
        hits_release(&sure);
        TRY(decide_records(c, p, &b, h));
    }
    return OK;
}

/* ---- the answer ---- */

static int
ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* The numbers go out in pieces. */
static SUSPENDS enum status
send_piece(struct imap_cmd *c, struct buf *b)
{
    if (b->len < SEND_AT)
        return OK;
    TRY(conn_write(c->s->conn, buf_str(b)));
    buf_reset(b);
    return OK;
}

static SUSPENDS enum status
send_plain(struct imap_cmd *c, const struct hits *h)
{
    AUTO_BUF b = BUF(2 * SEND_AT);

    buf_add_z(&b, "* SEARCH");
    for (size_t i = 0; i < h->count; i++) {
        buf_add_char(&b, ' ');
        buf_add_u64(&b, h->numbers[i]);
        TRY(send_piece(c, &b));
    }
    buf_add_z(&b, "\r\n");
    return conn_write(c->s->conn, buf_str(&b));
}

/* Some numbers at a time, never cutting a range. */
static SUSPENDS enum status
send_set(struct imap_cmd *c, const struct hits *h, struct buf *b)
{
    for (size_t from = 0; from < h->count;) {
        size_t end = MIN(from + SET_PIECE, h->count);
        while (end < h->count && h->numbers[end] == h->numbers[end - 1] + 1)
            end++;
        if (from > 0)
            buf_add_char(b, ',');
        imap_add_set(b, h->numbers + from, end - from);
        from = end;
        TRY(send_piece(c, b));
    }
    return OK;
}

/* RFC 4731 section 3.1: MIN, MAX and ALL are left out when nothing was found. */
static SUSPENDS enum status
send_extended(struct imap_cmd *c, const struct search *p, const struct hits *h)
{
    AUTO_BUF b = BUF(2 * SEND_AT);

    buf_add_z(&b, "* ESEARCH (TAG ");
    imap_add_string(&b, c->tag);
    buf_add_z(&b, c->uid ? ") UID" : ")");
    if (h->count > 0 && (p->returns & SEARCH_RETURN_MIN) != 0)
        buf_addf(&b, " MIN %u", h->numbers[0]);
    if (h->count > 0 && (p->returns & SEARCH_RETURN_MAX) != 0)
        buf_addf(&b, " MAX %u", h->numbers[h->count - 1]);
    if (h->count > 0 && (p->returns & SEARCH_RETURN_ALL) != 0) {
        buf_add_z(&b, " ALL ");
        TRY(send_set(c, h, &b));
    }
    if ((p->returns & SEARCH_RETURN_COUNT) != 0)
        buf_addf(&b, " COUNT %zu", h->count);
    buf_add_z(&b, "\r\n");
    return conn_write(c->s->conn, buf_str(&b));
}

/* "SEARCH" [SP "RETURN" ...] [SP "CHARSET" SP astring] 1*(SP search-key) */
enum status
imap_cmd_search(struct imap_cmd *c)
{
    struct search *p = ARENA_NEW(c->arena, struct search);
    AUTO(hits_release) struct hits h = {0};

    if (!search_parse(c, p))
        return p->bad_charset
                   ? imap_no(c, "BADCHARSET (US-ASCII UTF-8)", "This charset is not known")
                   : imap_bad(c, "Expected SEARCH keys");
    resolve_sets(p, c->s);
    enum status e = run(c, p, &h);
    if (e != OK)
        return imap_failed(c, e);
    if (h.count > 1)
        qsort(h.numbers, h.count, sizeof(h.numbers[0]), ascending);
    TRY(p->extended ? send_extended(c, p, &h) : send_plain(c, &h));
    return imap_ok(c, NULL, "Searched");
}
