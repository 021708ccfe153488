/* intake.c - handles of bodies under way, and the end of each: a blob with its facts.
 *
 * A body stays in memory up to SMALL_MAX and goes to its cook whole; beyond that it streams to engine and cook at once.
 * Calls on one handle run one after another.  A handle that is dropped while a call runs on it ends with that call.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/intake.h"

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "role/intake_internal.h"

enum {
    SMALL_MAX = 65536,
    SLOT_BITS = 12, /* of a handle; the rest is a generation, so that old handles stay wrong */
    FACTS_VERSION = 1,
};
static_assert(1 << SLOT_BITS == LIMIT_BLOB_HANDLES, "a slot for each handle");

struct intake_source {
    struct intake *in;
    bool want_dkim;
    struct incoming *slots[1 << SLOT_BITS];
    uint32_t next_slot, generation;
};

static struct incoming *find(struct intake_source *s, uint32_t handle);
static void kill_incoming(struct intake_source *s, struct incoming *b);
static void leave(struct incoming *b);
static void release(struct incoming *b);
SUSPENDS static enum status add(struct incoming *b, struct str bytes);
SUSPENDS static enum status spill(struct incoming *b);
SUSPENDS static enum status put_large(struct incoming *b, struct str bytes);
SUSPENDS static enum status take_whole(struct intake *in, const struct intake_which *w,
                                       struct arena *a, struct intake_body *out);
SUSPENDS static enum status take_incoming(struct incoming *b, const struct intake_which *w,
                                          struct arena *a, struct intake_body *out);
SUSPENDS static enum status take_large(struct incoming *b, struct arena *a,
                                       struct intake_body *out);
SUSPENDS static enum status keep(struct engine *e, struct str bytes, struct blob_id *id_out);

struct intake *
intake_new(struct engine *e)
{
    struct intake *in = MEM_NEW(struct intake);

    in->engine = e;
    list_init(&in->cooks);
    fiber_queue_init(&in->arrivals);
    return in;
}

void
intake_free(struct intake **in)
{
    if (*in == NULL)
        return;
    list_each_safe(l, after, &(*in)->cooks)
        intake_cook_gone(*in, LIST_ENTRY(l, struct cook, in_intake)->peer);
    mem_free(*in);
    *in = NULL;
}

struct intake_source *
intake_source_new(struct intake *in, bool want_dkim)
{
    struct intake_source *s = MEM_NEW(struct intake_source);

    s->in = in;
    s->want_dkim = want_dkim;
    return s;
}

void
intake_source_free(struct intake_source **s)
{
    if (*s == NULL)
        return;
    for (size_t i = 0; i < COUNT_OF((*s)->slots); i++) {
        if ((*s)->slots[i] != NULL)
            kill_incoming(*s, (*s)->slots[i]);
    }
    mem_free(*s);
    *s = NULL;
}

enum status
intake_open(struct intake_source *s, uint64_t size_hint, bool spool, uint32_t *handle_out)
{
    if (size_hint > LIMIT_MESSAGE_BYTES)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < COUNT_OF(s->slots); i++) {
        uint32_t slot = (s->next_slot + i) % COUNT_OF(s->slots);
        if (s->slots[slot] != NULL)
            continue;
        struct incoming *b = MEM_NEW(struct incoming);
        s->generation = (s->generation + 1) & (UINT32_MAX >> SLOT_BITS);
        if (s->generation == 0) /* a handle is never 0 */
            s->generation = 1;
        b->in = s->in;
        b->handle = s->generation << SLOT_BITS | slot;
        b->size_hint = size_hint;
        b->spool = spool;
        b->headed = !s->want_dkim && !spool;
        b->cook.want_dkim = s->want_dkim;
        buf_init(&b->small, SMALL_MAX);
        fiber_lock_init(&b->turn);
        s->slots[slot] = b;
        s->next_slot = slot + 1;
        *handle_out = b->handle;
        return OK;
    }
    return ERR_LIMIT;
}

enum status
intake_add(struct intake_source *s, uint32_t handle, struct str bytes)
{
    struct incoming *b = find(s, handle);

    if (b == NULL)
        return ERR_SYNTAX;
    b->users++;
    enum status st = fiber_lock_take(&b->turn);
    if (st == OK) {
        st = b->dead ? ERR_CLOSED : b->failed;
        if (st == OK)
            st = b->failed = add(b, bytes);
        fiber_lock_give(&b->turn);
    }
    leave(b);
    return st;
}

SUSPENDS static enum status
read_spool(struct incoming *b, const struct intake_range *r, struct arena *a, struct str *out)
{
    uint64_t left = r->offset < b->size ? b->size - r->offset : 0;
    size_t n = (size_t)MIN(MIN(left, (uint64_t)r->max), (uint64_t)INTAKE_WHOLE_MAX);

    if (b->writer != NULL)
        TRY(engine_blob_end(&b->writer, &b->id));
    b->sealed = true;
    *out = STR("");
    if (n == 0)
        return OK;
    if (!blob_id_is_none(b->id))
        return engine_blob_read(b->in->engine, b->id, r->offset, n, a, out);
    *out = arena_str(a, str_sub(buf_str(&b->small), (size_t)r->offset, n));
    return OK;
}

enum status
intake_read(struct intake_source *s, uint32_t handle, const struct intake_range *r, struct arena *a,
            struct str *out)
{
    struct incoming *b = find(s, handle);

    if (b == NULL || !b->spool)
        return ERR_SYNTAX;
    b->users++;
    enum status st = fiber_lock_take(&b->turn);
    if (st == OK) {
        st = b->dead ? ERR_CLOSED : b->failed;
        if (st == OK)
            st = read_spool(b, r, a, out);
        fiber_lock_give(&b->turn);
    }
    leave(b);
    return st;
}

void
intake_drop(struct intake_source *s, uint32_t handle)
{
    struct incoming *b = find(s, handle);

    if (b != NULL)
        kill_incoming(s, b);
}

enum status
intake_take(struct intake *in, const struct intake_which *which, struct arena *a,
            struct intake_body *out)
{
    AUTO(intake_let_go) struct incoming *b = NULL;

    if (which->handle == 0)
        return take_whole(in, which, a, out);
    TRY(intake_seize(which, &b));
    return take_incoming(b, which, a, out);
}

/* The slot is free from now on, so that nobody comes after those who wait for their turn already. */
enum status
intake_seize(const struct intake_which *which, struct incoming **out)
{
    struct incoming *b = find(which->source, which->handle);

    if (b == NULL || b->spool)
        return ERR_SYNTAX;
    b->users++;
    which->source->slots[b->handle & (LIMIT_BLOB_HANDLES - 1)] = NULL;
    *out = b;
    TRY(fiber_lock_take(&b->turn));
    enum status st = b->dead ? ERR_CLOSED : b->failed;
    fiber_lock_give(&b->turn);
    return st;
}

void
intake_let_go(struct incoming **b)
{
    if (*b == NULL)
        return;
    (*b)->dead = true;
    leave(*b);
    *b = NULL;
}

enum status
intake_make(struct intake *in, struct str bytes, struct arena *a, struct intake_body *out)
{
    const struct intake_which which = {.bytes = bytes};

    return take_whole(in, &which, a, out);
}

enum status
intake_make_signed(struct intake *in, struct str bytes, struct arena *a, struct intake_body *out)
{
    const struct intake_which which = {.bytes = bytes, .want_dkim = true};

    return take_whole(in, &which, a, out);
}

enum status
intake_facts_again(struct intake *in, struct blob_id id, struct arena *a, struct intake_facts *out)
{
    return intake_cook_blob(in, id, false, a, out);
}

void
intake_facts_write(const struct intake_facts *f, struct buf *b)
{
    buf_add_char(b, FACTS_VERSION);
    buf_add_bytes(b, f->record);
    buf_add_bytes(b, f->sort);
    buf_add_be64(b, f->message_id_hash);
    buf_add_varint(b, f->reference_count);
    for (size_t i = 0; i < f->reference_count; i++)
        buf_add_be64(b, f->reference_hashes[i]);
}

enum status
intake_facts_read(struct str bytes, struct arena *a, struct intake_facts *out)
{
    struct intake_facts f = {0};
    struct scan s = scan_of(bytes);
    uint8_t version;
    uint64_t n;

    if (!scan_u8(&s, &version) || version != FACTS_VERSION ||
        !scan_bytes(&s, LIMIT_RECORD_BYTES, &f.record) || !scan_bytes(&s, 128, &f.sort) ||
        !scan_be64(&s, &f.message_id_hash) || !scan_varint(&s, 64, &n))
        return ERR_CORRUPT;
    f.reference_count = (size_t)n; /* <= 64 */
    uint64_t *hashes = ARENA_ARRAY(a, uint64_t, f.reference_count + 1);
    for (size_t i = 0; i < f.reference_count; i++) {
        if (!scan_be64(&s, &hashes[i]))
            return ERR_CORRUPT;
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    f.reference_hashes = hashes;
    *out = f;
    return OK;
}

/* ---- handles ---- */

static struct incoming *
find(struct intake_source *s, uint32_t handle)
{
    struct incoming *b = s == NULL ? NULL : s->slots[handle & (LIMIT_BLOB_HANDLES - 1)];

    return b != NULL && b->handle == handle ? b : NULL;
}

static void
kill_incoming(struct intake_source *s, struct incoming *b)
{
    s->slots[b->handle & (LIMIT_BLOB_HANDLES - 1)] = NULL;
    b->dead = true;
    if (b->users == 0)
        release(b);
}

static void
leave(struct incoming *b)
{
    ASSERT(b->users > 0);
    if (--b->users == 0 && b->dead)
        release(b);
}

static void
release(struct incoming *b)
{
    b->in->buffered -= b->small.len;
    buf_release(&b->small);
    engine_blob_drop(&b->writer);
    if (!blob_id_is_none(b->id))
        engine_blob_forget(b->in->engine, b->id);
    intake_cook_drop(b->in, &b->cook);
    mem_free(b);
}

/* ---- filling ---- */

SUSPENDS static enum status
add(struct incoming *b, struct str bytes)
{
    if (bytes.len > LIMIT_MESSAGE_BYTES - b->size)
        return ERR_LIMIT;
    if (b->sealed)
        return ERR_SYNTAX;
    b->size += bytes.len;
    bool fits = b->small.len + bytes.len <= SMALL_MAX &&
                b->in->buffered + bytes.len <= LIMIT_BODY_BUFFER_BYTES;
    if (b->writer == NULL && fits) {
        buf_add(&b->small, bytes);
        b->in->buffered += bytes.len;
        return buf_status(&b->small);
    }
    if (b->writer == NULL)
        TRY(spill(b));
    return put_large(b, bytes);
}

SUSPENDS static enum status
spill(struct incoming *b)
{
    uint64_t hint = MAX(b->size_hint, b->size);

    TRY(b->headed ? engine_blob_new_headed(b->in->engine, hint, &b->writer)
                  : engine_blob_new(b->in->engine, hint, &b->writer));
    if (!b->spool)
        intake_cook_begin(b->in, &b->cook, hint);
    TRY(put_large(b, buf_str(&b->small)));
    b->in->buffered -= b->small.len;
    buf_release(&b->small);
    return OK;
}

SUSPENDS static enum status
put_large(struct incoming *b, struct str bytes)
{
    TRY(engine_blob_add(b->writer, bytes));
    if (!b->spool)
        intake_cook_put(b->in, &b->cook, bytes);
    return OK;
}

/* ---- ending ---- */

SUSPENDS static enum status
take_whole(struct intake *in, const struct intake_which *w, struct arena *a,
           struct intake_body *out)
{
    struct intake_body body = {.size = w->bytes.len};
    bool fits = w->bytes.len <= INTAKE_WHOLE_MAX; /* one call; a long delivery report does not */

    if (fits)
        TRY(intake_cook_whole(in, w->bytes, w->want_dkim, a, &body.facts));
    TRY(keep(in->engine, w->bytes, &body.id));
    enum status st = fits ? OK : intake_cook_blob(in, body.id, w->want_dkim, a, &body.facts);
    if (st != OK) {
        engine_blob_forget(in->engine, body.id);
        return st;
    }
    *out = body;
    return OK;
}

SUSPENDS static enum status
take_incoming(struct incoming *b, const struct intake_which *w, struct arena *a,
              struct intake_body *out)
{
    if (b->writer != NULL)
        return take_large(b, a, out);
    const struct intake_which whole = {.bytes = buf_str(&b->small), .want_dkim = w->want_dkim};
    return take_whole(b->in, &whole, a, out);
}

SUSPENDS static enum status
take_large(struct incoming *b, struct arena *a, struct intake_body *out)
{
    struct intake_body body = {.size = b->size};

    TRY(engine_blob_end(&b->writer, &body.id));
    enum status st = intake_cook_end(b->in, &b->cook, a, &body.facts);
    if (st != OK) /* the cook failed on the way: the stored body goes to another */
        st = intake_cook_blob(b->in, body.id, b->cook.want_dkim, a, &body.facts);
    if (st != OK) {
        engine_blob_forget(b->in->engine, body.id);
        return st;
    }
    *out = body;
    return OK;
}

SUSPENDS static enum status
keep(struct engine *e, struct str bytes, struct blob_id *id_out)
{
    AUTO(engine_blob_drop) struct blob_writer *writer = NULL;

    TRY(engine_blob_new(e, bytes.len, &writer));
    TRY(engine_blob_add(writer, bytes));
    return engine_blob_end(&writer, id_out);
}
