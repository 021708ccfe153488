/* sender.h - who is this client? SPF, its names (iprev) and lists in DNS, asked side by side.
 *
 * Promises:  an answer within LIMIT_SENDER_MS; what could not be told by then is "temperror", and a list that did not
 *            answer has nobody.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_OUT_SENDER_H
#define ROLE_OUT_SENDER_H

#include "dns/resolver.h"
#include "ipc/out_ipc.h"

/* resolver: NULL while there is none.  host: our name.  ERR_SYNTAX: the client has no numeric address. */
MUST_USE SUSPENDS enum status out_sender_ask(struct resolver *r, struct str host,
                                             const struct out_sender *req, struct arena *a,
                                             struct out_sender_reply *rep);

#endif
