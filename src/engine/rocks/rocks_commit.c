/* rocks_commit.c - a commit on the loop's side: judged, written into the open group, awaited.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/rocks/rocks_blob_internal.h"
#include "engine/rocks/rocks_upkeep_internal.h"

/* The blobs that a batch refers to, pinned; NULL: of which nothing can be read. */
struct refs {
    struct rocks_loc **locs;
    size_t count;
};

static enum status refs_pin(struct rocks *r, const struct batch *b, struct refs *refs);
static void refs_unpin(struct rocks *r, struct refs *refs);
static enum status refs_judge(const struct batch *b, const struct refs *refs);
static enum status cell_turn(struct rocks *r, struct rocks_cell *cell, struct cell_version expect);
static enum status submit(struct rocks *r, struct rocks_cell *cell, const struct batch *b,
                          struct refs *refs, struct cell_version *now_out);
static void batch_write(struct rocks *r, rocksdb_writebatch_t *w, struct cell_id c,
                        const struct batch *b);
static void refs_write(struct rocks *r, rocksdb_writebatch_t *w, const struct batch *b,
                       struct refs *refs);

enum status
rocks_commit(struct engine *e, struct cell_id c, struct cell_version expect, struct batch *b,
             struct cell_version *now_out)
{
    struct rocks *r = rocks_of(e);
    struct rocks_cell *cell;
    struct refs refs = {0};

    TRY(rocks_cell_pin(r, c, &cell));
    enum status status = refs_pin(r, b, &refs);
    if (status == OK) {
        rocks_group_room(r);
        status = cell_turn(r, cell, expect);
    }
    if (status == OK)
        status = refs_judge(b, &refs);
    if (status == OK)
        status = submit(r, cell, b, &refs, now_out);
    refs_unpin(r, &refs);
    rocks_cell_unpin(r, cell);
    return status;
}

/* Leaves the tombstone and a note for the reaper: a large cell's entries go away in small steps. */
enum status
rocks_drop(struct engine *e, struct cell_id c, struct cell_version expect)
{
    struct rocks *r = rocks_of(e);
    struct rocks_cell *cell;
    char name[1 + CELL_NAME_SIZE] = "d";

    TRY(rocks_cell_pin(r, c, &cell));
    rocks_group_room(r);
    enum status status = cell_turn(r, cell, expect);
    if (status == OK) {
        struct rocks_commit commit = {.cell = cell, .version = cell->version + 1, .drop = true};
        rocksdb_writebatch_t *w = rocks_group_begin(r);
        cell_name(c, name + 1);
        rocks_put(r, w, CF_META, str_from(name, sizeof(name)), STR("\1"));
        rocks_version_write(r, w, c, commit.version, true);
        cell->in_flight = &commit;
        rocks_group_end(r, &commit, 64);
        r->upkeep->reaping++;
        status = rocks_commit_wait(&commit);
    }
    rocks_cell_unpin(r, cell);
    return status;
}

/* Waits until no commit to the cell is in flight, and says whether ours may follow.  Nothing suspends
 * between its OK and the submission. */
static SUSPENDS enum status
cell_turn(struct rocks *r, struct rocks_cell *cell, struct cell_version expect)
{
    while (cell->in_flight)
        rocks_wait(&cell->waiters);
    if (r->base.failed)
        return ERR_IO;
    if (cell->dropped)
        return ERR_NOT_FOUND;
    return cell->version == expect.v ? OK : ERR_CONFLICT;
}

/* Suspends for blobs that are not in memory, and for those whose bytes are still on their way. */
static SUSPENDS enum status
refs_pin(struct rocks *r, const struct batch *b, struct refs *refs)
{
    size_t n = 0;

    batch_each(op, b) n += op->verb == BATCH_REF_ADD || op->verb == BATCH_REF_DROP;
    if (n == 0)
        return OK;
    refs->locs = MEM_ARRAY(struct rocks_loc *, n);
    batch_each(op, b)
    {
        if (op->verb != BATCH_REF_ADD && op->verb != BATCH_REF_DROP)
            continue;
        struct rocks_loc *loc;
        enum status status = rocks_loc_pin(r, op->blob, &loc);
        /* A message must not stay for ever because what its body's place says is damaged. */
        if (status == ERR_CORRUPT && op->verb == BATCH_REF_DROP) {
            refs->locs[refs->count++] = NULL;
            continue;
        }
        TRY(status);
        refs->locs[refs->count++] = loc;
        TRY(rocks_loc_durable(loc));
    }
    return OK;
}

static void
refs_unpin(struct rocks *r, struct refs *refs)
{
    for (size_t i = 0; i < refs->count; i++)
        if (refs->locs[i])
            rocks_loc_unpin(r, refs->locs[i]);
    mem_free(refs->locs);
}

/* A reference may be added to what exists; the state may have changed since it was pinned. */
static enum status
refs_judge(const struct batch *b, const struct refs *refs)
{
    size_t i = 0;

    batch_each(op, b)
    {
        if (op->verb != BATCH_REF_ADD && op->verb != BATCH_REF_DROP)
            continue;
        if (op->verb == BATCH_REF_ADD && !refs->locs[i]->exists)
            return ERR_NOT_FOUND;
        i++;
    }
    return OK;
}

static SUSPENDS enum status
submit(struct rocks *r, struct rocks_cell *cell, const struct batch *b, struct refs *refs,
       struct cell_version *now_out)
{
    struct rocks_commit commit = {.cell = cell, .version = cell->version + 1};
    size_t bytes = b->bytes;

    for (size_t i = 0; i < refs->count; i++)
        bytes += refs->locs[i] ? refs->locs[i]->body.len : 0;
    rocksdb_writebatch_t *w = rocks_group_begin(r);
    batch_write(r, w, cell->id, b);
    refs_write(r, w, b, refs);
    rocks_version_write(r, w, cell->id, commit.version, false);
    /* cppcheck-suppress autoVariables ; it is out of flight before we return */
    cell->in_flight = &commit;
    rocks_group_end(r, &commit, bytes);
    TRY(rocks_commit_wait(&commit));
    *now_out = (struct cell_version){commit.version};
    return OK;
}

static void
batch_write(struct rocks *r, rocksdb_writebatch_t *w, struct cell_id c, const struct batch *b)
{
    char room[ROCKS_KEY_MAX], number[8];

    batch_each(op, b)
    {
        be64_put(number, op->number);
        struct str record = str_from(number, sizeof(number));
        switch (op->verb) {
        case BATCH_PUT:
            rocks_put(r, w, CF_CELL, rocks_cell_key(c, op->key, room), op->value);
            break;
        case BATCH_DEL: rocks_del(r, w, CF_CELL, rocks_cell_key(c, op->key, room)); break;
        case BATCH_RECORD_PUT:
            rocks_put(r, w, CF_RECORD, rocks_cell_key(c, record, room), op->value);
            break;
        case BATCH_RECORD_DEL: rocks_del(r, w, CF_RECORD, rocks_cell_key(c, record, room)); break;
        case BATCH_REF_ADD:
        case BATCH_REF_DROP: break; /* refs_write() */
        }
    }
}

/* Counts first, because only the sum of a batch matters; then writes each blob's new state. */
static void
refs_write(struct rocks *r, rocksdb_writebatch_t *w, const struct batch *b, struct refs *refs)
{
    size_t i = 0;

    batch_each(op, b)
    {
        if (op->verb != BATCH_REF_ADD && op->verb != BATCH_REF_DROP)
            continue;
        struct rocks_loc *loc = refs->locs[i++];
        if (!loc)
            continue;
        if (op->verb == BATCH_REF_ADD) {
            loc->refs++;
            loc->pending = false;
        } else if (loc->refs > 0) {
            loc->refs--;
        }
    }
    for (i = 0; i < refs->count; i++)
        if (refs->locs[i] && refs->locs[i]->exists && !refs->locs[i]->pending)
            rocks_loc_write(r, w, refs->locs[i]);
}
