/* token_cache.h - tokens that their issuer called good a short while ago, so that a client that connects often does
 * not make it be asked each time.
 *
 * Owns:      per entry the SHA-256 of the token, and whose it is; never the token.
 * Promises:  an entry is gone after LIMIT_INTROSPECTION_KEPT_S, when the token ends, or when LIMIT_INTROSPECTION_KEPT
 *            newer ones came.  What is not good is never kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "base/arena.h"
#include "base/status.h"

struct token_cache;
struct token_cache *token_cache_new(void);
void token_cache_free(struct token_cache **c);
bool token_cache_find(struct token_cache *c, struct str token, struct arena *a,
                      struct str *address_out);
/* expires_s: since 1970; 0: it does not say */
void token_cache_add(struct token_cache *c, struct str token, struct str address,
                     int64_t expires_s);
void token_cache_clear(struct token_cache *c);
size_t token_cache_count(const struct token_cache *c);

#endif
