/* changes_test.c - what changed since when: by the log, by the places, too long ago; and staged copies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/copy_internal.h"
#include "store/testkit_internal.h"

#define UIDS(first, last) ((struct uid_set){&(const struct uid_range){(first), (last)}, 1})
#define ALL_UIDS          UIDS(1, UINT32_MAX)

struct changed {
    struct changes_reply r;
    struct kit_view v;
};

static SUSPENDS struct changed
changes(struct kit *k, struct cell *account, uint64_t since, size_t room)
{
    AUTO_BUF b = BUF(room * VIEW_ENTRY_BYTES);
    struct changes_request r = {MAILBOX_INBOX, since};
    struct changed c;

    ASSERT(message_changes(account, &r, k->a, &b, &c.r) == OK);
    c.v = kit_unpack(k, buf_str(&b));
    return c;
}

static SUSPENDS uint64_t
modseq(struct cell *account)
{
    struct account_info info;

    ASSERT(account_info(account, &info) == OK);
    return info.modseq;
}

static SUSPENDS void
flag(struct kit *k, struct cell *account, struct uid_set uids, uint32_t flags)
{
    struct flags_request r = {.mailbox = MAILBOX_INBOX,
                              .uids = uids,
                              .op = FLAGS_SET,
                              .flags = flags,
                              .unchanged_since = UNCHANGED_ANY};
    struct flags_reply reply;
    AUTO_BUF b = BUF(1u << 20);

    ASSERT(message_flags(account, &r, k->a, &b, &reply) == OK);
}

static SUSPENDS void
expunge(struct kit *k, struct cell *account, struct uid_set uids)
{
    struct expunge_request r = {MAILBOX_INBOX, uids, false};
    struct expunge_reply reply;

    ASSERT(message_expunge(account, &r, k->now, k->a, &reply) == OK);
}

static SUSPENDS void
test_log(struct kit *k)
{
    struct cell *account = kit_account(k, 1);

    for (uint32_t i = 0; i < 100; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    uint64_t since = modseq(account);
    struct changed c = changes(k, account, since, 10);
    ASSERT(!c.r.full && !c.r.more && c.r.modseq == since && c.v.count == 0);
    flag(k, account, UIDS(3, 4), FLAG_SEEN);
    kit_add(k, account, MAILBOX_INBOX + 1, 10); /* another mailbox */
    expunge(k, account, UIDS(4, 6));
    kit_add(k, account, MAILBOX_INBOX, 10);
    c = changes(k, account, since, 10);
    ASSERT(!c.r.full && !c.r.more && c.r.modseq == modseq(account) && c.v.count == 2);
    ASSERT(c.v.entries[0].uid == 3 && c.v.entries[0].flags == FLAG_SEEN);
    ASSERT(c.v.entries[1].uid == 101);
    ASSERT(c.r.vanished_count == 1 && c.r.vanished[0].first == 4 && c.r.vanished[0].last == 6);
    ASSERT(changes(k, account, modseq(account) + 1, 10).r.full);
    /* In pieces: each entry of the log that fits, at least one. */
    uint64_t at = 1;
    uint32_t seen = 0, calls = 0;
    do {
        c = changes(k, account, at, 7);
        ASSERT(!c.r.full && c.r.modseq > at && c.v.count <= 7);
        at = c.r.modseq;
        seen += (uint32_t)c.v.count;
        calls++;
    } while (c.r.more);
    ASSERT(at == modseq(account) && calls > 10 && seen >= 98);
    flag(k, account, ALL_UIDS, FLAG_SEEN | FLAG_FLAGGED);
    ASSERT(changes(k, account, at, 7).r.full);
    ASSERT(changes(k, account, at, 98).v.count == 98);
    cell_close(&account);
}

/* Before the floor of the log the places and the records of vanished UIDs tell; before theirs, nothing does. */
static SUSPENDS void
test_floor(struct kit *k)
{
    struct cell *account = kit_account(k, 1);

    for (uint32_t i = 0; i < 300; i++)
        kit_add(k, account, MAILBOX_INBOX, 10);
    uint64_t since = modseq(account);
    expunge(k, account, UIDS(100, 110));
    flag(k, account, UIDS(5, 5), FLAG_SEEN);
    for (uint32_t i = 0; i < LIMIT_CHANGE_LOG_ENTRIES + 200; i++)
        flag(k, account, UIDS(7, 7), i % 2 ? FLAG_SEEN : FLAG_FLAGGED);
    struct changed c = changes(k, account, since, 1000);
    ASSERT(!c.r.full && c.v.count == 2 && c.v.entries[0].uid == 5 && c.v.entries[1].uid == 7);
    ASSERT(c.r.vanished_count == 1 && c.r.vanished[0].first == 100 && c.r.vanished[0].last == 110);
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct head_value h;
    ASSERT(head_load(account, a, &h) == OK && h.log_floor > since);
    ASSERT(h.modseq - h.log_floor <= LIMIT_CHANGE_LOG_ENTRIES + 64);
    struct key l = key_u64(KEY_LOG, h.log_floor);
    struct str v;
    ASSERT(cell_get(account, key_str(&l), a, &v) == OK && v.ptr == NULL);
    l = key_u64(KEY_LOG, h.log_floor + 1);
    ASSERT(cell_get(account, key_str(&l), a, &v) == OK && v.ptr != NULL);
    ASSERT(changes(k, account, 0, 1000).r.full); /* before the mailbox was made */
    /* Many records of vanished UIDs: the oldest go, and who asks for them starts anew. */
    for (uint32_t i = 0; i < 250; i++)
        expunge(k, account, UIDS(1 + i, 1 + i));
    c = changes(k, account, since, 1000);
    ASSERT(!c.r.full && c.r.vanished_count == 1 && c.r.vanished[0].last == 250);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t uid = kit_add(k, account, MAILBOX_INBOX, 1).uid;
        expunge(k, account, UIDS(uid, uid));
    }
    ASSERT(changes(k, account, since, 1000).r.full);
    ASSERT(!changes(k, account, modseq(account) - 100, 1000).r.full);
    cell_close(&account);
}

/* A client reads a mailbox page by page while others change it; the changes since the modseq of its first page make
 * what it read true. */
struct busy {
    struct kit *k;
    struct cell *account;
    uint32_t steps;
    bool over;
};

static FIBER_ENTRY void
busy(void *arg)
{
    struct busy *b = arg;

    for (uint32_t i = 0; i < b->steps; i++) {
        uint32_t uid = (uint32_t)random_below(600) + 1;
        switch (random_below(3)) {
        case 0: kit_add(b->k, b->account, MAILBOX_INBOX, 5); break;
        case 1: flag(b->k, b->account, UIDS(uid, uid + 3), (uint32_t)random_below(32)); break;
        default: expunge(b->k, b->account, UIDS(uid, uid)); break;
        }
        fiber_yield();
    }
    b->over = true;
    kit_left();
}

struct client {
    struct kit_entry by_uid[2000];
    uint64_t modseq;
};

static void
learn(struct client *c, const struct kit_view *v)
{
    for (size_t i = 0; i < v->count; i++) {
        ASSERT(v->entries[i].uid < COUNT_OF(c->by_uid));
        c->by_uid[v->entries[i].uid] = v->entries[i];
    }
}

static SUSPENDS void
read_paged(struct kit *k, struct cell *account, struct client *c)
{
    struct view_reply reply = {.more = true};
    uint32_t from = 1;

    *c = (struct client){0};
    while (reply.more) {
        AUTO_BUF b = BUF(1u << 16);
        struct view_request r = {MAILBOX_INBOX, from, 40};
        ASSERT(message_view(account, &r, &b, &reply) == OK);
        struct kit_view v = kit_unpack(k, buf_str(&b));
        learn(c, &v);
        if (c->modseq == 0)
            c->modseq = reply.modseq;
        ASSERT(reply.modseq >= c->modseq);
        from = v.count > 0 ? v.entries[v.count - 1].uid + 1 : from;
        fiber_yield();
    }
}

static SUSPENDS void
test_busy(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    struct client *c = arena_alloc(k->a, sizeof(*c));
    struct busy b = {k, account, 300, false};

    for (uint32_t i = 0; i < 500; i++)
        kit_add(k, account, MAILBOX_INBOX, 5);
    kit_go(busy, &b);
    do {
        read_paged(k, account, c);
    } while (!b.over);
    kit_wait();
    for (bool more = true; more;) {
        struct changed ch = changes(k, account, c->modseq, 200);
        ASSERT(!ch.r.full);
        learn(c, &ch.v);
        for (size_t i = 0; i < ch.r.vanished_count; i++) {
            for (uint32_t u = ch.r.vanished[i].first; u <= ch.r.vanished[i].last; u++)
                c->by_uid[u] = (struct kit_entry){0};
        }
        c->modseq = ch.r.modseq;
        more = ch.r.more;
    }
    struct kit_view now = kit_view(k, account, MAILBOX_INBOX);
    size_t known = 0;
    for (size_t i = 0; i < COUNT_OF(c->by_uid); i++)
        known += c->by_uid[i].uid != 0;
    ASSERT(known == now.count);
    for (size_t i = 0; i < now.count; i++) {
        const struct kit_entry *e = &c->by_uid[now.entries[i].uid];
        ASSERT(e->mid == now.entries[i].mid && e->flags == now.entries[i].flags);
        ASSERT(e->modseq == now.entries[i].modseq);
    }
    kit_check(k, account);
    cell_close(&account);
}

/* count messages in INBOX, many to a commit. */
static SUSPENDS void
fill(struct kit *k, struct cell *account, uint32_t count)
{
    enum { STEP = 250 };
    struct message_new m[STEP];
    struct message_place p[STEP];

    ASSERT(count % STEP == 0);
    for (uint32_t i = 0; i < count; i += STEP) {
        for (uint32_t j = 0; j < STEP; j++)
            m[j] = kit_message(k, 3, random_u64());
        struct message_batch b = {MAILBOX_INBOX, m, STEP, NULL};
        ASSERT(message_add_all(account, &b, k->now, p) == OK);
    }
}

static SUSPENDS void
reap_all(struct kit *k, struct cell *account)
{
    bool more = true;

    while (more)
        ASSERT(account_reap(account, k->now, &more) == OK);
}

enum { MANY = 6000 };

struct watching {
    struct kit *k;
    struct cell *account;
    uint32_t to, added, seen_partial;
    bool over;
};

/* While the copy is under way: delivers into the target and never sees a part of it. */
static FIBER_ENTRY void
watching(void *arg)
{
    struct watching *w = arg;

    while (!w->over) {
        struct mailbox_info box = kit_box(w->k, w->account, w->to);
        if (box.exists < MANY) {
            kit_add(w->k, w->account, w->to, 9);
            w->added++;
            w->seen_partial += box.exists != w->added - 1;
        }
        fiber_yield();
    }
    kit_left();
}

static SUSPENDS void
staged(struct kit *k, bool move)
{
    struct cell *account = kit_account(k, 1);
    struct copy_request r = {.mailbox = MAILBOX_INBOX, .uids = ALL_UIDS, .move = move};
    struct watching w = {k, account, .over = false};
    struct copy_reply reply;
    struct account_info before, after;

    ASSERT(mailbox_create(account, STR("to"), SPECIAL_NONE, &r.to) == OK);
    w.to = r.to;
    fill(k, account, MANY);
    struct kit_view in = kit_view(k, account, MAILBOX_INBOX);
    ASSERT(account_info(account, &before) == OK);
    kit_go(watching, &w);
    enum status s = message_copy(account, &r, k->now, k->a, &reply);
    w.over = true;
    kit_wait();
    ASSERT(s == OK && w.added > 0 && w.seen_partial == 0);
    ASSERT(reply.from_count == 1 && reply.from[0].last == MANY && reply.into_count == 1);
    ASSERT(reply.into[0].last - reply.into[0].first == MANY - 1);
    struct kit_view v = kit_view(k, account, r.to);
    ASSERT(v.count == MANY + w.added);
    size_t at = 0; /* a delivery may have found its place before or after */
    while (v.entries[at].uid < reply.into[0].first)
        at++;
    for (uint32_t i = 0; i < MANY; i++) {
        ASSERT(v.entries[at + i].mid == in.entries[i].mid);
        ASSERT(v.entries[at + i].modseq == reply.modseq);
    }
    ASSERT(kit_box(k, account, MAILBOX_INBOX).exists == (move ? 0 : MANY));
    ASSERT(kit_add(k, account, r.to, 9).uid > reply.into[0].last);
    ASSERT(account_info(account, &after) == OK);
    ASSERT(after.messages == before.messages + w.added + 1);
    reap_all(k, account);
    ASSERT(account_info(account, &after) == OK && !after.has_work);
    kit_check(k, account);
    /* Those who were behind catch up. */
    struct changed c = changes(k, account, before.modseq, MANY);
    ASSERT(!c.r.full && c.v.count == 0 && c.r.vanished_count == (move ? 1u : 0u));
    /* No stale placement: when the target is emptied the messages are gone. */
    struct expunge_request x = {r.to, ALL_UIDS, false};
    struct expunge_reply xr;
    ASSERT(message_expunge(account, &x, k->now, k->a, &xr) == OK);
    ASSERT(account_info(account, &after) == OK);
    ASSERT(after.messages == (move ? 0 : MANY) && after.bytes == after.messages * 3);
    cell_close(&account);
}

static SUSPENDS void
test_staged_copy(struct kit *k)
{
    staged(k, false);
}

static SUSPENDS void
test_staged_move(struct kit *k)
{
    staged(k, true);
}

/* A crash in the middle: afterwards all of it is there or nothing, and nothing else has changed. */
static SUSPENDS void
test_staged_crash(struct kit *k)
{
    for (uint64_t call = 1; call < 60; call += 4) {
        struct cell *account = kit_account(k, call);
        struct copy_request r = {.mailbox = MAILBOX_INBOX, .uids = ALL_UIDS, .move = call % 8 == 1};
        struct engine_faults f = {.crash_call = call}, none = {0};
        struct copy_reply reply;
        struct account_info info;

        ASSERT(mailbox_create(account, STR("to"), SPECIAL_NONE, &r.to) == OK);
        fill(k, account, MANY);
        engine_mem_faults(k->e, &f);
        enum status s = message_copy(account, &r, k->now, k->a, &reply);
        ASSERT(s == OK || s == ERR_IO);
        if (s == OK)
            engine_mem_faults(k->e, &none);
        cell_close(&account);
        kit_reopen(k);
        account = account_open(k->cs, call);
        uint32_t into = kit_box(k, account, r.to).exists;
        uint32_t left = kit_box(k, account, MAILBOX_INBOX).exists;
        ASSERT(into == MANY || (into == 0 && s != OK));
        ASSERT(left == (r.move && into == MANY ? 0 : MANY));
        ASSERT(kit_view(k, account, r.to).count == into);
        stage_forget_process(); /* as after a start: what was under way is a leftover */
        k->now.us += INT64_C(2) * STAGE_ABANDONED_S * 1000000;
        reap_all(k, account);
        ASSERT(account_info(account, &info) == OK && !info.has_work && info.messages == MANY);
        kit_check(k, account);
        ASSERT(message_copy(account, &r, k->now, k->a, &reply) == OK);
        ASSERT(kit_box(k, account, r.to).exists == into + left);
        cell_close(&account);
    }
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"log", test_log, KIT_ALL},
        {"floor", test_floor, KIT_MEM},
        {"busy", test_busy, KIT_ALL},
        {"staged_copy", test_staged_copy, KIT_MEM | KIT_ROCKS},
        {"staged_move", test_staged_move, KIT_MEM | KIT_ROCKS},
        {"staged_crash", test_staged_crash, KIT_MEM},
    };

    (void)argc;
    return kit_main("changes", rows, COUNT_OF(rows), argv);
}
