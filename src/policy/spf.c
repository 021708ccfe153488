/* spf.c - check_host() of RFC 7208: which record, which term of it, and what that means.
 *
 * Includes nest; a level of `struct spf_check` each, instead of a call each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/spf.h"

#include "base/encode.h"
#include "base/size.h"
#include "mail/domain.h"
#include "policy/spf_internal.h"
#include "rt/clock.h"

/* A record, and the addresses of ten MX, for each term that asks; the client's names; an explanation. */
enum { ARENA_BYTES = (LIMIT_SPF_TERMS + 3) * (LIMIT_SPF_NAMES + 3) * (256 << 10) };

static SUSPENDS enum status evaluate(struct spf_check *c, enum spf_result *out);
static SUSPENDS enum status explain(struct spf_check *c, struct arena *a, struct str *out);

/* ---- who is asked about ---- */

/* RFC 7208 section 4.3: labels that a host's name can have, and more than one of them; else nobody is asked. */
static bool
read_domain(struct str text, struct arena *a, struct str *out)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);

    if (str_ends(text, STR(".")))
        text.len--;
    if (text.len > DOMAIN_MAX || str_find(text, '.') < 0)
        return false;
    if (!str_is_ascii(text)) {
        if (domain_normalise(text, &normal) != OK)
            return false;
        *out = arena_str(a, buf_str(&normal));
        return true;
    }
    size_t label = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '.' && c != '-' && c != '_' && !ascii_is_alnum(c))
            return false;
        if (c == '.' && label == 0)
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    *out = text;
    return label > 0;
}

/* From the question to what macros stand for; false: there is nobody to ask about. */
static bool
fill_values(struct spf_check *c, const struct spf_question *q)
{
    struct spf_values *v = &c->values;
    ssize_t at = str_rfind(q->from, '@');

    v->client = q->client;
    v->helo = str_sub(q->helo, 0, LIMIT_SPF_VALUE_BYTES);
    v->host = str_sub(q->host, 0, DOMAIN_MAX);
    v->now_s = q->now_s;
    v->local = at > 0 ? str_sub(q->from, 0, (size_t)at) : STR("postmaster"); /* positive */
    struct str domain = q->from.len == 0 ? q->helo : str_skip(q->from, (size_t)(at + 1));
    if (v->local.len > LIMIT_LOCAL_PART_BYTES || !read_domain(domain, c->a, &domain))
        return false;
    v->sender_domain = v->domain = domain;
    return true;
}

/* ---- the record of a domain ---- */

struct spf_level *
spf_top(struct spf_check *c)
{
    ASSERT(c->depth > 0);
    return &c->levels[c->depth - 1];
}

/* Where a domain-spec leads to need not look like a host, but like a name of several labels. */
static bool
is_askable(struct str domain)
{
    return domain.len <= DOMAIN_MAX && str_find(domain, '.') > 0;
}

/* ERR_NOT_FOUND: it has none. */
static SUSPENDS enum status
fetch_record(struct spf_check *c, struct str domain, struct spf_level *out)
{
    struct dns_records texts;
    struct spf_level level = {.domain = domain};
    struct str found = STR_NONE;

    if (!is_askable(domain))
        return ERR_NOT_FOUND;
    TRY(spf_ask(c, domain, DNS_TYPE_TXT, &texts));
    for (size_t i = 0; i < texts.count; i++) {
        if (!spf_record_is(texts.data[i]))
            continue;
        if (found.ptr != NULL) {
            problem_set(&c->why, 0, "", "%.*s has more than one record of SPF", STR_FMT(domain));
            return ERR_SYNTAX;
        }
        found = texts.data[i];
    }
    if (found.ptr == NULL)
        return ERR_NOT_FOUND;
    enum status e = spf_record_read(found, c->a, &level.record, &c->why);
    if (e != OK) {
        c->decided_by = domain;
        return e;
    }
    *out = level;
    return OK;
}

enum status
spf_target(struct spf_check *c, struct str domain, struct str *out)
{
    c->values.domain = spf_top(c)->domain;
    if (domain.len == 0) {
        *out = c->values.domain;
        return OK;
    }
    TRY(spf_fill_validated(c, domain, true));
    enum status e = spf_macro_target(domain, &c->values, c->a, out);
    if (e == ERR_LIMIT)
        problem_set(&c->why, 0, "", "a name with macros becomes too long");
    return e;
}

/* ---- evaluating ---- */

/* The domain that include or redirect names: its record is the next to be evaluated.  It must have one. */
static SUSPENDS enum status
follow(struct spf_check *c, struct str domain, struct spf_level *out)
{
    struct str target;

    TRY(spf_count_term(c));
    TRY(spf_target(c, domain, &target));
    enum status e = fetch_record(c, target, out);
    if (e != ERR_NOT_FOUND)
        return e;
    problem_set(&c->why, 0, "", "%.*s has no record of SPF, and %.*s relies on it", STR_FMT(target),
                STR_FMT(spf_top(c)->domain));
    return ERR_SYNTAX;
}

/* What a record has come to: the result of the check, or of the include that wanted it (RFC 7208 section 5.2).
 * False: go on with the next term. */
static bool
leave(struct spf_check *c, enum spf_result result, enum spf_result *out)
{
    while (c->depth > 1) {
        c->depth--;
        const struct spf_level *outer = spf_top(c);
        if (result != SPF_PASS) {
            c->mechanism = c->decided_by = STR("");
            return false;
        }
        result = outer->record.terms[outer->at - 1].result;
    }
    *out = result;
    return true;
}

/* One term, or what follows the last.  done: *out is the result of the check. */
static SUSPENDS enum status
step(struct spf_check *c, bool *done, enum spf_result *out)
{
    struct spf_level *top = spf_top(c), next;
    bool matches = false;

    if (top->at == top->record.count && top->record.redirect.len > 0) {
        TRY(follow(c, top->record.redirect, &next));
        *top = next;
        return OK;
    }
    if (top->at == top->record.count) {
        *done = leave(c, SPF_NEUTRAL, out);
        return OK;
    }
    const struct spf_term *t = &top->record.terms[top->at++];
    if (t->mechanism == SPF_INCLUDE) {
        TRY(follow(c, t->domain, &next));
        ASSERT(c->depth < COUNT_OF(c->levels));
        c->levels[c->depth++] = next;
        return OK;
    }
    TRY(spf_match(c, t, &matches));
    if (matches) {
        c->mechanism = t->text;
        c->decided_by = top->domain;
        *done = leave(c, t->result, out);
    }
    return OK;
}

static SUSPENDS enum status
evaluate(struct spf_check *c, enum spf_result *out)
{
    bool done = false;

    enum status e = fetch_record(c, c->values.domain, &c->levels[0]);
    if (e == ERR_NOT_FOUND) {
        problem_set(&c->why, 0, "", "%.*s has no record of SPF", STR_FMT(c->values.domain));
        *out = SPF_NONE;
        return OK;
    }
    TRY(e);
    c->depth = 1;
    while (!done)
        TRY(step(c, &done, out));
    return OK;
}

/* ---- explaining ---- */

static bool
is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    return true;
}

/* RFC 7208 section 6.2: of the first record, or of that which it redirects to.  Whatever is wrong, there is none. */
static SUSPENDS enum status
explain(struct spf_check *c, struct arena *a, struct str *out)
{
    AUTO_BUF text = BUF(LIMIT_SPF_EXPANDED_BYTES);
    struct str spec = spf_top(c)->record.explanation, target;
    struct dns_records texts;

    if (spec.len == 0)
        return ERR_NOT_FOUND;
    c->values.domain = spf_top(c)->domain;
    TRY(spf_fill_validated(c, spec, false));
    TRY(spf_macro_target(spec, &c->values, c->a, &target));
    TRY(spf_ask(c, target, DNS_TYPE_TXT, &texts));
    if (texts.count != 1 || !spf_macro_is_text(texts.data[0]))
        return ERR_NOT_FOUND;
    TRY(spf_fill_validated(c, texts.data[0], false));
    TRY(spf_macro_expand(texts.data[0], &c->values, &text));
    if (text.len == 0 || !is_printable(buf_str(&text)))
        return ERR_SYNTAX;
    *out = arena_str(a, str_sub(buf_str(&text), 0, LIMIT_SPF_EXPLANATION_BYTES));
    return OK;
}

/* ---- the call ---- */

static struct str
keep(struct arena *a, struct str s)
{
    return s.len == 0 ? STR("") : arena_str(a, s);
}

static enum spf_result
result_of(enum status e, enum spf_result result)
{
    switch (e) {
    case OK: return result;
    case ERR_SYNTAX:
    case ERR_LIMIT: return SPF_PERMERROR;
    default: return SPF_TEMPERROR;
    }
}

static void
fill_answer(const struct spf_check *c, enum spf_result result, struct arena *a,
            struct spf_answer *out)
{
    bool failed = result == SPF_NONE || result == SPF_TEMPERROR || result == SPF_PERMERROR;
    struct str by = c->decided_by;

    if (by.len == 0 && failed && c->depth > 0)
        by = c->levels[c->depth - 1].domain;
    *out = (struct spf_answer){
        .result = result,
        .domain = keep(a, c->values.sender_domain),
        .mechanism = failed ? STR("") : keep(a, c->mechanism),
        .decided_by = keep(a, by),
        .explanation = STR(""),
        .problem = failed ? keep(a, str_of(c->why.text)) : STR(""),
        .terms = MIN(c->terms, (unsigned)LIMIT_SPF_TERMS),
        .secure = c->asked && c->secure,
    };
}

enum status
spf_check(struct resolver *r, const struct spf_question *q, struct arena *a, struct spf_answer *out)
{
    AUTO_ARENA *scratch = arena_new(ARENA_BYTES);
    struct spf_check *c = ARENA_NEW(scratch, struct spf_check);
    int64_t budget_ms = q->budget_ms > 0 ? q->budget_ms : (int64_t)LIMIT_SPF_S * 1000;
    enum spf_result result = SPF_NONE;
    enum status e = OK;

    ASSERT(subnet_is_address(&q->client));
    c->resolver = r;
    c->a = scratch;
    c->until_ms = clock_mono_ms() + budget_ms;
    if (fill_values(c, q))
        e = evaluate(c, &result);
    else
        problem_set(&c->why, 0, "", "there is no domain to ask about");
    if (e == ERR_CANCELLED)
        return e;
    struct spf_answer answer;
    fill_answer(c, result_of(e, result), a, &answer);
    if (e == OK && result == SPF_FAIL && explain(c, a, &answer.explanation) == ERR_CANCELLED)
        return ERR_CANCELLED;
    *out = answer;
    return OK;
}
