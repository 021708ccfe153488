/* resolver_internal.h - the question itself, for the files that read its kinds of answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_RESOLVER_INTERNAL_H
#define DNS_RESOLVER_INTERNAL_H

#include "base/limits.h"
#include "dns/name.h"
#include "dns/resolver.h"
#include "dns/types.h"

struct dns_cached;
struct ub_result;
struct zone_record;

struct dns_answer {
    bool exists;  /* the name does, if without such data */
    bool secure;  /* validated by DNSSEC */
    size_t count; /* records */
    bool aliased;
    struct dns_name canonical; /* where aliases led, if aliased */
    /* Of one source or another. */
    struct ub_result *result;
    const struct dns_cached *cached;
    const struct zone_record *record;
    size_t at;
};
/* ERR_NOT_FOUND: no such name can be.  ERR_TEMP: no answer in time, or none that can be believed. */
MUST_USE SUSPENDS enum status resolver_ask(struct resolver *r, struct str name, enum dns_type type,
                                           int64_t timeout_ms, struct dns_answer *out);
bool dns_answer_next(struct dns_answer *w, struct str *data_out); /* as on the wire */
void dns_answer_release(struct dns_answer *w);
#define AUTO_ANSWER AUTO(dns_answer_release) struct dns_answer
enum { RESOLVER_PATIENCE_MS = LIMIT_DNS_TIMEOUT_S * 1000 };
/* Uncompressed wire name to lower-case text without the final dot. */
bool resolver_read_name(struct str wire, struct arena *a, struct str *out);

#endif
