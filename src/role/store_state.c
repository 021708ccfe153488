/* store_state.c - the store opened, its channels and the sessions on them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/mem.h"
#include "config/events.h"
#include "role/store_strangers.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/policies.h"
#include "store/tally.h"

static struct store *only; /* one store a process: handlers find it without asking */

SUSPENDS static enum status open_all(struct store *s, const struct config *c,
                                     const struct engine_options *o, struct problem *why);
static struct store_peer *find(const struct store *s, const struct ipc_peer *p);
static void log_open(const struct engine_options *o, int64_t began_us);

enum status
store_open(const struct config *c, const struct engine_options *o, struct store **out,
           struct problem *why)
{
    AUTO(store_close) struct store *s = MEM_NEW(struct store);
    int64_t began = clock_mono_us();

    ASSERT(only == NULL);
    list_init(&s->peers);
    TRY(open_all(s, c, o, why));
    store_notes_init(s);
    only = s;
    TRY(store_queue_start(s));
    TRY(store_runners_start(s));
    TRY(store_upkeep_start(s));
    log_open(o, began);
    *out = s;
    s = NULL;
    return OK;
}

void
store_close(struct store **store)
{
    struct store *s = *store;

    if (s == NULL)
        return;
    s->stopping = true;
    while (s->fibers > 0 && fiber_sleep(5) == OK)
        ;
    store_tally_write(s);
    while (!list_empty(&s->peers))
        store_peer_gone(s, LIST_ENTRY(s->peers.next, struct store_peer, in_store)->peer);
    if (s->notes != NULL)
        store_notes_release(s);
    queue_free(&s->queue);
    intake_free(&s->intake);
    rates_free(&s->returns);
    rates_free(&s->forwards);
    strangers_free(&s->strangers);
    sealed_free(&s->sealed);
    blocks_free(&s->blocks);
    policies_free(&s->policies);
    tally_free(&s->tally);
    grants_free(&s->grants);
    directory_free(&s->directory);
    if (s->cells != NULL)
        cells_free(&s->cells);
    if (s->engine != NULL)
        engine_close(&s->engine);
    if (only == s)
        only = NULL;
    mem_free(s);
    *store = NULL;
}

void
store_tally_write(struct store *s)
{
    if (s->tally == NULL)
        return;
    enum status st = store_checked(s, tally_write(s->tally), "counts");
    (void)st; /* it waits for the next time */
}

void
store_peer_arrived(struct store *s, struct ipc_peer *p)
{
    struct store_peer *sp = MEM_NEW(struct store_peer);
    enum role r = ipc_role(p);

    sp->peer = p;
    list_push(&s->peers, &sp->in_store);
    if (r == ROLE_MX || r == ROLE_USER)
        sp->source =
            intake_source_new(s->intake, r == ROLE_USER || s->config->relay_from_count > 0);
    ipc_set_state(p, sp->source);
    if (r == ROLE_COOK)
        intake_cook_add(s->intake, p);
    if (r == ROLE_OUT)
        store_out_work(s);
}

void
store_peer_gone(struct store *s, struct ipc_peer *p)
{
    struct store_peer *sp = find(s, p);

    if (sp == NULL)
        return;
    list_remove(&sp->in_store);
    ipc_set_state(p, NULL);
    intake_source_free(&sp->source);
    if (ipc_role(p) == ROLE_COOK)
        intake_cook_gone(s->intake, p);
    if (ipc_role(p) == ROLE_USER)
        grants_end_incarnation(s->grants, ipc_incarnation(p));
    if (ipc_role(p) == ROLE_OUT) {
        queue_owner_gone(s->queue, ipc_incarnation(p), clock_now());
        store_out_work(s);
    }
    mem_free(sp);
}

struct ipc_peer *
store_peer_of(const struct store *s, enum role r)
{
    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (ipc_role(p) == r && ipc_is_open(p))
            return p;
    }
    return NULL;
}

struct store *
store_of(const struct ipc_peer *p)
{
    ASSERT(p != NULL && only != NULL);
    return only;
}

struct intake_source *
store_source_of(const struct ipc_peer *p)
{
    return ipc_state(p);
}

enum status
store_session(const struct ipc_peer *p, uint64_t session, struct grant *out)
{
    return grants_find(store_of(p)->grants, ipc_incarnation(p), session, clock_now(), out);
}

enum status
store_checked(const struct store *s, enum status st, const char *what)
{
    if (st != ERR_IO && !engine_failed(s->engine))
        return st;
    {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_STORE_FAIL)) {
            log_str(&l, "what", str_of(what));
            log_str(&l, "reason", str_of(status_name(st)));
        }
    }
    _exit(1); /* without unwinding: whoever waits for an answer must not get one */
}

SUSPENDS static enum status
open_all(struct store *s, const struct config *c, const struct engine_options *o,
         struct problem *why)
{
    s->config = c;
    s->started = clock_now();
    TRY(engine_open(o, &s->engine, why));
    s->cells = cells_new(s->engine, LIMIT_CELL_CACHE_BYTES);
    s->directory = directory_new(s->cells, c->domain, &directory_built_in);
    s->grants = grants_new();
    s->sealed = sealed_new(s->cells);
    s->blocks = blocks_new(s->cells);
    s->policies = policies_new(s->cells);
    s->tally = tally_new(s->cells, &(struct tally_options){.cell = TALLY_CELL,
                                                           .rows_max = LIMIT_TALLY_ROWS,
                                                           .group_max = LIMIT_TALLY_GROUP_ROWS,
                                                           .waiting_max = LIMIT_TALLY_WAITING});
    s->intake = intake_new(s->engine);
    s->returns = rates_new();
    s->forwards = rates_new();
    s->strangers = strangers_new(s->cells);
    enum status st = queue_open(s->cells, &s->queue);
    if (st != OK)
        problem_set(why, 0, "", "the queue cannot be read: %s", status_name(st));
    return st;
}

static struct store_peer *
find(const struct store *s, const struct ipc_peer *p)
{
    list_each (l, &s->peers) {
        struct store_peer *sp = LIST_ENTRY(l, struct store_peer, in_store);
        if (sp->peer == p)
            return sp;
    }
    return NULL;
}

static void
log_open(const struct engine_options *o, int64_t began_us)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_STORE_OPEN))
        return;
    log_str(&l, "engine", str_of(o->kind));
    log_str(&l, "path", o->path == NULL ? STR_NONE : str_of(o->path));
    log_i64(&l, "ms", (clock_mono_us() - began_us) / 1000);
}
