/* fake_smtp.c - the calls of store.ipc that SMTP makes, answered from memory.
 *
 * The envelope of the last message, for the directive "envelope":
 *    mx <SENDER> <RCPT> ...[ by=LETTERS][ priority=N][ tls][ utf8]
 *    relay <SENDER> <RCPT> ... peer=ADDRESS[ by=LETTERS][ priority=N][ tls]
 *    lmtp <SENDER> <RCPT> ...[ by=LETTERS][ priority=N][ tls][ utf8]
 *    submit <SENDER> <RCPT>[ notify=BITS][ orcpt=TEXT] ...[ full][ envid=TEXT][ hold=TEXT][ by=LETTERS]
 *        [ priority=N][ tls][ utf8][ login=NAME]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "base/mem.h"
#include "base/size.h"
#include "ipc/outcome.h"
#include "ipc/store_serve.h"
#include "testkit/fake_internal.h"

enum {
    CLASS_LOCAL,
    CLASS_FOREIGN,
    CLASS_NO_USER,
    CLASS_OVER_QUOTA,
    CLASS_DISABLED,
    CLASS_OFTEN = 9
};
enum { ENVELOPE_MAX = 1 << 20, QUEUE_ID = 0x5eed };

static const struct {
    struct str address;
    uint8_t class;
    uint8_t outcome; /* of deliver_each */
} directory[] = {
    {STR("u@test"), CLASS_LOCAL, OUTCOME_KEPT},
    {STR("alias@test"), CLASS_LOCAL, OUTCOME_KEPT},
    {STR("postmaster@test"), CLASS_LOCAL, OUTCOME_KEPT},
    {STR("\"q q\"@test"), CLASS_LOCAL, OUTCOME_KEPT},
    {STR("j\xc3\xbcrgen@test"), CLASS_LOCAL, OUTCOME_KEPT},
    {STR("full-later@test"), CLASS_LOCAL, OUTCOME_FULL},
    {STR("overfull-later@test"), CLASS_LOCAL, OUTCOME_OVERFULL},
    {STR("gone-later@test"), CLASS_LOCAL, OUTCOME_NO_USER},
    {STR("off-later@test"), CLASS_LOCAL, OUTCOME_DISABLED},
    {STR("disk-later@test"), CLASS_LOCAL, OUTCOME_NO_SPACE},
    {STR("busy-later@test"), CLASS_LOCAL, OUTCOME_LATER},
    {STR("full@test"), CLASS_OVER_QUOTA, OUTCOME_FULL},
    {STR("overfull@test"), CLASS_OVER_QUOTA, OUTCOME_FULL},
    {STR("off@test"), CLASS_DISABLED, OUTCOME_DISABLED},
    {STR("often@test"), CLASS_OFTEN, OUTCOME_LATER},
};

static uint8_t
class_of(struct str address)
{
    for (size_t i = 0; i < COUNT_OF(directory); i++)
        if (str_eq_nocase(address, directory[i].address))
            return directory[i].class;
    return str_ends_nocase(address, STR("@test")) ? CLASS_NO_USER : CLASS_FOREIGN;
}

SUSPENDS enum status
store_serve_rcpt(struct ipc_peer *from, const struct store_rcpt *req, struct arena *a,
                 struct store_rcpt_reply *rep)
{
    (void)a;
    TRY(fake_obey(from, "rcpt"));
    rep->class = class_of(req->address);
    rep->lasting = str_eq_nocase(req->address, STR("overfull@test"));
    return OK;
}

SUSPENDS enum status
store_serve_may_send_as(struct ipc_peer *from, const struct store_may_send_as *req, struct arena *a,
                        struct store_may_send_as_reply *rep)
{
    (void)a;
    TRY(fake_obey(from, "may_send_as"));
    rep->allowed = req->trusted || class_of(req->address) == CLASS_LOCAL;
    return OK;
}

static MUST_USE enum status
take(uint32_t handle, struct str body, const struct buf *envelope)
{
    struct fake_mailbox *inbox = fake_find(STR("INBOX"));
    struct str whole;

    if (!fake_body(handle, body, &whole))
        return ERR_NOT_FOUND;
    mem_str_free(&fake.envelope);
    fake.envelope = mem_str(buf_str(envelope));
    fake_add(inbox, whole, 0);
    fake_blob_forget(handle);
    fake_tell(inbox);
    return OK;
}

static void
add_terms(struct buf *text, const struct store_terms *t)
{
    static const char *const modes[] = {"", "N", "R"};

    if (t->hold_until != 0)
        buf_addf(text, " hold=%.*s", STR_FMT(t->hold_asked));
    if (t->by_mode != 0)
        buf_addf(text, " by=%s%s", modes[t->by_mode], t->by_trace ? "T" : "");
    if (t->priority != 0)
        buf_addf(text, " priority=%d", (int)t->priority);
    if (t->require_tls)
        buf_add_z(text, " tls");
}

SUSPENDS enum status
store_serve_deliver(struct ipc_peer *from, const struct store_deliver *req, struct arena *a,
                    struct store_deliver_reply *rep)
{
    AUTO_BUF text = BUF(ENVELOPE_MAX);

    (void)a;
    TRY(fake_obey(from, "deliver"));
    buf_addf(&text, "mx <%.*s>", STR_FMT(req->sender));
    for (size_t i = 0; i < req->rcpts_count; i++)
        buf_addf(&text, " <%.*s>", STR_FMT(req->rcpts[i]));
    add_terms(&text, &req->terms);
    if (req->smtputf8)
        buf_add_z(&text, " utf8");
    TRY(take(req->handle, req->body, &text));
    rep->mid = fake.next_mid;
    return OK;
}

SUSPENDS enum status
store_serve_deliver_each(struct ipc_peer *from, const struct store_deliver_each *req,
                         struct arena *a, struct store_deliver_each_reply *rep)
{
    AUTO_BUF text = BUF(ENVELOPE_MAX);
    uint8_t *outcomes = ARENA_ARRAY(a, uint8_t, req->rcpts_count);

    TRY(fake_obey(from, "deliver_each"));
    buf_addf(&text, "lmtp <%.*s>", STR_FMT(req->sender));
    for (size_t i = 0; i < req->rcpts_count; i++) {
        buf_addf(&text, " <%.*s>", STR_FMT(req->rcpts[i]));
        for (size_t k = 0; k < COUNT_OF(directory); k++)
            if (str_eq_nocase(req->rcpts[i], directory[k].address))
                outcomes[i] = directory[k].outcome;
    }
    add_terms(&text, &req->terms);
    if (req->smtputf8)
        buf_add_z(&text, " utf8");
    TRY(take(req->handle, req->body, &text));
    rep->outcomes = outcomes;
    rep->outcomes_count = req->rcpts_count;
    return OK;
}

SUSPENDS enum status
store_serve_relay(struct ipc_peer *from, const struct store_relay *req, struct arena *a,
                  struct store_relay_reply *rep)
{
    AUTO_BUF text = BUF(ENVELOPE_MAX);

    (void)a;
    TRY(fake_obey(from, "relay"));
    buf_addf(&text, "relay <%.*s>", STR_FMT(req->sender));
    for (size_t i = 0; i < req->rcpts_count; i++)
        buf_addf(&text, " <%.*s>", STR_FMT(req->rcpts[i]));
    buf_addf(&text, " peer=%.*s", STR_FMT(req->peer));
    add_terms(&text, &req->terms);
    TRY(take(req->handle, req->body, &text));
    rep->qid = QUEUE_ID;
    return OK;
}

SUSPENDS enum status
store_serve_submit(struct ipc_peer *from, const struct store_submit *req, struct arena *a,
                   struct store_submit_reply *rep)
{
    AUTO_BUF text = BUF(ENVELOPE_MAX);

    (void)a;
    TRY(fake_obey(from, "submit"));
    buf_addf(&text, "submit <%.*s>", STR_FMT(req->sender));
    for (size_t i = 0; i < req->rcpts_count; i++) {
        const struct store_submit_rcpt *r = &req->rcpts[i];
        buf_addf(&text, " <%.*s>", STR_FMT(r->address));
        if (r->notify != 0)
            buf_addf(&text, " notify=%u", r->notify);
        if (r->orcpt.len > 0)
            buf_addf(&text, " orcpt=%.*s", STR_FMT(r->orcpt));
    }
    if (req->full_return)
        buf_add_z(&text, " full");
    if (req->envid.len > 0)
        buf_addf(&text, " envid=%.*s", STR_FMT(req->envid));
    add_terms(&text, &req->terms);
    if (req->smtputf8)
        buf_add_z(&text, " utf8");
    if (req->login.len > 0)
        buf_addf(&text, " login=%.*s", STR_FMT(req->login));
    TRY(take(req->handle, req->body, &text));
    rep->qid = QUEUE_ID;
    return OK;
}
