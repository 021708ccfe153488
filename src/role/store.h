/* store.h - what the handlers of role store share: the open data and the channel they were called on.
 *
 * A handler finds its world with store_of(peer) and, when the call names a session, its account with
 * store_session(), before anything else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_H
#define ROLE_STORE_H

#include "config/config.h"
#include "role/intake.h"
#include "store/directory.h"
#include "store/grants.h"
#include "store/queue.h"
#include "store/sealed.h"
#include "store/store_watch.h"

struct store {
    const struct config *config;
    struct engine *engine;
    struct cells *cells;
    struct directory *directory;
    struct grants *grants;
    struct sealed *sealed;
    struct queue *queue;
    struct intake *intake;
    struct ipc_peer *auth, *keys; /* NULL while absent */
    struct list peers;            /* of struct store_peer */
    struct store_watch watch;     /* of all cells; role/store_notes.c */
    struct store_notes *notes;    /* to workers, not yet sent */
};
/* One channel; ipc_state() of its peer. */
struct store_peer {
    struct list in_store;
    struct store *store;
    struct ipc_peer *peer;
    struct intake_source *source; /* of mx and user */
};

struct store *store_of(const struct ipc_peer *p);
struct intake_source *store_source_of(const struct ipc_peer *p);
/* The grant of a session of this channel: ERR_DENIED when there is none. */
MUST_USE enum status store_session(const struct ipc_peer *p, uint64_t session, struct grant *out);
/* Sessions of the account that were revoked must end; session 0 = all.  Changes of accounts need no call: the store
 * hears of every commit (store/store_watch.h) and tells the workers once a turn of the loop. */
void store_revoked(struct store *s, uint64_t account, uint64_t session);
/* Every status of a call that wrote passes here: ERR_IO means that the outcome is unknown, so the process ends at
 * once, and nobody gets an answer. */
enum status store_checked(struct store *s, enum status st, const char *what);

#endif
