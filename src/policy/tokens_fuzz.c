/* tokens_fuzz.c - of any message the tokens are within their bounds, each stands once, and a second look gives the
 * same ones.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "policy/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_word(struct str word)
{
    ASSERT(word.len > 0 && word.len <= 128 && utf8_valid(word));
    for (size_t i = 0; i < word.len; i++)
        ASSERT((unsigned char)word.ptr[i] >= ' ' && word.ptr[i] != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_from((const char *)data, size);
    AUTO_ARENA *a = arena_new(2 * (MIME_ARENA_MAX + size + TOKENS_ARENA));
    AUTO(map_free) struct map *seen = map_new();
    struct tokens t, again;
    struct mime_tree tree;

    mime_parse(message, a, &tree);
    tokens_find(message, &tree, a, &t);
    tokens_find(message, &tree, a, &again);
    ASSERT(t.count <= LIMIT_SPAM_TOKENS && t.count == again.count && t.cut == again.cut);
    for (uint32_t i = 0; i < t.count; i++) {
        check_word(t.at[i].word);
        ASSERT(t.at[i].hash >> 1 == hash_stable(t.at[i].word) >> 1);
        ASSERT(t.at[i].hash == again.at[i].hash && str_eq(t.at[i].word, again.at[i].word));
        void *twice = map_put(seen, t.at[i].word, a);
        ASSERT(twice == NULL);
    }
    return 0;
}
