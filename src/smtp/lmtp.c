/* lmtp.c - what LMTP (RFC 2033) does otherwise: after the message, an answer for each recipient.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "ipc/outcome.h"
#include "ipc/store_ipc.h"
#include "smtp/session.h"

static struct smtp_reply
reply_to(unsigned outcome)
{
    static const struct smtp_reply replies[] = {
        [OUTCOME_KEPT] = {250, "2.0.0", "Kept"},
        [OUTCOME_LATER] = {451, "4.3.0", "Cannot take it now, try again"},
        [OUTCOME_FULL] = {452, "4.2.2", "The mailbox is full"},
        [OUTCOME_NO_SPACE] = {452, "4.3.1", "The server's disk is full, try again later"},
        [OUTCOME_NO_USER] = {550, "5.1.1", "There is no such address here"},
        [OUTCOME_DISABLED] = {550, "5.2.1", "The mailbox takes no mail"},
        [OUTCOME_DENIED] = {554, "5.7.1", "This domain is not served here"},
    };
    static_assert(COUNT_OF(replies) == OUTCOME_COUNT, "a reply to every outcome");

    return replies[outcome < OUTCOME_COUNT ? outcome : OUTCOME_LATER];
}

static SUSPENDS enum status
deliver(struct smtp_session *s, struct arena *a, struct store_deliver_each_reply *rep)
{
    struct smtp_body *b = s->mail.body;
    struct str *to = ARENA_ARRAY(a, struct str, s->mail.rcpt_count);

    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        to[i] = s->mail.rcpts[i].address;
    struct store_deliver_each req = {
        .handle = b->handle,
        .body = b->handle == 0 ? buf_str(&b->piece) : STR_NONE,
        .sender = s->mail.said.sender,
        .rcpts = to,
        .rcpts_count = s->mail.rcpt_count,
        .terms = smtp_terms_of(s),
        .smtputf8 = s->mail.said.smtputf8,
        .trace = s->mail.tid,
    };
    TRY(store_deliver_each_call(b->store, &req, a, rep));
    return rep->outcomes_count == s->mail.rcpt_count ? OK : ERR_CLOSED;
}

/* A store that was lost meanwhile may have kept some of them: nobody knows, so nobody is told so (451). */
static struct smtp_reply
whole_reply(enum status e, const struct smtp_body *b)
{
    struct smtp_reply r = smtp_message_reply(e, b);

    return r.code == 421 ? reply_to(OUTCOME_LATER) : r;
}

static SUSPENDS enum status
answer_all(struct smtp_session *s, const struct smtp_reply *replies)
{
    for (size_t i = 0; i < s->mail.rcpt_count; i++) {
        struct str to = s->mail.rcpts[i].address;
        const struct smtp_reply *r = &replies[i];
        if (r->code != 250)
            smtp_log_refusal(s, to, r);
        TRY(smtp_reply(s, r->code, r->enhanced, "<%.*s>: %s", STR_FMT(to), r->text));
    }
    return OK;
}

enum status
smtp_lmtp_end(struct smtp_session *s)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct smtp_body *b = s->mail.body;
    struct smtp_reply *replies = ARENA_ARRAY(a, struct smtp_reply, s->mail.rcpt_count + 1);
    struct store_deliver_each_reply rep = {0};
    struct smtp_reply worst = {250, "2.0.0", "Kept"};
    enum status e = smtp_body_finish(b);

    if ((e == OK && b->store != smtp_world->store) || e == ERR_CLOSED) {
        e = ERR_TEMP; /* what the store had of it is gone, and nothing was committed */
    } else if (e == OK) {
        e = deliver(s, a, &rep);
        smtp_body_taken(b);
    }
    for (size_t i = 0; i < s->mail.rcpt_count; i++) {
        replies[i] = e == OK ? reply_to(rep.outcomes[i]) : whole_reply(e, b);
        if (replies[i].code == 250)
            smtp_kept(s);
        if (replies[i].code > worst.code)
            worst = replies[i];
    }
    smtp_log_message(s, &worst);
    e = answer_all(s, replies);
    smtp_reset(s);
    conn_rest(s->conn, REST_LINE);
    return e;
}
