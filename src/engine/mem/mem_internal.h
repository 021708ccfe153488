/* mem_internal.h - the in-memory engine: worlds, cells as sorted arrays, faults.
 *
 * Owns:      a world: cells and blobs under a name, shared by the engines that have it open.
 * Threads:   one loop; nothing here locks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_MEM_MEM_INTERNAL_H
#define ENGINE_MEM_MEM_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_faults.h"
#include "engine/engine_internal.h"
#include "rt/loop.h"

#define MEM_RECENT 64u /* commits that a cell remembers, to resolve ambiguous results */

struct mem_entry {
    struct str key, value; /* owned */
};
/* Entries in key order. */
struct mem_table {
    struct mem_entry *entries;
    size_t count, capacity;
};
struct mem_cell {
    uint64_t version; /* 0: does not exist yet */
    bool dropped;
    struct mem_table keys;
    struct mem_table records; /* key = number, big-endian */
    uint64_t recent[MEM_RECENT];
    uint32_t recent_next;
    struct list waiters; /* struct mem_waiter: told when a commit ends */
};
struct mem_blob {
    struct str bytes; /* owned */
    uint32_t refs;
    bool damaged;
    struct mem_engine *pending; /* ended by this engine and not yet referred to */
};
struct mem_world {
    struct list node;
    char *name; /* NULL: private to one engine */
    struct map *cells, *blobs;
    uint64_t version_next;
    struct list engines; /* struct mem_engine.in_world */
};
struct mem_engine {
    struct engine base;
    struct mem_world *world;
    struct list in_world;
    bool cluster;
    bool in_crash;
    uint64_t calls;
    uint64_t fault_base; /* calls when the faults were set */
    struct engine_faults faults;
    struct list in_flight; /* struct mem_commit.in_engine */
    struct list notes;     /* struct mem_note: publications under way */
};
struct mem_writer {
    struct blob_writer base;
    struct buf bytes;
};
/* A commit between its submission and its outcome; lives on its fiber's stack. */
struct mem_commit {
    struct list in_engine;
    struct mem_cell *cell;
    const struct batch *batch; /* NULL: drop the cell */
    struct cell_version expect;
    uint64_t version;  /* that the cell will have */
    bool applied, cut; /* cut: the engine crashed meanwhile */
};
struct mem_waiter {
    struct list node;
    struct engine_event event;
};

struct mem_engine *mem_of(struct engine *e);

/* mem_table.c */
struct mem_entry *mem_table_find(const struct mem_table *t, struct str key);
size_t mem_table_floor(const struct mem_table *t, struct str key); /* first entry >= key */
void mem_table_put(struct mem_table *t, struct str key, struct str value);
void mem_table_del(struct mem_table *t, struct str key);
void mem_table_release(struct mem_table *t);

/* mem_world.c */
struct mem_world *mem_world_open(const char *name);
void mem_world_free(struct mem_world **w);
struct mem_world *mem_world_find(const char *name);
struct mem_cell *mem_cell_find(struct mem_world *w, struct cell_id c); /* NULL: never made */
struct mem_cell *mem_cell_make(struct mem_world *w, struct cell_id c);
struct mem_blob *mem_blob_find(struct mem_world *w, struct blob_id id);
struct blob_id mem_blob_add(struct mem_engine *m, struct str owned);
void mem_blob_del(struct mem_world *w, struct blob_id id);
void mem_blobs_forget(struct mem_engine *m); /* all that this engine ended without a reference */

/* mem_fault.c */
/* Counts a call, lets its time pass, and says what a fault makes of it. */
SUSPENDS enum status mem_call(struct mem_engine *m);
bool mem_chance(uint32_t percent);
SUSPENDS void mem_delay(struct mem_engine *m, bool commit);

/* mem_commit.c */
SUSPENDS enum status mem_commit(struct engine *e, struct cell_id c, struct cell_version expect,
                                struct batch *b, struct cell_version *now_out);
SUSPENDS enum status mem_drop(struct engine *e, struct cell_id c, struct cell_version expect);
void mem_commit_cut(struct mem_engine *m); /* power is gone: settles what is in flight */

/* mem_note.c */
void mem_publish(struct engine *e, struct cell_id c, uint64_t hint);
void mem_notes_release(struct mem_engine *m);

/* mem_blob.c */
enum status mem_blob_new(struct engine *e, uint64_t size_hint, struct blob_writer **out);
SUSPENDS enum status mem_blob_add_bytes(struct blob_writer *w, struct str bytes);
SUSPENDS enum status mem_blob_end(struct blob_writer *w, struct blob_id *id_out);
void mem_blob_drop(struct blob_writer *w);
void mem_blob_forget(struct engine *e, struct blob_id id);
SUSPENDS enum status mem_blob_read(struct engine *e, struct blob_id id, uint64_t offset, size_t max,
                                   struct arena *a, struct str *bytes_out);
SUSPENDS enum status mem_blob_size(struct engine *e, struct blob_id id, uint64_t *size_out);

#endif
