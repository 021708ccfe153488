/* export_index.c - see export_index.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/export_index.h"

#include "mail/encoded_word.h"
#include "mail/header.h"
#include "rt/disk.h"

enum { OUT_BYTES = 1 << 20, ROW_BYTES = 128 << 10, VALUE_BYTES = 2000 };

static enum status
flush(struct export_index *x)
{
    const struct iovec all = {x->out.ptr, x->out.len};

    TRY(buf_status(&x->out));
    if (x->out.len > 0)
        TRY(disk_write_at(x->fd, &all, 1, x->at));
    x->at += x->out.len;
    buf_reset(&x->out);
    return OK;
}

static void
add_text(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&' || c == '<' || c == '>' || c == '"')
            buf_addf(b, "&#%d;", c);
        else
            buf_add_char(b, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
}

/* RFC 3986: unreserved characters and the slash stand for themselves. */
static void
add_link(struct buf *b, struct str file)
{
    for (size_t i = 0; i < file.len; i++) {
        char c = file.ptr[i];
        if (ascii_is_alnum(c) || str_find(STR("-._~/"), c) >= 0)
            buf_add_char(b, c);
        else
            buf_addf(b, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static void
add_field(struct buf *b, struct str head, struct str name)
{
    AUTO_BUF text = BUF(8 * VALUE_BYTES);
    struct header_field f;

    buf_add(b, STR("<td>"));
    if (header_find(head, name, &f))
        encoded_word_decode(str_sub(f.value, 0, VALUE_BYTES), &text);
    add_text(b, str_trim(buf_str(&text)));
}

enum status
export_index_begin(struct export_index *x, const char *path, struct str title)
{
    *x = (struct export_index){.fd = -1, .out = BUF(OUT_BYTES + ROW_BYTES)};
    TRY(disk_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &x->fd));
    buf_add(&x->out, STR("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>"));
    add_text(&x->out, title);
    buf_add(&x->out, STR("</title>\n<h1>"));
    add_text(&x->out, title);
    buf_add(&x->out, STR("</h1>\n<table border=\"1\">\n<tr><th>Mailbox<th>Received<th>From<th>To"
                         "<th>Subject<th>Bytes<th>File\n"));
    return flush(x);
}

enum status
export_index_add(struct export_index *x, const struct export_row *row)
{
    struct str head = str_sub(row->message, 0, header_block_len(row->message));
    struct buf *b = &x->out;

    buf_add(b, STR("<tr><td>"));
    add_text(b, row->mailbox);
    buf_add(b, STR("<td>"));
    buf_add_iso8601(b, row->received);
    add_field(b, head, STR("From"));
    add_field(b, head, STR("To"));
    add_field(b, head, STR("Subject"));
    buf_addf(b, "<td>%zu<td><a href=\"", row->message.len);
    add_link(b, row->file);
    buf_add(b, STR("\">file</a>\n"));
    return b->len >= OUT_BYTES ? flush(x) : buf_status(b);
}

enum status
export_index_end(struct export_index *x)
{
    buf_add(&x->out, STR("</table>\n"));
    TRY(flush(x));
    return disk_sync(x->fd);
}

void
export_index_release(struct export_index *x)
{
    fd_close(&x->fd);
    x->fd = -1;
    buf_release(&x->out);
}
