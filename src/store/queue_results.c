/* queue_results.c - what became of a message: results and reports.
 *
 * Each is one commit on the message's cell; memory follows the commit, never the other way round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "rt/random.h"
#include "store/queue_internal.h"

#define SECOND_US INT64_C(1000000)
#define ARENA_MAX ((size_t)32 << 20)

SUSPENDS static enum status change_once(struct queue_change *c);
static void delete_message(struct tx *tx, struct queue_head *h, uint64_t qid, struct blob_id body);
static enum status apply(const struct queue_change *c, struct queue_message *m);
static void apply_result(const struct queue_change *c, const struct queue_message *m,
                         struct queue_rcpt *r, const struct queue_result *result);
static void apply_hold(const struct queue_change *c, struct queue_message *m);
static void try_later(const struct queue_change *c, const struct queue_message *m,
                      struct queue_rcpt *r);
static void expire_all(const struct queue_change *c, struct queue_message *m);
static void expire(const struct queue_change *c, struct queue_rcpt *r);
static void put_off(const struct queue_change *c, const struct queue_message *m,
                    struct queue_rcpt *r);
static bool is_overdue(const struct queue_message *m, struct instant now);
static bool is_untried(const struct queue_outcome *o);
static bool is_answered(const struct queue_outcome *o);
static bool is_done(const struct queue_message *m);

enum status
queue_results(struct queue *q, const struct queue_job *job, const struct queue_outcome *o,
              struct arena *a, struct queue_message *message_out)
{
    struct job *j = job_of_lease(q, job->qid, job->lease);
    struct queue_message m;

    if (j == NULL)
        return ERR_NOT_FOUND;
    struct queue_change c = {
        .q = q,
        .qid = job->qid,
        .now = o->now,
        .with_results = true,
        .kind = j->lane->kind,
        .domain = arena_str(a, j->lane->domain),
        .results = o->results,
        .result_count = o->count,
        .a = a,
        .out = &m,
    };
    enum status st = j->entry->gone ? ERR_NOT_FOUND : queue_change(&c);
    j = job_of_lease(q, job->qid, job->lease); /* may be over by now, and still counts */
    if (st == ERR_NOT_FOUND && j != NULL)
        job_end(q, j);
    TRY(st);
    bool hurry = is_untried(o) && is_overdue(&m, o->now);
    if (j != NULL && is_answered(o))
        lane_answered(q, j->lane);
    else if (j != NULL)
        lane_silent(q, j->lane);
    if (j != NULL && is_untried(o))
        lane_put_off(q, j->lane);
    if (j != NULL && !c.done)
        job_plan(q, j, &m, o->now, hurry);
    else if (j != NULL)
        job_end(q, j);
    else if (!c.done && !m.held) /* the item of what was given back is too early by now */
        lane_plan(q, c.kind == LANE_LOCAL ? &q->local : lane_of(q, c.domain), &m, o->now);
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
    struct queue_change c = {
        .q = q, .qid = job->qid, .now = now, .told = report->told, .a = a, .out = &m};
    if (report->message != NULL) {
        added = *report->message;
        added.arrived = now;
        c.add = &added;
        c.facts = report->facts;
    }
    enum status st = j->entry->gone ? ERR_NOT_FOUND : queue_change(&c);
    j = job_of_lease(q, job->qid, job->lease);
    if (j != NULL && (st == OK || st == ERR_NOT_FOUND))
        job_end(q, j);
    TRY(st);
    int64_t due = queue_report_time(&m);
    /* What is under way when its time is over ends with its result. */
    if (queue_terms_is_over(&m.terms, now) && due == m.terms.by.us)
        due = QUEUE_NEVER;
    if (!c.done && !m.held)
        report_add(q, m.qid, due, now);
    *qid_out = added.qid;
    return OK;
}

enum status
queue_expire(struct queue *q, const struct queue_job *job, struct instant now, struct arena *a,
             struct queue_message *message_out)
{
    struct job *j = job_of_lease(q, job->qid, job->lease);
    struct queue_message m;
    struct queue_change c = {
        .q = q, .qid = job->qid, .now = now, .expire = true, .a = a, .out = &m};

    if (j == NULL)
        return ERR_NOT_FOUND;
    enum status st = j->entry->gone ? ERR_NOT_FOUND : queue_change(&c);
    j = job_of_lease(q, job->qid, job->lease);
    if (j != NULL && (st == ERR_NOT_FOUND || (st == OK && c.done)))
        job_end(q, j);
    TRY(st);
    *message_out = m;
    return c.done ? ERR_NOT_FOUND : OK;
}

/* ---- one change, one commit ---- */

enum status
queue_change(struct queue_change *c)
{
    enum status st;

    while ((st = change_once(c)) == ERR_CONFLICT)
        ;
    TRY(st);
    if (c->add != NULL)
        queue_added(c->q, c->add, c->now);
    if (c->done)
        queue_gone(c->q, c->qid);
    else if (c->report_us < c->report_was_us && c->told == NULL && !c->expire && !c->out->held)
        report_add(c->q, c->qid, c->report_us, c->now);
    return OK;
}

SUSPENDS static enum status
change_once(struct queue_change *c)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    size_t cell = queue_cell_of(c->q, c->qid);
    struct queue_key key = queue_key_of('E', c->qid);
    struct queue_message m;
    struct queue_head h;
    struct str old;

    TRY(tx_begin(c->q->at[cell].cell, &tx));
    TRY(tx_get(tx, queue_key_str(&key), &old));
    if (old.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(queue_message_read(arena_str(c->a, old), c->a, &m)); /* outlives the transaction */
    m.qid = c->qid;
    c->report_was_us = queue_report_time(&m);
    TRY(apply(c, &m));
    c->report_us = queue_report_time(&m);
    c->done = c->drop || is_done(&m);
    if (c->done || c->add != NULL)
        TRY(queue_head_get(c->q, tx, cell, &h));
    if (c->done)
        delete_message(tx, &h, m.qid, m.body);
    else
        TRY(queue_write(tx, &m));
    if (c->add != NULL)
        TRY(queue_put(tx, &h, cell, c->add, c->facts));
    if (c->done || c->add != NULL)
        queue_head_put(tx, &h);
    TRY(tx_commit(&tx));
    *c->out = m;
    return OK;
}

static void
apply_results(const struct queue_change *c, struct queue_message *m)
{
    for (size_t i = 0; i < m->rcpt_count; i++) {
        struct queue_rcpt *r = &m->rcpts[i];
        const struct queue_result *result = NULL;
        for (size_t k = 0; k < c->result_count; k++)
            result = c->results[k].index == i ? &c->results[k] : result;
        if (r->state != QUEUE_WAITING || !job_has(c->kind, c->domain, r))
            continue;
        if (result == NULL)
            try_later(c, m, r);
        else
            apply_result(c, m, r, result);
    }
}

static enum status
apply(const struct queue_change *c, struct queue_message *m)
{
    for (size_t i = 0; i < c->result_count; i++) {
        const struct queue_result *result = &c->results[i];
        if (result->index >= m->rcpt_count || result->state > QUEUE_FAILED ||
            !job_has(c->kind, c->domain, &m->rcpts[result->index]))
            return ERR_SYNTAX;
    }
    if (c->only_over && !m->over)
        return ERR_NOT_FOUND;
    if (c->with_results)
        apply_results(c, m);
    for (size_t i = 0; c->told != NULL && i < m->rcpt_count; i++)
        m->rcpts[i].told |= c->told[i];
    if (c->expire)
        expire_all(c, m);
    apply_hold(c, m);
    if (c->reroute)
        m->route = c->route;
    return OK;
}

static void
apply_result(const struct queue_change *c, const struct queue_message *m, struct queue_rcpt *r,
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
    r->announce = result->state == QUEUE_DELIVERED && result->announce;
}

static void
expire_all(const struct queue_change *c, struct queue_message *m)
{
    const struct entry *e = entry_find(c->q, m->qid);

    for (size_t i = 0; queue_terms_is_over(&m->terms, c->now) && i < m->rcpt_count; i++) {
        struct queue_rcpt *r = &m->rcpts[i];
        if (r->state == QUEUE_WAITING && !(e != NULL && entry_under_way(e, r)))
            expire(c, r);
    }
}

/* RFC 2852 section 4.1.3. */
static void
expire(const struct queue_change *c, struct queue_rcpt *r)
{
    const char *ours = "not delivered within the time that its sender set";

    r->text = r->text.len == 0
                  ? str_of(ours)
                  : str_sub(arena_printf(c->a, "%s; at last: %.*s", ours, STR_FMT(r->text)), 0,
                            QUEUE_TEXT_MAX);
    r->state = QUEUE_FAILED;
    r->code = 0;
    r->enhanced = STR("5.4.7");
}

/* Doubling pauses with jitter; past LIMIT_QUEUE_DAYS the last temporary failure is final (RFC 5321 section 4.5.4.1). */
static void
try_later(const struct queue_change *c, const struct queue_message *m, struct queue_rcpt *r)
{
    uint32_t pause_s = LIMIT_QUEUE_FIRST_RETRY_S;

    r->tries++;
    if (queue_terms_is_over(&m->terms, c->now)) {
        expire(c, r);
        return;
    }
    if (is_overdue(m, c->now)) {
        r->state = QUEUE_FAILED;
        if (str_eq(r->enhanced, STR("4.7.5")) &&
            r->code == 0) /* ours: nobody proved who they are */
            r->enhanced = STR("5.7.5");
        else if (r->enhanced.len == 0 || r->enhanced.ptr[0] == '4')
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
put_off(const struct queue_change *c, const struct queue_message *m, struct queue_rcpt *r)
{
    int64_t age_s = (c->now.us - queue_terms_begin(&m->terms, m->arrived).us) / SECOND_US;
    int64_t pause_s =
        MIN(MAX(age_s, (int64_t)LIMIT_QUEUE_FIRST_RETRY_S), (int64_t)LIMIT_QUEUE_RETRY_S);

    if (queue_terms_is_over(&m->terms, c->now)) {
        expire(c, r);
        return;
    }
    r->next.us = c->now.us + (int64_t)random_jitter((uint32_t)pause_s * 1000, 20) * 1000;
}

static bool
is_overdue(const struct queue_message *m, struct instant now)
{
    return now.us - queue_terms_begin(&m->terms, m->arrived).us >=
           LIMIT_QUEUE_DAYS * INT64_C(86400) * SECOND_US;
}

/* Nobody was asked.  When the message's time is over, its next taking is a try whatever is known of the destination,
 * and the last one. */
static bool
is_untried(const struct queue_outcome *o)
{
    bool untried = false;

    for (size_t i = 0; i < o->count; i++)
        untried = untried || o->results[i].untried;
    return untried;
}

/* Somebody said something of it, or it is decided. */
static bool
is_answered(const struct queue_outcome *o)
{
    bool answered = false;

    for (size_t i = 0; i < o->count; i++)
        answered = answered || o->results[i].code != 0 || o->results[i].state != QUEUE_WAITING;
    return answered;
}

/* What is released is due at once, but for the time that the sender set. */
static void
apply_hold(const struct queue_change *c, struct queue_message *m)
{
    if (c->hold == HOLD_KEEP)
        return;
    m->held = c->hold == HOLD_SET;
    m->over = false; /* an operator's word is about it now */
    for (size_t i = 0; !m->held && i < m->rcpt_count; i++)
        m->rcpts[i].next.us = MAX(MIN(m->rcpts[i].next.us, c->now.us), m->terms.hold_until.us);
}

/* Nobody waits, and nothing is left to tell. */
static bool
is_done(const struct queue_message *m)
{
    for (size_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == QUEUE_WAITING)
            return false;
    }
    return queue_report_time(m) == QUEUE_NEVER;
}

static void
delete_message(struct tx *tx, struct queue_head *h, uint64_t qid, struct blob_id body)
{
    struct queue_key key = queue_key_of('E', qid), index_key = queue_key_of('I', qid);

    h->count -= h->count > 0 ? 1 : 0;
    tx_del(tx, queue_key_str(&key));
    tx_del(tx, queue_key_str(&index_key));
    tx_record_del(tx, qid);
    tx_ref_drop(tx, body);
}
