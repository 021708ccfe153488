/* mailbox_test.c - the tree of mailboxes: names, deletion, renaming, subscriptions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/testkit_internal.h"

static SUSPENDS struct mailbox_info
find(struct kit *k, struct cell *account, const char *name)
{
    struct mailbox_info info;

    ASSERT(mailbox_find(account, str_of(name), k->a, &info) == OK);
    return info;
}

static SUSPENDS enum status
look(struct kit *k, struct cell *account, const char *name)
{
    struct mailbox_info info;

    return mailbox_find(account, str_of(name), k->a, &info);
}

static SUSPENDS uint32_t
create(struct cell *account, const char *name)
{
    uint32_t id;

    ASSERT(mailbox_create(account, str_of(name), SPECIAL_NONE, &id) == OK);
    return id;
}

static SUSPENDS const struct mailbox_list *
list(struct kit *k, struct cell *account)
{
    const struct mailbox_list *l;

    ASSERT(mailbox_list(account, 0, 20000, k->a, &l) == OK && !l->more);
    return l;
}

static SUSPENDS const struct mailbox_info *
listed(struct kit *k, struct cell *account, const char *name)
{
    const struct mailbox_list *l = list(k, account);

    for (size_t i = 0; i < l->count; i++) {
        if (str_eq(l->mailboxes[i].name, str_of(name)))
            return &l->mailboxes[i];
    }
    return NULL;
}

static SUSPENDS void
reap_all(struct kit *k, struct cell *account)
{
    bool more = true;

    while (more)
        ASSERT(account_reap(account, k->now, &more) == OK);
}

static SUSPENDS void
test_first(struct kit *k)
{
    static const char *const names[] = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"};
    struct cell *account = kit_account(k, 1);
    const struct mailbox_list *l = list(k, account);

    ASSERT(l->count == COUNT_OF(names));
    for (uint32_t i = 0; i < l->count; i++) {
        const struct mailbox_info *m = &l->mailboxes[i];
        ASSERT(str_eq(m->name, str_of(names[i])) && m->id == i + 1 && m->subscribed);
        ASSERT(m->selectable && !m->has_children && m->exists == 0 && m->uidnext == 1);
        ASSERT(m->special == (enum mailbox_special)i);
        ASSERT(i == 0 || m->uidvalidity != l->mailboxes[i - 1].uidvalidity);
        uint32_t id;
        ASSERT(i == 0 || (mailbox_find_special(account, m->special, &id) == OK && id == m->id));
    }
    ASSERT(find(k, account, "inBox").id == MAILBOX_INBOX);
    ASSERT(look(k, account, "sent") == ERR_NOT_FOUND); /* only INBOX has no case */
    cell_close(&account);
}

static SUSPENDS void
test_names(struct kit *k)
{
    char deep[200] = "", level[600], longest[1300];
    struct str out;
    for (size_t i = 0; i <= LIMIT_MAILBOX_DEPTH; i++) {
        deep[2 * i] = 'a';
        deep[2 * i + 1] = i < LIMIT_MAILBOX_DEPTH ? '/' : 0;
    }
    memset(level, 'x', sizeof(level));
    memset(longest, 'y', sizeof(longest));
    for (size_t i = 100; i < sizeof(longest); i += 100)
        longest[i] = '/';
    const struct {
        struct str name;
        enum status want;
        struct str canonical;
    } rows[] = {
        {STR("a"), OK, STR("a")},
        {STR("inbox"), OK, STR("INBOX")},
        {STR("InBoX/sub"), OK, STR("INBOX/sub")},
        {STR("inboxes"), OK, STR("inboxes")},
        {STR("a/inbox"), OK, STR("a/inbox")},
        {STR("Gr\xc3\xbc\xc3\x9f"
             "e"),
         OK,
         STR("Gr\xc3\xbc\xc3\x9f"
             "e")},
        {STR(""), ERR_SYNTAX, STR("")},
        {STR("/a"), ERR_SYNTAX, STR("")},
        {STR("a/"), ERR_SYNTAX, STR("")},
        {STR("a//b"), ERR_SYNTAX, STR("")},
        {STR("a\nb"), ERR_SYNTAX, STR("")},
        {STR("a\x7f"), ERR_SYNTAX, STR("")},
        {STR("a\0b"), ERR_SYNTAX, STR("")},
        {STR("\xff"), ERR_SYNTAX, STR("")},
        {str_from(deep, 2 * LIMIT_MAILBOX_DEPTH - 1), OK,
         str_from(deep, 2 * LIMIT_MAILBOX_DEPTH - 1)},
        {str_of(deep), ERR_LIMIT, STR("")},
        {str_from(level, KEY_NAME_MAX), OK, str_from(level, KEY_NAME_MAX)},
        {str_from(level, KEY_NAME_MAX + 1), ERR_LIMIT, STR("")},
        {str_from(longest, LIMIT_MAILBOX_NAME_BYTES), OK,
         str_from(longest, LIMIT_MAILBOX_NAME_BYTES)},
        {str_from(longest, LIMIT_MAILBOX_NAME_BYTES + 2), ERR_LIMIT, STR("")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status s = mailbox_name_check(rows[i].name, k->a, &out);
        if (s != rows[i].want || (s == OK && !str_eq(out, rows[i].canonical)))
            fprintf(stderr, "row %zu: %s\n", i, status_name(s));
        ASSERT(s == rows[i].want && (s != OK || str_eq(out, rows[i].canonical)));
    }
    /* The longest names work as keys. */
    struct cell *account = kit_account(k, 1);
    uint32_t id;
    ASSERT(mailbox_create(account, str_from(level, KEY_NAME_MAX), SPECIAL_NONE, &id) == OK);
    ASSERT(mailbox_create(account, str_from(longest, LIMIT_MAILBOX_NAME_BYTES), SPECIAL_NONE,
                          &id) == OK);
    ASSERT(str_eq(kit_box(k, account, id).name, str_from(longest, LIMIT_MAILBOX_NAME_BYTES)));
    cell_close(&account);
}

static SUSPENDS void
test_create(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t id;

    uint32_t c = create(account, "a/b/c");
    ASSERT(find(k, account, "a").has_children && find(k, account, "a/b").has_children);
    ASSERT(find(k, account, "a/b/c").id == c && !find(k, account, "a").subscribed);
    ASSERT(mailbox_create(account, STR("a/b"), SPECIAL_NONE, &id) == ERR_EXISTS);
    ASSERT(mailbox_create(account, STR("INBOX"), SPECIAL_NONE, &id) == ERR_EXISTS);
    create(account, "inbox/x");
    ASSERT(str_eq(find(k, account, "INBOX/x").name, STR("INBOX/x")));
    /* A special use has one mailbox. */
    ASSERT(mailbox_create(account, STR("Spam"), SPECIAL_JUNK, &id) == OK);
    ASSERT(find(k, account, "Junk").special == SPECIAL_NONE);
    ASSERT(mailbox_find_special(account, SPECIAL_JUNK, &c) == OK && c == id);
    ASSERT(mailbox_delete(account, id, k->now) == OK);
    ASSERT(mailbox_find_special(account, SPECIAL_JUNK, &c) == ERR_NOT_FOUND);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_delete(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct account_info info;
    struct tx *t;
    const struct cell_entry *e;
    size_t n;

    uint32_t id = create(account, "a");
    uint32_t validity = kit_box(k, account, id).uidvalidity;
    ASSERT(mailbox_subscribe(account, STR("a"), true) == OK);
    for (uint32_t i = 0; i < 2000; i++)
        kit_add(k, account, id, 10);
    kit_add(k, account, MAILBOX_INBOX, 7);
    ASSERT(mailbox_delete(account, MAILBOX_INBOX, k->now) == ERR_DENIED);
    ASSERT(mailbox_delete(account, 99, k->now) == ERR_NOT_FOUND);
    ASSERT(mailbox_delete(account, id, k->now) == OK);
    ASSERT(mailbox_delete(account, id, k->now) == ERR_NOT_FOUND);
    ASSERT(look(k, account, "a") == ERR_NOT_FOUND);
    struct message_new m = kit_message(k, 10, 1);
    struct message_place p;
    ASSERT(message_add(account, id, &m, k->now, &p) == ERR_NOT_FOUND);
    /* The subscription stays, RFC 9051 section 6.3.7. */
    const struct mailbox_info *wish = listed(k, account, "a");
    ASSERT(wish != NULL && wish->subscribed && !wish->selectable && wish->uidvalidity == 0);
    ASSERT(account_info(account, &info) == OK && info.has_work && info.messages == 2001);
    reap_all(k, account);
    ASSERT(account_info(account, &info) == OK && info.messages == 1 && info.bytes == 7);
    ASSERT(tx_begin(account, &t) == OK);
    struct key lo = key_places(id, 0), hi = key_places(id + 1, 0), b = key_mailbox(id);
    struct str v;
    ASSERT(tx_range(t, (struct tx_span){key_str(&lo), key_str(&hi), 9}, &e, &n) == OK && n == 0);
    ASSERT(tx_get(t, key_str(&b), &v) == OK && v.ptr == NULL);
    tx_abort(&t);
    uint32_t again = create(account, "a");
    struct mailbox_info box = kit_box(k, account, again);
    ASSERT(again != id && box.uidvalidity > validity && box.uidnext == 1 && box.subscribed);
    ASSERT(list(k, account)->count == 7);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_noselect(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t id;

    create(account, "a/b");
    struct mailbox_info a = find(k, account, "a");
    for (uint32_t i = 0; i < 100; i++)
        kit_add(k, account, a.id, 10);
    ASSERT(mailbox_delete(account, a.id, k->now) == OK);
    struct mailbox_info gone = find(k, account, "a");
    ASSERT(!gone.selectable && gone.exists == 0 && gone.has_children && gone.id == a.id);
    ASSERT(mailbox_delete(account, a.id, k->now) == ERR_EXISTS);
    enum status s = mailbox_create(account, STR("a"), SPECIAL_NONE, &id);
    ASSERT(s == ERR_TEMP); /* not empty yet */
    reap_all(k, account);
    ASSERT(mailbox_create(account, STR("a"), SPECIAL_NONE, &id) == OK && id == a.id);
    struct mailbox_info back = find(k, account, "a");
    ASSERT(back.selectable && back.uidvalidity > a.uidvalidity && back.uidnext == 1);
    kit_add(k, account, a.id, 10);
    reap_all(k, account);
    ASSERT(kit_box(k, account, a.id).exists == 1 && kit_view(k, account, a.id).count == 1);
    /* Emptied by a job that came after its new life began? */
    ASSERT(mailbox_delete(account, a.id, k->now) == OK);
    reap_all(k, account);
    ASSERT(mailbox_delete(account, find(k, account, "a/b").id, k->now) == OK);
    ASSERT(mailbox_delete(account, a.id, k->now) == OK);
    ASSERT(look(k, account, "a") == ERR_NOT_FOUND);
    reap_all(k, account);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_rename(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    char deep[64] = "x";

    uint32_t id = create(account, "a/b/c");
    uint32_t a = find(k, account, "a").id;
    kit_add(k, account, id, 10);
    ASSERT(mailbox_rename(account, a, STR("z/y"), k->now) == OK);
    ASSERT(look(k, account, "a") == ERR_NOT_FOUND && look(k, account, "a/b/c") == ERR_NOT_FOUND);
    ASSERT(find(k, account, "z/y/b/c").id == id && find(k, account, "z").has_children);
    ASSERT(kit_box(k, account, id).exists == 1);
    ASSERT(mailbox_rename(account, a, STR("z/y/b/d"), k->now) == ERR_DENIED);
    ASSERT(mailbox_rename(account, a, STR("Sent"), k->now) == ERR_EXISTS);
    ASSERT(mailbox_rename(account, a, STR("z/y"), k->now) == ERR_EXISTS);
    ASSERT(mailbox_rename(account, 99, STR("q"), k->now) == ERR_NOT_FOUND);
    ASSERT(mailbox_rename(account, a, STR("//"), k->now) == ERR_SYNTAX);
    /* The subtree would be too deep. */
    for (size_t i = 1; i + 1 < 2 * (LIMIT_MAILBOX_DEPTH - 1); i += 2) {
        deep[i] = '/';
        deep[i + 1] = 'x';
    }
    ASSERT(mailbox_rename(account, a, str_of(deep), k->now) == ERR_LIMIT);
    ASSERT(find(k, account, "z/y/b/c").id == id);
    /* INBOX stays, empty; its children stay. */
    create(account, "INBOX/child");
    for (uint32_t i = 0; i < 10; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    ASSERT(mailbox_rename(account, MAILBOX_INBOX, STR("old/mail"), k->now) == OK);
    ASSERT(find(k, account, "inbox").exists == 0 && find(k, account, "old/mail").exists == 10);
    ASSERT(look(k, account, "INBOX/child") == OK);
    ASSERT(mailbox_rename(account, MAILBOX_INBOX, STR("Sent"), k->now) == ERR_EXISTS);
    ASSERT(kit_add(k, account, MAILBOX_INBOX, 10).uid == 11);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_subscribe(struct kit *k)
{
    struct cell *account = kit_account(k, 1);

    create(account, "a/b");
    ASSERT(mailbox_subscribe(account, STR("a/b"), true) == OK);
    ASSERT(find(k, account, "a/b").subscribed);
    ASSERT(mailbox_subscribe(account, STR("nobody"), true) == ERR_NOT_FOUND);
    ASSERT(mailbox_subscribe(account, STR("nobody"), false) == ERR_NOT_FOUND);
    ASSERT(mailbox_delete(account, find(k, account, "a/b").id, k->now) == OK);
    ASSERT(listed(k, account, "a/b") != NULL);
    ASSERT(mailbox_subscribe(account, STR("a/b"), true) == OK);
    ASSERT(mailbox_subscribe(account, STR("a/b"), false) == OK);
    ASSERT(listed(k, account, "a/b") == NULL);
    ASSERT(mailbox_subscribe(account, STR("inbox"), false) == OK);
    ASSERT(!find(k, account, "INBOX").subscribed);
    /* A name that comes by renaming fulfils the wish. */
    create(account, "w");
    ASSERT(mailbox_subscribe(account, STR("w"), true) == OK);
    ASSERT(mailbox_delete(account, find(k, account, "w").id, k->now) == OK);
    uint32_t v = create(account, "v");
    ASSERT(mailbox_rename(account, v, STR("w"), k->now) == OK);
    ASSERT(find(k, account, "w").subscribed && find(k, account, "w").id == v);
    reap_all(k, account);
    ASSERT(list(k, account)->count == 8);
    cell_close(&account);
}

static SUSPENDS void
test_many(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    const struct mailbox_list *l;
    char name[16];
    uint32_t id, after = 0, seen = 0;

    for (uint32_t i = 6; i < LIMIT_MAILBOXES; i++) {
        snprintf(name, sizeof(name), "m%u", (unsigned)i);
        create(account, name);
    }
    ASSERT(mailbox_create(account, STR("more"), SPECIAL_NONE, &id) == ERR_LIMIT);
    do {
        ASSERT(mailbox_list(account, after, 777, k->a, &l) == OK);
        ASSERT(l->count > 0 && l->mailboxes[0].id > after);
        seen += (uint32_t)l->count;
        after = l->mailboxes[l->count - 1].id;
    } while (l->more);
    ASSERT(seen == LIMIT_MAILBOXES);
    cell_close(&account);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"first", test_first, KIT_ALL},         {"names", test_names, KIT_ALL},
        {"create", test_create, KIT_ALL},       {"delete", test_delete, KIT_ALL},
        {"noselect", test_noselect, KIT_ALL},   {"rename", test_rename, KIT_ALL},
        {"subscribe", test_subscribe, KIT_ALL}, {"many", test_many, KIT_MEM},
    };

    (void)argc;
    return kit_main("mailboxes", rows, COUNT_OF(rows), argv);
}
