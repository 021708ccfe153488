/* absent.h - who did not answer a moment ago: addresses of hosts, destinations.
 *
 * Each failure in a row doubles the time for which it is left alone, from LIMIT_OUT_ABSENT_S to LIMIT_OUT_ABSENT_MAX_S;
 * an answer ends it.  Times come from the caller.
 * Owns:      its names; at most LIMIT_OUT_REMEMBERED of them: then those whose time is over are forgotten.
 * Promises:  what is left alone is tried once after its time is over, by the first to ask: who asks after that is
 *            told "absent" until that one reported.
 * Never:     suspends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_ABSENT_H
#define SMTP_ABSENT_H

#include "base/str.h"

#define ABSENT_WHY_MAX 200u

struct absents;
struct absents *absents_new(void);
void absents_free(struct absents **a);
/* why_out (may be NULL): how it failed, valid until the next call. */
bool absent_is(struct absents *a, struct str name, int64_t now_ms, const char **why_out);
/* Did it not answer the last time, however long ago?  Changes nothing. */
bool absent_knows(const struct absents *a, struct str name);
void absent_failed(struct absents *a, struct str name, int64_t now_ms, const char *why);
void absent_answered(struct absents *a, struct str name);

#endif
