/* milters.c - see milters.h; the message itself is in milters_end.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/milters.h"

#include "base/mem.h"
#include "base/size.h"
#include "smtp/milters_internal.h"

enum { ARENA_BYTES = 65536, PARAMS_MAX = 8 };

#define NAME(literal) STR(literal)

struct smtp_reply
smtp_milter_settle(struct smtp_session *s, struct milter *m, const char *stage,
                   const struct milter_step_result *r)
{
    struct smtp_judged log = {.filter = m->filter, .stage = stage, .text = STR("")};

    if (r->st != OK)
        return smtp_judge_absent(s, m->filter, stage, r->st, m->why);
    switch (r->verdict) {
    case MILTER_GOES_ON:
    case MILTER_ACCEPTED: return (struct smtp_reply){0};
    case MILTER_DISCARDED:
        log.action = "discard";
        s->mail.judged.discard = true;
        smtp_log_judged(s, &log);
        return (struct smtp_reply){0};
    case MILTER_REFUSED: break;
    }
    log.action = "refuse";
    log.code = m->code;
    log.text = str_of(m->text);
    smtp_log_judged(s, &log);
    s->quit = s->quit || m->code == 421;
    return smtp_verdict(s, m->code, m->enhanced, str_of(m->text));
}

struct str
smtp_milter_id(const struct smtp_session *s, struct arena *a)
{
    return arena_printf(a, "%016llx", (unsigned long long)s->mail.tid);
}

/* ---- MAIL ---- */

static struct milter_client
client_of(const struct smtp_session *s, struct arena *a)
{
    struct str address = conn_peer(s->conn);
    bool six = str_find(address, ':') >= 0;

    return (struct milter_client){
        /* Nobody looked the name up: then Sendmail says the address. */
        .name = arena_printf(a, "[%.*s]", STR_FMT(address)),
        .address = address,
        .family = six ? '6' : '4',
        .port = conn_peer_port(s->conn),
    };
}

/* The words behind the path: SIZE=12 BODY=8BITMIME. */
static size_t
params_of(struct str args, struct str *out)
{
    struct str rest = str_skip(args, (size_t)(str_rfind(args, '>') + 1)), word;
    size_t n = 0;

    rest = str_trim(rest);
    while (n < PARAMS_MAX && rest.len > 0 && str_split(&rest, ' ', &word))
        if (word.len > 0)
            out[n++] = word;
    return n;
}

static SUSPENDS struct smtp_reply
begin(struct smtp_session *s, struct milter *m, struct str args)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct str cipher = conn_is_tls(s->conn) ? conn_tls_name(s->conn) : STR(""), version = STR("");
    struct str params[PARAMS_MAX];
    struct milter_step_result r;

    if (cipher.len > 0 && !str_split(&cipher, ' ', &version))
        version = STR("");
    struct milter_client client = client_of(s, a);
    const struct str connect[] = {NAME("j"),
                                  smtp_world->config->host,
                                  NAME("{daemon_name}"),
                                  STR("godwit"),
                                  NAME("v"),
                                  STR("Godwit " GODWIT_VERSION),
                                  NAME("_"),
                                  client.name,
                                  NAME("{client_addr}"),
                                  client.address,
                                  NAME("{if_addr}"),
                                  conn_local(s->conn)};
    const struct str helo[] = {NAME("{tls_version}"), version, NAME("{cipher}"), cipher};
    const struct str mail[] = {NAME("i"),
                               smtp_milter_id(s, a),
                               NAME("{mail_addr}"),
                               s->mail.said.sender,
                               NAME("{mail_mailer}"),
                               STR("smtp"),
                               NAME("{auth_type}"),
                               s->account != 0 ? STR("SASL") : STR(""),
                               NAME("{auth_authen}"),
                               s->account != 0 ? s->address : STR("")};
    struct milter_greeting g = {.client = client,
                                .helo = s->helo,
                                .sender = s->mail.said.sender,
                                .params = params,
                                .param_count = params_of(args, params),
                                .on_connect = {connect, COUNT_OF(connect)},
                                .on_helo = {helo, COUNT_OF(helo)},
                                .on_mail = {mail, COUNT_OF(mail)}};
    r.st = milter_begin(m, &g, &r.verdict);
    return smtp_milter_settle(s, m, "mail", &r);
}

struct smtp_reply
smtp_milters_mail(struct smtp_session *s, struct str args)
{
    const struct config *c = smtp_world->config;
    struct smtp_reply no = {0};

    if (!smtp_is_judged(s, FILTER_MILTER))
        return no;
    s->mail.milters = MEM_NEW(struct smtp_milters);
    struct smtp_milters *all = s->mail.milters;
    all->args = arena_str(s->mail.arena, args);
    if (!smtp_holder_take(s, &all->holder)) {
        smtp_milters_drop(s);
        return smtp_holders_full;
    }
    for (size_t i = 0; i < c->filter_count && all->count < MILTERS_MAX && no.code == 0; i++) {
        const struct config_filter *f = &c->filters[i];
        if (f->kind != FILTER_MILTER || !smtp_filter_applies(s, f) || s->mail.judged.discard)
            continue;
        struct milter *m = &all->at[all->count++];
        milter_init(m, f);
        no = begin(s, m, args);
    }
    return no;
}

/* ---- RCPT, DATA ---- */

static SUSPENDS struct smtp_reply
say_rcpt(struct smtp_session *s, struct milter *m, struct str rcpt)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    const struct str macros[] = {NAME("i"), smtp_milter_id(s, a),  NAME("{rcpt_addr}"),
                                 rcpt,      NAME("{rcpt_mailer}"), STR("local")};
    const struct milter_recipient to = {rcpt, false, {macros, COUNT_OF(macros)}};
    struct milter_step_result r;

    r.st = milter_rcpt(m, &to, &r.verdict);
    return smtp_milter_settle(s, m, "rcpt", &r);
}

static SUSPENDS struct smtp_reply
say_data(struct smtp_session *s, struct milter *m)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    const struct str macros[] = {NAME("i"), smtp_milter_id(s, a)};
    const struct milter_macros with = {macros, COUNT_OF(macros)};
    struct milter_step_result r;

    r.st = milter_data(m, &with, &r.verdict);
    return smtp_milter_settle(s, m, "data", &r);
}

struct smtp_reply
smtp_milters_rcpt(struct smtp_session *s, struct str rcpt)
{
    struct smtp_milters *all = s->mail.milters;
    struct smtp_reply no = smtp_milters_resume(s);

    for (size_t i = 0; all != NULL && i < all->count && no.code == 0; i++)
        if (!s->mail.judged.discard)
            no = say_rcpt(s, &all->at[i], rcpt);
    return no;
}

void
smtp_milters_refused(struct smtp_session *s, struct str rcpt, const struct smtp_reply *no)
{
    struct smtp_milters *all = s->mail.milters;

    if (all == NULL || all->parked) /* it says no word, so nothing is begun for it */
        return;
    const struct str macros[] = {NAME("{rcpt_addr}"),  str_of(no->text),      NAME("{rcpt_host}"),
                                 str_of(no->enhanced), NAME("{rcpt_mailer}"), STR("error")};
    const struct milter_recipient to = {rcpt, true, {macros, COUNT_OF(macros)}};
    for (size_t i = 0; i < all->count; i++) {
        enum milter_verdict ignored;
        if (milter_rcpt(&all->at[i], &to, &ignored) != OK)
            continue; /* whoever comes next finds it out of the game */
    }
}

struct smtp_reply
smtp_milters_data(struct smtp_session *s)
{
    struct smtp_milters *all = s->mail.milters;
    struct smtp_reply no = smtp_milters_resume(s);

    for (size_t i = 0; all != NULL && i < all->count && no.code == 0; i++)
        if (!s->mail.judged.discard)
            no = say_data(s, &all->at[i]);
    return no;
}

/* ---- a client that is silent ---- */

int64_t
smtp_milters_patience(const struct smtp_session *s)
{
    const struct smtp_milters *all = s->mail.milters;
    int64_t most = 0;

    for (size_t i = 0; all != NULL && i < all->count; i++)
        if (all->at[i].link != NULL)
            most = MAX(most, (int64_t)all->at[i].filter->timeout_s * MILTERS_PATIENCE * 1000);
    return most;
}

void
smtp_milters_park(struct smtp_session *s)
{
    struct smtp_milters *all = s->mail.milters;

    if (all == NULL || all->parked)
        return;
    all->parked = true;
    smtp_holder_release(&all->holder);
    for (size_t i = 0; i < all->count; i++) {
        struct milter *m = &all->at[i];
        if (m->link == NULL)
            continue;
        all->waits[i] = all->waits[i] || !m->over;
        milter_done(m);
    }
}

/* All that it heard of this message, once more. */
static SUSPENDS struct smtp_reply
hear_again(struct smtp_session *s, struct milter *m)
{
    const struct config_filter *f = m->filter;

    milter_drop(m);
    milter_init(m, f);
    struct smtp_reply no = begin(s, m, s->mail.milters->args);
    for (size_t i = 0; i < s->mail.rcpt_count && no.code == 0 && !s->mail.judged.discard; i++)
        no = say_rcpt(s, m, s->mail.rcpts[i].address);
    if (no.code == 0 && s->mail.body != NULL && !s->mail.judged.discard)
        no = say_data(s, m);
    return no;
}

/* What says no now is asked again with the next command: nothing gets past it. */
struct smtp_reply
smtp_milters_resume(struct smtp_session *s)
{
    struct smtp_milters *all = s->mail.milters;
    struct smtp_reply no = {0};

    if (all == NULL || !all->parked)
        return no;
    if (!smtp_holder_take(s, &all->holder))
        return smtp_holders_full;
    all->parked = false;
    for (size_t i = 0; i < all->count && no.code == 0; i++) {
        if (!all->waits[i] || s->mail.judged.discard)
            continue;
        no = hear_again(s, &all->at[i]);
        all->waits[i] = no.code != 0;
    }
    if (no.code != 0)
        smtp_milters_park(s);
    return no;
}

/* ---- the end ---- */

void
smtp_milters_done(struct smtp_session *s)
{
    struct smtp_milters *all = s->mail.milters;

    for (size_t i = 0; all != NULL && i < all->count; i++)
        milter_done(&all->at[i]);
    smtp_milters_drop(s);
}

void
smtp_milters_drop(struct smtp_session *s)
{
    struct smtp_milters *all = s->mail.milters;

    for (size_t i = 0; all != NULL && i < all->count; i++)
        milter_drop(&all->at[i]);
    if (all != NULL)
        smtp_holder_release(&all->holder);
    mem_free(all);
    s->mail.milters = NULL;
}
