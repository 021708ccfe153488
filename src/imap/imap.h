/* imap.h - the IMAP server: IMAP4rev1 (RFC 3501) and its extensions, over the store's calls.
 *
 * Owns:      its sessions, and one struct imap_box per open mailbox, shared by all sessions of this worker.
 * Promises:  tagged replies in the order of the commands; sequence numbers change only where RFC 3501 section 7.4.1
 *            allows EXPUNGE; OK to a change only after the store said durable; exact sizes and offsets.
 * Never:     opens files, parses MIME (role cook did, mail/record.h; but where a record is lost, record.c), holds a
 *            password longer than its check, or takes one without TLS (but for loopback, when the configuration says
 *            so).
 * Recent:    nothing is: which session was told first of a message is not kept, "0 RECENT" is said everywhere alike,
 *            and \Recent is no flag here (RFC 9051 appendix E took it out of the protocol).
 * RFC:       3501, 2177, 4315, 6851, 2342, 5161, 2971, 4959, 7888, 3691, 3348, 6154, 4731, 5258, 5819.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_IMAP_H
#define IMAP_IMAP_H

#include "config/config.h"
#include "rt/conn.h"
#include "rt/ipc.h"

struct imap_world {
    const struct config *config;
    struct ipc_peer *store; /* NULL while away */
    struct ipc_peer *auth;
};
/* Once per process, before the first listener starts.  w is read at every use. */
void imap_init(const struct imap_world *w);
extern const struct conn_ops imap_ops;
/* What the store told (watch.ipc): open boxes of the account that are not up to modseq are stale (0: in any case);
 * sessions in IDLE are woken.  n = 0: all mailboxes. */
void imap_changed(uint64_t account, uint64_t modseq, const uint32_t *mailboxes, size_t n);
void imap_revoked(uint64_t account, uint64_t session); /* session 0 = all */
/* The store was lost: reads are held and sessions at rest live on; those that were writing end with BYE. */
void imap_store_lost(void);
void imap_store_back(void); /* it is there again: sessions in IDLE look what they missed */

#endif
