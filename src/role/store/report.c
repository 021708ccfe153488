/* report.c - see report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "role/store/report.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/admin_serve.h"
#include "ipc/out_ipc.h"
#include "mail/report_mail.h"
#include "policy/dkim.h"
#include "role/store/admin.h"
#include "role/store/tls_report.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/random.h"

enum {
    ROUND_S = 60,
    ROUND_FAILED_S = 600,
    SPREAD_S = 6 * 3600,
    ASK_MS = 2000, /* one after the other: a silent server must not keep all reports */
    DAY_S = 86400,
    GROUPS_ARENA = 32 << 20,
    ROWS_ARENA = 64 << 20, /* of one domain: rows, the report, its mail */
    MAIL_BYTES = LIMIT_REPORT_PACKED_BYTES + (LIMIT_REPORT_PACKED_BYTES >> 1),
};
static_assert(ROWS_ARENA > TALLY_GROUP_ARENA(LIMIT_TALLY_GROUP_ROWS) + (16 << 20), "room for all");

static struct {
    bool working;
    int64_t next_s;
} rounds; /* one store a process */

struct told {
    uint32_t domains, sent, nobody, later;
};

FIBER_ENTRY static void round_entry(void *arg);
SUSPENDS static enum status tell_all(struct store *s, const struct tally_span *span, bool due_only,
                                     struct told *t);
SUSPENDS static enum status tell_one(struct store *s, const struct tally_group *g,
                                     enum store_report_end *end);
static bool is_due(const struct tally_group *g, int64_t now_s);
static void log_sent(const struct store_report *r, const struct store_report_letter *l,
                     uint64_t qid);

bool
store_report_is_on(const struct store *s)
{
    return s->config->reports && !s->config->outbound_none;
}

void
store_report_period(struct store *s)
{
    int64_t now = clock_now().us / 1000000;

    if (rounds.working || now < rounds.next_s || fiber_go(round_entry, s) != OK)
        return;
    rounds.working = true;
    rounds.next_s = now + ROUND_S;
    s->fibers++;
}

FIBER_ENTRY static void
round_entry(void *arg)
{
    struct store *s = arg;
    const struct tally_span span = {.to = tally_day(clock_now())};
    struct told t = {0};

    store_tally_write(s);
    enum status st = store_checked(s, tell_all(s, &span, true, &t), "reports");
    if (st != OK || t.later > 0)
        rounds.next_s = clock_now().us / 1000000 + ROUND_FAILED_S;
    rounds.working = false;
    s->fibers--;
}

SUSPENDS static enum status
tell_all(struct store *s, const struct tally_span *span, bool due_only, struct told *t)
{
    AUTO_ARENA *a = arena_new(GROUPS_ARENA);
    const struct tally_group *list;
    int64_t now_s = clock_now().us / 1000000;
    size_t n;

    TRY(tally_groups(s->tally, span, a, &list, &n));
    for (size_t i = 0; i < n && !s->stopping; i++) {
        enum store_report_end end = REPORT_NOBODY;
        if (due_only && !is_due(&list[i], now_s))
            continue;
        bool old = tally_day(clock_now()) > list[i].day + LIMIT_REPORT_DAYS;
        enum status st = old || !store_report_is_on(s) ? tally_forget(s->tally, &list[i])
                                                       : tell_one(s, &list[i], &end);
        if (st == ERR_IO || st == ERR_CANCELLED)
            return st;
        if (st != OK) /* what is in the way of this one need not be in that of the next */
            end = REPORT_LATER;
        t->domains++;
        t->sent += end == REPORT_SENT;
        t->nobody += end == REPORT_NOBODY;
        t->later += end == REPORT_LATER;
    }
    return OK;
}

static bool
is_due(const struct tally_group *g, int64_t now_s)
{
    int64_t jitter = (int64_t)(hash_stable(g->domain) % SPREAD_S); /* bounded */

    return now_s >= ((int64_t)g->day + 1) * DAY_S + jitter;
}

SUSPENDS static enum status
tell_one(struct store *s, const struct tally_group *g, enum store_report_end *end)
{
    AUTO_ARENA *a = arena_new(ROWS_ARENA);
    int64_t begin = (int64_t)g->day * DAY_S;
    struct store_report r = {
        .group = *g, .begin_s = begin, .end_s = MIN(begin + DAY_S - 1, clock_now().us / 1000000)};
    enum status st = OK;

    TRY(tally_rows(s->tally, g, a, &r.rows, &r.row_count));
    if (r.row_count == 0)
        return OK;
    struct str unique =
        arena_printf(a, "%u %lld %.*s", g->kind, (long long)r.end_s, STR_FMT(g->domain));
    r.id = arena_printf(a, "%lld.%016llx@%.*s", (long long)begin,
                        (unsigned long long)hash_stable(unique), STR_FMT(s->config->host));
    switch (g->kind) {
    case TALLY_DMARC: st = store_dmarc_tell(s, &r, a, end); break;
    case TALLY_TLS: st = store_tls_tell(s, &r, a, end); break;
    default: *end = REPORT_LATER; break; /* of another version: it waits, and is forgotten */
    }
    TRY(st);
    return *end == REPORT_LATER ? OK : tally_drop(s->tally, g, r.rows, r.row_count);
}

/* ---- for the kinds ---- */

enum status
store_report_ask(struct store *s, struct str name, struct arena *a, struct store_report_texts *out)
{
    const struct out_texts req = {.names = &name, .names_count = 1, .timeout_ms = ASK_MS};
    struct out_texts_reply rep;

    enum status st = out_texts_call(store_peer_of(s, ROLE_OUT), &req, a, &rep);
    if (st == ERR_DENIED) /* no name */
        return ERR_NOT_FOUND;
    if (st != OK || rep.answers_count != 1 || rep.answers[0].found == KEY_UNKNOWN)
        return ERR_TEMP;
    if (rep.answers[0].found == KEY_ABSENT)
        return ERR_NOT_FOUND;
    *out = (struct store_report_texts){rep.answers[0].texts, rep.answers[0].texts_count};
    return OK;
}

struct str
store_report_from(const struct store *s)
{
    return s->config->domain.len > 0 ? s->config->domain : s->config->host;
}

SUSPENDS static enum status
make_body(struct store *s, const struct store_report *r, const struct store_report_letter *l,
          struct arena *a, struct intake_body *out)
{
    AUTO_BUF text = BUF(MAIL_BYTES);
    char unique[40];

    snprintf(unique, sizeof(unique), "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
    /* RFC 8460 section 5.3: that of TLS is the domain of its contact. */
    struct str submitter = r->group.kind == TALLY_TLS ? store_report_from(s) : s->config->host;
    const struct report_mail m = {
        .host = s->config->host,
        .from = arena_printf(a, "postmaster@%.*s", STR_FMT(store_report_from(s))),
        .to = l->to,
        .unique = str_of(unique),
        .now = clock_now(),
        .subject = arena_printf(a, "Report Domain: %.*s Submitter: %.*s Report-ID: <%.*s>",
                                STR_FMT(r->group.domain), STR_FMT(submitter), STR_FMT(r->id)),
        .fields = l->fields,
        .multipart = l->multipart,
        .text = l->text,
        .type = l->type,
        .filename =
            arena_printf(a, "%.*s!%.*s!%lld!%lld%.*s", STR_FMT(submitter), STR_FMT(r->group.domain),
                         (long long)r->begin_s, (long long)r->end_s, STR_FMT(l->extension)),
        .attachment = l->packed,
    };
    TRY(report_mail_write(&text, &m));
    if (l->bytes_max > 0 && text.len > l->bytes_max)
        return ERR_LIMIT;
    return intake_make_signed(s->intake, buf_str(&text), a, out);
}

enum status
store_report_send(struct store *s, const struct store_report *r,
                  const struct store_report_letter *l, struct arena *a)
{
    struct store_rcpts all = {0};
    const struct queue_rcpt to = {.original = l->to, .notify = QUEUE_NOTIFY_NEVER};
    struct queue_message m = {.sender = STR(""), .terms = {.tls_optional = l->tls_optional}};
    struct intake_body body;
    struct store_sent sent;

    TRY(store_expand(s, &to, a, &all));
    if (all.count == 0 || all.list[0].state == QUEUE_FAILED)
        return ERR_SYNTAX;
    TRY(make_body(s, r, l, a, &body));
    const struct store_signing signing = {.sender = STR(""), .facts = &body.facts};
    enum status st = store_sign(s, &signing, a, &m.prepend);
    m.rcpts = all.list;
    m.rcpt_count = all.count;
    if (st != OK)
        return store_refused(s, &body, st);
    TRY(store_send(s, &m, &body, &sent));
    log_sent(r, l, sent.qid);
    return OK;
}

static void
log_sent(const struct store_report *r, const struct store_report_letter *l, uint64_t qid)
{
    AUTO(logger_send) struct log_line line;

    if (!event_begin(&line, EVENT_REPORT_SENT))
        return;
    log_str(&line, "kind", l->what);
    log_str(&line, "domain", r->group.domain);
    log_str(&line, "to", l->to);
    log_hex64(&line, "qid", qid);
    log_u64(&line, "rows", r->row_count);
    log_u64(&line, "size", l->packed.len);
}

void
store_report_skipped(const struct store_report *r, struct str to, const char *reason)
{
    AUTO(logger_send) struct log_line line;

    if (!event_begin(&line, EVENT_REPORT_SKIP))
        return;
    log_str(&line, "kind", r->group.kind == TALLY_DMARC ? STR("dmarc") : STR("tls"));
    log_str(&line, "domain", r->group.domain);
    log_str(&line, "to", to);
    log_u64(&line, "rows", r->row_count);
    log_str(&line, "reason", str_of(reason));
}

/* ---- an operator does not want to wait ---- */

enum status
admin_serve_reports_send(struct ipc_peer *from, const struct admin_reports_send *req,
                         struct arena *a, struct admin_reports_send_reply *rep)
{
    struct store *s = store_of(from);
    const struct tally_span span = {
        .kind = req->kind,
        .from = req->day,
        .to = (req->day > 0 ? req->day : tally_day(clock_now())) + 1,
    };
    struct told t = {0};
    enum status st = rounds.working ? ERR_TEMP : OK;

    (void)a;
    if (st == OK && !store_report_is_on(s))
        st = ERR_DENIED;
    if (st == OK) {
        rounds.working = true;
        store_tally_write(s);
        st = tell_all(s, &span, false, &t);
        rounds.working = false;
    }
    TRY(store_admin_done(s, st, "reports send", STR("")));
    *rep = (struct admin_reports_send_reply){
        .domains = t.domains, .sent = t.sent, .nobody = t.nobody, .later = t.later};
    return OK;
}
