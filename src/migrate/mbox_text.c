/* mbox_text.c - a message in an mbox, both ways: its own fields, quoted lines, line ends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "migrate/mbox.h"

/* One line with its end; false at the end of the text. */
static bool
next_line(struct str *text, struct str *line_out)
{
    ssize_t at = str_find(*text, '\n');
    size_t n = at < 0 ? text->len : (size_t)at + 1; /* found: not negative */

    if (text->len == 0)
        return false;
    *line_out = str_sub(*text, 0, n);
    *text = str_skip(*text, n);
    return true;
}

/* With CR LF at its end when it has one. */
static void
add_line(struct str line, struct buf *out)
{
    if (!str_ends(line, STR("\n"))) {
        buf_add(out, line);
        return;
    }
    line.len--;
    if (str_ends(line, STR("\r")))
        line.len--;
    buf_add(out, line);
    buf_add(out, STR("\r\n"));
}

/* How many > stand before "From "; -1: it is no such line. */
static ssize_t
quotes_of(struct str line)
{
    size_t n = 0;

    while (n < line.len && line.ptr[n] == '>')
        n++;
    return str_starts(str_skip(line, n), MBOX_FROM) ? (ssize_t)n : -1; /* at most the length */
}

static struct str
unquoted(struct str line, enum migrate_quoting quoting)
{
    ssize_t n = quotes_of(line);
    bool is_quoted = (quoting == MIGRATE_MBOXRD && n > 0) || (quoting == MIGRATE_MBOXO && n == 1);

    return str_skip(line, is_quoted ? 1 : 0);
}

/* The header; the empty line behind it is left. */
static void
read_header(struct mbox_head *h, struct str *text, struct buf *out)
{
    struct str line, rest = *text;

    while (next_line(&rest, &line) && !mbox_is_blank(line)) {
        bool is_ours = mbox_head_line(h, line, true);
        *text = rest;
        if (h->own)
            line = unquoted(line, MIGRATE_MBOXRD);
        if (is_ours && h->own && h->open && rest.len == 0)
            buf_add(out, str_sub(line, 0, line.len - 1));
        else if (is_ours)
            add_line(line, out);
    }
    mbox_head_end(h);
}

enum status
mbox_text_read(const struct mbox_text *t, struct buf *out)
{
    AUTO(mbox_head_release) struct mbox_head h = {0};
    struct str text = t->raw, line;

    read_header(&h, &text, out);
    enum migrate_quoting quoting = h.own ? MIGRATE_MBOXRD : t->quoting;
    while (next_line(&text, &line)) {
        line = unquoted(line, quoting);
        if (h.own && h.open && text.len == 0 && str_ends(line, STR("\n")))
            buf_add(out, str_sub(line, 0, line.len - 1));
        else
            add_line(line, out);
    }
    return buf_status(out);
}

void
mbox_text_write(struct str fields, unsigned count, struct str body, struct buf *out)
{
    AUTO_BUF text = BUF(LIMIT_MESSAGE_BYTES);
    struct str rest, line;

    migrate_lf(body, &text);
    rest = buf_str(&text);
    bool open = !str_ends(rest, STR("\n"));
    buf_addf(out, "X-Godwit-Mbox: %u%s%s\n", count, open ? " open" : "",
             mbox_is_confusing(rest) ? " exact" : "");
    buf_add(out, fields);
    while (next_line(&rest, &line)) {
        if (quotes_of(line) >= 0)
            buf_add_char(out, '>');
        buf_add(out, line);
    }
    if (open)
        buf_add_char(out, '\n');
}
