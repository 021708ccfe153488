/* mem_blob.c - blobs of the in-memory engine.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

static struct mem_writer *writer_of(struct blob_writer *w);
static SUSPENDS enum status blob_look(struct mem_engine *m, struct blob_id id,
                                      struct mem_blob **out);

enum status
mem_blob_new(struct engine *e, uint64_t size_hint, struct blob_writer **out)
{
    struct mem_writer *w = MEM_NEW(struct mem_writer);

    (void)e;
    (void)size_hint;
    buf_init(&w->bytes, ENGINE_BLOB_MAX);
    *out = &w->base;
    return OK;
}

enum status
mem_blob_add_bytes(struct blob_writer *w, struct str bytes)
{
    struct mem_writer *mw = writer_of(w);

    TRY(mem_call(mem_of(w->engine)));
    buf_add(&mw->bytes, bytes);
    return buf_status(&mw->bytes);
}

enum status
mem_blob_end(struct blob_writer *w, struct blob_id *id_out)
{
    struct mem_engine *m = mem_of(w->engine);
    struct mem_writer *mw = writer_of(w);

    TRY(mem_call(m));
    if (m->cluster)
        mem_delay(m, false);
    if (m->base.failed)
        return ERR_IO;
    if (w->head.len > 0) {
        struct buf whole = BUF(ENGINE_BLOB_MAX);
        buf_reserve(&whole, w->head.len + mw->bytes.len);
        buf_add(&whole, buf_str(&w->head));
        buf_add(&whole, buf_str(&mw->bytes));
        buf_release(&mw->bytes);
        mw->bytes = whole;
    }
    *id_out = mem_blob_add(m, buf_take(&mw->bytes));
    mem_blob_drop(w);
    return OK;
}

void
mem_blob_drop(struct blob_writer *w)
{
    struct mem_writer *mw = writer_of(w);

    buf_release(&mw->bytes);
    mem_free(mw);
}

void
mem_blob_forget(struct engine *e, struct blob_id id)
{
    struct mem_engine *m = mem_of(e);
    const struct mem_blob *blob = mem_blob_find(m->world, id);

    if (blob && blob->pending == m)
        mem_blob_del(m->world, id);
}

enum status
mem_blob_read(struct engine *e, struct blob_id id, uint64_t offset, size_t max, struct arena *a,
              struct str *bytes_out)
{
    struct mem_blob *blob;

    TRY(blob_look(mem_of(e), id, &blob));
    if (blob->damaged)
        return ERR_CORRUPT;
    size_t from = (size_t)MIN(offset, (uint64_t)blob->bytes.len);
    struct str part = str_sub(blob->bytes, from, max);
    *bytes_out = part.len ? arena_str(a, part) : STR("");
    return OK;
}

enum status
mem_blob_size(struct engine *e, struct blob_id id, uint64_t *size_out)
{
    struct mem_blob *blob;

    TRY(blob_look(mem_of(e), id, &blob));
    *size_out = blob->bytes.len;
    return OK;
}

/* The blob as it is after the call's delay; it may be gone after the next suspend. */
static enum status
blob_look(struct mem_engine *m, struct blob_id id, struct mem_blob **out)
{
    TRY(mem_call(m));
    mem_delay(m, false);
    struct mem_blob *blob = mem_blob_find(m->world, id);
    if (!blob)
        return ERR_NOT_FOUND;
    *out = blob;
    return OK;
}

static struct mem_writer *
writer_of(struct blob_writer *w)
{
    return (struct mem_writer *)w;
}
