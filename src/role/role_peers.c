/* role_peers.c - the channels of a role process, by role and index.
 *
 * A worker that was started anew gets a new channel, sometimes before the end of the old one was seen here.
 * The old one is ended first, so that peer_gone() and peer_arrived() always alternate.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/events.h"
#include "role/role_internal.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/logger.h"

struct entry {
    enum role role;
    uint32_t index;
    struct ipc_peer *peer; /* NULL = none now */
    bool has_next;         /* a channel that waits for the end of `peer` */
    uint64_t next_incarnation;
    struct ipc_channel_end next;
};

static struct {
    const struct role_verbs *verbs;
    struct entry entries[ROLE_COUNT * ROLE_WORKERS_MAX];
    size_t count;
    uint32_t turn; /* of role_peer() */
    struct fiber_queue waiting;
    bool init;
} peers;

static struct entry *entry_of(enum role r, uint32_t index);
static void attach(struct entry *e);
static void on_gone(struct ipc_peer *p);
static bool usable(const struct entry *e);

void
role_peer_add(const struct role_verbs *verbs, const struct control *c,
              const struct ipc_channel_end *end)
{
    struct entry *e = entry_of(c->role, c->index);

    if (!peers.init) {
        fiber_queue_init(&peers.waiting);
        peers.init = true;
    }
    peers.verbs = verbs;
    ASSERT(e != NULL); /* boss keeps to ROLE_WORKERS_MAX */
    if (e->has_next) { /* never used: it ended before its turn came */
        fd_close(&e->next.fd);
        fd_close(&e->next.ring_fd);
    }
    e->has_next = true;
    e->next = *end;
    e->next_incarnation = c->incarnation;
    if (e->peer == NULL)
        attach(e);
    else
        ipc_close(e->peer);
}

static struct entry *
entry_of(enum role r, uint32_t index)
{
    for (size_t i = 0; i < peers.count; i++)
        if (peers.entries[i].role == r && peers.entries[i].index == index)
            return &peers.entries[i];
    if (peers.count == COUNT_OF(peers.entries))
        return NULL;
    struct entry *e = &peers.entries[peers.count++];
    e->role = r;
    e->index = index;
    return e;
}

static void
attach(struct entry *e)
{
    struct ipc_options o = {.own_role = role_self()->role,
                            .peer_role = e->role,
                            .peer_index = e->index,
                            .peer_incarnation = e->next_incarnation,
                            .serves = peers.verbs->serves,
                            .serve_count = peers.verbs->serve_count,
                            .gone = on_gone};

    e->has_next = false;
    if (ipc_attach(&e->next, &o, &e->peer) != OK)
        role_fail("cannot attach a channel");
    if (peers.verbs->peer_arrived != NULL)
        peers.verbs->peer_arrived(e->peer);
    fiber_queue_wake_all(&peers.waiting);
}

static void
on_gone(struct ipc_peer *p)
{
    struct entry *e = entry_of(ipc_role(p), ipc_index(p));

    ASSERT(e != NULL && e->peer == p);
    if (ipc_violation(p) != NULL) {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_IPC_VIOLATION)) {
            log_str(&l, "peer", str_of(role_name(ipc_role(p))));
            log_str(&l, "reason", str_of(ipc_violation(p)));
        }
    }
    e->peer = NULL;
    if (peers.verbs->peer_gone != NULL)
        peers.verbs->peer_gone(p);
    if (e->has_next)
        attach(e);
}

static bool
usable(const struct entry *e)
{
    return e->peer != NULL && ipc_is_open(e->peer);
}

struct ipc_peer *
role_peer(enum role r)
{
    size_t start = peers.turn++;

    for (size_t i = 0; i < peers.count; i++) {
        struct entry *e = &peers.entries[(start + i) % peers.count];
        if (e->role == r && usable(e))
            return e->peer;
    }
    return NULL;
}

struct ipc_peer *
role_peer_at(enum role r, uint32_t index)
{
    for (size_t i = 0; i < peers.count; i++)
        if (peers.entries[i].role == r && peers.entries[i].index == index)
            return usable(&peers.entries[i]) ? peers.entries[i].peer : NULL;
    return NULL;
}

struct ipc_peer *
role_peer_next(size_t *cursor)
{
    while (*cursor < peers.count) {
        struct entry *e = &peers.entries[(*cursor)++];
        if (usable(e))
            return e->peer;
    }
    return NULL;
}

SUSPENDS struct ipc_peer *
role_peer_wait(enum role r, int64_t timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    if (!peers.init) {
        fiber_queue_init(&peers.waiting);
        peers.init = true;
    }
    for (;;) {
        struct ipc_peer *p = role_peer(r);
        int64_t left = until - clock_mono_ms();
        if (p != NULL || left <= 0)
            return p;
        if (fiber_queue_wait(&peers.waiting, left) == ERR_CANCELLED)
            return NULL;
    }
}
