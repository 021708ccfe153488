/* converse.c - the conversation that delivers: MAIL, RCPT, DATA, body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "mail/header.h"
#include "rt/clock.h"
#include "smtp/command.h"
#include "smtp/delivery_internal.h"

enum {
    MAIL_S = LIMIT_OUT_REPLY_S,
    RCPT_S = LIMIT_OUT_REPLY_S,
    DATA_S = 120,
    PIECE_MAX = 256 * 1024,
    HEAD_MAX = 65536, /* what goes before a body, and above its Return-Path */
    BATCH_MAX = 50
};

/* What was said ahead, and what was heard of it. */
struct talk {
    struct smtp_client *c;
    struct delivery *d;
    struct smtp_answer *last;
    bool pipelining, chunking;
    size_t said, heard; /* recipients */
    bool data_said;
    bool refused; /* a chunk before the last, as last says */
};

static SUSPENDS enum status envelope(struct talk *t);
static SUSPENDS enum status say_data(struct talk *t);
static SUSPENDS void forgo_body(const struct talk *decided);
static SUSPENDS enum status send_body(struct talk *t, struct ipc_peer *store);

static enum delivery_state
state_of(int code)
{
    return code >= 500 ? DELIVERY_FAILED : DELIVERY_LATER;
}

/* 354 is no yes either where nothing is to follow (RFC 5321 section 4.3.2): something is out of step, so later. */
static bool
is_no(int code)
{
    return code >= 300;
}

static size_t
undecided(const struct delivery *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->rcpt_count; i++)
        n += !d->rcpts[i].decided;
    return n;
}

static void
decide_rest(struct delivery *d, enum delivery_state state, const struct smtp_answer *a)
{
    for (size_t i = 0; i < d->rcpt_count; i++)
        if (!d->rcpts[i].decided)
            delivery_decide(&d->rcpts[i], state, a);
}

static bool
offers(const struct smtp_client *c, enum smtp_extension e)
{
    return (smtp_client_extensions(c) & (unsigned)e) != 0;
}

/* RFC 2852 section 4.1.4.1: what is to come back when its time is over goes only to a server that does so too, and in
 * time. */
static bool
is_too_late(const struct smtp_client *c, const struct delivery *d, struct problem *p)
{
    int32_t left = smtp_by_left(&d->terms, clock_now());
    uint32_t min = smtp_client_by_min_s(c);

    if (d->terms.by_mode != SMTP_BY_RETURN)
        return false;
    if (!offers(c, SMTP_EXT_DELIVERBY))
        problem_set(p, 0, "5.4.7",
                    "the server does not offer DELIVERBY, which the sender's time limit needs");
    else if (left <= 0)
        problem_set(p, 0, "5.4.7", "the time that the sender set is over");
    else if ((uint32_t)left < min)
        problem_set(p, 0, "5.4.7", "the server wants %u seconds, and %d are left", min, left);
    else
        return false;
    return true;
}

/* What this server cannot carry at all. */
static bool
is_unfit(const struct smtp_client *c, const struct delivery *d, struct problem *why)
{
    struct problem p = {0};
    uint64_t max = smtp_client_size_max(c);

    if (max != 0 && d->size > max)
        problem_set(&p, 0, "5.3.4", "the message has %llu bytes, the server takes at most %llu",
                    (unsigned long long)d->size, (unsigned long long)max);
    else if (d->smtputf8 && (smtp_client_extensions(c) & SMTP_EXT_SMTPUTF8) == 0)
        /* RFC 6531 section 3.5, where a server that sees it at RCPT says 550 or 553 */
        problem_set(&p, 0, "5.6.7", "the server takes no addresses with letters outside ASCII");
    else if (d->eight_bit && (smtp_client_extensions(c) & SMTP_EXT_8BITMIME) == 0)
        /* RFC 6152 section 3: converted or returned; a conversion would break its signatures. */
        problem_set(&p, 0, "5.6.3", "the server takes no 8-bit text, as this message has it");
    else if (!is_too_late(c, d, &p))
        return false;
    *why = p;
    return true;
}

static void
refuse_unfit(struct delivery *d, const struct problem *why)
{
    struct smtp_answer a = {0};

    mem_copy(a.enhanced, why->enhanced, sizeof(a.enhanced));
    mem_copy(a.text, why->text, sizeof(why->text));
    decide_rest(d, DELIVERY_FAILED, &a);
}

static void
mail_line(const struct smtp_client *c, const struct delivery *d, struct buf *b)
{
    unsigned e = smtp_client_extensions(c);

    buf_addf(b, "MAIL FROM:<%.*s>", STR_FMT(d->sender));
    if ((e & SMTP_EXT_SIZE) != 0)
        buf_addf(b, " SIZE=%llu", (unsigned long long)d->size);
    if ((e & SMTP_EXT_8BITMIME) != 0 && d->eight_bit)
        buf_add_z(b, " BODY=8BITMIME");
    if ((e & SMTP_EXT_SMTPUTF8) != 0 && d->smtputf8)
        buf_add_z(b, " SMTPUTF8");
    if (delivery_is_strict(d)) /* the connection was made for it: hop.c */
        buf_add_z(b, " REQUIRETLS");
    if ((e & SMTP_EXT_DSN) != 0 && d->full_return && !d->terms.require_tls) /* RFC 8689 section 5 */
        buf_add_z(b, " RET=FULL");
    if ((e & SMTP_EXT_DSN) != 0 && d->envid.len > 0)
        buf_addf(b, " ENVID=%.*s", STR_FMT(d->envid));
    if ((e & SMTP_EXT_MT_PRIORITY) != 0) /* RFC 6710 section 4.2: 0 is said as well */
        buf_addf(b, " MT-PRIORITY=%d", d->terms.priority);
    if ((e & SMTP_EXT_DELIVERBY) != 0 && d->terms.by_mode != SMTP_BY_NONE) {
        buf_add_z(b, " BY=");
        smtp_by_write(b, &d->terms, clock_now());
    }
}

/* NOTIFY bits of store.ipc as words (RFC 3461 section 4.1). */
static void
add_notify(struct buf *b, uint32_t notify)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {{1, "NEVER"}, {2, "SUCCESS"}, {4, "FAILURE"}, {8, "DELAY"}};
    const char *border = " NOTIFY=";

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if ((notify & words[i].bit) == 0)
            continue;
        buf_add_z(b, border);
        buf_add_z(b, words[i].word);
        border = ",";
    }
}

/* Where the next server knows no time, it shall at least tell of a delay (RFC 2852 section 4.1.4.2). */
static uint32_t
notify_of(const struct smtp_client *c, const struct delivery *d, const struct delivery_rcpt *r)
{
    if (d->terms.by_mode != SMTP_BY_NOTIFY || offers(c, SMTP_EXT_DELIVERBY) ||
        (r->notify & NOTIFY_NEVER) != 0)
        return r->notify;
    return (r->notify != 0 ? r->notify : (uint32_t)NOTIFY_FAILURE) | NOTIFY_DELAY;
}

static void
rcpt_line(const struct smtp_client *c, const struct delivery *d, const struct delivery_rcpt *r,
          struct buf *b)
{
    bool utf8 = d->smtputf8;

    buf_addf(b, "RCPT TO:<%.*s>", STR_FMT(r->address));
    if (!offers(c, SMTP_EXT_DSN))
        return;
    add_notify(b, notify_of(c, d, r));
    /* RFC 6533 section 3: beyond ASCII only where SMTPUTF8 was said with MAIL. */
    if (r->orcpt.len > 0 && (utf8 || str_is_ascii(r->orcpt)))
        buf_addf(b, " ORCPT=%.*s", STR_FMT(r->orcpt));
}

/* RFC 2852 section 4.1.4: a trace was asked for, or the next server will not know of the time. */
static bool
is_to_announce(const struct smtp_client *c, const struct delivery *d)
{
    const struct smtp_terms *t = &d->terms;

    if (t->by_mode == SMTP_BY_NONE)
        return false;
    return t->by_trace || (t->by_mode == SMTP_BY_NOTIFY && !offers(c, SMTP_EXT_DELIVERBY) &&
                           clock_now().us < t->by.us);
}

/* After the final dot: the answer counts for every recipient that is not decided. */
static void
conclude(const struct smtp_client *c, struct delivery *d, const struct smtp_answer *a)
{
    bool relayed = (smtp_client_extensions(c) & SMTP_EXT_DSN) != 0;
    bool announce = is_to_announce(c, d);

    for (size_t i = 0; i < d->rcpt_count; i++) {
        if (d->rcpts[i].decided)
            continue;
        bool done = a->code >= 200 && a->code < 300;
        delivery_decide(&d->rcpts[i], done ? DELIVERY_DONE : state_of(a->code), a);
        d->rcpts[i].relayed = done && relayed;
        d->rcpts[i].announce = done && announce;
    }
}

bool
delivery_converse(struct smtp_client *c, struct ipc_peer *store, struct delivery *d,
                  struct smtp_answer *last)
{
    struct talk t = {
        .c = c,
        .d = d,
        .last = last,
        .pipelining = (smtp_client_extensions(c) & SMTP_EXT_PIPELINING) != 0,
        .chunking = (smtp_client_extensions(c) & SMTP_EXT_CHUNKING) != 0,
    };

    struct problem unfit;

    if (is_unfit(c, d, &unfit)) {
        if (smtp_client_messages(c) > 0) /* what was offered then is no reason now: ask again */
            return false;
        refuse_unfit(d, &unfit);
        smtp_client_ended(c, true);
        return true;
    }
    if (envelope(&t) != OK)
        return undecided(d) < d->rcpt_count;
    if (undecided(d) == 0) {
        forgo_body(&t);
        return true;
    }
    if (!t.chunking && (say_data(&t) != OK || smtp_client_reply(c, DATA_S, last) != OK))
        return undecided(d) < d->rcpt_count;
    if (!t.chunking && last->code != 354) {
        decide_rest(d, state_of(last->code), last);
        smtp_client_ended(c, false);
        return true;
    }
    d->handed = true;
    enum status e = send_body(&t, store);
    if (e == OK)
        e = smtp_client_reply(c, LIMIT_OUT_FINAL_REPLY_S, last);
    else if (!t.refused)
        smtp_answer_set(last, "the connection was lost while the message was sent");
    if (e != OK && !t.refused) {
        /* What became of it is unknown: later, and perhaps twice, never lost (RFC 5321 section 4.5.3.2.6). */
        decide_rest(d, DELIVERY_LATER, last);
        return true;
    }
    conclude(c, d, last);
    smtp_client_ended(c, !t.refused);
    return true;
}

/* ---- the envelope ---- */

static enum status
say_data(struct talk *t)
{
    if (t->data_said)
        return OK;
    t->data_said = true;
    return smtp_client_send(t->c, STR("DATA"));
}

/* The next recipients, as many as may wait for their answers together (RFC 2920 section 3.1). */
static SUSPENDS enum status
say_rcpts(struct talk *t)
{
    size_t batch = t->pipelining ? BATCH_MAX : 1;

    for (size_t n = 0; n < batch && t->said < t->d->rcpt_count; n++) {
        AUTO_BUF line = BUF(2048);
        rcpt_line(t->c, t->d, &t->d->rcpts[t->said], &line);
        TRY(smtp_client_send(t->c, buf_str(&line)));
        t->said++;
    }
    if (t->pipelining && !t->chunking && t->said == t->d->rcpt_count)
        return say_data(t);
    return OK;
}

static SUSPENDS enum status
hear_rcpts(struct talk *t)
{
    while (t->heard < t->said) {
        struct delivery_rcpt *r = &t->d->rcpts[t->heard];
        TRY(smtp_client_reply(t->c, RCPT_S, t->last));
        t->heard++;
        if (is_no(t->last->code) && !r->decided)
            delivery_decide(r, state_of(t->last->code), t->last);
    }
    return OK;
}

/* ERR_CLOSED and the like: the conversation broke.  OK: some recipient may have the message, or all are decided. */
static enum status
envelope(struct talk *t)
{
    AUTO_BUF line = BUF(2048);

    mail_line(t->c, t->d, &line);
    TRY(smtp_client_send(t->c, buf_str(&line)));
    if (t->pipelining)
        TRY(say_rcpts(t));
    TRY(smtp_client_reply(t->c, MAIL_S, t->last));
    /* On a connection that is not fresh this may be about what came before, such as a limit of messages: only the
     * answer on one of its own counts for the message. */
    if (is_no(t->last->code) && smtp_client_messages(t->c) > 0)
        return ERR_CLOSED;
    if (is_no(t->last->code)) {
        decide_rest(t->d, state_of(t->last->code), t->last);
        return OK;
    }
    TRY(hear_rcpts(t));
    while (t->said < t->d->rcpt_count) {
        TRY(say_rcpts(t));
        TRY(hear_rcpts(t));
    }
    return OK;
}

/* Everything is decided.  Reads what was asked ahead; a server that nevertheless wants a body gets an empty one,
 * which goes to nobody (RFC 2920 section 3.1). */
static void
forgo_body(const struct talk *decided)
{
    struct smtp_answer a;
    struct talk t = *decided;

    t.last = &a; /* what is heard now is no reason for anything */
    if (hear_rcpts(&t) != OK)
        return;
    if (t.data_said) {
        if (smtp_client_reply(t.c, DATA_S, &a) != OK)
            return;
        if (a.code == 354 && (smtp_client_body_end(t.c) != OK ||
                              smtp_client_reply(t.c, LIMIT_OUT_REPLY_S, &a) != OK))
            return;
    }
    smtp_client_ended(t.c, false);
}

/* ---- the body ---- */

/* The trace field of our own delivery does not travel (RFC 5321 section 4.4).  What we found out about the message may
 * stand above it, and travels: it comes behind head. */
static struct str
without_return_path(struct str bytes, struct arena *a, struct str *head)
{
    struct header_cursor c = header_cursor_of(bytes);
    struct header_field f;

    bool any = header_next(&c, &f);
    if (any && header_id_of(f.name) == HEADER_AUTHENTICATION_RESULTS) {
        AUTO_BUF both = BUF(HEAD_MAX);
        buf_add(&both, *head);
        buf_add(&both, f.whole);
        any = header_next(&c, &f) && header_id_of(f.name) == HEADER_RETURN_PATH &&
              buf_status(&both) == OK;
        if (any)
            *head = arena_str(a, buf_str(&both));
    }
    if (!any || header_id_of(f.name) != HEADER_RETURN_PATH)
        return bytes;
    return str_skip(bytes,
                    (size_t)(f.whole.ptr + f.whole.len - bytes.ptr)); /* it points into them */
}

static SUSPENDS enum status
send_piece(struct talk *t, struct str head, struct str bytes, bool end)
{
    if (!t->chunking) {
        TRY(smtp_client_body(t->c, head));
        TRY(smtp_client_body(t->c, bytes));
        return end ? smtp_client_body_end(t->c) : OK;
    }
    TRY(smtp_client_chunk(t->c, head, bytes, end));
    if (end)
        return OK; /* its reply is that to the message */
    TRY(smtp_client_reply(t->c, LIMIT_OUT_REPLY_S, t->last));
    t->refused = is_no(t->last->code);
    return t->refused ? ERR_DENIED : OK;
}

static enum status
send_body(struct talk *t, struct ipc_peer *store)
{
    const struct delivery *d = t->d;
    uint64_t offset = 0, size = 1;

    while (offset < size) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 2 * HEAD_MAX);
        struct store_queue_body req = {.qid = d->qid, .offset = offset, .max = PIECE_MAX};
        struct store_queue_body_reply rep;
        TRY(store_queue_body_call(store, &req, a, &rep));
        size = rep.size;
        if (rep.bytes.len == 0 && offset < size)
            return ERR_CORRUPT;
        struct str head = offset == 0 ? d->prepend : STR("");
        struct str bytes = offset == 0 ? without_return_path(rep.bytes, a, &head) : rep.bytes;
        offset += rep.bytes.len;
        TRY(send_piece(t, head, bytes, offset >= size));
    }
    return OK;
}
