/* reap.c - background work of an account, one bounded step at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/account.h"

#include "store/copy_internal.h"
#include "store/import_internal.h"
#include "store/spam.h"

#define EMPTY_PAGES   16u
#define EMPTY_RECORDS 256u
#define BODIES_STEP   256u
#define JOBS_STEP     (16u + LIMIT_SPAM_LESSONS)
#define MARKS_STEP    64u
#define MARK_KEPT_US  ((LIMIT_QUEUE_DAYS + 1) * INT64_C(86400000000))

static SUSPENDS enum status reap_once(struct cell *account, struct instant now, bool *more_out);
static SUSPENDS enum status reap_jobs(struct work *w, bool *did_out);
static SUSPENDS enum status reap_job(struct work *w, uint64_t id, const struct job_value *job);
static SUSPENDS enum status empty_mailbox(struct work *w, uint64_t id, uint32_t mailbox);
static SUSPENDS enum status empty_page(struct work *w, const struct cell_entry *e);
static SUSPENDS enum status reap_bodies(struct work *w, uint32_t now_s, bool *did_out);
static SUSPENDS enum status reap_body(struct work *w, uint64_t mid);
static SUSPENDS enum status reap_marks(struct work *w);
static SUSPENDS enum status mark_is_old(struct work *w, uint64_t mid, bool *out);
static SUSPENDS enum status next_due(struct work *w, struct str after);

enum status
account_reap(struct cell *account, struct instant now, bool *more_out)
{
    enum status s;
    int tries = 0;
    bool more = false;

    do {
        s = reap_once(account, now, &more);
    } while (work_again(&s, &tries));
    TRY(s);
    *more_out = more;
    return OK;
}

static enum status
reap_once(struct cell *account, struct instant now, bool *more_out)
{
    AUTO(work_end) struct work w;
    bool did = false;
    uint32_t now_s = (uint32_t)(now.us / 1000000);

    TRY(work_begin(&w, account, now));
    /* Without room on the disk nothing is kept for those who regret. */
    if (engine_space(cells_engine(cell_home(account))) == SPACE_CRITICAL)
        now_s = UINT32_MAX;
    if (w.head.jobs > 0)
        TRY(reap_jobs(&w, &did));
    if (!did && w.head.next_due != 0 && w.head.next_due <= now_s)
        TRY(reap_bodies(&w, now_s, &did));
    if (!did)
        TRY(reap_marks(&w));
    TRY(work_commit(&w));
    *more_out = did;
    return OK;
}

/* The first that can go on. */
static enum status
reap_jobs(struct work *w, bool *did_out)
{
    const struct cell_entry *e;
    struct job_value job;
    uint64_t id;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){STR("J"), STR("K"), JOBS_STEP}, &e, &n));
    if (n == 0) {
        w->head.jobs = 0;
        w->head_dirty = true;
    }
    for (size_t i = 0; i < n && !*did_out; i++) {
        if (!key_read_u64(e[i].key, KEY_JOB, &id))
            return ERR_CORRUPT;
        TRY(job_read(e[i].value, w->a, &job));
        enum status s = reap_job(w, id, &job);
        if (s == ERR_TEMP)
            continue;
        TRY(s);
        *did_out = true;
    }
    return OK;
}

static enum status
reap_job(struct work *w, uint64_t id, const struct job_value *job)
{
    switch (job->kind) {
    case JOB_EMPTY: return empty_mailbox(w, id, job->mailbox);
    case JOB_STAGED: return stage_undo(w, id, job);
    case JOB_LEFT: return stage_sweep(w, id, job);
    case JOB_LESSON: return ERR_TEMP; /* spam_lesson_next() */
    }
    UNREACHABLE();
}

/* Places first, then the records of vanished ones and of imports, then the tombstone itself. */
static enum status
empty_mailbox(struct work *w, uint64_t id, uint32_t mailbox)
{
    struct key lo = key_places(mailbox, 0), hi = key_places(mailbox, UINT32_MAX);
    struct key v_lo = key_u32_u64(KEY_VANISHED, mailbox, 0);
    struct key v_hi = key_u32_u64(KEY_VANISHED, mailbox, UINT64_MAX);
    const struct cell_entry *e;
    struct work_box *b;
    size_t n, m;
    bool did;

    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), EMPTY_PAGES}, &e, &n));
    for (size_t i = 0; i < n; i++)
        TRY(empty_page(w, &e[i]));
    if (n > 0)
        return OK;
    TRY(tx_range(w->tx, (struct tx_span){key_str(&v_lo), key_str(&v_hi), EMPTY_RECORDS}, &e, &m));
    for (size_t i = 0; i < m; i++)
        tx_del(w->tx, e[i].key);
    if (m > 0)
        return OK;
    TRY(import_forget(w, mailbox, &did));
    if (did)
        return OK;
    work_job_del(w, id);
    enum status s = work_box(w, mailbox, &b);
    if (s == OK && (b->v.flags & MAILBOX_TOMBSTONE))
        b->gone = true;
    return s == ERR_NOT_FOUND ? OK : s;
}

static enum status
empty_page(struct work *w, const struct cell_entry *e)
{
    struct gone gone[PAGE_ENTRIES];
    struct places p;
    uint32_t mailbox, page;

    if (!key_read_u32_u32(e->key, KEY_PLACES, &mailbox, &page))
        return ERR_CORRUPT;
    TRY(places_read(e->value, page, &p));
    for (uint32_t i = 0; i < p.count; i++) {
        struct place at = places_get(&p, i);
        gone[i] = (struct gone){.mid = at.mid, .place = {mailbox, at.uid}};
    }
    tx_del(w->tx, e->key);
    return work_gone(w, gone, p.count);
}

static enum status
reap_bodies(struct work *w, uint32_t now_s, bool *did_out)
{
    const struct cell_entry *e;
    const struct id_range *mids;
    uint32_t due, done = 0;
    uint64_t modseq;
    size_t n, count;

    TRY(tx_range(w->tx, (struct tx_span){STR("G"), STR("H"), 1}, &e, &n));
    if (n == 0) {
        w->head.next_due = 0;
        w->head_dirty = true;
        return OK;
    }
    if (!key_read_u32_u64(e[0].key, KEY_GONE, &due, &modseq))
        return ERR_CORRUPT;
    if (due > now_s)
        return next_due(w, e[0].key);
    TRY(gone_read(e[0].value, w->a, &mids, &count));
    struct id_range *r = ARENA_ARRAY(w->a, struct id_range, count + 1);
    mem_copy(r, mids, count * sizeof(*r));
    while (count > 0 && done++ < BODIES_STEP) {
        TRY(reap_body(w, r->first));
        if (r->first++ == r->last) {
            r++;
            count--;
        }
    }
    *did_out = true;
    if (count == 0) {
        tx_del(w->tx, e[0].key);
        return next_due(w, STR("G"));
    }
    buf_reset(&w->entry);
    buf_add_char(&w->entry, VALUE_VERSION);
    id_ranges_write(r, count, &w->entry);
    TRY(buf_status(&w->entry));
    tx_put(w->tx, e[0].key, buf_str(&w->entry));
    return OK;
}

static enum status
next_due(struct work *w, struct str after)
{
    const struct cell_entry *e;
    uint64_t modseq;
    size_t n;

    w->head_dirty = true;
    w->head.next_due = 0;
    TRY(tx_range(w->tx, (struct tx_span){after, STR("H"), 1}, &e, &n));
    if (n > 0 && !key_read_u32_u64(e[0].key, KEY_GONE, &w->head.next_due, &modseq))
        return ERR_CORRUPT;
    return OK;
}

/* A message that found a place again meanwhile stays. */
static enum status
reap_body(struct work *w, uint64_t mid)
{
    struct key k = key_messages(mid), sort = key_sort(mid);
    struct message_value v;
    struct str body;

    enum status s = work_entry(w, &k, mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    TRY(message_entry_read(body, &v));
    if (v.count > 0)
        return OK;
    tx_ref_drop(w->tx, v.blob);
    tx_record_del(w->tx, mid);
    TRY(spam_forget(w, mid));
    TRY(work_entry_put(w, &k, false, mid % PAGE_ENTRIES, STR_NONE));
    return work_entry_put(w, &sort, false, mid % (1u << SORT_PAGE_BITS), STR_NONE);
}

/* Marks of deliveries whose queue entry ended in the moment of a crash.  The queue forgets a mark itself when it has
 * committed the result, so the few that are here are old, or their entry still waits. */
static enum status
reap_marks(struct work *w)
{
    const struct cell_entry *e;
    uint64_t mid;
    bool old;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){STR("D"), STR("E"), MARKS_STEP}, &e, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(number_read(e[i].value, ID48_MAX, &mid));
        TRY(mark_is_old(w, mid, &old));
        if (old)
            tx_del(w->tx, e[i].key);
    }
    return OK;
}

/* By the day on which its message was saved, and when that is gone: 14 days ago at least. */
static enum status
mark_is_old(struct work *w, uint64_t mid, bool *out)
{
    struct key k = key_messages(mid);
    struct message_value v;
    struct str body;

    enum status s = work_entry(w, &k, mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND) {
        *out = true;
        return OK;
    }
    TRY(s);
    TRY(message_entry_read(body, &v));
    *out = v.saved_us < w->now.us - MARK_KEPT_US;
    return OK;
}
