/* alias_file_fuzz.c - every entry is bounded and stands on a later line than the one before it.
 *
 * The first byte chooses the syntax.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "setup/alias_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct alias_entry *e, enum alias_syntax syntax)
{
    if (e->fault != NULL) {
        ASSERT(e->count == 0 && e->name.len == 0);
        return;
    }
    ASSERT(e->count > 0 && e->count <= LIMIT_ALIAS_TARGETS);
    ASSERT((e->name.len == 0) == (syntax == ALIAS_FORWARD));
    for (size_t i = 0; i < e->count; i++)
        ASSERT(e->targets[i].text.len <= LIMIT_ALIAS_LINE_BYTES &&
               e->targets[i].kind <= ALIAS_ERROR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(ALIAS_ENTRY_BYTES);
    struct alias_entry e;
    uint32_t last = 0;

    if (size == 0)
        return 0;
    enum alias_syntax syntax = (enum alias_syntax)(data[0] % 3);
    struct alias_cursor c = alias_cursor_of(str_from((const char *)data + 1, size - 1), syntax);
    for (; alias_next(&c, a, &e); arena_reset(a)) {
        ASSERT(e.line > last);
        last = e.line;
        check(&e, syntax);
    }
    ASSERT(scan_at_end(&c.in));
    return 0;
}
