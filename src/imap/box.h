/* box.h - an open mailbox as this worker knows it, shared by its sessions.
 *
 * A box holds the live messages in one array, ascending by UID.  New messages are appended and flags are changed in
 * place; only an expunge makes a new array, and the old one lives on while some session still numbers by it.
 * A session is (array, count, modseq): what it has told its client so far.
 *
 * Owns:      the arrays, counted.
 * Promises:  box_refresh() asks the store once, however many sessions wait for it.
 *            An entry's index in a session's array stays what it is until that session's imap_sync().
 * Suspends:  box_open() and box_refresh() do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_BOX_H
#define IMAP_BOX_H

#include <assert.h>

#include "base/limits.h"
#include "base/list.h"
#include "imap/imap.h"

enum imap_flag { /* as in store.ipc; bit 5 and up: keyword n is bit 5 + n */
                 IMAP_ANSWERED = 1 << 0,
                 IMAP_FLAGGED = 1 << 1,
                 IMAP_DELETED = 1 << 2,
                 IMAP_SEEN = 1 << 3,
                 IMAP_DRAFT = 1 << 4,
};
#define IMAP_KEYWORD_SHIFT 5u

struct box_entry {
    uint32_t uid;
    uint32_t flags;
    uint64_t modseq;
    uint64_t mid;
};
static_assert(sizeof(struct box_entry) == 24, "packed as store.ipc sends it");

struct box_array {
    struct list node; /* among the arrays of its box, while that has it open */
    uint32_t refs;
    size_t count, cap;
    struct box_entry *at; /* moves when messages are appended: keep the index over a suspend */
};
struct box {
    struct list node; /* among the boxes of its account (imap/user.h) */
    uint32_t refs;    /* sessions that have it open */
    uint64_t account;
    uint32_t mailbox, uidvalidity, uidnext;
    uint64_t modseq;
    bool loaded;                         /* array and modseq are from the store */
    bool stale;                          /* the store said that there is more */
    bool gone;                           /* deleted, or its numbering was lost */
    struct str keywords[LIMIT_KEYWORDS]; /* owned */
    size_t keyword_count;
    uint32_t keyword_round;  /* grows when the table changes */
    uint32_t refresh_round;  /* grows when the store is asked */
    struct list arrays;      /* all that are alive: flags change in each of them */
    struct box_array *array; /* the latest */
    struct fiber_lock refreshing;
};

/* mailbox: as store.mailbox_open or _status answered. */
struct imap_session;
struct store_mailbox;
MUST_USE SUSPENDS enum status box_open(struct imap_session *s, const struct store_mailbox *mailbox,
                                       struct box **out);
void box_close(struct box **b);
/* Brings the box up to date when it is stale (or always, force), on behalf of s; held while the store is away. */
MUST_USE SUSPENDS enum status box_refresh(struct box *b, struct imap_session *s, bool force);
/* Those that are not up to modseq; 0: in any case.  n = 0: all mailboxes of the account. */
void box_mark_stale(uint64_t account, uint64_t modseq, const uint32_t *mailboxes, size_t n);
void box_mark_all_stale(void); /* the store was lost, and with it what it would have told */
/* The open box of this mailbox, or NULL. */
struct box *box_find(uint64_t account, uint32_t mailbox);
/* Takes keywords that came with a reply. */
void box_keywords(struct box *b, const struct str *keywords, size_t n);

struct box_array *box_array_ref(struct box_array *a);
void box_array_unref(struct box_array **a);
/* Index of the first entry with uid >= this one; count when there is none. */
size_t box_array_find(const struct box_array *a, size_t count, uint32_t uid);

#endif
