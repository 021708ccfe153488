/* mailbox.h - what LIST and STATUS share: attributes of mailboxes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_MAILBOX_H
#define IMAP_MAILBOX_H

#include "imap/session.h"
#include "ipc/store_ipc.h"

enum imap_status_item {
    IMAP_STATUS_MESSAGES = 1 << 0,
    IMAP_STATUS_RECENT = 1 << 1,
    IMAP_STATUS_UIDNEXT = 1 << 2,
    IMAP_STATUS_UIDVALIDITY = 1 << 3,
    IMAP_STATUS_UNSEEN = 1 << 4,
    IMAP_STATUS_SIZE = 1 << 5,
    IMAP_STATUS_DELETED = 1 << 6,
    IMAP_STATUS_DELETED_STORAGE = 1 << 7,
};
bool imap_scan_status_items(struct scan *s, unsigned *items_out);
/* One line "* STATUS name (...)", which may have to ask the store once more. */
MUST_USE SUSPENDS enum status imap_add_status(struct imap_session *s, struct buf *b,
                                              const struct store_mailbox *m, unsigned items);
/* quota.c: the bytes of the messages with \Deleted. */
MUST_USE SUSPENDS enum status imap_deleted_bytes(struct imap_session *s,
                                                 const struct store_mailbox *m, uint64_t *out);

#define IMAP_SPECIAL_COUNT 7u /* enum<6> special of store.ipc */
/* "\Sent" ...; empty for none */
struct str imap_special_name(unsigned special);

#endif
