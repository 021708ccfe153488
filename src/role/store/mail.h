/* mail.h - shared by the files that answer role user about its account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_MAIL_H
#define ROLE_STORE_MAIL_H

#include "role/store/store.h"
#include "store/account.h"
#include "store/mailbox.h"
#include "store/message.h"

/* The account of a session of this channel; cell_close() it.  ERR_DENIED: no such session. */
MUST_USE enum status store_mail_account(const struct ipc_peer *from, uint64_t session,
                                        struct cell **out);

#endif
