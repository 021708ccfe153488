/* intake_cook.c - which cook gets a message, and what happens when it fails.
 *
 * A cook is used up after LIMIT_COOK_MESSAGES: it gets nothing new, and its channel is closed when its last
 * answer is here; it ends then, and boss starts another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "policy/auth_results.h"
#include "role/store/intake_internal.h"

enum { ARRIVAL_MS = 5000, /* between two lives of the only cook */ TRIES = 2 };

static struct cook *least_busy(const struct intake *in, uint64_t not_this);
SUSPENDS static enum status cook_small_blob(struct intake *in, struct blob_id id, bool want_dkim,
                                            struct arena *a, struct intake_facts *out);

void
intake_cook_add(struct intake *in, struct ipc_peer *peer)
{
    struct cook *c = MEM_NEW(struct cook);

    c->peer = peer;
    c->serial = ++in->last_serial;
    list_push(&in->cooks, &c->in_intake);
    fiber_queue_wake_all(&in->arrivals);
}

void
intake_cook_gone(struct intake *in, struct ipc_peer *peer)
{
    list_each (l, &in->cooks) {
        struct cook *c = LIST_ENTRY(l, struct cook, in_intake);
        if (c->peer != peer)
            continue;
        list_remove(&c->in_intake);
        mem_free(c);
        return;
    }
}

size_t
intake_cooks(const struct intake *in)
{
    return list_count(&in->cooks);
}

enum status
intake_cook_whole(struct intake *in, struct str body, bool want_dkim, struct arena *a,
                  struct intake_facts *out)
{
    const struct cook_whole req = {.body = body, .want_dkim = want_dkim};
    uint64_t last = 0;
    struct cook_whole_reply rep;

    if (body.len > INTAKE_WHOLE_MAX)
        return ERR_LIMIT;
    for (int i = 0; i < TRIES; i++) {
        struct cook *c = intake_cook_pick(in, last);
        if (c == NULL)
            return ERR_TEMP;
        last = c->serial;
        intake_cook_begin_message(in, c);
        enum status st = cook_whole_call(c->peer, &req, a, &rep);
        intake_cook_end_message(in, last);
        if (st == OK) {
            intake_take_facts(&rep.facts, out);
            return OK;
        }
        if (st == ERR_CANCELLED)
            return st;
    }
    return ERR_TEMP;
}

void
intake_cook_begin(struct intake *in, struct cook_stream *s, uint64_t size_hint)
{
    AUTO_ARENA *a = arena_new(4096);
    const struct cook_begin req = {.size_hint = size_hint, .want_dkim = s->want_dkim};
    struct cook_begin_reply rep;

    struct cook *c = intake_cook_pick(in, 0);
    if (c == NULL)
        return;
    uint64_t serial = c->serial;
    intake_cook_begin_message(in, c);
    if (cook_begin_call(c->peer, &req, a, &rep) != OK) {
        intake_cook_end_message(in, serial);
        return;
    }
    s->serial = serial;
    s->handle = rep.handle;
}

void
intake_cook_put(struct intake *in, struct cook_stream *s, struct str bytes)
{
    AUTO_ARENA *a = arena_new(4096);
    struct cook_add_reply rep;

    while (bytes.len > 0 && s->serial != 0) {
        const struct cook_add req = {.handle = s->handle,
                                     .body = str_sub(bytes, 0, INTAKE_WHOLE_MAX)};
        const struct cook *c = intake_cook_find(in, s->serial);
        if (c == NULL || cook_add_call(c->peer, &req, a, &rep) != OK)
            intake_cook_drop(in, s);
        bytes = str_skip(bytes, INTAKE_WHOLE_MAX);
    }
}

enum status
intake_cook_end(struct intake *in, struct cook_stream *s, struct arena *a, struct intake_facts *out)
{
    const struct cook_end req = {.handle = s->handle};
    struct cook_end_reply rep;

    if (s->serial == 0)
        return ERR_TEMP;
    const struct cook *c = intake_cook_find(in, s->serial);
    enum status st = c == NULL ? ERR_CLOSED : cook_end_call(c->peer, &req, a, &rep);
    intake_cook_end_message(in, s->serial);
    s->serial = 0;
    if (st != OK)
        return ERR_TEMP;
    intake_take_facts(&rep.facts, out);
    return OK;
}

void
intake_cook_drop(struct intake *in, struct cook_stream *s)
{
    const struct cook_drop note = {.handle = s->handle};

    if (s->serial == 0)
        return;
    const struct cook *c = intake_cook_find(in, s->serial);
    if (c != NULL && cook_drop_note(c->peer, &note) != OK)
        ipc_close(c->peer); /* it reads nothing any more */
    intake_cook_end_message(in, s->serial);
    s->serial = 0;
}

enum status
intake_cook_blob(struct intake *in, struct blob_id id, bool want_dkim, struct arena *a,
                 struct intake_facts *out)
{
    uint64_t size;

    TRY(engine_blob_size(in->engine, id, &size));
    if (size <= INTAKE_WHOLE_MAX)
        return cook_small_blob(in, id, want_dkim, a, out);
    for (int i = 0; i < TRIES; i++) {
        struct cook_stream s = {.want_dkim = want_dkim};
        intake_cook_begin(in, &s, size);
        enum status st = intake_cook_stream(in, &s, id, size);
        if (st != OK) {
            intake_cook_drop(in, &s);
            return st;
        }
        if (intake_cook_end(in, &s, a, out) == OK)
            return OK;
    }
    return ERR_TEMP;
}

SUSPENDS static enum status
cook_small_blob(struct intake *in, struct blob_id id, bool want_dkim, struct arena *a,
                struct intake_facts *out)
{
    AUTO_ARENA *bytes = arena_new(4 * INTAKE_WHOLE_MAX);
    struct str body;

    TRY(engine_blob_read(in->engine, id, 0, INTAKE_WHOLE_MAX, bytes, &body));
    return intake_cook_whole(in, body, want_dkim, a, out);
}

enum status
intake_cook_stream(struct intake *in, struct cook_stream *s, struct blob_id id, uint64_t size)
{
    for (uint64_t at = 0; at < size && s->serial != 0;) {
        AUTO_ARENA *a = arena_new(4 * INTAKE_WHOLE_MAX);
        struct str slice;
        TRY(engine_blob_read(in->engine, id, at, INTAKE_WHOLE_MAX, a, &slice));
        if (slice.len == 0)
            return ERR_CORRUPT;
        intake_cook_put(in, s, slice);
        at += slice.len;
    }
    return OK;
}

/* Most mail has no results of ours: it is not read whole to find that out. */
SUSPENDS static bool
has_results(struct intake *in, struct blob_id id)
{
    static const struct str name = STR(AUTH_RESULTS_FIELD ":");
    AUTO_ARENA *a = arena_new(65536);
    struct str begin;

    return engine_blob_read(in->engine, id, 0, name.len, a, &begin) == OK &&
           str_eq_nocase(begin, name);
}

SUSPENDS static enum status
end_arc(struct intake *in, struct cook_stream *s, struct str authserv_id, struct arena *a,
        struct cook_arc_facts *out)
{
    const struct cook_seal req = {.handle = s->handle, .authserv_id = authserv_id};
    struct cook_seal_reply rep;

    if (s->serial == 0)
        return ERR_TEMP;
    const struct cook *c = intake_cook_find(in, s->serial);
    enum status st = c == NULL ? ERR_CLOSED : cook_seal_call(c->peer, &req, a, &rep);
    intake_cook_end_message(in, s->serial);
    s->serial = 0;
    if (st == OK)
        *out = rep.arc;
    return st == OK ? OK : ERR_TEMP;
}

enum status
intake_arc(struct intake *in, struct blob_id id, struct str authserv_id, struct arena *a,
           struct cook_arc_facts *out)
{
    uint64_t size;

    if (!has_results(in, id))
        return ERR_NOT_FOUND;
    TRY(engine_blob_size(in->engine, id, &size));
    for (int i = 0; i < TRIES; i++) {
        struct cook_stream s = {0};
        intake_cook_begin(in, &s, size);
        enum status st = intake_cook_stream(in, &s, id, size);
        if (st != OK) {
            intake_cook_drop(in, &s);
            return st;
        }
        if (end_arc(in, &s, authserv_id, a, out) == OK)
            return out->instance > 0 ? OK : ERR_NOT_FOUND;
    }
    return ERR_TEMP;
}

SUSPENDS static enum status
end_learn(struct intake *in, struct cook_stream *s, struct arena *a, struct cook_learn_reply *out)
{
    const struct cook_learn req = {.handle = s->handle};

    if (s->serial == 0)
        return ERR_TEMP;
    const struct cook *c = intake_cook_find(in, s->serial);
    enum status st = c == NULL ? ERR_CLOSED : cook_learn_call(c->peer, &req, a, out);
    intake_cook_end_message(in, s->serial);
    s->serial = 0;
    return st == OK ? OK : ERR_TEMP;
}

enum status
intake_learn(struct intake *in, struct blob_id id, struct arena *a, struct cook_learn_reply *out)
{
    uint64_t size;

    TRY(engine_blob_size(in->engine, id, &size));
    for (int i = 0; i < TRIES; i++) {
        struct cook_stream s = {0};
        intake_cook_begin(in, &s, size);
        enum status st = intake_cook_stream(in, &s, id, size);
        if (st != OK) {
            intake_cook_drop(in, &s);
            return st;
        }
        if (end_learn(in, &s, a, out) == OK)
            return OK;
    }
    return ERR_TEMP;
}

/* Another one than last time when there is another; waits a little when there is none at all. */
struct cook *
intake_cook_pick(struct intake *in, uint64_t not_this)
{
    if (in->cooking >= LIMIT_COOK_QUEUE)
        return NULL;
    struct cook *c = least_busy(in, not_this);
    if (c == NULL)
        c = least_busy(in, 0);
    if (c == NULL && fiber_queue_wait(&in->arrivals, ARRIVAL_MS) == OK)
        c = least_busy(in, 0);
    return c;
}

static struct cook *
least_busy(const struct intake *in, uint64_t not_this)
{
    struct cook *best = NULL;

    list_each (l, &in->cooks) {
        struct cook *c = LIST_ENTRY(l, struct cook, in_intake);
        if (c->serial == not_this || c->messages >= LIMIT_COOK_MESSAGES || !ipc_is_open(c->peer))
            continue;
        if (best == NULL || c->open < best->open)
            best = c;
    }
    return best;
}

struct cook *
intake_cook_find(const struct intake *in, uint64_t serial)
{
    list_each (l, &in->cooks) {
        struct cook *c = LIST_ENTRY(l, struct cook, in_intake);
        if (c->serial == serial)
            return c;
    }
    return NULL;
}

void
intake_cook_begin_message(struct intake *in, struct cook *c)
{
    in->cooking++;
    c->messages++;
    c->open++;
}

void
intake_cook_end_message(struct intake *in, uint64_t serial)
{
    struct cook *c = intake_cook_find(in, serial);

    in->cooking--;
    if (c == NULL)
        return;
    c->open--;
    if (c->messages >= LIMIT_COOK_MESSAGES && c->open == 0)
        ipc_close(c->peer);
}

void
intake_take_facts(const struct cook_facts *f, struct intake_facts *out)
{
    *out = (struct intake_facts){
        .record = f->record,
        .sort = f->sort,
        .message_id_hash = f->message_id_hash,
        .reference_hashes = f->reference_hashes,
        .reference_count = f->reference_hashes_count,
        .from_domain = f->from_domain,
        .message_id = f->message_id,
        .received_count = f->received_count,
        .header_bytes = f->header_bytes,
        .eight_bit = f->eight_bit,
        .forward_marks = f->forward_marks,
        .forward_mark_count = f->forward_marks_count,
        .dkim_headers = f->dkim.headers,
        .dkim_names = f->dkim.header_names,
        .dkim_body_hash = f->dkim.body_hash,
    };
}
