/* sts.c - see sts.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/sts.h"

#include "base/aged.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/store_ipc.h"
#include "role/out/fetch.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/logger.h"

enum { DOMAIN_MAX = 240 /* with "mta-sts." a name still */, ARENA_BYTES = 256 << 10 };
#define SECOND_US INT64_C(1000000)

/* What is known of a domain. */
struct known {
    struct aged_node node;
    struct str domain; /* owned */
    struct fiber_queue line;
    uint32_t users;
    bool busy;        /* one of them asks */
    bool loaded;      /* the store was asked */
    int64_t look_ms;  /* when the record in DNS is looked at again */
    int64_t retry_ms; /* when a fetch may be tried again */
    char id[STS_ID_MAX + 1];
    struct str text; /* owned; none: no policy */
    struct instant fetched, until;
    enum tls_result trouble; /* of the last fetch */
    const char *trouble_why;
};
static struct aged all;

void
out_sts_begin(void)
{
    aged_init(&all, LIMIT_STS_DOMAINS);
}

/* ---- what is known ---- */

static void
forget(struct known *k)
{
    aged_take(&all, &k->node);
    mem_str_free(&k->domain);
    mem_str_free(&k->text);
    mem_free(k);
}

/* There are fewer deliveries than places, so that somebody is not in use. */
static void
make_room(void)
{
    struct aged_node *n = aged_is_full(&all) ? aged_oldest(&all) : NULL;

    while (n != NULL && AGED_ENTRY(n, struct known, node)->users > 0)
        n = aged_after(&all, n);
    if (n != NULL)
        forget(AGED_ENTRY(n, struct known, node));
}

static struct known *
known_of(struct str domain)
{
    struct aged_node *n = aged_get(&all, domain);

    if (n != NULL) {
        aged_renew(&all, n);
        return AGED_ENTRY(n, struct known, node);
    }
    make_room();
    if (aged_is_full(&all))
        return NULL;
    struct known *k = MEM_NEW(struct known);
    k->domain = mem_str(domain);
    fiber_queue_init(&k->line);
    aged_add(&all, &k->node, k->domain);
    return k;
}

static void
keep(struct known *k, struct str id, struct str text)
{
    mem_str_free(&k->text);
    k->text = mem_str(text);
    if (!str_to_z(id, k->id, sizeof(k->id)))
        k->id[0] = '\0';
}

/* ---- events ---- */

static void
tell_failure(const struct known *k, struct str id, const char *why)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_STS_FAIL))
        return;
    log_str(&l, "domain", k->domain);
    log_str(&l, "id", id);
    log_str(&l, "reason", str_of(why));
    log_str(&l, "kept", k->text.len > 0 && k->until.us > clock_now().us ? STR("yes") : STR("no"));
}

static void
tell_policy(const struct known *k, const struct sts_policy *p)
{
    static const char *const modes[] = {"none", "testing", "enforce"};
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_STS_POLICY))
        return;
    log_str(&l, "domain", k->domain);
    log_str(&l, "id", str_of(k->id));
    log_str(&l, "mode", str_of(modes[p->mode]));
    log_i64(&l, "seconds", p->max_age_s);
}

/* ---- a new policy ---- */

/* Text that is no policy, of another version or damaged, is dropped: then there is none, and it is fetched anew. */
static SUSPENDS enum status
load(struct known *k)
{
    AUTO_ARENA *a = arena_new(2 * ARENA_BYTES);
    const struct store_sts_get req = {.domain = k->domain};
    struct store_sts_get_reply rep;
    struct sts_policy p;

    TRY(store_sts_get_call(role_peer(ROLE_STORE), &req, a, &rep));
    k->loaded = true;
    if (rep.text.len == 0)
        return OK;
    if (sts_policy_read(rep.text, a, &p) != OK) {
        tell_failure(k, rep.id, "what was kept is no policy");
        return OK;
    }
    keep(k, rep.id, rep.text);
    k->fetched.us = rep.fetched;
    k->until.us = rep.until;
    return OK;
}

/* RFC 8461 section 3.3: 200, text/plain, and no redirect. */
static SUSPENDS enum status
fetch_policy(const struct out_sts_ask *ask, struct arena *a, struct sts_policy *out,
             struct known *k, const char **why)
{
    struct fetch f = {.resolver = ask->resolver,
                      .tls = ask->tls,
                      .host = arena_printf(a, "mta-sts.%.*s", STR_FMT(ask->domain)),
                      .path = STR("/.well-known/mta-sts.txt"),
                      .port = ask->port,
                      .body_max = LIMIT_STS_POLICY_BYTES,
                      .timeout_ms = LIMIT_STS_FETCH_S * INT64_C(1000)};
    struct http_reply reply;
    enum status e = fetch_get(&f, a, &reply);

    *why = f.why;
    k->trouble = e == ERR_DENIED ? TLS_RESULT_STS_WEBPKI_INVALID : TLS_RESULT_STS_FETCH_ERROR;
    TRY(e);
    *why = reply.status != 200 ? "its answer is not 200" : "its answer is not text/plain";
    if (reply.status != 200 || !str_eq_nocase(reply.content_type, STR("text/plain")))
        return ERR_SYNTAX;
    k->trouble = TLS_RESULT_STS_INVALID;
    *why = "its answer is no policy";
    return sts_policy_read(reply.body, a, out);
}

static SUSPENDS void
renew(struct known *k, const struct out_sts_ask *ask, struct str id)
{
    AUTO_ARENA *a = arena_new(2 * ARENA_BYTES);
    AUTO_BUF text = BUF(LIMIT_STS_KEPT_BYTES);
    struct store_sts_put_reply rep;
    struct sts_policy p;
    const char *why = "";
    enum status e = fetch_policy(ask, a, &p, k, &why);

    if (e == OK) {
        sts_policy_write(&p, &text);
        e = buf_status(&text);
        why = "the policy is too long";
    }
    if (e != OK) {
        k->trouble_why = why;
        k->retry_ms = clock_mono_ms() + LIMIT_STS_RETRY_S * INT64_C(1000);
        tell_failure(k, id, why);
        return;
    }
    k->trouble = TLS_RESULT_SUCCESS;
    keep(k, id, buf_str(&text));
    k->fetched = clock_now();
    k->until.us = k->fetched.us + p.max_age_s * SECOND_US;
    tell_policy(k, &p);
    const struct store_sts_put req = {.domain = k->domain,
                                      .id = str_of(k->id),
                                      .text = k->text,
                                      .fetched = k->fetched.us,
                                      .until = k->until.us};
    if (store_sts_put_call(role_peer(ROLE_STORE), &req, a, &rep) != OK)
        tell_failure(k, id, "the store did not keep it: a restart forgets it");
}

/* RFC 8461 section 3.3 and 5.1: a policy is fetched when its id is new, none holds, or it is time to renew it.  Without
 * a record none is looked for, and what holds holds. */
static SUSPENDS enum status
refresh(struct known *k, const struct out_sts_ask *ask)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    int64_t now_us = clock_now().us;
    struct dns_texts texts;
    struct str id;

    if (!k->loaded)
        TRY(load(k));
    if (clock_mono_ms() < k->look_ms)
        return OK;
    enum status e = resolver_texts(
        ask->resolver, arena_printf(a, "_mta-sts.%.*s", STR_FMT(ask->domain)), a, &texts);
    k->look_ms = clock_mono_ms() + LIMIT_STS_LOOK_S * INT64_C(1000);
    if (e == ERR_CANCELLED)
        return e;
    if (e == ERR_NOT_FOUND || (e == OK && !sts_record_choose(texts.text, texts.count, &id)))
        k->trouble = TLS_RESULT_SUCCESS; /* nobody says that there is a policy */
    if (e != OK || !sts_record_choose(texts.text, texts.count, &id))
        return OK;
    int64_t life_us = k->until.us - k->fetched.us;
    bool fresh = k->text.len > 0 && k->until.us > now_us && str_eq(id, str_of(k->id)) &&
                 now_us - k->fetched.us < MIN(life_us / 2, LIMIT_STS_RENEW_S * SECOND_US);
    if (!fresh && clock_mono_ms() >= k->retry_ms)
        renew(k, ask, id);
    return OK;
}

static SUSPENDS enum status
refresh_alone(struct known *k, const struct out_sts_ask *ask)
{
    while (k->busy)
        TRY(fiber_queue_wait(&k->line, FIBER_FOREVER));
    k->busy = true;
    enum status e = refresh(k, ask);
    k->busy = false;
    fiber_queue_wake_one(&k->line);
    return e;
}

enum status
out_sts_find(const struct out_sts_ask *ask, struct arena *a, const struct sts_policy **out)
{
    *out = NULL;
    if (ask->domain.len == 0 || ask->domain.len > DOMAIN_MAX || !str_is_ascii(ask->domain))
        return OK;
    struct known *k = known_of(ask->domain);
    if (k == NULL)
        return ERR_LIMIT;
    k->users++;
    enum status e = refresh_alone(k, ask);
    k->users--;
    if (e != OK || k->text.len == 0 || k->until.us <= clock_now().us)
        return e;
    struct sts_policy *p = ARENA_NEW(a, struct sts_policy);
    e = sts_policy_read(arena_str(a, k->text), a, p);
    if (e != OK || p->mode == STS_NONE)
        return e == ERR_SYNTAX ? ERR_CORRUPT : e;
    *out = p;
    return OK;
}

enum tls_result
out_sts_trouble(struct str domain, const char **why_out)
{
    struct aged_node *n = domain.len > 0 ? aged_get(&all, domain) : NULL;
    const struct known *k = n != NULL ? AGED_ENTRY(n, struct known, node) : NULL;
    bool any = k != NULL && k->trouble != TLS_RESULT_SUCCESS && k->trouble_why != NULL;

    *why_out = any ? k->trouble_why : "";
    return any ? k->trouble : TLS_RESULT_SUCCESS;
}
