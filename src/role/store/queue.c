/* queue.c - answers role out: leases, bodies, results.
 *
 * A body goes out as prepend (the DKIM-Signature) and body; out gets both and joins them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "ipc/store_serve.h"

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/stats.h"
#include "role/store/bounce.h"
#include "role/store/tls_report.h"
#include "rt/clock.h"
#include "rt/logger.h"

enum {
    RETRY_MS = 60000,
    FORWARD_WAIT_MS = 600000, /* of what LIMIT_FORWARDS_PER_HOUR holds back */
    MESSAGE_ARENA = 32 << 20,
    ATTEMPT_ROOM =
        2 << 20,        /* of the reply's arena: the largest attempt with a thousand recipients */
    LOOKED_MAX = 512,   /* jobs in one call, with those of which nothing is left */
    RESULT_PUT_OFF = 3, /* rcpt_result.state of store.ipc */
};

SUSPENDS static enum status lease_one(struct store *s, const struct queue_job *job, struct arena *a,
                                      struct store_attempt *out);
SUSPENDS static enum status needs_utf8(struct store *s, const struct queue_message *m,
                                       const struct store_attempt *at, bool *out);
static void log_done(const struct queue_message *m);
static void log_result(const struct queue_message *m, const struct queue_rcpt *r);
static const char *state_name(enum queue_state s);

enum status
store_serve_queue_lease(struct ipc_peer *from, const struct store_queue_lease *req, struct arena *a,
                        struct store_queue_lease_reply *rep)
{
    struct store *s = store_of(from);
    struct store_attempt *list =
        ARENA_ARRAY(a, struct store_attempt, STORE_QUEUE_LEASE_REPLY_ATTEMPTS_MAX);
    struct queue_job job;
    size_t n = 0, looked = 0;

    while (n < req->max && looked++ < LOOKED_MAX && n < STORE_QUEUE_LEASE_REPLY_ATTEMPTS_MAX &&
           arena_left(a) > ATTEMPT_ROOM &&
           ipc_is_open(from) && /* else nobody would give it back: queue_owner_gone() is over */
           queue_take_remote(s->queue, ipc_incarnation(from), &job)) {
        enum status st = store_checked(s, lease_one(s, &job, a, &list[n]), "queue");
        if (st == OK) {
            n++;
        } else { /* gone meanwhile, not readable now, or held back */
            queue_put_back(s->queue, &job, clock_now(),
                           st == ERR_QUOTA ? FORWARD_WAIT_MS : RETRY_MS);
        }
    }
    if (n == 0 && looked > LOOKED_MAX)
        store_out_work(s); /* what was held or dropped stood before the rest */
    rep->attempts = list;
    rep->attempts_count = n;
    return OK;
}

enum status
store_serve_queue_body(struct ipc_peer *from, const struct store_queue_body *req, struct arena *a,
                       struct store_queue_body_reply *rep)
{
    struct store *s = store_of(from);
    AUTO_ARENA *read = arena_new(MESSAGE_ARENA);
    struct queue_message m;

    if (!queue_is_leased(s->queue, req->qid, ipc_incarnation(from)))
        return ERR_DENIED;
    TRY(store_checked(s, queue_get(s->queue, req->qid, read, &m), "queue"));
    size_t max =
        req->max < STORE_QUEUE_BODY_REPLY_BYTES_MAX ? req->max : STORE_QUEUE_BODY_REPLY_BYTES_MAX;
    if (queue_sending(s->queue, req->qid, ipc_incarnation(from)))
        store_out_work(s);
    rep->size = m.size;
    rep->bytes = STR_NONE;
    if (req->offset >= m.size || max == 0)
        return OK;
    return store_checked(s, engine_blob_read(s->engine, m.body, req->offset, max, a, &rep->bytes),
                         "body");
}

enum status
store_serve_queue_result(struct ipc_peer *from, const struct store_queue_result *req,
                         struct arena *a, struct store_queue_result_reply *rep)
{
    struct store *s = store_of(from);
    AUTO_ARENA *read = arena_new(MESSAGE_ARENA);
    const struct queue_job job = {.qid = req->qid, .lease = req->lease};
    struct queue_result *results = ARENA_ARRAY(a, struct queue_result, req->results_count + 1);
    struct queue_message m;

    (void)rep;
    store_tls_count(s, req); /* also of a message that was removed meanwhile */
    if (!queue_is_taken_by(s->queue, &job, ipc_incarnation(from)))
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < req->results_count; i++) {
        static const enum queue_state states[] = {QUEUE_DELIVERED, QUEUE_WAITING, QUEUE_FAILED,
                                                  QUEUE_WAITING};
        const struct store_rcpt_result *r = &req->results[i];
        results[i] = (struct queue_result){
            .index = r->index,
            .state = states[r->state], /* enum<3>: checked by the decoder */
            .untried = r->state == RESULT_PUT_OFF,
            .code = r->code,
            .enhanced = r->enhanced,
            .text = r->text,
            .remote = r->remote,
            .relayed = r->relayed,
            .announce = r->announce,
        };
    }
    const struct queue_outcome o = {results, req->results_count, clock_now()};
    enum status st = store_checked(s, queue_results(s->queue, &job, &o, read, &m), "queue");
    if (st != OK) /* seldom: what was delivered goes out again */
        queue_put_back(s->queue, &job, clock_now(), LIMIT_QUEUE_RETRY_S * INT64_C(1000));
    TRY(st);
    store_log_results(&m, results, req->results_count);
    return OK;
}

void
store_log_results(const struct queue_message *m, const struct queue_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++)
        log_result(m, &m->rcpts[results[i].index]); /* checked by queue_results() */
    log_done(m);
}

static void
log_done(const struct queue_message *m)
{
    bool done = true;

    for (size_t i = 0; i < m->rcpt_count; i++)
        done = done && m->rcpts[i].state != QUEUE_WAITING &&
               queue_report_due(m, &m->rcpts[i], clock_now()) == 0;
    if (!done)
        return;
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_QUEUE_DONE))
        return;
    log_hex64(&l, "qid", m->qid);
    log_i64(&l, "seconds", (clock_now().us - m->arrived.us) / 1000000);
}

SUSPENDS static enum status
lease_one(struct store *s, const struct queue_job *job, struct arena *a, struct store_attempt *out)
{
    AUTO_ARENA *read = arena_new(MESSAGE_ARENA);
    struct queue_message m;

    struct str domain = arena_str(a, job->domain); /* before the wait: the job may end */
    TRY(queue_read(s->queue, job, clock_now(), read, &m));
    struct store_attempt_rcpt *rcpts = ARENA_ARRAY(a, struct store_attempt_rcpt, m.rcpt_count);
    size_t n = 0;
    for (uint32_t i = 0; i < m.rcpt_count; i++) {
        const struct queue_rcpt *r = &m.rcpts[i];
        if (r->account != 0 || r->state != QUEUE_WAITING || !queue_is_of_domain(r, domain))
            continue;
        rcpts[n++] = (struct store_attempt_rcpt){
            .index = i,
            .address = arena_str(a, r->address),
            .notify = r->notify,
            .orcpt = arena_str(a, r->orcpt),
            .tries = r->tries,
        };
    }
    if (n == 0)
        return ERR_NOT_FOUND;
    *out = (struct store_attempt){
        .qid = m.qid,
        .lease = job->lease,
        .domain = domain,
        .sender = arena_str(a, m.sender),
        .rcpts = rcpts,
        .rcpts_count = n,
        .size = m.size,
        .prepend = arena_str(a, m.prepend),
        .envid = arena_str(a, m.envid),
        .terms = {.by = m.terms.by.us,
                  .by_mode = (uint8_t)m.terms.by_mode, /* the same order */
                  .by_trace = m.terms.by_trace,
                  .priority = m.terms.priority,
                  .require_tls = m.terms.require_tls},
        .full_return = m.full_return,
        .eight_bit = m.eight_bit,
        .tls_optional = m.terms.tls_optional,
        .arrived = m.arrived.us,
        .route = arena_str(a, m.route),
        .hurry = job->hurry,
    };
    TRY(store_forward(s, &m, a, out));
    TRY(store_bounce_sign(s, &m, a, out));
    return needs_utf8(s, &m, out, &out->smtputf8);
}

/* What was announced with SMTPUTF8 but has ASCII in its addresses and its header goes to any server. */
SUSPENDS static enum status
needs_utf8(struct store *s, const struct queue_message *m, const struct store_attempt *at,
           bool *out)
{
    bool ascii = str_is_ascii(m->sender);
    struct str header = STR("");
    enum status st = OK;

    for (size_t i = 0; i < at->rcpts_count; i++)
        ascii = ascii && str_is_ascii(at->rcpts[i].address);
    if (m->smtputf8 && ascii && m->eight_bit) {
        AUTO_ARENA *a = arena_new(2 * (size_t)LIMIT_HEADER_BYTES);
        size_t n = (size_t)MIN(m->header_bytes, (uint64_t)LIMIT_HEADER_BYTES);
        if (n > 0)
            st = engine_blob_read(s->engine, m->body, 0, n, a, &header);
        if (st != ERR_NOT_FOUND &&
            st != ERR_CORRUPT) /* else out finds that, and it counts as a try */
            TRY(st);
        ascii = st == OK && str_is_ascii(header) && n == m->header_bytes;
    }
    *out = m->smtputf8 && !ascii;
    return OK;
}

static void
log_result(const struct queue_message *m, const struct queue_rcpt *r)
{
    if (r->account == 0)
        stat_add(r->state == QUEUE_DELIVERED ? STAT_OUT_DELIVERED
                 : r->state == QUEUE_FAILED  ? STAT_OUT_FAILED
                                             : STAT_OUT_DEFERRED);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_QUEUE_RESULT))
        return;
    log_hex64(&l, "qid", m->qid);
    log_str(&l, "to", r->address);
    log_str(&l, "state", str_of(state_name(r->state)));
    log_u64(&l, "code", r->code);
    log_str(&l, "text", r->text);
    log_str(&l, "remote", r->remote);
    log_u64(&l, "tries", r->tries);
}

static const char *
state_name(enum queue_state s)
{
    static const char *const names[] = {"later", "delivered", "failed", "under-way"};

    ASSERT(s <= QUEUE_UNDER_WAY);
    return names[s];
}
