/* correspondents.c - see correspondents.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/correspondents.h"

#include "base/hash.h"
#include "store/hash_page.h"
#include "store/work.h"

enum { ADDRESS_MAX = 1024 };

static_assert(HASH_PAGE_MAX * CORRESPONDENTS_PAGES == LIMIT_CORRESPONDENTS,
              "the pages hold what the table of limits says");

SUSPENDS static enum status add_once(struct cell *account, const uint64_t *hashes, size_t n,
                                     struct instant now);
SUSPENDS static enum status peek(struct work *w, uint64_t hash, struct hash_page *out);
static struct key key_of(uint64_t hash);

uint64_t
correspondent_hash(struct str address)
{
    AUTO_BUF lower = BUF(ADDRESS_MAX);

    for (size_t i = 0; i < address.len; i++)
        buf_add_char(&lower, ascii_lower(address.ptr[i]));
    return hash_stable(buf_str(&lower));
}

enum status
correspondents_has(struct cell *account, uint64_t hash, bool *out)
{
    AUTO_ARENA *a = arena_new(4 * (size_t)HASH_PAGE_BYTES);
    struct key k = key_of(hash);
    struct hash_page p;
    struct str value;

    TRY(cell_get(account, key_str(&k), a, &value));
    TRY(hash_page_read(value, &p));
    *out = hash_page_has(&p, hash);
    return OK;
}

enum status
correspondents_add(struct cell *account, const uint64_t *hashes, size_t n, struct instant now)
{
    enum status st;
    int tries = 0;

    do {
        st = add_once(account, hashes, n, now);
    } while (work_again(&st, &tries));
    return st;
}

SUSPENDS static enum status
add_once(struct cell *account, const uint64_t *hashes, size_t n, struct instant now)
{
    AUTO(work_end) struct work w;
    bool changed;

    TRY(work_begin(&w, account, now));
    TRY(correspondents_enter(&w, hashes, n, &changed));
    return changed ? work_commit(&w) : OK;
}

enum status
correspondents_count_new(struct work *w, const uint64_t *hashes, size_t n, uint32_t *out)
{
    struct hash_page p;
    uint32_t count = 0;

    for (size_t i = 0; i < n; i++) {
        TRY(peek(w, hashes[i], &p));
        count += hash_page_has(&p, hashes[i]) ? 0u : 1u;
    }
    *out = count;
    return OK;
}

enum status
correspondents_enter(struct work *w, const uint64_t *hashes, size_t n, bool *changed_out)
{
    AUTO_BUF value = BUF(HASH_PAGE_BYTES);
    struct hash_page p;
    bool changed = false;

    for (size_t i = 0; i < n; i++) {
        struct key k = key_of(hashes[i]);
        TRY(peek(w, hashes[i], &p));
        if (!hash_page_add(&p, hashes[i], w->now))
            continue;
        buf_reset(&value);
        hash_page_write(&p, &value);
        TRY(buf_status(&value));
        work_put(w, &k, buf_str(&value));
        changed = true;
    }
    *changed_out = changed;
    return OK;
}

SUSPENDS static enum status
peek(struct work *w, uint64_t hash, struct hash_page *out)
{
    struct key k = key_of(hash);
    struct str value;

    TRY(work_peek(w, &k, &value));
    return hash_page_read(value, out);
}

static struct key
key_of(uint64_t hash)
{
    return (struct key){2, {KEY_CORRESPONDENTS, (char)(uint8_t)(hash >> 56)}};
}
