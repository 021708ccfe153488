/* invite.c - invitations (auth/invitation.h): made here, compared here, and turned into a verifier.
 *
 * They open no session: who has one sets a password, and logs in with that.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "auth/invitation.h"
#include "auth/prepare.h"
#include "auth/verifier.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/auth_serve.h"
#include "ipc/store_ipc.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/logger.h"

#define INVITE_KIND STR("invitation") /* of auth/seal.h */
enum { WEB = 3 /* protocol of auth.ipc */ };

static unsigned char invite_key[SEAL_KEY_BYTES];
static_assert(SEAL_KEY_BYTES == INVITATION_HASH, "one key serves as the other");

static enum status compare(const struct auth_found *f, struct str given, unsigned char *hash_out);
static enum auth_reason reason_of(const struct auth_found *f);
static SUSPENDS enum status set_password(const struct auth_found *f, const unsigned char *hash,
                                         const struct secret *password);
static void log_used(const struct auth_asked *asked, struct str address);

enum status
auth_invite_begin(const struct seal *seal)
{
    return seal_derive(seal, INVITE_KIND, invite_key);
}

enum status
auth_serve_invitation_make(struct ipc_peer *from, const struct auth_invitation_make *req,
                           struct arena *a, struct auth_invitation_make_reply *rep)
{
    char text[INVITATION_TEXT], letters[INVITATION_LETTERS];
    unsigned char hash[INVITATION_HASH];

    (void)from;
    invitation_make(text);
    if (!invitation_read(str_from(text, sizeof(text)), letters))
        UNREACHABLE();
    enum status e = invitation_hash(invite_key, req->account, letters, hash);
    mem_wipe(letters, sizeof(letters));
    if (e == OK) {
        rep->invitation = arena_str(a, str_from(text, sizeof(text)));
        rep->hash = arena_str(a, str_from((const char *)hash, sizeof(hash)));
    }
    mem_wipe(text, sizeof(text));
    return e;
}

/* The password is only hashed once the invitation is right: guesses cost no thread, and whether somebody has the name
 * does not show in the time. */
enum status
auth_serve_invitation_redeem(struct ipc_peer *from, const struct auth_invitation_redeem *req,
                             struct arena *a, struct auth_invitation_redeem_reply *rep)
{
    const struct auth_asked asked = {
        .peer = req->peer, .login = req->login, .protocol = WEB, .invitation = true};
    unsigned char hash[INVITATION_HASH];
    AUTO_SECRET password = {0};
    AUTO_FOUND found = {0};

    (void)from;
    if (req->password.len == 0 || !password_set(&password, req->password))
        return ERR_SYNTAX;
    AUTO_TRY under_way = {0};
    TRY(auth_try_begin(&asked, &under_way));
    TRY(auth_find(name_address(req->login, a), a, &found));
    enum status e = compare(&found, req->invitation, hash);
    if (e == OK)
        e = set_password(&found, hash, &password);
    mem_wipe(hash, sizeof(hash));
    if (e == ERR_DENIED)
        return auth_brake_refuse(&asked, reason_of(&found));
    if (e == ERR_NOT_FOUND) /* another was quicker, or it was ended just now */
        return auth_brake_refuse(&asked, AUTH_NONE);
    TRY(e);
    auth_brake_right(&asked);
    log_used(&asked, found.who.address);
    rep->address = found.who.address;
    return OK;
}

/* In any case with the hash of something, whoever it is. */
static enum status
compare(const struct auth_found *f, struct str given, unsigned char *hash_out)
{
    static const char zeros[INVITATION_HASH];
    bool there = f->invitation.len == INVITATION_HASH;
    const char *kept = there ? f->invitation.ptr : zeros;
    char letters[INVITATION_LETTERS] = {0};

    bool form = invitation_read(given, letters);
    enum status e = invitation_hash(invite_key, f->who.account, letters, hash_out);
    mem_wipe(letters, sizeof(letters));
    TRY(e);
    bool same = mem_eq_const_time(kept, hash_out, INVITATION_HASH);
    return form && there && same && !f->disabled && clock_now().us < f->invitation_ends
               ? OK
               : ERR_DENIED;
}

/* For the log: of one that is not taken. */
static enum auth_reason
reason_of(const struct auth_found *f)
{
    if (f->who.account == 0)
        return AUTH_UNKNOWN;
    if (f->disabled)
        return AUTH_DISABLED;
    if (f->invitation.len == 0)
        return AUTH_NONE;
    return clock_now().us >= f->invitation_ends ? AUTH_EXPIRED : AUTH_WRONG;
}

/* The store lets one in of many who have the same invitation, and ends the sessions of before. */
static SUSPENDS enum status
set_password(const struct auth_found *f, const unsigned char *hash, const struct secret *password)
{
    AUTO_BUF sealed = BUF(VERIFIER_MAX + SEAL_OVERHEAD);
    AUTO_ARENA *a = arena_new(8192);
    const struct auth_password p = {.account = f->who.account, .password = password};
    struct store_invitation_redeem req = {.address = f->who.address,
                                          .hash = str_from((const char *)hash, INVITATION_HASH)};
    struct store_invitation_redeem_reply rep;
    const char *why;

    enum status e = auth_make_verifier(&p, &sealed, &why);
    if (e != OK)
        return ERR_TEMP;
    req.verifier = buf_str(&sealed);
    e = store_invitation_redeem_call(role_peer(ROLE_STORE), &req, a, &rep);
    return e == OK || e == ERR_NOT_FOUND ? e : ERR_TEMP;
}

static void
log_used(const struct auth_asked *asked, struct str address)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_INVITE_USED))
        return;
    log_str(&l, "ip", asked->peer);
    log_str(&l, "account", address);
}
