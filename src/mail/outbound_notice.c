/* outbound_notice.c - see outbound_notice.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/outbound_notice.h"

enum status
outbound_notice_write(struct buf *b, const struct outbound_notice *n)
{
    struct str domain = notice_domain(&n->to);

    notice_header_write(b, &n->to, STR("Some of your mail waits: you sent very much today"));
    buf_addf(b, "Your account\r\n\r\n  %.*s\r\n\r\n", STR_FMT(n->to.address));
    if (n->by_recipients)
        buf_addf(b,
                 "has written to many addresses today to which it never wrote before. Within\r\n"
                 "a day this server sends to %u such addresses for one account.\r\n",
                 n->recipients_max);
    else
        buf_addf(b,
                 "has sent very many messages today. Within a day this server sends %u\r\n"
                 "messages for one account.\r\n",
                 n->messages_max);
    buf_addf(b,
             "\r\n"
             "Nothing is lost: what you send beyond that waits here, and goes out by\r\n"
             "itself as there is room again. The postmaster can send it at once.\r\n"
             "\r\n"
             "If it was not you who sent so much, somebody else knows your password:\r\n"
             "change it now, and tell the postmaster.\r\n"
             "\r\n"
             "The mail server wrote this message by itself. If you answer it, the\r\n"
             "postmaster of %.*s reads what you write.\r\n",
             STR_FMT(domain));
    return buf_status(b);
}
