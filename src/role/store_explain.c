/* store_explain.c - answers `godwit explain`: what would happen to a recipient, a log-in, mail for a domain.
 *
 * The same look-ups as when it happens; nothing is changed, and no password is asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "ipc/out_ipc.h"
#include "role/store_admin.h"
#include "store/account.h"
#include "store/directory_explain.h"

/* ---- recipients ---- */

/* As store_serve_rcpt() decides it. */
static SUSPENDS enum status
check_quota(struct store *s, const struct directory_resolution *r, uint64_t size, uint8_t *class)
{
    if (r->class != DIRECTORY_LOCAL || r->count != 1 || r->relayed)
        return OK;
    AUTO(cell_close) struct cell *account = account_open(s->cells, r->targets[0].account);
    enum status st = account_has_room(account, size);
    if (st == ERR_QUOTA || st == ERR_NOT_FOUND) {
        *class = st == ERR_QUOTA ? DIRECTORY_OVER_QUOTA : DIRECTORY_NO_USER;
        return OK;
    }
    return store_checked(s, st, "quota");
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
    size_t domains;

    enum status st = directory_explain(s->directory, req->address, a, &r, &steps);
    if (st == ERR_SYNTAX)
        return st;
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
    *rep = (struct admin_explain_rcpt_reply){
        .class = (uint8_t)r.class, /* a small enum */
        .relayed = r.relayed,
        .cut = steps.cut,
        .disk_full = engine_space(s->engine) != SPACE_PLENTY,
        .set_up = domains > 0,
        .steps = list,
        .steps_count = n,
    };
    return check_quota(s, &r, req->size, &rep->class);
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
                                             .secure = plan->hosts[i].secure};
    *out = (struct admin_route_plan){.kind = plan->kind,
                                     .hosts = hosts,
                                     .hosts_count = plan->hosts_count,
                                     .login = plan->login,
                                     .tls_required = plan->tls_required,
                                     .secure = plan->secure};
}

enum status
admin_serve_explain_route(struct ipc_peer *from, const struct admin_explain_route *req,
                          struct arena *a, struct admin_explain_route_reply *rep)
{
    struct store *s = store_of(from);
    const struct out_plan ask = {.domain = req->domain};
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
