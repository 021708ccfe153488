/* invite.c - invitations: made by an administrator, turned into a password by their person.
 *
 * The second asks for no right but the invitation, so that a page that people reach need not hold the administrator's
 * token.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"

SUSPENDS void
api_account_invite(struct api_call *c)
{
    struct admin_account_invite req = {.address = api_address(c, c->at[1])};
    struct admin_account_invite_reply rep;
    const struct api_member members[] = {{"valid_s", API_U64, &req.valid_s, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    enum status e = admin_account_invite_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 201,
                 json_pack("{s:o, s:o, s:I}", "address", view_str(rep.address), "invitation",
                           view_str(rep.invitation), "ends", (json_int_t)rep.ends));
}

/* Whom the brake counts: who connected, or for whom one who may do all asks. */
static SUSPENDS bool
find_peer(struct api_call *c, struct str ip, struct str *out)
{
    if (ip.len == 0) {
        *out = conn_is_unix(c->x->conn) ? STR("") : conn_peer(c->x->conn);
        return true;
    }
    if (!api_is_known(c->x)) {
        api_problem(c->x, 403, "denied", STR("\"ip\" can be said with the bearer token alone"));
        return false;
    }
    if (!api_is_ip(ip)) {
        api_problem(c->x, 422, "syntax", STR("\"ip\" is an address such as 192.0.2.1"));
        return false;
    }
    *out = ip;
    return true;
}

static SUSPENDS void
redeem(struct api_call *c, const struct admin_invitation_redeem *req)
{
    struct admin_invitation_redeem_reply rep;
    enum status e = admin_invitation_redeem_call(api_world->store, req, c->a, &rep);

    if (e == OK) {
        api_json(c, 200, json_pack("{s:o}", "address", view_str(rep.address)));
        return;
    }
    if (e == ERR_LIMIT) {
        const struct problem said = *ipc_problem();
        api_problem(c->x, 429, "limit", str_of(said.text));
        return;
    }
    api_fail(c, e);
}

SUSPENDS void
api_invitation_redeem(struct api_call *c)
{
    struct admin_invitation_redeem req = {0};
    struct str ip = STR("");
    const struct api_member members[] = {{"address", API_STR, &req.address, true},
                                         {"invitation", API_STR, &req.invitation, true},
                                         {"password", API_STR, &req.password, true},
                                         {"ip", API_STR, &ip, false}};

    if (!api_take(c, members, COUNT_OF(members)) || !find_peer(c, ip, &req.peer))
        return;
    req.address = api_address(c, req.address);
    if (req.address.len > ADMIN_INVITATION_REDEEM_ADDRESS_MAX ||
        req.invitation.len > ADMIN_INVITATION_REDEEM_INVITATION_MAX ||
        req.password.len > ADMIN_INVITATION_REDEEM_PASSWORD_MAX)
        api_problem(c->x, 422, "syntax", STR("A member is too long"));
    else
        redeem(c, &req);
    if (c->x->body.ptr != NULL)
        mem_wipe(c->x->body.ptr, c->x->body.cap);
}
