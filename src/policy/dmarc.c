/* dmarc.c - the verdict of DMARC.  See dmarc.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc.h"

#include "mail/address_list.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "policy/dmarc_internal.h"

enum alignment { NOT_ALIGNED, ALIGNED, ALIGNMENT_UNKNOWN };

static void add_authors(struct dmarc_from *f, struct str value, struct arena *a);
static void add_hidden(struct dmarc_from *f, struct str text, struct arena *a);
static void judge_author(const struct dmarc_facts *f, const struct dmarc_answers *answers,
                         const struct dmarc_author *author, struct dmarc_verdict *v);
static void take_policy(const struct dmarc_author *author, const struct policy_source *source,
                        struct dmarc_verdict *v);
static bool weigh(const struct dmarc_facts *f, const struct dmarc_answers *answers, bool unsure,
                  struct dmarc_verdict *v);
static enum alignment align(const struct dmarc_facts *f, const struct dmarc_answers *answers,
                            const struct dmarc_identity *id, const struct dmarc_verdict *v,
                            bool unsure);
static enum dmarc_policy one_milder(enum dmarc_policy p);
static bool is_worse(const struct dmarc_verdict *a, const struct dmarc_verdict *b);

const char *
dmarc_result_name(enum dmarc_result r)
{
    static const char *const names[] = {"pass", "none", "permerror", "temperror", "fail"};

    ASSERT((size_t)r < sizeof(names) / sizeof(names[0]));
    return names[r];
}

const char *
dmarc_reason_name(enum dmarc_reason r)
{
    static const char *const names[] = {
        "aligned",      "not-aligned", "no-record",    "no-policy",  "record-fail",
        "auth-unknown", "no-author",   "many-authors", "bad-author",
    };

    ASSERT((size_t)r < sizeof(names) / sizeof(names[0]));
    return names[r];
}

void
dmarc_from_header(struct str header, struct arena *a, struct dmarc_from *out)
{
    struct header_cursor c = header_cursor_of(header);
    struct header_field field;

    ASSERT(a != NULL && out != NULL);
    *out = (struct dmarc_from){.count = 0};
    while (header_next_named(&c, STR("From"), &field)) {
        out->fields++;
        add_authors(out, field.value, a);
    }
    if (header.len > HEADER_BYTES_MAX || c.fields == HEADER_FIELDS_MAX)
        out->many = true; /* there may be more of them in what is not read */
}

static bool
is_in_domain(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

static void
add_authors(struct dmarc_from *f, struct str value, struct arena *a)
{
    AUTO_ADDRESS_CURSOR c;
    struct address address;

    address_cursor_init(&c, value);
    while (address_next(&c, &address)) {
        if (address.kind != ADDRESS_MAILBOX)
            continue;
        dmarc_from_add(f, address.host, a);
        add_hidden(f, address.tail, a);
        if (address.host.len == 0)
            add_hidden(f, address.mailbox, a);
    }
    if (c.count + 1 >= ADDRESSES_MAX)
        f->many = true; /* what lies beyond is not read */
}

/* Of "a@x.example <b@y.example>" one program shows the first address, another the second: both are authors. */
static void
add_hidden(struct dmarc_from *f, struct str text, struct arena *a)
{
    struct scan s = scan_of(text);

    while (!scan_at_end(&s)) {
        const char *from = s.pos;
        header_skip_cfws(&s);
        if (s.pos > from)
            continue;
        if (*s.pos++ != '@')
            continue;
        from = s.pos;
        while (s.pos < s.end && is_in_domain(*s.pos))
            s.pos++;
        dmarc_from_add(f, str_from(from, (size_t)(s.pos - from)), a);
    }
}

void
dmarc_from_add(struct dmarc_from *f, struct str domain, struct arena *a)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);

    ASSERT(f != NULL && a != NULL);
    if (domain_normalise(domain, &normal) != OK) {
        f->bad = true;
        return;
    }
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->authors[i].domain, buf_str(&normal)))
            return;
    if (f->count == LIMIT_DMARC_AUTHORS)
        f->many = true;
    else
        f->authors[f->count++].domain = arena_str(a, buf_str(&normal));
}

void
dmarc_judge(const struct dmarc_facts *f, const struct dmarc_answers *answers,
            struct dmarc_verdict *out)
{
    struct dmarc_verdict worst = {.result = DMARC_NONE,
                                  .reason = DMARC_NO_AUTHOR,
                                  .disposition = DMARC_POLICY_NONE,
                                  .policy_tag = ""};

    ASSERT(f != NULL && answers != NULL && out != NULL);
    /* RFC 5322 section 3.6: one From.  With more of them mail programs show what they like. */
    if (f->from.many || f->from.fields > 1 || !authors_fit(&f->from)) {
        worst.result = DMARC_PERMERROR;
        worst.reason = DMARC_MANY_AUTHORS;
        worst.disposition = DMARC_POLICY_REJECT;
        *out = worst;
        return;
    }
    for (size_t i = 0; i < f->from.count; i++) {
        struct dmarc_verdict v = {.disposition = DMARC_POLICY_NONE, .policy_tag = ""};
        judge_author(f, answers, &f->from.authors[i], &v);
        if (i == 0 || is_worse(&v, &worst))
            worst = v;
    }
    if (f->from.bad && worst.result < DMARC_PERMERROR) {
        worst.result = DMARC_PERMERROR;
        worst.reason = DMARC_BAD_AUTHOR;
        /* Whoever it is meant to look like, nobody can be asked about it. */
        if (f->from.count == 0)
            worst.disposition = DMARC_POLICY_QUARANTINE;
    }
    *out = worst;
}

static void
judge_author(const struct dmarc_facts *f, const struct dmarc_answers *answers,
             const struct dmarc_author *author, struct dmarc_verdict *v)
{
    struct policy_source source;
    bool unsure;

    v->author = author->domain;
    v->organization = organization_of(f->list, answers, author->domain, &unsure);
    policy_discover(f->list, answers, author->domain, &source);
    if (source.look != LOOK_RECORD) {
        bool unknown = source.look == LOOK_TEMPERROR;
        v->result = unknown ? DMARC_TEMPERROR : DMARC_NONE;
        v->reason = unknown ? DMARC_RECORD_FAIL : DMARC_NO_RECORD;
        return;
    }
    v->policy_domain = source.domain;
    v->record = source.record;
    if (!source.record.usable) {
        v->result = DMARC_NONE;
        v->reason = DMARC_NO_POLICY;
        return;
    }
    take_policy(author, &source, v);
    bool unknown = weigh(f, answers, unsure, v);
    if (v->spf_aligned || v->dkim_aligned) {
        v->result = DMARC_PASS;
        v->reason = DMARC_ALIGNED;
    } else if (unknown) {
        v->result = DMARC_TEMPERROR;
        v->reason = DMARC_AUTH_UNKNOWN;
    } else {
        v->result = DMARC_FAIL;
        v->reason = DMARC_NOT_ALIGNED;
        v->disposition = source.record.testing ? one_milder(v->policy) : v->policy;
    }
}

/* p of its own record; of another's np where the author's domain is known not to exist, else sp, else p. */
static void
take_policy(const struct dmarc_author *author, const struct policy_source *source,
            struct dmarc_verdict *v)
{
    const struct dmarc_record *r = &source->record;

    v->policy = r->p;
    v->policy_tag = "p";
    if (str_eq(source->domain, author->domain))
        return;
    if (author->existence == DMARC_EXISTS_NOT && r->np != DMARC_POLICY_UNSAID) {
        v->policy = r->np;
        v->policy_tag = "np";
    } else if (r->sp != DMARC_POLICY_UNSAID) {
        v->policy = r->sp;
        v->policy_tag = "sp";
    }
}

/* RFC 9989 section 5.3.4 and .5.  True: something that is missing could have made it pass. */
static bool
weigh(const struct dmarc_facts *f, const struct dmarc_answers *answers, bool unsure,
      struct dmarc_verdict *v)
{
    bool unknown = false;

    for (size_t i = 0; i < f->identity_count; i++) {
        const struct dmarc_identity *id = &f->identities[i];
        if (id->result == DMARC_AUTH_FAIL)
            continue;
        enum alignment aligned = align(f, answers, id, v, unsure);
        if (aligned == ALIGNED && id->result == DMARC_AUTH_PASS) {
            v->spf_aligned = v->spf_aligned || !id->dkim;
            v->dkim_aligned = v->dkim_aligned || id->dkim;
        } else if (aligned != NOT_ALIGNED) {
            unknown = true;
        }
    }
    return unknown;
}

/* RFC 9989 section 4.10.2.  unsure: the author's organization may be another. */
static enum alignment
align(const struct dmarc_facts *f, const struct dmarc_answers *answers,
      const struct dmarc_identity *id, const struct dmarc_verdict *v, bool unsure)
{
    bool unsure_too = false;

    if (str_eq(id->domain, v->author))
        return ALIGNED;
    if (id->dkim ? v->record.strict_dkim : v->record.strict_spf)
        return NOT_ALIGNED;
    /* Whoever is not below the author's organization cannot belong to it, whatever his own records say. */
    if (domain_within(id->domain, v->organization)) {
        struct str theirs = organization_of(f->list, answers, id->domain, &unsure_too);
        if (str_eq(theirs, v->organization))
            return ALIGNED;
    }
    if (!unsure && !unsure_too)
        return NOT_ALIGNED;
    return may_align(f->list, v->author, id->domain) ? ALIGNMENT_UNKNOWN : NOT_ALIGNED;
}

/* RFC 9989 section 4.7, t: of what is tested the next milder is done. */
static enum dmarc_policy
one_milder(enum dmarc_policy p)
{
    return p == DMARC_POLICY_REJECT ? DMARC_POLICY_QUARANTINE : DMARC_POLICY_NONE;
}

static bool
is_worse(const struct dmarc_verdict *a, const struct dmarc_verdict *b)
{
    if (a->disposition != b->disposition)
        return a->disposition > b->disposition;
    return a->result > b->result;
}
