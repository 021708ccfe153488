/* batch.c - batches: the changes of one commit, as plain data in the caller's arena.
 *
 * Owns:      nothing; keys and values are copied into the arena, so callers may reuse their buffers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_internal.h"

#include "base/size.h"

/* What one entry costs beside its bytes: the cell's name, lengths and tags in the write-ahead log. */
#define OP_OVERHEAD 24u

static struct batch_op *batch_add(struct batch *b, enum batch_verb verb, size_t bytes);

struct batch *
batch_new(struct arena *a)
{
    struct batch *b = ARENA_NEW(a, struct batch);

    b->arena = a;
    return b;
}

void
batch_put(struct batch *b, struct str key, struct str value)
{
    struct batch_op *op = batch_add(b, BATCH_PUT, key.len + value.len);

    if (key.len > ENGINE_KEY_MAX)
        b->over = true;
    if (b->over)
        return;
    op->key = arena_str(b->arena, key);
    op->value = arena_str(b->arena, value);
}

void
batch_del(struct batch *b, struct str key)
{
    struct batch_op *op = batch_add(b, BATCH_DEL, key.len);

    if (key.len > ENGINE_KEY_MAX)
        b->over = true;
    if (b->over)
        return;
    op->key = arena_str(b->arena, key);
}

void
batch_ref_add(struct batch *b, struct blob_id id)
{
    ASSERT(!blob_id_is_none(id));
    batch_add(b, BATCH_REF_ADD, sizeof(id.bytes))->blob = id;
}

void
batch_ref_drop(struct batch *b, struct blob_id id)
{
    ASSERT(!blob_id_is_none(id));
    batch_add(b, BATCH_REF_DROP, sizeof(id.bytes))->blob = id;
}

void
batch_record_put(struct batch *b, uint64_t number, struct str record)
{
    struct batch_op *op = batch_add(b, BATCH_RECORD_PUT, record.len);

    op->number = number;
    if (!b->over)
        op->value = arena_str(b->arena, record);
}

void
batch_record_del(struct batch *b, uint64_t number)
{
    batch_add(b, BATCH_RECORD_DEL, 0)->number = number;
}

size_t
batch_bytes(const struct batch *b)
{
    return b->bytes;
}

bool
batch_empty(const struct batch *b)
{
    return b->count == 0;
}

/* Never NULL.  Past the limit the bytes are no longer copied: the commit will refuse the batch. */
static struct batch_op *
batch_add(struct batch *b, enum batch_verb verb, size_t bytes)
{
    struct batch_op *op = ARENA_NEW(b->arena, struct batch_op);

    op->verb = verb;
    if (b->last)
        b->last->next = op;
    else
        b->first = op;
    b->last = op;
    b->count++;
    if (!size_add(b->bytes, bytes + OP_OVERHEAD, &b->bytes) || b->bytes > ENGINE_BATCH_MAX)
        b->over = true;
    return op;
}
