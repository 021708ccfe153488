/* cell_group.c - the combiner: groups of transactions, their commit, and what follows from its result.
 *
 * A fiber whose transaction joins a group while none is in flight leads it: it commits for all.  Those who come
 * meanwhile build the next group; when the flight has landed and nobody is in the middle of building, one of
 * them is woken to lead.  Cancelling a member takes it off the list; the group goes on without it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/cell_internal.h"

#define GROUP_ARENA_BYTES (64u << 20)

static struct batch *make_batch(struct cell *c, struct group *g, uint8_t slot, struct arena *a);
static void land(struct cell *c, uint8_t slot, enum status s, struct cell_version now);
static void keep_values(struct group *g, uint8_t slot);
static void drop_values(struct group *g, uint8_t slot);
static void finish(struct group *g, enum status s);
static void tell_watch(struct cell *c, const struct group *g);
static void group_reset(struct group *g);

void
group_init(struct group *g)
{
    list_init(&g->members);
}

void
group_release(struct group *g)
{
    ASSERT(list_empty(&g->members));
    mem_free(g->keys);
    mem_free(g->ops);
    arena_free(&g->arena);
}

void
group_add_key(struct group *g, struct cell_key *k)
{
    if (g->key_count == g->key_cap) {
        size_t cap = g->key_cap ? g->key_cap * 2 : 16;
        size_t item =
            sizeof(g->keys[0]); /* NOLINT(bugprone-sizeof-expression): pointers are meant */
        g->keys = mem_resize(g->keys, g->key_cap * item, cap * item);
        g->key_cap = cap;
    }
    g->keys[g->key_count++] = k;
}

void
group_add_op(struct group *g, const struct group_op *op)
{
    if (g->op_count == g->op_cap) {
        size_t cap = g->op_cap ? g->op_cap * 2 : 8;
        g->ops = mem_resize(g->ops, g->op_cap * sizeof(*g->ops), cap * sizeof(*g->ops));
        g->op_cap = cap;
    }
    g->ops[g->op_count] = *op;
    if (op->verb == GROUP_RECORD_PUT) {
        if (g->arena == NULL)
            g->arena = arena_new(GROUP_ARENA_BYTES);
        g->ops[g->op_count].record = arena_str(g->arena, op->record);
    }
    g->op_count++;
    g->bytes += OP_OVERHEAD + sizeof(op->blob.bytes) + op->record.len;
}

struct group *
cell_building(struct cell *c)
{
    return &c->groups[c->building];
}

struct group *
cell_flying(struct cell *c)
{
    return c->in_flight ? &c->groups[c->building ^ 1] : NULL;
}

void
tx_undo_all(struct tx *t)
{
    struct cell *c = t->cell;
    struct group *g = cell_building(c);

    while (t->undo_count > 0) {
        struct tx_undo *u = &t->undo[--t->undo_count];
        struct cell_slot *slot = &u->key->slots[c->building];
        mem_free(slot->value.ptr);
        *slot = u->before;
        u->key->touched_by = NULL;
        if (!u->before.set) {
            /* It was the last to enter: the undo entries of a transaction are in the group's order. */
            ASSERT(g->key_count > 0 && g->keys[g->key_count - 1] == u->key);
            g->key_count--;
            cell_key_settle(u->key);
        }
    }
    g->op_count = t->ops_before;
    g->bytes = t->bytes_before;
    g->mailbox_count = t->mailboxes_before;
    g->mailboxes_many = t->many_before;
    g->modseq = t->modseq_before;
}

void
cell_void(struct cell *c, enum status why)
{
    struct group *g = cell_building(c);

    if (c->writer != NULL) {
        tx_undo_all(c->writer);
        c->writer->doomed = true;
    }
    drop_values(g, c->building);
    finish(g, why);
    group_reset(g);
}

void
cell_kick(struct cell *c)
{
    struct group *g = cell_building(c);

    if (c->in_flight || c->writer != NULL || list_empty(&g->members))
        return;
    struct tx *t = LIST_ENTRY(g->members.next, struct tx, node);
    if (t->lead)
        return;
    t->lead = true;
    fiber_wake(t->fiber);
}

void
cell_lead(struct cell *c)
{
    uint8_t slot = c->building;
    struct group *g = &c->groups[slot];
    struct cell_version now = c->version;
    AUTO_ARENA *a = arena_new(GROUP_ARENA_BYTES);

    ASSERT(!c->in_flight && c->writer == NULL);
    c->in_flight = true;
    c->building ^= 1;
    fiber_queue_wake_all(&c->moved);
    enum status s = ERR_IO;
    if (!c->home->failed)
        s = engine_commit(c->home->engine, c->id, c->version, make_batch(c, g, slot, a), &now);
    land(c, slot, s, now);
}

static struct batch *
make_batch(struct cell *c, struct group *g, uint8_t slot, struct arena *a)
{
    struct batch *b = batch_new(a);

    for (size_t i = 0; i < g->key_count; i++) {
        struct cell_key *k = g->keys[i];
        struct cell_value v = k->slots[slot].value;
        ASSERT(k->cell == c && k->slots[slot].set);
        if (v.ptr != NULL)
            batch_put(b, str_from(k->key, k->key_len), str_from(v.ptr, v.len));
        else
            batch_del(b, str_from(k->key, k->key_len));
    }
    for (size_t i = 0; i < g->op_count; i++) {
        const struct group_op *op = &g->ops[i];
        switch (op->verb) {
        case GROUP_REF_ADD: batch_ref_add(b, op->blob); break;
        case GROUP_REF_DROP: batch_ref_drop(b, op->blob); break;
        case GROUP_RECORD_PUT: batch_record_put(b, op->number, op->record); break;
        case GROUP_RECORD_DEL: batch_record_del(b, op->number); break;
        }
    }
    return b;
}

/* The result of a flight.  A failure voids the group that was built on it; only an unknown outcome ends the store. */
static void
land(struct cell *c, uint8_t slot, enum status s, struct cell_version now)
{
    struct group *g = &c->groups[slot];
    size_t members = list_count(&g->members);

    c->in_flight = false;
    c->landings++;
    c->alone -= c->alone > 0;
    if (s == OK) {
        c->version = now;
        keep_values(g, slot);
        tell_watch(c, g);
        engine_publish(c->home->engine, c->id, now.v);
    } else {
        drop_values(g, slot);
        if (s == ERR_IO)
            c->home->failed = true;
        if (s == ERR_CONFLICT || s == ERR_NOT_FOUND) {
            c->version_known = false;
            cell_forget(c);
        }
        cell_void(c, s == ERR_IO ? ERR_IO : ERR_CONFLICT);
        /* A blob that is not there, or what cannot be read, is the fault of one of them: each tries by itself. */
        if ((s == ERR_NOT_FOUND || s == ERR_CORRUPT || s == ERR_LIMIT) && members > 1) {
            c->alone = (uint32_t)members;
            s = ERR_CONFLICT;
        }
    }
    finish(g, s);
    group_reset(g);
    fiber_queue_wake_all(&c->moved);
    cell_kick(c);
    cells_evict(c->home);
}

static void
keep_values(struct group *g, uint8_t slot)
{
    for (size_t i = 0; i < g->key_count; i++) {
        struct cell_key *k = g->keys[i];
        struct cell_value v = k->slots[slot].value;
        cell_key_commit(k, v);
        k->known = v.ptr != NULL; /* what was deleted is seldom asked for again */
        k->slots[slot] = (struct cell_slot){0};
        cell_key_settle(k);
    }
    g->key_count = 0;
}

static void
drop_values(struct group *g, uint8_t slot)
{
    for (size_t i = 0; i < g->key_count; i++) {
        struct cell_key *k = g->keys[i];
        mem_free(k->slots[slot].value.ptr);
        k->slots[slot] = (struct cell_slot){0};
        cell_key_settle(k);
    }
    g->key_count = 0;
}

static void
finish(struct group *g, enum status s)
{
    for (struct list *node; (node = list_pop(&g->members)) != NULL;) {
        struct tx *t = LIST_ENTRY(node, struct tx, node);
        t->status = s;
        t->done = true;
        if (t->fiber != fiber_self())
            fiber_wake(t->fiber);
    }
}

static void
tell_watch(struct cell *c, const struct group *g)
{
    if (c->home->watch == NULL || (g->mailbox_count == 0 && !g->mailboxes_many))
        return;
    struct store_change change = {c->id.id, g->modseq, g->mailboxes, g->mailbox_count,
                                  g->mailboxes_many};
    c->home->watch->changed(c->home->watch, &change);
}

static void
group_reset(struct group *g)
{
    g->op_count = 0;
    arena_free(&g->arena);
    g->bytes = 0;
    g->modseq = 0;
    g->mailbox_count = 0;
    g->mailboxes_many = false;
}
