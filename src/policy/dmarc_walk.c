/* dmarc_walk.c - which names DMARC asks about, which record holds, and where organizations end.  See dmarc_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_internal.h"

#include "policy/suffixes.h"

#define PREFIX STR("_dmarc.")

/* Domains to ask about, each once. */
struct domains {
    struct str at[LIMIT_DMARC_NAMES];
    size_t count;
    bool over;
};

static struct str parent_of(struct str name);
static struct str child_towards(struct str parent, struct str domain);
static size_t label_count(struct str name);
static void domains_add(struct domains *d, struct str domain);
static void domains_walk(struct domains *d, struct str domain);
static bool walk_on(struct policy_source *best, const struct policy_source *here,
                    const struct psl_ctx_st *list, struct str author);

/* RFC 9989 section 4.10, steps 3, 4 and 7 */
void
walk_init(struct walk *w, struct str domain)
{
    size_t labels = label_count(domain);

    *w = (struct walk){.names = {domain}, .count = 1};
    while (labels > 1) {
        do {
            domain = parent_of(domain);
            labels--;
        } while (labels >= WALK_QUERIES);
        ASSERT(w->count < WALK_QUERIES);
        w->names[w->count++] = domain;
    }
}

/* RFC 9989 section 4.10, steps 2 and 6: several records are as good as none. */
enum look
dmarc_look(const struct dmarc_answers *answers, struct str domain, struct dmarc_record *out)
{
    const struct dmarc_answer *found = NULL;
    struct dmarc_record r;
    size_t count = 0;

    for (size_t i = 0; i < answers->count && found == NULL; i++) {
        struct str name = answers->at[i].name;
        if (str_starts_nocase(name, PREFIX) && str_eq_nocase(str_skip(name, PREFIX.len), domain))
            found = &answers->at[i];
    }
    if (found == NULL)
        return LOOK_UNASKED;
    if (found->kind == DMARC_ANSWER_TEMPERROR)
        return LOOK_TEMPERROR;
    for (size_t i = 0; found->kind == DMARC_ANSWER_FOUND && i < found->text_count; i++) {
        enum status st = dmarc_record_parse(found->texts[i], &r);
        count += st != ERR_NOT_FOUND;
        if (st == OK)
            *out = r;
        else if (st == ERR_LIMIT)
            count++; /* a record, but none that is read */
    }
    return count == 1 ? LOOK_RECORD : LOOK_NONE;
}

bool
domain_within(struct str domain, struct str name)
{
    if (!str_ends(domain, name))
        return false;
    return domain.len == name.len || domain.ptr[domain.len - name.len - 1] == '.';
}

bool
is_suffix(const struct psl_ctx_st *list, struct str name)
{
    return list != NULL && suffixes_registered(list, name).len == 0;
}

struct str
registered_or_self(const struct psl_ctx_st *list, struct str name)
{
    struct str registered = suffixes_registered(list, name);

    return registered.len > 0 ? registered : name;
}

/* RFC 9989 section 4.10.2, but that without a psd tag a list has the word before the highest record. */
struct str
organization_of(const struct psl_ctx_st *list, const struct dmarc_answers *answers,
                struct str domain, bool *unsure_out)
{
    struct str highest = domain;
    struct dmarc_record r;
    struct walk w;
    bool unsure = false;

    walk_init(&w, domain);
    for (size_t i = 0; i < w.count; i++) {
        enum look look = dmarc_look(answers, w.names[i], &r);
        unsure = unsure || (look == LOOK_TEMPERROR && !is_suffix(list, w.names[i]));
        if (look != LOOK_RECORD)
            continue;
        highest = w.names[i];
        if (r.psd == DMARC_PSD_UNSAID)
            continue;
        *unsure_out = unsure;
        if (r.psd == DMARC_PSD_NO || i == 0)
            return w.names[i];
        return child_towards(w.names[i], domain);
    }
    *unsure_out = unsure;
    return list != NULL ? registered_or_self(list, domain) : highest;
}

/* RFC 9989 section 4.10.1.  A name that the list has for a public suffix counts as psd=y unless it says otherwise: its
 * record holds where an organization has none, and makes no organization of all that is below it. */
void
policy_discover(const struct psl_ctx_st *list, const struct dmarc_answers *answers,
                struct str author, struct policy_source *out)
{
    struct policy_source best = {.look = LOOK_NONE};
    bool unsure = false;
    struct walk w;

    walk_init(&w, author);
    for (size_t i = 0; i < w.count; i++) {
        struct policy_source here = {.domain = w.names[i]};
        here.look = dmarc_look(answers, here.domain, &here.record);
        if (here.look == LOOK_TEMPERROR || here.look == LOOK_UNASKED) {
            /* What a public suffix says cannot matter once an organization has spoken. */
            unsure = unsure || best.look != LOOK_RECORD || !is_suffix(list, here.domain);
            continue;
        }
        if (here.look == LOOK_RECORD && !walk_on(&best, &here, list, author))
            break;
    }
    if (unsure && !str_eq(best.domain, author))
        best.look = LOOK_TEMPERROR;
    *out = best;
}

/* Takes in what was found at one more name.  False: the walk ends here. */
static bool
walk_on(struct policy_source *best, const struct policy_source *here, const struct psl_ctx_st *list,
        struct str author)
{
    enum dmarc_psd psd = here->record.psd;
    bool own = str_eq(here->domain, author);

    if (psd == DMARC_PSD_UNSAID && !own && is_suffix(list, here->domain))
        psd = DMARC_PSD_YES;
    if (psd == DMARC_PSD_YES && !own && best->look == LOOK_RECORD &&
        str_eq(best->domain, child_towards(here->domain, author)))
        return false; /* the organization's own record goes first */
    *best = *here;
    return !own && psd == DMARC_PSD_UNSAID;
}

/* Names of authors first: they decide which policy holds.  Those of identities draw boundaries only, and what does not
 * fit counts as without a record. */
void
dmarc_names(const struct dmarc_facts *f, struct arena *a, struct dmarc_names *out)
{
    struct domains d = {.count = 0};

    ASSERT(f != NULL && out != NULL);
    for (size_t i = 0; i < f->from.count; i++)
        domains_walk(&d, f->from.authors[i].domain);
    for (size_t i = 0; i < f->identity_count; i++) {
        const struct dmarc_identity *id = &f->identities[i];
        bool wanted = false;

        for (size_t k = 0; k < f->from.count && id->result != DMARC_AUTH_FAIL; k++)
            wanted = wanted || may_align(f->list, f->from.authors[k].domain, id->domain);
        if (wanted)
            domains_walk(&d, id->domain);
    }
    out->count = d.count;
    for (size_t i = 0; i < d.count; i++)
        out->names[i] = arena_printf(a, "_dmarc.%.*s", STR_FMT(d.at[i]));
}

bool
may_align(const struct psl_ctx_st *list, struct str author, struct str domain)
{
    if (list != NULL)
        return str_eq(registered_or_self(list, author), registered_or_self(list, domain));
    ssize_t dot = str_rfind(author, '.');
    return domain_within(domain, str_skip(author, (size_t)(dot + 1)));
}

bool
authors_fit(const struct dmarc_from *from)
{
    struct domains d = {.count = 0};

    for (size_t i = 0; i < from->count; i++)
        domains_walk(&d, from->authors[i].domain);
    return !d.over;
}

static void
domains_walk(struct domains *d, struct str domain)
{
    struct walk w;

    walk_init(&w, domain);
    for (size_t i = 0; i < w.count; i++)
        domains_add(d, w.names[i]);
}

static void
domains_add(struct domains *d, struct str domain)
{
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->at[i], domain))
            return;
    if (d->count == LIMIT_DMARC_NAMES)
        d->over = true;
    else
        d->at[d->count++] = domain;
}

static struct str
parent_of(struct str name)
{
    ssize_t dot = str_find(name, '.');

    ASSERT(dot >= 0);
    return str_skip(name, (size_t)dot + 1);
}

/* The name one label below parent on the way to domain. */
static struct str
child_towards(struct str parent, struct str domain)
{
    ASSERT(domain.len > parent.len);
    struct str above = str_sub(domain, 0, domain.len - parent.len - 1);
    ssize_t dot = str_rfind(above, '.');

    return str_skip(domain, (size_t)(dot + 1));
}

static size_t
label_count(struct str name)
{
    size_t dots = 0;

    for (size_t i = 0; i < name.len; i++)
        dots += name.ptr[i] == '.';
    return dots + 1;
}
