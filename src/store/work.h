/* work.h - one change of one account: a transaction with its head, its mailboxes and its entry in the change log.
 *
 * Use:       int tries = 0;
 *            do {
 *                s = change_once(...);        begins with AUTO(work_end) struct work w; TRY(work_begin(&w, ...));
 *            } while (work_again(&s, &tries));
 *
 * Promises:  work_commit() writes head, mailboxes and log with one modseq; work_end() without it leaves nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WORK_H
#define STORE_WORK_H

#include "store/values.h"

#define WORK_STEP_BYTES (1u << 20) /* one commit of a long piece of work */
#define ARENA_WORK      (64u << 20)

/* ---- lists of ranges being built: ranges.c ---- */
struct uid_list {
    struct uid_range *ranges;
    size_t count, cap;
};
void uid_list_add(struct uid_list *l, struct arena *a, uint32_t first, uint32_t last);
/* Adds all of another list. */
void uid_list_join(struct uid_list *l, const struct uid_list *more, struct arena *a);
struct uid_set uid_list_set(const struct uid_list *l);
struct id_list {
    struct id_range *ranges;
    size_t count, cap;
};
void id_list_add(struct id_list *l, struct arena *a, uint64_t id);
bool uid_set_has(struct uid_set s, uint32_t uid);
/* First UID of the set that is >= uid; false when there is none. */
bool uid_set_floor(struct uid_set s, uint32_t uid, uint32_t *out);

struct work_box {
    struct work_box *next;
    uint32_t id;
    bool dirty, gone;
    struct mailbox_value v;
};
/* What quotas look at, as work_begin() found it. */
struct work_use {
    uint64_t bytes, messages, quota_bytes, quota_messages;
};
struct work {
    struct tx *tx;
    struct cell *account;
    struct arena *a; /* the transaction's */
    struct instant now;
    struct head_value head;
    struct work_use before;
    uint64_t modseq; /* of this change */
    bool changed;    /* something to log */
    bool head_dirty; /* something to write, even if not to log */
    struct buf log;
    struct buf entry;      /* one value being written */
    struct arena *scratch; /* one page being written */
    struct work_box *boxes;
    struct id_list destroyed; /* mids that lost their last placement */
};

MUST_USE SUSPENDS enum status work_begin(struct work *w, struct cell *account, struct instant now);
/* After OK the work is over; w->modseq is the modseq it got, or the account's when nothing changed. */
MUST_USE SUSPENDS enum status work_commit(struct work *w);
void work_end(struct work *w);
/* Little room on the disk: no new bodies.  Hardly any: nothing new at all, only flags and removal, ERR_NO_SPACE. */
enum growth { GROWS_A_BODY, GROWS_A_LITTLE };
enum status work_may_grow(struct cell *account, enum growth what);
/* True while a conflict is worth another try; waits a little from the third on.  Then the status is ERR_TEMP. */
SUSPENDS bool work_again(enum status *s, int *tries);

/* Any mailbox entry; ERR_NOT_FOUND when there is none. */
MUST_USE SUSPENDS enum status work_box(struct work *w, uint32_t id, struct work_box **out);
/* One that can hold messages. */
MUST_USE SUSPENDS enum status work_box_live(struct work *w, uint32_t id, struct work_box **out);
bool box_is_live(const struct mailbox_value *v);
struct work_box *work_box_new(struct work *w, uint32_t id);
/* It gets this change's modseq and will be written; listeners hear of it. */
void work_box_touch(struct work *w, struct work_box *b);
void work_log(struct work *w, const struct log_change *c);
/* keywords -> bits of the mailbox's table. */
enum keywords_wanted {
    KEYWORDS_ALL,  /* new ones enter the table; ERR_LIMIT when it is full */
    KEYWORDS_SOME, /* new ones enter while there is room */
    KEYWORDS_KNOWN /* only those that are there */
};
struct keyword_list {
    const struct str *keywords;
    size_t count;
};
MUST_USE enum status work_box_keywords(struct work *w, struct work_box *b, struct keyword_list l,
                                       enum keywords_wanted wanted, uint32_t *bits_out);
/* Counters of a mailbox when a message changes its flags, comes, goes. */
void box_count_flags(struct mailbox_value *v, uint32_t before, uint32_t after);
void box_count_add(struct mailbox_value *v, uint32_t flags, uint64_t size);
void box_count_remove(struct mailbox_value *v, uint32_t flags, uint64_t size);

/* Borrowed until the next read or write. */
MUST_USE SUSPENDS enum status work_peek(struct work *w, const struct key *k, struct str *out);
/* Entry `low` of a packed page; ERR_NOT_FOUND. */
MUST_USE SUSPENDS enum status work_entry(struct work *w, const struct key *k, uint8_t low,
                                         struct str *body_out);
/* is_new: the page is known not to exist.  body.ptr NULL removes the entry. */
MUST_USE SUSPENDS enum status work_entry_put(struct work *w, const struct key *k, bool is_new,
                                             uint8_t low, struct str body);
void work_put(struct work *w, const struct key *k, struct str value); /* value.ptr NULL deletes */
MUST_USE SUSPENDS enum status work_places(struct work *w, uint32_t mailbox, uint32_t page,
                                          struct places *out);
/* First page of places of a mailbox; ERR_NOT_FOUND: it has none. */
MUST_USE SUSPENDS enum status work_places_first(struct work *w, uint32_t mailbox,
                                                uint32_t *page_out);
void work_places_put(struct work *w, uint32_t mailbox, uint32_t page, const struct places *p);
MUST_USE SUSPENDS enum status work_job_add(struct work *w, const struct job_value *v,
                                           uint64_t *id_out);
/* The first job of this kind for this mailbox; ERR_NOT_FOUND. */
MUST_USE SUSPENDS enum status work_job_find(struct work *w, enum job_kind kind, uint32_t mailbox,
                                            uint64_t *id_out);
void work_job_del(struct work *w, uint64_t id);

/* ---- reading without a transaction ---- */
MUST_USE SUSPENDS enum status head_load(struct cell *account, struct arena *a,
                                        struct head_value *out);
MUST_USE SUSPENDS enum status box_load(struct cell *account, uint32_t id, struct arena *a,
                                       struct mailbox_value *out);

/* ---- thread.c ---- */
/* The thread of a new message; it is entered there. */
MUST_USE SUSPENDS enum status thread_join(struct work *w, const struct message_new *m, uint64_t mid,
                                          uint64_t *tid_out);
/* The message has no placement any more.  It must have been the last to use the thread's entry when the thread is
 * empty: then its hashes leave the index. */
MUST_USE SUSPENDS enum status thread_leave(struct work *w, uint64_t tid, uint64_t mid);

/* ---- gone.c: placements taken from messages; what has none left is kept for the grace period ---- */
struct gone {
    uint64_t mid;
    struct placement place;
    uint32_t flags;
    bool destroyed; /* result: it was the last placement */
    uint64_t size;  /* result */
};
/* By mid afterwards. */
MUST_USE SUSPENDS enum status work_gone(struct work *w, struct gone *g, size_t n);
/* At the commit: the log and the date of those destroyed. */
MUST_USE enum status work_gone_end(struct work *w);
/* UIDs left the mailbox: V, log.  mids: those that are still somewhere else. */
MUST_USE SUSPENDS enum status work_vanished(struct work *w, struct work_box *b, struct uid_set uids,
                                            const struct id_list *mids);

/* ---- pages.c: the places of a set of UIDs, page by page ---- */
struct place_pages {
    struct work *w;
    uint32_t mailbox;
    uint32_t uidnext;
    struct uid_set uids;
    uint32_t next; /* first UID not yet looked at; 0 = done */
    uint32_t loaded_to;
    uint32_t given; /* pages so far */
};
/* The next page that has entries at all; which of them are in the set is for the caller to see.  Lets other fibers run
 * now and then. */
MUST_USE SUSPENDS enum status place_pages_next(struct place_pages *it, struct places *out);
void view_entry_write(const struct place *p, char bytes_out[VIEW_ENTRY_BYTES]);

#endif
