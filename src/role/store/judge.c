/* judge.c - a stranger's message, judged before it is taken: a cook looks, role out asks DNS, the cook judges.
 *
 * What cannot be asked for now is unknown, and no reason to refuse anything: without role out, or with a resolver that
 * is silent, mail is taken all the same, and its field says temperror.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/judge.h"
#include "base/size.h"
#include "config/events.h"
#include "cook/verdict.h"
#include "ipc/out_ipc.h"
#include "policy/arc.h"
#include "policy/dmarc.h"
#include "policy/spf_record.h"
#include "role/store/looks.h"
#include "role/store/report.h"
#include "rt/logger.h"
#include "store/correspondents.h"

enum { ANSWERS_ARENA = 4 << 20 };

static struct cook_stranger stranger_of(const struct store_deliver *req);
static bool is_filtered(const struct store *s, const struct store_deliver *req);
static void keep_spam(const struct store *s, const struct store_deliver *req, struct arena *a,
                      struct intake_judged *j);
static enum dmarc_mode mode_of(const struct store *s, const struct store_deliver *req);
MUST_USE SUSPENDS static enum status ask(const struct store *s, const struct intake_asks *asks,
                                         struct arena *a, struct cook_judge *out);
static void log_verdict(const struct store_deliver *req, const struct intake_judged *j);
static enum status refuse(const struct intake_judged *j);

enum status
store_take_judged(struct ipc_peer *from, const struct intake_which *which,
                  const struct store_deliver *req, struct arena *a, struct store_judged *out)
{
    struct store *s = store_of(from);
    AUTO(intake_look_free) struct intake_look *look = NULL;
    AUTO_ARENA *own = arena_new(ANSWERS_ARENA);
    const struct cook_stranger who = stranger_of(req);
    struct cook_judge answers = {.dmarc = (uint8_t)mode_of(s, req), /* a small enum */
                                 .spam = is_filtered(s, req)};
    struct intake_judged judged;
    struct intake_body body;

    if (engine_space(s->engine) != SPACE_PLENTY)
        return ERR_NO_SPACE;
    TRY(store_checked(s, intake_look(s->intake, which, &who, a, &look), "body"));
    TRY(ask(s, intake_look_asks(look), own, &answers));
    TRY(store_checked(s, store_looks_judge(s, req, intake_look_asks(look), own, &answers),
                      "looks"));
    TRY(store_checked(s, intake_judge(look, &answers, a, &judged), "body"));
    TRY(store_check_hops(&judged.facts));
    keep_spam(s, req, a, &judged);
    log_verdict(req, &judged);
    store_dmarc_count(s, req, &judged.verdict);
    if (judged.verdict.disposition == VERDICT_REFUSE)
        return refuse(&judged);
    TRY(store_checked(s, intake_keep(look, &judged, &body), "body"));
    body.tid = which->tid;
    *out = (struct store_judged){.body = body, .junk = judged.verdict.disposition == VERDICT_JUNK};
    return OK;
}

static struct cook_stranger
stranger_of(const struct store_deliver *req)
{
    const struct store_checks *c = &req->checks;

    return (struct cook_stranger){.client = c->client,
                                  .helo = c->helo,
                                  .sender = req->sender,
                                  .smtputf8 = req->smtputf8,
                                  .spf = c->spf,
                                  .spf_helo = c->spf_helo,
                                  .spf_domain = c->spf_domain,
                                  .spf_problem = c->spf_problem,
                                  .iprev = c->iprev,
                                  .iprev_name = c->iprev_name,
                                  .allowed = c->allowed};
}

/* A message is one for all its recipients: the mildest of their domains has the word. */
static enum dmarc_mode
mode_of(const struct store *s, const struct store_deliver *req)
{
    enum dmarc_mode mode = DMARC_MODE_ENFORCE;

    for (size_t i = 0; i < req->rcpts_count; i++)
        mode = MAX(mode, config_dmarc_of(s->config, store_domain_of(req->rcpts[i])));
    return mode;
}

static bool
is_filtered(const struct store *s, const struct store_deliver *req)
{
    for (size_t i = 0; i < req->rcpts_count; i++)
        if (config_spam_of(s->config, store_domain_of(req->rcpts[i])))
            return true;
    return false;
}

/* An author whose address is none here is no correspondent of anybody. */
static void
keep_spam(const struct store *s, const struct store_deliver *req, struct arena *a,
          struct intake_judged *j)
{
    struct str author;

    j->facts.spam = (struct intake_spam){.scored = j->spam.scored,
                                         .allowed = req->checks.allowed,
                                         .standing = j->verdict.standing,
                                         .score = j->spam.score,
                                         .words = j->spam.words,
                                         .tokens = j->spam.tokens,
                                         .token_count = j->spam.tokens_count};
    if (j->spam.author.len > 0 &&
        directory_canonical(s->directory, j->spam.author, a, &author, NULL) == OK)
        j->facts.spam.author = correspondent_hash(author);
}

/* All at once; the time that it may take is role out's to keep.  ERR_TEMP: it has no place for this now. */
SUSPENDS static enum status
ask(const struct store *s, const struct intake_asks *asks, struct arena *a, struct cook_judge *out)
{
    const struct out_texts req = {.names = asks->names,
                                  .names_count = asks->name_count,
                                  .exists = asks->exists,
                                  .exists_count = asks->exists_count,
                                  .timeout_ms = LIMIT_JUDGE_DNS_MS};
    struct out_texts_reply rep;

    enum status st = asks->name_count == 0
                         ? ERR_NOT_FOUND
                         : out_texts_call(store_peer_of(s, ROLE_OUT), &req, a, &rep);
    if (st != OK)
        return st == ERR_LIMIT ? ERR_TEMP : OK;
    struct cook_dns_answer *answers = ARENA_ARRAY(a, struct cook_dns_answer, rep.answers_count + 1);
    for (size_t i = 0; i < rep.answers_count; i++)
        answers[i] = (struct cook_dns_answer){.found = rep.answers[i].found,
                                              .texts = rep.answers[i].texts,
                                              .texts_count = rep.answers[i].texts_count,
                                              .secure = rep.answers[i].secure};
    out->answers = answers;
    out->answers_count = rep.answers_count;
    out->existence = rep.existence;
    out->existence_count = rep.existence_count;
    return OK;
}

static struct str
signatures_text(const struct cook_verdict *v, struct arena *a)
{
    AUTO_BUF b = BUF(4096);

    for (size_t i = 0; i < v->signatures_count; i++)
        buf_addf(&b, "%s%s:%.*s", i > 0 ? "," : "",
                 dkim_result_name((enum dkim_result)v->signatures[i].result), /* enum<4> */
                 STR_FMT(v->signatures[i].domain));
    return b.len == 0 ? STR("none") : arena_str(a, buf_str(&b));
}

static void
log_verdict(const struct store_deliver *req, const struct intake_judged *j)
{
    static const char *const done[] = {
        [VERDICT_TAKE] = "take", [VERDICT_JUNK] = "junk", [VERDICT_REFUSE] = "refuse"};
    AUTO_ARENA *a = arena_new(8192);
    AUTO(logger_send) struct log_line l;
    const struct cook_verdict *v = &j->verdict;

    if (!event_begin(&l, EVENT_STORE_VERDICT))
        return;
    log_hex64(&l, "tid", req->trace);
    log_str(&l, "msgid", j->facts.message_id);
    log_str(&l, "peer", req->checks.client);
    log_str(&l, "from", req->sender);
    log_str(&l, "author", v->author);
    log_str(&l, "spf", str_of(spf_result_name((enum spf_result)req->checks.spf))); /* enum<6> */
    log_str(&l, "dkim", signatures_text(v, a));
    log_str(&l, "dmarc", str_of(dmarc_result_name((enum dmarc_result)v->dmarc)));   /* enum<4> */
    log_str(&l, "policy", str_of(dmarc_policy_name((enum dmarc_policy)v->policy))); /* enum<3> */
    log_str(&l, "arc", str_of(arc_result_name((enum arc_result)v->arc)));           /* enum<2> */
    log_str(&l, "disposition", str_of(done[v->disposition]));
    log_str(&l, "reason", v->reason);
    log_str(&l, "warning", v->warning);
    if (!j->spam.scored)
        return;
    log_str(&l, "score", arena_printf(a, "%.2f", (double)j->spam.score / 100));
    log_str(&l, "words", j->spam.words);
}

static enum status
refuse(const struct intake_judged *j)
{
    struct problem why = {0};

    problem_set(&why, 550, "5.7.1", "%.*s", STR_FMT(j->verdict.reason));
    ipc_fail(&why);
    return ERR_DENIED;
}
