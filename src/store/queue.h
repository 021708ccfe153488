/* queue.h - the durable queue: what was accepted and is not yet in every place it must go.
 *
 * A message has recipients; each is local (an account) or remote.  What is done at one go, for all recipients of a
 * message at one destination domain, for all its local ones, or for a report to its sender, is a job.
 * Owns:      the cells 'q' 1 to 64 (queue_values.h), one reference to each body.  In memory 16 bytes for each job that
 *            waits and a lane for each destination; a job that is taken is more.
 * Promises:  queue_add() returns OK after the commit.  A qid is never reused.  A recipient's result is
 *            committed before anyone acts on it.  A report to the sender and the mark that it was made are one commit.
 *            Times come from the caller, so that tests need not wait.  Nothing walks through messages but queue_load(),
 *            listings and what an operator does to many.
 * Never:     parses mail, writes reports or delivers: role/store_runner.c does, driven by the take calls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "base/limits.h"
#include "store/cell.h"
#include "store/queue_terms.h"

struct queue;

enum queue_state { /* order of queued_rcpt.state in admin.ipc */
                   QUEUE_WAITING,
                   QUEUE_DELIVERED,
                   QUEUE_FAILED,
                   QUEUE_UNDER_WAY, /* only in listings: waiting, and its job is taken */
};
/* Bits of NOTIFY, RFC 3461 section 4.1; 0 = not given, which is failure and delay. */
#define QUEUE_NOTIFY_NEVER   1u
#define QUEUE_NOTIFY_SUCCESS 2u
#define QUEUE_NOTIFY_FAILURE 4u
#define QUEUE_NOTIFY_DELAY   8u

struct queue_rcpt {
    struct str address;  /* where it goes: canonical */
    struct str original; /* what the sender wrote, for reports */
    struct str orcpt;    /* RFC 3461 ORCPT, or empty */
    uint64_t account;    /* local: id of its cell; 0 = remote */
    uint32_t notify;
    enum queue_state state;
    uint32_t tries;
    uint32_t told; /* QUEUE_NOTIFY_ bits of reports made */
    struct instant next;
    /* of the last attempt */
    uint32_t code; /* SMTP reply, 0 = none */
    struct str enhanced, text, remote;
    bool relayed, announce; /* the next host reports success; the sender hears all the same */
};
struct queue_message {
    uint64_t qid;
    struct str sender; /* empty = null: never reported to */
    struct blob_id body;
    uint64_t size;         /* of the body */
    uint64_t header_bytes; /* of its header, for reports */
    struct instant arrived;
    struct str prepend; /* header fields to send before the body */
    struct str envid;
    bool full_return, smtputf8, eight_bit, held;
    bool junk; /* its local recipients get it in their Junk */
    bool over; /* held because its account sent too much: goes when there is room (queue_over.h) */
    uint64_t
        account; /* whose log-in brought it; 0 = nobody's of ours, or queued by an older version */
    struct str route; /* that an operator chose; empty = as the configuration says */
    struct queue_terms terms;
    struct queue_rcpt *rcpts;
    size_t rcpt_count;
};

/* Ready for all calls; queue_load() brings to mind what waits.  ERR_CORRUPT: a head fails its check. */
MUST_USE SUSPENDS enum status queue_open(struct cells *c, struct queue **out);
/* Once, beside the work: each page is at work when it is read.  Damage in one cell does not keep the others:
 * the first error is told at the end. */
MUST_USE SUSPENDS enum status queue_load(struct queue *q, struct instant now);
void queue_free(struct queue **q);
uint64_t queue_length(const struct queue *q);

/* m->qid and m->arrived are given here.  facts: what role cook said of the body, opaque; kept for local delivery. */
MUST_USE SUSPENDS enum status queue_add(struct queue *q, const struct queue_message *m,
                                        struct str facts, struct instant now, uint64_t *qid_out);
MUST_USE SUSPENDS enum status queue_get(struct queue *q, uint64_t qid, struct arena *a,
                                        struct queue_message *out);
/* The same, with what is under way, as queue_list() tells it. */
MUST_USE SUSPENDS enum status queue_show(struct queue *q, uint64_t qid, struct arena *a,
                                         struct queue_message *out);
/* facts_out empty: they are lost, make them anew. */
MUST_USE SUSPENDS enum status queue_facts(struct queue *q, uint64_t qid, struct arena *a,
                                          struct str *facts_out);
/* Which messages a listing or a verb is about: all that is set must fit. */
struct queue_selection {
    struct str domain;    /* a recipient of this domain waits */
    struct str sender;    /* "<>" = none */
    struct str recipient; /* waits; also as the sender wrote it */
    int64_t before_us;    /* arrived before this; 0 = at any time */
};
bool queue_selects(const struct queue_selection *s, const struct queue_message *m);
/* Messages in the order of their cells, within them of their age; begin with after = 0. */
struct queue_page {
    uint64_t after; /* afterwards: the last one that was looked at */
    size_t max;
    const struct queue_selection *only; /* NULL = all */
    struct arena *a;                    /* the listing ends early when little is left of it */
    bool more;                          /* call again */
    size_t examined;
};
MUST_USE SUSPENDS enum status queue_list(struct queue *q, struct queue_page *p,
                                         const struct queue_message **out, size_t *n_out);

/* Moves what is due from waiting to ready; once a second. */
void queue_tick(struct queue *q, struct instant now);

/* ---- work ---- */
struct queue_job {
    uint64_t qid;
    uint64_t lease;    /* names this taking; random beginnings, so that a restart repeats none */
    struct str domain; /* empty for local and report jobs; lives until the job's end */
    bool hurry;        /* to be tried even at a destination that did not answer a moment ago */
};
/* The next ready job of a kind, taken; false = none.  Remote ones: destinations in turn, at most
 * LIMIT_OUT_PER_DOMAIN of each; of one where nobody has answered yet, one; of those where nobody answered the last
 * time little, as long as there are others. */
bool queue_take_local(struct queue *q, struct queue_job *out);
bool queue_take_remote(struct queue *q, uint64_t owner, struct queue_job *out);
bool queue_take_report(struct queue *q, struct queue_job *out);
/* Waits until a local or a report job may be ready. */
MUST_USE SUSPENDS enum status queue_wait(struct queue *q, int64_t timeout_ms);
uint32_t queue_remote_ready(const struct queue *q);
/* What must be known to work a job that was taken; instead of queue_get().  ERR_NOT_FOUND: nothing is to be done, and
 * the job is over. */
MUST_USE SUSPENDS enum status queue_read(struct queue *q, const struct queue_job *job,
                                         struct instant now, struct arena *a,
                                         struct queue_message *out);
struct str queue_domain_of(struct str address);
bool queue_is_of_domain(const struct queue_rcpt *r, struct str domain);
/* Has the owner a job of this message, which is still in the queue? */
bool queue_is_leased(const struct queue *q, uint64_t qid, uint64_t owner);
/* The owner sends this message, so somebody took its connection: more may be taken for there.  That is known where the
 * owner has one job of it only.  True: there may be more to take. */
bool queue_sending(struct queue *q, uint64_t qid, uint64_t owner);
/* Is this taking the owner's and not over?  Also when the message left the queue meanwhile: queue_results() ends it. */
bool queue_is_taken_by(const struct queue *q, const struct queue_job *job, uint64_t owner);

struct queue_result {
    uint32_t index;         /* of the recipient */
    enum queue_state state; /* WAITING = later */
    bool untried; /* WAITING, and nobody was asked: it is no try, and never the last one */
    uint32_t code;
    struct str enhanced, text, remote;
    bool relayed, announce;
};
struct queue_outcome {
    const struct queue_result *results;
    size_t count;
    struct instant now;
};
/* One commit; then the job ends or waits; a message that is done leaves the queue.  Recipients of the job without a
 * result are tried later.  A temporary failure past LIMIT_QUEUE_DAYS is a failure; what was untried then is tried next.
 * ERR_NOT_FOUND: this taking is over (dropped, released).  ERR_SYNTAX: a recipient that is not of the job.
 * message_out: as it is now, in a. */
MUST_USE SUSPENDS enum status queue_results(struct queue *q, const struct queue_job *job,
                                            const struct queue_outcome *o, struct arena *a,
                                            struct queue_message *message_out);
/* Nothing was tried: ready again after delay_ms. */
void queue_put_back(struct queue *q, const struct queue_job *job, struct instant now,
                    int64_t delay_ms);
/* All jobs that this owner took. */
void queue_owner_gone(struct queue *q, uint64_t owner, struct instant now);

/* Which reports a message needs now; bits per recipient. */
uint32_t queue_report_due(const struct queue_message *m, const struct queue_rcpt *r,
                          struct instant now);
struct queue_report {
    const uint32_t *told;                /* for each recipient the bits now told */
    const struct queue_message *message; /* to the sender; NULL when there is none to make */
    struct str facts;                    /* of its body */
};
/* One commit; a message that is done leaves the queue.  qid_out: of the report, or 0. */
MUST_USE SUSPENDS enum status queue_reported(struct queue *q, const struct queue_job *job,
                                             const struct queue_report *report, struct instant now,
                                             uint64_t *qid_out);

/* Mail to a domain, or with an empty one to all other servers, is kept and not sent; also after a restart.
 * ERR_EXISTS, ERR_NOT_FOUND: it is so already.  ERR_LIMIT. */
MUST_USE SUSPENDS enum status queue_pause(struct queue *q, struct str domain, bool paused,
                                          struct instant now);
bool queue_is_paused(const struct queue *q, struct str domain);
struct queue_paused {
    struct str domain; /* empty: all */
    struct instant since;
};
MUST_USE SUSPENDS enum status queue_pauses(struct queue *q, struct arena *a,
                                           const struct queue_paused **out, size_t *n_out);

#endif
