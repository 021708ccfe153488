/* spam_lessons.c - what moves and keywords say of messages, kept until somebody reads them.  See spam.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"

enum { JOBS_MAX = 1000 };

enum status
spam_lesson_next(struct cell *account, struct arena *a, struct spam_lesson *out)
{
    AUTO(work_end) struct work w;
    const struct cell_entry *e;
    struct job_value job;
    size_t n = 0;

    TRY(work_begin(&w, account, (struct instant){0}));
    if (w.head.jobs > 0)
        TRY(tx_range(w.tx, (struct tx_span){STR("J"), STR("K"), JOBS_MAX}, &e, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(job_read(e[i].value, a, &job));
        if (job.kind != JOB_LESSON)
            continue;
        *out = (struct spam_lesson){
            .kind = (enum spam_kind)job.first, .mids = job.mids, .count = job.mid_count};
        if (job.first > SPAM_UNWANTED)
            return ERR_CORRUPT;
        return key_read_u64(e[i].key, KEY_JOB, &out->id) ? OK : ERR_CORRUPT;
    }
    return ERR_NOT_FOUND;
}

static SUSPENDS enum status
done_once(struct cell *account, uint64_t id, struct instant now)
{
    AUTO(work_end) struct work w;
    struct key k = key_u64(KEY_JOB, id);
    struct str value;

    TRY(work_begin(&w, account, now));
    TRY(work_peek(&w, &k, &value));
    if (value.ptr == NULL)
        return OK;
    work_job_del(&w, id);
    return work_commit(&w);
}

enum status
spam_lesson_done(struct cell *account, uint64_t id, struct instant now)
{
    enum status s;
    int tries = 0;

    do {
        s = done_once(account, id, now);
    } while (work_again(&s, &tries));
    return s;
}

enum spam_kind
spam_kind_of_move(const struct work *w, const struct spam_move *m)
{
    uint32_t junk = w->head.special[SPECIAL_JUNK];

    if (junk == 0 || m->from == m->to)
        return SPAM_UNKNOWN;
    if (m->to == junk)
        return SPAM_UNWANTED;
    /* To the trash goes what nobody wants. */
    return m->from == junk && m->to != w->head.special[SPECIAL_TRASH] ? SPAM_WANTED : SPAM_UNKNOWN;
}

/* Those that are registered, and those that clients set before that. */
enum spam_kind
spam_kind_of_keywords(const struct str *keywords, size_t n)
{
    bool junk = false, not_junk = false;

    for (size_t i = 0; i < n; i++) {
        junk = junk || str_eq_nocase(keywords[i], STR("$Junk")) ||
               str_eq_nocase(keywords[i], STR("Junk"));
        not_junk = not_junk || str_eq_nocase(keywords[i], STR("$NotJunk")) ||
                   str_eq_nocase(keywords[i], STR("NonJunk"));
    }
    if (junk == not_junk)
        return SPAM_UNKNOWN;
    return junk ? SPAM_UNWANTED : SPAM_WANTED;
}

enum status
spam_teach(struct work *w, enum spam_kind kind, const struct id_list *mids, bool *out)
{
    struct job_value job = {
        .kind = JOB_LESSON, .first = kind, .mids = mids->ranges, .mid_count = mids->count};
    uint64_t count = 0, id;

    *out = false;
    for (size_t i = 0; i < mids->count; i++)
        count += mids->ranges[i].last - mids->ranges[i].first + 1;
    if (kind == SPAM_UNKNOWN || count == 0 || count > LIMIT_SPAM_LESSON_MESSAGES ||
        w->head.jobs >= LIMIT_SPAM_LESSONS)
        return OK;
    TRY(work_job_add(w, &job, &id));
    *out = true;
    return OK;
}

enum status
spam_forget(struct work *w, uint64_t mid)
{
    struct key k = key_u48(KEY_LEARNED, mid >> PAGE_BITS);
    struct str page;

    TRY(work_peek(w, &k, &page));
    return page.ptr == NULL ? OK : work_entry_put(w, &k, false, mid % PAGE_ENTRIES, STR_NONE);
}
