/* milters_internal.h - between milters.c (the transaction) and milters_end.c (the message).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_MILTERS_INTERNAL_H
#define SMTP_MILTERS_INTERNAL_H

#include "filter/milter.h"
#include "smtp/holders.h"
#include "smtp/milters.h"

#define MILTERS_MAX 8u /* as many filters as a configuration has */

struct smtp_milters {
    struct milter at[MILTERS_MAX];
    size_t count;
    struct str args;         /* of MAIL, to be said again */
    bool parked;             /* the connections were given back */
    bool waits[MILTERS_MAX]; /* ... and this milter has to hear all of it again */
    struct smtp_holder holder;
};
/* What a parked message needs before its milters can be asked; code 0: go on. */
SUSPENDS struct smtp_reply smtp_milters_resume(struct smtp_session *s);
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
