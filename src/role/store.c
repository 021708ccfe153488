/* store.c - role store: the only owner of the data.
 *
 * Touches:   the data directory, the control socket, its channels.  Parses no mail, opens no connection, holds no key.
 * Peers:     mx, user (bodies, mail), auth, keys (log-ins, sealed records), cook (content work), out (queue),
 *            the godwit command (admin) over the control socket, and role api, which may ask the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store.h"

#include "base/size.h"
#include "role/role.h"
#include "role/store_admin.h"
#include "role/store_trace.h"
#include "store/queue_over.h"

/* Peers may call while the data is still being opened: they wait. */
static enum status wait_open(struct ipc_peer *from);
#define STORE_SERVE_BEFORE wait_open
#define ADMIN_SERVE_BEFORE wait_open
#include "ipc/admin_serve.h"
#include "ipc/store_serve.h"

enum { EARLY_MAX = 256, OPEN_MS = 60000, STOP_MS = 100 };

static struct store *store; /* NULL until it is open */
static struct fiber_queue opening;
static struct ipc_peer *early[EARLY_MAX]; /* that came before */
static size_t early_count;

SUSPENDS static enum status begin(const struct role_start *start, struct problem *why);
static void arrived(struct ipc_peer *p);
static void gone(struct ipc_peer *p);
static void config_changed(const struct role_start *start);
static void stop(void);
static void stop_orderly(void *arg);

static const struct ipc_service *const serves[] = {&store_service, &admin_service};
const struct ipc_service *const store_admin_serves[1] = {&admin_service};
const struct role_verbs role_store = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .begin = begin,
    .peer_arrived = arrived,
    .peer_gone = gone,
    .stop = stop,
    .config_changed = config_changed,
};

static void
config_changed(const struct role_start *start)
{
    store->config = start->config;
    store->has_domain = false;
    directory_default_domain(store->directory, start->config->domain);
    queue_over_now(store->queue); /* the limits may be others */
}

/* Another process holds the data.  Whether we could read it, a file beside it says. */
static enum status
rehearse(struct engine_options *o, struct problem *why)
{
    enum status st = engine_format_check(o, why);

    o->kind = "mem";
    return st == ERR_NOT_FOUND ? OK : st;
}

SUSPENDS static enum status
begin(const struct role_start *start, struct problem *why)
{
    AUTO_ARENA *a = arena_new(65536);
    struct store *opened;
    struct engine_options o = {
        .kind = arena_z(a, start->config->engine),
        .path = arena_z(a, start->config->data_dir),
        .cache_bytes = start->config->cache_bytes,
    };

    if (opening.waiters.next == NULL)
        fiber_queue_init(&opening);
    if (start->rehearsal)
        TRY(rehearse(&o, why));
    TRY(store_open(start->config, &o, &opened, why));
    if (start->admin_fd >= 0) {
        enum status st = store_admin_start(opened, start->admin_fd);
        if (st != OK) {
            problem_set(why, 0, "", "the control socket: %s", status_name(st));
            return st;
        }
    }
    opened->start = start;
    if (!start->rehearsal)
        store_trace_start(opened);
    store = opened;
    for (size_t i = 0; i < early_count; i++)
        store_peer_arrived(store, early[i]);
    early_count = 0;
    fiber_queue_wake_all(&opening);
    return OK;
}

static void
arrived(struct ipc_peer *p)
{
    if (store != NULL)
        store_peer_arrived(store, p);
    else if (early_count < EARLY_MAX)
        early[early_count++] = p;
    else
        ipc_close(p);
}

static void
gone(struct ipc_peer *p)
{
    if (store != NULL)
        store_peer_gone(store, p);
    for (size_t i = 0; i < early_count; i++) {
        if (early[i] == p)
            early[i] = early[--early_count];
    }
}

FIBER_ENTRY static enum status
wait_open(struct ipc_peer *from)
{
    if (store != NULL)
        return store->stopping ? ERR_TEMP : OK;
    if (opening.waiters.next == NULL)
        fiber_queue_init(&opening);
    enum status st = fiber_queue_wait(&opening, OPEN_MS);
    if (st != OK || store == NULL)
        return ERR_TEMP;
    return ipc_is_open(from) ? OK : ERR_CLOSED;
}

static void
stop(void)
{
    if (store == NULL || fiber_go(stop_orderly, NULL) != OK)
        role_stopped();
}

/* What was answered is durable already: the end of the process is the end of the store, and calls under way get no
 * answer but a closed channel.  A moment lets most of them finish. */
FIBER_ENTRY static void
stop_orderly(void *arg)
{
    (void)arg;
    store->stopping = true;
    enum status slept = fiber_sleep(STOP_MS);
    (void)slept; /* cancelled is as good */
    store_tally_write(store);
    store_trace_flush();
    role_stopped();
}
