/* milters_end.c - a message before its milters, and what they make of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "smtp/letter.h"
#include "smtp/milters_internal.h"
#include "smtp/scanners.h"

enum { BEFORE_BYTES = 1 << 20 };

static SUSPENDS enum status show(struct letter *l, struct milter *m, struct milter_step_result *r);
static SUSPENDS enum status take_changes(struct letter *l, struct milter *m,
                                         struct milter_step_result *r);

enum status
smtp_milters_end(struct smtp_session *s, struct smtp_reply *out)
{
    struct smtp_milters *all = s->mail.milters;

    *out = smtp_milters_resume(s);
    if (all == NULL || s->mail.judged.discard || out->code != 0)
        return OK;
    AUTO_ARENA *a = arena_new(LETTER_ARENA);
    struct letter l = {.s = s, .arena = a, .body = s->mail.body};
    enum status st = letter_read(&l);
    for (size_t i = 0; st == OK && i < all->count && out->code == 0; i++) {
        struct milter *m = &all->at[i];
        struct milter_step_result r = {0};
        if (s->mail.judged.discard || (m->over && !milter_failed(m)))
            continue;
        if (milter_failed(m))
            r.st = m->failure;
        else
            st = show(&l, m, &r);
        if (st == OK && r.st == OK && !m->over)
            st = take_changes(&l, m, &r);
        if (st == OK)
            *out = smtp_milter_settle(s, m, "end", &r);
    }
    if (st == OK && out->code == 0 && !s->mail.judged.discard)
        st = letter_renew(&l, smtp_is_scanned(s));
    letter_release(&l);
    return st;
}

static bool
is_fatal(enum status st)
{
    return st != OK && st != ERR_SYNTAX && st != ERR_DENIED;
}

/* ---- showing ---- */

static SUSPENDS bool
show_fields(struct letter *l, struct milter *m, struct milter_step_result *r)
{
    for (size_t i = 0; i < l->fields.count; i++) {
        const struct field *f = &l->fields.at[i];
        if (f->hidden || f->name.len == 0)
            continue;
        if (!milter_wants_headers(m))
            break;
        r->st = milter_header(m, f->name, f->value, &r->verdict);
        if (r->st != OK || r->verdict != MILTER_GOES_ON)
            return false;
    }
    return true;
}

/* A failure is the spool's; the milter's is in r. */
static SUSPENDS enum status
show_body(struct letter *l, struct milter *m, struct milter_step_result *r)
{
    for (uint64_t at = l->at; milter_wants_body(m);) {
        AUTO_ARENA *a = arena_new(2 * (size_t)LETTER_PIECE);
        struct str piece;
        TRY(smtp_body_read(l->body, at, MILTER_CHUNK_MAX, a, &piece));
        if (piece.len == 0)
            return OK;
        at += piece.len;
        r->st = milter_body(m, piece, &r->verdict);
        if (r->st != OK || r->verdict != MILTER_GOES_ON)
            return OK;
    }
    return OK;
}

static enum status
show(struct letter *l, struct milter *m, struct milter_step_result *r)
{
    AUTO_ARENA *a = arena_new(4096);
    const struct str words[] = {STR("i"), smtp_milter_id(l->s, a)};
    const struct milter_macros macros = {words, COUNT_OF(words)};

    if (!show_fields(l, m, r))
        return OK;
    r->st = milter_end_of_header(m, &macros, &r->verdict);
    if (r->st != OK || r->verdict != MILTER_GOES_ON)
        return OK;
    TRY(show_body(l, m, r));
    if (r->st == OK && !m->over)
        r->st = milter_end(m, &macros);
    return OK;
}

/* ---- changes ---- */

static enum status
change_field(struct letter *l, const struct milter *m, const struct milter_said *c)
{
    const struct field_text t = {c->name, c->value, (m->steps & MILTER_LEADING_SPACE) != 0};

    switch (c->what) {
    case MILTER_INSERT_HEADER: return fields_insert(&l->fields, c->index, &t);
    case MILTER_CHANGE_HEADER: return fields_change(&l->fields, c->index, &t);
    default: return fields_add(&l->fields, &t);
    }
}

static SUSPENDS enum status
change_body(struct letter *l, struct str piece)
{
    if (l->renewed == NULL) {
        l->renewed =
            smtp_body_new(l->body->store, STR_NONE, smtp_world->config->message_bytes_max, NULL);
        smtp_body_spool(l->renewed);
        smtp_body_mend(l->renewed);
    }
    struct scan in = scan_of(piece);
    smtp_body_feed(l->renewed, &in);
    return l->renewed->failed;
}

/* "<a@b.example>" or without the brackets. */
static struct str
bare(struct str address)
{
    address = str_trim(address);
    if (address.len >= 2 && address.ptr[0] == '<' && address.ptr[address.len - 1] == '>')
        address = str_sub(address, 1, address.len - 2);
    return address;
}

static enum status
change_sender(struct letter *l, struct str address)
{
    struct field *path = l->fields.at; /* our Return-Path */

    TRY(smtp_sender_change(l->s, address));
    if (l->fields.count > 0 && str_eq_nocase(path->name, STR("Return-Path"))) {
        path->whole =
            arena_printf(l->arena, "Return-Path: <%.*s>\r\n", STR_FMT(l->s->mail.said.sender));
        l->fields.changed = true;
    }
    return OK;
}

static SUSPENDS enum status
change_envelope(struct letter *l, const struct milter_said *c)
{
    struct str address = bare(c->value);

    switch (c->what) {
    case MILTER_CHANGE_FROM: return change_sender(l, address);
    case MILTER_DELETE_RCPT: smtp_rcpt_remove(l->s, address); return OK;
    default: return smtp_rcpt_add(l->s, address);
    }
}

static SUSPENDS enum status
make_change(struct letter *l, const struct milter *m, const struct milter_said *c)
{
    switch (c->what) {
    case MILTER_ADD_HEADER:
    case MILTER_INSERT_HEADER:
    case MILTER_CHANGE_HEADER: return change_field(l, m, c);
    case MILTER_REPLACE_BODY: return change_body(l, c->value);
    case MILTER_QUARANTINE: l->s->mail.judged.hold = true; return OK;
    default: return change_envelope(l, c);
    }
}

static void
log_change(const struct letter *l, const struct milter *m, const struct milter_said *c,
           enum status st)
{
    static const struct {
        enum milter_answer what;
        const char *action;
    } names[] = {
        {MILTER_ADD_RCPT, "add recipient"},
        {MILTER_ADD_RCPT_PAR, "add recipient"},
        {MILTER_DELETE_RCPT, "remove recipient"},
        {MILTER_CHANGE_FROM, "change sender"},
        {MILTER_QUARANTINE, "hold"},
    };
    struct smtp_judged log = {.filter = m->filter,
                              .stage = "end",
                              .action = st == OK ? "change" : "change refused",
                              .text = st == OK ? c->value : str_of(status_name(st))};

    for (size_t i = 0; st == OK && i < COUNT_OF(names); i++)
        if (names[i].what == c->what)
            log.action = names[i].action;
    bool header = c->name.len > 0 && c->what != MILTER_CHANGE_FROM;
    if (st != OK || !header)
        smtp_log_judged(l->s, &log);
}

/* A body that it wrote takes the place of the one before. */
static void
take_body(struct letter *l)
{
    if (l->renewed == NULL)
        return;
    if (l->body != l->s->mail.body)
        smtp_body_free(&l->body);
    l->renewed->complete = true;
    l->body = l->renewed;
    l->renewed = NULL;
    l->at = 0;
    l->changed = true;
}

/* What a milter may change, as it was before; the rest is never changed in place. */
struct before {
    struct fields fields;
    struct str sender;
    struct smtp_rcpt *rcpts;
    size_t rcpt_count;
    bool hold;
};

static struct before
remember(const struct letter *l, struct arena *a)
{
    const struct smtp_transaction *t = &l->s->mail;
    struct before b = {.fields = l->fields,
                       .sender = t->said.sender,
                       .rcpts = ARENA_ARRAY(a, struct smtp_rcpt, t->rcpt_count),
                       .rcpt_count = t->rcpt_count,
                       .hold = t->judged.hold};

    b.fields.at = ARENA_ARRAY(a, struct field, l->fields.count);
    mem_copy(b.fields.at, l->fields.at, l->fields.count * sizeof(*b.fields.at));
    mem_copy(b.rcpts, t->rcpts, t->rcpt_count * sizeof(*b.rcpts));
    return b;
}

static void
restore(struct letter *l, const struct before *b)
{
    struct smtp_transaction *t = &l->s->mail;
    struct fields *f = &l->fields;

    /* There is room, since a list only grows; what was spent stays spent: the arena has no less of it. */
    mem_copy(f->at, b->fields.at, b->fields.count * sizeof(*f->at));
    f->count = b->fields.count;
    f->changed = b->fields.changed;
    mem_copy(t->rcpts, b->rcpts, b->rcpt_count * sizeof(*t->rcpts));
    t->rcpt_count = b->rcpt_count;
    t->said.sender = b->sender;
    t->judged.hold = b->hold;
    smtp_body_free(&l->renewed);
}

/* What cannot be made is logged and left out; only what has no room, or the store's failure, ends the message. */
static SUSPENDS enum status
hear_changes(struct letter *l, struct milter *m, struct milter_step_result *r)
{
    struct milter_said change;
    bool more = true;

    for (l->changes = 0;;) {
        r->st = milter_change(m, &change, &more, &r->verdict);
        if (r->st != OK || !more)
            break;
        bool piece = change.what == MILTER_REPLACE_BODY && change.value.len > 0;
        l->changes += piece ? 0 : 1; /* the size of a body has its own limit */
        enum status st =
            l->changes <= LIMIT_MILTER_CHANGES ? make_change(l, m, &change) : ERR_LIMIT;
        if (!piece || st != OK)
            log_change(l, m, &change, st);
        if (is_fatal(st))
            return letter_too_large(l, st);
    }
    return OK;
}

static enum status
take_changes(struct letter *l, struct milter *m, struct milter_step_result *r)
{
    AUTO_ARENA *a = arena_new(BEFORE_BYTES);
    const struct before b = remember(l, a);

    TRY(hear_changes(l, m, r));
    if (r->st != OK) /* it died in the middle: half of its changes are none */
        restore(l, &b);
    if (l->renewed != NULL) {
        smtp_body_last(l->renewed);
        enum status st = smtp_body_finish(l->renewed);
        if (st != OK)
            return letter_too_large(l, st);
    }
    take_body(l);
    if (l->s->mail.rcpt_count == 0)
        l->s->mail.judged.discard = true; /* nobody is left to have it */
    return OK;
}
