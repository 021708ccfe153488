/* engine.c - the one door to all engines: argument checks, limits, failure, then the engine's verb.
 *
 * Owns:      the list of engines and the list of subscribers.
 * Promises:  after a failure nothing reaches the engine any more except closing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_internal.h"

#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_faults.h"
#include "rt/random.h"

static enum status find_ops(const struct engine_options *o, const struct engine_ops **out,
                            struct problem *why);
static enum status engine_check(const struct engine *e);
static enum status engine_note(struct engine *e, enum status s);

bool
blob_id_is_none(struct blob_id id)
{
    return blob_id_eq(id, (struct blob_id){{0}});
}

bool
blob_id_eq(struct blob_id a, struct blob_id b)
{
    return str_eq(blob_key(&a), blob_key(&b));
}

struct str
blob_key(const struct blob_id *id)
{
    return str_from((const char *)id->bytes, sizeof(id->bytes));
}

struct blob_id
blob_id_random(void)
{
    struct blob_id id;

    do {
        random_fill(id.bytes, sizeof(id.bytes));
    } while (blob_id_is_none(id));
    return id;
}

void
cell_name(struct cell_id c, char out[CELL_NAME_SIZE])
{
    out[0] = (char)c.kind;
    be64_put(out + 1, c.id);
}

static enum status
find_ops(const struct engine_options *o, const struct engine_ops **out, struct problem *why)
{
    ASSERT(o->kind != NULL);
    if (str_eq(str_of(o->kind), STR("mem"))) {
        *out = &engine_mem_ops;
    } else if (str_eq(str_of(o->kind), STR("rocks"))) {
        *out = &engine_rocks_ops;
    } else {
        problem_set(why, 0, "", "There is no storage engine \"%.40s\": use \"rocks\".", o->kind);
        return ERR_NOT_FOUND;
    }
    return OK;
}

enum status
engine_open(const struct engine_options *o, struct engine **out, struct problem *why)
{
    const struct engine_ops *ops;
    struct engine *e;

    ASSERT(fiber_self() != NULL);
    TRY(find_ops(o, &ops, why));
    TRY(ops->open(o, &e, why));
    e->ops = ops;
    *out = e;
    return OK;
}

enum status
engine_format_check(const struct engine_options *o, struct problem *why)
{
    const struct engine_ops *ops;

    TRY(find_ops(o, &ops, why));
    return ops->format_check != NULL ? ops->format_check(o, why) : ERR_NOT_FOUND;
}

void
engine_close(struct engine **e)
{
    if (*e)
        (*e)->ops->close(*e);
    *e = NULL;
}

bool
engine_failed(const struct engine *e)
{
    return e->failed;
}

enum status
engine_get(struct engine *e, struct cell_id c, const struct str *keys, size_t n, struct arena *a,
           struct str *values_out, struct cell_version *version_out)
{
    TRY(engine_check(e));
    if (n > ENGINE_GET_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        ASSERT(keys[i].len > 0 && keys[i].ptr[0] != 0);
        if (keys[i].len > ENGINE_KEY_MAX)
            return ERR_LIMIT;
    }
    e->counters.reads++;
    return engine_note(e, e->ops->get(e, c, keys, n, a, values_out, version_out));
}

enum status
engine_walk(struct engine *e, struct cell_walk *w, struct arena *a,
            const struct cell_entry **entries_out, size_t *n_out)
{
    TRY(engine_check(e));
    e->counters.reads++;
    return engine_note(e, e->ops->walk(e, w, a, entries_out, n_out));
}

void
engine_walk_end(struct engine *e, struct cell_walk *w)
{
    if (w->state)
        e->ops->walk_end(e, w);
    ASSERT(w->state == NULL);
}

enum status
engine_commit(struct engine *e, struct cell_id c, struct cell_version expect, struct batch *b,
              struct cell_version *now_out)
{
    TRY(engine_check(e));
    if (b->over)
        return ERR_LIMIT;
    batch_each(op, b) ASSERT(op->verb > BATCH_DEL || (op->key.len > 0 && op->key.ptr[0] != 0));
    TRY(engine_note(e, e->ops->commit(e, c, expect, b, now_out)));
    e->counters.commits++;
    e->counters.commit_bytes += b->bytes;
    return OK;
}

enum status
engine_drop(struct engine *e, struct cell_id c, struct cell_version expect)
{
    TRY(engine_check(e));
    ASSERT(expect.v != 0);
    TRY(engine_note(e, e->ops->drop(e, c, expect)));
    e->counters.commits++;
    return OK;
}

enum status
engine_version(struct engine *e, struct cell_id c, struct cell_version *out)
{
    TRY(engine_check(e));
    e->counters.reads++;
    return engine_note(e, e->ops->version(e, c, out));
}

enum status
engine_records(struct engine *e, struct cell_id c, const uint64_t *numbers, size_t n,
               struct arena *a, struct str *records_out)
{
    TRY(engine_check(e));
    if (n > ENGINE_GET_MAX)
        return ERR_LIMIT;
    e->counters.reads++;
    return engine_note(e, e->ops->records(e, c, numbers, n, a, records_out));
}

static enum status
blob_new(struct engine *e, uint64_t size_hint, bool headed, struct blob_writer **out)
{
    TRY(engine_check(e));
    if (e->space != SPACE_PLENTY)
        return ERR_NO_SPACE;
    if (size_hint > ENGINE_BLOB_MAX)
        return ERR_LIMIT;
    struct blob_writer *w;
    TRY(e->ops->blob_new(e, size_hint, &w));
    w->engine = e;
    w->headed = headed;
    w->head = BUF(ENGINE_HEAD_MAX);
    *out = w;
    return OK;
}

enum status
engine_blob_new(struct engine *e, uint64_t size_hint, struct blob_writer **out)
{
    return blob_new(e, size_hint, false, out);
}

enum status
engine_blob_new_headed(struct engine *e, uint64_t size_hint, struct blob_writer **out)
{
    return blob_new(e, size_hint, true, out);
}

enum status
engine_blob_head(struct blob_writer *w, struct str bytes)
{
    ASSERT(w->headed && w->head.len == 0);
    TRY(engine_check(w->engine));
    if (bytes.len > ENGINE_HEAD_MAX || bytes.len > ENGINE_BLOB_MAX - w->size)
        return ERR_LIMIT;
    buf_add(&w->head, bytes);
    w->size += bytes.len;
    return OK;
}

enum status
engine_blob_add(struct blob_writer *w, struct str bytes)
{
    struct engine *e = w->engine;

    TRY(engine_check(e));
    if (bytes.len > ENGINE_BLOB_MAX - w->size)
        return ERR_LIMIT;
    enum status s = engine_note(e, w->broken ? ERR_TEMP : e->ops->blob_add(w, bytes));
    w->broken = w->broken || s != OK;
    w->size += bytes.len;
    return s;
}

enum status
engine_blob_end(struct blob_writer **w, struct blob_id *id_out)
{
    struct engine *e = (*w)->engine;

    TRY(engine_check(e));
    if ((*w)->broken)
        return ERR_TEMP;
    uint64_t size = (*w)->size;
    struct buf head = (*w)->head; /* outlives the writer by a moment */
    TRY(engine_note(e, e->ops->blob_end(*w, id_out)));
    buf_release(&head);
    e->counters.blob_bytes += size;
    *w = NULL;
    return OK;
}

void
engine_blob_drop(struct blob_writer **w)
{
    if (*w) {
        buf_release(&(*w)->head);
        (*w)->engine->ops->blob_drop(*w);
    }
    *w = NULL;
}

void
engine_blob_forget(struct engine *e, struct blob_id id)
{
    if (!e->failed)
        e->ops->blob_forget(e, id);
}

enum status
engine_blob_read(struct engine *e, struct blob_id id, uint64_t offset, size_t max, struct arena *a,
                 struct str *bytes_out)
{
    TRY(engine_check(e));
    e->counters.reads++;
    return engine_note(e, e->ops->blob_read(e, id, offset, max, a, bytes_out));
}

enum status
engine_blob_size(struct engine *e, struct blob_id id, uint64_t *size_out)
{
    TRY(engine_check(e));
    e->counters.reads++;
    return engine_note(e, e->ops->blob_size(e, id, size_out));
}

void
engine_publish(struct engine *e, struct cell_id c, uint64_t hint)
{
    if (!e->failed)
        e->ops->publish(e, c, hint);
}

void
engine_subscribe(struct engine *e, void (*note)(void *arg, struct cell_id c, uint64_t hint),
                 void *arg)
{
    ASSERT(e->subscriber_count < ENGINE_SUBSCRIBERS_MAX);
    e->subscribers[e->subscriber_count++] = (struct engine_subscriber){note, arg};
}

void
engine_unsubscribe(struct engine *e, void (*note)(void *arg, struct cell_id c, uint64_t hint),
                   void *arg)
{
    for (size_t i = 0; i < e->subscriber_count; i++) {
        if (e->subscribers[i].note == note && e->subscribers[i].arg == arg) {
            e->subscribers[i] = e->subscribers[--e->subscriber_count];
            return;
        }
    }
    UNREACHABLE();
}

void
engine_notify(struct engine *e, struct cell_id c, uint64_t hint)
{
    for (size_t i = 0; i < e->subscriber_count; i++)
        e->subscribers[i].note(e->subscribers[i].arg, c, hint);
}

enum engine_space
engine_space(const struct engine *e)
{
    return e->space;
}

void
engine_space_for_tests(struct engine *e, enum engine_space space)
{
    e->space = space;
}

enum status
engine_upkeep(struct engine *e)
{
    TRY(engine_check(e));
    return engine_note(e, e->ops->upkeep(e));
}

enum status
engine_checkpoint(struct engine *e, const char *dest)
{
    TRY(engine_check(e));
    return engine_note(e, e->ops->checkpoint(e, dest));
}

struct engine_counters
engine_counters(const struct engine *e)
{
    return e->counters;
}

void
engine_event_wait(struct engine_event *ev)
{
    ev->waiter = fiber_self();
    ASSERT(fiber_park_for(&ev->done, FIBER_FOREVER, true) == OK);
}

void
engine_event_set(struct engine_event *ev)
{
    if (ev->waiter)
        fiber_done(ev->waiter, &ev->done);
    else
        ev->done = true;
}

void
engine_pause(int64_t ms)
{
    if (ms == 0 || fiber_sleep(ms) == ERR_CANCELLED)
        fiber_yield();
}

/* Every suspending call begins here. */
static enum status
engine_check(const struct engine *e)
{
    return e->failed ? ERR_IO : OK;
}

/* ERR_IO means that an outcome is unknown: nothing may be answered from this engine any more. */
static enum status
engine_note(struct engine *e, enum status s)
{
    if (s == ERR_IO)
        e->failed = true;
    return s;
}
