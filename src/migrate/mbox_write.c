/* mbox_write.c - an mbox written, so that Dovecot, mutt and mbox_folder_read() find the same mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "mail/header.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

enum { OUT_BYTES = 4 << 20, FIELDS_BYTES = 16 << 10 };

static enum status flush(struct mbox_writer *w);
static unsigned write_fields(const struct mbox_writer *w, const struct migrate_new *m,
                             struct buf *b);
static void write_base(const struct mbox_writer *w, const char *name, struct buf *out);
static struct str sender_of(struct str message);
static void write_pseudo(struct mbox_writer *w);

static void
part_of(const struct mbox_writer *w, char part[MIGRATE_PATH_BYTES])
{
    migrate_path(part, "%s.part", w->path);
}

enum status
mbox_writer_begin(struct mbox_writer *w, const char *path, const struct mbox_box *box)
{
    char part[MIGRATE_PATH_BYTES];

    *w = (struct mbox_writer){.path = path,
                              .fd = -1,
                              .out = BUF(OUT_BYTES + 3 * (size_t)LIMIT_MESSAGE_BYTES),
                              .uidvalidity = box->uidvalidity,
                              .uid_last = box->uidnext > 0 ? box->uidnext - 1 : 0,
                              .words = box->words,
                              .word_count = box->word_count};
    if (access(path, F_OK) == 0)
        return ERR_EXISTS;
    part_of(w, part);
    return disk_open(part, O_WRONLY | O_CREAT | O_EXCL, 0600, &w->fd);
}

enum status
mbox_write(struct mbox_writer *w, const struct migrate_new *m)
{
    AUTO_BUF fields = BUF(FIELDS_BYTES);

    unsigned count = write_fields(w, m, &fields);
    TRY(buf_status(&fields));
    mbox_from_write(sender_of(m->body), m->received, &w->out);
    mbox_text_write(buf_str(&fields), count, m->body, &w->out);
    buf_add_char(&w->out, '\n');
    w->messages++;
    TRY(buf_status(&w->out));
    return w->out.len >= OUT_BYTES ? flush(w) : OK;
}

enum status
mbox_writer_end(struct mbox_writer *w)
{
    char part[MIGRATE_PATH_BYTES];

    if (w->messages == 0)
        write_pseudo(w);
    TRY(flush(w));
    TRY(disk_sync(w->fd));
    part_of(w, part);
    TRY(disk_rename(part, w->path));
    fd_close(&w->fd);
    w->fd = -1;
    return OK;
}

void
mbox_writer_release(struct mbox_writer *w)
{
    char part[MIGRATE_PATH_BYTES];

    if (w->fd >= 0) {
        part_of(w, part);
        (void)!unlink(part);
        fd_close(&w->fd);
        w->fd = -1;
    }
    buf_release(&w->out);
}

static enum status
flush(struct mbox_writer *w)
{
    const struct iovec all = {w->out.ptr, w->out.len};

    if (w->out.len > 0)
        TRY(disk_write_at(w->fd, &all, 1, w->at));
    w->at += w->out.len;
    buf_shrink(&w->out, (size_t)2 * OUT_BYTES);
    return OK;
}

/* ---- fields ---- */

/* R, and O: it is not new to anybody.  Dovecot and mutt read the rest as well. */
static unsigned
write_fields(const struct mbox_writer *w, const struct migrate_new *m, struct buf *b)
{
    static const struct {
        char letter;
        uint32_t flag;
    } letters[] = {{'A', MIGRATE_ANSWERED},
                   {'F', MIGRATE_FLAGGED},
                   {'T', MIGRATE_DRAFT},
                   {'D', MIGRATE_DELETED}};
    unsigned n = 3;

    if (w->messages == 0) {
        write_base(w, "X-IMAPbase", b);
        n++;
    }
    buf_addf(b, "X-UID: %u\nStatus: %sO\nX-Status: ", m->uid, m->flags & MIGRATE_SEEN ? "R" : "");
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        if (m->flags & letters[i].flag)
            buf_add_char(b, letters[i].letter);
    buf_add_char(b, '\n');
    for (size_t i = 0; i < m->keyword_count; i++)
        buf_addf(b, "%s%.*s", i == 0 ? "X-Keywords: " : " ", STR_FMT(m->keywords[i]));
    if (m->keyword_count > 0) {
        buf_add_char(b, '\n');
        n++;
    }
    if (m->uidl.len > 0) {
        buf_addf(b, "X-UIDL: %.*s\n", STR_FMT(m->uidl));
        n++;
    }
    return n;
}

static void
write_base(const struct mbox_writer *w, const char *name, struct buf *out)
{
    buf_addf(out, "%s: %010u %010u", name, w->uidvalidity, w->uid_last);
    for (size_t i = 0; i < w->word_count; i++)
        if (w->words[i].len > 0)
            buf_addf(out, " %.*s", STR_FMT(w->words[i]));
    buf_add_char(out, '\n');
}

/* "<a@b>" of Return-Path, without the brackets */
static struct str
sender_of(struct str message)
{
    struct header_field f;

    if (!header_find(str_sub(message, 0, header_block_len(message)), STR("Return-Path"), &f))
        return STR_NONE;
    struct str value = str_trim(f.value);
    if (!str_starts(value, STR("<")) || !str_ends(value, STR(">")))
        return STR_NONE;
    return str_sub(value, 1, value.len - 2);
}

/* A file without a message has no other place for its numbers. */
static void
write_pseudo(struct mbox_writer *w)
{
    mbox_from_write(STR_NONE, (struct instant){0}, &w->out);
    buf_add(&w->out, STR("Date: Thu, 1 Jan 1970 00:00:00 +0000\n"
                         "From: Godwit <MAILER-DAEMON>\n"
                         "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"));
    write_base(w, "X-IMAP", &w->out);
    buf_add(&w->out, STR("Status: RO\n\n"
                         "This is no message. It keeps the numbers of a folder without mail.\n\n"));
}
