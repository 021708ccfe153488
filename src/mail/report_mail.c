/* report_mail.c - see report_mail.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/report_mail.h"

#include "base/encode.h"
#include "mail/header_write.h"

enum { FIELD_MAX = 2048, BYTES_A_LINE = 57 /* 76 columns of base64 */ };

enum status
report_mail_write(struct buf *b, const struct report_mail *m)
{
    AUTO_BUF field = BUF(FIELD_MAX);

    ASSERT(m->unique.len >= 16 && m->to.len > 0 && m->from.len > 0);
    header_write_date(b, m->now);
    buf_addf(&field, "<%.*s>", STR_FMT(m->from));
    header_write(b, STR("From"), buf_str(&field));
    buf_reset(&field);
    buf_addf(&field, "<%.*s>", STR_FMT(m->to));
    header_write(b, STR("To"), buf_str(&field));
    header_write(b, STR("Subject"), m->subject);
    header_write_message_id(b, m->unique, m->host);
    buf_add(b, m->fields);
    buf_addf(b,
             "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
             "Content-Type: multipart/%.*s;\r\n boundary=\"=_%.*s\"\r\n\r\n",
             STR_FMT(m->multipart), STR_FMT(m->unique));
    buf_addf(b, "--=_%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
             STR_FMT(m->unique));
    buf_add(b, m->text);
    buf_addf(b, "\r\n--=_%.*s\r\nContent-Type: %.*s;\r\n name=\"%.*s\"\r\n", STR_FMT(m->unique),
             STR_FMT(m->type), STR_FMT(m->filename));
    buf_addf(b,
             "Content-Transfer-Encoding: base64\r\n"
             "Content-Disposition: attachment;\r\n filename=\"%.*s\"\r\n\r\n",
             STR_FMT(m->filename));
    for (struct str rest = m->attachment; rest.len > 0; rest = str_skip(rest, BYTES_A_LINE)) {
        buf_add_base64(b, str_sub(rest, 0, BYTES_A_LINE));
        buf_add_z(b, "\r\n");
    }
    buf_addf(b, "\r\n--=_%.*s--\r\n", STR_FMT(m->unique));
    return buf_status(b);
}
