/* queue_verbs.h - what an operator does to messages in the queue.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_VERBS_H
#define STORE_QUEUE_VERBS_H

#include "store/queue.h"

enum queue_verb {
    QUEUE_RETRY,
    QUEUE_HOLD,
    QUEUE_RELEASE,
    QUEUE_DROP,
    QUEUE_ROUTE, /* another way, and a try at once */
};               /* as in admin.ipc */
/* qid 0 = all.  ERR_NOT_FOUND: no such message.  Not QUEUE_ROUTE: queue_reroute(). */
MUST_USE SUSPENDS enum status queue_act(struct queue *q, uint64_t qid, enum queue_verb v,
                                        struct instant now, uint32_t *count_out);
MUST_USE SUSPENDS enum status queue_reroute(struct queue *q, uint64_t qid, struct str route,
                                            struct instant now);
/* A part of the selected ones; begin with after = 0, and call again while there is more. */
struct queue_act_part {
    const struct queue_selection *only;
    enum queue_verb verb;
    struct str route; /* of QUEUE_ROUTE; empty = as the configuration says */
    struct instant now;
    uint64_t after;
    bool more;
    uint32_t count; /* of this part */
};
MUST_USE SUSPENDS enum status queue_act_some(struct queue *q, struct queue_act_part *p);

#endif
