/* stranger.h - what is found out about a client that nobody vouches for, before its message comes.
 *
 * Promises:  nobody is refused here: what was found goes to the store with the message.  At most LIMIT_SENDER_MS;
 *            without role out everything is "temperror".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_STRANGER_H
#define SMTP_STRANGER_H

#include "smtp/session.h"

/* Of the Internet: not of this machine, of relay-from, of a mail server of ours (LMTP), or a user. */
bool smtp_is_stranger(const struct smtp_session *s);
/* At MAIL, whose sender was read: fills checks of the transaction, when the configuration has it so. */
SUSPENDS void smtp_look_at_stranger(struct smtp_session *s);
/* After that: a list in DNS has it, or neither its name nor SPF speaks for it; and no list of good senders has it.
 * What could not be found out is no doubt. */
bool smtp_is_doubtful(const struct smtp_session *s);
/* SPF says that the domain of the sender is its own. */
bool smtp_is_proven(const struct smtp_session *s);

#endif
