/* jwt.h - tokens of a configured issuer: its public keys, and whether a token is good.
 *
 * Owns:      public keys only.
 * Promises:  a token is good when its signature fits a key of the kind that its algorithm names (and of its kid, when
 *            both have one), issuer and audience are the wanted ones, and the time is between nbf and exp, which it
 *            must have, give or take JWT_LEEWAY_S.
 * Never:     fetches anything; suspends; logs.
 * RFC:       7515, 7517 and 7518 (JWKS with RSA and P-256), 8037 (Ed25519), 7519.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "auth/jwt_read.h"

#define JWT_KEYS_MAX   16u
#define JWT_KEYS_BYTES 65536u
#define JWT_LEEWAY_S   60

struct jwt_keys;
/* A JWKS, or PEM with public keys.  ERR_SYNTAX: it is neither; ERR_NOT_FOUND: no key in it is of use. */
MUST_USE enum status jwt_keys_read(struct str text, struct jwt_keys **out);
void jwt_keys_free(struct jwt_keys **k);
size_t jwt_keys_count(const struct jwt_keys *k);

struct jwt_wanted {
    struct str issuer, audience;
    int64_t now_s;
};
/* ERR_DENIED: it is not good.  address_out, in the arena: the verified e-mail address, else the subject. */
MUST_USE enum status jwt_check(const struct jwt_keys *k, struct str token,
                               const struct jwt_wanted *w, struct arena *a,
                               struct str *address_out);

#endif
