/* queue.c - the queue's cells: added to, read, listed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include "base/mem.h"
#include "base/size.h"
#include "store/queue_internal.h"

enum { LIST_PAGE_BYTES = 65536, EXAMINED_MAX = 2000 /* in one call of queue_list() */ };

static size_t cell_for_new(const struct queue *q);
SUSPENDS static enum status add_once(struct queue *q, struct queue_message *m, struct str facts);
SUSPENDS static enum status list_cell(struct queue *q, struct queue_page *p, size_t cell,
                                      struct queue_message *list, size_t *n);
static void mark_under_way(const struct queue *q, struct queue_message *m);

uint64_t
queue_length(const struct queue *q)
{
    return q->length;
}

enum status
queue_add(struct queue *q, const struct queue_message *m, struct str facts, struct instant now,
          uint64_t *qid_out)
{
    struct queue_message added = *m;
    enum status st;

    if (q->length >= LIMIT_QUEUE_MESSAGES || m->rcpt_count == 0 || m->rcpt_count > QUEUE_RCPTS_MAX)
        return ERR_LIMIT;
    added.arrived = now;
    for (size_t i = 0; i < m->rcpt_count; i++)
        m->rcpts[i].next.us = MAX(m->rcpts[i].next.us, m->terms.hold_until.us);
    while ((st = add_once(q, &added, facts)) == ERR_CONFLICT)
        ;
    TRY(st);
    queue_added(q, &added, now);
    *qid_out = added.qid;
    return OK;
}

enum status
queue_put(struct tx *tx, struct queue_head *h, size_t cell, struct queue_message *m,
          struct str facts)
{
    m->qid = h->next++;
    if (h->next % QUEUE_BLOCK == 0) /* the next block of this cell */
        h->next += (uint64_t)QUEUE_BLOCK * (QUEUE_CELLS - 1);
    h->count++;
    ASSERT(h->next / QUEUE_BLOCK % QUEUE_CELLS == cell);
    TRY(queue_write(tx, m));
    tx_ref_add(tx, m->body);
    if (facts.len > 0)
        tx_record_put(tx, m->qid, facts);
    return OK;
}

enum status
queue_write(struct tx *tx, const struct queue_message *m)
{
    AUTO_ARENA *a = arena_new(QUEUE_PLAN_ARENA);
    AUTO_BUF value = BUF(QUEUE_VALUE_MAX);
    AUTO_BUF index = BUF(QUEUE_VALUE_MAX);
    struct queue_key key = queue_key_of('E', m->qid), index_key = queue_key_of('I', m->qid);
    struct queue_plan p;

    queue_message_write(m, &value);
    TRY(buf_status(&value));
    queue_plan_of(m, a, &p);
    queue_plan_write(&p, &index);
    TRY(buf_status(&index));
    tx_put(tx, queue_key_str(&key), buf_str(&value));
    tx_put(tx, queue_key_str(&index_key), buf_str(&index));
    return OK;
}

enum status
queue_head_get(const struct queue *q, struct tx *tx, size_t cell, struct queue_head *out)
{
    struct str value;

    TRY(tx_get(tx, STR("H"), &value));
    if (value.ptr != NULL)
        return queue_head_read(value, out);
    *out = (struct queue_head){.next = queue_first_of(q->floor, cell)};
    return OK;
}

void
queue_head_put(struct tx *tx, const struct queue_head *h)
{
    AUTO_BUF value = BUF(64);

    queue_head_write(h, &value);
    tx_put(tx, STR("H"), buf_str(&value));
}

void
queue_added(struct queue *q, const struct queue_message *m, struct instant now)
{
    AUTO_ARENA *a = arena_new(QUEUE_PLAN_ARENA);
    struct queue_cell *c = &q->at[queue_cell_of(q, m->qid)];
    struct queue_plan p;

    q->length++;
    c->count++;
    c->next = MAX(c->next, m->qid + 1);
    if (c->next % QUEUE_BLOCK == 0)
        c->next += (uint64_t)QUEUE_BLOCK * (QUEUE_CELLS - 1);
    queue_plan_of(m, a, &p);
    plan_add(q, m->qid, &p, now);
    if (p.over)
        over_add(q, m->account, m->qid, m->arrived);
}

void
queue_gone(struct queue *q, uint64_t qid)
{
    struct entry *e = entry_find(q, qid);

    q->length--;
    q->at[queue_cell_of(q, qid)].count--;
    if (e != NULL)
        e->gone = true;
}

/* ---- which cell ---- */

struct queue_key
queue_key_of(char tag, uint64_t qid)
{
    struct queue_key k = {{tag}};

    be64_put(k.bytes + 1, qid);
    return k;
}

struct str
queue_key_str(const struct queue_key *k)
{
    return str_from(k->bytes, sizeof(k->bytes));
}

size_t
queue_cell_of(const struct queue *q, uint64_t qid)
{
    return qid < q->floor ? 0 : (size_t)(qid / QUEUE_BLOCK % QUEUE_CELLS);
}

uint64_t
queue_first_of(uint64_t floor, size_t cell)
{
    uint64_t first = floor + ((uint64_t)cell * QUEUE_BLOCK);

    return first == 0 ? 1 : first; /* 0 is no qid */
}

/* The oldest block that is not used up, so that qids grow with time and commits share their groups. */
static size_t
cell_for_new(const struct queue *q)
{
    size_t best = 0;

    for (size_t i = 1; i < QUEUE_CELLS; i++) {
        bool full = q->at[i].count >= LIMIT_QUEUE_CELL_MESSAGES;
        bool best_full = q->at[best].count >= LIMIT_QUEUE_CELL_MESSAGES;
        if (full == best_full ? q->at[i].next < q->at[best].next : best_full)
            best = i;
    }
    return best;
}

SUSPENDS static enum status
add_once(struct queue *q, struct queue_message *m, struct str facts)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    size_t cell = cell_for_new(q);
    struct queue_head h;

    TRY(tx_begin(q->at[cell].cell, &tx));
    TRY(queue_head_get(q, tx, cell, &h));
    TRY(queue_put(tx, &h, cell, m, facts));
    queue_head_put(tx, &h);
    return tx_commit(&tx);
}

/* ---- reading ---- */

enum status
queue_get(struct queue *q, uint64_t qid, struct arena *a, struct queue_message *out)
{
    struct queue_key key = queue_key_of('E', qid);
    struct cell_entry e = {.key = queue_key_str(&key)};

    TRY(cell_get(q->at[queue_cell_of(q, qid)].cell, e.key, a, &e.value));
    return e.value.ptr == NULL ? ERR_NOT_FOUND : queue_entry_read(&e, a, out);
}

enum status
queue_show(struct queue *q, uint64_t qid, struct arena *a, struct queue_message *out)
{
    TRY(queue_get(q, qid, a, out));
    mark_under_way(q, out);
    return OK;
}

enum status
queue_facts(struct queue *q, uint64_t qid, struct arena *a, struct str *facts_out)
{
    struct cell_id id = cell_id_of(q->at[queue_cell_of(q, qid)].cell);
    struct str facts;

    TRY(engine_records(cells_engine(q->cells), id, &qid, 1, a, &facts));
    *facts_out = facts;
    return OK;
}

enum status
queue_list(struct queue *q, struct queue_page *p, const struct queue_message **out, size_t *n_out)
{
    struct queue_message *list = ARENA_ARRAY(p->a, struct queue_message, p->max);
    size_t n = 0;

    ASSERT(p->max > 0);
    p->more = false;
    p->examined = 0;
    for (size_t i = queue_cell_of(q, p->after); i < QUEUE_CELLS && !p->more; i++) {
        if (q->at[i].count > 0)
            TRY(list_cell(q, p, i, list, &n));
    }
    for (size_t i = 0; i < n; i++)
        mark_under_way(q, &list[i]);
    *out = list;
    *n_out = n;
    return OK;
}

/* Room for one more message, whatever its size, and some patience left. */
static bool
page_is_full(const struct queue_page *p, size_t n)
{
    return n == p->max || p->examined >= EXAMINED_MAX ||
           arena_left(p->a) < 2 * (size_t)QUEUE_VALUE_MAX;
}

SUSPENDS static enum status
list_cell(struct queue *q, struct queue_page *p, size_t cell, struct queue_message *list, size_t *n)
{
    bool goes_on = queue_cell_of(q, p->after) == cell;
    struct queue_walk w = {.cell = cell,
                           .tag = 'E',
                           .from = goes_on && p->after != 0 ? p->after + 1 : 0,
                           .bytes_max = LIST_PAGE_BYTES};
    const struct cell_entry *entries;
    size_t found;

    for (;;) {
        TRY(queue_walk_page(q, &w, p->a, &entries, &found));
        if (found == 0)
            return OK;
        for (size_t i = 0; i < found; i++) {
            if (page_is_full(p, *n)) {
                p->more = true;
                return OK;
            }
            if (entries[i].key.len != sizeof(struct queue_key))
                return ERR_CORRUPT;
            p->after = be64_get(entries[i].key.ptr + 1);
            p->examined++;
            w.from = p->after + 1;
            if (queue_entry_read(&entries[i], p->a, &list[*n]) != OK)
                continue; /* one that cannot be read hides no other: queue_load() */
            if (p->only == NULL || queue_selects(p->only, &list[*n]))
                (*n)++;
        }
    }
}

static void
mark_under_way(const struct queue *q, struct queue_message *m)
{
    const struct entry *e = entry_find(q, m->qid);

    for (size_t k = 0; e != NULL && k < m->rcpt_count; k++) {
        struct queue_rcpt *r = &m->rcpts[k];
        if (r->state == QUEUE_WAITING && entry_under_way(e, r))
            r->state = QUEUE_UNDER_WAY;
    }
}

struct instant
queue_warn_time(const struct queue_message *m)
{
    if (m->terms.by_mode == QUEUE_BY_NOTIFY)
        return m->terms.by;
    return (struct instant){queue_terms_begin(&m->terms, m->arrived).us +
                            LIMIT_QUEUE_WARN_S * INT64_C(1000000)};
}

/* What has not been tried is late as well when a time that the sender set has passed; but not when it came too late
 * to us: then the first try says more (RFC 2852 section 4.1.3). */
static bool
is_late(const struct queue_message *m, const struct queue_rcpt *r, struct instant now)
{
    struct instant warn = queue_warn_time(m);
    bool asked = m->terms.by_mode == QUEUE_BY_NOTIFY &&
                 warn.us > queue_terms_begin(&m->terms, m->arrived).us;

    return now.us >= warn.us && (asked || r->tries > 0 || r->enhanced.len > 0);
}

uint32_t
queue_report_due(const struct queue_message *m, const struct queue_rcpt *r, struct instant now)
{
    uint32_t asked = r->notify != 0 ? r->notify : QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY;
    uint32_t due = 0;

    if (m->sender.len == 0 ||
        (asked & QUEUE_NOTIFY_NEVER) != 0) /* RFC 3461 section 5.2, RFC 5321 section 4.5.5 */
        return 0;
    if (r->state == QUEUE_FAILED)
        due = QUEUE_NOTIFY_FAILURE;
    else if (r->state == QUEUE_DELIVERED && (r->announce || !r->relayed))
        due = QUEUE_NOTIFY_SUCCESS;
    else if (r->state == QUEUE_WAITING && is_late(m, r, now))
        due = QUEUE_NOTIFY_DELAY;
    asked |= r->announce ? QUEUE_NOTIFY_SUCCESS : 0;
    return due & asked & ~r->told;
}

enum status
queue_entry_read(const struct cell_entry *e, struct arena *a, struct queue_message *out)
{
    struct queue_message m;

    if (e->key.len != sizeof(struct queue_key))
        return ERR_CORRUPT;
    TRY(queue_message_read(e->value, a, &m));
    m.qid = be64_get(e->key.ptr + 1);
    *out = m;
    return OK;
}
