/* queue_results.c - what became of a message: results, reports, and the operator's verbs.
 *
 * Each is one commit on the queue's cell; memory follows the commit, never the other way round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "rt/random.h"
#include "store/queue_internal.h"

#define SECOND_US INT64_C(1000000)
#define ARENA_MAX ((size_t)32 << 20)

enum hold { HOLD_KEEP, HOLD_SET, HOLD_CLEAR };
struct change { /* of one message; what is zero changes nothing */
    struct queue *q;
    uint64_t qid;
    struct instant now;
    const struct job *of; /* results are of this job: kind and lane, a copy */
    const struct queue_result *results;
    size_t result_count;
    const uint32_t *told;
    enum hold hold;
    struct queue_message *add; /* a report that enters with it; gets its qid */
    struct str facts;
    struct arena *a; /* for *out */
    struct queue_message *out;
};

SUSPENDS static enum status change(const struct change *c);
SUSPENDS static enum status change_once(const struct change *c);
static enum status apply(const struct change *c, struct queue_message *m);
static void apply_result(const struct change *c, const struct queue_message *m,
                         struct queue_rcpt *r, const struct queue_result *result);
static void try_later(const struct change *c, const struct queue_message *m, struct queue_rcpt *r);
static void put_off(const struct change *c, const struct queue_message *m, struct queue_rcpt *r);
static bool is_overdue(const struct queue_message *m, struct instant now);
static bool wants_a_try(const struct queue_outcome *o, const struct queue_message *m);
static bool is_done(const struct queue_message *m);
static bool may_be_reported(const struct queue_message *m, const struct queue_rcpt *r);
static void after_change(struct queue *q, struct entry *e, const struct queue_message *m,
                         struct instant now);
SUSPENDS static enum status act_one(struct queue *q, uint64_t qid, enum queue_verb v,
                                    struct instant now);
SUSPENDS static enum status hold(struct queue *q, uint64_t qid, bool held, struct instant now);
SUSPENDS static enum status drop(struct queue *q, uint64_t qid);
SUSPENDS static enum status drop_once(struct queue *q, uint64_t qid);
static void delete_message(struct tx *tx, uint64_t qid, struct blob_id body);

enum status
queue_results(struct queue *q, const struct queue_job *job, const struct queue_outcome *o,
              struct arena *a, struct queue_message *message_out)
{
    struct job *j = job_of_lease(q, job->qid, job->lease);
    struct queue_message m;

    if (j == NULL)
        return ERR_NOT_FOUND;
    struct lane lane = {.domain = j->lane != NULL ? arena_str(a, j->lane->domain) : STR("")};
    struct job of = {.kind = j->kind, .lane = &lane};
    struct change c = {
        .q = q,
        .qid = job->qid,
        .now = o->now,
        .of = &of,
        .results = o->results,
        .result_count = o->count,
        .a = a,
        .out = &m,
    };
    enum status st = j->entry->gone ? ERR_NOT_FOUND : change(&c);
    j = job_of_lease(q, job->qid, job->lease); /* may be over by now */
    if (st == ERR_NOT_FOUND && j != NULL)
        job_end(q, j);
    TRY(st);
    if (j != NULL && j->entry->gone) {
        job_end(q, j);
    } else if (j != NULL) {
        struct entry *e = j->entry;
        job_plan(q, j, &m, o->now, wants_a_try(o, &m));
        after_change(q, e, &m, o->now);
    } else { /* given back meanwhile: what is committed counts all the same */
        struct entry *e = entry_find(q, job->qid);
        if (e != NULL)
            after_change(q, e, &m, o->now);
    }
    *message_out = m;
    return OK;
}

enum status
queue_reported(struct queue *q, const struct queue_job *job, const struct queue_report *report,
               struct instant now, uint64_t *qid_out)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct job *j = job_of_lease(q, job->qid, job->lease);
    struct queue_message m, added = {0};

    if (j == NULL)
        return ERR_NOT_FOUND;
    struct change c = {
        .q = q, .qid = job->qid, .now = now, .told = report->told, .a = a, .out = &m};
    if (report->message != NULL) {
        added = *report->message;
        added.arrived = now;
        c.add = &added;
        c.facts = report->facts;
    }
    enum status st = j->entry->gone ? ERR_NOT_FOUND : change(&c);
    j = job_of_lease(q, job->qid, job->lease);
    if (j != NULL && (st == OK || st == ERR_NOT_FOUND))
        job_end(q, j);
    TRY(st);
    if (c.add != NULL)
        entry_add(q, &added, now);
    struct entry *e = entry_find(q, job->qid);
    if (e != NULL)
        after_change(q, e, &m, now);
    *qid_out = added.qid;
    return OK;
}

enum status
queue_act(struct queue *q, uint64_t qid, enum queue_verb v, struct instant now, uint32_t *count_out)
{
    uint32_t count = 0;
    size_t n = 0, cursor = 0;
    struct str key;
    void *value;

    if (qid != 0) {
        TRY(act_one(q, qid, v, now));
        *count_out = 1;
        return OK;
    }
    uint64_t *all = mem_array(map_count(q->entries) + 1, sizeof(*all));
    while (map_next(q->entries, &cursor, &key, &value))
        all[n++] = ((const struct entry *)value)->qid;
    enum status st = OK;
    for (size_t i = 0; i < n && st == OK; i++) {
        st = act_one(q, all[i], v, now);
        count += st == OK ? 1u : 0u;
        st = st == ERR_NOT_FOUND ? OK : st; /* ended meanwhile */
    }
    mem_free(all);
    TRY(st);
    *count_out = count;
    return OK;
}

/* ---- one change, one commit ---- */

SUSPENDS static enum status
change(const struct change *c)
{
    enum status st;

    while ((st = change_once(c)) == ERR_CONFLICT)
        ;
    return st;
}

SUSPENDS static enum status
change_once(const struct change *c)
{
    AUTO_BUF value = BUF(QUEUE_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct queue_key key = queue_key_of(c->qid);
    struct queue_message m;
    struct str old;

    TRY(tx_begin(c->q->cell, &tx));
    TRY(tx_get(tx, queue_key_str(&key), &old));
    if (old.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(queue_message_read(arena_str(c->a, old), c->a, &m)); /* outlives the transaction */
    m.qid = c->qid;
    TRY(apply(c, &m));
    if (is_done(&m)) {
        delete_message(tx, m.qid, m.body);
    } else {
        queue_message_write(&m, &value);
        TRY(buf_status(&value));
        tx_put(tx, queue_key_str(&key), buf_str(&value));
    }
    if (c->add != NULL)
        TRY(queue_put(tx, c->add, c->facts));
    TRY(tx_commit(&tx));
    *c->out = m;
    return OK;
}

static enum status
apply(const struct change *c, struct queue_message *m)
{
    for (size_t i = 0; i < c->result_count; i++) {
        const struct queue_result *result = &c->results[i];
        if (result->index >= m->rcpt_count || result->state > QUEUE_FAILED ||
            !job_has(c->of, &m->rcpts[result->index]))
            return ERR_SYNTAX;
    }
    for (size_t i = 0; c->of != NULL && i < m->rcpt_count; i++) {
        struct queue_rcpt *r = &m->rcpts[i];
        const struct queue_result *result = NULL;
        for (size_t k = 0; k < c->result_count; k++)
            result = c->results[k].index == i ? &c->results[k] : result;
        if (r->state != QUEUE_WAITING || !job_has(c->of, r))
            continue;
        if (result == NULL)
            try_later(c, m, r);
        else
            apply_result(c, m, r, result);
    }
    for (size_t i = 0; c->told != NULL && i < m->rcpt_count; i++)
        m->rcpts[i].told |= c->told[i];
    if (c->hold != HOLD_KEEP)
        m->held = c->hold == HOLD_SET;
    return OK;
}

static void
apply_result(const struct change *c, const struct queue_message *m, struct queue_rcpt *r,
             const struct queue_result *result)
{
    r->code = MIN(result->code, 999u);
    r->enhanced = str_sub(result->enhanced, 0, 12);
    r->text = str_sub(result->text, 0, QUEUE_TEXT_MAX);
    r->remote = str_sub(result->remote, 0, QUEUE_REMOTE_MAX);
    if (result->state == QUEUE_WAITING && result->untried) {
        put_off(c, m, r);
        return;
    }
    if (result->state == QUEUE_WAITING) {
        try_later(c, m, r);
        return;
    }
    r->tries++;
    r->state = result->state;
    r->relayed = result->state == QUEUE_DELIVERED && result->relayed;
}

/* Doubling pauses with jitter; past LIMIT_QUEUE_DAYS the last temporary failure is final (RFC 5321 section 4.5.4.1). */
static void
try_later(const struct change *c, const struct queue_message *m, struct queue_rcpt *r)
{
    uint32_t pause_s = LIMIT_QUEUE_FIRST_RETRY_S;

    r->tries++;
    if (is_overdue(m, c->now)) {
        r->state = QUEUE_FAILED;
        if (r->enhanced.len == 0 || r->enhanced.ptr[0] == '4')
            r->enhanced = STR("4.4.7"); /* RFC 3463: delivery time expired */
        return;
    }
    for (uint32_t i = 1; i < r->tries && pause_s < LIMIT_QUEUE_RETRY_S; i++)
        pause_s *= 2;
    pause_s = MIN(pause_s, (uint32_t)LIMIT_QUEUE_RETRY_S);
    r->next.us = c->now.us + (int64_t)random_jitter(pause_s * 1000, 20) * 1000;
}

/* No try, so the pause grows by the message's age. */
static void
put_off(const struct change *c, const struct queue_message *m, struct queue_rcpt *r)
{
    int64_t age_s = (c->now.us - m->arrived.us) / SECOND_US;
    int64_t pause_s =
        MIN(MAX(age_s, (int64_t)LIMIT_QUEUE_FIRST_RETRY_S), (int64_t)LIMIT_QUEUE_RETRY_S);

    r->next.us = c->now.us + (int64_t)random_jitter((uint32_t)pause_s * 1000, 20) * 1000;
}

static bool
is_overdue(const struct queue_message *m, struct instant now)
{
    return now.us - m->arrived.us >= LIMIT_QUEUE_DAYS * INT64_C(86400) * SECOND_US;
}

/* Put off when its time was over: the next taking is a try whatever is known of the destination, and the last one. */
static bool
wants_a_try(const struct queue_outcome *o, const struct queue_message *m)
{
    bool untried = false;

    for (size_t i = 0; i < o->count; i++)
        untried = untried || o->results[i].untried;
    return untried && is_overdue(m, o->now);
}

/* Nobody waits, and nothing is left to tell. */
static bool
is_done(const struct queue_message *m)
{
    for (size_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == QUEUE_WAITING || may_be_reported(m, &m->rcpts[i]))
            return false;
    }
    return true;
}

static bool
may_be_reported(const struct queue_message *m, const struct queue_rcpt *r)
{
    return queue_report_due(m, r, m->arrived) != 0; /* a final state is due at any time */
}

/* Memory follows the commit. */
static void
after_change(struct queue *q, struct entry *e, const struct queue_message *m, struct instant now)
{
    if (is_done(m))
        entry_gone(q, e);
    else
        entry_plan_report(q, e, m, now);
}

/* ---- verbs ---- */

SUSPENDS static enum status
act_one(struct queue *q, uint64_t qid, enum queue_verb v, struct instant now)
{
    struct entry *e = entry_find(q, qid);

    if (e == NULL)
        return ERR_NOT_FOUND;
    switch (v) {
    case QUEUE_RETRY: entry_hurry(q, e); return OK;
    case QUEUE_HOLD: return hold(q, qid, true, now);
    case QUEUE_RELEASE: return hold(q, qid, false, now);
    case QUEUE_DROP: return drop(q, qid);
    }
    return ERR_SYNTAX;
}

SUSPENDS static enum status
hold(struct queue *q, uint64_t qid, bool held, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m;
    struct change c = {
        .q = q, .qid = qid, .now = now, .hold = held ? HOLD_SET : HOLD_CLEAR, .a = a, .out = &m};

    TRY(change(&c));
    struct entry *e = entry_find(q, qid);
    if (e != NULL)
        entry_hold(q, e, held, now);
    return OK;
}

SUSPENDS static enum status
drop(struct queue *q, uint64_t qid)
{
    enum status st;

    while ((st = drop_once(q, qid)) == ERR_CONFLICT)
        ;
    TRY(st);
    struct entry *e = entry_find(q, qid);
    if (e != NULL)
        entry_gone(q, e);
    return OK;
}

SUSPENDS static enum status
drop_once(struct queue *q, uint64_t qid)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct queue_key key = queue_key_of(qid);
    struct queue_message m;
    struct str old;

    TRY(tx_begin(q->cell, &tx));
    TRY(tx_get(tx, queue_key_str(&key), &old));
    if (old.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(queue_message_read(old, a, &m));
    delete_message(tx, qid, m.body);
    return tx_commit(&tx);
}

static void
delete_message(struct tx *tx, uint64_t qid, struct blob_id body)
{
    struct queue_key key = queue_key_of(qid);

    tx_del(tx, queue_key_str(&key));
    tx_record_del(tx, qid);
    tx_ref_drop(tx, body);
}
