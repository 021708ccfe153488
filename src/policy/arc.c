/* arc.c - see arc.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc.h"

#include "base/size.h"
#include "policy/dkim_internal.h"

enum {
    LOOKED_BACK = 8
}; /* message signatures that are checked, from the newest: for oldest-pass */

static const struct str field_names[] = {
    {"ARC-Seal", 8}, {"ARC-Message-Signature", 21}, {"ARC-Authentication-Results", 26}};

const char *
arc_result_name(enum arc_result r)
{
    static const char *const names[] = {
        [ARC_NONE] = "none", [ARC_PASS] = "pass", [ARC_FAIL] = "fail"};

    ASSERT((size_t)r < COUNT_OF(names));
    return names[r];
}

/* ---- facts ---- */

static void
wrong(struct arc_chain *c, uint32_t set, const char *why)
{
    if (c->wrong == NULL) {
        c->wrong = why;
        c->wrong_set = set;
    }
}

/* arc-authres-header = "ARC-Authentication-Results:" [CFWS] instance [CFWS] ";" authres-payload;
 * instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS]       RFC 8617 section 4.1.1 and 3.9 */
static bool
read_results(struct str value, uint32_t *instance_out, struct str *payload_out)
{
    struct scan s = scan_of(value);
    uint32_t n;

    header_skip_cfws(&s);
    if (!scan_char(&s, 'i'))
        return false;
    header_skip_cfws(&s);
    if (!scan_char(&s, '='))
        return false;
    header_skip_cfws(&s);
    if (!scan_u32(&s, LIMIT_ARC_SETS, &n) || n == 0)
        return false;
    header_skip_cfws(&s);
    if (!scan_char(&s, ';'))
        return false;
    *instance_out = n;
    *payload_out = str_trim(scan_rest(&s));
    return true;
}

static void
take_results(struct dkim *d, uint32_t at, uint32_t count)
{
    struct arc_chain *c = &d->chain;
    uint32_t n;
    struct str payload;

    if (!read_results(d->fields.at[at].value, &n, &payload))
        wrong(c, 0, "results without an instance");
    else if (n > count)
        wrong(c, 0, "a set is missing");
    else if (c->sets[n - 1].has_results)
        wrong(c, n, "results stand twice");
    else {
        c->sets[n - 1].has_results = true;
        c->sets[n - 1].results_at = at;
        c->sets[n - 1].results = payload;
    }
}

/* A message signature or a seal. */
static void
take_signature(struct dkim *d, uint32_t at, enum sig_kind kind, uint32_t count, struct arena *a)
{
    struct arc_chain *c = &d->chain;
    bool seal = kind == SIG_ARC_SEAL;
    struct sig s;

    sig_parse(&d->fields, at, (struct sig_form){kind, SIG_RULES_NOW}, a, &s);
    if (s.instance == 0) {
        wrong(c, 0, s.wrong);
        return;
    }
    if (s.instance > count) {
        wrong(c, 0, "a set is missing");
        return;
    }
    struct arc_set *set = &c->sets[s.instance - 1];
    if (seal ? set->has_seal : set->has_message) {
        wrong(c, s.instance, seal ? "a seal stands twice" : "a message signature stands twice");
        return;
    }
    if (seal) {
        set->has_seal = true;
        set->seal.sig = s;
    } else {
        set->has_message = true;
        set->message.sig = s;
    }
}

/* Section 5.2, step 3. */
static void
check_form(struct arc_chain *c)
{
    for (uint32_t n = c->count; n > 0; n--) {
        const struct arc_set *set = &c->sets[n - 1];
        enum sig_chain want = n == 1 ? SIG_CHAIN_NONE : SIG_CHAIN_PASS;

        if (!set->has_results || !set->has_message || !set->has_seal)
            wrong(c, n, "a field is missing");
        else if (set->seal.sig.wrong != NULL)
            wrong(c, n, set->seal.sig.wrong);
        else if (set->seal.sig.chain == SIG_CHAIN_FAIL)
            wrong(c, n, "sealed as failed");
        else if (set->seal.sig.chain != want)
            wrong(c, n, n == 1 ? "the first seal is not cv=none" : "a later seal is not cv=pass");
    }
    if (c->wrong == NULL && c->sets[c->count - 1].message.sig.wrong != NULL)
        wrong(c, c->count, c->sets[c->count - 1].message.sig.wrong);
}

static void
hash_field(const struct dkim *d, struct field_hash *h, uint32_t at)
{
    field_hash_add(h, d->fields.at[at].whole, STR_NONE, true);
}

/* Section 5.1.1: each seal covers all sets up to its own, the oldest first. */
static void
hash_seals(struct dkim *d)
{
    struct field_hash all, one;

    field_hash_init(&all, CANON_RELAXED, false);
    for (uint32_t i = 0; i < d->chain.count; i++) {
        struct arc_set *set = &d->chain.sets[i];
        const struct sig *seal = &set->seal.sig;

        hash_field(d, &all, set->results_at);
        hash_field(d, &all, set->message.sig.at);
        field_hash_fork(&all, &one);
        field_hash_add(&one, d->fields.at[seal->at].whole, seal->cut, false);
        field_hash_end(&one, set->seal.digest);
        hash_field(d, &all, seal->at);
    }
    unsigned char unused[SIG_DIGEST];
    field_hash_end(&all, unused);
}

static void
prepare_chain(struct dkim *d)
{
    struct arc_chain *c = &d->chain;

    for (uint32_t n = c->count; n > 0; n--) {
        struct arc_set *set = &c->sets[n - 1];
        bool looked_at = c->count - n < LOOKED_BACK && set->message.sig.wrong == NULL;

        if (dkim_need_key(d, set->seal.sig.key_name, &set->seal.name) != OK ||
            (looked_at && dkim_prepare(d, &set->message) != OK)) {
            wrong(c, n, "too many keys are needed");
            return;
        }
        set->looked_at = looked_at;
    }
    hash_seals(d);
}

void
arc_prepare(struct dkim *d, struct arena *a)
{
    struct arc_chain *c = &d->chain;
    uint32_t first[COUNT_OF(field_names)], count[COUNT_OF(field_names)], most = 0;

    for (size_t i = 0; i < COUNT_OF(field_names); i++) {
        count[i] = field_table_named(&d->fields, field_names[i], &first[i]);
        most = MAX(most, count[i]);
    }
    if (most == 0)
        return;
    if (most > LIMIT_ARC_SETS || d->fields.cut) {
        c->count = 1;
        wrong(c, 0, most > LIMIT_ARC_SETS ? "too many sets" : "the header is too long");
        return;
    }
    c->count = most;
    c->sets = ARENA_ARRAY(a, struct arc_set, most);
    for (uint32_t i = 0; i < count[0]; i++)
        take_signature(d, d->fields.sorted[first[0] + i], SIG_ARC_SEAL, most, a);
    for (uint32_t i = 0; i < count[1]; i++)
        take_signature(d, d->fields.sorted[first[1] + i], SIG_ARC_MESSAGE, most, a);
    for (uint32_t i = 0; i < count[2]; i++)
        take_results(d, d->fields.sorted[first[2] + i], most);
    check_form(c);
    if (c->wrong == NULL)
        prepare_chain(d);
}

static uint32_t
instance_of(const struct dkim *d, uint32_t at, bool results, struct arena *a, bool *failed_out)
{
    enum sig_kind kind =
        str_eq_nocase(d->fields.at[at].name, STR("ARC-Seal")) ? SIG_ARC_SEAL : SIG_ARC_MESSAGE;
    struct str payload;
    struct sig s;
    uint32_t n = 0;

    if (results)
        return read_results(d->fields.at[at].value, &n, &payload) ? n : 0;
    sig_parse(&d->fields, at, (struct sig_form){kind, d->rules}, a, &s);
    *failed_out = *failed_out || (kind == SIG_ARC_SEAL && s.chain == SIG_CHAIN_FAIL);
    return s.instance;
}

uint32_t
arc_highest(const struct dkim *d, struct arena *a, bool *failed_out)
{
    uint32_t highest = 0;

    *failed_out = false;
    for (size_t i = 0; i < COUNT_OF(field_names); i++) {
        uint32_t first, count = field_table_named(&d->fields, field_names[i], &first);
        for (uint32_t k = 0; k < MIN(count, 2u * LIMIT_ARC_SETS); k++) {
            uint32_t n = instance_of(d, d->fields.sorted[first + k], i == 2, a, failed_out);
            highest = MAX(highest, n);
        }
        if (count > LIMIT_ARC_SETS)
            highest = LIMIT_ARC_SETS;
    }
    return highest;
}

uint32_t
arc_sets(const struct dkim *d)
{
    return d->chain.wrong == NULL ? d->chain.count : 0;
}

struct str
arc_results(const struct dkim *d, uint32_t set)
{
    ASSERT(set > 0 && set <= arc_sets(d));
    return d->chain.sets[set - 1].results;
}

struct str
arc_sealer(const struct dkim *d, uint32_t set)
{
    ASSERT(set > 0 && set <= arc_sets(d));
    return d->chain.sets[set - 1].seal.sig.domain;
}

/* ---- the verdict ---- */

static void
fail(struct arc_verdict *out, uint32_t set, const char *reason)
{
    out->result = ARC_FAIL;
    out->failed = set;
    out->reason = reason;
}

static bool
passes(const struct dkim *d, const struct proof *p, const struct key_answer *answers, int64_t now_s,
       struct arc_verdict *out)
{
    struct dkim_verdict v;

    dkim_judge(d, p, answers, now_s, &v);
    if (v.result == DKIM_PASS)
        return true;
    fail(out, p->sig.instance, v.reason);
    out->temporary = v.result == DKIM_TEMPERROR;
    return false;
}

/* Step 5: back to the first message signature that no longer fits. */
static uint32_t
oldest_pass(const struct dkim *d, const struct key_answer *answers, int64_t now_s)
{
    struct arc_verdict unused = {0};

    for (uint32_t n = d->chain.count - 1; n > 0; n--) {
        const struct arc_set *set = &d->chain.sets[n - 1];
        if (!set->looked_at || !passes(d, &set->message, answers, now_s, &unused))
            return n + 1;
    }
    return 0;
}

void
arc_verdict(const struct dkim *d, const struct key_answer *answers, int64_t now_s,
            struct arc_verdict *out)
{
    const struct arc_chain *c = &d->chain;

    ASSERT(d->ended);
    *out = (struct arc_verdict){.result = ARC_NONE, .reason = "", .sets = arc_sets(d)};
    if (c->count == 0)
        return;
    if (c->wrong != NULL) {
        fail(out, c->wrong_set, c->wrong);
        return;
    }
    if (!passes(d, &c->sets[c->count - 1].message, answers, now_s, out))
        return;
    for (uint32_t n = c->count; n > 0; n--)
        if (!passes(d, &c->sets[n - 1].seal, answers, now_s, out))
            return;
    out->result = ARC_PASS;
    out->oldest_pass = oldest_pass(d, answers, now_s);
}
