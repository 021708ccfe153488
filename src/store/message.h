/* message.h - messages of an account: added, listed, flagged, moved, removed, read.
 *
 * Promises:  a change is one commit: UID, modseq, counters, quota, thread and change log with the message itself.
 *            Changes of very many messages (flags, expunge) may be several commits, each with its own modseq; adding
 *            and copying always looks like one.  A cancelled or failed call may have done a prefix of such commits.
 * Never:     looks into a message: records and sort entries are opaque bytes from role cook.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such mailbox or message.  ERR_QUOTA: the
 *            account's limit.  ERR_NO_SPACE: the disk's, see work_may_grow().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MESSAGE_H
#define STORE_MESSAGE_H

#include "base/limits.h"
#include "base/time.h"
#include "store/cell.h"
#include "store/keys.h"

#define FLAG_ANSWERED      1u
#define FLAG_FLAGGED       2u
#define FLAG_DELETED       4u
#define FLAG_SEEN          8u
#define FLAG_DRAFT         16u
#define FLAGS_SYSTEM       31u
#define FLAG_KEYWORD_SHIFT 5u
#define UNCHANGED_ANY      UINT64_MAX
#define SORT_ENTRY_MAX     128u
#define THREAD_KEYS_MAX    64u /* references of one message that count */
#define VIEW_ENTRY_BYTES   24u /* uid u32, flags u32, modseq u64, mid u64; little-endian */

struct uid_range { /* first <= last; lists are ascending and do not touch */
    uint32_t first, last;
};
struct uid_set {
    const struct uid_range *ranges;
    size_t count;
};

/* Makes any list of ranges ascending, joined, in a. */
struct uid_set uid_set_normal(const struct uid_range *r, size_t n, struct arena *a);

/* ---- adding: message.c ---- */
struct message_new {
    struct blob_id blob; /* ended, not yet referred to */
    uint64_t size;
    struct instant received; /* INTERNALDATE */
    uint32_t flags;          /* FLAGS_SYSTEM */
    const struct str *keywords;
    size_t keyword_count;
    struct str record;        /* parsed-once record, <= LIMIT_RECORD_BYTES; may be empty */
    struct str sort;          /* <= SORT_ENTRY_MAX; may be empty */
    uint64_t message_id_hash; /* 0 = none */
    const uint64_t *reference_hashes;
    size_t reference_count;
    /* of the queue entry this is, or 0: adding it twice adds it once */
    uint64_t qid;
    uint32_t rcpt;
    /* enum quota_level: it tells the owner how full the account is, and comes whatever the quota; or 0.  Alone. */
    uint8_t notice;
};
struct message_place {
    uint32_t uidvalidity, uid; /* 0 when it was here already */
    uint64_t modseq, mid, tid;
    bool was_here; /* by its qid; or a notice that is not due any more */
    uint8_t
        notice; /* enum quota_level: the owner is to be told of it now; or 0.  Of the first of a batch */
};
/* On failure no commit refers to the blobs; engine_blob_forget() them. */
MUST_USE SUSPENDS enum status message_add(struct cell *account, uint32_t mailbox,
                                          const struct message_new *m, struct instant now,
                                          struct message_place *out);
struct message_batch {
    uint32_t mailbox;
    const struct message_new *messages; /* all or none, in order, visible together */
    size_t count;                       /* >= 1 */
    const struct import_batch *import;  /* import.h; NULL: it is new mail */
};
MUST_USE SUSPENDS enum status message_add_all(struct cell *account, const struct message_batch *b,
                                              struct instant now, struct message_place *places_out);
/* The queue entry is done: its mark of having been delivered may go. */
MUST_USE SUSPENDS enum status message_forget_qid(struct cell *account, uint64_t qid, uint32_t rcpt);

/* ---- listing: view.c, changes.c.  Entries are packed as in store.ipc. ---- */
struct view_request {
    uint32_t mailbox;
    uint32_t from_uid; /* entries with uid >= this */
    uint32_t max;
};
struct view_reply {
    uint64_t modseq; /* message_changes() since this completes the page */
    uint32_t count;
    bool more;
};
/* Appends to entries; stops when it is full (its max). */
MUST_USE SUSPENDS enum status message_view(struct cell *account, const struct view_request *r,
                                           struct buf *entries, struct view_reply *out);
struct changes_reply {
    uint64_t modseq;                  /* everything up to here is in the reply */
    bool full;                        /* too long ago: read the view anew */
    bool more;                        /* ask again with since = modseq */
    const struct uid_range *vanished; /* may name UIDs that the asker never saw */
    size_t vanished_count;
};
struct changes_request {
    uint32_t mailbox;
    uint64_t since;
};
MUST_USE SUSPENDS enum status message_changes(struct cell *account, const struct changes_request *r,
                                              struct arena *a, struct buf *entries,
                                              struct changes_reply *out);

/* ---- flags.c, expunge.c, copy.c ---- */
enum flag_op { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE }; /* order of op in store.ipc */
struct flags_request {
    uint32_t mailbox;
    struct uid_set uids;
    enum flag_op op;
    uint32_t flags; /* FLAGS_SYSTEM */
    const struct str *keywords;
    size_t keyword_count;
    uint64_t unchanged_since; /* or UNCHANGED_ANY; RFC 7162 section 3.1.3 */
};
struct flags_reply {
    uint64_t modseq; /* of the last commit; the mailbox's when nothing changed */
    bool truncated;  /* entries did not fit: message_changes() */
    const struct uid_range *refused;
    size_t refused_count;
    bool lesson; /* as in copy_reply */
};
/* entries: those that changed, as they are now.  ERR_LIMIT: the keyword table is full; nothing happened. */
MUST_USE SUSPENDS enum status message_flags(struct cell *account, const struct flags_request *r,
                                            struct arena *a, struct buf *entries,
                                            struct flags_reply *out);
struct expunge_request {
    uint32_t mailbox;
    struct uid_set uids;
    bool deleted_only; /* only those with \Deleted */
};
struct expunge_reply {
    uint64_t modseq;
    const struct uid_range *vanished;
    size_t vanished_count;
};
MUST_USE SUSPENDS enum status message_expunge(struct cell *account, const struct expunge_request *r,
                                              struct instant now, struct arena *a,
                                              struct expunge_reply *out);
struct copy_request {
    uint32_t mailbox, to;
    struct uid_set uids; /* those that do not exist are left out */
    bool move;
};
struct copy_reply {
    uint64_t modseq;
    uint32_t uidvalidity; /* of the target */
    /* source UIDs, and the new ones in the same order */
    const struct uid_range *from, *into;
    size_t from_count, into_count;
    bool lesson; /* it says something about spam: spam_lesson_next() */
};
/* ERR_LIMIT: a message would be in more than LIMIT_PLACEMENTS places, or the work is too large. */
MUST_USE SUSPENDS enum status message_copy(struct cell *account, const struct copy_request *r,
                                           struct instant now, struct arena *a,
                                           struct copy_reply *out);

/* ---- reading: records.c, body.c ---- */
struct message_info {
    uint64_t mid, tid, size;
    struct blob_id blob;
    struct instant received, saved;
    struct str record; /* empty: lost, make it anew from the body */
};
struct records_request {
    const uint64_t *mids;
    size_t count;
    size_t bytes_max; /* of the records of one reply */
};
struct records_reply {
    const struct message_info *messages; /* unknown mids are left out */
    size_t count;
    size_t done; /* this many of the mids are answered, at least one */
};
MUST_USE SUSPENDS enum status message_records(struct cell *account, const struct records_request *r,
                                              struct arena *a, struct records_reply *out);
/* 0 = no such message. */
MUST_USE SUSPENDS enum status message_sizes(struct cell *account, const uint64_t *mids, size_t n,
                                            uint64_t *sizes_out);
/* Without the record; out[i].mid is 0 where there is no such message. */
MUST_USE SUSPENDS enum status message_find_all(struct cell *account, const uint64_t *mids, size_t n,
                                               struct message_info *out);
MUST_USE SUSPENDS enum status message_find(struct cell *account, uint64_t mid,
                                           struct message_info *out);

#endif
