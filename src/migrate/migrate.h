/* migrate.h - what all sources of mail have in common: folders, and messages in them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

#include <dirent.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"

#define MIGRATE_KEYWORDS \
    27u /* 26 letters of Maildir, and $Forwarded; as many as a mailbox may have */

enum migrate_flags { /* as in store.ipc */
                     MIGRATE_ANSWERED = 1,
                     MIGRATE_FLAGGED = 2,
                     MIGRATE_DELETED = 4,
                     MIGRATE_SEEN = 8,
                     MIGRATE_DRAFT = 16
};
/* Lines of a text that begin with "From " in an mbox: with a > more than they had, also those that had some; with one,
 * those that had none; as they are. */
enum migrate_quoting { MIGRATE_MBOXRD, MIGRATE_MBOXO, MIGRATE_UNQUOTED };
struct migrate_message {
    uint32_t uid;      /* 0 = it has none */
    uint32_t flags;    /* enum migrate_flags */
    uint32_t keywords; /* bit i: word i of the folder's table */
    struct str key; /* 1..LIMIT_IMPORT_KEY_BYTES: the same message has the same key the next time */
    struct str uidl; /* of POP3; empty = it has none */
    struct str file; /* Maildir: in the folder */
    /* mbox: where in the file, without the From_ line; when it came; no line of it is quoted */
    uint64_t offset, size; /* size: also of IMAP */
    struct instant received;
    bool verbatim;
    /* IMAP: its UID there, which uid may not be */
    uint32_t there;
    bool wanted; /* it is not here yet: its body will be asked for */
};
struct imap_source;
struct migrate_folder {
    struct str name; /* UTF-8, "/" between levels, "INBOX" */
    const char *path;
    size_t
        below; /* so many bytes at the end of path are not the administrator's: no link is followed there */
    uint32_t uidvalidity;               /* 0 = it has none */
    uint32_t uidnext;                   /* 0 = unknown */
    struct str words[MIGRATE_KEYWORDS]; /* an empty one is none */
    struct migrate_message *messages;   /* by uid; those without one last, by name */
    size_t count;
    enum migrate_quoting quoting; /* of an mbox */
    /* of IMAP */
    struct imap_source *imap; /* path: its name as the server writes it */
    uint8_t special;          /* of store.ipc, as the server says; 0 = it says nothing */
    size_t words_lost;        /* keywords of messages that found no place in words */
    size_t uidls_lost;        /* unique ids of POP3 that could not be given to a message */
    bool missing; /* a part of it is not there: what is not in messages may be there all the same */
};
struct migrate_tree {
    struct migrate_folder *folders; /* name and path alone; INBOX first, the others by name */
    size_t count;
    struct str *subscribed; /* names */
    size_t subscribed_count;
    size_t skipped;            /* folders whose names can be no mailbox */
    struct str *skipped_names; /* IMAP: their names there */
    size_t other;              /* mbox: files that are none */
    struct str *links;         /* folders and files that are links: they were not entered */
    size_t link_count;
};
/* Where mail is.  fs: each level of a Maildir is a folder of its own (LAYOUT=fs). */
struct migrate_layout {
    const char *path;
    size_t below; /* as in struct migrate_folder */
    bool fs;
    enum migrate_quoting quoting;
};

/* A message to be written. */
struct migrate_new {
    uint32_t uid, flags;
    const struct str *keywords;
    size_t keyword_count;
    uint64_t number; /* no two of a folder have the same */
    struct instant received;
    struct str uidl, body;
};

/* A key that fits: short ones as they are. */
struct str migrate_key(struct str text, struct arena *a);

/* A path of a system call; what does not fit becomes "", which is nowhere. */
#define MIGRATE_PATH_BYTES 1024u
void migrate_path(char path[MIGRATE_PATH_BYTES], const char *format, ...) PRINTF(2, 3);

/* ---- tree.c: a tree while it is found ---- */

struct migrate_finding {
    const struct migrate_layout *l;
    struct arena *a;
    struct migrate_tree *t;
    size_t room, subscribed_room, link_room;
    /* folders still to be looked into, below the root */
    struct str *waiting;
    size_t waiting_count, waiting_room;
    bool over; /* there is more than a tree may have; it is not kept */
};
/* Names and paths are copied when they are kept.  At most LIMIT_MAILBOXES of each kind are. */
void migrate_found_folder(struct migrate_finding *f, struct str name, struct str path);
void migrate_found_link(struct migrate_finding *f, struct str file);
void migrate_found_subscribed(struct migrate_finding *f, struct str name);
void migrate_look_later(struct migrate_finding *f, struct str below);
/* The entries of one; below the root, empty = the root. */
MUST_USE enum status migrate_dir_list(const struct migrate_finding *f, struct str below,
                                      DIR **d_out);
/* Sorted; INBOX first.  Of two with one name the second is skipped. */
void migrate_found_all(struct migrate_finding *f);

/* ---- open.c: ERR_DENIED where a link is, for files also where any other thing that is none is; ERR_SYNTAX: what
 * should be a folder is a file ---- */

/* As below of struct migrate_folder. */
MUST_USE enum status migrate_dir_open(const char *path, size_t below, int *fd_out);
MUST_USE enum status migrate_sub_open(int dir, const char *name, int *fd_out);
MUST_USE enum status migrate_file_open(int dir, const char *name, int *fd_out);
/* The same of a file by its path. */
MUST_USE enum status migrate_path_open(const char *path, size_t below, int *fd_out);
/* ERR_LIMIT: larger than the buffer. */
MUST_USE enum status migrate_file_read(int dir, const char *name, struct buf *out);
/* In one step, under its name only when it is whole. */
MUST_USE enum status migrate_file_write(const char *path, struct str text);

/* ---- body.c ---- */

/* With CR before each LF that has none.  ERR_LIMIT: longer than the buffer's maximum. */
MUST_USE enum status migrate_crlf(struct str text, struct buf *out);
/* CR LF becomes LF, but only when migrate_crlf() gives the same again; else nothing changes. */
void migrate_lf(struct str text, struct buf *out);

#endif
