/* import_mail.h - what the sources of godwit import share: one folder of another server brought into a mailbox.
 *
 * Promises:  what was imported once is known by its key at the source, so the same again is a delta: new messages,
 *            changed flags, removals.  A batch is one commit; an import that was cut off goes on where it was.
 *            Messages that came to Godwit by itself are never touched.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_IMPORT_MAIL_H
#define CTL_IMPORT_MAIL_H

#include "ctl/ctl.h"
#include "migrate/migrate.h"

/* As typed after godwit import; import.c has the table. */
struct import_mail_options {
    const char *account, *layout, *quoting, *uidl, *source;
    bool all, no_delete;
};
extern struct import_mail_options import_mail_typed;
/* Of import imap. */
struct import_imap_options {
    const char *accounts, *user, *password_file, *master, *separator, *ca, *tls_name, *parallel,
        *pop3;
    bool starttls, plaintext;
};
extern struct import_imap_options import_imap_typed;

struct import_counts {
    uint64_t found; /* at the source */
    uint64_t added, bytes, flags, removed;
    uint64_t moved_uid;              /* of those added: they had a UID, and got another */
    uint64_t left_out;               /* too large, empty, unreadable */
    uint64_t elsewhere;              /* imported from another source, and not in this one */
    uint64_t lost_words, lost_uidls; /* struct migrate_folder */
};
struct import_mail {
    struct ctl *c;
    struct import_counts all;
    uint64_t accounts, folders, failed, done; /* done: messages dealt with */
    json_t *told;                             /* with --json, one for each folder */
    json_t *left;                             /* and one for each message that was left out */
    enum status broken;                       /* nothing more can be done */
};
/* How mail of one kind is read; each of them may suspend.  migrate/maildir.h says what they promise. */
struct import_reader {
    const char *name;    /* for people: the kind, */
    const char *nothing; /* what is not there, */
    const char *link;    /* and where one is no good */
    const char *ends[2]; /* of DOMAIN/USER, with --all */
    enum status (*check)(const struct migrate_layout *l);
    enum status (*tree)(const struct migrate_layout *l, struct arena *a, struct migrate_tree *out);
    enum status (*folder)(struct migrate_folder *f, struct str uidl, struct arena *a);
    enum status (*body)(const struct migrate_folder *f, const struct migrate_message *m,
                        struct buf *out, struct instant *received_out);
    const char *(*wrong)(
        const struct migrate_folder *f); /* what failed, in words; NULL: the status says it */
    bool whole;                          /* a list lacks nothing: what is not in it is gone */
};
struct import_account {
    const struct import_reader *reader;
    uint64_t id;
    uint32_t source;
    struct str address;
    struct str uidl; /* how the old server named messages in POP3; empty = as Godwit does */
    struct migrate_tree tree;
    const struct admin_mail_box *boxes; /* as they were before */
    size_t box_count;
};
/* One folder, its messages not yet read. */
SUSPENDS void import_mail_folder(struct import_mail *im, const struct import_account *acc,
                                 struct migrate_folder *f);
/* A line about it, or with what is wrong. */
void import_mail_tell(struct import_mail *im, const struct import_account *acc, struct str folder,
                      const struct import_counts *n, const char *wrong);
/* A message was left out.  what: its UID there, or its file. */
void import_mail_left(struct import_mail *im, const struct import_account *acc, struct str folder,
                      struct str what, const char *why);
/* On a terminal: a bar, of the messages that were found so far. */
void import_mail_progress(const struct import_mail *im);
/* The last words, and the exit status. */
int import_mail_end(struct import_mail *im, int64_t began_ms);

/* ---- import_account.c ---- */

/* Finds the account of acc->address, and which mailboxes it has.  NULL, or what is wrong. */
SUSPENDS const char *import_account_open(struct import_mail *im, struct import_account *acc,
                                         struct arena *a);
/* Names without a folder that are subscribed there.  The others are subscribed when they are opened. */
MUST_USE SUSPENDS enum status import_account_subscribe(const struct import_mail *im,
                                                       const struct import_account *acc,
                                                       struct arena *a);

/* ---- import_imap.c ---- */
SUSPENDS int ctl_import_imap(struct ctl *c);

/* ---- import_maildir.c ---- */
SUSPENDS int ctl_import_maildir(struct ctl *c);
SUSPENDS int ctl_import_mbox(struct ctl *c);

#endif
