/* ask.h - what judges of mail want to know from DNS: many names of one message, asked side by side.
 *
 * Promises:  an answer when the time is over at the latest; whatever is not known then is unknown, and no failure.
 *            Asks about keys and policies alone (SELECTOR._domainkey.DOMAIN, _dmarc.DOMAIN), and whether domains exist:
 *            who reaches the store must not make the resolver ask for whatever he likes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_OUT_ASK_H
#define ROLE_OUT_ASK_H

#include "dns/resolver.h"
#include "ipc/out_ipc.h"

/* Of all that asks for messages: strangers send them as they like, and must not take the fibers of our own deliveries.
 * What is asked about senders at MAIL has a share of its own. */
extern struct fiber_share out_asking;
/* resolver: NULL while there is none.  ERR_DENIED: a name that is not asked about.  ERR_LIMIT: so much is asked about
 * other mail that a name of this could not be; that is our fault, and must not make forged mail pass. */
MUST_USE SUSPENDS enum status out_ask_texts(struct resolver *r, const struct out_texts *req,
                                            struct arena *a, struct out_texts_reply *rep);

#endif
