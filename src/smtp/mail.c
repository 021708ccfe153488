/* mail.c - MAIL and RCPT: the envelope.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/stats.h"
#include "ipc/store_ipc.h"
#include "rt/random.h"
#include "smtp/judge.h"
#include "smtp/milters.h"
#include "smtp/session.h"
#include "smtp/stranger.h"

#define TRANSACTION_BYTES (4u << 20)
#define COMMAND_BYTES     16384u

/* class of store.ipc. */
enum rcpt_class {
    RCPT_LOCAL,
    RCPT_FOREIGN,
    RCPT_NO_USER,
    RCPT_OVER_QUOTA,
    RCPT_DISABLED,
    RCPT_FORGED,
    RCPT_REPORTS_ONLY,
    RCPT_TOO_MANY,
    RCPT_UNSIGNED,
    RCPT_TOO_OFTEN,
    RCPT_GREYLISTED
};

static void
log_sender(const struct smtp_session *s, int code, const char *enhanced)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_SMTP_SENDER))
        return;
    log_str(&l, "peer", conn_peer(s->conn));
    log_str(&l, "helo", s->helo);
    log_str(&l, "from", s->mail.said.sender);
    log_u64(&l, "code", (uint64_t)code);
    log_str(&l, "enhanced", str_of(enhanced));
    log_hex64(&l, "tid", s->mail.tid);
    if (s->account != 0)
        log_str(&l, "account", s->address);
}

static SUSPENDS enum status
check_sender(struct smtp_session *s, bool *stop)
{
    *stop = false;
    if (!smtp_is_submission(s) || s->mail.said.sender.len == 0)
        return OK;
    struct store_may_send_as ask = {
        .session = s->id, .address = s->mail.said.sender, .login = s->login, .trusted = s->trusted};
    struct store_may_send_as_reply answer;
    struct ipc_peer *store;
    enum status e;
    *stop = true;
    do {
        e = hold_store(&s->hold, &smtp_world->store, &store);
        if (e == OK)
            e = store_may_send_as_call(store, &ask, s->mail.arena, &answer);
    } while (hold_read_again(&s->hold, e));
    if (e == ERR_DENIED) { /* store and auth were both started anew: nobody remembers this log-in */
        s->quit = true;
        return smtp_reply(s, 421, "4.7.0", "The server was restarted, please log in again");
    }
    if (e != OK)
        return smtp_reply(s, 451, "4.3.0", "Cannot check the sender now, try again");
    if (!answer.allowed) {
        log_sender(s, 553, "5.7.1");
        return smtp_error(s, 553, "5.7.1", "%.*s may not send as %.*s", STR_FMT(s->address),
                          STR_FMT(s->mail.said.sender));
    }
    *stop = false;
    return OK;
}

/* RFC 6710 section 4.1: who did not log in, and is of no network that may relay, has no say.  True: it was changed. */
static bool
lower_priority(struct smtp_session *s)
{
    struct smtp_terms *t = &s->mail.said.terms;

    if (smtp_is_submission(s) || smtp_is_lmtp(s) || smtp_may_relay(s) || t->priority == 0)
        return false;
    t->priority = 0;
    return true;
}

static SUSPENDS enum status
refuse_sender(struct smtp_session *s, const struct smtp_reply *no)
{
    log_sender(s, no->code, no->enhanced);
    smtp_milters_done(s);
    if (no->code < 500)
        return smtp_reply(s, no->code, no->enhanced, "%s", no->text);
    return smtp_error(s, no->code, no->enhanced, "%s", no->text);
}

enum status
smtp_cmd_mail(struct smtp_session *s, struct str args)
{
    struct smtp_dialect dialect = smtp_dialect_of(s);
    struct problem why;
    bool stop;

    if (s->mails++ == LIMIT_SMTP_MESSAGES_PER_CONN) { /* RFC 9422 section 4.1 */
        s->quit = true;
        return smtp_reply(s, 421, "4.7.0", "Enough for one connection, please open another");
    }
    if (s->mail.open)
        return smtp_error(s, 503, "5.5.1", "One sender at a time: finish this message or say RSET");
    smtp_reset(s);
    s->mail.arena = arena_new(TRANSACTION_BYTES);
    s->mail.tid = random_u64();
    if (smtp_mail_read(args, &dialect, s->mail.arena, &s->mail.said, &why) != OK)
        return smtp_problem(s, &why);
    if (s->mail.said.size > smtp_world->config->message_bytes_max) {
        log_sender(s, 552, "5.3.4");
        return smtp_error(s, 552, "5.3.4", "The largest message is %llu bytes",
                          (unsigned long long)smtp_world->config->message_bytes_max);
    }
    bool lowered = lower_priority(s);
    TRY(check_sender(s, &stop));
    if (stop)
        return OK;
    struct smtp_reply no = smtp_milters_mail(s, args);
    if (no.code != 0)
        return refuse_sender(s, &no);
    smtp_look_at_stranger(s);
    s->mail.rcpts = ARENA_ARRAY(s->mail.arena, struct smtp_rcpt, smtp_rcpts_max(s));
    s->mail.open = true;
    if (lowered)
        return smtp_reply(s, 250, "2.3.6",
                          "0 is the priority of mail from you; the sender is fine");
    return smtp_reply(s, 250, "2.1.0", "Sender is fine");
}

/* ---- RCPT ---- */

void
smtp_log_refusal(const struct smtp_session *s, struct str address, const struct smtp_reply *no)
{
    stat_add(STAT_RCPTS_REFUSED);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_SMTP_RCPT))
        return;
    log_str(&l, "peer", conn_peer(s->conn));
    log_str(&l, "helo", s->helo);
    log_str(&l, "from", s->mail.said.sender);
    log_str(&l, "to", address);
    log_u64(&l, "code", (uint64_t)no->code);
    log_str(&l, "enhanced", str_of(no->enhanced));
    log_hex64(&l, "tid", s->mail.tid);
    if (s->account != 0)
        log_str(&l, "account", s->address);
}

const struct smtp_reply smtp_refusals[SMTP_REFUSALS] = {
    [SMTP_NO_RELAY] = {554, "5.7.1", "This domain is not served here"},
    [SMTP_NO_USER] = {550, "5.1.1", "There is no such address here"},
    [SMTP_FULL] = {452, "4.2.2", "The mailbox is full"},
    [SMTP_OVERFULL] = {552, "5.2.2", "The mailbox is full, and has been for days"},
    [SMTP_DISABLED] = {550, "5.2.1", "The mailbox takes no mail"},
    [SMTP_FORGED] = {550, "5.7.1", "This return address was not made here, or has expired"},
    [SMTP_REPORTS_ONLY] = {550, "5.7.1", "Only reports (MAIL FROM:<>) go to a return address"},
    [SMTP_TOO_MANY_REPORTS] = {451, "4.7.1", "Too many reports to this return address, try later"},
    [SMTP_NOT_OURS] = {550, "5.7.1",
                       "No mail with this sender left here: reports go to signed addresses alone"},
    [SMTP_TOO_OFTEN] = {451, "4.7.1", "Too much mail within this hour, please try later"},
    [SMTP_GREYLISTED] = {451, "4.7.1", "We do not know you yet: please try again in five minutes"},
    [SMTP_NO_SPACE] = {452, "4.3.1", "The server's disk is full, try again later"},
    [SMTP_NOT_NOW] = {451, "4.3.0", "Cannot take it now, try again"},
};

static const struct smtp_reply *
refusal_of(const struct smtp_session *s, const struct store_rcpt_reply *r)
{
    const struct smtp_reply *no = smtp_refusals;

    switch (r->class) {
    case RCPT_LOCAL: return NULL;
    case RCPT_FOREIGN:
        return smtp_is_submission(s) || smtp_may_relay(s) ? NULL : &no[SMTP_NO_RELAY];
    case RCPT_NO_USER: return &no[SMTP_NO_USER];
    case RCPT_OVER_QUOTA: return r->lasting ? &no[SMTP_OVERFULL] : &no[SMTP_FULL];
    case RCPT_FORGED: return &no[SMTP_FORGED];
    case RCPT_REPORTS_ONLY: return &no[SMTP_REPORTS_ONLY];
    case RCPT_TOO_MANY: return &no[SMTP_TOO_MANY_REPORTS];
    case RCPT_UNSIGNED: return &no[SMTP_NOT_OURS];
    case RCPT_TOO_OFTEN: return &no[SMTP_TOO_OFTEN];
    case RCPT_GREYLISTED: return &no[SMTP_GREYLISTED];
    default: return &no[SMTP_DISABLED];
    }
}

static SUSPENDS enum status
ask_rcpt(struct smtp_session *s, const struct store_rcpt *ask, struct arena *a,
         struct store_rcpt_reply *out)
{
    uint64_t known = s->hold.known;
    struct ipc_peer *store;
    enum status e;

    do {
        e = hold_store(&s->hold, &smtp_world->store, &store);
        if (e == OK)
            e = store_rcpt_call(store, ask, a, out);
    } while (hold_read_again(&s->hold, e));
    if (s->account != 0)
        s->hold.known =
            known; /* this call needs no session, so it does not show that the store knows it */
    return e;
}

/* Whom relay-from lets send without a log-in sends as one of ours, or as nobody: a machine of the house that was taken
 * over must not write in the name of others. */
static SUSPENDS enum status
check_relay(struct smtp_session *s, struct arena *a, struct smtp_reply *no)
{
    struct store_rcpt ask = {.address = s->mail.said.sender};
    struct store_rcpt_reply answer = {.class = RCPT_LOCAL};

    *no = (struct smtp_reply){0};
    if (smtp_is_submission(s) || s->mail.relays)
        return OK;
    if (ask.address.len > 0)
        TRY(ask_rcpt(s, &ask, a, &answer));
    if (answer.class == RCPT_FOREIGN)
        *no = (struct smtp_reply){
            553, "5.7.1", "From here mail leaves only with a sender of a domain served here"};
    return OK;
}

/* What a policy server puts off, such as greylisting, is no error of the client's. */
static SUSPENDS enum status
refuse_judged(struct smtp_session *s, struct str address, const struct smtp_reply *no)
{
    smtp_log_refusal(s, address, no);
    if (no->code < 500)
        return smtp_reply(s, no->code, no->enhanced, "<%.*s>: %s", STR_FMT(address), no->text);
    return smtp_error(s, no->code, no->enhanced, "<%.*s>: %s", STR_FMT(address), no->text);
}

static SUSPENDS enum status
add_rcpt(struct smtp_session *s, const struct smtp_rcpt *r, struct arena *a)
{
    struct store_rcpt ask = {.address = r->address,
                             .size = s->mail.said.size,
                             .null_sender = s->mail.said.sender.len == 0};
    if (smtp_is_stranger(s)) {
        ask.sender = s->mail.said.sender;
        ask.client = conn_peer(s->conn);
        ask.doubtful = smtp_is_doubtful(s);
        ask.proven = smtp_is_proven(s);
        ask.allowed = s->mail.checks != NULL && s->mail.checks->allowed;
    }
    static const struct smtp_reply unknown = {451, "4.3.0",
                                              "Cannot check the recipient now, try again"};
    struct smtp_reply denied = {0};
    struct store_rcpt_reply answer = {.class = RCPT_LOCAL};

    enum status e = ask_rcpt(s, &ask, a, &answer);
    const struct smtp_reply *no = e == OK ? refusal_of(s, &answer) : NULL;
    if (e == OK && no == NULL && answer.class == RCPT_FOREIGN) {
        e = check_relay(s, a, &denied);
        no = e == OK && denied.code != 0 ? &denied : NULL;
    }
    if (e != OK) {
        const struct smtp_reply *later =
            e == ERR_NO_SPACE ? &smtp_refusals[SMTP_NO_SPACE] : &unknown;
        smtp_log_refusal(s, r->address, later);
        return smtp_reply(s, later->code, later->enhanced, "%s", later->text);
    }
    if (no != NULL) {
        smtp_milters_refused(s, r->address, no);
        if (no == &smtp_refusals[SMTP_GREYLISTED])
            return refuse_judged(s, r->address, no);
        smtp_log_refusal(s, r->address, no);
        return smtp_error(s, no->code, no->enhanced, "<%.*s>: %s", STR_FMT(r->address), no->text);
    }
    denied = smtp_judge_rcpt(s, r->address);
    if (denied.code != 0)
        smtp_milters_refused(s, r->address, &denied);
    else
        denied = smtp_milters_rcpt(s, r->address);
    if (denied.code != 0)
        return refuse_judged(s, r->address, &denied);
    s->mail.relays = s->mail.relays || (answer.class == RCPT_FOREIGN && !smtp_is_submission(s));
    s->mail.rcpts[s->mail.rcpt_count++] = (struct smtp_rcpt){
        .address = arena_str(s->mail.arena, r->address),
        .notify = r->notify,
        .orcpt = r->orcpt.len == 0 ? STR("") : arena_str(s->mail.arena, r->orcpt),
    };
    return smtp_reply(s, 250, "2.1.5", "Recipient is fine");
}

/* The transaction grows only by recipients that are taken: those that are not may be without number. */
enum status
smtp_cmd_rcpt(struct smtp_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(COMMAND_BYTES);
    struct smtp_dialect dialect = smtp_dialect_of(s);
    struct smtp_rcpt r;
    struct problem why;

    if (!s->mail.open)
        return smtp_error(s, 503, "5.5.1", "Say MAIL first");
    if (s->mail.body != NULL) /* its trace fields are written */
        return smtp_error(s, 503, "5.5.1", "The message has begun");
    if (s->mail.rcpt_count == smtp_rcpts_max(s))
        return smtp_reply(s, 452, "4.5.3", "Too many recipients, send the rest in another message");
    if (smtp_rcpt_read(args, &dialect, a, &r, &why) != OK)
        return smtp_problem(s, &why);
    return add_rcpt(s, &r, a);
}

/* ---- what milters change ---- */

enum status
smtp_sender_change(struct smtp_session *s, struct str address)
{
    struct smtp_dialect dialect = smtp_dialect_of(s);
    struct smtp_mail said;
    struct problem why;
    struct str args = arena_printf(s->mail.arena, "FROM:<%.*s>%s", STR_FMT(address),
                                   s->mail.said.smtputf8 ? " SMTPUTF8" : "");

    if (address.len > LIMIT_SMTP_PATH_BYTES ||
        smtp_mail_read(args, &dialect, s->mail.arena, &said, &why) != OK)
        return ERR_SYNTAX;
    s->mail.said.sender = said.sender;
    return OK;
}

static ssize_t
find_rcpt(const struct smtp_session *s, struct str address)
{
    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        if (str_eq_nocase(s->mail.rcpts[i].address, address))
            return (ssize_t)i;
    return -1;
}

enum status
smtp_rcpt_add(struct smtp_session *s, struct str address)
{
    AUTO_ARENA *a = arena_new(COMMAND_BYTES);
    struct smtp_dialect dialect = smtp_dialect_of(s);
    struct store_rcpt_reply answer;
    struct smtp_rcpt r;
    struct problem why;

    if (address.len > LIMIT_SMTP_PATH_BYTES ||
        smtp_rcpt_read(arena_printf(a, "TO:<%.*s>", STR_FMT(address)), &dialect, a, &r, &why) != OK)
        return ERR_SYNTAX;
    if (find_rcpt(s, r.address) >= 0)
        return OK;
    struct store_rcpt ask = {.address = r.address, .null_sender = s->mail.said.sender.len == 0};
    enum status e = ask_rcpt(s, &ask, a, &answer);
    if (e != OK)
        return ERR_TEMP;
    /* Where a client may not send, a milter does not lead. */
    bool away = answer.class == RCPT_FOREIGN && !smtp_is_submission(s) && !s->mail.relays;
    const struct smtp_reply *no = refusal_of(s, &answer);
    if (away || (no != NULL && no->code >= 500) || s->mail.rcpt_count == smtp_rcpts_max(s))
        return ERR_DENIED;
    if (no != NULL) /* whoever sends it again sends it to all */
        return ERR_TEMP;
    s->mail.rcpts[s->mail.rcpt_count++] =
        (struct smtp_rcpt){.address = arena_str(s->mail.arena, r.address), .orcpt = STR("")};
    return OK;
}

void
smtp_rcpt_remove(struct smtp_session *s, struct str address)
{
    ssize_t i = find_rcpt(s, address);

    if (i < 0)
        return;
    s->mail.rcpt_count--;
    for (size_t k = (size_t)i; k < s->mail.rcpt_count; k++)
        s->mail.rcpts[k] = s->mail.rcpts[k + 1];
}

size_t
smtp_rcpts_max(const struct smtp_session *s)
{
    return smtp_is_submission(s) ? LIMIT_SUBMIT_RCPTS : LIMIT_SMTP_RCPTS;
}
