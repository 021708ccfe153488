/* explain.c - answers `godwit explain`: what would happen to a recipient, a log-in, mail for a domain.
 *
 * The same look-ups as when it happens; nothing is changed, and no password is asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "ipc/out_ipc.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_explain.h"

#define DAY_US INT64_C(86400000000)

/* ---- recipients ---- */

/* As store_serve_rcpt() decides it. */
static SUSPENDS enum status
check_quota(struct store *s, const struct directory_resolution *r, uint64_t size,
            struct admin_explain_rcpt_reply *rep)
{
    struct account_info info;

    if (r->class != DIRECTORY_LOCAL || r->count != 1 || r->relayed)
        return OK;
    AUTO(cell_close) struct cell *account = account_open(s->cells, r->targets[0].account);
    enum status st = account_has_room(account, size);
    if (st == ERR_NOT_FOUND) {
        rep->class = DIRECTORY_NO_USER;
        return OK;
    }
    if (st != ERR_QUOTA)
        return store_checked(s, st, "quota");
    rep->class = DIRECTORY_OVER_QUOTA;
    TRY(store_checked(s, account_info(account, &info), "quota"));
    rep->lasting = info.full_since.us != 0 && /* as store_quota_refused(), which would note it */
                   clock_now().us - info.full_since.us >= LIMIT_QUOTA_FULL_DAYS * DAY_US;
    return OK;
}

/* Of a rewritten sender of ours; *to stays what it is when it is none. */
static SUSPENDS enum status
look_at_return(struct store *s, const struct admin_explain_rcpt *req, struct arena *a,
               struct str *to, struct admin_explain_rcpt_reply *rep)
{
    int64_t now_ms = clock_now().us / 1000;
    struct str name, back = STR("");

    enum status st = store_return(s, req->address, a, &back);
    if (st == ERR_NOT_FOUND)
        return OK;
    if (st == ERR_DENIED) {
        rep->class = STORE_CLASS_FORGED;
        return OK;
    }
    TRY(store_checked(s, st, "look-up"));
    *to = rep->returns = back;
    if (req->sender.len > 0 && !str_eq(req->sender, STR("<>"))) {
        rep->class = STORE_CLASS_REPORTS_ONLY;
        return OK;
    }
    TRY(directory_canonical(s->directory, back, a, &name, NULL));
    if (rates_count(s->returns, name, now_ms) >= LIMIT_SRS_REPORTS_PER_HOUR)
        rep->class = STORE_CLASS_TOO_MANY;
    return OK;
}

static SUSPENDS enum status
look_at_sender(struct store *s, const struct admin_explain_rcpt *req,
               struct admin_explain_rcpt_reply *rep)
{
    struct str sender = str_eq(req->sender, STR("<>")) ? STR("") : req->sender;

    rep->listed = req->peer.len > 0 && store_relay_listed(s->config, req->peer);
    rep->sender_ours = sender.len == 0;
    if (sender.len == 0)
        return OK;
    return store_checked(
        s, directory_is_local_domain(s->directory, store_domain_of(sender), &rep->sender_ours),
        "look-up");
}

static SUSPENDS enum status
measure(struct store *s, const struct directory_step *from, struct admin_explain_step *to)
{
    struct account_info info;

    if (from->account == 0)
        return OK;
    AUTO(cell_close) struct cell *account = account_open(s->cells, from->account);
    enum status st = account_info(account, &info);
    if (st == ERR_NOT_FOUND)
        return OK;
    TRY(store_checked(s, st, "account"));
    to->used_bytes = info.bytes;
    to->quota_bytes = info.quota.bytes;
    return OK;
}

enum status
admin_serve_explain_rcpt(struct ipc_peer *from, const struct admin_explain_rcpt *req,
                         struct arena *a, struct admin_explain_rcpt_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_page first = {.max = 1, .a = a};
    const struct directory_domain *domain;
    struct directory_resolution r;
    struct directory_steps steps;
    struct str to = req->address;
    size_t domains;

    *rep = (struct admin_explain_rcpt_reply){.class = DIRECTORY_LOCAL};
    TRY(look_at_return(s, req, a, &to, rep));
    if (rep->class != DIRECTORY_LOCAL)
        return OK;
    TRY(look_at_sender(s, req, rep));
    enum status st = directory_explain(s->directory, to, a, &r, &steps);
    if (st == ERR_SYNTAX)
        return st;
    if (st == OK && rep->returns.len > 0 && r.class == DIRECTORY_FOREIGN) {
        r.class = DIRECTORY_LOCAL; /* our own address leads there */
        r.relayed = true;
    }
    TRY(store_checked(s, st, "look-up"));
    TRY(store_checked(s, directory_domains(s->directory, &first, &domain, &domains), "domains"));
    size_t n = MIN(steps.count, (size_t)ADMIN_EXPLAIN_RCPT_REPLY_STEPS_MAX);
    struct admin_explain_step *list = ARENA_ARRAY(a, struct admin_explain_step, n + 1);
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct admin_explain_step){.depth = steps.list[i].depth,
                                              .address = steps.list[i].address,
                                              .entry = steps.list[i].entry,
                                              .found = (uint8_t)steps.list[i].found};
        TRY(measure(s, &steps.list[i], &list[i]));
    }
    rep->class = (uint8_t)r.class; /* a small enum */
    rep->relayed = r.relayed;
    rep->cut = steps.cut;
    rep->disk_full = engine_space(s->engine) != SPACE_PLENTY;
    rep->set_up = domains > 0;
    rep->steps = list;
    rep->steps_count = n;
    return check_quota(s, &r, req->size, rep);
}

/* ---- log-ins ---- */

enum status
admin_serve_explain_login(struct ipc_peer *from, const struct admin_explain_login *req,
                          struct arena *a, struct admin_explain_login_reply *rep)
{
    struct store *s = store_of(from);
    struct auth_attempts ask = {.peer = req->peer};
    struct auth_attempts_reply answer = {0};
    struct str canonical = STR(""), unused;
    struct directory_entry e;

    enum status st = directory_login(s->directory, req->name, a, &e);
    if (st != OK && st != ERR_NOT_FOUND)
        return store_checked(s, st, "look-up");
    if (directory_canonical(s->directory, req->name, a, &canonical, &unused) != OK)
        canonical = req->name;
    *rep = (struct admin_explain_login_reply){.address = canonical};
    if (st == OK)
        *rep = (struct admin_explain_login_reply){
            .found = true,
            .address = e.address,
            .by_alias = !str_eq(e.address, canonical),
            .disabled = e.disabled,
            .suspended = e.suspended,
            .has_password = e.verifier.len > 0,
        };
    ask.login = canonical;
    rep->known = auth_attempts_call(store_peer_of(s, ROLE_AUTH), &ask, a, &answer) == OK;
    if (req->peer.len > 0) {
        rep->wrong = answer.wrong;
        rep->wait_s = (answer.wait_ms + 999) / 1000;
    }
    return OK;
}

/* ---- routes ---- */

static void
plan_into(const struct out_plan_reply *plan, struct arena *a, struct admin_route_plan *out)
{
    struct admin_route_host *hosts = ARENA_ARRAY(a, struct admin_route_host, plan->hosts_count + 1);

    for (size_t i = 0; i < plan->hosts_count; i++)
        hosts[i] = (struct admin_route_host){.name = plan->hosts[i].name,
                                             .preference = plan->hosts[i].preference,
                                             .port = plan->hosts[i].port,
                                             .state = plan->hosts[i].state,
                                             .addresses = plan->hosts[i].addresses,
                                             .addresses_count = plan->hosts[i].addresses_count,
                                             .secure = plan->hosts[i].secure,
                                             .guard = plan->hosts[i].guard,
                                             .barred = plan->hosts[i].barred,
                                             .why = plan->hosts[i].why};
    *out = (struct admin_route_plan){.kind = plan->kind,
                                     .hosts = hosts,
                                     .hosts_count = plan->hosts_count,
                                     .manner = {.title = plan->manner.title,
                                                .tls = plan->manner.tls,
                                                .login = plan->manner.login,
                                                .socks = plan->manner.socks,
                                                .socks_names = plan->manner.socks_names,
                                                .source4 = plan->manner.source4,
                                                .source6 = plan->manner.source6,
                                                .ehlo = plan->manner.ehlo},
                                     .secure = plan->secure};
}

enum status
admin_serve_explain_route(struct ipc_peer *from, const struct admin_explain_route *req,
                          struct arena *a, struct admin_explain_route_reply *rep)
{
    struct store *s = store_of(from);
    const struct out_plan ask = {.domain = req->domain,
                                 .sender = req->sender,
                                 .route = req->route,
                                 .tries = req->tries,
                                 .age_s = req->age_s};
    struct out_plan_reply plan;
    struct problem why = {0};

    TRY(store_checked(s, directory_is_local_domain(s->directory, req->domain, &rep->local),
                      "look-up"));
    if (rep->local) {
        *rep = (struct admin_explain_route_reply){.local = true};
        return OK;
    }
    if (out_plan_call(store_peer_of(s, ROLE_OUT), &ask, a, &plan) != OK) {
        problem_set(&why, 0, "", "role out, which asks the DNS, does not answer now");
        ipc_fail(&why);
        return ERR_TEMP;
    }
    plan_into(&plan, a, &rep->plan);
    return OK;
}
