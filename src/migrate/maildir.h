/* maildir.h - Maildir++ as Dovecot and Courier keep it.
 *
 * Promises:  parsers are linear and bounded by their text; what they cannot read they skip.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_MAILDIR_H
#define MIGRATE_MAILDIR_H

#include "base/scan.h"
#include "migrate/migrate.h"

/* ---- maildir.c ---- */

/* Name of a message: UNIQUE[,S=BYTES][,W=BYTES][:2,FLAGS]. */
struct maildir_name {
    struct str base;   /* before ":" */
    struct str unique; /* of that, what stands before "," */
    uint32_t flags;    /* enum migrate_flags */
    uint32_t letters;  /* bit 0: a ... bit 25: z */
    bool passed;       /* P: it was sent on */
};
/* False: not a message (a dot in front, nothing at all). */
bool maildir_name_read(struct str file, struct maildir_name *out);
/* ":2," and what belongs behind it, as Dovecot orders it. */
void maildir_info_write(uint32_t flags, uint32_t letters, struct buf *b);

/* dovecot-uidlist of version 3 and 1, courierimapuiddb, which is as version 1.  Numbers above LIMIT_IMPORT_NUMBER are
 * as if they were not there. */
struct uidlist {
    struct scan in;
    bool named; /* fields have letters: version 3 */
    uint32_t uidvalidity, uidnext;
};
struct uidlist_entry {
    uint32_t uid;
    struct str base;
    struct str uidl; /* as RFC 1939 section 7 has it; empty = none such is said */
};
/* False: not such a list. */
bool uidlist_begin(struct str text, struct uidlist *out);
bool uidlist_next(struct uidlist *l, struct uidlist_entry *out);

/* dovecot-keywords: "0 word" LF ...; words[0] is letter a. */
#define MAILDIR_LETTERS 26u
void maildir_keywords_read(struct str text, struct str words[MAILDIR_LETTERS]);

/* Folder ".A.B" or "A.B" to "A/B", from modified UTF-7; sep: between levels.  ERR_SYNTAX: it can be no mailbox. */
MUST_USE enum status maildir_folder_name(struct str dir, char sep, struct arena *a,
                                         struct str *name_out);
/* "A/B" to ".A.B". */
void maildir_folder_dir(struct str name, struct buf *b);

/* subscriptions of Dovecot in both versions, courierimapsubscribed. */
struct subscriptions {
    struct scan in;
    char sep;
};
struct subscriptions subscriptions_of(struct str text);
bool subscriptions_next(struct subscriptions *s, struct arena *a, struct str *name_out);

/* Of POP3: %u UID, %v UIDVALIDITY, %f name of the file; before the letter "08" pads and "X" makes hexadecimal, as in
 * Dovecot.  False: the format has something else, or the result is no unique-id. */
struct uidl_facts {
    uint32_t uid, uidvalidity;
    struct str base;
};
bool uidl_format(struct str format, const struct uidl_facts *f, struct buf *out);
bool uidl_is(struct str s); /* as RFC 1939 section 7 has them */
#define UIDL_DOVECOT STR("%08Xu%08Xv")

/* ---- maildir_folder.c, maildir_tree.c: they block ---- */

/* ERR_NOT_FOUND: path is no Maildir.  ERR_DENIED: a link. */
MUST_USE enum status maildir_check(const struct migrate_layout *l);
MUST_USE enum status maildir_tree(const struct migrate_layout *l, struct arena *a,
                                  struct migrate_tree *out);
/* Fills f, whose name and path are given.  A message that moves meanwhile is in this list or in the next one.  uidl:
 * the format for those of which the list says none, empty = none.  ERR_DENIED: a link in the place of a part. */
MUST_USE enum status maildir_folder_read(struct migrate_folder *f, struct str uidl,
                                         struct arena *a);
/* One message, as migrate_crlf() makes it, and when it came; ERR_NOT_FOUND: it is gone.
 * ERR_LIMIT: larger than the buffer. */
MUST_USE enum status maildir_body_read(const struct migrate_folder *f,
                                       const struct migrate_message *m, struct buf *out,
                                       struct instant *received_out);

/* ---- maildir_write.c: it blocks ---- */

/* A folder being written; the list of UIDs and the keywords come at the end, by maildir_writer_end(). */
struct maildir_writer {
    const char *path;
    struct buf list;
    struct str words[MAILDIR_LETTERS];
    size_t word_count;
    size_t lost;     /* keywords that found no letter */
    struct buf file; /* "/cur/..." of the last message */
};
/* A root is a folder too.  It must not be there. */
MUST_USE enum status maildir_writer_begin(struct maildir_writer *w, const char *path, bool root,
                                          const struct uidlist *head);
MUST_USE enum status maildir_write(struct maildir_writer *w, const struct migrate_new *m);
MUST_USE enum status maildir_writer_end(struct maildir_writer *w);
void maildir_writer_release(struct maildir_writer *w);

#endif
