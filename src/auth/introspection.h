/* introspection.h - the question about a token to its issuer, and the answer taken apart and not yet believed.
 *
 * Promises:  the request has no byte of the token, the name or the secret outside of their places; an answer is JSON
 *            not nested deeper than JWT_DEPTH that says true or false for "active".
 * RFC:       7662; 6749 section 2.3.1 for name and secret of the client.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_INTROSPECTION_H
#define AUTH_INTROSPECTION_H

#include "auth/jwt.h"
#include "base/arena.h"
#include "base/buf.h"

#define INTROSPECTION_AUDIENCES_MAX JWT_AUDIENCES_MAX
#define INTROSPECTION_CLIENT_MAX    512u

struct introspection_request {
    struct str host; /* of the URL, with its port if that is not the usual one */
    struct str path; /* with the query */
    struct str client, secret, token;
};
void introspection_request_write(const struct introspection_request *r, struct buf *out);

/* Strings in the arena; what is missing is empty, or 0. */
struct introspection {
    bool active; /* all else is of active tokens only */
    struct str issuer, address;
    struct str audiences[INTROSPECTION_AUDIENCES_MAX];
    size_t audience_count;
    bool has_audience;
    int64_t expires_s, not_before_s; /* since 1970 */
};
/* ERR_SYNTAX: it is no such answer. */
/* by_username: who has no e-mail address is whom the issuer calls by it, before the subject. */
MUST_USE enum status introspection_read(struct str json, bool by_username, struct arena *a,
                                        struct introspection *out);
/* Is it the answer that lets its owner in?  The issuer may be left out: it is who answers.  An audience that is wanted
 * must be there: a token for another service of the same issuer is active as well (RFC 7662 section 4). */
bool introspection_fits(const struct introspection *r, const struct jwt_wanted *w);

#endif
