/* cache.h - answers of DNS that still hold: what was asked a moment ago needs no thread.
 *
 * Owns:      answers, at most bytes_max of them with their names; the one that was used longest ago goes first.
 * Promises:  nothing is handed out after its time: the TTL, LIMIT_DNS_CACHE_S, and for "there is none"
 *            LIMIT_DNS_CACHE_NONE_S at most.  What was validated by DNSSEC and what was not is told apart.
 *            An answer that somebody holds stays readable.
 * Never:     knows failures: they are not kept.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_CACHE_H
#define DNS_CACHE_H

#include "dns/name.h"
#include "dns/types.h"

struct dns_cached {
    bool exists, secure;
    size_t count;
    const struct str *data; /* as on the wire */
    struct str canonical;   /* where aliases led, on the wire; NULL: the name is none */
};
struct dns_cache;
struct dns_cache *dns_cache_new(size_t bytes_max);
void dns_cache_free(struct dns_cache **c); /* nobody holds an answer of it */
size_t dns_cache_bytes(const struct dns_cache *c);

/* NULL: ask.  Else it is held until dns_cached_let_go(). */
const struct dns_cached *dns_cache_get(struct dns_cache *c, const struct dns_name *name,
                                       enum dns_type type, int64_t now_ms);
void dns_cached_let_go(const struct dns_cached *held);
/* Keeps a copy until then, instead of what is there. */
void dns_cache_put(struct dns_cache *c, const struct dns_name *name, enum dns_type type,
                   const struct dns_cached *answer, int64_t until_ms);
/* When an answer with this TTL ends that came now. */
int64_t dns_cache_until(const struct dns_cached *answer, int64_t ttl_s, int64_t now_ms);

#endif
