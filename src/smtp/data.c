/* data.c - DATA, and what BDAT shares with it: the message, its trace fields, the one reply that promises something.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "config/stats.h"
#include "ipc/store_ipc.h"
#include "mail/header_write.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "smtp/judge.h"
#include "smtp/milters.h"
#include "smtp/scanners.h"
#include "smtp/session.h"
#include "smtp/stranger.h"

struct outcome {
    struct smtp_reply reply;
    uint64_t qid, mid;
    struct problem why; /* reply 0: nothing more to say */
};

static void write_trace(const struct smtp_session *s, struct buf *b);
static struct smtp_body_fields missing_fields(struct smtp_session *s);
static SUSPENDS void hand_over(struct smtp_session *s, struct outcome *o);
static void log_outcome(const struct smtp_session *s, const struct outcome *o);

enum status
smtp_cmd_data(struct smtp_session *s, struct str args)
{
    if (args.len > 0)
        return smtp_error(s, 501, "5.5.4", "DATA takes no argument");
    if (s->mail.body != NULL) /* RFC 3030 section 2 */
        return smtp_error(s, 503, "5.5.1", "Go on with BDAT, or say RSET");
    if (s->mail.said.binary) /* section 3 */
        return smtp_error(s, 503, "5.5.1", "BODY=BINARYMIME comes with BDAT");
    struct smtp_reply no = smtp_message_refusal(s);
    if (no.code >= 500)
        return smtp_error(s, no.code, no.enhanced, "%s", no.text);
    if (no.code != 0)
        return smtp_reply(s, no.code, no.enhanced, "%s", no.text);
    smtp_message_begin(s);
    s->rest = SMTP_REST_BODY;
    conn_rest(s->conn, REST_BYTES);
    return conn_write(s->conn, STR("354 End the message with CR LF . CR LF\r\n"));
}

struct smtp_reply
smtp_message_refusal(struct smtp_session *s)
{
    if (!s->mail.open)
        return (struct smtp_reply){503, "5.5.1", "Say MAIL first"};
    if (s->mail.rcpt_count == 0 && smtp_is_lmtp(s)) /* RFC 2033 section 4.2 */
        return (struct smtp_reply){503, "5.5.1", "There is no valid recipient"};
    if (s->mail.rcpt_count == 0)
        return (struct smtp_reply){554, "5.5.1", "There is no valid recipient"};
    struct ipc_peer *store;
    if (hold_store(&s->hold, &smtp_world->store, &store) != OK)
        return (struct smtp_reply){451, "4.3.0", "Cannot take mail now, try again"};
    return smtp_milters_data(s);
}

void
smtp_message_begin(struct smtp_session *s)
{
    AUTO_BUF trace = BUF(8192 + LIMIT_POLICY_PREPEND_BYTES);

    write_trace(s, &trace);
    struct smtp_body_fields fields = {0};
    bool ours = smtp_is_submission(s) || s->mail.relays;
    if (ours)
        fields = missing_fields(s);
    s->mail.body = smtp_body_new(smtp_world->store, buf_str(&trace),
                                 smtp_world->config->message_bytes_max, ours ? &fields : NULL);
    smtp_body_guard(s->mail.body, smtp_world->config->host);
    if (s->mail.milters != NULL || smtp_is_scanned(s))
        smtp_body_spool(s->mail.body);
}

/* Feeds what is buffered.  ERR_TEMP: more must come. */
enum status
smtp_body_input(struct smtp_session *s)
{
    struct smtp_body *b = s->mail.body;

    while (!b->complete) {
        struct str chunk = conn_peek(s->conn, SMTP_BODY_READ_MAX);
        if (chunk.len == 0) {
            if (conn_fill(s->conn))
                continue;
            return ERR_TEMP;
        }
        struct scan in = scan_of(chunk);
        smtp_body_feed(b, &in);
        conn_consume(s->conn, (size_t)(in.pos - chunk.ptr));
    }
    return smtp_message_end(s);
}

enum status
smtp_message_end(struct smtp_session *s)
{
    if (smtp_is_lmtp(s))
        return smtp_lmtp_end(s);
    struct outcome o = {0};

    hand_over(s, &o);
    log_outcome(s, &o);
    if (o.reply.code == 250)
        smtp_kept(s);
    smtp_milters_done(s);
    smtp_reset(s);
    conn_rest(s->conn, REST_LINE);
    s->quit = s->quit || o.reply.code == 421; /* it may have been revoked meanwhile */
    if (o.why.reply != 0)
        return smtp_problem(s, &o.why);
    if (o.reply.code >= 500)
        return smtp_error(s, o.reply.code, o.reply.enhanced, "%s", o.reply.text);
    if (o.qid != 0)
        return smtp_reply(s, o.reply.code, o.reply.enhanced, "%s, queued as %llx", o.reply.text,
                          (unsigned long long)o.qid);
    return smtp_reply(s, o.reply.code, o.reply.enhanced, "%s", o.reply.text);
}

/* ---- the outcome ---- */

/* What was marked BODY=BINARYMIME and is no message that can be brought into lines. */
static struct smtp_reply
unbinary_reply(enum unbinary_fault fault)
{
    switch (fault) {
    case UNBINARY_FIELD: return (struct smtp_reply){554, "5.6.1", "A line of a header is no field"};
    case UNBINARY_LIMIT:
        return (struct smtp_reply){554, "5.6.1", "Parts nest too deep, or a header is too large"};
    default:
        return (struct smtp_reply){
            554, "5.6.1", "Only parts marked binary may have such bytes, or lines so long"};
    }
}

struct smtp_reply
smtp_message_reply(enum status e, const struct smtp_body *b)
{
    bool torn = b->lines.faults != 0 && !b->filtered;

    switch (e) {
    case OK: return (struct smtp_reply){250, "2.0.0", "Kept"};
    case ERR_SYNTAX:
        if (b->unbinary != NULL && b->unbinary->fault != UNBINARY_FINE)
            return unbinary_reply(b->unbinary->fault);
        return torn ? (struct smtp_reply){550, "5.6.0", "Bare CR, bare LF or NUL in the message"}
                    : (struct smtp_reply){550, "5.6.0", "The message cannot be read"};
    case ERR_LIMIT:
        return b->failed == ERR_LIMIT
                   ? (struct smtp_reply){552, "5.3.4", "The message is too large"}
                   : (struct smtp_reply){554, "5.4.6", "The message goes in circles"};
    case ERR_NO_SPACE: return smtp_refusals[SMTP_NO_SPACE];
    case ERR_QUOTA: /* the store knows since when */
        return smtp_refusals[ipc_problem()->reply == smtp_refusals[SMTP_OVERFULL].code
                                 ? SMTP_OVERFULL
                                 : SMTP_FULL];
    case ERR_NOT_FOUND: return smtp_refusals[SMTP_NO_USER];
    case ERR_DENIED: return (struct smtp_reply){550, "5.7.1", "Not allowed"};
    case ERR_TEMP: return smtp_refusals[SMTP_NOT_NOW];
    default: /* closed or failed: nobody knows, and the session ends */
        return (struct smtp_reply){421, "4.3.0", "The mail store was lost, send it again"};
    }
}

struct store_terms
smtp_terms_of(const struct smtp_session *s)
{
    const struct smtp_terms *t = &s->mail.said.terms;

    return (struct store_terms){
        .hold_until = t->hold_until.us,
        .hold_asked = t->hold_asked,
        .by = t->by.us,
        .by_mode = (uint8_t)t->by_mode, /* a small enum */
        .by_trace = t->by_trace,
        .priority = t->priority,
        .require_tls = t->require_tls,
    };
}

static SUSPENDS enum status
deliver(struct smtp_session *s, struct arena *a, struct outcome *o)
{
    struct smtp_body *b = s->mail.body;
    struct str *to = ARENA_ARRAY(a, struct str, s->mail.rcpt_count);
    struct store_deliver_reply rep;

    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        to[i] = s->mail.rcpts[i].address;
    struct store_deliver req = {
        .handle = b->handle,
        .body = b->handle == 0 ? buf_str(&b->piece) : STR_NONE,
        .sender = s->mail.said.sender,
        .rcpts = to,
        .rcpts_count = s->mail.rcpt_count,
        .peer = conn_peer(s->conn),
        .stranger = smtp_is_stranger(s),
        .helo = s->helo,
        .terms = smtp_terms_of(s),
        .smtputf8 = s->mail.said.smtputf8,
        .trace = s->mail.tid,
        .hold = s->mail.judged.hold,
        .junk = s->mail.judged.junk,
    };
    if (s->mail.checks != NULL)
        req.checks = *s->mail.checks;
    enum status e = store_deliver_call(b->store, &req, a, &rep);
    if (e == ERR_DENIED && ipc_problem()->reply == 550) /* it was judged: the reply says by whom */
        o->why = *ipc_problem();
    TRY(e);
    o->qid = rep.qid;
    o->mid = rep.mid;
    return OK;
}

static SUSPENDS enum status
submit(struct smtp_session *s, struct arena *a, struct outcome *o)
{
    struct smtp_body *b = s->mail.body;
    struct store_submit_rcpt *to = ARENA_ARRAY(a, struct store_submit_rcpt, s->mail.rcpt_count);
    struct store_submit_reply rep;

    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        to[i] = (struct store_submit_rcpt){.address = s->mail.rcpts[i].address,
                                           .notify = s->mail.rcpts[i].notify,
                                           .orcpt = s->mail.rcpts[i].orcpt};
    struct store_submit req = {
        .session = s->id,
        .login = s->login,
        .trusted = s->trusted,
        .handle = b->handle,
        .body = b->handle == 0 ? buf_str(&b->piece) : STR_NONE,
        .sender = s->mail.said.sender,
        .rcpts = to,
        .rcpts_count = s->mail.rcpt_count,
        .full_return = s->mail.said.full_return,
        .envid = s->mail.said.envid,
        .terms = smtp_terms_of(s),
        .smtputf8 = s->mail.said.smtputf8,
        .trace = s->mail.tid,
        .hold = s->mail.judged.hold,
    };
    TRY(store_submit_call(b->store, &req, a, &rep));
    o->qid = rep.qid;
    return OK;
}

static SUSPENDS enum status
relay(struct smtp_session *s, struct arena *a, struct outcome *o)
{
    struct smtp_body *b = s->mail.body;
    struct str *to = ARENA_ARRAY(a, struct str, s->mail.rcpt_count);
    struct store_relay_reply rep;

    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        to[i] = s->mail.rcpts[i].address;
    struct store_relay req = {
        .handle = b->handle,
        .body = b->handle == 0 ? buf_str(&b->piece) : STR_NONE,
        .sender = s->mail.said.sender,
        .rcpts = to,
        .rcpts_count = s->mail.rcpt_count,
        .peer = conn_peer(s->conn),
        .terms = smtp_terms_of(s),
        .smtputf8 = s->mail.said.smtputf8,
        .trace = s->mail.tid,
        .hold = s->mail.judged.hold,
    };
    TRY(store_relay_call(b->store, &req, a, &rep));
    o->qid = rep.qid;
    return OK;
}

/* What is discarded goes when its transaction ends. */
static SUSPENDS enum status
keep(struct smtp_session *s, struct arena *a, struct outcome *o)
{
    enum status e;

    if (s->mail.judged.discard)
        return OK;
    if (smtp_is_submission(s))
        e = submit(s, a, o);
    else
        e = s->mail.relays ? relay(s, a, o) : deliver(s, a, o);
    smtp_body_taken(s->mail.body);
    return e;
}

static void
hand_over(struct smtp_session *s, struct outcome *o)
{
    struct smtp_body *b = s->mail.body;
    AUTO_ARENA *a = arena_new(1u << 20);
    enum status e = smtp_body_finish(b);

    /* The store was started anew and what it had of this message is gone, or a piece did not arrive:
     * nothing was committed. */
    if ((e == OK && b->store != smtp_world->store) || e == ERR_CLOSED)
        e = ERR_TEMP;
    if (e == OK && smtp_is_submission(s))
        e = smtp_check_writers(s, a, &o->why);
    if (e == OK) {
        o->reply = smtp_judge_end(s);
        if (o->reply.code == 0)
            e = smtp_milters_end(s, &o->reply);
        if (e == OK && o->reply.code == 0)
            e = smtp_scanners_end(s, &o->reply);
        if (e == ERR_CLOSED) /* as above */
            e = ERR_TEMP;
        if (o->reply.code != 0 && e == OK)
            return;
        if (e == OK)
            e = keep(s, a, o);
    }
    o->reply = smtp_message_reply(e, s->mail.body);
}

/* ---- trace fields ---- */

static void
write_trace(const struct smtp_session *s, struct buf *b)
{
    char id[32];
    char tls[96];
    struct received r = {
        .helo = s->helo,
        .peer_ip = conn_is_unix(s->conn) ? STR_NONE : conn_peer(s->conn),
        .by = smtp_world->config->host,
        .flags = (s->esmtp ? RECEIVED_ESMTP : 0u) | (conn_is_tls(s->conn) ? RECEIVED_TLS : 0u) |
                 (s->account != 0 ? RECEIVED_AUTH : 0u) | (smtp_is_lmtp(s) ? RECEIVED_LMTP : 0u) |
                 (s->mail.relays ? RECEIVED_RELAY : 0u) |
                 (s->mail.said.smtputf8 ? RECEIVED_UTF8 : 0u),
        .recipient = s->mail.rcpt_count == 1 ? s->mail.rcpts[0].address : STR_NONE,
        .time = clock_now(),
        .has_priority = s->mail.said.terms.has_priority,
        .priority = s->mail.said.terms.priority,
    };

    snprintf(id, sizeof(id), "%016llx", (unsigned long long)s->mail.tid);
    r.id = str_of(id);
    if (conn_is_tls(s->conn)) {
        struct str name = conn_tls_name(s->conn), version;
        if (str_split(&name, ' ', &version)) {
            snprintf(tls, sizeof(tls), "%.*s cipher %.*s", STR_FMT(version), STR_FMT(name));
            r.tls = str_of(tls);
        }
    }
    /* Of the copies in our own mailboxes (RFC 5321 section 4.4); what leaves us goes without. */
    buf_addf(b, "Return-Path: <%.*s>\r\n", STR_FMT(s->mail.said.sender));
    buf_add(b, s->mail.judged.prepend);
    header_write_received(b, &r);
}

static struct smtp_body_fields
missing_fields(struct smtp_session *s)
{
    AUTO_BUF date = BUF(256);
    AUTO_BUF id = BUF(1024);
    AUTO_BUF from = BUF(1024);
    char unique[40];

    header_write_date(&date, clock_now());
    snprintf(unique, sizeof(unique), "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
    header_write_message_id(&id, str_of(unique), smtp_world->config->host);
    buf_addf(&from, "From: <%.*s>\r\n",
             STR_FMT(s->mail.said.sender.len > 0 ? s->mail.said.sender : s->address));
    return (struct smtp_body_fields){.date = arena_str(s->mail.arena, buf_str(&date)),
                                     .from = arena_str(s->mail.arena, buf_str(&from)),
                                     .message_id = arena_str(s->mail.arena, buf_str(&id))};
}

void
smtp_log_message(const struct smtp_session *s, const struct smtp_reply *reply)
{
    log_outcome(s, &(struct outcome){.reply = *reply});
}

static void
log_outcome(const struct smtp_session *s, const struct outcome *o)
{
    bool submission = smtp_is_submission(s);

    stat_add_reply(submission ? STAT_SUBMIT_ACCEPTED : STAT_IN_ACCEPTED, o->reply.code);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, submission ? EVENT_SUBMIT : EVENT_SMTP_MESSAGE))
        return;
    log_str(&l, "peer", conn_peer(s->conn));
    if (!submission)
        log_str(&l, "helo", s->helo);
    log_str(&l, "from", s->mail.said.sender);
    log_u64(&l, "rcpts", s->mail.rcpt_count);
    log_u64(&l, "size", s->mail.body->size);
    if (!submission)
        log_str(&l, "tls", conn_is_tls(s->conn) ? STR("yes") : STR("no"));
    log_u64(&l, "code", (uint64_t)o->reply.code);
    log_hex64(&l, "qid", o->qid);
    if (!submission)
        log_u64(&l, "mid", o->mid);
    if (s->mail.relays)
        log_str(&l, "relay", STR("yes"));
    log_hex64(&l, "tid", s->mail.tid);
    if (s->mail.said.terms.has_priority)
        log_i64(&l, "priority", s->mail.said.terms.priority);
    if (s->mail.rcpt_count == 1)
        log_str(&l, "to", s->mail.rcpts[0].address);
    if (o->reply.code >= 400)
        log_str(&l, "text", str_of(o->why.reply != 0 ? o->why.text : o->reply.text));
    if (s->account != 0)
        log_str(&l, "account", s->address);
}
