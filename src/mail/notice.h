/* notice.h - the header of a message that this server writes to one of its users.
 *
 * Promises:  a header with its empty line, for plain text in UTF-8.  It says that a program wrote it (Auto-Submitted,
 *            RFC 3834), so that no answering machine replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_NOTICE_H
#define MAIL_NOTICE_H

#include "base/buf.h"
#include "base/time.h"

struct notice {
    struct str host;    /* our name */
    struct str address; /* whose it is; its domain's postmaster is the sender */
    struct str unique;  /* 16 or more dot-atom bytes from the random source: Message-ID */
    struct instant now;
};
void notice_header_write(struct buf *b, const struct notice *n, struct str subject);
struct str notice_domain(const struct notice *n);

#endif
