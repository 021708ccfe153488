/* converse.c - the conversation that delivers: MAIL, RCPT, DATA, body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "smtp/delivery_internal.h"

enum {
    MAIL_S = LIMIT_OUT_REPLY_S,
    RCPT_S = LIMIT_OUT_REPLY_S,
    DATA_S = 120,
    PIECE_MAX = 256 * 1024,
    BATCH_MAX = 50
};

static SUSPENDS enum status send_rcpts(struct smtp_client *c, struct delivery *d,
                                       struct smtp_answer *last);
static SUSPENDS enum status send_body(struct smtp_client *c, struct ipc_peer *store,
                                      const struct delivery *d);

static enum delivery_state
state_of(int code)
{
    return code >= 500 ? DELIVERY_FAILED : DELIVERY_LATER;
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

/* What this server cannot carry at all. */
static bool
refuse_unfit(const struct smtp_client *c, struct delivery *d)
{
    struct smtp_answer a = {0};
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
    else
        return false;
    mem_copy(a.enhanced, p.enhanced, sizeof(a.enhanced));
    mem_copy(a.text, p.text, sizeof(p.text));
    decide_rest(d, DELIVERY_FAILED, &a);
    return true;
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
    if ((e & SMTP_EXT_DSN) != 0 && d->full_return)
        buf_add_z(b, " RET=FULL");
    if ((e & SMTP_EXT_DSN) != 0 && d->envid.len > 0)
        buf_addf(b, " ENVID=%.*s", STR_FMT(d->envid));
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

static void
rcpt_line(const struct smtp_client *c, const struct delivery_rcpt *r, struct buf *b)
{
    buf_addf(b, "RCPT TO:<%.*s>", STR_FMT(r->address));
    if ((smtp_client_extensions(c) & SMTP_EXT_DSN) == 0)
        return;
    add_notify(b, r->notify);
    if (r->orcpt.len > 0)
        buf_addf(b, " ORCPT=%.*s", STR_FMT(r->orcpt));
}

static SUSPENDS enum status
send_mail(struct smtp_client *c, struct delivery *d, struct smtp_answer *last)
{
    AUTO_BUF line = BUF(2048);

    mail_line(c, d, &line);
    TRY(smtp_client_send(c, buf_str(&line)));
    return smtp_client_reply(c, MAIL_S, last);
}

/* After the final dot: the answer counts for every recipient that is not decided. */
static void
conclude(const struct smtp_client *c, struct delivery *d, const struct smtp_answer *a)
{
    bool relayed = (smtp_client_extensions(c) & SMTP_EXT_DSN) != 0;

    for (size_t i = 0; i < d->rcpt_count; i++) {
        if (d->rcpts[i].decided)
            continue;
        bool done = a->code >= 200 && a->code < 300;
        delivery_decide(&d->rcpts[i], done ? DELIVERY_DONE : state_of(a->code), a);
        d->rcpts[i].relayed = done && relayed;
    }
}

bool
delivery_converse(struct smtp_client *c, struct ipc_peer *store, struct delivery *d,
                  struct smtp_answer *last)
{
    if (refuse_unfit(c, d))
        return true;
    if (send_mail(c, d, last) != OK)
        return false;
    if (last->code >= 400) {
        decide_rest(d, state_of(last->code), last);
        smtp_client_quit(c);
        return true;
    }
    if (send_rcpts(c, d, last) != OK)
        return undecided(d) < d->rcpt_count;
    if (undecided(d) == 0) {
        smtp_client_quit(c);
        return true;
    }
    if (smtp_client_send(c, STR("DATA")) != OK || smtp_client_reply(c, DATA_S, last) != OK)
        return undecided(d) < d->rcpt_count;
    if (last->code != 354) {
        decide_rest(d, state_of(last->code), last);
        smtp_client_quit(c);
        return true;
    }
    if (send_body(c, store, d) != OK || smtp_client_reply(c, LIMIT_OUT_FINAL_REPLY_S, last) != OK) {
        /* What became of it is unknown: later, and perhaps twice, never lost (RFC 5321 section 4.5.3.2.6). */
        decide_rest(d, DELIVERY_LATER, last);
        return true;
    }
    conclude(c, d, last);
    smtp_client_quit(c);
    return true;
}

/* ---- statics ---- */

/* Sends up to BATCH_MAX of them before it reads the answers, when the server allows that (RFC 2920). */
static enum status
send_rcpts(struct smtp_client *c, struct delivery *d, struct smtp_answer *last)
{
    size_t batch = (smtp_client_extensions(c) & SMTP_EXT_PIPELINING) != 0 ? BATCH_MAX : 1;

    for (size_t from = 0; from < d->rcpt_count; from += batch) {
        size_t end = MIN(from + batch, d->rcpt_count);
        for (size_t i = from; i < end; i++) {
            AUTO_BUF line = BUF(2048);
            rcpt_line(c, &d->rcpts[i], &line);
            TRY(smtp_client_send(c, buf_str(&line)));
        }
        for (size_t i = from; i < end; i++) {
            TRY(smtp_client_reply(c, RCPT_S, last));
            if (last->code >= 400)
                delivery_decide(&d->rcpts[i], state_of(last->code), last);
        }
    }
    return OK;
}

/* The trace field of our own delivery does not travel (RFC 5321 section 4.4). */
static struct str
without_return_path(struct str bytes)
{
    if (!str_starts_nocase(bytes, STR("Return-Path:")))
        return bytes;
    ssize_t lf = str_find(bytes, '\n');
    return lf < 0 ? bytes : str_skip(bytes, (size_t)lf + 1);
}

static enum status
send_body(struct smtp_client *c, struct ipc_peer *store, const struct delivery *d)
{
    uint64_t offset = 0, size = 1;

    TRY(smtp_client_body(c, d->prepend));
    while (offset < size) {
        AUTO_ARENA *a = arena_new(PIECE_MAX + 4096);
        struct store_queue_body req = {.qid = d->qid, .offset = offset, .max = PIECE_MAX};
        struct store_queue_body_reply rep;
        TRY(store_queue_body_call(store, &req, a, &rep));
        size = rep.size;
        if (rep.bytes.len == 0 && offset < size)
            return ERR_CORRUPT;
        TRY(smtp_client_body(c, offset == 0 ? without_return_path(rep.bytes) : rep.bytes));
        offset += rep.bytes.len;
    }
    return smtp_client_body_end(c);
}
