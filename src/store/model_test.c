/* model_test.c - thousands of random operations beside a simple model, with catching up, restarts and crashes.
 *
 * After each operation the touched mailboxes are what the model says, and now and then everything is recounted.
 * Snapshots of mailboxes are brought up to date by message_changes() alone and must then be equal to the mailbox.
 * Crashes: what was acknowledged is there afterwards; what was under way happened as a whole or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/testkit_internal.h"

enum { BOXES = 12, ENTRIES = 300, STEPS = 3000, CRASH_STEPS = 400 };

struct model_entry {
    uint32_t uid, flags;
    uint64_t mid;
};
struct model_box {
    bool alive;
    uint32_t id, uidvalidity, uidnext, count;
    char name[32];
    struct model_entry e[ENTRIES];
};
struct model {
    struct model_box box[BOXES];
    uint64_t next_mid;
    uint32_t names;
};
/* What a client knew at some time. */
struct snapshot {
    uint32_t mailbox; /* 0 = none */
    uint32_t uidvalidity;
    uint64_t modseq;
    struct kit_entry e[ENTRIES];
    uint32_t count;
};
enum verb {
    ADD,
    ADD_ALL,
    FLAG,
    COPY,
    MOVE,
    EXPUNGE,
    CREATE,
    DELETE,
    RENAME,
    VERBS,
};
struct op {
    enum verb verb;
    uint32_t from, to; /* boxes of the model */
    struct uid_range uids;
    uint32_t flags;
    enum flag_op flag_op;
    uint32_t count;
};
struct trial {
    struct kit *k;
    struct cell *account;
    struct model *m;
    struct snapshot *snaps;
    size_t snap_count;
    uint64_t modseq;
};

static uint32_t
pick_box(const struct model *m)
{
    uint32_t i;

    do {
        i = (uint32_t)random_below(BOXES);
    } while (!m->box[i].alive);
    return i;
}

static struct op
pick(const struct model *m)
{
    static const enum verb weights[] = {ADD,     ADD,     ADD,    ADD,    ADD,   ADD_ALL,
                                        FLAG,    FLAG,    FLAG,   COPY,   COPY,  MOVE,
                                        EXPUNGE, EXPUNGE, CREATE, DELETE, RENAME};
    struct op o = {.verb = weights[random_below(COUNT_OF(weights))]};
    uint32_t dead = 0;

    o.from = pick_box(m);
    o.to = pick_box(m);
    o.count = (uint32_t)random_below(5) + 2;
    o.flags = (uint32_t)random_below(32);
    o.flag_op = (enum flag_op)random_below(3);
    uint32_t next = m->box[o.from].uidnext;
    o.uids.first = (uint32_t)random_below(next) + 1;
    o.uids.last = o.uids.first + (uint32_t)random_below(20);
    for (uint32_t i = 0; i < BOXES; i++)
        dead += !m->box[i].alive;
    if ((o.verb == CREATE && dead == 0) ||
        ((o.verb == DELETE || o.verb == RENAME) && (o.from < 6 || random_below(3) > 0)))
        o.verb = ADD;
    if (m->box[o.to].count + 30 > ENTRIES && (o.verb == COPY || o.verb == MOVE))
        o.verb = EXPUNGE;
    if (m->box[o.from].count + 10 > ENTRIES && (o.verb == ADD || o.verb == ADD_ALL)) {
        o.verb = EXPUNGE;
        o.uids = (struct uid_range){1, UINT32_MAX};
    }
    return o;
}

static void
model_add(struct model_box *b, uint64_t mid, uint32_t flags)
{
    ASSERT(b->count < ENTRIES);
    b->e[b->count++] = (struct model_entry){b->uidnext++, flags, mid};
}

static bool
in_uids(const struct op *o, uint32_t uid)
{
    return uid >= o->uids.first && uid <= o->uids.last;
}

static void
model_remove(struct model_box *b, const struct op *o, uint32_t below)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < b->count; i++) {
        if (!in_uids(o, b->e[i].uid) || b->e[i].uid >= below)
            b->e[left++] = b->e[i];
    }
    b->count = left;
}

static void
model_copy(struct model *m, const struct op *o)
{
    struct model_box *from = &m->box[o->from], *to = &m->box[o->to];
    uint32_t count = from->count, below = from->uidnext;

    for (uint32_t i = 0; i < count; i++) {
        if (in_uids(o, from->e[i].uid))
            model_add(to, from->e[i].mid, from->e[i].flags);
    }
    if (o->verb == MOVE)
        model_remove(from, o, below);
}

static void
model_flag(struct model_box *b, const struct op *o)
{
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t *f = &b->e[i].flags;
        if (!in_uids(o, b->e[i].uid))
            continue;
        *f = o->flag_op == FLAGS_SET   ? o->flags
             : o->flag_op == FLAGS_ADD ? *f | o->flags
                                       : *f & ~o->flags;
    }
}

/* The operation on the model.  id, uidvalidity: of a mailbox that was made. */
static void
model_apply(struct model *m, const struct op *o)
{
    struct model_box *b = &m->box[o->from];

    switch (o->verb) {
    case ADD: model_add(b, m->next_mid++, o->flags); break;
    case ADD_ALL:
        for (uint32_t i = 0; i < o->count; i++)
            model_add(b, m->next_mid++, o->flags);
        break;
    case FLAG: model_flag(b, o); break;
    case COPY:
    case MOVE: model_copy(m, o); break;
    case EXPUNGE: model_remove(b, o, UINT32_MAX); break;
    case CREATE: {
        uint32_t i = 0;
        while (m->box[i].alive)
            i++;
        m->box[i] = (struct model_box){.alive = true, .uidnext = 1};
        snprintf(m->box[i].name, sizeof(m->box[i].name), "box%u", (unsigned)m->names++);
        break;
    }
    case DELETE: b->alive = false; break;
    case RENAME: snprintf(b->name, sizeof(b->name), "box%u", (unsigned)m->names++); break;
    default: UNREACHABLE();
    }
}

static SUSPENDS enum status
real_add(struct trial *t, const struct op *o)
{
    struct message_new msgs[8];
    struct message_place places[8];
    uint32_t n = o->verb == ADD ? 1 : o->count;

    for (uint32_t i = 0; i < n; i++) {
        AUTO(engine_blob_drop) struct blob_writer *w = NULL;
        enum status s = engine_blob_new(t->k->e, 10, &w);
        if (s == OK)
            s = engine_blob_add(w, STR("0123456789"));
        msgs[i] = (struct message_new){.size = 10, .flags = o->flags, .sort = STR("sort")};
        if (s == OK)
            s = engine_blob_end(&w, &msgs[i].blob);
        if (s != OK)
            return s;
        msgs[i].message_id_hash = random_below(300) << 30;
    }
    struct message_batch b = {t->m->box[o->from].id, msgs, n, NULL};
    return message_add_all(t->account, &b, t->k->now, places);
}

static SUSPENDS enum status
real_apply(struct trial *t, const struct op *o)
{
    const struct model_box *b = &t->m->box[o->from];
    struct uid_set uids = {&o->uids, 1};
    AUTO_BUF entries = BUF(1u << 20);
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct str name = arena_printf(a, "box%u", (unsigned)t->m->names);
    uint32_t id;

    switch (o->verb) {
    case ADD:
    case ADD_ALL: return real_add(t, o);
    case FLAG: {
        struct flags_request r = {.mailbox = b->id,
                                  .uids = uids,
                                  .op = o->flag_op,
                                  .flags = o->flags,
                                  .unchanged_since = UNCHANGED_ANY};
        struct flags_reply reply;
        return message_flags(t->account, &r, a, &entries, &reply);
    }
    case COPY:
    case MOVE: {
        struct copy_request r = {b->id, t->m->box[o->to].id, uids, o->verb == MOVE};
        struct copy_reply reply;
        return message_copy(t->account, &r, t->k->now, a, &reply);
    }
    case EXPUNGE: {
        struct expunge_request r = {b->id, uids, false};
        struct expunge_reply reply;
        return message_expunge(t->account, &r, t->k->now, a, &reply);
    }
    case CREATE: return mailbox_create(t->account, name, SPECIAL_NONE, &id);
    case DELETE: return mailbox_delete(t->account, b->id, t->k->now);
    case RENAME: return mailbox_rename(t->account, b->id, name, t->k->now);
    default: UNREACHABLE();
    }
}

/* Is the account what the model says?  Learns the ids of new mailboxes. */
static SUSPENDS bool
matches(struct trial *t, struct model *m, bool learn)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    const struct mailbox_list *l;
    size_t alive = 0, there = 0;

    ASSERT(mailbox_list(t->account, 0, 1000, a, &l) == OK);
    for (size_t i = 0; i < l->count; i++)
        there += l->mailboxes[i].uidvalidity != 0;
    for (uint32_t i = 0; i < BOXES; i++) {
        struct model_box *b = &m->box[i];
        struct mailbox_info info;
        if (!b->alive)
            continue;
        alive++;
        if (mailbox_find(t->account, str_of(b->name), a, &info) != OK)
            return false;
        if (b->id == 0 && learn) {
            b->id = info.id;
            b->uidvalidity = info.uidvalidity;
        }
        if ((b->id != 0 && b->id != info.id) || info.exists != b->count ||
            info.uidnext != b->uidnext)
            return false;
        struct kit_view v = kit_view(t->k, t->account, info.id);
        for (uint32_t j = 0; j < b->count; j++) {
            if (v.entries[j].uid != b->e[j].uid || v.entries[j].flags != b->e[j].flags ||
                v.entries[j].mid != b->e[j].mid)
                return false;
        }
    }
    return alive == there;
}

static SUSPENDS void
take_snapshot(struct trial *t)
{
    struct snapshot *s = &t->snaps[random_below(t->snap_count)];
    const struct model_box *b = &t->m->box[pick_box(t->m)];
    struct kit_view v = kit_view(t->k, t->account, b->id);

    s->mailbox = b->id;
    s->uidvalidity = b->uidvalidity;
    s->modseq = v.modseq;
    s->count = (uint32_t)v.count;
    mem_copy(s->e, v.entries, v.count * sizeof(*s->e));
}

static void
snapshot_merge(struct snapshot *s, const struct kit_view *v, const struct changes_reply *r)
{
    struct kit_entry merged[ENTRIES * 2];
    uint32_t n = 0, i = 0;

    for (size_t j = 0; j <= v->count; j++) {
        uint32_t uid = j < v->count ? v->entries[j].uid : UINT32_MAX;
        while (i < s->count && s->e[i].uid < uid)
            merged[n++] = s->e[i++];
        if (i < s->count && s->e[i].uid == uid)
            i++;
        if (j < v->count)
            merged[n++] = v->entries[j];
    }
    struct uid_set gone = {r->vanished, r->vanished_count};
    s->count = 0;
    for (i = 0; i < n; i++) {
        /* An entry of this reply is as it is now; a UID in both was removed after it was new. */
        if (!uid_set_has(gone, merged[i].uid)) {
            ASSERT(s->count < ENTRIES);
            s->e[s->count++] = merged[i];
        }
    }
}

/* An old view and the changes since it are the view of today. */
static SUSPENDS void
catch_up(struct trial *t)
{
    struct snapshot *s = &t->snaps[random_below(t->snap_count)];
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct changes_reply r = {.more = true};

    if (s->mailbox == 0)
        return;
    while (r.more) {
        AUTO_BUF b = BUF((random_below(40) + 30) * VIEW_ENTRY_BYTES);
        struct changes_request req = {s->mailbox, s->modseq};
        enum status st = message_changes(t->account, &req, a, &b, &r);
        if (st == ERR_NOT_FOUND || (st == OK && r.full)) {
            s->mailbox = 0;
            return;
        }
        ASSERT(st == OK && r.modseq >= s->modseq && (r.modseq > s->modseq || !r.more));
        struct kit_view v = kit_unpack(t->k, buf_str(&b));
        snapshot_merge(s, &v, &r);
        s->modseq = r.modseq;
    }
    struct kit_view now = kit_view(t->k, t->account, s->mailbox);
    ASSERT(now.count == s->count);
    for (size_t i = 0; i < now.count; i++) {
        ASSERT(now.entries[i].uid == s->e[i].uid && now.entries[i].flags == s->e[i].flags);
        ASSERT(now.entries[i].mid == s->e[i].mid && now.entries[i].modseq == s->e[i].modseq);
    }
}

static void
model_start(struct model *m)
{
    static const char *const names[] = {"INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive"};

    *m = (struct model){.next_mid = 1};
    for (uint32_t i = 0; i < COUNT_OF(names); i++) {
        m->box[i] = (struct model_box){.alive = true, .id = i + 1, .uidnext = 1};
        snprintf(m->box[i].name, sizeof(m->box[i].name), "%s", names[i]);
    }
}

static SUSPENDS void
check_modseq(struct trial *t)
{
    struct account_info info;

    ASSERT(account_info(t->account, &info) == OK && info.modseq >= t->modseq);
    t->modseq = info.modseq;
}

static SUSPENDS void
restart(struct trial *t)
{
    cell_close(&t->account);
    kit_reopen(t->k);
    t->account = account_open(t->k->cs, 1);
}

static SUSPENDS void
walk(struct kit *k, uint32_t steps)
{
    struct model *m = arena_alloc(k->a, sizeof(*m));
    struct trial t = {k, kit_account(k, 1), m, arena_alloc(k->a, 5 * sizeof(struct snapshot)), 5,
                      0};
    bool more;

    model_start(m);
    for (uint32_t i = 0; i < steps; i++) {
        struct op o = pick(m);
        enum status s = real_apply(&t, &o);
        /* Only a cluster may say this; then nothing has happened. */
        ASSERT(s == OK || (s == ERR_TEMP && k->profile == KIT_CLUSTER));
        if (s == OK)
            model_apply(m, &o);
        if (i % 16 == 0 || o.verb >= CREATE)
            ASSERT(matches(&t, m, true));
        check_modseq(&t);
        if (i % 3 == 0)
            take_snapshot(&t);
        if (i % 2 == 0)
            catch_up(&t);
        if (random_below(40) == 0)
            ASSERT(account_reap(t.account, k->now, &more) == OK);
        if (i % 400 == 399) {
            for (more = true; more;)
                ASSERT(account_reap(t.account, k->now, &more) == OK);
            kit_check(k, t.account);
            k->now.us += INT64_C(5) * 86400 * 1000000;
        }
        if (random_below(300) == 0)
            restart(&t);
    }
    ASSERT(matches(&t, m, true));
    cell_close(&t.account);
}

static SUSPENDS void
test_walk(struct kit *k)
{
    walk(k, k->profile == KIT_CLUSTER ? STEPS / 10 : STEPS);
}

/* Power is cut at a random call of a random operation. */
static SUSPENDS void
test_crash(struct kit *k)
{
    struct model *m = arena_alloc(k->a, sizeof(*m)), *after = arena_alloc(k->a, sizeof(*m));
    struct trial t = {k, kit_account(k, 1), m, NULL, 0, 0};
    uint32_t happened = 0, lost = 0;
    bool more;

    model_start(m);
    for (uint32_t i = 0; i < CRASH_STEPS; i++) {
        struct op o = pick(m);
        struct engine_faults f = {.crash_call = random_below(9) + 1}, none = {0};
        if (random_below(2) == 0)
            f = none;
        engine_mem_faults(k->e, &f);
        enum status s = real_apply(&t, &o);
        if (s == OK && !engine_failed(k->e)) {
            engine_mem_faults(k->e, &none);
            model_apply(m, &o);
        } else if (s == OK) {
            model_apply(m, &o);
            restart(&t);
        } else {
            ASSERT(s == ERR_IO);
            restart(&t);
            *after = *m;
            model_apply(after, &o);
            if (matches(&t, after, false)) {
                *m = *after;
                happened++;
            } else {
                lost++;
            }
        }
        ASSERT(matches(&t, m, true));
        if (i % 50 == 49) {
            for (more = true; more;)
                ASSERT(account_reap(t.account, k->now, &more) == OK);
            kit_check(k, t.account);
        }
    }
    /* Both outcomes of a crash were met. */
    ASSERT(happened > 0 && lost > 0);
    cell_close(&t.account);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"walk", test_walk, KIT_ALL},
        {"crash", test_crash, KIT_MEM},
    };

    (void)argc;
    return kit_main("model", rows, COUNT_OF(rows), argv);
}
