/* ipc_call.c - the caller's side of a channel: slots, calls, notes, replies.
 *
 * A call holds a slot until its reply comes, also when the caller was cancelled: so both ends agree on how
 * many are in flight, and the peer's cap is never broken by us.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/ipc_internal.h"

enum { SLOTS_FIRST = 16, SLOT_MASK = (1 << IPC_SLOT_BITS) - 1 };

struct ipc_waiting {
    struct fiber *fiber;
    struct arena *arena;
    void *rep_out;
    enum status status;
    bool done;
    struct problem problem;
};

/* What the last call of a fiber came back with.  Read right after the call, before anything else suspends. */
static _Thread_local struct problem last_problem;
static _Thread_local const struct fiber *last_caller;

static bool peer_serves(const struct ipc_peer *p, const struct ipc_service *s);
SUSPENDS static enum status wait_for_room(struct ipc_peer *p);
static uint32_t slot_take(struct ipc_peer *p, const struct ipc_call *c, struct ipc_waiting *w);
static void slot_give(struct ipc_peer *p, uint32_t slot);
static bool send_request(struct ipc_peer *p, const struct ipc_call *c, const void *req,
                         struct ipc_frame *f);
static void remember(const struct ipc_waiting *w);

MUST_USE enum status
ipc_call(struct ipc_peer *p, const struct ipc_call *c, const void *req, struct arena *a,
         void *rep_out)
{
    struct ipc_waiting w = {.fiber = fiber_self(), .arena = a, .rep_out = rep_out};

    ASSERT(w.fiber != NULL && a != NULL && rep_out != NULL && c->decode != NULL);
    last_caller = NULL;
    if (p == NULL)
        return ERR_CLOSED;
    TRY(wait_for_room(p));
    if (!ipc_knows(p, c->service))
        return ERR_DENIED;
    uint32_t slot = slot_take(p, c, &w);
    struct ipc_frame f = {.kind = IPC_CALL, .call = p->slots[slot].uses << IPC_SLOT_BITS | slot};
    if (!send_request(p, c, req, &f)) {
        slot_give(p, slot);
        return ERR_LIMIT;
    }
    p->refs++;
    while (!w.done) {
        if (fiber_park(FIBER_FOREVER) == ERR_CANCELLED && !w.done) {
            p->slots[slot].waiting = NULL;
            w.status = ERR_CANCELLED;
            break;
        }
    }
    ipc_unref(p);
    remember(&w);
    return w.status;
}

MUST_USE enum status
ipc_note(struct ipc_peer *p, const struct ipc_call *c, const void *req)
{
    struct ipc_frame f = {.kind = IPC_NOTE};

    if (p == NULL || !p->open)
        return ERR_CLOSED;
    if (!ipc_knows(p, c->service))
        return ERR_DENIED;
    return send_request(p, c, req, &f) ? OK : ERR_LIMIT;
}

const struct problem *
ipc_problem(void)
{
    static const struct problem none;

    return last_caller != NULL && last_caller == fiber_self() ? &last_problem : &none;
}

static void
remember(const struct ipc_waiting *w)
{
    if (w->status == OK)
        return;
    last_problem = w->problem;
    last_caller = w->fiber;
}

/* Whether the peer serves s from the same schema.  Before its hello: yes, to be checked when that comes. */
bool
ipc_knows(struct ipc_peer *p, const struct ipc_service *s)
{
    size_t at = 0;

    while (at < p->used_count && p->used[at] != s)
        at++;
    if (at < p->used_count && p->hello_checked)
        return true;
    if (at == IPC_SERVICES_MAX || (p->hello_seen && !peer_serves(p, s)))
        return false;
    if (at == p->used_count)
        p->used[p->used_count++] = s;
    return true;
}

static bool
peer_serves(const struct ipc_peer *p, const struct ipc_service *s)
{
    for (size_t i = 0; i < p->peer_serve_count; i++)
        if (strcmp(p->peer_serves[i].name, s->name) == 0)
            return p->peer_serves[i].hash == s->schema_hash;
    return false;
}

static enum status
wait_for_room(struct ipc_peer *p)
{
    enum status st = OK;

    p->refs++;
    while (st == OK && p->open && (p->in_flight >= LIMIT_IPC_IN_FLIGHT || ipc_out_is_high(p)))
        st = fiber_queue_wait(&p->room, FIBER_FOREVER);
    if (st != OK)
        fiber_queue_wake_one(&p->room); /* a wake-up that we may have used up */
    ipc_unref(p);
    if (st != OK)
        return st;
    return p->open ? OK : ERR_CLOSED;
}

static uint32_t
slot_take(struct ipc_peer *p, const struct ipc_call *c, struct ipc_waiting *w)
{
    if (p->slot_free == 0) {
        uint32_t count = p->slot_count > 0 ? 2 * p->slot_count : SLOTS_FIRST;

        ASSERT(count <= 1u << IPC_SLOT_BITS);
        p->slots =
            mem_resize(p->slots, p->slot_count * sizeof(*p->slots), count * sizeof(*p->slots));
        for (uint32_t i = count; i > p->slot_count; i--) {
            p->slots[i - 1].next_free = p->slot_free;
            p->slot_free = i;
        }
        p->slot_count = count;
    }
    uint32_t slot = p->slot_free - 1;
    struct ipc_slot *s = &p->slots[slot];
    p->slot_free = s->next_free;
    s->call = c;
    s->waiting = w;
    s->uses++;
    p->in_flight++;
    return slot;
}

static void
slot_give(struct ipc_peer *p, uint32_t slot)
{
    struct ipc_slot *s = &p->slots[slot];

    ASSERT(s->call != NULL && p->in_flight > 0);
    s->call = NULL;
    s->waiting = NULL;
    s->next_free = p->slot_free;
    p->slot_free = slot + 1;
    p->in_flight--;
    fiber_queue_wake_one(&p->room);
}

static bool
send_request(struct ipc_peer *p, const struct ipc_call *c, const void *req, struct ipc_frame *f)
{
    struct ipc_writer w = ipc_frame_begin(p);

    f->tag = (uint32_t)c->service->schema_hash; /* the low half */
    f->id = c->id;
    return ipc_frame_end(p, &w, f, !w.bad && c->encode(&w, req));
}

bool
ipc_on_reply(struct ipc_peer *p, const struct ipc_frame *f, const char *payload)
{
    uint32_t slot = f->call & SLOT_MASK;
    struct ipc_reader r;

    if (slot >= p->slot_count || p->slots[slot].call == NULL ||
        (p->slots[slot].uses << IPC_SLOT_BITS | slot) != f->call || f->status >= STATUS_COUNT ||
        p->slots[slot].call->id != f->id)
        return false;
    const struct ipc_call *c = p->slots[slot].call;
    struct ipc_waiting *w = p->slots[slot].waiting;
    slot_give(p, slot);
    if (w == NULL) /* cancelled meanwhile */
        return true;
    w->done = true;
    fiber_wake(w->fiber);
    w->status = ERR_CLOSED; /* unless the reply is good: the outcome is unknown */
    if (f->status != OK) {
        if (f->ring_bytes > 0 ||
            (f->length > 0 && !ipc_problem_get(str_from(payload, f->length), &w->problem)))
            return false;
        w->status = (enum status)f->status;
        return true;
    }
    if (ipc_reader_init(&r, p, f, payload, w->arena) && c->decode(&r, w->rep_out)) {
        w->status = OK;
        return true;
    }
    if (r.over)
        w->status = ERR_LIMIT;
    return r.over;
}

void
ipc_fail_callers(struct ipc_peer *p)
{
    for (uint32_t i = 0; i < p->slot_count; i++) {
        struct ipc_waiting *w = p->slots[i].waiting;
        if (w == NULL)
            continue;
        p->slots[i].waiting = NULL;
        w->done = true;
        w->status = ERR_CLOSED;
        fiber_wake(w->fiber);
    }
    fiber_queue_wake_all(&p->room);
}
