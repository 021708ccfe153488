/* mailbox.h - the tree of mailboxes of an account.
 *
 * Names are UTF-8, levels separated by "/", without empty levels or control characters; the first level "inbox" in
 * any case is INBOX.  A mailbox is known by its id, which a rename keeps and nothing uses again.
 * Promises:  UIDVALIDITY comes from one counter of the account, so a name made anew never repeats one.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such mailbox.  ERR_SYNTAX: not a mailbox name.
 *            ERR_LIMIT: too many mailboxes, a name too long or too deep.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MAILBOX_H
#define STORE_MAILBOX_H

#include "base/limits.h"
#include "base/time.h"
#include "store/cell.h"
#include "store/keys.h"

enum mailbox_special { /* order of enum<6> special in store.ipc; RFC 6154 */
                       SPECIAL_NONE,
                       SPECIAL_DRAFTS,
                       SPECIAL_SENT,
                       SPECIAL_JUNK,
                       SPECIAL_TRASH,
                       SPECIAL_ARCHIVE,
                       SPECIAL_ALL,
};
#define SPECIAL_COUNT (SPECIAL_ALL + 1)

struct mailbox_info {
    uint32_t id;
    struct str name; /* with all levels */
    /* 0: the mailbox is gone, its name is still subscribed (RFC 9051 section 6.3.7) */
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t modseq; /* HIGHESTMODSEQ */
    uint32_t exists, unseen, deleted;
    uint64_t bytes;
    enum mailbox_special special;
    bool subscribed;
    bool selectable; /* false: \Noselect, or gone */
    bool has_children;
    const struct str *keywords; /* bit 5 + i of the flags; an empty string is a free place */
    size_t keyword_count;
};

/* The name in its one spelling, in a. */
MUST_USE enum status mailbox_name_check(struct str name, struct arena *a, struct str *name_out);

MUST_USE SUSPENDS enum status mailbox_find(struct cell *account, struct str name, struct arena *a,
                                           struct mailbox_info *out);
MUST_USE SUSPENDS enum status mailbox_get(struct cell *account, uint32_t id, struct arena *a,
                                          struct mailbox_info *out);
/* The one with this special use; ERR_NOT_FOUND when nobody has it. */
MUST_USE SUSPENDS enum status mailbox_find_special(struct cell *account, enum mailbox_special use,
                                                   uint32_t *id_out);
/* Those with an id above after, at most max, by id. */
struct mailbox_list {
    const struct mailbox_info *mailboxes;
    size_t count;
    bool more;
};
MUST_USE SUSPENDS enum status mailbox_list(struct cell *account, uint32_t after, size_t max,
                                           struct arena *a, const struct mailbox_list **out);

/* Makes missing parents too.  ERR_EXISTS: it is there.  A special use is taken from whoever had it. */
MUST_USE SUSPENDS enum status mailbox_create(struct cell *account, struct str name,
                                             enum mailbox_special special, uint32_t *id_out);
/* ERR_DENIED: INBOX.  One with children stays as a name without messages (RFC 9051 section 6.3.5); deleting that
 * is ERR_EXISTS.  Messages go at once for readers, in the background for the disk. */
MUST_USE SUSPENDS enum status mailbox_delete(struct cell *account, uint32_t id, struct instant now);
/* With its subtree.  INBOX: its messages move to the new name, its children stay (RFC 9051 section 6.3.6).
 * ERR_EXISTS: the name is taken; ERR_DENIED: into its own subtree. */
MUST_USE SUSPENDS enum status mailbox_rename(struct cell *account, uint32_t id, struct str name,
                                             struct instant now);
/* on = false also for names without a mailbox. */
MUST_USE SUSPENDS enum status mailbox_subscribe(struct cell *account, struct str name, bool on);

#endif
