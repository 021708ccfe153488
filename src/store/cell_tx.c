/* cell_tx.c - transactions: reading through the layers, writing with undo, joining the group.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/cell_internal.h"

#define TX_ARENA_BYTES \
    (256u << 20) /* of one transaction; its work is bounded by LIMIT_COMMIT_BYTES */
#define READ_TRIES       4
#define RANGE_PAGE_BYTES (64u << 10)

struct range_work {
    struct tx *t;
    struct tx_span span;
    struct cell_entry *entries;
    size_t count, cap;
};

static SUSPENDS enum status range_read(struct range_work *r);
static void range_add(struct range_work *r, struct str key, struct str value);
static void range_overlay(struct range_work *r, const struct group *g, uint8_t slot);
static int by_key(const void *a, const void *b);
static void tx_end(struct tx **tp);
static SUSPENDS enum status wait_turn(struct cell *c);
static bool tx_see(const struct tx *t, struct str key, struct cell_value *out);
static SUSPENDS enum status read_strict(struct tx *t, const struct str *keys, size_t n);
static SUSPENDS enum status same_version(struct tx *t, struct cell_version at, uint64_t landings);
static void tx_write(struct tx *t, struct str key, struct cell_value v);
static SUSPENDS enum status wait_group(struct tx *t);
static bool too_big(const struct tx *t);

enum status
tx_begin(struct cell *c, struct tx **out)
{
    TRY(fiber_lock_take(&c->build));
    enum status s = wait_turn(c);
    if (s != OK) {
        fiber_lock_give(&c->build);
        cell_kick(c);
        return s;
    }
    struct tx *t = MEM_NEW(struct tx);
    struct group *g = cell_building(c);
    t->cell = c;
    t->arena = arena_new(TX_ARENA_BYTES);
    t->fiber = fiber_self();
    t->is_new = c->version.v == 0 && !c->in_flight && g->key_count == 0;
    t->ops_before = g->op_count;
    t->bytes_before = g->bytes;
    t->mailboxes_before = g->mailbox_count;
    t->many_before = g->mailboxes_many;
    t->modseq_before = g->modseq;
    list_init(&t->node);
    c->writer = t;
    *out = t;
    return OK;
}

struct arena *
tx_arena(struct tx *t)
{
    return t->arena;
}

bool
tx_is_new(const struct tx *t)
{
    return t->is_new;
}

enum status
tx_get(struct tx *t, struct str key, struct str *value_out)
{
    struct str v;

    TRY(tx_peek(t, key, &v));
    *value_out = v.ptr == NULL ? STR_NONE : arena_str(t->arena, v);
    return OK;
}

enum status
tx_peek(struct tx *t, struct str key, struct str *value_out)
{
    struct cell_value v;

    if (t->doomed)
        return ERR_CONFLICT;
    if (!tx_see(t, key, &v)) {
        TRY(read_strict(t, &key, 1));
        ASSERT(tx_see(t, key, &v));
    }
    *value_out = str_from(v.ptr, v.len);
    return OK;
}

enum status
tx_load(struct tx *t, const struct str *keys, size_t n)
{
    struct cell_value v;
    size_t count = 0;

    if (t->doomed)
        return ERR_CONFLICT;
    struct str *missing = ARENA_ARRAY(t->arena, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!tx_see(t, keys[i], &v))
            missing[count++] = keys[i];
    }
    return count > 0 ? read_strict(t, missing, count) : OK;
}

enum status
tx_range(struct tx *t, struct tx_span span, const struct cell_entry **entries_out, size_t *n_out)
{
    struct range_work r = {.t = t, .span = span};
    enum status s = ERR_CONFLICT;

    for (int tries = 0; tries < READ_TRIES && s == ERR_CONFLICT && !t->doomed; tries++) {
        r.count = 0;
        s = range_read(&r);
    }
    if (t->doomed)
        return ERR_CONFLICT;
    TRY(s);
    range_overlay(&r, cell_flying(t->cell), t->cell->building ^ 1);
    range_overlay(&r, cell_building(t->cell), t->cell->building);
    if (r.count > 1)
        qsort(r.entries, r.count, sizeof(*r.entries), by_key);
    *entries_out = r.entries;
    *n_out = MIN(r.count, span.max);
    return OK;
}

void
tx_put(struct tx *t, struct str key, struct str value)
{
    ASSERT(value.ptr != NULL);
    if (!t->doomed)
        tx_write(t, key, cell_value_of(value));
}

void
tx_del(struct tx *t, struct str key)
{
    if (!t->doomed)
        tx_write(t, key, (struct cell_value){NULL, 0});
}

void
tx_ref_add(struct tx *t, struct blob_id id)
{
    if (!t->doomed)
        group_add_op(cell_building(t->cell), &(struct group_op){GROUP_REF_ADD, .blob = id});
}

void
tx_ref_drop(struct tx *t, struct blob_id id)
{
    if (!t->doomed)
        group_add_op(cell_building(t->cell), &(struct group_op){GROUP_REF_DROP, .blob = id});
}

void
tx_record_put(struct tx *t, uint64_t number, struct str record)
{
    struct group_op op = {GROUP_RECORD_PUT, .number = number, .record = record};

    if (!t->doomed)
        group_add_op(cell_building(t->cell), &op);
}

void
tx_record_del(struct tx *t, uint64_t number)
{
    struct group_op op = {GROUP_RECORD_DEL, .number = number};

    if (!t->doomed)
        group_add_op(cell_building(t->cell), &op);
}

void
tx_touch(struct tx *t, uint64_t modseq, uint32_t mailbox)
{
    struct group *g = cell_building(t->cell);

    if (t->doomed)
        return;
    g->modseq = MAX(g->modseq, modseq);
    for (size_t i = 0; i < g->mailbox_count; i++) {
        if (g->mailboxes[i] == mailbox)
            return;
    }
    if (g->mailbox_count == STORE_CHANGE_MAILBOXES)
        g->mailboxes_many = true;
    else
        g->mailboxes[g->mailbox_count++] = mailbox;
}

size_t
tx_group_bytes(const struct tx *t)
{
    return cell_building(t->cell)->bytes;
}

/* A transaction that wrote nothing may have read what is not durable yet, so it waits for that all the same. */
enum status
tx_commit(struct tx **tp)
{
    struct tx *t = *tp;
    struct cell *c = t->cell;
    struct group *g = cell_building(c);

    ASSERT(c->writer == t && t->fiber == fiber_self());
    if (t->doomed || too_big(t)) {
        enum status s = c->home->failed                    ? ERR_IO
                        : t->doomed || t->bytes_before > 0 ? ERR_CONFLICT
                                                           : ERR_LIMIT;
        tx_abort(tp);
        return s;
    }
    for (size_t i = 0; i < t->undo_count; i++) {
        mem_free(t->undo[i].before.value.ptr);
        t->undo[i].key->touched_by = NULL;
    }
    t->undo_count = 0;
    c->writer = NULL;
    fiber_lock_give(&c->build);
    if (g->key_count == 0 && g->op_count == 0)
        g = cell_flying(c);
    if (g == NULL) {
        tx_end(tp);
        return OK;
    }
    list_push(&g->members, &t->node);
    enum status s = wait_group(t);
    tx_end(tp);
    return s;
}

void
tx_abort(struct tx **tp)
{
    struct tx *t = *tp;

    if (t == NULL)
        return;
    struct cell *c = t->cell;
    ASSERT(c->writer == t);
    if (!t->doomed)
        tx_undo_all(t);
    c->writer = NULL;
    fiber_lock_give(&c->build);
    cell_kick(c);
    tx_end(tp);
}

static void
tx_end(struct tx **tp)
{
    struct tx *t = *tp;

    ASSERT(list_empty(&t->node) && t->undo_count == 0);
    mem_free(t->undo);
    arena_free(&t->arena);
    mem_free(t);
    *tp = NULL;
}

/* With the lock held: until the group being built has room, and the cell's version is known. */
static enum status
wait_turn(struct cell *c)
{
    while (!list_empty(&cell_building(c)->members) &&
           (cell_building(c)->bytes >= GROUP_SOFT_BYTES || c->alone > 0)) {
        cell_kick(c);
        TRY(fiber_queue_wait(&c->moved, FIBER_FOREVER));
    }
    do {
        TRY(cell_version_load(c));
    } while (!c->version_known);
    return OK;
}

/* What is committed and no group has changed: enough of it that max remain whatever the groups deleted. */
static enum status
range_read(struct range_work *r)
{
    struct cell *c = r->t->cell;
    const struct cell_entry *page;
    struct cell_walk w = {
        .cell = c->id, .lo = r->span.lo, .hi = r->span.hi, .bytes_max = RANGE_PAGE_BYTES};
    uint64_t landings = c->landings;
    enum status s;
    size_t n;

    do {
        s = engine_walk(c->home->engine, &w, r->t->arena, &page, &n);
        if (s == ERR_NOT_FOUND) /* the cell does not exist */
            s = OK, n = 0;
        if (s == OK)
            s = same_version(r->t, w.version, landings);
        for (size_t i = 0; s == OK && i < n && r->count < r->span.max; i++) {
            const struct cell_key *k = cell_key_find(c, page[i].key);
            if (k == NULL || (!k->slots[0].set && !k->slots[1].set))
                range_add(r, page[i].key, page[i].value);
        }
    } while (s == OK && n > 0 && r->count < r->span.max);
    engine_walk_end(c->home->engine, &w);
    return s;
}

static void
range_add(struct range_work *r, struct str key, struct str value)
{
    struct arena *a = r->t->arena;

    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct cell_entry *more = ARENA_ARRAY(a, struct cell_entry, cap);
        mem_copy(more, r->entries, r->count * sizeof(*more));
        r->entries = more;
        r->cap = cap;
    }
    r->entries[r->count++] = (struct cell_entry){key, value};
}

/* What a group wrote into the range, unless the group built on it wrote the same key. */
static void
range_overlay(struct range_work *r, const struct group *g, uint8_t slot)
{
    const struct cell *c = r->t->cell;

    for (size_t i = 0; g != NULL && i < g->key_count; i++) {
        const struct cell_key *k = g->keys[i];
        struct str key = str_from(k->key, k->key_len);
        struct cell_value v = k->slots[slot].value;
        if (v.ptr == NULL || str_cmp(key, r->span.lo) < 0 || str_cmp(key, r->span.hi) >= 0 ||
            (slot != c->building && k->slots[c->building].set))
            continue;
        range_add(r, arena_str(r->t->arena, key), arena_str(r->t->arena, str_from(v.ptr, v.len)));
    }
}

static int
by_key(const void *a, const void *b)
{
    const struct cell_entry *x = a, *y = b;

    return str_cmp(x->key, y->key);
}

/* The value in this transaction's view, when that needs no reading. */
static bool
tx_see(const struct tx *t, struct str key, struct cell_value *out)
{
    const struct cell *c = t->cell;
    struct cell_key *k = cell_key_find(c, key);

    if (k == NULL)
        return false;
    if (k->slots[c->building].set) {
        *out = k->slots[c->building].value;
    } else if (k->slots[c->building ^ 1].set) {
        *out = k->slots[c->building ^ 1].value;
    } else {
        if (!k->known)
            return false;
        *out = k->committed;
        cell_key_used(k);
    }
    return true;
}

/* Into the cache, at the version that this transaction will commit upon. */
static enum status
read_strict(struct tx *t, const struct str *keys, size_t n)
{
    struct cell *c = t->cell;
    struct cell_version at;

    for (int tries = 0; tries < READ_TRIES; tries++) {
        AUTO_ARENA *a = arena_new(TX_ARENA_BYTES);
        struct str *values = ARENA_ARRAY(a, struct str, n);
        uint64_t landings = c->landings;
        enum status s = cell_engine_get(c, keys, n, a, values, &at);
        if (s == OK)
            s = same_version(t, at, landings);
        if (t->doomed)
            return ERR_CONFLICT;
        if (s == ERR_CONFLICT)
            continue;
        TRY(s);
        for (size_t i = 0; i < n; i++)
            cell_keep(c, keys[i], values[i]);
        return OK;
    }
    return ERR_CONFLICT;
}

/* OK: what was read at this version is what this transaction builds on.  ERR_CONFLICT: read again, or, when the
 * transaction is doomed, build again. */
static enum status
same_version(struct tx *t, struct cell_version at, uint64_t landings)
{
    struct cell *c = t->cell;

    if (t->doomed)
        return ERR_CONFLICT;
    if (at.v == c->version.v)
        return OK;
    while (c->in_flight && !t->doomed)
        TRY(fiber_queue_wait(&c->moved, FIBER_FOREVER));
    if (t->doomed)
        return ERR_CONFLICT;
    if (at.v == c->version.v)
        return OK;
    if (c->landings == landings) {
        /* Nobody of this process wrote meanwhile: another node was first. */
        cell_void(c, ERR_CONFLICT);
        c->version_known = false;
        cell_forget(c);
    }
    return ERR_CONFLICT;
}

static void
tx_write(struct tx *t, struct str key, struct cell_value v)
{
    struct cell *c = t->cell;
    struct group *g = cell_building(c);
    struct cell_key *k = cell_key_find(c, key);

    if (k == NULL)
        k = cell_key_make(c, key);
    struct cell_slot *slot = &k->slots[c->building];
    g->bytes += OP_OVERHEAD + key.len + v.len;
    if (slot->set)
        g->bytes -= OP_OVERHEAD + key.len + slot->value.len;
    if (k->touched_by == t) {
        mem_free(slot->value.ptr);
    } else {
        if (t->undo_count == t->undo_cap) {
            size_t cap = t->undo_cap ? t->undo_cap * 2 : 16;
            t->undo = mem_resize(t->undo, t->undo_cap * sizeof(*t->undo), cap * sizeof(*t->undo));
            t->undo_cap = cap;
        }
        t->undo[t->undo_count++] = (struct tx_undo){k, *slot};
        k->touched_by = t;
    }
    if (!slot->set)
        group_add_key(g, k);
    list_remove(&k->lru);
    *slot = (struct cell_slot){true, v};
}

/* Until the group has landed.  Cancelled: the outcome is not known to the caller. */
static enum status
wait_group(struct tx *t)
{
    struct cell *c = t->cell;

    while (!t->done) {
        bool in_flight_one = cell_flying(c) != NULL;
        if (!in_flight_one && c->writer == NULL) {
            t->lead = false;
            cell_lead(c);
            continue;
        }
        t->lead = false;
        enum status s = fiber_park(FIBER_FOREVER);
        if (s != OK && !t->done) {
            list_remove(&t->node);
            if (t->lead)
                cell_kick(c);
            return s;
        }
    }
    return t->status;
}

static bool
too_big(const struct tx *t)
{
    return cell_building(t->cell)->bytes > LIMIT_COMMIT_BYTES - LIMIT_COMMIT_BYTES / 64;
}
