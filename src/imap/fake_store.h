/* fake_store.h - a store and an auth in memory, behind real channels in the same loop, for tests of sessions.
 *
 * One account: log-in "u" with password "secret".  "busy" is answered ERR_TEMP, "fast" ERR_LIMIT.
 * Mailboxes at the start: INBOX and one for each special use but \All, all subscribed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_FAKE_STORE_H
#define IMAP_FAKE_STORE_H

#include "imap/imap.h"

void fake_begin(void); /* inside a loop; sets imap_init() up */
void fake_end(void);   /* on a fiber, when no session is left */
/* A directive of a transcript; false when it is none:
 *    deliver NAME [FLAGS]   a message arrives        flag NAME UID FLAGS   somebody sets flags
 *    remove NAME UID        somebody expunges        bulk NAME COUNT       many messages arrive
 *    fail VERB STATUS       the next such call fails (number of enum status)
 *    die VERB               the next such call ends the channel
 *    lose, revive           the channel              revoke                the sessions
 *    date NAME UID SECONDS  it was received then   unread NAME UID       its record is lost
 *    check NAME UID TEXT    the body holds TEXT      drop NAME             somebody deletes the mailbox */
bool fake_do(struct str directive);
extern const struct config fake_config;

#endif
