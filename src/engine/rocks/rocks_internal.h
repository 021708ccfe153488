/* rocks_internal.h - the engine of one machine: cells in RocksDB, bodies in our own segment files.
 *
 * Threads:   the loop owns everything here except what is marked; three kinds of others exist:
 *            the committer (rocks_group.c: one WriteBatch and one sync per group), the appender
 *            (rocks_append.c: segment files), and the pool (reads that miss the block cache, upkeep).
 * Order:     references, versions and locations are computed on the loop when a commit is submitted, and
 *            groups are written in that order; a failed write ends the engine, so nothing is undone.
 *
 * Column families:
 *   default  "s" segment4 -> state of a segment;  "d" cell9 -> a dropped cell whose entries remain
 *   cell     kind1 id8 key -> value; key 0x00 -> the version
 *   record   kind1 id8 number8 -> record
 *   loc      blob16 -> references and place
 *   inline   number8 -> blob16, body
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ROCKS_ROCKS_INTERNAL_H
#define ENGINE_ROCKS_ROCKS_INTERNAL_H

#include <rocksdb/c.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_internal.h"
#include "rt/offload.h"

#define ROCKS_PATH_MAX     800u
#define ROCKS_CHUNK        131072u      /* of a body: read, checked and later compressed alone */
#define ROCKS_SEGMENT      (128u << 20) /* size of a segment file */
#define ROCKS_CELLS_CACHED 16384u       /* versions remembered */
#define ROCKS_GROUP_MAX    (16u << 20)  /* bytes of the open group; more wait */
#define ROCKS_WRITER_MAX   6u           /* chunks of one blob under way */

enum rocks_family { CF_META, CF_CELL, CF_RECORD, CF_LOC, CF_INLINE, CF_COUNT };

struct rocks {
    struct engine base;
    char path[ROCKS_PATH_MAX];
    uint32_t inline_max;
    bool sync;
    rocksdb_t *db;
    rocksdb_cache_t *cache;
    rocksdb_column_family_handle_t *cf[CF_COUNT];
    rocksdb_readoptions_t *read_cached; /* block cache and memtables only */
    rocksdb_readoptions_t *read_full;   /* for the pool */
    struct offload_pool *pool;
    struct rocks_versions *versions;
    struct rocks_locs *locs;
    struct rocks_group_line *line; /* rocks_group.c */
    struct rocks_segments *segments;
    struct rocks_append *append; /* rocks_append.c */
    struct rocks_upkeep *upkeep;
    uint64_t inline_next; /* number of the next inline body */
    uint64_t *acked;      /* sequence last known durable; written by the committer, atomic */
    uint32_t calls;       /* submitted and not yet answered */
};

struct rocks *rocks_of(struct engine *e);

/* ---- rocks_db.c: the database ---- */
/* On a pool thread. */
enum status rocks_db_open(struct rocks *r, uint64_t cache_bytes, struct problem *why);
void rocks_db_close(struct rocks *r);

/* ---- rocks_format.c, rocks_mark.c, rocks_wal.c: files beside the database; on a pool thread ---- */
enum status rocks_format_check(const char *path, struct problem *why); /* ERR_NOT_FOUND: none */
enum status rocks_format_write(const char *path);
enum status rocks_mark_read(const char *path, uint64_t *sequence_out);
enum status rocks_mark_write(const char *path, uint64_t sequence);
/* The first sequence of the last batch that can be read at all; before the database is opened. */
enum status rocks_wal_highest(const char *path, uint64_t *sequence_out);

/* ---- rocks_read.c: one value, from memory or by the pool ---- */
struct rocks_value {
    rocksdb_pinnableslice_t *slice; /* NULL: absent */
    struct str bytes;
};
#define AUTO_VALUE AUTO(rocks_value_release) struct rocks_value
void rocks_value_release(struct rocks_value *v);
/* Not suspending: ERR_TEMP when the answer is not in memory. */
enum status rocks_peek(const struct rocks *r, enum rocks_family cf, struct str key,
                       struct rocks_value *out);
enum status rocks_fetch(const struct rocks *r, enum rocks_family cf, struct str key,
                        rocksdb_readoptions_t *how, struct rocks_value *out);
SUSPENDS enum status rocks_read(struct rocks *r, enum rocks_family cf, struct str key,
                                struct rocks_value *out);
SUSPENDS enum status rocks_pool(struct rocks *r, void (*work)(void *arg), void *arg);
enum status rocks_error(char *message); /* frees it; OK when NULL */
enum status rocks_read_error(char *message);

/* ---- rocks_version.c: the versions of cells ---- */
struct rocks_commit;
struct rocks_cell {
    struct list lru;
    struct cell_id id;
    uint64_t version; /* 0: does not exist */
    bool known, dropped;
    uint32_t pins;
    const struct rocks_commit *in_flight;
    struct list waiters; /* struct rocks_waiter */
};
struct rocks_waiter {
    struct list node;
    struct engine_event event;
};
struct rocks_versions *rocks_versions_new(void);
void rocks_versions_free(struct rocks_versions **v);
/* Pinned until rocks_cell_unpin(). */
SUSPENDS enum status rocks_cell_pin(struct rocks *r, struct cell_id c, struct rocks_cell **out);
void rocks_cell_unpin(struct rocks *r, struct rocks_cell *cell);
SUSPENDS void rocks_wait(struct list *waiters);
void rocks_wake(struct list *waiters);
struct str rocks_cell_key(struct cell_id c, struct str key, char *room); /* CELL_NAME_SIZE + key */
#define ROCKS_KEY_MAX (CELL_NAME_SIZE + ENGINE_KEY_MAX)
void rocks_version_write(struct rocks *r, rocksdb_writebatch_t *w, struct cell_id c,
                         uint64_t version, bool dropped);
enum status rocks_version_decode(struct str value, uint64_t *version_out, bool *dropped_out);

/* ---- rocks_group.c: the committer ---- */
struct rocks_commit {
    struct rocks_commit *next; /* in its group */
    struct rocks_cell *cell;   /* NULL: internal */
    uint64_t version;
    bool drop;
    enum status status;
    struct engine_event event;
};
enum status rocks_line_new(struct rocks *r);
void rocks_line_stop(struct rocks_group_line *line); /* ends the thread; nothing is in flight */
void rocks_line_free(struct rocks_group_line **line);
SUSPENDS void rocks_group_room(struct rocks *r); /* waits while the open group is too large */
/* Between these two nothing suspends: the open group is locked, and its WriteBatch may be filled. */
rocksdb_writebatch_t *rocks_group_begin(struct rocks *r);
void rocks_group_end(struct rocks *r, struct rocks_commit *c, size_t bytes);
SUSPENDS enum status rocks_commit_wait(struct rocks_commit *c);
void rocks_put(struct rocks *r, rocksdb_writebatch_t *w, enum rocks_family cf, struct str key,
               struct str value);
void rocks_del(struct rocks *r, rocksdb_writebatch_t *w, enum rocks_family cf, struct str key);

/* ---- rocks_blob.c, rocks_commit.c, rocks_cell.c, rocks_move.c, rocks_upkeep.c ---- */
enum status rocks_blob_new(struct engine *e, uint64_t size_hint, struct blob_writer **out);
SUSPENDS enum status rocks_blob_add(struct blob_writer *w, struct str bytes);
SUSPENDS enum status rocks_blob_end(struct blob_writer *w, struct blob_id *id_out);
void rocks_blob_drop(struct blob_writer *w);
void rocks_blob_forget(struct engine *e, struct blob_id id);
SUSPENDS enum status rocks_blob_read(struct engine *e, struct blob_id id, uint64_t offset,
                                     size_t max, struct arena *a, struct str *bytes_out);
SUSPENDS enum status rocks_blob_size(struct engine *e, struct blob_id id, uint64_t *size_out);
SUSPENDS enum status rocks_commit(struct engine *e, struct cell_id c, struct cell_version expect,
                                  struct batch *b, struct cell_version *now_out);
SUSPENDS enum status rocks_drop(struct engine *e, struct cell_id c, struct cell_version expect);
SUSPENDS enum status rocks_get(struct engine *e, struct cell_id c, const struct str *keys, size_t n,
                               struct arena *a, struct str *values_out,
                               struct cell_version *version_out);
SUSPENDS enum status rocks_version(struct engine *e, struct cell_id c, struct cell_version *out);
SUSPENDS enum status rocks_records(struct engine *e, struct cell_id c, const uint64_t *numbers,
                                   size_t n, struct arena *a, struct str *records_out);
SUSPENDS enum status rocks_walk(struct engine *e, struct cell_walk *w, struct arena *a,
                                const struct cell_entry **entries_out, size_t *n_out);
void rocks_walk_end(struct engine *e, struct cell_walk *w);
/* One bounded step each. */
SUSPENDS enum status rocks_move_inline(struct rocks *r);
SUSPENDS enum status rocks_compact(struct rocks *r);
SUSPENDS enum status rocks_reap(struct rocks *r);
SUSPENDS enum status rocks_upkeep(struct engine *e);
SUSPENDS enum status rocks_checkpoint(struct engine *e, const char *dest);
enum engine_space rocks_space_of(uint64_t free_bytes, uint64_t total_bytes);
struct rocks_upkeep *rocks_upkeep_new(void);
void rocks_upkeep_free(struct rocks_upkeep **u);

#endif
