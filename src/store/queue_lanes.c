/* queue_lanes.c - who waits for what: lanes, the heap of those in which something comes due, the ring of those that
 * have something ready.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "store/queue_internal.h"

enum {
    SEARCH_MAX = 4096, /* items that a verb looks through for one message */
    STOCK = 256,       /* items that one lane makes ready at a time */
    FRESH_TURNS = 4,   /* of so many takings one is of the late, when there are both */
    CLASS_TURNS = 8, /* of so many one is not of the most urgent, when there are several classes */
};

static void lane_init(struct lane *l, enum lane_kind kind);
static void lane_release(struct lane *l);
static bool is_counted(const struct lane *l);
static void make_ready(struct queue *q, struct lane *l, struct item it);
static void stock_up(struct queue *q, struct lane *l);
static void heap_follow(struct queue *q, struct lane *l);
static int64_t heap_key(const struct queue *q, size_t i);
static void heap_set(struct queue *q, size_t i, struct lane *l);
static void heap_sift(struct queue *q, size_t i);

void
lanes_init(struct queue *q)
{
    q->lanes = map_new();
    for (size_t i = 0; i < QUEUE_RINGS; i++)
        list_init(&q->lanes_open[i]);
    list_init(&q->lanes_tired);
    lane_init(&q->local, LANE_LOCAL);
    lane_init(&q->report, LANE_REPORT);
}

void
lanes_release(struct queue *q)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(q->lanes, &cursor, &key, &value)) {
        lane_release(value);
        mem_free(value);
    }
    lane_release(&q->local);
    lane_release(&q->report);
    map_free(&q->lanes);
    mem_free(q->heap);
}

struct lane *
lane_find(const struct queue *q, struct str domain)
{
    return map_get(q->lanes, domain);
}

struct lane *
lane_of(struct queue *q, struct str domain)
{
    struct lane *l = map_get(q->lanes, domain);

    if (l != NULL)
        return l;
    l = MEM_NEW(struct lane);
    lane_init(l, LANE_REMOTE);
    l->domain = mem_str(domain);
    map_put(q->lanes, domain, l);
    return l;
}

void
lane_let_go(struct queue *q, struct lane *l)
{
    if (l->kind != LANE_REMOTE || l->paused || l->taken > 0 || l->waiting.count > 0 ||
        lane_ready(l) > 0)
        return;
    list_remove(&l->ring);
    list_remove(&l->tired);
    map_del(q->lanes, l->domain);
    lane_release(l);
    mem_free(l);
}

size_t
lane_ready(const struct lane *l)
{
    size_t n = 0;

    for (size_t i = 0; i < QUEUE_CLASSES; i++)
        n += l->fresh[i].count + l->late[i].count;
    return n;
}

void
lane_add(struct queue *q, struct lane *l, struct item it, struct instant now)
{
    if (it.due_us <= now.us) {
        make_ready(q, l, it);
        return;
    }
    items_heap_push(&l->waiting, it);
    heap_follow(q, l);
}

bool
lane_has(const struct lane *l, enum queue_class class)
{
    return l->fresh[class].count + l->late[class].count > 0;
}

/* The most urgent class first, but never alone: one turn in CLASS_TURNS is of the others, which take turns.
 * has: a bit for each class, or ring, that has something; QUEUE_RINGS when none has. */
static unsigned
class_of_turn(unsigned has, uint32_t *turn)
{
    unsigned others[QUEUE_RINGS], best = QUEUE_RINGS;
    size_t n = 0;

    for (unsigned c = 0; c < QUEUE_RINGS; c++) {
        if ((has >> c & 1u) == 0)
            continue;
        if (best == QUEUE_RINGS)
            best = c;
        else
            others[n++] = c;
    }
    if (n == 0 || ++*turn % CLASS_TURNS != 0)
        return best;
    return others[*turn / CLASS_TURNS % n];
}

static unsigned
next_class(struct lane *l)
{
    unsigned has = 0;

    for (enum queue_class c = QUEUE_URGENT; c < QUEUE_CLASSES; c++)
        has |= lane_has(l, c) ? 1u << c : 0u;
    return class_of_turn(has, &l->class_turn);
}

/* Of a class fresh mail first, but never alone: a destination with much new mail gets its old mail too. */
bool
lane_pop(struct queue *q, struct lane *l, struct item *out)
{
    unsigned class = next_class(l);

    if (class == QUEUE_RINGS)
        return false;
    struct items *fresh = &l->fresh[class], *old = &l->late[class];
    bool late = fresh->count == 0 || (old->count > 0 && ++l->turn % FRESH_TURNS == 0);
    if (!items_pop(late ? old : fresh, out))
        return false;
    q->remote_ready -= is_counted(l) ? 1u : 0u;
    if (l->stocked && lane_ready(l) < STOCK / 2)
        stock_up(q, l);
    lane_show(q, l);
    return true;
}

/* In the ring, or not.  One that stays keeps its place. */
void
lane_show(struct queue *q, struct lane *l)
{
    bool open = l->kind == LANE_REMOTE && lane_ready(l) > 0 && !l->paused && l->taken < l->window &&
                l->put_offs < LIMIT_QUEUE_PUT_OFFS;
    unsigned ring = l->silent ? QUEUE_SILENT : 0;

    while (open && !l->silent && !lane_has(l, (enum queue_class)ring))
        ring++;
    if (!open || l->open_ring != ring)
        list_remove(&l->ring);
    if (!open || !list_empty(&l->ring))
        return;
    l->open_ring = ring;
    list_push(&q->lanes_open[ring], &l->ring);
}

struct lane *
lane_next(struct queue *q)
{
    unsigned has = 0;

    for (unsigned c = 0; c < QUEUE_RINGS; c++)
        has |= list_empty(&q->lanes_open[c]) ? 0u : 1u << c;
    unsigned ring = class_of_turn(has, &q->class_turn);
    if (ring == QUEUE_RINGS)
        return NULL;
    return LIST_ENTRY(q->lanes_open[ring].next, struct lane, ring);
}

bool
lane_forget(struct queue *q, struct lane *l, uint64_t qid, struct item *out)
{
    if (l->waiting.count + lane_ready(l) > SEARCH_MAX)
        return false;
    if (!items_heap_take(&l->waiting, qid, out)) {
        bool found = false;
        for (size_t i = 0; !found && i < QUEUE_CLASSES; i++)
            found = items_take(&l->fresh[i], qid, out) || items_take(&l->late[i], qid, out);
        if (!found)
            return false;
        q->remote_ready -= is_counted(l) ? 1u : 0u;
    }
    stock_up(q, l);
    lane_show(q, l);
    return true;
}

void
lane_hurry(struct queue *q, struct lane *l)
{
    struct item it;

    l->silent = false; /* it is to be asked soon */
    for (size_t i = 0; i < 2 * (size_t)QUEUE_CLASSES; i++) {
        struct items *ready = i % 2 == 0 ? &l->fresh[i / 2] : &l->late[i / 2];
        for (size_t n = ready->count; n > 0 && items_pop(ready, &it); n--) {
            it.hurry = 1;
            items_push(ready, it);
        }
    }
    for (size_t i = 0; i < l->waiting.count; i++) { /* in no order: very many would take long */
        it = l->waiting.at[i];
        it.hurry = 1;
        make_ready(q, l, it);
    }
    items_release(&l->waiting);
    stock_up(q, l);
    lane_show(q, l);
}

void
lane_pause(struct queue *q, struct lane *l, bool paused)
{
    uint32_t ready = (uint32_t)lane_ready(l); /* <= LIMIT_QUEUE_MESSAGES and a few */

    q->remote_ready -= is_counted(l) ? ready : 0;
    l->paused = paused;
    q->remote_ready += is_counted(l) ? ready : 0;
    lane_show(q, l);
    lane_let_go(q, l);
}

void
lane_put_off(struct queue *q, struct lane *l)
{
    l->put_offs++;
    if (list_empty(&l->tired))
        list_push(&q->lanes_tired, &l->tired);
    lane_show(q, l);
}

void
lane_sending(struct queue *q, struct lane *l)
{
    l->silent = false;
    l->window = MAX(l->window, (uint32_t)LIMIT_OUT_FIRST);
    lane_show(q, l);
}

void
lane_answered(struct queue *q, struct lane *l)
{
    l->silent = false;
    l->window = MIN(l->window + 1, (uint32_t)LIMIT_OUT_PER_DOMAIN);
    lane_show(q, l);
}

void
lane_silent(struct queue *q, struct lane *l)
{
    l->silent = true;
    l->window = 1;
    lane_show(q, l);
}

void
queue_tick(struct queue *q, struct instant now)
{
    struct list *tired;

    q->now = now;
    while ((tired = list_pop(&q->lanes_tired)) != NULL) {
        struct lane *l = LIST_ENTRY(tired, struct lane, tired);
        l->put_offs = 0;
        lane_show(q, l);
    }
    while (q->heap_len > 0 && heap_key(q, 0) <= now.us)
        stock_up(q, q->heap[0]);
}

/* ---- one lane ---- */

static void
lane_init(struct lane *l, enum lane_kind kind)
{
    l->kind = kind;
    l->slot = SIZE_MAX;
    l->window = 1;
    list_init(&l->ring);
    list_init(&l->tired);
}

static void
lane_release(struct lane *l)
{
    items_release(&l->waiting);
    for (size_t i = 0; i < QUEUE_CLASSES; i++) {
        items_release(&l->fresh[i]);
        items_release(&l->late[i]);
    }
    mem_str_free(&l->domain);
}

static bool
is_counted(const struct lane *l)
{
    return l->kind == LANE_REMOTE && !l->paused;
}

static void
make_ready(struct queue *q, struct lane *l, struct item it)
{
    items_push(it.fresh ? &l->fresh[it.class] : &l->late[it.class], it);
    q->remote_ready += is_counted(l) ? 1u : 0u;
    if (l->kind == LANE_REMOTE)
        lane_show(q, l);
    else
        fiber_queue_wake_one(&q->workers);
}

/* What is due becomes ready, a stock at a time: however many come due at once, no tick takes long, and no other lane
 * waits for them.  A lane with more than its stock is out of the heap until that is used up. */
static void
stock_up(struct queue *q, struct lane *l)
{
    struct item it;

    while (lane_ready(l) < STOCK && l->waiting.count > 0 && l->waiting.at[0].due_us <= q->now.us) {
        (void)items_heap_pop(&l->waiting, &it); /* there is one */
        make_ready(q, l, it);
    }
    l->stocked = l->waiting.count > 0 && l->waiting.at[0].due_us <= q->now.us;
    heap_follow(q, l);
}

/* ---- the heap of lanes ---- */

/* After every change of what waits in a lane. */
static void
heap_follow(struct queue *q, struct lane *l)
{
    bool waits = l->waiting.count > 0 && !l->stocked;
    size_t i = l->slot;

    if (!waits && i == SIZE_MAX)
        return;
    if (!waits) {
        struct lane *last = q->heap[--q->heap_len];
        l->slot = SIZE_MAX;
        if (last == l)
            return;
        heap_set(q, i, last);
    } else if (i == SIZE_MAX) {
        if (q->heap_len == q->heap_room) {
            size_t room = q->heap_room == 0 ? 64 : q->heap_room * 2;
            q->heap = mem_resize(q->heap, q->heap_room * sizeof(struct lane *),
                                 room * sizeof(struct lane *));
            q->heap_room = room;
        }
        i = q->heap_len++;
        heap_set(q, i, l);
    }
    heap_sift(q, i);
}

static int64_t
heap_key(const struct queue *q, size_t i)
{
    return q->heap[i]->waiting.at[0].due_us;
}

/* Up or down, to where it belongs. */
static void
heap_sift(struct queue *q, size_t i)
{
    struct lane *l = q->heap[i];

    while (i > 0 && heap_key(q, i) < heap_key(q, (i - 1) / 2)) {
        heap_set(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
        heap_set(q, i, l);
    }
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < q->heap_len; child++) {
            if (heap_key(q, child) < heap_key(q, least))
                least = child;
        }
        if (least == i)
            return;
        heap_set(q, i, q->heap[least]);
        i = least;
        heap_set(q, i, l);
    }
}

static void
heap_set(struct queue *q, size_t i, struct lane *l)
{
    q->heap[i] = l;
    l->slot = i;
}
