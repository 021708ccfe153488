/* tags_fuzz.c - the tags of a list lie in its text, in order, each name once; written again they are the same list.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
inside(struct str text, struct str part)
{
    return part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len;
}

static void
check(struct str text, const struct tag_list *l)
{
    AUTO_BUF again = BUF(2 * text.len + 1);
    struct tag_list other;
    const char *end = text.ptr;

    ASSERT(l->count > 0 && l->count <= LIMIT_TAGS);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct tag *t = &l->at[i];
        ASSERT(inside(text, t->name) && t->name.len > 0 && t->name.ptr >= end);
        ASSERT(inside(text, t->raw) && t->raw.ptr > t->name.ptr && inside(t->raw, t->value));
        ASSERT(tags_find(l, t->name) == t);
        end = t->raw.ptr + t->raw.len;
        buf_add(&again, t->name);
        buf_add_char(&again, '=');
        buf_add(&again, t->value);
        if (i + 1 < l->count)
            buf_add_char(&again, ';');
    }
    ASSERT(tags_parse(buf_str(&again), &other) == OK && other.count == l->count);
    for (uint32_t i = 0; i < l->count; i++)
        ASSERT(str_eq(other.at[i].name, l->at[i].name) &&
               str_eq(other.at[i].value, l->at[i].value));
}

static void
check_values(struct str text)
{
    AUTO_BUF bytes = BUF(text.len + 1);
    struct str rest = text, piece = STR_NONE;
    uint64_t n = 0;
    size_t total = 0;

    while (tags_next_piece(&rest, &piece)) {
        ASSERT(str_find(piece, ':') < 0 && tags_has_piece(text, piece));
        total += piece.len;
    }
    ASSERT(total <= text.len);
    if (tags_number(text, &n))
        ASSERT(n < 1000000000000);
    if (tags_base64(text, &bytes) == OK)
        ASSERT(bytes.len <= text.len / 4 * 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    struct tag_list l;

    if (size == 0 || size > 4096)
        return 0;
    if (tags_parse(text, &l) == OK)
        check(text, &l);
    if (size <= 256)
        check_values(text);
    return 0;
}
