/* sender.c - see sender.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/sender.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "mail/domain.h"
#include "policy/iprev.h"
#include "policy/spf.h"
#include "role/out/lists.h"
#include "rt/clock.h"

enum { NAME_MAX_BYTES = 255 }; /* of names in out.ipc */
static struct fiber_share asking = {.max = LIMIT_SENDER_FIBERS};

/* All that is asked about one client. */
struct inquiry {
    struct resolver *resolver;
    const struct out_sender *req;
    struct str host;
    struct subnet client;
    int64_t until_ms;
    struct arena *arena; /* of the answer */
    struct out_sender_reply *rep;
    struct fiber_crew crew;
};
struct list_task {
    struct inquiry *of;
    const struct config_list *list;
    bool listed;
};

static void run_spf(void *arg);
static void run_iprev(void *arg);
static void run_list(void *arg);
static SUSPENDS void look_at_spf(struct inquiry *q);
static SUSPENDS void look_at_names(struct inquiry *q);

/* The verdicts of the lists, in the order of the configuration. */
static void
add_lists(struct inquiry *q, const struct list_task *tasks, size_t count)
{
    struct str *names = ARENA_ARRAY(q->arena, struct str, MAX(count, (size_t)1));
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (tasks[i].listed && tasks[i].list->good)
            q->rep->allowed = true;
        else if (tasks[i].listed)
            names[n++] = tasks[i].list->zone;
    }
    q->rep->lists = names;
    q->rep->lists_count = n;
}

/* Without a fiber to spare nothing is asked of a list; the others are asked one after the other. */
static SUSPENDS void
ask_all(struct inquiry *q)
{
    const struct config_list **lists;
    size_t n = out_lists_for(&q->client, q->arena, &lists);
    struct list_task *tasks = ARENA_ARRAY(q->arena, struct list_task, MAX(n, (size_t)1));

    for (size_t i = 0; i < n; i++) {
        tasks[i] = (struct list_task){.of = q, .list = lists[i]};
        if (fiber_crew_go(&q->crew, run_list, &tasks[i]) != OK)
            continue;
    }
    if (fiber_crew_go(&q->crew, run_spf, q) != OK)
        look_at_spf(q);
    if (fiber_crew_go(&q->crew, run_iprev, q) != OK)
        look_at_names(q);
    fiber_crew_wait(&q->crew);
    add_lists(q, tasks, n);
}

enum status
out_sender_ask(struct resolver *r, struct str host, const struct out_sender *req, struct arena *a,
               struct out_sender_reply *rep)
{
    struct inquiry q = {.resolver = r,
                        .req = req,
                        .host = host,
                        .until_ms = clock_mono_ms() + LIMIT_SENDER_MS,
                        .arena = a,
                        .rep = rep};

    if (!subnet_read_around(req->client, &q.client) || !subnet_is_address(&q.client))
        return ERR_SYNTAX;
    *rep = (struct out_sender_reply){.spf = SPF_TEMPERROR,
                                     .spf_helo = req->sender.len == 0,
                                     .spf_problem = STR("there is no resolver yet"),
                                     .iprev = IPREV_TEMPERROR};
    if (r == NULL)
        return OK;
    fiber_crew_init(&q.crew, &asking);
    ask_all(&q);
    return OK;
}

/* ---- SPF ---- */

static void
look_at_spf(struct inquiry *q)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);
    const struct spf_question ask = {.client = q->client,
                                     .helo = q->req->helo,
                                     .from = q->req->sender,
                                     .host = q->host,
                                     .now_s = clock_now().us / 1000000,
                                     .budget_ms = MAX(q->until_ms - clock_mono_ms(), 1)};
    struct spf_answer got;

    if (spf_check(q->resolver, &ask, q->arena, &got) != OK) {
        q->rep->spf_problem = STR("there was no time to ask");
        return;
    }
    q->rep->spf = (uint8_t)got.result; /* a small enum */
    q->rep->spf_problem = str_sub(got.problem, 0, NAME_MAX_BYTES);
    if (domain_normalise(got.domain, &normal) == OK)
        q->rep->spf_domain = arena_str(q->arena, buf_str(&normal));
    else
        q->rep->spf_domain = str_sub(got.domain, 0, NAME_MAX_BYTES);
}

static FIBER_ENTRY void
run_spf(void *arg)
{
    struct inquiry *q = arg;

    look_at_spf(q);
    fiber_crew_leave(&q->crew);
}

/* ---- names of the address ---- */

static SUSPENDS enum iprev_found
ask(const struct inquiry *q, struct str name, enum dns_type type, struct arena *a,
    struct dns_records *out)
{
    struct dns_query query = {
        .name = name, .type = type, .timeout_ms = q->until_ms - clock_mono_ms()};

    *out = (struct dns_records){0};
    if (query.timeout_ms <= 0)
        return IPREV_UNKNOWN;
    enum status st = resolver_records(q->resolver, &query, a, out);
    if (st != OK && st != ERR_NOT_FOUND)
        return IPREV_UNKNOWN;
    return out->count == 0 ? IPREV_ABSENT : IPREV_FOUND;
}

static SUSPENDS void
look_at_host(const struct inquiry *q, struct arena *a, struct iprev_host *host)
{
    struct dns_records found;
    enum dns_type type = q->client.size == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;

    host->found = ask(q, host->name, type, a, &found);
    struct subnet *addresses = ARENA_ARRAY(a, struct subnet, MAX(found.count, (size_t)1));
    for (size_t i = 0; i < found.count; i++) {
        addresses[i] = (struct subnet){.size = q->client.size, .bits = q->client.bits};
        mem_copy(addresses[i].bytes, found.data[i].ptr, found.data[i].len); /* 4 or 16 */
    }
    host->addresses = addresses;
    host->count = found.count;
}

/* One after the other: the first name leads back nearly always. */
static void
look_at_names(struct inquiry *q)
{
    AUTO_ARENA *a = arena_new((LIMIT_IPREV_NAMES + 1) * (size_t)(2 * RESOLVER_RECORDS_ARENA));
    AUTO_BUF reverse = BUF(DOMAIN_MAX);
    struct iprev_host hosts[LIMIT_IPREV_NAMES];
    enum iprev_result result = IPREV_TEMPERROR;
    struct dns_records names;
    struct str name = STR("");

    iprev_name(&q->client, &reverse);
    enum iprev_found found = ask(q, buf_str(&reverse), DNS_TYPE_PTR, a, &names);
    size_t count = MIN(names.count, (size_t)LIMIT_IPREV_NAMES), looked = 0;
    do {
        if (looked < count) {
            hosts[looked] = (struct iprev_host){.name = names.data[looked]};
            look_at_host(q, a, &hosts[looked]);
            looked++;
        }
        result = iprev_judge(&q->client, found, hosts, looked, &name);
    } while (result != IPREV_PASS && looked < count);
    q->rep->iprev = (uint8_t)result; /* a small enum */
    q->rep->iprev_name = name.len == 0 ? STR("") : arena_str(q->arena, name);
}

static FIBER_ENTRY void
run_iprev(void *arg)
{
    struct inquiry *q = arg;

    look_at_names(q);
    fiber_crew_leave(&q->crew);
}

/* ---- lists ---- */

static FIBER_ENTRY void
run_list(void *arg)
{
    struct list_task *t = arg;

    t->listed = out_lists_has(t->of->resolver, t->list, &t->of->client, t->of->until_ms);
    fiber_crew_leave(&t->of->crew);
}
