/* notice.c - see notice.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/notice.h"

#include "mail/header_write.h"

enum { FIELD_MAX = 2048 };

struct str
notice_domain(const struct notice *n)
{
    return str_skip(n->address, (size_t)(str_rfind(n->address, '@') + 1));
}

/* An address beyond ASCII stands in the header as it is, RFC 6532 section 3. */
void
notice_header_write(struct buf *b, const struct notice *n, struct str subject)
{
    AUTO_BUF text = BUF(FIELD_MAX);
    struct str domain = notice_domain(n);

    ASSERT(domain.len > 0 && domain.len < n->address.len && n->unique.len >= 16);
    buf_add_z(b, "Return-Path: <>\r\n");
    header_write_date(b, n->now);
    buf_addf(&text, "Postmaster <postmaster@%.*s>", STR_FMT(domain));
    header_write(b, STR("From"), buf_str(&text));
    buf_reset(&text);
    buf_addf(&text, "<%.*s>", STR_FMT(n->address));
    header_write(b, STR("To"), buf_str(&text));
    header_write(b, STR("Subject"), subject);
    header_write_message_id(b, n->unique, n->host);
    buf_add_z(b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: 8bit\r\n\r\n");
}
