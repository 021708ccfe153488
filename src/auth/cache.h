/* cache.h - good log-ins of the last minutes, so that a phone that logs in every minute costs microseconds.
 *
 * Owns:      per entry a keyed hash (HMAC-SHA256 under a key made at start) of name and password, and who it was;
 *            never the password.
 * Promises:  an entry is gone after LIMIT_AUTH_CACHE_S, when its account changes, or when LIMIT_AUTH_CACHE_ENTRIES
 *            newer ones came.  Wrong log-ins are never kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include "base/arena.h"
#include "base/mem.h"

struct auth_cache;
struct auth_cache *auth_cache_new(size_t entries_max);
void auth_cache_free(struct auth_cache **c);
struct auth_known {
    uint64_t account;
    struct str address; /* in the arena */
};
bool auth_cache_find(struct auth_cache *c, struct str login, const struct secret *password,
                     struct arena *a, struct auth_known *out);
void auth_cache_add(struct auth_cache *c, struct str login, const struct secret *password,
                    uint64_t account, struct str address);
void auth_cache_forget(struct auth_cache *c, uint64_t account);
size_t auth_cache_count(const struct auth_cache *c);

#endif
