/* apps.c - app passwords, for the godwit command and for auth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#define STORE_SERVE_HANDLERS_ONLY
#include "base/mem.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "ipc/store_serve.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "store/directory_app.h"

#define SECOND_US INT64_C(1000000)
enum { DAYS_MAX = 36600, DAY_S = 86400, PROTOCOLS_ALL = 7 /* imap, pop3, submission */ };

SUSPENDS static enum status find_account(struct store *s, struct str address, struct arena *a,
                                         struct directory_entry *out);
SUSPENDS static enum status add(struct store *s, const struct admin_app_password_add *req,
                                struct arena *a, struct admin_app_password_add_reply *rep);
static void end_sessions(struct store *s, uint64_t account, uint64_t app);

enum status
admin_serve_app_password_add(struct ipc_peer *from, const struct admin_app_password_add *req,
                             struct arena *a, struct admin_app_password_add_reply *rep)
{
    struct store *s = store_of(from);

    return store_admin_done(s, add(s, req, a, rep), "account app-password add", req->address);
}

enum status
admin_serve_app_password_remove(struct ipc_peer *from, const struct admin_app_password_remove *req,
                                struct arena *a, struct admin_app_password_remove_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;
    uint64_t id = 0;

    (void)rep;
    enum status st = find_account(s, req->address, a, &e);
    if (st == OK)
        st = directory_app_remove(s->directory, req->address, req->name, &id);
    if (st == OK)
        end_sessions(s, e.account, id);
    return store_admin_done(s, st, "account app-password remove",
                            st == OK ? req->address : req->name);
}

enum status
admin_serve_app_passwords(struct ipc_peer *from, const struct admin_app_passwords *req,
                          struct arena *a, struct admin_app_passwords_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;

    TRY(store_admin_done(s, find_account(s, req->address, a, &e), "account app-password list",
                         req->address));
    struct admin_app_password *list =
        ARENA_ARRAY(a, struct admin_app_password, e.app_password_count + 1);
    for (size_t i = 0; i < e.app_password_count; i++) {
        const struct directory_app_password *p = &e.app_passwords[i];
        list[i] = (struct admin_app_password){.name = p->name,
                                              .protocols = p->protocols,
                                              .created = p->created.us,
                                              .expires = p->expires.us,
                                              .used_day = p->used_day};
    }
    rep->app_passwords = list;
    rep->app_passwords_count = e.app_password_count;
    return OK;
}

void
store_serve_app_password_used(struct ipc_peer *from, const struct store_app_password_used *req,
                              struct arena *a)
{
    struct store *s = store_of(from);

    (void)a;
    enum status st = store_checked(
        s, directory_app_used(s->directory, req->address, req->app, req->day), "app password");
    (void)st; /* it was removed meanwhile: nothing is to be known of it */
}

SUSPENDS static enum status
find_account(struct store *s, struct str address, struct arena *a, struct directory_entry *out)
{
    TRY(directory_find(s->directory, address, a, out));
    return out->kind == DIRECTORY_ACCOUNT ? OK : ERR_NOT_FOUND;
}

SUSPENDS static enum status
add(struct store *s, const struct admin_app_password_add *req, struct arena *a,
    struct admin_app_password_add_reply *rep)
{
    struct directory_app_password p = {.name = req->name, .protocols = req->protocols};
    struct auth_app_password_make make = {0};
    struct auth_app_password_make_reply made;
    struct directory_entry e;

    if (req->protocols == 0 || req->protocols > PROTOCOLS_ALL || req->expires_days > DAYS_MAX)
        return ERR_SYNTAX;
    TRY(find_account(s, req->address, a, &e));
    make.account = e.account;
    TRY(auth_app_password_make_call(store_peer_of(s, ROLE_AUTH), &make, a, &made));
    int64_t now_s = clock_now().us / SECOND_US;
    do
        p.id = random_u64();
    while (p.id == 0);
    p.created.us = now_s * SECOND_US;
    if (req->expires_days > 0)
        p.expires.us = (now_s + (int64_t)req->expires_days * DAY_S) * SECOND_US;
    p.hash = made.hash;
    TRY(directory_app_add(s->directory, req->address, &p));
    rep->password = made.password;
    return OK;
}

/* Those that logged in with it; auth forgets them too, and lets nobody in who is at it. */
static void
end_sessions(struct store *s, uint64_t account, uint64_t app)
{
    AUTO_ARENA *a = arena_new(65536);
    struct grant *list = ARENA_ARRAY(a, struct grant, LIMIT_SESSIONS_PER_ACCOUNT);
    const struct auth_app_password_removed note = {.account = account, .app = app};
    size_t n = grants_of(s->grants, account, list, LIMIT_SESSIONS_PER_ACCOUNT);

    for (size_t i = 0; i < n; i++) {
        if (list[i].app != app)
            continue;
        (void)grants_revoke(s->grants, list[i].incarnation, list[i].session, account);
        store_revoked_one(s, &list[i]);
    }
    enum status st = auth_app_password_removed_note(store_peer_of(s, ROLE_AUTH), &note);
    (void)st; /* who is away remembers nothing */
}
