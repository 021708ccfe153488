/* resolver_internal.h - the question itself, for the files that read its kinds of answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_RESOLVER_INTERNAL_H
#define DNS_RESOLVER_INTERNAL_H

#include "dns/resolver.h"

struct ub_result;

/* ERR_TEMP: no answer in time. */
MUST_USE SUSPENDS enum status resolver_ask(struct resolver *r, struct str name, int type,
                                           struct ub_result **out);
/* OK also for an empty answer; ERR_NOT_FOUND for a name that does not exist. */
MUST_USE enum status resolver_judge(const struct ub_result *u);
void resolver_result_release(struct ub_result **r);
/* Uncompressed wire name to lower-case text without the final dot. */
bool resolver_read_name(struct str wire, struct arena *a, struct str *out);

#endif
