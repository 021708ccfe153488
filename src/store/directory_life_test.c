/* directory_life_test.c - accounts that end, come back, are suspended; what a crash in the middle of it leaves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/clock.h"
#include "store/directory_deleted.h"
#include "store/directory_internal.h"
#include "store/directory_invitation.h"
#include "store/testkit_town.h"

static SUSPENDS void
test_removal_and_reaping(struct kit *k)
{
    struct directory *d = town_small(k);
    const int64_t day = INT64_C(86400000000);
    int64_t wall = clock_now().us;
    struct directory_entry e;
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 2);
    struct account_info info;

    kit_add(k, cell, MAILBOX_INBOX, 500);
    ASSERT(directory_account_remove(d, STR("bert")) == OK);
    ASSERT(directory_account_remove(d, STR("bert")) == ERR_NOT_FOUND);
    ASSERT(directory_find(d, STR("bert"), k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_by_id(d, 2, k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_reap(d, (struct instant){wall + 13 * day}) == OK);
    ASSERT(account_info(cell, &info) == OK && info.messages == 1); /* can still be brought back */
    town_account(d, STR("bert@example.org"), 22);                  /* the address is free at once */
    ASSERT(directory_reap(d, (struct instant){wall + 15 * day}) == OK);
    ASSERT(account_info(cell, &info) == ERR_NOT_FOUND);
    ASSERT(directory_find(d, STR("bert"), k->a, &e) == OK && e.account == 22);
    AUTO(cell_close) struct cell *anew = account_open(k->cs, 22);
    ASSERT(directory_reap(d, (struct instant){wall + 60 * day}) == OK);
    ASSERT(account_info(anew, &info) == OK);
    directory_free(&d);
}

static SUSPENDS struct directory_deleted
deleted(struct kit *k, struct directory *d, const char *address, enum status want)
{
    struct directory_deleted found = {0};

    ASSERT(directory_deleted_find(d, str_of(address), k->a, &found) == want);
    return found;
}

static SUSPENDS void
test_undelete(struct kit *k)
{
    struct directory *d = town_small(k);
    const int64_t day = INT64_C(86400000000);
    int64_t wall = clock_now().us;
    struct directory_entry e;
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 2);
    struct account_info info;

    kit_add(k, cell, MAILBOX_INBOX, 500);
    ASSERT(directory_account_quota(d, STR("bert"), 5000) == OK);
    ASSERT(directory_account_verifier(d, STR("bert"), STR("his own")) == OK);
    ASSERT(directory_account_suspend(d, STR("bert"), true) == OK);
    ASSERT(directory_find(d, STR("bert"), k->a, &e) == OK);
    uint64_t epoch = e.epoch;
    (void)deleted(k, d, "bert@example.org", ERR_NOT_FOUND);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == ERR_NOT_FOUND);
    ASSERT(directory_account_remove(d, STR("bert")) == OK);
    struct directory_deleted gone = deleted(k, d, "BERT", OK);
    ASSERT(gone.account == 2 && gone.quota_bytes == 5000);
    ASSERT(gone.ends_s >= wall / 1000000 + 14 * 86400 && gone.ends_s < wall / 1000000 + 15 * 86400);

    /* the address has another owner meanwhile, who is deleted too */
    town_account(d, STR("bert@example.org"), 22);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == ERR_EXISTS);
    ASSERT(directory_account_undelete(d, 2, STR("anna")) == ERR_EXISTS);
    ASSERT(directory_account_remove(d, STR("bert")) == OK);
    gone = deleted(k, d, "bert@example.org", OK);
    ASSERT(gone.account == 22 || gone.account == 2); /* of the same second */
    ASSERT(directory_account_undelete(d, 22, STR("second@example.org")) == OK);
    ASSERT(directory_find(d, STR("second"), k->a, &e) == OK && e.account == 22);
    ASSERT(directory_by_id(d, 22, k->a, &e) == OK);
    ASSERT(str_eq(e.address, STR("second@example.org")));

    ASSERT(directory_account_undelete(d, 2, STR("bert")) == OK);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == ERR_NOT_FOUND);
    ASSERT(directory_find(d, STR("bert"), k->a, &e) == OK && e.account == 2 && e.suspended);
    ASSERT(str_eq(e.verifier, STR("his own")) && e.quota_bytes == 5000 && e.epoch == epoch + 1);
    ASSERT(directory_by_id(d, 2, k->a, &e) == OK);
    ASSERT(directory_reap(d, (struct instant){wall + 60 * day}) == OK);
    ASSERT(account_info(cell, &info) == OK && info.messages == 1 && info.quota.bytes == 5000);
    ASSERT(town_reap_notes(k) == 0);
    (void)deleted(k, d, "bert@example.org", ERR_NOT_FOUND);
    directory_free(&d);
}

/* Wherever the power goes: the account is there, or it can still be brought back, and is never dropped. */
static SUSPENDS void
test_crash_while_undeleting(struct kit *k)
{
    struct directory *d = town_open(k);
    struct account_info info;

    ASSERT(directory_domain_add(d, HERE, STR_NONE) == OK);
    for (uint64_t call = 1; call < 40; call++) {
        struct str address = arena_printf(k->a, "u%lu@example.org", call);
        const struct engine_faults cut = {.crash_call = call}, none = {0};
        struct directory_entry e;
        town_account(d, address, 500 + call);
        ASSERT(directory_account_remove(d, address) == OK);
        struct str as = arena_printf(k->a, "new%lu@example.org", call);
        engine_mem_faults(k->e, &cut);
        enum status st = directory_account_undelete(d, 500 + call, as);
        engine_mem_faults(k->e, &none);
        ASSERT(st == OK || st == ERR_IO);
        directory_free(&d);
        kit_reopen(k);
        d = town_open(k);
        AUTO(cell_close) struct cell *cell = account_open(k->cs, 500 + call);
        enum status there = directory_find(d, as, k->a, &e);
        ASSERT(there == OK || (st == ERR_IO && there == ERR_NOT_FOUND));
        ASSERT(there == OK || directory_account_undelete(d, 500 + call, as) == OK);
        struct instant later = {clock_now().us + 60 * INT64_C(86400000000)};
        while (town_reap_notes(k) > 0)
            ASSERT(directory_reap(d, later) == OK);
        ASSERT(account_info(cell, &info) == OK);
        ASSERT(directory_by_id(d, 500 + call, k->a, &e) == OK && str_eq(e.address, as));
    }
    directory_free(&d);
}

static SUSPENDS void
test_purge(struct kit *k)
{
    struct directory *d = town_small(k);
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 2);
    struct directory_purged step = {.more = true};
    struct directory_entry e;
    struct account_info info;

    for (int i = 0; i < 300; i++)
        kit_add(k, cell, MAILBOX_INBOX, 20);
    ASSERT(directory_account_purge(d, 2, &step) == ERR_NOT_FOUND); /* it lives */
    ASSERT(directory_account_expire(d, 2) == ERR_NOT_FOUND);
    ASSERT(directory_account_remove(d, STR("bert")) == OK);
    ASSERT(directory_account_purge(d, 2, &step) == ERR_DENIED); /* it has its days */
    ASSERT(directory_take_in_hand(d, 2) == OK);
    ASSERT(directory_account_expire(d, 2) == ERR_TEMP);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == ERR_TEMP);
    directory_let_go(d, 2);
    ASSERT(directory_account_expire(d, 2) == OK);
    while (step.more)
        ASSERT(directory_account_purge(d, 2, &step) == OK);
    ASSERT(step.messages == 0);
    ASSERT(account_info(cell, &info) == ERR_NOT_FOUND && town_reap_notes(k) == 0);
    ASSERT(directory_by_id(d, 2, k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == ERR_NOT_FOUND);
    (void)deleted(k, d, "bert@example.org", ERR_NOT_FOUND);
    town_account(d, STR("bert@example.org"), 22);
    directory_free(&d);
}

static SUSPENDS void
test_list_of_deleted(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_deleted_page p = {.max = 7, .a = k->a};
    const struct directory_deleted *list;
    size_t n, count = 0;
    uint64_t sum = 0;

    for (uint64_t i = 100; i < 120; i++) {
        struct str address = arena_printf(k->a, "gone%lu@example.org", i);
        town_account(d, address, i);
        ASSERT(directory_account_remove(d, address) == OK);
    }
    town_account(d, STR("new@example.org"), 200); /* its note is not one of a removal */
    do {
        ASSERT(directory_deleted_list(d, &p, &list, &n) == OK && n <= 7);
        for (size_t i = 0; i < n; i++)
            sum += list[i].account;
        count += n;
        if (n > 0) {
            p.after_s = list[n - 1].ends_s;
            p.after = list[n - 1].account;
        }
    } while (n == 7);
    ASSERT(count == 20 && sum == (100 + 119) * 10);
    directory_free(&d);
}

static SUSPENDS void
test_suspended(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_resolution r;
    struct directory_entry e;

    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK && !e.suspended);
    uint64_t epoch = e.epoch;
    ASSERT(directory_account_suspend(d, STR("bert"), true) == OK);
    ASSERT(directory_account_disable(d, STR("bert"), true) == OK);
    ASSERT(directory_account_disable(d, STR("bert"), false) == OK); /* each is its own */
    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK && e.suspended && !e.disabled);
    ASSERT(e.epoch == epoch + 3);
    ASSERT(directory_resolve(d, STR("bert"), k->a, &r) == OK && r.class == DIRECTORY_LOCAL);
    ASSERT(directory_account_suspend(d, STR("bert"), false) == OK);
    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK && !e.suspended);
    ASSERT(directory_account_suspend(d, STR("nobody"), true) == ERR_NOT_FOUND);
    directory_free(&d);
}

/* The note of its making, which a restart leaves behind, does not end a removed account early. */
static SUSPENDS void
test_removed_soon_after_it_was_made(struct kit *k)
{
    struct directory *d = town_small(k);
    const int64_t day = INT64_C(86400000000);
    int64_t wall = clock_now().us;
    struct account_info info;

    town_account(d, STR("eve@example.org"), 77);
    directory_free(&d);
    d = town_open(k);
    ASSERT(town_reap_notes(k) == 1);
    ASSERT(directory_account_remove(d, STR("eve")) == OK);
    ASSERT(town_reap_notes(k) == 2);
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 77);
    ASSERT(directory_reap(d, (struct instant){wall + day}) == OK);
    ASSERT(town_reap_notes(k) == 1);
    ASSERT(account_info(cell, &info) == OK);
    ASSERT(directory_reap(d, (struct instant){wall + 15 * day}) == OK);
    ASSERT(account_info(cell, &info) == ERR_NOT_FOUND);
    ASSERT(town_reap_notes(k) == 0);
    directory_free(&d);
}

#define HASH  "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdeF"

static SUSPENDS void
invite(struct directory *d, const char *hash)
{
    const struct directory_invitation i = {.hash = str_of(hash), .expires = {5000000}};

    ASSERT(directory_invite(d, STR("bert"), &i) == OK);
}

static SUSPENDS enum status
redeem(struct directory *d, const char *hash, struct instant now)
{
    const struct directory_redemption r = {
        .hash = str_of(hash), .verifier = STR("by invitation"), .now = now};

    return directory_redeem(d, STR("bert"), &r);
}

static SUSPENDS void
test_invitation(struct kit *k)
{
    struct directory *d = town_small(k);
    const struct instant early = {4999999}, late = {5000000};
    const struct directory_invitation one = {.hash = STR(HASH), .expires = {5000000}};
    struct directory_entry e;

    ASSERT(directory_invite(d, STR("nobody"), &one) == ERR_NOT_FOUND);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    invite(d, HASH);
    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK);
    ASSERT(str_eq(e.invitation.hash, STR(HASH)) && e.invitation.expires.us == 5000000);
    uint64_t epoch = e.epoch;
    ASSERT(redeem(d, OTHER, early) == ERR_NOT_FOUND);
    ASSERT(redeem(d, HASH, late) == ERR_NOT_FOUND);
    invite(d, OTHER); /* in place of the first */
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    ASSERT(redeem(d, OTHER, early) == OK);
    ASSERT(redeem(d, OTHER, early) == ERR_NOT_FOUND);
    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK && e.epoch == epoch + 1);
    ASSERT(str_eq(e.verifier, STR("by invitation")) && e.invitation.hash.len == 0);

    invite(d, HASH);
    ASSERT(directory_account_quota(d, STR("bert"), 9) == OK); /* that is no end */
    ASSERT(directory_account_verifier(d, STR("bert"), STR("his own")) == OK);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    invite(d, HASH);
    ASSERT(directory_account_suspend(d, STR("bert"), true) == OK);
    ASSERT(directory_invite(d, STR("bert"), &one) == ERR_DENIED);
    ASSERT(directory_account_suspend(d, STR("bert"), false) == OK);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    invite(d, HASH);
    ASSERT(directory_account_disable(d, STR("bert"), true) == OK);
    ASSERT(directory_account_disable(d, STR("bert"), false) == OK);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    invite(d, HASH);
    ASSERT(directory_account_remove(d, STR("bert")) == OK);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    ASSERT(directory_account_undelete(d, 2, STR("bert")) == OK);
    ASSERT(redeem(d, HASH, early) == ERR_NOT_FOUND);
    ASSERT(directory_login(d, STR("bert"), k->a, &e) == OK && str_eq(e.verifier, STR("his own")));
    directory_free(&d);
}

struct redeemers {
    struct directory *d;
    int won, lost;
};

static FIBER_ENTRY void
redeem_one(void *arg)
{
    struct redeemers *r = arg;
    enum status st = redeem(r->d, HASH, (struct instant){1});

    ASSERT(st == OK || st == ERR_NOT_FOUND);
    r->won += st == OK ? 1 : 0;
    r->lost += st == OK ? 0 : 1;
    kit_left();
}

static SUSPENDS void
test_invitation_of_many(struct kit *k)
{
    struct redeemers r = {.d = town_small(k)};

    invite(r.d, HASH);
    for (int i = 0; i < 8; i++)
        kit_go(redeem_one, &r);
    kit_wait();
    ASSERT(r.won == 1 && r.lost == 7);
    directory_free(&r.d);
}

static const struct kit_row rows[] = {
    {"removal_and_reaping", test_removal_and_reaping, KIT_ALL},
    {"undelete", test_undelete, KIT_ALL},
    {"crash_while_undeleting", test_crash_while_undeleting, KIT_MEM},
    {"purge", test_purge, KIT_ALL},
    {"list_of_deleted", test_list_of_deleted, KIT_MEM | KIT_CLUSTER},
    {"suspended", test_suspended, KIT_MEM | KIT_CLUSTER},
    {"invitation", test_invitation, KIT_ALL},
    {"invitation_of_many", test_invitation_of_many, KIT_ALL},
    {"removed_soon_after_it_was_made", test_removed_soon_after_it_was_made, KIT_ALL},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("directory_life", rows, COUNT_OF(rows), argv);
}
