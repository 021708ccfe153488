/* pop3_uidls.h - what another server's POP3 calls the messages of an INBOX, and which messages of IMAP they are.
 *
 * Promises:  a unique id is given to a message only where there is no doubt: as many messages of a size here as there;
 *            those of one size are in the same order in both.
 * Suspends:  pop3_uidls(): asks for UIDL and LIST, and removes nothing.
 * RFC:       1939, 2595 (STLS), 5034 (AUTH PLAIN).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_POP3_UIDLS_H
#define MIGRATE_POP3_UIDLS_H

#include "migrate/migrate.h"
#include "migrate/remote.h"

struct pop3_entry {
    uint32_t number;
    uint64_t size;
    struct str uidl;
};
struct pop3_list {
    struct pop3_entry *at; /* by number */
    size_t count;
};
/* Statuses as in imap_source.h. */
MUST_USE SUSPENDS enum status pop3_uidls(const struct remote_server *server,
                                         const struct remote_login *login, struct arena *a,
                                         struct pop3_list *out, struct problem *why);

/* Lines of the two lists; false: not such a line. */
bool pop3_uidl_line(struct str line, struct pop3_entry *out);
bool pop3_size_line(struct str line, struct pop3_entry *out);
/* Sets uidl of the messages, which have sizes.  How many of the list found none. */
size_t pop3_match(const struct pop3_list *l, struct migrate_message *messages, size_t count,
                  struct arena *a);

#endif
