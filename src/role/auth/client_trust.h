/* client_trust.h - the file of `client-certificates`, in the two roles that look at them: user, which shakes hands, and
 * auth, which believes no other role whose a certificate is.
 *
 * Promises:  a file that cannot be used leaves what the same file held before; of another file than before nothing is
 *            left.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_AUTH_CLIENT_TRUST_H
#define ROLE_AUTH_CLIENT_TRUST_H

#include "role/role.h"
#include "rt/tls_trust.h"

struct client_trust {
    struct str file;         /* owned; empty: none is configured */
    struct tls_trust *trust; /* owned; NULL: nobody is trusted */
};
/* Reads it again.  What was there is the caller's to free, once nobody looks at it. */
void client_trust_renew(struct client_trust *t, const struct role_start *s,
                        struct tls_trust **old_out);

#endif
