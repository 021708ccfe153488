/* work.c - changes of an account: what every recipe begins and ends with.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#include "rt/random.h"
#include "store/quota_internal.h"

#define WORK_TRIES     50
#define PATIENT_TRIES  2
#define LOG_TRIM_STEP  64u
#define JOBS_LOOKED_AT 1000u
#define VALUE_MAX      (3u << 20)

static void log_trim(struct work *w);
static void boxes_write(struct work *w);
static bool keyword_find(const struct mailbox_value *v, struct str keyword, uint32_t *at_out);

enum status
work_begin(struct work *w, struct cell *account, struct instant now)
{
    struct key k = key_head();
    struct str value;

    *w = (struct work){
        .account = account, .now = now, .log = BUF(VALUE_MAX), .entry = BUF(VALUE_MAX)};
    TRY(tx_begin(account, &w->tx));
    w->a = tx_arena(w->tx);
    TRY(tx_peek(w->tx, key_str(&k), &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(head_read(value, &w->head));
    if (w->head.dropped)
        return ERR_NOT_FOUND;
    w->before = (struct work_use){w->head.bytes, w->head.messages, w->head.quota_bytes,
                                  w->head.quota_messages};
    w->modseq = w->head.modseq + 1;
    return OK;
}

enum status
work_commit(struct work *w)
{
    char head[HEAD_BYTES];
    struct key k = key_head();

    TRY(work_gone_end(w));
    TRY(quota_follow(w));
    if (w->changed) {
        w->head.modseq = w->modseq;
        w->head_dirty = true;
        log_trim(w);
        if (w->log.len == 0)
            log_start(w->now.us, &w->log);
        TRY(buf_status(&w->log));
        struct key l = key_u64(KEY_LOG, w->modseq);
        work_put(w, &l, buf_str(&w->log));
    } else {
        w->modseq = w->head.modseq;
    }
    boxes_write(w);
    if (w->head_dirty) {
        head_write(&w->head, head);
        work_put(w, &k, str_from(head, sizeof(head)));
    }
    return tx_commit(&w->tx);
}

void
work_end(struct work *w)
{
    tx_abort(&w->tx);
    buf_release(&w->log);
    buf_release(&w->entry);
    arena_free(&w->scratch);
}

enum status
work_may_grow(struct cell *account, enum growth what)
{
    enum engine_space space = engine_space(cells_engine(cell_home(account)));
    bool may = what == GROWS_A_BODY ? space == SPACE_PLENTY : space != SPACE_CRITICAL;

    return may ? OK : ERR_NO_SPACE;
}

bool
work_again(enum status *s, int *tries)
{
    if (*s != ERR_CONFLICT)
        return false;
    if (++*tries >= WORK_TRIES) {
        *s = ERR_TEMP;
        return false;
    }
    if (*tries > PATIENT_TRIES) {
        enum status slept = fiber_sleep((int64_t)random_below((uint64_t)*tries * 2 + 1));
        if (slept != OK) {
            *s = slept;
            return false;
        }
    }
    return true;
}

enum status
work_box(struct work *w, uint32_t id, struct work_box **out)
{
    struct key k = key_mailbox(id);
    struct str value;

    for (struct work_box *b = w->boxes; b != NULL; b = b->next) {
        if (b->id == id && b->gone)
            return ERR_NOT_FOUND;
        if (b->id == id) {
            *out = b;
            return OK;
        }
    }
    TRY(tx_get(w->tx, key_str(&k), &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    struct work_box *b = ARENA_NEW(w->a, struct work_box);
    TRY(mailbox_read(value, &b->v));
    b->id = id;
    b->next = w->boxes;
    w->boxes = b;
    *out = b;
    return OK;
}

enum status
work_box_live(struct work *w, uint32_t id, struct work_box **out)
{
    struct work_box *b;

    TRY(work_box(w, id, &b));
    if (!box_is_live(&b->v))
        return ERR_NOT_FOUND;
    *out = b;
    return OK;
}

bool
box_is_live(const struct mailbox_value *v)
{
    return (v->flags & (MAILBOX_NOSELECT | MAILBOX_WISH | MAILBOX_TOMBSTONE)) == 0;
}

struct work_box *
work_box_new(struct work *w, uint32_t id)
{
    struct work_box *b = ARENA_NEW(w->a, struct work_box);

    b->id = id;
    b->v.uidnext = 1;
    b->next = w->boxes;
    w->boxes = b;
    return b;
}

void
work_box_touch(struct work *w, struct work_box *b)
{
    b->dirty = true;
    w->changed = true;
    b->v.modseq = w->modseq;
    tx_touch(w->tx, w->modseq, b->id);
}

void
work_log(struct work *w, const struct log_change *c)
{
    w->changed = true;
    if (w->log.len == 0)
        log_start(w->now.us, &w->log);
    log_add(c, &w->log);
}

enum status
work_box_keywords(struct work *w, struct work_box *b, struct keyword_list l,
                  enum keywords_wanted wanted, uint32_t *bits_out)
{
    uint32_t bits = 0, at;

    for (size_t i = 0; i < l.count; i++) {
        struct str keyword = l.keywords[i];
        if (!keyword_find(&b->v, keyword, &at)) {
            bool fits = keyword.len > 0 && keyword.len <= LIMIT_KEYWORD_BYTES &&
                        b->v.keyword_count < LIMIT_KEYWORDS;
            if (!fits && wanted == KEYWORDS_ALL)
                return ERR_LIMIT;
            if (!fits || wanted == KEYWORDS_KNOWN)
                continue;
            at = b->v.keyword_count++;
            b->v.keywords[at] = arena_str(w->a, keyword);
            b->dirty = true;
        }
        bits |= 1u << (FLAG_KEYWORD_SHIFT + at);
    }
    *bits_out = bits;
    return OK;
}

void
box_count_flags(struct mailbox_value *v, uint32_t before, uint32_t after)
{
    v->unseen += (after & FLAG_SEEN) == 0;
    v->unseen -= (before & FLAG_SEEN) == 0;
    v->deleted += (after & FLAG_DELETED) != 0;
    v->deleted -= (before & FLAG_DELETED) != 0;
}

void
box_count_add(struct mailbox_value *v, uint32_t flags, uint64_t size)
{
    v->exists++;
    v->unseen += (flags & FLAG_SEEN) == 0;
    v->deleted += (flags & FLAG_DELETED) != 0;
    v->bytes += size;
}

void
box_count_remove(struct mailbox_value *v, uint32_t flags, uint64_t size)
{
    v->exists--;
    v->unseen -= (flags & FLAG_SEEN) == 0;
    v->deleted -= (flags & FLAG_DELETED) != 0;
    v->bytes -= size;
}

enum status
work_peek(struct work *w, const struct key *k, struct str *out)
{
    return tx_peek(w->tx, key_str(k), out);
}

enum status
work_entry(struct work *w, const struct key *k, uint8_t low, struct str *body_out)
{
    struct str page;

    TRY(work_peek(w, k, &page));
    return page_find(page, low, body_out);
}

enum status
work_entry_put(struct work *w, const struct key *k, bool is_new, uint8_t low, struct str body)
{
    struct str page = STR_NONE;

    if (!is_new)
        TRY(work_peek(w, k, &page));
    if (w->scratch == NULL)
        w->scratch = arena_new(ARENA_WORK);
    TRY(page_put(page, (struct page_entry){low, body}, w->scratch, &page));
    work_put(w, k, page);
    arena_reset(w->scratch);
    return OK;
}

void
work_put(struct work *w, const struct key *k, struct str value)
{
    if (value.ptr == NULL)
        tx_del(w->tx, key_str(k));
    else
        tx_put(w->tx, key_str(k), value);
}

enum status
work_places(struct work *w, uint32_t mailbox, uint32_t page, struct places *out)
{
    struct key k = key_places(mailbox, page);
    struct str value;

    TRY(work_peek(w, &k, &value));
    return places_read(value, page, out);
}

enum status
work_places_first(struct work *w, uint32_t mailbox, uint32_t *page_out)
{
    struct key lo = key_places(mailbox, 0), hi = key_places(mailbox, UINT32_MAX);
    const struct cell_entry *e;
    uint32_t box;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), 1}, &e, &n));
    if (n == 0)
        return ERR_NOT_FOUND;
    return key_read_u32_u32(e[0].key, KEY_PLACES, &box, page_out) ? OK : ERR_CORRUPT;
}

void
work_places_put(struct work *w, uint32_t mailbox, uint32_t page, const struct places *p)
{
    struct key k = key_places(mailbox, page);

    work_put(w, &k, places_str(p));
}

enum status
work_job_add(struct work *w, const struct job_value *v, uint64_t *id_out)
{
    struct key k = key_u64(KEY_JOB, w->head.next_job);

    buf_reset(&w->entry);
    job_write(v, &w->entry);
    TRY(buf_status(&w->entry));
    work_put(w, &k, buf_str(&w->entry));
    w->head.jobs++;
    w->head_dirty = true;
    *id_out = w->head.next_job++;
    return OK;
}

enum status
work_job_find(struct work *w, enum job_kind kind, uint32_t mailbox, uint64_t *id_out)
{
    const struct cell_entry *e;
    struct job_value j;
    size_t n = 0;

    if (w->head.jobs > 0)
        TRY(tx_range(w->tx, (struct tx_span){STR("J"), STR("K"), JOBS_LOOKED_AT}, &e, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(job_read(e[i].value, w->a, &j));
        if (j.kind != kind || j.mailbox != mailbox)
            continue;
        return key_read_u64(e[i].key, KEY_JOB, id_out) ? OK : ERR_CORRUPT;
    }
    return ERR_NOT_FOUND;
}

void
work_job_del(struct work *w, uint64_t id)
{
    struct key k = key_u64(KEY_JOB, id);

    work_put(w, &k, STR_NONE);
    w->head.jobs -= w->head.jobs > 0;
    w->head_dirty = true;
}

enum status
head_load(struct cell *account, struct arena *a, struct head_value *out)
{
    struct key k = key_head();
    struct str value;
    struct head_value h;

    TRY(cell_get(account, key_str(&k), a, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(head_read(value, &h));
    if (h.dropped)
        return ERR_NOT_FOUND;
    *out = h;
    return OK;
}

enum status
box_load(struct cell *account, uint32_t id, struct arena *a, struct mailbox_value *out)
{
    struct key k = key_mailbox(id);
    struct str value;

    TRY(cell_get(account, key_str(&k), a, &value));
    return value.ptr == NULL ? ERR_NOT_FOUND : mailbox_read(value, out);
}

/* Every modseq has its entry, so the oldest are known by their numbers alone. */
static void
log_trim(struct work *w)
{
    struct head_value *h = &w->head;

    if (h->modseq - h->log_floor <= LIMIT_CHANGE_LOG_ENTRIES + LOG_TRIM_STEP)
        return;
    for (uint32_t i = 0; i < LOG_TRIM_STEP; i++) {
        struct key k = key_u64(KEY_LOG, ++h->log_floor);
        work_put(w, &k, STR_NONE);
    }
}

static void
boxes_write(struct work *w)
{
    for (struct work_box *b = w->boxes; b != NULL; b = b->next) {
        struct key k = key_mailbox(b->id);
        if (b->gone) {
            work_put(w, &k, STR_NONE);
        } else if (b->dirty) {
            buf_reset(&w->entry);
            mailbox_write(&b->v, &w->entry);
            ASSERT(buf_status(&w->entry) == OK && w->entry.len <= MAILBOX_VALUE_MAX);
            work_put(w, &k, buf_str(&w->entry));
        }
    }
}

/* Keywords are compared without case, RFC 9051 section 2.3.2. */
static bool
keyword_find(const struct mailbox_value *v, struct str keyword, uint32_t *at_out)
{
    for (uint32_t i = 0; i < v->keyword_count; i++) {
        if (str_eq_nocase(v->keywords[i], keyword)) {
            *at_out = i;
            return true;
        }
    }
    return false;
}
