/* mail_test.c - what role user asks of the store about an account, over the channel.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "role/store/mail.h"
#include "role/store/testkit_store.h"

#define ANNA   11u
#define BERT   12u
#define LETTER STR("From: s@far.example\r\nSubject: hi\r\n\r\nText\r\n")

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static SUSPENDS struct store_mailbox
box(uint64_t session, const char *name)
{
    const struct store_mailbox_open req = {session, str_of(name)};
    struct store_mailbox_open_reply rep;

    ASSERT(store_mailbox_open_call(town.user, &req, town.a, &rep) == OK);
    return rep.mailbox;
}

static SUSPENDS enum status
append(uint64_t session, uint32_t mailbox, uint32_t flags, struct store_append_reply *rep)
{
    const struct str words[] = {STR("$label1")};
    const struct store_append req = {.session = session,
                                     .mailbox = mailbox,
                                     .body = LETTER,
                                     .flags = flags,
                                     .keywords = words,
                                     .keywords_count = 1,
                                     .received = INT64_C(1700000000000000)};

    return store_append_call(town.user, &req, town.a, rep);
}

struct kit_entries {
    struct {
        uint32_t uid, flags;
        uint64_t modseq, mid;
    } e[20];
    size_t count;
    uint64_t modseq;
};

static SUSPENDS struct kit_entries
view(uint64_t session, uint32_t mailbox)
{
    const struct store_view req = {session, mailbox, 1, 20};
    struct store_view_reply rep;
    struct kit_entries v;

    ASSERT(store_view_call(town.user, &req, town.a, &rep) == OK && !rep.more);
    v.count = rep.entries.len / VIEW_ENTRY_BYTES;
    v.modseq = rep.modseq;
    mem_copy(v.e, rep.entries.ptr, rep.entries.len);
    return v;
}

static SUSPENDS void
test_sessions(void)
{
    struct store_account_reply rep;
    const struct store_account anna = {ANNA}, nobody = {99};

    town_people();
    ASSERT(store_account_call(town.user, &anna, town.a, &rep) == OK && rep.account == 1);
    ASSERT(rep.messages == 0 && rep.quota_bytes == 0);
    ASSERT(store_account_call(town.user, &nobody, town.a, &rep) == ERR_DENIED);
    const struct store_session_end end = {ANNA};
    ASSERT(store_session_end_note(town.user, &end) == OK);
    TOWN_UNTIL(store_account_call(town.user, &anna, town.a, &rep) == ERR_DENIED);
    const struct store_view v = {ANNA, 1, 1, 10};
    struct store_view_reply vr;
    ASSERT(store_view_call(town.user, &v, town.a, &vr) == ERR_DENIED);
}

static SUSPENDS void
test_mailboxes(void)
{
    struct store_mailboxes_reply all;
    struct store_mailbox_create_reply made;
    struct store_mailbox_rename_reply renamed;
    struct store_mailbox_delete_reply deleted;
    struct store_mailbox_subscribe_reply subscribed;
    struct store_mailbox_status_reply status;

    town_people();
    const struct store_mailboxes list = {ANNA, 0};
    ASSERT(store_mailboxes_call(town.user, &list, town.a, &all) == OK);
    ASSERT(all.mailboxes_count == 6 && !all.more);
    ASSERT(str_eq(all.mailboxes[1].name, STR("Drafts")) && all.mailboxes[1].special == 1);
    const struct store_mailbox_create create = {ANNA, STR("work/2026"), SPECIAL_ALL};
    ASSERT(store_mailbox_create_call(town.user, &create, town.a, &made) == OK);
    ASSERT(made.mailbox.special == SPECIAL_ALL && made.mailbox.selectable);
    ASSERT(store_mailbox_create_call(town.user, &create, town.a, &made) == ERR_EXISTS);
    const struct store_mailbox_rename rename = {ANNA, made.mailbox.id, STR("w")};
    ASSERT(store_mailbox_rename_call(town.user, &rename, town.a, &renamed) == OK);
    ASSERT(box(ANNA, "w").id == made.mailbox.id);
    const struct store_mailbox_subscribe sub = {ANNA, STR("w"), true};
    ASSERT(store_mailbox_subscribe_call(town.user, &sub, town.a, &subscribed) == OK);
    const struct store_mailbox_status st = {ANNA, made.mailbox.id};
    ASSERT(store_mailbox_status_call(town.user, &st, town.a, &status) == OK);
    ASSERT(status.mailbox.subscribed && str_eq(status.mailbox.name, STR("w")));
    const struct store_mailbox_delete del = {ANNA, made.mailbox.id}, inbox = {ANNA, 1};
    ASSERT(store_mailbox_delete_call(town.user, &del, town.a, &deleted) == OK);
    ASSERT(store_mailbox_delete_call(town.user, &inbox, town.a, &deleted) == ERR_DENIED);
    ASSERT(store_mailbox_status_call(town.user, &st, town.a, &status) == ERR_NOT_FOUND);
    /* bert has a tree of his own */
    const struct store_mailbox_open his = {BERT, STR("work")};
    struct store_mailbox_open_reply opened;
    ASSERT(store_mailbox_open_call(town.user, &his, town.a, &opened) == ERR_NOT_FOUND);
}

static SUSPENDS void
test_messages(void)
{
    struct store_append_reply added;
    struct store_records_reply records;
    struct store_sizes_reply sizes;
    struct store_body_reply body;

    town_people();
    uint32_t inbox = box(ANNA, "inbox").id, drafts = box(ANNA, "Drafts").id;
    ASSERT(append(ANNA, 77, 0, &added) == ERR_NOT_FOUND);
    for (uint32_t i = 1; i <= 3; i++)
        ASSERT(append(ANNA, inbox, i, &added) == OK && added.uid == i);
    struct kit_entries v = view(ANNA, inbox);
    ASSERT(v.count == 3 && v.e[2].uid == 3 && v.e[2].flags == (3 | 1u << FLAG_KEYWORD_SHIFT));
    TOWN_UNTIL(town.changed > 0 && town.changed_account == 1);
    const uint64_t mids[] = {v.e[0].mid, 12345, v.e[2].mid};
    const struct store_records rr = {ANNA, mids, 3};
    ASSERT(store_records_call(town.user, &rr, town.a, &records) == OK);
    ASSERT(records.done == 3 && records.records_count == 2);
    ASSERT(records.records[0].received == INT64_C(1700000000000000));
    ASSERT(records.records[0].bytes.len > 0 && records.records[1].size == LETTER.len);
    const struct store_sizes sr = {ANNA, mids, 3};
    ASSERT(store_sizes_call(town.user, &sr, town.a, &sizes) == OK && sizes.sizes_count == 3);
    ASSERT(sizes.sizes[0] == LETTER.len && sizes.sizes[1] == 0);
    const struct store_body br = {ANNA, v.e[1].mid, 6, 5};
    ASSERT(store_body_call(town.user, &br, town.a, &body) == OK);
    ASSERT(body.size == LETTER.len && str_eq(body.bytes, str_sub(LETTER, 6, 5)));
    /* bert's session does not reach it */
    const struct store_body theft = {BERT, v.e[1].mid, 0, 5};
    ASSERT(store_body_call(town.user, &theft, town.a, &body) == ERR_NOT_FOUND);

    const struct store_range some[] = {{3, 3}, {1, 2}}; /* in any order */
    const struct str words[] = {STR("new")};
    const struct store_flags fr = {ANNA,  inbox, some,         2, FLAGS_ADD, FLAG_DELETED,
                                   words, 1,     UNCHANGED_ANY};
    struct store_flags_reply flags;
    ASSERT(store_flags_call(town.user, &fr, town.a, &flags) == OK && !flags.truncated);
    ASSERT(flags.entries.len == 3 * VIEW_ENTRY_BYTES && flags.keywords_count == 2);
    struct store_flags late = fr;
    late.op = FLAGS_SET;
    late.unchanged_since = v.modseq;
    ASSERT(store_flags_call(town.user, &late, town.a, &flags) == OK);
    ASSERT(flags.refused_count == 1 && flags.refused[0].last == 3 && flags.entries.len == 0);
    const struct store_copy cr = {ANNA, inbox, drafts, some + 1, 1, false};
    struct store_copy_reply copied;
    ASSERT(store_copy_call(town.user, &cr, town.a, &copied) == OK);
    ASSERT(copied.from_count == 1 && copied.into[0].last == 2 && view(ANNA, drafts).count == 2);
    struct store_copy mr = cr;
    mr.uids = some;
    mr.move = true;
    ASSERT(store_copy_call(town.user, &mr, town.a, &copied) == OK && copied.into[0].first == 3);
    const struct store_expunge xr = {ANNA, inbox, (const struct store_range[]){{1, UINT32_MAX}}, 1,
                                     true};
    struct store_expunge_reply gone;
    ASSERT(store_expunge_call(town.user, &xr, town.a, &gone) == OK);
    ASSERT(gone.vanished_count == 1 && gone.vanished[0].last == 2);
    const struct store_changes chr = {ANNA, inbox, v.modseq};
    struct store_changes_reply changes;
    ASSERT(store_changes_call(town.user, &chr, town.a, &changes) == OK);
    ASSERT(!changes.full && !changes.more && changes.entries.len == 0);
    ASSERT(changes.vanished_count == 1 && changes.vanished[0].last == 3);
    ASSERT(changes.keywords_count == 2 && str_eq(changes.keywords[1], STR("new")));
    ASSERT(view(ANNA, inbox).count == 0 && view(ANNA, drafts).count == 3);
}

static SUSPENDS void
test_quota(void)
{
    struct store_append_reply added;
    struct store_account_reply account;
    const struct store_account req = {BERT};

    town_people();
    ASSERT(directory_account_quota(town.store->directory, STR("bert"), LETTER.len * 2) == OK);
    ASSERT(append(BERT, 1, 0, &added) == OK && append(BERT, 1, 0, &added) == OK);
    ASSERT(append(BERT, 1, 0, &added) == ERR_QUOTA);
    ASSERT(store_account_call(town.user, &req, town.a, &account) == OK);
    ASSERT(account.messages == 3 &&
           account.bytes > account.quota_bytes); /* with the notice of it */
}

static const struct town_row rows[] = {
    {"sessions", test_sessions},
    {"mailboxes", test_mailboxes},
    {"messages", test_messages},
    {"quota", test_quota},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store: mail", rows, COUNT_OF(rows), argv);
}
