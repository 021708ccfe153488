/* stage.c - copies of very many messages, which must look like one commit and do not fit into one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "rt/random.h"
#include "store/copy_internal.h"

#define UNDO_PAGES 16u
#define SWEEP_MIDS 512u

struct staging {
    const struct copying *c;
    struct arena *a;
    uint64_t job;
    uint32_t first;  /* UID of the first new place */
    uint64_t modseq; /* that the last commit will have */
    uint32_t next;   /* source UID to go on with */
    struct copied_list all;
};

/* Staged copies of this process that are under way: their jobs are not leftovers. */
struct active {
    struct list node;
    uint64_t account, job;
};
static struct list active_list;
static uint64_t own_id;

static uint64_t process_id(void);
static bool is_active(uint64_t account, uint64_t job);
static SUSPENDS enum status begin_once(struct staging *s);
static SUSPENDS enum status step_once(struct staging *s);
static SUSPENDS enum status end_once(struct staging *s, struct copy_reply *out);
static SUSPENDS enum status run(struct staging *s, struct copy_reply *out);
static SUSPENDS void give_up(const struct staging *s);
static SUSPENDS enum status leave_sweeping(struct work *w, uint32_t from,
                                           const struct copied_list *list);
static SUSPENDS enum status sweep_one(struct work *w, uint32_t mailbox, uint64_t mid);

enum status
copy_staged(const struct copying *c, struct copy_reply *out)
{
    AUTO_ARENA *a = arena_new(4 * ARENA_WORK);
    struct staging s = {.c = c, .a = a, .next = 1};
    struct active me = {.account = cell_id_of(c->account).id};
    enum status st;
    int tries = 0;

    (void)process_id();
    do {
        st = begin_once(&s);
    } while (work_again(&st, &tries));
    TRY(st);
    me.job = s.job;
    list_push(&active_list, &me.node);
    st = run(&s, out);
    list_remove(&me.node);
    if (st != OK)
        give_up(&s);
    return st;
}

static enum status
run(struct staging *s, struct copy_reply *out)
{
    enum status st;

    while (s->next != 0) {
        int tries = 0;
        do {
            st = step_once(s);
        } while (work_again(&st, &tries));
        TRY(st);
        if (s->all.count > LIMIT_COPY_MESSAGES)
            return ERR_LIMIT;
    }
    int tries = 0;
    do {
        st = end_once(s, out);
    } while (work_again(&st, &tries));
    return st;
}

/* One staged copy at a time into a mailbox: the range beyond uidnext is one. */
static enum status
begin_once(struct staging *s)
{
    AUTO(work_end) struct work w;
    struct work_box *to;
    uint64_t other;

    TRY(work_begin(&w, s->c->account, s->c->now));
    TRY(work_box_live(&w, s->c->r->to, &to));
    enum status st = work_job_find(&w, JOB_STAGED, to->id, &other);
    if (st != ERR_NOT_FOUND)
        return st == OK ? ERR_TEMP : st;
    if (to->v.uidnext > UINT32_MAX - STAGE_UID_GAP - LIMIT_COPY_MESSAGES - 2 * PAGE_ENTRIES)
        return ERR_LIMIT;
    s->first = (to->v.uidnext + STAGE_UID_GAP + PAGE_ENTRIES) & ~(PAGE_ENTRIES - 1);
    /* The places must carry the modseq under which they will be seen, so one is taken from the future. */
    s->modseq = w.modseq + STAGE_MODSEQ_GAP;
    struct job_value job = {.kind = JOB_STAGED,
                            .mailbox = to->id,
                            .first = s->first,
                            .last = UINT32_MAX,
                            .owner = process_id(),
                            .started_s = (uint32_t)(s->c->now.us / 1000000)};
    TRY(work_job_add(&w, &job, &s->job));
    w.changed = true; /* takes a modseq, so that no other staged copy has the same in mind */
    return work_commit(&w);
}

static enum status
step_once(struct staging *s)
{
    AUTO(work_end) struct work w;
    struct work_box *from, *to;
    struct copied_list list = {.max = COPY_STAGED_STEP};
    uint32_t next = s->next;

    TRY(work_begin(&w, s->c->account, s->c->now));
    TRY(work_box_live(&w, s->c->r->mailbox, &from));
    TRY(work_box_live(&w, s->c->r->to, &to));
    TRY(copy_collect(&w, from, s->c->r, &list, &next));
    TRY(copy_keywords(&w, from, to, &list));
    struct copy_target t = {to, s->first + (uint32_t)s->all.count, s->modseq};
    TRY(copy_write(&w, &t, from->id, false, &list));
    size_t before = s->all.count;
    for (size_t i = 0; i < list.count; i++)
        copied_add(&s->all, s->a, &list.items[i]);
    enum status st = work_commit(&w);
    if (st != OK) {
        s->all.count = before;
        return st;
    }
    s->next = next;
    return OK;
}

/* The commit that everybody sees. */
static enum status
end_once(struct staging *s, struct copy_reply *out)
{
    AUTO(work_end) struct work w;
    struct work_box *from, *to;

    TRY(work_begin(&w, s->c->account, s->c->now));
    TRY(work_box_live(&w, s->c->r->mailbox, &from));
    TRY(work_box_live(&w, s->c->r->to, &to));
    if (w.modseq > s->modseq || to->v.uidnext > s->first)
        return ERR_TEMP;
    w.modseq = s->modseq;
    work_job_del(&w, s->job);
    if (s->all.count > 0) {
        to->v.uidnext = s->first + (uint32_t)s->all.count;
        copy_enter(&w, to, &s->all);
    }
    if (s->c->r->move) {
        TRY(copy_take_away(&w, from, &s->all));
        TRY(leave_sweeping(&w, from->id, &s->all));
    }
    copy_answer(&s->all, to->v.uidvalidity, w.modseq, s->c->a, out);
    return work_commit(&w);
}

/* As far as this fiber can; the reaper does the rest. */
static void
give_up(const struct staging *s)
{
    enum status st = OK;

    while (st == OK) {
        AUTO(work_end) struct work w;
        struct job_value job;
        struct str value;
        struct key k = key_u64(KEY_JOB, s->job);
        int tries = 0;
        do {
            st = work_begin(&w, s->c->account, s->c->now);
        } while (work_again(&st, &tries));
        if (st == OK)
            st = tx_get(w.tx, key_str(&k), &value);
        if (st == OK && value.ptr == NULL)
            return;
        if (st == OK)
            st = job_read(value, w.a, &job);
        if (st == OK)
            st = stage_undo(&w, s->job, &job);
        if (st == OK)
            st = work_commit(&w);
    }
}

enum status
stage_undo(struct work *w, uint64_t id, const struct job_value *job)
{
    struct key lo = key_places(job->mailbox, job->first >> PAGE_BITS);
    struct key hi = key_places(job->mailbox, UINT32_MAX);
    const struct cell_entry *e;
    struct gone gone[PAGE_ENTRIES];
    struct places p;
    uint32_t mailbox, page;
    size_t n;

    bool alive = job->owner == process_id()
                     ? is_active(cell_id_of(w->account).id, id)
                     : w->now.us / 1000000 < (int64_t)job->started_s + STAGE_ABANDONED_S;
    if (alive)
        return ERR_TEMP;
    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), UNDO_PAGES}, &e, &n));
    for (size_t i = 0; i < n; i++) {
        if (!key_read_u32_u32(e[i].key, KEY_PLACES, &mailbox, &page))
            return ERR_CORRUPT;
        TRY(places_read(e[i].value, page, &p));
        for (uint32_t j = 0; j < p.count; j++) {
            struct place at = places_get(&p, j);
            gone[j] = (struct gone){.mid = at.mid, .place = {mailbox, at.uid}};
        }
        TRY(work_gone(w, gone, p.count));
        tx_del(w->tx, e[i].key);
    }
    if (n == 0)
        work_job_del(w, id);
    return OK;
}

void
stage_forget_process(void)
{
    own_id = 0;
}

/* The old placements of moved messages are stale; taking them away is many pages of work that nobody waits for. */
static enum status
leave_sweeping(struct work *w, uint32_t from, const struct copied_list *list)
{
    struct id_list mids = {0};
    uint64_t id;

    for (size_t i = 0; i < list->count; i++)
        id_list_add(&mids, w->a, list->items[i].mid);
    struct job_value job = {
        .kind = JOB_LEFT, .mailbox = from, .mids = mids.ranges, .mid_count = mids.count};
    return mids.count > 0 ? work_job_add(w, &job, &id) : OK;
}

enum status
stage_sweep(struct work *w, uint64_t id, const struct job_value *job)
{
    struct key k = key_u64(KEY_JOB, id);
    struct job_value rest = *job;
    uint32_t done = 0;

    struct id_range *r = ARENA_ARRAY(w->a, struct id_range, job->mid_count + 1);
    mem_copy(r, job->mids, job->mid_count * sizeof(*r));
    while (rest.mid_count > 0 && done < SWEEP_MIDS) {
        TRY(sweep_one(w, job->mailbox, r->first));
        done++;
        if (r->first++ == r->last) {
            r++;
            rest.mid_count--;
        }
    }
    if (rest.mid_count == 0) {
        work_job_del(w, id);
        return OK;
    }
    rest.mids = r;
    buf_reset(&w->entry);
    job_write(&rest, &w->entry);
    TRY(buf_status(&w->entry));
    work_put(w, &k, buf_str(&w->entry));
    return OK;
}

/* Takes away those placements in the mailbox that have no place there. */
static enum status
sweep_one(struct work *w, uint32_t mailbox, uint64_t mid)
{
    struct key k = key_messages(mid);
    struct message_value v;
    struct places p;
    struct str body;

    enum status s = work_entry(w, &k, mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    TRY(message_entry_read(body, &v));
    for (uint32_t i = 0; i < v.count; i++) {
        if (v.places[i].mailbox != mailbox)
            continue;
        TRY(work_places(w, mailbox, v.places[i].uid >> PAGE_BITS, &p));
        uint32_t at = places_floor(&p, v.places[i].uid);
        if (at < p.count && places_get(&p, at).uid == v.places[i].uid)
            continue;
        struct gone g = {.mid = mid, .place = v.places[i]};
        TRY(work_gone(w, &g, 1));
    }
    return OK;
}

static uint64_t
process_id(void)
{
    if (own_id == 0) {
        own_id = random_u64() | 1;
        list_init(&active_list);
    }
    return own_id;
}

static bool
is_active(uint64_t account, uint64_t job)
{
    list_each (node, &active_list) {
        const struct active *a = LIST_ENTRY(node, struct active, node);
        if (a->account == account && a->job == job)
            return true;
    }
    return false;
}
