/* mbox.h - mbox files (RFC 4155) as Dovecot, UW IMAP, mutt, Thunderbird and delivery agents keep them.
 *
 * A message begins with a From_ line: at the start of the file, or behind an empty line, "From ", whatever, a date.  A
 * Content-Length is believed where it leads to the next From_ line or the end of the file; such a text is not quoted.
 * Flags, keywords and UIDs stand in fields of the header, which are not of the message and are left out of it.
 *
 * What Godwit writes begins with a field of its own that says how many of the first fields are not of the message, and
 * whether the others are, whatever their names.  So a message comes back to the byte (but for a LF that stands alone,
 * which comes back as CR LF), and one that another program gave fields since is still understood.
 *
 * Promises:  parsers are linear and bounded by their text; what they cannot read they skip.  A file is read piece by
 *            piece; in memory are its list of messages, and one of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_MBOX_H
#define MIGRATE_MBOX_H

#include "base/scan.h"
#include "migrate/migrate.h"

/* ---- mbox.c: lines and fields ---- */

#define MBOX_FROM STR("From ")
/* A From_ line, without its end.  Without a zone it is UTC, as RFC 4155 says. */
bool mbox_from_read(struct str line, struct instant *received_out);
/* sender: what cannot stand there becomes MAILER-DAEMON. */
void mbox_from_write(struct str sender, struct instant received, struct buf *b);

/* A word of X-Keywords that can be a keyword; words loses it. */
bool mbox_keyword_next(struct str *words, struct str *out);

/* A header, walked line by line: what the fields say that are not of the message.  Zeroed at the start. */
struct mbox_head {
    bool own;   /* Godwit wrote it */
    bool open;  /* and the last line of the message has no end */
    bool exact; /* and what follows its own fields is of the message, whatever it is */
    uint32_t uid, flags;
    uint32_t uidvalidity, uid_last; /* 0 = not said */
    bool pseudo;                    /* FOLDER INTERNAL DATA of UW IMAP: no message */
    bool expunged;                  /* by Thunderbird: not a message any more */
    bool has_length;
    uint64_t length;
    struct buf words; /* keywords, with blanks between them */
    struct buf uidl;  /* of POP3; only Godwit's own is believed, for spam has some as well */
    /* the field that is being read */
    struct buf value;
    int field;
    uint32_t own_left; /* so many more are not of the message */
    bool later, has_base, named;
};
/* line: with its end, which a piece of a long one lacks; begins: it is not the rest of one.  The line that ends the
 * header is not given.  True: it is of the message. */
bool mbox_head_line(struct mbox_head *h, struct str line, bool begins);
void mbox_head_end(struct mbox_head *h); /* after the last line */
void mbox_head_release(struct mbox_head *h);

/* Does a message begin with what could be taken for fields that are not of it? */
bool mbox_is_confusing(struct str message);

/* "\n" or "\r\n" */
static inline bool
mbox_is_blank(struct str line)
{
    return str_eq(line, STR("\n")) || str_eq(line, STR("\r\n"));
}

/* ---- mbox_text.c: what stands between two From_ lines, and the message ---- */

/* The message, with CR LF.  ERR_LIMIT: longer than the buffer. */
struct mbox_text {
    struct str raw; /* without the From_ line */
    enum migrate_quoting quoting;
};
MUST_USE enum status mbox_text_read(const struct mbox_text *t, struct buf *out);
/* What is not of the message, so many fields, with a first one that says so; lines that look like From_ are quoted. */
void mbox_text_write(struct str fields, unsigned count, struct str body, struct buf *out);

/* ---- mbox_folder.c, mbox_tree.c: they block ---- */

/* ERR_NOT_FOUND: neither a file nor a folder.  ERR_DENIED: a link. */
MUST_USE enum status mbox_check(const struct migrate_layout *l);
/* A file is INBOX.  Of a folder: each file in it, "x.sbd" is where the folders below x are. */
MUST_USE enum status mbox_tree(const struct migrate_layout *l, struct arena *a,
                               struct migrate_tree *out);
/* As maildir_folder_read().  ERR_SYNTAX: not an mbox.  ERR_TEMP: another program has it locked. */
MUST_USE enum status mbox_folder_read(struct migrate_folder *f, struct str uidl, struct arena *a);
/* As maildir_body_read().  ERR_CONFLICT: the file is another by now. */
MUST_USE enum status mbox_body_read(const struct migrate_folder *f, const struct migrate_message *m,
                                    struct buf *out, struct instant *received_out);

/* ---- mbox_write.c: it blocks ---- */

struct mbox_writer {
    const char *path;
    int fd; /* -1: nothing is to be taken back */
    struct buf out;
    uint64_t at;
    uint64_t messages;
    uint32_t uidvalidity, uid_last;
    const struct str *words; /* of the folder */
    size_t word_count;
};
struct mbox_box {
    uint32_t uidvalidity, uidnext;
    const struct str *words;
    size_t word_count;
};
/* ERR_EXISTS: path is there. */
MUST_USE enum status mbox_writer_begin(struct mbox_writer *w, const char *path,
                                       const struct mbox_box *box);
MUST_USE enum status mbox_write(struct mbox_writer *w, const struct migrate_new *m);
/* Synced, and under its name. */
MUST_USE enum status mbox_writer_end(struct mbox_writer *w);
/* What has no name yet is removed. */
void mbox_writer_release(struct mbox_writer *w);
/* "A/B" to "A.sbd/B", which mbox_tree() finds as A/B. */
void mbox_folder_file(struct str name, struct buf *b);

#endif
