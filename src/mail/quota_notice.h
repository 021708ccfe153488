/* quota_notice.h - the message that tells the owner of a mailbox that it fills up.
 *
 * Promises:  a whole message of plain text in UTF-8, lines of 78 columns but for long addresses, every line ended by
 *            CRLF.  It says that a program wrote it (Auto-Submitted, RFC 3834), so that no answering machine replies.
 * Never:     decides whether the owner is to be told.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_QUOTA_NOTICE_H
#define MAIL_QUOTA_NOTICE_H

#include "base/buf.h"
#include "base/time.h"

struct quota_notice {
    struct str host;    /* our name */
    struct str address; /* of the mailbox; its domain's postmaster is the sender */
    struct str unique;  /* 16 or more dot-atom bytes from the random source: Message-ID */
    struct instant now;
    uint64_t percent;                                  /* in use; from 100 on it is full */
    bool urgent;                                       /* nearly full already */
    uint64_t bytes, bytes_max, messages, messages_max; /* a maximum of 0: there is none */
};
MUST_USE enum status quota_notice_write(struct buf *b, const struct quota_notice *n);

#endif
