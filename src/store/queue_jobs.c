/* queue_jobs.c - jobs in memory: which wait, which are ready, who took them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "rt/random.h"
#include "store/queue_internal.h"

#define SECOND_US INT64_C(1000000)
#define NEVER     INT64_MAX

static struct job *job_new(struct queue *q, struct entry *e, enum job_kind kind, struct str domain);
static struct job *job_for(struct queue *q, struct entry *e, const struct queue_rcpt *r);
static void job_rest(struct queue *q, struct job *j);
static void job_ready(struct queue *q, struct job *j);
static bool take(struct queue *q, enum job_kind kind, struct queue_job *out);
static void taken(struct queue *q, struct job *j, uint64_t owner, struct queue_job *out);
static struct lane *lane_of(struct queue *q, struct str domain);
static void lane_show(struct queue *q, struct lane *l);
static void job_free(struct queue *q, struct job *j);
static int64_t report_time(const struct queue_message *m, const struct queue_rcpt *r,
                           struct instant now);
static struct str domain_of(struct str address);
static void heap_add(struct queue *q, struct job *j);
static void heap_remove(struct queue *q, struct job *j);
static void heap_up(struct queue *q, size_t i);
static void heap_down(struct queue *q, size_t i);
static void heap_set(struct queue *q, size_t i, struct job *j);

struct queue_key
queue_key_of(uint64_t qid)
{
    struct queue_key k = {{'E'}};

    be64_put(k.bytes + 1, qid);
    return k;
}

struct str
queue_key_str(const struct queue_key *k)
{
    return str_from(k->bytes, sizeof(k->bytes));
}

void
jobs_init(struct queue *q)
{
    q->entries = map_new();
    q->lanes = map_new();
    list_init(&q->lanes_open);
    for (size_t i = 0; i < COUNT_OF(q->ready); i++)
        list_init(&q->ready[i]);
    fiber_queue_init(&q->workers);
    q->last_lease = random_u64(); /* no result of an earlier life names a taking of this one */
}

void
jobs_release(struct queue *q)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(q->entries, &cursor, &key, &value)) {
        struct entry *e = value;
        list_each_safe(l, after, &e->jobs)
        {
            struct job *j = LIST_ENTRY(l, struct job, of_entry);
            job_free(q, j);
        }
        mem_free(e);
    }
    map_free(&q->entries);
    map_free(&q->lanes);
    mem_free(q->heap);
}

struct entry *
entry_find(const struct queue *q, uint64_t qid)
{
    struct queue_key key = queue_key_of(qid);
    struct entry *e = map_get(q->entries, queue_key_str(&key));

    return e == NULL || e->gone ? NULL : e;
}

void
entry_add(struct queue *q, const struct queue_message *m, struct instant now)
{
    struct entry *e = MEM_NEW(struct entry);
    struct queue_key key = queue_key_of(m->qid);

    e->qid = m->qid;
    e->held = m->held;
    list_init(&e->jobs);
    void *old = map_put(q->entries, queue_key_str(&key), e);
    ASSERT(old == NULL);
    q->length++;
    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        if (r->state != QUEUE_WAITING)
            continue;
        struct job *j = job_for(q, e, r);
        j->due_us = MIN(j->due_us, r->next.us);
    }
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        job_wait(q, j, j->due_us, now);
    }
    entry_plan_report(q, e, m, now);
}

void
entry_gone(struct queue *q, struct entry *e)
{
    struct queue_key key = queue_key_of(e->qid);

    if (!e->gone)
        q->length--;
    e->gone = true;
    list_each_safe(l, after, &e->jobs)
    {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state == JOB_TAKEN)
            continue;
        job_rest(q, j);
        list_remove(&j->of_entry);
        job_free(q, j);
    }
    if (list_empty(&e->jobs)) {
        map_del(q->entries, queue_key_str(&key));
        mem_free(e);
    }
}

void
entry_hold(struct queue *q, struct entry *e, bool held, struct instant now)
{
    e->held = held;
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state != JOB_TAKEN && (held || j->state == JOB_HELD))
            job_wait(q, j, j->kind == JOB_REPORT ? j->due_us : now.us, now);
    }
}

void
entry_hurry(struct queue *q, struct entry *e)
{
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state == JOB_WAITING && j->kind != JOB_REPORT) {
            job_rest(q, j);
            j->hurry = j->kind == JOB_REMOTE;
            job_ready(q, j);
        }
    }
}

struct job *
job_of_lease(const struct queue *q, uint64_t qid, uint64_t lease)
{
    struct queue_key key = queue_key_of(qid);
    struct entry *e = map_get(q->entries, queue_key_str(&key));

    if (e == NULL)
        return NULL;
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state == JOB_TAKEN && j->lease == lease)
            return j;
    }
    return NULL;
}

bool
job_has(const struct job *j, const struct queue_rcpt *r)
{
    if (j->kind == JOB_LOCAL || r->account != 0)
        return j->kind == JOB_LOCAL && r->account != 0;
    return j->kind == JOB_REMOTE && str_eq(j->lane->domain, domain_of(r->address));
}

void
job_plan(struct queue *q, struct job *j, const struct queue_message *m, struct instant now,
         bool hurry)
{
    int64_t due = NEVER;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == QUEUE_WAITING && job_has(j, &m->rcpts[i]))
            due = MIN(due, m->rcpts[i].next.us);
    }
    if (due == NEVER)
        job_end(q, j);
    else
        job_wait(q, j, due, now);
    if (due != NEVER)
        j->hurry = hurry;
}

void
entry_plan_report(struct queue *q, struct entry *e, const struct queue_message *m,
                  struct instant now)
{
    struct job *report = NULL;
    int64_t due = NEVER;

    for (size_t i = 0; i < m->rcpt_count; i++)
        due = MIN(due, report_time(m, &m->rcpts[i], now));
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->kind == JOB_REPORT)
            report = j;
    }
    if (report != NULL && report->state == JOB_TAKEN)
        return; /* planned again when it comes back */
    if (due == NEVER) {
        if (report != NULL)
            job_end(q, report);
        return;
    }
    if (report == NULL)
        report = job_new(q, e, JOB_REPORT, STR_NONE);
    job_wait(q, report, due, now);
}

void
job_wait(struct queue *q, struct job *j, int64_t due_us, struct instant now)
{
    job_rest(q, j);
    j->due_us = due_us;
    if (j->entry->held) {
        j->state = JOB_HELD;
    } else if (due_us <= now.us) {
        job_ready(q, j);
    } else {
        j->state = JOB_WAITING;
        heap_add(q, j);
    }
}

/* May end the entry, when that is gone and this was its last job. */
void
job_end(struct queue *q, struct job *j)
{
    struct entry *e = j->entry;

    job_rest(q, j);
    list_remove(&j->of_entry);
    job_free(q, j);
    if (e->gone && list_empty(&e->jobs))
        entry_gone(q, e);
}

bool
entry_under_way(const struct entry *e, const struct queue_rcpt *r)
{
    list_each (l, &e->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state == JOB_TAKEN && job_has(j, r))
            return true;
    }
    return false;
}

/* ---- queue.h ---- */

void
queue_tick(struct queue *q, struct instant now)
{
    while (q->heap_len > 0 && q->heap[0]->due_us <= now.us) {
        struct job *j = q->heap[0];
        heap_remove(q, j);
        job_ready(q, j);
    }
}

bool
queue_take_local(struct queue *q, struct queue_job *out)
{
    return take(q, JOB_LOCAL, out);
}

bool
queue_take_remote(struct queue *q, uint64_t owner, struct queue_job *out)
{
    if (list_empty(&q->lanes_open))
        return false;
    struct lane *l = LIST_ENTRY(q->lanes_open.next, struct lane, ring);
    list_remove(&l->ring); /* to the end of the turn, if it has more */
    taken(q, LIST_ENTRY(l->ready.next, struct job, ready), owner, out);
    return true;
}

bool
queue_take_report(struct queue *q, struct queue_job *out)
{
    return take(q, JOB_REPORT, out);
}

enum status
queue_wait(struct queue *q, int64_t timeout_ms)
{
    if (!list_empty(&q->ready[JOB_LOCAL]) || !list_empty(&q->ready[JOB_REPORT]))
        return OK;
    return fiber_queue_wait(&q->workers, timeout_ms);
}

uint32_t
queue_remote_ready(const struct queue *q)
{
    return q->remote_ready;
}

bool
queue_is_of_domain(const struct queue_rcpt *r, struct str domain)
{
    return str_eq(domain_of(r->address), domain);
}

bool
queue_is_leased(const struct queue *q, uint64_t qid, uint64_t owner)
{
    struct entry *e = entry_find(q, qid);

    if (e == NULL)
        return false;
    list_each (l, &e->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->state == JOB_TAKEN && j->kind == JOB_REMOTE && j->owner == owner)
            return true;
    }
    return false;
}

bool
queue_is_taken_by(const struct queue *q, const struct queue_job *job, uint64_t owner)
{
    const struct job *j = job_of_lease(q, job->qid, job->lease);

    return j != NULL && j->kind == JOB_REMOTE && j->owner == owner;
}

void
queue_put_back(struct queue *q, const struct queue_job *job, struct instant now, int64_t delay_ms)
{
    struct job *j = job_of_lease(q, job->qid, job->lease);

    if (j == NULL)
        return;
    if (j->entry->gone)
        job_end(q, j);
    else
        job_wait(q, j, now.us + delay_ms * 1000, now);
}

void
queue_owner_gone(struct queue *q, uint64_t owner, struct instant now)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(q->entries, &cursor, &key, &value)) {
        struct entry *e = value;
        bool more = true;
        while (more) { /* the entry may end with its last job: look no further then */
            more = false;
            bool last = e->gone && e->jobs.next == e->jobs.prev;
            list_each (l, &e->jobs) {
                struct job *j = LIST_ENTRY(l, struct job, of_entry);
                if (j->state != JOB_TAKEN || j->kind != JOB_REMOTE || j->owner != owner)
                    continue;
                struct queue_job taken = {.qid = e->qid, .lease = j->lease};
                queue_put_back(q, &taken, now, 0);
                more = !last;
                break;
            }
        }
    }
}

/* ---- jobs ---- */

static struct job *
job_new(struct queue *q, struct entry *e, enum job_kind kind, struct str domain)
{
    struct job *j = MEM_NEW(struct job);

    j->entry = e;
    j->kind = kind;
    j->state = JOB_HELD; /* in no list and not in the heap */
    j->due_us = NEVER;
    if (kind == JOB_REMOTE) {
        j->lane = lane_of(q, domain);
        j->lane->jobs++;
    }
    list_init(&j->ready);
    list_push(&e->jobs, &j->of_entry);
    return j;
}

/* Of a job that rests. */
static void
job_free(struct queue *q, struct job *j)
{
    struct lane *l = j->lane;

    mem_free(j);
    if (l == NULL || --l->jobs > 0)
        return;
    list_remove(&l->ring);
    map_del(q->lanes, l->domain);
    mem_str_free(&l->domain);
    mem_free(l);
}

static struct job *
job_for(struct queue *q, struct entry *e, const struct queue_rcpt *r)
{
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (job_has(j, r))
            return j;
    }
    return r->account != 0 ? job_new(q, e, JOB_LOCAL, STR_NONE)
                           : job_new(q, e, JOB_REMOTE, domain_of(r->address));
}

/* Out of heap, list and lease. */
static void
job_rest(struct queue *q, struct job *j)
{
    enum job_state was = j->state;

    if (was == JOB_WAITING)
        heap_remove(q, j);
    list_remove(&j->ready);
    j->state = JOB_HELD;
    if (j->kind != JOB_REMOTE || (was != JOB_READY && was != JOB_TAKEN))
        return;
    if (was == JOB_READY) {
        q->remote_ready--;
        j->lane->ready_count--;
    } else {
        j->lane->taken--;
        j->hurry = false;
    }
    lane_show(q, j->lane);
}

static void
job_ready(struct queue *q, struct job *j)
{
    j->state = JOB_READY;
    if (j->kind != JOB_REMOTE) {
        list_push(&q->ready[j->kind], &j->ready);
        fiber_queue_wake_one(&q->workers);
        return;
    }
    list_push(&j->lane->ready, &j->ready);
    j->lane->ready_count++;
    q->remote_ready++;
    lane_show(q, j->lane);
}

static bool
take(struct queue *q, enum job_kind kind, struct queue_job *out)
{
    if (list_empty(&q->ready[kind]))
        return false;
    taken(q, LIST_ENTRY(q->ready[kind].next, struct job, ready), 0, out);
    return true;
}

static void
taken(struct queue *q, struct job *j, uint64_t owner, struct queue_job *out)
{
    job_rest(q, j);
    j->state = JOB_TAKEN;
    j->lease = ++q->last_lease;
    j->owner = owner;
    *out = (struct queue_job){.qid = j->entry->qid, .lease = j->lease, .hurry = j->hurry};
    if (j->lane == NULL)
        return;
    out->domain = j->lane->domain;
    j->lane->taken++;
    lane_show(q, j->lane);
}

/* ---- lanes ---- */

static struct lane *
lane_of(struct queue *q, struct str domain)
{
    struct lane *l = map_get(q->lanes, domain);

    if (l != NULL)
        return l;
    l = MEM_NEW(struct lane);
    l->domain = mem_str(domain);
    list_init(&l->ring);
    list_init(&l->ready);
    map_put(q->lanes, domain, l);
    return l;
}

/* In the ring, or not: after every change of ready_count and taken.  One that stays keeps its place. */
static void
lane_show(struct queue *q, struct lane *l)
{
    bool open = l->ready_count > 0 && l->taken < LIMIT_OUT_PER_DOMAIN;

    if (!open)
        list_remove(&l->ring);
    else if (list_empty(&l->ring))
        list_push(&q->lanes_open, &l->ring);
}

/* When the next report on this recipient is due, or NEVER. */
static int64_t
report_time(const struct queue_message *m, const struct queue_rcpt *r, struct instant now)
{
    if (queue_report_due(m, r, now) != 0)
        return now.us;
    int64_t warn = m->arrived.us + LIMIT_QUEUE_WARN_S * SECOND_US;
    struct instant then = {MAX(warn, now.us)};
    return queue_report_due(m, r, then) != 0 ? then.us : NEVER;
}

static struct str
domain_of(struct str address)
{
    return str_skip(address, (size_t)(str_rfind(address, '@') + 1)); /* 0 when there is none */
}

/* ---- heap ---- */

static void
heap_add(struct queue *q, struct job *j)
{
    if (q->heap_len == q->heap_room) {
        size_t room = q->heap_room == 0 ? 64 : q->heap_room * 2;
        q->heap =
            mem_resize(q->heap, q->heap_room * sizeof(struct job *), room * sizeof(struct job *));
        q->heap_room = room;
    }
    heap_set(q, q->heap_len++, j);
    heap_up(q, j->slot);
}

static void
heap_remove(struct queue *q, struct job *j)
{
    size_t i = j->slot;

    ASSERT(i < q->heap_len && q->heap[i] == j);
    j->state = JOB_HELD;
    struct job *last = q->heap[--q->heap_len];
    if (last == j)
        return;
    heap_set(q, i, last);
    heap_up(q, i);
    heap_down(q, last->slot);
}

static void
heap_up(struct queue *q, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        struct job *a = q->heap[parent], *b = q->heap[i];
        if (a->due_us <= b->due_us)
            return;
        heap_set(q, parent, b);
        heap_set(q, i, a);
        i = parent;
    }
}

static void
heap_down(struct queue *q, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < q->heap_len; child++) {
            if (q->heap[child]->due_us < q->heap[least]->due_us)
                least = child;
        }
        if (least == i)
            return;
        struct job *a = q->heap[i], *b = q->heap[least];
        heap_set(q, i, b);
        heap_set(q, least, a);
        i = least;
    }
}

static void
heap_set(struct queue *q, size_t i, struct job *j)
{
    q->heap[i] = j;
    j->slot = i;
}
