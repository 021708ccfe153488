/* engine.h - cells and blobs: the weakest contract that makes every mail operation atomic.
 *
 * A cell is a small ordered map of bytes to bytes with a version; a batch changes one cell atomically,
 * durably, and only if the cell still has the expected version.  A blob is immutable bytes with a random id;
 * references to blobs are changed inside a cell's batch.  The same tables hold for every engine: mem (tests,
 * with faults and the behaviour of a cluster), rocks (one machine), rados (a cluster, later).
 *
 * Owns:      everything below the data directory.
 * Promises:  engine_commit() returns OK only when the batch is in stable storage, with the blobs that it
 *            refers to; it is visible to engine_get() and engine_scan() only from then on.
 *            ERR_IO: the outcome is unknown, the engine has failed and refuses everything until it is opened
 *            anew.  Any other failure: nothing changed.
 *            Corruption is ERR_CORRUPT, never wrong bytes.  A blob nobody refers to is garbage that a crash
 *            cannot turn into an orphan.
 *            A cell that does not exist reads as empty with version 0; a dropped one is ERR_NOT_FOUND to
 *            every call.  Two commits to one cell: the later waits for the outcome of the first and is then
 *            judged by what it expects, so that a loser who reads again sees the winner.
 *            A call once made is seen to its end even when its fiber is cancelled meanwhile.
 * Never:     understands keys or values; scans all cells on an online path.
 * Suspends:  all calls marked so run engine work on engine threads; a hit in memory may answer at once.
 *            All calls come from one loop.
 * Limits:    a batch <= 4 MiB without blobs, a key of 1 to 512 bytes that does not begin with 0x00, a blob
 *            <= 512 MiB, 4,096 keys or records of one call (all ERR_LIMIT); a cell <= 50,000 keys (by convention;
 *            ERR_LIMIT in the cluster profile).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "rt/fiber.h"

struct engine;

struct cell_id {
    uint8_t kind; /* 'a' account, 'd' directory, 'q' queue, 'c' configuration and sealed records */
    uint64_t id;
};
/* Changes with every commit, never reset, never 0 once the cell exists. */
struct cell_version {
    uint64_t v;
};
#define CELL_ABSENT ((struct cell_version){0}) /* expect: the cell must not exist */
/* Random, says nothing of its owner; all zero is "none". */
struct blob_id {
    uint8_t bytes[16];
};
bool blob_id_is_none(struct blob_id id);
bool blob_id_eq(struct blob_id a, struct blob_id b);

/* ---- opening ---- */
struct engine_options {
    const char *kind; /* "rocks" or "mem" */
    const char *path; /* data directory, made when absent; mem: a world's name in tests, or NULL */
    uint64_t cache_bytes;   /* block cache */
    uint32_t inline_max;    /* bodies up to here travel in the commit; 0 = default (16 KiB) */
    uint32_t threads;       /* engine threads, 0 = default */
    bool cluster_profile;   /* mem: the manners of many machines, see engine_faults.h */
    bool no_sync_for_tests; /* never set outside tests of speed-insensitive logic */
};
/* Called inside a fiber of an initialised loop.  why: one sentence for the operator.
 * ERR_EXISTS: another process has it open.  ERR_DENIED: made by a newer program, or for another engine.
 * ERR_CORRUPT: damaged, or acknowledged changes are missing. */
MUST_USE SUSPENDS enum status engine_open(const struct engine_options *o, struct engine **out,
                                          struct problem *why);
SUSPENDS void engine_close(struct engine **e);
/* May this program open what lies there?  Reads one small file, opens nothing; for `godwit check`.
 * ERR_NOT_FOUND: nothing lies there.  Else as engine_open(). */
MUST_USE enum status engine_format_check(const struct engine_options *o, struct problem *why);
bool engine_failed(const struct engine *e); /* after ERR_IO: end the process */

/* ---- batches: plain data, built without suspending; keys and values are copied into the arena ---- */
struct batch;
struct batch *batch_new(struct arena *a);
void batch_put(struct batch *b, struct str key, struct str value);
void batch_del(struct batch *b, struct str key);
/* Of a blob that ended and was not forgotten, or that has references; else the commit says ERR_NOT_FOUND. */
void batch_ref_add(struct batch *b, struct blob_id id);
/* At zero references the blob is gone.  Of an unknown blob, or one of which nothing can be read: nothing happens. */
void batch_ref_drop(struct batch *b, struct blob_id id);
/* Records: bytes kept beside the cell by number, regenerable, never part of scans. */
void batch_record_put(struct batch *b, uint64_t number, struct str record);
void batch_record_del(struct batch *b, uint64_t number);
size_t batch_bytes(const struct batch *b);
bool batch_empty(const struct batch *b);

/* ---- cells ---- */
/* values_out[i].ptr is NULL when keys[i] is absent; bytes live in a. */
MUST_USE SUSPENDS enum status engine_get(struct engine *e, struct cell_id c, const struct str *keys,
                                         size_t n, struct arena *a, struct str *values_out,
                                         struct cell_version *version_out);
struct cell_entry {
    struct str key, value;
};
/* All entries with lo <= key < hi of one version, in order, in pages.  Start with version 0;
 * pages of one walk come from the version that walk started at, or the call says ERR_CONFLICT: start again.
 * A page of no entries is the end. */
struct cell_walk {
    struct cell_id cell;
    struct str lo, hi;           /* hi empty = to the end; both must outlive the walk */
    struct cell_version version; /* 0 at the start */
    size_t bytes_max;            /* of one page; at least one entry is given */
    void *state;                 /* the engine's; engine_walk_end() frees it */
};
MUST_USE SUSPENDS enum status engine_walk(struct engine *e, struct cell_walk *w, struct arena *a,
                                          const struct cell_entry **entries_out, size_t *n_out);
void engine_walk_end(struct engine *e, struct cell_walk *w);
MUST_USE SUSPENDS enum status engine_commit(struct engine *e, struct cell_id c,
                                            struct cell_version expect, struct batch *b,
                                            struct cell_version *now_out);
/* Drops all keys, leaves a tombstone: the id can never be created again. */
MUST_USE SUSPENDS enum status engine_drop(struct engine *e, struct cell_id c,
                                          struct cell_version expect);
MUST_USE SUSPENDS enum status engine_version(struct engine *e, struct cell_id c,
                                             struct cell_version *out);
MUST_USE SUSPENDS enum status engine_records(struct engine *e, struct cell_id c,
                                             const uint64_t *numbers, size_t n, struct arena *a,
                                             struct str *records_out);

/* ---- blobs ---- */
struct blob_writer;
MUST_USE enum status engine_blob_new(struct engine *e, uint64_t size_hint,
                                     struct blob_writer **out);
/* One whose first bytes are known last: the blob is the head and then what was added.  It costs ENGINE_HEAD_MAX of
 * memory while it is written. */
MUST_USE enum status engine_blob_new_headed(struct engine *e, uint64_t size_hint,
                                            struct blob_writer **out);
/* At most once, at any time before the end; without it the head is empty.  ERR_LIMIT: more than ENGINE_HEAD_MAX, or
 * the blob would be too large; nothing changed. */
#define ENGINE_HEAD_MAX 65536u
MUST_USE enum status engine_blob_head(struct blob_writer *w, struct str bytes);
/* Buffering is bounded: waits while too much is under way. */
MUST_USE SUSPENDS enum status engine_blob_add(struct blob_writer *w, struct str bytes);
/* The id may now go into batch_ref_add().  The bytes are durable at latest when that commit is. */
MUST_USE SUSPENDS enum status engine_blob_end(struct blob_writer **w, struct blob_id *id_out);
void engine_blob_drop(struct blob_writer **w); /* before the end; fits AUTO() */
/* Of a blob that ended, when no commit will refer to it. */
void engine_blob_forget(struct engine *e, struct blob_id id);
/* Reads [offset, offset + max) clamped to the blob; checks checksums. */
MUST_USE SUSPENDS enum status engine_blob_read(struct engine *e, struct blob_id id, uint64_t offset,
                                               size_t max, struct arena *a, struct str *bytes_out);
MUST_USE SUSPENDS enum status engine_blob_size(struct engine *e, struct blob_id id,
                                               uint64_t *size_out);

/* ---- hints, space, upkeep ---- */
/* Lossy: tells subscribers of every process of the engine that a cell moved on.  Embedded: this process only. */
void engine_publish(struct engine *e, struct cell_id c, uint64_t hint);
void engine_subscribe(struct engine *e, void (*note)(void *arg, struct cell_id c, uint64_t hint),
                      void *arg);
void engine_unsubscribe(struct engine *e, void (*note)(void *arg, struct cell_id c, uint64_t hint),
                        void *arg); /* the same two */
enum engine_space {
    SPACE_PLENTY,
    SPACE_LOW,      /* engine_blob_new() says ERR_NO_SPACE */
    SPACE_CRITICAL, /* the caller should only delete */
};
enum engine_space engine_space(const struct engine *e);
/* One bounded step of the mover, compaction, space and health checks; call it once a second. */
MUST_USE SUSPENDS enum status engine_upkeep(struct engine *e);
/* A data directory of this moment at dest, which must not exist, by hard links.  mem: ERR_DENIED. */
MUST_USE SUSPENDS enum status engine_checkpoint(struct engine *e, const char *dest);
struct engine_counters {
    uint64_t commits, groups, syncs, commit_bytes, blob_bytes, reads, read_offloads;
};
struct engine_counters engine_counters(const struct engine *e);

#endif
