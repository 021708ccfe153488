/* header_write.c - writing header fields.  See header_write.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/header_write.h"
#include "base/size.h"
#include "mail/date.h"
#include "mail/header.h"

enum { FOLD_AT = 78, BREAK_AT = (int)HEADER_LINE_MAX - 8 };

static void add_clean(struct buf *b, struct str word, const char *extra);

static bool
is_blank(char c)
{
    return ascii_is_space(c) || c == '\r' || c == '\n' || c == '\0';
}

/* One word after a blank; a new line first when it would pass column 78. */
static void
add_word(struct buf *b, struct str word, size_t *column)
{
    if (*column > 1 && *column + 1 + word.len > FOLD_AT) {
        buf_add(b, STR("\r\n"));
        *column = 0;
    }
    buf_add_char(b, ' ');
    *column += 1;
    while (*column + word.len > BREAK_AT) {
        size_t part = BREAK_AT - *column;

        /* Not inside a UTF-8 sequence, unless there is nothing else in the word. */
        while (part > 1 && ((unsigned char)word.ptr[part] & 0xc0) == 0x80)
            part--;
        buf_add(b, str_sub(word, 0, part));
        buf_add(b, STR("\r\n "));
        word = str_skip(word, part);
        *column = 1;
    }
    buf_add(b, word);
    *column += word.len;
}

void
header_write(struct buf *b, struct str name, struct str value)
{
    size_t column = name.len + 1;
    size_t i = 0;

    ASSERT(header_name_ok(name));
    buf_add(b, name);
    buf_add_char(b, ':');
    while (i < value.len) {
        while (i < value.len && is_blank(value.ptr[i]))
            i++;
        size_t from = i;
        while (i < value.len && !is_blank(value.ptr[i]))
            i++;
        if (i > from)
            add_word(b, str_sub(value, from, i - from), &column);
    }
    buf_add(b, STR("\r\n"));
}

void
header_write_date(struct buf *b, struct instant t)
{
    buf_add(b, STR("Date: "));
    date_write(b, (struct mail_date){.time = t});
    buf_add(b, STR("\r\n"));
}

void
header_write_message_id(struct buf *b, struct str unique, struct str host)
{
    ASSERT(unique.len > 0 && unique.len <= 200 && host.len > 0 && host.len <= 255);
    buf_add(b, STR("Message-ID: <"));
    add_clean(b, unique, ".-_");
    buf_add_char(b, '@');
    add_clean(b, host, ".-_[]:");
    buf_add(b, STR(">\r\n"));
}

void
header_write_return_path(struct buf *b, const struct path *reverse)
{
    AUTO_BUF text = BUF(PATH_MAX_BYTES + 2);

    ASSERT(reverse != NULL);
    buf_add_char(&text, '<');
    path_write(&text, reverse);
    buf_add_char(&text, '>');
    /* Spaces inside a quoted local part must stay, so this is not folded; the bound is PATH_MAX_BYTES. */
    buf_add(b, STR("Return-Path: "));
    buf_add(b, buf_str(&text));
    buf_add(b, STR("\r\n"));
}

struct str
received_protocol(unsigned flags)
{
    static const struct str names[2][2][2] = {
        /* [LMTP][TLS][AUTH] */
        {{{"ESMTP", 5}, {"ESMTPA", 6}}, {{"ESMTPS", 6}, {"ESMTPSA", 7}}},
        {{{"LMTP", 4}, {"LMTPA", 5}}, {{"LMTPS", 5}, {"LMTPSA", 6}}},
    };
    static const struct str utf8_names[2][2][2] = {
        {{{"UTF8SMTP", 8}, {"UTF8SMTPA", 9}}, {{"UTF8SMTPS", 9}, {"UTF8SMTPSA", 10}}},
        {{{"UTF8LMTP", 8}, {"UTF8LMTPA", 9}}, {{"UTF8LMTPS", 9}, {"UTF8LMTPSA", 10}}},
    };
    bool lmtp = (flags & RECEIVED_LMTP) != 0;
    bool tls = (flags & RECEIVED_TLS) != 0;
    bool auth = (flags & RECEIVED_AUTH) != 0;

    if ((flags & RECEIVED_HTTP) != 0)
        return STR("HTTP");
    if ((flags & RECEIVED_UTF8) != 0)
        return utf8_names[lmtp][tls][auth];
    if (!lmtp && (flags & (RECEIVED_ESMTP | RECEIVED_TLS | RECEIVED_AUTH)) == 0)
        return STR("SMTP");
    return names[lmtp][tls][auth];
}

/* Alphanumerics and what extra lists; any other byte becomes "?", so that no comment or clause can be forged. */
static void
add_clean(struct buf *b, struct str word, const char *extra)
{
    struct str allowed = str_of(extra);

    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        buf_add_char(b, ascii_is_alnum(c) || str_find(allowed, c) >= 0 ? c : '?');
    }
}

/* From-domain = "FROM" FWS Extended-Domain       RFC 5321 section 4.4 */
static void
add_from(struct buf *b, const struct received *r)
{
    bool six = str_find(r->peer_ip, ':') >= 0;
    struct str helo = str_sub(r->helo, 0, 255);

    buf_add(b, STR("from "));
    add_clean(b, helo.len > 0 ? helo : STR("unknown"), ".-_[]:");
    if (r->peer_ip.len == 0)
        return;
    buf_add(b, STR(" ("));
    if (r->peer_name.len > 0) {
        add_clean(b, str_sub(r->peer_name, 0, 255), ".-_");
        buf_add_char(b, ' ');
    }
    buf_add(b, six ? STR("[IPv6:") : STR("["));
    add_clean(b, str_sub(r->peer_ip, 0, 64), ".:");
    buf_add(b, STR("])"));
}

/* Time-stamp-line = "Received:" FWS Stamp CRLF   RFC 5321 section 4.4 */
void
header_write_received(struct buf *b, const struct received *r)
{
    AUTO_BUF text = BUF(4096);

    ASSERT(r->by.len > 0);
    if (r->helo.len > 0 || r->peer_ip.len > 0) {
        add_from(&text, r);
        buf_add_char(&text, ' ');
    }
    buf_add(&text, STR("by "));
    add_clean(&text, str_sub(r->by, 0, 255), ".-_[]:");
    buf_add(&text, STR(" with "));
    buf_add(&text, received_protocol(r->flags));
    if (r->tls.len > 0) {
        buf_add(&text, STR(" ("));
        add_clean(&text, str_sub(r->tls, 0, 120), ".-_ ,=:");
        buf_add_char(&text, ')');
    }
    if ((r->flags & RECEIVED_RELAY) != 0)
        buf_add(&text, STR(" (relayed for a listed network)"));
    if (r->id.len > 0) {
        buf_add(&text, STR(" id "));
        add_clean(&text, str_sub(r->id, 0, 128), ".-_");
    }
    if (r->recipient.len > 0 && r->recipient.len <= PATH_MAX_BYTES) {
        buf_add(&text, STR(" for <"));
        buf_add(&text, r->recipient);
        buf_add_char(&text, '>');
    }
    if (r->has_priority) /* Additional-Registered-Clauses stand last */
        buf_addf(&text, " PRIORITY %d", r->priority);
    buf_add(&text, STR("; "));
    date_write(&text, (struct mail_date){.time = r->time});
    header_write(b, STR("Received"), buf_str(&text));
}
