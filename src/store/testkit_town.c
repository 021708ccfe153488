/* testkit_town.c - see testkit_town.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/testkit_town.h"
#include "store/directory_internal.h"

struct directory *
town_open(struct kit *k)
{
    return directory_new(k->cs, HERE, &directory_built_in);
}

SUSPENDS void
town_account(struct directory *d, struct str address, uint64_t id)
{
    const struct directory_new_account n = {
        .address = address, .account = id, .quota_bytes = 1000000, .verifier = STR("sealed")};

    ASSERT(directory_account_add(d, &n) == OK);
}

SUSPENDS void
town_alias(struct directory *d, const char *address, const char *targets)
{
    struct str list[LIMIT_ALIAS_TARGETS], rest = str_of(targets);
    size_t n = 0;

    while (n < COUNT_OF(list) && str_split(&rest, ' ', &list[n]))
        n++;
    ASSERT(directory_alias_set(d, str_of(address), list, n) == OK);
}

/* Past the check of directory_alias_set(): two who set aliases at the same time can make a loop. */
SUSPENDS void
town_alias_unchecked(struct directory *d, const char *address, const char *targets)
{
    struct directory_entry e = {.kind = DIRECTORY_ALIAS};
    struct str list[4], rest = str_of(targets);
    struct directory_key key;
    AUTO_BUF value = BUF(4096);
    AUTO(tx_abort) struct tx *tx = NULL;

    e.targets = list;
    while (e.target_count < COUNT_OF(list) && str_split(&rest, ' ', &list[e.target_count]))
        e.target_count++;
    directory_entry_write(&e, &value);
    ASSERT(directory_key_make(DIRECTORY_TAG_ADDRESS, str_of(address), &key) == OK);
    ASSERT(tx_begin(directory_shard(d, str_of(address)), &tx) == OK);
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    ASSERT(tx_commit(&tx) == OK);
    directory_changed(d);
}

/* anna 1, bert 2, carl 3 (disabled), postmaster and the rest -> anna. */
SUSPENDS struct directory *
town_small(struct kit *k)
{
    struct directory *d = town_open(k);

    ASSERT(directory_domain_add(d, HERE, STR("anna@example.org")) == OK);
    ASSERT(directory_domain_add(d, STR("Other.Example"), STR_NONE) == OK);
    town_account(d, STR("Anna@Example.ORG"), 1);
    town_account(d, STR("bert@example.org"), 2);
    town_account(d, STR("carl@example.org"), 3);
    ASSERT(directory_account_disable(d, STR("carl@example.org"), true) == OK);
    town_alias(d, "info@example.org", "bert");
    town_alias(d, "team@example.org", "anna bert carl@example.org");
    town_alias(d, "forward@example.org", "x@elsewhere.example");
    town_alias(d, "both@example.org", "anna X@Elsewhere.example x@elsewhere.example");
    town_alias(d, "list+tag@example.org", "anna");
    town_alias(d, "list@example.org", "bert");
    town_alias_unchecked(d, "loop1@example.org", "loop2@example.org");
    town_alias_unchecked(d, "loop2@example.org", "loop1@example.org");
    town_alias_unchecked(d, "self@example.org", "self@example.org anna@example.org");
    town_alias(d, "dead@example.org", "nobody@example.org");
    town_alias(d, "carla@example.org", "carl");
    town_alias(d, "@other.example", "anna");
    town_alias(d, "known@other.example", "bert+o@example.org");
    return d;
}

SUSPENDS size_t
town_reap_notes(struct kit *k)
{
    AUTO(cell_close)
    struct cell *domains = cell_open(k->cs, (struct cell_id){CELL_DIRECTORY, 256});
    struct cell_walk w = {
        .cell = cell_id_of(domains), .lo = STR("r"), .hi = STR("s"), .bytes_max = 65536};
    const struct cell_entry *entries;
    size_t n;

    ASSERT(cell_walk_page(domains, &w, k->a, &entries, &n) == OK);
    cell_walk_end(domains, &w);
    return n;
}
