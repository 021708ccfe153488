/* store.h - what the handlers of role store share: the open data, the channels, the session of a call.
 *
 * A handler finds its world with store_of(peer) and, when the call names a session, its account with
 * store_session(), before anything else.  Every status of a call that wrote goes through store_checked().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_STORE_H
#define ROLE_STORE_STORE_H

#include "config/config.h"
#include "role/store/classes.h"
#include "role/store/intake.h"
#include "role/store/rates.h"
#include "store/blocks.h"
#include "store/directory.h"
#include "store/grants.h"
#include "store/queue.h"
#include "store/sealed.h"
#include "store/store_watch.h"

struct store {
    const struct role_start *start; /* NULL where there is no boss: in tests */
    const struct config *config;
    struct engine *engine;
    struct cells *cells;
    struct directory *directory;
    struct grants *grants;
    struct sealed *sealed;
    struct blocks *blocks;
    struct policies *policies;
    struct tally *tally; /* what is reported to other domains */
    struct queue *queue;
    struct intake *intake;
    struct store_watch watch;  /* of all cells; role/store/notes.c */
    struct store_notes *notes; /* to workers, not yet sent */
    struct list peers;         /* of struct store_peer */
    struct map *care;          /* accounts whose background work may be due (role/store/upkeep.c) */
    struct {                   /* over all accounts, now and then */
        struct str after;      /* owned */
        int64_t next_us;
        bool was_critical;
    } round;
    struct rates *returns;  /* reports to rewritten senders, by whom they go to */
    struct rates *forwards; /* messages to the outside, by the address here that sends them on */
    struct strangers *strangers;
    struct looks *looks;
    struct map *learning; /* accounts with lessons (role/store/learn.c); NULL: none */
    uint32_t fibers;      /* of upkeep and runners */
    bool stopping;
    bool reaping;    /* one does */
    bool has_domain; /* one was seen */
    struct instant started;
};
/* One channel, of any role. */
struct store_peer {
    struct list in_store;
    struct ipc_peer *peer;
    struct intake_source *source; /* of mx and user; also ipc_state() */
};

/* ---- role/store/state.c ---- */
/* Opens everything and starts the fibers that work by themselves.  One store a process. */
MUST_USE SUSPENDS enum status store_open(const struct config *c, const struct engine_options *o,
                                         struct store **out, struct problem *why);
SUSPENDS void store_close(struct store **s);
/* What was counted for reports becomes durable. */
SUSPENDS void store_tally_write(struct store *s);
void store_peer_arrived(struct store *s, struct ipc_peer *p);
void store_peer_gone(struct store *s, struct ipc_peer *p);
/* An open channel to that role, or NULL. */
struct ipc_peer *store_peer_of(const struct store *s, enum role r);
struct store *store_of(const struct ipc_peer *p);
struct intake_source *store_source_of(const struct ipc_peer *p);
/* The grant of a session of this channel: ERR_DENIED when there is none. */
MUST_USE enum status store_session(const struct ipc_peer *p, uint64_t session, struct grant *out);
/* ERR_IO means that the outcome is unknown: says so in the log and ends the process at once, so that nobody gets an
 * answer.  Any other status is passed on. */
MUST_USE enum status store_checked(const struct store *s, enum status st, const char *what);

/* ---- role/store/notes.c: changes need no call, cells_watch() hears of every commit ---- */
void store_notes_init(struct store *s);
void store_notes_release(struct store *s);
/* Sessions of the account that were revoked must end; session 0 = all. */
void store_revoked(struct store *s, uint64_t account, uint64_t session);
/* This one of one worker. */
void store_revoked_one(struct store *s, const struct grant *g);
/* The worker of this incarnation, or NULL. */
struct ipc_peer *store_worker(const struct store *s, uint64_t incarnation);
/* There may be work for role out. */
void store_out_work(struct store *s);

/* ---- role/store/send.c ---- */
/* From addresses to queue recipients: aliases expanded, no account twice.  What leads nowhere is a failed
 * recipient, which the sender is told about. */
struct store_rcpts {
    struct queue_rcpt *list;
    size_t count, room;
    bool report; /* the sender is null: it may go back to a rewritten sender */
    bool spam;   /* somebody judged it so: it is not sent on, and nobody hears of that */
    const struct intake_facts *facts; /* for what was sent on before; NULL: it is our own */
    /* what came out */
    bool foreign;        /* one is, and no address here leads to it */
    enum status refused; /* of failed ones that the sender's server can be told of at once */
    struct {             /* of the address that was asked about last */
        struct str via;
        uint64_t mark;
    } last;
};
MUST_USE SUSPENDS enum status store_expand(struct store *s, const struct queue_rcpt *asked,
                                           struct arena *a, struct store_rcpts *all);
/* When nobody is left to have it: ERR_LIMIT, it goes in circles; ERR_DENIED. */
MUST_USE enum status store_refusal(const struct store_rcpts *all);
/* The whole way of a message that is in: one mailbox at once, or the queue.  The body is used up.
 * ERR_NOT_FOUND: no recipient is left, and nobody may be told. */
struct store_sent {
    uint64_t qid, mid;
};
MUST_USE SUSPENDS enum status store_send(struct store *s, struct queue_message *m,
                                         const struct intake_body *body, struct store_sent *out);

/* ---- role/store/relay.c ---- */
/* Is this numeric address of a network of relay-from? */
bool store_relay_listed(const struct config *c, struct str peer);

/* ---- role/store/forward.c ---- */
/* Where a rewritten sender of ours leads back to, in a.  ERR_NOT_FOUND: it is no such address.  ERR_DENIED: it is
 * forged or has expired. */
MUST_USE SUSPENDS enum status store_return(struct store *s, struct str address, struct arena *a,
                                           struct str *out);
/* Was the message sent on by this address before? */
MUST_USE SUSPENDS enum status store_forwarded(struct store *s, struct str via,
                                              struct store_rcpts *all, bool *out);
/* What an attempt needs besides when it goes out by way of an address here: a sender of ours, and marks.  ERR_QUOTA:
 * that address sent on too much within this hour. */
struct store_attempt;
MUST_USE SUSPENDS enum status store_forward(struct store *s, const struct queue_message *m,
                                            struct arena *a, struct store_attempt *at);
/* The same for a body that others share: it stays.  queued: never at once, to be tried again. */
MUST_USE SUSPENDS enum status store_send_shared(struct store *s, struct queue_message *m,
                                                const struct intake_body *body, bool queued,
                                                struct store_sent *out);

/* ---- role/store/deliver.c ---- */
/* The body that a call brings, judged as a whole. */
MUST_USE SUSPENDS enum status store_take(struct ipc_peer *from, const struct intake_which *which,
                                         struct arena *a, struct intake_body *out);
/* Read, and not taken: the body goes, and the log says so, because nobody else knows its message id.  Returns why. */
enum status store_refused(struct store *s, const struct intake_body *body, enum status why);

/* The fields DKIM-Signature, or nothing where there is no key. */
struct store_signing {
    uint64_t account; /* whose submission it is; 0: of a client of relay-from */
    struct str sender;
    const struct intake_facts *facts;
};
MUST_USE SUSPENDS enum status store_sign(struct store *s, const struct store_signing *what,
                                         struct arena *a, struct str *prepend_out);
struct str store_domain_of(struct str address);
struct store_terms; /* of store.ipc */
struct queue_terms store_terms(const struct store_terms *asked);

/* ---- role/store/queue.c ---- */
/* And that the message left the queue, when it did. */
void store_log_results(const struct queue_message *m, const struct queue_result *results, size_t n);

/* ---- role/store/runner.c, role/store/upkeep.c ---- */
/* Brings to mind what waits in the queue, beside the work. */
MUST_USE enum status store_queue_start(struct store *s);
MUST_USE enum status store_runners_start(struct store *s);
MUST_USE enum status store_upkeep_start(struct store *s);
/* Somebody works on this account: its background work is done soon. */
void store_care(struct store *s, uint64_t account);

/* ---- role/store/dsn.c ---- */
/* The report that `told` asks for: a whole message, from the postmaster of this host to m->sender. */
MUST_USE SUSPENDS enum status store_dsn(struct store *s, const struct queue_message *m,
                                        const uint32_t *told, struct buf *out);

/* ---- role/store/quota.c ---- */
/* Mail was refused for lack of room: *lasting_out when that has been so for LIMIT_QUOTA_FULL_DAYS. */
MUST_USE SUSPENDS enum status store_quota_refused(const struct store *s, struct cell *account,
                                                  bool *lasting_out);
/* The same for the answer to a call: ERR_QUOTA, with the problem of the next lines when it is lasting. */
MUST_USE SUSPENDS enum status store_quota_refuse(const struct store *s, struct cell *account);
#define STORE_QUOTA_REPLY    552
#define STORE_QUOTA_ENHANCED "5.2.2"
#define STORE_QUOTA_TEXT     "The mailbox is full, and has been for days"
/* A notice of this level is due (message_place.notice; 0: none is).  Failures can wait for the next occasion. */
SUSPENDS void store_quota_tell(struct store *s, struct cell *account, uint8_t level);
/* Is one due? */
SUSPENDS void store_quota_look(struct store *s, struct cell *account);
SUSPENDS void store_quota_log(struct cell *account);

/* ---- role/store/admin.c ---- */
/* fd: a listening Unix socket.  Only root and this process's own user may talk on it. */
MUST_USE enum status store_admin_start(struct store *s, int fd);
void store_admin_stop(struct store *s);

#endif
