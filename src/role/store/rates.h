/* rates.h - how often something happened to a name within this hour.
 *
 * Owns:      a bounded table, in memory alone: a new process counts from zero.
 * Promises:  a name is let through at most max times an hour.  The hours are fixed, so that within any sixty minutes it
 *            may be twice that.  When LIMIT_RATE_KEYS names are counted all begin anew.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_RATES_H
#define ROLE_STORE_RATES_H

#include "base/limits.h"
#include "base/str.h"

struct rates;
struct rates *rates_new(void);
void rates_free(struct rates **r);
/* How often it was counted in the hour that now_ms lies in. */
uint32_t rates_count(struct rates *r, struct str name, int64_t now_ms);
void rates_add(struct rates *r, struct str name, int64_t now_ms);

#endif
