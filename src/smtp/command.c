/* command.c - see command.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/command.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "mail/address.h"

#define SECOND_US INT64_C(1000000)

enum { ENVID_MAX = 100, ORCPT_MAX = 500 }; /* RFC 3461 sections 4.4 and 4.2 */

void
smtp_line_split(struct str line, struct str *verb_out, struct str *args_out)
{
    ssize_t space = str_find(line, ' ');

    *verb_out = space < 0 ? line : str_sub(line, 0, (size_t)space);
    *args_out = space < 0 ? STR_NONE : str_trim(str_skip(line, (size_t)space));
}

/* ---- values of parameters ---- */

/* What one command has said so far. */
struct reading {
    struct arena *arena;
    bool utf8;
    struct instant now;
    struct smtp_mail mail;
    struct smtp_rcpt rcpt;
};

/* size-value = 1*20DIGIT      RFC 1870 section 3 */
static bool
param_size(struct reading *r, struct str value)
{
    struct scan in = scan_of(value);

    return value.len <= 20 && scan_u64(&in, UINT64_MAX, &r->mail.size) && scan_at_end(&in);
}

/* 8BITMIME (RFC 6152): every byte is carried as it is, so both values say the same to us. */
static bool
param_body(struct reading *r, struct str value)
{
    r->mail.binary = str_eq_nocase(value, STR("BINARYMIME"));
    return r->mail.binary || str_eq_nocase(value, STR("7BIT")) ||
           str_eq_nocase(value, STR("8BITMIME"));
}

/* RFC 6531 section 3.4: no value. */
static bool
param_smtputf8(struct reading *r, struct str value)
{
    r->mail.smtputf8 = value.len == 0;
    return r->mail.smtputf8;
}

/* RFC 4954 section 5: taken, and not believed. */
static bool
param_auth(struct reading *r, struct str value)
{
    AUTO_BUF decoded = BUF(LIMIT_SMTP_PARAM_BYTES);

    (void)r;
    return value.len > 0 && xtext_decode(value, &decoded) == OK;
}

static bool
param_ret(struct reading *r, struct str value)
{
    r->mail.full_return = str_eq_nocase(value, STR("FULL"));
    return r->mail.full_return || str_eq_nocase(value, STR("HDRS"));
}

/* xtext of printable ASCII: what it says ends up in a field of a report. */
static bool
is_printable_xtext(struct str value)
{
    AUTO_BUF decoded = BUF(LIMIT_SMTP_PARAM_BYTES);

    if (xtext_decode(value, &decoded) != OK)
        return false;
    for (size_t i = 0; i < decoded.len; i++)
        if (decoded.ptr[i] < ' ' || decoded.ptr[i] > '~')
            return false;
    return decoded.len > 0;
}

static bool
param_envid(struct reading *r, struct str value)
{
    if (value.len > ENVID_MAX || !is_printable_xtext(value))
        return false;
    r->mail.envid = arena_str(r->arena, value);
    return true;
}

/* RFC 4865 section 4.2: one of the two, and once. */
static bool
param_holdfor(struct reading *r, struct str value)
{
    struct smtp_terms *t = &r->mail.terms;
    uint32_t seconds;

    if (t->hold_asked.len > 0 || !smtp_hold_for_read(value, &seconds))
        return false;
    t->hold_until.us = r->now.us + seconds * SECOND_US;
    t->hold_asked = arena_printf(r->arena, "for;%u", seconds);
    return true;
}

static bool
param_holduntil(struct reading *r, struct str value)
{
    struct smtp_terms *t = &r->mail.terms;

    if (t->hold_asked.len > 0 || !smtp_hold_until_read(value, &t->hold_until))
        return false;
    t->hold_asked = arena_printf(r->arena, "until;%.*s", STR_FMT(value));
    return true;
}

static bool
param_by(struct reading *r, struct str value)
{
    struct smtp_terms *t = &r->mail.terms;
    struct smtp_by by;

    if (!smtp_by_read(value, &by))
        return false;
    t->by_mode = by.mode;
    t->by.us = r->now.us + by.seconds * SECOND_US;
    t->by_trace = by.trace;
    return true;
}

/* Whether who says it may is not known here. */
static bool
param_priority(struct reading *r, struct str value)
{
    struct smtp_terms *t = &r->mail.terms;

    t->has_priority = smtp_priority_read(value, &t->priority);
    return t->has_priority;
}

/* RFC 8689 section 2: no value. */
static bool
param_requiretls(struct reading *r, struct str value)
{
    r->mail.terms.require_tls = value.len == 0;
    return r->mail.terms.require_tls;
}

/* "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY")      RFC 3461 section 4.1 */
static bool
param_notify(struct reading *r, struct str value)
{
    static const struct {
        struct str name;
        uint32_t bit;
    } words[] = {{STR("NEVER"), NOTIFY_NEVER},
                 {STR("SUCCESS"), NOTIFY_SUCCESS},
                 {STR("FAILURE"), NOTIFY_FAILURE},
                 {STR("DELAY"), NOTIFY_DELAY}};
    struct str word;
    uint32_t bits = 0;

    while (str_split(&value, ',', &word)) {
        uint32_t bit = 0;
        for (size_t i = 0; i < COUNT_OF(words); i++)
            if (str_eq_nocase(word, words[i].name))
                bit = words[i].bit;
        if (bit == 0)
            return false;
        bits |= bit;
    }
    r->rcpt.notify = bits;
    return bits != 0 && ((bits & NOTIFY_NEVER) == 0 || bits == NOTIFY_NEVER);
}

/* original-recipient-address = atom ";" xtext      RFC 3461 section 4.2
 * utf-8-addr-unitext stands as it is, where SMTPUTF8 was said: RFC 6533 section 3.  The form for others,
 * utf-8-addr-xtext, is made of printable ASCII and travels as any xtext. */
static bool
param_orcpt(struct reading *r, struct str value)
{
    struct str rest = value, type;

    if (value.len > ORCPT_MAX || !str_split(&rest, ';', &type) || type.len == 0 ||
        !(is_printable_xtext(rest) ||
          (r->utf8 && rest.len > 0 && !str_is_ascii(rest) && str_eq_nocase(type, STR("utf-8")))))
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (!ascii_is_alnum(type.ptr[i]) && type.ptr[i] != '-')
            return false;
    r->rcpt.orcpt = arena_str(r->arena, value);
    return true;
}

/* ---- commands ---- */

/* To whom a parameter is announced. */
enum audience { ANYBODY, USERS, OURS };
struct param_rule {
    struct str key;
    enum audience whom;
    bool (*read)(struct reading *r, struct str value);
};
/* A command with a path and parameters. */
struct grammar {
    struct str word;
    unsigned path_flags;
    const char *path_code, *expected;
    const struct param_rule *params;
    size_t param_count;
};
static const struct param_rule mail_params[] = {
    {STR("SIZE"), ANYBODY, param_size},
    {STR("BODY"), ANYBODY, param_body},
    {STR("AUTH"), ANYBODY, param_auth},
    {STR("RET"), USERS, param_ret},
    {STR("ENVID"), USERS, param_envid},
    {STR("SMTPUTF8"), ANYBODY, param_smtputf8},
    {STR("HOLDFOR"), USERS, param_holdfor},
    {STR("HOLDUNTIL"), USERS, param_holduntil},
    {STR("BY"), OURS, param_by},
    {STR("MT-PRIORITY"), ANYBODY, param_priority},
    {STR("REQUIRETLS"), ANYBODY, param_requiretls},
};
static const struct param_rule rcpt_params[] = {
    {STR("NOTIFY"), USERS, param_notify},
    {STR("ORCPT"), USERS, param_orcpt},
};
/* "FROM:" Reverse-path [SP Mail-parameters]      RFC 5321 section 4.1.1.2 */
static const struct grammar mail_grammar = {
    .word = STR("FROM:"),
    .path_flags = PATH_REVERSE,
    .path_code = "5.1.7",
    .expected = "Expected MAIL FROM:<address>",
    .params = mail_params,
    .param_count = COUNT_OF(mail_params),
};
/* "TO:" Forward-path [SP Rcpt-parameters]      RFC 5321 section 4.1.1.3 */
static const struct grammar rcpt_grammar = {
    .word = STR("TO:"),
    .path_code = "5.1.3",
    .expected = "Expected RCPT TO:<address>",
    .params = rcpt_params,
    .param_count = COUNT_OF(rcpt_params),
};

/* A path as text, in the arena; a postmaster without a domain is that of whoever is asked (section 4.5.1). */
static MUST_USE enum status
path_text(const struct path *p, const struct smtp_dialect *d, struct arena *a, struct str *out)
{
    AUTO_BUF text = BUF(LIMIT_SMTP_PATH_BYTES);

    path_write(&text, p);
    if (p->kind == PATH_POSTMASTER) {
        buf_add_char(&text, '@');
        buf_add(&text, d->domain);
    }
    TRY(buf_status(&text));
    *out = text.len == 0 ? STR("") : arena_str(a, buf_str(&text));
    return OK;
}

static bool
is_announced(enum audience whom, const struct smtp_dialect *d)
{
    return whom == ANYBODY || (whom == OURS ? d->ours : d->submission);
}

static MUST_USE enum status
read_param(struct reading *r, const struct grammar *g, const struct smtp_dialect *d,
           const struct esmtp_param *p, unsigned *seen)
{
    for (size_t i = 0; i < g->param_count; i++) {
        if (!str_eq_nocase(p->key, g->params[i].key) || !is_announced(g->params[i].whom, d))
            continue;
        bool again = (*seen & 1u << i) != 0;
        *seen |= 1u << i;
        return !again && g->params[i].read(r, p->value) ? OK : ERR_SYNTAX;
    }
    return ERR_NOT_FOUND;
}

static MUST_USE enum status
read_params(struct scan *in, struct reading *r, const struct grammar *g,
            const struct smtp_dialect *d, struct problem *why)
{
    struct esmtp_param p;
    unsigned seen = 0;

    for (;;) {
        enum status e = esmtp_param_scan(in, &p);
        if (e == ERR_NOT_FOUND)
            return OK;
        if (e != OK) {
            problem_set(why, 501, "5.5.4", "These parameters cannot be read");
            return ERR_SYNTAX;
        }
        e = read_param(r, g, d, &p, &seen);
        if (e == ERR_NOT_FOUND)
            problem_set(why, 555, "5.5.4", "The parameter %.*s is not known here", STR_FMT(p.key));
        else if (e != OK)
            problem_set(why, 501, "5.5.4", "%.*s has no such value, or came twice", STR_FMT(p.key));
        TRY(e);
    }
}

static MUST_USE enum status
read_command(struct str args, const struct grammar *g, const struct smtp_dialect *d,
             struct reading *r, struct problem *why)
{
    struct scan in = scan_of(args);
    struct str *address = g == &mail_grammar ? &r->mail.sender : &r->rcpt.address;
    unsigned flags = g->path_flags | PATH_UTF8 | (d->submission ? PATH_LENIENT : 0u);
    struct path path;

    if (!scan_str_nocase(&in, g->word) || path_scan(&in, flags, r->arena, &path) != OK) {
        problem_set(why, 501, g->path_code, "%s", g->expected);
        return ERR_SYNTAX;
    }
    if (path_text(&path, d, r->arena, address) != OK) {
        problem_set(why, 501, g->path_code, "The address is too long");
        return ERR_LIMIT;
    }
    bool ascii = str_is_ascii(str_from(args.ptr, (size_t)(in.pos - args.ptr)));
    r->utf8 = d->utf8 && g == &rcpt_grammar; /* MAIL speaks for itself */
    TRY(read_params(&in, r, g, d, why));
    if (ascii || r->utf8 || r->mail.smtputf8)
        return OK;
    /* RFC 6531 section 3.5: domains too, since only who says SMTPUTF8 may write them so. */
    problem_set(why, 553, "5.6.7", "An address beyond ASCII needs SMTPUTF8 in MAIL");
    return ERR_SYNTAX;
}

/* What is well written, and yet not to be had. */
static MUST_USE enum status
check_terms(const struct smtp_terms *t, const struct smtp_dialect *d, struct problem *why)
{
    struct instant now = d->now;

    if (t->require_tls && !d->tls) {
        problem_set(why, 555, "5.5.4", "The parameter REQUIRETLS is not known here without TLS");
        return ERR_NOT_FOUND;
    }
    if (t->by_mode == SMTP_BY_RETURN && t->by.us < now.us + LIMIT_DELIVER_BY_MIN_S * SECOND_US)
        problem_set(why, 555, "5.5.4", "With R, BY is %d seconds at the least",
                    LIMIT_DELIVER_BY_MIN_S); /* RFC 2852 section 3 */
    else if (t->hold_asked.len > 0 && t->hold_until.us <= now.us)
        problem_set(why, 501, "5.5.4", "The time of HOLDUNTIL is over");
    else if (t->hold_asked.len > 0 &&
             t->hold_until.us > now.us + LIMIT_FUTURE_RELEASE_S * SECOND_US)
        problem_set(why, 501, "5.5.4", "A message is held for %d seconds at the most",
                    LIMIT_FUTURE_RELEASE_S);
    else if (t->hold_asked.len > 0 && t->by_mode != SMTP_BY_NONE &&
             t->hold_until.us > t->by.us) /* RFC 4865 section 5.2.2 */
        problem_set(why, 501, "5.5.4", "The message would be held until after the time of BY");
    else
        return OK;
    return ERR_LIMIT;
}

enum status
smtp_mail_read(struct str args, const struct smtp_dialect *d, struct arena *a,
               struct smtp_mail *out, struct problem *why)
{
    struct reading r = {.arena = a, .now = d->now};

    TRY(read_command(args, &mail_grammar, d, &r, why));
    TRY(check_terms(&r.mail.terms, d, why));
    *out = r.mail;
    return OK;
}

enum status
smtp_rcpt_read(struct str args, const struct smtp_dialect *d, struct arena *a,
               struct smtp_rcpt *out, struct problem *why)
{
    struct reading r = {.arena = a};

    TRY(read_command(args, &rcpt_grammar, d, &r, why));
    *out = r.rcpt;
    return OK;
}

/* chunk-size = 1*20DIGIT */
enum status
smtp_bdat_read(struct str args, uint64_t *size_out, bool *last_out)
{
    struct str size, mark;
    uint64_t n;

    smtp_line_split(args, &size, &mark);
    struct scan in = scan_of(size);
    if (size.len > 20 || !scan_u64(&in, UINT64_MAX, &n) || !scan_at_end(&in) ||
        (mark.len > 0 && !str_eq_nocase(mark, STR("LAST"))))
        return ERR_SYNTAX;
    *size_out = n;
    *last_out = mark.len > 0;
    return OK;
}
