/* scanners.c - see scanners.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/scanners.h"

#include <stdio.h>

#include "base/size.h"
#include "filter/scanner.h"
#include "smtp/holders.h"
#include "smtp/letter.h"

enum { ANSWER_ARENA = 1 << 20, POINTS_TEXT = 24, TESTS_SHOWN = 400 };

#define FIELD "X-Spam-Status"

static const char *const wish_names[SCANNER_WISHES] = {
    [SCANNER_FINE] = "pass",   [SCANNER_JUNK] = "junk",     [SCANNER_HOLD] = "hold",
    [SCANNER_DEFER] = "defer", [SCANNER_REFUSE] = "refuse", [SCANNER_DISCARD] = "discard",
};

bool
smtp_is_scanned(const struct smtp_session *s)
{
    return smtp_is_judged(s, FILTER_SPAMD) || smtp_is_judged(s, FILTER_CLAMD) ||
           smtp_is_judged(s, FILTER_RSPAMD);
}

/* ---- asking ---- */

/* The scanner's failure is in *st; the returned one is the spool's. */
static SUSPENDS enum status
show(struct letter *l, struct scanner *sc, enum status *st)
{
    for (size_t i = 0; *st == OK && i < l->fields.count; i++)
        *st = scanner_bytes(sc, l->fields.at[i].whole);
    if (*st == OK && (l->fields.ended || l->changed))
        *st = scanner_bytes(sc, STR("\r\n"));
    for (uint64_t at = l->at; *st == OK && !sc->deaf;) {
        AUTO_ARENA *a = arena_new(2 * (size_t)LETTER_PIECE);
        struct str piece;
        TRY(smtp_body_read(l->body, at, LETTER_PIECE, a, &piece));
        if (piece.len == 0)
            break;
        at += piece.len;
        *st = scanner_bytes(sc, piece);
    }
    return OK;
}

static struct scanner_mail
mail_of(const struct letter *l, struct arena *a)
{
    const struct smtp_session *s = l->s;
    struct str *rcpts = ARENA_ARRAY(a, struct str, s->mail.rcpt_count);

    for (size_t i = 0; i < s->mail.rcpt_count; i++)
        rcpts[i] = s->mail.rcpts[i].address;
    return (struct scanner_mail){
        .size = letter_size(l),
        .id = arena_printf(a, "%016llx", (unsigned long long)s->mail.tid),
        .client = conn_is_unix(s->conn) ? STR("") : conn_peer(s->conn),
        .helo = s->helo,
        .sender = s->mail.said.sender,
        .user = s->account != 0 ? s->address : STR(""),
        .rcpts = rcpts,
        .rcpt_count = s->mail.rcpt_count,
    };
}

/* ---- obeying ---- */

static const char *
points_text(int32_t points, char text[POINTS_TEXT])
{
    int32_t n = points < 0 ? -points : points;

    snprintf(text, POINTS_TEXT, "%s%d.%02d", points < 0 ? "-" : "", n / 100, n % 100);
    return text;
}

/* What the line of the configuration makes of the score goes before what the scanner makes of it. */
static enum scanner_wish
decide(const struct config_filter *f, const struct scanner_answer *said)
{
    enum scanner_wish wish = said->wish;

    if (said->has_score && f->has_junk_at && wish <= SCANNER_JUNK)
        wish = said->score >= f->junk_at ? SCANNER_JUNK : SCANNER_FINE;
    if (said->has_score && f->has_refuse_at && said->score >= f->refuse_at && wish < SCANNER_REFUSE)
        wish = SCANNER_REFUSE;
    return wish;
}

static enum status
add_status(struct letter *l, const struct scanner_answer *said, enum scanner_wish wish)
{
    char score[POINTS_TEXT], required[POINTS_TEXT];

    if (!said->has_score)
        return OK;
    struct str value = arena_printf(
        l->arena, "%s, score=%s required=%s tests=%.*s", wish == SCANNER_FINE ? "No" : "Yes",
        points_text(said->score, score), points_text(said->required, required),
        STR_FMT(said->tests.len > 0 ? str_sub(said->tests, 0, TESTS_SHOWN) : STR("none")));
    const struct field_text t = {.name = STR(FIELD), .value = value};
    return letter_too_large(l, fields_insert(&l->fields, 0, &t));
}

static struct smtp_reply
reply_of(struct smtp_session *s, const struct config_filter *f, const struct scanner_answer *said,
         enum scanner_wish wish)
{
    AUTO_ARENA *a = arena_new(4096);
    char score[POINTS_TEXT];

    if (wish == SCANNER_DEFER)
        return smtp_verdict(s, 451, "4.7.1",
                            said->text.len > 0 ? said->text : STR("Not now, try again later"));
    if (wish != SCANNER_REFUSE)
        return (struct smtp_reply){0};
    if (f->kind == FILTER_CLAMD)
        return smtp_verdict(s, 550, "5.7.1",
                            arena_printf(a, "The message has a virus: %.*s", STR_FMT(said->text)));
    if (said->text.len > 0)
        return smtp_verdict(s, 550, "5.7.1", said->text);
    return smtp_verdict(
        s, 550, "5.7.1",
        arena_printf(a, "This looks like spam (%s points)", points_text(said->score, score)));
}

static enum status
obey(struct letter *l, const struct config_filter *f, const struct scanner_answer *said,
     struct smtp_reply *out)
{
    AUTO_ARENA *a = arena_new(8192);
    struct smtp_judgement *j = &l->s->mail.judged;
    enum scanner_wish wish = decide(f, said);
    char score[POINTS_TEXT];

    *out = reply_of(l->s, f, said, wish);
    j->junk = j->junk || wish == SCANNER_JUNK;
    j->hold = j->hold || wish == SCANNER_HOLD;
    j->discard = j->discard || wish == SCANNER_DISCARD;
    struct str text = said->text;
    if (said->has_score)
        text = arena_printf(a, "score %s %.*s %.*s", points_text(said->score, score),
                            STR_FMT(said->tests), STR_FMT(said->text));
    const struct smtp_judged log = {.filter = f,
                                    .stage = "scan",
                                    .action = wish_names[wish],
                                    .code = out->code,
                                    .text = text,
                                    .rcpt = STR("")};
    if (said->has_score || wish != SCANNER_FINE)
        smtp_log_judged(l->s, &log);
    return out->code != 0 || j->discard ? OK : add_status(l, said, wish);
}

/* ---- one after the other ---- */

static SUSPENDS enum status
ask_one(struct letter *l, const struct config_filter *f, struct smtp_reply *out)
{
    AUTO_ARENA *a = arena_new(ANSWER_ARENA);
    AUTO(scanner_drop) struct scanner sc = {.filter = f, .why = ""};
    struct scanner_answer said;
    const struct scanner_mail m = mail_of(l, a);

    if (f->up_to != 0 && m.size > f->up_to)
        return OK;
    enum status st = scanner_begin(&sc, f, &m);
    TRY(show(l, &sc, &st));
    if (st == OK)
        st = scanner_end(&sc, a, &said);
    if (st == OK)
        return obey(l, f, &said, out);
    *out = smtp_judge_absent(l->s, f, "scan", st, sc.why);
    return OK;
}

/* Whoever sends mail could else say itself that it is none. */
static enum status
forget_status(struct letter *l)
{
    const struct field_text gone = {.name = STR(FIELD), .value = STR("")};
    size_t count = l->fields.count + 1;

    while (l->fields.count < count) {
        count = l->fields.count;
        TRY(fields_change(&l->fields, 1, &gone));
    }
    return OK;
}

enum status
smtp_scanners_end(struct smtp_session *s, struct smtp_reply *out)
{
    const struct config *c = smtp_world->config; /* an old one stays readable */
    struct smtp_holder holder = {0};

    *out = (struct smtp_reply){0};
    if (!smtp_is_scanned(s) || s->mail.judged.discard)
        return OK;
    /* Whom milters judge is counted already. */
    if (s->mail.milters == NULL && !smtp_holder_take(s, &holder)) {
        *out = smtp_holders_full;
        return OK;
    }
    AUTO_ARENA *a = arena_new(LETTER_ARENA);
    struct letter l = {.s = s, .arena = a, .body = s->mail.body};
    enum status st = letter_read(&l);
    if (st == OK)
        st = letter_too_large(&l, forget_status(&l));
    for (size_t i = 0; st == OK && i < c->filter_count && out->code == 0; i++) {
        const struct config_filter *f = &c->filters[i];
        bool scans = f->kind != FILTER_POLICY && f->kind != FILTER_MILTER;
        if (scans && smtp_filter_applies(s, f) && !s->mail.judged.discard)
            st = ask_one(&l, f, out);
    }
    if (st == OK && out->code == 0 && !s->mail.judged.discard)
        st = letter_renew(&l, false);
    letter_release(&l);
    smtp_holder_release(&holder);
    return st;
}
