/* outbound_notice.h - the message that tells the owner of an account that mail of his is held, for he sent so much.
 *
 * Promises:  a whole message (mail/notice.h), lines of 78 columns but for long addresses, every line ended by CRLF.
 * Never:     decides whether the owner is to be told.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_OUTBOUND_NOTICE_H
#define MAIL_OUTBOUND_NOTICE_H

#include "mail/notice.h"

struct outbound_notice {
    struct notice to;
    uint32_t messages_max, recipients_max; /* a day; 0 = no limit.  One of them at least is one */
    bool by_recipients; /* the message would have been one of too many new recipients */
};
MUST_USE enum status outbound_notice_write(struct buf *b, const struct outbound_notice *n);

#endif
