/* user.h - who is logged in on this worker: sessions and open boxes by account.
 *
 * Owns:      the table; an entry lives while it has a session or a box.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_USER_H
#define IMAP_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct imap_user {
    uint64_t account;
    uint32_t session_count;
    struct list sessions; /* of struct imap_session */
    struct list boxes;    /* of struct box */
};
struct imap_user *imap_user_find(uint64_t account); /* or NULL */
struct imap_user *imap_user_take(uint64_t account); /* made when it is not there */
void imap_user_drop(struct imap_user *u);           /* frees it when it has neither */
/* Walks in no order; start with *cursor = 0.  Nobody may log in meanwhile. */
struct imap_user *imap_user_next(size_t *cursor);

#endif
