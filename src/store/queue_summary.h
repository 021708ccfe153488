/* queue_summary.h - how many messages wait for which destination, and for how long already.
 *
 * Promises:  reads the index alone, page by page; what changes meanwhile is counted as it was or as it is.
 *            A message for several destinations counts at each of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_SUMMARY_H
#define STORE_QUEUE_SUMMARY_H

#include "store/queue.h"

enum { QUEUE_AGES = 10 }; /* up to 5, 10, 20 ... 1280 minutes, and beyond */
struct queue_tally {
    struct str domain; /* empty: mailboxes here */
    uint64_t messages, held;
    struct instant oldest;
    uint64_t ages[QUEUE_AGES];
    bool paused;
};
struct queue_summary {
    struct queue_tally all; /* every message once */
    const struct queue_tally *tallies;
    size_t count; /* the destinations with the most messages */
    uint64_t destinations;
};
/* At most max tallies, in a. */
MUST_USE SUSPENDS enum status queue_summarize(struct queue *q, struct instant now, size_t max,
                                              struct arena *a, struct queue_summary *out);
/* The index into ages. */
size_t queue_age_class(int64_t age_us);

#endif
