/* directory_invitation.h - an account whose password its person sets, with a word that was made for that.
 *
 * Of the built-in directory, like the changes in directory.h.  An account has one invitation or none: a new one
 * replaces it; a password, suspension, disabling and removal end it.  It opens no mail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_INVITATION_H
#define STORE_DIRECTORY_INVITATION_H

#include "base/attr.h"
#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

struct directory;

#define DIRECTORY_INVITATION_HASH 32u
struct directory_invitation {
    struct str hash;        /* keyed; only auth can compare it; empty = there is none */
    struct instant expires; /* whole seconds */
};

/* ERR_DENIED: nobody may log in to it. */
MUST_USE SUSPENDS enum status directory_invite(struct directory *d, struct str address,
                                               const struct directory_invitation *i);
/* The account's verifier from now on, in one commit with the end of the invitation: of many who have it, one.
 * ERR_NOT_FOUND: the account has no such invitation, or not any more. */
struct directory_redemption {
    struct str hash, verifier;
    struct instant now;
};
MUST_USE SUSPENDS enum status directory_redeem(struct directory *d, struct str address,
                                               const struct directory_redemption *r);

#endif
