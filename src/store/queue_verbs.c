/* queue_verbs.c - what an operator does to messages in the queue, and to destinations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_verbs.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "store/queue_internal.h"

#define ARENA_MAX ((size_t)32 << 20)

enum { PART_MAX = 64, PART_ARENA = 64 << 20, PAUSE_VERSION = 1 };

SUSPENDS static enum status act_one(struct queue *q, uint64_t qid, const struct queue_act_part *p);
SUSPENDS static enum status hurry(struct queue *q, uint64_t qid, struct instant now);
static uint32_t hurry_lanes(struct queue *q, struct str domain);
SUSPENDS static enum status change(struct queue *q, uint64_t qid, enum queue_verb v,
                                   struct instant now);
SUSPENDS static enum status change_and_follow(struct queue_change *c);
static void forget(struct queue *q, uint64_t qid, const struct queue_plan *p);
static struct lane *lane_of_job(struct queue *q, const struct queue_plan_job *j);
SUSPENDS static enum status pause_once(struct queue *q, struct str domain, bool paused,
                                       struct instant now);

enum status
queue_act(struct queue *q, uint64_t qid, enum queue_verb v, struct instant now, uint32_t *count_out)
{
    const struct queue_selection all = {0};
    struct queue_act_part p = {.only = &all, .verb = v, .now = now, .more = true};
    uint32_t count = 0;

    if (qid != 0) {
        TRY(act_one(q, qid, &p));
        *count_out = 1;
        return OK;
    }
    while (p.more) {
        TRY(queue_act_some(q, &p));
        count += p.count;
    }
    *count_out = count;
    return OK;
}

enum status
queue_act_some(struct queue *q, struct queue_act_part *p)
{
    AUTO_ARENA *a = arena_new(PART_ARENA);
    const struct queue_selection *s = p->only;
    struct queue_page page = {.after = p->after, .max = PART_MAX, .only = s, .a = a};
    const struct queue_message *found;
    size_t n;

    p->count = 0;
    p->more = false;
    if (p->verb == QUEUE_RETRY && q->loaded && s->sender.len == 0 && s->recipient.len == 0 &&
        s->before_us == 0) { /* in memory at one go */
        p->count = hurry_lanes(q, s->domain);
        return OK;
    }
    TRY(queue_list(q, &page, &found, &n));
    for (size_t i = 0; i < n; i++) {
        enum status st = act_one(q, found[i].qid, p);
        p->count += st == OK ? 1u : 0u;
        if (st != ERR_NOT_FOUND) /* that one ended meanwhile */
            TRY(st);
    }
    p->after = page.after;
    p->more = page.more;
    return OK;
}

bool
queue_selects(const struct queue_selection *s, const struct queue_message *m)
{
    bool null_sender = str_eq(s->sender, STR("<>"));
    bool fits = s->domain.len == 0 && s->recipient.len == 0;

    if (s->before_us != 0 && m->arrived.us >= s->before_us)
        return false;
    if (s->sender.len > 0 &&
        (null_sender ? m->sender.len > 0 : !str_eq_nocase(m->sender, s->sender)))
        return false;
    for (size_t i = 0; i < m->rcpt_count && !fits; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        fits = r->state == QUEUE_WAITING &&
               (s->domain.len == 0 || str_eq_nocase(queue_domain_of(r->address), s->domain)) &&
               (s->recipient.len == 0 || str_eq_nocase(r->address, s->recipient) ||
                str_eq_nocase(r->original, s->recipient));
    }
    return fits;
}

/* ---- one message ---- */

SUSPENDS static enum status
act_one(struct queue *q, uint64_t qid, const struct queue_act_part *p)
{
    if (p->verb == QUEUE_ROUTE)
        return queue_reroute(q, qid, p->route, p->now);
    return p->verb == QUEUE_RETRY ? hurry(q, qid, p->now) : change(q, qid, p->verb, p->now);
}

/* What is under way ends the old way; if that fails the next try is the new one. */
enum status
queue_reroute(struct queue *q, uint64_t qid, struct str route, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m;
    struct queue_change c = {
        .q = q, .qid = qid, .now = now, .reroute = true, .route = route, .a = a, .out = &m};

    TRY(queue_change(&c));
    return hurry(q, qid, now);
}

SUSPENDS static enum status
hurry(struct queue *q, uint64_t qid, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m;
    struct queue_plan p;
    struct item old;

    TRY(queue_get(q, qid, a, &m));
    queue_plan_of(&m, a, &p);
    const struct entry *e = entry_find(q, qid);
    bool early = m.terms.hold_until.us > now.us; /* its sender does not want it sent yet */
    for (size_t i = 0; !p.held && !early && i < p.count; i++) {
        struct lane *l = lane_of_job(q, &p.jobs[i]);
        if (l == NULL)
            l = lane_of(q, p.jobs[i].domain);
        if (e != NULL && job_taken(e, l) != NULL)
            continue;
        (void)lane_forget(q, l, qid, &old);
        lane_add(q, l,
                 (struct item){.due_us = now.us,
                               .qid = qid & ITEM_QID_MAX,
                               .class = p.class & 3,
                               .fresh = p.jobs[i].fresh ? 1 : 0,
                               .hurry = 1},
                 now);
    }
    return OK;
}

/* How many jobs; with an empty domain how many messages there are. */
static uint32_t
hurry_lanes(struct queue *q, struct str domain)
{
    struct lane *one = lane_find(q, domain);
    size_t cursor = 0;
    struct str key;
    void *value;

    if (domain.len > 0 && one == NULL)
        return 0;
    if (domain.len > 0) {
        lane_hurry(q, one);
        return (uint32_t)lane_ready(one); /* at most one for each message */
    }
    lane_hurry(q, &q->local);
    while (map_next(q->lanes, &cursor, &key, &value))
        lane_hurry(q, value);
    return (uint32_t)q->length; /* <= LIMIT_QUEUE_MESSAGES and a few */
}

/* Hold, release, drop: a commit, then memory. */
SUSPENDS static enum status
change(struct queue *q, uint64_t qid, enum queue_verb v, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m = {0};
    struct queue_change c = {.q = q,
                             .qid = qid,
                             .now = now,
                             .hold = v == QUEUE_HOLD      ? HOLD_SET
                                     : v == QUEUE_RELEASE ? HOLD_CLEAR
                                                          : HOLD_KEEP,
                             .drop = v == QUEUE_DROP,
                             .a = a,
                             .out = &m};

    return change_and_follow(&c);
}

enum status
queue_over_release(struct queue *q, uint64_t qid, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct queue_message m = {0};
    struct queue_change c = {
        .q = q, .qid = qid, .now = now, .hold = HOLD_CLEAR, .only_over = true, .a = a, .out = &m};

    return change_and_follow(&c);
}

SUSPENDS static enum status
change_and_follow(struct queue_change *c)
{
    struct queue *q = c->q;
    struct queue_plan p;

    TRY(queue_change(c));
    struct entry *e = entry_find(q, c->qid);
    if (e != NULL)
        e->held = c->hold == HOLD_SET;
    queue_plan_of(c->out, c->a, &p);
    forget(q, c->qid, &p);
    queue_over_forget(q, &(struct queue_over){c->out->account, c->qid});
    if (c->hold == HOLD_CLEAR)
        plan_add(q, c->qid, &p, c->now);
    q->verbs++;
    return OK;
}

static void
forget(struct queue *q, uint64_t qid, const struct queue_plan *p)
{
    struct item it;

    for (size_t i = 0; i < p->count; i++) {
        struct lane *l = lane_of_job(q, &p->jobs[i]);
        if (l == NULL)
            continue;
        (void)lane_forget(q, l, qid, &it);
        lane_let_go(q, l);
    }
    while (lane_forget(q, &q->report, qid, &it))
        ;
}

static struct lane *
lane_of_job(struct queue *q, const struct queue_plan_job *j)
{
    return j->local ? &q->local : lane_find(q, j->domain);
}

/* ---- pauses: 'P' domain -> version, since ---- */

enum status
queue_pause(struct queue *q, struct str domain, bool paused, struct instant now)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    const struct queue_paused *list;
    enum status st;
    size_t n;

    if (domain.len > QUEUE_DOMAIN_MAX)
        return ERR_SYNTAX;
    TRY(queue_pauses(q, a, &list, &n));
    if (queue_is_paused(q, domain) == paused)
        return paused ? ERR_EXISTS : ERR_NOT_FOUND;
    if (paused && n >= LIMIT_QUEUE_PAUSES)
        return ERR_LIMIT;
    while ((st = pause_once(q, domain, paused, now)) == ERR_CONFLICT)
        ;
    TRY(st);
    if (domain.len == 0)
        q->paused = paused;
    else
        lane_pause(q, lane_of(q, domain), paused);
    return OK;
}

bool
queue_is_paused(const struct queue *q, struct str domain)
{
    const struct lane *l = lane_find(q, domain);

    return domain.len == 0 ? q->paused : l != NULL && l->paused;
}

enum status
queue_pauses(struct queue *q, struct arena *a, const struct queue_paused **out, size_t *n_out)
{
    struct queue_paused *list = ARENA_ARRAY(a, struct queue_paused, LIMIT_QUEUE_PAUSES);
    struct cell *cell = q->at[0].cell;
    struct cell_walk w = {
        .cell = cell_id_of(cell), .lo = STR("P"), .hi = STR("Q"), .bytes_max = (size_t)1 << 19};
    const struct cell_entry *entries;
    size_t n = 0;
    uint8_t version;

    enum status st = cell_walk_page(cell, &w, a, &entries, &n); /* all of them fit */
    cell_walk_end(cell, &w);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    n = MIN(n, (size_t)LIMIT_QUEUE_PAUSES);
    for (size_t i = 0; i < n; i++) {
        struct scan s = scan_of(entries[i].value);
        list[i].domain = str_skip(entries[i].key, 1);
        if (!scan_u8(&s, &version) || version != PAUSE_VERSION ||
            !scan_zigzag(&s, &list[i].since.us) || !scan_at_end(&s))
            return ERR_CORRUPT;
    }
    *out = list;
    *n_out = n;
    return OK;
}

SUSPENDS static enum status
pause_once(struct queue *q, struct str domain, bool paused, struct instant now)
{
    AUTO_BUF key = BUF(QUEUE_DOMAIN_MAX + 1);
    AUTO_BUF value = BUF(64);
    AUTO(tx_abort) struct tx *tx = NULL;

    buf_add_char(&key, 'P');
    buf_add(&key, domain);
    buf_add_char(&value, PAUSE_VERSION);
    buf_add_zigzag(&value, now.us);
    TRY(tx_begin(q->at[0].cell, &tx));
    if (paused)
        tx_put(tx, buf_str(&key), buf_str(&value));
    else
        tx_del(tx, buf_str(&key));
    return tx_commit(&tx);
}
