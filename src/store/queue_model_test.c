/* queue_model_test.c - after any history, also with restarts in it, memory and disk say the same of the queue.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_internal.h"
#include "store/queue_verbs.h"
#include "store/testkit_internal.h"

enum { STEPS = 1500, DOMAINS = 4, TAKEN_MAX = 12, CHECK_EVERY = 25, ITEMS_MAX = 8192 };

struct model {
    struct kit *k;
    struct queue *q;
    struct instant now;
    struct queue_job taken[TAKEN_MAX];
    size_t taken_count;
};
static const char *const domains[DOMAINS] = {"a.example", "b.example", "c.example", "d.example"};

static SUSPENDS void
reopen(struct model *m)
{
    queue_free(&m->q);
    kit_reopen(m->k);
    m->taken_count = 0;
    ASSERT(queue_open(m->k->cs, &m->q) == OK && queue_load(m->q, m->now) == OK);
}

static SUSPENDS void
add(struct model *m)
{
    struct queue_rcpt rcpts[4] = {0};
    size_t n = 1 + random_below(COUNT_OF(rcpts));
    uint64_t qid;

    for (size_t i = 0; i < n; i++) {
        bool local = random_below(4) == 0;
        rcpts[i].address = arena_printf(m->k->a, "u%zu@%s", i, domains[random_below(DOMAINS)]);
        rcpts[i].account = local ? 7 : 0;
        rcpts[i].original = rcpts[i].address;
    }
    const struct queue_message message = {.sender = random_below(2) == 0 ? STR("")
                                                                         : STR("s@here.example"),
                                          .body = kit_blob(m->k, STR("Subject: x\r\n\r\nbody\r\n")),
                                          .size = 9,
                                          .terms = {.priority = (int32_t)random_below(19) - 9},
                                          .rcpts = rcpts,
                                          .rcpt_count = n};
    ASSERT(queue_add(m->q, &message, STR("f"), m->now, &qid) == OK);
}

static SUSPENDS void
take(struct model *m)
{
    struct queue_job *job = &m->taken[m->taken_count];
    struct queue_message message;

    if (m->taken_count == TAKEN_MAX ||
        (!queue_take_local(m->q, job) && !queue_take_remote(m->q, 1, job)))
        return;
    if (queue_read(m->q, job, m->now, m->k->a, &message) == OK)
        m->taken_count++;
}

static SUSPENDS void
give_back(struct model *m)
{
    struct queue_result results[4];
    struct queue_message message;
    size_t n = 0;

    if (m->taken_count == 0)
        return;
    size_t at = random_below(m->taken_count);
    struct queue_job job = m->taken[at];
    struct str domain = arena_str(m->k->a, job.domain);
    m->taken[at] = m->taken[--m->taken_count];
    if (random_below(5) == 0) {
        queue_put_back(m->q, &job, m->now, 1000 * (int64_t)random_below(100));
        return;
    }
    if (queue_get(m->q, job.qid, m->k->a, &message) != OK)
        message.rcpt_count = 0; /* dropped */
    for (uint32_t i = 0; i < message.rcpt_count; i++) {
        static const enum queue_state states[] = {QUEUE_DELIVERED, QUEUE_WAITING, QUEUE_WAITING,
                                                  QUEUE_FAILED};
        const struct queue_rcpt *r = &message.rcpts[i];
        uint64_t what = random_below(4);
        if (job_has(domain.len > 0 ? LANE_REMOTE : LANE_LOCAL, domain, r))
            results[n++] = (struct queue_result){
                .index = i, .state = states[what], .untried = what == 1, .enhanced = STR("4.0.0")};
    }
    const struct queue_outcome o = {results, n, m->now};
    enum status st = queue_results(m->q, &job, &o, m->k->a, &message);
    ASSERT(st == OK || st == ERR_NOT_FOUND);
}

static SUSPENDS void
report(struct model *m)
{
    struct queue_message message;
    struct queue_job job;
    uint32_t told[4];
    uint64_t qid;

    if (!queue_take_report(m->q, &job) || queue_read(m->q, &job, m->now, m->k->a, &message) != OK)
        return;
    for (size_t i = 0; i < message.rcpt_count; i++)
        told[i] = queue_report_due(&message, &message.rcpts[i], m->now);
    const struct queue_report r = {.told = told};
    ASSERT(queue_reported(m->q, &job, &r, m->now, &qid) == OK);
}

static SUSPENDS void
verb(struct model *m)
{
    const struct queue_message *list;
    struct queue_page p = {.max = 200, .a = m->k->a};
    uint32_t count;
    size_t n;

    ASSERT(queue_list(m->q, &p, &list, &n) == OK);
    if (n == 0)
        return;
    static const enum queue_verb verbs[] = {QUEUE_RETRY, QUEUE_HOLD, QUEUE_RELEASE, QUEUE_RELEASE,
                                            QUEUE_DROP};
    enum queue_verb v = verbs[random_below(COUNT_OF(verbs))];
    ASSERT(queue_act(m->q, list[random_below(n)].qid, v, m->now, &count) == OK);
}

static SUSPENDS void
pause_or_resume(struct model *m)
{
    struct str domain = random_below(3) == 0 ? STR("") : str_of(domains[random_below(DOMAINS)]);
    bool is = queue_is_paused(m->q, domain);

    ASSERT(queue_pause(m->q, domain, !is, m->now) == OK && queue_is_paused(m->q, domain) == !is);
}

/* ---- what must hold ---- */

static int64_t
earliest_in(const struct items *l, uint64_t qid, size_t *times)
{
    int64_t due = QUEUE_NEVER;

    for (size_t i = 0; i < l->count; i++) {
        const struct item *it = &l->at[(l->first + i) & (l->room - 1)];
        if (it->qid != qid)
            continue;
        due = MIN(due, it->due_us);
        (*times)++;
    }
    return due;
}

/* The earliest item of a message in a lane. */
static int64_t
earliest(const struct lane *l, uint64_t qid, size_t *times)
{
    *times = 0;
    if (l == NULL)
        return QUEUE_NEVER;
    int64_t waiting = earliest_in(&l->waiting, qid, times), ready = QUEUE_NEVER;
    for (size_t i = 0; i < QUEUE_CLASSES; i++) {
        int64_t fresh = earliest_in(&l->fresh[i], qid, times),
                late = earliest_in(&l->late[i], qid, times);
        ready = MIN(ready, MIN(fresh, late));
    }
    return MIN(waiting, ready);
}

static void
check_message(struct model *m, const struct queue_message *message, bool just_opened)
{
    const struct entry *e = entry_find(m->q, message->qid);
    struct queue_plan p;
    size_t times;

    queue_plan_of(message, m->k->a, &p);
    for (size_t i = 0; i < p.count; i++) {
        const struct lane *l = p.jobs[i].local ? &m->q->local : lane_find(m->q, p.jobs[i].domain);
        int64_t due = earliest(l, message->qid, &times);
        if (just_opened)
            ASSERT(times == (p.held ? 0 : 1) && (p.held || due == p.jobs[i].due_us));
        if (!p.held && !(e != NULL && job_taken(e, l) != NULL))
            ASSERT(due != QUEUE_NEVER);
    }
    if (!p.held && p.report_us != QUEUE_NEVER)
        ASSERT(earliest(&m->q->report, message->qid, &times) <= p.report_us);
}

/* What the index says is what the message says. */
static SUSPENDS void
check_index(struct model *m, const struct queue_message *message)
{
    struct queue_key key = queue_key_of('I', message->qid);
    struct cell *cell = m->q->at[queue_cell_of(m->q, message->qid)].cell;
    AUTO_BUF want = BUF(65536);
    struct queue_plan p;
    struct str is;

    queue_plan_of(message, m->k->a, &p);
    queue_plan_write(&p, &want);
    ASSERT(cell_get(cell, queue_key_str(&key), m->k->a, &is) == OK);
    ASSERT(is.ptr != NULL && str_eq(is, buf_str(&want)));
}

static SUSPENDS void
check(struct model *m, bool just_opened)
{
    AUTO_ARENA *a = arena_new(64 << 20);
    struct arena *was = m->k->a;
    const struct queue_message *list;
    struct queue_page p = {.max = 5000, .a = a};
    size_t n, ready = 0, cursor = 0;
    struct str domain;
    void *lane;

    m->k->a = a;
    ASSERT(queue_list(m->q, &p, &list, &n) == OK && !p.more && n == queue_length(m->q));
    for (size_t i = 0; i < n; i++) {
        struct queue_message stored;
        ASSERT(queue_get(m->q, list[i].qid, a, &stored) == OK);
        check_message(m, &stored, just_opened);
        check_index(m, &stored);
    }
    while (map_next(m->q->lanes, &cursor, &domain, &lane))
        ready += ((const struct lane *)lane)->paused ? 0 : lane_ready(lane);
    ASSERT(m->q->remote_ready == ready);
    m->k->a = was;
}

/* What is taken for mailboxes here has no owner. */
static void
owner_gone(struct model *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->taken_count; i++)
        if (m->taken[i].domain.len == 0)
            m->taken[n++] = m->taken[i];
    m->taken_count = n;
    queue_owner_gone(m->q, 1, m->now);
}

static SUSPENDS void
step(struct model *m)
{
    switch (random_below(14)) {
    case 0:
    case 1:
    case 2: add(m); return;
    case 3:
    case 4:
    case 5: take(m); return;
    case 6:
    case 7: give_back(m); return;
    case 8: report(m); return;
    case 9: verb(m); return;
    case 10:
        if (random_below(6) == 0)
            pause_or_resume(m);
        return;
    case 11:
        if (random_below(10) == 0)
            owner_gone(m);
        return;
    default: m->now.us += INT64_C(1000000) * (int64_t)random_below(600); queue_tick(m->q, m->now);
    }
}

/* Everything comes to an end once nothing keeps it. */
static SUSPENDS void
drain(struct model *m)
{
    const struct queue_paused *paused;
    uint32_t count;
    size_t n;

    ASSERT(queue_pauses(m->q, m->k->a, &paused, &n) == OK);
    for (size_t i = 0; i < n; i++)
        ASSERT(queue_pause(m->q, paused[i].domain, false, m->now) == OK);
    ASSERT(queue_act(m->q, 0, QUEUE_RELEASE, m->now, &count) == OK);
    for (int i = 0; i < 100000 && queue_length(m->q) > 0; i++) {
        AUTO_ARENA *a = arena_new(64 << 20);
        struct arena *was = m->k->a;
        m->k->a = a;
        take(m);
        give_back(m);
        report(m);
        m->k->a = was;
        if (i % 4 == 0) {
            m->now.us += INT64_C(60000000);
            queue_tick(m->q, m->now);
        }
    }
    ASSERT(queue_length(m->q) == 0 && map_count(m->q->entries) == m->taken_count);
}

static SUSPENDS void
test_memory_and_disk_agree(struct kit *k)
{
    struct model m = {.k = k, .now = k->now};

    ASSERT(queue_open(k->cs, &m.q) == OK && queue_load(m.q, m.now) == OK);
    add(&m);
    for (int i = 0; i < STEPS; i++) {
        AUTO_ARENA *a = arena_new(64 << 20);
        struct arena *was = k->a;
        k->a = a;
        step(&m);
        if (i % CHECK_EVERY == 0)
            check(&m, false);
        if (random_below(100) == 0) {
            reopen(&m);
            check(&m, true);
        }
        k->a = was;
    }
    drain(&m);
    queue_free(&m.q);
}

static const struct kit_row rows[] = {
    {"memory_and_disk_agree", test_memory_and_disk_agree, KIT_ALL},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("queue_model", rows, COUNT_OF(rows), argv);
}
