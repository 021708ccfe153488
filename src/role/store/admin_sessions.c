/* admin_sessions.c - who is logged in, and how that ends, for the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/mem.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "store/directory_app.h"

SUSPENDS static enum status reply_one(struct store *s, const struct grant *g, struct arena *a,
                                      struct admin_session *out);
static struct ipc_peer *worker_of(const struct store *s, uint32_t index);
SUSPENDS static enum status kick_account(struct store *s, struct str address, uint32_t *count);
static enum status kick_one(struct store *s, uint32_t worker, uint64_t number, uint32_t *count);

enum status
admin_serve_sessions(struct ipc_peer *from, const struct admin_sessions *req, struct arena *a,
                     struct admin_sessions_reply *rep)
{
    struct store *s = store_of(from);
    struct grants_page page = {.incarnation = req->after_incarnation,
                               .session = req->after_number,
                               .max = ADMIN_SESSIONS_REPLY_SESSIONS_MAX};
    struct grant *found = ARENA_ARRAY(a, struct grant, page.max);
    struct admin_session *list = ARENA_ARRAY(a, struct admin_session, page.max);
    struct directory_entry e;

    if (req->only.len > 0) {
        enum status st = directory_find(s->directory, req->only, a, &e);
        if (st == OK && e.kind != DIRECTORY_ACCOUNT)
            st = ERR_NOT_FOUND;
        TRY(store_admin_done(s, st, "who", req->only));
        page.account = e.account;
    }
    size_t n = grants_list(s->grants, &page, found);
    for (size_t i = 0; i < n; i++)
        TRY(store_checked(s, reply_one(s, &found[i], a, &list[i]), "session"));
    rep->sessions = list;
    rep->sessions_count = n;
    rep->more = n == page.max;
    return OK;
}

enum status
admin_serve_kick(struct ipc_peer *from, const struct admin_kick *req, struct arena *a,
                 struct admin_kick_reply *rep)
{
    struct store *s = store_of(from);

    if (req->address.len > 0)
        return store_admin_done(s, kick_account(s, req->address, &rep->count), "kick",
                                req->address);
    return store_admin_done(s, kick_one(s, req->worker, req->number, &rep->count), "kick",
                            arena_printf(a, "%u.%lu", req->worker, req->number));
}

/* Of the app password that it logged in with; empty: with the account's own, or by a token. */
static struct str
app_name(const struct directory_entry *e, uint64_t app)
{
    for (size_t i = 0; app != 0 && i < e->app_password_count; i++)
        if (e->app_passwords[i].id == app)
            return e->app_passwords[i].name;
    return STR("");
}

SUSPENDS static enum status
reply_one(struct store *s, const struct grant *g, struct arena *a, struct admin_session *out)
{
    AUTO_ARENA *tmp = arena_new(4 << 16);
    struct ipc_peer *worker = store_worker(s, g->incarnation);
    struct directory_entry e;

    *out = (struct admin_session){
        .incarnation = g->incarnation,
        .worker = worker != NULL ? ipc_index(worker) : 0,
        .number = g->session,
        .protocol = g->protocol,
        .peer = str_of(g->peer),
        .tls_version = str_of(g->tls_version),
        .since = g->since.us,
        .asked = g->asked.us,
    };
    enum status st = directory_by_id(s->directory, g->account, tmp, &e);
    if (st == OK) {
        out->address = arena_str(a, e.address);
        out->app = arena_str(a, app_name(&e, g->app));
    }
    return st == ERR_NOT_FOUND ? OK : st; /* deleted a moment ago: the session is about to end */
}

static struct ipc_peer *
worker_of(const struct store *s, uint32_t index)
{
    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (ipc_role(p) == ROLE_USER && ipc_index(p) == index && ipc_is_open(p))
            return p;
    }
    return NULL;
}

/* A log-in that is under way does not end well either. */
SUSPENDS static enum status
kick_account(struct store *s, struct str address, uint32_t *count)
{
    AUTO_ARENA *a = arena_new(4 << 16);
    struct directory_entry e;

    TRY(directory_find(s->directory, address, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    struct grant *found = ARENA_ARRAY(a, struct grant, LIMIT_SESSIONS_PER_ACCOUNT);
    *count = (uint32_t)grants_of(s->grants, e.account, found,
                                 LIMIT_SESSIONS_PER_ACCOUNT); /* so many at most */
    store_admin_shut_out(s, e.account);
    return OK;
}

/* Its worker ends it, and tells auth. */
static enum status
kick_one(struct store *s, uint32_t worker, uint64_t number, uint32_t *count)
{
    const struct ipc_peer *p = worker_of(s, worker);
    struct grants_page page = {.session = number - 1, .max = 1};
    struct grant found;

    if (p == NULL || number == 0)
        return ERR_NOT_FOUND;
    page.incarnation = ipc_incarnation(p);
    if (grants_list(s->grants, &page, &found) == 0 || found.incarnation != page.incarnation ||
        found.session != number)
        return ERR_NOT_FOUND;
    *count = (uint32_t)grants_revoke(s->grants, found.incarnation, number, found.account); /* 1 */
    store_revoked_one(s, &found);
    return OK;
}
