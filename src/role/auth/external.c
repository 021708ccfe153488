/* external.c - a client's certificate as a log-in: SASL EXTERNAL (RFC 4422 appendix A).
 *
 * The worker that shook hands says which certificates were shown; what they are worth, and whose they are, is judged
 * here, so that a worker that was taken over cannot make one up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "ipc/auth_serve.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "role/auth/client_trust.h"
#include "rt/tls_trust.h"

enum { FOUND_BYTES = 65536 };

static struct client_trust clients;

static MUST_USE SUSPENDS enum status find_owner(const struct tls_trusted *cert, struct arena *a,
                                                struct auth_found *out);
static MUST_USE SUSPENDS enum status find_asked(struct str login, struct arena *a,
                                                struct auth_found *found);

void
auth_external_trust(const struct role_start *s)
{
    struct tls_trust *old;

    client_trust_renew(&clients, s, &old);
    tls_trust_free(&old);
}

enum status
auth_serve_external(struct ipc_peer *from, const struct auth_external *req, struct arena *a,
                    struct auth_external_reply *rep)
{
    struct auth_asked asked = {.peer = req->peer, .login = req->login, .protocol = req->protocol};
    struct tls_trusted cert = {0};
    AUTO_FOUND found = {0};
    uint64_t since = auth_changes();

    enum status e =
        clients.trust == NULL ? ERR_DENIED : tls_trust_check(clients.trust, req->chain, a, &cert);
    if (asked.login.len == 0 && cert.count > 0)
        asked.login = cert.addresses[0]; /* for the counts and the log */
    const struct auth_asked counts = asked;
    AUTO_TRY under_way = {0};
    TRY(auth_try_begin(&counts, &under_way));
    if (e != OK)
        return auth_brake_refuse(&asked, AUTH_CERTIFICATE);
    TRY(find_owner(&cert, a, &found));
    TRY(find_asked(req->login, a, &found));
    if (found.who.account == 0)
        return auth_brake_refuse(&asked, AUTH_CERTIFICATE);
    if (found.disabled)
        return auth_brake_refuse(&asked, AUTH_DISABLED);
    if (auth_has_changed(found.who.account, since))
        return ERR_TEMP;
    auth_brake_right(&asked);
    auth_try_end(&under_way);
    const struct auth_session session = {.session = req->session,
                                         .account = found.who.account,
                                         .protocol = req->protocol,
                                         .peer = req->peer,
                                         .tls_version = req->tls_version};
    TRY(auth_grant(from, &session));
    *rep = (struct auth_external_reply){
        .account = found.who.account, .address = found.who.address, .rights = AUTH_RIGHTS_ALL};
    return OK;
}

/* ---- statics ---- */

/* Of all the certificate's addresses exactly one is of an account.  Account 0: none is, or it could be two people's. */
static enum status
find_owner(const struct tls_trusted *cert, struct arena *a, struct auth_found *out)
{
    size_t owners = 0;

    for (size_t i = 0; i < cert->count; i++) {
        AUTO_ARENA *room = arena_new(FOUND_BYTES);
        AUTO_FOUND one = {0};
        TRY(auth_find(name_address(cert->addresses[i], room), room, &one));
        if (one.who.account == 0)
            continue;
        owners++;
        out->who = (struct auth_known){.account = one.who.account,
                                       .address = arena_str(a, one.who.address)};
        out->disabled = one.disabled;
    }
    if (owners != 1)
        out->who.account = 0;
    return OK;
}

/* The authorization identity: nobody's, or the same account's. */
static enum status
find_asked(struct str login, struct arena *a, struct auth_found *found)
{
    AUTO_FOUND wish = {0};

    if (login.len == 0 || found->who.account == 0)
        return OK;
    TRY(auth_find(name_address(login, a), a, &wish));
    if (wish.who.account != found->who.account)
        found->who.account = 0;
    return OK;
}
