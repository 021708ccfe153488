/* queue_values.h - what stands in a queue cell.
 *
 *     'H'          head: the next qid of this cell, its messages, and where the blocks begin
 *     'E' qid(8)   struct queue_message with its recipients
 *     'I' qid(8)   struct queue_plan: what of it must be known to send it in time, in a few bytes
 *     'P' domain   mail to it is paused, without a domain all mail to others; in the first cell
 *     record qid   cook's facts of the body, opaque
 * Values begin with a version byte.  Readers refuse what the writers cannot have written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_VALUES_H
#define STORE_QUEUE_VALUES_H

#include "store/queue.h"

#define QUEUE_CELLS       64u   /* their ids are 1 and up */
#define QUEUE_BLOCK       8192u /* qids in a row are of one cell, then of the next */
#define QUEUE_RCPTS_MAX   LIMIT_SUBMIT_RCPTS
#define QUEUE_VALUE_MAX   (3u << 20) /* a thousand recipients with everything at its longest fit */
#define QUEUE_QID_MAX     ((UINT64_C(1) << 60) - 1)
#define QUEUE_DOMAIN_MAX  255u
#define QUEUE_TEXT_MAX    512u
#define QUEUE_REMOTE_MAX  255u
#define QUEUE_ORCPT_MAX   600u
#define QUEUE_ENVID_MAX   128u
#define QUEUE_PREPEND_MAX 8192u

/* qid is the caller's: it stands in the key. */
void queue_message_write(const struct queue_message *m, struct buf *b);
/* Strings borrow from value; the recipients live in a. */
MUST_USE enum status queue_message_read(struct str value, struct arena *a,
                                        struct queue_message *out);

struct queue_head {
    uint64_t next;  /* qid */
    uint64_t count; /* of messages in this cell */
    uint64_t floor; /* in the first cell: qids below are all of it, whatever their block */
    bool old;       /* read only: written when there was one cell without an index */
};
void queue_head_write(const struct queue_head *h, struct buf *b);
MUST_USE enum status queue_head_read(struct str value, struct queue_head *out);

/* From when on the sender is told that a message is late: asked for (BY=...;N), or LIMIT_QUEUE_WARN_S. */
struct instant queue_warn_time(const struct queue_message *m);
/* When the next report to the sender is due, or INT64_MAX. */
int64_t queue_report_time(const struct queue_message *m);
struct queue_plan_job {
    struct str domain; /* empty: local mailboxes */
    bool local;
    bool fresh; /* nobody of it was ever tried */
    int64_t due_us;
    uint32_t rcpts; /* that wait */
};
struct queue_plan {
    bool held, over;
    enum queue_class class;
    struct instant arrived;
    int64_t report_us; /* queue_report_time() */
    struct queue_plan_job *jobs;
    size_t count;
};
/* The jobs live in a, the domains are the message's. */
void queue_plan_of(const struct queue_message *m, struct arena *a, struct queue_plan *out);
void queue_plan_write(const struct queue_plan *p, struct buf *b);
MUST_USE enum status queue_plan_read(struct str value, struct arena *a, struct queue_plan *out);

#endif
