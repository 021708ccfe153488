/* fields_fuzz.c - any header is written as it was read; after a change it still ends where it ended.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/size.h"
#include "filter/fields.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_all(const struct fields *f, struct buf *b)
{
    for (size_t i = 0; i < f->count; i++)
        buf_add(b, f->at[i].whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, MIN(size, (size_t)65536));
    struct str block = str_sub(in, 0, header_block_len(in));
    AUTO_ARENA *a = arena_new(16u << 20);
    AUTO_BUF once = BUF(1u << 20), twice = BUF(1u << 20);
    struct fields f;

    if (fields_read(block, size % 2 == 0, a, &f) != OK)
        return 0;
    put_all(&f, &once);
    ASSERT(str_eq(buf_str(&once), str_sub(block, 0, block.len - (f.ended ? 2 : 0))));
    const struct field_text t = {STR("X-New"), in, false};
    size_t count = f.count;
    if (fields_insert(&f, (uint32_t)size % 8, &t) != OK)
        return 0;
    ASSERT(f.count == count + 1);
    struct str start = str_sub(f.at[0].whole, 0, f.at[0].whole.len);
    ASSERT(start.len > 0);
    put_all(&f, &twice);
    ASSERT(twice.len > once.len && f.spent == twice.len - once.len);
    return 0;
}
