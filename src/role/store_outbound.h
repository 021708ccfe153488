/* store_outbound.h - what accounts send to other servers: charged, held, let go again.
 *
 * A message that does not fit into the day of its account is queued and held (queue_message.over), and looked at
 * again once a minute, first come first served.  Mail of an account that is suspended or gone stays: whoever suspended
 * it found out why it sent so much.  What is held for another reason is let go by an operator, whom no limit binds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_OUTBOUND_H
#define ROLE_STORE_OUTBOUND_H

#include "role/store.h"
#include "store/outbound.h"

/* Does what this account submits fit into its day?  Else the message becomes one that is held.  ERR_LIMIT: it may not
 * even be held; the problem says so. */
MUST_USE SUSPENDS enum status store_outbound_ask(struct store *s, struct queue_message *m,
                                                 struct outbound_answer *out);
/* It is in the queue, and held: the log has it, and the account's owner. */
SUSPENDS void store_outbound_held(struct store *s, const struct queue_message *m, uint64_t qid,
                                  const struct outbound_answer *what);
/* Lets some go for which there is room by now. */
SUSPENDS void store_outbound_go(struct store *s);

#endif
