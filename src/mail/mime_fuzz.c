/* mime_fuzz.c - parts nest, stand in order, lie inside the message, and number no more than allowed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + size * 2);
    struct mime_tree t;

    mime_parse(in, a, &t);
    ASSERT(t.count >= 1 && t.count <= MIME_PARTS_MAX);
    ASSERT(t.steps <= (2 * MIME_DEPTH_MAX + 3) * (size + 1));
    for (uint32_t i = 0; i < t.count; i++) {
        const struct mime_part *p = &t.parts[i];
        ASSERT(p->header_at <= p->body_at && p->body_at <= p->end && p->end <= size);
        ASSERT(p->body_lines <= p->end - p->body_at);
        ASSERT(p->depth <= MIME_DEPTH_MAX);
        ASSERT((p->kind == MIME_LEAF) == (p->first_child == MIME_NONE));
        (void)mime_is_attachment(p, a);
        if (i == 0)
            continue;
        const struct mime_part *up = &t.parts[p->parent];
        ASSERT(p->parent < i && p->depth == up->depth + 1);
        ASSERT(p->header_at >= up->body_at && p->end <= up->end);
        if (p->next != MIME_NONE)
            ASSERT(p->next > i && t.parts[p->next].header_at >= p->end);
    }
    return 0;
}
