/* queue.c - the queue cell: opened, added to, read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include "base/mem.h"
#include "base/size.h"
#include "store/queue_internal.h"

enum { PAGE_BYTES = 1 << 20, PAGE_ARENA = 64 << 20 };

SUSPENDS static enum status load(struct queue *q, struct instant now);
SUSPENDS static enum status load_pages(struct queue *q, struct cell_walk *w, struct instant now);
SUSPENDS static enum status add_once(struct queue *q, struct queue_message *m, struct str facts);
static enum status read_entry(const struct cell_entry *e, struct arena *a,
                              struct queue_message *out);

enum status
queue_open(struct cells *c, struct instant now, struct queue **out)
{
    AUTO(queue_free) struct queue *q = MEM_NEW(struct queue);

    q->cells = c;
    q->cell = cell_open(c, (struct cell_id){.kind = 'q', .id = QUEUE_CELL});
    jobs_init(q);
    TRY(load(q, now));
    *out = q;
    q = NULL;
    return OK;
}

void
queue_free(struct queue **q)
{
    if (*q == NULL)
        return;
    jobs_release(*q);
    cell_close(&(*q)->cell);
    mem_free(*q);
    *q = NULL;
}

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
    while ((st = add_once(q, &added, facts)) == ERR_CONFLICT)
        ;
    TRY(st);
    entry_add(q, &added, now);
    *qid_out = added.qid;
    return OK;
}

enum status
queue_put(struct tx *tx, struct queue_message *m, struct str facts)
{
    AUTO_BUF head = BUF(64);
    AUTO_BUF value = BUF(QUEUE_VALUE_MAX);
    uint64_t qid = 1;
    struct str old;

    TRY(tx_get(tx, STR("H"), &old));
    if (old.ptr != NULL)
        TRY(queue_head_read(old, &qid));
    m->qid = qid;
    struct queue_key key = queue_key_of(qid);
    queue_head_write(qid + 1, &head);
    queue_message_write(m, &value);
    TRY(buf_status(&value));
    tx_put(tx, STR("H"), buf_str(&head));
    tx_put(tx, queue_key_str(&key), buf_str(&value));
    tx_ref_add(tx, m->body);
    if (facts.len > 0)
        tx_record_put(tx, qid, facts);
    return OK;
}

enum status
queue_get(struct queue *q, uint64_t qid, struct arena *a, struct queue_message *out)
{
    struct queue_key key = queue_key_of(qid);
    struct cell_entry e = {.key = queue_key_str(&key)};

    enum status st = cell_get(q->cell, e.key, a, &e.value);
    TRY(st);
    return e.value.ptr == NULL ? ERR_NOT_FOUND : read_entry(&e, a, out);
}

enum status
queue_facts(struct queue *q, uint64_t qid, struct arena *a, struct str *facts_out)
{
    struct str facts;

    TRY(engine_records(cells_engine(q->cells), cell_id_of(q->cell), &qid, 1, a, &facts));
    *facts_out = facts;
    return OK;
}

enum status
queue_list(struct queue *q, const struct queue_page *p, const struct queue_message **out,
           size_t *n_out)
{
    struct queue_message *list = ARENA_ARRAY(p->a, struct queue_message, p->max);
    const struct cell_entry *entries;
    size_t n = 0, count = 0;
    enum status st = OK;

    ASSERT(p->max > 0);
    struct queue_key lo = queue_key_of(p->after == UINT64_MAX ? p->after : p->after + 1);
    struct cell_walk w = {
        .cell = cell_id_of(q->cell),
        .lo = queue_key_str(&lo),
        .hi = STR("F"),
        .bytes_max = 65536,
    };
    while (st == OK && count < p->max && arena_left(p->a) > 2 * (size_t)QUEUE_VALUE_MAX) {
        st = cell_walk_page(q->cell, &w, p->a, &entries, &n);
        if (st != OK || n == 0)
            break;
        for (size_t i = 0; i < n && count < p->max && st == OK; i++)
            st = read_entry(&entries[i], p->a, &list[count++]);
    }
    cell_walk_end(q->cell, &w);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = entry_find(q, list[i].qid);
        for (size_t k = 0; e != NULL && k < list[i].rcpt_count; k++) {
            struct queue_rcpt *r = &list[i].rcpts[k];
            if (r->state == QUEUE_WAITING && entry_under_way(e, r))
                r->state = QUEUE_UNDER_WAY;
        }
    }
    *out = list;
    *n_out = count;
    return OK;
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
    else if (r->state == QUEUE_DELIVERED && !r->relayed)
        due = QUEUE_NOTIFY_SUCCESS;
    else if (r->state == QUEUE_WAITING && (r->tries > 0 || r->enhanced.len > 0) &&
             now.us - m->arrived.us >= LIMIT_QUEUE_WARN_S * INT64_C(1000000))
        due = QUEUE_NOTIFY_DELAY;
    return due & asked & ~r->told;
}

SUSPENDS static enum status
add_once(struct queue *q, struct queue_message *m, struct str facts)
{
    AUTO(tx_abort) struct tx *tx = NULL;

    TRY(tx_begin(q->cell, &tx));
    TRY(queue_put(tx, m, facts));
    return tx_commit(&tx);
}

SUSPENDS static enum status
load(struct queue *q, struct instant now)
{
    struct cell_walk w = {
        .cell = cell_id_of(q->cell),
        .lo = STR("E"),
        .hi = STR("F"),
        .bytes_max = PAGE_BYTES,
    };

    enum status st = load_pages(q, &w, now);
    cell_walk_end(q->cell, &w);
    return st == ERR_NOT_FOUND ? OK : st;
}

SUSPENDS static enum status
load_pages(struct queue *q, struct cell_walk *w, struct instant now)
{
    AUTO_ARENA *a = arena_new(PAGE_ARENA);
    const struct cell_entry *entries;
    size_t n;

    for (;;) {
        TRY(cell_walk_page(q->cell, w, a, &entries, &n));
        if (n == 0)
            return OK;
        for (size_t i = 0; i < n; i++) {
            struct queue_message m;
            TRY(read_entry(&entries[i], a, &m));
            entry_add(q, &m, now);
        }
        arena_reset(a);
    }
}

static enum status
read_entry(const struct cell_entry *e, struct arena *a, struct queue_message *out)
{
    struct queue_message m;

    if (e->key.len != sizeof(struct queue_key))
        return ERR_CORRUPT;
    TRY(queue_message_read(e->value, a, &m));
    m.qid = be64_get(e->key.ptr + 1);
    *out = m;
    return OK;
}
