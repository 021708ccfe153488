/* verdict.c - see verdict.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "config/config.h"
#include "cook/verdict_internal.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "policy/spf_record.h"
#include "policy/suffixes.h"

/* dkim_new() may take its whole budget; the rest is for names. */
enum { LOOK_ARENA = DKIM_ARENA + 262144 };

static struct str copy(struct arena *a, struct str s);
static void keep_stranger(struct verdict_look *l, const struct cook_stranger *who);
static bool is_report(struct str header);
static struct cook_published published(const struct dmarc_record *r);
static bool shows_other_hands(struct str header, const struct cook_stranger *who);
static void gather_names(struct verdict_look *l);
static void gather_looks(struct verdict_look *l, struct cook_look_reply *rep);
static void judge_signatures(struct verdict_parts *p, const struct cook_judge *req);
static void judge_dmarc(struct verdict_parts *p, const struct cook_judge *req);
static size_t identities(const struct verdict_parts *p, struct dmarc_identity *out);
static enum verdict_standing standing_of(const struct verdict_parts *p);
static void decide(struct verdict_parts *p, enum dmarc_mode mode, struct arena *a,
                   struct str *reason_out);

struct verdict_look *
verdict_look(struct str message, const struct cook_stranger *who, const struct psl_ctx_st *list,
             struct cook_look_reply *rep)
{
    struct verdict_look *l = MEM_NEW(struct verdict_look);
    size_t header = header_block_len(message);

    l->arena = arena_new(LOOK_ARENA);
    l->list = list;
    keep_stranger(l, who);
    l->dkim = dkim_new(str_sub(message, 0, header), SIG_RULES_NOW, l->arena);
    dkim_body(l->dkim, str_skip(message, header));
    dkim_body_end(l->dkim);
    dmarc_from_header(str_sub(message, 0, header), l->arena, &l->from);
    l->handed_on = shows_other_hands(str_sub(message, 0, header), who);
    l->report = is_report(str_sub(message, 0, header));
    gather_names(l);
    rep->names = l->names;
    rep->names_count = l->names_count;
    rep->exists = l->exists;
    rep->exists_count = l->from.count;
    imitation_find(str_sub(message, 0, header), list, l->arena, &l->imitation);
    gather_looks(l, rep);
    return l;
}

void
verdict_look_free(struct verdict_look **l)
{
    if (*l == NULL)
        return;
    dkim_free(&(*l)->dkim);
    arena_free(&(*l)->arena);
    mem_free(*l);
    *l = NULL;
}

void
verdict_judge(const struct verdict_look *l, const struct cook_judge *req,
              const struct verdict_host *host, struct arena *a, struct cook_judge_reply *rep)
{
    struct verdict_parts *p = ARENA_NEW(a, struct verdict_parts);
    struct cook_signature *signatures =
        ARENA_ARRAY(a, struct cook_signature, LIMIT_DKIM_SIGNATURES);
    struct str reason = STR("");

    p->look = l;
    p->host = host;
    judge_signatures(p, req);
    judge_dmarc(p, req);
    decide(p, (enum dmarc_mode)req->dmarc, a, &reason); /* enum<2> */
    for (uint32_t i = 0; i < p->dkim_count; i++)
        signatures[i] = (struct cook_signature){.domain = copy(a, p->dkim[i].domain),
                                                .selector = copy(a, p->dkim[i].selector),
                                                .result = (uint8_t)p->dkim[i].result};
    struct str warning = verdict_warning(l, req, a);
    struct str results = verdict_field(p, a), fields = verdict_warning_fields(warning, a);
    rep->field = arena_printf(a, "%.*s%.*s", STR_FMT(results), STR_FMT(fields));
    rep->verdict = (struct cook_verdict){.signatures = signatures,
                                         .signatures_count = p->dkim_count,
                                         .arc = (uint8_t)p->arc.result, /* small enums */
                                         .dmarc = (uint8_t)p->dmarc.result,
                                         .dmarc_reason = (uint8_t)p->dmarc.reason,
                                         .author = copy(a, p->dmarc.author),
                                         .policy = (uint8_t)p->dmarc.policy,
                                         .policy_domain = copy(a, p->dmarc.policy_domain),
                                         .asked = (uint8_t)p->dmarc.disposition,
                                         .standing = (uint8_t)standing_of(p),
                                         .published = published(&p->dmarc.record),
                                         .report = l->report && p->dmarc.result == DMARC_PASS,
                                         .spf_aligned = p->dmarc.spf_aligned,
                                         .dkim_aligned = p->dmarc.dkim_aligned,
                                         .disposition = (uint8_t)p->disposition,
                                         .reason = reason,
                                         .warning = warning};
}

/* ---- looking ---- */

static struct str
copy(struct arena *a, struct str s)
{
    return s.len == 0 ? STR("") : arena_str(a, s);
}

static void
keep_stranger(struct verdict_look *l, const struct cook_stranger *who)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);

    l->who = *who;
    l->who.client = copy(l->arena, who->client);
    l->who.helo = copy(l->arena, who->helo);
    l->who.sender = copy(l->arena, who->sender);
    l->who.spf_domain = copy(l->arena, who->spf_domain);
    l->who.spf_problem = copy(l->arena, who->spf_problem);
    l->who.iprev_name = copy(l->arena, who->iprev_name);
    l->spf_domain = STR("");
    if (domain_normalise(who->spf_domain, &normal) == OK)
        l->spf_domain = copy(l->arena, buf_str(&normal));
}

/* Fields that lists and forwarders write, who often break signatures and always SPF.  Whoever forges mail may write
 * them too: then he is in Junk, not refused. */
static bool
is_sign(const struct header_field *f)
{
    static const struct str signs[] = {
        STR("List-Id"),          STR("List-Post"),    STR("Mailing-List"),
        STR("X-Mailing-List"),   STR("X-BeenThere"),  STR("X-Forwarded-To"),
        STR("X-Forwarded-For"),  STR("Delivered-To"), STR("Resent-From"),
        STR("Resent-Sender"),    STR("Resent-To"),    STR("Resent-Date"),
        STR("Resent-Message-ID")};

    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (str_eq_nocase(f->name, signs[i]))
            return true;
    return str_eq_nocase(f->name, STR("Precedence")) &&
           str_eq_nocase(str_trim(f->value), STR("list"));
}

/* That SPF passes for some other domain is no sign: anybody has a domain.  But who rewrites senders forwards mail. */
static bool
shows_other_hands(struct str header, const struct cook_stranger *who)
{
    struct header_cursor c = header_cursor_of(header);
    struct header_field f;

    if (who->spf == SPF_PASS && !who->spf_helo &&
        (str_starts_nocase(who->sender, STR("SRS0")) ||
         str_starts_nocase(who->sender, STR("SRS1"))))
        return true;
    while (header_next(&c, &f))
        if (is_sign(&f))
            return true;
    return false;
}

/* RFC 9990 and RFC 8460: "Report Domain: ..." of reports of DMARC and about TLS alike. */
static bool
is_report(struct str header)
{
    struct header_field f;

    return header_find(header, STR("Subject"), &f) &&
           str_starts_nocase(str_trim(f.value), STR("Report Domain:"));
}

static struct cook_published
published(const struct dmarc_record *r)
{
    struct str list = r->rua, uri;

    return (struct cook_published){.rua = dmarc_uri_next(&list, &uri),
                                   .p = (uint8_t)r->p, /* small enums */
                                   .sp = (uint8_t)r->sp,
                                   .np = (uint8_t)r->np,
                                   .strict_dkim = r->strict_dkim,
                                   .strict_spf = r->strict_spf,
                                   .testing = r->testing,
                                   .failure = r->failure};
}

/* Before a signature is verified it may pass, and counts as one that is not known. */
static void
gather_names(struct verdict_look *l)
{
    struct key_answer unknown[LIMIT_DKIM_NAMES];
    struct verdict_parts p = {.look = l, .dkim_count = dkim_count(l->dkim)};
    struct dmarc_identity ids[LIMIT_DKIM_SIGNATURES + 1];
    struct dmarc_names names;
    const struct str *keys;

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        unknown[i] = (struct key_answer){.found = KEY_UNKNOWN};
    for (uint32_t i = 0; i < p.dkim_count; i++)
        dkim_verdict(l->dkim, i, unknown, 0, &p.dkim[i]);
    const struct dmarc_facts f = {
        .from = l->from, .identities = ids, .identity_count = identities(&p, ids), .list = l->list};
    dmarc_names(&f, l->arena, &names);
    l->keys = dkim_names(l->dkim, &keys);
    for (uint32_t i = 0; i < l->keys; i++)
        l->names[l->names_count++] = keys[i];
    for (size_t i = 0; i < names.count; i++)
        l->names[l->names_count++] = names.names[i];
    for (size_t i = 0; i < l->from.count; i++)
        l->exists[i] = l->from.authors[i].domain;
}

static void
gather_looks(struct verdict_look *l, struct cook_look_reply *rep)
{
    for (size_t i = 0; i < l->imitation.count; i++) {
        const struct imitation_name *n = &l->imitation.at[i];
        l->looks[i] = (struct cook_look_of){.domain = n->domain,
                                            .parent = n->parent,
                                            .look = n->look,
                                            .parent_look = n->parent_look};
    }
    rep->looks = l->looks;
    rep->looks_count = l->imitation.count;
}

/* ---- judging ---- */

static const struct cook_dns_answer *
answer_of(const struct cook_judge *req, uint32_t i)
{
    static const struct cook_dns_answer unknown = {.found = KEY_UNKNOWN};

    return i < req->answers_count ? &req->answers[i] : &unknown;
}

static void
judge_signatures(struct verdict_parts *p, const struct cook_judge *req)
{
    const struct verdict_look *l = p->look;
    struct key_answer keys[LIMIT_DKIM_NAMES];

    for (uint32_t i = 0; i < l->keys; i++) {
        const struct cook_dns_answer *a = answer_of(req, i);
        keys[i] = (struct key_answer){.found = (enum key_found)a->found, /* enum<2> */
                                      .texts = a->texts,
                                      .count = a->texts_count};
    }
    p->dkim_count = dkim_count(l->dkim);
    for (uint32_t i = 0; i < p->dkim_count; i++)
        dkim_verdict(l->dkim, i, keys, p->host->now_s, &p->dkim[i]);
    arc_verdict(l->dkim, keys, p->host->now_s, &p->arc);
}

static void
judge_dmarc(struct verdict_parts *p, const struct cook_judge *req)
{
    static const enum dmarc_answer_kind kinds[] = {
        [KEY_FOUND] = DMARC_ANSWER_FOUND,
        [KEY_ABSENT] = DMARC_ANSWER_NONE,
        [KEY_UNKNOWN] = DMARC_ANSWER_TEMPERROR,
    };
    const struct verdict_look *l = p->look;
    struct dmarc_identity ids[LIMIT_DKIM_SIGNATURES + 1];
    struct dmarc_answer answers[LIMIT_DMARC_NAMES];
    struct dmarc_facts f = {.from = l->from, .identities = ids, .list = l->list};
    size_t n = l->names_count - l->keys;

    f.identity_count = identities(p, ids);
    for (uint32_t i = 0; i < n; i++) {
        const struct cook_dns_answer *a = answer_of(req, l->keys + i);
        answers[i] = (struct dmarc_answer){.name = l->names[l->keys + i],
                                           .kind = kinds[a->found],
                                           .texts = a->texts,
                                           .text_count = a->texts_count};
    }
    for (size_t i = 0; i < f.from.count && i < req->existence_count; i++)
        if (req->existence[i] <= DMARC_EXISTS_NOT)
            f.from.authors[i].existence = (enum dmarc_existence)req->existence[i];
    dmarc_judge(&f, &(struct dmarc_answers){answers, n}, &p->dmarc);
}

static enum dmarc_auth
auth_of_dkim(enum dkim_result r)
{
    return r == DKIM_PASS        ? DMARC_AUTH_PASS
           : r == DKIM_TEMPERROR ? DMARC_AUTH_TEMPERROR
                                 : DMARC_AUTH_FAIL;
}

static size_t
identities(const struct verdict_parts *p, struct dmarc_identity *out)
{
    const struct verdict_look *l = p->look;
    size_t n = 0;

    if (l->spf_domain.len > 0)
        out[n++] = (struct dmarc_identity){
            .domain = l->spf_domain,
            .result = l->who.spf == SPF_PASS        ? DMARC_AUTH_PASS
                      : l->who.spf == SPF_TEMPERROR ? DMARC_AUTH_TEMPERROR
                                                    : DMARC_AUTH_FAIL,
        };
    for (uint32_t i = 0; i < p->dkim_count; i++)
        if (p->dkim[i].domain.len > 0)
            out[n++] = (struct dmarc_identity){.dkim = true,
                                               .domain = p->dkim[i].domain,
                                               .result = auth_of_dkim(p->dkim[i].result)};
    return n;
}

/* ---- is the author who it seems? ---- */

static bool
is_of(const struct verdict_look *l, struct str domain, struct str author)
{
    if (str_eq(domain, author))
        return true;
    if (l->list == NULL)
        return false;
    struct str theirs = suffixes_registered(l->list, author);
    return theirs.len > 0 && str_eq(suffixes_registered(l->list, domain), theirs);
}

/* Who publishes no policy may have signed all the same. */
static bool
is_vouched_for(const struct verdict_parts *p)
{
    const struct verdict_look *l = p->look;
    struct dmarc_identity ids[LIMIT_DKIM_SIGNATURES + 1];
    size_t n = identities(p, ids);

    for (size_t i = 0; i < n; i++)
        if (ids[i].result == DMARC_AUTH_PASS && is_of(l, ids[i].domain, l->from.authors[0].domain))
            return true;
    return false;
}

static bool
was_checked(const struct verdict_parts *p)
{
    enum spf_result spf = (enum spf_result)p->look->who.spf; /* enum<6> */

    for (uint32_t i = 0; i < p->dkim_count; i++)
        if (p->dkim[i].result == DKIM_PASS || p->dkim[i].result == DKIM_FAIL)
            return true;
    /* RFC 7208 section 8.2: neutral must be treated as none. */
    return spf != SPF_NONE && spf != SPF_NEUTRAL && spf != SPF_TEMPERROR && spf != SPF_PERMERROR;
}

static enum verdict_standing
standing_of(const struct verdict_parts *p)
{
    const struct dmarc_from *from = &p->look->from;
    enum dmarc_result dmarc = p->dmarc.result;

    if (from->count != 1 || from->fields != 1 || from->bad || from->many)
        return STANDING_DOUBTED;
    if (dmarc == DMARC_PASS || (dmarc == DMARC_NONE && is_vouched_for(p)))
        return STANDING_PROVEN;
    if (dmarc != DMARC_NONE && dmarc != DMARC_TEMPERROR)
        return STANDING_DOUBTED;
    return was_checked(p) ? STANDING_DOUBTED : STANDING_UNCHECKED;
}

/* ---- what follows ---- */

/* A signature that could not be judged may be a good one. */
static bool
has_signature(const struct verdict_parts *p)
{
    for (uint32_t i = 0; i < p->dkim_count; i++)
        if (p->dkim[i].result == DKIM_PASS || p->dkim[i].result == DKIM_TEMPERROR)
            return true;
    return false;
}

/* Does anything speak for an honest message that was broken on its way? */
static bool
may_be_honest(const struct verdict_parts *p)
{
    return has_signature(p) || p->arc.result == ARC_PASS || p->arc.temporary ||
           p->look->handed_on || p->look->who.allowed || p->look->who.spf == SPF_TEMPERROR;
}

static enum verdict_disposition
weigh(const struct verdict_parts *p)
{
    bool without = p->dmarc.result == DMARC_NONE;

    switch (p->dmarc.disposition) {
    case DMARC_POLICY_REJECT: return may_be_honest(p) ? VERDICT_JUNK : VERDICT_REFUSE;
    case DMARC_POLICY_QUARANTINE: return VERDICT_JUNK;
    case DMARC_POLICY_UNSAID:
    case DMARC_POLICY_NONE: break;
    }
    /* A domain without DMARC may still say by SPF that none of its mail comes from there. */
    if (without && p->look->who.spf == SPF_FAIL && !has_signature(p) && p->arc.result != ARC_PASS &&
        !p->look->who.allowed)
        return VERDICT_JUNK;
    return VERDICT_TAKE;
}

static void
decide(struct verdict_parts *p, enum dmarc_mode mode, struct arena *a, struct str *reason_out)
{
    static const enum verdict_disposition most[] = {[DMARC_MODE_ENFORCE] = VERDICT_REFUSE,
                                                    [DMARC_MODE_JUNK] = VERDICT_JUNK,
                                                    [DMARC_MODE_OFF] = VERDICT_TAKE};
    struct str author = str_sub(p->dmarc.author, 0, 120);

    p->disposition = MIN(weigh(p), most[mode]);
    if (p->disposition == VERDICT_TAKE)
        return;
    if (p->dmarc.reason == DMARC_MANY_AUTHORS)
        *reason_out = STR("there is more than one From field, or it names too many domains");
    else if (p->dmarc.reason == DMARC_BAD_AUTHOR)
        *reason_out = STR("the From field has no address with a domain");
    else if (p->dmarc.result == DMARC_NONE)
        *reason_out = arena_printf(a, "%.*s says by SPF that its mail does not come from there",
                                   STR_FMT(str_sub(p->look->spf_domain, 0, 120)));
    else
        *reason_out =
            arena_printf(a, "neither SPF nor DKIM shows it to be of %.*s, which asks for %s=%s",
                         STR_FMT(author), p->dmarc.policy_tag, dmarc_policy_name(p->dmarc.policy));
}
