/* fields.c - see fields.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/fields.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "filter/milter_packet.h"
#include "mail/header.h"

static enum status
push_at(struct fields *f, size_t at, const struct field *one)
{
    if (f->count == LIMIT_HEADER_FIELDS)
        return ERR_LIMIT;
    if (f->count == f->room) {
        size_t room = f->room == 0 ? 64 : f->room * 2;
        struct field *more = ARENA_ARRAY(f->arena, struct field, room);
        mem_copy(more, f->at, f->count * sizeof(*more));
        f->at = more;
        f->room = room;
    }
    mem_move(f->at + at + 1, f->at + at, (f->count - at) * sizeof(*f->at));
    f->at[at] = *one;
    f->count++;
    return OK;
}

static enum status
push_gap(struct fields *f, const char *from, const char *to)
{
    struct field gap = {.whole = str_from(from, (size_t)(to - from)), .hidden = true};

    return from == to ? OK : push_at(f, f->count, &gap);
}

enum status
fields_read(struct str block, bool hides, struct arena *a, struct fields *out)
{
    struct fields f = {.arena = a};
    struct header_cursor c = header_cursor_of(block);
    const char *done = block.ptr, *end = block.ptr + block.len;
    bool received = !hides;
    struct header_field one;

    if (block.len > LIMIT_HEADER_BYTES)
        return ERR_LIMIT;
    while (header_next(&c, &one)) {
        TRY(push_gap(&f, done, one.whole.ptr));
        struct field got = {.whole = one.whole, .name = one.name, .value = one.value};
        got.hidden = hides && f.count == 0;
        if (!received && str_eq_nocase(one.name, STR("Received")))
            got.hidden = received = true;
        TRY(push_at(&f, f.count, &got));
        done = one.whole.ptr + one.whole.len;
    }
    struct str rest = str_from(done, (size_t)(end - done));
    f.ended = str_ends(rest, STR("\r\n")) && (rest.len == 2 || str_ends(rest, STR("\r\n\r\n")));
    if (f.ended)
        end -= 2;
    TRY(push_gap(&f, done, end));
    *out = f;
    return OK;
}

static enum status
make(struct fields *f, const struct field_text *t, struct field *out)
{
    AUTO_BUF b = BUF(LIMIT_HEADER_BYTES - f->spent);

    TRY(milter_field_in(&b, t->name, t->value, t->leading_space));
    f->spent += b.len;
    f->changed = true;
    struct str whole = arena_str(f->arena, buf_str(&b));
    *out = (struct field){.whole = whole,
                          .name = str_sub(whole, 0, t->name.len),
                          .value = str_sub(whole, t->name.len + 1, whole.len - t->name.len - 3)};
    return OK;
}

enum status
fields_add(struct fields *f, const struct field_text *t)
{
    struct field one;

    TRY(make(f, t, &one));
    return push_at(f, f->count, &one);
}

/* Where what came with the message begins. */
static size_t
below_ours(const struct fields *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i].hidden && str_eq_nocase(f->at[i].name, STR("Received")))
            return i + 1;
    return 0;
}

enum status
fields_insert(struct fields *f, uint32_t index, const struct field_text *t)
{
    struct field one;
    size_t at = 0;

    if (index == 0) {
        at = f->count > 0 && f->at[0].hidden ? 1 : 0;
    } else {
        at = below_ours(f);
        for (uint32_t seen = 0; at < f->count; at++)
            if (!f->at[at].hidden && ++seen == index)
                break;
    }
    TRY(make(f, t, &one));
    return push_at(f, at, &one);
}

enum status
fields_change(struct fields *f, uint32_t index, const struct field_text *t)
{
    uint32_t seen = 0;
    size_t at = 0;
    bool removes = t->value.len == 0;

    index = MAX(index, 1u);
    for (; at < f->count; at++)
        if (!f->at[at].hidden && str_eq_nocase(f->at[at].name, t->name) && ++seen == index)
            break;
    if (at == f->count)
        return removes ? OK : fields_add(f, t);
    if (!removes)
        return make(f, t, &f->at[at]);
    f->count--;
    f->changed = true;
    mem_move(f->at + at, f->at + at + 1, (f->count - at) * sizeof(*f->at));
    return OK;
}
