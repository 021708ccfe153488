/* queue_internal.h - the queue's memory: entries, their jobs, and the heap of those that wait.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_INTERNAL_H
#define STORE_QUEUE_INTERNAL_H

#include "base/map.h"
#include "store/queue_values.h"

enum job_kind { JOB_LOCAL, JOB_REMOTE, JOB_REPORT };
enum job_state {
    JOB_WAITING, /* in the heap */
    JOB_READY,   /* in the list of its kind */
    JOB_TAKEN,
    JOB_HELD,
};
struct entry {
    uint64_t qid;
    struct list jobs;
    bool held;
    bool gone; /* no longer in the cell; lives on until its taken jobs come back */
};
/* A destination domain with jobs.  It is in the ring while a job of it is ready and it has not its share taken, so
 * that a slow destination with many messages keeps none of another waiting. */
struct lane {
    struct str domain; /* owned */
    struct list ring;  /* of queue.lanes_open; the next to be served stands first */
    struct list ready;
    uint32_t ready_count, taken, jobs;
};
struct job {
    struct entry *entry;
    struct list of_entry;
    struct list ready;
    enum job_kind kind;
    enum job_state state;
    bool hurry;        /* an operator wants it tried, whatever is known of the destination */
    struct lane *lane; /* of a remote job */
    int64_t due_us;
    size_t slot; /* in the heap */
    uint64_t lease, owner;
};
struct queue {
    struct cells *cells;
    struct cell *cell;
    struct map *entries; /* qid -> struct entry */
    struct job **heap;   /* earliest first */
    size_t heap_len, heap_room;
    struct list ready[3]; /* by kind; remote jobs stand in their lane */
    struct map *lanes;    /* domain -> struct lane */
    struct list lanes_open;
    uint32_t remote_ready;
    uint64_t last_lease;
    uint64_t length; /* entries not gone */
    struct fiber_queue workers;
};
struct queue_key {
    char bytes[9];
};
struct queue_key queue_key_of(uint64_t qid);
struct str queue_key_str(const struct queue_key *k);

/* ---- queue.c ---- */
/* Puts a new message into a transaction of the queue's cell; sets m->qid. */
MUST_USE SUSPENDS enum status queue_put(struct tx *tx, struct queue_message *m, struct str facts);

/* ---- queue_jobs.c; never suspends ---- */
void jobs_init(struct queue *q);
void jobs_release(struct queue *q);
struct entry *entry_find(const struct queue *q, uint64_t qid); /* NULL: none, or gone */
void entry_add(struct queue *q, const struct queue_message *m, struct instant now);
/* The message left the cell. */
void entry_gone(struct queue *q, struct entry *e);
void entry_hold(struct queue *q, struct entry *e, bool held, struct instant now);
/* What waits is ready now. */
void entry_hurry(struct queue *q, struct entry *e);
struct job *job_of_lease(const struct queue *q, uint64_t qid, uint64_t lease);
bool job_has(const struct job *j, const struct queue_rcpt *r);
/* After a commit: the job waits for what is left for it, or ends. */
void job_plan(struct queue *q, struct job *j, const struct queue_message *m, struct instant now,
              bool hurry);
/* After a commit: makes, moves or ends the report job of a message. */
void entry_plan_report(struct queue *q, struct entry *e, const struct queue_message *m,
                       struct instant now);
void job_wait(struct queue *q, struct job *j, int64_t due_us, struct instant now);
void job_end(struct queue *q, struct job *j);
/* Is the job of this recipient taken? */
bool entry_under_way(const struct entry *e, const struct queue_rcpt *r);

#endif
