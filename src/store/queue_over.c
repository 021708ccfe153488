/* queue_over.c - see queue_over.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_over.h"

#include "base/mem.h"
#include "store/queue_internal.h"

#define AGAIN_US  INT64_C(60000000)
#define ARENA_MAX ((size_t)32 << 20)

struct line {
    struct list of_queue; /* queue.over_due: those to be looked at first stand first */
    uint64_t account;
    int64_t look_us;
    struct items held; /* heap, by arrival */
};

static struct line *line_find(const struct queue *q, uint64_t account);
static void line_at(struct queue *q, struct line *l, int64_t look_us);
static void line_free(struct queue *q, struct line *l);

void
over_init(struct queue *q)
{
    q->over = map_new();
    list_init(&q->over_due);
}

void
over_release(struct queue *q)
{
    list_each_safe(l, after, &q->over_due) line_free(q, LIST_ENTRY(l, struct line, of_queue));
    map_free(&q->over);
}

bool
queue_over_has(const struct queue *q, uint64_t account)
{
    return line_find(q, account) != NULL;
}

bool
queue_over_next(struct queue *q, struct instant now, struct queue_over *out)
{
    if (!q->loaded || list_empty(&q->over_due))
        return false;
    struct line *l = LIST_ENTRY(q->over_due.next, struct line, of_queue);
    if (l->look_us > now.us)
        return false;
    *out = (struct queue_over){.account = l->account, .qid = l->held.at[0].qid};
    line_at(q, l, now.us + AGAIN_US);
    return true;
}

void
queue_over_forget(struct queue *q, const struct queue_over *one)
{
    struct line *l = line_find(q, one->account);
    struct item it;

    if (l == NULL)
        return;
    bool first = l->held.at[0].qid == one->qid;
    if (!items_heap_take(&l->held, one->qid, &it))
        return;
    if (l->held.count == 0)
        line_free(q, l);
    else if (first)
        line_at(q, l, 0);
}

void
queue_over_now(struct queue *q)
{
    list_each (l, &q->over_due)
        LIST_ENTRY(l, struct line, of_queue)->look_us = 0;
}

/* ---- for the queue ---- */

void
over_add(struct queue *q, uint64_t account, uint64_t qid, struct instant arrived)
{
    struct queue_key key = queue_key_of('A', account);
    struct line *l = line_find(q, account);

    if (l == NULL) {
        l = MEM_NEW(struct line);
        l->account = account;
        list_init(&l->of_queue);
        map_put(q->over, queue_key_str(&key), l);
        line_at(q, l, 0);
    }
    items_heap_push(&l->held, (struct item){.due_us = arrived.us, .qid = qid & ITEM_QID_MAX});
}

/* The index does not say whose it is: the message does. */
enum status
over_load(struct queue *q, uint64_t qid)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m;

    enum status st = queue_get(q, qid, a, &m);
    if (st == OK && m.over) /* else it was released or dropped meanwhile */
        over_add(q, m.account, qid, m.arrived);
    return st == ERR_NOT_FOUND ? OK : st;
}

/* ---- lines ---- */

static struct line *
line_find(const struct queue *q, uint64_t account)
{
    struct queue_key key = queue_key_of('A', account);

    return map_get(q->over, queue_key_str(&key));
}

static void
line_at(struct queue *q, struct line *l, int64_t look_us)
{
    struct list *after;

    l->look_us = look_us;
    list_remove(&l->of_queue);
    after = q->over_due.prev;
    while (after != &q->over_due && LIST_ENTRY(after, struct line, of_queue)->look_us > look_us)
        after = after->prev;
    list_push_front(after, &l->of_queue);
}

static void
line_free(struct queue *q, struct line *l)
{
    struct queue_key key = queue_key_of('A', l->account);

    map_del(q->over, queue_key_str(&key));
    list_remove(&l->of_queue);
    items_release(&l->held);
    mem_free(l);
}
