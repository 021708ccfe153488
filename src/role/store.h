/* store.h - what the handlers of role store share: the open data, the channels, the session of a call.
 *
 * A handler finds its world with store_of(peer) and, when the call names a session, its account with
 * store_session(), before anything else.  Every status of a call that wrote goes through store_checked().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_H
#define ROLE_STORE_H

#include "config/config.h"
#include "role/intake.h"
#include "store/blocks.h"
#include "store/directory.h"
#include "store/grants.h"
#include "store/queue.h"
#include "store/sealed.h"
#include "store/store_watch.h"

struct store_notes;
struct store {
    const struct config *config;
    struct engine *engine;
    struct cells *cells;
    struct directory *directory;
    struct grants *grants;
    struct sealed *sealed;
    struct blocks *blocks;
    struct queue *queue;
    struct intake *intake;
    struct store_watch watch;  /* of all cells; store_notes.c */
    struct store_notes *notes; /* to workers, not yet sent */
    struct list peers;         /* of struct store_peer */
    struct map *care;          /* accounts whose background work may be due (store_upkeep.c) */
    struct {                   /* over all accounts, now and then */
        struct str after;      /* owned */
        int64_t next_us;
        bool was_critical;
    } round;
    uint32_t fibers; /* of upkeep and runners */
    bool stopping;
    bool has_domain; /* one was seen */
};
/* One channel, of any role. */
struct store_peer {
    struct list in_store;
    struct ipc_peer *peer;
    struct intake_source *source; /* of mx and user; also ipc_state() */
};

/* ---- store_state.c ---- */
/* Opens everything and starts the fibers that work by themselves.  One store a process. */
MUST_USE SUSPENDS enum status store_open(const struct config *c, const struct engine_options *o,
                                         struct store **out, struct problem *why);
SUSPENDS void store_close(struct store **s);
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

/* ---- store_notes.c: changes need no call, cells_watch() hears of every commit ---- */
void store_notes_init(struct store *s);
void store_notes_release(struct store *s);
/* Sessions of the account that were revoked must end; session 0 = all. */
void store_revoked(struct store *s, uint64_t account, uint64_t session);
/* There may be work for role out. */
void store_out_work(struct store *s);

/* ---- store_send.c ---- */
/* From addresses to queue recipients: aliases expanded, no account twice.  What leads nowhere is a failed
 * recipient, which the sender is told about. */
struct store_rcpts {
    struct queue_rcpt *list;
    size_t count, room;
};
MUST_USE SUSPENDS enum status store_expand(struct store *s, const struct queue_rcpt *asked,
                                           struct arena *a, struct store_rcpts *all);
/* The whole way of a message that is in: one mailbox at once, or the queue.  The body is used up.
 * ERR_NOT_FOUND: no recipient is left, and nobody may be told. */
struct store_sent {
    uint64_t qid, mid;
};
MUST_USE SUSPENDS enum status store_send(struct store *s, struct queue_message *m,
                                         const struct intake_body *body, struct store_sent *out);

/* ---- store_queue.c ---- */
/* And that the message left the queue, when it did. */
void store_log_results(const struct queue_message *m, const struct queue_result *results, size_t n);

/* ---- store_runner.c, store_upkeep.c ---- */
MUST_USE enum status store_runners_start(struct store *s);
MUST_USE enum status store_upkeep_start(struct store *s);
/* Somebody works on this account: its background work is done soon. */
void store_care(struct store *s, uint64_t account);

/* ---- store_dsn.c ---- */
/* The report that `told` asks for: a whole message, from the postmaster of this host to m->sender. */
MUST_USE SUSPENDS enum status store_dsn(struct store *s, const struct queue_message *m,
                                        const uint32_t *told, struct buf *out);

/* ---- store_admin.c ---- */
/* fd: a listening Unix socket.  Only root and this process's own user may talk on it. */
MUST_USE enum status store_admin_start(struct store *s, int fd);
void store_admin_stop(struct store *s);

#endif
