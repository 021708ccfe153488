/* admin_mail.c - accounts, for the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/mem.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_rights.h"

struct preparation { /* of an account, on a fiber of its own */
    struct store *s;
    struct directory_new_account *account;
    struct fiber *waiter;
    enum status result;
    bool done;
};

SUSPENDS static enum status add_account(struct store *s, struct directory_new_account *n,
                                        const struct auth_verifier_make *make, struct arena *a,
                                        struct problem *why);
SUSPENDS static enum status make_invited(struct store *s, const struct admin_new_account *wish,
                                         struct directory_new_account *n, struct arena *a,
                                         struct store_admin_made *out);
SUSPENDS static enum status make_verifier(struct store *s, const struct auth_verifier_make *req,
                                          struct arena *a, struct str *out, struct problem *why);
static void auth_forget(struct store *s, uint64_t account);

enum status
admin_serve_account_add(struct ipc_peer *from, const struct admin_account_add *req, struct arena *a,
                        struct admin_account_add_reply *rep)
{
    struct store *s = store_of(from);
    const struct admin_new_account n = {.address = req->address,
                                        .password = req->password,
                                        .hash = req->hash,
                                        .quota_bytes = req->quota_bytes,
                                        .invite = req->invite,
                                        .invite_s = req->invite_s};
    struct store_admin_made made = {0};
    struct directory_entry e;

    enum status st = n.password.len + n.hash.len == 0 && !n.invite
                         ? ERR_SYNTAX
                         : store_admin_make(s, &n, a, &made);
    st = store_admin_done(s, st, "account add", req->address);
    if (made.why.text[0] != '\0')
        ipc_fail(&made.why);
    TRY(st);
    rep->invitation = made.invitation;
    TRY(store_checked(s, directory_find(s->directory, req->address, a, &e), "account"));
    return store_checked(s, store_admin_account(s, &e, &rep->account), "account");
}

enum status
store_admin_make(struct store *s, const struct admin_new_account *new, struct arena *a,
                 struct store_admin_made *out)
{
    struct directory_new_account n = {
        .address = new->address, .quota_bytes = new->quota_bytes, .suspended = new->suspended};
    struct auth_verifier_make make = {.password = new->password, .hash = new->hash};

    n.account = make.account = directory_account_id(s->directory, new->address);
    *out = (struct store_admin_made){.invitation = STR("")};
    TRY(directory_canonical(s->directory, new->address, a, &make.address, NULL));
    if (new->invite)
        return make_invited(s, new, &n, a, out);
    if (make.password.len == 0 && make.hash.len == 0) /* nobody can log in: there is no verifier */
        return directory_account_add(s->directory, &n);
    enum status st = add_account(s, &n, &make, a, &out->why);
    if (st != OK)
        auth_forget(s, n.account); /* the password that it made a verifier of */
    return st;
}

enum status
store_admin_try(struct store *s, const struct admin_new_account *new, struct arena *a,
                struct store_admin_made *out)
{
    const struct auth_verifier_make make = {.account = 1, .hash = new->hash};
    struct str address, domain, unused;
    struct directory_entry e;
    bool local;

    *out = (struct store_admin_made){.invitation = STR("")};
    TRY(directory_canonical(s->directory, new->address, a, &address, &domain));
    TRY(directory_is_local_domain(s->directory, domain, &local));
    if (!local)
        return ERR_NOT_FOUND;
    enum status st = directory_find(s->directory, address, a, &e);
    if (st != ERR_NOT_FOUND)
        return st == OK ? ERR_EXISTS : st;
    if (new->hash.len > 0)
        return make_verifier(s, &make, a, &unused, &out->why);
    return OK;
}

enum status
admin_serve_account_password(struct ipc_peer *from, const struct admin_account_password *req,
                             struct arena *a, struct admin_account_password_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e = {0};
    struct problem why = {0};
    struct str verifier = STR("");

    (void)rep;
    enum status st = directory_find(s->directory, req->address, a, &e);
    if (st == OK && e.kind != DIRECTORY_ACCOUNT)
        st = ERR_NOT_FOUND;
    struct auth_verifier_make make = {
        .account = e.account, .password = req->password, .hash = req->hash};
    if (st == OK && req->none && make.password.len + make.hash.len > 0)
        st = ERR_SYNTAX;
    if (st == OK && !req->none)
        st = make_verifier(s, &make, a, &verifier, &why);
    if (st == OK)
        st = directory_account_verifier(s->directory, req->address, verifier);
    if (st == OK)
        store_admin_shut_out(s, e.account);
    st = store_admin_done(s, st, "account password", req->address);
    if (why.text[0] != '\0')
        ipc_fail(&why);
    return st;
}

enum status
admin_serve_account_disable(struct ipc_peer *from, const struct admin_account_disable *req,
                            struct arena *a, struct admin_account_disable_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;

    (void)rep;
    enum status st = directory_account_disable(s->directory, req->address, req->disabled);
    if (st == OK)
        st = directory_find(s->directory, req->address, a, &e);
    if (st == OK)
        store_admin_shut_out(s, e.account);
    return store_admin_done(s, st, req->disabled ? "account disable" : "account enable",
                            req->address);
}

enum status
admin_serve_account_quota(struct ipc_peer *from, const struct admin_account_quota *req,
                          struct arena *a, struct admin_account_quota_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e = {0};

    (void)rep;
    enum status st = directory_account_quota(s->directory, req->address, req->quota_bytes);
    if (st == OK)
        st = directory_find(s->directory, req->address, a, &e);
    if (st == OK) {
        AUTO(cell_close) struct cell *account = account_open(s->cells, e.account);
        store_quota_look(s, account);
    }
    return store_admin_done(s, st, "account quota", req->address);
}

enum status
admin_serve_account_forward(struct ipc_peer *from, const struct admin_account_forward *req,
                            struct arena *a, struct admin_account_forward_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_forward to = {
        .targets = req->targets, .count = req->targets_count, .keep = req->keep};
    struct problem why = {0};

    (void)a;
    (void)rep;
    enum status st = store_admin_done(s, directory_account_forward(s->directory, req->address, &to),
                                      "account forward", req->address);
    if (st == ERR_CONFLICT) {
        problem_set(
            &why, 0, "",
            "mail to %.*s would come back to it, at once or by other addresses; nothing was "
            "changed",
            STR_FMT(str_sub(req->address, 0, 100)));
        ipc_fail(&why);
    }
    return st;
}

enum status
admin_serve_account_send_as(struct ipc_peer *from, const struct admin_account_send_as *req,
                            struct arena *a, struct admin_account_send_as_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_send_as what = {
        .addresses = req->others, .count = req->others_count, .remove = req->remove};
    struct problem why = {0};

    (void)a;
    (void)rep;
    enum status st =
        store_admin_done(s, directory_account_send_as(s->directory, req->address, &what),
                         "account send-as", req->address);
    if (st == ERR_DENIED) {
        problem_set(&why, 0, "",
                    "only addresses of domains that are served here can be given; nothing was "
                    "changed");
        ipc_fail(&why);
    }
    return st;
}

/* ---- helpers ---- */

static FIBER_ENTRY void
prepare(void *arg)
{
    struct preparation *p = arg;

    p->result = directory_account_prepare(p->s->directory, p->account);
    fiber_done(p->waiter, &p->done);
}

/* auth hashes the password while the account's cell is made. */
SUSPENDS static enum status
add_account(struct store *s, struct directory_new_account *n, const struct auth_verifier_make *make,
            struct arena *a, struct problem *why)
{
    struct preparation p = {.s = s, .account = n, .waiter = fiber_self()};

    TRY(fiber_go(prepare, &p));
    enum status st = make_verifier(s, make, a, &n->verifier, why);
    TRY(fiber_park_for(&p.done, FIBER_FOREVER, true));
    TRY(p.result);
    if (st == OK)
        return directory_account_enter(s->directory, n);
    TRY(directory_account_abandon(s->directory, n));
    return st;
}

/* Without a password until its person sets one. */
SUSPENDS static enum status
make_invited(struct store *s, const struct admin_new_account *wish, struct directory_new_account *n,
             struct arena *a, struct store_admin_made *out)
{
    struct store_invitation made;
    struct directory_entry e;

    if (wish->password.len + wish->hash.len > 0 || wish->suspended) {
        problem_set(&out->why, 0, "", "an invitation is instead of a password, and not suspended");
        return ERR_SYNTAX;
    }
    enum status st = store_invitation_make(s, n->account, wish->invite_s, a, &made);
    if (st == ERR_SYNTAX)
        problem_set(&out->why, 0, "", "an invitation is good for 60 seconds to 90 days");
    TRY(st);
    n->invitation = made.kept;
    TRY(directory_account_add(s->directory, n));
    out->invitation = made.shown;
    out->ends = made.kept.expires;
    store_invitation_log(
        directory_find(s->directory, n->address, a, &e) == OK ? e.address : n->address, out->ends);
    return OK;
}

/* why: said of a hash that cannot be used. */
SUSPENDS static enum status
make_verifier(struct store *s, const struct auth_verifier_make *req, struct arena *a,
              struct str *out, struct problem *why)
{
    struct auth_verifier_make_reply rep;

    enum status st = auth_verifier_make_call(store_peer_of(s, ROLE_AUTH), req, a, &rep);
    if (st == ERR_SYNTAX && req->hash.len > 0)
        *why = *ipc_problem(); /* at once: the next call of anybody forgets it */
    if (st == ERR_CLOSED)
        return ERR_TEMP; /* auth is being started again; nothing was changed */
    TRY(st);
    *out = rep.verifier;
    return OK;
}

enum status
store_admin_account(struct store *s, const struct directory_entry *e, struct admin_account *out)
{
    AUTO(cell_close) struct cell *cell = account_open(s->cells, e->account);
    struct account_info info = {0};

    enum status st = account_info(cell, &info);
    if (st != OK && st != ERR_NOT_FOUND) /* removed meanwhile: its numbers are nought */
        return st;
    *out = (struct admin_account){
        .address = e->address,
        .id = e->account,
        .bytes = info.bytes,
        .messages = info.messages,
        .quota_bytes = e->quota_bytes,
        .disabled = e->disabled,
        .suspended = e->suspended,
        .has_password = e->verifier.len > 0,
        .created = e->created.us,
        .forward = e->forward.targets,
        .forward_count = e->forward.count,
        .keep = e->forward.keep,
        .send_as = e->send_as,
        .send_as_count = e->send_as_count,
        .full_since = info.full_since.us,
        .invited_until = e->invitation.expires.us > clock_now().us ? e->invitation.expires.us : 0,
    };
    return OK;
}

static void
auth_forget(struct store *s, uint64_t account)
{
    const struct auth_account_changed note = {.account = account};
    struct ipc_peer *auth = store_peer_of(s, ROLE_AUTH);

    if (auth != NULL && auth_account_changed_note(auth, &note) != OK)
        ipc_close(auth); /* it starts again, without memories */
}

void
store_admin_shut_out(struct store *s, uint64_t account)
{
    (void)grants_revoke(s->grants, 0, 0, account);
    store_revoked(s, account, 0); /* also sessions whose grant is not told to this store yet */
    auth_forget(s, account);
}
