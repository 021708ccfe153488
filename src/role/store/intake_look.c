/* intake_look.c - what strangers send, in three steps: looked at by a cook, judged by it, kept.
 *
 * The cook has the whole message between the first two, and so has the store: small ones in memory, large ones in the
 * blob that they streamed into, whose head is open for the field of the judge.  When the cook fails, the message goes
 * to another: a large one ends as it is then, is read from there, and is written once more with its field.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "role/store/intake_internal.h"

enum { TRIES = 2 };

struct intake_look {
    struct intake *in;
    const struct cook_stranger *who;
    struct incoming *body; /* NULL: the call brought it */
    struct str bytes;      /* the whole of a small one */
    uint64_t size;
    struct blob_id raw;      /* a large one without its field; none = it is still in its writer */
    struct cook_stream cook; /* the one that has it */
    uint64_t failed;         /* the cook that failed last */
    struct intake_asks asks;
    bool counted; /* in intake.looked */
};

SUSPENDS static enum status look_first(struct intake_look *l, struct arena *a);
SUSPENDS static enum status look_again(struct intake_look *l, struct arena *a);
SUSPENDS static enum status look_small(struct intake_look *l, struct arena *a);
SUSPENDS static enum status look_large(struct intake_look *l, struct arena *a);
SUSPENDS static enum status look_call(struct intake_look *l, const struct cook_look *req,
                                      struct arena *a);
SUSPENDS static enum status rewrite(struct intake_look *l, struct str field, struct blob_id *out);

enum status
intake_look(struct intake *in, const struct intake_which *which, const struct cook_stranger *who,
            struct arena *a, struct intake_look **out)
{
    AUTO(intake_look_free) struct intake_look *l = MEM_NEW(struct intake_look);

    l->in = in;
    l->who = who;
    l->bytes = which->bytes;
    l->size = which->bytes.len;
    if (which->handle != 0) {
        TRY(intake_seize(which, &l->body));
        l->bytes = l->body->writer == NULL ? buf_str(&l->body->small) : STR_NONE;
        l->size = l->body->size;
    }
    if (in->looked >= LIMIT_COOK_KEPT)
        return ERR_TEMP;
    in->looked++;
    l->counted = true;
    TRY(look_first(l, a));
    *out = l;
    l = NULL;
    return OK;
}

void
intake_look_free(struct intake_look **look)
{
    struct intake_look *l = *look;

    if (l == NULL)
        return;
    if (l->cook.serial != 0) {
        l->in->cooking++; /* as with every message that its cook has */
        intake_cook_drop(l->in, &l->cook);
    }
    if (!blob_id_is_none(l->raw))
        engine_blob_forget(l->in->engine, l->raw);
    if (l->counted)
        l->in->looked--;
    intake_let_go(&l->body);
    mem_free(l);
    *look = NULL;
}

const struct intake_asks *
intake_look_asks(const struct intake_look *l)
{
    return &l->asks;
}

enum status
intake_judge(struct intake_look *l, const struct cook_judge *answers, struct arena *a,
             struct intake_judged *out)
{
    struct intake *in = l->in;
    struct cook_judge req = *answers;
    struct cook_judge_reply rep;

    for (int i = 0; i < TRIES; i++) {
        if (l->cook.serial == 0)
            TRY(look_again(l, a));
        req.handle = l->cook.handle;
        const struct cook *c = intake_cook_find(in, l->cook.serial);
        in->cooking++;
        enum status st = c == NULL ? ERR_CLOSED : cook_judge_call(c->peer, &req, a, &rep);
        intake_cook_end_message(in, l->cook.serial);
        l->failed = l->cook.serial;
        l->cook.serial = 0;
        if (st == OK) {
            out->field = rep.field;
            out->verdict = rep.verdict;
            out->spam = rep.spam;
            intake_take_facts(&rep.facts, &out->facts);
            return OK;
        }
        if (st == ERR_CANCELLED)
            return st;
    }
    return ERR_TEMP;
}

SUSPENDS static enum status
keep_small(struct intake_look *l, struct str field, struct blob_id *out)
{
    AUTO(engine_blob_drop) struct blob_writer *writer = NULL;

    TRY(engine_blob_new(l->in->engine, field.len + l->size, &writer));
    TRY(engine_blob_add(writer, field));
    TRY(engine_blob_add(writer, l->bytes));
    return engine_blob_end(&writer, out);
}

enum status
intake_keep(struct intake_look *l, const struct intake_judged *j, struct intake_body *out)
{
    struct intake_body body = {.size = j->field.len + l->size, .facts = j->facts};

    if (l->bytes.len == l->size) {
        TRY(keep_small(l, j->field, &body.id));
    } else if (blob_id_is_none(l->raw) && l->body->headed) {
        TRY(engine_blob_head(l->body->writer, j->field));
        TRY(engine_blob_end(&l->body->writer, &body.id));
    } else {
        if (blob_id_is_none(l->raw))
            TRY(engine_blob_end(&l->body->writer, &l->raw));
        TRY(rewrite(l, j->field, &body.id));
    }
    *out = body;
    return OK;
}

/* ---- looking ---- */

/* A large one streamed into a cook already, which may have failed since. */
SUSPENDS static enum status
look_first(struct intake_look *l, struct arena *a)
{
    if (l->body == NULL || l->body->writer == NULL)
        return look_again(l, a);
    l->cook = l->body->cook;
    l->body->cook = (struct cook_stream){0};
    if (l->cook.serial != 0) {
        const struct cook_look req = {
            .handle = l->cook.handle, .body = STR(""), .stranger = *l->who};
        if (look_call(l, &req, a) == OK)
            return OK;
    }
    return look_again(l, a);
}

SUSPENDS static enum status
look_again(struct intake_look *l, struct arena *a)
{
    for (int i = 0; i < TRIES; i++) {
        enum status st = l->bytes.len == l->size ? look_small(l, a) : look_large(l, a);
        if (st != ERR_TEMP)
            return st;
    }
    return ERR_TEMP;
}

SUSPENDS static enum status
look_small(struct intake_look *l, struct arena *a)
{
    const struct cook_look req = {.body = l->bytes, .stranger = *l->who};

    if (l->size > INTAKE_WHOLE_MAX)
        return ERR_LIMIT;
    struct cook *c = intake_cook_pick(l->in, l->failed);
    if (c == NULL)
        return ERR_TEMP;
    l->cook = (struct cook_stream){.serial = c->serial};
    intake_cook_begin_message(l->in, c);
    return look_call(l, &req, a);
}

SUSPENDS static enum status
look_large(struct intake_look *l, struct arena *a)
{
    if (blob_id_is_none(l->raw))
        TRY(engine_blob_end(&l->body->writer, &l->raw));
    l->cook = (struct cook_stream){0};
    intake_cook_begin(l->in, &l->cook, l->size);
    enum status st = intake_cook_stream(l->in, &l->cook, l->raw, l->size);
    if (st != OK) {
        intake_cook_drop(l->in, &l->cook);
        return st;
    }
    if (l->cook.serial == 0)
        return ERR_TEMP;
    const struct cook_look req = {.handle = l->cook.handle, .body = STR(""), .stranger = *l->who};
    return look_call(l, &req, a);
}

/* ERR_TEMP: this cook cannot.  A message that is looked at keeps its cook alive, but waits for others now. */
SUSPENDS static enum status
look_call(struct intake_look *l, const struct cook_look *req, struct arena *a)
{
    struct cook_look_reply rep;
    const struct cook *c = intake_cook_find(l->in, l->cook.serial);

    enum status st = c == NULL ? ERR_CLOSED : cook_look_call(c->peer, req, a, &rep);
    if (st != OK) {
        l->failed = l->cook.serial;
        intake_cook_end_message(l->in, l->cook.serial);
        l->cook.serial = 0;
        return st == ERR_CANCELLED ? st : ERR_TEMP;
    }
    l->in->cooking--;
    l->cook.handle = rep.handle;
    l->asks = (struct intake_asks){.names = rep.names,
                                   .name_count = rep.names_count,
                                   .exists = rep.exists,
                                   .exists_count = rep.exists_count,
                                   .looks = rep.looks,
                                   .look_count = rep.looks_count};
    return OK;
}

/* ---- once more ---- */

SUSPENDS static enum status
rewrite(struct intake_look *l, struct str field, struct blob_id *out)
{
    AUTO(engine_blob_drop) struct blob_writer *writer = NULL;

    TRY(engine_blob_new(l->in->engine, field.len + l->size, &writer));
    TRY(engine_blob_add(writer, field));
    for (uint64_t at = 0; at < l->size;) {
        AUTO_ARENA *a = arena_new(4 * INTAKE_WHOLE_MAX);
        struct str slice;
        TRY(engine_blob_read(l->in->engine, l->raw, at, INTAKE_WHOLE_MAX, a, &slice));
        if (slice.len == 0)
            return ERR_CORRUPT;
        TRY(engine_blob_add(writer, slice));
        at += slice.len;
    }
    return engine_blob_end(&writer, out);
}
