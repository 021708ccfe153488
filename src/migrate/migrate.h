/* migrate.h - what all sources of mail have in common: folders, and messages in them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"

/* UIDs, UIDNEXT and UIDVALIDITY above it are as if they were not there (store/import.h). */
#define MIGRATE_NUMBER_MAX ((uint32_t)INT32_MAX)

#define MIGRATE_KEYWORDS 27u /* 26 letters of Maildir, and $Forwarded */

enum migrate_flags { /* as in store.ipc */
                     MIGRATE_ANSWERED = 1,
                     MIGRATE_FLAGGED = 2,
                     MIGRATE_DELETED = 4,
                     MIGRATE_SEEN = 8,
                     MIGRATE_DRAFT = 16
};
struct migrate_message {
    uint32_t uid;      /* 0 = it has none */
    uint32_t flags;    /* enum migrate_flags */
    uint32_t keywords; /* bit i: word i of the folder's table */
    struct str key; /* 1..LIMIT_IMPORT_KEY_BYTES: the same message has the same key the next time */
    struct str uidl; /* of POP3; empty = it has none */
    struct str file; /* in the folder */
    /* of IMAP */
    uint32_t there; /* its UID there, which uid may not be */
    uint64_t size;
    bool wanted; /* its body will be asked for */
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
    /* of IMAP */
    struct imap_source *imap; /* NULL = it is on a disk; path: its name as the server writes it */
    uint8_t special;          /* of store.ipc, as the server says; 0 = it says nothing */
    size_t words_lost;        /* keywords of messages that found no place in words */
    size_t uidls_lost;        /* unique ids of POP3 that could not be given to a message */
    bool missing; /* a part of it is not there: what is not in messages may be there all the same */
};
struct migrate_tree {
    struct migrate_folder *folders; /* name and path alone; INBOX first, parents before children */
    size_t count;
    struct str *subscribed; /* names */
    size_t subscribed_count;
    size_t skipped;            /* folders whose names can be no mailbox */
    struct str *skipped_names; /* NULL = they are not told */
    struct str *links;         /* folders and files that are links: they were not entered */
    size_t link_count;
};

/* A key that fits: short ones as they are. */
struct str migrate_key(struct str text, struct arena *a);

/* A path of a system call; what does not fit becomes "", which is nowhere. */
#define MIGRATE_PATH_BYTES 1024u
void migrate_path(char path[MIGRATE_PATH_BYTES], const char *format, ...) PRINTF(2, 3);

/* ---- body.c ---- */

/* With CR before each LF that has none.  ERR_LIMIT: longer than the buffer's maximum. */
MUST_USE enum status migrate_crlf(struct str text, struct buf *out);
/* CR LF becomes LF, but only when migrate_crlf() gives the same again; else nothing changes. */
void migrate_lf(struct str text, struct buf *out);

#endif
