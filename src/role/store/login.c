/* login.c - answers auth and keys: log-ins, grants, sealed records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "ipc/store_serve.h"
#include "role/store/store.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_app.h"
#include "store/directory_password.h"

enum status
store_serve_login_find(struct ipc_peer *from, const struct store_login_find *req, struct arena *a,
                       struct store_login_find_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;

    enum status found = directory_login(s->directory, req->login, a, &e);
    if (found == ERR_NOT_FOUND) {
        /* However it is written, a name that nobody has is one name: auth answers it the same way each time. */
        struct str unused;
        if (directory_canonical(s->directory, req->login, a, &rep->address, &unused) != OK)
            rep->address = req->login;
        return OK;
    }
    TRY(store_checked(s, found, "look-up"));
    *rep = (struct store_login_find_reply){
        .account = e.account,
        .address = e.address,
        .epoch = e.epoch,
        .disabled = e.disabled || e.suspended,
        .verifier = e.verifier,
        .invitation = e.invitation.hash,
        .invitation_ends = e.invitation.expires.us,
    };
    struct store_app_password *list =
        ARENA_ARRAY(a, struct store_app_password, e.app_password_count + 1);
    for (size_t i = 0; i < e.app_password_count; i++)
        list[i] = (struct store_app_password){.id = e.app_passwords[i].id,
                                              .name = e.app_passwords[i].name,
                                              .protocols = e.app_passwords[i].protocols,
                                              .expires = e.app_passwords[i].expires.us,
                                              .used_day = e.app_passwords[i].used_day,
                                              .hash = e.app_passwords[i].hash};
    rep->app_passwords = list;
    rep->app_passwords_count = e.app_password_count;
    return OK;
}

enum status
store_serve_verifier_renew(struct ipc_peer *from, const struct store_verifier_renew *req,
                           struct arena *a, struct store_verifier_renew_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_renewal r = {.was = req->was, .verifier = req->verifier};

    (void)a;
    (void)rep;
    if (req->was.len == 0 || req->verifier.len == 0)
        return ERR_SYNTAX;
    return store_checked(s, directory_account_renew(s->directory, req->address, &r), "verifier");
}

enum status
store_serve_grant(struct ipc_peer *from, const struct store_grant *req, struct arena *a,
                  struct store_grant_reply *rep)
{
    struct store *s = store_of(from);
    struct grant grant = {
        .incarnation = req->incarnation,
        .session = req->session,
        .account = req->account,
        .rights = req->rights,
        .expires = {req->expires},
        .app = req->app,
        .since = {req->since},
        .asked = {req->since},
        .protocol = req->protocol,
    };

    (void)a;
    (void)rep;
    if (req->account == 0)
        return ERR_SYNTAX;
    if (!str_to_z(req->peer, grant.peer, sizeof(grant.peer)) ||
        !str_to_z(req->tls_version, grant.tls_version, sizeof(grant.tls_version)))
        return ERR_SYNTAX;
    AUTO(cell_close) struct cell *account = account_open(s->cells, req->account);
    TRY(store_checked(s, cell_exists(account), "account"));
    TRY(grants_add(s->grants, &grant));
    store_care(s, req->account);
    return OK;
}

enum status
store_serve_revoke(struct ipc_peer *from, const struct store_revoke *req, struct arena *a,
                   struct store_revoke_reply *rep)
{
    struct store *s = store_of(from);

    (void)a;
    (void)rep;
    if (grants_revoke(s->grants, req->incarnation, req->session, req->account) > 0)
        store_revoked(s, req->account, req->session);
    return OK;
}

void
store_serve_session_end(struct ipc_peer *from, const struct store_session_end *req, struct arena *a)
{
    (void)a;
    grants_end(store_of(from)->grants, ipc_incarnation(from), req->session);
}

enum status
store_serve_sealed_get(struct ipc_peer *from, const struct store_sealed_get *req, struct arena *a,
                       struct store_sealed_get_reply *rep)
{
    struct store *s = store_of(from);
    const struct sealed_query q = {ipc_role(from), req->kind, req->name};
    const struct sealed_record *records;
    size_t n;

    TRY(store_checked(s, sealed_get(s->sealed, &q, a, &records, &n), "sealed record"));
    struct store_sealed *list = ARENA_ARRAY(a, struct store_sealed, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct store_sealed){.name = records[i].name, .bytes = records[i].bytes};
    rep->records = list;
    rep->records_count = n;
    return OK;
}

enum status
store_serve_sealed_put(struct ipc_peer *from, const struct store_sealed_put *req, struct arena *a,
                       struct store_sealed_put_reply *rep)
{
    struct store *s = store_of(from);
    const struct sealed_query q = {ipc_role(from), req->kind, req->name};

    (void)a;
    (void)rep;
    return store_checked(s, sealed_put(s->sealed, &q, req->bytes), "sealed record");
}
