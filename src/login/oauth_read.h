/* oauth_read.h - what a client says with OAUTHBEARER and XOAUTH2, taken apart.
 *
 * Promises:  the token is of the characters of a bearer token, and not longer than LIMIT_OAUTH_BYTES; the name is UTF-8
 *            without NUL, or empty.
 * RFC:       7628 section 3.1, 6750 section 2.1; XOAUTH2 as Google and Microsoft document it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LOGIN_OAUTH_READ_H
#define LOGIN_OAUTH_READ_H

#include "base/arena.h"
#include "base/status.h"

struct oauth_first {
    struct str name; /* whom it wants to be; empty: whom the token names */
    struct str
        token; /* empty: none was sent, as by who asks what would be needed (RFC 7628 section 4.3) */
};
/* Decoded messages; strings in the arena or in the message.  ERR_SYNTAX: it is none. */
MUST_USE enum status oauth_bearer_read(struct str message, struct arena *a,
                                       struct oauth_first *out);
MUST_USE enum status oauth_x_read(struct str message, struct oauth_first *out);

#endif
