/* jwt_read_fuzz.c - any token, and any text as a set of keys: refused, or as jwt_read.h and jwt.h promise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.h"

#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO(jwt_keys_free) struct jwt_keys *k = NULL;
    struct str in = str_from((const char *)data, size);
    struct jwt t;

    if (jwt_read(in, a, &t) == OK) {
        ASSERT(size <= LIMIT_OAUTH_BYTES && t.audience_count <= JWT_AUDIENCES_MAX);
        ASSERT(t.signature.len > 0 && t.signed_part.len + t.signature.len < size);
        ASSERT(str_find(t.email, '\0') < 0 && str_find(t.subject, '\0') < 0);
        ASSERT(!t.has_expiry || t.expires_s >= 0);
    }
    if (jwt_keys_read(in, &k) == OK)
        ASSERT(jwt_keys_count(k) > 0 && jwt_keys_count(k) <= JWT_KEYS_MAX);
    return 0;
}
