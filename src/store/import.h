/* import.h - mail that another server had: its UIDs, and where each message came from, for the next look.
 *
 * A message that was imported has an entry (key M) with its key at the source, the flags that it had there, and the
 * UIDL by which POP3 clients knew it.  The entry outlives the message: what somebody removed here does not come again.
 *
 * Promises:  message_add_all() with message_batch.import keeps a UID as long as the mailbox has the UIDVALIDITY that
 *            it is of, and it is not below UIDNEXT; else the message gets the next one.  No UID is ever used twice.
 *            Messages and their entries are one commit.  Quota refuses nothing, and counts.
 *            Nothing here touches a message that has no entry.
 *            A number of the source above LIMIT_IMPORT_NUMBER would leave too few for new mail: import_open() refuses
 *            it (ERR_SYNTAX), a message with such a UID gets the next one.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such mailbox.  ERR_EXISTS: another import is at work.
 *            ERR_TEMP: a large copy into the mailbox is under way.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "store/mailbox.h"
#include "store/message.h"

#define IMPORT_ENTRY_MAX (LIMIT_IMPORT_KEY_BYTES + LIMIT_UIDL_BYTES + 32u)

/* One imported message of a mailbox. */
struct import_entry {
    uint32_t uid;
    uint32_t source; /* which one; of the importer's choosing */
    uint32_t flags;  /* as the source had them, keywords as bits of the mailbox's table */
    struct str key;  /* 1..LIMIT_IMPORT_KEY_BYTES */
    struct str uidl; /* empty: as of any other message */
};
/* The body of an entry of a packed page; the reader leaves the uid alone, strings point into body. */
void import_entry_write(const struct import_entry *e, struct buf *b);
MUST_USE enum status import_entry_read(struct str body, struct import_entry *out);

/* Beside message_batch.messages, one for one. */
struct import_origin {
    uint32_t uid;    /* at the source; 0 = it has none */
    uint32_t source; /* the rest as in import_entry */
    struct str key, uidl;
};
struct import_batch {
    uint32_t uidvalidity; /* of the UIDs; 0 = none */
    uint32_t last;        /* import_state() of before: ERR_EXISTS when it is another by now */
    const struct import_origin *origins;
};

struct import_mailbox {
    struct str name;
    enum mailbox_special special; /* NONE leaves it as it is */
    uint32_t uidvalidity;         /* 0 = none */
    uint32_t uidnext;             /* 0 = unknown */
    bool subscribed;              /* false leaves it as it is */
};
/* Makes it where missing.  One without messages that has no other import gets the UIDVALIDITY; one that has it (now)
 * gets the UIDNEXT at least. */
MUST_USE SUSPENDS enum status import_open(struct cell *account, const struct import_mailbox *m,
                                          uint32_t *id_out);
/* The highest UID with an entry; 0 = none. */
MUST_USE SUSPENDS enum status import_state(struct cell *account, uint32_t mailbox,
                                           uint32_t *last_out);
struct import_page {
    uint32_t mailbox;
    uint32_t from_uid;
    size_t max;
};
struct import_list {
    struct import_entry *entries; /* by uid */
    size_t count;
    bool more;
};
MUST_USE SUSPENDS enum status import_list(struct cell *account, const struct import_page *p,
                                          struct arena *a, struct import_list *out);

/* What a message has at the source by now. */
struct import_change {
    uint32_t uid;
    uint32_t flags; /* FLAGS_SYSTEM */
    const struct str *keywords;
    size_t keyword_count;
};
struct import_changes {
    uint32_t mailbox;
    const struct import_change *changes; /* by uid */
    size_t count;
};
/* Each flag that is another than it was at the source is set or cleared here, the others stay.  One commit. */
MUST_USE SUSPENDS enum status import_flags(struct cell *account, const struct import_changes *c);
/* The source has them no more: they go, with their entries.  UIDs without an entry are left alone. */
struct import_gone {
    uint32_t mailbox;
    struct uid_set uids;
};
MUST_USE SUSPENDS enum status import_remove(struct cell *account, const struct import_gone *g,
                                            struct instant now);

#endif
