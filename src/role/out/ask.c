/* ask.c - see ask.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/ask.h"

#include "base/limits.h"
#include "base/size.h"
#include "mail/domain.h"
#include "policy/dkim.h"
#include "policy/dmarc.h"
#include "rt/clock.h"

enum { TEXTS_MAX = 8, TEXT_MAX = 4096 }; /* of text_answer in out.ipc */

/* All that is asked for one message. */
struct round {
    struct resolver *resolver;
    struct arena *arena; /* of the answers */
    int64_t until_ms;
    struct fiber_crew crew;
    bool is_short; /* one of the names found no place beside the others */
};
struct text_task {
    struct round *round;
    struct str name;
    struct out_text_answer *out;
};
struct existence_task {
    struct round *round;
    struct str domain;
    uint8_t *out;
};
struct fiber_share out_asking = {.max = LIMIT_ASK_FIBERS};

static bool may_ask(const struct out_texts *req);
static void ask_text(void *arg);
static void ask_existence(void *arg);
static void look_for_text(const struct text_task *t);
static void look_for_domain(const struct existence_task *t);

static bool
is_policy(struct str name)
{
    return str_starts(name, STR("_dmarc."));
}

/* All at once, so that none waits for another: a stranger writes the names, and servers of some may be silent, but what
 * a domain wants done with forged mail, and its key, is asked whatever these do.  Policies come first.  Only when there
 * are no places at all a name is asked here, while the others wait. */
static SUSPENDS void
begin_texts(struct round *round, const struct out_texts *req, struct out_text_answer *answers)
{
    struct text_task *tasks =
        ARENA_ARRAY(round->arena, struct text_task, MAX(req->names_count, 1u));

    for (int keys = 0; keys < 2; keys++) {
        for (size_t i = 0; i < req->names_count; i++) {
            if (is_policy(req->names[i]) == (keys == 1))
                continue;
            tasks[i] = (struct text_task){round, req->names[i], &answers[i]};
            if (fiber_crew_go(&round->crew, ask_text, &tasks[i]) == OK)
                continue;
            round->is_short = true;
            look_for_text(&tasks[i]);
        }
    }
}

static SUSPENDS void
begin_existence(struct round *round, const struct out_texts *req, uint8_t *existence)
{
    struct existence_task *tasks =
        ARENA_ARRAY(round->arena, struct existence_task, MAX(req->exists_count, 1u));

    for (size_t i = 0; i < req->exists_count; i++) {
        tasks[i] = (struct existence_task){round, req->exists[i], &existence[i]};
        if (fiber_crew_go(&round->crew, ask_existence, &tasks[i]) != OK)
            look_for_domain(&tasks[i]);
    }
}

enum status
out_ask_texts(struct resolver *r, const struct out_texts *req, struct arena *a,
              struct out_texts_reply *rep)
{
    struct out_text_answer *answers =
        ARENA_ARRAY(a, struct out_text_answer, MAX(req->names_count, 1u));
    uint8_t *existence = ARENA_ARRAY(a, uint8_t, MAX(req->exists_count, 1u));
    uint32_t patience = req->timeout_ms == 0 ? LIMIT_ASK_MS : MIN(req->timeout_ms, LIMIT_ASK_MS);
    struct round round = {.resolver = r, .arena = a, .until_ms = clock_mono_ms() + patience};

    if (!may_ask(req))
        return ERR_DENIED;
    for (size_t i = 0; i < req->names_count; i++)
        answers[i].found = KEY_UNKNOWN;
    for (size_t i = 0; i < req->exists_count; i++)
        existence[i] = DMARC_MAY_EXIST;
    fiber_crew_init(&round.crew, &out_asking);
    if (r != NULL) {
        begin_texts(&round, req, answers);
        begin_existence(&round, req, existence);
        fiber_crew_wait(&round.crew);
    }
    for (size_t i = 0; round.is_short && i < req->names_count; i++)
        if (answers[i].found == KEY_UNKNOWN)
            return ERR_LIMIT;
    *rep = (struct out_texts_reply){.answers = answers,
                                    .answers_count = req->names_count,
                                    .existence = existence,
                                    .existence_count = req->exists_count};
    return OK;
}

/* ---- which names ---- */

/* A domain of the greatest length has no room for its policy in DNS, which is no reason to refuse the others. */
static bool
may_ask_name(struct str name)
{
    static const struct str at[] = {STR("_dmarc."), STR("_smtp._tls.")};
    static const struct str within[] = {STR("._domainkey."), STR("._report._dmarc.")};

    for (size_t i = 0; i < COUNT_OF(at); i++)
        if (str_starts(name, at[i]))
            return domain_is_normal(str_skip(name, at[i].len));
    for (size_t i = 0; i < COUNT_OF(within); i++)
        if (str_find_str(name, within[i]) > 0)
            return domain_is_normal(name);
    return false;
}

static bool
may_ask(const struct out_texts *req)
{
    for (size_t i = 0; i < req->names_count; i++)
        if (!may_ask_name(req->names[i]))
            return false;
    for (size_t i = 0; i < req->exists_count; i++)
        if (!domain_is_normal(req->exists[i]))
            return false;
    return true;
}

/* ---- asking ---- */

/* ERR_NOT_FOUND: there is none.  Whatever else fails may pass. */
static SUSPENDS enum status
ask(const struct round *round, struct dns_query q, struct arena *a, struct dns_records *out)
{
    q.timeout_ms = round->until_ms - clock_mono_ms();
    if (q.timeout_ms <= 0)
        return ERR_TIMEOUT;
    TRY(resolver_records(round->resolver, &q, a, out));
    return out->count == 0 ? ERR_NOT_FOUND : OK;
}

/* Where there are more texts than an answer takes, those that say that they are keys or policies come first: a wildcard
 * may put anything beside them. */
static void
copy_texts(const struct dns_records *from, struct arena *a, struct out_text_answer *to)
{
    struct str *texts = ARENA_ARRAY(a, struct str, TEXTS_MAX);
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < from->count && n < TEXTS_MAX; i++) {
            bool tagged = str_starts_nocase(from->data[i], STR("v=d")) ||
                          str_starts_nocase(from->data[i], STR("v=TLSRPT"));
            if (tagged == (pass == 0) && from->data[i].len <= TEXT_MAX)
                texts[n++] = from->data[i].len == 0 ? STR("") : arena_str(a, from->data[i]);
        }
    }
    to->texts = texts;
    to->texts_count = n;
    to->found = n > 0 ? KEY_FOUND : KEY_ABSENT;
    to->secure = from->secure;
}

static SUSPENDS void
look_for_text(const struct text_task *t)
{
    AUTO_ARENA *own = arena_new(RESOLVER_RECORDS_ARENA);
    struct dns_query q = {.name = t->name, .type = DNS_TYPE_TXT};
    struct dns_records found = {0};

    enum status st = ask(t->round, q, own, &found);
    if (st == OK)
        copy_texts(&found, t->round->arena, t->out);
    else if (st == ERR_NOT_FOUND)
        *t->out = (struct out_text_answer){.found = KEY_ABSENT, .secure = found.secure};
}

/* As ctl/check_dmarc.c has it: a domain without MX, A and AAAA does not exist. */
static SUSPENDS void
look_for_domain(const struct existence_task *t)
{
    static const enum dns_type types[] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
    AUTO_ARENA *own = arena_new(RESOLVER_RECORDS_ARENA);
    bool absent = true;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct dns_query q = {.name = t->domain, .type = types[i]};
        struct dns_records found = {0};
        arena_reset(own);
        enum status st = ask(t->round, q, own, &found);
        if (st == OK || st == ERR_LIMIT) { /* too many are some */
            *t->out = DMARC_EXISTS;
            return;
        }
        absent = absent && st == ERR_NOT_FOUND;
    }
    *t->out = absent ? DMARC_EXISTS_NOT : DMARC_MAY_EXIST;
}

static FIBER_ENTRY void
ask_text(void *arg)
{
    const struct text_task *t = arg;

    look_for_text(t);
    fiber_crew_leave(&t->round->crew);
}

static FIBER_ENTRY void
ask_existence(void *arg)
{
    const struct existence_task *t = arg;

    look_for_domain(t);
    fiber_crew_leave(&t->round->crew);
}
