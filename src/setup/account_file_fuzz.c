/* account_file_fuzz.c - entries are bounded, their lines never go back, and the reading ends.
 *
 * The first byte chooses the form; what is told of the rest must not crash either.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/account_file.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct account_entry *e)
{
    ASSERT(e->kind <= ACCOUNT_ALIAS && e->name.len <= 2 * LIMIT_ALIAS_LINE_BYTES + 1);
    if (e->fault != NULL)
        return;
    ASSERT(e->name.len > 0 && e->hash.len <= LIMIT_ALIAS_LINE_BYTES);
    ASSERT(e->quota_bytes <= INT64_MAX && (e->has_quota || e->quota_bytes == 0));
    ASSERT((e->kind == ACCOUNT_ALIAS) == (e->alias.count > 0));
    ASSERT(e->kind != ACCOUNT_ALIAS || e->alias.line == e->line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(ACCOUNT_ENTRY_BYTES);
    struct account_cursor c;
    struct account_entry e;
    uint32_t last = 0;

    if (size == 0)
        return 0;
    struct str text = str_from((const char *)data + 1, size - 1);
    enum account_form form = account_file_form(text);
    if (data[0] % 4 > 0)
        form = (enum account_form)(data[0] % 4);
    account_cursor_init(&c, text, form);
    for (; account_next(&c, a, &e); arena_reset(a)) {
        ASSERT(e.line >= last && e.line > 0);
        last = e.line;
        check(&e);
    }
    ASSERT(form == ACCOUNT_UNKNOWN || scan_at_end(&c.in));
    return 0;
}
