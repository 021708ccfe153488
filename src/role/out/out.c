/* out.c - mail to other servers.
 *
 * May touch:  the network as a client, the resolver's files, password files of routes that boss opened, a channel
 *             to the store.  No listeners, no mail files, no keys.
 * Takes due attempts from the store as leases, at most LIMIT_OUT_LEASES at a time.  How many of them are sent at once,
 * in all and to one destination, smtp/destination.h says.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/out_serve.h"
#include "ipc/store_ipc.h"
#include "role/out/lists.h"
#include "role/out/out_internal.h"
#include "role/out/sts.h"
#include "role/resolving.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "smtp/delivery.h"
#include "smtp/destination.h"
#include "smtp/plan.h"

enum {
    LEASE_MAX = 32,
    POLL_MS = 5000,
    ARENA_BYTES = 4 << 20,
    POLICY_ARENA = 128 << 10,
    FIRST_TRIES = 3,
    SWEEP_MS = 1000,
    LOOK_MS = 20,
    UNTOLD_NAME_MAX = 180 /* so that the sentence fits into plan_host.why */
};

/* What deliveries go by: the last is that of today's configuration, older ones live until their deliveries are over. */
struct terms {
    struct delivery_world world;
    struct upstream *upstream;
    struct secret *passwords; /* of the routes, then of their proxies */
    uint32_t users;
};
static struct terms *terms;
static struct fiber_queue wanted; /* work came, or a slot is free */
static uint32_t under_way;
static bool more_work, stopping;
static struct fiber_queue lists_changed;
static struct list jobs = {&jobs, &jobs}; /* under way */

static struct destinations *destinations;

struct job {
    struct list node;
    struct arena *arena;
    struct delivery d;
    uint32_t *indexes; /* of the recipients in the store */
    uint64_t lease;
};

/* ---- one attempt ---- */

/* For reports about TLS. */
static const struct store_tls_fact *
tls_facts(const struct delivery *d, struct arena *a)
{
    struct store_tls_fact *facts = ARENA_ARRAY(a, struct store_tls_fact, LIMIT_TLS_FACTS);

    for (size_t i = 0; i < d->fact_count; i++) {
        const struct tls_fact *f = &d->facts[i];
        facts[i] = (struct store_tls_fact){.policy = (uint8_t)f->policy, /* small enums */
                                           .result = (uint8_t)f->result,
                                           .domain = f->domain,
                                           .text = f->text,
                                           .host = f->host,
                                           .sending = f->sending,
                                           .receiving = f->receiving,
                                           .reason = f->reason};
    }
    return facts;
}

static SUSPENDS void
report(struct job *j)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct store_rcpt_result *results = ARENA_ARRAY(a, struct store_rcpt_result, j->d.rcpt_count);
    struct store_queue_result_reply rep;

    for (size_t i = 0; i < j->d.rcpt_count; i++) {
        const struct delivery_rcpt *r = &j->d.rcpts[i];
        results[i] = (struct store_rcpt_result){
            .index = j->indexes[i],
            .state = (uint8_t)(r->decided ? r->state : DELIVERY_PUT_OFF),
            .code = (uint32_t)r->code,
            .enhanced = str_of(r->enhanced),
            .text = str_of(r->text),
            .remote = str_of(j->d.remote),
            .relayed = r->relayed,
            .announce = r->announce,
        };
    }
    struct store_queue_result req = {.qid = j->d.qid,
                                     .lease = j->lease,
                                     .results = results,
                                     .results_count = j->d.rcpt_count,
                                     .domain = j->d.domain};
    req.facts = tls_facts(&j->d, a);
    req.facts_count = j->d.fact_count;
    /* When the store is away the lease ends with the channel, and the message is tried again: at least once. */
    if (store_queue_result_call(role_peer(ROLE_STORE), &req, a, &rep) != OK)
        return;
}

struct upstream *
out_upstream_hold(void)
{
    if (terms != NULL)
        terms->upstream->users++;
    return terms != NULL ? terms->upstream : NULL;
}

void
out_upstream_let_go(struct upstream *u)
{
    if (u == NULL || --u->users > 0)
        return;
    resolver_free(&u->resolver);
    mem_free(u);
}

static void
forget_passwords(struct secret *passwords, size_t n)
{
    for (size_t i = 0; i < n; i++)
        secret_wipe(&passwords[i]);
    mem_free(passwords);
}

static void
let_go(struct terms *t)
{
    if (--t->users > 0)
        return;
    forget_passwords(t->passwords, 2 * t->world.config->route_count);
    out_upstream_let_go(t->upstream);
    mem_free(t);
}

/* The policy of a domain, in a.  Not OK: whether there is one cannot be told. */
static SUSPENDS enum status
find_policy(const struct delivery_world *w, struct str domain, struct arena *a,
            const struct sts_policy **out)
{
    const struct out_sts_ask ask = {
        .resolver = w->resolver, .tls = w->tls_verified, .domain = domain};

    return out_sts_find(&ask, a, out);
}

static SUSPENDS void
attempt(struct job *j, const struct delivery_world *w)
{
    bool heeded = delivery_heeds_policy(w->config, &j->d) && !j->d.terms.tls_optional;
    enum status e = heeded ? find_policy(w, j->d.domain, j->arena, &j->d.sts) : OK;

    if (heeded)
        j->d.sts_trouble = out_sts_trouble(j->d.domain, &j->d.sts_why);
    if (e == OK)
        delivery_try(w, role_peer(ROLE_STORE), &j->d);
    else if (e == ERR_CANCELLED)
        delivery_put_off(&j->d, "stopped");
    else
        delivery_unknown(&j->d, "whether the domain has a policy (MTA-STS) cannot be told now");
}

static FIBER_ENTRY void
work(void *arg)
{
    struct job *j = arg;
    struct arena *a = j->arena;
    struct visit *v = ARENA_NEW(a, struct visit);
    struct terms *mine = terms;
    const char *why = "";

    list_push(&jobs, &j->node);
    mine->users++;
    struct str name = delivery_destination(mine->world.config, &j->d, a);
    if (destination_enter(destinations, name, j->d.hurry, v, &why) == OK) {
        j->d.visit = v;
        attempt(j, &mine->world);
        if (j->d.unasked)
            destination_leave_unasked(destinations, v);
        else
            destination_leave(destinations, v, j->d.unreached ? j->d.why : NULL);
    } else {
        delivery_put_off(&j->d, why);
    }
    report(j);
    list_remove(&j->node);
    arena_free(&a);
    let_go(mine);
    under_way--;
    fiber_queue_wake_all(&wanted);
}

/* ---- leasing ---- */

static struct job *
job_of(const struct store_attempt *from)
{
    struct arena *a = arena_new(ARENA_BYTES);
    struct job *j = ARENA_NEW(a, struct job);

    j->arena = a;
    j->lease = from->lease;
    j->d = (struct delivery){
        .qid = from->qid,
        .domain = arena_str(a, from->domain),
        .sender = from->sender.len > 0 ? arena_str(a, from->sender) : STR(""),
        .prepend = from->prepend.len > 0 ? arena_str(a, from->prepend) : STR(""),
        .envid = from->envid.len > 0 ? arena_str(a, from->envid) : STR(""),
        .route = from->route.len > 0 ? arena_str(a, from->route) : STR(""),
        .tries = UINT32_MAX,
        .age_s = MAX(clock_now().us - from->arrived, 0) / 1000000,
        .size = from->size + from->prepend.len,
        .terms = {.by_mode = (enum smtp_by_mode)from->terms.by_mode, /* enum<2> */
                  .by = {from->terms.by},
                  .by_trace = from->terms.by_trace,
                  .priority = (int32_t)from->terms.priority, /* -9 to 9 */
                  .require_tls = from->terms.require_tls,
                  .tls_optional = from->tls_optional},
        /* What a report about TLS tells of may be why its domain is left alone. */
        .hurry = from->hurry || from->tls_optional,
        .first = true,
        .full_return = from->full_return,
        .smtputf8 = from->smtputf8,
        .eight_bit = from->eight_bit,
        .rcpts = ARENA_ARRAY(a, struct delivery_rcpt, from->rcpts_count),
        .rcpt_count = from->rcpts_count,
        .facts_arena = a,
        .sts_why = "",
    };
    j->indexes = ARENA_ARRAY(a, uint32_t, from->rcpts_count);
    for (size_t i = 0; i < from->rcpts_count; i++) {
        const struct store_attempt_rcpt *r = &from->rcpts[i];
        j->indexes[i] = r->index;
        j->d.rcpts[i].address = arena_str(a, r->address);
        j->d.rcpts[i].notify = r->notify;
        j->d.first = j->d.first && r->tries < FIRST_TRIES;
        j->d.tries = MIN(j->d.tries, r->tries);
        if (r->orcpt.len > 0)
            j->d.rcpts[i].orcpt = arena_str(a, r->orcpt);
    }
    return j;
}

/* True: there may be more. */
static SUSPENDS bool
lease_some(void)
{
    AUTO_ARENA *a = arena_new(8u << 20);
    uint32_t room = MIN(LIMIT_OUT_LEASES - under_way, (uint32_t)LEASE_MAX);
    struct store_queue_lease req = {.max = room};
    struct store_queue_lease_reply rep;

    if (room == 0 || stopping || store_queue_lease_call(role_peer(ROLE_STORE), &req, a, &rep) != OK)
        return false;
    for (size_t i = 0; i < rep.attempts_count; i++) {
        struct job *j = job_of(&rep.attempts[i]);
        under_way++;
        if (rep.attempts[i].rcpts_count > 0 && fiber_go(work, j) == OK)
            continue;
        struct arena *gone = j->arena;
        under_way--;
        report(j); /* nothing is decided: put off */
        arena_free(&gone);
    }
    return rep.attempts_count > 0;
}

static FIBER_ENTRY void
leasing(void *arg)
{
    (void)arg;
    for (;;) {
        more_work = false;
        while (under_way < LIMIT_OUT_LEASES && lease_some())
            continue;
        if (more_work && under_way < LIMIT_OUT_LEASES)
            continue;
        if (fiber_queue_wait(&wanted, POLL_MS) == ERR_CANCELLED)
            return;
    }
}

static FIBER_ENTRY void
lending(void *arg)
{
    (void)arg;
    destinations_lend(destinations);
}

static FIBER_ENTRY void
sweeping(void *arg)
{
    (void)arg;
    while (fiber_sleep(SWEEP_MS) == OK)
        pool_sweep(terms->world.pool, clock_mono_ms());
}

/* Of the lists in DNS, one after the other: nobody waits for it. */
static FIBER_ENTRY void
testing_lists(void *arg)
{
    enum status st = OK;

    (void)arg;
    while (st != ERR_CANCELLED) {
        struct upstream *u = out_upstream_hold();
        if (u != NULL)
            out_lists_test(u->resolver);
        out_upstream_let_go(u);
        st = fiber_queue_wait(&lists_changed, out_lists_rest_ms());
    }
}

static struct out_plan_manner
manner_of(const struct config_route *r, struct arena *a)
{
    if (r == NULL)
        return (struct out_plan_manner){.title = STR("")};
    return (struct out_plan_manner){
        .title = route_title(r, a),
        .tls = (uint8_t)(r->tls_never ? ROUTE_TLS_VERIFIED + 1 : r->tls), /* a small enum */
        .login = r->user.len > 0,
        .socks = r->socks.host.len > 0
                     ? arena_printf(a, "%.*s:%u", STR_FMT(r->socks.host), r->socks.port)
                     : STR(""),
        .socks_names = r->socks.names,
        .source4 = r->source4,
        .source6 = r->source6,
        .ehlo = r->ehlo,
    };
}

/* The policy of a domain for who only wants to know: the question goes on when he waits no more, and what comes of it
 * is what deliveries go by.  It lives in its arena, which belongs to the last of the two. */
struct policy_look {
    struct arena *arena;
    struct terms *mine;
    struct str domain;
    struct fiber_queue done;
    bool over, left;
    enum status e;
    const struct sts_policy *sts;
};

static FIBER_ENTRY void
look_for_policy(void *arg)
{
    struct policy_look *l = arg;
    struct arena *a = l->arena;

    l->e = find_policy(&l->mine->world, l->domain, a, &l->sts);
    let_go(l->mine);
    l->over = true;
    if (l->left)
        arena_free(&a);
    else
        fiber_queue_wake_all(&l->done);
}

/* In LIMIT_STS_EXPLAIN_MS at most: ERR_TIMEOUT.  Whatever it is, policy_look_end() follows. */
static SUSPENDS enum status
policy_look_begin(struct terms *mine, struct str domain, struct policy_look **out)
{
    struct arena *a = arena_new(POLICY_ARENA);
    struct policy_look *l = ARENA_NEW(a, struct policy_look);

    *l = (struct policy_look){.arena = a, .mine = mine, .domain = arena_str(a, domain)};
    fiber_queue_init(&l->done);
    *out = l;
    mine->users++;
    enum status e = fiber_go(look_for_policy, l);
    if (e != OK) {
        let_go(mine);
        l->over = true;
        return e;
    }
    if (!l->over)
        e = fiber_queue_wait(&l->done, LIMIT_STS_EXPLAIN_MS);
    return l->over ? l->e : e;
}

static void
policy_look_end(struct policy_look *l)
{
    struct arena *a = l->arena;

    l->left = true;
    if (l->over)
        arena_free(&a);
}

/* DANE goes before a policy; the other hosts would wait for it. */
static void
say_untold(struct plan *p, enum status e, struct str domain, struct arena *a)
{
    for (size_t i = 0; i < p->host_count; i++) {
        struct plan_host *h = &p->hosts[i];
        if (h->barred || h->guard == GUARD_DANE)
            continue;
        h->barred = e != ERR_TIMEOUT;
        h->why = arena_printf(a, "MTA-STS: whether %.*s has a policy %s",
                              STR_FMT(str_sub(domain, 0, UNTOLD_NAME_MAX)),
                              h->barred ? "cannot be told now" : "was not told in time");
    }
}

enum status
out_serve_plan(struct ipc_peer *from, const struct out_plan *req, struct arena *a,
               struct out_plan_reply *rep)
{
    struct terms *mine = terms;
    struct plan p;

    (void)from;
    if (mine == NULL) /* not begun yet */
        return ERR_TEMP;
    mine->users++;
    const struct route_ask ask = {req->domain, req->sender, req->route, req->tries,
                                  (int64_t)MIN(req->age_s, (uint64_t)INT32_MAX)};
    const struct route_choice way = route_choose(mine->world.config, &ask);
    struct policy_look *look = NULL;
    enum status e = route_heeds_policy(&way) ? policy_look_begin(mine, req->domain, &look) : OK;
    plan_find(&mine->world, &ask, e == OK && look != NULL ? look->sts : NULL, a, &p);
    if (look != NULL)
        policy_look_end(look);
    if (e != OK)
        say_untold(&p, e, req->domain, a);
    struct out_plan_host *hosts = ARENA_ARRAY(a, struct out_plan_host, p.host_count + 1);
    for (size_t i = 0; i < p.host_count; i++)
        hosts[i] = (struct out_plan_host){.name = p.hosts[i].name,
                                          .preference = p.hosts[i].preference,
                                          .port = p.hosts[i].port,
                                          .state = (uint8_t)p.hosts[i].state, /* a small enum */
                                          .addresses = p.hosts[i].addresses,
                                          .addresses_count = p.hosts[i].address_count,
                                          .secure = p.hosts[i].secure,
                                          .guard = (uint8_t)p.hosts[i].guard,
                                          .barred = p.hosts[i].barred,
                                          .why = p.hosts[i].why};
    *rep = (struct out_plan_reply){.kind = (uint8_t)p.kind, /* a small enum */
                                   .hosts = hosts,
                                   .hosts_count = p.host_count,
                                   .manner = manner_of(p.route, a),
                                   .secure = p.secure};
    let_go(mine);
    return OK;
}

void
out_serve_work(struct ipc_peer *from, const struct out_work *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
    more_work = true;
    fiber_queue_wake_all(&wanted);
}

/* ---- beginning, and a new configuration ---- */

static enum status
read_password(const struct role_start *s, struct str path, struct secret *out, struct problem *why)
{
    AUTO_BUF text = BUF(SECRET_MAX);
    enum status st = path.len == 0 ? OK : role_file_read(s, path, &text);

    if (st == OK && path.len > 0 && !secret_set(out, str_trim(buf_str(&text))))
        st = ERR_LIMIT;
    mem_wipe(text.ptr, text.cap);
    if (st == OK)
        return OK;
    problem_set(why, 0, "", "the password file %.*s cannot be read", STR_FMT(path));
    return ERR_IO;
}

static enum status
read_passwords(const struct role_start *s, struct secret **out, struct problem *why)
{
    size_t n = s->config->route_count;
    struct secret *passwords = MEM_ARRAY(struct secret, 2 * n + 1);
    enum status st = OK;

    for (size_t i = 0; i < n && st == OK; i++) {
        st = read_password(s, s->config->routes[i].password_file, &passwords[i], why);
        if (st == OK)
            st = read_password(s, s->config->routes[i].socks.password_file, &passwords[n + i], why);
    }
    if (st == OK)
        *out = passwords;
    else
        forget_passwords(passwords, 2 * n);
    return st;
}

static bool
same_resolver(const struct config_resolver *a, const struct config_resolver *b)
{
    if (a->kind != b->kind || a->dnssec != b->dnssec || a->forward_count != b->forward_count)
        return false;
    for (size_t i = 0; i < a->forward_count; i++) {
        if (!str_eq(a->forward[i].host, b->forward[i].host) ||
            a->forward[i].port != b->forward[i].port)
            return false;
    }
    return true;
}

static SUSPENDS enum status
take_upstream(const struct config *c, struct upstream **out, struct problem *why)
{
    if (terms != NULL && same_resolver(&c->resolver, &terms->world.config->resolver)) {
        *out = terms->upstream;
    } else {
        struct resolver *resolver;
        TRY(role_resolver_new(c, &resolver, why));
        *out = MEM_NEW(struct upstream);
        (*out)->resolver = resolver;
    }
    (*out)->users++;
    return OK;
}

/* Of the configuration that is there now.  first: what stays the same, such as the kept connections; NULL: there are
 * terms already, which have it.  Others may be made meanwhile. */
static SUSPENDS enum status
make_terms(const struct role_start *s, const struct delivery_world *first, struct problem *why)
{
    const struct config *config = s->config;
    struct secret *passwords;
    struct upstream *upstream;

    TRY(read_passwords(s, &passwords, why));
    enum status st = take_upstream(config, &upstream, why);
    if (st != OK) {
        forget_passwords(passwords, 2 * config->route_count);
        return st;
    }
    struct terms *fresh = MEM_NEW(struct terms);
    if (first == NULL) {
        ASSERT(terms != NULL);
        first = &terms->world;
    }
    *fresh =
        (struct terms){.world = *first, .upstream = upstream, .passwords = passwords, .users = 1};
    fresh->world.config = config;
    fresh->world.resolver = upstream->resolver;
    fresh->world.passwords = passwords;
    fresh->world.socks_passwords = passwords + config->route_count;
    struct terms *old = terms;
    terms = fresh;
    out_lists_renew(config);
    fiber_queue_wake_all(&lists_changed);
    if (old != NULL)
        let_go(old);
    return OK;
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    struct delivery_world world = {0};

    destinations = destinations_new();
    world.destinations = destinations;
    world.pool = pool_new();
    world.absents = absents_new();
    fiber_queue_init(&wanted);
    out_sts_begin();
    fiber_queue_init(&lists_changed);
    TRY(tls_client_new(TLS_OPPORTUNISTIC, &world.tls_any));
    TRY(tls_client_new(TLS_VERIFY_NAME, &world.tls_verified));
    TRY(tls_client_new(TLS_VERIFY_DANE, &world.tls_dane));
    TRY(tls_client_new(TLS_ADVISE_NAME, &world.tls_advised));
    TRY(make_terms(s, &world, why));
    TRY(fiber_go(sweeping, NULL));
    TRY(fiber_go(lending, NULL));
    TRY(fiber_go(testing_lists, NULL));
    return fiber_go(leasing, NULL);
}

static FIBER_ENTRY void
renew(void *arg)
{
    const struct role_start *s = arg;
    struct problem why = {0};

    do {
        if (make_terms(s, NULL, &why) == OK)
            continue;
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_RELOAD_FAIL)) {
            log_str(&l, "what", STR("how mail goes out"));
            log_str(&l, "reason", str_of(why.text));
        }
        return;
    } while (terms->world.config != s->config); /* it changed again meanwhile */
}

static void
config_changed(const struct role_start *s)
{
    if (fiber_go(renew, (void *)(uintptr_t)s) != OK)
        role_fail("too many fibers for a new configuration");
}

static void
peer_arrived(struct ipc_peer *p)
{
    if (ipc_role(p) != ROLE_STORE || destinations == NULL)
        return;
    more_work = true;
    fiber_queue_wake_all(&wanted);
}

/* ---- the end ---- */

static bool
is_handing(void)
{
    list_each (node, &jobs) {
        if (LIST_ENTRY(node, struct job, node)->d.handed)
            return true;
    }
    return false;
}

/* What the other side may have taken is heard out, or it would get it twice.  All else is tried again anyway. */
static FIBER_ENTRY void
finish(void *arg)
{
    int64_t end_ms = clock_mono_ms() + LIMIT_DRAIN_S * INT64_C(1000);

    (void)arg;
    while (is_handing() && clock_mono_ms() < end_ms && fiber_sleep(LOOK_MS) == OK)
        continue;
    role_stopped();
}

static void
stop(void)
{
    stopping = true;
    if (fiber_go(finish, NULL) != OK)
        role_stopped();
}

static const struct ipc_service *const serves[] = {&out_service};

const struct role_verbs role_out = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .begin = begin,
    .peer_arrived = peer_arrived,
    .stop = stop,
    .config_changed = config_changed,
};
