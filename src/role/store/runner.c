/* runner.c - works the queue where it leads to this host: local mailboxes, and reports to senders.
 *
 * A recipient's message and the mark of its queue entry are one commit in the account, so that a crash between
 * that and the result's commit delivers once: message_add() finds the mark.  Then the mark goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/stats.h"
#include "role/store/judge.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"

enum {
    RUNNERS = 64, /* so that their commits go to the disk in groups */
    WAIT_MS = 30000,
    RETRY_MS = 60000,
    ARENA_BYTES = 32 << 20,
    REPORT_BYTES = 4 << 20, /* a thousand recipients with the longest replies, and an original */
};

FIBER_ENTRY static void loader(void *arg);
static void log_loaded(const struct store *s, enum status st, int64_t ms);
FIBER_ENTRY static void runner(void *arg);
SUSPENDS static void run_local(struct store *s, const struct queue_job *job);
SUSPENDS static enum status deliver_all(struct store *s, const struct queue_job *job,
                                        struct arena *a);
SUSPENDS static enum status deliver_one(struct store *s, const struct queue_message *m,
                                        const struct intake_facts *facts,
                                        struct queue_result *result);
SUSPENDS static enum status add_to_account(struct store *s, const struct queue_message *m,
                                           const struct message_new *added,
                                           const struct intake_spam *spam, bool *lasting_out);
static void log_delivered(const struct queue_message *m, const struct queue_rcpt *r,
                          const struct store_box *box, uint32_t uid);
SUSPENDS static enum status facts_of(struct store *s, const struct queue_message *m,
                                     struct arena *a, struct intake_facts *out);
static bool is_unreadable(enum status st);
static bool result_of(enum status st, bool lasting, struct queue_result *out);
SUSPENDS static void forget_marks(struct store *s, const struct queue_message *m,
                                  const struct queue_result *results, size_t n);
SUSPENDS static void run_report(struct store *s, const struct queue_job *job);
SUSPENDS static enum status expire(struct store *s, const struct queue_job *job, struct arena *a,
                                   struct queue_message *m);
SUSPENDS static enum status report(struct store *s, const struct queue_job *job, struct arena *a);
SUSPENDS static enum status make_report(struct store *s, const struct queue_message *m,
                                        struct queue_report *r, struct arena *a);
SUSPENDS static enum status report_rcpts(struct store *s, const struct queue_message *m,
                                         struct arena *a, struct queue_message *out);
static void log_report(const struct queue_message *m, const uint32_t *told, uint64_t qid);

enum status
store_queue_start(struct store *s)
{
    TRY(fiber_go(loader, s));
    s->fibers++;
    return OK;
}

FIBER_ENTRY static void
loader(void *arg)
{
    struct store *s = arg;
    int64_t began = clock_mono_us();

    enum status st = store_checked(s, queue_load(s->queue, clock_now()), "queue");
    s->fibers--;
    if (st != ERR_CANCELLED)
        log_loaded(s, st, (clock_mono_us() - began) / 1000);
}

/* Of single messages; the others are at work. */
static void
log_unreadable(const struct store *s)
{
    uint64_t first;
    uint32_t n = queue_unreadable(s->queue, &first);

    if (n == 0)
        return;
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_QUEUE_DAMAGE))
        return;
    log_str(&l, "reason", str_of(status_name(ERR_CORRUPT)));
    log_u64(&l, "messages", n);
    log_hex64(&l, "qid", first);
}

static void
log_loaded(const struct store *s, enum status st, int64_t ms)
{
    log_unreadable(s);
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, st == OK ? EVENT_QUEUE_LOAD : EVENT_QUEUE_DAMAGE))
        return;
    if (st != OK) {
        log_str(&l, "reason", str_of(status_name(st)));
        return;
    }
    log_u64(&l, "messages", queue_length(s->queue));
    log_i64(&l, "ms", ms);
}

enum status
store_runners_start(struct store *s)
{
    for (int i = 0; i < RUNNERS; i++) {
        TRY(fiber_go(runner, s));
        s->fibers++;
    }
    return OK;
}

FIBER_ENTRY static void
runner(void *arg)
{
    struct store *s = arg;
    struct queue_job job;

    while (!s->stopping) {
        if (queue_take_local(s->queue, &job))
            run_local(s, &job);
        else if (queue_take_report(s->queue, &job))
            run_report(s, &job);
        else if (queue_wait(s->queue, WAIT_MS) == ERR_CANCELLED)
            break;
    }
    s->fibers--;
}

/* ---- local mailboxes ---- */

SUSPENDS static void
run_local(struct store *s, const struct queue_job *job)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);

    enum status st = store_checked(s, deliver_all(s, job, a), "local delivery");
    if (st != OK)
        queue_put_back(s->queue, job, clock_now(), RETRY_MS);
}

SUSPENDS static enum status
deliver_all(struct store *s, const struct queue_job *job, struct arena *a)
{
    struct queue_message m;
    struct intake_facts facts;
    size_t n = 0;

    TRY(queue_read(s->queue, job, clock_now(), a, &m));
    enum status cooked = facts_of(s, &m, a, &facts);
    if (cooked != OK && !is_unreadable(cooked))
        return cooked;
    struct queue_result *results = ARENA_ARRAY(a, struct queue_result, m.rcpt_count);
    for (uint32_t i = 0; i < m.rcpt_count; i++) {
        if (m.rcpts[i].account == 0 || m.rcpts[i].state != QUEUE_WAITING)
            continue;
        results[n] = (struct queue_result){.index = i};
        enum status st = OK;
        if (cooked == OK)
            st = deliver_one(s, &m, &facts, &results[n]);
        else
            (void)result_of(ERR_CORRUPT, false, &results[n]);
        if (store_checked(s, st, "local delivery") == OK)
            n++;
    }
    const struct queue_outcome o = {results, n, clock_now()};
    TRY(queue_results(s->queue, job, &o, a, &m));
    store_log_results(&m, results, n);
    forget_marks(s, &m, results, n);
    return OK;
}

/* OK: the result is known, which need not be a good one.  Else: try later without a word. */
SUSPENDS static enum status
deliver_one(struct store *s, const struct queue_message *m, const struct intake_facts *facts,
            struct queue_result *result)
{
    const struct message_new added = {
        .blob = m->body,
        .size = m->size,
        .received = queue_terms_begin(&m->terms, m->arrived),
        .record = facts->record,
        .sort = facts->sort,
        .message_id_hash = facts->message_id_hash,
        .reference_hashes = facts->reference_hashes,
        .reference_count = facts->reference_count,
        .qid = m->qid,
        .rcpt = result->index,
    };
    bool lasting = false;
    enum status st = add_to_account(s, m, &added, &facts->spam, &lasting);

    return result_of(st, lasting, result) ? OK : st;
}

SUSPENDS static enum status
add_to_account(struct store *s, const struct queue_message *m, const struct message_new *added,
               const struct intake_spam *spam, bool *lasting_out)
{
    const struct queue_rcpt *r = &m->rcpts[added->rcpt];
    struct message_place place;

    /* The cell of a removed account is kept for a while, and would take it. */
    AUTO_ARENA *a = arena_new(16384);
    struct directory_entry e;
    struct store_box box;
    const struct store_addition what = {.message = added,
                                        .junk = m->junk,
                                        .spam = spam,
                                        .asked = r->original,
                                        .a = a,
                                        .box_out = &box};
    TRY(directory_by_id(s->directory, r->account, a, &e));
    AUTO(cell_close) struct cell *account = account_open(s->cells, r->account);
    enum status st = store_add(s, account, &what, &place);
    uint64_t size;
    if (st == ERR_NOT_FOUND && is_unreadable(engine_blob_size(s->engine, m->body, &size)))
        return ERR_CORRUPT; /* the body is lost, not the account */
    if (st == ERR_QUOTA) {
        store_quota_log(account);
        TRY(store_quota_refused(s, account, lasting_out));
    }
    TRY(st);
    log_delivered(m, r, &box, place.uid);
    store_quota_tell(s, account, place.notice);
    return OK;
}

static void
log_delivered(const struct queue_message *m, const struct queue_rcpt *r,
              const struct store_box *box, uint32_t uid)
{
    stat_add(STAT_DELIVERED);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_STORE_DELIVER))
        return;
    log_hex64(&l, "qid", m->qid);
    log_str(&l, "account", r->address);
    log_str(&l, "mailbox", box->name);
    log_u64(&l, "uid", uid);
    log_u64(&l, "size", m->size);
    log_str(&l, "asked", r->original);
    log_u64(&l, "aid", r->account);
    log_u64(&l, "box", box->id);
    if (box->why.len > 0)
        log_str(&l, "why", box->why);
}

/* As kept with the entry; a store that lost them has the body cooked once more.  Without a cook mail waits. */
SUSPENDS static enum status
facts_of(struct store *s, const struct queue_message *m, struct arena *a, struct intake_facts *out)
{
    struct str bytes;

    TRY(queue_facts(s->queue, m->qid, a, &bytes));
    if (bytes.len > 0 && intake_facts_read(bytes, a, out) == OK)
        return OK;
    return intake_facts_again(s->intake, m->body, a, out);
}

static bool
is_unreadable(enum status st)
{
    return st == ERR_NOT_FOUND || st == ERR_CORRUPT;
}

/* False: there is none to tell.  lasting: there has been no room for days. */
static bool
result_of(enum status st, bool lasting, struct queue_result *out)
{
    static const struct queue_result delivered = {
        .state = QUEUE_DELIVERED, .code = 250, .enhanced = {"2.0.0", 5}};
    static const struct queue_result removed = {.state = QUEUE_FAILED, /* meanwhile */
                                                .code = 550,
                                                .enhanced = {"5.1.1", 5},
                                                .text = {"There is no such address here", 29}};
    static const struct queue_result full = {.state = QUEUE_WAITING,
                                             .code = 452,
                                             .enhanced = {"4.2.2", 5},
                                             .text = {"The mailbox is full", 19}};
    /* An operator may bring it back; else the sender hears of it in the end. */
    static const struct queue_result unreadable = {
        .state = QUEUE_WAITING,
        .code = 451,
        .enhanced = {"4.3.0", 5},
        .text = {"This server cannot read the message any more", 44}};
    uint32_t index = out->index;

    switch (st) {
    case OK: *out = delivered; break;
    case ERR_NOT_FOUND: *out = removed; break;
    case ERR_QUOTA: *out = full; break;
    case ERR_CORRUPT: *out = unreadable; break;
    default: return false;
    }
    if (st == ERR_QUOTA && lasting)
        *out = (struct queue_result){.state = QUEUE_FAILED,
                                     .code = STORE_QUOTA_REPLY,
                                     .enhanced = STR(STORE_QUOTA_ENHANCED),
                                     .text = STR(STORE_QUOTA_TEXT)};
    out->index = index;
    return true;
}

/* A mark that a crash leaves here costs a few bytes until account_reap() finds it old. */
SUSPENDS static void
forget_marks(struct store *s, const struct queue_message *m, const struct queue_result *results,
             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (results[i].state != QUEUE_DELIVERED)
            continue;
        AUTO(cell_close)
        struct cell *account = account_open(s->cells, m->rcpts[results[i].index].account);
        enum status st = message_forget_qid(account, m->qid, results[i].index);
        if (store_checked(s, st, "delivery mark") != OK)
            continue;
    }
}

/* ---- reports to the sender ---- */

SUSPENDS static void
run_report(struct store *s, const struct queue_job *job)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);

    enum status st = store_checked(s, report(s, job, a), "report");
    if (st != OK)
        queue_put_back(s->queue, job, clock_now(), RETRY_MS);
}

/* The time is over in which its sender wanted it delivered. */
SUSPENDS static enum status
expire(struct store *s, const struct queue_job *job, struct arena *a, struct queue_message *m)
{
    const struct queue_message before = *m;
    struct queue_result *failed = ARENA_ARRAY(a, struct queue_result, m->rcpt_count);
    size_t n = 0;

    enum status st = queue_expire(s->queue, job, clock_now(), a, m);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state != before.rcpts[i].state)
            failed[n++] = (struct queue_result){.index = i};
    }
    if (n > 0)
        store_log_results(m, failed, n);
    return st;
}

SUSPENDS static enum status
report(struct store *s, const struct queue_job *job, struct arena *a)
{
    struct queue_message m;
    struct queue_report r = {.message = NULL};
    uint32_t any = 0;
    uint64_t qid;

    TRY(queue_read(s->queue, job, clock_now(), a, &m));
    if (queue_terms_is_over(&m.terms, clock_now()))
        TRY(expire(s, job, a, &m));
    uint32_t *told = ARENA_ARRAY(a, uint32_t, m.rcpt_count);
    for (size_t i = 0; i < m.rcpt_count; i++) {
        told[i] = queue_report_due(&m, &m.rcpts[i], clock_now());
        any |= told[i];
    }
    r.told = told;
    if (any != 0) {
        enum status st = make_report(s, &m, &r, a);
        if (st != OK && st != ERR_NOT_FOUND && st != ERR_SYNTAX) /* those: nobody to tell */
            return st;
    }
    enum status st = queue_reported(s->queue, job, &r, clock_now(), &qid);
    if (st != OK && st != ERR_IO && r.message != NULL)
        engine_blob_forget(s->engine, r.message->body);
    TRY(st);
    if (any != 0)
        log_report(&m, told, qid);
    for (size_t i = 0; i < m.rcpt_count; i++)
        m.rcpts[i].told |= told[i];
    store_log_results(&m, NULL, 0);
    store_out_work(s);
    return OK;
}

/* Fills message and facts of r.  ERR_NOT_FOUND, ERR_SYNTAX: the sender's address leads nowhere. */
SUSPENDS static enum status
make_report(struct store *s, const struct queue_message *m, struct queue_report *r, struct arena *a)
{
    AUTO_BUF text = BUF(REPORT_BYTES);
    AUTO_BUF facts = BUF(INTAKE_FACTS_BYTES);
    struct queue_message *made = ARENA_NEW(a, struct queue_message);
    struct intake_body body;

    made->terms.priority = m->terms.priority;  /* RFC 6710 section 4.6 */
    made->smtputf8 = !str_is_ascii(m->sender); /* its parts are content: 8BITMIME is enough */
    TRY(report_rcpts(s, m, a, made));
    TRY(store_dsn(s, m, r->told, &text));
    TRY(intake_make(s->intake, buf_str(&text), a, &body));
    intake_facts_write(&body.facts, &facts);
    made->body = body.id;
    made->size = body.size;
    made->header_bytes = MIN(body.facts.header_bytes, body.size);
    made->eight_bit = body.facts.eight_bit;
    r->facts = arena_str(a, buf_str(&facts));
    r->message = made;
    return OK;
}

SUSPENDS static enum status
report_rcpts(struct store *s, const struct queue_message *m, struct arena *a,
             struct queue_message *out)
{
    struct store_rcpts all = {.report = true};
    const struct queue_rcpt to = {.original = m->sender, .notify = QUEUE_NOTIFY_NEVER};

    TRY(store_expand(s, &to, a, &all));
    if (all.count == 0 || all.list[0].state == QUEUE_FAILED)
        return ERR_NOT_FOUND;
    out->rcpts = all.list;
    out->rcpt_count = all.count;
    return OK;
}

static void
log_report(const struct queue_message *m, const uint32_t *told, uint64_t qid)
{
    uint32_t all = 0;

    for (size_t i = 0; i < m->rcpt_count; i++)
        all |= told[i];
    const char *kind = (all & QUEUE_NOTIFY_FAILURE) != 0 ? "failure"
                       : (all & QUEUE_NOTIFY_DELAY) != 0 ? "delay"
                                                         : "success";
    stat_add(STAT_REPORTS);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_QUEUE_NOTICE))
        return;
    log_hex64(&l, "qid", m->qid);
    log_str(&l, "kind", str_of(kind));
    log_str(&l, "to", m->sender);
    log_hex64(&l, "report", qid);
}
