/* correspondents_test.c - whom an account has written to: kept, forgotten in order, bounded.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/correspondents.h"

#include "base/limits.h"
#include "base/size.h"
#include "store/hash_page.h"
#include "store/testkit_internal.h"

#define DAY_US INT64_C(86400000000)

static struct instant
day(int64_t n)
{
    return (struct instant){(20000 + n) * DAY_US};
}

static SUSPENDS bool
has(struct cell *account, uint64_t hash)
{
    bool found = false;

    ASSERT(correspondents_has(account, hash, &found) == OK);
    return found;
}

static SUSPENDS void
test_they_are_kept(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const uint64_t two[] = {correspondent_hash(STR("anna@example.org")),
                            correspondent_hash(STR("Bert@example.org"))};
    struct account_info before, after;

    ASSERT(two[0] != two[1] && two[1] == correspondent_hash(STR("bert@example.org")));
    ASSERT(!has(c, two[0]) && !has(c, two[1]));
    ASSERT(correspondents_add(c, two, 1, day(0)) == OK);
    ASSERT(has(c, two[0]) && !has(c, two[1]));
    ASSERT(correspondents_add(c, two, 2, day(0)) == OK);
    ASSERT(account_info(c, &before) == OK);
    ASSERT(correspondents_add(c, two, 2, day(1)) == OK); /* nothing to write */
    cell_close(&c);
    kit_reopen(k);
    c = account_open(k->cs, 7);
    ASSERT(has(c, two[0]) && has(c, two[1]));
    ASSERT(account_info(c, &after) == OK && after.modseq == before.modseq); /* no client hears */
    kit_check(k, c);
    cell_close(&c);
    c = account_open(k->cs, 8); /* there is none */
    ASSERT(correspondents_add(c, two, 2, day(0)) == ERR_NOT_FOUND);
    ASSERT(!has(c, two[0]));
    cell_close(&c);
}

static SUSPENDS void
test_new_ones_are_counted(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const uint64_t some[] = {1, 2, UINT64_MAX, 4};
    struct work w;
    uint32_t n;
    bool changed;

    ASSERT(correspondents_add(c, some, 2, day(0)) == OK);
    ASSERT(work_begin(&w, c, day(1)) == OK);
    ASSERT(correspondents_count_new(&w, some, COUNT_OF(some), &n) == OK && n == 2);
    ASSERT(correspondents_enter(&w, some, COUNT_OF(some), &changed) == OK && changed);
    ASSERT(correspondents_count_new(&w, some, COUNT_OF(some), &n) == OK && n == 0);
    ASSERT(correspondents_enter(&w, some, COUNT_OF(some), &changed) == OK && !changed);
    work_end(&w); /* without a commit */
    ASSERT(has(c, 1) && !has(c, UINT64_MAX));
    cell_close(&c);
}

static SUSPENDS void
test_the_oldest_goes(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const uint64_t page = 64;

    for (uint64_t i = 0; i < page; i++)
        ASSERT(correspondents_add(c, &i, 1, day((int64_t)i)) == OK);
    uint64_t again = 0, more = page, other = UINT64_C(1) << 56;
    ASSERT(correspondents_add(c, &again, 1, day(HASH_PAGE_FRESH_DAYS - 1)) == OK);
    ASSERT(correspondents_add(c, &more, 1, day(70)) == OK); /* 0 is the oldest still */
    ASSERT(!has(c, 0) && has(c, 1) && has(c, more));
    again = 1;
    ASSERT(correspondents_add(c, &again, 1, day(71)) == OK); /* old enough to be renewed */
    more++;
    ASSERT(correspondents_add(c, &more, 1, day(72)) == OK);
    ASSERT(has(c, 1) && !has(c, 2) && has(c, 3));
    ASSERT(correspondents_add(c, &other, 1, day(73)) == OK); /* on another page there is room */
    ASSERT(has(c, 3) && has(c, other));
    cell_close(&c);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"they are kept", test_they_are_kept, KIT_ALL},
        {"new ones are counted", test_new_ones_are_counted, KIT_MEM},
        {"the oldest goes", test_the_oldest_goes, KIT_MEM | KIT_CLUSTER},
    };

    (void)argc;
    return kit_main("correspondents", rows, COUNT_OF(rows), argv);
}
