/* jwt_read.h - a signed token (JWT in compact form), taken apart and not yet believed.
 *
 * Promises:  what is no token of the three algorithms, is longer than LIMIT_OAUTH_BYTES, nests deeper than JWT_DEPTH,
 *            names a member twice or must be understood beyond RFC 7515 ("crit") is refused.
 * Never:     checks a signature: auth/jwt.h.
 * RFC:       7515, 7519, 8037 (EdDSA).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_JWT_READ_H
#define AUTH_JWT_READ_H

#include "base/json.h"

#define JWT_DEPTH         8u
#define JWT_AUDIENCES_MAX 16u

enum jwt_alg { JWT_RS256, JWT_ES256, JWT_EDDSA };
struct jwt {
    enum jwt_alg alg;
    struct str kid;         /* empty: it names no key */
    struct str signed_part; /* of the token */
    struct str signature;   /* decoded, like all that follows in the arena */
    struct str issuer;      /* empty: it has none, as with the others */
    struct str email;       /* empty as well when it says that nobody verified it */
    struct str subject;
    struct str audiences[JWT_AUDIENCES_MAX];
    size_t audience_count;
    bool has_expiry, has_not_before;
    int64_t expires_s, not_before_s; /* since 1970 */
};
MUST_USE enum status jwt_read(struct str token, struct arena *a, struct jwt *out);

/* base64url without padding (RFC 7515 section 2); strict as base64_decode(). */
MUST_USE enum status base64url_decode(struct str s, struct buf *b);
/* aud (RFC 7519 section 4.1.3): a string, or an array of at most JWT_AUDIENCES_MAX of them, or absent; into list and
 * count.  false: it is something else. */
MUST_USE bool json_member_audiences(const json_t *object, struct arena *a, struct str *list,
                                    size_t *count);
/* NumericDate: seconds since 1970, perhaps with a fraction.  false: the member is none. */
MUST_USE bool json_member_time(const json_t *object, const char *name, bool *has, int64_t *out);

#endif
