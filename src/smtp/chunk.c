/* chunk.c - BDAT (RFC 3030): a message in counted pieces.
 *
 * The bytes of a chunk are never read as commands, whatever is wrong with it: a message is written by somebody
 * whom neither side trusts.  Where their number is not known, or not worth waiting for, the session ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "smtp/session.h"

static SUSPENDS enum status refuse_chunk_each(struct smtp_session *s, const struct smtp_reply *no,
                                              size_t owed);
static SUSPENDS enum status refuse_chunk(struct smtp_session *s, const struct smtp_reply *no);
static SUSPENDS enum status end_chunk(struct smtp_session *s);

/* Nothing that follows can be told apart from commands. */
static SUSPENDS enum status
lose_step(struct smtp_session *s, const struct smtp_reply *no)
{
    s->quit = true;
    TRY(smtp_reply(s, no->code, no->enhanced, "%s", no->text));
    return smtp_reply(s, 421, "4.5.0", "What follows cannot be told apart, good bye");
}

enum status
smtp_cmd_bdat(struct smtp_session *s, struct str args)
{
    static const struct smtp_reply unreadable = {501, "5.5.4", "Expected BDAT size [LAST]"};
    static const struct smtp_reply huge = {552, "5.3.4", "The message is too large"};
    struct smtp_chunk *c = &s->chunk;

    *c = (struct smtp_chunk){0};
    if (smtp_bdat_read(args, &c->size, &c->last) != OK)
        return lose_step(s, &unreadable);
    if (c->size > LIMIT_SMTP_CHUNK_BYTES)
        return lose_step(s, &huge);
    if (c->size == 0 && !c->last && !smtp_idle_allowed(s))
        return smtp_idle_end(s);
    c->left = c->size;
    c->refusal = smtp_need_login(s);
    if (c->refusal.code == 0 && s->mail.body == NULL) {
        c->refusal = smtp_message_refusal(s);
        if (c->refusal.code == 0) {
            smtp_message_begin(s);
            if (s->mail.said.binary)
                smtp_body_binary(s->mail.body);
            else
                smtp_body_count(s->mail.body);
        }
    }
    s->rest = SMTP_REST_CHUNK;
    conn_rest(s->conn, REST_BYTES);
    return OK; /* the loop goes on with smtp_chunk_input() */
}

/* Feeds what is buffered.  ERR_TEMP: more must come. */
enum status
smtp_chunk_input(struct smtp_session *s)
{
    struct smtp_chunk *c = &s->chunk;

    while (c->left > 0) {
        struct str got = conn_peek(s->conn, MIN((uint64_t)SMTP_BODY_READ_MAX, c->left));
        if (got.len == 0) {
            if (conn_fill(s->conn))
                continue;
            return ERR_TEMP;
        }
        if (c->refusal.code == 0) {
            struct scan in = scan_of(got);
            smtp_body_feed(s->mail.body, &in);
        }
        conn_consume(s->conn, got.len);
        c->left -= got.len;
    }
    s->rest = SMTP_REST_COMMAND;
    conn_rest(s->conn, REST_LINE);
    return end_chunk(s);
}

/* ---- statics ---- */

static enum status
end_chunk(struct smtp_session *s)
{
    struct smtp_chunk *c = &s->chunk;

    if (c->refusal.code != 0)
        return refuse_chunk(s, &c->refusal);
    if (c->last) {
        smtp_body_last(s->mail.body);
        return smtp_message_end(s);
    }
    enum status e = smtp_body_fault(s->mail.body);
    if (e == OK)
        return smtp_reply(s, 250, "2.0.0", "%llu bytes", (unsigned long long)c->size);
    struct smtp_reply no = smtp_message_reply(e == ERR_CLOSED ? ERR_TEMP : e, s->mail.body);
    return no.code == 0 ? ERR_CLOSED : refuse_chunk(s, &no);
}

/* RFC 2033 section 4.3: the last chunk gets an answer for each recipient, be they none; any other gets one. */
static enum status
refuse_chunk_each(struct smtp_session *s, const struct smtp_reply *no, size_t owed)
{
    bool last = s->chunk.last;

    smtp_reset(s);
    s->chunk_failed = !last;
    s->chunk_owed = owed;
    for (size_t i = 0; i < (last ? owed : 1); i++)
        TRY(smtp_reply(s, no->code == 421 ? 451 : no->code, no->enhanced, "%s", no->text));
    return OK;
}

/* The transaction is over (RFC 3030 leaves the state open): a later chunk of it must not pass for a message.
 * Chunks that were in the pipeline already are not the client's errors once more. */
static enum status
refuse_chunk(struct smtp_session *s, const struct smtp_reply *no)
{
    bool again = s->chunk_failed;
    size_t owed = s->mail.open ? s->mail.rcpt_count : s->chunk_owed;

    if (smtp_is_lmtp(s) && (s->mail.open || again))
        return refuse_chunk_each(s, no, owed);
    smtp_reset(s);
    s->chunk_failed = !s->chunk.last;
    s->quit = s->quit || no->code == 421;
    if (no->code < 500 || again)
        return smtp_reply(s, no->code, no->enhanced, "%s", no->text);
    return smtp_error(s, no->code, no->enhanced, "%s", no->text);
}
