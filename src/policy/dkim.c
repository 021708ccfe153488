/* dkim.c - see dkim.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dkim_internal.h"

#include "base/mem.h"
#include "base/size.h"
#include "policy/public_key.h"

enum {
    KEYS_PER_NAME = 4, /* records of one name that are tried (RFC 6376 section 6.1.2, step 4) */
    KEY_ARENA = KEYS_PER_NAME * (LIMIT_DKIM_KEY_BYTES + 64),
};

const char *
dkim_result_name(enum dkim_result r)
{
    static const char *const names[] = {[DKIM_PASS] = "pass",
                                        [DKIM_FAIL] = "fail",
                                        [DKIM_POLICY] = "policy",
                                        [DKIM_TEMPERROR] = "temperror",
                                        [DKIM_PERMERROR] = "permerror"};

    ASSERT((size_t)r < COUNT_OF(names));
    return names[r];
}

/* ---- facts ---- */

enum status
dkim_need_key(struct dkim *d, struct str name, uint32_t *number_out)
{
    uint32_t i = 0;

    while (i < d->names_count && !str_eq(d->names[i], name))
        i++;
    if (i == d->names_count) {
        if (i == LIMIT_DKIM_NAMES)
            return ERR_LIMIT;
        d->names[d->names_count++] = name;
    }
    *number_out = i;
    return OK;
}

enum status
dkim_prepare(struct dkim *d, struct proof *p)
{
    ASSERT(p->sig.wrong == NULL);
    TRY(dkim_need_key(d, p->sig.key_name, &p->name));
    TRY(body_hashes_want(&d->bodies, &p->sig, &p->body));
    sig_header_digest(&d->fields, &p->sig, p->digest);
    return OK;
}

struct dkim *
dkim_new(struct str header, enum sig_rules rules, struct arena *a)
{
    struct dkim *d = MEM_NEW(struct dkim);

    d->rules = rules;
    body_hashes_init(&d->bodies);
    field_table_index(header, a, &d->fields);
    for (uint32_t i = 0; i < d->fields.count; i++) {
        if (header_id_of(d->fields.at[i].name) != HEADER_DKIM_SIGNATURE)
            continue;
        if (d->count == LIMIT_DKIM_SIGNATURES) {
            d->beyond++;
            continue;
        }
        struct proof *p = &d->at[d->count++];
        sig_parse(&d->fields, i, (struct sig_form){SIG_DKIM, rules}, a, &p->sig);
        if (p->sig.wrong == NULL && dkim_prepare(d, p) != OK)
            UNREACHABLE(); /* as many names and hashes as signatures */
    }
    arc_prepare(d, a);
    return d;
}

void
dkim_free(struct dkim **d)
{
    if (*d == NULL)
        return;
    body_hashes_release(&(*d)->bodies);
    mem_free(*d);
    *d = NULL;
}

void
dkim_body(struct dkim *d, struct str chunk)
{
    ASSERT(!d->ended);
    body_hashes_add(&d->bodies, chunk);
}

void
dkim_body_end(struct dkim *d)
{
    ASSERT(!d->ended);
    body_hashes_end(&d->bodies);
    d->ended = true;
}

uint32_t
dkim_count(const struct dkim *d)
{
    return d->count;
}

uint32_t
dkim_beyond(const struct dkim *d)
{
    return d->beyond;
}

uint32_t
dkim_names(const struct dkim *d, const struct str **names_out)
{
    *names_out = d->names;
    return d->names_count;
}

/* ---- verdicts ---- */

static void
say(struct dkim_verdict *v, enum dkim_result result, const char *reason)
{
    v->result = result;
    v->reason = reason;
}

static void
judge_key(const struct dkim *d, const struct proof *p, const struct public_key *k,
          struct dkim_verdict *v)
{
    v->key_bits = k->bits;
    v->testing = k->testing;
    if (k->strict && p->sig.subdomain) {
        say(v, DKIM_PERMERROR, "the key is not for subdomains");
        return;
    }
    switch (public_key_check(k, &p->sig, p->digest, d->rules)) {
    case KEY_GOOD: say(v, DKIM_PASS, ""); return;
    case KEY_BAD: say(v, DKIM_FAIL, "the signature does not fit"); return;
    case KEY_SHORT: say(v, DKIM_POLICY, "the key is too short"); return;
    case KEY_LONG: say(v, DKIM_POLICY, "the key is too long"); return;
    case KEY_OTHER: say(v, DKIM_PERMERROR, "the key is for another algorithm"); return;
    }
    UNREACHABLE();
}

/* Of several records under one name any may be the key; the first verdict stands unless a later one passes. */
static void
judge_keys(const struct dkim *d, const struct proof *p, const struct key_answer *answer,
           struct dkim_verdict *v)
{
    AUTO_ARENA *a = arena_new(KEY_ARENA);
    bool seen = false;

    say(v, DKIM_PERMERROR, "no key");
    for (size_t i = 0; i < answer->count && i < KEYS_PER_NAME; i++) {
        struct dkim_verdict one = *v;
        struct public_key k;
        const char *wrong = public_key_parse(answer->texts[i], a, &k);

        if (wrong != NULL) {
            if (i == 0)
                say(v, DKIM_PERMERROR, wrong);
            continue;
        }
        judge_key(d, p, &k, &one);
        if (!seen || one.result == DKIM_PASS)
            *v = one;
        seen = true;
        if (v->result == DKIM_PASS)
            return;
    }
}

/* What the body says of a signature that fits the header. */
static void
judge_body(const struct dkim *d, const struct proof *p, struct dkim_verdict *v)
{
    const struct body_hash *h = &d->bodies.at[p->body];
    uint64_t size = body_hashes_size(&d->bodies, p->sig.body_canon);

    if (!str_eq(p->sig.body_hash, str_from((const char *)h->digest, p->sig.body_hash.len)))
        say(v, DKIM_FAIL, "the body was changed");
    else if (p->sig.has_length && p->sig.length > size)
        say(v, DKIM_FAIL, "the body is shorter than l=");
    else if (p->sig.has_length && p->sig.length < size)
        say(v, DKIM_POLICY, "l= leaves a part of the body unsigned");
}

/* Of these a message has one (RFC 5322 section 3.6, RFC 2045).  Who signed one did not sign the second, which stands
 * above it and is what people are shown. */
static bool
was_added_to(const struct dkim *d, const struct sig *s)
{
    static const struct str singles[] = {STR("From"),   STR("Subject"),      STR("To"),
                                         STR("Cc"),     STR("Date"),         STR("Reply-To"),
                                         STR("Sender"), STR("Content-Type"), STR("MIME-Version")};
    uint32_t first;

    for (size_t i = 0; i < COUNT_OF(singles); i++) {
        struct str rest = s->names, name = STR_NONE;
        uint32_t named = 0;
        while (tags_next_piece(&rest, &name))
            named += str_eq_nocase(name, singles[i]);
        if (named > 0 && field_table_named(&d->fields, singles[i], &first) > named)
            return true;
    }
    return false;
}

void
dkim_judge(const struct dkim *d, const struct proof *p, const struct key_answer *answers,
           int64_t now_s, struct dkim_verdict *out)
{
    *out = (struct dkim_verdict){.domain = p->sig.domain,
                                 .selector = p->sig.selector,
                                 .identity = p->sig.identity,
                                 .signature = p->sig.text,
                                 .algorithm = sig_algorithm(&p->sig)};
    if (p->sig.wrong != NULL) {
        say(out, DKIM_PERMERROR, p->sig.wrong);
        return;
    }
    const struct key_answer *answer = &answers[p->name];
    switch (answer->found) {
    case KEY_UNKNOWN: say(out, DKIM_TEMPERROR, "the key cannot be asked for now"); return;
    case KEY_ABSENT: say(out, DKIM_PERMERROR, "no key"); return;
    case KEY_FOUND: break;
    }
    judge_keys(d, p, answer, out);
    if (out->result == DKIM_PASS && p->sig.kind != SIG_ARC_SEAL)
        judge_body(d, p, out);
    if (out->result == DKIM_PASS && p->sig.kind == SIG_DKIM && was_added_to(d, &p->sig))
        say(out, DKIM_POLICY, "a second field of a signed name was added");
    if (out->result == DKIM_PASS && p->sig.has_expiry && p->sig.expires_s < now_s)
        say(out, DKIM_POLICY, "the signature has expired");
}

void
dkim_verdict(const struct dkim *d, uint32_t i, const struct key_answer *answers, int64_t now_s,
             struct dkim_verdict *out)
{
    ASSERT(d->ended && i < d->count);
    dkim_judge(d, &d->at[i], answers, now_s, out);
}
