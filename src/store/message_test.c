/* message_test.c - every recipe on messages, on every engine profile.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/body.h"
#include "store/testkit_internal.h"

#define ALL_UIDS          ((struct uid_set){&(const struct uid_range){1, UINT32_MAX}, 1})
#define UIDS(first, last) ((struct uid_set){&(const struct uid_range){(first), (last)}, 1})

static SUSPENDS uint64_t
flag(struct kit *k, struct cell *account, struct uid_set uids, enum flag_op op, uint32_t flags)
{
    struct flags_request r = {.mailbox = MAILBOX_INBOX,
                              .uids = uids,
                              .op = op,
                              .flags = flags,
                              .unchanged_since = UNCHANGED_ANY};
    struct flags_reply reply;
    AUTO_BUF b = BUF(1u << 20);

    ASSERT(message_flags(account, &r, k->a, &b, &reply) == OK);
    return reply.modseq;
}

static SUSPENDS struct expunge_reply
expunge(struct kit *k, struct cell *account, uint32_t mailbox, struct uid_set uids, bool deleted)
{
    struct expunge_request r = {mailbox, uids, deleted};
    struct expunge_reply reply;

    ASSERT(message_expunge(account, &r, k->now, k->a, &reply) == OK);
    return reply;
}

static SUSPENDS enum status
copy(struct kit *k, struct cell *account, const struct copy_request *r, struct copy_reply *out)
{
    return message_copy(account, r, k->now, k->a, out);
}

static SUSPENDS void
reap_all(struct kit *k, struct cell *account, struct instant now)
{
    bool more = true;

    (void)k;
    while (more)
        ASSERT(account_reap(account, now, &more) == OK);
}

static SUSPENDS void
test_add(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct account_info info;
    struct body_reply body;

    for (uint32_t i = 1; i <= 150; i++) {
        struct message_place p = kit_add(k, account, MAILBOX_INBOX, 100 + i);
        ASSERT(p.uid == i && p.mid == i && p.modseq == i + 1 && !p.was_here);
    }
    kit_check(k, account);
    ASSERT(account_info(account, &info) == OK);
    ASSERT(info.messages == 150 && info.bytes == 150 * 100 + 150 * 151 / 2 && info.modseq == 151);
    struct mailbox_info box = kit_box(k, account, MAILBOX_INBOX);
    ASSERT(box.exists == 150 && box.unseen == 150 && box.uidnext == 151 && box.modseq == 151);
    ASSERT(message_body(account, 7, &(struct body_range){100, 50}, k->a, &body) == OK);
    ASSERT(body.size == 107 && body.bytes.len == 7);
    ASSERT(message_body(account, 7, &(struct body_range){107, 50}, k->a, &body) == OK);
    ASSERT(body.bytes.len == 0);
    ASSERT(message_body(account, 151, &(struct body_range){0, 50}, k->a, &body) == ERR_NOT_FOUND);
    struct message_new m = kit_message(k, 10, 1);
    struct message_place p;
    ASSERT(message_add(account, 99, &m, k->now, &p) == ERR_NOT_FOUND);
    cell_close(&account);
    /* What was acknowledged is there after the store ended. */
    kit_reopen(k);
    account = account_open(k->cs, 1);
    kit_check(k, account);
    ASSERT(kit_view(k, account, MAILBOX_INBOX).count == 150);
    ASSERT(kit_add(k, account, MAILBOX_INBOX, 5).uid == 151);
    cell_close(&account);
}

static SUSPENDS void
test_records(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint64_t mids[70];
    struct records_reply reply;

    for (uint32_t i = 0; i < 70; i++) {
        mids[i] = i % 7 == 3 ? 1000 + i : i + 1;
        kit_add(k, account, MAILBOX_INBOX, 10 + i);
    }
    struct records_request r = {mids, 70, 1u << 20};
    ASSERT(message_records(account, &r, k->a, &reply) == OK);
    ASSERT(reply.done == 70 && reply.count == 60);
    for (size_t i = 0; i < reply.count; i++) {
        ASSERT(str_eq(reply.messages[i].record, STR("record")));
        ASSERT(reply.messages[i].size == 9 + reply.messages[i].mid);
    }
    r.bytes_max = 20;
    ASSERT(message_records(account, &r, k->a, &reply) == OK);
    ASSERT(reply.done >= 3 && reply.done < 6 && reply.count == 3);
    mids[0] = UINT64_MAX;
    r.count = 1;
    ASSERT(message_records(account, &r, k->a, &reply) == OK && reply.count == 0 && reply.done == 1);
    cell_close(&account);
}

static SUSPENDS void
test_view_pages(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    AUTO_BUF b = BUF(1u << 20);
    uint32_t from = 1, seen = 0;
    struct view_reply reply;

    for (uint32_t i = 0; i < 200; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    expunge(k, account, MAILBOX_INBOX, UIDS(60, 130), false);
    do {
        struct view_request r = {MAILBOX_INBOX, from, 17};
        buf_reset(&b);
        ASSERT(message_view(account, &r, &b, &reply) == OK);
        struct kit_view v = kit_unpack(k, buf_str(&b));
        ASSERT(v.count == reply.count && v.count <= 17 && v.count > 0);
        seen += reply.count;
        ASSERT(v.entries[0].uid >= from);
        from = v.entries[v.count - 1].uid + 1;
    } while (reply.more);
    ASSERT(seen == 200 - 71);
    cell_close(&account);
}

static SUSPENDS void
test_flags(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct str words[] = {STR("$Forwarded"), STR("work")}, many[LIMIT_KEYWORDS + 1];
    AUTO_BUF b = BUF(1u << 20);
    struct flags_reply reply;

    for (uint32_t i = 0; i < 100; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    uint64_t first = flag(k, account, UIDS(1, 50), FLAGS_ADD, FLAG_SEEN);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).unseen == 50);
    /* No change, no modseq. */
    ASSERT(flag(k, account, UIDS(1, 50), FLAGS_ADD, FLAG_SEEN) == first);
    struct flags_request r = {.mailbox = MAILBOX_INBOX,
                              .uids = UIDS(41, 60),
                              .op = FLAGS_SET,
                              .flags = FLAG_FLAGGED,
                              .keywords = words,
                              .keyword_count = 2,
                              .unchanged_since = first - 1};
    ASSERT(message_flags(account, &r, k->a, &b, &reply) == OK);
    ASSERT(reply.refused_count == 1 && reply.refused[0].first == 41 && reply.refused[0].last == 50);
    struct kit_view v = kit_unpack(k, buf_str(&b));
    ASSERT(v.count == 10 && v.entries[0].uid == 51 && v.entries[0].modseq == reply.modseq);
    ASSERT(v.entries[9].flags == (FLAG_FLAGGED | 3u << FLAG_KEYWORD_SHIFT));
    struct mailbox_info box = kit_box(k, account, MAILBOX_INBOX);
    ASSERT(box.keyword_count == 2 && str_eq(box.keywords[1], STR("work")));
    /* Case does not make another keyword. */
    words[0] = STR("WORK");
    r = (struct flags_request){.mailbox = MAILBOX_INBOX,
                               .uids = ALL_UIDS,
                               .op = FLAGS_REMOVE,
                               .keywords = words,
                               .keyword_count = 1,
                               .unchanged_since = UNCHANGED_ANY};
    buf_reset(&b);
    ASSERT(message_flags(account, &r, k->a, &b, &reply) == OK && b.len == 10 * VIEW_ENTRY_BYTES);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = arena_printf(k->a, "keyword%zu", i);
    r.op = FLAGS_ADD;
    r.keywords = many;
    r.keyword_count = COUNT_OF(many);
    ASSERT(message_flags(account, &r, k->a, &b, &reply) == ERR_LIMIT);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).keyword_count == 2);
    /* A reply without room says so. */
    AUTO_BUF small = BUF(VIEW_ENTRY_BYTES * 3);
    r = (struct flags_request){.mailbox = MAILBOX_INBOX,
                               .uids = ALL_UIDS,
                               .op = FLAGS_ADD,
                               .flags = FLAG_DELETED,
                               .unchanged_since = UNCHANGED_ANY};
    ASSERT(message_flags(account, &r, k->a, &small, &reply) == OK);
    ASSERT(reply.truncated && small.len == VIEW_ENTRY_BYTES * 3);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).deleted == 100);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_expunge(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct account_info info;
    struct message_info m;

    for (uint32_t i = 0; i < 300; i++)
        kit_add(k, account, MAILBOX_INBOX, 1000);
    struct message_place last = kit_add(k, account, MAILBOX_INBOX, 1000);
    flag(k, account, UIDS(10, 19), FLAGS_ADD, FLAG_DELETED);
    struct expunge_reply x = expunge(k, account, MAILBOX_INBOX, UIDS(15, 300), true);
    ASSERT(x.vanished_count == 1 && x.vanished[0].first == 15 && x.vanished[0].last == 19);
    x = expunge(k, account, MAILBOX_INBOX, UIDS(200, 290), false);
    ASSERT(x.vanished_count == 1 && x.vanished[0].first == 200 && x.vanished[0].last == 290);
    kit_check(k, account);
    ASSERT(account_info(account, &info) == OK);
    ASSERT(info.messages == 301 - 5 - 91 && info.bytes == info.messages * 1000);
    x = expunge(k, account, MAILBOX_INBOX, UIDS(200, 290), false);
    ASSERT(x.vanished_count == 0);
    x = expunge(k, account, MAILBOX_INBOX, ALL_UIDS, false);
    ASSERT(x.vanished_count == 3);
    kit_check(k, account);
    ASSERT(account_info(account, &info) == OK && info.messages == 0 && info.bytes == 0);
    /* A UID is never used again. */
    ASSERT(kit_add(k, account, MAILBOX_INBOX, 10).uid == last.uid + 1);
    ASSERT(message_find(account, last.mid, &m) == ERR_NOT_FOUND);
    cell_close(&account);
}

/* Bodies stay for the grace period and go after it. */
static SUSPENDS void
test_grace(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct message_new m = kit_message(k, 5000, 7);
    struct message_place p;
    uint64_t size;

    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK);
    for (uint32_t i = 0; i < 500; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    expunge(k, account, MAILBOX_INBOX, ALL_UIDS, false);
    reap_all(k, account, (struct instant){k->now.us + INT64_C(13) * 86400 * 1000000});
    ASSERT(engine_blob_size(k->e, m.blob, &size) == OK && size == 5000);
    reap_all(k, account, (struct instant){k->now.us + INT64_C(15) * 86400 * 1000000});
    ASSERT(engine_blob_size(k->e, m.blob, &size) == ERR_NOT_FOUND);
    struct account_info info;
    ASSERT(account_info(account, &info) == OK && !info.has_work);
    /* Nothing of the messages is left but the log. */
    struct tx *t;
    const struct cell_entry *e;
    size_t n;
    ASSERT(tx_begin(account, &t) == OK);
    const char *tags = "RSTIOG";
    for (const char *tag = tags; *tag; tag++) {
        char hi[1] = {(char)(*tag + 1)};
        ASSERT(tx_range(t, (struct tx_span){str_from(tag, 1), str_from(hi, 1), 10}, &e, &n) == OK &&
               n == 0);
    }
    tx_abort(&t);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_copy(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct str words[] = {STR("alpha"), STR("beta")};
    struct copy_reply reply;
    struct account_info before, after;
    uint32_t to, other;

    ASSERT(mailbox_create(account, STR("to"), SPECIAL_NONE, &to) == OK);
    ASSERT(mailbox_create(account, STR("other"), SPECIAL_NONE, &other) == OK);
    for (uint32_t i = 0; i < 100; i++)
        kit_add(k, account, MAILBOX_INBOX, 100);
    struct flags_request f = {.mailbox = MAILBOX_INBOX,
                              .uids = UIDS(5, 5),
                              .op = FLAGS_SET,
                              .flags = FLAG_SEEN,
                              .keywords = words,
                              .keyword_count = 2,
                              .unchanged_since = UNCHANGED_ANY};
    AUTO_BUF b = BUF(1000);
    struct flags_reply fr;
    ASSERT(message_flags(account, &f, k->a, &b, &fr) == OK);
    f.mailbox = to;
    f.keywords = words + 1;
    f.keyword_count = 1;
    ASSERT(account_info(account, &before) == OK);
    ASSERT(message_flags(account, &f, k->a, &b, &fr) == OK); /* nothing there, but a keyword now */
    struct uid_range some[] = {{3, 5}, {9, 9}, {200, 300}};
    struct copy_request r = {MAILBOX_INBOX, to, {some, 3}, false};
    ASSERT(copy(k, account, &r, &reply) == OK);
    ASSERT(reply.from_count == 2 && reply.from[0].first == 3 && reply.from[1].last == 9);
    ASSERT(reply.into_count == 1 && reply.into[0].first == 1 && reply.into[0].last == 4);
    ASSERT(reply.uidvalidity == kit_box(k, account, to).uidvalidity);
    struct kit_view v = kit_view(k, account, to), in = kit_view(k, account, MAILBOX_INBOX);
    ASSERT(v.count == 4 && v.entries[2].mid == in.entries[4].mid);
    ASSERT(v.entries[2].flags == (FLAG_SEEN | 3u << FLAG_KEYWORD_SHIFT));
    ASSERT(v.entries[0].modseq == reply.modseq);
    /* "beta" came first there. */
    struct mailbox_info box = kit_box(k, account, to);
    ASSERT(box.keyword_count == 2 && str_eq(box.keywords[0], STR("beta")));
    ASSERT(account_info(account, &after) == OK);
    ASSERT(before.bytes == after.bytes && before.messages == after.messages);
    kit_check(k, account);
    /* Copies keep a message alive. */
    expunge(k, account, MAILBOX_INBOX, UIDS(3, 5), false);
    ASSERT(account_info(account, &after) == OK && after.messages == 100);
    expunge(k, account, to, UIDS(1, 1), false);
    ASSERT(account_info(account, &after) == OK && after.messages == 99);
    /* MOVE, also onto itself. */
    r = (struct copy_request){MAILBOX_INBOX, other, ALL_UIDS, true};
    ASSERT(copy(k, account, &r, &reply) == OK);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).exists == 0 &&
           kit_box(k, account, other).exists == 97);
    r = (struct copy_request){other, other, UIDS(1, 10), true};
    ASSERT(copy(k, account, &r, &reply) == OK && reply.into[0].first == 98);
    ASSERT(kit_box(k, account, other).exists == 97);
    r.move = false;
    r.uids = UIDS(11, 20);
    ASSERT(copy(k, account, &r, &reply) == OK);
    ASSERT(kit_box(k, account, other).exists == 107);
    kit_check(k, account);
    r.uids = UIDS(1, 10); /* gone */
    ASSERT(copy(k, account, &r, &reply) == OK && reply.from_count == 0);
    r.to = 77;
    ASSERT(copy(k, account, &r, &reply) == ERR_NOT_FOUND);
    cell_close(&account);
}

static SUSPENDS void
test_placements(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct copy_reply reply;
    struct copy_request r = {MAILBOX_INBOX, MAILBOX_INBOX, UIDS(1, 1), false};

    kit_add(k, account, MAILBOX_INBOX, 10);
    for (uint32_t i = 1; i < LIMIT_PLACEMENTS; i++)
        ASSERT(copy(k, account, &r, &reply) == OK);
    ASSERT(copy(k, account, &r, &reply) == ERR_LIMIT);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).exists == LIMIT_PLACEMENTS);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS void
test_quota(struct kit *k)
{
    struct cell *account = account_open(k->cs, 1);
    struct message_new m[3];
    struct message_place p[3];

    ASSERT(account_create(account, (struct account_quota){1000, 5}, k->now) == OK);
    ASSERT(account_create(account, (struct account_quota){0}, k->now) == ERR_EXISTS);
    kit_add(k, account, MAILBOX_INBOX, 900);
    m[0] = kit_message(k, 101, 1);
    ASSERT(account_has_room(account, 101) == ERR_QUOTA);
    ASSERT(account_has_room(account, 100) == OK);
    ASSERT(message_add(account, MAILBOX_INBOX, &m[0], k->now, p) == ERR_QUOTA);
    for (size_t i = 0; i < 3; i++)
        m[i] = kit_message(k, 34, i);
    struct message_batch b = {MAILBOX_INBOX, m, 3, NULL};
    ASSERT(message_add_all(account, &b, k->now, p) == ERR_QUOTA); /* all or none */
    ASSERT(kit_box(k, account, MAILBOX_INBOX).exists == 1);
    b.count = 2;
    ASSERT(message_add_all(account, &b, k->now, p) == OK);
    ASSERT(p[0].uid == 2 && p[1].uid == 3 && p[0].modseq == p[1].modseq);
    ASSERT(account_set_quota(account, (struct account_quota){0, 4}) == OK);
    kit_add(k, account, MAILBOX_INBOX, 900);
    ASSERT(message_add(account, MAILBOX_INBOX, &m[2], k->now, p) == ERR_QUOTA);
    expunge(k, account, MAILBOX_INBOX, UIDS(1, 1), false); /* deleting always works */
    ASSERT(message_add(account, MAILBOX_INBOX, &m[2], k->now, p) == OK);
    kit_check(k, account);
    m[0] = kit_message(k, 1, 1);
    engine_space_for_tests(k->e, SPACE_LOW);
    ASSERT(message_add(account, MAILBOX_INBOX, &m[0], k->now, p) == ERR_NO_SPACE);
    expunge(k, account, MAILBOX_INBOX, ALL_UIDS, false);
    engine_space_for_tests(k->e, SPACE_PLENTY);
    cell_close(&account);
}

static SUSPENDS uint8_t
add_sized(struct kit *k, struct cell *account, uint32_t mailbox, uint64_t size)
{
    struct message_new m = kit_message(k, size, size);
    struct message_place p;

    ASSERT(message_add(account, mailbox, &m, k->now, &p) == OK);
    return p.notice;
}

static SUSPENDS bool
add_notice(struct kit *k, struct cell *account, uint8_t level)
{
    struct message_new m = kit_message(k, 10, 9);
    struct message_place p;

    m.notice = level;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK);
    if (p.was_here)
        engine_blob_forget(k->e, m.blob);
    return !p.was_here;
}

/* Each level once, and again only after the use was well below it; what is said to be told is told in one commit. */
static SUSPENDS void
test_notices(struct kit *k)
{
    struct cell *account = account_open(k->cs, 1);
    struct account_info info;

    ASSERT(account_create(account, (struct account_quota){1000, 0}, k->now) == OK);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 740) == QUOTA_FINE);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 59) == QUOTA_FINE); /* 79.9 % */
    ASSERT(!add_notice(k, account, QUOTA_WARN));                    /* not due */
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 1) == QUOTA_WARN);  /* 80 % */
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 1) == QUOTA_WARN);  /* nobody was told yet */
    ASSERT(account_info(account, &info) == OK && info.notice == QUOTA_WARN);
    ASSERT(add_notice(k, account, QUOTA_WARN) && !add_notice(k, account, QUOTA_WARN));
    ASSERT(account_info(account, &info) == OK && info.notice == QUOTA_FINE && info.bytes == 811);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 1) == QUOTA_FINE);
    expunge(k, account, MAILBOX_INBOX, UIDS(2, 2), false); /* 75.3 %: within the margin */
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 60) == QUOTA_FINE);
    expunge(k, account, MAILBOX_INBOX, UIDS(3, 7), false); /* 74 % */
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 60) == QUOTA_WARN);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 150) ==
           QUOTA_URGENT); /* two steps at once: the last counts */
    ASSERT(add_notice(k, account, QUOTA_URGENT) && !add_notice(k, account, QUOTA_WARN));
    cell_close(&account);
    kit_reopen(k);
    account = account_open(k->cs, 1);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 40) == QUOTA_FINE); /* full to the last byte */
    expunge(k, account, MAILBOX_INBOX, UIDS(11, 11), false);        /* 96 % */
    ASSERT(!add_notice(k, account, QUOTA_URGENT));
    expunge(k, account, MAILBOX_INBOX, UIDS(9, 9), false); /* 81 %: the first stays told */
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 1) == QUOTA_FINE);
    ASSERT(add_sized(k, account, MAILBOX_INBOX, 189) == QUOTA_URGENT);
    ASSERT(add_notice(k, account, QUOTA_URGENT)); /* and goes above the quota */
    ASSERT(account_info(account, &info) == OK && info.bytes == 1010);
    ASSERT(account_set_quota(account, (struct account_quota){0}) == OK);
    ASSERT(account_set_quota(account, (struct account_quota){1100, 0}) == OK);
    ASSERT(account_info(account, &info) == OK &&
           info.notice == QUOTA_WARN); /* 91.8 % of another quota */
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS int64_t
refused_at(struct kit *k, struct cell *account, int64_t second)
{
    struct instant since;

    (void)k;
    ASSERT(account_refused(account, (struct instant){second * 1000000}, &since) == OK);
    return since.us / 1000000;
}

static SUSPENDS void
test_full_since(struct kit *k)
{
    struct cell *account = account_open(k->cs, 1);
    struct message_new m;
    struct message_place p;
    struct account_info info;

    ASSERT(account_create(account, (struct account_quota){1000, 0}, k->now) == OK);
    kit_add(k, account, MAILBOX_INBOX, 100);
    kit_add(k, account, MAILBOX_INBOX, 900);
    ASSERT(account_has_room(account, 0) == ERR_QUOTA); /* of unknown size */
    ASSERT(account_info(account, &info) == OK && info.full_since.us == 0);
    ASSERT(refused_at(k, account, 100) == 100 && refused_at(k, account, 200) == 100);
    cell_close(&account);
    kit_reopen(k);
    account = account_open(k->cs, 1);
    ASSERT(account_info(account, &info) == OK && info.full_since.us == 100000000);
    flag(k, account, ALL_UIDS, FLAGS_ADD, FLAG_DELETED);
    ASSERT(account_set_quota(account, (struct account_quota){900, 0}) == OK); /* less is no room */
    ASSERT(refused_at(k, account, 300) == 100);
    expunge(k, account, MAILBOX_INBOX, UIDS(1, 1), false);
    ASSERT(account_info(account, &info) == OK && info.full_since.us == 0);
    ASSERT(refused_at(k, account, 400) == 400);
    ASSERT(account_set_quota(account, (struct account_quota){901, 0}) == OK);
    ASSERT(refused_at(k, account, 500) == 500);
    m = kit_message(k, 2, 1);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == ERR_QUOTA);
    for (uint32_t box = MAILBOX_INBOX + 1; box <= 3;
         box++) /* Drafts and Sent: a tenth more, and no further */
        kit_add(k, account, box, 45);
    ASSERT(message_add(account, 2, &m, k->now, &p) == ERR_QUOTA);
    ASSERT(message_add(account, 3, &m, k->now, &p) == ERR_QUOTA);
    m.size = 1;
    ASSERT(message_add(account, 4, &m, k->now, &p) == ERR_QUOTA);
    ASSERT(account_info(account, &info) == OK && info.bytes == 990 &&
           info.full_since.us == 500000000);
    engine_blob_forget(k->e, m.blob);
    cell_close(&account);
}

/* Hardly any room on the disk: nothing new, but flags and removal go on, and what was removed is gone at once. */
static SUSPENDS void
test_full_disk(struct kit *k)
{
    struct cell *account = kit_account(k, 1), *other = account_open(k->cs, 2);
    struct message_new m = kit_message(k, 10, 1);
    struct copy_request r = {MAILBOX_INBOX, 2, ALL_UIDS, false};
    struct message_place p;
    struct copy_reply copied;
    struct account_info info;
    uint64_t size;
    uint32_t id;

    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK);
    kit_add(k, account, MAILBOX_INBOX, 100);
    engine_space_for_tests(k->e, SPACE_LOW);
    ASSERT(account_has_room(account, 1) == ERR_NO_SPACE);
    ASSERT(mailbox_create(account, STR("new"), SPECIAL_NONE, &id) == OK);
    ASSERT(copy(k, account, &r, &copied) == OK);
    engine_space_for_tests(k->e, SPACE_CRITICAL);
    ASSERT(copy(k, account, &r, &copied) == ERR_NO_SPACE);
    ASSERT(mailbox_create(account, STR("more"), SPECIAL_NONE, &id) == ERR_NO_SPACE);
    ASSERT(mailbox_rename(account, id, STR("other"), k->now) == ERR_NO_SPACE);
    ASSERT(account_create(other, (struct account_quota){0}, k->now) == ERR_NO_SPACE);
    flag(k, account, ALL_UIDS, FLAGS_ADD, FLAG_SEEN);
    expunge(k, account, 2, ALL_UIDS, false);
    expunge(k, account, MAILBOX_INBOX, ALL_UIDS, false);
    ASSERT(engine_blob_size(k->e, m.blob, &size) == OK);
    reap_all(k, account, k->now);
    ASSERT(engine_blob_size(k->e, m.blob, &size) == ERR_NOT_FOUND);
    ASSERT(account_info(account, &info) == OK && !info.has_work && info.messages == 0);
    ASSERT(mailbox_delete(account, id, k->now) == OK);
    engine_space_for_tests(k->e, SPACE_PLENTY);
    kit_check(k, account);
    cell_close(&other);
    cell_close(&account);
}

static SUSPENDS void
test_threads(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint64_t first = UINT64_C(0x1111) << 32, second = UINT64_C(0x2222) << 32, lost = 77777777;
    struct message_place a, b, c, d;

    struct message_new m = kit_message(k, 10, first);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &a) == OK);
    m = kit_message(k, 10, second);
    m.reference_hashes = &first;
    m.reference_count = 1;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &b) == OK && b.tid == a.tid);
    /* The same message-id again, and an answer to the answer. */
    m = kit_message(k, 10, second);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &c) == OK && c.tid == a.tid);
    m = kit_message(k, 10, 0);
    m.reference_hashes = &second;
    m.reference_count = 1;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &d) == OK && d.tid == a.tid);
    /* The answer came before what it answers. */
    m = kit_message(k, 10, 5u << 20);
    m.reference_hashes = &lost;
    m.reference_count = 1;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &c) == OK && c.tid != a.tid);
    m = kit_message(k, 10, lost);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &d) == OK && d.tid == c.tid);
    /* When the thread is gone its message-ids lead nowhere. */
    expunge(k, account, MAILBOX_INBOX, UIDS(1, 4), false);
    m = kit_message(k, 10, second);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &b) == OK && b.tid != a.tid);
    /* The index grows, and still leads there. */
    for (uint32_t i = 0; i < 1000; i++)
        kit_add(k, account, MAILBOX_INBOX, 1);
    m = kit_message(k, 10, 0);
    m.reference_hashes = &second;
    m.reference_count = 1;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &d) == OK && d.tid == b.tid);
    cell_close(&account);
}

/* A queue entry is delivered once, however often it is tried. */
static SUSPENDS void
test_qid(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct message_new m = kit_message(k, 10, 1);
    struct message_place p;

    m.qid = 99;
    m.rcpt = 3;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && !p.was_here);
    uint64_t mid = p.mid;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && p.was_here && p.mid == mid);
    m.rcpt = 4;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && !p.was_here);
    ASSERT(message_forget_qid(account, 99, 3) == OK);
    m.rcpt = 3;
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && !p.was_here);
    ASSERT(kit_box(k, account, MAILBOX_INBOX).exists == 3);
    /* A crash left the marks behind: they go when no queue entry can be as old. */
    struct instant later = {k->now.us + (LIMIT_QUEUE_DAYS + 2) * INT64_C(86400000000)};
    reap_all(k, account, k->now);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && p.was_here);
    reap_all(k, account, later);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK && !p.was_here);
    cell_close(&account);
}

struct deliverer {
    struct kit *k;
    struct cell *account;
    uint32_t times, failed;
};

static FIBER_ENTRY void
deliverer(void *arg)
{
    struct deliverer *d = arg;

    for (uint32_t i = 0; i < d->times; i++) {
        struct message_new m = kit_message(d->k, 50, random_u64());
        struct message_place p;
        enum status s = message_add(d->account, MAILBOX_INBOX, &m, d->k->now, &p);
        ASSERT(s == OK || s == ERR_TEMP);
        d->failed += s != OK;
        fiber_yield();
    }
    kit_left();
}

struct heard {
    struct store_watch watch;
    uint64_t account, modseq;
    uint32_t calls;
    bool inbox;
};

static void
hear(struct store_watch *w, const struct store_change *c)
{
    struct heard *h = LIST_ENTRY(w, struct heard, watch);

    h->calls++;
    h->account = c->account;
    ASSERT(c->modseq > h->modseq);
    h->modseq = c->modseq;
    for (size_t i = 0; i < c->mailbox_count; i++)
        h->inbox |= c->mailboxes[i] == MAILBOX_INBOX;
}

static SUSPENDS void
test_crowd(struct kit *k)
{
    enum { FIBERS = 20, TIMES = 20 };
    struct cell *account = kit_account(k, 1);
    struct deliverer d[FIBERS];
    struct heard h = {.watch = {hear}};
    uint32_t failed = 0;

    cells_watch(k->cs, &h.watch);
    for (size_t i = 0; i < FIBERS; i++) {
        d[i] = (struct deliverer){k, account, TIMES, 0};
        kit_go(deliverer, &d[i]);
    }
    kit_wait();
    cells_watch(k->cs, NULL);
    for (size_t i = 0; i < FIBERS; i++)
        failed += d[i].failed;
    struct mailbox_info box = kit_box(k, account, MAILBOX_INBOX);
    ASSERT(box.exists == FIBERS * TIMES - failed);
    ASSERT(failed == 0 || k->profile == KIT_CLUSTER);
    ASSERT(h.account == 1 && h.inbox && h.modseq == box.modseq && h.calls < FIBERS * TIMES / 2);
    kit_check(k, account);
    cell_close(&account);
}

/* A warm delivery reads nothing from the engine. */
static SUSPENDS void
test_warm(struct kit *k)
{
    struct cell *account = kit_account(k, 1);

    for (uint32_t i = 0; i < 70; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    uint64_t before = engine_counters(k->e).reads;
    for (uint32_t i = 0; i < 100; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    ASSERT(engine_counters(k->e).reads == before);
    cell_close(&account);
}

static SUSPENDS void
test_drop(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct message_new m = kit_message(k, 20000, 7);
    struct message_place p;
    struct account_info info;
    bool more = true;
    uint64_t size;

    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == OK);
    for (uint32_t i = 0; i < 200; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    ASSERT(account_drop(account, &more) == OK && more);
    ASSERT(account_info(account, &info) == ERR_NOT_FOUND);
    ASSERT(message_add(account, MAILBOX_INBOX, &m, k->now, &p) == ERR_NOT_FOUND);
    ASSERT(account_left(account, &size) == OK && size == 201);
    while (more) {
        enum status s = account_drop(account, &more);
        ASSERT(s == OK || s == ERR_CONFLICT);
        ASSERT(!more || (account_left(account, &size) == OK && size < 201));
    }
    ASSERT(account_left(account, &size) == ERR_NOT_FOUND);
    ASSERT(engine_blob_size(k->e, m.blob, &size) == ERR_NOT_FOUND);
    ASSERT(account_info(account, &info) == ERR_NOT_FOUND);
    ASSERT(account_create(account, (struct account_quota){0}, k->now) == ERR_EXISTS);
    cell_close(&account);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"add", test_add, KIT_ALL},
        {"records", test_records, KIT_ALL},
        {"view_pages", test_view_pages, KIT_ALL},
        {"flags", test_flags, KIT_ALL},
        {"expunge", test_expunge, KIT_ALL},
        {"grace", test_grace, KIT_ALL},
        {"copy", test_copy, KIT_ALL},
        {"placements", test_placements, KIT_ALL},
        {"quota", test_quota, KIT_ALL},
        {"notices", test_notices, KIT_ALL},
        {"full since", test_full_since, KIT_ALL},
        {"full_disk", test_full_disk, KIT_ALL},
        {"threads", test_threads, KIT_ALL},
        {"qid", test_qid, KIT_ALL},
        {"crowd", test_crowd, KIT_ALL},
        {"warm", test_warm, KIT_MEM | KIT_ROCKS},
        {"drop", test_drop, KIT_ALL},
    };

    (void)argc;
    return kit_main("messages", rows, COUNT_OF(rows), argv);
}
