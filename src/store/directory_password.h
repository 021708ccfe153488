/* directory_password.h - the verifier of an account in another form.
 *
 * Of the built-in directory, like the changes in directory.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_PASSWORD_H
#define STORE_DIRECTORY_PASSWORD_H

#include "store/directory.h"

/* The same password as before: no session ends, and the epoch stays.  ERR_NOT_FOUND: the verifier is another one. */
struct directory_renewal {
    struct str was, verifier;
};
MUST_USE SUSPENDS enum status directory_account_renew(struct directory *d, struct str address,
                                                      const struct directory_renewal *r);

#endif
