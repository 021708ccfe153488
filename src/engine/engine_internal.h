/* engine_internal.h - what the engines share: the verb table, the base structs, batches as data.
 *
 * Owns:      the layout of struct engine's head; each engine embeds it first in its own struct.
 * Promises:  engine.c checks arguments, limits and failure before a verb runs, so the engines do not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "engine/engine.h"

#define ENGINE_BATCH_MAX       (4u << 20)
#define ENGINE_KEY_MAX         512u
#define ENGINE_CELL_KEYS_MAX   50000u
#define ENGINE_GET_MAX         4096u /* keys of one engine_get() */
#define ENGINE_BLOB_MAX        (512u << 20)
#define ENGINE_SUBSCRIBERS_MAX 8u
#define ENGINE_INLINE_DEFAULT  (16u << 10)

struct engine_subscriber {
    void (*note)(void *arg, struct cell_id c, uint64_t hint);
    void *arg;
};

/* One table per engine.  The status of a verb follows the contract in engine.h. */
struct engine_ops {
    enum status (*open)(const struct engine_options *o, struct engine **out, struct problem *why);
    /* NULL: nothing lies anywhere */
    enum status (*format_check)(const struct engine_options *o, struct problem *why);
    void (*close)(struct engine *e);
    enum status (*get)(struct engine *e, struct cell_id c, const struct str *keys, size_t n,
                       struct arena *a, struct str *values_out, struct cell_version *version_out);
    enum status (*walk)(struct engine *e, struct cell_walk *w, struct arena *a,
                        const struct cell_entry **entries_out, size_t *n_out);
    void (*walk_end)(struct engine *e, struct cell_walk *w);
    enum status (*commit)(struct engine *e, struct cell_id c, struct cell_version expect,
                          struct batch *b, struct cell_version *now_out);
    enum status (*drop)(struct engine *e, struct cell_id c, struct cell_version expect);
    enum status (*version)(struct engine *e, struct cell_id c, struct cell_version *out);
    enum status (*records)(struct engine *e, struct cell_id c, const uint64_t *numbers, size_t n,
                           struct arena *a, struct str *records_out);
    enum status (*blob_new)(struct engine *e, uint64_t size_hint, struct blob_writer **out);
    enum status (*blob_add)(struct blob_writer *w, struct str bytes);
    enum status (*blob_end)(struct blob_writer *w,
                            struct blob_id *id_out); /* frees w on OK, not its head */
    void (*blob_drop)(struct blob_writer *w);
    void (*blob_forget)(struct engine *e, struct blob_id id);
    enum status (*blob_read)(struct engine *e, struct blob_id id, uint64_t offset, size_t max,
                             struct arena *a, struct str *bytes_out);
    enum status (*blob_size)(struct engine *e, struct blob_id id, uint64_t *size_out);
    void (*publish)(struct engine *e, struct cell_id c, uint64_t hint);
    enum status (*upkeep)(struct engine *e);
    enum status (*checkpoint)(struct engine *e, const char *dest);
};

struct engine {
    const struct engine_ops *ops;
    bool failed; /* set once, never cleared: the outcome of something is unknown */
    enum engine_space space;
    struct engine_counters counters;
    struct engine_subscriber subscribers[ENGINE_SUBSCRIBERS_MAX];
    size_t subscriber_count;
};

struct blob_writer {
    struct engine *engine;
    uint64_t size; /* bytes taken so far */
    bool broken;   /* an earlier add failed: the end fails too */
    bool headed;
    struct buf head; /* part of size; empty: none so far */
};

extern const struct engine_ops engine_mem_ops;
extern const struct engine_ops engine_rocks_ops;

/* ---- batches ---- */
enum batch_verb {
    BATCH_PUT,
    BATCH_DEL,
    BATCH_REF_ADD,
    BATCH_REF_DROP,
    BATCH_RECORD_PUT,
    BATCH_RECORD_DEL
};
struct batch_op {
    struct batch_op *next;
    enum batch_verb verb;
    struct blob_id blob;
    uint64_t number;
    struct str key, value;
};
struct batch {
    struct arena *arena;
    struct batch_op *first, *last;
    size_t count;
    size_t bytes;
    bool over; /* a key or the whole passed its limit: the commit says ERR_LIMIT */
};
#define batch_each(op, batch) for (const struct batch_op *op = (batch)->first; op; op = op->next)

/* ---- helpers ---- */
/* The bytes of a cell's name: kind and id, big-endian, so that cells of a kind stand together. */
#define CELL_NAME_SIZE 9u
void cell_name(struct cell_id c, char out[CELL_NAME_SIZE]);
struct str blob_key(const struct blob_id *id); /* borrowed from *id */
struct blob_id blob_id_random(void);
/* Calls every subscriber, on the loop. */
void engine_notify(struct engine *e, struct cell_id c, uint64_t hint);

/* Waiting that cancellation cannot cut short: what was submitted must be seen to its end, or the
 * caller would free a batch that is still being written. */
struct engine_event {
    struct fiber *waiter;
    bool done;
};
SUSPENDS void engine_event_wait(struct engine_event *ev);
void engine_event_set(struct engine_event *ev); /* on the loop */
SUSPENDS void engine_pause(int64_t ms);         /* 0: one turn of the loop */

#endif
