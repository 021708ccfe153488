/* deliver.c - answers mx and the submission side: recipients, bodies, deliver, submit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "config/events.h"
#include "ipc/keys_ipc.h"
#include "ipc/store_serve.h"
#include "role/store/bounce.h"
#include "role/store/judge.h"
#include "role/store/outbound.h"
#include "role/store/strangers.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"

enum { KEYS_TRIES = 25, KEYS_PAUSE_MS = 200 /* while role keys is being started again */ };
enum { BY_MOST_S = 1000000000 /* of RFC 2852, and one */ };
static_assert(STORE_CLASS_GREYLISTED == STORE_RCPT_REPLY_CLASS_MAX, "classes");

struct sender {
    uint64_t session;
    struct str login; /* of the machine, or empty: then the session counts */
    bool trusted;
    struct str address; /* empty: the null sender, which everybody may use */
};

SUSPENDS static enum status check_sender(const struct ipc_peer *from, const struct sender *who,
                                         struct arena *a, uint64_t *account_out);
SUSPENDS static enum status check_login(struct store *s, const struct sender *who, struct arena *a,
                                        uint64_t *account_out);
static enum status sender_session(const struct ipc_peer *from, uint64_t session, struct grant *out);
SUSPENDS static enum status may_send(struct store *s, uint64_t account, struct str address);
SUSPENDS static enum status signing_domain(struct store *s, const struct store_signing *what,
                                           struct arena *a, struct str *out);

/* A store without a single domain is not set up yet, or its disk is not mounted: no time to refuse mail for good. */
SUSPENDS static enum status
check_set_up(struct store *s, struct arena *a)
{
    const struct directory_page first = {.max = 1, .a = a};
    const struct directory_domain *found;
    size_t n;

    if (!s->has_domain && s->config->domain.len > 0)
        TRY(directory_is_local_domain(s->directory, s->config->domain, &s->has_domain));
    if (s->has_domain)
        return OK;
    TRY(directory_domains(s->directory, &first, &found, &n));
    s->has_domain = n > 0;
    return n > 0 ? OK : ERR_TEMP;
}

/* Of a rewritten sender of ours: may this be sent back, and where to?  ERR_NOT_FOUND: it is none. */
SUSPENDS static enum status
take_return(struct store *s, const struct store_rcpt *req, struct arena *a, struct str *to,
            uint8_t *class_out)
{
    int64_t now_ms = clock_now().us / 1000;
    struct str name;

    enum status st = store_return(s, req->address, a, to);
    *class_out = st == ERR_DENIED ? STORE_CLASS_FORGED : STORE_CLASS_REPORTS_ONLY;
    if (st == ERR_DENIED || (st == OK && !req->null_sender))
        return OK;
    TRY(st);
    TRY(directory_canonical(s->directory, *to, a, &name, NULL));
    *class_out = STORE_CLASS_TOO_MANY;
    if (rates_count(s->returns, name, now_ms) >= LIMIT_SRS_REPORTS_PER_HOUR)
        return OK;
    rates_add(s->returns, name, now_ms);
    *class_out = DIRECTORY_LOCAL;
    return OK;
}

SUSPENDS static enum status
check_room(struct store *s, uint64_t id, uint64_t size, struct store_rcpt_reply *rep)
{
    AUTO(cell_close) struct cell *account = account_open(s->cells, id);
    enum status st = account_has_room(account, size);

    if (st == ERR_QUOTA) {
        rep->class = DIRECTORY_OVER_QUOTA;
        st = store_quota_refused(s, account, &rep->lasting);
    } else if (st == ERR_NOT_FOUND) {
        rep->class = DIRECTORY_NO_USER;
        st = OK;
    }
    return st;
}

enum status
store_serve_rcpt(struct ipc_peer *from, const struct store_rcpt *req, struct arena *a,
                 struct store_rcpt_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_resolution r = {.class = DIRECTORY_NO_USER};
    struct str to = req->address;
    enum status st = store_bounce_inside(s, req->address, a, &to);
    bool is_signed = st == OK, is_return = false;
    rep->class = STORE_CLASS_FORGED;
    if (st == ERR_DENIED)
        return OK;
    if (st == ERR_NOT_FOUND) {
        st = take_return(s, req, a, &to, &rep->class);
        is_return = st == OK;
    }
    if (is_return && rep->class != DIRECTORY_LOCAL)
        return OK;
    if (st == OK || st == ERR_NOT_FOUND)
        st = directory_resolve(s->directory, to, a, &r);
    rep->class = DIRECTORY_NO_USER;
    if (st == ERR_SYNTAX)
        return OK;
    TRY(store_checked(s, st, "look-up"));
    if (is_return && r.class == DIRECTORY_FOREIGN) {
        r.class = DIRECTORY_LOCAL; /* our own address leads there */
        r.relayed = true;
    }
    if (r.class == DIRECTORY_FOREIGN)
        TRY(check_set_up(s, a));
    else
        s->has_domain = true;
    rep->class = (uint8_t)r.class; /* a small enum */
    rep->relayed = r.relayed;
    if (r.class == DIRECTORY_LOCAL && req->null_sender && !is_signed && !is_return &&
        ipc_role(from) == ROLE_MX && store_bounce_refused(s, to))
        rep->class = STORE_CLASS_UNSIGNED;
    else if (r.class == DIRECTORY_LOCAL && !is_return && !(is_signed && req->null_sender))
        TRY(store_checked(s, strangers_judge(s, req, &r, &rep->class), "strangers"));
    if (rep->class != DIRECTORY_LOCAL || r.count != 1 || r.relayed)
        return OK;
    return store_checked(s, check_room(s, r.targets[0].account, req->size, rep), "quota");
}

enum status
store_serve_blob_open(struct ipc_peer *from, const struct store_blob_open *req, struct arena *a,
                      struct store_blob_open_reply *rep)
{
    struct intake_source *source = store_source_of(from);

    (void)a;
    if (source == NULL)
        return ERR_CLOSED;
    if (engine_space(store_of(from)->engine) != SPACE_PLENTY)
        return ERR_NO_SPACE;
    return intake_open(source, req->size_hint, req->spool, &rep->handle);
}

enum status
store_serve_blob_read(struct ipc_peer *from, const struct store_blob_read *req, struct arena *a,
                      struct store_blob_read_reply *rep)
{
    struct intake_source *source = store_source_of(from);
    const struct intake_range range = {req->offset, req->max};

    if (source == NULL)
        return ERR_CLOSED;
    return store_checked(store_of(from), intake_read(source, req->handle, &range, a, &rep->bytes),
                         "spool");
}

enum status
store_serve_blob_add(struct ipc_peer *from, const struct store_blob_add *req, struct arena *a,
                     struct store_blob_add_reply *rep)
{
    struct intake_source *source = store_source_of(from);

    (void)a;
    (void)rep;
    if (source == NULL)
        return ERR_CLOSED;
    return store_checked(store_of(from), intake_add(source, req->handle, req->bytes), "body");
}

void
store_serve_blob_drop(struct ipc_peer *from, const struct store_blob_drop *req, struct arena *a)
{
    struct intake_source *source = store_source_of(from);

    (void)a;
    if (source != NULL)
        intake_drop(source, req->handle);
}

enum status
store_serve_deliver(struct ipc_peer *from, const struct store_deliver *req, struct arena *a,
                    struct store_deliver_reply *rep)
{
    struct store *s = store_of(from);
    struct intake_which which = {.source = store_source_of(from),
                                 .handle = req->handle,
                                 .bytes = req->body,
                                 .tid = req->trace};
    struct store_judged in = {.junk = false};
    const struct intake_body *body = &in.body;
    struct store_sent sent;

    TRY(req->checks.on ? store_take_judged(from, &which, req, a, &in)
                       : store_take(from, &which, a, &in.body));
    in.junk = in.junk || req->junk; /* a scanner of mx takes it for spam */
    struct store_rcpts all = {
        .report = req->sender.len == 0, .spam = in.junk, .facts = &body->facts};
    enum status st = OK;
    for (size_t i = 0; i < req->rcpts_count && st == OK; i++) {
        /* The sender of junk is nobody to tell: he is forged, or should not learn what was thought. */
        struct queue_rcpt r = {.original = req->rcpts[i],
                               .notify = in.junk ? QUEUE_NOTIFY_NEVER : 0};
        st = store_expand(s, &r, a, &all);
    }
    if (st == OK &&
        all.foreign) /* what strangers sent goes out only by way of an address of ours */
        st = ERR_DENIED;
    if (st == OK)
        st = store_refusal(&all);
    if (st != OK)
        return store_checked(s, store_refused(s, body, st), "look-up");
    struct queue_message m = {
        .sender = req->sender,
        .smtputf8 = req->smtputf8,
        .terms = store_terms(&req->terms),
        .held = req->hold,
        .junk = in.junk,
        .rcpts = all.list,
        .rcpt_count = all.count,
    };
    TRY(store_send(s, &m, body, &sent));
    strangers_count(s, req, &all);
    if (!in.junk && !store_spam_is_high(&body->facts.spam))
        strangers_taken(s, req);
    rep->qid = sent.qid;
    rep->mid = sent.mid;
    return OK;
}

enum status
store_serve_submit(struct ipc_peer *from, const struct store_submit *req, struct arena *a,
                   struct store_submit_reply *rep)
{
    struct store *s = store_of(from);
    struct intake_which which = {.source = store_source_of(from),
                                 .handle = req->handle,
                                 .bytes = req->body,
                                 .want_dkim = true,
                                 .tid = req->trace};
    struct intake_body body;
    struct store_rcpts all = {.report = req->sender.len == 0, .facts = &body.facts};
    struct store_sent sent;
    struct outbound_answer day = {0};
    const struct sender who = {req->session, req->login, req->trusted, req->sender};
    uint64_t account;

    TRY(check_sender(from, &who, a, &account));
    TRY(store_take(from, &which, a, &body));
    struct queue_message m = {
        .sender = req->sender,
        .envid = req->envid,
        .full_return = req->full_return,
        .smtputf8 = req->smtputf8,
        .terms = store_terms(&req->terms),
        .held = req->hold,
    };
    m.account = account;
    const struct store_signing signing = {account, req->sender, &body.facts};
    enum status st = store_sign(s, &signing, a, &m.prepend);
    for (size_t i = 0; i < req->rcpts_count && st == OK; i++) {
        struct queue_rcpt r = {.original = req->rcpts[i].address,
                               .notify = req->rcpts[i].notify,
                               .orcpt = req->rcpts[i].orcpt};
        st = store_expand(s, &r, a, &all);
    }
    if (st == OK)
        st = store_refusal(&all);
    m.rcpts = all.list;
    m.rcpt_count = all.count;
    if (st == OK && account != 0 && !req->trusted)
        st = store_outbound_ask(s, &m, &day);
    if (st != OK)
        return store_checked(s, store_refused(s, &body, st), "submission");
    TRY(store_send(s, &m, &body, &sent));
    if (m.over)
        store_outbound_held(s, &m, sent.qid, &day);
    rep->qid = sent.qid;
    return OK;
}

enum status
store_serve_may_send_as(struct ipc_peer *from, const struct store_may_send_as *req, struct arena *a,
                        struct store_may_send_as_reply *rep)
{
    const struct sender who = {req->session, req->login, req->trusted, req->address};
    uint64_t account;

    if (req->login.len == 0) { /* here a session that is not known is none */
        struct grant grant;
        TRY(store_session(from, req->session, &grant));
    }
    enum status st = check_sender(from, &who, a, &account);
    rep->allowed = st == OK;
    return st == ERR_DENIED ? OK : st;
}

/* ---- bodies and rights ---- */

enum status
store_take(struct ipc_peer *from, const struct intake_which *which, struct arena *a,
           struct intake_body *out)
{
    struct store *s = store_of(from);
    struct intake_body body;

    if (engine_space(s->engine) != SPACE_PLENTY)
        return ERR_NO_SPACE;
    TRY(store_checked(s, intake_take(s->intake, which, a, &body), "body"));
    body.tid = which->tid;
    enum status st = store_check_hops(&body.facts);
    if (st != OK)
        return store_refused(s, &body, st);
    *out = body;
    return OK;
}

enum status
store_refused(struct store *s, const struct intake_body *body, enum status why)
{
    AUTO(logger_send) struct log_line l;

    engine_blob_forget(s->engine, body->id);
    if (event_begin(&l, EVENT_STORE_REFUSE)) {
        log_hex64(&l, "tid", body->tid);
        log_str(&l, "msgid", body->facts.message_id);
        log_u64(&l, "size", body->size);
        log_str(&l, "reason", str_of(status_name(why)));
    }
    return why;
}

/* RFC 5321 section 6.3. */
enum status
store_check_hops(const struct intake_facts *f)
{
    struct problem why = {0};

    if (f->received_count < LIMIT_RECEIVED_FIELDS)
        return OK;
    problem_set(&why, 554, "5.4.6", "The message goes in circles");
    ipc_fail(&why);
    return ERR_LIMIT;
}

/* A store that was just started hears of the live sessions a moment later (role auth).  Mail is never refused for good
 * because of that: ERR_TEMP. */
static enum status
sender_session(const struct ipc_peer *from, uint64_t session, struct grant *out)
{
    enum status st = store_session(from, session, out);

    return st == ERR_DENIED ? ERR_TEMP : st;
}

/* *account_out: whose message it is; 0: of a user of the machine who has none. */
SUSPENDS static enum status
check_sender(const struct ipc_peer *from, const struct sender *who, struct arena *a,
             uint64_t *account_out)
{
    struct store *s = store_of(from);
    struct grant grant;

    if (who->login.len > 0)
        return check_login(s, who, a, account_out);
    TRY(sender_session(from, who->session, &grant));
    if (who->address.len > 0)
        TRY(may_send(s, grant.account, who->address));
    *account_out = grant.account;
    return OK;
}

/* A login has its own address at the default domain, and what the account of that address may send as.  Without a
 * socket for it in the configuration nobody can have called there. */
SUSPENDS static enum status
check_login(struct store *s, const struct sender *who, struct arena *a, uint64_t *account_out)
{
    const struct config *c = s->config;
    struct directory_entry e;
    bool served = false;

    for (size_t i = 0; i < c->listen_count; i++)
        served = served || c->listen[i].service == SERVICE_SENDMAIL;
    if (!served)
        return ERR_DENIED;
    struct str own = arena_printf(a, "%.*s@%.*s", STR_FMT(who->login), STR_FMT(c->domain));
    enum status st = directory_find(s->directory, own, a, &e);
    bool has_account = st == OK && e.kind == DIRECTORY_ACCOUNT && !e.disabled;
    if (st != OK && st != ERR_NOT_FOUND && st != ERR_SYNTAX)
        return store_checked(s, st, "look-up");
    *account_out = has_account ? e.account : 0;
    if (who->trusted || who->address.len == 0 || str_eq_nocase(who->address, own))
        return OK;
    return has_account ? may_send(s, e.account, who->address) : ERR_DENIED;
}

SUSPENDS static enum status
may_send(struct store *s, uint64_t account, struct str address)
{
    bool may = false;

    TRY(store_checked(s, directory_may_send_as(s->directory, account, address, &may), "look-up"));
    return may ? OK : ERR_DENIED;
}

/* ---- signing ---- */

/* A domain without keys is not signed for.  Mail waits a little for role keys; it never goes out unsigned because
 * that was being started again. */
enum status
store_sign(struct store *s, const struct store_signing *what, struct arena *a,
           struct str *prepend_out)
{
    struct keys_dkim_sign req = {
        .headers = what->facts->dkim_headers,
        .header_names = what->facts->dkim_names,
        .body_hash = what->facts->dkim_body_hash,
        .time = clock_now().us / 1000000,
    };
    struct keys_dkim_sign_reply rep;
    enum status st = ERR_CLOSED;

    *prepend_out = STR_NONE;
    if (req.headers.len == 0)
        return OK;
    TRY(signing_domain(s, what, a, &req.domain));
    if (req.domain.len == 0)
        return OK;
    for (int i = 0; i < KEYS_TRIES && st == ERR_CLOSED; i++) {
        if (i > 0)
            TRY(fiber_sleep(KEYS_PAUSE_MS));
        st = keys_dkim_sign_call(store_peer_of(s, ROLE_KEYS), &req, a, &rep);
    }
    if (st == ERR_NOT_FOUND || st == ERR_DENIED)
        return OK;
    if (st != OK)
        return ERR_TEMP;
    *prepend_out = rep.fields;
    return OK;
}

/* Nobody's account sent it: the domain of the sender, which is ours, or without one that of From if it is. */
SUSPENDS static enum status
relay_domain(struct store *s, const struct store_signing *what, struct str *out)
{
    bool ours = false;

    *out = store_domain_of(what->sender.len > 0 ? what->sender : what->facts->from_domain);
    if (what->sender.len > 0 || out->len == 0)
        return OK;
    TRY(store_checked(s, directory_is_local_domain(s->directory, *out, &ours), "look-up"));
    if (!ours)
        *out = STR("");
    return OK;
}

/* The From domain when the sender is of it as well, else the domain of the account: both are this user's. */
SUSPENDS static enum status
signing_domain(struct store *s, const struct store_signing *what, struct arena *a, struct str *out)
{
    struct directory_entry e;

    if (what->account == 0)
        return relay_domain(s, what, out);
    enum status st = directory_by_id(s->directory, what->account, a, &e);
    if (st == ERR_NOT_FOUND)
        return ERR_DENIED; /* removed while it was sending */
    TRY(st);
    bool from_sender = what->facts->from_domain.len > 0 && what->sender.len > 0 &&
                       str_eq_nocase(what->facts->from_domain, store_domain_of(what->sender));
    *out = from_sender ? store_domain_of(what->sender) : store_domain_of(e.address);
    return OK;
}

/* role user holds them to the same bounds. */
struct queue_terms
store_terms(const struct store_terms *asked)
{
    int64_t now = clock_now().us;
    int64_t most = now + LIMIT_FUTURE_RELEASE_S * INT64_C(1000000);
    int64_t by_most = now + BY_MOST_S * INT64_C(1000000);

    return (struct queue_terms){.hold_until = {MAX(MIN(asked->hold_until, most), 0)},
                                .hold_asked = asked->hold_asked,
                                .by_mode = (enum queue_by_mode)asked->by_mode, /* enum<2> */
                                .by = {MAX(MIN(asked->by, by_most), 0)},
                                .by_trace = asked->by_trace,
                                .priority = (int32_t)MAX(MIN(asked->priority, 9), -9),
                                .require_tls = asked->require_tls};
}

struct str
store_domain_of(struct str address)
{
    return str_skip(address, (size_t)(str_rfind(address, '@') + 1)); /* 0 when there is none */
}
