/* store_watch.h - who is told that an account changed.
 *
 * Promises:  called on the loop, once for each group commit that touched mailboxes, after it is durable and before
 *            the fibers whose changes it holds go on.  modseq is the highest of the group.
 * Never:     suspends; the listener must not call back into the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_WATCH_H
#define STORE_STORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_CHANGE_MAILBOXES 64u

struct cells;
struct store_change {
    uint64_t account;
    uint64_t modseq;
    const uint32_t *mailboxes; /* without duplicates */
    size_t mailbox_count;
    bool many; /* more than STORE_CHANGE_MAILBOXES: the list is not complete */
};
/* Embed it; the listener finds its own struct around it. */
struct store_watch {
    void (*changed)(struct store_watch *w, const struct store_change *c);
};
/* One listener; NULL takes it away. */
void cells_watch(struct cells *c, struct store_watch *w);

#endif
