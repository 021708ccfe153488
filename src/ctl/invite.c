/* invite.c - godwit account: invitations, by which a person sets a password that no administrator knows.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/limits.h"
#include "ctl/account.h"

#define SECOND_US INT64_C(1000000)

bool
ctl_invite_options(const struct ctl *c)
{
    int64_t s = account_options.valid / SECOND_US;

    if (account_options.valid != 0 && !account_options.invite)
        fprintf(stderr, "godwit account %s: --valid goes with --invite\n", c->verb->name);
    else if (account_options.invite && account_options.generate)
        fprintf(stderr, "godwit account %s: one of --generate and --invite is enough\n",
                c->verb->name);
    else if (account_options.valid != 0 &&
             (s < LIMIT_INVITATION_MIN_S || s > LIMIT_INVITATION_MAX_S))
        fprintf(stderr, "godwit account %s: --valid is from %us to %ud\n", c->verb->name,
                (unsigned)LIMIT_INVITATION_MIN_S, (unsigned)LIMIT_INVITATION_MAX_S / 86400);
    else
        return true;
    return false;
}

static int
show(struct ctl *c, struct str address, struct str invitation, int64_t ends)
{
    char until[40];

    if (c->json)
        return ctl_print_json(json_pack("{s:o, s:o, s:I}", "address", view_str(address),
                                        "invitation", view_str(invitation), "ends",
                                        (json_int_t)ends));
    printf("%s\n", ctl_text(c, invitation));
    fprintf(stderr,
            "With that %s can set a password until %s, once; it is not shown again and opens no "
            "mail.\n",
            ctl_text(c, address), ctl_time_text(ends, until, sizeof(until)));
    return CTL_OK;
}

int
ctl_account_add_invited(struct ctl *c)
{
    const struct admin_account_add req = {
        .address = ctl_address(c, 0),
        .quota_bytes = account_options.quota,
        .invite = true,
        .invite_s = (uint64_t)(account_options.valid / SECOND_US), /* not negative */
    };
    struct admin_account_add_reply rep;
    enum status e = admin_account_add_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    return show(c, rep.account.address, rep.invitation, rep.account.invited_until);
}

int
ctl_account_invite(struct ctl *c)
{
    const struct admin_account_invite req = {
        .address = ctl_address(c, 0),
        .valid_s = (uint64_t)(account_options.valid / SECOND_US), /* not negative */
    };
    struct admin_account_invite_reply rep;
    enum status e = admin_account_invite_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    return show(c, rep.address, rep.invitation, rep.ends);
}

int
ctl_account_redeem(struct ctl *c)
{
    AUTO_SECRET invitation = {0};
    AUTO_SECRET password = {0};
    struct admin_invitation_redeem_reply rep;

    if (!ctl_read_secret("Invitation: ", &invitation)) {
        fprintf(stderr, "godwit account redeem: expected the invitation, and the new password on "
                        "the next line\n");
        return CTL_FAILED;
    }
    if (!ctl_read_password(&password))
        return CTL_FAILED;
    const struct admin_invitation_redeem req = {.address = ctl_address(c, 0),
                                                .invitation = secret_str(&invitation),
                                                .password = secret_str(&password)};
    enum status e = secret_str(&invitation).len > ADMIN_INVITATION_REDEEM_INVITATION_MAX
                        ? ERR_DENIED
                        : admin_invitation_redeem_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:o}", "address", view_str(rep.address)));
    printf("%s has a new password\n", ctl_text(c, rep.address));
    return CTL_OK;
}
