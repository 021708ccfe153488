/* invite.c - invitations, by which a person sets the password of an account: for the godwit command, API, auth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#define STORE_SERVE_HANDLERS_ONLY
#include "base/limits.h"
#include "base/mem.h"
#include "config/events.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "ipc/store_serve.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/directory_invitation.h"

#define SECOND_US INT64_C(1000000)

SUSPENDS static enum status invite(struct store *s, const struct admin_account_invite *req,
                                   struct arena *a, struct admin_account_invite_reply *rep,
                                   struct problem *why);

enum status
store_invitation_make(struct store *s, uint64_t account, uint64_t valid_s, struct arena *a,
                      struct store_invitation *out)
{
    const struct auth_invitation_make req = {.account = account};
    struct auth_invitation_make_reply rep;
    uint64_t for_s = valid_s == 0 ? LIMIT_INVITATION_S : valid_s;

    if (for_s < LIMIT_INVITATION_MIN_S || for_s > LIMIT_INVITATION_MAX_S)
        return ERR_SYNTAX;
    enum status e = auth_invitation_make_call(store_peer_of(s, ROLE_AUTH), &req, a, &rep);
    if (e == ERR_CLOSED)
        return ERR_TEMP; /* auth is being started again; nothing was changed */
    TRY(e);
    if (rep.hash.len != DIRECTORY_INVITATION_HASH)
        return ERR_TEMP;
    int64_t ends_s = clock_now().us / SECOND_US + (int64_t)for_s; /* bounded above */
    *out = (struct store_invitation){.kept = {.hash = rep.hash, .expires = {ends_s * SECOND_US}},
                                     .shown = rep.invitation};
    return OK;
}

void
store_invitation_log(struct str address, struct instant ends)
{
    AUTO_BUF until = BUF(64);
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_INVITE_MADE))
        return;
    buf_add_iso8601(&until, ends);
    log_str(&l, "account", address);
    log_str(&l, "ends", buf_str(&until));
}

enum status
admin_serve_account_invite(struct ipc_peer *from, const struct admin_account_invite *req,
                           struct arena *a, struct admin_account_invite_reply *rep)
{
    struct store *s = store_of(from);
    struct problem why = {0};

    enum status st =
        store_admin_done(s, invite(s, req, a, rep, &why), "account invite", req->address);
    if (why.text[0] != '\0')
        ipc_fail(&why);
    return st;
}

SUSPENDS static enum status
invite(struct store *s, const struct admin_account_invite *req, struct arena *a,
       struct admin_account_invite_reply *rep, struct problem *why)
{
    struct store_invitation made;
    struct directory_entry e;

    TRY(directory_find(s->directory, req->address, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    enum status st = store_invitation_make(s, e.account, req->valid_s, a, &made);
    if (st == ERR_SYNTAX)
        problem_set(why, 0, "", "an invitation is good for 60 seconds to 90 days");
    TRY(st);
    st = directory_invite(s->directory, e.address, &made.kept);
    if (st == ERR_DENIED)
        problem_set(why, 0, "",
                    "nobody may log in to %.*s: godwit account resume or enable comes first",
                    STR_FMT(str_sub(e.address, 0, 100)));
    TRY(st);
    store_invitation_log(e.address, made.kept.expires);
    rep->address = e.address;
    rep->invitation = made.shown;
    rep->ends = made.kept.expires.us;
    return OK;
}

/* Whoever asks hears the same of a name that nobody has, and of a wrong, used and past invitation. */
enum status
admin_serve_invitation_redeem(struct ipc_peer *from, const struct admin_invitation_redeem *req,
                              struct arena *a, struct admin_invitation_redeem_reply *rep)
{
    struct store *s = store_of(from);
    const struct auth_invitation_redeem ask = {.peer = req->peer,
                                               .login = req->address,
                                               .invitation = req->invitation,
                                               .password = req->password};
    struct auth_invitation_redeem_reply answer;
    struct problem why = {0};

    enum status st = auth_invitation_redeem_call(store_peer_of(s, ROLE_AUTH), &ask, a, &answer);
    if (st == OK) {
        rep->address = answer.address;
        return OK;
    }
    if (st == ERR_SYNTAX)
        problem_set(&why, 0, "", "the new password is empty, or too long");
    else if (st == ERR_DENIED)
        problem_set(&why, 0, "",
                    "the address or the invitation is wrong, or it is not good any more");
    else if (st == ERR_LIMIT)
        problem_set(&why, 0, "", "there were too many wrong tries; try again in some minutes");
    else
        problem_set(&why, 0, "", "not possible now; try again");
    ipc_fail(&why);
    return st == ERR_SYNTAX || st == ERR_DENIED || st == ERR_LIMIT ? st : ERR_TEMP;
}

/* By auth, which has compared it: here it is worth one password. */
enum status
store_serve_invitation_redeem(struct ipc_peer *from, const struct store_invitation_redeem *req,
                              struct arena *a, struct store_invitation_redeem_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_redemption r = {
        .hash = req->hash, .verifier = req->verifier, .now = clock_now()};
    struct directory_entry e;

    (void)rep;
    if (req->hash.len != DIRECTORY_INVITATION_HASH || req->verifier.len == 0)
        return ERR_SYNTAX;
    TRY(store_checked(s, directory_redeem(s->directory, req->address, &r), "invitation"));
    if (directory_find(s->directory, req->address, a, &e) == OK)
        store_admin_shut_out(s, e.account);
    return OK;
}
