/* cell.h - transactions on one cell, many fibers at a time, one commit in flight.
 *
 * Use:       do {
 *                TRY(tx_begin(cell, &tx));
 *                ... tx_get, tx_put, tx_del ...
 *                status = tx_commit(&tx);
 *            } while (status == ERR_CONFLICT);
 *
 * Owns:      a cache of recently used keys of each open cell, at the committed version, and at most two
 *            groups per cell: one in flight, one being built.
 * Promises:  transactions of a cell build one after another (FIFO), each seeing what the earlier ones of its
 *            group and of the group in flight wrote; all of a group become durable and visible
 *            together, in one commit: that is the combiner.  cell_get() outside a transaction sees committed data only.
 *            tx_abort() leaves no trace in the group.  tx_commit() returns OK only after the commit is durable.
 *            ERR_CONFLICT: another node was first; nothing happened, build again.
 *            ERR_IO: outcome unknown, the process is about to end; nobody may be told success.
 * Suspends:  all calls marked so.  A fiber that built must commit or abort before it does anything slow.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CELL_H
#define STORE_CELL_H

#include "engine/engine.h"

struct cells; /* all open cells of this store */
struct cell;
struct tx;

struct cells *cells_new(struct engine *e, size_t cache_bytes);
void cells_free(struct cells **c);
struct engine *cells_engine(struct cells *c);

/* A counted reference; the cell need not exist yet.  The same id gives the same struct cell. */
struct cell *cell_open(struct cells *c, struct cell_id id);
void cell_close(struct cell **c);
struct cell_id cell_id_of(const struct cell *c);
struct cells *cell_home(const struct cell *c);
/* ERR_NOT_FOUND when the cell does not exist. */
MUST_USE SUSPENDS enum status cell_exists(struct cell *c);
/* Committed data; value_out->ptr NULL = absent. */
MUST_USE SUSPENDS enum status cell_get(struct cell *c, struct str key, struct arena *a,
                                       struct str *value_out);
MUST_USE SUSPENDS enum status cell_get_many(struct cell *c, const struct str *keys, size_t n,
                                            struct arena *a, struct str *values_out);
/* Committed entries of [lo, hi), in order, from the engine; see engine_walk(). */
MUST_USE SUSPENDS enum status cell_walk_page(struct cell *c, struct cell_walk *w, struct arena *a,
                                             const struct cell_entry **entries_out, size_t *n_out);
void cell_walk_end(struct cell *c, struct cell_walk *w);
/* Ends the cell for ever, with its records; what its values refer to must be dropped before.  Waits its turn. */
MUST_USE SUSPENDS enum status cell_drop(struct cell *c);

MUST_USE SUSPENDS enum status tx_begin(struct cell *c, struct tx **out); /* waits for its turn */
/* lives until commit or abort */
struct arena *tx_arena(struct tx *t);
/* the cell does not exist yet */
bool tx_is_new(const struct tx *t);
MUST_USE SUSPENDS enum status tx_get(struct tx *t, struct str key, struct str *value_out);
/* The same, borrowed: valid until the next call that suspends or writes this key. */
MUST_USE SUSPENDS enum status tx_peek(struct tx *t, struct str key, struct str *value_out);
/* Brings keys that are not cached into the cache in one engine read, for the tx_get() calls that follow. */
MUST_USE SUSPENDS enum status tx_load(struct tx *t, const struct str *keys, size_t n);
/* Entries of [lo, hi) with this transaction's view, at most max; for short ranges. */
struct tx_span {
    struct str lo, hi;
    size_t max;
};
MUST_USE SUSPENDS enum status tx_range(struct tx *t, struct tx_span span,
                                       const struct cell_entry **entries_out, size_t *n_out);
void tx_put(struct tx *t, struct str key, struct str value);
void tx_del(struct tx *t, struct str key);
void tx_ref_add(struct tx *t, struct blob_id id);
void tx_ref_drop(struct tx *t, struct blob_id id);
void tx_record_put(struct tx *t, uint64_t number, struct str record);
void tx_record_del(struct tx *t, uint64_t number);
/* The change has this modseq and touched this mailbox: what store_watch.h reports after the commit. */
void tx_touch(struct tx *t, uint64_t modseq, uint32_t mailbox);
/* of the whole group so far: split big work before 4 MiB */
size_t tx_group_bytes(const struct tx *t);
MUST_USE SUSPENDS enum status tx_commit(struct tx **t);
void tx_abort(struct tx **t); /* fits AUTO(): safe on NULL and after a commit */

#endif
