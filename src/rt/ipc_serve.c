/* ipc_serve.c - the answering side of a channel: checks a request, runs its handler on a fiber, replies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "rt/ipc_internal.h"

enum { SPARE_MAX = 64, RETRY_MS = 1 };

/* One request under way.  Its arena holds the frame, the request and the reply. */
struct request {
    struct list node; /* of backlog or spare */
    struct list active;
    struct ipc_peer *peer;
    const struct ipc_service *service;
    const struct ipc_verb *verb;
    struct arena *arena;
    void *req, *rep;
    struct fiber *fiber;
    uint32_t call;
    bool has_problem;
    struct problem problem;
};

/* Every request of this thread whose handler runs: ipc_fail() looks for its own. */
static _Thread_local struct list active;

static const struct ipc_service *find_service(const struct ipc_peer *p, uint32_t tag);
static struct request *request_new(struct ipc_peer *p);
static void request_free(struct request *r);
static bool fill(struct request *r, const struct ipc_frame *f, const char *payload, bool *over);
static void refuse(struct request *r, enum status st);
static void start(struct request *r);
static void serve(void *arg);
static void reply(struct request *r, enum status st);
static bool send_reply(struct request *r, enum status st);

bool
ipc_on_request(struct ipc_peer *p, const struct ipc_frame *f, const char *payload)
{
    const struct ipc_service *s = find_service(p, f->tag);
    bool over = false;

    if (s == NULL || f->id == 0 || f->id > s->verb_count || f->status != 0) {
        p->violation = "unknown request";
        return false;
    }
    const struct ipc_verb *v = &s->verbs[f->id - 1];
    ASSERT(v->id == f->id);
    if ((v->from & 1u << p->o.peer_role) == 0 || v->is_note != (f->kind == IPC_NOTE)) {
        p->violation = "request not allowed to this role";
        return false;
    }
    if (!v->is_note && p->calls_served >= LIMIT_IPC_IN_FLIGHT) {
        p->violation = "too many calls in flight";
        return false;
    }
    struct request *r = request_new(p);
    r->service = s;
    r->verb = v;
    r->call = f->call;
    if (!fill(r, f, payload, &over)) {
        if (over)
            refuse(r, ERR_LIMIT);
        request_free(r);
        return over;
    }
    p->refs++;
    if (v->is_note)
        p->notes_served++;
    else
        p->calls_served++;
    /* Calls are capped by their reply; notes are not, so reading stops. */
    if (p->notes_served >= LIMIT_IPC_IN_FLIGHT)
        p->paused = true;
    start(r);
    return true;
}

static const struct ipc_service *
find_service(const struct ipc_peer *p, uint32_t tag)
{
    for (size_t i = 0; i < p->o.serve_count; i++)
        if ((uint32_t)p->serves[i]->schema_hash == tag)
            return p->serves[i];
    return NULL;
}

static struct request *
request_new(struct ipc_peer *p)
{
    struct list *node = list_pop(&p->spare);

    if (node != NULL) {
        p->spare_count--;
        struct request *r = LIST_ENTRY(node, struct request, node);
        struct arena *a = r->arena;
        *r = (struct request){.peer = p, .arena = a};
        return r;
    }
    struct request *r = MEM_NEW(struct request);
    r->peer = p;
    r->arena = arena_new(p->arena_budget);
    return r;
}

static void
request_free(struct request *r)
{
    struct ipc_peer *p = r->peer;

    if (p->spare_count < SPARE_MAX && !p->ended) {
        arena_reset(r->arena);
        list_push_front(&p->spare, &r->node);
        p->spare_count++;
        return;
    }
    arena_free(&r->arena);
    mem_free(r);
}

/* Decodes the request and makes room for the reply, within the service's budget. */
static bool
fill(struct request *r, const struct ipc_frame *f, const char *payload, bool *over)
{
    struct ipc_reader reader;
    size_t structs = r->verb->req_size + r->verb->rep_size + 64; /* alignment */

    if (structs > arena_left(r->arena)) {
        *over = true;
        return false;
    }
    r->req = arena_alloc(r->arena, r->verb->req_size);
    if (r->verb->rep_size > 0)
        r->rep = arena_alloc(r->arena, r->verb->rep_size);
    bool good =
        ipc_reader_init(&reader, r->peer, f, payload, r->arena) && r->verb->decode(&reader, r->req);
    *over = reader.over;
    return good;
}

/* Within its grammar but past the budget: the caller hears LIMIT, a note is dropped. */
static void
refuse(struct request *r, enum status st)
{
    if (!r->verb->is_note)
        (void)send_reply(r, st);
}

static void
start(struct request *r)
{
    struct ipc_peer *p = r->peer;

    if (fiber_go(serve, r) == OK)
        return;
    list_push(&p->backlog, &r->node);
    if (!timer_is_set(&p->retry))
        timer_set(&p->retry, RETRY_MS);
}

void
ipc_start_backlog(struct timer *t)
{
    struct ipc_peer *p = LIST_ENTRY(t, struct ipc_peer, retry);
    struct list *node;

    while ((node = list_pop(&p->backlog)) != NULL) {
        struct request *r = LIST_ENTRY(node, struct request, node);
        if (fiber_go(serve, r) == OK)
            continue;
        list_push_front(&p->backlog, node);
        timer_set(t, RETRY_MS);
        return;
    }
}

/* The channel ended: what no handler saw is dropped, what runs goes on and finds nobody to answer. */
void
ipc_drop_requests(struct ipc_peer *p)
{
    struct list *node;

    while ((node = list_pop(&p->backlog)) != NULL) {
        request_free(LIST_ENTRY(node, struct request, node));
        ipc_unref(p);
    }
    while ((node = list_pop(&p->spare)) != NULL) {
        struct request *r = LIST_ENTRY(node, struct request, node);
        arena_free(&r->arena);
        mem_free(r);
    }
    p->spare_count = 0;
}

FIBER_ENTRY static void
serve(void *arg)
{
    struct request *r = arg;
    struct ipc_peer *p = r->peer;

    if (active.next == NULL)
        list_init(&active);
    r->fiber = fiber_self();
    list_push(&active, &r->active);
    enum status st = r->verb->serve(p, r->req, r->arena, r->rep);
    list_remove(&r->active);
    if (r->verb->is_note) {
        p->notes_served--;
    } else {
        reply(r, st);
        p->calls_served--;
    }
    request_free(r);
    if (p->paused && p->notes_served < LIMIT_IPC_IN_FLIGHT / 2)
        ipc_read_again(p);
    ipc_unref(p);
}

FIBER_ENTRY static void
reply(struct request *r, enum status st)
{
    struct ipc_peer *p = r->peer;

    while (p->open && ipc_out_is_high(p))
        if (fiber_queue_wait(&p->room, FIBER_FOREVER) != OK)
            break;
    if (p->open && !send_reply(r, st))
        /* The handler answered past a bound of the schema, or nobody reads what we send. */
        if (!send_reply(r, ERR_LIMIT))
            ipc_break(p, NULL);
}

static bool
send_reply(struct request *r, enum status st)
{
    struct ipc_peer *p = r->peer;
    struct ipc_frame f = {.kind = IPC_REPLY,
                          .tag = (uint32_t)r->service->schema_hash, /* the low half */
                          .call = r->call,
                          .id = r->verb->id,
                          .status = (uint8_t)st};
    struct ipc_writer w = ipc_frame_begin(p);
    bool good = !w.bad;

    if (good && st == OK)
        good = r->verb->encode(&w, r->rep);
    else if (good && r->has_problem)
        ipc_problem_put(&p->out, &r->problem);
    return ipc_frame_end(p, &w, &f, good);
}

void
ipc_fail(const struct problem *why)
{
    struct fiber *self = fiber_self();

    ASSERT(self != NULL);
    if (active.next == NULL)
        return;
    list_each (node, &active) {
        struct request *r = LIST_ENTRY(node, struct request, active);
        if (r->fiber == self) {
            r->problem = *why;
            r->has_problem = true;
            return;
        }
    }
}
