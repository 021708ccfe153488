/* queue_internal.h - the queue's cells and its memory: lanes of items that wait, and the jobs that are taken.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_INTERNAL_H
#define STORE_QUEUE_INTERNAL_H

#include "base/map.h"
#include "store/queue_items.h"
#include "store/queue_over.h"
#include "store/queue_values.h"

#define QUEUE_SILENT     ((unsigned)QUEUE_CLASSES) /* the ring of silent lanes */
#define QUEUE_RINGS      (QUEUE_SILENT + 1)
#define QUEUE_NEVER      INT64_MAX
#define QUEUE_PLAN_ARENA ((size_t)256 << 10)

enum lane_kind { LANE_LOCAL, LANE_REMOTE, LANE_REPORT };
/* A destination domain, or all local mailboxes, or all reports.  A remote one is in the ring while it has something
 * ready and has not its share taken, so that a slow destination with many messages keeps none of another waiting.
 * Its share is one until somebody there has answered: a destination that is dead has one attempt under way.
 * It lives while it has items or taken jobs, or is paused. */
struct lane {
    enum lane_kind kind;
    struct str domain;    /* owned; of a remote one */
    struct list ring;     /* one of queue.lanes_open; the next to be served stands first */
    struct list tired;    /* of queue.lanes_tired: put off as often as it may be in one second */
    struct items waiting; /* heap */
    /* ready: of each class never tried, tried before */
    struct items fresh[QUEUE_CLASSES], late[QUEUE_CLASSES];
    uint32_t taken, put_offs, turn, class_turn;
    uint32_t window;    /* so many may be taken at once; grows with the answers of its hosts */
    unsigned open_ring; /* in which of the rings, if in one */
    bool paused;
    bool silent;  /* nobody there answered the last time: goes behind the others */
    bool stocked; /* more is due than stands ready */
    size_t slot;  /* in queue.heap while something waits for its time, else SIZE_MAX */
};
struct entry { /* a message with taken jobs */
    uint64_t qid;
    struct list jobs;
    bool held;
    bool gone; /* no longer in its cell; lives on until its taken jobs come back */
};
struct job { /* taken */
    struct entry *entry;
    struct list of_entry, of_queue;
    struct lane *lane;
    int64_t due_us; /* of its item */
    enum queue_class class;
    bool hurry, fresh;
    uint64_t lease, owner;
};
struct queue_cell {
    struct cell *cell;
    uint64_t next;       /* qid to be given here next */
    uint64_t count;      /* of messages */
    uint64_t load_below; /* what queue_load() has to bring into memory */
};
struct queue {
    struct cells *cells;
    struct queue_cell at[QUEUE_CELLS];
    uint64_t floor;      /* qids below are of the first cell: they are older than the others */
    struct map *entries; /* qid -> struct entry */
    struct list taken;
    struct lane local, report;
    struct map *lanes;  /* domain -> struct lane */
    struct lane **heap; /* by their earliest waiting item */
    struct instant now; /* of the last tick */
    size_t heap_len, heap_room;
    struct list
        lanes_open[QUEUE_RINGS]; /* by the best that a lane has; then those that are silent */
    struct list lanes_tired;
    struct map *over;     /* account -> its line of messages that are held for it sent too much */
    struct list over_due; /* the lines, by when they are to be looked at */
    uint32_t remote_ready, class_turn;
    bool paused;
    bool loaded; /* queue_load() is through: lanes know of everything */
    uint64_t last_lease;
    uint64_t length; /* messages in all cells */
    uint64_t verbs;  /* counts what operators did: who read a message before that reads it again */
    struct fiber_queue workers;
};
struct queue_key {
    char bytes[9];
};
struct queue_key queue_key_of(char tag, uint64_t qid);
struct str queue_key_str(const struct queue_key *k);

/* ---- queue.c ---- */
size_t queue_cell_of(const struct queue *q, uint64_t qid);
uint64_t queue_first_of(uint64_t floor, size_t cell); /* the first qid of a cell */
/* Reads the head of a cell in a transaction, as it will be written. */
MUST_USE SUSPENDS enum status queue_head_get(const struct queue *q, struct tx *tx, size_t cell,
                                             struct queue_head *out);
void queue_head_put(struct tx *tx, const struct queue_head *h);
/* Puts a new message into a transaction of this cell, and counts it in h; sets m->qid. */
MUST_USE enum status queue_put(struct tx *tx, struct queue_head *h, size_t cell,
                               struct queue_message *m, struct str facts);
/* Message and what the index says of it. */
MUST_USE enum status queue_write(struct tx *tx, const struct queue_message *m);
/* Memory follows the commit of a new message, of one that is gone. */
void queue_added(struct queue *q, const struct queue_message *m, struct instant now);
void queue_gone(struct queue *q, uint64_t qid);
MUST_USE enum status queue_entry_read(const struct cell_entry *e, struct arena *a,
                                      struct queue_message *out);

/* ---- queue_results.c ---- */
enum queue_hold { HOLD_KEEP, HOLD_SET, HOLD_CLEAR };
struct queue_change { /* of one message; what is zero changes nothing */
    struct queue *q;
    uint64_t qid;
    struct instant now;
    bool with_results; /* of a job of this kind and domain */
    enum lane_kind kind;
    struct str domain;
    const struct queue_result *results;
    size_t result_count;
    const uint32_t *told;
    enum queue_hold hold;
    bool only_over; /* ERR_NOT_FOUND where it is not held because its account sent too much */
    bool drop, expire, reroute;
    struct str route;
    struct queue_message *add; /* a report that enters with it; gets its qid */
    struct str facts;
    struct arena *a; /* for *out */
    struct queue_message *out;
    /* what came of it */
    bool done; /* it left the queue */
    int64_t report_was_us, report_us;
};
/* One commit; memory follows as to messages that came and went, and reports that are due. */
MUST_USE SUSPENDS enum status queue_change(struct queue_change *c);

/* ---- queue_open.c ---- */
enum { QUEUE_PAGE_BYTES = 1 << 18, QUEUE_PAGE_ARENA = 64 << 20 };
/* The next entries of a cell from a qid on, whatever changes meanwhile; none: that was all. */
struct queue_walk {
    size_t cell;
    char tag;
    uint64_t from;
    size_t bytes_max;
};
MUST_USE SUSPENDS enum status queue_walk_page(struct queue *q, const struct queue_walk *w,
                                              struct arena *a,
                                              const struct cell_entry **entries_out, size_t *n_out);

/* ---- queue_lanes.c; never suspends ---- */
void lanes_init(struct queue *q);
void lanes_release(struct queue *q);
struct lane *lane_of(struct queue *q, struct str domain); /* made when there is none */
struct lane *lane_find(const struct queue *q, struct str domain);
size_t lane_ready(const struct lane *l);
bool lane_has(const struct lane *l, enum queue_class class); /* ready */
struct lane *lane_next(struct queue *q);                     /* whose turn it is; NULL: nobody's */
void lane_add(struct queue *q, struct lane *l, struct item it, struct instant now);
bool lane_pop(struct queue *q, struct lane *l, struct item *out);
/* After a change of what is taken, of pauses, of put_offs. */
void lane_show(struct queue *q, struct lane *l);
void lane_let_go(struct queue *q, struct lane *l); /* when nothing is left of it */
/* Takes the item of a message out when that is a short search; else it is found idle when its time comes. */
bool lane_forget(struct queue *q, struct lane *l, uint64_t qid, struct item *out);
void lane_hurry(struct queue *q, struct lane *l); /* all that waits */
void lane_pause(struct queue *q, struct lane *l, bool paused);
void lane_put_off(struct queue *q, struct lane *l);
/* What an attempt said of the destination.  LIMIT_OUT_FIRST at least: one is being sent; each answer adds one. */
void lane_sending(struct queue *q, struct lane *l);
void lane_answered(struct queue *q, struct lane *l);
void lane_silent(struct queue *q, struct lane *l);

/* ---- queue_jobs.c; never suspends ---- */
void jobs_init(struct queue *q);
void jobs_release(struct queue *q);
struct entry *entry_find(const struct queue *q, uint64_t qid); /* NULL: no job taken, or gone */
struct job *job_of_lease(const struct queue *q, uint64_t qid, uint64_t lease);
struct job *job_taken(const struct entry *e, const struct lane *l); /* NULL: none */
bool job_has(enum lane_kind kind, struct str domain, const struct queue_rcpt *r);
/* After a commit: what is left for it waits, and the job ends. */
void job_plan(struct queue *q, struct job *j, const struct queue_message *m, struct instant now,
              bool hurry);
/* The same when the job is over already. */
void lane_plan(struct queue *q, struct lane *l, const struct queue_message *m, struct instant now);
/* Back to its lane, unless the message is held or gone. */
void job_wait(struct queue *q, struct job *j, int64_t due_us, struct instant now);
void job_end(struct queue *q, struct job *j);
/* Is the job of this recipient taken? */
bool entry_under_way(const struct entry *e, const struct queue_rcpt *r);
/* Items for all that a message waits for. */
void plan_add(struct queue *q, uint64_t qid, const struct queue_plan *p, struct instant now);
void report_add(struct queue *q, uint64_t qid, int64_t due_us, struct instant now);

/* ---- queue_over.c ---- */
void over_init(struct queue *q);
void over_release(struct queue *q);
void over_add(struct queue *q, uint64_t account, uint64_t qid, struct instant arrived);
/* Of one that the index says is such a message. */
MUST_USE SUSPENDS enum status over_load(struct queue *q, uint64_t qid);

#endif
