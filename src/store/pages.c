/* pages.c - the pages of places that hold a set of UIDs, in order, without asking for those that are not there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#define YIELD_PAGES 4u
#define LOAD_PAGES  64u /* brought into the cache by one read */

static SUSPENDS enum status load_ahead(struct place_pages *it, uint32_t page);
static SUSPENDS enum status skip_hole(struct place_pages *it, uint32_t page);

enum status
place_pages_next(struct place_pages *it, struct places *out)
{
    uint32_t uid;

    if (++it->given % YIELD_PAGES == 0)
        fiber_yield();
    while (it->next != 0 && uid_set_floor(it->uids, it->next, &uid) && uid < it->uidnext) {
        uint32_t page = uid >> PAGE_BITS;
        it->next = uid;
        TRY(load_ahead(it, page));
        TRY(work_places(it->w, it->mailbox, page, out));
        if (out->count > 0) {
            /* uidnext is a UID, so this never wraps for a page below it, but for the very last. */
            it->next = (page + 1) << PAGE_BITS;
            return OK;
        }
        TRY(skip_hole(it, page));
    }
    it->next = 0;
    return ERR_NOT_FOUND;
}

/* What lies ahead in the same range of UIDs will be wanted too. */
static enum status
load_ahead(struct place_pages *it, uint32_t page)
{
    struct key keys[LOAD_PAGES];
    struct str names[LOAD_PAGES];
    uint32_t last = it->next, n = 0;

    if (page < it->loaded_to)
        return OK;
    for (size_t i = 0; i < it->uids.count; i++) {
        const struct uid_range *r = &it->uids.ranges[i];
        if (r->first <= it->next && it->next <= r->last)
            last = MIN(r->last, it->uidnext - 1);
    }
    for (; n < LOAD_PAGES && page + n <= last >> PAGE_BITS; n++) {
        keys[n] = key_places(it->mailbox, page + n);
        names[n] = key_str(&keys[n]);
    }
    it->loaded_to = page + n;
    return n > 1 ? tx_load(it->w->tx, names, n) : OK;
}

static enum status
skip_hole(struct place_pages *it, uint32_t page)
{
    struct key lo = key_places(it->mailbox, page), hi = key_places(it->mailbox, UINT32_MAX);
    const struct cell_entry *e;
    uint32_t mailbox, there;
    size_t n;

    TRY(tx_range(it->w->tx, (struct tx_span){key_str(&lo), key_str(&hi), 1}, &e, &n));
    if (n == 0) {
        it->next = 0;
        return OK;
    }
    if (!key_read_u32_u32(e[0].key, KEY_PLACES, &mailbox, &there))
        return ERR_CORRUPT;
    ASSERT(there > page);
    it->next = there << PAGE_BITS;
    return OK;
}
