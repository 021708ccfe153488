/* milters_internal.h - between milters.c (the transaction) and milters_end.c (the message).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_MILTERS_INTERNAL_H
#define SMTP_MILTERS_INTERNAL_H

#include "filter/milter.h"
#include "smtp/milters.h"

#define MILTERS_MAX 8u /* as many filters as a configuration has */

struct smtp_milters {
    struct milter at[MILTERS_MAX];
    size_t count;
};
/* What a milter said, as a reply; code 0: go on. */
struct milter_step_result {
    enum status st;
    enum milter_verdict verdict;
};
struct smtp_reply smtp_milter_settle(struct smtp_session *s, struct milter *m, const char *stage,
                                     const struct milter_step_result *r);
/* The macro i. */
struct str smtp_milter_id(const struct smtp_session *s, struct arena *a);

#endif
