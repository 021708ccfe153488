/* cell_internal.h - inside of cells: cached keys, the two groups of a cell, the order of its writers.
 *
 * A key has one entry for all layers: the committed value, and at most one value in each of the two groups.  A
 * transaction reads the group being built, then the group in flight, then what is committed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CELL_INTERNAL_H
#define STORE_CELL_INTERNAL_H

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "store/cell.h"
#include "store/store_watch.h"

#define GROUP_SOFT_BYTES (1u << 20) /* a new transaction waits for a group of this size to leave */
#define OP_OVERHEAD      32u        /* of one change beside its bytes, as the engine counts */

struct cell_value {
    char *ptr; /* NULL = absent or deleted */
    size_t len;
};
struct cell_slot {
    bool set;
    struct cell_value value;
};
struct cell_key {
    struct list lru; /* in cells->lru while no group has a value; else a ring of itself */
    struct cell *cell;
    bool known; /* committed holds the value at cell->version */
    struct cell_value committed;
    struct cell_slot slots[2];
    const struct tx *touched_by; /* has an undo entry of this transaction */
    size_t key_len;
    char key[];
};

enum group_verb { GROUP_REF_ADD, GROUP_REF_DROP, GROUP_RECORD_PUT, GROUP_RECORD_DEL };
struct group_op {
    enum group_verb verb;
    struct blob_id blob;
    uint64_t number;
    struct str record; /* in the group's arena */
};
struct group {
    struct list members; /* struct tx that wait for it, in order */
    struct cell_key **keys;
    size_t key_count, key_cap;
    struct group_op *ops;
    size_t op_count, op_cap;
    struct arena *arena; /* records */
    size_t bytes;
    uint64_t modseq;
    uint32_t mailboxes[STORE_CHANGE_MAILBOXES];
    size_t mailbox_count;
    bool mailboxes_many;
};

struct cell {
    struct cells *home;
    struct cell_id id;
    uint32_t refs;
    struct map *keys;
    struct fiber_lock build; /* who may build: FIFO */
    struct tx *writer;       /* the transaction that is building */
    struct group groups[2];
    uint8_t building; /* index of the group being built; the other may be in flight */
    bool in_flight;
    struct fiber_queue moved; /* those who wait for a group to leave or to land */
    uint32_t alone;           /* so many groups have one member: to find whose fault it was */
    bool version_known, stale;
    struct cell_version version;
    uint64_t landings; /* counts them, to tell own commits from others */
};

struct cells {
    struct engine *engine;
    struct map *open; /* by kind and id */
    struct list lru;  /* struct cell_key, most recent first */
    size_t bytes, bytes_max;
    struct store_watch *watch;
    bool failed;
};

struct tx_undo {
    struct cell_key *key;
    struct cell_slot before;
};
struct tx {
    struct cell *cell;
    struct arena *arena;
    struct list node; /* in group->members */
    struct fiber *fiber;
    bool is_new, doomed, done, lead;
    enum status status;
    struct tx_undo *undo;
    size_t undo_count, undo_cap;
    /* of the group, when this transaction began */
    size_t ops_before, bytes_before, mailboxes_before;
    uint64_t modseq_before;
    bool many_before;
};

/* ---- cell_cache.c ---- */
struct cell_key *cell_key_find(const struct cell *c, struct str key);
struct cell_key *cell_key_make(struct cell *c, struct str key);
void cell_key_used(struct cell_key *k);
/* value.ptr NULL = absent */
void cell_key_commit(struct cell_key *k, struct cell_value value);
void cell_key_free(struct cell_key *k);
struct cell_value cell_value_of(struct str s);
/* Puts a key without group values into the LRU, or drops it when nothing is known of it. */
void cell_key_settle(struct cell_key *k);
void cells_evict(struct cells *cs);
void cell_forget(struct cell *c);     /* everything committed that is cached */
void cell_maybe_free(struct cell *c); /* nobody holds it and nothing is cached */

/* ---- cell.c ---- */
#define CELL_READ_KEYS_MAX 4096u /* of one engine read */
/* Knows the version afterwards, unless a flight is under way. */
SUSPENDS MUST_USE enum status cell_version_load(struct cell *c);
/* A copy of the committed value; false when it is not cached. */
bool cell_cached(const struct cell *c, struct str key, struct arena *a, struct str *value_out);
SUSPENDS MUST_USE enum status cell_read(struct cell *c, const struct str *keys, size_t n,
                                        struct arena *a, struct str *values_out);
void cell_keep(struct cell *c, struct str key, struct str value);
SUSPENDS MUST_USE enum status cell_engine_get(struct cell *c, const struct str *keys, size_t n,
                                              struct arena *a, struct str *values_out,
                                              struct cell_version *at_out);
SUSPENDS MUST_USE enum status cell_engine_version(struct cell *c, struct cell_version *out);

/* ---- cell_group.c ---- */
void group_init(struct group *g);
void group_release(struct group *g);
void group_add_key(struct group *g, struct cell_key *k);
void group_add_op(struct group *g, const struct group_op *op);
struct group *cell_building(struct cell *c);
struct group *cell_flying(struct cell *c); /* NULL when none */
/* Undoes what the writer put into the group. */
void tx_undo_all(struct tx *t);
/* Everything that is built on the committed state is void: members and writer must build again. */
void cell_void(struct cell *c, enum status why);
/* Starts the group being built, when none is in flight and nobody is building, by one of its members. */
void cell_kick(struct cell *c);
SUSPENDS void cell_lead(struct cell *c);

#endif
