/* mem_commit.c - commits of the in-memory engine: one in flight per cell and engine, applied at once or not at all.
 *
 * Promises:  while a commit is in flight, another to the same cell waits for its outcome and is judged
 *            then, so that a loser which reads again sees the winner's version.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

#include "rt/random.h"

static SUSPENDS enum status commit_run(struct mem_engine *m, struct mem_cell *cell,
                                       struct cell_version expect, const struct batch *b,
                                       struct cell_version *now_out);
static enum status commit_faults(struct mem_engine *m, const struct batch *b);
static bool commit_under_way(const struct mem_engine *m, const struct mem_cell *cell);
static enum status commit_judge(const struct mem_engine *m, const struct mem_commit *c);
static SUSPENDS enum status commit_send(struct mem_engine *m, struct mem_commit *c);
static bool commit_is_recent(const struct mem_commit *c);
static void commit_apply(struct mem_engine *m, struct mem_commit *c);
static void op_apply(struct mem_world *w, struct mem_cell *cell, const struct batch_op *op);
static SUSPENDS void cell_wait(struct mem_cell *cell);
static void cell_leave(struct mem_cell *cell);

enum status
mem_commit(struct engine *e, struct cell_id c, struct cell_version expect, struct batch *b,
           struct cell_version *now_out)
{
    struct mem_engine *m = mem_of(e);

    TRY(mem_call(m));
    TRY(commit_faults(m, b));
    return commit_run(m, mem_cell_make(m->world, c), expect, b, now_out);
}

enum status
mem_drop(struct engine *e, struct cell_id c, struct cell_version expect)
{
    struct mem_engine *m = mem_of(e);
    struct cell_version now;

    TRY(mem_call(m));
    TRY(commit_faults(m, NULL));
    return commit_run(m, mem_cell_make(m->world, c), expect, NULL, &now);
}

void
mem_commit_cut(struct mem_engine *m)
{
    list_each_safe(node, after, &m->in_flight)
    {
        struct mem_commit *c = LIST_ENTRY(node, struct mem_commit, in_engine);
        if (!c->applied && random_below(2) == 0 && commit_judge(m, c) == OK)
            commit_apply(m, c);
        c->cut = true;
    }
}

/* Runs one commit to its outcome.  Other engines of the world may commit to the cell meanwhile. */
static enum status
commit_run(struct mem_engine *m, struct mem_cell *cell, struct cell_version expect,
           const struct batch *b, struct cell_version *now_out)
{
    if (m->cluster)
        mem_delay(m, true); /* the way there */
    while (commit_under_way(m, cell))
        cell_wait(cell);
    if (m->base.failed)
        return ERR_IO;
    m->world->version_next += 1 + random_below(m->cluster ? 8 : 1);

    struct mem_commit c = {
        .cell = cell, .batch = b, .expect = expect, .version = m->world->version_next};
    TRY(commit_judge(m, &c));
    list_push(&m->in_flight, &c.in_engine);
    enum status s = commit_send(m, &c);
    list_remove(&c.in_engine);
    cell_leave(cell);
    if (s == OK)
        *now_out = (struct cell_version){c.version};
    return s;
}

static enum status
commit_faults(struct mem_engine *m, const struct batch *b)
{
    const struct engine_faults *f = &m->faults;

    if (f->full && b) {
        batch_each(op,
                   b) if (op->verb == BATCH_PUT || op->verb == BATCH_REF_ADD) return ERR_NO_SPACE;
    }
    if (m->calls - m->fault_base == f->conflict_call || mem_chance(f->conflict_percent))
        return ERR_CONFLICT;
    return mem_chance(f->temp_percent) ? ERR_TEMP : OK;
}

/* Would the batch be accepted?  Changes nothing. */
static enum status
commit_judge(const struct mem_engine *m, const struct mem_commit *c)
{
    const struct mem_cell *cell = c->cell;

    if (cell->dropped)
        return ERR_NOT_FOUND;
    if (cell->version != c->expect.v)
        return ERR_CONFLICT;
    if (!c->batch)
        return OK;

    size_t added = 0;
    batch_each(op, c->batch)
    {
        if (op->verb == BATCH_REF_ADD && !mem_blob_find(m->world, op->blob))
            return ERR_NOT_FOUND;
        added += op->verb == BATCH_PUT && !mem_table_find(&cell->keys, op->key);
    }
    return m->cluster && cell->keys.count + added > ENGINE_CELL_KEYS_MAX ? ERR_LIMIT : OK;
}

/* Sends, and sends again while the answer is lost and the version says that nothing happened. */
static enum status
commit_send(struct mem_engine *m, struct mem_commit *c)
{
    for (;;) {
        mem_delay(m, true);
        if (c->cut || m->base.failed)
            return ERR_IO;
        bool lost = mem_chance(m->faults.ambiguous_percent);
        if (!lost || random_below(2) == 0) {
            TRY(commit_judge(m, c));
            commit_apply(m, c);
        }
        if (!lost)
            return OK;
        mem_delay(m, false); /* asks for the version */
        if (c->cut || m->base.failed)
            return ERR_IO;
        if (commit_is_recent(c))
            return OK;
    }
}

/* A version is given to one commit only, so finding it says that the commit happened. */
static bool
commit_is_recent(const struct mem_commit *c)
{
    for (size_t i = 0; i < MEM_RECENT; i++)
        if (c->cell->recent[i] == c->version)
            return true;
    return false;
}

static void
commit_apply(struct mem_engine *m, struct mem_commit *c)
{
    struct mem_cell *cell = c->cell;

    ASSERT(!c->applied && c->version > cell->version);
    c->applied = true;
    cell->version = c->version;
    cell->recent[cell->recent_next++ % MEM_RECENT] = c->version;
    if (c->batch) {
        batch_each(op, c->batch) op_apply(m->world, cell, op);
        /* After all of them: a batch may drop and add one blob in any order. */
        batch_each(op, c->batch)
        {
            const struct mem_blob *blob = mem_blob_find(m->world, op->blob);
            if (op->verb == BATCH_REF_DROP && blob && blob->refs == 0 && !blob->pending)
                mem_blob_del(m->world, op->blob);
        }
    } else {
        cell->dropped = true;
        mem_table_release(&cell->keys);
        mem_table_release(&cell->records);
    }
}

static void
op_apply(struct mem_world *w, struct mem_cell *cell, const struct batch_op *op)
{
    char number[8];
    struct mem_blob *blob;

    be64_put(number, op->number);
    switch (op->verb) {
    case BATCH_PUT: mem_table_put(&cell->keys, op->key, op->value); break;
    case BATCH_DEL: mem_table_del(&cell->keys, op->key); break;
    case BATCH_REF_ADD:
        blob = mem_blob_find(w, op->blob);
        if (blob) {
            blob->refs++;
            blob->pending = NULL;
        }
        break;
    case BATCH_REF_DROP:
        blob = mem_blob_find(w, op->blob);
        if (blob && blob->refs > 0)
            blob->refs--;
        break;
    case BATCH_RECORD_PUT:
        mem_table_put(&cell->records, str_from(number, sizeof(number)), op->value);
        break;
    case BATCH_RECORD_DEL: mem_table_del(&cell->records, str_from(number, sizeof(number))); break;
    }
}

static bool
commit_under_way(const struct mem_engine *m, const struct mem_cell *cell)
{
    list_each (node, &m->in_flight)
        if (LIST_ENTRY(node, struct mem_commit, in_engine)->cell == cell)
            return true;
    return false;
}

static void
cell_wait(struct mem_cell *cell)
{
    struct mem_waiter w = {.event = {0}};

    list_push(&cell->waiters, &w.node);
    engine_event_wait(&w.event);
}

static void
cell_leave(struct mem_cell *cell)
{
    for (struct list *node; (node = list_pop(&cell->waiters)) != NULL;)
        engine_event_set(&LIST_ENTRY(node, struct mem_waiter, node)->event);
}
