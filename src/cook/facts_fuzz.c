/* facts_fuzz.c - the facts of any message fit their call, and are the same each time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/mem.h"
#include "cook/facts.h"
#include "mail/domain.h"
#include "mail/record.h"
#include "mail/sort_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str message, const struct cook_facts *f)
{
    struct sort_entry sort;
    struct record r;

    /* The bounds of cook.ipc: beyond them the answer could not be sent. */
    ASSERT(f->record.len <= LIMIT_RECORD_BYTES && f->sort.len <= SORT_ENTRY_MAX);
    ASSERT(f->reference_hashes_count <= LIMIT_RECORD_REFERENCES);
    ASSERT(f->dkim.headers.len <= 65536 && f->dkim.header_names.len <= 2048);
    ASSERT(f->dkim.body_hash.len == 0 || f->dkim.body_hash.len == 32);
    ASSERT((f->dkim.body_hash.len == 0) == (f->dkim.header_names.len == 0));
    ASSERT(f->from_domain.len == 0 || domain_is_normal(f->from_domain));
    ASSERT(f->header_bytes <= message.len);
    ASSERT(f->record.len > 0 && record_open(f->record, &r) == OK);
    ASSERT(sort_entry_read(f->sort, &sort) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    AUTO_ARENA *a = arena_new(FACTS_ARENA_MAX);
    struct str message = str_from((const char *)data, size);
    struct instant now = {1700000000000000};
    struct cook_facts f, again;

    facts_find(message, true, now, a, &f);
    check(message, &f);
    facts_find(message, true, now, a, &again);
    ASSERT(str_eq(f.record, again.record) && str_eq(f.sort, again.sort));
    ASSERT(str_eq(f.dkim.headers, again.dkim.headers) &&
           str_eq(f.dkim.body_hash, again.dkim.body_hash));
    return 0;
}
