/* queue_open.c - the queue after a start: heads at once, the index page by page while mail already goes.
 *
 * A data directory of the time when there was one cell without an index gets its index here, once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "store/queue_internal.h"

SUSPENDS static enum status read_head(struct queue *q, size_t cell, struct queue_head *out);
SUSPENDS static enum status make_index(struct queue *q, const struct queue_head *old);
SUSPENDS static enum status index_page(struct queue *q, const struct cell_entry *entries, size_t n);
SUSPENDS static enum status write_first_head(struct queue *q, const struct queue_head *old,
                                             uint64_t count);
SUSPENDS static enum status read_pauses(struct queue *q);
SUSPENDS static enum status load_cell(struct queue *q, size_t cell, struct instant now);

enum status
queue_open(struct cells *c, struct queue **out)
{
    AUTO(queue_free) struct queue *q = MEM_NEW(struct queue);
    struct queue_head h;

    q->cells = c;
    lanes_init(q);
    jobs_init(q);
    over_init(q);
    for (size_t i = 0; i < QUEUE_CELLS; i++)
        q->at[i].cell = cell_open(c, (struct cell_id){.kind = 'q', .id = i + 1});
    TRY(read_head(q, 0, &h));
    if (h.old) {
        TRY(make_index(q, &h));
        TRY(read_head(q, 0, &h));
    }
    q->floor = h.floor;
    for (size_t i = 0; i < QUEUE_CELLS; i++) {
        TRY(read_head(q, i, &h));
        q->at[i].next = q->at[i].load_below = h.next;
        q->at[i].count = h.count;
        q->length += h.count;
    }
    TRY(read_pauses(q));
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
    over_release(*q);
    lanes_release(*q);
    for (size_t i = 0; i < QUEUE_CELLS; i++)
        cell_close(&(*q)->at[i].cell);
    mem_free(*q);
    *q = NULL;
}

enum status
queue_load(struct queue *q, struct instant now)
{
    enum status st = OK;

    for (size_t i = 0; i < QUEUE_CELLS; i++) { /* one that is damaged does not keep the others */
        enum status one = q->at[i].count > 0 ? load_cell(q, i, now) : OK;
        st = st == OK ? one : st;
    }
    q->loaded = true;
    return st;
}

enum status
queue_walk_page(struct queue *q, const struct queue_walk *at, struct arena *a,
                const struct cell_entry **entries_out, size_t *n_out)
{
    const char end = (char)(at->tag + 1);
    struct queue_key lo = queue_key_of(at->tag, at->from);
    struct cell *cell = q->at[at->cell].cell;
    struct cell_walk w = {
        .cell = cell_id_of(cell),
        .lo = queue_key_str(&lo),
        .hi = str_from(&end, 1),
        .bytes_max = at->bytes_max,
    };

    enum status st = cell_walk_page(cell, &w, a, entries_out, n_out);
    cell_walk_end(cell, &w);
    if (st == OK)
        return OK;
    *n_out = 0;
    return st == ERR_NOT_FOUND ? OK : st;
}

/* ---- opening ---- */

SUSPENDS static enum status
read_head(struct queue *q, size_t cell, struct queue_head *out)
{
    AUTO_ARENA *a = arena_new(4096);
    struct str value;

    TRY(cell_get(q->at[cell].cell, STR("H"), a, &value));
    if (value.ptr != NULL)
        return queue_head_read(value, out);
    *out = (struct queue_head){.next = queue_first_of(q->floor, cell)};
    return OK;
}

/* Each page is one commit; the new head, which says that there is an index, is the last one.  After a crash between
 * them it is all done again. */
SUSPENDS static enum status
make_index(struct queue *q, const struct queue_head *old)
{
    AUTO_ARENA *a = arena_new(QUEUE_PAGE_ARENA);
    struct queue_walk w = {.tag = 'E', .bytes_max = QUEUE_PAGE_BYTES};
    const struct cell_entry *entries;
    uint64_t count = 0;
    size_t n;

    for (;;) {
        TRY(queue_walk_page(q, &w, a, &entries, &n));
        if (n == 0)
            return write_first_head(q, old, count);
        TRY(index_page(q, entries, n));
        w.from = be64_get(entries[n - 1].key.ptr + 1) + 1;
        count += n;
        arena_reset(a);
    }
}

SUSPENDS static enum status
index_page(struct queue *q, const struct cell_entry *entries, size_t n)
{
    AUTO_ARENA *a = arena_new(QUEUE_PAGE_ARENA);
    enum status st;

    do {
        AUTO(tx_abort) struct tx *tx = NULL;
        TRY(tx_begin(q->at[0].cell, &tx));
        for (size_t i = 0; i < n; i++) {
            AUTO_BUF value = BUF(QUEUE_VALUE_MAX);
            struct queue_message m;
            struct queue_plan p;
            TRY(queue_entry_read(&entries[i], a, &m));
            struct queue_key key = queue_key_of('I', m.qid);
            queue_plan_of(&m, a, &p);
            queue_plan_write(&p, &value);
            TRY(buf_status(&value));
            tx_put(tx, queue_key_str(&key), buf_str(&value));
        }
        st = tx_commit(&tx);
    } while (st == ERR_CONFLICT);
    return st;
}

SUSPENDS static enum status
write_first_head(struct queue *q, const struct queue_head *old, uint64_t count)
{
    const uint64_t round = (uint64_t)QUEUE_BLOCK * QUEUE_CELLS;
    uint64_t floor = (old->next + round - 1) / round * round;
    const struct queue_head h = {.next = floor, .count = count, .floor = floor};
    enum status st;

    do {
        AUTO(tx_abort) struct tx *tx = NULL;
        TRY(tx_begin(q->at[0].cell, &tx));
        queue_head_put(tx, &h);
        st = tx_commit(&tx);
    } while (st == ERR_CONFLICT);
    return st;
}

SUSPENDS static enum status
read_pauses(struct queue *q)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    const struct queue_paused *list;
    size_t n;

    TRY(queue_pauses(q, a, &list, &n));
    for (size_t i = 0; i < n; i++) {
        if (list[i].domain.len == 0)
            q->paused = true;
        else
            lane_pause(q, lane_of(q, list[i].domain), true);
    }
    return OK;
}

/* ---- loading ---- */

/* What comes while this walks is brought into memory by who adds it. */
SUSPENDS static enum status
load_cell(struct queue *q, size_t cell, struct instant now)
{
    AUTO_ARENA *a = arena_new(QUEUE_PAGE_ARENA);
    struct queue_walk w = {.cell = cell, .tag = 'I', .bytes_max = QUEUE_PAGE_BYTES};
    const struct cell_entry *entries;
    size_t n;

    for (;;) {
        TRY(queue_walk_page(q, &w, a, &entries, &n));
        if (n == 0)
            return OK;
        for (size_t i = 0; i < n; i++) {
            struct queue_plan p;
            if (entries[i].key.len != sizeof(struct queue_key))
                return ERR_CORRUPT;
            uint64_t qid = be64_get(entries[i].key.ptr + 1);
            w.from = qid + 1;
            if (qid >= q->at[cell].load_below)
                return OK;
            TRY(queue_plan_read(entries[i].value, a, &p));
            plan_add(q, qid, &p, now);
            if (p.over)
                TRY(over_load(q, qid));
        }
        arena_reset(a);
    }
}
