/* directory_rights.h - where an account's mail goes on to, and what it may write as besides its own addresses.
 *
 * Of the built-in directory, like the changes in directory.h.  Neither ends a session.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_RIGHTS_H
#define STORE_DIRECTORY_RIGHTS_H

#include "store/directory.h"

/* No targets = no more.  The account itself among them means keep.  ERR_LIMIT: more than LIMIT_FORWARD_TARGETS.
 * ERR_CONFLICT: mail would come back to the account. */
MUST_USE SUSPENDS enum status directory_account_forward(struct directory *d, struct str address,
                                                        const struct directory_forward *to);
/* Adds to what it may write as, or takes away; nothing to take away = all.  ERR_LIMIT: more than LIMIT_SEND_AS.
 * ERR_DENIED: the domain of one is not here. */
struct directory_send_as {
    const struct str *addresses; /* "@domain" = all of it */
    size_t count;
    bool remove;
};
MUST_USE SUSPENDS enum status directory_account_send_as(struct directory *d, struct str address,
                                                        const struct directory_send_as *what);

#endif
