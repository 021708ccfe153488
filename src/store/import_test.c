/* import_test.c - imported mail: UIDs kept or not, the delta of a second look, and what it must leave alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/import.h"
#include "store/testkit_internal.h"

enum { V = 2147483000u, OTHER_V = 2147482999u, SOURCE = 7 };

static SUSPENDS uint32_t
open_box(struct cell *account, const char *name, uint32_t uidvalidity, uint32_t uidnext)
{
    const struct import_mailbox m = {
        .name = str_of(name), .uidvalidity = uidvalidity, .uidnext = uidnext, .subscribed = true};
    uint32_t id;

    ASSERT(import_open(account, &m, &id) == OK);
    return id;
}

struct old { /* a message of the old server */
    uint32_t box, uidvalidity, uid, flags;
};

static SUSPENDS enum status
add(struct kit *k, struct cell *account, const struct old *old, struct message_place *place)
{
    uint32_t uid = old->uid;
    struct message_new m = kit_message(k, 50, uid + 1);
    char key[20];
    int n = snprintf(key, sizeof(key), "m%u", uid);
    const struct import_origin o = {
        .uid = uid, .source = SOURCE, .key = {key, (size_t)n}, .uidl = STR("old")};
    struct import_batch ib = {.uidvalidity = old->uidvalidity, .origins = &o};
    const struct message_batch b = {old->box, &m, 1, &ib};

    m.flags = old->flags;
    ASSERT(import_state(account, old->box, &ib.last) == OK);
    return message_add_all(account, &b, k->now, place);
}

static SUSPENDS uint32_t
uid_of(struct kit *k, struct cell *account, uint32_t box, uint32_t uidvalidity, uint32_t uid)
{
    struct message_place p;

    const struct old old = {box, uidvalidity, uid, 0};

    ASSERT(add(k, account, &old, &p) == OK);
    return p.uid;
}

static SUSPENDS struct import_list
list(struct kit *k, struct cell *account, uint32_t box)
{
    const struct import_page p = {box, 1, 1000};
    struct import_list l;

    ASSERT(import_list(account, &p, k->a, &l) == OK && !l.more);
    return l;
}

static SUSPENDS void
test_uids(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t box = open_box(account, "Old/Mail", V, 0);
    struct mailbox_info i = kit_box(k, account, box);

    ASSERT(i.uidvalidity == V && i.uidnext == 1 && i.subscribed);
    ASSERT(uid_of(k, account, box, V, 3) == 3);
    ASSERT(uid_of(k, account, box, V, 70) == 70);
    ASSERT(uid_of(k, account, box, V, 128) == 128); /* the first of a page */
    ASSERT(open_box(account, "Old/Mail", V, 200) == box && kit_box(k, account, box).uidnext == 200);
    ASSERT(open_box(account, "Old/Mail", V, 150) == box && kit_box(k, account, box).uidnext == 200);
    ASSERT(kit_add(k, account, box, 10).uid == 200); /* new mail */
    ASSERT(uid_of(k, account, box, V, 199) == 201);  /* too late for its UID */
    ASSERT(uid_of(k, account, box, V, 0) == 202);
    ASSERT(uid_of(k, account, box, OTHER_V, 900) == 203); /* of another UIDVALIDITY */
    ASSERT(uid_of(k, account, box, V, 900) == 900);
    kit_check(k, account);
    struct import_list l = list(k, account, box);
    ASSERT(l.count == 7 && l.entries[0].uid == 3 && l.entries[2].uid == 128);
    ASSERT(str_eq(l.entries[1].key, STR("m70")) && str_eq(l.entries[1].uidl, STR("old")));
    /* A name made anew does not get the UIDVALIDITY again. */
    ASSERT(mailbox_delete(account, box, k->now) == OK);
    uint32_t again;
    ASSERT(mailbox_create(account, STR("Old/Mail"), SPECIAL_NONE, &again) == OK);
    ASSERT(kit_box(k, account, again).uidvalidity > V);
    cell_close(&account);
}

static SUSPENDS void
test_validity(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t own = kit_box(k, account, MAILBOX_INBOX).uidvalidity;

    kit_add(k, account, MAILBOX_INBOX, 10);
    ASSERT(open_box(account, "inbox", V, 50) == MAILBOX_INBOX); /* has mail: keeps its own */
    ASSERT(kit_box(k, account, MAILBOX_INBOX).uidvalidity == own);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).uidnext == 2);
    ASSERT(uid_of(k, account, MAILBOX_INBOX, V, 20) == 2);
    uint32_t sent = open_box(account, "Sent", 5, 9); /* below the counter, which stays */
    ASSERT(kit_box(k, account, sent).uidvalidity == 5);
    uint32_t other;
    ASSERT(mailbox_create(account, STR("Other"), SPECIAL_NONE, &other) == OK);
    ASSERT(kit_box(k, account, other).uidvalidity >= own);
    cell_close(&account);
}

/* Numbers so high that no room would be left for new mail. */
static SUSPENDS void
test_high(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    const struct import_mailbox rows[] = {
        {.name = STR("A"), .uidvalidity = LIMIT_IMPORT_NUMBER + 1u},
        {.name = STR("A"), .uidvalidity = V, .uidnext = LIMIT_IMPORT_NUMBER + 1u},
        {.name = STR("A"), .uidvalidity = UINT32_MAX, .uidnext = UINT32_MAX},
    };
    uint32_t box;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ASSERT(import_open(account, &rows[i], &box) == ERR_SYNTAX);
    box = open_box(account, "A", V, 7);
    ASSERT(uid_of(k, account, box, V, UINT32_MAX) == 7);
    ASSERT(uid_of(k, account, box, V, LIMIT_IMPORT_NUMBER + 1u) == 8);
    ASSERT(kit_add(k, account, box, 10).uid == 9);
    ASSERT(uid_of(k, account, box, V, LIMIT_IMPORT_NUMBER) == LIMIT_IMPORT_NUMBER);
    ASSERT(kit_add(k, account, box, 10).uid == LIMIT_IMPORT_NUMBER + 1u);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_conflict(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t box = open_box(account, "A", V, 0);
    struct message_new m = kit_message(k, 10, 1);
    const struct import_origin o = {.uid = 8, .source = SOURCE, .key = STR("k")};
    const struct import_batch ib = {.uidvalidity = V, .last = 0, .origins = &o};
    const struct message_batch b = {box, &m, 1, &ib};
    struct message_place p;

    ASSERT(message_add_all(account, &b, k->now, &p) == OK && p.uid == 8);
    ASSERT(message_add_all(account, &b, k->now, &p) == ERR_EXISTS);
    ASSERT(kit_box(k, account, box).exists == 1 && list(k, account, box).count == 1);
    cell_close(&account);
}

static SUSPENDS void
test_quota(struct kit *k)
{
    struct cell *account = account_open(k->cs, 1);
    struct message_place p;
    struct account_info info;

    ASSERT(account_create(account, (struct account_quota){.bytes = 60}, k->now) == OK);
    ASSERT(add(k, account, &(const struct old){MAILBOX_INBOX, 0, 0, 0}, &p) == OK && p.notice == 0);
    ASSERT(add(k, account, &(const struct old){MAILBOX_INBOX, 0, 0, 0}, &p) == OK);
    ASSERT(account_info(account, &info) == OK && info.bytes == 100 && info.messages == 2);
    ASSERT(account_has_room(account, 1) == ERR_QUOTA);
    cell_close(&account);
}

static uint32_t
flags_of(const struct kit_view *v, uint32_t uid)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->entries[i].uid == uid)
            return v->entries[i].flags;
    return UINT32_MAX;
}

static SUSPENDS void
test_flags(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t box = open_box(account, "A", V, 0);
    const struct str word = STR("work");
    struct message_place p;
    AUTO_BUF b = BUF(1u << 16);
    struct flags_reply fr;

    ASSERT(add(k, account, &(const struct old){box, V, 5, FLAG_SEEN}, &p) == OK);
    ASSERT(add(k, account, &(const struct old){box, V, 6, FLAG_SEEN}, &p) == OK);
    ASSERT(kit_add(k, account, box, 10).uid == 7);
    /* Flagged here; then at the source Seen goes and a keyword comes. */
    const struct flags_request fl = {.mailbox = box,
                                     .uids = {&(const struct uid_range){5, 7}, 1},
                                     .op = FLAGS_ADD,
                                     .flags = FLAG_FLAGGED,
                                     .unchanged_since = UNCHANGED_ANY};
    ASSERT(message_flags(account, &fl, k->a, &b, &fr) == OK);
    const struct import_change changes[] = {{5, FLAG_ANSWERED, &word, 1},
                                            {6, FLAG_SEEN, NULL, 0},
                                            {7, FLAG_DELETED, NULL, 0},
                                            {99, FLAG_DELETED, NULL, 0}};
    const struct import_changes c = {box, changes, COUNT_OF(changes)};
    ASSERT(import_flags(account, &c) == OK);
    struct kit_view v = kit_view(k, account, box);
    ASSERT(flags_of(&v, 5) == (FLAG_FLAGGED | FLAG_ANSWERED | 1u << FLAG_KEYWORD_SHIFT));
    ASSERT(flags_of(&v, 6) == (FLAG_FLAGGED | FLAG_SEEN));
    ASSERT(flags_of(&v, 7) == FLAG_FLAGGED); /* new mail is left alone */
    kit_check(k, account);
    uint64_t modseq = kit_box(k, account, box).modseq;
    ASSERT(import_flags(account, &c) == OK && kit_box(k, account, box).modseq == modseq);
    cell_close(&account);
}

static SUSPENDS void
test_remove(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t box = open_box(account, "A", V, 0);
    const struct uid_range some[] = {{2, 3}, {5, 500}};
    const struct import_gone g = {box, {some, 2}};
    struct expunge_reply x;

    for (uint32_t uid = 1; uid <= 4; uid++)
        ASSERT(uid_of(k, account, box, V, uid) == uid);
    ASSERT(kit_add(k, account, box, 10).uid == 5);
    /* What was removed here stays known. */
    const struct expunge_request r = {box, {&(const struct uid_range){4, 4}, 1}, false};
    ASSERT(message_expunge(account, &r, k->now, k->a, &x) == OK);
    ASSERT(list(k, account, box).count == 4);
    ASSERT(import_remove(account, &g, k->now) == OK);
    struct kit_view v = kit_view(k, account, box);
    ASSERT(v.count == 2 && v.entries[0].uid == 1 && v.entries[1].uid == 5);
    struct import_list l = list(k, account, box);
    ASSERT(l.count == 2 && l.entries[0].uid == 1 && l.entries[1].uid == 4);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_delete(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t box = open_box(account, "A", V, 0), again;
    bool more = true;

    open_box(account, "A/B", V, 0);
    for (uint32_t uid = 1; uid <= 5; uid++)
        uid_of(k, account, box, V, uid * 100);
    ASSERT(mailbox_delete(account, box, k->now) == OK); /* stays as a name: it has a child */
    while (more)
        ASSERT(account_reap(account, k->now, &more) == OK);
    again = open_box(account, "A", V, 0);
    ASSERT(again == box && list(k, account, box).count == 0);
    ASSERT(uid_of(k, account, box, V, 100) == 100);
    cell_close(&account);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"uids", test_uids, KIT_ALL},     {"validity", test_validity, KIT_ALL},
        {"high", test_high, KIT_ALL},     {"conflict", test_conflict, KIT_MEM},
        {"quota", test_quota, KIT_MEM},   {"flags", test_flags, KIT_ALL},
        {"remove", test_remove, KIT_ALL}, {"delete", test_delete, KIT_ALL},
    };

    (void)argc;
    return kit_main("import", rows, COUNT_OF(rows), argv);
}
