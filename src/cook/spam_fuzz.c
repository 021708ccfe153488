/* spam_fuzz.c - of any message: one field, in ASCII, that is a whole one; bounded words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "cook/spam.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cook_judge_reply rep = {.field = STR("")};
    struct header_field f;

    if (size > 65536)
        return 0;
    AUTO_ARENA *a = arena_new(1u << 20);
    spam_judge(str_from((const char *)data, size), a, &rep);
    struct header_cursor c = header_cursor_of(rep.field);
    ASSERT(rep.field.len <= SPAM_FIELD_MAX && str_is_ascii(rep.field));
    bool one = header_next(&c, &f);
    ASSERT(one && f.whole.len == rep.field.len);
    for (size_t i = 0; i + 1 < rep.field.len; i++)
        ASSERT(rep.field.ptr[i] >= ' ' || rep.field.ptr[i] == '\t' || rep.field.ptr[i] == '\r' ||
               rep.field.ptr[i] == '\n');
    ASSERT(rep.spam.words.len <= COOK_SPAM_WORDS_MAX);
    ASSERT(rep.spam.author.len <= COOK_SPAM_AUTHOR_MAX);
    struct cook_learn_reply read;
    spam_read(str_from((const char *)data, size), a, &read);
    ASSERT(read.tokens_count == rep.spam.tokens_count && str_eq(read.author, rep.spam.author));
    return 0;
}
