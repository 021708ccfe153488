/* judge.c - see judge.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/judge.h"

#include <stdio.h>

#include "filter/policy.h"

enum { JUDGE_BYTES = 65536 };

/* What the policy servers before this one left to be decided. */
struct pending {
    bool if_permit, if_reject;
    struct policy_action permit, reject; /* what it becomes then */
};
/* One round of questions. */
struct round {
    const char *stage;
    bool at_data;
    struct str rcpt; /* empty: several, at the end of the message */
    struct arena *arena;
    struct pending pending;
};

bool
smtp_filter_applies(const struct smtp_session *s, const struct config_filter *f)
{
    if (smtp_is_lmtp(s))
        return false;
    return smtp_is_submission(s) ? f->on_submission : f->on_mx;
}

bool
smtp_is_judged(const struct smtp_session *s, enum filter_kind kind)
{
    const struct config *c = smtp_world->config;

    for (size_t i = 0; i < c->filter_count; i++)
        if (c->filters[i].kind == kind && smtp_filter_applies(s, &c->filters[i]))
            return true;
    return false;
}

struct smtp_reply
smtp_verdict(struct smtp_session *s, int code, const char *enhanced, struct str text)
{
    if (s->verdict == NULL)
        s->verdict = MEM_NEW(struct smtp_verdict);
    snprintf(s->verdict->enhanced, sizeof(s->verdict->enhanced), "%s", enhanced);
    snprintf(s->verdict->text, sizeof(s->verdict->text), "%.*s", STR_FMT(text));
    return (struct smtp_reply){code, s->verdict->enhanced, s->verdict->text};
}

void
smtp_log_judged(const struct smtp_session *s, const struct smtp_judged *j)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_FILTER_VERDICT))
        return;
    log_str(&l, "filter", j->filter->where);
    log_str(&l, "stage", str_of(j->stage));
    log_str(&l, "action", str_of(j->action));
    log_u64(&l, "code", (uint64_t)j->code);
    log_str(&l, "text", j->text);
    log_hex64(&l, "tid", s->mail.tid);
    if (j->rcpt.len > 0)
        log_str(&l, "to", j->rcpt);
}

static void
log_failure(const struct smtp_session *s, const struct config_filter *f, const char *stage,
            const char *why, const char *then)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_FILTER_FAIL))
        return;
    log_str(&l, "filter", f->where);
    log_str(&l, "stage", str_of(stage));
    log_str(&l, "reason", str_of(why));
    log_str(&l, "then", str_of(then));
    log_hex64(&l, "tid", s->mail.tid);
}

struct smtp_reply
smtp_judge_absent(struct smtp_session *s, const struct config_filter *f, const char *stage,
                  enum status st, const char *why)
{
    static const char *const then[] = {"tempfail", "accept", "reject"};

    if (st == ERR_LIMIT) { /* whoever uses our limits up must not switch the filter off by that */
        log_failure(s, f, stage, why, "tempfail");
        return (struct smtp_reply){451, "4.3.2", "Too much mail is judged now, try again later"};
    }
    log_failure(s, f, stage, why, then[f->otherwise]);
    switch (f->otherwise) {
    case FILTER_ACCEPT: return (struct smtp_reply){0};
    case FILTER_REJECT: return (struct smtp_reply){554, "5.7.1", "Mail is not taken now"};
    case FILTER_TEMPFAIL: break;
    }
    return (struct smtp_reply){451, "4.3.5", "The server cannot judge mail now, try again later"};
}

/* ---- policy servers ---- */

static struct policy_request
request_of(const struct smtp_session *s, const struct config_filter *f, const struct round *r)
{
    const struct smtp_transaction *m = &s->mail;
    struct str cipher = conn_is_tls(s->conn) ? conn_tls_name(s->conn) : STR("");
    struct str version = STR("");
    bool end = r->at_data;

    if (cipher.len > 0 && !str_split(&cipher, ' ', &version))
        version = STR("");
    struct str id = arena_printf(r->arena, "%016llx", (unsigned long long)m->tid);
    return (struct policy_request){
        .state = str_of(end ? "END-OF-MESSAGE" : "RCPT"),
        .protocol = str_of(s->esmtp ? "ESMTP" : "SMTP"),
        .helo = s->helo,
        .queue_id = id,
        .sender = m->said.sender,
        .recipient = r->rcpt,
        .recipient_count = end ? (uint32_t)m->rcpt_count : 0, /* at most LIMIT_SUBMIT_RCPTS */
        .client_address = conn_peer(s->conn),
        .client_port = conn_peer_port(s->conn),
        .server_address = conn_is_unix(s->conn) ? STR("") : conn_local(s->conn),
        .server_port = conn_local_port(s->conn),
        .instance = id,
        .sasl_username = s->account != 0 ? s->address : STR(""),
        .size = end ? m->body->size : m->said.size,
        .tls_protocol = version,
        .tls_cipher = cipher,
        .context = f->name,
    };
}

/* Remembered until the trace fields are written, which has happened at the end of the message. */
static const char *
prepend(struct smtp_session *s, const struct round *r, struct str field)
{
    AUTO_BUF all = BUF(LIMIT_POLICY_PREPEND_BYTES);

    if (r->at_data)
        return "too late for PREPEND: left out";
    buf_add(&all, s->mail.judged.prepend);
    buf_addf(&all, "%.*s\r\n", STR_FMT(field));
    if (buf_status(&all) != OK)
        return "too many fields of PREPEND: left out";
    s->mail.judged.prepend = arena_str(s->mail.arena, buf_str(&all));
    return "prepend";
}

static struct smtp_reply
refuse(struct smtp_session *s, const struct round *r, const struct policy_action *a)
{
    const struct policy_action *as =
        r->pending.if_reject && a->code >= 500 ? &r->pending.reject : a;

    return smtp_verdict(s, as->code, as->enhanced, as->text);
}

static void
remember(struct pending *p, const struct policy_action *a)
{
    bool permit = a->verb == POLICY_DEFER_IF_PERMIT;

    if (permit && !p->if_permit)
        p->permit = *a;
    if (!permit && !p->if_reject)
        p->reject = *a;
    p->if_permit = p->if_permit || permit;
    p->if_reject = p->if_reject || !permit;
}

/* True: no further server is asked. */
static bool
obey(struct smtp_session *s, const struct config_filter *f, const struct policy_action *a,
     struct round *r, struct smtp_reply *out)
{
    struct smtp_judged log = {f, r->stage, "", a->code, a->text, r->rcpt};

    switch (a->verb) {
    case POLICY_DUNNO: return false;
    case POLICY_OK: return true;
    case POLICY_REFUSE:
        log.action = "refuse";
        *out = refuse(s, r, a);
        log.code = out->code;
        break;
    case POLICY_DEFER_IF_PERMIT:
    case POLICY_DEFER_IF_REJECT:
        log.action = a->verb == POLICY_DEFER_IF_PERMIT ? "defer_if_permit" : "defer_if_reject";
        remember(&r->pending, a);
        break;
    case POLICY_PREPEND: log.action = prepend(s, r, a->text); break;
    case POLICY_WARN: log.action = "warn"; break;
    case POLICY_HOLD:
        log.action = "hold";
        s->mail.judged.hold = true;
        break;
    case POLICY_DISCARD:
        log.action = "discard";
        s->mail.judged.discard = true;
        break;
    }
    smtp_log_judged(s, &log);
    return a->verb == POLICY_REFUSE || a->verb == POLICY_DISCARD;
}

/* True: no further server is asked. */
static SUSPENDS bool
ask_one(struct smtp_session *s, const struct config_filter *f, struct round *r,
        struct smtp_reply *out)
{
    struct policy_request ask = request_of(s, f, r);
    struct policy_action said;
    const char *why = "";

    enum status st = policy_ask(f, &ask, r->arena, &said, &why);
    if (st == OK)
        return obey(s, f, &said, r, out);
    if (st ==
        ERR_NOT_FOUND) { /* whoever set it up must look at it, whatever becomes of mail when it is away */
        log_failure(s, f, r->stage, why, "tempfail");
        *out = (struct smtp_reply){451, "4.3.5", "The server is set up wrongly, try again later"};
    } else {
        *out = smtp_judge_absent(s, f, r->stage, st, why);
    }
    return out->code != 0;
}

static SUSPENDS struct smtp_reply
ask_all(struct smtp_session *s, struct round *r)
{
    const struct config *c = smtp_world->config; /* an old one stays readable */
    struct smtp_reply out = {0};
    bool done = false;

    for (size_t i = 0; i < c->filter_count && !done && !s->mail.judged.discard; i++) {
        const struct config_filter *f = &c->filters[i];
        if (f->kind == FILTER_POLICY && f->at_data == r->at_data && smtp_filter_applies(s, f))
            done = ask_one(s, f, r, &out);
    }
    if (out.code == 0 && r->pending.if_permit && !s->mail.judged.discard) {
        const struct policy_action *a = &r->pending.permit;
        out = smtp_verdict(s, a->code, a->enhanced, a->text);
    }
    s->quit = s->quit || out.code == 421;
    return out;
}

struct smtp_reply
smtp_judge_rcpt(struct smtp_session *s, struct str rcpt)
{
    if (!smtp_is_judged(s, FILTER_POLICY))
        return (struct smtp_reply){0};
    AUTO_ARENA *a = arena_new(JUDGE_BYTES);
    struct round r = {.stage = "rcpt", .rcpt = rcpt, .arena = a};
    return ask_all(s, &r);
}

struct smtp_reply
smtp_judge_end(struct smtp_session *s)
{
    if (!smtp_is_judged(s, FILTER_POLICY))
        return (struct smtp_reply){0};
    AUTO_ARENA *a = arena_new(JUDGE_BYTES);
    struct round r = {.stage = "data",
                      .at_data = true,
                      .rcpt = s->mail.rcpt_count == 1 ? s->mail.rcpts[0].address : STR(""),
                      .arena = a};
    return ask_all(s, &r);
}
