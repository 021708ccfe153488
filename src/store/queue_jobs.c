/* queue_jobs.c - jobs that are taken: who has them, and what becomes of them when they come back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "rt/random.h"
#include "store/queue_internal.h"

static bool take(struct queue *q, struct lane *l, uint64_t owner, struct queue_job *out);
static void taken(struct queue *q, struct lane *l, const struct item *it, struct queue_job *out);
static struct entry *entry_for(struct queue *q, uint64_t qid);
static int64_t waits_until(const struct queue_message *m, const struct lane *l);
static bool has_something(const struct queue_message *m, const struct job *j, struct instant now,
                          int64_t *due_out);

void
jobs_init(struct queue *q)
{
    q->entries = map_new();
    list_init(&q->taken);
    fiber_queue_init(&q->workers);
    q->last_lease = random_u64(); /* no result of an earlier life names a taking of this one */
}

void
jobs_release(struct queue *q)
{
    list_each_safe(l, after, &q->taken)
    {
        struct job *j = LIST_ENTRY(l, struct job, of_queue);
        job_end(q, j);
    }
    map_free(&q->entries);
}

struct entry *
entry_find(const struct queue *q, uint64_t qid)
{
    struct queue_key key = queue_key_of('E', qid);
    struct entry *e = map_get(q->entries, queue_key_str(&key));

    return e == NULL || e->gone ? NULL : e;
}

struct job *
job_of_lease(const struct queue *q, uint64_t qid, uint64_t lease)
{
    struct queue_key key = queue_key_of('E', qid);
    struct entry *e = map_get(q->entries, queue_key_str(&key));

    if (e == NULL)
        return NULL;
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->lease == lease)
            return j;
    }
    return NULL;
}

struct job *
job_taken(const struct entry *e, const struct lane *lane)
{
    list_each (l, &e->jobs) {
        struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->lane == lane)
            return j;
    }
    return NULL;
}

bool
job_has(enum lane_kind kind, struct str domain, const struct queue_rcpt *r)
{
    if (kind == LANE_LOCAL || r->account != 0)
        return kind == LANE_LOCAL && r->account != 0;
    return kind == LANE_REMOTE && str_eq(domain, queue_domain_of(r->address));
}

void
job_plan(struct queue *q, struct job *j, const struct queue_message *m, struct instant now,
         bool hurry)
{
    int64_t due = waits_until(m, j->lane);

    j->hurry = hurry;
    j->fresh = false;
    if (due == QUEUE_NEVER)
        job_end(q, j);
    else
        job_wait(q, j, due, now);
}

void
lane_plan(struct queue *q, struct lane *l, const struct queue_message *m, struct instant now)
{
    int64_t due = waits_until(m, l);

    if (due != QUEUE_NEVER)
        lane_add(q, l,
                 (struct item){.due_us = due,
                               .qid = m->qid & ITEM_QID_MAX,
                               .class = queue_terms_class(&m->terms) & 3},
                 now);
    lane_let_go(q, l);
}

void
job_wait(struct queue *q, struct job *j, int64_t due_us, struct instant now)
{
    const struct item it = {.due_us = due_us,
                            .qid = j->entry->qid & ITEM_QID_MAX,
                            .class = j->class & 3,
                            .fresh = j->fresh ? 1 : 0,
                            .hurry = j->hurry ? 1 : 0};

    if (!j->entry->held && !j->entry->gone)
        lane_add(q, j->lane, it, now);
    job_end(q, j);
}

void
job_end(struct queue *q, struct job *j)
{
    struct queue_key key = queue_key_of('E', j->entry->qid);
    struct entry *e = j->entry;
    struct lane *l = j->lane;

    list_remove(&j->of_entry);
    list_remove(&j->of_queue);
    mem_free(j);
    l->taken--;
    lane_show(q, l);
    lane_let_go(q, l);
    if (list_empty(&e->jobs)) {
        map_del(q->entries, queue_key_str(&key));
        mem_free(e);
    }
}

bool
entry_under_way(const struct entry *e, const struct queue_rcpt *r)
{
    list_each (l, &e->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (job_has(j->lane->kind, j->lane->domain, r))
            return true;
    }
    return false;
}

void
plan_add(struct queue *q, uint64_t qid, const struct queue_plan *p, struct instant now)
{
    if (p->held)
        return; /* what is on hold is not in memory, but for the lines of queue_over.c */
    for (size_t i = 0; i < p->count; i++) {
        const struct queue_plan_job *job = &p->jobs[i];
        const struct item it = {.due_us = job->due_us,
                                .qid = qid & ITEM_QID_MAX,
                                .class = p->class & 3,
                                .fresh = job->fresh ? 1 : 0};
        lane_add(q, job->local ? &q->local : lane_of(q, job->domain), it, now);
    }
    report_add(q, qid, p->report_us, now);
}

void
report_add(struct queue *q, uint64_t qid, int64_t due_us, struct instant now)
{
    if (due_us != QUEUE_NEVER)
        lane_add(q, &q->report,
                 (struct item){.due_us = due_us, .qid = qid & ITEM_QID_MAX, .class = QUEUE_NORMAL},
                 now);
}

/* ---- queue.h ---- */

bool
queue_take_local(struct queue *q, struct queue_job *out)
{
    return take(q, &q->local, 0, out);
}

bool
queue_take_report(struct queue *q, struct queue_job *out)
{
    return take(q, &q->report, 0, out);
}

bool
queue_take_remote(struct queue *q, uint64_t owner, struct queue_job *out)
{
    struct lane *l;

    while (!q->paused && (l = lane_next(q)) != NULL) {
        list_remove(&l->ring); /* to the end of the turn, if it has more */
        if (take(q, l, owner, out))
            return true;
    }
    return false;
}

enum status
queue_wait(struct queue *q, int64_t timeout_ms)
{
    if (lane_ready(&q->local) > 0 || lane_ready(&q->report) > 0)
        return OK;
    return fiber_queue_wait(&q->workers, timeout_ms);
}

uint32_t
queue_remote_ready(const struct queue *q)
{
    return q->paused ? 0 : q->remote_ready;
}

bool
queue_is_of_domain(const struct queue_rcpt *r, struct str domain)
{
    return str_eq(queue_domain_of(r->address), domain);
}

bool
queue_is_leased(const struct queue *q, uint64_t qid, uint64_t owner)
{
    struct entry *e = entry_find(q, qid);

    if (e == NULL)
        return false;
    list_each (l, &e->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->lane->kind == LANE_REMOTE && j->owner == owner)
            return true;
    }
    return false;
}

bool
queue_sending(struct queue *q, uint64_t qid, uint64_t owner)
{
    struct entry *e = entry_find(q, qid);
    struct lane *only = NULL;

    if (e == NULL)
        return false;
    list_each (l, &e->jobs) {
        const struct job *j = LIST_ENTRY(l, struct job, of_entry);
        if (j->lane->kind != LANE_REMOTE || j->owner != owner)
            continue;
        if (only != NULL)
            return false;
        only = j->lane;
    }
    if (only == NULL || only->window >= LIMIT_OUT_FIRST)
        return false;
    lane_sending(q, only);
    return lane_ready(only) > 0;
}

bool
queue_is_taken_by(const struct queue *q, const struct queue_job *job, uint64_t owner)
{
    const struct job *j = job_of_lease(q, job->qid, job->lease);

    return j != NULL && j->lane->kind == LANE_REMOTE && j->owner == owner;
}

enum status
queue_read(struct queue *q, const struct queue_job *job, struct instant now, struct arena *a,
           struct queue_message *out)
{
    uint64_t verbs = q->verbs;
    int64_t due = 0;

    enum status st = queue_get(q, job->qid, a, out);
    struct job *j = job_of_lease(q, job->qid, job->lease);
    if (j == NULL)
        return ERR_NOT_FOUND; /* given back meanwhile */
    if (st == ERR_NOT_FOUND || j->entry->gone) {
        job_end(q, j);
        return ERR_NOT_FOUND;
    }
    TRY(st);
    if (!out->held && j->lane->kind != LANE_REPORT && queue_terms_is_over(&out->terms, now)) {
        report_add(q, job->qid, now.us, now); /* which is where it ends: queue_expire() */
        job_end(q, j);
        return ERR_NOT_FOUND;
    }
    if (!out->held && has_something(out, j, now, &due))
        return OK;
    if (q->verbs != verbs) /* perhaps it is otherwise by now */
        job_wait(q, j, now.us, now);
    else if (!out->held && due <= j->due_us) /* the clock was put back */
        job_wait(q, j, due, now);
    else
        job_end(q, j);
    return ERR_NOT_FOUND;
}

void
queue_put_back(struct queue *q, const struct queue_job *job, struct instant now, int64_t delay_ms)
{
    struct job *j = job_of_lease(q, job->qid, job->lease);

    if (j != NULL)
        job_wait(q, j, now.us + delay_ms * 1000, now);
}

void
queue_owner_gone(struct queue *q, uint64_t owner, struct instant now)
{
    list_each_safe(l, after, &q->taken)
    {
        struct job *j = LIST_ENTRY(l, struct job, of_queue);
        if (j->lane->kind == LANE_REMOTE && j->owner == owner)
            job_wait(q, j, now.us, now);
    }
}

/* ---- taking ---- */

static bool
take(struct queue *q, struct lane *l, uint64_t owner, struct queue_job *out)
{
    struct item it;

    while (lane_pop(q, l, &it)) {
        struct queue_key key = queue_key_of('E', it.qid);
        const struct entry *e = map_get(q->entries, queue_key_str(&key));
        if (e != NULL && (e->gone || job_taken(e, l) != NULL))
            continue; /* whoever has it plans anew */
        taken(q, l, &it, out);
        LIST_ENTRY(q->taken.prev, struct job, of_queue)->owner = owner;
        return true;
    }
    lane_let_go(q, l);
    return false;
}

static void
taken(struct queue *q, struct lane *l, const struct item *it, struct queue_job *out)
{
    struct job *j = MEM_NEW(struct job);

    j->entry = entry_for(q, it->qid);
    j->lane = l;
    j->due_us = it->due_us;
    j->class = (enum queue_class)it->class;
    j->hurry = it->hurry != 0;
    j->fresh = it->fresh != 0;
    j->lease = ++q->last_lease;
    list_push(&j->entry->jobs, &j->of_entry);
    list_push(&q->taken, &j->of_queue);
    l->taken++;
    lane_show(q, l);
    *out = (struct queue_job){
        .qid = it->qid, .lease = j->lease, .domain = l->domain, .hurry = j->hurry};
}

static struct entry *
entry_for(struct queue *q, uint64_t qid)
{
    struct queue_key key = queue_key_of('E', qid);
    struct entry *e = map_get(q->entries, queue_key_str(&key));

    if (e != NULL)
        return e;
    e = MEM_NEW(struct entry);
    e->qid = qid;
    list_init(&e->jobs);
    map_put(q->entries, queue_key_str(&key), e);
    return e;
}

/* QUEUE_NEVER: nobody of this lane waits. */
static int64_t
waits_until(const struct queue_message *m, const struct lane *l)
{
    int64_t due = QUEUE_NEVER;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        if (r->state == QUEUE_WAITING && job_has(l->kind, l->domain, r))
            due = MIN(due, r->next.us);
    }
    return due;
}

/* Is it what the item was made for?  One that waits for a later time has an item of that time.  Nobody's hurry is
 * before the time that the sender set. */
static bool
has_something(const struct queue_message *m, const struct job *j, struct instant now,
              int64_t *due_out)
{
    const struct lane *l = j->lane;
    int64_t due = l->kind == LANE_REPORT ? queue_report_time(m) : waits_until(m, l);

    *due_out = due;
    return due != QUEUE_NEVER && (due <= now.us || (j->hurry && m->terms.hold_until.us <= now.us));
}
