/* values.h - what stands in the values of an account's cell, and how it is written.
 *
 * Every value begins with a version byte; integers are LEB128 varints except in the head, which is rewritten by every
 * commit and therefore has fixed fields.  The bodies of entries in packed pages (page.h) have no version of their own.
 *
 * Promises:  a reader checks everything, consumes all of its value, and says ERR_CORRUPT otherwise; a writer's output
 *            always passes the reader.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VALUES_H
#define STORE_VALUES_H

#include "base/limits.h"
#include "base/time.h"
#include "engine/engine.h"
#include "store/mailbox.h"
#include "store/message.h"
#include "store/page.h"
#include "store/quota.h"

#define VALUE_VERSION 1u

/* ---- H ---- */
struct head_value {
    uint64_t modseq;    /* of the last change */
    uint64_t log_floor; /* L has every modseq above this */
    uint64_t next_mid, next_tid, next_job;
    uint64_t bytes, messages;
    uint64_t quota_bytes, quota_messages;
    int64_t created_us;
    uint64_t index_entries;
    uint32_t next_uidvalidity, next_mailbox, mailboxes;
    uint32_t jobs;                   /* J entries */
    uint32_t next_due;               /* no G entry is due earlier; 0 = there is none */
    uint32_t special[SPECIAL_COUNT]; /* mailbox of each use, 0 = none; [0] unused */
    uint8_t index_bits;
    uint8_t dropped; /* account_drop() has begun */
};
#define INDEX_BITS_STEP 2u /* the index grows fourfold */
#define INDEX_BITS_MAX  12u
#define HEAD_BYTES      (1u + 11 * 8 + 5 * 4 + SPECIAL_COUNT * 4 + 2)
void head_write(const struct head_value *v, char bytes_out[HEAD_BYTES]);
MUST_USE enum status head_read(struct str value, struct head_value *out);

/* ---- B ---- */
enum mailbox_flags {
    MAILBOX_SUBSCRIBED = 1,
    MAILBOX_NOSELECT = 2,
    MAILBOX_WISH = 4,      /* a subscribed name without a mailbox; name has all levels */
    MAILBOX_TOMBSTONE = 8, /* being emptied; has no name any more */
};
#define MAILBOX_FLAGS_ALL 15u
struct mailbox_value {
    uint32_t parent;
    struct str name; /* one level */
    uint32_t uidvalidity, uidnext;
    uint64_t modseq, created_modseq;
    uint32_t exists, unseen, deleted;
    uint64_t bytes;
    uint64_t vanish_floor; /* V has everything that vanished above this modseq */
    uint32_t vanish_count; /* V entries */
    uint32_t children;
    uint32_t flags;   /* enum mailbox_flags */
    uint32_t special; /* enum mailbox_special */
    uint32_t keyword_count;
    struct str keywords[LIMIT_KEYWORDS];
};
/* Appends; a buffer of MAILBOX_VALUE_MAX always suffices. */
#define MAILBOX_VALUE_MAX 4096u
void mailbox_write(const struct mailbox_value *v, struct buf *b);
/* Strings point into value. */
MUST_USE enum status mailbox_read(struct str value, struct mailbox_value *out);

/* ---- Q ---- */
struct quota_value {
    uint8_t told;          /* enum quota_level: the owner has a notice of it */
    int64_t full_since_us; /* of the first refusal since room was made; 0 = none */
};
#define QUOTA_BYTES 10u
void quota_write(const struct quota_value *v, char bytes_out[QUOTA_BYTES]);
MUST_USE enum status quota_read(struct str value, struct quota_value *out);

/* ---- N, W, D: one number ---- */
#define NUMBER_BYTES 11u
struct str number_write(uint64_t v, char bytes_out[NUMBER_BYTES]);
MUST_USE enum status number_read(struct str value, uint64_t max, uint64_t *out);

/* ---- R entries ---- */
struct placement {
    uint32_t mailbox, uid;
};
struct message_value {
    struct blob_id blob;
    uint64_t size, tid;
    int64_t received_us, saved_us;
    uint32_t count;
    struct placement places[LIMIT_PLACEMENTS];
};
#define MESSAGE_ENTRY_MAX (16u + 5 * 10 + LIMIT_PLACEMENTS * 10)
void message_entry_write(const struct message_value *v, struct buf *b);
MUST_USE enum status message_entry_read(struct str body, struct message_value *out);

/* ---- T entries ---- */
#define THREAD_HASHES_MAX 1000u
struct thread_value {
    uint64_t *mids; /* ascending */
    size_t mid_count;
    uint64_t *hashes; /* 48 bits each */
    size_t hash_count;
};
void thread_entry_write(const struct thread_value *v, struct buf *b);
/* Arrays live in a, with room for one more mid and THREAD_KEYS_MAX + 1 more hashes. */
MUST_USE enum status thread_entry_read(struct str body, struct arena *a, struct thread_value *out);

/* ---- ranges: V, G, and parts of L ---- */
struct id_range { /* of mids; lists need not ascend */
    uint64_t first, last;
};
#define RANGES_MAX 1000000u
void uid_ranges_write(const struct uid_range *r, size_t n, struct buf *b);
MUST_USE enum status uid_ranges_read(struct scan *s, struct arena *a, struct uid_set *out);
/* A whole value of V, of G. */
MUST_USE enum status vanished_read(struct str value, struct arena *a, struct uid_set *out);
MUST_USE enum status gone_read(struct str value, struct arena *a, const struct id_range **out,
                               size_t *n_out);
void id_ranges_write(const struct id_range *r, size_t n, struct buf *b);
MUST_USE enum status id_ranges_read(struct scan *s, struct arena *a, const struct id_range **out,
                                    size_t *n_out);

/* ---- L ---- */
enum log_op {
    LOG_CREATED = 1, /* new messages in a mailbox */
    LOG_ADDED,       /* messages that other mailboxes have too */
    LOG_FLAGS,
    LOG_REMOVED,   /* UIDs that left; mids: those that other mailboxes still have */
    LOG_DESTROYED, /* mids that no mailbox has any more; mailbox 0, no UIDs */
    LOG_MAILBOX,   /* made, renamed, deleted, subscribed; no UIDs, no mids */
};
struct log_change {
    enum log_op op;
    uint32_t mailbox;
    struct uid_set uids;
    const struct id_range *mids;
    size_t mid_count;
};
void log_start(int64_t time_us, struct buf *b);
void log_add(const struct log_change *c, struct buf *b);
MUST_USE enum status log_scan(struct str value, int64_t *time_us_out, struct scan *s_out);
/* ERR_NOT_FOUND at the end. */
MUST_USE enum status log_next(struct scan *s, struct arena *a, struct log_change *out);

/* ---- J ---- */
enum job_kind {
    JOB_EMPTY = 1, /* mailbox: chop its pages; a tombstone then goes altogether */
    JOB_STAGED, /* mailbox: places of UIDs first..last are not part of it yet: a copy under way */
    JOB_LEFT, /* mids that were moved out of mailbox by a staged move: their placements there are stale */
    JOB_LESSON, /* mids: first says what kind of mail they are, enum spam_kind; who reads messages does it */
};
struct job_value {
    enum job_kind kind;
    uint32_t mailbox;
    uint32_t first, last;
    uint64_t owner;     /* of JOB_STAGED: which store process */
    uint32_t started_s; /* since 1970 */
    const struct id_range *mids;
    size_t mid_count;
};
void job_write(const struct job_value *v, struct buf *b);
MUST_USE enum status job_read(struct str value, struct arena *a, struct job_value *out);

#endif
